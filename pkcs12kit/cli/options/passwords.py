"""Passwords from a prompt, a file, an environment variable or standard input. Never from an argument."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import FILE, VARIABLE
from pkcs12kit.cli.output.console import at_terminal
from pkcs12kit.errors import ContentsPasswordError, InputError, PasswordError
from pkcs12kit.sources.password_text import first_line
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
_LONGEST: Final = 65_536  # bytes
_ATTEMPTS: Final = 3
"""How often a password is asked for. Each attempt costs the file's key derivation, within its limits."""
_UTF_16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


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
        return _password_from_standard_input()
    return None


def password_for_new_file(file: str | None, variable: str | None, *, stdin: bool) -> Callable[[], str]:
    """Return a function that gets the password when it is needed: from the options' source, or from a prompt.

    Raises :class:`click.UsageError` at once where there is neither an option nor a terminal. The function raises
    :class:`~pkcs12kit.errors.PasswordError` where the source holds the empty password.
    """
    _require_at_most_one(file, variable, stdin=stdin)
    if file is None and variable is None and not stdin and not at_terminal():
        raise click.UsageError(
            "there is no terminal to ask for a password; give --password-file, --password-env or --password-stdin"
        )

    def get() -> str:
        given = given_password(file, variable, stdin=stdin)
        return ask_for_new_password() if given is None else _not_empty(given, file, variable, "--password-env")

    return get


class PasswordPrompt:
    """The password of an input, asked for at the terminal when it is first needed, and again if it is wrong.

    Where there is no terminal, a call raises :class:`~pkcs12kit.errors.PasswordError`, which names the option.
    """

    def __init__(self, name: str, option_name: str) -> None:
        self._name = name
        self._option_name = option_name
        self._answers: list[str] = []

    def __call__(self) -> str:
        """Return the last answer; ask for the first."""
        if not at_terminal():
            raise PasswordError(f"give it with {self._option_name}")
        return self._answers[-1] if self._answers else self._ask()

    def again(self, error: PasswordError) -> str | None:
        """Return another answer after a wrong one; None if it was asked for often enough, or cannot help."""
        if len(self._answers) >= _ATTEMPTS or isinstance(error, ContentsPasswordError):
            return None
        from pkcs12kit.cli.output.console import print_retry

        print_retry(f"{error}; try again")
        return self._ask()

    def _ask(self) -> str:
        self._answers.append(_ask(f"Password of {self._name}"))
        return self._answers[-1]


def opening_password(file: str | None, source: str | None, option_name: str) -> str | PasswordPrompt | None:
    """Return the password of an input: from ``file``, or a function that asks for it at the terminal."""
    if file is not None:
        return password_from_file(file)
    return None if source is None else PasswordPrompt(source, option_name)


def open_with_password(open_with: Callable[[str | None], T], given: str | None, name: str) -> tuple[T, str | None]:
    """Call ``open_with`` with the given password, or with one from a prompt where it turns out to need one.

    A wrong answer at the prompt is asked for again, three times in all. Returns the result of ``open_with`` and the
    password. Errors of ``open_with`` are raised.
    """
    try:
        return open_with(given), given
    except PasswordError as error:
        if given is not None or not is_about(error, name):
            raise
        if not at_terminal():
            raise type(error)(f"{error}; give it with --password-file, --password-env or --password-stdin") from None
    prompt = PasswordPrompt(name, "--password-file")
    password: str | None = prompt()
    while True:
        try:
            return open_with(password), password
        except PasswordError as error:
            password = prompt.again(error) if is_about(error, name) else None
            if password is None:
                raise


def is_about(error: PasswordError, name: str) -> bool:
    """Return True if the password of the input with this name is missing or wrong, not that of another input."""
    return str(error).startswith(f"{name}:")


def password_for_copy(file: str | None, variable: str | None, *, ask: bool, otherwise: str | None) -> str:
    """Return the password of a copy: from the options' source, from a prompt with ``ask``, or ``otherwise``.

    A copy of a file without a password, where ``otherwise`` is None, has the empty password; a given one that is empty
    is refused.
    """
    if sum(source is not None for source in (file, variable)) + ask > 1:
        raise click.UsageError("give only one of --new-password-file, --new-password-env and --ask-new-password")
    if file is not None:
        return _not_empty(password_from_file(file), file, None, "")
    if variable is not None:
        password = _password_from_environment(variable, "--new-password-env")
        return _not_empty(password, None, variable, "--new-password-env")
    if not ask:
        return otherwise or ""
    if not at_terminal():
        raise click.UsageError(
            "there is no terminal to ask for a new password; give --new-password-file or --new-password-env"
        )
    return ask_for_new_password()


def password_from_file(name: str) -> str:
    """Return the first line of a file, as :func:`~pkcs12kit.sources.password_text.first_line` reads it."""
    from dataclasses import replace

    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.sources.reading import name_of, read_source

    return first_line(read_source(name, replace(DEFAULT_LIMITS, input_bytes=_LONGEST)), name_of(name), name)


def ask_for_new_password() -> str:
    """Ask twice at the terminal, until both answers are the same, and return the password."""
    from pkcs12kit.cli.output.console import print_retry

    while True:
        password = _ask("Password for the new file", may_be_empty=True)
        if not password:
            print_retry("the password is empty: anyone could read the key; type another")
        elif password == _ask("The same password again", may_be_empty=True):
            return password
        else:
            print_retry("the two passwords differ; type both again")


def _not_empty(password: str, file: str | None, variable: str | None, option_name: str) -> str:
    """Return the password of a new file.

    Raises :class:`~pkcs12kit.errors.PasswordError` for the empty one, also where line ends and BOMs are left of it, as
    in a variable that was set from an empty file.
    """
    if password.strip("\r\n\ufeff"):
        return password
    if file is not None:
        from pkcs12kit.sources.reading import name_of

        source = f"{name_of(file)}: its first line"
    else:
        source = "standard input: its first line" if variable is None else f"{option_name}: the variable {variable}"
    raise PasswordError(f"{source} is empty, and with an empty password anyone could read the new file; give another")


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


def _password_from_standard_input() -> str:
    if sys.stdin is None:
        raise InputError("standard input is not available")
    stream = sys.stdin.buffer
    data = stream.readline(_LONGEST + 1)
    if data.startswith(_UTF_16_MARKS):  # half of a character there may look like the end of a line
        data += stream.read(_LONGEST + 1 - len(data))
    if len(data) > _LONGEST and b"\n" not in data:
        raise InputError(f"standard input: the first line is longer than {_LONGEST:,} bytes, the limit for a password")
    return first_line(data, "standard input")


def _ask(question: str, *, may_be_empty: bool = False) -> str:
    """Ask at the terminal, without echo, again and again for an answer that is not empty unless it may be."""
    default = "" if may_be_empty else None
    password: str = click.prompt(harmless(question), hide_input=True, err=True, default=default, show_default=False)
    return password
