"""Blocks of a drawing and their sizes: boxes of nodes, labels of certificates, columns."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.wording import label, marks, serial, standing

if TYPE_CHECKING:
    from pkcs12kit.display.pictures.folding import Column, Row
    from pkcs12kit.display.pictures.picture import PictureEdge, PictureNode

_NARROW: Final = frozenset(" ijl'|.,:;!I[]()/\\ftr-")
_WIDE: Final = frozenset("mwMW@%…—")
_BOLD: Final = 1.13
_BROAD: Final = range(0x900, 0x1D00)
"""Scripts of India and South-East Asia, with letters twice as wide as Latin ones."""
_LAST_SURE: Final = 0xFFFF


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return an upper estimate of the width of a line, in the unit of ``size``."""
    return sum(map(_width, text)) * size * (_BOLD if bold else 1)


def is_sure(text: str) -> bool:
    """Return True if :func:`width_of` holds for any font. It may not for historic scripts such as cuneiform."""
    return all(ord(char) <= _LAST_SURE or unicodedata.east_asian_width(char) in {"W", "F"} for char in text)


def wrapped(text: str, width: float, size: float, *, lines: int, bold: bool = False) -> list[str]:
    """Return a text as at most ``lines`` lines, broken between words if possible; ``…`` stands for the rest."""
    broken: list[str] = []
    line = ""
    for word in _pieces(text, width, size, bold=bold):
        if line and width_of(line + word.rstrip(), size, bold=bold) > width:
            broken.append(line.rstrip())
            line = ""
        line += word
    broken.append(line.rstrip())
    if len(broken) <= lines:
        return broken
    last = broken[lines - 1]
    while last and width_of(f"{last}…", size, bold=bold) > width:
        last = last[:-1]
    return [*broken[: lines - 1], f"{last.rstrip()}…"]


def _pieces(text: str, width: float, size: float, *, bold: bool) -> list[str]:
    """Return the pieces of a text between which a line may end: words, or parts of words wider than a line."""
    pieces = []
    piece = ""
    for char in text:
        if piece and width_of(piece + char, size, bold=bold) > width:
            pieces.append(piece)
            piece = ""
        piece += char
        if char in " ,":
            pieces.append(piece)
            piece = ""
    return [*pieces, piece] if piece else pieces


def _width(char: str) -> float:
    if char in _NARROW:
        return 0.42
    if char in _WIDE:
        return 1.02
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    if not char.isascii():  # a ligature is as wide as its letters: U+FDFD as eighteen
        return 1.02 * len(unicodedata.normalize("NFKC", char)) * (2 if ord(char) in _BROAD else 1)
    if char.isupper() or not char.isalnum():
        return 0.8
    return 0.65


NAME_SIZE: Final = 12.0
NOTE_SIZE: Final = 10.5
NAME_LEADING: Final = 15.0
NOTE_LEADING: Final = 13.0
PADDING: Final = 8.0
INDENT: Final = 18.0
_NAME_WIDTH: Final = 190.0
_NAME_LINES: Final = 4
_LEAST: Final = 84.0
_COLUMN: Final = 268.0
_ROW_GAP: Final = 6.0
_ROW_LINES: Final = 2
ASIDE: Final = "No trust anchor leads to these:"


@dataclass(frozen=True, slots=True)
class NodeBlock:
    """A box with the name of a node and its notes."""

    node: PictureNode
    own: tuple[PictureEdge, ...]
    """The self-signed certificates of the node."""
    name: tuple[str, ...]
    notes: tuple[str, ...]
    width: float
    height: float

    @classmethod
    def of(cls, node: PictureNode, own: tuple[PictureEdge, ...]) -> NodeBlock:
        """Return the measured box of a node."""
        name = wrapped(label(node), _NAME_WIDTH, NAME_SIZE, lines=_NAME_LINES, bold=True)
        notes = marks(node, own)
        widths = [width_of(line, NAME_SIZE, bold=True) for line in name]
        widths += [width_of(note, NOTE_SIZE) for note in notes]
        height = NAME_LEADING * len(name) + NOTE_LEADING * len(notes) + 2 * PADDING
        return cls(node, own, tuple(name), tuple(notes), max(_LEAST, *widths) + 2 * PADDING, height)


@dataclass(frozen=True, slots=True)
class CertificateBlock:
    """A label on an edge: the serial number and the state of the certificate."""

    edge: PictureEdge
    lines: tuple[str, ...]
    width: float
    height: float

    @classmethod
    def of(cls, edge: PictureEdge) -> CertificateBlock:
        """Return the measured label of a certificate, wide enough for bold type."""
        lines = (serial(edge), standing(edge))
        width = max(width_of(line, NOTE_SIZE, bold=True) for line in lines)
        return cls(edge, lines, width + PADDING, NOTE_LEADING * len(lines) + PADDING / 2)


@dataclass(frozen=True, slots=True)
class RowBlock:
    """A row of a column: its position, its name, and a line for each certificate."""

    row: Row
    name: tuple[str, ...]
    notes: tuple[str, ...]
    """The notes of the node itself."""
    top: float
    left: float

    @property
    def middle(self) -> float:
        """The vertical middle of the name's first line."""
        return self.top + NAME_LEADING * 0.55

    @property
    def height(self) -> float:
        """The height of the row, with the space below it."""
        lines = len(self.row.edges) + len(self.notes)
        return NAME_LEADING * len(self.name) + NOTE_LEADING * lines + _ROW_GAP


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """A column: rows one below the other, indented by their depth."""

    column: Column
    rows: tuple[RowBlock, ...]
    width: float
    height: float

    @classmethod
    def of(cls, column: Column, own: dict[str, tuple[PictureEdge, ...]]) -> ColumnBlock:
        """Return the measured rows of a column."""
        rows = []
        top = 2 * PADDING + (0 if column.parent is not None else NAME_LEADING)
        for row in column.rows:
            left = INDENT * (row.depth + 1)
            name = wrapped(label(row.node), _COLUMN - INDENT, NAME_SIZE, lines=_ROW_LINES)
            notes = marks(row.node, own.get(row.node.id, ()))
            block = RowBlock(row, tuple(name), tuple([", ".join(notes)] if notes else []), top, left)
            rows.append(block)
            top += block.height
        width = max(width_of(ASIDE, NOTE_SIZE), *(block.left + _width_of_row(block) for block in rows))
        return cls(column, tuple(rows), width, top)


def certificate_line(edge: PictureEdge) -> str:
    """Return the label of a certificate in one line, for a column."""
    return f"{serial(edge)}, {standing(edge)}"


def _width_of_row(block: RowBlock) -> float:
    widths = [width_of(line, NAME_SIZE) for line in block.name]
    widths += [width_of(line, NOTE_SIZE) for line in (*map(certificate_line, block.row.edges), *block.notes)]
    return max(widths)
