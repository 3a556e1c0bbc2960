"""Printing: results to standard output, everything else to standard error.

Colours only where the stream is a terminal that has them, and never with NO_COLOR (no-color.org).
"""

from __future__ import annotations

import errno
import json
import os
import shlex
import sys
import textwrap
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, TextIO

import click

from pkcs12kit.text import alternatives, counted, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from pkcs12kit.builder.build import BuildReport
    from pkcs12kit.paths.confirmation import Confirmation

RIGHT_TIME: Final = "is that the right time? It is this computer's clock unless --at TIME says another"
"""A hint where a clock that is wrong would explain the answer."""

_UNWRAPPED: Final = 10_000
_TYPED: Final = 78  # columns, which leaves room for " \\" in 80
_NARROWEST: Final = 20  # columns: narrower ones have not said how wide they are
_READER_GONE: Final = 141  # what shells make of SIGPIPE, and not to be taken for a no


def print_json(value: object) -> None:
    """Print one JSON object. Characters beyond ASCII are escaped, so that any terminal and any pipe can take it."""
    print_lines(json.dumps(value, indent=2))


def print_lines(text: str) -> None:
    """Print lines as they are, for a terminal to break where it must, so that commands in them can be copied."""
    with _writing():
        click.echo(text)


def as_typed(words: Iterable[object]) -> str:
    """Write a call of a program as it is typed, indented: in lines of 80 columns, each option beside its value."""
    parts: list[str] = []
    option = False
    for word in map(str, words):
        quoted = shlex.quote(harmless(word))
        if option and not word.startswith("-"):
            parts[-1] += f" {quoted}"
        else:
            parts.append(quoted)
        option = word.startswith("-")
    lines = ["  " + parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) > _TYPED:
            lines[-1] += " \\"
            lines.append("      " + part)
        else:
            lines[-1] += f" {part}"
    return "\n".join(lines)


def write_bytes(data: bytes) -> None:
    """Write a file's bytes to standard output, all of them."""
    with _writing():
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        click.echo(data, nl=False)


def print_text(renderables: Iterable[RenderableType], *, err: bool = False) -> None:
    """Print by rich, nothing taken for markup; lines wrap at a terminal only."""
    from rich.console import Console

    class OurConsole(Console):
        def on_broken_pipe(self) -> None:  # rich would exit with 1, which says no
            raise BrokenPipeError

    console = OurConsole(
        stderr=err, highlight=False, markup=False, emoji=False, color_system="auto" if _may_colour() else None
    )
    if not console.is_terminal:
        console.width = _UNWRAPPED
    with _writing():
        for renderable in renderables:
            if console.is_terminal:
                console.print(renderable)
                continue
            with console.capture() as captured:
                console.print(renderable)
            # Without what tables are filled up with to the width of their columns.
            print(*(line.rstrip(" ") for line in captured.get().split("\n")), sep="\n", end="", file=console.file)
        console.file.flush()  # before hints on standard error; and what cannot be written fails here


def print_build_report(report: BuildReport, *, err: bool = False) -> None:
    """Say what was built: the path, the second opinion, and the file."""
    from rich.text import Text

    from pkcs12kit.display.paths import path_tree

    what = "the private key and " if report.has_private_key else ""
    what += f"{counted(len(report.certificates), 'certificate')}, profile {report.profile.name}"
    what += f", {len(report.data):,} bytes"
    where = str(report.output) if report.output is not None else "to standard output"
    if not report.changed:
        where += ", which already holds just this"
    elif report.change is not None:
        where += f" ({report.change})"
    print_text(
        (
            path_tree(report.path),
            Text(harmless(_second_opinion(report.confirmation)), style="dim"),
            Text(harmless(f"{_what_was_done(report)} {where}: {what}"), style="bold green"),
        ),
        err=err,
    )


def _what_was_done(report: BuildReport) -> str:
    if report.dry_run:
        return "Would write" if report.changed else "Would leave alone"
    return "Wrote" if report.changed else "Left alone"


def warn(sentence: object) -> None:
    """Print a warning, one line, to standard error."""
    _print_sentence("warning:", "yellow", sentence)


def hint(sentence: object) -> None:
    """Print what to do next, one line, to standard error."""
    _print_sentence("hint:", "cyan", sentence)


def print_error(sentence: object) -> None:
    """Print what went wrong, one line, to standard error."""
    _print_sentence("error:", "red", sentence)


def print_error_and_notes(error: Exception) -> None:
    """Print what went wrong, and as hints what was noted with it."""
    print_error(error)
    for note in getattr(error, "__notes__", ()):
        hint(note)


def print_usage_error(error: click.ClickException) -> None:
    """Print what is wrong with a call, as any other error, and where its command is explained."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    message = error.format_message().removesuffix(".")
    if isinstance(error, (click.NoSuchOption, click.NoSuchCommand)) and error.possibilities:
        message = f"{error.message.removesuffix('.')}. Did you mean {alternatives(error.possibilities)}?"
    print_error(message[:1].lower() + message[1:])
    if isinstance(error, click.UsageError) and error.ctx is not None:
        what = "lists the commands" if isinstance(error.ctx.command, click.Group) else "has the options, with examples"
        hint(f"{error.ctx.command_path} --help {what}")


def _print_sentence(label: str, colour: str, sentence: object) -> None:
    text = f"{label} {harmless(sentence)}"
    width = _columns_of_terminal()
    if width is not None:  # a terminal would break words; elsewhere a sentence is one line, for grep
        text = textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    if _may_colour():
        text = click.style(label, fg=colour, bold=True) + text.removeprefix(label)
    try:
        click.echo(text, err=True)
    except OSError:  # there is nowhere left to say it; and the answer, with its exit status, stays the same
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Lose what is still buffered for a stream: writing it would fail again at exit, with another exit status."""
    with suppress(OSError, ValueError):  # it is closed, or not of a file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _columns_of_terminal() -> int | None:
    """Give how wide the terminal is that standard error is shown at; None where it is none."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    with suppress(ValueError):
        return max(int(os.environ.get("COLUMNS", "")), _NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, _NARROWEST)
    except OSError:
        return None


@contextmanager
def _writing() -> Iterator[None]:
    """Say that standard output is full or closed; end in silence where its reader has seen enough."""
    try:
        yield
    except OSError as error:
        if sys.stdout is not None:
            discard(sys.stdout)
        if isinstance(error, BrokenPipeError):
            sys.exit(_READER_GONE)
        from pkcs12kit.errors import OutputError

        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def _may_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _second_opinion(confirmation: Confirmation) -> str:
    from pkcs12kit.paths.confirmation import Opinion

    if confirmation.opinion is Opinion.NOT_ASKED:
        return f"No second opinion: {confirmation.by} was not asked"
    if confirmation.opinion is Opinion.CANNOT_JUDGE:
        return f"No second opinion: {confirmation.by} cannot judge this path"
    return f"Second opinion, by {confirmation.by}: {confirmation.opinion.value}"
