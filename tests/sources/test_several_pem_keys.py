"""Several private keys in one PEM file: the same key in two encodings is one key, and two keys are listed."""

from __future__ import annotations

import hashlib
from itertools import permutations, product

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.keys import read_private_key

PASSWORD = "of the key"
KEYS = {
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65537, 1024),  # noqa: S505 - quick to load
    "other": ec.generate_private_key(ec.SECP256R1()),
}
FORMS = {
    "PKCS#8": (PrivateFormat.PKCS8, NoEncryption()),
    "traditional": (PrivateFormat.TraditionalOpenSSL, NoEncryption()),
    "encrypted": (PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode())),
    "encrypted traditional": (PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(PASSWORD.encode())),
}
BLOCKS = {
    (name, form): key.private_bytes(Encoding.PEM, *how) for name, key in KEYS.items() for form, how in FORMS.items()
}


def read(*blocks, password=PASSWORD, limits=DEFAULT_LIMITS):
    """Read the one key of a PEM file with these blocks."""
    return read_private_key(b"".join(blocks), name="a.key", password=password, limits=limits)


@pytest.mark.parametrize(("one", "two"), [*permutations(FORMS, 2), ("PKCS#8", "PKCS#8"), ("encrypted", "encrypted")])
@pytest.mark.parametrize("name", ["ec", "rsa"])
def test_the_same_key_twice(name, one, two):
    """In any two encodings, also with a certificate between them, it is one key; the password compares the closed."""
    certificate = pk.lab.Authority.create("CA").certificate.to_pem().encode()
    blocks = (BLOCKS[name, one], certificate, BLOCKS[name, two])
    assert read(*blocks).private_numbers() == KEYS[name].private_numbers()
    if {one, two} <= {"PKCS#8", "traditional"}:
        assert read(*blocks, password=None).private_numbers() == KEYS[name].private_numbers()
        return
    for wrong in (None, "wrong"):
        with pytest.raises(pk.PasswordError, match=r"^a\.key: "):
            read(*blocks, password=wrong)


@pytest.mark.parametrize(("one", "two"), [*product(FORMS, repeat=2)])
def test_two_keys(one, two):
    """They are listed by type and fingerprint, whichever is first; two open ones also without a password."""
    for names in (("ec", "other"), ("rsa", "ec")):
        blocks = [BLOCKS[name, form] for name, form in zip(names, (one, two), strict=True)]
        with pytest.raises(pk.InputError, match="expected one private key, found 2: ") as raised:
            read(*blocks)
        for name in names:
            public = KEYS[name].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            kind = "RSA" if name == "rsa" else "EC"
            assert f"{kind} with the public key of SHA-256 {hashlib.sha256(public).hexdigest()}" in str(raised.value)
        closed = {one, two} & {"encrypted", "encrypted traditional"}
        error = pk.PasswordError if closed else pk.InputError
        with pytest.raises(error, match="private key"):
            read(*blocks, password=None)
        opened = (BLOCKS["ec", "PKCS#8"], BLOCKS["rsa", "PKCS#8"], *blocks)
        with pytest.raises(pk.InputError, match=r"expected one private key, found [23]"):  # known without a password
            read(*opened, password=None)


def test_the_work_is_bounded():
    """Many keys in one file share the budget of one PKCS#12 file; a few are listed."""
    edwards = [
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for _ in range(8)
    ]
    with pytest.raises(pk.InputError, match=r"found 8: .*; and 3 more; give a file"):
        read(*edwards)
    blocks = [b"\n" * number + BLOCKS["rsa", "traditional"].replace(b"\n", b"\n" * number) for number in range(1, 30)]
    limits = DEFAULT_LIMITS.__class__(pfx_private_key_work=DEFAULT_LIMITS.private_key_work // 1_000)
    with pytest.raises(pk.LimitExceededError, match="pfx_private_key_work"):
        read(*blocks, limits=limits)


def test_both_beside_their_certificate():
    """A PEM file with the key in two encodings and its certificate is an identity."""
    server = pk.lab.Authority.create("CA").issue_server("mdm.example.mil", private_key=KEYS["ec"])
    text = BLOCKS["ec", "PKCS#8"] + server.certificate.to_pem().encode() + BLOCKS["ec", "traditional"]
    for given in ({"key": text}, {"key": text, "certificate": server.certificate}):
        assert pk.load_identity(**given).certificate == server.certificate
