"""The forms that a build writes; and the PKCS#12 file: its protection, its content, and the file in its place."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_kind, require_texts
from pkcs12kit.errors import ArgumentError, InputError, OutputError, PasswordError, UnknownNameError
from pkcs12kit.file_access import differences_at
from pkcs12kit.files import read_in, read_private, require_writable
from pkcs12kit.outputs.existing import Form
from pkcs12kit.outputs.input_files import InputFiles
from pkcs12kit.outputs.output import Output
from pkcs12kit.pkcs12.comparison import Difference, compare_pfx, replaced_by_path, secrets_lost
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.features import of_bundle
from pkcs12kit.pkcs12.passwords import warnings_about
from pkcs12kit.pkcs12.readers import remarks_on, require_contents, require_password
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.file_access import FileAccess
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.bundle import Bundle
    from pkcs12kit.pkcs12.compatibility import Reader
    from pkcs12kit.pkcs12.decoder import DecodedPfx
    from pkcs12kit.pkcs12.profiles import Profile

_IN_PLACE: Final = frozenset({"identity", "pkcs12"})
"""The parameters whose PKCS#12 file may be rewritten."""
_LISTED: Final = 5


FORMS: Final = {"pkcs12": Form.PKCS12, "pem": Form.PEM}
"""The forms of what ``build`` writes, by name."""
_OF_PEM: Final = frozenset({"key_output", "traditional"})


def require_form(name: object, **given: object) -> Form:
    """Return the form of a name. Raise :class:`~pkcs12kit.ArgumentError` for arguments that have no meaning in it.

    Raises :class:`~pkcs12kit.UnknownNameError` for another name.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"to: expected str, not {type(name).__name__}")
    if name not in FORMS:
        raise UnknownNameError("form", name, FORMS)
    form = FORMS[name]
    for argument, value in given.items():
        of_pem = argument in _OF_PEM
        if value in (None, False, ()) or of_pem == (form is Form.PEM):
            continue
        if of_pem:
            raise ArgumentError(f'{argument} is only for to="pem": a PKCS#12 file holds its key encrypted')
        raise ArgumentError(
            f'{argument} is only for PKCS#12: to="pem" writes the key without encryption, and no names; leave it out'
        )
    return form


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How files are written: with which access, what they may replace, and in which case they are written at all."""

    access: FileAccess
    inputs: Sequence[tuple[str, object]]
    overwrite: bool
    if_changed: bool
    dry_run: bool
    limits: Limits

    def require_output(self, output: object) -> None:
        """Raise :class:`~pkcs12kit.ArgumentError` if there is no file and something is asked of it."""
        if output is not None:
            return
        if self.if_changed:
            raise ArgumentError("if_changed needs an output: there is no file to leave alone")
        if (self.access.owner, self.access.group, self.access.mode) != (None, None, None):
            raise ArgumentError("owner, group and mode need an output: they are those of the file")

    def place(
        self, path: str | PathLike[str], form: Form, *, name: str = "output", in_place: Container[str] = ()
    ) -> Output:
        """Return the place of a new file. Raises :class:`~pkcs12kit.OutputError` if what is there must stay."""
        place = Output(
            path,
            form,
            name=name,
            inputs=InputFiles(self.inputs, limits=self.limits),
            in_place=in_place,
            overwrite=self.overwrite,
            limits=self.limits,
        )
        place.require_free(may_stay=self.if_changed)
        return place


def read_with_differences(path: Path, *, limit: int, access: FileAccess) -> tuple[bytes, tuple[Difference, ...]]:
    """Return the file in the place of an output, and the differences of its owner, group and mode.

    Raises :class:`~pkcs12kit.InputError` as :func:`~pkcs12kit.files.read_private` does, but not for such differences.
    """
    try:
        return read_private(path, limit=limit, access=access), ()
    except InputError:
        found = tuple(Difference(aspect=aspect, sentence=said) for aspect, said in differences_at(path, access))
        if not found:
            raise
    return read_in(None, path, limit=limit, access=None), found


class OutputFile:
    """The PKCS#12 file to be written: its protection, its content, and what happens to the file in its place."""

    key_output = None
    key_data = None

    def __init__(  # the inputs of build
        self,
        output: str | PathLike[str] | None,
        password: str | Callable[[], str] | None,
        profile: Profile,
        writing: Writing,
        *,
        readers: tuple[Reader | str, ...],
    ) -> None:
        require_kind("output", output, str, PathLike, optional=True)
        if not callable(password):
            require_texts(password=password)
        writing.require_output(output)
        self.output = None if output is None else Path(output)
        self._file = None if output is None else writing.place(output, Form.PKCS12, in_place=_IN_PLACE)
        self.profile = profile
        self.data = b""
        self.change: str | None = None
        self.differences: tuple[Difference, ...] = ()
        self.replaced: tuple[Certificate, ...] = ()
        self.is_new = True
        self._password = password
        self._readers = readers
        self._writing = writing

    def encode(self, bundle: Bundle) -> None:
        """Encode the bundle, or keep the content of the file in its place if that has just this bundle already.

        A password that is a function is called here. Raises :class:`~pkcs12kit.PasswordError` for an empty password,
        for one of line ends and BOMs only, and for one that a chosen reader is known not to open. Before, raises
        :class:`~pkcs12kit.errors.InputError` if a reader is not known to open such a key or such certificates.
        """
        require_contents(self._readers, of_bundle(bundle))
        if callable(self._password):
            self._password = self._password() if self.profile.takes_password else None
        if self._password is not None and not self._password.strip("\r\n\ufeff") and self.profile.takes_password:
            raise PasswordError(
                "the password of the new file is empty, and anyone could read the file; give another password, or the"
                " profile no-password for a file that is to have none"
            )
        if self._password is not None:
            require_password(self._readers, self._password)
        if self._writing.if_changed and self.output is not None:
            self._compare(self.output, bundle, self._password)
        if not self.is_new:
            return
        self.data = encode_pfx(bundle, password=self._password, profile=self.profile, limits=self._writing.limits)

    def _compare(self, output: Path, bundle: Bundle, password: str | None) -> None:
        """Compare the bundle with the file in its place, and keep that file's content if they are the same."""
        access, limit = self._writing.access, self._writing.limits.pfx_bytes
        try:
            there, of_access = read_with_differences(output, limit=limit, access=access)
        except InputError as error:
            self.change = str(error)
            return
        compared = compare_pfx(there, bundle, password=password, profile=self.profile, limits=self._writing.limits)
        self.differences = (*of_access, *compared.differences)
        self.replaced = compared.certificates
        if self.differences:
            self.change = self.differences[0].sentence
        else:
            self.data, self.is_new = there, False

    def warnings(self) -> Iterator[str]:
        """Yield what a user should know of the readers and of the password."""
        yield from remarks_on(self._readers)
        if not self.profile.takes_password:
            yield f"the profile {self.profile.name} has no password: anyone who has the file can read its contents"
            return
        if isinstance(self._password, str):
            yield from warnings_about(self._password)

    def require_nothing_lost(self, old: DecodedPfx | None, bundle: Bundle) -> Iterator[str]:
        """Yield what a user should know of the entries of ``old``, the file that is rewritten, if it is in place.

        Raises :class:`~pkcs12kit.OutputError` if entries would be lost that cannot be made again, such as another key.
        """
        if self._file is None or old is None or not self._file.is_rewritten:
            return
        lost = secrets_lost(old, bundle)
        if lost and not self._writing.overwrite:
            raise OutputError(
                f"cannot write {self.output}: the new file would have the key with its path, but lose"
                f" {', '.join(shortened(lost, _LISTED))}; give another name, or accept the loss with --force (in"
                " Python: overwrite=True)"
            )
        left_out = (*lost, *replaced_by_path(old, bundle))
        if left_out:
            yield f"{self.output}: of the old file, the new one does not have {', '.join(shortened(left_out, _LISTED))}"

    def write(self) -> None:
        """Write the file if it is new; in a dry run, check that it could be written. Raises ``OutputError``.

        Warnings about its owner and mode go to the function that ``access`` names.
        """
        if self.output is None or self._file is None or not self.is_new:
            return
        if self._writing.dry_run:
            self._file.require_free(self.data)
            require_writable(self.output, access=self._writing.access)
        else:
            self._file.write(self.data, access=self._writing.access)
