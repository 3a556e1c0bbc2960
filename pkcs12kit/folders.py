"""Folders that are open while files in them are written and read.

Where the system lets a program open a folder, files are reached through its descriptor: no one can put another folder
in its place half-way. Windows does not: there files are reached by the folder's path.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform == "darwin":
    import fcntl

NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
BINARY: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
"""Flags of Windows: without the first, each line feed would be written as two characters."""

_NAME_SURROGATE: Final = 1 << 29
"""The bit in the tag of a reparse point of Windows that stands for another file or folder ([MS-FSCC] 2.1.2.1)."""
_TRIES: Final = 10
_PAUSE: Final = 0.1  # seconds between two tries


def has_descriptors() -> bool:
    """Return True if the system lets a program open a folder and reach its files through the descriptor."""
    return hasattr(os, "O_DIRECTORY") and bool(os.supports_dir_fd)


class Folder:
    """An open folder. Methods take the name of a file in it, never follow a link there, and raise :class:`OSError`."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    def open(self, name: str, flags: int, mode: int = 0o600) -> int:
        """Open a file and return its descriptor."""
        flags |= NO_LINK | BINARY
        if self._descriptor is not None:
            return os.open(name, flags, mode, dir_fd=self._descriptor)
        is_looked_up = not (flags & os.O_EXCL or hasattr(os, "O_NOFOLLOW"))
        is_there = not flags & os.O_CREAT or self.has(name)
        if is_looked_up and is_there and stat.S_ISLNK(self.status(name).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return os.open(self._at(name), flags, mode)

    def status(self, name: str = "") -> os.stat_result:
        """Return the status of a file, or of the folder itself."""
        if not name:
            return self.path.stat() if self._descriptor is None else os.fstat(self._descriptor)
        if self._descriptor is None:
            return self._at(name).lstat()
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Return True if anything has the name."""
        try:
            self.status(name)
        except FileNotFoundError:
            return False
        return True

    def replace(self, old: str, new: str) -> None:
        """Change the name of a file in one step; a file that has the name is replaced."""
        if self._descriptor is None:
            self._replace(self._at(old), self._at(new))
        else:
            os.replace(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)

    @staticmethod
    def _replace(old: Path, new: Path) -> None:
        """Replace a file by path. On Windows that fails while another program, such as a virus scanner, reads it."""
        for _ in range(_TRIES):
            with suppress(PermissionError):
                old.replace(new)
                return
            time.sleep(_PAUSE)
        raise PermissionError(
            errno.EACCES, "another program has the file open, or it is read-only; close it, try again"
        )

    def unlink(self, name: str) -> None:
        """Remove a file or a link."""
        if self._descriptor is None:
            self._at(name).unlink()
        else:
            os.unlink(name, dir_fd=self._descriptor)

    def link(self, old: str, new: str) -> None:
        """Add a second name to a file."""
        if self._descriptor is None:
            self._at(new).hardlink_to(self._at(old))
        else:
            os.link(old, new, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor, follow_symlinks=False)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        if self._descriptor is None:
            self._at(name).rmdir()
        else:
            os.rmdir(name, dir_fd=self._descriptor)

    def set_modified(self, name: str, modified: int) -> None:
        """Set the modification time, in nanoseconds since 1970."""
        times = (modified, modified)
        if self._descriptor is None:
            if not stat.S_ISLNK(self.status(name).st_mode):
                os.utime(self._at(name), ns=times)
        else:
            os.utime(name, ns=times, dir_fd=self._descriptor, follow_symlinks=False)

    @contextmanager
    def entries(self) -> Iterator[Iterator[os.DirEntry[str]]]:
        """Scan the folder."""
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as found:
            yield found

    def attributes_path(self, name: str) -> str:
        """Return a path by which extended attributes can be read: through the descriptor where the system has one."""
        opened = f"/proc/self/fd/{self._descriptor}/{name}"
        return opened if self._descriptor is not None and os.path.lexists(opened) else str(self._at(name))

    def sync(self) -> None:
        """Make sure that new names last. Without a descriptor that is the system's business."""
        if self._descriptor is not None:
            sync_file(self._descriptor)

    def _at(self, name: str) -> Path:
        return self.path / name


def sync_file(descriptor: int) -> None:
    """Make sure that the bytes of an open file outlast a loss of power, or the names of an open folder.

    On macOS fsync(2) leaves them in the memory of the drive. There F_FULLFSYNC is asked for, which some file systems,
    such as those of a network, do not have. Raises :class:`OSError`.
    """
    if sys.platform == "darwin":
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def leads_elsewhere(status: os.stat_result) -> bool:
    """Return True for the status, not followed, of a symbolic link, or of a junction or mount point of Windows.

    Windows shows the latter as folders. Folders of OneDrive are marked in a similar way, and lead nowhere.
    """
    return stat.S_ISLNK(status.st_mode) or bool(getattr(status, "st_reparse_tag", 0) & _NAME_SURROGATE)


@contextmanager
def opened(path: Path, *, follow_link: bool = True) -> Iterator[Folder]:
    """Open a folder while a block runs. Without ``follow_link``, a link or junction in its place is an error.

    Raises :class:`OSError`: ENOTDIR for something other than a folder, and ENOTDIR or ELOOP for such a link.
    """
    if not has_descriptors():
        status = path.stat(follow_symlinks=follow_link)
        if not stat.S_ISDIR(status.st_mode) or (not follow_link and leads_elsewhere(status)):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        yield Folder(path, None)
        return
    flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags | (0 if follow_link else NO_LINK))
    try:
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)
