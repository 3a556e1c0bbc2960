"""Patterns in the names of files, such as ``'certs/*.cer'``, which were quoted or which the shell does not expand.

A name that exists is never a pattern. The names that match are sorted, and hidden files do not match ``*``, as in a
shell.
"""

from __future__ import annotations

from glob import has_magic, iglob
from itertools import islice
from os.path import lexists
from typing import Final

from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS

_STANDARD_INPUT: Final = "-"


def is_pattern(name: str) -> bool:
    """Return True for a name with ``*``, ``?`` or ``[`` that is neither a file nor a URL."""
    return has_magic(name) and "://" not in name and not lexists(name)


def first_match(pattern: str) -> str | None:
    """Return one of the names that a pattern matches, None where it matches none."""
    try:
        return next(iglob(pattern), None)  # noqa: PTH207  # a pathlib pattern cannot be absolute
    except ValueError:  # a NUL in the name
        return None


def expanded(name: str) -> tuple[str, ...]:
    """Return the names that a pattern matches, or the name where it is not one.

    Raises :class:`~pkcs12kit.InputError` for a pattern that matches nothing.
    """
    if not is_pattern(name):
        return (name,)
    most = DEFAULT_LIMITS.archive_members
    try:
        found = sorted(islice(iglob(name), most + 1))  # noqa: PTH207  # a pathlib pattern cannot be absolute
    except ValueError:  # a NUL in the name
        found = []
    if not found:
        raise InputError(f"{name}: no file matches this pattern")
    if len(found) > most:
        raise LimitExceededError(f"{name}: the pattern matches more than {most:,} files; give their folder instead")
    return tuple(f"./{one}" if one == _STANDARD_INPUT else one for one in found)
