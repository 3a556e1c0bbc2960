r"""The text forms around a file, removed: base64, UTF-16, ``data:`` URLs, quoted strings, URL encoding, and fields.

A form is removed only if something that is recognized is found inside; a text without it stays as it is. Forms inside
of PEM text (escapes such as ``\n``, quoted-printable) are removed by :mod:`~pkcs12kit.sources.armor`, block by block.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from pkcs12kit.errors import LimitExceededError
from pkcs12kit.sources.armor import decode_base64_lines, has_markers, tidy, unescaped
from pkcs12kit.sources.sniffing import UNRECOGNIZED, Kind, as_octets, decode_base64, sniff, sniff_der

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

_WHITE_SPACE: Final = b" \t\r\n\v\f"
_DATA_URL: Final = re.compile(rb"data:([^,]{0,256}),", re.IGNORECASE)
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_QUERY: Final = re.compile(rb"-----BEGIN(?:\+|%20)")
_QUOTED: Final = re.compile(rb"b?([\"'])(.*)\1[,;]?", re.DOTALL)
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/\s]{4,}={0,2}\s*")
_BEGIN_IN_BASE64: Final = b"LS0tLS1CRUdJTi"
# The value of a field in YAML, JSON or a list of settings: the base64 of text that begins with "-----BEGIN"
_FIELD: Final = re.compile(rb"(?<=[:=\"' \t])LS0tLS1CRUdJTi[A-Za-z0-9+/]{4,}={0,2}")
_SECRET_FIELD: Final = re.compile(
    rb"(?<![A-Za-z0-9._-])([A-Za-z0-9._-]{1,64})[\"']?[ \t]*:[ \t]*[\"']?M[A-Za-z0-9+/]{64}"
)
_SAMPLE_BYTES: Final = 128
_FIELDS_LISTED: Final = 5
_FOUND: Final = frozenset({Kind.PEM, Kind.CUT_SHORT})


def without_text_forms(data: bytes, name: str, limits: Limits) -> bytes:
    """Return the content of a file without the text forms around it: DER, PEM text, or the data if it has none of them.

    ``name`` is the file's, for messages. Raises :class:`~pkcs12kit.errors.LimitExceededError` if there are more forms
    around each other than ``limits.text_forms``.
    """
    if _is_found(data):
        return data
    inner = data
    for _ in range(limits.text_forms):
        found = _inside(inner)
        if found is None or found == inner:
            return inner if _is_found(inner) else data
        inner = found
        if _is_found(inner):
            return inner
    if _inside(inner) is not None:
        raise LimitExceededError(
            f"{name}: more than {limits.text_forms} text encodings around each other (limits.text_forms);"
            " decode it first"
        )
    return data


def sniff_inside(data: bytes, name: str, limits: Limits) -> tuple[Kind, bytes]:
    """Return the kind of a file's content and the content itself, as :func:`without_text_forms` returns it.

    Base64 in which nothing is recognized is decoded as well.
    """
    data = without_text_forms(data, name, limits)
    kind = sniff(data)
    if kind is Kind.BASE64:
        data = decode_base64(data) or b""
        kind = sniff_der(data)
    return kind, data


def describe(data: bytes, kind: Kind) -> str:
    """Return the kind of data in words, for a message, with the fields of a Kubernetes Secret."""
    if kind is not Kind.KUBERNETES_SECRET:
        return str(kind.value)
    fields = dict.fromkeys(found[1].decode("ascii") for found in _SECRET_FIELD.finditer(data))
    named = list(fields)[:_FIELDS_LISTED]
    if not named:
        return str(kind.value)
    field = named[0].replace(".", "\\.")
    one = f"kubectl get secret NAME -o jsonpath='{{.data.{field}}}' | base64 -d"
    return f"{kind.value} ({', '.join(named)}): {one} prints the first"


def _is_found(data: bytes) -> bool:
    """Return True if data is not text, or PEM text without any form around it."""
    if data[:1] not in b"0P\xfe\xce":  # all other recognized data is text
        return has_markers(tidy(data)) and not (_QUERY.search(data) or _has_field(data))
    kind = sniff(data)
    return kind in _FOUND or kind not in {*UNRECOGNIZED, Kind.BASE64}


def _inside(data: bytes) -> bytes | None:
    """Return what is inside the outermost text form, None if there is none."""
    for form in (_utf16, _data_url, _quoted, _query, _base64, _fields, _escapes, _percent):
        found = form(data)
        if found is not None and found != data:
            return found
    return None


def _utf16(data: bytes) -> bytes | None:
    """Decode UTF-16 with a byte order mark, or of ASCII characters without one; also UTF-32 and UTF-8 with a mark."""
    if data.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        return _decoded(data, "utf-32")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return as_octets(data)
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:]
    for high, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        low = data[1 - high : _SAMPLE_BYTES : 2]
        if len(data) % 2 == 0 and low.isascii() and b"\0" not in low and low and not data[high::2].strip(b"\0"):
            return _decoded(data, encoding)
    return None


def _data_url(data: bytes) -> bytes | None:
    """Return the content of a ``data:`` URL (RFC 2397)."""
    text = data.strip(_WHITE_SPACE)
    found = _DATA_URL.match(text)
    if found is None:
        return None
    content = unquote_to_bytes(text[found.end() :])
    return _decode_base64(content) if found[1].lower().rstrip().endswith(b";base64") else content


def _quoted(data: bytes) -> bytes | None:
    """Return the text of a JSON string, or of a literal in other quotation marks."""
    found = _QUOTED.fullmatch(data.strip(_WHITE_SPACE))
    if found is None or found[1] in found[2].replace(b"\\" + found[1], b""):
        return None
    if found[1] == b'"':
        try:
            return str(json.loads(b'"' + found[2] + b'"', strict=False)).encode("utf-8", "replace")
        except ValueError:
            pass
    return unescaped(found[2])


def _query(data: bytes) -> bytes | None:
    """Return PEM text whose spaces are ``%20`` or ``+``, as in the headers of proxies."""
    if _QUERY.search(data) is None:
        return None
    return unquote_to_bytes(data.replace(b"+", b" ") if b"-----BEGIN+" in data else data)


def _fields(data: bytes) -> bytes | None:
    """Return a document in which base64 of PEM, such as the fields of a Kubernetes Secret, is PEM."""
    return _FIELD.sub(_of_field, data) if _has_field(data) else None


def _has_field(data: bytes) -> bool:
    return _BEGIN_IN_BASE64 in data and _FIELD.search(data) is not None


def _of_field(found: re.Match[bytes]) -> bytes:
    decoded = decode_base64_lines(found[0])
    if decoded is None:  # what can be decoded shows that there is a block, and that it is cut short
        decoded = decode_base64_lines(found[0][: len(found[0]) // 4 * 4].rstrip(b"=")) or b""
    return b"\n" + decoded + b"\n"


def _escapes(data: bytes) -> bytes | None:
    return unescaped(data) if b"\\" in data and _is_base64(unescaped(data)) else None


def _percent(data: bytes) -> bytes | None:
    return unquote_to_bytes(data) if _PERCENT.search(data) and not has_markers(tidy(data)) else None


def _base64(data: bytes) -> bytes | None:
    return _decode_base64(data) if _is_base64(data) else None


def _is_base64(text: bytes) -> bool:
    return _BASE64.fullmatch(text.translate(_URL_SAFE)) is not None


def _decode_base64(text: bytes) -> bytes | None:
    """Return the octets of base64, in either alphabet, if they are text or begin as something that is recognized."""
    decoded = decode_base64_lines(text.translate(_URL_SAFE))
    if not decoded:
        return None
    is_text = decoded[:64].isascii() or decoded.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"))
    return decoded if is_text or _is_found(decoded) else None


def _decoded(data: bytes, encoding: str) -> bytes | None:
    try:
        return data.decode(encoding).encode("utf-8")
    except UnicodeError:
        return None
