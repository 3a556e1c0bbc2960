"""The cache: responses of earlier runs in a folder, one file for each URL.

Files appear whole or not at all, so that reading needs no lock and a process that is killed leaves no half-written
entry. Several processes and threads may use one folder at once. The worst that they can do to each other is to remove
an entry that one of them has just written: that costs a request.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.cache.entries import (
    HEADER_BYTES,
    decode_entry,
    encode_entry,
    entry_name,
    has_credentials,
    longest_content,
    usable_date,
    usable_etag,
)
from pkcs12kit.retrieval.cache.folder import CacheFolder
from pkcs12kit.text import harmless
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.cache.entries import CacheEntry
    from pkcs12kit.retrieval.cache.folder import OpenFolder

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ABANDONED_SECONDS: Final = 3_600
"""Age at which a temporary file counts as left by a killed process: a write takes seconds."""


class Cache:
    """Responses of earlier runs in a folder. ``None`` is the platform's folder for caches, by platformdirs.

    The folder is made, mode 0700, where it does not exist; files have mode 0600. It must be the user's own, writable by
    no one else, and not a symbolic link; otherwise the constructor raises :class:`~pkcs12kit.errors.OutputError`.

    After that, nothing is raised for a fault of a file or of the disk: a cache only ever saves a request. A damaged
    entry is removed and not used. A folder that is full, read-only or gone keeps nothing new. ``on_warning`` is called
    with a sentence for each such fault, once, in the thread that uses the cache; the sentence may quote untrusted text.

    Methods read and sync files: call them from a thread where nothing else may wait. :meth:`close` brings the folder
    down to ``limits.retrieval_cache_bytes`` and ``limits.retrieval_cache_entries``; the entries fetched longest ago go
    first.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        on_warning: Callable[[str], object] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._folder = CacheFolder(folder)
        self._on_warning = on_warning
        self._limits = limits
        self._mutex = threading.Lock()
        self._warned: set[str] = set()
        self._has_stored = False
        try:
            self._folder.make()
            with self._folder.open():
                pass
        except OSError as error:
            self._warn_unusable(error)

    @property
    def folder(self) -> Path:
        """The absolute path of the folder."""
        return self._folder.path

    def __enter__(self) -> Self:
        """Return the cache itself; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the cache."""
        self.close()

    def load(self, url: str) -> CacheEntry | None:
        """Return what was stored for ``url``, with every checksum verified; None where there is no sound entry."""
        name = entry_name(url)
        try:
            with self._folder.open() as folder:
                if folder.modified(name) is None:
                    return None
                try:
                    return self._read(folder, url)
                except InputError as error:
                    if folder.modified(name) is None:  # another process has removed it since
                        return None
                    damage = f"{error}; {_removal(folder, name)}"
        except FileNotFoundError:  # the folder could not be made, which was reported, or was removed since
            return None
        except (OSError, OutputError) as error:
            self._warn_unusable(error)
            return None
        self._warn(f"{url}: its cache entry is damaged: {damage}")
        return None

    def store(
        self, url: str, content: bytes, *, etag: str | None, last_modified: str | None, fetched: datetime
    ) -> None:
        """Keep a response: afterwards the folder has all of it, or the entry that it had before.

        ``etag`` and ``last_modified`` are kept where they can be sent back unchanged. Content that is too large is not
        kept, and neither is a response to a URL with a password. Raises :class:`ValueError` for a time without a time
        zone.
        """
        modified = _nanoseconds(fetched)
        if why_not := self._why_not_kept(url, len(content)):
            self._warn(f"not kept in the cache: {why_not}")
            return
        longest = self._limits.retrieval_validator_characters
        data = encode_entry(
            url,
            content,
            etag=usable_etag(etag, longest=longest),
            last_modified=usable_date(last_modified, longest=longest),
            fetched=fetched,
        )
        name = entry_name(url)
        self._has_stored = True
        try:
            self._folder.make()
            with self._folder.open() as folder:
                folder.write(name, data)
                folder.set_modified(name, modified)  # only the order of eviction: a copy of the folder has other times
        except (OSError, OutputError) as error:
            self._warn_unusable(error)

    def confirm(self, url: str, *, fetched: datetime) -> None:
        """Record that the server said at ``fetched`` that the stored content is current (RFC 9110 section 15.4.5).

        Does nothing where there is no entry, or one that was fetched later. Raises :class:`ValueError` for a time
        without a time zone.
        """
        require_aware(fetched)
        try:
            with self._folder.open() as folder:
                entry = self._read(folder, url)
        except (InputError, FileNotFoundError):  # no entry, or a damaged one, which load() reports
            return
        except (OSError, OutputError) as error:
            self._warn_unusable(error)
            return
        if entry.fetched < fetched:
            self.store(url, entry.content, etag=entry.etag, last_modified=entry.last_modified, fetched=fetched)

    def close(self) -> None:
        """Bring the folder down to its limits, if anything was stored; remove temporary files of killed processes."""
        if not self._has_stored:
            return
        try:
            with self._folder.open() as folder:
                self._evict(folder)
        except FileNotFoundError:
            return
        except (OSError, OutputError) as error:
            self._warn_unusable(error)

    def _read(self, folder: OpenFolder, url: str) -> CacheEntry:
        data = folder.read(entry_name(url), limit=longest_content(self._limits) + HEADER_BYTES)
        return decode_entry(data, url=url)

    def _evict(self, folder: OpenFolder) -> None:
        abandoned = time.time_ns() - _ABANDONED_SECONDS * 1_000_000_000
        count = size = 0
        for file in sorted(folder.files(), key=lambda file: (-file.modified, file.name)):
            if file.is_temporary:
                if file.modified < abandoned:
                    folder.remove(file.name)
                continue
            count += 1
            size += file.size
            if count > self._limits.retrieval_cache_entries or size > self._limits.retrieval_cache_bytes:
                folder.remove(file.name)

    def _why_not_kept(self, url: str, size: int) -> str | None:
        most = self._limits.retrieval_url_characters
        if len(url) > most:
            return (
                f"a URL of more than {most:,} characters (limits.retrieval_url_characters): {harmless(url, longest=80)}"
            )
        if has_credentials(url):
            return "the response to a URL with a user name in it"  # the URL itself is not repeated
        if size > longest_content(self._limits):
            return f"{size:,} bytes from {url} (limits.retrieval_cache_bytes)"
        return None

    def _warn_unusable(self, error: OSError | OutputError) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        self._warn(f"{self.folder}: the cache cannot be used: {reason}; going on without it")

    def _warn(self, sentence: str) -> None:
        """Call ``on_warning`` with a sentence the first time, without the lock: the listener may use the cache."""
        with self._mutex:
            if sentence in self._warned:
                return
            self._warned.add(sentence)
        if self._on_warning is not None:
            self._on_warning(sentence)


def _removal(folder: OpenFolder, name: str) -> str:
    """Remove a file and return "removed", or the reason why it cannot be removed."""
    try:
        folder.remove(name)
    except OSError as error:
        return f"not removed: {error.strerror}"
    return "removed"


def _nanoseconds(instant: datetime) -> int:
    """Return an aware datetime as nanoseconds since 1970, cut to microseconds."""
    return (require_aware(instant) - _EPOCH) // timedelta(microseconds=1) * 1_000
