"""Users and groups of this computer: their names and numbers, and which of them could have put a file in its place."""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import InputError
from pkcs12kit.text import quoted

if sys.platform != "win32":
    import grp
    import pwd

_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_NO_NUMBER: Final = 2**32 - 1
"""The number that chown(2) takes for 'no change'."""
_MAY_CHOWN: Final = 1 << 0
"""CAP_CHOWN of capabilities(7)."""


def has_owners() -> bool:
    """Return True if files have owners, groups and modes. Windows has access control lists of its own instead."""
    return hasattr(os, "fchown")


def own_numbers() -> tuple[int, int, tuple[int, ...]]:
    """Return the user, the group and all groups of this process."""
    numbers: tuple[int, int, tuple[int, ...]] = (0, 0, ())
    if sys.platform != "win32":
        numbers = (os.geteuid(), os.getegid(), tuple(os.getgroups()))
    return numbers


def change_owner(descriptor: int, owner: int, group: int) -> None:
    """Change owner and group of an open file; -1 leaves one as it is. Raises :class:`OSError`."""
    if sys.platform != "win32":
        os.fchown(descriptor, owner, group)


def change_mode(descriptor: int, mode: int) -> None:
    """Change the mode of an open file. Raises :class:`OSError`."""
    if sys.platform != "win32":
        os.fchmod(descriptor, mode)


def numeric_owner(owner: str | int) -> int:
    """Return the number of a user, given by name or number; a name that consists of digits comes before the number.

    Raises :class:`~pkcs12kit.errors.InputError` for a name that this computer does not know, and for a number that no
    user can have.
    """
    return _number("owner", "user", owner)


def numeric_group(group: str | int) -> int:
    """Return the number of a group, as :func:`numeric_owner` does."""
    return _number("group", "group", group)


def _number(argument: str, kind: str, given: str | int) -> int:
    require_kind(argument, given, str, int)
    if not has_owners():
        raise InputError(f"{argument}: this system has no owners and modes as POSIX; use its own permissions (icacls)")
    if isinstance(given, str):
        if sys.platform != "win32":
            with suppress(KeyError, ValueError):  # ValueError: a name with a zero byte or of no encoding
                return pwd.getpwnam(given).pw_uid if kind == "user" else grp.getgrnam(given).gr_gid
        if not _NUMBER.fullmatch(given):
            cure = (
                "give the group by --group"
                if ":" in given
                else f"give the name of a {kind} of this computer, or a number"
            )
            raise InputError(f"{argument}: unknown {kind} {quoted(given, longest=64)}; {cure}")
    number = int(given)
    if not 0 <= number < _NO_NUMBER:
        raise InputError(f"{argument}: no {kind} can have the number {number}")
    return number


def owner_name(number: int | None) -> str:
    """Return the name of a user, or the number where it has no name."""
    if sys.platform != "win32" and number is not None:
        with suppress(KeyError, OverflowError):
            return pwd.getpwuid(number).pw_name
    return str(number)


def group_name(number: int | None) -> str:
    """Return the name of a group, or the number where it has no name."""
    if sys.platform != "win32" and number is not None:
        with suppress(KeyError, OverflowError):
            return grp.getgrgid(number).gr_name
    return str(number)


def is_primary_group(owner: int, group: int) -> bool:
    """Return False if the group of a file was chosen for it: its owner's files have another group by themselves."""
    if sys.platform != "win32":
        with suppress(KeyError, OverflowError):
            return pwd.getpwuid(owner).pw_gid == group
    return True


def is_member(owner: int, group: int) -> bool:
    """Return True if the user is in the group, as far as the list of groups says."""
    if sys.platform != "win32":
        with suppress(KeyError, OverflowError):
            user = pwd.getpwuid(owner)
            return user.pw_gid == group or user.pw_name in grp.getgrgid(group).gr_mem
    return False


def may_change_owners() -> bool:
    """Return True if this process may give files to other users, as far as the system says."""
    with suppress(OSError, ValueError):
        found = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
        if found:
            return bool(int(found[1], 16) & _MAY_CHOWN)
    return own_numbers()[0] == 0


def planted_through(target: Path, owner: int) -> Path | None:
    """Return the folder through which another user could have put a file of this owner in its place, or None.

    Root and the user of this process are not others. Neither is the owner of a folder, in that folder: the key store
    in the folder of a service is the service's own. The folders above are checked likewise, as far as they can be.
    """
    trusted = {0, own_numbers()[0]}
    if owner in trusted:
        return None
    folder = target.parent.resolve()
    with suppress(OSError):
        for above in (folder, *folder.parents):
            status = above.stat()
            writable = status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid)
            if writable and owner not in {*trusted, status.st_uid}:
                return above
            owner = status.st_uid
    return None
