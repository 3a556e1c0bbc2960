"""Passwords from a prompt, a file, an environment variable or standard input. Never from an argument."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import FILE, VARIABLE
from pkcs12kit.cli.output.console import at_terminal
from pkcs12kit.errors import InputError, PasswordError
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_LONGEST: Final = 65_536  # bytes


def password_options(group: OptionGroup, file: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the three options for the password of ``file``, a name for the help."""
    options = (
        option(
            group,
            "--password-file",
            type=FILE,
            metavar="FILE",
            help=f"A file whose first line is the password of {file}.",
        ),
        option(
            group,
            "--password-env",
            type=VARIABLE,
            metavar="VAR",
            help=f"An environment variable that holds the password of {file}.",
        ),
        option(
            group,
            "--password-stdin",
            is_flag=True,
            help=f"Read the password of {file} from standard input, its first line.",
        ),
    )

    def add_all(command: Callable[..., Any]) -> Callable[..., Any]:
        for add in reversed(options):
            command = add(command)
        return command

    return add_all


contents_password_option = option(
    OptionGroup.INPUT,
    "--contents-password-file",
    type=FILE,
    metavar="FILE",
    help="A file whose first line is the password of the contents, where it differs from the password of the MAC.",
)
"""The second password of a PKCS#12 file that is opened; the command gets ``contents_password_file``."""

require_mac_option = option(
    OptionGroup.INPUT,
    "--require-mac",
    is_flag=True,
    help="Reject a PKCS#12 file that anybody could have changed: one without a MAC, or with a MAC that needs no"
    " password.",
)
"""For commands that open a PKCS#12 file; the command gets ``require_mac``."""


def given_password(file: str | None, variable: str | None, *, stdin: bool) -> str | None:
    """Return the password from the source that the options name; None where no option was given."""
    _require_at_most_one(file, variable, stdin=stdin)
    if file is not None:
        return password_from_file(file)
    if variable is not None:
        return _password_from_environment(variable)
    if stdin:
        if sys.stdin is None:
            raise InputError("standard input is not available")
        return _first_line(sys.stdin.buffer.readline(_LONGEST + 1), "standard input")
    return None


def password_for_new_file(file: str | None, variable: str | None, *, stdin: bool) -> Callable[[], str]:
    """Return a function that gets the password when it is needed: from the options' source, or from a prompt.

    Raises :class:`click.UsageError` at once where there is neither an option nor a terminal.
    """
    _require_at_most_one(file, variable, stdin=stdin)
    if file is None and variable is None and not stdin and not at_terminal():
        raise click.UsageError(
            "there is no terminal to ask for a password; give --password-file, --password-env or --password-stdin"
        )

    def get() -> str:
        given = given_password(file, variable, stdin=stdin)
        return ask_for_new_password() if given is None else given

    return get


def opening_password(file: str | None, source: str | None, option_name: str) -> str | Callable[[], str] | None:
    """Return the password of an input: from ``file``, or a function that asks for it at the terminal, once.

    Where there is no terminal, the function raises :class:`~pkcs12kit.errors.PasswordError`, which names the option.
    """
    if file is not None:
        return password_from_file(file)
    if source is None:
        return None

    @cache
    def ask() -> str:
        if not at_terminal():
            raise PasswordError(f"give it with {option_name}")
        return _ask(f"Password of {source}")

    return ask


def open_with_password(open_with: Callable[[str | None], T], given: str | None, name: str) -> tuple[T, str | None]:
    """Call ``open_with`` with the given password, or with one from a prompt where it turns out to need one.

    Returns the result of ``open_with`` and the password. Errors of ``open_with`` are raised.
    """
    try:
        return open_with(given), given
    except PasswordError as error:
        if given is not None:
            raise
        if not at_terminal():
            raise type(error)(f"{error}; give it with --password-file, --password-env or --password-stdin") from None
    password = _ask(f"Password of {name}")
    return open_with(password), password


def password_for_copy(file: str | None, variable: str | None, *, ask: bool, otherwise: str | None) -> str:
    """Return the password of a copy: from the options' source, from a prompt with ``ask``, or ``otherwise``.

    A copy of a file without a password, where ``otherwise`` is None, has the empty password.
    """
    if sum(source is not None for source in (file, variable)) + ask > 1:
        raise click.UsageError("give only one of --new-password-file, --new-password-env and --ask-new-password")
    if file is not None:
        return password_from_file(file)
    if variable is not None:
        return _password_from_environment(variable, "--new-password-env")
    if not ask:
        return otherwise or ""
    if not at_terminal():
        raise click.UsageError(
            "there is no terminal to ask for a new password; give --new-password-file or --new-password-env"
        )
    return ask_for_new_password()


def password_from_file(name: str) -> str:
    """Return the first line of a file, which is UTF-8, without its line end and without a byte order mark."""
    from dataclasses import replace

    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.reading import name_of, read_source

    return _first_line(read_source(name, replace(DEFAULT_LIMITS, input_bytes=_LONGEST)), name_of(name))


def ask_for_new_password() -> str:
    """Ask twice at the terminal, until both answers are the same, and return the password."""
    from pkcs12kit.cli.output.console import print_error

    while (password := _ask("Password for the new file")) != _ask("The same password again"):
        print_error("the two passwords differ; type both again")
    return password


def _require_at_most_one(file: str | None, variable: str | None, *, stdin: bool) -> None:
    if sum(source is not None for source in (file, variable)) + stdin > 1:
        raise click.UsageError("give only one of --password-file, --password-env and --password-stdin")


def _password_from_environment(variable: str, option_name: str = "--password-env") -> str:
    password = os.environ.get(variable)
    if password is None:
        raise InputError(f"{option_name}: the environment variable {variable} is not set")
    if any("\ud800" <= char <= "\udfff" for char in password):  # how Python represents bytes that are not UTF-8
        raise InputError(f"{option_name}: the environment variable {variable} is not UTF-8 text")
    return password


def _first_line(data: bytes, source: str) -> str:
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    if len(line) > _LONGEST:
        raise InputError(f"{source}: the first line is longer than {_LONGEST:,} bytes, the limit for a password")
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # the exception holds the password, and would become the context of an error raised here
    raise InputError(f"{source}: the password is not UTF-8 text")


def _ask(question: str) -> str:
    password: str = click.prompt(harmless(question), hide_input=True, err=True)
    return password
