"""``pkcs12kit verify``: hold a PKCS#12 file against what its clients trust."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.pkcs12_input import open_or_exit, opening_options
from pkcs12kit.cli.options.search import expires_within_option, json_option, judging_options, limits_option
from pkcs12kit.cli.options.values import FILE, OneOf
from pkcs12kit.findings import Check
from pkcs12kit.pkcs12.readers import READERS

if TYPE_CHECKING:
    from datetime import timedelta

    from pkcs12kit.cli.options.pkcs12_input import Opening, OpeningOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.verifier.reports import VerificationReport

_NEXT_STEPS: Final = (
    # the first that fits
    (
        {Check.LOCAL_KEY_ID, Check.DUPLICATES, Check.CHAIN, Check.ORDER},
        "pkcs12kit build --pkcs12 FILE --certs SOURCE --anchor FILE --out NEW.p12 writes it anew, in order",
    ),
    ({Check.SERVER_NAME}, "give the name that the certificate is for with --server-name, or have its CA issue another"),
    ({Check.REVOCATION}, "give what is missing with --crl or --ocsp, or accept it with --revocation soft"),
    ({Check.EXPIRY}, "have what expires renewed, and build the file anew"),
    ({Check.READERS}, "pkcs12kit convert FILE NEW.p12 --for READER protects it so that the reader can import it"),
    ({Check.PATH}, "pkcs12kit paths CERT --certs SOURCE --anchor FILE --all looks for another path"),
)


@click.command(
    "verify",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit verify server.p12 --anchor fcpca.pem \\
      --server-name mdm.example.mil
  pkcs12kit verify server.p12 --anchor root.pem --expires-within 30d \\
      --json --password-file password.txt
  pkcs12kit verify server.p12 --anchor root.pem --for java-17 \\
      --for windows-2016
  pkcs12kit verify ca-path.p12 --certs-only --anchor root.pem \\
      --password-env P12""",
)
@click.argument("file", type=FILE, metavar="FILE.p12")
@judging_options
@expires_within_option
@click.option(
    "--for",
    "readers",
    type=OneOf(list(READERS)),
    metavar="READER",
    multiple=True,
    help=f"Say no unless this reader is known to open the file. May be given again. One of {', '.join(READERS)}.",
)
@click.option("--certs-only", is_flag=True, help="The file is to hold no key: the path is for its first certificate.")
@opening_options
@click.option("--no-second-opinion", is_flag=True, help="Do not ask certvalidator; the report says so.")
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
    """Hold a PKCS#12 file against what its clients trust, from what is in it alone.

    Is a certificate for the key, is the chain to the trust anchor complete and in order, is it valid at the time and
    for the server, when does it expire, who can open the file? FILE.p12 may be - for standard input. Exit status 1:
    a check says no, or the password does not open the file.
    """
    from pkcs12kit.cli.options.search import revocation_inputs, validation_parameters
    from pkcs12kit.verifier.verify import verify

    if certs_only and (opening.key_name is not None or opening.key_id is not None):
        raise click.UsageError("--certs-only takes neither --key-name nor --key-id")
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
    from pkcs12kit.cli.output.console import hint, print_error, print_json, print_text, warn
    from pkcs12kit.sources.reading import name_of

    name = name_of(file)
    for warning in report.anatomy.warnings:
        warn(f"{name}: {warning}")
    if as_json:
        print_json({"file": name, **report.to_json()})
    else:
        from pkcs12kit.display.findings import findings_tree
        from pkcs12kit.display.paths import path_tree

        drawn = [] if report.path is None else [path_tree(report.path)]
        print_text([findings_tree(report.findings, title=name, answer=report.ok), *drawn])
    if report.ok:
        return
    print_error(f"{name} failed: {', '.join(report.failed)}")
    step = _next_step(report)
    if step is not None:
        hint(step)


def _next_step(report: VerificationReport) -> str | None:
    from pkcs12kit.cli.output.hints import about_time

    wrong_time = about_time(report.rejected)
    if wrong_time is not None:
        return wrong_time
    problems = {finding.check for finding in report.findings if finding.is_problem}
    if problems == {Check.PRIVATE_KEY} and not report.has_private_key:
        return "--certs-only asks about a file of certificates alone"
    return next((step for checks, step in _NEXT_STEPS if problems & checks), None)
