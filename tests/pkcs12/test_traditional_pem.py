"""Private keys written in the form that is older than PKCS#8."""

from __future__ import annotations

import pytest
from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

import pkcs12kit as pk
from pkcs12kit.pkcs12.private_keys import traditional_pem

RSA = rsa.generate_private_key(65537, 2048)


def pkcs8(key):
    """Return a key as PKCS#8, DER."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("key", "label"),
    [
        (RSA, "RSA PRIVATE KEY"),
        (ec.generate_private_key(ec.SECP256R1()), "EC PRIVATE KEY"),
        (ec.generate_private_key(ec.SECP521R1()), "EC PRIVATE KEY"),
        (dsa.generate_private_key(1024), "DSA PRIVATE KEY"),  # noqa: S505 - quick to make
    ],
    ids=["rsa", "p-256", "p-521", "dsa"],
)
def test_keys_with_a_traditional_form_are_written_in_it(key, label):
    """The label is the one of RFC 8017 appendix A.1.2, RFC 5915 section 4 or OpenSSL, and the key is the same."""
    text = traditional_pem(key, pkcs8(key))
    assert text.startswith(f"-----BEGIN {label}-----\n".encode())
    assert text.endswith(f"-----END {label}-----\n".encode())
    assert pkcs8(load_pem_private_key(text, None)) == pkcs8(key)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
        (mldsa.MLDSA65PrivateKey.generate(), "ML-DSA-65"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_keys_without_a_traditional_form_are_refused(key, name):
    """No standard defines another form than PKCS#8 for them, so nothing else is made up; the type is named."""
    with pytest.raises(pk.InputError, match=rf"private key for {name} has no traditional form"):
        traditional_pem(key, pkcs8(key))


def test_a_key_for_rsassa_pss_only_is_refused():
    """PKCS#1 cannot say that a key is only for RSASSA-PSS: the written key would allow more (RFC 4055 section 1.2)."""
    info = asn1_keys.PrivateKeyInfo.load(pkcs8(RSA))
    info["private_key_algorithm"] = {"algorithm": "rsassa_pss"}
    with pytest.raises(pk.InputError, match="only for RSASSA-PSS has no traditional form"):
        traditional_pem(RSA, info.dump())
