"""``pkcs12kit inspect``: take a PKCS#12 file apart."""

from __future__ import annotations

import sys

import click

from pkcs12kit.cli.options import json_option
from pkcs12kit.cli.passwords import password_options


@click.command("inspect", no_args_is_help=True)
@click.argument("file", metavar="FILE.p12")
@password_options
@json_option
def command(
    file: str,
    password_file: str | None,
    password_env: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    r"""Take a PKCS#12 file apart: protection and structure without its password, contents with it.

    FILE.p12 may be - for standard input. Keys are named, never shown. Exit status 1: the password does not open the
    file; what can be seen without it is shown all the same.

    \b
    Examples:
      pkcs12kit inspect server.p12
      pkcs12kit inspect server.p12 --password-file password.txt --json
    """
    from pkcs12kit.cli.output import print_json, print_text
    from pkcs12kit.cli.passwords import given_password
    from pkcs12kit.pkcs12.inspection import inspect_pfx

    if file == "-" and password_stdin:
        raise click.UsageError("standard input is either the file or the password")
    password = given_password(password_file, password_env, stdin=password_stdin)
    if file == "-":
        from pkcs12kit.limits import DEFAULT_LIMITS

        report = inspect_pfx(sys.stdin.buffer.read(DEFAULT_LIMITS.pfx_bytes + 1), password=password)
    else:
        report = inspect_pfx(file, password=password)
    if as_json:
        print_json(report.to_json())
    else:
        from pkcs12kit.display.text import pfx_tree

        print_text([pfx_tree(report, title="standard input" if file == "-" else file)])
    if report.mac_verified is False:
        click.echo(f"{click.style('error:', fg='red', bold=True)} {file}: the password does not open it", err=True)
        sys.exit(1)
