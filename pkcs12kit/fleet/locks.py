"""A lock for each output, so that two runs never compare and write the same file at the same time.

The lock is one of the operating system on a hidden file beside the output, which ends with the process that holds it,
however that ends. The file is removed while it is still locked, and a process that gets a lock looks whether the file
still has its name: otherwise two processes could hold two files of one name.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import OutputError
from pkcs12kit.files import TEMPORARY_PREFIX, named_target, opened_folder
from pkcs12kit.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.folders import Folder
    from pkcs12kit.limits import Limits

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK_SUFFIX: Final = ".lock"
_PAUSE: Final = 0.05  # seconds between two tries
_BUSY: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})


@contextmanager
def locked(outputs: Iterable[str], *, limits: Limits) -> Iterator[None]:
    """Hold the locks of all these outputs, which are always taken in the same order.

    Raises :class:`~pkcs12kit.OutputError` if another process holds one for ``limits.output_lock_seconds``, or if the
    file system has no locks.
    """
    deadline = time.monotonic() + limits.output_lock_seconds
    places = {_place(output): output for output in outputs}
    with ExitStack() as stack:
        for lock in sorted(places):
            stack.enter_context(_locked(lock, Path(places[lock]), deadline, limits))
        yield


def lock_file(output: str) -> Path:
    """Return the path of the lock of an output: the same for every spelling of its path."""
    return Path(_place(output))


def _place(output: str) -> str:
    target = named_target(output)
    name = sha256(target.name.casefold().encode(errors="surrogateescape")).hexdigest()[:32]
    return str(Path(os.path.realpath(target.parent)) / f"{TEMPORARY_PREFIX}{name}{LOCK_SUFFIX}")


@contextmanager
def _locked(lock: str, output: Path, deadline: float, limits: Limits) -> Iterator[None]:
    path = Path(lock)
    with opened_folder(output) as folder:
        descriptor = _acquire(folder, path, output, deadline, limits)
        try:
            yield
        finally:
            _release(folder, path.name, descriptor)


def _acquire(folder: Folder, path: Path, output: Path, deadline: float, limits: Limits) -> int:
    while True:
        try:
            descriptor = folder.open(path.name, os.O_RDWR | os.O_CREAT | getattr(os, "O_NONBLOCK", 0), 0o600)
        except OSError as error:
            raise OutputError(f"cannot write {output}: its lock {path} cannot be opened: {error.strerror}") from None
        held = False
        try:
            held = _try(descriptor, path, output) and _has_its_name(folder, path.name, descriptor)
        finally:
            if not held:
                os.close(descriptor)
        if held:
            return descriptor
        if time.monotonic() >= deadline:
            raise OutputError(
                f"cannot write {output}: another run has held its lock for {limits.output_lock_seconds:g} seconds"
                f" (limits.output_lock_seconds; {path})"
            ).hinting(Hint(text="wait until the other run has ended, and run it again"))
        time.sleep(_PAUSE)


def _try(descriptor: int, path: Path, output: Path) -> bool:
    """Return True if the lock is taken, False if another process has it."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OutputError(f"cannot write {output}: its lock {path} is not a regular file; remove it")
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise OutputError(
            f"cannot write {output}: its folder is on a file system without locks: {error.strerror}; write to another"
            " one and copy the file"
        ) from None
    return True


def _has_its_name(folder: Folder, name: str, descriptor: int) -> bool:
    """Return True if the locked file is the one that others find; the last holder may have removed it."""
    try:
        there = folder.status(name)
    except FileNotFoundError:
        return False
    return os.path.samestat(there, os.fstat(descriptor))


def _release(folder: Folder, name: str, descriptor: int) -> None:
    """Remove the file and end the lock. Windows removes no open file; there the next holder may have it already."""
    try:
        if sys.platform == "win32":
            with suppress(OSError):
                msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
        else:
            with suppress(OSError):
                folder.unlink(name)
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
    if sys.platform == "win32":
        with suppress(OSError):
            folder.unlink(name)
