"""DER made by hand, so that an object can hold what no library writes (X.690)."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.lenient import contents_of, split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"
SURPLUS: Final = b"\x8a\x01x"


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one value with its tag and length."""
    body = b"".join(contents)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def sequence(*items: bytes) -> bytes:
    """Return a SEQUENCE; empty items are absent OPTIONAL fields."""
    return tlv(0x30, *items)


def set_of(*items: bytes) -> bytes:
    """Return a SET OF in the given order."""
    return tlv(0x31, *items)


def with_surplus(encoding: bytes, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Yield the encoding with an element more at the end of each structure in it, and the place of that structure.

    A place is the numbers of the elements on the way to it, each below the one before. OCTET STRINGs that hold one
    SEQUENCE are structures as well. All lengths are right.
    """
    tag, contents = encoding[0], contents_of(encoding)
    is_structure = bool(tag & 0x20)
    if tag == 0x04 and contents[:1] == b"\x30":
        with suppress(ValueError):
            is_structure = bool(contents_of(contents))
    if not is_structure:
        return
    yield path, tlv(tag, contents, SURPLUS)
    elements = list(split(contents))
    for number, element in enumerate(elements):
        for place, longer in with_surplus(element, (*path, number)):
            yield place, tlv(tag, *elements[:number], longer, *elements[number + 1 :])


def integer(number: int) -> bytes:
    """Return an INTEGER."""
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def enumerated(number: int) -> bytes:
    """Return an ENUMERATED."""
    return tlv(0x0A, bytes([number]))


def octets(*contents: bytes) -> bytes:
    """Return an OCTET STRING."""
    return tlv(0x04, *contents)


def bit_string(contents: bytes, unused: int = 0) -> bytes:
    """Return a BIT STRING of octets, the last of which has ``unused`` bits."""
    return tlv(0x03, bytes([unused]), contents)


def named_bits(*numbers: int, tag: int = 0x03) -> bytes:
    """Return a BIT STRING of named bits, without trailing zeros (X.690 section 11.2.2)."""
    return tlv(tag, named_bits_contents(*numbers))


def named_bits_contents(*numbers: int) -> bytes:
    """Return the contents of such a BIT STRING."""
    if not numbers:
        return b"\0"
    last = max(numbers)
    value = bytearray(last // 8 + 1)
    for number in numbers:
        value[number // 8] |= 0x80 >> number % 8
    return bytes([7 - last % 8]) + bytes(value)


def explicit(number: int, *contents: bytes) -> bytes:
    """Return a constructed value with a context-specific tag: EXPLICIT, or IMPLICIT of a SEQUENCE's contents."""
    return tlv(0xA0 | number, *contents)


def implicit(number: int, contents: bytes = b"") -> bytes:
    """Return a primitive value with a context-specific tag."""
    return tlv(0x80 | number, contents)


def oid(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    encoded = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number & 0x7F]
        remainder = number >> 7
        while remainder:
            groups.append(remainder & 0x7F | 0x80)
            remainder >>= 7
        encoded += bytes(reversed(groups))
    return tlv(0x06, bytes(encoded))


def utc_time(moment: datetime) -> bytes:
    """Return a UTCTime (years before 2050)."""
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def generalized_time(moment: datetime) -> bytes:
    """Return a GeneralizedTime."""
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def time(moment: datetime) -> bytes:
    """Return a Time: UTCTime before the year 2050 (RFC 5280 section 4.1.2.5)."""
    return utc_time(moment) if moment.year < 2050 else generalized_time(moment)


def utf8(text: str) -> bytes:
    """Return a UTF8String."""
    return tlv(0x0C, text.encode())
