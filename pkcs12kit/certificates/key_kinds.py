"""Kinds of keys, as far as programs differ on them: the algorithm, with the curve, the size or the parameter set.

The command lists the readers in its help, so that nothing here loads ASN.1 or cryptography before it is used.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates import key_algorithms
from pkcs12kit.errors import ArgumentError, MalformedCertificateError

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate


class KeyKind(Enum):
    """A kind of key that programs may or may not support. The value describes it."""

    RSA_BELOW_1024 = "RSA key of less than 1,024 bits"
    RSA_1024 = "RSA key of 1,024 to 2,047 bits"
    RSA_2048 = "RSA key of 2,048 to 3,072 bits"
    RSA_4096 = "RSA key of 3,073 to 4,096 bits"
    RSA_8192 = "RSA key of 4,097 to 8,192 bits"
    RSA_16384 = "RSA key of 8,193 to 16,384 bits"
    RSA_PSS = "RSA key of 2,048 to 4,096 bits for RSASSA-PSS only"
    DSA_2048 = "DSA key of 2,048 bits"
    EC_P224 = "EC key on P-224"
    EC_P256 = "EC key on P-256"
    EC_P384 = "EC key on P-384"
    EC_P521 = "EC key on P-521"
    EC_SECP256K1 = "EC key on secp256k1"
    EC_BRAINPOOL = "EC key on brainpoolP256r1, brainpoolP384r1 or brainpoolP512r1"
    ED25519 = "Ed25519 key"
    ED448 = "Ed448 key"
    ML_DSA_44 = "ML-DSA-44 key"
    ML_DSA_65 = "ML-DSA-65 key"
    ML_DSA_87 = "ML-DSA-87 key"
    SLH_DSA = "SLH-DSA key"
    OTHER = "key of another kind"
    """Another curve, size or algorithm, or a key that cannot be read. Nothing is ever known about it."""


ML_DSA: Final = (KeyKind.ML_DSA_44, KeyKind.ML_DSA_65, KeyKind.ML_DSA_87)
_RSA_SIZES: Final = (
    # the most bits of each kind
    (1_023, KeyKind.RSA_BELOW_1024),
    (2_047, KeyKind.RSA_1024),
    (3_072, KeyKind.RSA_2048),
    (4_096, KeyKind.RSA_4096),
    (8_192, KeyKind.RSA_8192),
    (16_384, KeyKind.RSA_16384),
)
_CURVES: Final = {
    "1.3.132.0.33": KeyKind.EC_P224,
    "1.2.840.10045.3.1.7": KeyKind.EC_P256,
    "1.3.132.0.34": KeyKind.EC_P384,
    "1.3.132.0.35": KeyKind.EC_P521,
    "1.3.132.0.10": KeyKind.EC_SECP256K1,
    **{f"1.3.36.3.3.2.8.1.1.{number}": KeyKind.EC_BRAINPOOL for number in (7, 11, 13)},
}
_RSA: Final = "1.2.840.113549.1.1.1"
RSASSA_PSS: Final = "1.2.840.113549.1.1.10"
_DSA: Final = "1.2.840.10040.4.1"
_EC: Final = "1.2.840.10045.2.1"
_ALGORITHMS: Final = {
    "1.3.101.112": KeyKind.ED25519,
    "1.3.101.113": KeyKind.ED448,
    **dict(zip(key_algorithms.ML_DSA, ML_DSA, strict=True)),
    **dict.fromkeys(key_algorithms.SLH_DSA, KeyKind.SLH_DSA),
}
_PSS_BITS: Final = range(2_048, 4_097)
_DSA_BITS: Final = 2_048


def key_kind(key: object) -> KeyKind:
    """Return the kind of a key.

    ``key`` is a :class:`KeyKind`, a certificate (or an identity, which has one), or a public or private key of
    pyca/cryptography. Of these only a certificate tells that an RSA key is for RSASSA-PSS only (RFC 4055 section 1.2).
    Raises :class:`~pkcs12kit.ArgumentError` for values of other kinds.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    if isinstance(key, KeyKind):
        return key
    certificate: Certificate | None = getattr(key, "certificate", None)
    info = getattr(key if certificate is None else certificate, "subject_public_key_info", None)
    if isinstance(info, bytes):
        return kind_of_public_key(info)
    make_public = getattr(key, "public_key", None)
    public: Any = make_public() if callable(make_public) else key
    try:
        return kind_of_public_key(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except (AttributeError, TypeError, ValueError):
        raise ArgumentError(f"key: expected a key, a certificate or a KeyKind, not {type(key).__name__}") from None


def kind_of_public_key(info: bytes) -> KeyKind:
    """Return the kind of a key from its SubjectPublicKeyInfo (DER), ``OTHER`` if it cannot be read."""
    from asn1crypto import core

    try:
        algorithm = core.Sequence.load(info)[0]
        identifier = algorithm[0].dotted
        if identifier == _EC:
            return _CURVES.get(algorithm[1].dotted, KeyKind.OTHER)
    except (ValueError, TypeError, AttributeError, LookupError):
        return KeyKind.OTHER
    return _with_size(identifier, info) if identifier in {_RSA, RSASSA_PSS, _DSA} else kind_of_algorithm(identifier)


def is_for_pss(info: bytes) -> bool:
    """Return True for the SubjectPublicKeyInfo (DER) of an RSA key that is for RSASSA-PSS only."""
    return key_algorithms.algorithm_of_key(info) == RSASSA_PSS


def kind_for_pss(bits: int) -> KeyKind:
    """Return the kind of an RSA key of a size that is for RSASSA-PSS only."""
    return KeyKind.RSA_PSS if bits in _PSS_BITS else KeyKind.OTHER


def kind_of_algorithm(identifier: str) -> KeyKind:
    """Return the kind of a key of an algorithm without sizes and curves, ``OTHER`` for other algorithms."""
    return _ALGORITHMS.get(identifier, KeyKind.OTHER)


def _with_size(identifier: str, info: bytes) -> KeyKind:
    from cryptography.hazmat.primitives.asymmetric import dsa, rsa

    from pkcs12kit.certificates.public_keys import read_public_key

    try:
        key = read_public_key(info)
    except MalformedCertificateError:
        return KeyKind.OTHER
    if isinstance(key, dsa.DSAPublicKey):
        return KeyKind.DSA_2048 if key.key_size == _DSA_BITS else KeyKind.OTHER
    if not isinstance(key, rsa.RSAPublicKey):
        return KeyKind.OTHER
    if identifier == RSASSA_PSS:
        return kind_for_pss(key.key_size)
    return next((kind for most, kind in _RSA_SIZES if key.key_size <= most), KeyKind.OTHER)
