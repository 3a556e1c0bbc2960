"""The ends of the bundles' paths, drawn as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.gantt import Gantt, GanttRow, gantt_to_svg
from pkcs12kit.fleet.causes import CauseKind, ending_causes, said_causes
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.wording import summary
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.fleet.results import FleetResults
    from pkcs12kit.limits import Limits

_NAMED: Final = 3


def gantt_of(report: FleetResults, *, title: str | None, words: bool, limits: Limits) -> str:
    """Return the report as SVG: a bar for each bundle, or for each cause of more than ``limits.picture_bars``."""
    causes = ending_causes(report.bundles)
    numbers = {name: number for number, cause in enumerate(causes) for name in cause.bundles}
    most = limits.picture_bars
    if len(report.bundles) <= most:
        rows = [_row(one, numbers.get(one.name)) for one in report.bundles]
    else:
        rows = list(_grouped(report.bundles, numbers))
    rows.sort(key=_order)
    numbers_in_words = summary(report)
    drawn = Gantt(
        title=f"{report.manifest.name}: when bundles end" if title is None else title,
        summary=numbers_in_words[:1].upper() + numbers_in_words[1:],
        time=report.time,
        rows=tuple(rows[:most]),
        causes=tuple(map(str, causes)),
        faults=tuple(map(str, said_causes(CauseKind.FAILED, report.bundles))),
        left_out=f"{counted(len(rows) - most, 'more bar')} not drawn" if len(rows) > most else None,
    )
    return gantt_to_svg(drawn, words=words)


def _row(outcome: BundleOutcome, cause: int | None) -> GanttRow:
    first = outcome.first_to_expire
    return GanttRow(
        label=outcome.name,
        end=_end(outcome),
        cause=cause,
        wrong=_wrong(outcome),
        about=outcome.error or ("" if first is None else f"{first.label} ends first, {format_time(first.not_after)}"),
    )


def _end(outcome: BundleOutcome) -> datetime | None:
    """Return the end of the path that was found; without one, that of the file in place."""
    return outcome.expires or outcome.expires_in_place


def _wrong(outcome: BundleOutcome) -> str | None:
    if outcome.status is Status.FAILED:
        return "failed"
    if outcome.ends_too_soon:
        return "too soon"
    return "hook failed" if outcome.hook_error is not None else None if outcome.ok else "not served"


def _grouped(outcomes: Sequence[BundleOutcome], numbers: dict[str, int]) -> Iterator[GanttRow]:
    """Yield a bar for each cause and month, and one for each failure of bundles without an end."""
    groups: dict[tuple[int | None, int, int], list[BundleOutcome]] = {}
    for one in outcomes:
        end = _end(one)
        if end is not None:
            groups.setdefault((numbers.get(one.name), end.year, end.month), []).append(one)
    for (cause, _, _), group in groups.items():
        wrong = sum(not one.ok for one in group)
        yield GanttRow(
            label=_label(group),
            end=min(end for one in group if (end := _end(one)) is not None),
            cause=cause,
            wrong=f"{wrong:,}" if wrong else None,
            about=_some([one.name for one in group]),
        )
    for failure in said_causes(CauseKind.FAILED, (one for one in outcomes if _end(one) is None)):
        yield GanttRow(label=counted(len(failure.bundles), "bundle"), end=None, wrong="failed", about=str(failure))


def _label(group: Sequence[BundleOutcome]) -> str:
    return group[0].name if len(group) == 1 else counted(len(group), "bundle")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _order(row: GanttRow) -> tuple[bool, float]:
    return row.end is not None, 0.0 if row.end is None else row.end.timestamp()
