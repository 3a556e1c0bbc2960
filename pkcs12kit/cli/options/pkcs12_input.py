"""Opening a PKCS#12 file to judge what is in it: which key is meant, its passwords, and what a wrong one means."""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import click

from pkcs12kit.cli.options.passwords import password_options, require_mac_option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class OpeningOptions(NamedTuple):
    """How to open the file, as it was given."""

    key_name: str | None
    key_id: bytes | None
    password_file: str | None
    password_env: str | None
    password_stdin: bool
    contents_password_file: str | None
    require_mac: bool


class Opening(TypedDict):
    """How to open the file, as the library takes it."""

    password: str | None
    contents_password: str | None
    require_mac: bool
    key_name: str | None
    key_id: bytes | None


class _KeyId(click.ParamType[bytes]):
    """A localKeyID as ``inspect`` shows it."""

    name = "hex"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """Decode it, or fail with an example."""
        if isinstance(value, bytes):
            return value
        try:
            return bytes.fromhex(str(value))
        except ValueError:
            self.fail(f"{value!r} is no localKeyID; write it in hexadecimal, as inspect shows it", param, ctx)


def opening_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for the key and the passwords of a file; the command gets them together, as ``opening``."""

    @click.option("--key-name", metavar="NAME", help="The friendly name of the key, if there are several.")
    @click.option("--key-id", type=_KeyId(), metavar="HEX", help="The localKeyID of the key, if there are several.")
    @password_options
    @click.option(
        "--contents-password-file", type=FILE, metavar="F", help="Password of the contents, where the MAC has another."
    )
    @require_mac_option
    @wraps(command)
    def gather(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        own = {name: given.pop(name) for name in OpeningOptions._fields}
        return command(opening=OpeningOptions(**own), **given)

    command_with_options: Callable[..., Any] = gather
    return command_with_options


def open_or_exit(open_with: Callable[[Opening], T], opening: OpeningOptions, file: str, *, as_json: bool) -> T:
    """Call with how to open the file, its password asked for where it turns out to need one.

    A wrong password is a no, and ends the command as such; one that is missing is bad usage, and raised.
    """
    from pkcs12kit.cli.options.passwords import given_password, open_with_password, password_from_file
    from pkcs12kit.cli.output.console import hint, print_error, print_json
    from pkcs12kit.cli.output.hints import wrong_password
    from pkcs12kit.errors import PfxPasswordError
    from pkcs12kit.sources.reading import name_of

    given = given_password(opening.password_file, opening.password_env, stdin=opening.password_stdin)
    of_contents = opening.contents_password_file
    contents_password = None if of_contents is None else password_from_file(of_contents)
    tried: list[str | None] = []

    def attempt(password: str | None) -> T:
        tried.append(password)
        how = Opening(
            password=password,
            contents_password=contents_password,
            require_mac=opening.require_mac,
            key_name=opening.key_name,
            key_id=opening.key_id,
        )
        return open_with(how)

    try:
        return open_with_password(attempt, given, name_of(file))[0]
    except PfxPasswordError as error:
        if tried[-1] is None:
            raise
        if as_json:
            print_json({"file": name_of(file), "ok": False, "error": str(error)})
        print_error(error)
        step = wrong_password(opening._asdict())
        if step is not None:
            hint(step)
        sys.exit(1)
