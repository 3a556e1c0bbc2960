"""The file that a build writes: its protection, its content, and the file in its place."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_kind, require_texts
from pkcs12kit.errors import ArgumentError, InputError, PasswordError
from pkcs12kit.files import read_private, require_writable, write_private
from pkcs12kit.pkcs12.comparison import why_changed
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.passwords import warnings_about
from pkcs12kit.pkcs12.readers import require_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs12kit.file_access import FileAccess
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.pkcs12.profiles import Profile


class OutputFile:
    """The file to be written: its protection, its content, and what happens to the file in its place."""

    def __init__(  # the inputs of build
        self,
        output: str | PathLike[str] | None,
        password: str | Callable[[], str] | None,
        profile: Profile,
        *,
        readers: tuple[Reader | str, ...],
        access: FileAccess,
        if_changed: bool,
        dry_run: bool,
        limits: Limits,
    ) -> None:
        require_kind("output", output, str, PathLike, optional=True)
        if not callable(password):
            require_texts(password=password)
        if if_changed and output is None:
            raise ArgumentError("if_changed needs an output: there is no file to leave alone")
        if output is None and (access.owner, access.group, access.mode) != (None, None, None):
            raise ArgumentError("owner, group and mode need an output: they are those of the file")
        self.output = None if output is None else Path(output)
        self.profile = profile
        self.data = b""
        self.change: str | None = None
        self.is_new = True
        self._password = password
        self._readers = readers
        self._access = access
        self._if_changed = if_changed
        self._dry_run = dry_run
        self._limits = limits

    def encode(self, bundle: Bundle) -> None:
        """Encode the bundle, or keep the content of the file in its place if that has just this bundle already.

        A password that is a function is called here. Raises :class:`~pkcs12kit.PasswordError` for an empty password
        and for one that a chosen reader is known not to open.
        """
        if callable(self._password):
            self._password = self._password() if self.profile.takes_password else None
        if self._password == "" and self.profile.takes_password:
            raise PasswordError(
                "the password of the new file is empty, and anyone could read the file; give another password, or the"
                " profile no-password for a file that is to have none"
            )
        if self._password is not None:
            require_password(self._readers, self._password)
        if self._if_changed and self.output is not None:
            try:
                there = read_private(self.output, limit=self._limits.pfx_bytes, access=self._access)
            except InputError as error:
                self.change = str(error)
            else:
                self.change = why_changed(
                    there, bundle, password=self._password, profile=self.profile, limits=self._limits
                )
                if self.change is None:
                    self.data, self.is_new = there, False
                    return
        self.data = encode_pfx(bundle, password=self._password, profile=self.profile, limits=self._limits)

    def warnings(self) -> Iterator[str]:
        """Yield what a user should know of the password."""
        if not self.profile.takes_password:
            yield f"the profile {self.profile.name} has no password: anyone who has the file can read its contents"
            return
        if isinstance(self._password, str):
            yield from warnings_about(self._password)

    def write(self) -> None:
        """Write the file if it is new; in a dry run, check that it could be written. Raises ``OutputError``.

        Warnings about its owner and mode go to the function that ``access`` names.
        """
        if self.output is None or not self.is_new:
            return
        if self._dry_run:
            require_writable(self.output, access=self._access)
        else:
            write_private(self.output, self.data, access=self._access)
