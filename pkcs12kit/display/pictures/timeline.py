"""Validity periods as an SVG image: a bar for the answer and one for each best path, on an axis of time.

One file without scripts and references, in the reader's light or dark theme. Valid times are filled bars, others dashed
lines, and the description for screen readers has every period in words.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from pkcs12kit.arguments import require_flags, require_kind, require_texts
from pkcs12kit.display.pictures import style
from pkcs12kit.display.pictures.blocks import NAME_LEADING, NAME_SIZE, NOTE_LEADING, NOTE_SIZE, width_of, wrapped
from pkcs12kit.display.pictures.elements import add_text, as_number, fill
from pkcs12kit.display.pictures.wording import inert
from pkcs12kit.display.timelines import STATES, answer_in_words, periods_in_words, scope_in_words, timeline_of
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.validity_report import PeriodState, ValidityReport
from pkcs12kit.text import NO_FORMULAS, as_references
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.display.timelines import Timeline, TimelineRow

_WIDTH: Final = 760.0
_MARGIN: Final = 20.0
_LABELS: Final = 44.0
_ROW: Final = 22.0
_BAR: Final = 12.0
_HEADING_SIZE: Final = 16.0
_TICK: Final = 70
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
        self._title = title
        self._most = limits.picture_certificates
        self._y = _MARGIN
        classes = f"{style.ROOT}-timeline {NO_FORMULAS}"
        self._root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "class": classes})

    def text(self, *, words: bool) -> str:
        """Return the whole drawing as text."""
        self._accessible()
        SubElement(self._root, "style").text = style.stylesheet(timeline=True)
        paper = SubElement(self._root, "rect", {"class": "p12k-paper"})
        fonts = {"font-family": 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'}
        self._root.attrib |= fonts
        if words:
            self._lines(self._title, _HEADING_SIZE, "p12k-heading", bold=True)
            self._lines(answer_in_words(self._report), NAME_SIZE, "p12k-row")
            self._y += NAME_LEADING / 2
        drawn = timeline_of(self._report)
        if drawn is not None:
            self._bars(drawn)
        for line, level in self._words() if words else ():
            self._lines(line, NAME_SIZE if not level else NOTE_SIZE, "p12k-name" if not level else "p12k-note", level)
        width, height = as_number(_WIDTH), as_number(self._y + _MARGIN)
        self._root.attrib |= {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}
        paper.attrib |= {"width": width, "height": height}
        return as_references(tostring(self._root, encoding="unicode")) + "\n"

    def _accessible(self) -> None:
        """Add title and description for screen readers, with ids that differ between pictures on one page."""
        sentences = (answer_in_words(self._report), *(line for line, level in self._words() if level <= 1))
        described = ". ".join(sentence.removesuffix(".") for sentence in sentences)
        mark = hashlib.sha256(f"{self._title}{described}".encode("utf-8", "backslashreplace")).hexdigest()[:12]
        fill(SubElement(self._root, "title", {"id": f"p12k-{mark}-title"}), self._title)
        fill(SubElement(self._root, "desc", {"id": f"p12k-{mark}-desc"}), inert(described))
        self._root.set("aria-labelledby", f"p12k-{mark}-title p12k-{mark}-desc")

    def _lines(self, text: str, size: float, name: str, level: int = 0, *, bold: bool = False) -> None:
        left = _MARGIN + 14 * level
        leading = {_HEADING_SIZE: 21.0, NAME_SIZE: NAME_LEADING}.get(size, NOTE_LEADING)
        bold = bold or name == "p12k-name"
        for line in wrapped(inert(text), _WIDTH - _MARGIN - left, size, lines=4, bold=bold):
            self._y += leading
            add_text(self._root, line, left, self._y, name, size=size, bold=bold)

    def _bars(self, drawn: Timeline) -> None:
        rows = drawn.rows[: self._most + 1]
        left, wide = _MARGIN + _LABELS, _WIDTH - 2 * _MARGIN - _LABELS
        top = self._y + NOTE_LEADING
        bottom = top + 8 + _ROW * len(rows)
        for time, label in drawn.ticks(int(wide // _TICK)):
            x = left + drawn.share(time) * wide
            half = width_of(label, NOTE_SIZE) / 2
            place = min(max(x, left + half), left + wide - half)
            add_text(self._root, label, place, top, "p12k-note", size=NOTE_SIZE, middle=True)
            self._line("p12k-tick", x, top + 4, x, bottom)
        y = top + 8
        for row in rows:
            add_text(self._root, row.label, _MARGIN, y + _BAR + 1, "p12k-name", size=NAME_SIZE, bold=True)
            self._spans(drawn, row, left, wide, y + (_ROW - _BAR) / 2)
            y += _ROW
        if drawn.time is not None:
            x = left + drawn.share(drawn.time) * wide
            self._line("p12k-now", x, top + 4, x, bottom + 6)
            label = f"▲ {format_time(drawn.time)[:10]}"
            half = width_of(label, NOTE_SIZE) / 2
            place = min(max(x, left + half), left + wide - half)
            add_text(self._root, label, place, bottom + 6 + NOTE_LEADING, "p12k-note", size=NOTE_SIZE, middle=True)
        self._y = bottom + 14 + NOTE_LEADING

    def _spans(self, drawn: Timeline, row: TimelineRow, left: float, wide: float, y: float) -> None:
        for begin, end, state in row.spans:
            if end < drawn.begin or begin > drawn.end:
                continue
            x, to = left + drawn.share(begin) * wide, left + drawn.share(end) * wide
            name = {PeriodState.VALID: "p12k-span", PeriodState.NOT_VALID: "p12k-gap"}.get(state, "p12k-unknown")
            if state is PeriodState.VALID:
                place = {"x": as_number(x), "y": as_number(y), "height": as_number(_BAR)}
                width = as_number(max(to - x, _LEAST))
                shape = SubElement(self._root, "rect", {"class": name, **place, "width": width, "rx": "2"})
            else:
                shape = self._line(name, x, y + _BAR / 2, max(to, x + _LEAST), y + _BAR / 2)
            fill(SubElement(shape, "title"), f"{STATES[state]} from {format_time(begin)} to {format_time(end)}")

    def _line(self, name: str, x: float, y: float, to_x: float, to_y: float) -> Element:
        line = f"M{as_number(x)} {as_number(y)}L{as_number(to_x)} {as_number(to_y)}"
        return SubElement(self._root, "path", {"class": name, "d": line})

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
