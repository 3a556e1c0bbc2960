"""Pictures as SVG: one file without scripts and references, in the reader's light or dark theme.

Colours always come with a line style or a sign. Texts from certificates are made safe and escaped, and a page that
contains the picture finds no formula in them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from pkcs12kit.arguments import require_kind
from pkcs12kit.display.pictures import style, wording
from pkcs12kit.display.pictures.blocks import (
    ASIDE,
    INDENT,
    NAME_LEADING,
    NAME_SIZE,
    NOTE_LEADING,
    NOTE_SIZE,
    PADDING,
    CertificateBlock,
    ColumnBlock,
    NodeBlock,
    RowBlock,
    certificate_line,
    width_of,
    wrapped,
)
from pkcs12kit.display.pictures.elements import add_text, as_number, fill
from pkcs12kit.display.pictures.layout import lay_out
from pkcs12kit.display.pictures.picture import require_picture
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.text import NO_FORMULAS, as_references

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.display.pictures.layout import DrawnEdge, Layout, Leg, Placed
    from pkcs12kit.display.pictures.picture import Picture, PictureEdge, PictureNode

_MARGIN: Final = 20.0
_LEAST_WIDTH: Final = 520.0
_HEADING_SIZE: Final = 16.0
_HEADING_LEADING: Final = 21.0
_SAMPLE: Final = 40.0
_APART: Final = 4.0


def to_svg(picture: Picture, *, title: str | None = None, limits: Limits = DEFAULT_LIMITS) -> str:
    """Return a picture as SVG. ``title`` replaces the title of the picture.

    The same picture always gives the same text. It can be a file, or part of an HTML page with several pictures.
    """
    require_picture(picture, title)
    require_kind("limits", limits, Limits)
    return _Svg(picture, picture.title if title is None else title, limits).text()


class _Svg:
    """A drawing, built element by element."""

    def __init__(self, picture: Picture, title: str, limits: Limits) -> None:
        self._picture = picture
        self._title = wording.inert(title)
        self._nodes = {node.id: node for node in picture.nodes}
        self._layout: Layout = lay_out(picture, limits)
        self._width = max(self._layout.width, _LEAST_WIDTH) + 2 * _MARGIN
        self._root = Element(
            "svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "class": f"{style.ROOT} {NO_FORMULAS}"}
        )

    def text(self) -> str:
        """Return the whole drawing as text."""
        self._accessible()
        SubElement(self._root, "style").text = style.stylesheet()
        paper = SubElement(self._root, "rect", {"class": "p12k-paper", "width": "100%", "height": "100%"})
        top = self._heading()
        shift = (self._width - self._layout.width) / 2
        drawing = SubElement(self._root, "g", {"transform": f"translate({as_number(shift)} {as_number(top)})"})
        self._draw(drawing)
        bottom = self._legend(top + self._layout.height + 2 * PADDING)
        width, height = as_number(self._width), as_number(bottom + _MARGIN)
        self._root.attrib |= {"width": width, "height": height, "viewBox": f"0 0 {width} {height}"}
        paper.attrib |= {"width": width, "height": height}
        return as_references(tostring(self._root, encoding="unicode")) + "\n"

    def _accessible(self) -> None:
        """Add title and description for screen readers, with ids that differ between pictures on one page."""
        mark = hashlib.sha256(f"{self._picture!r}{self._title}".encode("utf-8", "backslashreplace")).hexdigest()[:12]
        fill(SubElement(self._root, "title", {"id": f"p12k-{mark}-title"}), self._title)
        fill(SubElement(self._root, "desc", {"id": f"p12k-{mark}-desc"}), _description(self._picture, self._nodes))
        self._root.set("aria-labelledby", f"p12k-{mark}-title p12k-{mark}-desc")

    def _heading(self) -> float:
        y = _MARGIN + _HEADING_SIZE
        width = self._width - 2 * _MARGIN
        for line in wrapped(self._title, width, _HEADING_SIZE, lines=3, bold=True):
            add_text(self._root, line, _MARGIN, y, "p12k-heading", size=_HEADING_SIZE, bold=True)
            y += _HEADING_LEADING
        for line in wrapped(wording.summary(self._picture), width, NAME_SIZE, lines=3):
            add_text(self._root, line, _MARGIN, y, "p12k-row", size=NAME_SIZE)
            y += NAME_LEADING
        return y + PADDING

    def _draw(self, drawing: Element) -> None:
        for trunk in self._layout.trunks:
            SubElement(drawing, "path", {"class": "p12k-line", "d": _path(trunk)})
        # The most important edges are drawn last, above the others.
        for edge in sorted(self._layout.edges, key=lambda one: -list(style.CLASSES).index(one.edge.state)):
            self._edge(drawing, edge)
        for column in self._layout.columns:
            self._column(drawing, column)
        for node in self._layout.nodes:
            self._node(drawing, node)

    def _edge(self, drawing: Element, drawn: DrawnEdge) -> None:
        group = self._certificate(drawing, drawn.edge)
        for leg in (drawn.upper, drawn.lower):
            for name in ("p12k-hit", "p12k-line"):
                SubElement(group, "path", {"class": name, "d": _path(leg)})
        x, y = drawn.upper.points[0] if drawn.upwards else drawn.lower.points[-1]
        back = 9 if drawn.upwards else -9
        arrow = f"M{as_number(x)} {as_number(y)}l-5 {back}h10z"
        SubElement(group, "path", {"class": "p12k-arrow", "d": arrow})
        block = drawn.label.block
        if isinstance(block, CertificateBlock):
            pill = SubElement(group, "g", {"class": "p12k-pill"})
            _rectangle(pill, drawn.label, "", radius=9)
            for number, line in enumerate(block.lines, start=1):
                y = drawn.label.top + NOTE_LEADING * number
                add_text(pill, line, drawn.label.x, y, "", size=NOTE_SIZE, middle=True)

    def _node(self, drawing: Element, placed: Placed) -> None:
        block = placed.block
        if not isinstance(block, NodeBlock):
            return
        group = SubElement(drawing, "g", _node_class(block.node))
        fill(SubElement(group, "title"), wording.about_node(block.node, block.own))
        _rectangle(group, placed, "p12k-box", radius=5)
        y = placed.top + PADDING - 3
        for line in block.name:
            y += NAME_LEADING
            add_text(group, line, placed.x, y, "p12k-name", size=NAME_SIZE, bold=True, middle=True)
        for line in block.notes:
            y += NOTE_LEADING
            add_text(group, line, placed.x, y, "p12k-note", size=NOTE_SIZE, middle=True)

    def _column(self, drawing: Element, placed: Placed) -> None:
        block = placed.block
        if not isinstance(block, ColumnBlock):
            return
        group = SubElement(drawing, "g", {"transform": f"translate({as_number(placed.left)} {as_number(placed.top)})"})
        for left, top, bottom in _stems(block, hangs=block.column.parent is not None):
            SubElement(
                group, "path", {"class": "p12k-line", "d": f"M{as_number(left)} {as_number(top)}V{as_number(bottom)}"}
            )
        if block.column.parent is None:
            add_text(group, ASIDE, 0, NAME_LEADING, "p12k-note", size=NOTE_SIZE)
        for row in block.rows:
            self._row(group, row)

    def _row(self, column: Element, block: RowBlock) -> None:
        node = block.row.node
        y = block.top - 3
        name = SubElement(column, "g", _node_class(node))
        own = [edge for edge in self._picture.edges if edge.is_self_signed and edge.subject == node.id]
        fill(SubElement(name, "title"), wording.about_node(node, own))
        for line in block.name:
            y += NAME_LEADING
            add_text(name, line, block.left, y, "p12k-row", size=NAME_SIZE)
        for line in block.notes:
            y += NOTE_LEADING
            add_text(name, line, block.left, y, "p12k-note", size=NOTE_SIZE)
        for number, edge in enumerate(block.row.edges):
            group = self._certificate(column, edge)
            at = block.middle + _APART * (number - (len(block.row.edges) - 1) / 2)
            line = f"M{as_number(block.left - INDENT / 2)} {as_number(at)}h{as_number(INDENT / 2 - 3)}"
            for kind in ("p12k-hit", "p12k-line"):
                SubElement(group, "path", {"class": kind, "d": line})
            y += NOTE_LEADING
            add_text(group, certificate_line(edge), block.left, y, "p12k-note", size=NOTE_SIZE)

    def _certificate(self, parent: Element, edge: PictureEdge) -> Element:
        group = SubElement(parent, "g", {"class": style.CLASSES[edge.state]})
        about = wording.about_edge(edge, self._nodes[edge.issuer], self._nodes[edge.subject])
        fill(SubElement(group, "title"), about)
        return group

    def _legend(self, y: float) -> float:
        """Draw the legend of the lines and signs that occur, in rows as wide as the picture. Return its lower end."""
        x, y = _MARGIN, y + NAME_LEADING
        for state in wording.states(self._picture):
            label = f"{wording.LEGEND[state]}: {sum(edge.state is state for edge in self._picture.edges):,}"
            x, y = self._next(x, y, _SAMPLE + width_of(label, NOTE_SIZE, bold=True))
            group = SubElement(self._root, "g", {"class": style.CLASSES[state]})
            SubElement(
                group,
                "path",
                {"class": "p12k-line", "d": f"M{as_number(x)} {as_number(y - 4)}h{as_number(_SAMPLE - 8)}"},
            )
            add_text(group, label, x + _SAMPLE, y, "p12k-note", size=NOTE_SIZE)
            x += _SAMPLE + width_of(label, NOTE_SIZE, bold=True) + 2 * PADDING
        for label in wording.node_legend(self._picture):
            x, y = self._next(x, y, width_of(label, NOTE_SIZE))
            add_text(self._root, label, x, y, "p12k-note", size=NOTE_SIZE)
            x += width_of(label, NOTE_SIZE) + 2 * PADDING
        return y

    def _next(self, x: float, y: float, wide: float) -> tuple[float, float]:
        return (x, y) if x + wide <= self._width - _MARGIN or x == _MARGIN else (_MARGIN, y + NAME_LEADING + 2)


def _stems(block: ColumnBlock, *, hangs: bool) -> Iterable[tuple[float, float, float]]:
    """Return the vertical lines of a column: from its top and from each row down to the last of its children."""
    open_rows: list[tuple[float, float]] = [(INDENT / 2, 0.0)] if hangs else [(INDENT / 2, -1.0)]
    last: dict[tuple[float, float], float] = {}
    for row in block.rows:
        del open_rows[row.row.depth + 1 :]
        if row.row.edges:
            last[open_rows[row.row.depth]] = row.middle
        open_rows.append((row.left + INDENT / 2, row.top + row.height - PADDING / 2))
    return [(left, top, bottom) for (left, top), bottom in last.items() if top >= 0]


def _node_class(node: PictureNode) -> dict[str, str]:
    names = [
        name
        for name, holds in (
            ("p12k-anchor", node.is_trust_anchor),
            ("p12k-target", node.is_target),
            ("p12k-missing", node.is_missing),
        )
        if holds
    ]
    return {"class": " ".join(["p12k-node", *names])}


def _description(picture: Picture, nodes: dict[str, PictureNode]) -> str:
    """Return a description for screen readers: the size of the picture, its states, and the best path."""
    lines = [wording.summary(picture)]
    for state in wording.states(picture):
        count = sum(edge.state is state for edge in picture.edges)
        lines.append(f"{state.value}: {count:,}")
    best = [edge for edge in picture.edges if edge.state.name == "CHOSEN"]
    lines += [f"{wording.label(nodes[edge.subject])} by {wording.label(nodes[edge.issuer])}" for edge in best]
    return ". ".join(lines)


def _path(leg: Leg) -> str:
    """Return the path data of a line: straight within layers, curved between them."""
    (x, y), *rest = leg.points
    parts = [f"M{as_number(x)} {as_number(y)}"]
    for to_x, to_y in rest:
        if as_number(to_x) == as_number(x):
            if parts[-1].startswith("V"):
                parts.pop()
            parts.append(f"V{as_number(to_y)}")
        else:
            middle = (y + to_y) / 2
            points = (x, middle, to_x, middle, to_x, to_y)
            parts.append(f"C{' '.join(map(as_number, points))}")
        x, y = to_x, to_y
    return "".join(parts)


def _rectangle(parent: Element, placed: Placed, name: str, *, radius: int) -> None:
    attributes = {
        "x": as_number(placed.left),
        "y": as_number(placed.top),
        "width": as_number(placed.block.width),
        "height": as_number(placed.block.height),
        "rx": str(radius),
    }
    SubElement(parent, "rect", attributes | ({"class": name} if name else {}))
