"""What certvalidator says of revocation, certificate by certificate.

certvalidator and asn1crypto load with this module; :mod:`pkcs12kit.paths.revocation` imports it when needed.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Final

from asn1crypto import x509
from cryptography.exceptions import UnsupportedAlgorithm
from pyhanko_certvalidator.errors import (
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
from pyhanko_certvalidator.revinfo.validate_crl import verify_crl
from pyhanko_certvalidator.revinfo.validate_ocsp import verify_ocsp_response

from pkcs12kit.paths import coroutines
from pkcs12kit.paths.budget import Budget, BudgetExhaustedError
from pkcs12kit.paths.revocation import CertificateStatus, RevocationStatus, revoked_detail
from pkcs12kit.paths.revocation_sources import Sources

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from typing import TypeAlias

    from pyhanko_certvalidator.context import ValidationContext

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
# What certvalidator and asn1crypto raise on data that is not what it should be, beside certvalidator's own errors.
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

    Raises :class:`InputError` and :class:`LimitExceededError`.
    """
    budget = Budget(limits)
    sources = Sources(path, time=time, revocation=revocation, pool=pool, policy=policy, budget=budget)
    return coroutines.run(_statuses(path, sources))


async def _statuses(path: CertificationPath, sources: Sources) -> tuple[CertificateStatus, ...]:
    found: list[CertificateStatus] = []
    above: list[ValidationPath] = []
    revoked: CertificateStatus | None = None
    for certificate in reversed(path.certificates):
        if revoked is not None:
            found.append(_unknown(certificate, f"not checked, as {revoked.certificate.subject} above it is revoked"))
            continue
        leaf = x509.Certificate.load(certificate.der)
        partial = ValidationPath(sources.anchor, interm=[path_above.last for path_above in above], leaf=leaf)
        status = await _status(certificate, partial, above, sources)
        if status.status is RevocationStatus.REVOKED:
            revoked = status
        found.append(status)
        above.append(partial)
    return tuple(reversed(found))


async def _status(
    certificate: Certificate, path: ValidationPath, above: list[ValidationPath], sources: Sources
) -> CertificateStatus:
    """Ask both kinds: one that says revoked settles it, else one that says good."""
    good: list[str] = []
    unknown: list[str] = []
    checks: tuple[tuple[str, _Check], ...] = (("OCSP", verify_ocsp_response), ("CRL", verify_crl))
    for source, check in checks:
        try:
            await _ask(check, path, above, sources)
        except RevokedError as error:
            return _revoked(certificate, source, error)
        except _NoInformationError:
            continue
        except _NotUsableError as error:
            unknown.append(f"{source}: {error}")
            if source == "CRL" and (revoked := await _revoked_by_full_crl(path, above, sources)) is not None:
                return _revoked(certificate, source, revoked)
        else:
            good.append(source)
    if good:
        return CertificateStatus(
            certificate=certificate, status=RevocationStatus.GOOD, detail=f"not revoked (by {' and '.join(good)})"
        )
    return _unknown(certificate, "; ".join(unknown) or "no CRL and no OCSP response given is about it")


async def _revoked_by_full_crl(
    path: ValidationPath, above: list[ValidationPath], sources: Sources
) -> RevokedError | None:
    """Ask without delta CRLs: a full CRL that names some says nothing without one, and what it revokes is revoked."""
    if not sources.names_deltas:
        return None
    try:
        await _ask(functools.partial(verify_crl, use_deltas=False), path, above, sources)
    except RevokedError as error:
        return error
    except (_NoInformationError, _NotUsableError):
        pass
    return None


async def _ask(check: _Check, path: ValidationPath, above: list[ValidationPath], sources: Sources) -> None:
    try:
        await check(path.last, path, sources.context(path.last, above))
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
    except (CRLValidationError, OCSPValidationError, PathValidationError, BudgetExhaustedError, *_MALFORMED) as error:
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
