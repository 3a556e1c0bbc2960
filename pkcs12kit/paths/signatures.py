"""Signature checks, remembered and charged to the budget by their cost, and the keys that they use.

Certificates, CRLs and OCSP responses are signed alike: octets, an algorithm and a signature. A verdict is remembered
under the SHA-256 of the whole encoding and of the key that was tried, and under nothing that an attacker can copy.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.key_algorithms import UNCHECKED_SIGNATURES
from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.errors import LimitExceededError, MalformedCertificateError
from pkcs12kit.paths.signature_schemes import SignatureScheme, may_be_for_pss, pss_key_forbids, verification_cost

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import SearchBudget

# Errors of pyca/cryptography for keys and parameters that it does not support: OverflowError for an RSASSA-PSS salt
# whose length takes more than 31 bits.
_UNSUPPORTED: Final = (UnsupportedAlgorithm, InternalError, ValueError, TypeError, OverflowError)


class SignatureVerdict(Enum):
    """The result of one signature check."""

    VALID = "valid"
    INVALID = "invalid"
    UNSUPPORTED = "unsupported"
    """Neither yes nor no: the algorithm cannot be checked here."""


class SignatureMemory:
    """Verdicts by (certificate, key); the least recently used are forgotten first. Safe for many threads.

    A verdict is a fact about two byte strings, so that one memory serves every search of a process. It holds their
    SHA-256 digests, not the certificates.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._verdicts: OrderedDict[tuple[str, bytes], SignatureVerdict] = OrderedDict()
        self._lock = Lock()

    def verdict(
        self, certificate: Certificate, key: CertificatePublicKeyTypes, key_info: bytes, budget: SearchBudget
    ) -> SignatureVerdict:
        """Return the verdict on a certificate's signature by ``key``, whose SubjectPublicKeyInfo is ``key_info`` (DER).

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`; a remembered verdict costs nothing.
        """
        return self._remembered(
            (certificate.sha256, hashlib.sha256(key_info).digest()),
            lambda: budget.spend("signature_checks", verification_cost(key, len(certificate.der))),
            lambda: _verdict_on_certificate(certificate, key, key_info),
        )

    def verdict_on(self, signed: SignedData, key: WorkingKey, budget: SearchBudget) -> SignatureVerdict:
        """Return the verdict on a CRL or an OCSP response, as :meth:`verdict` does on a certificate."""
        return self._remembered(
            (signed.sha256, hashlib.sha256(key.info).digest()),
            lambda: budget.spend("signature_checks", verification_cost(key.key, len(signed.content))),
            lambda: _verdict_on_data(signed, key),
        )

    def _remembered(
        self, pair: tuple[str, bytes], pay: Callable[[], None], check: Callable[[], SignatureVerdict]
    ) -> SignatureVerdict:
        with self._lock:
            verdict = self._verdicts.get(pair)
            if verdict is not None:
                self._verdicts.move_to_end(pair)
                return verdict
        pay()
        verdict = check()
        with self._lock:
            self._verdicts[pair] = verdict
            if len(self._verdicts) > self._size:
                self._verdicts.popitem(last=False)
        return verdict

    def forget(self) -> None:
        """Remove every verdict."""
        with self._lock:
            self._verdicts.clear()


REMEMBERED: Final = SignatureMemory(size=65_536)
"""The memory that every search shares; 65,536 verdicts are about 20 MB."""


@dataclass(frozen=True, kw_only=True)
class SignedData:
    """The signed octets and the signature of a CRL or an OCSP response. Nothing of it is verified yet."""

    content: bytes = field(repr=False)
    """The octets that were signed, as they came: a tbsCertList or a tbsResponseData, DER."""
    algorithm: bytes
    """The signatureAlgorithm, an AlgorithmIdentifier in DER."""
    signature: bytes = field(repr=False)
    sha256: str
    """SHA-256 of the whole encoding, signature included; 64 lower-case hexadecimal digits."""

    @cached_property
    def scheme(self) -> SignatureScheme | None:
        """The algorithm for pyca/cryptography; None where it is not known."""
        return SignatureScheme.from_algorithm_identifier(self.algorithm)


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """A public key with its encoding, parameters included."""

    key: CertificatePublicKeyTypes
    info: bytes
    """SubjectPublicKeyInfo, DER."""

    def __reduce__(self) -> tuple[Callable[[bytes], WorkingKey], tuple[bytes]]:
        return (_working_key, (self.info,))  # pyca's keys do not pickle

    @classmethod
    def of(cls, issuer: TrustAnchor | Certificate) -> Self:
        """Return an issuer's key as it stands in its certificate. Raises :class:`MalformedCertificateError`."""
        certificate = issuer if isinstance(issuer, Certificate) else issuer.certificate
        key = certificate.public_key if certificate is not None else read_public_key(issuer.subject_public_key_info)
        return cls(key, issuer.subject_public_key_info)

    @classmethod
    def depends_on_path(cls, issuer: TrustAnchor | Certificate) -> bool:
        """Return True where an issuer's key inherits its parameters from the key above it, or cannot be used at all."""
        try:
            cls.of(issuer)
        except MalformedCertificateError:
            return True
        return False

    def next(self, certificate: Certificate) -> WorkingKey:
        """Return the certificate's key, with this key's DSA parameters where it has none of its own.

        RFC 5280 section 6.1.4 (e), (f). Raises :class:`MalformedCertificateError` where the key cannot be read either
        way.
        """
        try:
            return WorkingKey(certificate.public_key, certificate.subject_public_key_info)
        except MalformedCertificateError:
            if not isinstance(self.key, dsa.DSAPublicKey):
                raise
            info = _with_parameters(certificate.subject_public_key_info, self.info)
            return _working_key(info)


def check_signature(certificate: Certificate, key: CertificatePublicKeyTypes) -> SignatureVerdict:
    """Return the verdict on one signature, over the octets that were signed. It is INVALID for another key's algorithm.

    For an algorithm that cannot be checked here, as SLH-DSA, it is UNSUPPORTED with every key.

    Not checked: an RSA key may be for RSASSA-PSS only, which its value does not show. :meth:`SignatureMemory.verdict`
    checks that.
    """
    if not certificate.signature_algorithms_agree:
        return SignatureVerdict.INVALID
    if certificate.signature_algorithm in UNCHECKED_SIGNATURES:
        return SignatureVerdict.UNSUPPORTED
    return _verdict(
        lambda: SignatureScheme.of_certificate(certificate, key).verify(
            key, certificate.signature, certificate.tbs_certificate
        )
    )


def is_self_signed(certificate: Certificate, budget: SearchBudget) -> bool | None:
    """Return True if a certificate is self-issued and verifies with its own key; None where that cannot be checked."""
    if not certificate.is_self_issued:
        return False
    try:
        key = certificate.public_key
        verdict = REMEMBERED.verdict(certificate, key, certificate.subject_public_key_info, budget)
    except (MalformedCertificateError, LimitExceededError):
        return None
    return None if verdict is SignatureVerdict.UNSUPPORTED else verdict is SignatureVerdict.VALID


def _verdict_on_certificate(
    certificate: Certificate, key: CertificatePublicKeyTypes, key_info: bytes
) -> SignatureVerdict:
    is_known = certificate.signature_algorithm not in UNCHECKED_SIGNATURES
    if is_known and may_be_for_pss(key_info):
        try:
            algorithm = lenient.read_structure(certificate.der).signature_algorithm
        except MalformedCertificateError:
            return SignatureVerdict.INVALID
        if pss_key_forbids(key_info, algorithm):
            return SignatureVerdict.INVALID
    return check_signature(certificate, key)


def _verdict_on_data(signed: SignedData, key: WorkingKey) -> SignatureVerdict:
    scheme = signed.scheme
    if scheme is None:
        return SignatureVerdict.UNSUPPORTED
    if may_be_for_pss(key.info) and pss_key_forbids(key.info, signed.algorithm):
        return SignatureVerdict.INVALID
    return _verdict(lambda: scheme.verify(key.key, signed.signature, signed.content))


def _verdict(verify: Callable[[], None]) -> SignatureVerdict:
    try:
        verify()
    except (InvalidSignature, MalformedCertificateError):
        return SignatureVerdict.INVALID
    except _UNSUPPORTED:
        return SignatureVerdict.UNSUPPORTED
    return SignatureVerdict.VALID


def _working_key(info: bytes) -> WorkingKey:
    return WorkingKey(read_public_key(info), info)


def _with_parameters(info: bytes, issuer_info: bytes) -> bytes:
    from asn1crypto.keys import PublicKeyInfo

    try:
        key, issuer_key = PublicKeyInfo.load(info), PublicKeyInfo.load(issuer_info)
        if key["algorithm"]["algorithm"] != issuer_key["algorithm"]["algorithm"]:
            raise MalformedCertificateError("a key without parameters, of another algorithm than its issuer's")
        key["algorithm"]["parameters"] = issuer_key["algorithm"]["parameters"]
        encoded: bytes = key.dump(force=True)
    except UNREADABLE as error:
        raise MalformedCertificateError(f"unusable public key: {error}") from None
    return encoded
