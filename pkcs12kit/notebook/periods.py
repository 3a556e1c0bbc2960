"""Validity periods: the answer, the timeline, and a table of the periods with their paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.timeline import timeline_to_svg
from pkcs12kit.display.timelines import answer_in_words, periods_in_words, scope_in_words
from pkcs12kit.notebook.html import cell, element, folded, left_out, lines, name, said, table, title
from pkcs12kit.notebook.searches import scrolling
from pkcs12kit.paths.validity_report import PeriodState
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.display.timelines import PathInWords, PeriodInWords
    from pkcs12kit.notebook.html import Element, Node, View
    from pkcs12kit.paths.validity_report import ValidityReport

_SAID: Final = {
    PeriodState.VALID: ("✓", "good"),
    PeriodState.NOT_VALID: ("✗", "bad"),
    PeriodState.UNKNOWN: ("?", "warn"),
}


def draw_periods(report: ValidityReport, view: View) -> Element:
    """Return the answer for the time asked about, the timeline, the periods, and the best paths folded."""
    sign, kind = _SAID[report.state]
    told = list(periods_in_words(report))
    shown = told[: view.limits.notebook_rows]
    periods = table(("period", "from", "to", "why it ends, or why there is no path"), map(_row, shown))
    paths = [path for one in told for path in one.paths]
    return element(
        "div",
        title(said(f"{sign} ", kind), name(report.target.label), f": {answer_in_words(report)}"),
        element("p", said(f"! The search was cut short: {report.incomplete}", "warn")) if report.incomplete else None,
        scrolling(timeline_to_svg(report, words=False, limits=view.limits)),
        periods,
        left_out(len(told) - len(shown), "periods"),
        folded(f"The best paths: {counted(len(paths), 'segment')}", lines(paths, view, show=_line)) if paths else None,
        *(element("p", sentence, class_="muted") for sentence in scope_in_words(report)),
    )


def _row(told: PeriodInWords) -> tuple[Element, ...]:
    sign, kind = _SAID[told.period.state]
    return (
        cell(said(f"{sign} {told.state}", kind)),
        cell(told.begin, class_="tight"),
        cell(told.end, class_="tight"),
        cell(*_why(told), class_="roomy"),
    )


def _why(told: PeriodInWords) -> Iterator[Node]:
    if told.ending is not None:
        yield element("p", told.ending)
    if told.period.incomplete is not None:
        yield element("p", told.period.incomplete)
    for label, failure in told.failures:
        section = said(f" [{failure.section}]", "muted")
        yield element("p", name(label), f": {failure.detail}", section)


def _line(path: PathInWords) -> Element:
    names = f"{path.number}: {' ← '.join(path.names)}"
    return element("span", name(names), said(f" from {path.begin} to {path.end}, {path.why}", "muted"))
