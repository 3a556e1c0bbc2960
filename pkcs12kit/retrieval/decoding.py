"""The content of a response, piece by piece, whatever it was compressed with: no piece is ever large."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

from pkcs12kit.limits import KIB
from pkcs12kit.retrieval.unanswered import UnansweredError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE: Final = 64 * KIB
_GZIP: Final = 16 + zlib.MAX_WBITS
_IDENTITY: Final = frozenset({"", "identity"})
_TOKENS: Final = re.compile(r"[a-z0-9, -]{1,40}")
_ZLIB_METHOD: Final = 8  # RFC 1950 section 2.2; raw deflate, which some servers send, begins otherwise


class Decoder:
    """Undo a Content-Encoding: gzip or deflate (RFC 9110 section 8.4.1), or none.

    Raises :class:`UnansweredError` for any other, here, and for data that is not what its header says, in the methods.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in {*_IDENTITY, "gzip", "x-gzip", "deflate"}:
            shown = name if _TOKENS.fullmatch(name) else "a name that is none"
            raise UnansweredError(f"in an encoding that was not asked for: {shown}")
        self.compressed = name not in _IDENTITY
        self._deflate = name == "deflate"
        self._inflater = zlib.decompressobj(_GZIP) if self.compressed and not self._deflate else None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give the content of some more bytes, in pieces of at most 64 KiB."""
        if not self.compressed:
            yield data
            return
        if self._inflater is None:
            raw = data[0] & 0x0F != _ZLIB_METHOD
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
        while data:
            if self._inflater.eof:
                raise UnansweredError("more follows the end of its compressed content")
            try:
                piece = self._inflater.decompress(data, _PIECE)
            except zlib.error:
                raise UnansweredError("not compressed as its header says") from None
            if piece:
                yield piece
            data = self._inflater.unconsumed_tail or self._inflater.unused_data

    def finish(self) -> None:
        """Raise unless the compressed content came to its end."""
        if self.compressed and (self._inflater is None or not self._inflater.eof):
            raise UnansweredError("its compressed content is cut short", passing=True)
