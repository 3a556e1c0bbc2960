"""Names of files: names that a system does not give to files, and names that it takes for the same."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from unicodedata import normalize

if TYPE_CHECKING:
    from types import ModuleType

_DEVICES: Final = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{port}{n}" for port in ("COM", "LPT") for n in "123456789¹²³"}
)
_NO_CHARACTERS: Final = frozenset('"*:<>?|/\\') | frozenset(map(chr, range(32)))


def why_no_name(name: str) -> str | None:
    """Return why no file of this system can have the name, as the end of a sentence; None if one can."""
    return why_no_name_on_windows(name) if os.name == "nt" else None


def why_no_name_on_windows(name: str) -> str | None:
    """Return why no file of Windows can have the name, or None.

    Windows opens a device for some names, whatever their ending; takes a colon for a hidden part of another file; and
    drops dots and spaces at the end. See https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file.
    """
    if name.partition(".")[0].rstrip(" ").upper() in _DEVICES:
        return "Windows keeps this name for a device"
    unusable = sorted(_NO_CHARACTERS.intersection(name))
    if unusable:
        return f"Windows has no file with {unusable[0]!a} in its name"
    if name.endswith((".", " ")) and name not in {".", ".."}:
        return "Windows leaves out the dot or space at the end of a name"
    return None


def relative_drive(path: str, paths: ModuleType = os.path) -> str:
    """Return the drive of Windows in whose current folder a path begins, as ``C:`` of ``C:certs``; else an empty text.

    ``paths`` is :mod:`os.path`, or the module of another system.
    """
    drive, rest = paths.splitdrive(path)
    is_relative = drive.endswith(":") and not rest.startswith((paths.sep, paths.altsep or paths.sep))
    return str(drive) if is_relative else ""


def ignores_case(folder: str) -> bool:
    """Return True if capital letters make no difference in a folder, by the names of the folders above it."""
    while True:
        above, name = os.path.split(folder)
        swapped = name.swapcase()
        if swapped != name:
            with suppress(OSError, ValueError):
                return os.path.samefile(folder, os.path.join(above, swapped))  # noqa: PTH118, PTH121
            if os.path.exists(folder):  # noqa: PTH110
                return False
        if above == folder:
            return False
        folder = above


def folded(name: str) -> str:
    """Return the same text for all names of one file where capital letters make no difference."""
    return normalize("NFC", name).casefold()


def future_path(path: str) -> str:
    """Return the path that a new file will have: without links, and folded where capital letters do not count."""
    folder, name = os.path.split(os.path.realpath(path))
    return os.path.join(folder, folded(name) if ignores_case(folder) else name)  # noqa: PTH118
