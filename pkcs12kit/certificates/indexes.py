"""An index of thousands of certificates by subject, which prepares only the names that may match.

Preparing a name for comparison (RFC 5280 section 7.1) takes far longer than reading the certificate that holds it. So
subjects are first grouped by the last octets of their encoding, which end the value of their last attribute. Where
these octets are graphic ASCII with single spaces at most, preparation (RFC 4518) changes only their case: everything
that it drops, replaces or joins stands before them. Subjects that match therefore have the same *ending*, or have no
ending. The names without an ending are always prepared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.der import read_outline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name

    _Unprepared: TypeAlias = list[list[Certificate]]  # those of one encoded subject together
    _Prepared: TypeAlias = dict[Name, list[Certificate]]

# The longer one separates more names, the shorter one fits more. A value must be as long: otherwise its header would be
# part of the ending.
_ENDINGS: Final = (12, 4)
_GRAPHIC: Final = bytes(range(0x20, 0x7F))
# BMPString, primitive and constructed: two octets a character, which may look like ASCII. UniversalString has four, the
# first of them NUL.
_WIDE_STRINGS: Final = (b"\x1e", b"\x3e")
_LONG_FORM: Final = 0x80


class SubjectIndex:
    """An index of certificates by subject, safe to share between threads: each gets the same results."""

    __slots__ = ("_by_ending", "_by_name")

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        by_encoding: dict[bytes, list[Certificate]] = {}
        without_ending: list[list[Certificate]] = []
        for certificate in certificates:
            outline = read_outline(certificate.der) if certificate.encoding_error is None else None
            if outline is None:
                without_ending.append([certificate])
            else:
                by_encoding.setdefault(bytes(outline.tbs_certificate.subject.data), []).append(certificate)
        self._by_ending: dict[bytes, _Unprepared | _Prepared] = {}
        for encoding, found in by_encoding.items():
            ending = _ending(encoding)
            same_ending = without_ending if ending is None else self._by_ending.setdefault(ending, [])
            same_ending.append(found)  # type: ignore[union-attr]  # nothing is prepared yet
        self._by_name = _prepare(without_ending)

    def find(self, name: Name) -> list[Certificate]:
        """Return the certificates whose subject matches ``name`` (RFC 5280 section 7.1)."""
        matching = list(self._by_name.get(name, ()))
        for ending in _endings(name):
            same_ending = self._by_ending.get(ending)
            if isinstance(same_ending, list):
                same_ending = self._by_ending[ending] = _prepare(same_ending)
            if same_ending is not None:
                matching += same_ending.get(name, ())
        return matching


def _prepare(unprepared: _Unprepared) -> _Prepared:
    prepared: _Prepared = {}
    for found in unprepared:
        prepared.setdefault(found[0].subject, []).extend(found)
    return prepared


def _ending(encoding: bytes) -> bytes | None:
    """Return the ending of an encoded name, prepared; None where preparing its last value may change more than case."""
    for length in _ENDINGS:
        last = encoding[-length:]
        if len(last) == length and not (last.translate(None, _GRAPHIC) or last.endswith(b" ") or b"  " in last):
            return None if _may_end_in_wide_string(encoding) else last.lower().lstrip()
    return None


def _may_end_in_wide_string(encoding: bytes) -> bool:
    """Return True if the last value may be a wide string: the octet after such a tag is the length of the rest."""
    for tag in _WIDE_STRINGS:
        position = encoding.find(tag)
        while position >= 0:
            left = len(encoding) - position - 2
            if left > 0 and (encoding[position + 1] == left or encoding[position + 1] >= _LONG_FORM):
                return True
            position = encoding.find(tag, position + 1)
    return False


def _endings(name: Name) -> set[bytes]:
    """Return the endings that encodings of ``name`` can have: any attribute of the last set may be encoded last."""
    key = name.comparison_key
    if not key:
        return set()
    attributes = key[-1] if isinstance(key[-1], frozenset) else {key[-1]}
    values = [value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for _, value in attributes]
    return {value[-length:].lower().lstrip() for value in values for length in _ENDINGS}
