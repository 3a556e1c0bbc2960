"""Printing: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

_UNWRAPPED: Final = 10_000

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType


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


def warn(sentences: Iterable[object]) -> None:
    """Print one line for each warning to standard error."""
    for sentence in sentences:
        click.echo(f"{click.style('warning:', fg='yellow')} {sentence}", err=True)
