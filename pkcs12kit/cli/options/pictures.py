"""Options for pictures, which several commands share: where each goes, and in which form."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.display.pictures.picture import Picture

_STANDARD_OUTPUT: Final = "-"
_FORMS: Final = {"svg": "an SVG image", "dot": "DOT, the language of Graphviz", "mermaid": "a Mermaid flowchart"}


class PictureOptions(NamedTuple):
    """The files that pictures go to, None for those that are not wanted."""

    svg: str | None
    dot: str | None
    mermaid: str | None

    @property
    def wanted(self) -> bool:
        """Whether there is any."""
        return any(file is not None for file in self)

    @property
    def on_standard_output(self) -> bool:
        """Whether standard output is for a picture."""
        return _STANDARD_OUTPUT in self

    def write(self, picture: Picture) -> tuple[str, ...]:
        """Write the picture in each form that is wanted, and name the files; one that was there is replaced."""
        from pkcs12kit.cli.output.console import write_bytes
        from pkcs12kit.files import write_file

        files = []
        for form, file in self._asdict().items():
            if file is None:
                continue
            data = _render(picture, form).encode("utf-8")
            if file == _STANDARD_OUTPUT:
                write_bytes(data)
            else:
                write_file(file, data)
                files.append(file)
        return tuple(files)


def picture_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--svg``, ``--dot`` and ``--mermaid`` to a command, which gets them together, as ``pictures``."""

    @wraps(command)
    def gather(
        *,
        output_svg: str | None,
        output_dot: str | None,
        output_mermaid: str | None,
        as_json: bool,
        **given: Any,  # noqa: ANN401  # whatever else the command takes
    ) -> Any:  # noqa: ANN401  # click's
        pictures = PictureOptions(output_svg, output_dot, output_mermaid)
        if pictures.count(_STANDARD_OUTPUT) + as_json > 1:
            raise click.UsageError("standard output can have one picture, or --json, not both")
        return command(pictures=pictures, as_json=as_json, **given)

    with_options: Callable[..., Any] = gather
    for form, what in reversed(_FORMS.items()):
        with_options = click.option(
            f"--{form}",
            f"output_{form}",
            type=FILE,
            metavar="FILE",
            help=f"Write a picture as {what}; - for standard output.",
        )(with_options)
    return with_options


def _render(picture: Picture, form: str) -> str:
    if form == "svg":
        from pkcs12kit.display.pictures.svg import to_svg

        return to_svg(picture)
    if form == "dot":
        from pkcs12kit.display.pictures.text_formats import to_dot

        return to_dot(picture)
    from pkcs12kit.display.pictures.text_formats import to_mermaid

    return to_mermaid(picture)
