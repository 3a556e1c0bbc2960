"""Notes on certificates: oddities that do not change the answer of path validation.

A note is found in one certificate, without its path. It names a field or an extension and the clause that asks for
something else, and never the certificate: the caller knows which one it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

_OCTETS: Final = 20


class NoteRule(Enum):
    """The closed list of notes. The value is what ``--json`` prints."""

    ENCODING_ERROR = "encoding-error"
    """The certificate is not DER, and was read in spite of it."""
    SERIAL_NUMBER_NOT_POSITIVE = "serial-number-not-positive"
    SERIAL_NUMBER_TOO_LONG = "serial-number-too-long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One oddity of a certificate, which is not a reason to refuse it."""

    rule: NoteRule
    """Which of the rules the certificate does not keep."""
    why: str
    """One sentence, safe to print, which does not name the certificate."""
    source: str
    """The clause of a standard: ``RFC 5280 section 4.1.2.2``."""

    def to_json(self) -> dict[str, str]:
        """Return the values for ``--json``: rule, why, source."""
        return {"rule": self.rule.value, "why": self.why, "source": self.source}


def on_encoding(error: str | None) -> Iterator[Note]:
    """Yield a note on the encoding error that was found; None for none."""
    if error is not None:
        why = f"its encoding is not DER: {harmless(error)}"
        yield Note(rule=NoteRule.ENCODING_ERROR, why=why, source="RFC 5280 section 4.1")


def on_serial_number(number: int) -> Iterator[Note]:
    """Yield the notes on a serial number."""
    clause = "RFC 5280 section 4.1.2.2"
    if number <= 0:
        sign = "zero" if number == 0 else "negative"
        yield Note(
            rule=NoteRule.SERIAL_NUMBER_NOT_POSITIVE, why=f"its serial number is {sign}, not positive", source=clause
        )
    octets = number.bit_length() // 8 + 1
    if octets > _OCTETS:
        yield Note(
            rule=NoteRule.SERIAL_NUMBER_TOO_LONG,
            why=f"its serial number has {octets} octets, more than {_OCTETS}",
            source=clause,
        )
