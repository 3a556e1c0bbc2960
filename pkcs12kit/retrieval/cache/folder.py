"""The folder of the cache: its ownership and its files.

All files lie side by side in one folder. Each piece of work opens the folder and reaches the files through its
descriptor: no one can put another folder in its place half-way, and no symbolic link leads out of it.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import OutputError
from pkcs12kit.file_owners import has_owners, own_numbers
from pkcs12kit.files import OWN, TEMPORARY_PREFIX, TEMPORARY_SUFFIX, read_in, write_in
from pkcs12kit.folders import opened
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.folders import Folder

ENTRY_SUFFIX: Final = ".entry"

_OWNER_FOLDER: Final = 0o700
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_OUR_NAME: Final = re.compile(
    rf"[0-9a-f]{{64}}{re.escape(ENTRY_SUFFIX)}|{re.escape(TEMPORARY_PREFIX)}[0-9a-f]+{re.escape(TEMPORARY_SUFFIX)}"
)


def own_files(folder: str | os.PathLike[str]) -> tuple[str, ...]:
    """Return the names in a folder that a cache gives to files, and may replace or remove; none if it is new."""
    try:
        return tuple(name for name in os.listdir(folder) if _OUR_NAME.fullmatch(name))  # noqa: PTH208
    except OSError:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFile:
    """One of the cache's own files: an entry, or a temporary file of a running or killed process.

    ``size`` is in bytes; ``modified`` is in nanoseconds since 1970.
    """

    name: str
    size: int
    modified: int

    @property
    def is_temporary(self) -> bool:
        """True for a temporary file."""
        return self.name.endswith(TEMPORARY_SUFFIX)


class OpenFolder:
    """The folder while it is open. Methods raise :class:`OSError`, and the errors that they name."""

    def __init__(self, folder: Folder) -> None:
        self.path = folder.path
        self._folder = folder

    def files(self) -> list[CacheFile]:
        """List the cache's own files; other files in the folder are left out."""
        found = []
        with self._folder.entries() as entries:
            for entry in entries:
                if _OUR_NAME.fullmatch(entry.name):
                    with suppress(FileNotFoundError):  # another process has removed it since
                        status = entry.stat(follow_symlinks=False)
                        found.append(CacheFile(name=entry.name, size=status.st_size, modified=status.st_mtime_ns))
        return found

    def modified(self, name: str) -> int | None:
        """Return the modification time of a file, link or folder, in nanoseconds since 1970; None where none is."""
        try:
            return self._folder.status(name).st_mtime_ns
        except FileNotFoundError:
            return None

    def set_modified(self, name: str, modified: int) -> None:
        """Set the modification time of a file, in nanoseconds since 1970."""
        with suppress(FileNotFoundError):  # another process has removed it since
            self._folder.set_modified(name, modified)

    def read(self, name: str, *, limit: int) -> bytes:
        """Return the bytes of a file of at most ``limit`` bytes.

        Raises :class:`~pkcs12kit.errors.InputError`, with a few words, for anything else in its place.
        """
        return read_in(self._folder, name, limit=limit, access=OWN)

    def write(self, name: str, data: bytes) -> None:
        """Write a file in one step, mode 0600, and replace whatever had the name before.

        Raises :class:`~pkcs12kit.errors.OutputError` as well.
        """
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(self._folder.status(name).st_mode):
                self.remove(name)
        write_in(self._folder, self.path / name, data, private=True, access=OWN)

    def remove(self, name: str) -> None:
        """Remove whatever has this name. A folder that is not empty is not ours to delete: it gets another name."""
        with suppress(FileNotFoundError):
            try:
                self._folder.unlink(name)
            except (IsADirectoryError, PermissionError):  # for a folder, POSIX has EPERM and Linux EISDIR
                try:
                    self._folder.rmdir(name)
                except NotADirectoryError:
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
                except OSError as error:
                    if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                        raise
                    aside = f"not-of-the-cache-{secrets.token_hex(8)}"
                    self._folder.replace(name, aside)


class CacheFolder:
    """The path of the cache. The file system is not touched until :meth:`make` or :meth:`open` is called."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        if path is None:
            from platformdirs import user_cache_path

            path = user_cache_path("pkcs12kit", appauthor=False)
        elif not os.fspath(path):  # abspath() would turn it into the current folder
            raise OutputError("a folder without a name cannot be the cache")
        self.path = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the links to be refused

    def make(self) -> None:
        """Make the folder where it does not exist, mode 0700, and the folders above it.

        Raises :class:`OSError`, and :class:`~pkcs12kit.errors.OutputError` for a name that no folder can have.
        """
        try:
            usable = b"\0" not in os.fsencode(self.path)
        except UnicodeEncodeError:
            usable = False
        if not usable:
            raise OutputError(f"{quoted(str(self.path))} cannot be the cache: no folder can have this name")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            self.path.mkdir(mode=_OWNER_FOLDER)

    @contextmanager
    def open(self) -> Iterator[OpenFolder]:
        """Open the folder. Symbolic links among the folders above are followed; one in its place is refused.

        Raises :class:`~pkcs12kit.errors.OutputError` for something other than a folder, and for a folder that another
        user owns or can write to; :class:`OSError`.
        """
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(opened(self.path, follow_link=False))
            except OSError as error:
                if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                    raise OutputError(f"{self.path} cannot be the cache: a symbolic link, or no folder") from None
                raise
            if has_owners():
                _require_own(self.path, folder.status())
            yield OpenFolder(folder)


def _require_own(path: Path, status: os.stat_result) -> None:
    if status.st_uid != own_numbers()[0]:
        raise OutputError(f"{path} cannot be the cache: it belongs to another user; name a folder of your own")
    if status.st_mode & _OF_OTHERS:
        mode = stat.S_IMODE(status.st_mode)
        raise OutputError(f"{path} cannot be the cache: others may write to it (mode {mode:04o}); chmod go-w it")
