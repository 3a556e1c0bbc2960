"""The report of when a target had, has and will have a valid path, judged from the certificates given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import anchor_to_json, path_to_json
from pkcs12kit.text import counted
from pkcs12kit.times import format_time, require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath


class PeriodState(Enum):
    """The answer for all of a period."""

    VALID = "valid"
    """There is a valid path in every second of the period."""
    NOT_VALID = "not-valid"
    """There is no valid path in any second of the period."""
    UNKNOWN = "unknown"
    """A limit ended the search without a valid path, or before it began: there may be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValiditySegment:
    """A part of a valid period in which one path is the best."""

    begin: datetime
    """The first second, timezone-aware."""
    end: datetime
    """The last second, which is included."""
    path: ValidatedPath
    """The best path in the whole segment, validated for its first second."""
    began_with: tuple[Certificate, ...]
    """The certificates of the path whose notBefore is the first second; empty where an expiry made the path the best.
    """
    ended_by: tuple[Certificate, ...]
    """The certificates of the path that expire with the last second; empty where a better path takes over."""
    because: str | None = None
    """The comparison that puts the path before that of the segment before, where that one is still valid."""
    incomplete: str | None = None
    """The limit that ended a search early, so that there may be a better path; None if everything was tried."""

    def to_json(self) -> dict[str, Any]:
        """Return the segment as ``--json`` prints it."""
        return {
            **_span_to_json(self.begin, self.end),
            "path": path_to_json(self.path),
            "began_with": _certificates_to_json(self.began_with),
            "ended_by": _certificates_to_json(self.ended_by),
            "because": self.because,
            "incomplete": self.incomplete,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityPeriod:
    """A period of one state, as long as possible: before and after it the state is another one."""

    begin: datetime
    """The first second, timezone-aware."""
    end: datetime
    """The last second, which is included."""
    state: PeriodState
    """The answer for the whole period."""
    segments: tuple[ValiditySegment, ...] = ()
    """The best paths of a valid period, in the order of time; empty for another state."""
    closest: RejectedPath | None = None
    """The closest attempt in the first second, where there is no valid path; None if a limit forbids to look for it."""
    incomplete: str | None = None
    """The limit because of which the state is unknown; None for another state."""

    @property
    def began_with(self) -> tuple[Certificate, ...]:
        """The certificates whose notBefore began a valid period; empty for another state."""
        return self.segments[0].began_with if self.segments else ()

    @property
    def ended_by(self) -> tuple[Certificate, ...]:
        """The certificates whose expiry ended a valid period; empty for another state."""
        return self.segments[-1].ended_by if self.segments else ()

    def to_json(self) -> dict[str, Any]:
        """Return the period as ``--json`` prints it."""
        return {
            "state": self.state.value,
            **_span_to_json(self.begin, self.end),
            "began_with": _certificates_to_json(self.began_with),
            "ended_by": _certificates_to_json(self.ended_by),
            "segments": [segment.to_json() for segment in self.segments],
            "closest": None if self.closest is None else self.closest.to_json(),
            "incomplete": self.incomplete,
        }

    def __repr__(self) -> str:
        return f"<ValidityPeriod {self.state.value} from {format_time(self.begin)} to {format_time(self.end)}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidityReport(Shown):
    """The periods in which a valid path exists, and those between them, from the certificates given.

    Revocation is not part of it: CRLs and OCSP responses are about the time when they are made.
    """

    target: Certificate
    """The certificate that was asked about."""
    targets: tuple[Certificate, ...]
    """The certificates that the paths begin with: the target, and others of its subject and key if asked for."""
    trust_anchors: tuple[TrustAnchor, ...]
    """The trust anchors, one of which the paths end at."""
    parameters: ValidationParameters
    """The requirements for the paths; the time in them is the one that was asked about, or that of the call."""
    periods: tuple[ValidityPeriod, ...]
    """All of the validity of the targets without gaps, in the order of time; outside of it no path is valid."""
    closest: RejectedPath | None = None
    """The closest attempt at the time that was asked about; None where a path is valid then, or nothing was found."""
    searches: int = 0
    """The number of searches that were needed."""

    @property
    def time(self) -> datetime:
        """The time that was asked about; timezone-aware."""
        return self.parameters.time

    @property
    def valid(self) -> tuple[ValidityPeriod, ...]:
        """The periods with a valid path, in the order of time."""
        return tuple(period for period in self.periods if period.state is PeriodState.VALID)

    @property
    def incomplete(self) -> str | None:
        """The first limit that ended a search early; None if everything was tried."""
        for period in self.periods:
            limits = (period.incomplete, *(segment.incomplete for segment in period.segments))
            if (limit := next(filter(None, limits), None)) is not None:
                return limit
        return None

    def at(self, time: datetime) -> ValidityPeriod | None:
        """Return the period that a time lies in, to the second; None where the target itself is not valid.

        Raises :class:`~pkcs12kit.ArgumentError` for a time without time zone.
        """
        second = require_aware(time).replace(microsecond=0)
        return next((period for period in self.periods if period.begin <= second <= period.end), None)

    def segment_at(self, time: datetime) -> ValiditySegment | None:
        """Return the segment with the best path at a time; None where no path is known to be valid."""
        period, second = self.at(time), time.replace(microsecond=0)
        segments = () if period is None else period.segments
        return next((segment for segment in segments if segment.begin <= second <= segment.end), None)

    @property
    def next_valid(self) -> ValidityPeriod | None:
        """The first period with a valid path that begins after the time that was asked about."""
        return next((period for period in self.valid if period.begin > self.time), None)

    @property
    def last_valid(self) -> ValidityPeriod | None:
        """The last period with a valid path that ended before the time that was asked about."""
        return next((period for period in reversed(self.valid) if period.end < self.time), None)

    @property
    def state(self) -> PeriodState:
        """The answer for the time that was asked about."""
        period = self.at(self.time)
        return PeriodState.NOT_VALID if period is None else period.state

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""
        return {
            "target": self.target.to_json(),
            "targets": _certificates_to_json(self.targets),
            "trust_anchors": [anchor_to_json(anchor) for anchor in self.trust_anchors],
            "time": format_time(self.time),
            "state": self.state.value,
            "periods": [period.to_json() for period in self.periods],
            "closest": None if self.closest is None else self.closest.to_json(),
            "incomplete": self.incomplete,
            "revocation_checked": False,
            "searches": self.searches,
        }

    def __repr__(self) -> str:
        answer = f"{counted(len(self.valid), 'valid period')}, {self.state.value} at {format_time(self.time)}"
        return f"<ValidityReport {str(self.target.subject)!r}: {answer}>"


def _span_to_json(begin: datetime, end: datetime) -> dict[str, str]:
    return {"begin": format_time(begin), "end": format_time(end)}


def _certificates_to_json(certificates: Iterable[Certificate]) -> list[dict[str, Any]]:
    return [certificate.to_json() for certificate in certificates]
