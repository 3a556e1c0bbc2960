"""Validity periods: the answer, the timeline, and a table of the periods with their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.timeline import timeline_to_svg
from pkcs12kit.display.timelines import (
    STATES,
    answer_in_words,
    change_in_words,
    closest_failures,
    end_in_words,
    names_of,
    numbered_segments,
    scope_in_words,
)
from pkcs12kit.notebook.html import cell, element, folded, left_out, lines, name, said, table, title
from pkcs12kit.notebook.searches import scrolling
from pkcs12kit.paths.validity_report import PeriodState
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.notebook.html import Element, Node, View
    from pkcs12kit.paths.validity_report import ValidityPeriod, ValidityReport

_SAID: Final = {
    PeriodState.VALID: ("✓", "good"),
    PeriodState.NOT_VALID: ("✗", "bad"),
    PeriodState.UNKNOWN: ("?", "warn"),
}


def draw_periods(report: ValidityReport, view: View) -> Element:
    """Return the answer for the time asked about, the timeline, the periods, and the best paths folded."""
    sign, kind = _SAID[report.state]
    shown = report.periods[: view.limits.notebook_rows]
    periods = table(
        ("period", "from", "to", "why it ends, or why there is no path"), (_row(report, one) for one in shown)
    )
    paths = list(_paths(report))
    return element(
        "div",
        title(said(f"{sign} ", kind), name(report.target.label), f": {answer_in_words(report)}"),
        element("p", said(f"! The search was cut short: {report.incomplete}", "warn")) if report.incomplete else None,
        scrolling(timeline_to_svg(report, words=False, limits=view.limits)),
        periods,
        left_out(len(report.periods) - len(shown), "periods"),
        folded(f"The best paths: {counted(len(paths), 'segment')}", lines(paths, view, show=_line)) if paths else None,
        *(element("p", sentence, class_="muted") for sentence in scope_in_words(report)),
    )


def _row(report: ValidityReport, period: ValidityPeriod) -> tuple[Element, ...]:
    sign, kind = _SAID[period.state]
    return (
        cell(said(f"{sign} {STATES[period.state]}", kind)),
        cell(format_time(period.begin), class_="tight"),
        cell(format_time(period.end), class_="tight"),
        cell(*_why(report, period), class_="roomy"),
    )


def _why(report: ValidityReport, period: ValidityPeriod) -> Iterator[Node]:
    if period.segments:
        yield element("p", end_in_words(report, period))
    if period.incomplete is not None:
        yield element("p", period.incomplete)
    for label, failure in closest_failures(report, period):
        section = said(f" [{failure.section}]", "muted")
        yield element("p", name(label), f": {failure.detail}", section)


def _paths(report: ValidityReport) -> Iterator[tuple[str, str]]:
    """Yield the names on the path of each segment, and when and why it is the best."""
    numbers = iter(numbered_segments(report))
    for period in report.periods:
        before = None
        for segment in period.segments:
            number, _ = next(numbers)
            span = f"from {format_time(segment.begin)} to {format_time(segment.end)}"
            yield f"{number}: {' ← '.join(names_of(segment.path))}", f" {span}, {change_in_words(segment, before)}"
            before = segment


def _line(segment: tuple[str, str]) -> Element:
    return element("span", name(segment[0]), said(segment[1], "muted"))
