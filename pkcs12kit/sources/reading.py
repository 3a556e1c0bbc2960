"""Bytes from files, folders and standard input, never more than the limits allow."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError, InputError, LimitExceededError
from pkcs12kit.hints import Hint
from pkcs12kit.limits import Limits
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


Source: TypeAlias = "str | os.PathLike[str] | bytes"
"""A path to a file or a folder, ``"-"`` for standard input, or the content as bytes."""

STANDARD_INPUT: Final = "-"
NO_FOLDER: Final = "a folder; expected a file"
"""The fault of a folder where a file is needed."""
_CHUNK_BYTES: Final = 1024 * 1024
_SHOWN_CHARACTERS: Final = 200
_NAMES_COMPARED: Final = 200
"""Names in a folder that are compared with one that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """A file found in a folder, or the reason why it cannot be opened."""

    path: str
    fault: str | None = None


def name_of(source: Source) -> str:
    """Return the name of a source for messages.

    Raises :class:`~pkcs12kit.ArgumentError` for an object of another kind, and :class:`InputError` for PEM text.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return "the bytes given"
    path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
    if not isinstance(path, str):
        raise ArgumentError(f"a source is a path or bytes, not {type(source).__name__}")
    if "-----BEGIN" in path or "\n" in path:  # never echoed: it may be a key
        raise InputError("expected a path, found PEM or a text of several lines; give contents as bytes")
    return "standard input" if path == STANDARD_INPUT else shown_path(path)


def shown_path(path: str) -> str:
    """Return a path or the name of a file for messages: safe to print, the end kept of a long one."""
    return harmless(path, longest=_SHOWN_CHARACTERS, keep_end=True)


def is_folder(source: Source) -> bool:
    """Return True if a source is a folder that exists."""
    name_of(source)  # raises for a value that is not a source
    if isinstance(source, (bytes, bytearray, memoryview)) or os.fspath(source) == STANDARD_INPUT:
        return False
    try:
        return stat.S_ISDIR(os.stat(source).st_mode)  # noqa: PTH116 - a path may be a plain string
    except (OSError, ValueError):
        return False


def require_regular_file(path: str) -> None:
    """Raise :class:`InputError` for a pipe, a device or a socket: it can be read only once, or may never end.

    A file that is missing or cannot be looked at is left to the reader of it.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - a path may be a plain string
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(
            f"{shown_path(path)}: a pipe, a device or a socket, which cannot be read twice; give a regular file"
        )


def read_source(source: Source, limits: Limits) -> bytes:
    """Return the content of a file, of standard input or of bytes, read once.

    Raises :class:`InputError` if it cannot be read, and :class:`LimitExceededError` if it is larger than
    ``limits.input_bytes``: for a file before it is read, otherwise after that many bytes.
    """
    require_kind("limits", limits, Limits)
    name = name_of(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
        if len(data) > limits.input_bytes:
            raise _too_large(name, limits)
        return data
    path = os.fspath(source)
    try:
        if path == STANDARD_INPUT:
            return _read_bounded(_standard_input(), name, limits)
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a path may be a plain string
            if os.fstat(stream.fileno()).st_size > limits.input_bytes:
                raise _too_large(name, limits)
            return _read_bounded(stream, name, limits)
    except OSError as error:
        raise InputError(f"{name}: {fault_of(error)}").hinting(*_similar_names(Path(path), error)) from None
    except ValueError:  # a NUL in the path
        raise InputError(f"{name}: not a path") from None


def folder_files(folder: str, limits: Limits) -> Iterator[FolderFile]:
    """Yield the files of a folder and its subfolders, by name. Symbolic links are followed; each folder is read once.

    Hidden files (with a leading dot) and other kinds of files (pipes, devices) are skipped. Raises
    :class:`LimitExceededError` for more than ``limits.archive_members`` entries.
    """
    seen: set[tuple[int, int]] = set()
    remaining = limits.archive_members
    pending = [folder]
    while pending:
        path = pending.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 - plain strings throughout
            if stat.S_ISREG(status.st_mode):
                yield FolderFile(path=path)
                continue
            if not stat.S_ISDIR(status.st_mode) or (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            names = _visible_names(path, remaining)
        except OSError as error:
            yield FolderFile(path=path, fault=fault_of(error))
            continue
        remaining -= len(names)
        if remaining < 0:
            raise LimitExceededError(
                f"{shown_path(folder)}: more than {limits.archive_members:,} files (limits.archive_members)"
            )
        pending += [os.path.join(path, name) for name in sorted(names, reverse=True)]  # noqa: PTH118


def fault_of(error: OSError) -> str:
    """Return the reason why something cannot be read, in the words of the system, without the path."""
    if isinstance(error, IsADirectoryError):
        return NO_FOLDER
    return (error.strerror or "cannot be read").lower()


def _visible_names(path: str, remaining: int) -> list[str]:
    """Return the visible names in a folder, at most one more than what remains of the limit."""
    names: list[str] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                names.append(entry.name)
            if len(names) > remaining:
                break
    return names


def _standard_input() -> BinaryIO:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise InputError("standard input is not available")
    return stream  # type: ignore[no-any-return]  # sys.stdin may be anything


def _read_bounded(stream: BinaryIO, name: str, limits: Limits) -> bytes:
    """Return the whole content, or raise after one byte more than the limit."""
    chunks = []
    remaining = limits.input_bytes + 1
    while remaining and (chunk := stream.read(min(remaining, _CHUNK_BYTES))):
        chunks.append(chunk)
        remaining -= len(chunk)
    if not remaining:
        raise _too_large(name, limits)
    return b"".join(chunks)


def _too_large(name: str, limits: Limits) -> LimitExceededError:
    return LimitExceededError(f"{name}: larger than {limits.input_bytes:,} bytes (limits.input_bytes)")


def _similar_names(path: Path, error: OSError) -> Iterator[Hint]:
    """Yield the hint for a file that does not exist: a similar name in its folder, or that there is no such folder."""
    if not isinstance(error, FileNotFoundError):
        return
    with suppress(OSError):
        if not path.parent.is_dir():
            yield Hint(text=f"the folder {path.parent} does not exist")
            return
        names = (one.name for one in islice(path.parent.iterdir(), _NAMES_COMPARED))
        for near in get_close_matches(path.name, names, n=1):
            yield Hint(text=f"did you mean {path.parent / near}?")
