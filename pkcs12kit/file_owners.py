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
    if sys.platform == "win32" or not hasattr(os, "fchown"):
        raise InputError(
            f"{argument}: this system has no owners and groups by number; set the access with its own means"
        )
    if isinstance(given, str):
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
    if sys.platform == "win32":
        return False
    with suppress(OSError, ValueError):
        found = re.search(r"^CapEff:\s*([0-9a-f]+)$", Path("/proc/self/status").read_text("ascii"), re.MULTILINE)
        if found:
            return bool(int(found[1], 16) & _MAY_CHOWN)
    return os.geteuid() == 0


def planted_through(target: Path, owner: int) -> Path | None:
    """Return the folder through which another user could have put a file of this owner in its place, or None.

    Root and the user of this process are not others. Neither is the owner of a folder, in that folder: the key store
    in the folder of a service is the service's own. The folders above are checked likewise, as far as they can be.
    """
    if sys.platform == "win32" or owner in {0, os.geteuid()}:
        return None
    folder = target.parent.resolve()
    with suppress(OSError):
        for above in (folder, *folder.parents):
            status = above.stat()
            writable = status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid)
            if writable and owner not in {0, os.geteuid(), status.st_uid}:
                return above
            owner = status.st_uid
    return None
