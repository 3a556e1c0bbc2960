"""Owner, group and mode of a file that is written: those that were asked for, or those of the file that it replaces.

The new file never lets anyone read it who could not read the old one, unless that was asked for. No user who
could read the old one loses that without an error or a warning.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.file_attributes import (
    ACCESS_LIST,
    AccessList,
    copy_attributes,
    read_attributes,
    remove_access_list,
    set_access_list,
)
from pkcs12kit.file_owners import (
    change_mode,
    change_owner,
    group_name,
    has_owners,
    is_member,
    is_primary_group,
    may_change_owners,
    numeric_group,
    numeric_owner,
    own_numbers,
    owner_name,
    planted_through,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pkcs12kit.folders import Folder

OWNER_ONLY: Final = 0o600
WITH_KEY: Final = 0o640
"""The rights that a file with a private key may have: at most, its group may read it."""
WITHOUT_KEY: Final = 0o644
EVERYBODY: Final = 0o666


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAccess:
    """The access to a file that is written: what was asked for, by number. None keeps that of the file there.

    ``most`` are the rights that the file may have at all. With ``keep=False`` the file there is not looked at.
    ``on_warning`` gets a sentence for each thing that changes without being asked for.
    """

    owner: int | None = None
    group: int | None = None
    mode: int | None = None
    most: int = WITH_KEY
    keep: bool = True
    on_warning: Callable[[str], object] | None = None

    @classmethod
    def of(
        cls,
        owner: str | int | None = None,
        group: str | int | None = None,
        mode: int | None = None,
        *,
        with_key: bool = True,
        on_warning: Callable[[str], object] | None = None,
    ) -> FileAccess:
        """Return the access that a user asks for, by names or numbers; ``mode`` is a number such as ``0o640``.

        Raises :class:`~pkcs12kit.errors.ArgumentError` for other kinds, and :class:`~pkcs12kit.errors.InputError` for a
        user or group that this computer does not have, and for a mode that the file may not have.
        """
        most = WITH_KEY if with_key else WITHOUT_KEY
        return cls(
            owner=None if owner is None else numeric_owner(owner),
            group=None if group is None else numeric_group(group),
            mode=None if mode is None else _allowed(mode, most),
            most=most,
            on_warning=on_warning,
        )

    def warn(self, sentence: str) -> None:
        """Pass on a warning."""
        if self.on_warning is not None:
            self.on_warning(sentence)


class Found(NamedTuple):
    """The access to a file that exists."""

    owner: int
    group: int
    mode: int
    acl: AccessList | None = None
    attributes: Mapping[str, bytes] = {}

    @classmethod
    def of(cls, status: os.stat_result, file: int | str) -> Found:
        """Return the access of a file with this status; ``file`` is its descriptor or its path."""
        attributes = read_attributes(file)
        acl = AccessList.from_bytes(attributes.get(ACCESS_LIST, b""))
        return cls(status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), acl, attributes)


class Planned(NamedTuple):
    """The access that a new file gets: the owner and group are None where they stay those of the process."""

    owner: int | None
    group: int | None
    mode: int | None
    acl: AccessList | None = None


def plan(there: Found | None, asked: FileAccess, default_mode: int | None) -> Planned:
    """Return the access of a new file in the place of ``there``; ``default_mode`` is for a name without a file."""
    if there is None:
        return Planned(asked.owner, asked.group, default_mode if asked.mode is None else asked.mode)
    owner = there.owner if asked.owner is None else asked.owner
    group = there.group if asked.group is None else asked.group
    acl = there.acl
    if asked.mode is not None:
        # as chmod does, but for a group that may not read there is no list of others that may
        acl = None if acl is None or not asked.mode & 0o040 else acl.limited_to(asked.most).with_mode(asked.mode)
        return Planned(owner, group, asked.mode, acl)
    most = asked.most
    if there.mode & 0o004 and not most & 0o004 and is_primary_group(there.owner, there.group):
        most &= ~0o070  # everybody could read it: its group was not chosen
    if acl is None:
        return Planned(owner, group, there.mode & most)
    return Planned(owner, group, there.mode & (most | 0o040), acl.limited_to(most))


def difference(there: Found, asked: FileAccess) -> str | None:
    """Return the first difference between the access of a file and the one that it would get, or None."""
    return next((sentence for _, sentence in differences(there, asked)), None)


def differences(there: Found, asked: FileAccess) -> Iterator[tuple[str, str]]:
    """Yield each difference between the access of a file and the one that it would get: its aspect, and a sentence."""
    if not has_owners():
        return
    planned = plan(there, asked, None)
    if planned.owner != there.owner:
        yield "owner", f"its owner was {owner_name(there.owner)}, not {owner_name(planned.owner)}"
    if planned.group != there.group:
        yield "group", f"its group was {group_name(there.group)}, not {group_name(planned.group)}"
    if planned.mode != there.mode:
        wanted = "" if asked.mode is None else f", not {asked.mode:04o}"
        yield "mode", f"its mode was {there.mode:04o}{wanted}"
    if planned.acl != there.acl:
        yield "access", f"its access control list was {there.acl}"


def differences_at(path: Path, asked: FileAccess) -> tuple[tuple[str, str], ...]:
    """Return the differences of a regular file, as :func:`differences` does; none where there is no such file."""
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return ()
    return tuple(differences(Found.of(status, str(path)), asked)) if stat.S_ISREG(status.st_mode) else ()


def describe_access(path: Path) -> str:
    """Return the owner, group and mode of a file as text; empty where there are none."""
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_uid}:{status.st_gid}:{stat.S_IMODE(status.st_mode):04o}" if has_owners() else ""


def give_access(descriptor: int, folder: Folder, target: Path, asked: FileAccess, default_mode: int | None) -> None:
    """Set the access of a new file, which is still empty, in an order that never lets more users read it.

    The owner comes first, while no one else has rights; then the labels; the mode or access control list comes last.
    ``default_mode`` is for a name without a file; None leaves the mode as it is then. Raises :class:`OSError`, and
    :class:`~pkcs12kit.errors.OutputError` for an owner that must not or cannot be kept.
    """
    if not has_owners():
        _warn_of_folder(target, asked, default_mode)
        return
    there = _trusted(folder, target, asked)
    planned = plan(there, asked, default_mode)
    if planned.mode is None and planned.owner is None and planned.group is None:
        return
    if planned.mode is not None:
        remove_access_list(descriptor)
        change_mode(descriptor, planned.mode & OWNER_ONLY)
    _change_owner(descriptor, planned)
    status = os.fstat(descriptor)
    _warn(target, there, planned, asked, status.st_uid, status.st_gid)
    if there is not None:
        for clause in copy_attributes(descriptor, there.attributes):
            asked.warn(f"{target} {clause}")
    if planned.mode is not None:
        _set_mode(descriptor, target, planned, asked)


def foresee_access(folder: Folder, target: Path, asked: FileAccess, default_mode: int | None) -> None:
    """Pass on the warnings of :func:`give_access` and raise its errors, as far as they are known without writing."""
    if not has_owners():
        _warn_of_folder(target, asked, default_mode)
        return
    there = _trusted(folder, target, asked)
    planned = plan(there, asked, default_mode)
    owner, group, groups = own_numbers()
    if planned.owner is not None and may_change_owners():
        owner = planned.owner
    if planned.group is not None and (may_change_owners() or planned.group in groups):
        group = planned.group
    _warn(target, there, planned, asked, owner, group)


def _warn_of_folder(target: Path, asked: FileAccess, default_mode: int | None) -> None:
    """Pass on that a file with a key has the permissions that its folder gives it, where there are no modes."""
    if default_mode is not None and asked.most == WITH_KEY:
        asked.warn(
            f"{target} has the permissions of its folder: pkcs12kit cannot restrict them on this system; icacls shows"
            " who can read it, and can change that"
        )


def _trusted(folder: Folder, target: Path, asked: FileAccess) -> Found | None:
    """Return the access of the file that is replaced; None without one, and where another user could have put it there.

    Someone who expects a key in a folder such as /tmp could put a file of the same name there, and get the key with its
    owner, group or access control list. So a key needs an owner that was asked for then.
    """
    there = _found(folder, target) if asked.keep else None
    if there is None or (shared := planted_through(target, there.owner)) is None:
        return there
    why = f"it belongs to {owner_name(there.owner)}, and users other than the owner of {shared} may put files there"
    if asked.owner is None and asked.most != EVERYBODY:
        raise OutputError(
            f"cannot write {target}: {why}; name the owner that the new file is to have (--owner), or remove the file"
        )
    asked.warn(f"{target} does not keep the owner, group and mode of the file there: {why}")
    return None


def _found(folder: Folder, target: Path) -> Found | None:
    try:
        status = folder.status(target.name)
    except FileNotFoundError:
        return None
    return Found.of(status, folder.attributes_path(target.name))


def _change_owner(descriptor: int, planned: Planned) -> None:
    """Change owner and group as far as the process may; what cannot be changed is seen in the status afterwards."""
    status = os.fstat(descriptor)
    owner = -1 if planned.owner in {None, status.st_uid} else planned.owner
    group = -1 if planned.group in {None, status.st_gid} else planned.group
    for one in dict.fromkeys([(owner, group), (-1, group), (owner, -1)]):
        if one != (-1, -1):
            with suppress(OSError):
                change_owner(descriptor, *one)
                return


def _warn(target: Path, there: Found | None, planned: Planned, asked: FileAccess, owner: int, group: int) -> None:
    """Raise the error, or pass on the warnings, for a new file that gets this owner and group."""
    _require_asked(target, asked, owner, group)
    if there is not None:
        for sentence in (
            *_kept_owner(target, there, planned, owner, group),
            *_kept_mode(target, there, planned, asked),
        ):
            asked.warn(sentence)
    if asked.group is not None and asked.owner is None and asked.mode is None and not _group_reads(planned):
        mode = f" with mode {planned.mode:04o}" if planned.mode is not None else ""
        asked.warn(f"its group {group_name(asked.group)} cannot read {target}{mode}; --mode 0640 lets it")


def _require_asked(target: Path, asked: FileAccess, owner: int, group: int) -> None:
    if asked.owner not in {None, owner}:
        raise OutputError(
            f"cannot write {target}: this user may not give a file to {owner_name(asked.owner)}; run the command as"
            " root, or leave out the owner (--owner)"
        )
    if asked.group not in {None, group}:
        raise OutputError(
            f"cannot write {target}: this user may not give a file to the group {group_name(asked.group)}; run the"
            " command as root or as a member of the group, or leave out the group (--group)"
        )


def _kept_owner(target: Path, there: Found, planned: Planned, owner: int, group: int) -> Iterator[str]:
    """Yield a sentence for an owner or a group that is not kept; raise where one could not read the file any longer."""
    reads = _group_reads(planned)
    if planned.owner not in {None, owner}:
        old, new = owner_name(there.owner), owner_name(owner)
        reader = there.owner == 0 or not there.mode & 0o400 or _everybody_reads(planned)
        if not reader and not (reads and is_member(there.owner, group)):
            raise OutputError(
                f"cannot write {target}: it belongs to {old}, who could not read the new file, and only root can give"
                f" it that owner; run the command as root, or make the file yours with --owner {new}"
            )
        yield f"{target} does not keep its owner: it was {old}, and is {new}; only root can keep it"
    if planned.group not in {None, group}:
        old, new = group_name(there.group), group_name(group)
        if reads and not _everybody_reads(planned):
            raise OutputError(
                f"cannot write {target}: its group {old} could not read the new file, because this user is not in the"
                f" group; run the command as root or as a member, or choose with --group {new} or --mode 0600"
            )
        yield f"{target} does not keep its group: it was {old}, and is {new}; only root and its members can keep it"


def _kept_mode(target: Path, there: Found, planned: Planned, asked: FileAccess) -> Iterator[str]:
    """Yield a sentence for rights that are taken away without being asked for."""
    if planned.mode is not None and asked.mode is None and planned.mode != there.mode:
        taken = there.mode & ~planned.mode
        groups = ((3, "its group"), (0, "others"))
        verbs = ((4, "read"), (2, "change"))
        clauses = [f"{who} can no longer {verb} it" for at, who in groups for bit, verb in verbs if taken >> at & bit]
        cure = "; --mode 0640 lets its group read it" if taken & 0o040 else ""
        yield (
            f"{target} gets mode {planned.mode:04o} instead of {there.mode:04o}"
            f"{': ' * bool(clauses)}{' and '.join(clauses)}{cure}"
        )
    if there.acl is not None and planned.acl is None:
        yield f"{target} loses its access control list ({there.acl}): mode {planned.mode:04o} is for the owner only"
    elif there.acl is not None and asked.mode is None and planned.acl != there.acl:
        yield f"{target} gets the access control list {planned.acl} instead of {there.acl}: more rights are not allowed"


def _set_mode(descriptor: int, target: Path, planned: Planned, asked: FileAccess) -> None:
    """Set the mode or the access control list, and look whether the file system has done it."""
    mode = planned.mode or 0
    if planned.acl is not None:
        try:
            set_access_list(descriptor, planned.acl)
        except OSError as error:
            asked.warn(f"{target} loses its access control list ({planned.acl}): {error.strerror}")
            mode = mode & ~0o070 | planned.acl.group_rights << 3
            change_mode(descriptor, mode)
    else:
        change_mode(descriptor, mode)
    has = stat.S_IMODE(os.fstat(descriptor).st_mode)
    if has & ~mode:
        sentence = f"the file system gives {target} mode {has:04o} instead of {mode:04o}"
        if asked.mode is not None:
            raise OutputError(f"cannot write {target}: {sentence}; leave out --mode, or write to another file system")
        asked.warn(f"{sentence}: anyone who may use this file system may be able to read the file")


def _group_reads(planned: Planned) -> bool:
    rights = (planned.mode or 0) >> 3 if planned.acl is None else planned.acl.group_rights
    return bool(rights & 4)


def _everybody_reads(planned: Planned) -> bool:
    return planned.mode is None or bool(planned.mode & 0o004)


def _allowed(mode: int, most: int) -> int:
    """Return the mode, or raise :class:`~pkcs12kit.errors.InputError` where the file may not have it."""
    require_kind("mode", mode, int)
    if not has_owners():
        raise InputError("mode: this system has no owners and modes as POSIX; use its own permissions (icacls)")
    if mode & ~most or mode < 0:
        shown = f"{mode:04o}" if mode >= 0 else str(mode)
        why = "a file with a private key" if most == WITH_KEY else "a file without a private key"
        raise InputError(
            f"mode {shown} is not possible: {why} may have mode {most:04o} at most, or fewer rights (the number is"
            " octal: 0o640 in Python)"
        )
    if not mode & 0o444:
        raise InputError(
            f"mode {mode:04o} is not possible: no user except root could read the file; give 0640, 0600 or 0400"
        )
    return mode
