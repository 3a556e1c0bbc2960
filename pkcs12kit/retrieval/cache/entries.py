"""Cache entries: the form of a file, and the checks that it must pass before anything in it is used.

A file is one line of JSON in ASCII, the header, and after it the content as the server sent it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from pkcs12kit.errors import InputError
from pkcs12kit.retrieval.cache.folder import ENTRY_SUFFIX
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

HEADER_BYTES: Final = 64 * 1024
"""Upper bound for a header: a URL at its limit, with each character escaped, takes less."""

_VERSION: Final = 3
# Both are sent back as header fields: no control characters and so no second field, no white space in an entity-tag
# (RFC 9110 sections 5.5 and 8.8.3), and only the characters of dates in a date (section 5.6.7).
_ETAG: Final = re.compile(r"[!-~]+")
_DATE: Final = re.compile(r"[A-Za-z0-9,:+-]+(?: [A-Za-z0-9,:+-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """A cached response. Its content has the digest that it was stored with; all of it is untrusted.

    ``sha256`` is the digest of the content in lower-case hexadecimal. ``etag`` and ``last_modified`` are the validators
    for a conditional request (RFC 9110 section 13.1), each fit to be a header field. ``fetched`` is when the server
    last said that this is the content: timezone-aware, UTC.
    """

    url: str
    content: bytes = field(repr=False)
    sha256: str
    etag: str | None
    last_modified: str | None
    fetched: datetime


def entry_name(url: str) -> str:
    """Return the name of the file for a URL."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest() + ENTRY_SUFFIX


def encode_entry(url: str, content: bytes, *, etag: str | None, last_modified: str | None, fetched: datetime) -> bytes:
    """Return the bytes of a file. The header has a checksum of its own, and the digest of the content.

    ``fetched`` is timezone-aware.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    return _header(url=url, sha256=sha256, etag=etag, last_modified=last_modified, fetched=fetched) + content


def decode_entry(data: bytes, *, url: str) -> CacheEntry:
    """Parse the file for ``url``.

    Raises :class:`~pkcs12kit.errors.InputError`, with a few words, for anything but the output of
    :func:`encode_entry` for this URL.
    """
    line, _, content = data.partition(b"\n")
    header = line + b"\n"
    try:
        fields = _require_header(json.loads(header[:HEADER_BYTES].decode("ascii")))
        expected = _header(**fields)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise InputError("its header cannot be read") from None
    if header != expected:
        raise InputError("its header is not as it was written")
    if fields["url"] != url:
        raise InputError("it belongs to another URL")
    if hashlib.sha256(content).hexdigest() != fields["sha256"]:
        raise InputError("its content does not have the digest that it was stored with")
    return CacheEntry(**fields, content=content)


def longest_content(limits: Limits) -> int:
    """Return the largest size of an entry's content in bytes: the largest response, or the whole cache if smaller."""
    response = max(limits.retrieval_response_bytes, limits.retrieval_crl_bytes, limits.retrieval_bundle_bytes)
    return min(response, limits.retrieval_cache_bytes)


def usable_etag(etag: str | None, *, longest: int) -> str | None:
    """Return an ETag that can be sent back and has at most ``longest`` characters; None for any other."""
    return etag if etag is not None and len(etag) <= longest and _ETAG.fullmatch(etag) else None


def usable_date(date: str | None, *, longest: int) -> str | None:
    """Return a Last-Modified that can be sent back and has at most ``longest`` characters; None for any other."""
    return date if date is not None and len(date) <= longest and _DATE.fullmatch(date) else None


def has_credentials(url: str) -> bool:
    """Return True if a URL has a user name or a password, or cannot be split to find out."""
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return True


def _header(*, url: str, sha256: str, etag: str | None, last_modified: str | None, fetched: datetime) -> bytes:
    fields = {
        "version": _VERSION,
        "url": url,
        "sha256": sha256,
        "etag": etag,
        "last_modified": last_modified,
        "fetched": fetched.astimezone(UTC).isoformat(),
    }
    checksum = hashlib.sha256(json.dumps(fields).encode("ascii")).hexdigest()
    return (json.dumps({**fields, "checksum": checksum}) + "\n").encode("ascii")


def _require_header(fields: object) -> dict[str, Any]:
    """Return the fields that :func:`_header` takes; raise where one has a wrong type or cannot be sent back.

    Comparing the result with :func:`_header` finds every other difference.
    """
    if not isinstance(fields, dict):
        raise TypeError
    names = ("url", "sha256", "etag", "last_modified", "fetched")
    url, sha256, etag, last_modified, fetched = (fields[name] for name in names)
    if not all(isinstance(text, str) for text in (url, sha256, fetched)):
        raise TypeError
    if not (etag is None or _ETAG.fullmatch(etag)) or not (last_modified is None or _DATE.fullmatch(last_modified)):
        raise ValueError
    time = require_aware(datetime.fromisoformat(fetched)).astimezone(UTC)
    return {"url": url, "sha256": sha256, "etag": etag, "last_modified": last_modified, "fetched": time}
