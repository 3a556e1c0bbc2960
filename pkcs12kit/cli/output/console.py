"""Printing: results to standard output, everything else to standard error.

1. A line on standard error begins with ``error:`` (the problem), ``warning:`` (an oddity), ``hint:`` (what to do) or
   ``note:`` (what begins now, at a terminal only).
2. At a terminal long lines wrap between words, and go on indented; a long command of a hint has lines of its own, each
   but the last with a backslash at its end, so that it can be copied. In a pipe each finding is one line, for grep.
3. Colours appear only at a terminal that has them, and never with NO_COLOR (no-color.org).
4. Text from files and servers is escaped, so that it cannot steer a terminal.
"""

from __future__ import annotations

import errno
import os
import sys
import textwrap
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from pkcs12kit.cli.output import messages
from pkcs12kit.hints import Hint
from pkcs12kit.limits import KIB, MIB
from pkcs12kit.shell_words import join_words, quote_word, split_words
from pkcs12kit.text import alternatives, harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from pkcs12kit.errors import Pkcs12KitError

_UNWRAPPED: Final = 10_000
_TYPED: Final = 78  # columns, which leaves room for " \\" in 80
_NARROWEST: Final = 20  # columns; a terminal that says fewer does not know its width
_READER_GONE: Final = 141  # the status that shells report for SIGPIPE; 1 would be the answer no
_DEBUG: Final = "--debug"
_WHERE: Final = Hint(
    text=f"pkcs12kit {_DEBUG} COMMAND ... shows where. Read it before you send it: it may hold parts of your input"
)


def at_terminal() -> bool:
    """Return True if standard input is a terminal, so that someone can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def size_in_words(size: int) -> str:
    """Return a number of bytes in bytes, KiB or MiB."""
    if size < KIB:
        return f"{size} bytes"
    return f"{size / KIB:.0f} KiB" if size < MIB else f"{size / MIB:.1f} MiB"


def print_json(answer: dict[str, Any]) -> None:
    """Print the JSON object of the call: the answer with the error, the hints and the warnings printed so far.

    Call it after all other output. Characters beyond ASCII are escaped, so that every terminal and pipe can take it.
    """
    import json

    said = messages.current()
    said.is_answered = True
    print_lines(json.dumps(said.joined_to(answer), indent=2))


def print_missing_json() -> None:
    """Print the JSON object that was asked for, if an error came before it; nothing where it cannot be written."""
    from pkcs12kit.errors import OutputError

    if messages.current().needs_object:
        with suppress(OutputError):
            print_json({})


def print_lines(text: str) -> None:
    """Print lines as they are. A terminal wraps them itself, so commands in them can be copied."""
    with _writing():
        click.echo(text)


def as_typed(words: Iterable[object], *, width: int = _TYPED) -> str:
    """Return a call of a program as it is typed, indented, in lines of 80 columns with each option beside its value.

    ``width`` is another number of columns, without those of a backslash at the end. A longer word is not broken.
    On Windows it is one line, because PowerShell and ``cmd`` continue lines in different ways.
    """
    if os.name == "nt":
        return f"  {join_words(harmless(word) for word in words)}"
    parts: list[str] = []
    option = False
    for word in map(str, words):
        quoted = quote_word(harmless(word))
        if option and not word.startswith("-"):
            parts[-1] += f" {quoted}"
        else:
            parts.append(quoted)
        option = word.startswith("-")
    lines = ["  " + parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) > width:
            lines[-1] += " \\"
            lines.append("      " + part)
        else:
            lines[-1] += f" {part}"
    return "\n".join(lines)


def write_bytes(data: bytes) -> None:
    """Write all bytes of a file to standard output."""
    with _writing():
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        click.echo(data, nl=False)


def print_text(renderables: Iterable[RenderableType], *, err: bool = False) -> None:
    """Print with rich, without markup; lines wrap only at a terminal."""
    from rich.console import Console

    class OurConsole(Console):
        def on_broken_pipe(self) -> None:  # rich would exit with status 1, the answer no
            raise BrokenPipeError

    console = OurConsole(
        stderr=err, highlight=False, markup=False, emoji=False, color_system="auto" if may_colour() else None
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
            # Without the spaces that fill the columns of a table.
            print(*(line.rstrip(" ") for line in captured.get().split("\n")), sep="\n", end="", file=console.file)
        console.file.flush()  # before hints on standard error, and so that an error of writing appears here


def warn(sentence: object) -> None:
    """Print a warning to standard error."""
    messages.current().warnings.append(str(sentence))
    _print_sentence("warning:", "yellow", sentence)


def print_hints(hints: Iterable[Hint]) -> None:
    """Print what to do next to standard error, a line for each hint that was not printed before."""
    printed = messages.current().hints
    for hint in hints:
        if hint not in printed:
            printed.append(hint)
            _print_sentence("hint:", "cyan", hint, hint)


def print_note(sentence: object) -> None:
    """Print a sentence about the work that begins to standard error."""
    _print_sentence("note:", "cyan", sentence)


def print_error(sentence: object) -> None:
    """Print an error to standard error."""
    messages.current().errors.append(str(sentence))
    _print_sentence("error:", "red", sentence)


def print_retry(sentence: object) -> None:
    """Print that an answer at the terminal cannot be used, before it is asked for again."""
    _print_sentence("error:", "red", sentence)


def print_error_and_hints(error: Pkcs12KitError) -> None:
    """Print an error and its hints, and the JSON object where one was asked for; several mistakes are several lines."""
    messages.current().errors.append(str(error))
    for sentence in error.several or (error,):
        _print_sentence("error:", "red", sentence)
    print_hints(error.hints)
    print_missing_json()


def print_usage_error(error: click.ClickException) -> None:
    """Print an error in the call as any other error, with a hint at the help, and as JSON where it was asked for."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    message = error.format_message().removesuffix(".")
    if isinstance(error, (click.NoSuchOption, click.NoSuchCommand)) and error.possibilities:
        message = f"{error.message.removesuffix('.')}. Did you mean {alternatives(error.possibilities)}?"
    print_error(message[:1].lower() + message[1:])
    print_hints(getattr(error, "hints", ()))
    if isinstance(error, click.UsageError) and error.ctx is not None:
        listed = (
            "list the commands" if isinstance(error.ctx.command, click.Group) else "list the options, with examples"
        )
        print_hints([Hint(text=listed, command=f"{error.ctx.command_path} --help")])
    print_missing_json()


def print_internal_error(error: BaseException, arguments: Sequence[str]) -> None:
    """Print that an error in pkcs12kit itself ended the call, and ask for a report.

    ``arguments`` are those of the call. With ``--json`` standard output gets an object with the same sentence; with
    ``--debug`` standard error gets the traceback. Only then is the text of the exception shown, because it may hold
    parts of the input. The options are searched in the words of the call, because the error may have come before click
    parsed them.
    """
    import traceback

    sentence = (
        f"an error in pkcs12kit itself ({type(error).__name__}); it says nothing about your files. Please report it,"
        " with the command line and the version of pkcs12kit"
    )
    if _DEBUG in arguments:
        for line in "".join(traceback.format_exception(error)).splitlines():
            click.echo(harmless(line), err=True)
    print_error(sentence)
    if _DEBUG not in arguments:
        print_hints([_WHERE])
    with suppress(OSError, ValueError):  # the error may be that standard output cannot be written
        print_missing_json()
        if sys.stdout is not None:
            sys.stdout.flush()


def _print_sentence(label: str, colour: str, sentence: object, hint: Hint | None = None) -> None:
    text = f"{label} {harmless(sentence)}"
    width = _columns_of_terminal()
    if width is not None:  # a terminal would break words; elsewhere a sentence is one line, for grep
        command = ""
        if hint is not None and hint.command is not None and len(text) > width:
            text, command = f"{label} {harmless(hint.text)}:", f"\n{_to_copy(hint.command, width)}"
        text = textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        text += command
    if may_colour():
        text = click.style(label, fg=colour, bold=True) + text.removeprefix(label)
    try:
        click.echo(text, err=True)
    except OSError:  # it cannot be printed anywhere; the answer and its exit status stay the same
        discard(sys.stderr)


def _to_copy(command: str, width: int) -> str:
    """Return the command of a hint in lines that a shell reads as one; as it is where it is more than one call."""
    words = split_words(command)
    if words is None or harmless(command) != command:
        return f"  {harmless(command)}"  # the terminal wraps it itself
    return as_typed(words, width=min(width - len(" \\"), _TYPED))


def discard(stream: TextIO) -> None:
    """Drop the buffer of a stream: writing it would fail again at exit, and change the exit status."""
    with suppress(OSError, ValueError):  # the stream is closed, or has no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _columns_of_terminal() -> int | None:
    """Return the width of the terminal that shows standard error; None where there is none."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    with suppress(ValueError):
        return max(int(os.environ.get("COLUMNS", "")), _NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, _NARROWEST)
    except OSError:
        return None


def is_without_reader(error: OSError) -> bool:
    """Return True if an error of any file means that the reader of standard output has gone away.

    Windows reports such a pipe with EINVAL, which has other causes as well: there standard output is tried again.
    """
    if isinstance(error, BrokenPipeError) or os.name != "nt" or error.errno != errno.EINVAL or sys.stdout is None:
        return isinstance(error, BrokenPipeError)
    try:
        sys.stdout.flush()  # what could not be written is still there
    except OSError as again:
        return again.errno == errno.EINVAL
    return False


@contextmanager
def _writing() -> Iterator[None]:
    """Raise an error where standard output is full or closed; exit silently where its reader has gone away."""
    try:
        yield
    except OSError as error:
        is_gone = is_without_reader(error)
        if sys.stdout is not None:
            discard(sys.stdout)
        if is_gone:
            sys.exit(_READER_GONE)
        from pkcs12kit.errors import OutputError

        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def terminal_width() -> int | None:
    """Return the width of the terminal that shows standard output; None where there is none."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    with suppress(ValueError):
        return max(int(os.environ.get("COLUMNS", "")), _NARROWEST)
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, _NARROWEST)
    except OSError:
        return None


def may_colour() -> bool:
    """Return True unless the environment asks for text without colours. Only terminals get them anyway."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
