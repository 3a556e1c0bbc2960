"""The values of a revocation check: the request, and the status of each certificate of a path."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.arguments import require_duration, require_kind, require_several
from pkcs12kit.errors import ArgumentError, FailureReason
from pkcs12kit.paths.failure import Failure
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.revocation.attempts import EvidenceAttempt
    from pkcs12kit.paths.revocation.locations import EvidenceLocations

MAX_AGE: Final = timedelta(days=7)
"""The default for the age up to which a CRL or an OCSP response without nextUpdate counts.

Baseline Requirements of the CA/Browser Forum, section 4.9.7: CAs issue a CRL at least once every seven days.
"""


class RevocationMode(Enum):
    """The handling of an unknown revocation status. A revoked certificate fails in both modes that check."""

    OFF = "off"
    """Nothing is checked."""
    SOFT = "soft"
    """Unknown is a warning."""
    REQUIRE = "require"
    """Unknown is a failure."""


class RevocationStatus(Enum):
    """The answer of CRLs and OCSP responses about one certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A request to check revocation, with the data to check it by.

    Raises :class:`TypeError` where one object is given instead of several, and :class:`ValueError` for an unknown mode
    and for a negative age.
    """

    mode: RevocationMode
    """The mode, or its value: ``"require"``."""
    crls: Iterable[bytes] = field(default=(), repr=False)
    """CertificateLists, DER: full and delta, direct and indirect, in any order; kept as a tuple."""
    ocsp_responses: Iterable[bytes] = field(default=(), repr=False)
    """OCSPResponses, DER; kept as a tuple."""
    max_age: timedelta = MAX_AGE
    """The age, from thisUpdate on, up to which a CRL or an OCSP response without nextUpdate counts.

    RFC 5280 section 5.1.2.5 requires nextUpdate of CRLs; in OCSP its absence says that newer information is always
    available (RFC 6960 section 4.2.2.1). Zero excludes such data.
    """

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "mode", RevocationMode(self.mode))
        except ValueError:
            modes = ", ".join(mode.value for mode in RevocationMode)
            raise ArgumentError(f"mode: expected one of {modes}, not {self.mode!r}") from None
        require_duration("max_age", self.max_age)
        for name in ("crls", "ocsp_responses"):
            given = getattr(self, name)
            require_several({name: given})
            object.__setattr__(self, name, tuple(given))
            for one in getattr(self, name):
                require_kind(name, one, bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateStatus:
    """The revocation status of one certificate of a path."""

    certificate: Certificate
    """The certificate."""
    status: RevocationStatus
    """Its status."""
    detail: str
    """The finding, without the certificate's name; for an unknown status, the data that was tried and did not count."""
    revoked_at: datetime | None = None
    """Timezone-aware; None unless revoked."""
    reason: str | None = None
    """CRLReason as RFC 5280 section 5.3.1 spells it, ``unspecified`` where none is given; None unless revoked."""
    evidence: tuple[EvidenceAttempt, ...] = ()
    """The CRLs and OCSP responses that revoke the certificate, and those that do not count, each with why.

    Empty for a good status.
    """
    locations: EvidenceLocations | None = None
    """The URLs from which the certificate says that newer CRLs and OCSP responses come; None for a good status."""

    def to_json(self) -> dict[str, Any]:
        """Return the status as ``--json`` prints it."""
        return {
            "certificate": self.certificate.to_json(),
            "status": self.status.value,
            "detail": self.detail,
            "revoked_at": None if self.revoked_at is None else format_time(self.revoked_at),
            "reason": self.reason,
            "evidence": [attempt.to_json() for attempt in self.evidence],
            "evidence_locations": None if self.locations is None else self.locations.to_json(),
        }

    def as_failure(self) -> Failure:
        """Return the status as a reason why the path fails; only for a status that is not good."""
        revoked = self.status is RevocationStatus.REVOKED
        return Failure(
            reason=FailureReason.REVOKED if revoked else FailureReason.REVOCATION_UNKNOWN,
            certificate=self.certificate,
            section="RFC 5280 section 6.1.3 (a)(3)",
            detail=self.detail,
            evidence=self.evidence,
            evidence_locations=self.locations,
        )

    def __str__(self) -> str:
        return f"{self.certificate.subject} (#{self.certificate.serial_number_text}): {self.detail}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationReport:
    """The status of each certificate of a path, target first; empty where nothing was checked."""

    mode: RevocationMode
    """The mode of the check."""
    statuses: tuple[CertificateStatus, ...] = ()
    """The status of each certificate, the target first."""

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""
        return {"mode": self.mode.value, "statuses": [status.to_json() for status in self.statuses]}

    @property
    def failure(self) -> Failure | None:
        """The first of :attr:`failures`; None where the path does not fail."""
        return next(iter(self.failures), None)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The reasons why the path fails: revoked certificates, then, in mode ``REQUIRE``, those of unknown status.

        Of each kind, those nearer to the trust anchor come first. A certificate below a revoked one was not checked,
        and is not a reason.
        """
        failing = {RevocationStatus.REVOKED}
        if self.mode is RevocationMode.REQUIRE:
            failing.add(RevocationStatus.UNKNOWN)
        found: list[CertificateStatus] = []
        for one in reversed(self.statuses):
            if one.status in failing:
                found.append(one)
            if one.status is RevocationStatus.REVOKED:
                break
        found.sort(key=lambda one: one.status is not RevocationStatus.REVOKED)
        return tuple(one.as_failure() for one in found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each certificate of unknown status in mode ``SOFT``; empty in the other modes."""
        if self.mode is not RevocationMode.SOFT:
            return ()
        return tuple(str(status) for status in self.statuses if status.status is RevocationStatus.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationEntry:
    """One statement that a certificate is revoked, by a CRL entry or an OCSP response."""

    revoked_at: datetime
    """Timezone-aware; the certificate is revoked from this moment on, this moment included."""
    reason: str
    """CRLReason as RFC 5280 section 5.3.1 spells it; ``unspecified`` where none is given."""
    invalidity_date: datetime | None = None
    """The time from which the key may have been misused (RFC 5280 section 5.3.2); None where it is not given."""

    def detail(self, source: str) -> str:
        """Return the sentence about it; ``source`` is ``CRL`` or ``OCSP``."""
        return f"revoked on {format_time(self.revoked_at)}, reason {self.reason} (by {source})"


class SourcedBytes(bytes):
    """The encoding of a CRL or an OCSP response, with the name of the file or the URL that it is from."""

    source: str | None = None
    """The name, safe to print; None where it is not known."""

    @classmethod
    def of(cls, data: bytes, source: str) -> SourcedBytes:
        """Return the same bytes with a source."""
        sourced = cls(data)
        sourced.source = source
        return sourced
