"""Entries of the cache: believed when everything in them fits, removed when it does not or there are too many."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError
from pkcs12kit.retrieval.cache_records import CacheRecord, decode_record

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.cache_folder import Listing, OpenFolder

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
