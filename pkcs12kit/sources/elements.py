"""The elements of encoded ASN.1, split in bounded time and memory for any bytes.

asn1crypto's parser parses each element, but not the input on which it is slow: tags above 30, whose number it builds in
quadratic time, and long elements of indefinite length, whose end it finds in Python.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGE_TAG: Final = 0x1F
_INDEFINITE: Final = b"\x80"
_END_OF_CONTENTS: Final = b"\x00\x00"
# The bytes before the certificates of a PKCS#7 in BER are under 100.
_INDEFINITE_BYTES: Final = 16 * 1024
_INDEFINITE_SIBLINGS: Final = 8
_FIRST_WINDOW: Final = 4 * 1024


class Asn1Element(NamedTuple):
    """One element of BER or DER."""

    tag: int
    """The identifier octet: class, constructed or primitive, number (X.690 section 8.1.2)."""
    contents: bytes
    """The bytes after the header; for an indefinite length all that follow, and :func:`elements` finds the end."""
    encoding: bytes | None
    """Header and contents; None for an indefinite length, which DER does not allow."""


def elements(data: bytes) -> Iterator[Asn1Element]:
    """Yield the elements of ``data``. Raises :class:`ValueError` at the first that is cut short or not BER."""
    position = indefinite = 0
    while position < len(data) and data[position : position + 2] != _END_OF_CONTENTS:
        tag = data[position]
        if tag & _LARGE_TAG == _LARGE_TAG:
            raise ValueError("a tag number above 30")
        if data[position + 1 : position + 2] == _INDEFINITE:
            indefinite += 1
            if indefinite > _INDEFINITE_SIBLINGS:
                raise ValueError(f"more than {_INDEFINITE_SIBLINGS} elements of indefinite length")
            yield Asn1Element(tag, data[position + 2 :], None)
            position += _indefinite_length(data[position : position + _INDEFINITE_BYTES])
        else:
            element = _definite(tag, data, position)
            yield element
            position += len(element.encoding or b"")


def children(element: Asn1Element, at_most: int = 10) -> tuple[Asn1Element, ...]:
    """Return the elements in the contents of an element, up to the first that cannot be parsed."""
    found = []
    try:
        for child in islice(elements(element.contents), at_most):
            found.append(child)  # noqa: PERF402 - those before an error are kept
    except ValueError:
        pass
    return tuple(found)


def _definite(tag: int, data: bytes, position: int) -> Asn1Element:
    """Parse one element in a growing window, so that not all following bytes are copied for each element."""
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
            return Asn1Element(tag, contents, header + contents)


def _indefinite_length(piece: bytes) -> int:
    from asn1crypto import parser

    length: int = parser.peek(piece)
    return length
