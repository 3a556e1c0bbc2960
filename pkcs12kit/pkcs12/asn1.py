"""The boundary to asn1crypto: BER becomes DER within a budget, and its errors become ours.

asn1crypto has no types, and damaged input makes it raise many kinds of errors.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pkcs12kit.certificates.lenient import UNREADABLE, contents_of, encode_element, encoding_of
from pkcs12kit.errors import MalformedPfxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.budget import WorkBudget

Asn1Value: TypeAlias = Any
"""A value of one of asn1crypto's classes."""

_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_INDEFINITE: Final = b"\x80"
_END_OF_CONTENTS: Final = b"\x00\x00"
_OCTET_STRING: Final = 0x04
_OBJECT_IDENTIFIER: Final = 0x06
_SEQUENCE: Final = 0x30
_CONTEXT_0: Final = 0xA0
# X.690 section 8.7.3: the identifier octets of strings in pieces, OCTET STRING and BMPString.
_IN_PIECES: Final = frozenset({0x24, 0x3E})
# RFC 5652 section 8: EncryptedContentInfo is a type, an algorithm and the ciphertext, [0] IMPLICIT OCTET STRING.
_ENCRYPTED_CONTENT_INFO: Final = (_OBJECT_IDENTIFIER, _SEQUENCE, _CONTEXT_0)


@contextmanager
def reading(part: str) -> Iterator[None]:
    """Raise :class:`~pkcs12kit.errors.MalformedPfxError` for any error of asn1crypto, whose text could hold secrets."""
    try:
        yield
    except UNREADABLE:
        raise MalformedPfxError(f"not a PKCS#12 file, or a damaged one: cannot read {part}") from None


def load(spec: Asn1Value, data: bytes, budget: WorkBudget) -> Asn1Value:
    """Parse all of ``data``, in DER or BER, as asn1crypto's class ``spec``.

    Raises :class:`ValueError` if something follows, and as asn1crypto does; and
    :class:`~pkcs12kit.errors.LimitExceededError` for too many elements.
    """
    encoding, end = definite(data, budget)
    if end != len(data):
        raise ValueError("bytes after the end of the structure")
    return spec.load(encoding, strict=True)


def absent(value: Asn1Value) -> bool:
    """Return True if an OPTIONAL field is absent."""
    from asn1crypto.core import Void

    return isinstance(value, Void)


def within_tag(value: Asn1Value) -> bytes:
    """Return the encoding of a value without the explicit tag around it. Its type may be unknown."""
    return contents_of(encoding_of(value))


def definite(data: bytes, budget: WorkBudget) -> tuple[bytes, int]:
    """Return the first element of ``data`` with definite lengths and strings in one piece, and its length in ``data``.

    An element in DER is returned unchanged. Raises :class:`ValueError` for bytes that are not BER, or for a tag number
    above 30, which a PFX never has; :class:`~pkcs12kit.errors.LimitExceededError` for too many elements, or too deep
    nesting.
    """
    end, rewritten = _Rewriter(data, budget).element(0, len(data), 1)
    return data[:end] if rewritten is None else rewritten, end


def is_one_sequence(data: bytes) -> bool:
    """Return True if ``data`` is one SEQUENCE and nothing else, judged only by its first and last octets."""
    from asn1crypto.parser import _parse

    if data[:1] != bytes([_SEQUENCE]):
        return False
    if data[1:2] == _INDEFINITE:
        return data.endswith(_END_OF_CONTENTS)
    try:
        return bool(_parse(data, len(data), lengths_only=True)[1] == len(data))
    except ValueError:
        return False


class _Child(NamedTuple):
    start: int
    end: int
    rewritten: bytes | None


class _Rewriter:
    """A conversion of one encoding. An element that does not change is None, which saves a copy of it."""

    def __init__(self, data: bytes, budget: WorkBudget) -> None:
        self._data = data
        self._budget = budget

    def element(self, start: int, limit: int, depth: int, *, pieces_of: int | None = None) -> tuple[int, bytes | None]:
        """Return the end of the element at ``start``, and its new encoding. It has to end by ``limit``.

        ``pieces_of`` is the identifier octet of the pieces of a string that has its own tag (X.690 section 8.14.3).
        """
        from asn1crypto.parser import _parse

        self._budget.element(depth)
        data = self._data
        octet = data[start] if start < limit else 0
        if octet & _LONG_TAG == _LONG_TAG:
            raise ValueError("a tag number above 30")
        if octet in _IN_PIECES:
            pieces_of = octet & ~_CONSTRUCTED
        indefinite = data[start + 1 : start + 2] == _INDEFINITE and octet & _CONSTRUCTED
        contents, end = (start + 2, limit) if indefinite else _parse(data, limit, start, lengths_only=True)
        if not octet & _CONSTRUCTED:
            return end, None
        children = self._children(contents, end, depth + 1, indefinite=bool(indefinite))
        if indefinite:
            end = (children[-1][1] if children else contents) + len(_END_OF_CONTENTS)
            if end > limit:
                raise ValueError("end-of-contents octets outside their element")
        if pieces_of is not None:
            return end, encode_element(octet & ~_CONSTRUCTED, *self._pieces(children, pieces_of))
        if not indefinite and all(rewritten is None for _, _, rewritten in children):
            return end, None
        return end, encode_element(octet, *self._encodings(children))

    def _children(self, position: int, limit: int, depth: int, *, indefinite: bool) -> list[_Child]:
        data = self._data
        children: list[_Child] = []
        octets: list[int] = []
        while data[position : position + 2] != _END_OF_CONTENTS if indefinite else position < limit:
            octets.append(data[position] if position < limit else 0)
            encrypted_content = len(octets) == len(_ENCRYPTED_CONTENT_INFO) and tuple(octets) == _ENCRYPTED_CONTENT_INFO
            end, rewritten = self.element(
                position, limit, depth, pieces_of=_OCTET_STRING if encrypted_content else None
            )
            children.append(_Child(position, end, rewritten))
            position = end
        return children

    def _encodings(self, children: list[_Child]) -> Iterator[bytes]:
        for start, end, rewritten in children:
            yield self._data[start:end] if rewritten is None else rewritten

    def _pieces(self, children: list[_Child], octet: int) -> Iterator[bytes]:
        from asn1crypto.parser import _parse

        for encoding in self._encodings(children):
            if encoding[0] != octet:
                raise ValueError("a string in pieces of another type (X.690 section 8.7.3.2)")
            contents, end = _parse(encoding, len(encoding), 0, lengths_only=True)
            yield encoding[contents:end]
