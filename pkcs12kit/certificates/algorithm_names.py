"""Keys and signature algorithms in words, for messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pkcs12kit.certificates.key_algorithms import POST_QUANTUM, unsupported_algorithm
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from pkcs12kit.certificates.certificate import Certificate

_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_LATTICES: Final = ("MLDSA", "MLKEM")  # as pyca's classes spell ML-DSA (FIPS 204) and ML-KEM (FIPS 203)


def key_in_words(key: PublicKeyTypes) -> str:
    """Return the algorithm and the size of a public key: ``RSA 2048``, ``EC P-256``, ``Ed25519``, ``ML-DSA-65``."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    algorithm = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
    if algorithm.startswith(_LATTICES):
        return f"{algorithm[:2]}-{algorithm[2:5]}-{algorithm[5:]}"
    size = getattr(key, "key_size", None)
    return f"{algorithm} {size}" if size is not None else algorithm


def key_info_in_words(info: bytes) -> str:
    """Return the algorithm and the size of the key in a SubjectPublicKeyInfo (DER).

    A post-quantum algorithm that is not supported is named as well: ``SLH-DSA-SHA2-128s``. Raises
    :class:`~pkcs12kit.errors.MalformedCertificateError` for other keys that cannot be read.
    """
    try:
        return key_in_words(read_public_key(info))
    except MalformedCertificateError:
        name = unsupported_algorithm(info)
        if name is None:
            raise
        return name


def signature_algorithm_in_words(certificate: Certificate) -> str:
    """Return the name of the signature algorithm, or its object identifier where it has no name."""
    identifier = certificate.signature_algorithm
    if identifier in POST_QUANTUM:
        return POST_QUANTUM[identifier]
    name: str = getattr(x509.ObjectIdentifier(identifier), "_name", "Unknown OID")
    return identifier if name == "Unknown OID" else name
