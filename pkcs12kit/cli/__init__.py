"""The command: parse, call, print. One module a command, loaded when it is called.

Exit status: 0 yes, 1 the answer is no, 2 bad usage, unreadable input or a file that cannot be written, 70 an error in
pkcs12kit itself, 130 interrupted, 141 the reader of standard output went away. Results go to standard output,
everything else to standard error. With ``--json`` standard output holds one object where there is an answer, yes or no,
and nothing otherwise.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import warnings
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.shell_completion import CompletionItem

_COMMANDS: Final = {
    # name: (module, what the list of commands says of it)
    "build": ("build", "Find the path and write one PKCS#12 file."),
    "completion": ("completion", "Print the script that completes commands in bash, zsh or fish."),
    "convert": ("convert", "Write a PKCS#12 file anew: other protection, another password, or PEM."),
    "demo": ("demo", "Do the main job on a replica of the Federal PKI, in a folder."),
    "gather": ("gather", "Fetch the certificates that a path may need, from where certificates say."),
    "graph": ("graph", "Draw all certificates there are, from the trust anchors down."),
    "inspect": ("inspect", "Take a PKCS#12 file apart, with or without its password."),
    "lab": ("lab", "Write a replica of the Federal PKI, with keys of its own, to a folder."),
    "paths": ("paths", "Find the certification paths of a certificate, or say why there is none."),
    "probe": ("probe", "Look at live servers: what they send, and whether it leads to the anchor."),
    "rehearse": ("rehearse", "Serve a PKCS#12 file on loopback, to clients that trust the anchor alone."),
    "verify": ("verify", "Hold a PKCS#12 file against what its clients trust: every check, yes or no."),
}
PROGRAM: Final = "pkcs12kit"
COMPLETION: Final = "_PKCS12KIT_COMPLETE"
"""The environment variable by which a shell asks for completions."""
_UNUSABLE: Final = 2
_INTERNAL_ERROR: Final = 70  # EX_SOFTWARE of BSD's sysexits.h
_INTERRUPTED: Final = 130  # what shells make of SIGINT, and not to be taken for a no
_READER_GONE: Final = 141  # what shells make of SIGPIPE


class _Commands(click.Group):
    """A group that knows its commands by name, and loads the one that is called."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401  # click's signature
        """Parse the words of the call; --help and --version print here, and end it."""
        with _reader():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Call the command."""
        with _reader():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return sorted(_COMMANDS)

    def summaries(self) -> list[tuple[str, str]]:
        """List each command with the sentence that says what it is for."""
        return [(name, summary) for name, (_, summary) in sorted(_COMMANDS.items())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{_COMMANDS[cmd_name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find it, or say which may have been meant: click looks among the commands that it holds itself."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=_COMMANDS, ctx=ctx) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer commands without loading them, or options."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=summary) for name, summary in self.summaries() if name.startswith(incomplete)
        ]
        return commands or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries())


@contextmanager
def _reader() -> Iterator[None]:
    """End with status 141 where a reader has gone away: click would end with 1, which says no."""
    try:
        yield
    except BrokenPipeError:
        from pkcs12kit.cli.output.console import discard

        discard(sys.stdout)
        sys.exit(_READER_GONE)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        said = f"version {version(PROGRAM)}"
    except PackageNotFoundError:
        said = "version not known: run from its source, not installed"
    click.echo(f"{PROGRAM}, {said}")
    ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nSee it done on a replica, with nothing at hand:\n  pkcs12kit demo\n\n"
    "pkcs12kit COMMAND --help has the options of a command, with examples. Exit status: 0 yes, 1 the answer is no,"
    " 2 bad usage, unreadable input or a file that cannot be written, 70 an error in pkcs12kit itself.",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,  # it is looked for where it is needed: see unexpected.py
    help="Show the traceback of an error in pkcs12kit itself. It may hold parts of the input.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Build the PKCS#12 file that a server needs: key, certificate, and every CA on the way to a trust anchor."""


def _end_by_signals() -> None:
    """Let signals end the command as errors do, so that nothing is left behind; what is ignored stays ignored."""
    ending = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ending = [number for number in ending if signal.getsignal(number) is not signal.SIG_IGN]
    has_come = False

    def ignore() -> None:
        for one in ending:
            signal.signal(one, signal.SIG_IGN)

    def end(number: int, _: object) -> None:
        nonlocal has_come
        if has_come:  # another would end what takes away what is left, and that is soon done
            return
        has_come = True
        atexit.register(ignore)  # not now: Python tells of a signal that came before and is ignored when it is seen
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for number in ending:
        signal.signal(number, end)


def main() -> None:
    """Run the command, and turn errors into a sentence and an exit status. Status 1 is only ever the answer no."""
    _end_by_signals()
    try:
        _run()
    except SystemExit:
        raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BaseException as error:  # noqa: BLE001  # also the panics of pyca's Rust, which are not an Exception
        try:
            from pkcs12kit.cli.unexpected import report_unexpected

            report_unexpected(error, sys.argv[1:])
        finally:  # whatever else fails
            sys.exit(_INTERNAL_ERROR)


def _run() -> NoReturn:
    # pyca/cryptography warns of odd but readable certificates; what matters of them the report says.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pkcs12kit\.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a stream cannot encode is escaped, and no reason to fail
            stream.reconfigure(errors="backslashreplace")
    if COMPLETION in os.environ:  # a shell asks, and click answers
        from pkcs12kit.cli.shells import register

        register()
    try:
        sys.exit(cli.main(prog_name=PROGRAM, complete_var=COMPLETION, standalone_mode=False) or 0)
    except click.ClickException as error:
        from pkcs12kit.cli.output.console import print_usage_error

        print_usage_error(error)
        sys.exit(_UNUSABLE)  # click's own has 1 for some errors
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except Exception as error:
        from pkcs12kit.errors import PathError, Pkcs12KitError

        if not isinstance(error, Pkcs12KitError):
            raise
        from pkcs12kit.cli.output.console import print_error_and_notes

        print_error_and_notes(error)
        sys.exit(1 if isinstance(error, PathError) else _UNUSABLE)
