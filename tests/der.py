"""DER made by hand, so that an object can hold what no library writes (X.690)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"


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
