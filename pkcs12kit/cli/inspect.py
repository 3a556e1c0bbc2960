"""``pkcs12kit inspect``: show the contents of a PKCS#12 file, or of a chain in PEM or PKCS#7."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup
from pkcs12kit.cli.options.passwords import contents_password_option, password_options, require_mac_option
from pkcs12kit.cli.options.search import json_option, limits_option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.sources.pkcs12_files import SourceContent


@click.command(
    "inspect",
    cls=Command,
    most_used=("--password-file", "--json"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit inspect server.p12
  pkcs12kit inspect server.p12 --password-file password.txt
  pkcs12kit inspect - --password-env P12_PASSWORD --json < server.p12""",
)
@click.argument("file", type=FILE, metavar="FILE")
@password_options(OptionGroup.INPUT, "FILE")
@contents_password_option
@require_mac_option
@limits_option
@json_option
def command(
    file: str,
    password_file: str | None,
    password_env: str | None,
    contents_password_file: str | None,
    limits: Limits,
    *,
    password_stdin: bool,
    require_mac: bool,
    as_json: bool,
) -> None:
    """Show the contents of a PKCS#12 file; without its password, its protection and structure.

    FILE may be - for standard input. Private keys are listed, but never shown. A chain in PEM or PKCS#7 is listed as
    show does it, with the same JSON.

    Exit status 1: the password does not open the file, or a part of it cannot be opened. The rest is shown.
    """
    from pkcs12kit.cli.options.passwords import given_password, password_from_file
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text, warn
    from pkcs12kit.cli.output.input_hints import TO_OPEN, hints_for_wrong_password
    from pkcs12kit.cli.output.input_steps import right_password
    from pkcs12kit.sources.delivered_files import FileFormat, format_of
    from pkcs12kit.sources.pkcs12_files import SourceContent
    from pkcs12kit.sources.reading import name_of

    password = given_password(password_file, password_env, stdin=password_stdin)
    contents_password = None if contents_password_file is None else password_from_file(contents_password_file)
    if contents_password is not None and password is None:
        raise click.UsageError(
            "--contents-password-file needs the password of the MAC as well; give it with --password-file"
        )
    content = SourceContent.read(file, limits)
    is_chain = not require_mac and format_of(content) is not FileFormat.PKCS12
    if is_chain and _list(content, password, limits, as_json=as_json):
        return
    report = _inspect(content, password, contents_password, limits, require_mac=require_mac)
    for warning in report.warnings:
        warn(f"{name_of(file)}: {warning}")
    closed = [safe.encryption for safe in report.safe_contents if safe.bags is None and safe.encryption is not None]
    if not as_json:
        from pkcs12kit.display.pfx import pfx_tree

        print_text([pfx_tree(report, title=name_of(file))])
    if password is None and any(encryption.is_supported for encryption in closed):
        print_hints([TO_OPEN])
    if report.mac_verified is False:
        print_error(f"{name_of(file)}: the password does not open it")
        given = {"password_file": password_file, "password_env": password_env, "password_stdin": password_stdin}
        print_hints((*hints_for_wrong_password(given), *right_password()))
    else:
        for why in report.unopened:
            print_error(f"{name_of(file)}: {why}")
    if as_json:
        print_json(report.to_json())
    if report.unopened:
        sys.exit(1)


def _list(content: SourceContent, password: str | None, limits: Limits, *, as_json: bool) -> bool:
    """List the contents of a chain in PEM or PKCS#7; return False, and print nothing, where nothing can be read."""
    from pkcs12kit.cli.output.console import print_json
    from pkcs12kit.cli.output.contents import print_contents
    from pkcs12kit.contents.listing import list_read

    contents = list_read(content.name, content.data, password=password, limits=limits)
    if not contents.has_any:
        return False
    if as_json:
        print_json(contents.to_json())
    else:
        print_contents(contents)
    return True


def _inspect(
    content: SourceContent, password: str | None, contents_password: str | None, limits: Limits, *, require_mac: bool
) -> PfxReport:
    from pkcs12kit.pkcs12.inspection import inspect_pfx
    from pkcs12kit.sources.pkcs12_files import naming_pkcs12

    with naming_pkcs12(content.name, content.der):
        return inspect_pfx(
            content.der,
            password=password,
            contents_password=contents_password,
            require_mac=require_mac,
            limits=limits,
        )
