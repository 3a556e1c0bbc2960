"""Certificates that the lab does not issue: with keys and signatures for RSASSA-PSS and SLH-DSA."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

from asn1crypto.algos import RSASSAPSSParams, SignedDigestAlgorithm
from asn1crypto.keys import PublicKeyAlgorithm
from asn1crypto.x509 import Certificate as Structure
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from OpenSSL import crypto

from pkcs12kit.certificates.certificate import Certificate

if TYPE_CHECKING:
    from pkcs12kit.lab import Authority

SLH_DSA_KEY: Final = bytes.fromhex(
    # SLH-DSA-SHA2-128s in PKCS#8, made by OpenSSL 3.5 for these tests: no library here makes such keys.
    "3052020100300b06096086480165030403140440"
    "7aa448c8549c9558d74eb7ab6777b9c3ad4201b8b6997fe077ab8277369f0353"
    "d442075115712405cea99e98d0ec76cad4c9bb0077c01366cec093d62b1b5acc"
)


def for_pss_only(certificate: Certificate, issuer: Authority) -> Certificate:
    """Issue a certificate again, for a key that signs by RSASSA-PSS only (RFC 4055 section 1.2)."""
    structure = Structure.load(certificate.der)
    to_be_signed = structure["tbs_certificate"]
    to_be_signed["subject_public_key_info"]["algorithm"] = PublicKeyAlgorithm({"algorithm": "rsassa_pss"})
    if isinstance(issuer.private_key, ec.EllipticCurvePrivateKey):
        structure["signature_value"] = issuer.private_key.sign(to_be_signed.dump(), ec.ECDSA(hashes.SHA256()))
    else:
        assert isinstance(issuer.private_key, rsa.RSAPrivateKey)
        signature = issuer.private_key.sign(to_be_signed.dump(), padding.PKCS1v15(), hashes.SHA256())
        structure["signature_value"] = signature
    return Certificate.from_der(structure.dump())


def signed_by_pss(certificate: Certificate, issuer: Authority) -> Certificate:
    """Issue a certificate again, with a signature by RSASSA-PSS (RFC 4055 section 3.1)."""
    assert isinstance(issuer.private_key, rsa.RSAPrivateKey)
    sha256 = {"algorithm": "sha256"}
    mask = {"algorithm": "mgf1", "parameters": sha256}
    parameters = RSASSAPSSParams({"hash_algorithm": sha256, "mask_gen_algorithm": mask, "salt_length": 32})
    structure = Structure.load(certificate.der)
    algorithm = SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})
    structure["tbs_certificate"]["signature"] = structure["signature_algorithm"] = algorithm
    to_be_signed = structure["tbs_certificate"].dump(force=True)
    by_pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    structure["signature_value"] = issuer.private_key.sign(to_be_signed, by_pss, hashes.SHA256())
    return Certificate.from_der(structure.dump(force=True))


def for_slh_dsa(certificate: Certificate, issuer: Authority) -> Certificate:
    """Issue a certificate again, for an SLH-DSA key (RFC 9909); it keeps its key identifier."""
    assert isinstance(issuer.private_key, ec.EllipticCurvePrivateKey)
    structure = crypto.load_certificate(crypto.FILETYPE_ASN1, certificate.der)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # pyca's builder has no such keys
        structure.set_pubkey(_slh_dsa_key())
        structure.sign(crypto.PKey.from_cryptography_key(issuer.private_key), "sha256")
    return Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, structure))


def signed_by_slh_dsa(certificate: Certificate) -> Certificate:
    """Issue a certificate again, with a signature by SLH-DSA (RFC 9909)."""
    structure = crypto.load_certificate(crypto.FILETYPE_ASN1, certificate.der)
    # X509.sign() demands the name of a digest, and this algorithm takes none.
    signed = crypto._lib.X509_sign(structure._x509, _slh_dsa_key()._pkey, crypto._ffi.NULL)
    assert signed, "this OpenSSL has no SLH-DSA: 3.5 or newer is needed"
    return Certificate.from_der(crypto.dump_certificate(crypto.FILETYPE_ASN1, structure))


def _slh_dsa_key() -> crypto.PKey:
    return crypto.load_privatekey(crypto.FILETYPE_ASN1, SLH_DSA_KEY)
