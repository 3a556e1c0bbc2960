"""What the cache knows of one URL, as a file: which content, from where, since when. Nothing in it is believed twice.

A record is JSON in exactly one form, with a checksum over its other fields: whatever else is in the file is damage. The
checksum finds accidents, not forgery; against that stands the folder, which is its owner's alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from pkcs12kit.certificates.times import require_aware
from pkcs12kit.errors import InputError

RECORD_SUFFIX: Final = ".json"
CONTENT_SUFFIX: Final = ".content"

_VERSION: Final = 1
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
# Sent back as header fields: no control characters and so no second field, no white space in an entity-tag
# (RFC 9110 sections 5.5 and 8.8.3), nothing in a date but what dates are made of (section 5.6.7).
_ETAG: Final = re.compile(r"[!-~]+")
_DATE: Final = re.compile(r"[A-Za-z0-9,:+-]+(?: [A-Za-z0-9,:+-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRecord:
    """One URL in the cache, without its content. All but the digest and the size is untrusted text.

    ``sha256`` is that of the content, 64 lower-case hexadecimal digits; ``size`` is its length in bytes. ``fetched`` is
    when the server last said that this is the content: timezone-aware, UTC. ``etag`` and ``last_modified`` are what a
    conditional request may send back (RFC 9110 section 13.1), fit to be a header field.
    """

    url: str
    sha256: str
    size: int
    etag: str | None
    last_modified: str | None
    fetched: datetime

    @property
    def name(self) -> str:
        """The file that the record is in."""
        return record_name(self.url)

    @property
    def content_name(self) -> str:
        """The file that the content is in; several records may share it."""
        return self.sha256 + CONTENT_SUFFIX

    def encode(self) -> bytes:
        """Write it in its one form."""
        fields = {
            "version": _VERSION,
            "url": self.url,
            "sha256": self.sha256,
            "size": self.size,
            "etag": self.etag,
            "last_modified": self.last_modified,
            "fetched": self.fetched.isoformat(),
        }
        checksum = hashlib.sha256(json.dumps(fields).encode("ascii")).hexdigest()
        return (json.dumps({**fields, "checksum": checksum}, indent=1) + "\n").encode("ascii")


def record_name(url: str) -> str:
    """Name the file that the record of a URL is in."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest() + RECORD_SUFFIX


def decode_record(data: bytes, *, name: str, longest: int) -> CacheRecord:
    """Read the record in the file ``name``, whose content takes ``longest`` bytes at most.

    Raises :class:`~pkcs12kit.errors.InputError` with a few words where it is anything but what
    :meth:`CacheRecord.encode` writes for a URL of this name.
    """
    try:
        record = _read_fields(json.loads(data.decode("ascii")))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        raise InputError("it is no record") from None
    if record.encode() != data:
        raise InputError("it is not as it was written")
    if record.name != name:
        raise InputError("it is the record of another URL")
    if record.size > longest:
        raise InputError(f"it says that the content is longer than {longest:,} bytes")
    return record


def usable_etag(etag: str | None, *, longest: int) -> str | None:
    """Take over an ETag that can be sent back, of at most ``longest`` characters; None for any other."""
    return etag if etag is not None and len(etag) <= longest and _ETAG.fullmatch(etag) else None


def usable_date(date: str | None, *, longest: int) -> str | None:
    """Take over a Last-Modified that can be sent back, of at most ``longest`` characters; None for any other."""
    return date if date is not None and len(date) <= longest and _DATE.fullmatch(date) else None


def in_utc(instant: datetime) -> datetime:
    """Give an aware datetime in UTC. Raises :class:`ValueError` without a time zone."""
    return require_aware(instant).astimezone(UTC)


def has_credentials(url: str) -> bool:
    """Whether a URL carries a user's name or password, or cannot be split to see."""
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return True


def _read_fields(fields: object) -> CacheRecord:
    """Take the fields for what they must be; :func:`decode_record` sees to it that there are no others."""
    if not isinstance(fields, dict) or fields["version"] != _VERSION:
        raise ValueError
    url, sha256, size, fetched = fields["url"], fields["sha256"], fields["size"], fields["fetched"]
    etag, last_modified = fields["etag"], fields["last_modified"]
    if type(size) is not int or size < 0 or not isinstance(url, str) or not _SHA256.fullmatch(sha256):
        raise ValueError
    if not (etag is None or _ETAG.fullmatch(etag)) or not (last_modified is None or _DATE.fullmatch(last_modified)):
        raise ValueError
    return CacheRecord(
        url=url,
        sha256=sha256,
        size=size,
        etag=etag,
        last_modified=last_modified,
        fetched=in_utc(datetime.fromisoformat(fetched)),
    )
