"""Certificates by subject, for thousands of them: only the names that may match a name looked up are ever prepared.

Preparing a name for comparison (RFC 5280 section 7.1) takes far longer than reading the certificate that holds it. So
subjects are first sorted by the last octets of their encoding, which end the value of their last attribute. Where
these are graphic ASCII with single spaces at most, preparation (RFC 4518) changes nothing in them but the case: what
it drops, replaces or joins stands before them. Subjects that match therefore share such an *ending*, or have none, and
those that have none are prepared.
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

# The longer tells more names apart, the shorter fits more. A value must be as long, or its header is in the ending.
_ENDINGS: Final = (12, 4)
_GRAPHIC: Final = bytes(range(0x20, 0x7F))
# BMPString, primitive and constructed: two octets a character, which may look like ASCII. UniversalString has four, the
# first of them NUL.
_WIDE_STRINGS: Final = (b"\x1e", b"\x3e")
_LONG_FORM: Final = 0x80


class SubjectIndex:
    """Certificates by subject, safe to share between threads: what a name brings to light is the same for each."""

    __slots__ = ("_by_ending", "_by_name")

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        by_encoding: dict[bytes, list[Certificate]] = {}
        without_ending: list[list[Certificate]] = []
        for certificate in certificates:
            outline = read_outline(certificate.der) if certificate.encoding_slip is None else None
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
        """Certificates whose subject matches ``name`` (RFC 5280 section 7.1)."""
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
    """Give the end of an encoded name, prepared; None where preparing its last value may change more than the case."""
    for length in _ENDINGS:
        last = encoding[-length:]
        if len(last) == length and not (last.translate(None, _GRAPHIC) or last.endswith(b" ") or b"  " in last):
            return None if _may_end_in_wide_string(encoding) else last.lower().lstrip()
    return None


def _may_end_in_wide_string(encoding: bytes) -> bool:
    """Whether the last value might have such a tag: its length is then what follows, or takes several octets."""
    for tag in _WIDE_STRINGS:
        position = encoding.find(tag)
        while position >= 0:
            left = len(encoding) - position - 2
            if left > 0 and (encoding[position + 1] == left or encoding[position + 1] >= _LONG_FORM):
                return True
            position = encoding.find(tag, position + 1)
    return False


def _endings(name: Name) -> set[bytes]:
    """Give the endings that encodings of ``name`` can have: any attribute of the last set may stand last in it."""
    key = name.comparison_key
    if not key:
        return set()
    attributes = key[-1] if isinstance(key[-1], frozenset) else {key[-1]}
    values = [value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for _, value in attributes]
    return {value[-length:].lower().lstrip() for value in values for length in _ENDINGS}
