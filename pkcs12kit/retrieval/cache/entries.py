"""Entries of the cache: believed when everything in them fits, removed when it does not or there are too many."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pkcs12kit.errors import InputError
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.cache.folder import Listing, OpenFolder

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


_RECORD_BYTES: Final = 64 * 1024
"""More than a record takes whose URL is at its limit, each character of it escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry(CacheRecord):
    """What is known of one URL, with the content: it has the digest that it was stored with, and is untrusted."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidied:
    """What putting the folder in order came to; the counts are what there is now, ``size`` in bytes of all files."""

    entries: int
    size: int
    damaged: tuple[tuple[str, str], ...]
    """The names of records that were removed for it, and what was wrong."""
    unreferenced: int
    evicted: int


def longest_content(limits: Limits) -> int:
    """Say how many bytes the content of an entry may have: what one response may have, and the whole cache."""
    of_a_response = max(limits.retrieval_response_bytes, limits.retrieval_crl_bytes, limits.retrieval_bundle_bytes)
    return min(of_a_response, limits.retrieval_cache_bytes)


def read_record(folder: OpenFolder, name: str, limits: Limits) -> CacheRecord | None:
    """Read a record, None where there is none. Raises :class:`~pkcs12kit.errors.InputError` where it is damaged."""
    if not folder.has(name):
        return None
    data = folder.read(name, limit=_RECORD_BYTES)
    return decode_record(data, name=name, longest=longest_content(limits))


def read_content(folder: OpenFolder, record: CacheRecord) -> bytes:
    """Read the content of a record. Raises :class:`~pkcs12kit.errors.InputError` where it is not what it was."""
    try:
        content = folder.read(record.content_name, limit=record.size)
    except InputError as error:
        raise InputError(f"of its content: {error}") from None
    if len(content) != record.size:
        raise InputError(f"of {record.size:,} bytes of content there are {len(content):,}")
    if hashlib.sha256(content).hexdigest() != record.sha256:
        raise InputError("its content does not have the digest that it was stored with")
    return content


def has_content(folder: OpenFolder, record: CacheRecord) -> bool:
    """Whether the content of a record is there and sound."""
    try:
        read_content(folder, record)
    except InputError:
        return False
    return True


def read_entry(folder: OpenFolder, name: str, limits: Limits) -> CacheEntry | None:
    """Read record and content, None where there is none. Raises :class:`~pkcs12kit.errors.InputError` for damage."""
    record = read_record(folder, name, limits)
    if record is None:
        return None
    return CacheEntry(
        url=record.url,
        sha256=record.sha256,
        size=record.size,
        etag=record.etag,
        last_modified=record.last_modified,
        fetched=record.fetched,
        content=read_content(folder, record),
    )


def read_or_remove(folder: OpenFolder, name: str, damage: str, limits: Limits) -> tuple[CacheEntry | None, str | None]:
    """Look once more, alone, at an entry that seemed damaged; where it is, remove it. Also give the damage in words.

    Another process may have written it anew, or removed its content with a record that was read just before.
    """
    try:
        with folder.locked(alone=True, seconds=limits.retrieval_cache_wait):
            try:
                return read_entry(folder, name, limits), None
            except InputError as error:
                damage = str(error)
                folder.remove(name)
    except OSError as error:
        return None, f"{damage}; not removed: {error.strerror}"
    return None, f"{damage}; removed"


def tidy(folder: OpenFolder, limits: Limits) -> Tidied:
    """Remove what is damaged, what killed processes left, what is too old or too much, and what no record names.

    To be called alone in the folder. Contents are judged by their sizes. A record always goes before its content:
    interrupted anywhere, no record is left without. Where something has to go for the limits, an eighth of the cache
    goes, so that not every store after that has to look at every record.
    """
    listing = folder.list()
    for name in listing.temporary:
        folder.remove(name)
    records: list[CacheRecord] = []
    damaged = []
    for name in listing.records:
        try:
            records += _sound_record(folder, name, listing, limits)
        except InputError as error:
            damaged.append((name, f"{error}; removed"))
            folder.remove(name)
    records.sort(key=lambda record: (record.fetched, record.name), reverse=True)
    kept = _fitting(records, listing, limits)
    for record in records[kept:]:
        folder.remove(record.name)
    named = {record.content_name for record in records[:kept]}
    once_named = {record.content_name for record in records}
    for name in listing.contents.keys() - named:
        folder.remove(name)
    return Tidied(
        entries=kept,
        size=_size(records[:kept], listing),
        damaged=tuple(damaged),
        unreferenced=len(listing.contents.keys() - once_named),
        evicted=len(records) - kept,
    )


def _sound_record(folder: OpenFolder, name: str, listing: Listing, limits: Limits) -> tuple[CacheRecord, ...]:
    record = read_record(folder, name, limits)
    if record is None:
        return ()
    if listing.contents.get(record.content_name) != record.size:
        raise InputError("its content is not there, or has another size")
    return (record,)


def _size(records: list[CacheRecord], listing: Listing) -> int:
    contents = {record.content_name for record in records}
    return sum(listing.records[record.name] for record in records) + sum(listing.contents[name] for name in contents)


def _fitting(records: list[CacheRecord], listing: Listing, limits: Limits) -> int:
    """Say how many of the records, from the first, fit into the cache with their contents."""
    most_entries, most_bytes = limits.retrieval_cache_entries, limits.retrieval_cache_bytes
    if len(records) <= most_entries and _size(records, listing) <= most_bytes:
        return len(records)
    most_entries, most_bytes = most_entries - most_entries // 8, most_bytes - most_bytes // 8
    size, contents = 0, set[str]()
    for number, record in enumerate(records[:most_entries]):
        size += listing.records[record.name]
        if record.content_name not in contents:
            contents.add(record.content_name)
            size += record.size
        if size > most_bytes:
            return number
    return min(len(records), most_entries)
