"""The folder of the cache: whose it must be, who is in it at the same time, and its files.

All files lie side by side in the one folder, which is opened anew for each piece of work and reached through its
descriptor from then on: nobody can put another folder in its place half-way, and no symbolic link leads out of it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import OutputError
from pkcs12kit.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, read_in, write_in
from pkcs12kit.retrieval.cache.entries import CONTENT_SUFFIX, RECORD_SUFFIX
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK_FILE: Final = ".lock"
_OWNER_FOLDER: Final = 0o700
_OWNER_FILE: Final = 0o600
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_POLL_SECONDS: Final = 0.01
_OUR_NAME: Final = re.compile(
    rf"[0-9a-f]{{64}}(?:{re.escape(RECORD_SUFFIX)}|{re.escape(CONTENT_SUFFIX)})"
    rf"|{re.escape(TEMPORARY_PREFIX)}[0-9a-f]+{re.escape(TEMPORARY_SUFFIX)}"
)


class BusyError(OSError):
    """Another process did not leave the folder in time."""

    def __init__(self) -> None:
        super().__init__(errno.EBUSY, "another process does not leave it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The cache's own files in the folder, by name, with their sizes in bytes. Those of others are not among them."""

    records: dict[str, int]
    contents: dict[str, int]
    temporary: tuple[str, ...]
    """What is being written at this moment, or was when a process was killed."""

    @property
    def size(self) -> int:
        """Bytes of records and contents."""
        return sum(self.records.values()) + sum(self.contents.values())


class OpenFolder:
    """The folder while it is open. Methods raise :class:`OSError`, or what they say."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def list(self) -> Listing:
        """List the cache's own files."""
        records: dict[str, int] = {}
        contents: dict[str, int] = {}
        temporary = []
        with os.scandir(self._descriptor) as entries:
            for entry in entries:
                if not _OUR_NAME.fullmatch(entry.name):
                    continue
                if entry.name.endswith(TEMPORARY_SUFFIX):
                    temporary.append(entry.name)
                    continue
                with suppress(FileNotFoundError):  # gone since
                    of_kind = records if entry.name.endswith(RECORD_SUFFIX) else contents
                    of_kind[entry.name] = entry.stat(follow_symlinks=False).st_size
        return Listing(records=records, contents=contents, temporary=tuple(temporary))

    def has(self, name: str) -> bool:
        """Whether anything has this name: a file, a link, a folder."""
        try:
            os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def read(self, name: str, *, limit: int) -> bytes:
        """Read a file of at most ``limit`` bytes.

        Raises :class:`~pkcs12kit.errors.InputError` with a few words where that is not what is there.
        """
        return read_in(self._descriptor, name, limit=limit, private=True)

    def write(self, name: str, data: bytes) -> None:
        """Write a file in one step, mode 0600, whatever had the name before.

        Raises :class:`~pkcs12kit.errors.OutputError` too.
        """
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mode):
                self.remove(name)
        write_in(self._descriptor, self.path / name, data, private=True)

    def remove(self, name: str) -> None:
        """Take what has this name away. A folder with something in it is nobody's to delete: it gets another name."""
        with suppress(FileNotFoundError):
            try:
                os.unlink(name, dir_fd=self._descriptor)
            except (IsADirectoryError, PermissionError):  # POSIX says EPERM of a folder, Linux EISDIR
                try:
                    os.rmdir(name, dir_fd=self._descriptor)
                except NotADirectoryError:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
                except OSError as error:
                    if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                        raise
                    aside = f"not-of-the-cache-{secrets.token_hex(8)}"
                    os.rename(name, aside, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    @contextmanager
    def locked(self, *, alone: bool, seconds: float) -> Iterator[None]:
        """Be in the folder with other writers, or ``alone``; wait for others at most ``seconds``.

        Who writes is in it with others, who removes is in it alone: so nothing goes that was just stored and that no
        record names yet, and nothing that is found damaged goes once it was written anew. Readers need no lock: each
        file is whole at any time. The kernel ends the lock of a process that is killed.

        Raises :class:`BusyError`.
        """
        descriptor = os.open(
            _LOCK_FILE,
            os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            _OWNER_FILE,
            dir_fd=self._descriptor,
        )
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, f"{_LOCK_FILE} is no file")
            _acquire(descriptor, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, seconds)
            try:
                yield
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a forked child may have the descriptor, too
        finally:
            os.close(descriptor)


class CacheFolder:
    """Where the cache is. Nothing is done before it is opened."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        if path is None:
            from platformdirs import user_cache_path

            path = user_cache_path("pkcs12kit", appauthor=False)
        elif not os.fspath(path):  # abspath() takes it for the current folder
            raise OutputError("a folder without a name cannot be the cache")
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links to be refused

    def make(self) -> None:
        """Make it where it is not there, mode 0700, with those above it.

        Raises :class:`OSError`, and :class:`~pkcs12kit.errors.OutputError` for what cannot be a name.
        """
        try:
            os.fsencode(self.path)
        except UnicodeEncodeError:
            raise OutputError(f"{quoted(str(self.path))} cannot be the cache: no folder can have this name") from None
        if "\0" in str(self.path):
            raise OutputError(f"{quoted(str(self.path))} cannot be the cache: no folder can have this name")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            self.path.mkdir(mode=_OWNER_FOLDER)

    @contextmanager
    def open(self) -> Iterator[OpenFolder]:
        """Open it. Links among the folders above are followed, one in its place is not.

        Raises :class:`~pkcs12kit.errors.OutputError` where it is no folder or somebody else could write to it, and
        :class:`OSError`.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise OutputError(f"{self.path} cannot be the cache: a symbolic link, or no folder") from None
            raise
        try:
            _require_own(self.path, os.fstat(descriptor))
            yield OpenFolder(self.path, descriptor)
        finally:
            os.close(descriptor)


def _require_own(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise OutputError(f"{path} cannot be the cache: it belongs to another user; name a folder of your own")
    if status.st_mode & _OF_OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise OutputError(f"{path} cannot be the cache: others may write to it (mode {mode:04o}); chmod go-w it")


def _acquire(descriptor: int, kind: int, seconds: float) -> None:
    """Ask for a lock again and again: one that is waited for could be waited for without end."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise BusyError from None
            time.sleep(_POLL_SECONDS)
        else:
            return
