"""RFC 8018 section 6.1.2: a wrong key leaves correct padding once in 256 times, which is not reported as damage."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import islice

import pytest
from asn1crypto import keys, pkcs12
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import MalformedPfxError, PfxPasswordError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12 import encryption, profiles
from pkcs12kit.pkcs12.algorithms import DecryptionError
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.passwords import encode_password

from .conftest import PASSWORD
from .pfx_parts import bag_of, bags_of, der, encrypted_safe, explicit, oid, plain_safe, safe_by, with_mac

OTHER = "another horse 7"
AES = profiles.MODERN.certificate_encryption
TRIPLE_DES = profiles.LEGACY_3DES.certificate_encryption
FILES = 8
"""Of each kind: what is left of about two thousand, of which all others have unsound padding."""


def sound_by_chance(scheme, plaintext):
    """Encrypt with OTHER by salts from a fixed seed; give what PASSWORD decrypts to sound padding, as a pair.

    The pair is the identifier of the algorithm and the ciphertext.
    """
    draw = random.Random(1)  # noqa: S311  # the same files every time
    while True:
        chosen = encryption.new_encryption(scheme, iterations=1, salt_length=8, random_bytes=draw.randbytes)
        key = encryption.CipherKey(chosen, encode_password(OTHER), WorkBudget(DEFAULT_LIMITS))
        ciphertext = key.encrypt(plaintext)
        with suppress(DecryptionError):
            encryption.decrypt(chosen, ciphertext, encode_password(PASSWORD), WorkBudget(DEFAULT_LIMITS))
            yield encryption.algorithm_identifier(chosen), ciphertext


@pytest.mark.parametrize("scheme", [AES, TRIPLE_DES], ids=["AES", "TripleDES"])
def test_contents_with_another_password(scheme):
    """Contents with correct padding by a wrong key are not reported as damaged; the right password opens them."""
    bags = bags_of(bag_of(5, der(0x30, oid("1.2.3") + explicit(b"\x05\x00"))))
    for identifier, ciphertext in islice(sound_by_chance(scheme, bags), FILES):
        data = with_mac([encrypted_safe(identifier.dump(), ciphertext)])
        with pytest.raises(PfxPasswordError, match="contents cannot be decrypted with the same password"):
            decode_pfx(data, password=PASSWORD)
        assert len(decode_pfx(data, password=PASSWORD, contents_password=OTHER).other_bags) == 1


@pytest.mark.parametrize("scheme", [AES, TRIPLE_DES], ids=["AES", "TripleDES"])
def test_key_with_another_password(scheme):
    """The same holds for a private key, which has a password of its own in Java."""
    key = ec.derive_private_key(7, ec.SECP256R1())
    info = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for identifier, ciphertext in islice(sound_by_chance(scheme, info), FILES):
        shrouded = keys.EncryptedPrivateKeyInfo({"encryption_algorithm": identifier, "encrypted_data": ciphertext})
        bag = pkcs12.SafeBag({"bag_id": "pkcs8_shrouded_key_bag", "bag_value": shrouded})
        data = with_mac([plain_safe(bag)])
        with pytest.raises(PfxPasswordError, match="private key cannot be decrypted with the same password"):
            decode_pfx(data, password=PASSWORD)
        decoded = decode_pfx(data, password=PASSWORD, contents_password=OTHER)
        assert decoded.keys[0].private_key.private_numbers() == key.private_numbers()


@pytest.mark.parametrize(
    ("plaintext", "damaged"),
    [
        (b"\x30\x0d" + bytes(13), True),  # one SEQUENCE, 15 octets
        (b"\x30\x80" + b"\xff" * 11 + bytes(2), True),  # of indefinite length
        (b"\x30\x81\x8c" + bytes(140), True),  # of a length in two octets
        (b"\xff" * 12, True),  # four octets of padding
        (b"\x30\x0c" + bytes(13), False),  # an octet behind it
        (b"\x30\x0e" + bytes(13), False),  # an octet too few
        (b"\x30\x80" + b"\xff" * 13, False),
        (b"\x30\x8d" + b"\xff" * 13, False),  # a length in 13 octets
        (b"\x31\x0d" + bytes(13), False),  # a SET
        (b"\xff" * 13, False),  # three octets of padding
    ],
)
def test_damage_is_what_chance_does_not_make(plaintext, damaged):
    """Four octets of padding, or one SEQUENCE to the end, mean that the key was right and the contents are damaged."""
    data = with_mac([safe_by(AES, PASSWORD, plaintext)])
    error, words = (MalformedPfxError, "cannot be read") if damaged else (PfxPasswordError, "there may be another")
    with pytest.raises(error, match=words):
        decode_pfx(data, password=PASSWORD)
