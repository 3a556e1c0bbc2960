"""Atomic writing of files, above all of files with secrets: a complete file with mode 0600, or none."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.file_access import (
    EVERYBODY,
    OWNER_ONLY,
    FileAccess,
    Found,
    difference,
    foresee_access,
    give_access,
)
from pkcs12kit.file_names import why_no_name
from pkcs12kit.folders import Folder, opened, sync_file
from pkcs12kit.hints import Hint
from pkcs12kit.shell_words import quote_word
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY_PREFIX: Final = ".pkcs12kit-"
TEMPORARY_SUFFIX: Final = ".tmp"

_MAKE_FOLDER: Final = "mkdir" if os.name == "nt" else "mkdir -p"  # that of Windows makes the folders above as well
_NEW_FILE: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL
KEEP: Final = FileAccess()
PUBLIC: Final = FileAccess(most=EVERYBODY)
"""The access of files without secrets."""
OWN: Final = FileAccess(most=OWNER_ONLY, keep=False)
"""The access of files in a cache of the user: that of the file that is replaced is not kept."""


def write_private(path: str | os.PathLike[str], data: bytes, *, access: FileAccess = KEEP) -> None:
    """Write ``data`` to ``path`` with mode 0600, whatever the umask; a file that is replaced keeps its own.

    ``access`` says what else is asked for: see :class:`~pkcs12kit.file_access.FileAccess`.

    The bytes go to a temporary file in the same folder, are synced to the disk, read back and compared, and then take
    the name ``path`` in one step. If the call is interrupted, ``path`` is the old file or the complete new one. The
    temporary file (``.pkcs12kit-...``) is removed on failure; a loss of power may leave it behind.

    A symbolic link at ``path`` is refused, whatever it points to: following it could put a key in a place that someone
    else chose, and replacing it could break ``/dev/stdout``. Everything else that is not a regular file is refused as
    well. Links among the parent folders are followed.

    Raises :class:`~pkcs12kit.errors.OutputError`.
    """
    _write(path, data, private=True, access=access)


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Write data that is not secret, as :func:`write_private` does; a new one has mode 0666 restricted by the umask."""
    _write(path, data, private=False, access=PUBLIC)


def require_writable(path: str | os.PathLike[str], *, access: FileAccess | None = KEEP) -> None:
    """Raise the error that :func:`write_private` would raise, as far as it can be known without writing.

    Without ``access`` the owner and the mode are not checked.

    Checked are names that no file can have, a folder that is missing or cannot be written to, and existing things that
    may not be replaced. Only free disk space is not checked. Raises :class:`~pkcs12kit.errors.OutputError`.
    """
    target = named_target(path)
    with opened_folder(target) as folder:
        _require_replaceable(folder, target)
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise OutputError(f"cannot write {target}: its folder cannot be written to")
        if access is not None:
            foresee_access(folder, target, access, OWNER_ONLY)


def require_replaceable(path: str | os.PathLike[str]) -> None:
    """Raise the error of :func:`require_writable` for everything but the rights to the folder.

    A file that may turn out to be right already needs no more.
    """
    target = named_target(path)
    with opened_folder(target) as folder:
        _require_replaceable(folder, target)


def read_private(path: str | os.PathLike[str], *, limit: int, access: FileAccess = KEEP) -> bytes:
    """Return the contents of a regular file with the access that :func:`write_private` would give it.

    The file is checked and read through one descriptor, so no one can swap it in between. ``limit`` is in bytes. Raises
    :class:`~pkcs12kit.errors.InputError`, with the reason in a few words.
    """
    return read_in(None, path, limit=limit, access=access)


def write_in(folder: Folder, target: Path, data: bytes, *, private: bool, access: FileAccess = KEEP) -> None:
    """Write as :func:`write_private` does, into an open folder; ``target`` is the whole path, for messages.

    Where the file is not ``private``, a new one has mode 0666 restricted by the umask. Raises :class:`OSError`, and
    :class:`~pkcs12kit.errors.OutputError` where something other than a regular file has the name.
    """
    with staged_in(folder, target, data, private=private, access=access) as temporary:
        folder.replace(temporary, target.name)
    sync_folder(folder, target)


@contextmanager
def staged_in(folder: Folder, target: Path, data: bytes, *, private: bool, access: FileAccess = KEEP) -> Iterator[str]:
    """Write ``data`` to a temporary file beside ``target``, synced and compared; yield its name in the open folder.

    The caller renames it. It is removed if an error is raised, here or by the caller. Raises as :func:`write_in` does.
    """
    _require_replaceable(folder, target)
    temporary = temporary_name()
    descriptor = folder.open(temporary, _NEW_FILE, OWNER_ONLY if private else EVERYBODY)
    try:
        try:
            give_access(descriptor, folder, target, access, OWNER_ONLY if private else None)
            _write_and_compare(descriptor, data)
        finally:
            os.close(descriptor)
        yield temporary
    except BaseException:
        with suppress(OSError):
            folder.unlink(temporary)
        raise


def temporary_name() -> str:
    """Return a new name for a temporary file, by which a later call recognizes it."""
    return f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def read_in(folder: Folder | None, path: str | os.PathLike[str], *, limit: int, access: FileAccess | None) -> bytes:
    """Read ``path`` in an open folder, as :func:`read_private` does; with any owner and mode without ``access``."""
    try:
        # O_NONBLOCK: a pipe would be waited for
        descriptor = (folder or Folder(Path(), None)).open(os.fspath(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise InputError("there was no file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"what was there cannot be read: {getattr(error, 'strerror', error)}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("what was there is not a regular file")
        if access is not None and (reason := difference(Found.of(status, descriptor), access)) is not None:
            raise InputError(reason)
        if status.st_size > limit:
            raise InputError(f"what was there is longer than {limit:,} bytes")
        return b"".join(_chunks(descriptor))
    except OSError as error:
        raise InputError(f"what was there cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def _write(path: str | os.PathLike[str], data: bytes, *, private: bool, access: FileAccess) -> None:
    target = named_target(path)
    with opened_folder(target) as folder:
        write_in(folder, target, data, private=private, access=access)


def named_target(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file to write. Raises :class:`~pkcs12kit.errors.OutputError` for what no file can have."""
    target = Path(path)
    if target.name in {"", ".."}:
        raise OutputError(f"cannot write {target}: it names a folder")
    try:
        os.fsencode(target)
    except UnicodeEncodeError:
        raise OutputError(f"cannot write {quoted(str(target))}: no file can have this name") from None
    if "\0" in str(target):
        raise OutputError(f"cannot write {quoted(str(target))}: no file can have this name")
    why = why_no_name(target.name)
    if why is not None:
        raise OutputError(f"cannot write {quoted(str(target))}: {why}; give another name")
    return target


@contextmanager
def opened_folder(target: Path) -> Iterator[Folder]:
    """Open the folder of a file to write. Errors of the system become :class:`~pkcs12kit.errors.OutputError`."""
    with ExitStack() as stack:
        try:
            folder = stack.enter_context(opened(target.parent))
        except OSError as error:
            failed = OutputError(f"cannot write {target}: its folder cannot be opened: {error.strerror}")
            if isinstance(error, FileNotFoundError):
                failed.hinting(
                    Hint(text="create the folder first", command=f"{_MAKE_FOLDER} {quote_word(str(target.parent))}")
                )
            raise failed from None
        try:
            yield folder
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror}") from None


def _require_replaceable(folder: Folder, target: Path) -> None:
    try:
        status = folder.status(target.name)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(status.st_mode):
        raise OutputError(f"cannot write {target}: it is a symbolic link; give the path that it points to")
    if not stat.S_ISREG(status.st_mode):
        failed = OutputError(f"cannot write {target}: something other than a file is there")
        if stat.S_ISDIR(status.st_mode):
            failed.hinting(Hint(text="give the name of a file in this folder"))
        raise failed


def _write_and_compare(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    sync_file(descriptor)
    os.lseek(descriptor, 0, os.SEEK_SET)
    if b"".join(_chunks(descriptor)) != data:
        raise OSError(errno.EIO, "what was read back is not what was written")


def _chunks(descriptor: int) -> Iterator[bytes]:
    while chunk := os.read(descriptor, 1 << 20):
        yield chunk


def sync_folder(folder: Folder, target: Path) -> None:
    """Sync the folder, so that the new name lasts. Some file systems cannot do that (EINVAL), which is not an error."""
    try:
        folder.sync()
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise OutputError(
                f"wrote {target}, but cannot make sure that it outlasts a loss of power: {error.strerror}"
            ) from None
