"""The command line: one module for each command, which parses, calls the library and prints.

A command's module is loaded when the command is called. Exit status: 0 yes, 1 the answer is no, 2 bad usage, unreadable
input or a file that cannot be written, 70 an error in pkcs12kit itself, 130 interrupted, 141 the reader of standard
output went away. Results go to standard output, everything else to standard error. With ``--json`` standard output has
one object for each of the statuses 0, 1, 2 and 70. It has ``hints`` and ``warnings``, those of standard error, and
``error`` unless the status is 0.
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
    # name: (module, its line in the list of commands)
    "batch": ("batch", "Build the bundles of many servers by one manifest, where something has changed."),
    "build": ("build", "Find the path and write one PKCS#12 file."),
    "completion": ("completion", "Print the script that completes commands in bash, zsh or fish."),
    "convert": ("convert", "Copy a PKCS#12 file with another protection or password, or as PEM."),
    "demo": ("demo", "Run the main job on a replica of the Federal PKI, in a folder."),
    "diff": ("diff", "Compare two bundles or folders: what changed, and which paths that made or broke."),
    "expiry": ("expiry", "Report when many bundles end, and which certificate most of them hang on."),
    "gather": ("gather", "Fetch the certificates that a path may need."),
    "graph": ("graph", "Draw certificates as a graph, from the trust anchors down."),
    "inspect": ("inspect", "Show the contents of a PKCS#12 file, or of a chain in PEM or PKCS#7."),
    "lab": ("lab", "Write a replica of the Federal PKI, with its own keys, to a folder."),
    "paths": ("paths", "Find the certification paths of a certificate, or explain why none is valid."),
    "probe": ("probe", "Check the certificates that live servers send."),
    "rehearse": ("rehearse", "Serve a file with key and chain to TLS clients that trust only the anchor."),
    "show": ("show", "List the certificates, keys and CRLs in files, or show one certificate."),
    "verify": ("verify", "Check a file for a server against the trust anchor of its clients."),
}
PROGRAM: Final = "pkcs12kit"
COMPLETION: Final = "_PKCS12KIT_COMPLETE"
"""The environment variable by which a shell asks for completions."""
_UNUSABLE: Final = 2
_INTERNAL_ERROR: Final = 70  # EX_SOFTWARE of BSD's sysexits.h
_INTERRUPTED: Final = 130  # the status that shells report for SIGINT
_READER_GONE: Final = 141  # the status that shells report for SIGPIPE


class _Commands(click.Group):
    """A group of commands by name that loads only the one that is called."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:  # noqa: ANN401  # click's signature
        """Parse the command line; ``--help`` and ``--version`` print and exit here."""
        from pkcs12kit.cli.output.messages import begin

        begin(args[1] if len(args) > 1 else kwargs.get("args", ()))
        with _exit_without_reader():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  # click's signature
        """Run the command."""
        with _exit_without_reader():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return sorted(_COMMANDS)

    def summaries(self) -> list[tuple[str, str]]:
        """Return each command with its line in the list of commands."""
        return [(name, summary) for name, (_, summary) in sorted(_COMMANDS.items())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{_COMMANDS[cmd_name][0]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or raise an error with similar names; click compares only the commands that it holds."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=_COMMANDS, ctx=ctx) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands to offer, without loading them, or else the options."""
        from click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=summary) for name, summary in self.summaries() if name.startswith(incomplete)
        ]
        return commands or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries())


@contextmanager
def _exit_without_reader() -> Iterator[None]:
    """Exit with status 141 where the reader of standard output went away; click would exit with 1, the answer no."""
    try:
        yield
    except OSError as error:
        from pkcs12kit.cli.output.console import discard, is_without_reader

        if not is_without_reader(error):
            raise
        discard(sys.stdout)
        sys.exit(_READER_GONE)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001  # click's signature
    if not value or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        text = f"version {version(PROGRAM)}"
    except PackageNotFoundError:
        text = "version unknown: it runs from its source, and is not installed"
    click.echo(f"{PROGRAM}, {text}")
    ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nTry it on a replica, without any files of your own:\n  pkcs12kit demo\n\n"
    "pkcs12kit COMMAND --help lists the options of a command, with examples. Exit status: 0 yes, 1 the answer is no,"
    " 2 bad usage, unreadable input or a file that cannot be written, 70 an error in pkcs12kit itself.",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,  # print_internal_error looks for it in the words of the call
    help="Show the traceback of an error in pkcs12kit itself. It may contain parts of the input.",
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
    """Build the PKCS#12 file that a server needs: key, certificate, and every CA certificate up to a trust anchor."""


def _end_by_signals() -> None:
    """Make signals end the command by an exception, so that no file is left behind; ignored signals stay ignored."""
    ending = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ending = [number for number in ending if signal.getsignal(number) is not signal.SIG_IGN]
    has_come = False

    def ignore() -> None:
        for one in ending:
            signal.signal(one, signal.SIG_IGN)

    def end(number: int, _: object) -> None:
        nonlocal has_come
        if has_come:  # a second signal would interrupt the cleaning up, which is short
            return
        has_come = True
        atexit.register(ignore)  # not now: Python complains of a signal that arrived and is ignored when it is handled
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for number in ending:
        signal.signal(number, end)


def main() -> None:
    """Run the command; turn an error into a sentence and an exit status. Status 1 is only ever the answer no."""
    _end_by_signals()
    try:
        _run()
    except SystemExit:
        raise
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BaseException as error:  # noqa: BLE001  # also panics of pyca's Rust code, which are not an Exception
        try:
            from pkcs12kit.cli.output.console import print_internal_error

            print_internal_error(error, sys.argv[1:])
        finally:  # even where printing fails
            sys.exit(_INTERNAL_ERROR)


def _run() -> NoReturn:
    # pyca/cryptography warns of odd but readable certificates; the report has the warnings that matter.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pkcs12kit\.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # escape the characters that the stream cannot encode
            stream.reconfigure(errors="backslashreplace")
    if COMPLETION in os.environ:  # a shell asks for completions, and click answers
        from pkcs12kit.cli.shells import register

        register()
    try:
        sys.exit(cli.main(prog_name=PROGRAM, complete_var=COMPLETION, standalone_mode=False) or 0)
    except click.ClickException as error:
        from pkcs12kit.cli.output.console import print_usage_error

        print_usage_error(error)
        sys.exit(_UNUSABLE)  # some errors of click have the status 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(_INTERRUPTED)
    except Exception as error:
        from pkcs12kit.errors import PathError, Pkcs12KitError

        if not isinstance(error, Pkcs12KitError):
            raise
        from pkcs12kit.cli.output.console import print_error_and_hints

        print_error_and_hints(error)
        sys.exit(1 if isinstance(error, PathError) else _UNUSABLE)
