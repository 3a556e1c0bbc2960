"""The options for the files that a live server should serve from."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.passwords import password_options
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pkcs12kit.verifier.expectation import ExpectedFile


class ExpectOptions(NamedTuple):
    """The options for the expected files, as they were given."""

    expect: tuple[str, ...]
    password_file: str | None
    password_env: str | None
    password_stdin: bool


def expect_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--expect`` and the options for its password; the command gets them together, as ``expect``."""

    @option(
        OptionGroup.CHECKS,
        "--expect",
        "expect",
        type=FILE,
        metavar="FILE",
        multiple=True,
        help="Fail unless the server sends the certificates of this file: PKCS#12, PEM or PKCS#7. Finds a server that"
        " was not reloaded. May be given again, for a server with several types of keys.",
    )
    @password_options(OptionGroup.CHECKS, "the PKCS#12 file of --expect")
    @wraps(command)
    def with_expect(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        own = {name: given.pop(name) for name in ExpectOptions._fields}
        return command(expect=ExpectOptions(**own), **given)

    decorated: Callable[..., Any] = with_expect
    return decorated


def read_expected(options: ExpectOptions, time: datetime, *, as_json: bool) -> tuple[ExpectedFile, ...]:
    """Return the expected files, loaded; ask for a password where a file turns out to need one.

    A wrong password is the answer no, as for the commands that open a PKCS#12 file.
    """
    from pkcs12kit.cli.options.pkcs12_input import Opening, OpeningOptions, open_or_exit
    from pkcs12kit.verifier.expectation import load_expected

    sources = {"--password-file": options.password_file, "--password-env": options.password_env}
    given = [name for name, source in sources.items() if source is not None]
    given += ["--password-stdin"] if options.password_stdin else []
    if given and not options.expect:
        raise click.UsageError(f"{given[0]} is for the file of --expect, which is not given")
    if options.password_stdin and len(options.expect) > 1:
        raise click.UsageError("--password-stdin is for one file of --expect; give --password-file for several")
    opening = OpeningOptions(
        key_name=None,
        key_id=None,
        password_file=options.password_file,
        password_env=options.password_env,
        password_stdin=options.password_stdin,
        contents_password_file=None,
        require_mac=False,
    )

    def read(file: str) -> ExpectedFile:
        def open_with(how: Opening) -> ExpectedFile:
            return load_expected(file, password=how["password"], time=time)

        return open_or_exit(open_with, opening, file, as_json=as_json, option_name="--expect")

    return tuple(map(read, options.expect))
