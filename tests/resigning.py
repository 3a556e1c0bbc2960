"""Certificates with a signature by hashes and algorithms that pyca's builder rejects."""

from __future__ import annotations

from typing import Final

from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from pkcs12kit.certificates.certificate import Certificate

_SIGNATURE_ALGORITHMS: Final = {
    (rsa.RSAPrivateKey, "md5"): "md5_rsa",
    (rsa.RSAPrivateKey, "sha1"): "sha1_rsa",
    (rsa.RSAPrivateKey, "sha256"): "sha256_rsa",
    (ec.EllipticCurvePrivateKey, "sha1"): "sha1_ecdsa",
    (ec.EllipticCurvePrivateKey, "sha224"): "sha224_ecdsa",
    (ec.EllipticCurvePrivateKey, "sha256"): "sha256_ecdsa",
    (dsa.DSAPrivateKey, "sha1"): "sha1_dsa",
    (dsa.DSAPrivateKey, "sha256"): "sha256_dsa",
}
_HASHES: Final = {"md5": hashes.MD5(), "sha1": hashes.SHA1(), "sha224": hashes.SHA224(), "sha256": hashes.SHA256()}  # noqa: S303


def resigned(certificate, key, *, digest="sha256", edit=None, algorithm=None):
    """Return a changed certificate with a new signature, also by hashes that pyca's builder rejects.

    ``edit`` gets the tbsCertificate as asn1crypto has it; ``algorithm`` is put in both algorithm fields.
    """
    structure = asn1_x509.Certificate.load(certificate.der)
    tbs = structure["tbs_certificate"]
    algorithm = algorithm or {"algorithm": _SIGNATURE_ALGORITHMS[_kind_of(key), digest]}
    tbs["signature"] = algorithm
    structure["signature_algorithm"] = algorithm
    if edit is not None:
        edit(tbs)
    signed = tbs.dump(force=True)
    match key:
        case rsa.RSAPrivateKey():
            signature = key.sign(signed, padding.PKCS1v15(), _HASHES[digest])
        case ec.EllipticCurvePrivateKey():
            signature = key.sign(signed, ec.ECDSA(_HASHES[digest]))
        case dsa.DSAPrivateKey():
            signature = key.sign(signed, _HASHES[digest])
        case _:
            signature = key.sign(signed)
    structure["signature_value"] = signature
    return Certificate.from_der(structure.dump(force=True))


def _kind_of(key):
    return next(
        kind for kind in (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, dsa.DSAPrivateKey) if isinstance(key, kind)
    )
