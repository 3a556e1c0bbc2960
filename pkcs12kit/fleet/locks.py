"""Locks between runs at the same time: of each output, of the state, and of a manifest that a run works on.

They are locks of the operating system on hidden files, and end with the process that holds them, however that ends.

- Two runs never compare and write the same output at the same time. The file of such a lock is removed while it is
  still locked, and a process that gets a lock looks whether the file still has its name: otherwise two processes could
  hold two files of one name.
- Two runs never write the same state at the same time, and each knows whether it is alone. These files stay.
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
from typing import TYPE_CHECKING, Final, TypeVar

from pkcs12kit.errors import OutputError
from pkcs12kit.files import TEMPORARY_PREFIX, named_target, opened_folder
from pkcs12kit.folders import opened
from pkcs12kit.hints import Hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pkcs12kit.folders import Folder
    from pkcs12kit.limits import Limits

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

T = TypeVar("T")

_PAUSE: Final = 0.02  # seconds between two tries
_LONGEST_WAIT: Final = 60.0
"""Seconds until the lock of a state is given up. It is held while a file of some megabytes is read and written."""
_MOST_RUNS: Final = 32
"""Runs at a time with one state, on Windows, where each locks a byte of a file, whether or not the file has it."""
_BUSY: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK})


class _BusyError(OutputError):
    """Another run holds the lock of an output."""


@contextmanager
def outputs_locked(outputs: Iterable[str], *, limits: Limits) -> Iterator[OutputError | None]:
    """Hold the locks of all these outputs, which are always taken in the same order.

    Yields None, or the reason why they cannot be locked, such as a folder that cannot be written to: the files may be
    compared all the same, but not written. Raises :class:`~pkcs12kit.OutputError` if another process holds a lock for
    ``limits.output_lock_seconds``.
    """
    deadline = time.monotonic() + limits.output_lock_seconds
    with ExitStack() as stack:
        try:
            for lock, output in _in_order(outputs):
                stack.enter_context(_locked(lock, output, deadline, limits))
            why = None
        except _BusyError:
            raise
        except OutputError as error:
            stack.close()
            why = error
        yield why


def why_not_locked(outputs: Iterable[str]) -> OutputError | None:
    """Return the reason why outputs could not be locked, as far as it can be known without writing; None without."""
    try:
        for lock, output in _in_order(outputs):
            with opened_folder(output) as folder:
                _require_regular(folder, Path(lock), output)
                if folder.has(Path(lock).name) and not os.access(lock, os.R_OK | os.W_OK):
                    return _cannot_open(output, lock, os.strerror(errno.EACCES))
    except OutputError as error:
        return error
    return None


def _in_order(outputs: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield the lock of each output, and the output."""
    places = {str(lock_file(output)): output for output in outputs}
    yield from ((lock, Path(places[lock])) for lock in sorted(places))


def lock_file(output: str) -> Path:
    """Return the path of the lock of an output: the same for every spelling of its path."""
    target = named_target(output)
    name = sha256(target.name.casefold().encode(errors="surrogateescape")).hexdigest()[:32]
    return Path(os.path.realpath(target.parent)) / f"{TEMPORARY_PREFIX}{name}.lock"


@contextmanager
def _locked(lock: str, output: Path, deadline: float, limits: Limits) -> Iterator[None]:
    path = Path(lock)
    with opened_folder(output) as folder:
        _require_regular(folder, path, output)
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
            raise _cannot_open(output, path, error.strerror) from None
        held = False
        try:
            held = _try_output(descriptor, path, output) and _has_its_name(folder, path.name, descriptor)
        finally:
            if not held:
                os.close(descriptor)
        if held:
            return descriptor
        if time.monotonic() >= deadline:
            raise _BusyError(
                f"cannot write {output}: another run has held its lock for {limits.output_lock_seconds:g} seconds"
                f" (limits.output_lock_seconds; {path})"
            ).hinting(Hint(text="wait until the other run has ended, and run it again"))
        time.sleep(_PAUSE)


def _try_output(descriptor: int, path: Path, output: Path) -> bool:
    """Return True if the lock is taken, False if another process has it."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise _not_regular(output, path)
    try:
        return _try(descriptor)
    except OSError as error:
        raise OutputError(
            f"cannot write {output}: its folder is on a file system without locks: {error.strerror}; write to another"
            " one and copy the file"
        ) from None


def _require_regular(folder: Folder, path: Path, output: Path) -> None:
    """Raise if something other than a regular file has the name of a lock."""
    if folder.has(path.name) and not stat.S_ISREG(folder.status(path.name).st_mode):
        raise _not_regular(output, path)


def _not_regular(output: Path, path: Path) -> OutputError:
    return OutputError(f"cannot write {output}: its lock {path} is not a regular file; remove it")


def _cannot_open(output: Path, path: str | Path, why: str | None) -> OutputError:
    return OutputError(f"cannot write {output}: its lock {path} cannot be opened: {why}")


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
                os.lseek(descriptor, 0, os.SEEK_SET)
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


@contextmanager
def state_locked(path: Path) -> Iterator[None]:
    """Hold the lock of a state, a file that stays. Raises :class:`~pkcs12kit.OutputError` if that is not possible."""
    descriptor = _open(path)
    try:
        end = time.monotonic() + _LONGEST_WAIT
        while not _try_state(descriptor, path, shared=False):
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
    ``guard`` is the file of :func:`state_locked`. Windows has no shared locks: there each run locks a byte of its own.
    Raises :class:`~pkcs12kit.OutputError` if a lock file cannot be made.
    """
    descriptor = _open(path)
    try:
        with state_locked(guard):  # the change from an exclusive lock to a shared one is not atomic
            if sys.platform == "win32":
                alone = _has_first_byte(descriptor, path)
                loaded = load()
            else:
                alone = _try_state(descriptor, path, shared=False)
                loaded = load()
                if not _try_state(descriptor, path, shared=True):
                    raise OutputError(f"cannot begin: another program has locked {path}")
        yield alone, loaded
    finally:
        os.close(descriptor)


def _has_first_byte(descriptor: int, path: Path) -> bool:
    """Lock the first byte that no other run has locked; return True if none has any of them."""
    held = [at for at in range(_MOST_RUNS) if _try_state(descriptor, path, shared=False, at=at)]
    if not held:
        raise OutputError(f"cannot begin: {_MOST_RUNS} other runs have locked {path}")
    if sys.platform == "win32":
        for at in held[1:]:
            os.lseek(descriptor, at, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    return len(held) == _MOST_RUNS


def _open(path: Path) -> int:
    try:
        with opened(path.parent) as folder:
            return folder.open(path.name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _try_state(descriptor: int, path: Path, *, shared: bool, at: int = 0) -> bool:
    try:
        return _try(descriptor, shared=shared, at=at)
    except OSError as error:  # a file system without locks
        raise OutputError(f"cannot lock {path}: {error.strerror}") from None


def _try(descriptor: int, *, shared: bool = False, at: int = 0) -> bool:
    """Lock a file, on Windows its byte ``at``; return False where another process holds it.

    Raises :class:`OSError` where the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, at, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True
