"""Splitting encoded ASN.1 into its elements: bounded in time and memory, whatever the bytes.

asn1crypto's parser reads each element. What it would need too long for on hostile input is kept from it: tags above 30,
whose number it builds in quadratic time, and long elements of indefinite length, whose end it finds in Python.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGE_TAG: Final = 0x1F
_INDEFINITE: Final = b"\x80"
_END_OF_CONTENTS: Final = b"\x00\x00"
# What stands before the certificates of a PKCS#7 in BER takes under 100 bytes.
_INDEFINITE_BYTES: Final = 16 * 1024
_INDEFINITE_SIBLINGS: Final = 8
_FIRST_WINDOW: Final = 4 * 1024


class Element(NamedTuple):
    """One element of BER or DER."""

    tag: int
    """The identifier octet: class, constructed or primitive, number (X.690 section 8.1.2)."""
    contents: bytes
    """Without the header. Where the length is indefinite, all that follows: :func:`elements` knows where to stop."""
    encoding: bytes | None
    """Header and contents; None where the length is indefinite, which is never DER."""


def elements(data: bytes) -> Iterator[Element]:
    """Split ``data`` lazily. Raises :class:`ValueError` at the first element that is cut short or no BER."""
    position = indefinite = 0
    while position < len(data) and data[position : position + 2] != _END_OF_CONTENTS:
        tag = data[position]
        if tag & _LARGE_TAG == _LARGE_TAG:
            raise ValueError("a tag number above 30")
        if data[position + 1 : position + 2] == _INDEFINITE:
            indefinite += 1
            if indefinite > _INDEFINITE_SIBLINGS:
                raise ValueError(f"more than {_INDEFINITE_SIBLINGS} elements of indefinite length")
            yield Element(tag, data[position + 2 :], None)
            position += _indefinite_length(data[position : position + _INDEFINITE_BYTES])
        else:
            element = _definite(tag, data, position)
            yield element
            position += len(element.encoding or b"")


def children(element: Element, at_most: int = 10) -> tuple[Element, ...]:
    """Split the contents of an element, up to where they can be split."""
    found = []
    try:
        for child in islice(elements(element.contents), at_most):
            found.append(child)  # noqa: PERF402 - what was found before the error is wanted
    except ValueError:
        pass
    return tuple(found)


def _definite(tag: int, data: bytes, position: int) -> Element:
    """Parse one element in a window that grows with it: many elements then cost no copy of all that follows each."""
    from asn1crypto import parser

    window = _FIRST_WINDOW
    while True:
        piece = data[position : position + window]
        try:
            _, _, _, header, contents, _ = parser.parse(piece)
        except ValueError:
            if position + window >= len(data):
                raise
            window *= 16
        else:
            return Element(tag, contents, header + contents)


def _indefinite_length(piece: bytes) -> int:
    from asn1crypto import parser

    length: int = parser.peek(piece)
    return length
