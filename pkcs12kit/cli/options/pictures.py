"""The options for pictures: one file for each format."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.outputs import force_option
from pkcs12kit.cli.options.values import OUTPUT_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.display.pictures.picture import Picture
    from pkcs12kit.outputs.output import Output

_STANDARD_OUTPUT: Final = "-"
_FORMATS: Final = {"svg": "an SVG image", "dot": "DOT, the language of Graphviz", "mermaid": "a Mermaid flowchart"}


class PictureOptions(NamedTuple):
    """The files that the picture is written to, by format; None for a format that was not asked for."""

    svg: str | None
    dot: str | None
    mermaid: str | None
    force: bool

    @property
    def files(self) -> dict[str, str]:
        """The files by format, of the formats that were asked for."""
        return {form: file for form in _FORMATS if (file := getattr(self, form)) is not None}

    @property
    def wanted(self) -> bool:
        """True if any format was asked for."""
        return bool(self.files)

    @property
    def on_standard_output(self) -> bool:
        """True if the picture goes to standard output."""
        return _STANDARD_OUTPUT in self.files.values()

    def require_free(self) -> None:
        """Raise :class:`~pkcs12kit.OutputError` if a file cannot be written, or is of another kind without --force."""
        for file in self.files.values():
            if file != _STANDARD_OUTPUT:
                self._place(file).require_free()

    def _place(self, file: str) -> Output:
        from pkcs12kit.outputs.existing import Form
        from pkcs12kit.outputs.output import Output

        return Output(file, Form.PICTURE, overwrite=self.force)

    def write(self, picture: Picture) -> tuple[str, ...]:
        """Write the picture in each format that was asked for, and return the files; earlier pictures are replaced."""
        return tuple(filter(None, (self._write(file, _render(picture, form)) for form, file in self.files.items())))

    def write_svg(self, svg: str) -> None:
        """Write an SVG image that is not of a picture, where one was asked for."""
        if self.svg is not None:
            self._write(self.svg, svg)

    def _write(self, file: str, text: str) -> str | None:
        """Write a text to a file, and return its name; None for standard output."""
        from pkcs12kit.cli.output.console import write_bytes

        data = text.encode("utf-8")
        if file == _STANDARD_OUTPUT:
            write_bytes(data)
            return None
        self._place(file).write(data)
        return file


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--svg``, ``--dot`` and ``--mermaid``; the command gets them together, as ``pictures``."""

    @wraps(command)
    def with_pictures(
        *,
        output_svg: str | None,
        output_dot: str | None,
        output_mermaid: str | None,
        force: bool,
        as_json: bool,
        **given: Any,  # noqa: ANN401  # whatever else the command takes
    ) -> Any:  # noqa: ANN401  # click's
        pictures = PictureOptions(output_svg, output_dot, output_mermaid, force)
        if [*pictures.files.values()].count(_STANDARD_OUTPUT) + as_json > 1:
            raise click.UsageError("standard output can hold one picture or --json, not several of them")
        pictures.require_free()
        return command(pictures=pictures, as_json=as_json, **given)

    decorated: Callable[..., Any] = force_option(with_pictures)
    for form, what in reversed(_FORMATS.items()):
        decorated = option(
            OptionGroup.OUTPUT,
            f"--{form}",
            f"output_{form}",
            type=OUTPUT_FILE,
            metavar="FILE",
            help=f"Write a picture as {what}; - for standard output.",
        )(decorated)
    return decorated


def _render(picture: Picture, form: str) -> str:
    if form == "svg":
        from pkcs12kit.display.pictures.svg import to_svg

        return to_svg(picture)
    if form == "dot":
        from pkcs12kit.display.pictures.text_formats import to_dot

        return to_dot(picture)
    from pkcs12kit.display.pictures.text_formats import to_mermaid

    return to_mermaid(picture)
