"""Where passwords come from: a prompt, a file, an environment variable or standard input. Never an argument."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pkcs12kit.cli.options.values import FILE, VARIABLE
from pkcs12kit.errors import InputError, PasswordError, PfxPasswordError
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.limits import Limits

Command = TypeVar("Command", bound="Callable[..., Any]")
T = TypeVar("T")
_LONGEST: Final = 65_536


def password_options(command: Command) -> Command:
    """Add the three options that say where the password of the PKCS#12 file comes from."""
    for option in reversed(
        (
            click.option("--password-file", type=FILE, metavar="F", help="File whose first line is the password."),
            click.option(
                "--password-env", type=VARIABLE, metavar="VAR", help="Environment variable that holds the password."
            ),
            click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line."),
        )
    ):
        command = option(command)
    return command


require_mac_option = click.option(
    "--require-mac",
    is_flag=True,
    help="Refuse a PKCS#12 file that anybody may have changed: without a MAC, or with one made without a password.",
)
"""For what opens a PKCS#12 file; the command gets ``require_mac``."""


def given_password(file: str | None, variable: str | None, *, stdin: bool) -> str | None:
    """Take the password from where the options say; None where they say nothing."""
    _require_one_at_most(file, variable, stdin=stdin)
    if file is not None:
        return password_from_file(file)
    if variable is not None:
        return _password_from_environment(variable)
    if stdin:
        if sys.stdin is None:
            raise InputError("standard input: there is none")
        return _first_line(sys.stdin.buffer.readline(_LONGEST + 1), "standard input")
    return None


def password_for_new_file(file: str | None, variable: str | None, *, stdin: bool) -> Callable[[], str]:
    """Say how to get the password when it is needed: from where the options say, or asked for twice at the terminal.

    Raises :class:`click.UsageError` at once where there is nothing to get it from.
    """
    _require_one_at_most(file, variable, stdin=stdin)
    if file is None and variable is None and not stdin and not at_terminal():
        raise click.UsageError(
            "no terminal to ask for a password at; give --password-file, --password-env or --password-stdin"
        )

    def get() -> str:
        given = given_password(file, variable, stdin=stdin)
        return ask_for_new_password() if given is None else given

    return get


def opening_password(
    file: str | None,
    *,
    key: str | None = None,
    certificate: str | None = None,
    pkcs12: str | None = None,
    limits: Limits,
) -> str | None:
    """Take the password of a private key or a PKCS#12 file from ``file``, or ask for it where it turns out to need one.

    Where ``file`` is not given, what else is wrong with the identity is raised here.
    """
    if file is not None:
        return password_from_file(file)
    if "-" in {key, certificate, pkcs12} or (key is None and pkcs12 is None):
        return None
    from pkcs12kit.sources.loading import load_identity

    try:
        load_identity(key=key, certificate=certificate, pkcs12=pkcs12, limits=limits)
    except PasswordError as error:
        if pkcs12 is None and isinstance(error, PfxPasswordError):  # --cert is one, and none of these opens it
            raise
        if not at_terminal():
            option = "--key-password-file" if pkcs12 is None else "--pkcs12-password-file"
            raise type(error)(f"{error}; {option} says where it is") from None
        return _ask(f"Password of {key or pkcs12}")
    return None


def open_with_password(open_with: Callable[[str | None], T], given: str | None, what: str) -> tuple[T, str | None]:
    """Open something with the password that was given, or ask for it where it turns out to need one.

    Returns what ``open_with`` gives, and the password. What it raises is raised.
    """
    try:
        return open_with(given), given
    except PasswordError as error:
        if given is not None:
            raise
        if not at_terminal():
            raise type(error)(
                f"{error}; --password-file, --password-env or --password-stdin says where it is"
            ) from None
    password = _ask(f"Password of {what}")
    return open_with(password), password


def password_for_copy(file: str | None, variable: str | None, *, ask: bool, otherwise: str | None) -> str:
    """Take the password of a copy from where the options say, or else that of what is copied; ask where it has none."""
    if sum(source is not None for source in (file, variable)) + ask > 1:
        raise click.UsageError("give one of --new-password-file, --new-password-env and --ask-new-password")
    if file is not None:
        return password_from_file(file)
    if variable is not None:
        return _password_from_environment(variable, "--new-password-env")
    if otherwise is not None and not ask:
        return otherwise
    if not at_terminal():
        raise click.UsageError(
            "no terminal to ask for a new password at; give --new-password-file or --new-password-env"
        )
    return ask_for_new_password()


def password_from_file(name: str) -> str:
    """Read a password: the first line of a file, UTF-8, without its line end and without a byte order mark."""
    from dataclasses import replace

    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.reading import name_of, read_source

    return _first_line(read_source(name, replace(DEFAULT_LIMITS, input_bytes=_LONGEST)), name_of(name))


def ask_for_new_password() -> str:
    """Ask twice at the terminal, until both are the same."""
    from pkcs12kit.cli.output.console import print_error

    while (password := _ask("Password for the new file")) != _ask("The same again"):
        print_error("the two passwords differ; type both anew")
    return password


def at_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def _require_one_at_most(file: str | None, variable: str | None, *, stdin: bool) -> None:
    if sum(source is not None for source in (file, variable)) + stdin > 1:
        raise click.UsageError("give one of --password-file, --password-env and --password-stdin")


def _password_from_environment(variable: str, option: str = "--password-env") -> str:
    password = os.environ.get(variable)
    if password is None:
        raise InputError(f"{option}: the environment variable {variable} is not set")
    if any("\ud800" <= char <= "\udfff" for char in password):  # how Python holds bytes that are no UTF-8
        raise InputError(f"{option}: the environment variable {variable} is not UTF-8 text")
    return password


def _first_line(data: bytes, source: str) -> str:
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    if len(line) > _LONGEST:
        raise InputError(f"{source}: longer than any password, {_LONGEST:,} bytes")
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # it holds the password, and would be the context of what is raised inside
    raise InputError(f"{source}: the password is not UTF-8 text")


def _ask(what: str) -> str:
    password: str = click.prompt(harmless(what), hide_input=True, err=True)
    return password
