"""The place of the copy that ``convert`` makes: what must not be replaced there, what is the same, what is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.errors import InputError, OutputError
from pkcs12kit.files import read_private
from pkcs12kit.outputs.existing import Form, PemParts
from pkcs12kit.outputs.input_files import InputFiles
from pkcs12kit.outputs.output import Output
from pkcs12kit.pkcs12.comparison import why_copy_changed
from pkcs12kit.pkcs12.copying import ATTRIBUTES_LEFT_OUT
from pkcs12kit.sources.pem_comparison import why_pem_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.file_access import FileAccess
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.decoder import DecodedPfx


class Written(NamedTuple):
    """The result for OUT: whether it is written, and with ``--if-changed`` the reason."""

    changed: bool
    change: str | None

    def in_words(self, output: str) -> str:
        """Return the result as the beginning of a sentence."""
        if not self.changed:
            return f"Did not change {output}, which already has these contents"
        return f"Wrote {output}" if self.change is None else f"Wrote {output} ({self.change})"


def free_place(file: str, output: str, form: str, *, force: bool, limits: Limits) -> Output:
    """Return the place of the new file. Raises :class:`~pkcs12kit.OutputError` if a file there must not be replaced."""
    place = Output(
        output,
        Form.PEM if form == "pem" else Form.PKCS12,
        name="OUT",
        inputs=InputFiles([("IN.p12", file)], limits=limits),
        in_place={"IN.p12"},
        overwrite=force,
        limits=limits,
    )
    place.require_free()
    return place


def require_nothing_lost(place: Output, warnings: Iterable[str], *, force: bool) -> None:
    """Raise :class:`~pkcs12kit.OutputError` if the file is rewritten, and the copy does not have all that is in it."""
    lost = [sentence for sentence in warnings if sentence.endswith(ATTRIBUTES_LEFT_OUT)]
    if lost and place.is_rewritten and not force:
        raise OutputError(
            f"cannot write {place.path}: the copy would not have all that is in this file: {'; '.join(lost)}; give"
            " another name, or accept the loss with --force"
        )


def write_copy(
    place: Output,
    data: bytes,
    decoded: DecodedPfx,
    access: FileAccess,
    compare: Callable[[bytes, bytes], str | None] | None,
    limits: Limits,
) -> Written:
    """Write the copy of ``decoded``, unless ``compare`` finds no difference to the file that is there."""
    change = None
    if compare is not None:
        try:
            change = compare(read_private(place.path, limit=limits.input_bytes, access=access), data)
        except InputError as error:
            change = str(error)
        if change is None:
            return Written(changed=False, change=None)
    place.write(data, at_hand=PemParts.of(decoded.private_keys, decoded.certificates), access=access)
    return Written(changed=True, change=change)


def why_changed(there: bytes, data: bytes, *, is_pem: bool, password: str | None, limits: Limits) -> str | None:
    """Return the first difference between the file there and the copy, None if there is none."""
    if is_pem:
        return why_pem_changed(there, data, limits=limits)
    return why_copy_changed(there, data, password=password, limits=limits)
