"""``pkcs12kit expiry``: when the paths of many bundles end, and the certificates that most of them hang on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup
from pkcs12kit.cli.options.passwords import password_options
from pkcs12kit.cli.options.search import expires_within_option, expiry_options, json_option, limits_option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from datetime import timedelta

    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.hints import Hint
    from pkcs12kit.limits import Limits
    from pkcs12kit.verifier.expiry import ExpiryReport


@click.command(
    "expiry",
    cls=Command,
    most_used=("--anchor", "--expires-within", "--certs", "--password-file", "--json"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit expiry bundles/ --anchor fcpca.pem --expires-within 30d \\
      --password-file password.txt
  pkcs12kit expiry haproxy/*.pem --anchor root.pem \\
      --certs ca-certificates/
  pkcs12kit expiry server.p12 mdm.p12 --anchor root.pem --json \\
      --password-env P12""",
)
@click.argument("files", type=FILE, metavar="FILE...", nargs=-1, required=True)
@expiry_options
@expires_within_option
@password_options(OptionGroup.INPUT, "the PKCS#12 files")
@limits_option
@json_option
def command(  # click gives every option its own argument
    files: tuple[str, ...],
    search: SearchOptions,
    expires_within: timedelta,
    password_file: str | None,
    password_env: str | None,
    limits: Limits,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Report when the paths of many bundles end, and which single certificate most of them hang on.

    FILE is the bundle of a server, PKCS#12, PEM or PKCS#7, or a folder of bundles, in which other files are passed
    over.

    A bundle hangs on a certificate if it has no valid path without it: in its own certificates, or in the certificates
    given beside them. Revocation, the names of the servers and the private keys are not checked.

    Exit status 1: a path ends within the time asked for, or a bundle has no valid path. Exit status 2: a file could not
    be read. The rest is shown in both cases.
    """
    from pkcs12kit.cli.options.passwords import given_password
    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.verifier.expiry import expiry_report

    report = expiry_report(
        files,
        trust_anchors=search.trust_anchors,
        certificates=search.certificates,
        expires_within=expires_within,
        parameters=validation_parameters(search),
        password=given_password(password_file, password_env, stdin=password_stdin),
        limits=limits,
    )
    _show(report, as_json=as_json)
    if report.unread:
        sys.exit(2)
    if not report.ok:
        sys.exit(1)


def _show(report: ExpiryReport, *, as_json: bool) -> None:
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text, warn
    from pkcs12kit.text import counted

    for warning in report.warnings:
        warn(warning)
    if not as_json:
        from rich.text import Text
        from rich.tree import Tree

        from pkcs12kit.text import harmless
        from pkcs12kit.verifier.expiry_words import parts_of, summary

        print_text([Text(harmless(summary(report)), style="bold")])
        for title, lines in parts_of(report):
            tree = Tree(Text(title, style="bold"), guide_style="dim")
            for line in lines:
                tree.add(Text(harmless(line)))
            print_text([tree])
    if not report.ok:
        wrong = {
            "not read": len(report.unread),
            "without a valid path": len(report.without_path),
            "with a path that ends within the time": len(report.expiring),
        }
        named = ", ".join(f"{counted(number, 'bundle')} {what}" for what, number in wrong.items() if number)
        print_error(named)
    print_hints(_hints(report))
    if as_json:
        print_json(report.to_json())


def _hints(report: ExpiryReport) -> list[Hint]:
    """Return the next steps for files that need a password, and for the first bundle with a bad answer."""
    from pkcs12kit.cli.output.replay import call_of
    from pkcs12kit.hints import Hint

    hints = []
    if any(one.needs_password for one in report.unread):
        options = "--password-file, --password-env or --password-stdin"
        hints.append(Hint(text=f"{options} opens the files with that password; call again for those with another one"))
    bad = next((one.name for one in (*report.without_path, *report.expiring) if os.path.isfile(one.name)), None)  # noqa: PTH113
    if bad is not None:
        text = "see what is wrong with the first of them; build makes it again with certificates that last longer"
        hints.append(Hint(text=text, command=call_of("verify", file=bad, password_stdin=None)))
    return hints
