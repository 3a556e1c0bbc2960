"""Kinds of keys: the bounds of each, and that whatever else there is counts as another kind."""

from __future__ import annotations

import pytest
from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import pkcs12kit as pk
from pkcs12kit.certificates.key_kinds import KeyKind, key_kind, kind_of_public_key

CURVES = {
    ec.SECP224R1: KeyKind.EC_P224,
    ec.SECP256R1: KeyKind.EC_P256,
    ec.SECP384R1: KeyKind.EC_P384,
    ec.SECP521R1: KeyKind.EC_P521,
    ec.SECP256K1: KeyKind.EC_SECP256K1,
    ec.BrainpoolP256R1: KeyKind.EC_BRAINPOOL,
    ec.BrainpoolP384R1: KeyKind.EC_BRAINPOOL,
    ec.BrainpoolP512R1: KeyKind.EC_BRAINPOOL,
}
OTHERS = {
    ed25519.Ed25519PrivateKey: KeyKind.ED25519,
    ed448.Ed448PrivateKey: KeyKind.ED448,
    mldsa.MLDSA44PrivateKey: KeyKind.ML_DSA_44,
    mldsa.MLDSA65PrivateKey: KeyKind.ML_DSA_65,
    mldsa.MLDSA87PrivateKey: KeyKind.ML_DSA_87,
    x25519.X25519PrivateKey: KeyKind.OTHER,
}
SIZES = {
    512: KeyKind.RSA_BELOW_1024,
    1023: KeyKind.RSA_BELOW_1024,
    1024: KeyKind.RSA_1024,
    2047: KeyKind.RSA_1024,
    2048: KeyKind.RSA_2048,
    3072: KeyKind.RSA_2048,
    3073: KeyKind.RSA_4096,
    4096: KeyKind.RSA_4096,
    4097: KeyKind.RSA_8192,
    8192: KeyKind.RSA_8192,
    8193: KeyKind.RSA_16384,
}
RSASSA_PSS = "1.2.840.113549.1.1.10"


def spki(key):
    """The SubjectPublicKeyInfo of a public key."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rsa_key(bits):
    """A public key with a modulus of this size; no one has its private key."""
    return rsa.RSAPublicNumbers(65537, (1 << bits) - 1).public_key()


def for_pss(info):
    """The same key for RSASSA-PSS alone (RFC 4055 section 1.2)."""
    new = core.ObjectIdentifier(RSASSA_PSS).dump()
    algorithm = b"\x30" + bytes([len(new)]) + new
    bits = core.Sequence.load(info)[1].dump()
    body = algorithm + bits
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(("curve", "kind"), CURVES.items(), ids=lambda it: getattr(it, "name", ""))
def test_curves(curve, kind):
    """Each named curve (RFC 5480 section 2.1.1, RFC 5639)."""
    key = ec.generate_private_key(curve())
    assert key_kind(key) is key_kind(key.public_key()) is kind_of_public_key(spki(key.public_key())) is kind


@pytest.mark.parametrize(("made", "kind"), OTHERS.items())
def test_algorithms(made, kind):
    """Ed25519, Ed448 and ML-DSA; a key for key agreement is of another kind."""
    assert key_kind(made.generate()) is kind


@pytest.mark.parametrize(("bits", "kind"), SIZES.items())
def test_sizes(bits, kind):
    """The bounds belong to the kinds that name them."""
    try:
        key = rsa_key(bits)
    except ValueError:
        pytest.skip("this version of pyca/cryptography has no such key")
    assert key_kind(key) is kind


def test_pss():
    """A key for RSASSA-PSS alone is a kind of its own from 2,048 to 4,096 bits, and otherwise another."""
    for bits, kind in ((1024, KeyKind.OTHER), (2048, KeyKind.RSA_PSS), (4096, KeyKind.RSA_PSS), (4097, KeyKind.OTHER)):
        assert kind_of_public_key(for_pss(spki(rsa_key(bits)))) is kind


def test_dsa():
    """DSA keys of 2,048 bits; of another size nothing is known."""
    numbers = dsa.DSAParameterNumbers(p=(1 << 1024) - 105, q=(1 << 160) - 47, g=3)
    try:
        other = dsa.DSAPublicNumbers(y=5, parameter_numbers=numbers).public_key()
    except ValueError:
        pytest.skip("this version of pyca/cryptography has no such key")
    assert key_kind(other) is KeyKind.OTHER


def test_what_cannot_be_read():
    """Damage of any kind is no kind that anything is known of."""
    info = spki(rsa_key(2048))
    for cut in range(len(info)):
        assert kind_of_public_key(info[:cut]) in {KeyKind.OTHER, KeyKind.RSA_2048}
    assert kind_of_public_key(b"") is KeyKind.OTHER
    for position in range(24):
        for value in (0x00, 0x30, 0x80, 0xFF):
            changed = info[:position] + bytes([value]) + info[position + 1 :]
            assert isinstance(kind_of_public_key(changed), KeyKind)


def test_values():
    """A kind is itself; a certificate and an identity have one; other values are mistakes."""
    server = pk.lab.Authority.create("Root").issue_server("a.example", key_type=pk.lab.KeyType.EC_P384)
    assert key_kind(KeyKind.SLH_DSA) is KeyKind.SLH_DSA
    assert key_kind(server) is key_kind(server.certificate) is KeyKind.EC_P384
    for wrong in (None, 7, "ec-p256", b"", [server], KeyKind):
        with pytest.raises(pk.ArgumentError, match="expected a key, a certificate or a KeyKind"):
            key_kind(wrong)
