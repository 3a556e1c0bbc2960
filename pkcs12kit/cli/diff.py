"""``pkcs12kit diff``: compare two sets of certificates, and the paths of targets with each of them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.passwords import password_options
from pkcs12kit.cli.options.search import comparison_options, json_option
from pkcs12kit.cli.options.values import FILE

if TYPE_CHECKING:
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.cli.options.search import SearchOptions


@click.command(
    "diff",
    cls=Command,
    most_used=("--target", "--anchor", "--certs", "--at", "--json"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit diff fpki-2024-10.p7b fpki-2025-06.p7b
  pkcs12kit diff old-certs/ new-certs.zip --target server.pem \\
      --certs issuing-ca.pem --anchor fcpcag2.pem
  pkcs12kit diff before.p7b after.p7b --target cas/*.cer \\
      --anchor root.pem --at 2025-06-10T00:00:00Z --json
  pkcs12kit diff old.p12 new.p12 --password-file old.txt \\
      --after-password-file new.txt""",
)
@click.argument("before", type=FILE, metavar="A")
@click.argument("after", type=FILE, metavar="B")
@option(
    OptionGroup.PATH,
    "--target",
    "targets",
    type=FILE,
    metavar="CERT",
    multiple=True,
    help="The certificate of a server or a CA whose paths are compared: a file, or a folder or bundle, each certificate"
    " of which is a target. Takes several, and may be given again. Needs --anchor.",
)
@comparison_options
@password_options(OptionGroup.INPUT, "PKCS#12 files in A and B")
@option(
    OptionGroup.INPUT,
    "--after-password-file",
    type=FILE,
    metavar="FILE",
    help="A file whose first line is the password of PKCS#12 files in B, if it is another one.",
)
@json_option
def command(  # click gives every option its own argument
    before: str,
    after: str,
    targets: tuple[str, ...],
    search: SearchOptions,
    password_file: str | None,
    password_env: str | None,
    after_password_file: str | None,
    *,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Compare the certificates of A and B: those that came, went, were renewed or rekeyed.

    A and B are each a file of any kind, a folder, a zip, or - for standard input. The same certificate has the same
    SHA-256. Renewed: the same subject, issuer and key. Rekeyed: the same subject and issuer, another key. The paths of
    each --target with A and with B are compared as well, and the certificates that made or broke them are named.
    Private keys and CRLs are not compared.

    Exit status 1: the path of a target broke, or a limit left it undecided. Without --target it is 0, whatever differs.
    """
    from pkcs12kit.cli.options.passwords import given_password, password_from_file
    from pkcs12kit.cli.options.search import revocation_inputs, validation_parameters
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, warn
    from pkcs12kit.cli.output.diff import print_comparison
    from pkcs12kit.cli.output.diff_hints import broken_paths, hints_for_comparison
    from pkcs12kit.comparison.compare import compare_certificates, same_source
    from pkcs12kit.paths import ranking
    from pkcs12kit.sources.reading import name_of

    _require_targets(targets, search)
    given = given_password(password_file, password_env, stdin=password_stdin)
    after_given = given if after_password_file is None else password_from_file(after_password_file)
    warnings = list(same_source(before, after))
    comparison = compare_certificates(
        _load(before, given),
        _load(after, after_given),
        targets=targets,
        trust_anchors=search.trust_anchors,
        certificates=search.certificates,
        parameters=validation_parameters(search),
        ranking=ranking.READY_MADE[search.ranking],
        revocation=revocation_inputs(search),
        password=given,
    )
    comparison = replace(comparison, warnings=(*warnings, *comparison.warnings))
    for warning in comparison.warnings:
        warn(warning)
    hints = hints_for_comparison(
        comparison, (before, after), targets, search.certificates, has_password=after_given is not None
    )
    if not as_json:
        print_comparison(comparison, name_of(before), name_of(after))
    if not comparison.ok:
        print_error(broken_paths(comparison))
    print_hints(hints)
    if as_json:
        print_json({"before": name_of(before), "after": name_of(after), **comparison.to_json()})
    if not comparison.ok:
        sys.exit(1)


def _load(source: str, given: str | None) -> CertificatePool:
    """Return the certificates of one side; ask for the password at a terminal if it is needed."""
    from pkcs12kit.cli.options.passwords import open_with_password
    from pkcs12kit.sources.loading import load_certificates
    from pkcs12kit.sources.reading import name_of

    return open_with_password(lambda password: load_certificates(source, password=password), given, name_of(source))[0]


def _require_targets(targets: tuple[str, ...], search: SearchOptions) -> None:
    """Raise :class:`click.UsageError` for a target without a trust anchor, and for options that need a target."""
    if targets:
        if not search.trust_anchors:
            context = click.get_current_context()
            anchor = next(each for each in context.command.params if each.name == "trust_anchors")
            raise click.MissingParameter(ctx=context, param=anchor)
        return
    needing = {
        "--anchor": search.trust_anchors,
        "--certs": search.certificates,
        "--server-name": search.server_name,
        "--policy": search.policies,
        "--crl": search.crls,
        "--ocsp": search.ocsp_responses,
        "--revocation": search.revocation,
        "--revocation-max-age": search.revocation_max_age,
        "--ignore-anchor-validity": search.ignore_anchor_validity,
    }
    for name, value in needing.items():
        if value:
            raise click.UsageError(f"{name} has an effect only with --target CERT, whose paths are compared")
