"""Locks between the runs of one manifest: who writes the state now, and whether any other run is going on.

The system frees a lock when its process ends, however it ends. The lock files stay: removing one would let two
processes lock two files with one name.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from pkcs12kit.errors import OutputError
from pkcs12kit.folders import opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

T = TypeVar("T")

_LONGEST_WAIT: Final = 60.0
"""Seconds until a lock is given up. It is held while a file of some megabytes is read and written."""
_PAUSE: Final = 0.02  # seconds between two tries


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file while the block runs. Raises :class:`~pkcs12kit.OutputError` if that is not possible."""
    descriptor = _open(path)
    try:
        end = time.monotonic() + _LONGEST_WAIT
        while not _try(descriptor, path, shared=False):
            if time.monotonic() > end:
                raise OutputError(f"cannot write the state: another run has held {path} for a minute")
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def running(path: Path, guard: Path, load: Callable[[], T]) -> Iterator[tuple[bool, T]]:
    """Mark that a run is going on while the block runs.

    Yields True if no other run is going on, and the value of ``load``, which is called before any other run can begin.
    ``guard`` is the file of :func:`locked`. Where the system has no shared locks (Windows), each run takes itself for
    the only one. Raises :class:`~pkcs12kit.OutputError` if a lock file cannot be made.
    """
    descriptor = _open(path)
    try:
        with locked(guard):  # the change from an exclusive lock to a shared one is not atomic
            alone = sys.platform == "win32" or _try(descriptor, path, shared=False)
            loaded = load()
            if sys.platform != "win32" and not _try(descriptor, path, shared=True):
                raise OutputError(f"cannot begin: another program has locked {path}")
        yield alone, loaded
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        with opened(path.parent) as folder:
            return folder.open(path.name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _try(descriptor: int, path: Path, *, shared: bool) -> bool:
    """Try to lock a file; return False where another process holds it. Raises :class:`~pkcs12kit.OutputError`."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:  # a file system without locks
        raise OutputError(f"cannot lock {path}: {error.strerror}") from None
    return True
