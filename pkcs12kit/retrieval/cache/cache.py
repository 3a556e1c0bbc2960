"""What was fetched before, kept in a folder: which content, from which URL, since when.

Content is in a file named by its SHA-256, and beside it, for each URL, a record that names the content. Several
processes and threads may use one folder at once; one that is killed leaves each entry whole or not there.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.cache.entries import (
    CacheRecord,
    has_content,
    has_credentials,
    in_utc,
    longest_content,
    read_entry,
    read_or_remove,
    read_record,
    record_name,
    tidy,
    usable_date,
    usable_etag,
)
from pkcs12kit.retrieval.cache.folder import BusyError, CacheFolder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.cache.entries import CacheEntry
    from pkcs12kit.retrieval.cache.folder import OpenFolder

_STORES_UNSEEN: Final = 256
"""Other processes fill the folder, too: after so many stores it is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheReport:
    """What :meth:`Cache.check` found. ``entries`` and ``size`` (bytes, of all files) are what there is now.

    ``damaged`` has a sentence for each entry that was damaged and, where that was possible, removed. ``unreferenced``
    counts contents that no record named, and removed. ``evicted`` counts sound entries that went, the oldest first,
    because the cache was above its limits.
    """

    folder: Path
    entries: int = 0
    size: int = 0
    damaged: tuple[str, ...] = ()
    unreferenced: int = 0
    evicted: int = 0

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
        return {
            "folder": str(self.folder),
            "entries": self.entries,
            "bytes": self.size,
            "damaged": list(self.damaged),
            "unreferenced": self.unreferenced,
            "evicted": self.evicted,
        }


@dataclass(slots=True)
class _Growth:
    """What the folder held when this cache last looked, and what it stored since."""

    entries: int
    size: int
    stores: int = 0


class Cache:
    """A folder of what was fetched. ``None`` is the platform's folder for caches, by platformdirs.

    The folder is made, mode 0700, where it is not there; files have mode 0600. It must be the user's own, writable by
    nobody else and no symbolic link, else :class:`~pkcs12kit.errors.OutputError` is raised here, and here alone.

    Afterwards nothing is raised for what goes wrong with files: a cache only ever saves a request. An entry that is
    damaged is as good as none and is removed; a folder that is full, read-only or gone keeps nothing more. Each such
    thing is said to ``on_damage`` once, in a sentence with text from outside in it. It may be called by any thread
    that uses the cache.

    Methods read and sync files, and wait up to ``limits.retrieval_cache_wait`` seconds for other processes: call them
    from a thread where nothing else may wait. The folder keeps to ``limits.retrieval_cache_bytes`` and
    ``limits.retrieval_cache_entries``, but for what other processes stored in it during this one's last 256 stores;
    what was fetched longest ago goes first.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        on_damage: Callable[[str], object] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._folder = CacheFolder(folder)
        self._on_damage = on_damage
        self._limits = limits
        self._mutex = threading.Lock()
        self._told: set[str] = set()
        self._growth: _Growth | None = None
        try:
            self._folder.make()
            with self._folder.open():
                pass
        except OSError as error:
            self._tell_unusable(error)

    @property
    def folder(self) -> Path:
        """Where the cache is, as an absolute path."""
        return self._folder.path

    def load(self, url: str) -> CacheEntry | None:
        """Give what was stored for ``url``, its content hashed anew; None where there is nothing sound."""
        name = record_name(url)
        damage = None
        try:
            with self._folder.open() as folder:
                try:
                    entry = read_entry(folder, name, self._limits)
                except InputError as error:
                    entry, damage = read_or_remove(folder, name, str(error), self._limits)
        except FileNotFoundError:  # it could not be made, which was said, or was removed since
            return None
        except (OSError, OutputError) as error:
            self._tell_unusable(error)
            return None
        if damage is not None:
            self._tell_damaged(url, damage)
        return entry

    def store(
        self, url: str, content: bytes, *, etag: str | None, last_modified: str | None, fetched: datetime
    ) -> None:
        """Keep what ``url`` gave: afterwards all of it is there, or what was there before.

        ``etag`` and ``last_modified`` are kept where they can be sent back as they are. What is too large is not kept,
        nor a URL with a password in it. Raises :class:`ValueError` for a time without a time zone.
        """
        content = bytes(content)
        record = CacheRecord(
            url=url,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            etag=usable_etag(etag, longest=self._limits.retrieval_validator_characters),
            last_modified=usable_date(last_modified, longest=self._limits.retrieval_validator_characters),
            fetched=in_utc(fetched),
        )
        if why_not := self._why_not_kept(record):
            self._tell(f"not kept in the cache: {why_not}")
            return
        encoded = record.encode()
        damaged: tuple[tuple[str, str], ...] = ()
        try:
            self._folder.make()
            with self._folder.open() as folder:
                with folder.locked(alone=False, seconds=self._limits.retrieval_cache_wait):
                    if not has_content(folder, record):
                        folder.write(record.content_name, content)
                    folder.write(record.name, encoded)
                damaged = self._make_room(folder, len(content) + len(encoded))
        except (OSError, OutputError) as error:
            self._tell_unusable(error)
        for name, damage in damaged:
            self._tell_damaged(name, damage)

    def confirm(self, url: str, *, fetched: datetime) -> None:
        """Note that the server said at ``fetched`` that what was stored for ``url`` still holds.

        Does nothing where there is no sound record any more, or a newer one. Raises :class:`ValueError` for a time
        without a time zone.
        """
        fetched = in_utc(fetched)
        name = record_name(url)
        try:
            with self._folder.open() as folder, folder.locked(alone=False, seconds=self._limits.retrieval_cache_wait):
                record = read_record(folder, name, self._limits)
                if record is not None and record.fetched < fetched:
                    folder.write(name, replace(record, fetched=fetched).encode())
        except (FileNotFoundError, InputError):  # what is damaged is for load() to say and to remove
            return
        except (OSError, OutputError) as error:
            self._tell_unusable(error)

    def __iter__(self) -> Iterator[CacheRecord]:
        """Go through the sound records that are there now. Contents are not looked at."""
        records: list[CacheRecord] = []
        damaged = {}
        try:
            with self._folder.open() as folder:
                for name in sorted(folder.list().records):
                    try:
                        record = read_record(folder, name, self._limits)
                    except InputError as error:
                        damaged[name] = str(error)
                    else:
                        records += [] if record is None else [record]
        except FileNotFoundError:
            pass
        except (OSError, OutputError) as error:
            self._tell_unusable(error)
        for name, damage in damaged.items():
            self._tell_damaged(name, damage)
        return iter(records)

    def check(self) -> CacheReport:
        """Read everything; remove what is damaged, what no record names, and what killed processes left.

        Raises :class:`~pkcs12kit.errors.OutputError` where that cannot be done.
        """
        damaged = []
        try:
            with self._folder.open() as folder:
                for name in sorted(folder.list().records):
                    try:
                        read_entry(folder, name, self._limits)
                    except InputError as error:
                        _, damage = read_or_remove(folder, name, str(error), self._limits)
                        damaged += [] if damage is None else [f"{name}: {damage}"]
                with folder.locked(alone=True, seconds=self._limits.retrieval_cache_wait):
                    tidied = tidy(folder, self._limits)
        except FileNotFoundError:
            return CacheReport(folder=self.folder)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot put the cache in order: {error.strerror}") from None
        damaged += [f"{name}: {damage}" for name, damage in tidied.damaged]
        return CacheReport(
            folder=self.folder,
            entries=tidied.entries,
            size=tidied.size,
            damaged=tuple(damaged),
            unreferenced=tidied.unreferenced,
            evicted=tidied.evicted,
        )

    def _why_not_kept(self, record: CacheRecord) -> str | None:
        most = self._limits.retrieval_url_characters
        if len(record.url) > most:
            return f"a URL of more than {most:,} characters (limits.retrieval_url_characters): {record.url[:80]}..."
        if has_credentials(record.url):
            return "what a URL with a user name in it gave"  # and that URL is not repeated
        if record.size > longest_content(self._limits):
            return f"{record.size:,} bytes from {record.url} (limits.retrieval_cache_bytes)"
        return None

    def _make_room(self, folder: OpenFolder, grown: int) -> tuple[tuple[str, str], ...]:
        """Keep to the limits, after a store. Gives the names of records found damaged on the way, and their damage."""
        most_entries, most_bytes = self._limits.retrieval_cache_entries, self._limits.retrieval_cache_bytes
        with self._mutex:
            growth = self._growth
            if growth is not None:
                growth.stores += 1
                growth.entries += 1
                growth.size += grown
                if growth.stores < _STORES_UNSEEN and growth.entries <= most_entries and growth.size <= most_bytes:
                    return ()
            listing = folder.list()
            self._growth = _Growth(len(listing.records), listing.size)
        above = len(listing.records) > most_entries or listing.size > most_bytes
        if not above and not listing.temporary:
            return ()
        try:
            # What is being written at this moment keeps us out, and is no litter.
            with folder.locked(alone=True, seconds=self._limits.retrieval_cache_wait if above else 0):
                tidied = tidy(folder, self._limits)
        except BusyError:
            return ()  # the next store finds it still above its limits
        with self._mutex:
            self._growth = _Growth(tidied.entries, tidied.size)
        return tidied.damaged

    def _tell_unusable(self, error: OSError | OutputError) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        self._tell(f"{self.folder}: the cache cannot be used: {reason}; going on without")

    def _tell_damaged(self, what: str, damage: str) -> None:
        self._tell(f"{what}: what the cache has is damaged: {damage}")

    def _tell(self, sentence: str) -> None:
        """Say it once, outside of every lock: whoever listens may use the cache."""
        with self._mutex:
            if sentence in self._told:
                return
            self._told.add(sentence)
        if self._on_damage is not None:
            self._on_damage(sentence)
