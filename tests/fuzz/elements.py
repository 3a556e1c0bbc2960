"""Encoded ASN.1 as a tree that a mutation can change: lengths are made right again when it is written."""

from __future__ import annotations

from dataclasses import dataclass

_CONSTRUCTED = 0x20
_OCTET_STRING = 0x04
_BIT_STRING = 0x03
_DEEPEST = 24


@dataclass
class Element:
    """One element: its identifier octet, and its contents as octets or as elements.

    ``prefix`` is what stands before the elements: the unused bits of a BIT STRING that holds an encoding.
    """

    tag: int
    contents: bytes | list[Element]
    prefix: bytes = b""

    def encode(self) -> bytes:
        """Write it in DER lengths."""
        contents = self.contents if isinstance(self.contents, bytes) else b"".join(map(Element.encode, self.contents))
        return der(self.tag, self.prefix + contents)

    def copy(self) -> Element:
        """Return another one that can be changed."""
        inner = self.contents if isinstance(self.contents, bytes) else [one.copy() for one in self.contents]
        return Element(self.tag, inner, self.prefix)


def der(tag: int, *parts: bytes) -> bytes:
    """Write one element from the encodings of its parts."""
    contents = b"".join(parts)
    size = len(contents)
    if size < 0x80:
        return bytes([tag, size]) + contents
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Split octets into the elements that they begin with, each with its header, and the rest."""
    found, position = [], 0
    while (end := _end(data, position)) is not None:
        found.append(data[position:end])
        position = end
    return found, data[position:]


def parse(data: bytes, depth: int = 0) -> list[Element] | None:
    """Parse octets that are elements and nothing else; None for others. Strings that hold elements are looked into."""
    parts, rest = split(data)
    if rest or not parts:
        return None
    return [_parse_one(part, depth) for part in parts]


def contents_of(encoding: bytes) -> bytes:
    """Return what stands behind the header of one element."""
    return encoding[_header(encoding, 0) :]


def _parse_one(encoding: bytes, depth: int) -> Element:
    tag, contents = encoding[0], contents_of(encoding)
    if depth < _DEEPEST:
        prefix = contents[:1] if tag == _BIT_STRING and contents[:1] == b"\0" else b""
        if tag & _CONSTRUCTED or tag == _OCTET_STRING or prefix:
            inner = parse(contents[len(prefix) :], depth + 1)
            if inner is not None:
                return Element(tag, inner, prefix)
    return Element(tag, contents)


def _header(data: bytes, position: int) -> int:
    return position + 2 + (data[position + 1] & 0x7F if data[position + 1] & 0x80 else 0)


def _end(data: bytes, position: int) -> int | None:
    """Return where the element at ``position`` ends; None where there is no whole one with a definite length."""
    if position + 2 > len(data) or data[position] & 0x1F == 0x1F:
        return None
    length, start = data[position + 1], position + 2
    if length & 0x80:
        start = _header(data, position)
        if length == 0x80 or start - position > 6 or start > len(data):
            return None
        length = int.from_bytes(data[position + 2 : start], "big")
    end = start + length
    return end if end <= len(data) else None
