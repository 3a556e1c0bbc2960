"""Printing: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

_UNWRAPPED: Final = 10_000

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from pkcs12kit.builder import BuildReport


def print_json(value: object) -> None:
    """Print one JSON object. Characters beyond ASCII are escaped, so that any terminal and any pipe can take it."""
    click.echo(json.dumps(value, indent=2))


def print_text(renderables: Iterable[RenderableType], *, err: bool = False) -> None:
    """Print by rich: colour where the stream has it, nothing taken for markup; lines wrap at a terminal only."""
    from rich.console import Console

    console = Console(stderr=err, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNWRAPPED
    for renderable in renderables:
        console.print(renderable)


def print_build_report(report: BuildReport, *, err: bool = False) -> None:
    """Say what was built: the path, the second opinion, and the file."""
    from rich.text import Text

    from pkcs12kit.display.text import path_tree

    what = "key and " if report.bundle.private_key is not None else ""
    what += f"{len(report.bundle.certificates)} certificates"
    where = f"wrote {report.output}: " if report.output is not None else ""
    print_text(
        (
            path_tree(report.path),
            Text(f"second opinion: {report.confirmation}", style="dim"),
            Text(f"{where}{what}, profile {report.profile.name}, {len(report.data):,} bytes", style="bold green"),
        ),
        err=err,
    )


def warn(sentences: Iterable[object]) -> None:
    """Print one line for each warning to standard error."""
    for sentence in sentences:
        click.echo(f"{click.style('warning:', fg='yellow')} {sentence}", err=True)
