"""``pkcs12kit verify``: check a file for a server against the trust anchor of its clients."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.pkcs12_input import open_or_exit, opening_options
from pkcs12kit.cli.options.readers import readers_option
from pkcs12kit.cli.options.search import expires_within_option, json_option, judging_options, limits_option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from datetime import timedelta

    from pkcs12kit.cli.options.pkcs12_input import Opening, OpeningOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.verifier.reports import VerificationReport


@click.command(
    "verify",
    cls=Command,
    most_used=("--anchor", "--server-name", "--for", "--expires-within", "--password-file"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit verify server.p12 --anchor fcpca.pem \\
      --server-name mdm.example.mil
  pkcs12kit verify server.p12 --anchor root.pem --expires-within 30d \\
      --json --password-file password.txt
  pkcs12kit verify server.p12 --anchor root.pem --for java-17 \\
      --for windows-2016
  pkcs12kit verify haproxy.pem --anchor root.pem
  pkcs12kit verify nginx.crt --key nginx.key --anchor root.pem
  pkcs12kit verify ca-path.p12 --certs-only --anchor root.pem \\
      --password-env P12""",
)
@click.argument("file", type=FILE, metavar="FILE")
@judging_options
@expires_within_option
@readers_option(
    OptionGroup.CHECKS,
    "Fail unless this program is known to open the file, with its key and its certificates. May be given again.",
)
@option(
    OptionGroup.CHECKS,
    "--certs-only",
    is_flag=True,
    help="Check a file without a key: the path begins at its first certificate.",
)
@option(
    OptionGroup.CHECKS,
    "--no-second-opinion",
    is_flag=True,
    help="Do not have the path validated a second time, by certvalidator. The report says so.",
)
@opening_options
@limits_option
@json_option
def command(
    file: str,
    search: SearchOptions,
    expires_within: timedelta,
    readers: tuple[str, ...],
    opening: OpeningOptions,
    limits: Limits,
    *,
    certs_only: bool,
    no_second_opinion: bool,
    as_json: bool,
) -> None:
    """Check a file for a server against the trust anchor of its clients, using only what is in the file.

    FILE is a PKCS#12 file, or a chain in PEM or PKCS#7, with its private key in it or in --key; or - for standard
    input.

    Does a certificate belong to the key? Is the chain to the trust anchor complete and in order? Is it valid at the
    time and for the server? When does it expire, and which programs can open the file? What only a PKCS#12 file has is
    not checked in a chain of another format.

    Exit status 1: a check says no, or the password does not open the file.
    """
    from pkcs12kit.cli.options.search import revocation_inputs, validation_parameters
    from pkcs12kit.verifier.verify import verify

    if certs_only and (opening.key_name is not None or opening.key_id is not None):
        raise click.UsageError("--certs-only checks a file without a key; leave out --key-name and --key-id")
    parameters = validation_parameters(search)
    revocation = revocation_inputs(search)

    def open_with(how: Opening) -> VerificationReport:
        return verify(
            file,
            trust_anchors=search.trust_anchors,
            **how,
            certs_only=certs_only,
            parameters=parameters,
            expires_within=expires_within,
            revocation=revocation,
            second_opinion=not no_second_opinion,
            readers=readers,
            limits=limits,
        )

    report = open_or_exit(open_with, opening, file, as_json=as_json)
    _show(report, file, as_json=as_json)
    if not report.ok:
        sys.exit(1)


def _show(report: VerificationReport, file: str, *, as_json: bool) -> None:
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text, warn
    from pkcs12kit.sources.reading import name_of

    name = name_of(file)
    for warning in () if report.anatomy is None else report.anatomy.warnings:
        warn(f"{name}: {warning}")
    for warning in report.call_warnings:
        warn(warning)
    if not as_json:
        from pkcs12kit.display.findings import findings_tree
        from pkcs12kit.display.notes import notes_tree
        from pkcs12kit.display.paths import path_tree

        drawn = [] if report.path is None else [path_tree(report.path)]
        print_text([findings_tree(report.findings, title=name, answer=report.ok), *drawn, *notes_tree(report.notes)])
    if not report.ok:
        from pkcs12kit.cli.output.anchor_hints import hints_for_unfitting_anchor
        from pkcs12kit.cli.output.input_steps import with_file_command

        print_error(f"{name} failed: {', '.join(report.failed)}")
        hints = with_file_command(report.hints, report.findings, report.target)
        print_hints((*hints, *hints_for_unfitting_anchor(report.rejected)))
    if as_json:
        print_json({"file": name, **report.to_json()})
