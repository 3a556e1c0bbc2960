"""DER encodings put together by asn1crypto's emitter, so that the tests can make objects that no library writes."""

from __future__ import annotations

from asn1crypto import core, parser

UNIVERSAL, CONTEXT = 0, 2
NULL = core.Null().dump()
TRUE = core.Boolean(True).dump()  # noqa: FBT003  # asn1crypto's own signature


def sequence(*parts):
    """Return a SEQUENCE of encoded parts."""
    return parser.emit(UNIVERSAL, 1, 16, b"".join(parts))


def set_of(*parts):
    """Return a SET of encoded parts, in the given order."""
    return parser.emit(UNIVERSAL, 1, 17, b"".join(parts))


def explicit(number, *parts):
    """Return a constructed value with a context-specific tag."""
    return parser.emit(CONTEXT, 1, number, b"".join(parts))


def implicit(number, contents=b""):
    """Return a primitive value with a context-specific tag."""
    return parser.emit(CONTEXT, 0, number, contents)


def integer(number):
    """Return an INTEGER."""
    return core.Integer(number).dump()


def enumerated(number):
    """Return an ENUMERATED."""
    return parser.emit(UNIVERSAL, 0, 10, bytes([number]))


def octets(contents):
    """Return an OCTET STRING."""
    return core.OctetString(contents).dump()


def bits(contents, unused=0):
    """Return a BIT STRING of whole octets, the last of which has ``unused`` bits."""
    return parser.emit(UNIVERSAL, 0, 3, bytes([unused]) + contents)


def named_bits(*numbers):
    """Return the contents of a named BIT STRING of up to 16 bits, without trailing zeros (X.690 section 11.2.2)."""
    if not numbers:
        return b"\0"
    value = sum(1 << (15 - number) for number in set(numbers))
    last = max(numbers)
    return bytes([7 - last % 8]) + value.to_bytes(2, "big")[: last // 8 + 1]


def named_bit_string(*numbers):
    """Return a named BIT STRING."""
    return parser.emit(UNIVERSAL, 0, 3, named_bits(*numbers))


def oid(dotted):
    """Return an OBJECT IDENTIFIER."""
    return core.ObjectIdentifier(dotted).dump()


def general_time(moment):
    """Return a GeneralizedTime in whole seconds; ``moment`` is UTC."""
    return parser.emit(UNIVERSAL, 0, 24, moment.strftime("%Y%m%d%H%M%SZ").encode())


def time(moment):
    """Return a Time: UTCTime before the year 2050 (RFC 5280 section 4.1.2.5)."""
    if moment.year >= 2050:
        return general_time(moment)
    return parser.emit(UNIVERSAL, 0, 23, moment.strftime("%y%m%d%H%M%SZ").encode())


def name(common_name):
    """Return a Name of one organization and a common name."""
    attributes = (("2.5.4.10", "Example"), ("2.5.4.3", common_name))
    return sequence(*(set_of(sequence(oid(kind), core.UTF8String(value).dump())) for kind, value in attributes))
