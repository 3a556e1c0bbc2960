"""Validity periods as an SVG image: a bar for the answer and one for each best path, on an axis of time.

One file without scripts and references, in the reader's light or dark theme. Valid times are filled bars, others dashed
lines, and the description for screen readers has every period in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import SubElement

from pkcs12kit.arguments import require_flags, require_kind, require_texts
from pkcs12kit.display.pictures.blocks import NAME_SIZE, NOTE_LEADING, NOTE_SIZE
from pkcs12kit.display.pictures.elements import add_text, fill
from pkcs12kit.display.pictures.sheet import MARGIN, WIDTH, Sheet
from pkcs12kit.display.pictures.wording import inert
from pkcs12kit.display.timelines import STATES, answer_in_words, periods_in_words, scope_in_words, timeline_of
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.validity_report import PeriodState, ValidityReport
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.display.timelines import Timeline, TimelineRow

_LABELS: Final = 44.0
_ROW: Final = 22.0
_BAR: Final = 12.0
_LEAST: Final = 1.5
"""The smallest width of a bar, so that a second can be seen."""


def timeline_to_svg(
    report: ValidityReport, *, title: str | None = None, words: bool = True, limits: Limits = DEFAULT_LIMITS
) -> str:
    """Return validity periods as SVG: a timeline, and below it the periods and their paths in words.

    ``title`` replaces the title. Without ``words``, only the timeline is drawn, with no heading. At most
    ``limits.picture_certificates`` paths are drawn; the others are counted. The same report always gives the same text.
    It can be a file, or part of an HTML page with several pictures.
    """
    require_kind("report", report, ValidityReport)
    require_texts(title=title)
    require_flags(words=words)
    require_kind("limits", limits, Limits)
    own = f"{report.target.label}: when a path to a trust anchor is valid"
    return _Timeline(report, inert(own if title is None else title), limits).text(words=words)


class _Timeline:
    """A drawing, built from the top to the bottom."""

    def __init__(self, report: ValidityReport, title: str, limits: Limits) -> None:
        self._report = report
        self._most = limits.picture_certificates
        self._sheet = Sheet(title)

    def text(self, *, words: bool) -> str:
        """Return the whole drawing as text."""
        answer = answer_in_words(self._report)
        self._sheet.begin((answer, *(line for line, level in self._words() if level <= 1)))
        if words:
            self._sheet.heading(answer)
        drawn = timeline_of(self._report)
        if drawn is not None:
            self._bars(drawn)
        for line, level in self._words() if words else ():
            size, name = (NOTE_SIZE, "p12k-note") if level else (NAME_SIZE, "p12k-name")
            self._sheet.lines(line, size, name, level)
        return self._sheet.text()

    def _bars(self, drawn: Timeline) -> None:
        rows = drawn.rows[: self._most + 1]
        left, wide = MARGIN + _LABELS, WIDTH - 2 * MARGIN - _LABELS
        top = self._sheet.y + NOTE_LEADING
        bottom = top + 8 + _ROW * len(rows)
        self._sheet.ticks(drawn, left, wide, top, bottom)
        y = top + 8
        for row in rows:
            add_text(self._sheet.root, row.label, MARGIN, y + _BAR + 1, "p12k-name", size=NAME_SIZE, bold=True)
            self._spans(drawn, row, left, wide, y + (_ROW - _BAR) / 2)
            y += _ROW
        self._sheet.now(drawn, left, wide, top, bottom)

    def _spans(self, drawn: Timeline, row: TimelineRow, left: float, wide: float, y: float) -> None:
        for begin, end, state in row.spans:
            if end < drawn.begin or begin > drawn.end:
                continue
            x, to = left + drawn.share(begin) * wide, left + drawn.share(end) * wide
            name = {PeriodState.VALID: "p12k-span", PeriodState.NOT_VALID: "p12k-gap"}.get(state, "p12k-unknown")
            if state is PeriodState.VALID:
                shape = self._sheet.bar(name, x, to, y, _BAR, least=_LEAST)
            else:
                shape = self._sheet.line(name, x, y + _BAR / 2, max(to, x + _LEAST), y + _BAR / 2)
            fill(SubElement(shape, "title"), f"{STATES[state]} from {format_time(begin)} to {format_time(end)}")

    def _words(self) -> Iterator[tuple[str, int]]:
        """Yield the periods and their paths in words, each with its level."""
        shown = 0
        for one in periods_in_words(self._report):
            yield f"{one.state} from {one.begin} to {one.end}", 0
            for path in one.paths:
                shown += 1
                if shown <= self._most:
                    yield f"{path.number}: {' ← '.join(path.names)}", 1
                    yield f"from {path.begin}, {path.why}", 2
            if one.ending is not None:
                yield one.ending, 1
            for label, failure in one.failures:
                yield f"{label}: {failure.detail} [{failure.section}]", 1
            if one.period.incomplete is not None:
                yield one.period.incomplete, 1
        if shown > self._most:
            yield f"{shown - self._most:,} more paths are not drawn", 0
        for sentence in scope_in_words(self._report):
            yield sentence, 1
