"""Files that belong together, such as a key and its certificates: all are written, or none."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkcs12kit.errors import OutputError
from pkcs12kit.files import named_target, opened_folder, staged_in, sync_folder, temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pkcs12kit.file_access import FileAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to write, with the access that it gets."""

    path: Path
    data: bytes = field(repr=False)
    access: FileAccess


def write_private_together(files: Sequence[NewFile]) -> None:
    """Write several files as :func:`~pkcs12kit.files.write_private` writes one: all of them, or none.

    All temporary files are complete before the first one takes its name. Then they take their names in the order of
    ``files``. If one cannot, those before it get their old contents back. Only a process that is killed, or a loss of
    power, in the short time between two renames leaves new files beside an old one; the same call again mends that.

    Raises :class:`~pkcs12kit.errors.OutputError`, also if two paths are the same file.
    """
    with ExitStack() as stack:
        replacements = [_Replacement(stack, file) for file in files]
        for replacement in replacements[:-1]:
            replacement.keep_old(stack)
        done: list[_Replacement] = []
        try:
            for replacement in replacements:
                replacement.replace(done)
                done.append(replacement)
        except BaseException as error:
            left = [str(one.target) for one in reversed(done) if not one.undo()]
            if left and isinstance(error, OutputError):
                raise OutputError(
                    f"{error}; {' and '.join(left)} is new already: run the same command again to replace all"
                ) from None
            raise
        for replacement in replacements:
            replacement.sync()


class _Replacement:
    """One of the files: its complete temporary file, and what had its name before."""

    def __init__(self, stack: ExitStack, file: NewFile) -> None:
        self.target = target = named_target(file.path)
        self._folder = stack.enter_context(opened_folder(target))
        with _naming(target):
            staged = staged_in(self._folder, target, file.data, private=True, access=file.access)
            self._temporary = stack.enter_context(staged)
        self._old: str | None = None
        self._was_there = True
        self.placed: os.stat_result | None = None

    def keep_old(self, stack: ExitStack) -> None:
        """Keep the old file under a second name, until the end. Some file systems cannot do that."""
        old = temporary_name()
        try:
            self._folder.link(self.target.name, old)
        except FileNotFoundError:
            self._was_there = False
        except OSError:
            pass
        else:
            self._old = old
            stack.callback(self._remove, old)

    def replace(self, done: list[_Replacement]) -> None:
        """Rename the temporary file to its name, unless it is the name of one of those that are ``done``."""
        with _naming(self.target):
            mine = self._status(self.target.name)
            for other in done:
                if mine is not None and other.placed is not None and os.path.samestat(mine, other.placed):
                    raise OutputError(f"cannot write {self.target}: it is the same file as {other.target}")
            self.placed = self._status(self._temporary)
            self._folder.replace(self._temporary, self.target.name)

    def undo(self) -> bool:
        """Restore what had the name before; return False if that is not possible."""
        try:
            if self._old is not None:
                self._folder.replace(self._old, self.target.name)
            elif not self._was_there:
                self._folder.unlink(self.target.name)
            else:
                return False
        except OSError:
            return False
        return True

    def sync(self) -> None:
        """Make sure that the new name lasts."""
        with _naming(self.target):
            sync_folder(self._folder, self.target)

    def _status(self, name: str) -> os.stat_result | None:
        try:
            return self._folder.status(name)
        except FileNotFoundError:
            return None

    def _remove(self, name: str) -> None:
        with suppress(OSError):
            self._folder.unlink(name)


@contextmanager
def _naming(target: Path) -> Iterator[None]:
    """Turn errors of the system into :class:`~pkcs12kit.errors.OutputError` with the name of the file."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from None
