"""One signature check, remembered, and counted against the budget (RFC 5280 section 6.1.3 (a)(1))."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, cast

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
    from cryptography.x509 import ObjectIdentifier

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.budget import Budget

_HASHING_BY_ITSELF: Final = {
    # By name: cheaper to compare than to ask abstract classes, once a certificate.
    "Ed25519PublicKey": "1.3.101.112",  # RFC 8410 section 3
    "Ed448PublicKey": "1.3.101.113",
    "MLDSA44PublicKey": "2.16.840.1.101.3.4.3.17",  # RFC 9881 section 2
    "MLDSA65PublicKey": "2.16.840.1.101.3.4.3.18",
    "MLDSA87PublicKey": "2.16.840.1.101.3.4.3.19",
}
# FIPS 186-5 section 5.1; one as long as its modulus makes a check 300 times as slow.
_RSA_EXPONENT_BITS: Final = 256
# id-RSASSA-PSS as an ObjectIdentifier, and the octets of a SubjectPublicKeyInfo that it stands within as its algorithm.
_FOR_PSS: Final = bytes.fromhex("06092a864886f70d01010a")
_ALGORITHM_WITHIN: Final = 24


class SignatureVerdict(Enum):
    """What one signature check says."""

    VALID = "valid"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    """Neither yes nor no: the algorithm cannot be checked here."""


class SignatureMemory:
    """Verdicts by (certificate, key), the least recently used forgotten first. Safe for many threads.

    A verdict is a fact about two byte strings, so that one memory serves every search of a process. It holds their
    SHA-256 digests, not the certificates.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._verdicts: OrderedDict[tuple[str, bytes], SignatureVerdict] = OrderedDict()
        self._lock = Lock()

    def verdict(
        self, certificate: Certificate, key: CertificatePublicKeyTypes, key_info: bytes, budget: Budget
    ) -> SignatureVerdict:
        """Whether ``key``, whose SubjectPublicKeyInfo is ``key_info`` (DER), signed ``certificate``.

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`; a remembered verdict costs nothing.
        """
        pair = (certificate.sha256, hashlib.sha256(key_info).digest())
        with self._lock:
            verdict = self._verdicts.get(pair)
            if verdict is not None:
                self._verdicts.move_to_end(pair)
                return verdict
        budget.spend("signature_checks")
        if _is_for_other_signatures(key_info, certificate):
            verdict = SignatureVerdict.INVALID
        else:
            verdict = check_signature(certificate, key)
        with self._lock:
            self._verdicts[pair] = verdict
            if len(self._verdicts) > self._size:
                self._verdicts.popitem(last=False)
        return verdict

    def forget(self) -> None:
        """Forget every verdict."""
        with self._lock:
            self._verdicts.clear()


REMEMBERED: Final = SignatureMemory(size=65_536)
"""The memory that every search shares; 65,536 verdicts are about 20 MB."""


def check_signature(certificate: Certificate, key: CertificatePublicKeyTypes) -> SignatureVerdict:
    """Check one signature, over the bytes as they were signed. An algorithm that is not the key's is INVALID.

    That an RSA key may be for RSASSA-PSS alone its value does not show; :meth:`SignatureMemory.verdict` heeds it.
    """
    if not certificate.signature_algorithms_agree:
        return SignatureVerdict.INVALID
    try:
        _verify(certificate, key)
    except (InvalidSignature, MalformedCertificateError):
        return SignatureVerdict.INVALID
    except (UnsupportedAlgorithm, ValueError, TypeError):
        return SignatureVerdict.UNSUPPORTED
    return SignatureVerdict.VALID


def _verify(certificate: Certificate, key: CertificatePublicKeyTypes) -> None:
    """Raise what pyca/cryptography raises, and InvalidSignature for an algorithm that is not the key's."""
    reading, signed, signature = certificate.as_cryptography, certificate.tbs_certificate, certificate.signature
    of_key = _HASHING_BY_ITSELF.get(type(key).__name__)
    if of_key is not None:
        if reading.signature_algorithm_oid.dotted_string != of_key:
            raise InvalidSignature
        cast("ed25519.Ed25519PublicKey", key).verify(signature, signed)
        return
    parameters, digest = reading.signature_algorithm_parameters, reading.signature_hash_algorithm
    if parameters is None and digest is not None:
        parameters = _of_old_algorithm(reading.signature_algorithm_oid, digest)
    match key, parameters:
        case rsa.RSAPublicKey(), padding.PKCS1v15() | padding.PSS() if digest is not None:
            if key.public_numbers().e.bit_length() > _RSA_EXPONENT_BITS:
                raise UnsupportedAlgorithm("an RSA key with an exponent of that length")
            key.verify(signature, signed, parameters, digest)
        case ec.EllipticCurvePublicKey(), ec.ECDSA():
            key.verify(signature, signed, parameters)
        case dsa.DSAPublicKey(), None if digest is not None:
            key.verify(signature, signed, digest)
        case _:
            raise InvalidSignature


def _is_for_other_signatures(key_info: bytes, certificate: Certificate) -> bool:
    """Whether an RSA key is for RSASSA-PSS alone, or some parameters of it, and this is another (RFC 4055 section 1.2).

    pyca/cryptography reads such a key as any RSA key. Its parameters must be the signature's, whose salt may be longer
    (section 3.3).
    """
    if _FOR_PSS not in key_info[:_ALGORITHM_WITHIN]:
        return False
    from asn1crypto import keys, x509

    try:
        wanted = keys.PublicKeyInfo.load(key_info)["algorithm"]["parameters"].native
        signature = x509.Certificate.load(certificate.der)["signature_algorithm"]
        if signature["algorithm"].native != "rsassa_pss":
            return True
        if wanted is None:
            return False
        used = signature["parameters"].native
        return used["salt_length"] < wanted["salt_length"] or any(
            _hash_of(used[field]) != _hash_of(wanted[field]) for field in ("hash_algorithm", "mask_gen_algorithm")
        )
    except (ValueError, TypeError, KeyError):
        return True


def _hash_of(algorithm: dict[str, Any]) -> str:
    """Name a hash, or that of a mask generation function."""
    name: str = algorithm["algorithm"]
    return _hash_of(algorithm["parameters"]) if name == "mgf1" else name


def _of_old_algorithm(algorithm: ObjectIdentifier, digest: hashes.HashAlgorithm) -> padding.PKCS1v15 | ec.ECDSA | None:
    """Complete what pyca/cryptography gives no parameters for: RSA with MD5 and ECDSA with SHA-1."""
    if algorithm == SignatureAlgorithmOID.RSA_WITH_MD5:
        return padding.PKCS1v15()
    return ec.ECDSA(digest) if algorithm == SignatureAlgorithmOID.ECDSA_WITH_SHA1 else None
