"""``pkcs12kit build``: find the path and write one PKCS#12 file."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.fetch import Watch, fetching_options
from pkcs12kit.cli.options.passwords import password_options, require_mac_option
from pkcs12kit.cli.options.protection import chosen_profile, for_all_readers, protection_options
from pkcs12kit.cli.options.search import json_option, limits_option, path_options
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from pkcs12kit.builder.build import BuildReport
    from pkcs12kit.cli.options.fetch import FetchingOptions
    from pkcs12kit.cli.options.protection import ProtectionOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.verifier.reports import RehearsalReport


@click.command(
    "build",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit build --key server.key --cert server.pem \\
      --certs ca-certificates/ --anchor fcpca.pem \\
      --server-name mdm.example.mil --out server.p12
  pkcs12kit build --pkcs12 old.p12 --certs bundle.zip \\
      --certs cross-certs.p7b --anchor fcpca.pem --out new.p12 \\
      --password-file password.txt --json
  pkcs12kit build --key server.key --cert server.pem --certs bundle.p7b \\
      --anchor root.pem --out server.p12 --password-file password.txt \\
      --rehearse
  pkcs12kit build --certs-only --cert issuing-ca.pem --certs bundle.p7b \\
      --anchor root.pem --out ca-path.p12 --password-env P12_PASSWORD
  pkcs12kit build --key server.key --cert server.pem --certs bundle.p7b \\
      --anchor root.pem --out server.p12 --password-file password.txt \\
      --for windows-2016 --for java-17 --if-changed
  pkcs12kit build --certs-only --truststore --cert issuing-ca.pem \\
      --certs bundle.p7b --anchor root.pem --out truststore.p12 \\
      --password-file password.txt
  pkcs12kit build --key server.key --cert server.pem --anchor fcpca.pem \\
      --out server.p12 --password-file password.txt --fetch \\
      --revocation require""",
)
@click.option("--key", type=FILE, metavar="FILE", help="The private key, PEM or DER, encrypted or not.")
@click.option(
    "--cert", "certificate", type=FILE, metavar="FILE", help="The server's certificate, or a chain that holds it."
)
@click.option("--pkcs12", type=FILE, metavar="FILE", help="An existing PKCS#12 file instead of --key and --cert.")
@click.option("--certs-only", is_flag=True, help="No key: the certificates of the path from --cert on, a CA's for one.")
@path_options
@click.option(
    "--out", "output", type=FILE, metavar="FILE", required=True, help="The file to write, or - for standard output."
)
@password_options
@click.option(
    "--key-password-file", type=FILE, metavar="F", help="File whose first line opens --key. Else asked for if needed."
)
@click.option("--pkcs12-password-file", type=FILE, metavar="F", help="File whose first line opens --pkcs12.")
@require_mac_option
@protection_options
@click.option("--friendly-name", metavar="NAME", help="What programs call the key and its certificate.")
@click.option("--certificate-name", metavar="NAME", help="What they call the certificate, where not as the key.")
@click.option(
    "--ca-name",
    "ca_names",
    metavar="NAME",
    multiple=True,
    help="What they call a CA certificate, from the issuer of --cert on; given again, the next. Else its common name.",
)
@click.option("--truststore", is_flag=True, help="With --certs-only: mark the certificates as trusted, for Java.")
@click.option(
    "--if-changed",
    is_flag=True,
    help="Leave the file alone if it already holds just this, under the same password. Exit status 0 both ways.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Do all but write the file, and say whether it would be written. Exit status as without this option.",
)
@click.option("--no-anchor", is_flag=True, help="Leave the trust anchor's own certificate out of the file.")
@click.option("--no-second-opinion", is_flag=True, help="Do not ask certvalidator; the report says so.")
@click.option(
    "--rehearse",
    "rehearsing",
    is_flag=True,
    help="Then serve the file to TLS clients, as the rehearse command does. Exit status 1, and the file stays, if one"
    " that has to accept does not.",
)
@click.option(
    "--fetch",
    is_flag=True,
    help="Fetch what is missing from where the certificates say that it is: other certificates, as gather does, and"
    " CRLs and OCSP responses where --revocation asks for them. Without it nothing is asked from the network.",
)
@fetching_options
@limits_option
@json_option
def command(
    key: str | None,
    certificate: str | None,
    pkcs12: str | None,
    search: SearchOptions,
    output: str,
    password_file: str | None,
    password_env: str | None,
    key_password_file: str | None,
    pkcs12_password_file: str | None,
    protection: ProtectionOptions,
    friendly_name: str | None,
    certificate_name: str | None,
    ca_names: tuple[str, ...],
    fetching: FetchingOptions,
    limits: Limits,
    *,
    fetch: bool,
    truststore: bool,
    if_changed: bool,
    dry_run: bool,
    certs_only: bool,
    password_stdin: bool,
    require_mac: bool,
    no_anchor: bool,
    no_second_opinion: bool,
    rehearsing: bool,
    as_json: bool,
) -> None:
    """Find the path, let two validators judge it, and write one PKCS#12 file.

    The file holds the private key, its certificate and every CA certificate on the way to the trust anchor, in that
    order, the anchor last. Nothing is written unless the path is valid. The password is asked for at the terminal
    unless an option says where it is; it is never an argument.

    Exit status 1: there is no valid path, and what was tried is on standard error; the second opinion says no; or
    --rehearse does.
    """
    from pkcs12kit.builder.build import build
    from pkcs12kit.cli.options.passwords import opening_password, password_for_new_file
    from pkcs12kit.cli.options.search import revocation_inputs, validation_parameters
    from pkcs12kit.cli.output.console import warn
    from pkcs12kit.cli.output.rehearsal import rehearse_built
    from pkcs12kit.errors import PathError
    from pkcs12kit.paths import ranking

    _require_one_identity(key, certificate, pkcs12, certs_only=certs_only)
    _refuse_standard_output(output, as_json=as_json, if_changed=if_changed, dry_run=dry_run)
    if require_mac and pkcs12 is None:
        raise click.UsageError("--require-mac takes --pkcs12: nothing else has a MAC")
    if truststore and not certs_only:
        raise click.UsageError("--truststore takes --certs-only: a truststore holds no key")
    if rehearsing and certs_only:
        raise click.UsageError("--rehearse needs a private key to serve TLS with, which --certs-only leaves out")
    profile = chosen_profile(protection)
    password = None
    if profile.takes_password:
        get_password = password_for_new_file(password_file, password_env, stdin=password_stdin)
        password = cache(for_all_readers(protection, get_password))
    elif password_file is not None or password_env is not None or password_stdin:
        raise click.UsageError(f"the profile {profile.name} takes no password")
    parameters = validation_parameters(search)
    limits = replace(limits, retrieval_seconds=fetching.seconds)
    watch = Watch()
    fetch_options = fetching.when(fetch=fetch, on_event=watch.on_event)
    try:
        with watch:
            report = build(
                key=key,
                certificate=certificate,
                pkcs12=pkcs12,
                certs_only=certs_only,
                certificates=search.certificates,
                trust_anchors=search.trust_anchors,
                output=None if output == "-" else output,
                password=None if password is None else watch.aside(password),
                key_password=opening_password(key_password_file, key=key, certificate=certificate, limits=limits),
                pkcs12_password=opening_password(pkcs12_password_file, pkcs12=pkcs12, limits=limits),
                require_mac=require_mac,
                parameters=parameters,
                ranking=ranking.READY_MADE[search.ranking],
                revocation=revocation_inputs(search),
                fetch=fetch_options,
                second_opinion=not no_second_opinion,
                include_anchor=not no_anchor,
                friendly_name=friendly_name,
                certificate_name=certificate_name,
                ca_names=ca_names,
                truststore=truststore,
                profile=profile,
                if_changed=if_changed,
                dry_run=dry_run,
                limits=limits,
                on_warning=watch.aside(warn),
            )
    except PathError as no:
        from pkcs12kit.cli.output.hints import refuse

        retrievals = watch.retrievals if fetch else None
        refuse(no, as_json=as_json, sources_given=bool(search.certificates), retrievals=retrievals)
        sys.exit(1)
    _tell_what_was_built(report, as_json=as_json)
    rehearse = partial(rehearse_built, report, trust_anchors=search.trust_anchors, parameters=parameters, limits=limits)
    rehearsal = rehearse(password=None if password is None else password()) if rehearsing else None
    _tell_the_rest(report, rehearsal, as_json=as_json)


def _tell_what_was_built(report: BuildReport, *, as_json: bool) -> None:
    """Print it at once, before clients are asked; in JSON both are one object."""
    from pkcs12kit.cli.output.console import print_build_report, write_bytes

    if report.output is None:
        write_bytes(report.data)
    if not as_json:
        print_build_report(report, err=report.output is None)


def _tell_the_rest(report: BuildReport, rehearsal: RehearsalReport | None, *, as_json: bool) -> None:
    from pkcs12kit.cli.output.console import print_json
    from pkcs12kit.cli.output.rehearsal import explain_refusal_of_built, print_rehearsal

    if as_json:
        print_json(report.to_json() | ({} if rehearsal is None else {"rehearsal": rehearsal.to_json()}))
    elif rehearsal is not None:
        print_rehearsal(rehearsal, "Rehearsal", with_path=False, err=report.output is None)
    if rehearsal is not None and not rehearsal.ok:
        explain_refusal_of_built(rehearsal, report)
        sys.exit(1)


def _refuse_standard_output(output: str, *, as_json: bool, if_changed: bool, dry_run: bool) -> None:
    if as_json and output == "-":
        raise click.UsageError("--json and --out - both want standard output")
    if if_changed and output == "-":
        raise click.UsageError("--if-changed needs a file to leave alone, not standard output")
    if dry_run and output == "-":
        raise click.UsageError("--dry-run needs a file that it does not write, not standard output")


def _require_one_identity(key: str | None, certificate: str | None, pkcs12: str | None, *, certs_only: bool) -> None:
    given = {"--key": key, "--cert": certificate, "--pkcs12": pkcs12}
    options = {option for option, value in given.items() if value is not None}
    if certs_only and options != {"--cert"}:
        raise click.UsageError("--certs-only takes --cert, and neither --key nor --pkcs12")
    if not certs_only and options not in ({"--key", "--cert"}, {"--pkcs12"}):
        raise click.UsageError("give --key and --cert, or --pkcs12 alone, or --certs-only with --cert")
