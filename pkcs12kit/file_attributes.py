"""Access control lists, security labels and other extended attributes of a file, as Linux has them.

An access control list is read and written in the form of ``linux/posix_acl_xattr.h``: a version, then entries of tag,
rights and number. Its meaning is that of acl(5). Other systems offer Python no such calls: there nothing is found.
"""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ACCESS_LIST: Final = "system.posix_acl_access"
SELINUX_LABEL: Final = "security.selinux"

_VERSION: Final = struct.pack("<I", 2)
_ENTRY: Final = struct.Struct("<HHI")
_COPIED: Final = (SELINUX_LABEL, "security.SMACK64", "user.")
_ABOUT_CONTENTS: Final = frozenset({"security.ima", "security.evm"})
"""Attributes that the kernel makes from the contents: those of the old file would be wrong."""

_READ: Final = 4
_HAS_ATTRIBUTES: Final = hasattr(os, "listxattr")


class Tag(IntEnum):
    """The kind of an entry of an access control list."""

    USER_OBJ = 0x01
    USER = 0x02
    GROUP_OBJ = 0x04
    GROUP = 0x08
    MASK = 0x10
    OTHER = 0x20


@dataclass(frozen=True, slots=True)
class AccessList:
    """An access control list: tag, rights (4 read, 2 write, 1 execute) and number of the user or group of each entry.

    The number has a meaning only for USER and GROUP.
    """

    entries: tuple[tuple[Tag, int, int], ...]

    @classmethod
    def from_bytes(cls, data: bytes) -> AccessList | None:
        """Return the list that the kernel stores as ``data``; None for another form."""
        if data[: len(_VERSION)] != _VERSION or (len(data) - len(_VERSION)) % _ENTRY.size:
            return None
        try:
            return cls(tuple((Tag(t), rights, n) for t, rights, n in _ENTRY.iter_unpack(data[len(_VERSION) :])))
        except ValueError:  # a tag that acl(5) does not have
            return None

    def to_bytes(self) -> bytes:
        """Return the form that the kernel stores."""
        return _VERSION + b"".join(_ENTRY.pack(*entry) for entry in self.entries)

    @property
    def group_rights(self) -> int:
        """The rights of the file's group: those of its entry that the mask allows."""
        rights = {tag: rights for tag, rights, _ in self.entries if tag in {Tag.GROUP_OBJ, Tag.MASK}}
        return rights.get(Tag.GROUP_OBJ, 0) & rights.get(Tag.MASK, 7)

    def limited_to(self, mode: int) -> AccessList:
        """Return the list without the rights that the mode does not have.

        Named users and groups have those that the mode gives the group, but may read where the list lets them.
        """
        owner, group, others = mode >> 6 & 7, mode >> 3 & 7, mode & 7
        named = group | _READ
        allowed = {Tag.USER_OBJ: owner, Tag.GROUP_OBJ: group, Tag.OTHER: others}
        return AccessList(tuple((tag, rights & allowed.get(tag, named), n) for tag, rights, n in self.entries))

    def with_mode(self, mode: int) -> AccessList:
        """Return the list with the owner, group, mask and others of a mode."""
        given = {
            Tag.USER_OBJ: mode >> 6 & 7,
            Tag.GROUP_OBJ: mode >> 3 & 7,
            Tag.MASK: mode >> 3 & 7,
            Tag.OTHER: mode & 7,
        }
        return AccessList(tuple((tag, given.get(tag, rights), n) for tag, rights, n in self.entries))

    def __str__(self) -> str:
        """Return the entries for named users and groups, as ``setfacl`` takes them."""
        letters = {
            rights: "".join(c if rights & bit else "-" for c, bit in zip("rwx", (4, 2, 1), strict=True))
            for rights in range(8)
        }
        named = [(tag, rights, n) for tag, rights, n in self.entries if tag in {Tag.USER, Tag.GROUP}]
        return ",".join(f"{'u' if tag is Tag.USER else 'g'}:{n}:{letters[rights & 7]}" for tag, rights, n in named)


def read_attributes(file: int | str) -> dict[str, bytes]:
    """Return the extended attributes of a file by name; a symbolic link is not followed. Nothing where there are none.

    An attribute that this process may not read is left out.
    """
    found: dict[str, bytes] = {}
    if sys.platform == "linux" and _HAS_ATTRIBUTES:
        follow = isinstance(file, int)
        with suppress(OSError):  # a file system without attributes
            for name in os.listxattr(file, follow_symlinks=follow):
                with suppress(OSError):
                    found[name] = os.getxattr(file, name, follow_symlinks=follow)
    return found


def remove_access_list(descriptor: int) -> None:
    """Remove the access control list that a new file has from its folder. Raises :class:`OSError`."""
    if sys.platform == "linux" and ACCESS_LIST in read_attributes(descriptor):
        os.removexattr(descriptor, ACCESS_LIST)


def set_access_list(descriptor: int, entries: AccessList) -> None:
    """Set the access control list of a file; the kernel sets the mode with it. Raises :class:`OSError`."""
    _set(descriptor, ACCESS_LIST, entries.to_bytes())


def copy_attributes(descriptor: int, wanted: Mapping[str, bytes]) -> Iterator[str]:
    """Set the labels and attributes of the file that an open one replaces; yield a clause for each that is lost.

    The access control list is not among them: see :func:`set_access_list`.
    """
    has = read_attributes(descriptor)
    for name, value in wanted.items():
        if name == ACCESS_LIST or name in _ABOUT_CONTENTS or has.get(name) == value:
            continue
        reason: str | None = "it is not copied"
        if name.startswith(_COPIED):
            try:
                _set(descriptor, name, value)
            except OSError as error:
                reason = error.strerror
            else:
                continue
        if name == SELINUX_LABEL:
            label = quoted(value.rstrip(b"\0"))
            yield f"loses its SELinux label {label} ({reason}); restorecon gives it the label of your policy"
        else:
            yield f"loses its attribute {quoted(name)} ({reason})"


def _set(descriptor: int, name: str, value: bytes) -> None:
    if sys.platform == "linux":
        os.setxattr(descriptor, name, value)
