"""A structural mutator: each element of an ASN.1 encoding replaced in turn by each of some dozens of hostile elements.

Lengths around the element are made to fit, so that what comes out is sound in every other respect, and gets past the
readers that would refuse a random change at once. What OCTET STRINGs and BIT STRINGs hold is taken apart too, where it
is ASN.1: the values of extensions, public keys, the contents of PKCS#12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asn1crypto import parser

if TYPE_CHECKING:
    from collections.abc import Iterator

_OCTET_STRING, _BIT_STRING = 0x04, 0x03
_UNUSED_BITS = b"\0"
_LONGEST_LEAF = 400
"""Octets of a string that is not ASN.1 beyond which a part of it is not looked for: signatures, ciphertexts."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """Encode an element with the shortest length."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def _nested(depth: int) -> bytes:
    element = b""
    for _ in range(depth):
        element = tlv(0x30, element)
    return element


HOSTILE = {
    "removed": b"",
    # of other types, and values that they do not have
    "NULL": tlv(5),
    "NULL with contents": tlv(5, b"\0"),
    "BOOLEAN": tlv(1, b"\xff"),
    "BOOLEAN 1": tlv(1, b"\x01"),
    "BOOLEAN without contents": tlv(1),
    "INTEGER without contents": tlv(2),
    "INTEGER -1": tlv(2, b"\xff"),
    "INTEGER 0": tlv(2, b"\0"),
    "INTEGER 2^31": tlv(2, b"\0\x80\0\0\0"),
    "INTEGER 2^63": tlv(2, b"\0\x80", bytes(7)),
    "INTEGER padded": tlv(2, b"\0\0\1"),
    "INTEGER of 3,000 octets": tlv(2, b"\x01" * 3000),
    "INTEGER of 3,000 octets, negative": tlv(2, b"\x81" * 3000),
    "ENUMERATED 99": tlv(10, b"\x63"),
    "REAL": tlv(9, b"\x80\0\1"),
    "BIT STRING without contents": tlv(3),
    "BIT STRING, empty": tlv(3, b"\0"),
    "BIT STRING with 8 unused bits": tlv(3, b"\x08\0"),
    "BIT STRING, long": tlv(3, b"\0", b"\xff" * 200),
    "OCTET STRING, empty": tlv(4),
    "OCTET STRING, long": tlv(4, b"\xab" * 500),
    "OBJECT IDENTIFIER without contents": tlv(6),
    "OBJECT IDENTIFIER cut off": tlv(6, b"\x2a\x86"),
    "OBJECT IDENTIFIER, unknown": tlv(6, bytes.fromhex("2a8648ce3dff7f")),
    "OBJECT IDENTIFIER with an arc of 2,100 bits": tlv(6, b"\x2a", b"\xff" * 300, b"\x7f"),
    "OBJECT IDENTIFIER padded": tlv(6, b"\x2a\x80\x01"),
    # texts
    "UTF8String that is not UTF-8": tlv(12, b"\xff\xfe"),
    "UTF8String of half a surrogate pair": tlv(12, b"\xed\xa0\x80"),
    "UTF8String with a NUL": tlv(12, b"a\0b"),
    "UTF8String that steers a terminal": tlv(12, b"\x1b[2J\xe2\x80\xae<b>$x$"),
    "UTF8String, empty": tlv(12),
    "UTF8String, long": tlv(12, b"a" * 3000),
    "BMPString of 3 octets": tlv(30, b"abc"),
    "BMPString of half a surrogate pair": tlv(30, b"\xd8\0\0A"),
    "UniversalString of 5 octets": tlv(28, b"abcde"),
    "UniversalString beyond Unicode": tlv(28, b"\x7f\xff\xff\xff"),
    "PrintableString with other characters": tlv(19, b"*@\xe9\0"),
    "TeletexString": tlv(20, b"\xe9\0"),
    "IA5String beyond ASCII": tlv(22, b"\xe9"),
    "VisibleString with controls": tlv(26, b"\x01\xff"),
    "NumericString of letters": tlv(18, b"x"),
    # times
    "UTCTime of the 13th month": tlv(23, b"991332000000Z"),
    "UTCTime without contents": tlv(23),
    "UTCTime without seconds": tlv(23, b"9901010000Z"),
    "GeneralizedTime of the year 0": tlv(24, b"00000101000000Z"),
    "GeneralizedTime of the year 1": tlv(24, b"00010101000000Z"),
    "GeneralizedTime before the year 1": tlv(24, b"00010101000000+2359"),
    "GeneralizedTime of the year 9999": tlv(24, b"99991231235959Z"),
    "GeneralizedTime with a fraction": tlv(24, b"20200101000000.123Z"),
    "GeneralizedTime of no zone": tlv(24, b"20200101000000"),
    "GeneralizedTime with a leap second": tlv(24, b"20161231235960Z"),
    # structures
    "SEQUENCE, empty": tlv(0x30),
    "SEQUENCE of indefinite length": b"\x30\x80\0\0",
    "SEQUENCE 200 deep": _nested(200),
    "SET, empty": tlv(0x31),
    "SET of the same twice": tlv(0x31, tlv(5), tlv(5)),
    "[0], primitive": tlv(0x80),
    "[0], constructed": tlv(0xA0),
    "[0] of an OBJECT IDENTIFIER": tlv(0xA0, tlv(6, b"\x2a")),
    "[1] of text": tlv(0x81, b"x"),
    "[2] of text beyond ASCII": tlv(0x82, b"\xff\0x"),
    "[3], constructed": tlv(0xA3, tlv(0x30)),
    "[4], an empty name": tlv(0xA4, tlv(0x30)),
    "[6], no URL": tlv(0x86, b"http://[\xff"),
    "[6] that steers a terminal": tlv(0x86, b"http://\x1b[2J/\0"),
    "[7], no address": tlv(0x87, b"abcde"),
    "[8], no OBJECT IDENTIFIER": tlv(0x88, b"\x80"),
    "a tag of two octets": b"\x1f\x81\x01\x00",
    "a private tag": tlv(0xC1, b"x"),
}


@dataclass(eq=False, slots=True)
class Element:
    """One element of an encoding, with the elements in it; ``prefix`` stands before these in a BIT STRING."""

    tag: int
    contents: bytes
    parts: tuple[Element, ...] | None = None
    prefix: bytes = b""

    @classmethod
    def parse(cls, encoding: bytes) -> Element:
        """Take an encoding apart. Raises :class:`ValueError` for one that is not DER."""
        _, is_constructed, number, _, contents, trailer = parser.parse(encoding, strict=True)
        if trailer or number > 30:
            raise ValueError("an indefinite length, or a tag of several octets")
        tag = encoding[0]
        if is_constructed:
            return cls(tag, contents, _parse_all(contents))
        prefix = {_OCTET_STRING: b"", _BIT_STRING: _UNUSED_BITS}.get(tag)
        if prefix is not None and contents.startswith(prefix):
            try:
                parts = _parse_all(contents[len(prefix) :])
            except ValueError:
                parts = ()
            if parts and not (len(contents) > _LONGEST_LEAF and parts[0].parts is None):
                return cls(tag, contents, parts, prefix)
        return cls(tag, contents)

    def encode(self, replaced: Element | None = None, by: bytes = b"") -> bytes:
        """Encode it, with ``by`` in place of the element ``replaced``."""
        if self is replaced:
            return by
        if self.parts is None:
            return tlv(self.tag, self.contents)
        return tlv(self.tag, self.prefix, *(part.encode(replaced, by) for part in self.parts))

    def walk(self, path: str = "") -> Iterator[tuple[str, Element]]:
        """List the elements, each with its place: ``0.4.1`` is the second part of the fifth part of the first."""
        yield path, self
        for number, part in enumerate(self.parts or ()):
            yield from part.walk(f"{path}.{number}".lstrip("."))

    def at(self, path: str) -> Element:
        """Find the element at a place."""
        element = self
        for number in path.split(".") if path else ():
            element = (element.parts or ())[int(number)]
        return element


def replaced(encoding: bytes, path: str, by: bytes) -> bytes:
    """Return an encoding with another element at a place, and lengths that fit."""
    root = Element.parse(encoding)
    return root.encode(root.at(path), by)


class Mutants:
    """All that one encoding becomes when one of its elements is replaced, each with a description of the change.

    They are made one by one, when they are asked for.
    """

    def __init__(self, encoding: bytes) -> None:
        self._root = Element.parse(encoding)
        self._changes = [
            (f"{path or 'all'}: {name}", element, other)
            for path, element in self._root.walk()
            for own in (element.encode(),)
            for name, other in (*HOSTILE.items(), *_misshapen(element, own))
            if other != own
        ]

    def __len__(self) -> int:
        return len(self._changes)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return self.some(len(self))

    def some(self, count: int, *, start: int = 0) -> Iterator[tuple[str, bytes]]:
        """List so many of them, about, spread over all elements and all values."""
        step = max(len(self) // count, 1)
        while step > 1 and any(len(HOSTILE) % prime == step % prime == 0 for prime in (2, 3, 5, 7)):
            step += 1  # otherwise an element would meet the same few values as the next
        for name, element, other in self._changes[start::step]:
            yield name, self._root.encode(element, other)


def _misshapen(element: Element, own: bytes) -> Iterator[tuple[str, bytes]]:
    """List what an element becomes when something is wrong with its own shape."""
    contents = own[len(own) - len(element.contents) :] if element.contents else b""
    yield "twice", own + own
    yield "primitive for constructed", bytes([own[0] ^ 0x20]) + own[1:]
    yield "without contents", tlv(element.tag)
    yield "one octet less", tlv(element.tag, contents[:-1])
    yield "half of it", tlv(element.tag, contents[: len(contents) // 2])
    yield "one octet more", tlv(element.tag, contents, b"\0")
    yield "one element more", tlv(element.tag, contents, tlv(5))
    yield "one octet before it", tlv(element.tag, b"\xff", contents)
    yield "3,000 octets of its type", tlv(element.tag, b"1" * 3000)
    yield "a length of one more", own[:1] + bytes([(own[1] + 1) & 0x7F]) + own[2:]
    yield "a length of 4 GiB", own[:1] + b"\x84\xff\xff\xff\xff" + own[2:]


def _parse_all(contents: bytes) -> tuple[Element, ...]:
    parts = []
    while contents:
        size = parser.peek(contents)
        parts.append(Element.parse(contents[:size]))
        contents = contents[size:]
    return tuple(parts)
