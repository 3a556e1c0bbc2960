"""The compiled programs of clients, which are kept between rehearsals in a folder of the user.

A kept program is executed, so it is only used if no one else can have written it: its folder and the folder above must
belong to the user and must not be writable by others, the file must belong to the user with mode 0600, and none may be
a symbolic link. The bytes that were checked are the bytes that run: they are read through one descriptor and copied to
the client's private folder. A digest over the key and the program finds damage. The key is made from the source, the
compiler's version and its file, so another compiler never uses the program. In any other case the program is compiled.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.files import OWN, TEMPORARY_PREFIX, write_in
from pkcs12kit.folders import NO_LINK, Folder
from pkcs12kit.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OPEN_FILE: Final = os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0)
_OPEN_FOLDER: Final = os.O_RDONLY | NO_LINK | getattr(os, "O_DIRECTORY", 0)
_OWNER_FOLDER: Final = 0o700
_OF_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_SUFFIX: Final = ".program"
_LARGEST: Final = 64 * MIB  # Go's program has 5 MiB
_KEPT: Final = 3  # programs of one client: of the last compilers
_ABANDONED: Final = 3600  # seconds after which a temporary file is that of a killed process


def key_of(source: bytes, compiler: str, version: str) -> str | None:
    """Return the key of a program by its source and its compiler; None where the compiler is not a file."""
    try:
        place = os.path.realpath(compiler)
        status = os.stat(place)  # noqa: PTH116  # plain strings throughout
    except OSError:
        return None
    identity = (version, place, str(status.st_size), str(status.st_mtime_ns), sha256(source).hexdigest())
    return sha256("\0".join(identity).encode("utf-8", "surrogateescape")).hexdigest()


def kept_program(name: str, key: str) -> bytes | None:
    """Return the program that was kept under this key; None where there is none, or none that is safe to run."""
    try:
        with _folder(make=False) as folder:
            content = _read(folder, f"{name}-{key}{_SUFFIX}")
    except OSError:
        return None
    size = sha256().digest_size
    return content[size:] if content[:size] == _digest(key, content[size:]) else None


def keep_program(name: str, key: str, program: bytes) -> None:
    """Keep a program where that is possible; an older one of the same client may be removed."""
    file = f"{name}-{key}{_SUFFIX}"
    with suppress(OSError, InputError, OutputError), _folder(make=True) as folder:
        write_in(Folder(Path(), folder), Path(file), _digest(key, program) + program, private=True, access=OWN)
        for old in _superfluous(folder, name):
            with suppress(OSError):
                os.unlink(old, dir_fd=folder)


def _digest(key: str, program: bytes) -> bytes:
    return sha256(key.encode("ascii") + program).digest()


def _read(folder: int, file: str) -> bytes:
    """Return the bytes of a file that only the user can have written. Raises :class:`OSError` for any other."""
    descriptor = os.open(file, _OPEN_FILE, dir_fd=folder)
    with open(descriptor, "rb") as stream:  # noqa: PTH123  # a descriptor
        status = os.fstat(descriptor)
        _require_own(status)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            raise PermissionError("not a program that was kept")
        return stream.read(_LARGEST)


def _superfluous(folder: int, name: str) -> Sequence[str]:
    """Return the files of other programs of this client, without the last ones, and old temporary files."""
    programs, abandoned = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            modified = entry.stat(follow_symlinks=False).st_mtime_ns
            if entry.name.startswith(f"{name}-") and entry.name.endswith(_SUFFIX):
                programs.append((modified, entry.name))
            elif entry.name.startswith(TEMPORARY_PREFIX) and time.time() - modified / 1e9 > _ABANDONED:
                abandoned.append(entry.name)
    return [*abandoned, *(old for _, old in sorted(programs)[:-_KEPT])]


@contextmanager
def _folder(*, make: bool) -> Iterator[int]:
    """Open the folder of programs. Raises :class:`OSError` where it is not there, or is not the user's alone."""
    if not hasattr(os, "geteuid") or not hasattr(os, "O_NOFOLLOW"):
        raise OSError("folders have no owner here, by which they could be checked")
    from platformdirs import user_cache_path

    path = user_cache_path("pkcs12kit", appauthor=False)
    if not path.is_absolute():  # XDG Base Directory Specification: a relative XDG_CACHE_HOME is ignored
        raise OSError(f"{path} is relative")
    if make:
        if not path.parent.exists():
            _require_owner(os.stat(path.parent.parent))  # noqa: PTH116  # root must not make folders for a user
            path.parent.mkdir(mode=_OWNER_FOLDER)
        _require_owner(os.stat(path.parent))  # noqa: PTH116
    with _opened(path, None, make=make) as above, _opened("clients", above, make=make) as folder:
        yield folder


@contextmanager
def _opened(path: str | Path, above: int | None, *, make: bool) -> Iterator[int]:
    """Open a folder of the user that others cannot write to; a symbolic link is refused."""
    if make:
        with suppress(FileExistsError):
            os.mkdir(path, _OWNER_FOLDER, dir_fd=above)
    descriptor = os.open(path, _OPEN_FOLDER, dir_fd=above)
    try:
        _require_own(os.fstat(descriptor))
        yield descriptor
    finally:
        os.close(descriptor)


def _require_own(status: os.stat_result) -> None:
    """Raise :class:`PermissionError` for a file or folder of another user, or one that others may write to."""
    _require_owner(status)
    if status.st_mode & _OF_OTHERS:
        raise PermissionError("others may write to it")


def _require_owner(status: os.stat_result) -> None:
    if sys.platform == "win32" or status.st_uid != os.geteuid():
        raise PermissionError("it belongs to another user")
