"""``pkcs12kit build``: find the path and write one PKCS#12 file, or PEM for servers."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.access import access_options
from pkcs12kit.cli.options.fetch import fetching_options
from pkcs12kit.cli.options.form import form_options, require_consistent_form
from pkcs12kit.cli.options.outputs import force_option
from pkcs12kit.cli.options.passwords import contents_password_option, password_options, require_mac_option
from pkcs12kit.cli.options.pkcs12_input import (
    delivery_option,
    key_options,
    require_delivery_alone,
    require_one_identity,
)
from pkcs12kit.cli.options.protection import new_protection, protection_options
from pkcs12kit.cli.options.search import json_option, limits_option, path_options
from pkcs12kit.cli.options.values import FILE, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkcs12kit.builder.report import BuildReport
    from pkcs12kit.cli.options.access import AccessOptions
    from pkcs12kit.cli.options.fetch import FetchingOptions
    from pkcs12kit.cli.options.form import FormOptions
    from pkcs12kit.cli.options.protection import ProtectionOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.verifier.server_reports import RehearsalReport


@click.command(
    "build",
    cls=Command,
    most_used=("--key", "--cert", "--certs", "--anchor", "--out"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit build --key server.key --cert server.pem \\
      --certs ca-certificates/ --anchor fcpca.pem \\
      --server-name mdm.example.mil --out server.p12
  pkcs12kit build --pkcs12 old.p12 --certs certs/*.cer cross-certs.p7b \\
      --anchor fcpca.pem --out new.p12 \\
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
  pkcs12kit build --key server.key --cert server.pem --certs bundle.p7b \\
      --anchor root.pem --out /etc/tomcat10/server.p12 --group tomcat \\
      --mode 0640 --password-file password.txt
  pkcs12kit build --from delivery.zip --anchor fcpca.pem \\
      --out server.p12 --password-file password.txt
  pkcs12kit build --key server.key --cert server.pem --certs bundle.p7b \\
      --anchor root.pem --to pem --out chain.pem --key-out chain.key \\
      --if-changed
  pkcs12kit build --key server.key --cert server.pem --anchor fcpca.pem \\
      --out server.p12 --password-file password.txt --fetch \\
      --revocation require""",
)
@option(
    OptionGroup.INPUT,
    "--key",
    type=FILE,
    metavar="FILE",
    help="The server's private key, in PEM or DER, encrypted or not, or a PKCS#12 file that holds it.",
)
@option(
    OptionGroup.INPUT,
    "--cert",
    "certificate",
    type=FILE,
    metavar="FILE",
    help="The server's certificate, or a chain that contains it, in any form, also PKCS#12. If several certificates are"
    " for the key, the newest that is valid is used.",
)
@option(
    OptionGroup.INPUT,
    "--pkcs12",
    type=FILE,
    metavar="FILE",
    help="An existing PKCS#12 file with both, instead of --key and --cert; or with the key, beside --cert.",
)
@delivery_option
@key_options("{} of the key to use, if the PKCS#12 file has several keys")
@option(
    OptionGroup.INPUT,
    "--certs-only",
    is_flag=True,
    help="Write no key, only the certificates of the path from --cert, which may be a CA's.",
)
@path_options
@option(
    OptionGroup.INPUT,
    "--key-password-file",
    type=FILE,
    metavar="FILE",
    help="A file whose first line is the password of --key. Default: a prompt, if a password is needed.",
)
@option(
    OptionGroup.INPUT,
    "--pkcs12-password-file",
    type=FILE,
    metavar="FILE",
    help="A file whose first line is the password of --pkcs12. Default: a prompt, if a password is needed.",
)
@option(
    OptionGroup.INPUT,
    "--cert-password-file",
    type=FILE,
    metavar="FILE",
    help="A file whose first line is the password of --cert, if that is a PKCS#12 file. Default: the password of the"
    " key's file, then a prompt, if a password is needed.",
)
@contents_password_option
@require_mac_option
@limits_option
@option(
    OptionGroup.OUTPUT,
    "--out",
    "output",
    type=Place("file", is_output=True, in_place="pkcs12"),
    metavar="FILE",
    required=True,
    help="The file to write, or - for standard output. It may be the file of --pkcs12, but no other input.",
)
@form_options
@force_option
@option(
    OptionGroup.OUTPUT,
    "--truststore",
    is_flag=True,
    help="With --certs-only: mark the certificates as trusted, for Java.",
)
@option(
    OptionGroup.OUTPUT,
    "--if-changed",
    is_flag=True,
    help="Do not write the file if it already has the same contents, under the same password. The exit status is 0 in"
    " both cases.",
)
@option(
    OptionGroup.OUTPUT,
    "--dry-run",
    is_flag=True,
    help="Do everything except writing the file, and print whether it would be written. The exit status is the same as"
    " without this option.",
)
@access_options
@password_options(OptionGroup.PROTECTION, "the new file")
@protection_options
@option(
    OptionGroup.NAMES,
    "--friendly-name",
    metavar="NAME",
    help="The name of the key and of its certificate, which programs show.",
)
@option(
    OptionGroup.NAMES,
    "--certificate-name",
    metavar="NAME",
    help="The name of the certificate, if it differs from that of the key.",
)
@option(
    OptionGroup.NAMES,
    "--ca-name",
    "ca_names",
    metavar="NAME",
    multiple=True,
    help="The name of a CA certificate. May be given again: the first is for the issuer of --cert, the second for the"
    " issuer's issuer, and so on. Default: the common name.",
)
@option(
    OptionGroup.CHECKS,
    "--no-second-opinion",
    is_flag=True,
    help="Do not have the path validated a second time, by certvalidator. The report says so.",
)
@option(
    OptionGroup.CHECKS,
    "--rehearse",
    "rehearsing",
    is_flag=True,
    help="After writing, serve the file to TLS clients, as the rehearse command does. If a client that must accept the"
    " file rejects it, the exit status is 1, and the file stays.",
)
@option(
    OptionGroup.NETWORK,
    "--fetch",
    is_flag=True,
    help="Fetch what is missing from the URLs in the certificates: other certificates, as gather does, and with"
    " --revocation also CRLs and OCSP responses. Without --fetch the network is not used.",
)
@fetching_options
@json_option
def command(
    key: str | None,
    certificate: str | None,
    pkcs12: str | None,
    source: str | None,
    search: SearchOptions,
    output: str,
    form: FormOptions,
    password_file: str | None,
    password_env: str | None,
    key_password_file: str | None,
    pkcs12_password_file: str | None,
    cert_password_file: str | None,
    contents_password_file: str | None,
    key_name: str | None,
    key_id: bytes | None,
    access: AccessOptions,
    protection: ProtectionOptions,
    friendly_name: str | None,
    certificate_name: str | None,
    ca_names: tuple[str, ...],
    fetching: FetchingOptions,
    limits: Limits,
    *,
    fetch: bool,
    truststore: bool,
    force: bool,
    if_changed: bool,
    dry_run: bool,
    certs_only: bool,
    password_stdin: bool,
    require_mac: bool,
    no_second_opinion: bool,
    rehearsing: bool,
    as_json: bool,
) -> None:
    """Find the path, have two validators check it, and write one PKCS#12 file, or PEM for servers.

    The file contains the private key, its certificate and every CA certificate up to the trust anchor, in this order.
    Nothing is written unless the path is valid. You are asked for the password of the new file at the terminal, unless
    an option names a file or a variable that holds it. A password is never an argument. The key in PEM (--to pem) is
    not encrypted; only the owner can read the file.

    Exit status 1: no path is valid, and standard error says why; or the second opinion or --rehearse says no.
    """
    from pkcs12kit.builder.build import build
    from pkcs12kit.cli.options.passwords import opening_password, password_from_file
    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.cli.output.build import after_writing, print_refusal
    from pkcs12kit.cli.output.console import warn
    from pkcs12kit.cli.output.progress import FetchingWatch
    from pkcs12kit.cli.output.rehearsal import rehearse_built
    from pkcs12kit.errors import PathError
    from pkcs12kit.paths import ranking
    from pkcs12kit.sources.identities import load_identity

    require_consistent_form(form, output, click.get_current_context().params)
    require_delivery_alone(source, pkcs12=pkcs12, certs_only=certs_only)
    if source is None:
        require_one_identity(key, certificate, pkcs12, certs_only=certs_only)
    _require_file(output, as_json=as_json, if_changed=if_changed, dry_run=dry_run)
    if require_mac and pkcs12 is None and source is None:
        raise click.UsageError("--require-mac has an effect only with --pkcs12 or --from: other input has no MAC")
    if certs_only and (key_name is not None or key_id is not None):
        raise click.UsageError("--certs-only writes no key; leave out --key-name and --key-id")
    if truststore and not certs_only:
        raise click.UsageError("--truststore needs --certs-only: a truststore has no key")
    if rehearsing and certs_only:
        raise click.UsageError(
            "--rehearse needs a private key to serve TLS, and --certs-only leaves it out; give one of the two"
        )
    profile, password = None, None
    if not form.is_pem:
        profile, password = new_protection(protection, password_file, password_env, stdin=password_stdin)
    parameters = validation_parameters(search)
    limits = replace(limits, retrieval_seconds=fetching.seconds)
    identity: dict[str, Any] = {
        "key": key,
        "certificate": certificate,
        "pkcs12": pkcs12,
        "key_password": opening_password(key_password_file, source or key, "--key-password-file"),
        "certificate_password": opening_password(cert_password_file, certificate, "--cert-password-file"),
        "contents_password": password_from_file(contents_password_file) if contents_password_file else None,
        "key_name": key_name,
        "key_id": key_id,
        "require_mac": require_mac,
        "limits": limits,
    }
    pkcs12_password = opening_password(pkcs12_password_file, pkcs12, "--pkcs12-password-file")
    try_identity = partial(load_identity, **identity, password=pkcs12_password, time=parameters.time)
    revocation = _revocation(search, None if certs_only or source is not None else try_identity)
    watch = FetchingWatch()
    fetch_options = fetching.when(fetch=fetch, on_event=watch.on_event)
    try:
        with watch:
            report = build(
                **identity,
                source=source,
                pkcs12_password=pkcs12_password,
                certs_only=certs_only,
                certificates=search.certificates,
                trust_anchors=search.trust_anchors,
                output=None if output == "-" else output,
                **access._asdict(),
                password=None if password is None else watch.aside(password),
                parameters=parameters,
                ranking=ranking.READY_MADE[search.ranking],
                revocation=revocation,
                fetch=fetch_options,
                second_opinion=not no_second_opinion,
                **form.arguments(),
                friendly_name=friendly_name,
                certificate_name=certificate_name,
                ca_names=ca_names,
                truststore=truststore,
                profile=profile,
                for_readers=protection.readers,
                overwrite=force,
                if_changed=if_changed,
                dry_run=dry_run,
                on_warning=watch.aside(warn),
            )
    except PathError as no:
        retrievals = watch.retrievals if fetch else None
        sources_given = bool(search.certificates) or source is not None
        print_refusal(no, as_json=as_json, sources_given=sources_given, retrievals=retrievals)
        sys.exit(1)
    rehearse = partial(rehearse_built, report, trust_anchors=search.trust_anchors, parameters=parameters, limits=limits)
    with after_writing(report):
        _print_built(report, as_json=as_json)
        rehearsal = rehearse(password=None if password is None else password()) if rehearsing else None
        _print_rehearsed(report, rehearsal, as_json=as_json)


def _revocation(search: SearchOptions, try_identity: Callable[[], object] | None) -> Revocation | None:
    """Return the inputs for revocation. If they cannot be read, an error of key and certificate is raised first."""
    from pkcs12kit.cli.options.search import revocation_inputs
    from pkcs12kit.errors import InputError

    try:
        return revocation_inputs(search)
    except InputError:
        if try_identity is not None:
            try_identity()
        raise


def _print_built(report: BuildReport, *, as_json: bool) -> None:
    """Print what was built, before the rehearsal; in JSON both are one object, which is printed later."""
    from pkcs12kit.cli.output.build import print_build_report
    from pkcs12kit.cli.output.console import write_bytes

    if report.output is None:
        write_bytes(report.data)
    if not as_json:
        print_build_report(report, err=report.output is None)


def _print_rehearsed(report: BuildReport, rehearsal: RehearsalReport | None, *, as_json: bool) -> None:
    """Print the rehearsal, or both as one JSON object; exit with status 1 where the rehearsal says no."""
    from pkcs12kit.cli.output.console import print_json
    from pkcs12kit.cli.output.rehearsal import print_problems_of_built, print_rehearsal

    if rehearsal is not None and not as_json:
        print_rehearsal(rehearsal, "Rehearsal", with_path=False, err=report.output is None)
    answer = rehearsal is None or rehearsal.ok
    if rehearsal is not None and not answer:
        print_problems_of_built(rehearsal, report)
    if as_json:
        print_json(report.to_json() | ({} if rehearsal is None else {"rehearsal": rehearsal.to_json()}))
    if not answer:
        sys.exit(1)


def _require_file(output: str, *, as_json: bool, if_changed: bool, dry_run: bool) -> None:
    """Raise :class:`click.UsageError` where the output is standard output and another option does not allow that."""
    if as_json and output == "-":
        raise click.UsageError("--json and --out - both write to standard output; give --out a file")
    if (if_changed or dry_run) and output == "-":
        name = "--if-changed" if if_changed else "--dry-run"
        raise click.UsageError(f"{name} compares with an existing file; give --out a file, not standard output")
