"""Timelines of validity periods: rows, ticks and sentences, derived once for terminals, SVG images and notebooks.

Texts may come from certificates and are not yet safe to print: the code that renders them makes them safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.labels import named
from pkcs12kit.paths.validity_report import PeriodState
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.paths.validity_report import ValidityPeriod, ValidityReport, ValiditySegment

_STEPS_IN_MONTHS: Final = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1_200, 6_000, 12_000)
_MONTHS: Final = 12
STATES: Final = {
    PeriodState.VALID: "valid",
    PeriodState.NOT_VALID: "no valid path",
    PeriodState.UNKNOWN: "not known",
}
"""The states in words."""
_LEAST_SPAN: Final = timedelta(days=2)
_MARGIN: Final = 10
"""The time before the first and after the last valid period that is drawn: a part of the time between, one in so many.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRow:
    """A line of a timeline: the answer at each time, or the times of one path."""

    label: str
    spans: tuple[tuple[datetime, datetime, PeriodState], ...]
    """First and last second, and the state, in the order of time; between the spans the path is not the best one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The drawing of a report, without a form yet."""

    begin: datetime
    end: datetime
    time: datetime | None
    """The time that was asked about; None where it is not within the drawing."""
    rows: tuple[TimelineRow, ...]
    """The answer, and then the best paths in the order of time."""

    def share(self, time: datetime) -> float:
        """Return the place of a time, from 0 at the beginning to 1 at the end."""
        return min(max((time - self.begin) / (self.end - self.begin), 0.0), 1.0)

    def ticks(self, at_most: int) -> Sequence[tuple[datetime, str]]:
        """Return first days of months or years with labels; the labels of a short time are its ends."""
        for step in _STEPS_IN_MONTHS:
            months = list(self._months(step, at_most))
            if 1 < len(months) <= at_most:
                return [(month, f"{month.year:04}" if step % _MONTHS == 0 else f"{month:%Y-%m}") for month in months]
        return [(one, f"{one:%Y-%m-%d}") for one in (self.begin, self.end)][:at_most]

    def _months(self, step: int, at_most: int) -> Iterator[datetime]:
        number = -(-(self.begin.year * _MONTHS + self.begin.month - 1) // step) * step
        last = self.end.year * _MONTHS + self.end.month - 1
        for month in range(number, min(last, number + step * (at_most + 1)) + 1, step):
            first = datetime(month // _MONTHS, month % _MONTHS + 1, 1, tzinfo=UTC) if month >= _MONTHS else self.begin
            if first >= self.begin:
                yield first


@dataclass(frozen=True, slots=True, kw_only=True)
class PathInWords:
    """A segment of a valid period: its path, when it is the best, and why from then on."""

    number: int
    """The number of the path in the report, counted from 1."""
    names: tuple[str, ...]
    """The certificates of the path, the target first, and the trust anchor."""
    begin: str
    end: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodInWords:
    """A period as each drawing tells it."""

    period: ValidityPeriod
    state: str
    begin: str
    end: str
    paths: tuple[PathInWords, ...]
    """The best paths of a valid period, in the order of time."""
    ending: str | None
    """The sentence about the end of a valid period; None for another one."""
    failures: tuple[tuple[str, Failure], ...]
    """The failures in a period without a path, each with the beginning of its sentence."""


def periods_in_words(report: ValidityReport) -> Iterator[PeriodInWords]:
    """Yield the periods in the order of time."""
    numbered = iter(_numbered_segments(report))
    for period in report.periods:
        segments = [next(numbered) for _ in period.segments]
        before = (None, *period.segments)
        yield PeriodInWords(
            period=period,
            state=STATES[period.state],
            begin=format_time(period.begin),
            end=format_time(period.end),
            paths=tuple(
                PathInWords(
                    number=number,
                    names=_names_of(segment.path),
                    begin=format_time(segment.begin),
                    end=format_time(segment.end),
                    why=_change_in_words(segment, previous),
                )
                for (number, segment), previous in zip(segments, before, strict=False)
            ),
            ending=_end_in_words(report, period) if segments else None,
            failures=_closest_failures(report, period),
        )


def _numbered_segments(report: ValidityReport) -> tuple[tuple[int, ValiditySegment], ...]:
    """Return all segments in the order of time, each with the number of its path, counted from 1."""
    numbers: dict[object, int] = {}
    found = []
    for period in report.periods:
        for segment in period.segments:
            path = (segment.path.certificates, segment.path.trust_anchor.node)
            found.append((numbers.setdefault(path, len(numbers) + 1), segment))
    return tuple(found)


def timeline_of(report: ValidityReport) -> Timeline | None:
    """Return the timeline of a report; None where the target is valid at no time."""
    if not report.periods:
        return None
    begin, end = _drawn(report)
    answer = TimelineRow(label="path", spans=tuple((one.begin, one.end, one.state) for one in report.periods))
    paths: dict[int, list[tuple[datetime, datetime, PeriodState]]] = {}
    for number, segment in _numbered_segments(report):
        paths.setdefault(number, []).append((segment.begin, segment.end, PeriodState.VALID))
    return Timeline(
        begin=begin,
        end=end,
        time=report.time if begin <= report.time <= end else None,
        rows=(answer, *(TimelineRow(label=str(number), spans=tuple(spans)) for number, spans in paths.items())),
    )


def _drawn(report: ValidityReport) -> tuple[datetime, datetime]:
    """Return the time that is drawn: valid periods, the time asked about, and a margin, if the target is valid then."""
    first, last = report.periods[0].begin, report.periods[-1].end
    known = [one for one in report.periods if one.state is not PeriodState.NOT_VALID]
    begin, end = (known[0].begin, known[-1].end) if known else (first, last)
    if first <= report.time <= last:
        begin, end = min(begin, report.time), max(end, report.time)
    margin = max((end - begin) // _MARGIN, _LEAST_SPAN)
    begin = first if begin - first <= 3 * margin else begin - margin
    end = last if last - end <= 3 * margin else end + margin
    return (begin, end) if begin < end else (begin, begin + timedelta(seconds=1))


def _names_of(path: ValidatedPath) -> tuple[str, ...]:
    """Return the certificates of a path, the target first, and the trust anchor."""
    anchor = path.trust_anchor
    above = () if anchor.certificate in path.certificates else (anchor.label,)
    return (*(named(certificate) for certificate in path.certificates), *above)


def answer_in_words(report: ValidityReport) -> str:
    """Return the sentence that answers for the time that was asked about."""
    time = format_time(report.time)
    period = report.at(report.time)
    if period is not None and period.state is PeriodState.VALID:
        return f"A path is valid at {time}, until {format_time(period.end)}."
    if period is not None and period.state is PeriodState.UNKNOWN:
        return f"Not known whether a path is valid at {time}: {period.incomplete}"
    before, after = report.last_valid, report.next_valid
    parts = [f"No path is valid at {time}"]
    if before is not None:
        parts.append(f"the last one ended on {format_time(before.end)}")
    if after is not None:
        parts.append(f"the next one begins on {format_time(after.begin)}")
    if before is None and after is None:
        parts.append("none was known at any time" if report.incomplete else "nor at any other time")
    return f"{'; '.join(parts)}." if before or after else f"{', '.join(parts)}."


def _end_in_words(report: ValidityReport, period: ValidityPeriod) -> str:
    """Return the sentence about the end of a valid period: what expires then."""
    names = ", ".join(named(one) for one in period.ended_by)
    return f"ends: {names} expires" if period.end >= report.time else f"ended: {names} expired"


def _change_in_words(segment: ValiditySegment, before: ValiditySegment | None) -> str:
    """Return why the path of a segment is the best from its beginning on."""
    began = ", ".join(named(one) for one in segment.began_with)
    if before is not None and before.ended_by:
        return f"follows: {', '.join(named(one) for one in before.ended_by)} expired"
    if segment.because is not None:
        because = segment.because.replace("the next", "the one before")  # the next best of all, which was the best
        return f"better with {began}: {because}" if began else f"better: {because}"
    return f"began with {began}" if began else "begins with the target"


def _closest_failures(report: ValidityReport, period: ValidityPeriod) -> tuple[tuple[str, Failure], ...]:
    """Return the failures of the closest attempt in a period, each with the beginning of its sentence.

    The attempt is that of the time asked about, which is named, where that is in the period, and otherwise that of the
    first second.
    """
    if report.closest is not None and period.begin < report.time <= period.end:
        at = f"at {format_time(report.time)}: "
        return tuple((f"{at}{named(failure.certificate)}", failure) for failure in report.closest.failures)
    failures = period.closest.failures if period.closest is not None else ()
    return tuple((named(failure.certificate), failure) for failure in failures)


def scope_in_words(report: ValidityReport) -> tuple[str, ...]:
    """Return what the answer is about, and what it is not."""
    sentences = []
    if len(report.targets) > 1:
        others = counted(len(report.targets) - 1, "other certificate")
        sentences.append(f"Judged for the CA: paths may begin with {others} of the same name and key.")
    sentences.append("From the certificates given; there may have been others. Revocation is not checked.")
    return tuple(sentences)
