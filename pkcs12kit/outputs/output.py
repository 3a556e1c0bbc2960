"""The writing of one file for a user, after a check of what stands in its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_functions, require_kind
from pkcs12kit.errors import OutputError
from pkcs12kit.file_access import WITHOUT_KEY, FileAccess
from pkcs12kit.files import KEEP, require_replaceable, require_writable, write_file, write_private
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.outputs.existing import PUBLIC_FORMS, Form, what_is_lost, why_not_replaced
from pkcs12kit.outputs.input_files import InputFiles
from pkcs12kit.sources.reading import shown_path

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from pkcs12kit.limits import Limits
    from pkcs12kit.outputs.existing import PemParts


class Output:
    """One output file of a call: its path, its form, and what it may replace.

    - ``inputs``: the files that the call reads; the output never replaces one of them, except that a PKCS#12 file may
      replace an input named in ``in_place``, which is rewritten.
    - ``name``: the option or parameter of the output, for messages.
    - ``overwrite``: True to replace a file of another kind.

    A path with a slash at its end is refused at once. :meth:`require_free` checks the rest before anything is read;
    :meth:`write` checks again. Someone who may write to the folder can still put another file there between that check
    and the renaming: a link there is replaced and not followed, so what it led to stays.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        form: Form,
        *,
        name: str = "output",
        inputs: InputFiles | None = None,
        in_place: Container[str] = (),
        overwrite: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if os.fspath(path) and os.path.basename(path) in {"", "."}:  # noqa: PTH119  # Path("folder/") is "folder"
            raise OutputError(f"cannot write {shown_path(str(path))}: it names a folder")
        self.path = Path(path)
        self._form = form
        self._name = name
        self._inputs = inputs or InputFiles()
        self._in_place = in_place
        self._overwrite = overwrite
        self._limits = limits

    @property
    def is_rewritten(self) -> bool:
        """True if the file is one of the inputs: what it has and the new one has not is lost."""
        return self._inputs.are_at(self.path, self._in_place)

    def require_free(
        self, data: bytes | None = None, *, at_hand: PemParts | None = None, may_stay: bool = False
    ) -> None:
        """Raise :class:`~pkcs12kit.OutputError` if the file cannot be written, or what is there must not be replaced.

        ``data`` is the content of the new file, if it is known already, and ``at_hand`` what the inputs have.
        ``may_stay``: True if the file that is there may be right already. Whether its folder can be written to is not
        checked then.
        """
        self._inputs.require_apart(self.path, self._name, form=self._form, in_place=self._in_place)
        if may_stay and os.path.lexists(self.path):
            require_replaceable(self.path)
        else:
            require_writable(self.path, access=None)
        if self._overwrite:
            return
        there = why_not_replaced(self.path, self._form, data=data, at_hand=at_hand, limits=self._limits)
        if there is not None:
            raise OutputError(
                f"{shown_path(os.fspath(self.path))} already exists and is {there}, which"
                f" {self._form.value} would replace: give another name, or replace it with --force (in Python:"
                " overwrite=True)"
            )

    def warn_of_loss(self, data: bytes, access: FileAccess) -> None:
        """Warn by ``access`` if a PEM file loses its key or its certificates, unless everything may be replaced."""
        lost = None if self._overwrite or self._form is not Form.PEM else what_is_lost(self.path, data, self._limits)
        if lost is not None:
            access.warn(
                f"{self.path}: the file there has {lost}, and the new one has not: a server that reads {lost} from this"
                " file needs another file"
            )

    def write(self, data: bytes, *, at_hand: PemParts | None = None, access: FileAccess = KEEP) -> None:
        """Check again and write the file, as a whole or not at all, with ``access``.

        Everybody may read a picture and a report. Metrics get mode 0644 whatever the umask, because another user reads
        them.
        """
        self.require_free(data, at_hand=at_hand)
        self.warn_of_loss(data, access)
        if self._form is Form.METRICS:
            write_private(self.path, data, access=FileAccess(mode=WITHOUT_KEY, most=WITHOUT_KEY))
        elif self._form in PUBLIC_FORMS:
            write_file(self.path, data)
        else:
            write_private(self.path, data, access=access)


def write_pfx(
    path: str | os.PathLike[str],
    data: bytes,
    *,
    overwrite: bool = False,
    owner: str | int | None = None,
    group: str | int | None = None,
    mode: int | None = None,
    on_warning: Callable[[str], object] | None = None,
) -> None:
    """Write ``data``, the bytes of a PFX, to ``path`` with mode 0600, whatever the umask; an old PFX is replaced.

    The bytes are read back and compared before they take the name ``path`` in one step: if the call is interrupted,
    ``path`` is the old file or the complete new one. A symbolic link at ``path`` is refused, and so is everything else
    that is not a regular file. Not checked: whether the bytes are a PFX.

    A file that is replaced keeps its owner, group, mode, access control list and SELinux label, but never more than
    mode 0640: other rights are taken away.

    - ``overwrite``: True to replace a file of another kind, such as a private key.
    - ``owner``, ``group``: the user and the group that the file gets, by name or number. Only root may give files away.
    - ``mode``: the mode that the file gets: ``0o640``, ``0o600`` or fewer rights.
    - ``on_warning``: called with a sentence for each right, label or owner that is not kept, or that must not be.

    Raises :class:`~pkcs12kit.errors.OutputError`, also where the old file's owner or group could not read the new file;
    :class:`~pkcs12kit.errors.InputError` for an unknown user or group, and for a mode with more rights.
    """
    require_kind("path", path, str, os.PathLike)
    require_kind("data", data, bytes)
    require_flags(overwrite=overwrite)
    require_functions(on_warning=on_warning)
    access = FileAccess.of(owner, group, mode, on_warning=on_warning)
    Output(path, Form.PKCS12, overwrite=overwrite).write(data, access=access)
