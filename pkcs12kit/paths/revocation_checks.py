"""What certvalidator says of revocation, certificate by certificate.

certvalidator and asn1crypto load with this module; :mod:`pkcs12kit.paths.revocation` imports it when needed.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from asn1crypto import crl, keys, ocsp, x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.errors import (
    AlgorithmNotSupported,
    CRLNoMatchesError,
    CRLValidationError,
    CRLValidationIndeterminateError,
    OCSPNoMatchesError,
    OCSPValidationError,
    OCSPValidationIndeterminateError,
    PathValidationError,
    RevokedError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import AcceptAllAlgorithms
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response
from pyhanko_certvalidator.sig_validate import DEFAULT_VALIDATION_CONTEXT, DefaultSignatureValidator

from pkcs12kit.certificates.lenient import read_name
from pkcs12kit.errors import InputError, LimitExceededError, MalformedCertificateError
from pkcs12kit.paths import coroutines
from pkcs12kit.paths.revocation import CertificateStatus, RevocationStatus, revoked_detail
from pkcs12kit.paths.working_key import WorkingKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from typing import Any, TypeAlias

    from asn1crypto.algos import SignedDigestAlgorithm
    from pyhanko_certvalidator.sig_validate import SignatureValidationContext

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.algorithms import AlgorithmPolicy

    _Check: TypeAlias = Callable[[x509.Certificate, ValidationPath, ValidationContext], Awaitable[None]]

logging.getLogger("pyhanko_certvalidator").addHandler(logging.NullHandler())  # its warnings are in the details here

_REASONS: Final = {  # asn1crypto's spelling: RFC 5280 section 5.3.1's
    "unspecified": "unspecified",
    "key_compromise": "keyCompromise",
    "ca_compromise": "cACompromise",
    "affiliation_changed": "affiliationChanged",
    "superseded": "superseded",
    "cessation_of_operation": "cessationOfOperation",
    "certificate_hold": "certificateHold",
    "remove_from_crl": "removeFromCRL",
    "privilege_withdrawn": "privilegeWithdrawn",
    "aa_compromise": "aACompromise",
}
# What certvalidator and asn1crypto raise on data that is not what it should be, beside their own errors.
_MALFORMED: Final = (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, UnsupportedAlgorithm)


class _NoInformationError(Exception):
    """No CRL, or no OCSP response, is about the certificate."""


class _NotUsableError(Exception):
    """There are CRLs or OCSP responses about the certificate, and none settles its status; the text says why."""


def statuses(
    path: CertificationPath,
    *,
    time: datetime,
    revocation: Revocation,
    pool: CertificatePool | None,
    policy: AlgorithmPolicy,
    limits: Limits,
) -> tuple[CertificateStatus, ...]:
    """Check each certificate from the anchor down; the result is target first.

    Raises :class:`InputError` and, for more CRL issuers than CRLs are allowed, :class:`LimitExceededError`.
    """
    crls = [_load("CRL", crl.CertificateList, data) for data in revocation.crls]
    responses = [_load("OCSP response", ocsp.OCSPResponse, data) for data in revocation.ocsp_responses]
    issuers = _crl_issuers(crls, pool, limits)
    downwards = [(certificate, x509.Certificate.load(certificate.der)) for certificate in reversed(path.certificates)]
    anchor = _anchor(path)
    signature_validator = _SignatureValidator(path, policy)
    try:
        context = ValidationContext(
            trust_roots=[anchor],
            other_certs=[*(structure for _, structure in downwards), *issuers],
            moment=time,
            crls=crls,
            ocsps=responses,
            revocation_mode="require",  # for the certificates of CRL issuers and responders beside the path
            time_tolerance=timedelta(0),
            algorithm_usage_policy=AcceptAllAlgorithms(),  # the signature validator asks the named policy
            signature_validator=signature_validator,
        )
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"a CRL or an OCSP response that cannot be read: {error}") from None
    return coroutines.run(_statuses(downwards, anchor, context))


async def _statuses(
    downwards: list[tuple[Certificate, x509.Certificate]], anchor: CertTrustAnchor, context: ValidationContext
) -> tuple[CertificateStatus, ...]:
    found: list[CertificateStatus] = []
    issuers: list[x509.Certificate] = []
    revoked: CertificateStatus | None = None
    for certificate, structure in downwards:
        if revoked is not None:
            found.append(_unknown(certificate, f"not checked, as {revoked.certificate.subject} above it is revoked"))
            continue
        partial = ValidationPath(anchor, interm=issuers, leaf=structure)
        status = await _status(certificate, structure, partial, context)
        if status.status is RevocationStatus.REVOKED:
            revoked = status
        found.append(status)
        issuers.append(structure)
        # The path was validated before. A CRL that this one issued needs no more than its signature, and counts even
        # where this one's own status is unknown.
        context.record_validation(structure, partial)  # type: ignore[no-untyped-call]  # has no annotations
    return tuple(reversed(found))


async def _status(
    certificate: Certificate, structure: x509.Certificate, path: ValidationPath, context: ValidationContext
) -> CertificateStatus:
    """Ask both kinds: one that says revoked settles it, else one that says good."""
    good: list[str] = []
    unknown: list[str] = []
    checks: tuple[tuple[str, _Check], ...] = (("OCSP", verify_ocsp_response), ("CRL", verify_crl))
    for source, check in checks:
        try:
            await _ask(check, structure, path, context)
        except RevokedError as error:
            return _revoked(certificate, source, error)
        except _NoInformationError:
            continue
        except _NotUsableError as error:
            unknown.append(f"{source}: {error}")
        else:
            good.append(source)
    if good:
        return CertificateStatus(
            certificate=certificate, status=RevocationStatus.GOOD, detail=f"not revoked (by {' and '.join(good)})"
        )
    return _unknown(certificate, "; ".join(unknown) or "no CRL and no OCSP response given is about it")


async def _ask(check: _Check, structure: x509.Certificate, path: ValidationPath, context: ValidationContext) -> None:
    try:
        await check(structure, path, context)
    except RevokedError as error:
        if error.is_side_validation:  # the issuer of the CRL or the responder is revoked, not this certificate
            raise _NotUsableError(error.failure_msg) from None
        raise
    except (CRLNoMatchesError, OCSPNoMatchesError):
        raise _NoInformationError from None
    except (CRLValidationIndeterminateError, OCSPValidationIndeterminateError) as error:
        # Each failure is a sentence and the object that it is about.
        found = dict.fromkeys(str(failure[0]) for failure in error.failures)
        raise _NotUsableError("; ".join(found) or error.msg) from None
    except (CRLValidationError, OCSPValidationError, PathValidationError, *_MALFORMED) as error:
        raise _NotUsableError(str(error) or type(error).__name__) from None


def _revoked(certificate: Certificate, source: str, error: RevokedError) -> CertificateStatus:
    reason = _REASONS.get(error.reason.native, "unspecified")
    return CertificateStatus(
        certificate=certificate,
        status=RevocationStatus.REVOKED,
        detail=revoked_detail(source, error.revocation_dt, reason),
        revoked_at=error.revocation_dt,
        reason=reason,
    )


def _unknown(certificate: Certificate, detail: str) -> CertificateStatus:
    return CertificateStatus(
        certificate=certificate, status=RevocationStatus.UNKNOWN, detail=f"revocation status unknown: {detail}"
    )


def _anchor(path: CertificationPath) -> CertTrustAnchor:
    anchor = path.trust_anchor
    if anchor.certificate is not None:
        return CertTrustAnchor(x509.Certificate.load(anchor.certificate.der))
    # certvalidator looks for CRL issuers among certificates only: name and key get one, which nobody has signed.
    name = x509.Certificate.load(path.certificates[-1].der).issuer  # matches the anchor's: the path is valid
    any_time = x509.Time({"utc_time": datetime(2000, 1, 1, tzinfo=UTC)})
    any_algorithm = {"algorithm": "sha256_rsa"}
    carrier = {
        "tbs_certificate": {
            "version": "v3",
            "serial_number": 0,
            "signature": any_algorithm,
            "issuer": name,
            "validity": {"not_before": any_time, "not_after": any_time},
            "subject": name,
            "subject_public_key_info": keys.PublicKeyInfo.load(anchor.subject_public_key_info),
        },
        "signature_algorithm": any_algorithm,
        "signature_value": b"",
    }
    return CertTrustAnchor(x509.Certificate(carrier))


def _crl_issuers(
    crls: Iterable[crl.CertificateList], pool: CertificatePool | None, limits: Limits
) -> list[x509.Certificate]:
    """Find the certificates in the pool that may be those of the CRLs' issuers."""
    if pool is None:
        return []
    names = {read_name(certificate_list["tbs_cert_list"]["issuer"].dump()) for certificate_list in crls}
    found = [certificate for name in names for certificate in pool.by_subject(name)]
    if len(found) > limits.revocation_objects:
        raise LimitExceededError(
            f"{len(found)} certificates of CRL issuers, beyond limits.revocation_objects = {limits.revocation_objects}"
        )
    return [x509.Certificate.load(certificate.der) for certificate in found]


def _load(kind: str, structure: type[Any], data: bytes) -> Any:  # noqa: ANN401  # asn1crypto is untyped
    try:
        loaded = structure.load(data, strict=True)
        # Parsed on access; a CRL's entries are left for later, there may be a million.
        loaded["tbs_cert_list"]["this_update"].native if kind == "CRL" else loaded["response_status"].native
    except (ValueError, TypeError) as error:
        raise InputError(f"not a {kind}: {error}") from None
    return loaded


class _SignatureValidator(DefaultSignatureValidator):
    """Check signatures as certvalidator does, within an algorithm policy and with inherited DSA parameters."""

    def __init__(self, path: CertificationPath, policy: AlgorithmPolicy) -> None:
        self._policy = policy
        self._with_parameters = dict(_inherited(path))

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Raise :class:`InvalidSignature` for a signature that is wrong, too weak or of an unknown kind."""
        info: bytes = public_key_info.dump()
        info = self._with_parameters.get(info, info)
        try:
            weakness = self._weakness(info, signature_algorithm)
            if weakness is not None:
                raise AlgorithmNotSupported(weakness)
            super().validate_signature(
                signature, signed_data, keys.PublicKeyInfo.load(info), signature_algorithm, context
            )
        except (*_MALFORMED, AssertionError) as error:  # certvalidator asserts that key and algorithm belong together
            raise InvalidSignature(str(error)) from None

    def _weakness(self, info: bytes, signature_algorithm: SignedDigestAlgorithm) -> str | None:
        try:
            digest = signature_algorithm.hash_algo
        except ValueError:  # the algorithm has none, or its own
            digest = None
        if digest in self._policy.refused_hashes:
            return f"signed with {digest}, which algorithm policy '{self._policy.name}' refuses"
        return self._policy.weakness_of_key(load_der_public_key(info))  # type: ignore[arg-type]  # any kind is judged


def _inherited(path: CertificationPath) -> Iterable[tuple[bytes, bytes]]:
    """Pair each of the path's keys with its encoding that has DSA parameters (RFC 5280 section 6.1.4 (e), (f))."""
    try:
        key = WorkingKey.of(path.trust_anchor)
        for certificate in reversed(path.certificates):
            key = key.next(certificate)
            yield certificate.subject_public_key_info, key.info
    except MalformedCertificateError:  # a path is not validated without its keys; a target's may be of any kind
        return
