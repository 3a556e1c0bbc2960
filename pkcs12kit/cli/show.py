"""``pkcs12kit show``: list the certificates, keys and CRLs in files, or show one certificate whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.passwords import password_options
from pkcs12kit.cli.options.policy_names import policy_names_option
from pkcs12kit.cli.options.search import json_option, limits_option
from pkcs12kit.cli.options.values import FILE, Duration, Instant, OneOf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from pkcs12kit.contents.items import UnreadPart
    from pkcs12kit.contents.listing import Contents
    from pkcs12kit.limits import Limits


@click.command(
    "show",
    cls=Command,
    most_used=("--expires-within", "--contains", "--issuer", "--sort", "--json"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit show server.pem
  pkcs12kit show ca-certificates/ bundle.p7b DoD_CAs.zip
  pkcs12kit show ca-certificates/ --expires-within 30d --sort expires
  pkcs12kit show bundle.p7b --contains 'Root CA 3' --json
  pkcs12kit show server.p12 --password-file password.txt
  pkcs12kit show ca-certificates/ --csv >certificates.csv""",
)
@click.argument("files", type=FILE, metavar="FILE...", nargs=-1, required=True)
@password_options(OptionGroup.INPUT, "PKCS#12 files and encrypted private keys")
@limits_option
@option(
    OptionGroup.CHECKS,
    "--expires-within",
    type=Duration(),
    help="Show only certificates that expire within this time or have expired, and CRLs whose nextUpdate is within it:"
    " 30d, 12h, 6w or 2y, for example.",
)
@option(
    OptionGroup.CHECKS,
    "--issuer",
    metavar="TEXT",
    help="Show only certificates and CRLs whose issuer's name contains this text.",
)
@option(
    OptionGroup.CHECKS,
    "--contains",
    metavar="TEXT",
    help="Show only certificates and CRLs with this text in the name of the subject or the issuer, in an alternative"
    " name, in the serial number, or in a fingerprint. Case does not matter.",
)
@option(
    OptionGroup.CHECKS,
    "--at",
    "time",
    type=Instant(),
    help="The time for which the validity is shown, for example 2018-06-01T00:00:00Z. Default: now.",
)
@option(
    OptionGroup.OUTPUT,
    "--sort",
    "order",
    type=OneOf(["input", "expires", "subject"]),
    default="input",
    show_default=True,
    help="The order: as in the files, the first to expire first, or by name.",
)
@option(OptionGroup.OUTPUT, "--csv", "as_csv", is_flag=True, help="Print rows for a spreadsheet.")
@policy_names_option
@json_option
def command(  # click gives every option its own argument
    files: tuple[str, ...],
    password_file: str | None,
    password_env: str | None,
    limits: Limits,
    expires_within: timedelta | None,
    issuer: str | None,
    contains: str | None,
    time: datetime | None,
    order: str,
    *,
    password_stdin: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """List the certificates, keys and CRLs in files; show a single certificate whole.

    FILE is a file of any kind, a folder, a zip, or - for standard input: PEM, DER, PKCS#7, PKCS#12. Private keys are
    listed with their type and size and the certificate that they fit, but never shown. No certificate is validated: a
    root is a CA certificate that its own key has signed.

    Exit status 1: the given password does not open one of the files. Exit status 2: nothing can be read in one of the
    files. The rest is shown in both cases.
    """
    from pkcs12kit.cli.options.passwords import given_password
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_lines
    from pkcs12kit.cli.output.input_hints import TO_OPEN
    from pkcs12kit.contents.listing import list_contents

    if as_csv and as_json:
        raise click.UsageError("give only one of --csv and --json")
    password = given_password(password_file, password_env, stdin=password_stdin)
    whole = list_contents(*files, password=_asking(files) if password is None else password, time=time, limits=limits)
    contents = whole.select(expires_within=expires_within, issuer=issuer, contains=contains).in_order(order)
    if as_csv:
        from pkcs12kit.cli.output.contents_csv import as_csv as csv_of

        print_lines(csv_of(contents))
    elif not as_json:
        from pkcs12kit.cli.output.contents import print_contents

        print_contents(contents)
    closed = [part for part in contents.unread if part.needs_password]
    wrong = _wrongly_opened(closed, files) if password is not None else []
    for part in wrong:
        print_error(f"{part.source}: the password does not open it")
    if closed and password is None:
        print_hints([TO_OPEN])
    if contents.failed:
        print_error(_error(contents))
    if as_json:
        print_json(contents.to_json())
    if contents.failed:
        sys.exit(2)
    if wrong:
        sys.exit(1)


def _wrongly_opened(closed: Iterable[UnreadPart], files: Iterable[str]) -> list[UnreadPart]:
    """Return the parts that are whole files of the call: the given password is theirs, and does not open them."""
    from pkcs12kit.sources.reading import name_of

    names = set(map(name_of, files))
    return [part for part in closed if part.source in names]


def _error(contents: Contents) -> str:
    """Return the error about the files in which nothing can be read."""
    from pkcs12kit.text import counted

    first = next((part for part in contents.unread if part.source.startswith(contents.failed[0])), None)
    others = len(contents.failed) - 1
    more = f" (and {counted(others, 'more file')})" if others else ""
    return f"{contents.failed[0] if first is None else first}{more}"


def _asking(files: tuple[str, ...]) -> Callable[[], str] | None:
    """Return a function that asks for a password at the terminal; None where there is no terminal, or it is read."""
    from pkcs12kit.cli.options.passwords import opening_password
    from pkcs12kit.cli.output.console import at_terminal

    if not at_terminal() or "-" in files:
        return None
    password = opening_password(None, "the PKCS#12 file", "--password-file")
    return password if callable(password) else None
