"""Types of the keys in server certificates, and the signature schemes by which a client of TLS asks for each."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from asn1crypto import core

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate


class ServerKeyType(Enum):
    """The type of the key in a server's certificate. The value is printed by ``probe --json``."""

    RSA = "RSA"
    RSA_PSS = "RSA-PSS"
    """A key for RSASSA-PSS only (RFC 4055 section 1.2)."""
    EC_P256 = "EC P-256"
    EC_P384 = "EC P-384"
    EC_P521 = "EC P-521"
    ED25519 = "Ed25519"
    ED448 = "Ed448"
    ML_DSA_44 = "ML-DSA-44"
    ML_DSA_65 = "ML-DSA-65"
    ML_DSA_87 = "ML-DSA-87"
    OTHER = "other"
    """A key that no handshake asks for by itself: DSA, another curve, an algorithm that is not known here."""


_CURVES: Final = {
    "1.2.840.10045.3.1.7": ServerKeyType.EC_P256,
    "1.3.132.0.34": ServerKeyType.EC_P384,
    "1.3.132.0.35": ServerKeyType.EC_P521,
}
_EC: Final = "1.2.840.10045.2.1"
_ALGORITHMS: Final = {
    "1.2.840.113549.1.1.1": ServerKeyType.RSA,
    "1.2.840.113549.1.1.10": ServerKeyType.RSA_PSS,
    "1.3.101.112": ServerKeyType.ED25519,
    "1.3.101.113": ServerKeyType.ED448,
    "2.16.840.1.101.3.4.3.17": ServerKeyType.ML_DSA_44,
    "2.16.840.1.101.3.4.3.18": ServerKeyType.ML_DSA_65,
    "2.16.840.1.101.3.4.3.19": ServerKeyType.ML_DSA_87,
}


def server_key_type(certificate: Certificate) -> ServerKeyType:
    """Return the type of the key in a certificate, ``OTHER`` where it cannot be read."""
    try:
        algorithm = core.Sequence.load(certificate.subject_public_key_info)[0]
        oid = algorithm[0].dotted
        known = _ALGORITHMS.get(oid) if oid != _EC else _CURVES.get(algorithm[1].dotted)
    except (ValueError, TypeError, AttributeError, LookupError):
        return ServerKeyType.OTHER
    return known or ServerKeyType.OTHER
