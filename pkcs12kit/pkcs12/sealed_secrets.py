"""Secrets that are encrypted on their own in a PFX, as Java writes secret keys, and octets that may hold such a thing.

Java's secretBag has the secretTypeId pkcs8ShroudedKeyBag, and its value is an OCTET STRING around an
EncryptedPrivateKeyInfo (openjdk/jdk, ``PKCS12KeyStore.java``). The password of the entry encrypts it once more, within
SafeContents that the password of the file may encrypt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.lenient import encode_element, require_whole, sequence
from pkcs12kit.errors import MalformedPfxError
from pkcs12kit.pkcs12.asn1 import load, reading, within_tag
from pkcs12kit.pkcs12.bags import BAG_IDS
from pkcs12kit.pkcs12.encryption import read_encryption

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.budget import WorkBudget
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.structure import Bag

_SHROUDED_KEY: Final = BAG_IDS["pkcs8ShroudedKeyBag"]
_OCTET_STRING: Final = 0x04
_EXPLICIT: Final = 0xA0
# Object identifiers, without tag and length, that stand where something is encrypted by a password: everything of
# PKCS#5 (RFC 8018 appendix A), of RFC 7292 appendix C, scrypt (RFC 7914), and the two ways of Java's older key stores.
_ENCRYPTED_BY_PASSWORD: Final = (
    bytes.fromhex("2a864886f70d0105"),
    bytes.fromhex("2a864886f70d010c01"),
    bytes.fromhex("2b06010401da47040b"),
    bytes.fromhex("2b060104012a021101"),
    bytes.fromhex("2b060104012a021301"),
)


class SealedSecret(NamedTuple):
    """An encrypted secret: an EncryptedPrivateKeyInfo (RFC 5958), within an OCTET STRING if ``in_octets``."""

    encryption: Encryption
    ciphertext: bytes
    in_octets: bool


def read_sealed_secret(bag: Bag, budget: WorkBudget) -> SealedSecret | None:
    """Return the encrypted secret of a secretBag of any secretTypeId; None if it holds none that can be parsed.

    Raises :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    from asn1crypto import core, keys

    from pkcs12kit.pkcs12 import asn1_types

    if bag.type != "secretBag" or bag.fault is not None or not may_be_encrypted(bag.content, bag.value_type):
        return None
    try:
        with reading("the secret"):
            typed = asn1_types.TypedValue.load(bag.content, strict=True)
            value = within_tag(typed["value"])
            in_octets = value[:1] == bytes([_OCTET_STRING])
            if in_octets:
                value = core.OctetString.load(value, strict=True).native
            sealed = load(keys.EncryptedPrivateKeyInfo, value, budget)
            secret = SealedSecret(
                read_encryption(sealed["encryption_algorithm"]), sealed["encrypted_data"].native, in_octets
            )
            require_whole(typed)
            require_whole(sealed)
    except MalformedPfxError:
        return None
    return secret


def secret_value(value_type: str, algorithm_identifier: Asn1Value, ciphertext: bytes, *, in_octets: bool) -> bytes:
    """Return the encoded value of a secretBag (RFC 7292 section 4.2.5) with an encrypted secret."""
    from asn1crypto import core, keys

    sealed = keys.EncryptedPrivateKeyInfo({"encryption_algorithm": algorithm_identifier, "encrypted_data": ciphertext})
    value: bytes = sealed.dump()
    if in_octets:
        value = core.OctetString(value).dump()
    return sequence(core.ObjectIdentifier(value_type).dump(), encode_element(_EXPLICIT, value))


def may_be_encrypted(octets: bytes | None, value_type: str | None = None) -> bool:
    """Return True if octets that are copied may hold something that a password encrypts.

    They do if they have the object identifier of such an encryption, or ``value_type`` is that of Java's secret keys.
    """
    return value_type == _SHROUDED_KEY or any(one in (octets or b"") for one in _ENCRYPTED_BY_PASSWORD)


def is_password_key(secret: bytes, budget: WorkBudget) -> bool:
    """Return True for a password that Java keeps as a secret key, as ``keytool -importpass`` does.

    Its algorithm is an encryption by password, such as PBEWithMD5AndDES, but without parameters: nothing is encrypted.
    """
    from asn1crypto import core

    try:
        with reading("the secret key"):
            info = load(core.Sequence, secret, budget)
            version, algorithm, octets = (info[number] for number in range(len(info)))
            parts = [algorithm[number] for number in range(len(algorithm))]
            return (
                isinstance(version, core.Integer)
                and [type(part) for part in parts] in ([core.ObjectIdentifier], [core.ObjectIdentifier, core.Null])
                and isinstance(octets, core.OctetString)
                and not may_be_encrypted(octets.native)
            )
    except MalformedPfxError:
        return False
