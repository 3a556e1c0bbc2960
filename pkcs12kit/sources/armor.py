"""The lines and the base64 of PEM text, as programs and people leave them (RFC 7468 section 2).

Markers are found in any case, with too few dashes or typographic ones, indented, quoted, on one line with other text,
or with a word that is misspelled. Base64 is decoded strictly; only where that fails, what mail, JSON, HTML and URLs put
into it is removed, one after the other. So a text has one reading, and a sound block has its usual one.
"""

from __future__ import annotations

import binascii
import html
import quopri
import re
from heapq import merge
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHITE_SPACE: Final = b" \t\r\n\v\f"
_DASHES: Final = b"----"
_LINE_CHARACTERS: Final = 80
"""The longest label, with what may stand around it: 64 characters and some."""
_LABEL: Final = (
    rb"(?:[A-Z0-9#./]{1,16}[ \t_]{1,2}){0,3}?(?:"
    rb"CERTIFICATE[ \t_]{1,2}REVOCATION[ \t_]{1,2}LIST|CERTIFICATE(?:[ \t_]{1,2}(?:REQUEST|PAIR|CHAIN))?|CERTIFICATES"
    rb"|(?:X\.?509[ \t_]{1,2})?CRL|OCSP[ \t_]{1,2}RESPONSE|CMS|PFX|P12"
    rb"|PKCS[ \t_]?#?[ \t_]?(?:7|12)(?:[ \t_]{1,2}SIGNED[ \t_]{1,2}DATA)?"
    rb"|(?:PRIVATE|PUBLIC)[ \t_]{1,2}KEY|[A-Z]{2,3}[ \t_]{1,2}PARAMETERS)"
)
_KNOWN: Final = re.compile(_LABEL, re.IGNORECASE)
_STRONG: Final = re.compile(
    rb"(?<!-)-{4,}+[ \t]{0,8}(?:(?P<usual>(?:BEGIN|END) (?P<label>[A-Z0-9#. /]{1,64}?)(?=--))"
    rb"|(?i:(?P<word>END|BEGIN(?![\s_]{0,8}--))[\s_]{0,8}"
    rb"|(?P<odd>[^\r\n-]{0,64}?(?:CERTIFICATE|PKCS|X509 CRL)[^\r\n-]{0,24})--))"
)
"""The form of RFC 7468; one with other dashes, letters or spaces; one without a readable word."""
_WEAK: Final = re.compile(
    rb"(?<!----)(?<!----[ \t])(BEGIN|END)[ \t]{1,4}(?=" + _LABEL + rb"[ \t]{0,8}-{0,8}[ \t]{0,8}$)", re.MULTILINE
)
"""After fewer dashes, if it is in capital letters and alone in its line."""
_BEFORE_WEAK: Final = re.compile(rb"[>|#*\t -]*")
_WORDS: Final = (b"BEGIN", b"END", b"CERTIFICATE", b"PKCS", b"X509 CRL")
_BODY: Final = re.compile(rb"(?:[-\s>|#*]|\\+[nrt]){0,200}[A-Za-z0-9+/]{40}")
"""The text after a BEGIN line, but not after a heading such as ``----- Certificates -----``."""
_SHOWN: Final = re.compile(r"[A-Z0-9#./-]{1,16}(?: [A-Z0-9#./-]{1,16}){0,5}")
# Dashes, spaces and invisible characters of word processors, in UTF-8; dashes in Windows-1252; line ends.
# Each alternative begins with one byte, so that re can skip to the next of these bytes; a set would prevent that.
_TYPOGRAPHIC: Final = re.compile(
    rb"\xe2\x80[\x90-\x95]|\xe2\x88\x92|\xc2\xa0|\xe2\x80[\x8b-\x8d]|\xef\xbb\xbf|\x96|\x97|\r\n?"
)
_INVISIBLE: Final = frozenset({b"\xe2\x80\x8b", b"\xe2\x80\x8c", b"\xe2\x80\x8d", b"\xef\xbb\xbf"})
_ESCAPE: Final = re.compile(rb"\\+(?:u(00[0-9A-Fa-f]{2})|([nrt/\"'\n])|$)")
_TAG: Final = re.compile(rb"</?[A-Za-z][^<>]{0,64}>")


class Marker(NamedTuple):
    """A BEGIN or END line. ``is_begin`` is None if its first word is not readable."""

    start: int
    end: int
    is_begin: bool | None
    label: str
    """In capital letters, with single spaces; ``unknown`` if it does not look like one."""
    is_odd: bool = False
    """True if this may be a heading, such as ``---- End of list ----``: it only ends a block that is open."""

    @property
    def is_usual(self) -> bool:
        """True for a label of a certificate, a key or another part of a PKI."""
        return _is_known(self.label)


def tidy(text: bytes) -> bytes:
    """Return text with ASCII in place of typographic dashes and spaces, and with LF as line end."""
    return text if text.isascii() and b"\r" not in text else _TYPOGRAPHIC.sub(_tidied, text)


def has_markers(text: bytes) -> bool:
    """Return True if a tidy text has a marker with a usual label, or with any label in the form of RFC 7468."""
    upper = text.upper()
    return any(word in upper for word in _WORDS) and any(
        (_is_known(marker.label) and not (marker.is_odd and marker.is_begin is False))
        or (marker.is_begin and text[marker.start : marker.end].startswith(b"-----BEGIN "))
        for marker in markers(text)
    )


def markers(text: bytes) -> Iterator[Marker]:
    """Yield the markers of a tidy text in their order, in linear time."""
    strong = _strong(text)
    return strong if _WEAK.search(text) is None else merge(strong, _weak(text))


def readings(body: bytes, before: bytes) -> Iterator[bytes]:
    """Yield a block's text as it is, then each time without one thing more that has been put into it.

    ``before`` is the text between the start of the line and the BEGIN marker. The text may have headers.
    """
    yield body
    body = _without_prefix(body, before)
    for change in (unescaped, _without_references, unquote_to_bytes, quopri.decodestring):
        body = change(body)
        yield body


def decode_base64_lines(text: bytes) -> bytes | None:
    """Return the octets of base64 with white space, None if it is damaged. Its padding may be missing."""
    packed = text.translate(None, _WHITE_SPACE)
    if len(packed) % 4:
        packed = packed.rstrip(b"=")
        packed += b"=" * (-len(packed) % 4)
    try:
        return binascii.a2b_base64(packed, strict_mode=True)
    except binascii.Error:
        return None


def unescaped(text: bytes) -> bytes:
    r"""Return text in which ``\n``, ``\/`` and ``\u002b``, as in JSON, are the characters, however often escaped."""
    return _ESCAPE.sub(_of_escape, text) if b"\\" in text else text


def _strong(text: bytes) -> Iterator[Marker]:
    position = text.find(_DASHES)
    while position >= 0 and (found := _STRONG.search(text, position)) is not None:
        start, position = found.span()
        if found["usual"]:
            label = found["label"].decode("ascii")
            if not _SHOWN.fullmatch(label):
                label = _normal(found["label"])
            yield Marker(start, position, found["usual"][:1] == b"B", label, label[:3] == "OF ")
        elif found["odd"] is not None:
            position = found.end("odd")
            known = _KNOWN.search(found["odd"])
            is_begin = None if _BODY.match(text, position) else False
            yield Marker(start, position, is_begin, "unknown" if known is None else _normal(known[0]), is_odd=True)
        elif text.startswith(b"--", position):  # without a label
            yield Marker(start, position, is_begin=False, label="", is_odd=True)
        else:
            label, position = _label(text, position)
            is_begin, is_known = found["word"].upper() == b"BEGIN", _is_known(label)
            if not is_begin or is_known or (label and _BODY.match(text, position)):
                yield Marker(start, position, is_begin, label, is_odd=not is_known)


def _weak(text: bytes) -> Iterator[Marker]:
    for found in _WEAK.finditer(text):
        line = text.rfind(b"\n", max(0, found.start() - _LINE_CHARACTERS), found.start()) + 1
        before = text[line : found.start()]
        if _BEFORE_WEAK.fullmatch(before) and _DASHES not in before:
            label, end = _label(text, found.end())
            yield Marker(found.start() - (len(before) - len(before.rstrip(b"- \t"))), end, found[1] == b"BEGIN", label)


def _is_known(label: str) -> bool:
    return _KNOWN.fullmatch(label.encode()) is not None and not label.startswith("OF ")  # End of certificates


def _label(text: bytes, start: int) -> tuple[str, int]:
    """Return the label that begins here, and its end: at dashes, else where a usual label or the line ends."""
    line = text[start : start + _LINE_CHARACTERS].partition(b"\n")[0]
    end = line.find(b"--")
    if end >= 0:
        return _normal(line[:end]), start + end
    if known := _KNOWN.match(line):
        return _normal(known[0]), start + known.end()
    return _normal(line), start + len(line)


def _normal(label: bytes) -> str:
    words = label.decode("ascii", "replace").upper().replace("_", " ").strip("- \t")
    if "  " in words or "\t" in words:
        words = " ".join(words.split())
    return words if not words or _SHOWN.fullmatch(words) else "unknown"  # never a part of a key


def _without_prefix(body: bytes, before: bytes) -> bytes:
    """Return the lines without what stands before the BEGIN marker, if that is before each of them."""
    prefix = before.strip()
    lines = [line.strip() for line in body.split(b"\n")]
    if not prefix or not all(line.startswith(prefix) for line in lines[1:-1] if line):
        return body
    return b"\n".join(line.removeprefix(prefix) for line in lines)


def _without_references(body: bytes) -> bytes:
    if b"&" not in body and b"<" not in body:
        return body
    return html.unescape(_TAG.sub(b" ", body).decode("latin-1")).encode("latin-1", "replace")


def _tidied(found: re.Match[bytes]) -> bytes:
    if found[0][:1] == b"\r":
        return b"\n"
    if found[0] == b"\xc2\xa0":
        return b" "
    return b"" if found[0] in _INVISIBLE else b"-"


def _of_escape(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return bytes([int(found[1], 16)])
    return {b"n": b"\n", b"r": b"\n", b"t": b" ", b"\n": b"\n"}.get(found[2], found[2] or b"")
