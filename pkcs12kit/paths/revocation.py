"""Revocation by CRLs and OCSP responses that the user gives (RFC 5280 section 6.3, RFC 6960). Nothing is fetched.

The checks are certvalidator's; what it needs, and what becomes of its answers, is in
:mod:`pkcs12kit.paths.revocation_checks`, which loads when used.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from pkcs12kit.certificates.times import format_time, require_aware
from pkcs12kit.errors import FailureReason, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.failure import Failure
from pkcs12kit.paths.validation.algorithms import DEFAULT, AlgorithmPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.limits import Limits


class RevocationMode(Enum):
    """What an unknown revocation status means. A revoked certificate is a no in both modes that check."""

    OFF = "off"
    """Nothing is checked."""
    SOFT = "soft"
    """Unknown is a warning."""
    REQUIRE = "require"
    """Unknown is a no."""


class RevocationStatus(Enum):
    """What the CRLs and OCSP responses say of one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """What to check revocation with.

    Raises :class:`TypeError` where one object is given instead of several, :class:`ValueError` for an unknown mode.
    """

    mode: RevocationMode
    """May be given by its value, too: ``"require"``."""
    crls: Iterable[bytes] = field(default=(), repr=False)
    """CertificateLists, DER: full and delta, direct and indirect, in any order; kept as a tuple."""
    ocsp_responses: Iterable[bytes] = field(default=(), repr=False)
    """OCSPResponses, DER; kept as a tuple."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", RevocationMode(self.mode))
        for name in ("crls", "ocsp_responses"):
            given = getattr(self, name)
            if isinstance(given, bytes | bytearray | str):
                raise TypeError(f"{name} is a collection, not one object")
            object.__setattr__(self, name, tuple(given))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStatus:
    """The revocation status of one certificate of a path."""

    certificate: Certificate
    status: RevocationStatus
    detail: str
    """What was found, without the certificate's name."""
    revoked_at: datetime | None = None
    """Timezone-aware; None unless revoked."""
    reason: str | None = None
    """CRLReason as RFC 5280 section 5.3.1 spells it, ``unspecified`` where none is given; None unless revoked."""

    def as_failure(self) -> Failure:
        """Say the same as a reason why the path fails; only for a status that is not good."""
        revoked = self.status is RevocationStatus.REVOKED
        return Failure(
            reason=FailureReason.REVOKED if revoked else FailureReason.REVOCATION_UNKNOWN,
            certificate=self.certificate,
            section="RFC 5280 section 6.1.3 (a)(3)",
            detail=self.detail,
        )

    def __str__(self) -> str:
        return f"{self.certificate.subject} (#{self.certificate.serial_number}): {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationReport:
    """The status of each certificate of a path, target first; empty where nothing was checked."""

    mode: RevocationMode
    statuses: tuple[CertificateStatus, ...] = ()

    @property
    def failure(self) -> Failure | None:
        """What makes the path fail: the revoked one, else, where required, the unknown one nearest the anchor."""
        wanted = [RevocationStatus.REVOKED]
        if self.mode is RevocationMode.REQUIRE:
            wanted.append(RevocationStatus.UNKNOWN)
        for status in wanted:
            for found in reversed(self.statuses):
                if found.status is status:
                    return found.as_failure()
        return None

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each certificate whose status is unknown though it need not be known."""
        if self.mode is not RevocationMode.SOFT:
            return ()
        return tuple(str(status) for status in self.statuses if status.status is RevocationStatus.UNKNOWN)


def check_revocation(
    path: CertificationPath,
    *,
    time: datetime,
    revocation: Revocation,
    pool: CertificatePool | None = None,
    algorithm_policy: AlgorithmPolicy = DEFAULT,
    limits: Limits = DEFAULT_LIMITS,
) -> RevocationReport:
    """Say of each certificate of a *validated* path whether it is revoked at ``time`` (timezone-aware).

    The path itself is taken as valid and not checked again. CRL issuers that are not on it are looked for in
    ``pool``; their certificates, and those of OCSP responders, are validated, and their own status with them. A CRL
    or an OCSP response from after ``time``, past its nextUpdate, or signed with what ``algorithm_policy`` refuses
    says nothing. What is below a revoked certificate is not checked, and so unknown; nobody says it of the anchor.

    Raises :class:`~pkcs12kit.errors.InputError` for bytes that are no CRL or no OCSP response, and
    :class:`~pkcs12kit.errors.LimitExceededError` for more than ``limits`` allow.
    """
    require_aware(time)
    if revocation.mode is RevocationMode.OFF:
        return RevocationReport(mode=revocation.mode)
    _require_within(limits, revocation)
    from pkcs12kit.paths.revocation_checks import statuses

    found = statuses(path, time=time, revocation=revocation, pool=pool, policy=algorithm_policy, limits=limits)
    return RevocationReport(mode=revocation.mode, statuses=found)


def revoked_detail(source: str, revoked_at: datetime, reason: str) -> str:
    """Say when and why a certificate was revoked: ``source`` is ``CRL`` or ``OCSP``."""
    return f"revoked on {format_time(revoked_at)}, reason {reason} (by {source})"


def _require_within(limits: Limits, revocation: Revocation) -> None:
    objects = [*revocation.crls, *revocation.ocsp_responses]
    if len(objects) > limits.revocation_objects:
        raise LimitExceededError(
            f"{len(objects)} CRLs and OCSP responses, beyond limits.revocation_objects = {limits.revocation_objects}"
        )
    size = sum(len(data) for data in objects)
    if size > limits.revocation_bytes:
        raise LimitExceededError(
            f"{size} bytes of CRLs and OCSP responses, beyond limits.revocation_bytes = {limits.revocation_bytes}"
        )
