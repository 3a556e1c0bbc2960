"""How wide text will be, without a font at hand: as in a wide one (DejaVu Sans), so that any other has room."""

from __future__ import annotations

import unicodedata
from typing import Final

_NARROW: Final = frozenset(" ijl'|.,:;!I[]()/\\ftr-")
_WIDE: Final = frozenset("mwMW@%…—")
_BOLD: Final = 1.13
_BROAD: Final = range(0x900, 0x1D00)
"""Writings of India and South-East Asia, with letters twice as wide as Latin ones."""
_LAST_SURE: Final = 0xFFFF


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate the width of a line, in the unit of ``size``, from above."""
    return sum(map(_width, text)) * size * (_BOLD if bold else 1)


def is_sure(text: str) -> bool:
    """Whether :func:`width_of` holds whatever the font; of old writings, cuneiform for one, only a font knows."""
    return all(ord(char) <= _LAST_SURE or unicodedata.east_asian_width(char) in {"W", "F"} for char in text)


def wrapped(text: str, width: float, size: float, *, lines: int, bold: bool = False) -> list[str]:
    """Break a text into at most ``lines`` lines of at most ``width``, between words where it can be; ``…`` for more."""
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
    """Cut between words, and words that are wider than a line after a comma, or anywhere."""
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
    if not char.isascii():  # a ligature is as wide as what it stands for: U+FDFD as eighteen letters
        return 1.02 * len(unicodedata.normalize("NFKC", char)) * (2 if ord(char) in _BROAD else 1)
    if char.isupper() or not char.isalnum():
        return 0.8
    return 0.65
