"""Certificates with a signature by hashes and algorithms that pyca's builder rejects."""

from __future__ import annotations

from typing import Final

from asn1crypto import x509 as asn1_x509
from asn1crypto.core import ObjectIdentifier
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lenient import contents_of, split

from .der import sequence, tlv

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


def key_info(identifier: str, octets: bytes = b"\x5a" * 32, parameters: bytes = b"") -> bytes:
    """Return a SubjectPublicKeyInfo of an algorithm that nothing here knows; its octets mean nothing."""
    return sequence(sequence(ObjectIdentifier(identifier).dump(), parameters), tlv(0x03, b"\0", octets))


def with_parts(certificate, key, *, info=None, algorithm=None):
    """Return a certificate with another SubjectPublicKeyInfo or signature algorithm, signed by an EC key with SHA-256.

    ``algorithm`` is an object identifier, which is put in both algorithm fields.
    """
    tbs, outer, _ = split(contents_of(certificate.der))
    version, serial, inner, issuer, validity, subject, old, *rest = split(contents_of(tbs))
    if algorithm is not None:
        inner = outer = sequence(ObjectIdentifier(algorithm).dump())
    tbs = sequence(version, serial, inner, issuer, validity, subject, info or old, *rest)
    signature = key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return Certificate.from_der(sequence(tbs, outer, tlv(0x03, b"\0", signature)))
