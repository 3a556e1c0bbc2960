"""Schemes of PBES2 in PKCS#12 files and in keys: opened, or named with their object identifier, without blame."""

from __future__ import annotations

import hashlib
import os

import pytest
from asn1crypto import algos, core
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import InputError, MalformedPfxError, PasswordError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.algorithms import CipherDescription, describe
from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encryption import read_encryption
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.object_identifiers import named
from pkcs12kit.sources.keys import read_private_key

from ..calling import call
from .conftest import PASSWORD
from .pfx_parts import bags_of, der, encrypted_safe, make_pfx, oid, with_mac

KEY = ec.generate_private_key(ec.SECP256R1())
PLAIN = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
HMAC_SHA256 = "1.2.840.113549.2.9"
AES_256_CBC = "2.16.840.1.101.3.4.1.42"
SALT = b"12345678"
AUTHENTICATED = [
    (f"2.16.840.1.101.3.4.1.{number}", name, length, tag, nonce)
    for offset, length in ((0, 16), (20, 24), (40, 32))
    for number, name, tag, nonce in (
        (offset + 6, "GCM", 12, 12),
        (offset + 6, "GCM", 16, 12),
        (offset + 6, "GCM", 16, 16),
        (offset + 7, "CCM", 12, 13),
        (offset + 7, "CCM", 16, 7),
    )
]


def pbes2(cipher, parameters, *, prf=HMAC_SHA256, kdf="1.2.840.113549.1.5.12"):
    """Return the AlgorithmIdentifier of PBES2 (RFC 8018 appendix A.4)."""
    derivation = der(0x04, SALT) + b"\x02\x01\x03" + der(0x30, oid(prf) + b"\x05\x00")
    kdf = der(0x30, oid(kdf) + der(0x30, derivation))
    return der(0x30, oid("1.2.840.113549.1.5.13") + der(0x30, kdf + der(0x30, oid(cipher) + parameters)))


def authenticated(plaintext, cipher, name, length, tag, nonce_length):
    """Return the AlgorithmIdentifier and the ciphertext of AES-GCM or AES-CCM (RFC 5084 section 3.2)."""
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 3, length)
    nonce = os.urandom(nonce_length)
    stated = b"" if tag == 12 else core.Integer(tag).dump()  # DEFAULT 12
    if name == "CCM":
        ciphertext = AESCCM(key, tag).encrypt(nonce, plaintext, None)
    else:
        whole = AESGCM(key).encrypt(nonce, plaintext, None)
        ciphertext = whole[: len(whole) - 16 + tag]  # a shorter tag is the beginning of the long one
    return pbes2(cipher, der(0x30, der(0x04, nonce) + stated)), ciphertext


def encrypted_key(identifier, ciphertext):
    """Return an EncryptedPrivateKeyInfo (RFC 5958 section 3)."""
    return der(0x30, identifier + der(0x04, ciphertext))


def read(data, password=PASSWORD):
    """Read a key as ``load_identity`` does."""
    return read_private_key(data, name="server.key", password=password, limits=DEFAULT_LIMITS)


@pytest.mark.parametrize(("cipher", "name", "length", "tag", "nonce"), AUTHENTICATED)
def test_authenticated_encryption_is_opened(small_bundle, cipher, name, length, tag, nonce):
    """The tag follows the ciphertext, as Bouncy Castle writes it; a wrong password or a changed octet fails."""
    certificate = small_bundle.certificates[0]
    identifier, ciphertext = authenticated(PLAIN, cipher, name, length, tag, nonce)
    found = read(encrypted_key(identifier, ciphertext))
    assert found.private_numbers() == KEY.private_numbers()
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    for data, password in ((ciphertext, "wrong"), (changed, PASSWORD), (b"", PASSWORD), (ciphertext[:8], PASSWORD)):
        with pytest.raises(PasswordError, match="does not open the private key"):
            read(encrypted_key(identifier, data), password)
    safe = encrypted_safe(*authenticated(bags_of(certificate_bag(certificate.der)), cipher, name, length, tag, nonce))
    assert decode_pfx(with_mac([safe]), password=PASSWORD).certificates == (certificate,)
    encryption = inspect_pfx(with_mac([safe])).safe_contents[0].encryption
    assert encryption.cipher == f"AES-{8 * length}-{name}"
    with pytest.raises(PfxPasswordError, match="wrong password or damaged file"):
        decode_pfx(make_pfx([safe]), password="wrong")


@pytest.mark.parametrize(
    ("nonce", "tag", "sentence"),
    [
        (12, 11, "authentication tag of 11 bytes"),
        (12, 17, "authentication tag of 17 bytes"),
        (0, 16, "IV of 0 bytes"),
        (200, 16, "IV of 200 bytes"),
    ],
)
def test_lengths_of_authenticated_encryption(nonce, tag, sentence):
    """RFC 5084 section 3.2: AES-GCM-ICVlen is 12 to 16. A shorter tag could be forged without the password."""
    parameters = der(0x30, der(0x04, bytes(nonce)) + core.Integer(tag).dump())
    identifier = pbes2("2.16.840.1.101.3.4.1.46", parameters)
    with pytest.raises(InputError, match=rf"^server\.key: the private key states an {sentence}"):
        read(encrypted_key(identifier, bytes(48)))
    with pytest.raises(MalformedPfxError, match=rf"^the PKCS#12 file states an {sentence}"):
        decode_pfx(with_mac([encrypted_safe(identifier, bytes(48))]), password=PASSWORD)


IV = der(0x04, bytes(16))
UNKNOWN = {
    "ARIA-256-CBC (1.2.410.200046.1.1.12)": pbes2("1.2.410.200046.1.1.12", IV),
    "ARIA-128-GCM (1.2.410.200046.1.1.34)": pbes2("1.2.410.200046.1.1.34", der(0x30, der(0x04, bytes(12)))),
    "ChaCha20-Poly1305 (1.2.840.113549.1.9.16.3.18)": pbes2("1.2.840.113549.1.9.16.3.18", der(0x04, bytes(12))),
    "AES-256-GCM (2.16.840.1.101.3.4.1.46)": pbes2("2.16.840.1.101.3.4.1.46", der(0x04, bytes(12))),
    "GOST 28147-89 (1.2.643.2.2.21)": pbes2("1.2.643.2.2.21", der(0x30, der(0x04, bytes(8)) + oid("1.2.643.2.2.31.1"))),
    "RC5-CBC-Pad (1.2.840.113549.3.9)": pbes2("1.2.840.113549.3.9", der(0x30, b"\x02\x01\x10\x02\x01\x0c\x02\x01\x40")),
    "HMAC-Streebog-512 (1.2.643.7.1.1.4.2)": pbes2(AES_256_CBC, IV, prf="1.2.643.7.1.1.4.2"),
    "HMAC-SM3 (1.2.156.10197.1.401.2)": pbes2(AES_256_CBC, IV, prf="1.2.156.10197.1.401.2"),
    "HMAC-RIPEMD160 (1.3.6.1.5.5.8.1.4)": pbes2(AES_256_CBC, IV, prf="1.3.6.1.5.5.8.1.4"),
    "HKDF-SHA256 (1.2.840.113549.1.9.16.3.28)": pbes2(AES_256_CBC, IV, kdf="1.2.840.113549.1.9.16.3.28"),
    "PBES2 (AES-256-CBC, 1.2.3.4)": pbes2(AES_256_CBC, IV, kdf="1.2.3.4"),
    "1.2.3.4.5": pbes2("1.2.3.4.5", b""),
    "pbeWithMD2AndDES-CBC": der(0x30, oid("1.2.840.113549.1.5.1") + der(0x30, der(0x04, SALT) + b"\x02\x01\x03")),
    "pbeWithMD5AndCAST5-CBC (1.2.840.113533.7.66.12)": der(0x30, oid("1.2.840.113533.7.66.12") + b"\x05\x00"),
    "PBEWithSHA256And256BitAES-CBC-BC (1.3.6.1.4.1.22554.1.2.1.2.1.42)": der(
        0x30, oid("1.3.6.1.4.1.22554.1.2.1.2.1.42") + der(0x30, der(0x04, SALT) + b"\x02\x01\x03")
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_schemes_are_named_in_a_key(name):
    """With the right password, a wrong one and none it is the same sentence, which does not speak of passwords."""
    for password in (PASSWORD, "wrong", None):
        with pytest.raises(InputError) as raised:
            read(encrypted_key(UNKNOWN[name], bytes(48)), password)
        assert not isinstance(raised.value, PasswordError)
        assert str(raised.value).startswith("server.key: the encryption of the private key, ")
        assert name in str(raised.value)
        assert "password" not in str(raised.value)


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("has_mac", [True, False])
def test_unknown_schemes_are_named_in_a_file(name, has_mac, tmp_path):
    """``inspect`` shows the name with and without a password, and the reason with one; it never blames the password."""
    safe = encrypted_safe(UNKNOWN[name], bytes(48))
    data = with_mac([safe]) if has_mac else make_pfx([safe])
    with pytest.raises(UnsupportedPfxError) as raised:
        decode_pfx(data, password=PASSWORD)
    assert name in str(raised.value)
    (tmp_path / "file.p12").write_bytes(data)
    (tmp_path / "password.txt").write_text(PASSWORD)
    for options, status in (([], 0), (["--password-file", str(tmp_path / "password.txt")], 1)):
        shown = call("inspect", tmp_path / "file.p12", *options)
        assert shown.status == status
        for words in name.split(" (")[0].split(", "):
            assert words in shown.output
        assert "which is not supported" in shown.output
        assert "closed without the password" not in shown.output
        assert "wrong password" not in shown.output + shown.errors
        assert "does not open" not in shown.errors
        assert "hint" not in shown.errors
    assert name in shown.errors


def test_md5_in_pbkdf2(small_bundle):
    """HMAC-MD5 by either identifier opens, also within a PKCS#12 file (RFC 8018 appendix A.2)."""
    from pkcs12kit.pkcs12.algorithms import encrypt

    key = hashlib.pbkdf2_hmac("md5", PASSWORD.encode(), SALT, 3, 32)
    certificate = small_bundle.certificates[0]
    plaintext = bags_of(certificate_bag(certificate.der))
    for prf in ("1.2.840.113549.2.6", "1.3.6.1.5.5.8.1.1"):
        identifier = pbes2(AES_256_CBC, IV, prf=prf)
        assert read(encrypted_key(identifier, encrypt("AES-256-CBC", key, bytes(16), PLAIN))).curve.name == "secp256r1"
        safe = encrypted_safe(identifier, encrypt("AES-256-CBC", key, bytes(16), plaintext))
        assert decode_pfx(with_mac([safe]), password=PASSWORD).certificates == (certificate,)
        assert inspect_pfx(with_mac([safe])).safe_contents[0].encryption.digest == "MD5"


def test_other_ciphers_of_pbes2():
    """IDEA, which Debian's OpenSSL does not write, and CAST5 with the parameters of RFC 2984 section 2."""
    from pkcs12kit.pkcs12.algorithms import encrypt

    key, iv = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), SALT, 3, 16), bytes(range(8))
    for cipher, name, parameters in (
        ("1.3.6.1.4.1.188.7.1.1.2", "IDEA-CBC", der(0x04, iv)),
        ("1.2.840.113533.7.66.10", "CAST5-CBC", der(0x30, der(0x04, iv) + b"\x02\x02\x00\x80")),
    ):
        data = encrypted_key(pbes2(cipher, parameters), encrypt(name, key, iv, PLAIN))
        assert read(data).private_numbers() == KEY.private_numbers()


def test_every_supported_cipher_has_its_own_name():
    """A name with an identifier beside it is never that of a supported cipher."""
    assert isinstance(describe("AES-256-GCM"), CipherDescription)
    assert describe(named("2.16.840.1.101.3.4.1.46")) is None
    assert named("1.2.3.4") == "1.2.3.4"


@pytest.mark.parametrize("around", [0x80, 0x180, 0x280])
def test_parameters_of_any_length(around):
    """The salt is read whatever the lengths around it: 0x80 ends one of them, and is not the indefinite form there."""
    for salt in map(bytes, range(around - 50, around + 3)):
        by_password = der(0x30, oid("1.2.840.113549.1.12.1.3") + der(0x30, der(0x04, salt) + b"\x02\x02\x00\x03"))
        kdf = der(0x30, oid("1.2.840.113549.1.5.12") + der(0x30, der(0x04, salt) + b"\x02\x01\x03"))
        cipher = der(0x30, oid(AES_256_CBC) + der(0x04, bytes(16)))
        for identifier in (by_password, der(0x30, oid("1.2.840.113549.1.5.13") + der(0x30, kdf + cipher))):
            derivation = read_encryption(algos.EncryptionAlgorithm.load(identifier)).derivation
            assert (derivation.salt, derivation.iterations) == (salt, 3)
