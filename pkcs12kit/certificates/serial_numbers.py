"""Serial numbers as text (RFC 5280 section 4.1.2.2)."""

from __future__ import annotations

from typing import Final

from pkcs12kit.text import without_middle

# RFC 5280 section 4.1.2.2 allows 20 octets, the first bit of which is the sign. Python writes integers of up to 4,300
# digits as decimal text, in quadratic time, and raises ValueError beyond that.
_DECIMAL_BITS: Final = 20 * 8
_SHOWN: Final = 50  # characters: 20 octets take 49 digits
_ENDS: Final = 20


def serial_number_text(number: int) -> str:
    """Return a serial number as text: decimal up to 20 octets, longer ones in hexadecimal after ``0x``."""
    return str(number) if number.bit_length() <= _DECIMAL_BITS else hex(number)


def serial_number_label(number: int) -> str:
    """Return ``#`` and a serial number, for messages: without its middle where it is longer than RFC 5280 allows."""
    return f"#{without_middle(serial_number_text(number), longest=_SHOWN, ends=_ENDS)}"
