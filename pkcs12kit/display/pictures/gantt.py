"""Ends of many things as an SVG image: a bar for each, from a time to its end, in the colour of what ends it.

Colours are not needed to read it: a number beside each bar names its cause, and the description for screen readers has
the bars in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import SubElement

from pkcs12kit.display.labels import day
from pkcs12kit.display.pictures.blocks import NAME_LEADING, NAME_SIZE, NOTE_LEADING, NOTE_SIZE, wrapped
from pkcs12kit.display.pictures.elements import add_text, fill
from pkcs12kit.display.pictures.sheet import MARGIN, WIDTH, Sheet
from pkcs12kit.display.pictures.style import CAUSES
from pkcs12kit.display.pictures.wording import inert
from pkcs12kit.display.timelines import Timeline
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABELS: Final = 200.0
_NOTES: Final = 190.0
_ROW: Final = 20.0
_BAR: Final = 12.0
_LEAST: Final = 1.5
_LONGEST: Final = timedelta(days=3_653)
"""The time that is drawn: ten years, because a root that ends in 30 years would leave no room for the others."""
_SHORTEST: Final = timedelta(days=30)
_PAST: Final = 12
"""The part of the drawing before its time where something has ended: one in so many."""
_LEGEND: Final = 12
"""Causes that are named; the others are counted."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class GanttRow:
    """A bar: one thing, or several that end for the same cause."""

    label: str
    """The name."""
    end: datetime | None
    """The first end; None where there is none."""
    cause: int | None = None
    """The number of its cause in the drawing, from 0."""
    wrong: str | None = None
    """A fault in a few words; None without one."""
    about: str = ""
    """More about it, for the tooltip."""

    @property
    def note(self) -> str:
        """The end, the number of the cause, and a mark if something is wrong."""
        parts = [] if self.end is None else [day(self.end)]
        parts += [] if self.cause is None else [f"[{self.cause + 1}]"]
        parts += [] if self.wrong is None else [f"✗ {self.wrong}"]
        return " ".join(parts)

    @property
    def sentence(self) -> str:
        """The row in words."""
        ends = "no end is known" if self.end is None else f"ends {day(self.end)}"
        cause = "" if self.cause is None else f" [{self.cause + 1}]"
        return f"{self.label}: {ends}{cause}{'' if self.wrong is None else f', {self.wrong}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gantt:
    """A drawing, without a form yet. Its texts may come from certificates and files."""

    title: str
    summary: str
    time: datetime
    """The time from which the bars go to their ends."""
    rows: tuple[GanttRow, ...]
    """The bars, in their order."""
    causes: tuple[str, ...]
    """The causes in words, by their numbers."""
    faults: tuple[str, ...] = ()
    """Sentences on what is wrong."""
    left_out: str | None = None
    """A sentence on bars that are not drawn; None without them."""

    def axis(self) -> Timeline:
        """Return the axis of time of the drawing."""
        ends = [row.end for row in self.rows if row.end is not None]
        after, before = _LAST - self.time, self.time - _FIRST
        span = min(max((end - self.time for end in ends), default=_SHORTEST), _LONGEST)
        span = min(max(span, _SHORTEST), after)
        past = span / _PAST if any(end < self.time for end in ends) else timedelta()
        past = min(max(past, _SHORTEST - span), before)
        return Timeline(begin=self.time - past, end=self.time + span, time=self.time, rows=())


def gantt_to_svg(gantt: Gantt, *, words: bool = True) -> str:
    """Return the drawing as SVG: the bars, and below them the causes. Without ``words`` it has no heading.

    It can be a file, or part of an HTML page with several pictures.
    """
    sheet = Sheet(inert(gantt.title), causes=True)
    legend = list(_legend(gantt))
    sheet.begin((gantt.summary, *(text for _, text in legend), *(row.sentence for row in gantt.rows)))
    if words:
        sheet.heading(gantt.summary)
    _draw_bars(sheet, gantt)
    for cause, text in legend:
        if cause is not None:
            y = sheet.y + NAME_LEADING - _BAR + 2
            sheet.bar(_colour(cause), MARGIN, MARGIN + _BAR, y, _BAR, least=_LEAST)
        sheet.lines(text, NAME_SIZE, "p12k-row", 0 if cause is None else 1.3)
    return sheet.text()


def _draw_bars(sheet: Sheet, gantt: Gantt) -> None:
    drawn = gantt.axis()
    left, wide = MARGIN + _LABELS, WIDTH - 2 * MARGIN - _LABELS - _NOTES
    top = sheet.y + NOTE_LEADING
    bottom = top + 8 + _ROW * len(gantt.rows)
    sheet.ticks(drawn, left, wide, top, bottom)
    y = top + 8
    for row in gantt.rows:
        (label,) = wrapped(" ".join(inert(row.label).split()), _LABELS - 10, NAME_SIZE, lines=1)
        add_text(sheet.root, label, MARGIN, y + _BAR + 2, "p12k-row", size=NAME_SIZE)
        (note,) = wrapped(inert(row.note), _NOTES, NOTE_SIZE, lines=1)
        x = _draw_row(sheet, row, drawn, (left, wide), y + (_ROW - _BAR) / 2)
        name = "p12k-note p12k-halo" if row.wrong is None else "p12k-note p12k-halo p12k-wrong"
        add_text(sheet.root, note, x + 6, y + _BAR + 2, name, size=NOTE_SIZE)
        y += _ROW
    sheet.now(drawn, left, wide, top, bottom)


def _draw_row(sheet: Sheet, row: GanttRow, drawn: Timeline, place: tuple[float, float], y: float) -> float:
    """Draw a bar from the time to the end, dashed where that is past, and return where it ends on the right."""
    left, wide = place
    now = left + drawn.share(drawn.time or drawn.begin) * wide
    end = now if row.end is None else left + drawn.share(row.end) * wide
    if row.end is None or end < now:
        shape = sheet.line("p12k-gap", min(end, now), y + _BAR / 2, max(end, now) + 2 * _LEAST, y + _BAR / 2)
    else:
        shape = sheet.bar(_colour(row.cause), now, end, y, _BAR, least=_LEAST)
    fill(SubElement(shape, "title"), inert(". ".join(filter(None, (row.sentence, row.about)))))
    return max(end, now)


def _legend(gantt: Gantt) -> Iterator[tuple[int | None, str]]:
    """Yield the causes, each with its number from 0, the faults, and how many are not named or drawn."""
    for number, text in enumerate(gantt.causes[:_LEGEND]):
        yield number, f"[{number + 1}] {text}"
    if len(gantt.causes) > _LEGEND:
        yield None, f"and {counted(len(gantt.causes) - _LEGEND, 'more cause')}"
    yield from ((None, f"✗ {fault}") for fault in gantt.faults[:_LEGEND])
    if gantt.left_out is not None:
        yield None, gantt.left_out


def _colour(cause: int | None) -> str:
    return "p12k-other" if cause is None or cause >= len(CAUSES) else f"p12k-{CAUSES[cause]}"
