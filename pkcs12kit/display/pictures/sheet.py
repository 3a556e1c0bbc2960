"""The sheet of pictures along an axis of time: heading, lines of text, ticks, description for screen readers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from pkcs12kit.display.pictures import style
from pkcs12kit.display.pictures.blocks import NAME_LEADING, NAME_SIZE, NOTE_LEADING, NOTE_SIZE, width_of, wrapped
from pkcs12kit.display.pictures.elements import add_text, as_number, fill
from pkcs12kit.display.pictures.wording import inert
from pkcs12kit.text import NO_FORMULAS, as_references
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.display.timelines import Timeline

WIDTH: Final = 760.0
MARGIN: Final = 20.0
HEADING_SIZE: Final = 16.0
_TICK: Final = 70


class Sheet:
    """A drawing, built from the top to the bottom; ``y`` is the place reached."""

    def __init__(self, title: str, *, causes: bool = False) -> None:
        self.title = title
        self.y = MARGIN
        classes = f"{style.ROOT}-timeline {NO_FORMULAS}"
        self.root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "class": classes})
        self._causes = causes

    def begin(self, sentences: Iterable[str]) -> None:
        """Add title and description for screen readers, with ids that differ between pictures on one page; styles."""
        described = ". ".join(sentence.removesuffix(".") for sentence in sentences)
        mark = hashlib.sha256(f"{self.title}{described}".encode("utf-8", "backslashreplace")).hexdigest()[:12]
        fill(SubElement(self.root, "title", {"id": f"p12k-{mark}-title"}), self.title)
        fill(SubElement(self.root, "desc", {"id": f"p12k-{mark}-desc"}), inert(described))
        self.root.set("aria-labelledby", f"p12k-{mark}-title p12k-{mark}-desc")
        SubElement(self.root, "style").text = style.stylesheet(timeline=True, causes=self._causes)
        self._paper = SubElement(self.root, "rect", {"class": "p12k-paper"})
        fonts = {"font-family": 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif'}
        self.root.attrib |= fonts

    def heading(self, sentence: str) -> None:
        """Add the title and a sentence below it."""
        self.lines(self.title, HEADING_SIZE, "p12k-heading", bold=True)
        self.lines(sentence, NAME_SIZE, "p12k-row")
        self.y += NAME_LEADING / 2

    def lines(self, text: str, size: float, name: str, level: float = 0, *, bold: bool = False) -> None:
        """Add a text, in as many lines as it takes, up to four."""
        left = MARGIN + 14 * level
        leading = {HEADING_SIZE: 21.0, NAME_SIZE: NAME_LEADING}.get(size, NOTE_LEADING)
        bold = bold or name == "p12k-name"
        for line in wrapped(inert(text), WIDTH - MARGIN - left, size, lines=4, bold=bold):
            self.y += leading
            add_text(self.root, line, left, self.y, name, size=size, bold=bold)

    def ticks(self, drawn: Timeline, left: float, wide: float, top: float, bottom: float) -> None:
        """Add the first days of months or years, at the top of lines that go down to ``bottom``."""
        for time, label in drawn.ticks(int(wide // _TICK)):
            x = left + drawn.share(time) * wide
            half = width_of(label, NOTE_SIZE) / 2
            place = min(max(x, left + half), left + wide - half)
            add_text(self.root, label, place, top, "p12k-note", size=NOTE_SIZE, middle=True)
            self.line("p12k-tick", x, top + 4, x, bottom)

    def now(self, drawn: Timeline, left: float, wide: float, top: float, bottom: float) -> None:
        """Add the time that the drawing is about, if it is within it."""
        if drawn.time is not None:
            x = left + drawn.share(drawn.time) * wide
            self.line("p12k-now", x, top + 4, x, bottom + 6)
            label = f"▲ {format_time(drawn.time)[:10]}"
            half = width_of(label, NOTE_SIZE) / 2
            place = min(max(x, left + half), left + wide - half)
            add_text(self.root, label, place, bottom + 6 + NOTE_LEADING, "p12k-note", size=NOTE_SIZE, middle=True)
        self.y = bottom + 14 + NOTE_LEADING

    def bar(self, name: str, x: float, to_x: float, y: float, height: float, *, least: float) -> Element:
        """Add a filled bar of at least the width ``least``, and return it."""
        place = {"x": as_number(x), "y": as_number(y), "height": as_number(height)}
        width = as_number(max(to_x - x, least))
        return SubElement(self.root, "rect", {"class": name, **place, "width": width, "rx": "2"})

    def line(self, name: str, x: float, y: float, to_x: float, to_y: float) -> Element:
        """Add a line, and return it."""
        line = f"M{as_number(x)} {as_number(y)}L{as_number(to_x)} {as_number(to_y)}"
        return SubElement(self.root, "path", {"class": name, "d": line})

    def text(self) -> str:
        """Return the whole drawing as text."""
        width, height = as_number(WIDTH), as_number(self.y + MARGIN)
        self.root.attrib |= {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}
        self._paper.attrib |= {"width": width, "height": height}
        return as_references(tostring(self.root, encoding="unicode")) + "\n"
