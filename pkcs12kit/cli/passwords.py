"""Where passwords come from: a prompt, a file, an environment variable or standard input. Never an argument."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pkcs12kit.errors import InputError, PasswordError

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., Any]")
_LONGEST = 65_536


def password_options(command: Command) -> Command:
    """Add the three options that say where the password of the PKCS#12 file comes from."""
    for option in reversed(
        (
            click.option("--password-file", metavar="F", help="File whose first line is the password."),
            click.option("--password-env", metavar="VAR", help="Environment variable that holds the password."),
            click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line."),
        )
    ):
        command = option(command)
    return command


def given_password(file: str | None, variable: str | None, *, stdin: bool) -> str | None:
    """Take the password from where the options say; None where they say nothing."""
    if sum(source is not None for source in (file, variable)) + stdin > 1:
        raise click.UsageError("give one of --password-file, --password-env and --password-stdin")
    if file is not None:
        return password_from_file(file)
    if variable is not None:
        if variable not in os.environ:
            raise InputError(f"the environment variable {variable} is not set")
        return os.environ[variable]
    if stdin:
        return _first_line(sys.stdin.buffer.read(_LONGEST + 1), "standard input")
    return None


def password_for_new_file(file: str | None, variable: str | None, *, stdin: bool) -> str:
    """Take the password from where the options say, or ask twice at the terminal."""
    given = given_password(file, variable, stdin=stdin)
    return ask_for_new_password() if given is None else given


def key_password(file: str | None, *, key: str | None, certificate: str | None) -> str | None:
    """Take the password of a private key from a file, or ask for it where the key turns out to be encrypted.

    What else is wrong with key or certificate is raised here, before anything is asked.
    """
    if file is not None:
        return password_from_file(file)
    if key is None or "-" in {key, certificate} or not sys.stdin.isatty():
        return None
    from pkcs12kit.sources.loading import load_identity

    try:
        load_identity(key=key, certificate=certificate)
    except PasswordError:
        password: str = click.prompt(f"Password of {key}", hide_input=True, err=True)
        return password
    return None


def opening_password(file: str | None) -> str | None:
    """Take the password of an input from a file; None where none is named."""
    return None if file is None else password_from_file(file)


def password_from_file(name: str) -> str:
    """Read a password: the first line of a file, without its line end."""
    try:
        with Path(name).open("rb") as file:
            return _first_line(file.read(_LONGEST + 1), name)
    except OSError as error:
        raise InputError(f"cannot read the password file {name}: {error.strerror}") from None


def ask_for_new_password() -> str:
    """Ask twice at the terminal; refuse to wait where there is none."""
    if not sys.stdin.isatty():
        raise click.UsageError(
            "no terminal to ask for a password at; give --password-file, --password-env or --password-stdin"
        )
    password: str = click.prompt("Password for the new file", hide_input=True, confirmation_prompt=True, err=True)
    return password


def _first_line(data: bytes, source: str) -> str:
    if len(data) > _LONGEST:
        raise InputError(f"{source}: longer than any password, {_LONGEST} bytes")
    line = data.split(b"\n", 1)[0].removesuffix(b"\r")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{source}: the password is not UTF-8 text") from None
