"""Elements of SVG images: texts in which no page finds a formula, and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import SubElement

from pkcs12kit.display.pictures.blocks import is_sure, width_of
from pkcs12kit.text import as_references, formula_pieces

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def add_text(
    parent: Element, text: str, x: float, y: float, name: str, *, size: float, bold: bool = False, middle: bool = False
) -> None:
    """Add a line of text, at the room that :func:`~pkcs12kit.display.pictures.blocks.width_of` reserves for it."""
    attributes = {"x": as_number(x), "y": as_number(y)}
    if name:
        attributes["class"] = name
    if middle:
        attributes["text-anchor"] = "middle"
    if not is_sure(text):  # fitted to the reserved width
        attributes |= {"textLength": as_number(width_of(text, size, bold=bold)), "lengthAdjust": "spacingAndGlyphs"}
    fill(SubElement(parent, "text", attributes), text)


def fill(parent: Element, text: str) -> None:
    """Put a text into an element; characters that could delimit a formula go into elements of their own."""
    last = None
    for piece in formula_pieces(text):
        if as_references(piece) != piece:
            last = SubElement(parent, "tspan")
            last.text = piece
        elif last is None:
            parent.text = piece
        else:
            last.tail = piece


def as_number(value: float) -> str:
    """Return a number to a tenth of a pixel, in as few characters as possible."""
    return f"{value:z.1f}".removesuffix(".0")  # z: without -0, which differs between Python versions
