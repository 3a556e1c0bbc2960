"""The PrivateKeyInfo (RFC 5958) of a key that has a certificate.

pyca/cryptography reads an RSA key for RSASSA-PSS alone as any RSA key, and writes it as rsaEncryption. Beside a
certificate that says id-RSASSA-PSS (RFC 4055 section 1.2), OpenSSL takes that for the key of another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.certificates.lenient import UNREADABLE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate

_ID_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"


def encode_private_key(private_key: CertificateIssuerPrivateKeyTypes, certificate: Certificate) -> bytes:
    """Encode a key for RSASSA-PSS alone where the certificate, which is the key's, says so; parameters are its, too.

    Attributes and public key that a file had beside the key are not written.
    """
    from asn1crypto import keys

    encoded = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if not isinstance(private_key, RSAPrivateKey) or (for_pss := _for_pss(certificate)) is None:
        return encoded
    info = keys.PrivateKeyInfo.load(encoded)
    info["private_key_algorithm"] = keys.PrivateKeyAlgorithm.load(for_pss)
    of_pss: bytes = info.dump()
    return of_pss


def is_encoded_for(private_key_info: bytes, certificate: Certificate) -> bool:
    """Whether a key, which is the certificate's, is encoded for RSASSA-PSS alone just as the certificate has it."""
    try:
        of_key = _if_pss(private_key_info, position=1)
    except UNREADABLE:  # a form of before PKCS#8, which says nothing of RSASSA-PSS
        of_key = None
    return of_key == _for_pss(certificate)


def _for_pss(certificate: Certificate) -> bytes | None:
    return _if_pss(certificate.subject_public_key_info, position=0)


def _if_pss(structure: bytes, *, position: int) -> bytes | None:
    """Give the AlgorithmIdentifier at this position where it is RSASSA-PSS, exactly as it is encoded."""
    from asn1crypto import core

    algorithm = core.Sequence.load(structure)[position]
    encoded: bytes = algorithm.dump()
    return encoded if algorithm[0].native == _ID_RSASSA_PSS else None
