"""Notes on certificates: oddities that do not change the answer of path validation.

A note is found in one certificate, without its path. It names a field or an extension and the clause that asks for
something else, and never the certificate: the caller knows which one it is.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.der import read_encoded_extensions
from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.certificates.extensions import FIELDS
from pkcs12kit.certificates.lenient import UNREADABLE, first_line, read_structure, split_name
from pkcs12kit.certificates.names import attribute_label
from pkcs12kit.certificates.strings import misfit, read_text
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import counted, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.extensions import ExtensionFault
    from pkcs12kit.certificates.lenient import EncodedExtension

_OCTETS: Final = 20
_SHOWN_AT_MOST: Final = 200
# RFC 5280 appendix A.1: the least and the most characters.
_LENGTHS: Final = {
    "2.5.4.3": (1, 64),
    "2.5.4.5": (1, 64),
    "2.5.4.6": (2, 2),
    "2.5.4.7": (1, 128),
    "2.5.4.8": (1, 128),
    "2.5.4.10": (1, 64),
    "2.5.4.11": (1, 64),
    "2.5.4.12": (1, 64),
    "1.2.840.113549.1.9.1": (1, 255),
}


class NoteRule(Enum):
    """The closed list of notes. The value is what ``--json`` prints."""

    ENCODING_ERROR = "encoding-error"
    """The certificate is not DER, and was read in spite of it."""
    SERIAL_NUMBER_NOT_POSITIVE = "serial-number-not-positive"
    SERIAL_NUMBER_TOO_LONG = "serial-number-too-long"
    UNFIT_STRING = "unfit-string"
    """A string in the subject or issuer has octets that its type does not allow."""
    ATTRIBUTE_LENGTH = "attribute-length"
    """An attribute of the subject or issuer is longer or shorter than RFC 5280 allows."""
    UNREADABLE_EXTENSION = "unreadable-extension"
    """An extension that validation does not need could not be read, or not all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One oddity of a certificate, which is not a reason to refuse it."""

    rule: NoteRule
    """Which of the rules the certificate does not keep."""
    why: str
    """One sentence, safe to print, which does not name the certificate."""

    @property
    def source(self) -> str:
        """The clause of a standard: ``RFC 5280 section 4.1.2.2``."""
        from pkcs12kit.certificates.lint.rules import RULES

        return RULES[self.rule.value].source

    def to_json(self) -> dict[str, str]:
        """Return the values for ``--json``: rule, why, source."""
        return {"rule": self.rule.value, "why": self.why, "source": self.source}


def notes_on(
    der: bytes, serial_number: int, encoding_error: str | None, faults: tuple[ExtensionFault, ...] | None
) -> tuple[Note, ...]:
    """Return the notes on a certificate that was read.

    ``faults`` are those of its extensions; None if they cannot be read: the certificate is refused then, with the
    reason, and the notes are those on its other fields.
    """
    structure = read_structure(der)
    names = {structure.issuer: "issuer", structure.subject: "subject"}  # once, where both have the same octets
    of_names = [note for name, field in names.items() for note in _on_name(field, name)]
    of_number = tuple(_on_serial_number(serial_number))
    explained = of_number or any(note.rule is NoteRule.UNFIT_STRING for note in of_names)
    of_extensions: tuple[Note, ...] = ()
    if faults is not None:
        with suppress(MalformedCertificateError):
            of_extensions = tuple(_on_extensions(read_encoded_extensions(der), faults))
    return (*(() if explained else _on_encoding(encoding_error)), *of_number, *of_names, *of_extensions)


def _on_encoding(error: str | None) -> Iterator[Note]:
    """Yield a note on the encoding error that was found; None for none."""
    if error is not None:
        why = f"its encoding is not DER: {harmless(error)}"
        yield Note(rule=NoteRule.ENCODING_ERROR, why=why)


def _on_serial_number(number: int) -> Iterator[Note]:
    """Yield the notes on a serial number."""
    if number <= 0:
        sign = "zero" if number == 0 else "negative"
        yield Note(rule=NoteRule.SERIAL_NUMBER_NOT_POSITIVE, why=f"its serial number is {sign}, not positive")
    octets = (number if number >= 0 else ~number).bit_length() // 8 + 1
    if octets > _OCTETS:
        yield Note(
            rule=NoteRule.SERIAL_NUMBER_TOO_LONG,
            why=f"its serial number has {octets} octets, more than {_OCTETS}",
        )


def _on_name(field: str, encoding: bytes) -> Iterator[Note]:
    """Yield the notes on the attributes of an encoded name; ``field`` is subject or issuer."""
    for oid, tag, contents in split_name(encoding):
        which = f"{attribute_label(oid)} of its {field}"
        why = misfit(tag, contents)
        if why is not None:
            yield Note(rule=NoteRule.UNFIT_STRING, why=f"{which} {why}")
        least, most = _LENGTHS.get(oid, (0, len(contents)))
        text = read_text(tag, contents)
        if text is not None and not least <= len(text) <= most:
            allowed = f"{least} are allowed" if least == most else f"{least} to {most} are allowed"
            yield Note(
                rule=NoteRule.ATTRIBUTE_LENGTH,
                why=f"{which} has {counted(len(text), 'character')}; {allowed}",
            )


def _on_extensions(extensions: Iterable[EncodedExtension], faults: Iterable[ExtensionFault]) -> Iterator[Note]:
    """Yield the notes on extensions that are not needed and could not be read."""
    reasons = {fault.oid: fault for fault in faults}
    for extension in extensions:
        fault = reasons.get(extension.oid)
        why = _structural_fault(extension) if fault is None else fault.why
        if why is not None:
            how = "in full" if fault is not None and not fault.is_lost else "and is ignored"
            yield Note(
                rule=NoteRule.UNREADABLE_EXTENSION,
                why=f"its extension {extension_label(extension.oid)} cannot be read {how}: {why}",
            )


def _structural_fault(extension: EncodedExtension) -> str | None:
    """Return why the value of an extension is not DER, as far as asn1crypto knows it; None where it is."""
    from asn1crypto import core, parser, x509

    if extension.oid in FIELDS:
        return None  # decoded already
    try:
        parser.parse(extension.value, strict=True)
        spec = x509.Extension.load(extension.encoding)["extn_value"].parsed
        _ = None if isinstance(spec, core.Any) else spec.native
    except UNREADABLE as error:
        return harmless(first_line(error), longest=_SHOWN_AT_MOST)
    return None
