"""The options for a PKCS#12 file that is judged: its key, its passwords, and the answer to a wrong password."""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.passwords import contents_password_option, password_options, require_mac_option
from pkcs12kit.cli.options.values import FILE, Place
from pkcs12kit.errors import InputError
from pkcs12kit.typed_values import parse_key_id

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class OpeningOptions(NamedTuple):
    """The options for opening a PKCS#12 file, as they were given."""

    key_name: str | None
    key_id: bytes | None
    password_file: str | None
    password_env: str | None
    password_stdin: bool
    contents_password_file: str | None
    require_mac: bool
    key: str | None = None
    key_password_file: str | None = None


class Opening(TypedDict):
    """The arguments for opening a PKCS#12 file, as the library takes them."""

    password: str | None
    contents_password: str | None
    require_mac: bool
    key_name: str | None
    key_id: bytes | None
    key: str | None
    key_password: str | Callable[[], str] | None


class KeyId(click.ParamType[bytes]):
    """The ID of a key in hexadecimal, as ``inspect`` shows it or as OpenSSL does, with blanks or colons."""

    name = "hex"

    @staticmethod
    def typed(value: bytes) -> str:
        """Return the ID as it is typed, in hexadecimal."""
        return value.hex()

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Return the bytes, or fail."""
        if isinstance(value, bytes):
            return value
        try:
            return parse_key_id(str(value))
        except InputError as error:
            self.fail(str(error), param, ctx)


delivery_option = option(
    OptionGroup.INPUT,
    "--from",
    "source",
    type=Place("file", may_hold_outputs=True),
    metavar="PATH",
    help="A delivered folder or zip, instead of --key and --cert: the private key in it, the certificate that belongs"
    " to it and all other certificates are found. If there are several keys, --key FILE, --key-name, --key-id or --cert"
    " chooses. The anchor is never guessed: name it with --anchor.",
)
"""For ``build``; the command gets ``source``."""


def require_delivery_alone(source: str | None, *, pkcs12: str | None, certs_only: bool) -> None:
    """Raise :class:`click.UsageError` for options that cannot be combined with ``--from``."""
    if source is None:
        return
    if pkcs12 is not None:
        raise click.UsageError(
            "--from also finds PKCS#12 files: leave out --pkcs12, and choose with --key FILE if there are several keys"
        )
    if certs_only:
        raise click.UsageError("--from looks for a private key, and --certs-only writes none: give --cert and --certs")
    if source == "-":
        raise click.UsageError("--from needs a folder or a file, not standard input")


def require_one_identity(key: str | None, certificate: str | None, pkcs12: str | None, *, certs_only: bool) -> None:
    """Raise :class:`click.UsageError` unless the options name one key and certificate, or one certificate."""
    given = {"--key": key, "--cert": certificate, "--pkcs12": pkcs12}
    options = {option for option, value in given.items() if value is not None}
    if certs_only and options != {"--cert"}:
        raise click.UsageError("--certs-only needs --cert, and allows neither --key nor --pkcs12")
    if certs_only or options in ({"--key", "--cert"}, {"--pkcs12"}, {"--pkcs12", "--cert"}):
        return
    missing = "--cert is missing: " if options == {"--key"} else "--key is missing: " if options == {"--cert"} else ""
    raise click.UsageError(
        f"{missing}give --key and --cert, or only --pkcs12, or --certs-only and --cert, or --from with a folder or zip"
        " that holds both; beside --pkcs12, --cert may name the certificate of its key"
    )


def key_options(purpose: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds the two options which choose one of several keys.

    In ``purpose``, for the help, ``{}`` stands for the name or the ID. The command gets ``key_name`` and ``key_id``.
    """
    by_name = option(OptionGroup.INPUT, "--key-name", metavar="NAME", help=f"{purpose.format('The friendly name')}.")
    by_id = option(
        OptionGroup.INPUT,
        "--key-id",
        type=KeyId(),
        metavar="HEX",
        help=f"{purpose.format('The localKeyID')}. For a key without one: the SHA-256 of its public key, which the"
        " error about several keys lists.",
    )
    return lambda command: by_name(by_id(command))


def opening_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the key and the passwords of FILE; the command gets them together, as ``opening``."""

    @option(
        OptionGroup.INPUT,
        "--key",
        type=FILE,
        metavar="FILE",
        help="The private key of a chain in PEM or PKCS#7, if it is in a file of its own.",
    )
    @option(
        OptionGroup.INPUT,
        "--key-password-file",
        type=FILE,
        metavar="FILE",
        help="A file whose first line is the password of --key.",
    )
    @key_options("{} of the key to use, if a PKCS#12 file has several keys")
    @password_options(OptionGroup.INPUT, "FILE")
    @contents_password_option
    @require_mac_option
    @wraps(command)
    def with_opening(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        own = {name: given.pop(name) for name in OpeningOptions._fields}
        return command(opening=OpeningOptions(**own), **given)

    decorated: Callable[..., Any] = with_opening
    return decorated


def open_or_exit(
    open_with: Callable[[Opening], T], opening: OpeningOptions, file: str, *, as_json: bool, option_name: str = ""
) -> T:
    """Call ``open_with`` with the opening arguments; ask for the password where the file turns out to need one.

    ``option_name`` is the option that names the file, where it is not an argument.

    A wrong password is the answer no: it is printed, and the command exits with status 1. A missing password is bad
    usage, and is raised, as is the need of one for another input, such as a PKCS#12 file in ``--certs``.
    """
    from pkcs12kit.cli.options.passwords import (
        given_password,
        is_about,
        open_with_password,
        opening_password,
        password_from_file,
    )
    from pkcs12kit.cli.output.console import at_terminal, print_error, print_hints, print_json
    from pkcs12kit.cli.output.input_hints import hints_for_wrong_password
    from pkcs12kit.cli.output.input_steps import right_password
    from pkcs12kit.errors import PasswordError
    from pkcs12kit.sources.reading import name_of

    given = given_password(opening.password_file, opening.password_env, stdin=opening.password_stdin)
    of_contents = opening.contents_password_file
    contents_password = None if of_contents is None else password_from_file(of_contents)
    key_password = opening_password(opening.key_password_file, opening.key, "--key-password-file")
    tried: list[str | None] = []

    def attempt(password: str | None) -> T:
        tried.append(password)
        how = Opening(
            password=password,
            contents_password=contents_password,
            require_mac=opening.require_mac,
            key_name=opening.key_name,
            key_id=opening.key_id,
            key=opening.key,
            key_password=key_password,
        )
        return open_with(how)

    try:
        if opening.key is not None:  # it has a password of its own
            return attempt(given)
        return open_with_password(attempt, given, name_of(file))[0]
    except PasswordError as error:
        if not any(is_about(error, name_of(one)) for one in (file, opening.key) if one is not None):
            raise
        has_key_password = opening.key_password_file is not None or (opening.key is not None and at_terminal())
        if tried[-1] is None and not has_key_password:
            raise
        of_key = opening.key is not None and is_about(error, name_of(opening.key))
        named = "--key" if of_key and opening.key != file else option_name
        print_error(f"{named} {error}" if named else error)
        print_hints((*hints_for_wrong_password(opening._asdict(), error), *right_password()))
        if as_json:
            print_json({"file": name_of(file), "ok": False})
        sys.exit(1)
