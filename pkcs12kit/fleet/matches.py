"""The files and folders that the pattern of ``each`` matches, and what ``{name}`` and ``{folder}`` are for each.

``*``, ``?`` and ``[...]`` match within one name, and ``**`` any number of folders. Names that begin with a dot are
matched only where the pattern has the dot. Folders are not followed through symbolic links below ``**``. On Windows
folders are separated by a backslash as well, capital letters make no difference, and junctions are not followed.
"""

from __future__ import annotations

import os
import re
from fnmatch import translate
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.file_names import relative_drive
from pkcs12kit.fleet.templates import Match
from pkcs12kit.folders import leads_elsewhere
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from pkcs12kit.limits import Limits

_MAGIC: Final = re.compile(r"[*?[]")
_ANY_DEPTH: Final = "**"


class Matcher:
    """The matches of patterns below one folder, with one budget for all of them."""

    def __init__(self, folder: str, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._entries = 0

    def matches(self, pattern: str) -> list[Match]:
        """Return the matches of a pattern, sorted by their paths.

        Raises :class:`~pkcs12kit.InputError` if nothing matches, for a folder that cannot be read, and for a name that
        cannot be put into other texts safely; and :class:`~pkcs12kit.LimitExceededError`.
        """
        root, parts = split_pattern(pattern, os.path)
        found = sorted(set(self._below(root, parts)))
        if not found:
            raise InputError(f"{quoted(pattern)} matches no file and no folder; write it relative to the manifest")
        if len(found) > self._limits.manifest_bundles:
            raise LimitExceededError(
                f"{quoted(pattern)} has {len(found):,} matches; limits.manifest_bundles allows"
                f" {self._limits.manifest_bundles:,}"
            )
        return [self._match(path) for path in found]

    def _below(self, path: str, parts: list[str]) -> Iterator[str]:
        """Yield the paths that the rest of a pattern matches in a folder."""
        if not parts:
            if path and os.path.lexists(self._at(path)):
                yield path
            return
        first, *rest = parts
        if first == _ANY_DEPTH:
            yield from self._below(path, rest or ["*"])
            for entry in self._listed(path):
                if not entry.name.startswith(".") and _is_own_folder(entry):
                    yield from self._below(os.path.join(path, entry.name), parts)  # noqa: PTH118
        elif _MAGIC.search(first):
            fits = re.compile(translate(os.path.normcase(first))).match
            for entry in self._listed(path):
                hidden = entry.name.startswith(".") and not first.startswith(".")
                if not hidden and fits(os.path.normcase(entry.name)) and (not rest or entry.is_dir()):
                    yield from self._below(os.path.join(path, entry.name), rest)  # noqa: PTH118
        else:
            yield from self._below(os.path.join(path, first), rest)  # noqa: PTH118

    def _listed(self, path: str) -> list[os.DirEntry[str]]:
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(self._at(path)) as entries:
                for entry in entries:
                    self._entries += 1
                    if self._entries > self._limits.manifest_entries:
                        raise LimitExceededError(
                            f"more than {self._limits.manifest_entries:,} files and folders to look at"
                            " (limits.manifest_entries); write the pattern so that it lists fewer folders"
                        )
                    found.append(entry)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise InputError(f"cannot list the folder {quoted(path)}: {error.strerror}") from None
        return found

    def _at(self, path: str) -> str:
        return os.path.join(self._folder, path) if path else self._folder  # noqa: PTH118

    def _match(self, path: str) -> Match:
        """Return the name and the folder of a match: of a folder its whole name and itself."""
        if os.path.isdir(self._at(path)):  # noqa: PTH112
            match = Match(os.path.basename(path), path)  # noqa: PTH119
        else:
            folder, file = os.path.split(path)
            match = Match(os.path.splitext(file)[0], folder or ".")  # noqa: PTH122
        for text in match:
            why = _why_unsafe(str(text))
            if why is not None:
                raise InputError(f"the match {quoted(path)} {why}; rename it, or write a pattern that leaves it out")
        return match


def why_not_on_drive(drive: str) -> str:
    """Return why a path of a manifest cannot begin in the current folder of a drive, as the end of a sentence."""
    return (
        f"is relative to the current folder of the drive {drive}, which differs between shells; write {drive}/ and the"
        f" whole path, or leave {drive} out for a file beside the manifest"
    )


def split_pattern(pattern: str, paths: ModuleType) -> tuple[str, list[str]]:
    """Return the root of a pattern, empty for a relative one, and the patterns of its names.

    ``paths`` is :mod:`os.path`, or the module of another system. Raises :class:`~pkcs12kit.InputError` for a pattern
    relative to the current folder of a drive, because the manifest does not say which folder that is.
    """
    drive, rest = paths.splitdrive(pattern)
    separators = (paths.sep, paths.altsep or paths.sep)
    if relative_drive(pattern, paths):
        raise InputError(f"{quoted(pattern)} {why_not_on_drive(drive)}")
    root = drive + paths.sep if drive or rest.startswith(separators) else ""
    parts = rest.replace(separators[1], paths.sep).split(paths.sep)
    return root, [part for part in parts if part not in {"", "."}]


def _is_own_folder(entry: os.DirEntry[str]) -> bool:
    """Return True for a folder that is not a link or junction to another one."""
    try:
        return entry.is_dir(follow_symlinks=False) and not leads_elsewhere(entry.stat(follow_symlinks=False))
    except OSError:  # it has gone
        return False


def _why_unsafe(text: str) -> str | None:
    """Return why a name or a folder cannot be put into a path or a command, or None.

    A program takes a word with a leading dash as an option.
    """
    if text.startswith("-"):
        return "begins with a dash"
    if text.startswith("~"):
        return "begins with '~'"
    if text != text.strip() or not text:
        return "begins or ends with white space"
    if not text.isprintable():
        return "has characters that are not printable or not UTF-8"
    return None
