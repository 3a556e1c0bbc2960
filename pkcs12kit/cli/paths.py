"""``pkcs12kit paths``: find the certification paths of a certificate, or explain why none is valid."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.answers import answer_options
from pkcs12kit.cli.options.pictures import picture_options
from pkcs12kit.cli.options.search import json_option, path_options
from pkcs12kit.cli.options.values import FILE
from pkcs12kit.cli.options.what_if import what_if_options

if TYPE_CHECKING:
    from pkcs12kit.cli.options.pictures import PictureOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.cli.options.what_if import WhatIfOptions
    from pkcs12kit.paths.report import PathReport


@click.command(
    "paths",
    cls=Command,
    most_used=("--certs", "--anchor", "--server-name", "--all", "--when"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit paths server.pem --certs ca-certificates/ --anchor fcpca.pem
  pkcs12kit paths ca.pem --certs bundle.p7b --anchor root.pem \\
      --at 2018-06-01T00:00:00Z --all
  pkcs12kit paths ca.pem --certs bundle.zip more/*.p7c \\
      --anchor root.pem --all --json
  pkcs12kit paths server.pem --certs ca-certificates/ --anchor fcpca.pem \\
      --without old-cross-certificate.pem --with new-cross-certificate.pem
  pkcs12kit paths server.pem --certs ca-certificates/ --anchor fcpca.pem \\
      --svg paths.svg
  pkcs12kit paths ca.pem --certs bundle.p7b --anchor root.pem --when""",
)
@click.argument("certificate", type=FILE, metavar="CERT")
@path_options
@what_if_options
@picture_options
@json_option
@answer_options
def command(
    certificate: str,
    search: SearchOptions,
    what_if: WhatIfOptions,
    pictures: PictureOptions,
    *,
    every: bool,
    when: bool,
    as_json: bool,
) -> None:
    """Find the certification paths of a certificate, or explain why none is valid.

    CERT is a file with one certificate, of a server or of a CA, or - for standard input; or the SHA-256 fingerprint of
    a certificate in --certs, at least its first 8 digits. A picture shows every valid path and every rejected one, as
    --all does.

    Options --without and --with show what removing or adding certificates does to the best path. The picture and the
    exit status are then for the paths after the change.

    Option --when answers for all times at once, from the certificates given.

    Exit status 1: no path is valid. The paths that come closest are shown, each with the reason.
    """
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.cli.options.search import revocation_inputs, validation_parameters
    from pkcs12kit.cli.output.console import print_json, print_text, warn
    from pkcs12kit.limits import DEFAULT_LIMITS
    from pkcs12kit.paths import ranking
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validity_now import not_valid_now
    from pkcs12kit.sources.arguments import as_target
    from pkcs12kit.sources.loading import load_certificates, load_trust_anchors

    parameters = validation_parameters(search)
    warnings: list[str] = []
    anchors = load_trust_anchors(*search.trust_anchors, on_warning=warnings.append)
    pool = load_certificates(*search.certificates) if search.certificates else CertificatePool()
    target = as_target(certificate, pool)
    ordered_by = ranking.READY_MADE[search.ranking]
    request = PathRequest(target, pool, anchors, parameters, ordered_by, revocation_inputs(search), DEFAULT_LIMITS)
    change = what_if.change_of(request)
    changed = request if change is None else change.of(request)
    for reject in changed.pool.rejects:
        warn(reject)
    if when:
        from pkcs12kit.cli.output.periods import answer_when

        answer_when(changed, warnings=warnings, pictures=pictures, as_json=as_json)
        return
    report = changed.find_paths(None if every or pictures.wanted else 1)
    report = _drawn(report, pictures, every=every)
    compared = None if change is None else change.compare(request, before=request.find_paths(1), after=report)
    for path in report.valid:
        warnings += (*not_valid_now(path), *(() if path.revocation is None else path.revocation.warnings))
    warnings = list(dict.fromkeys(warnings))
    for warning in warnings:
        warn(warning)
    if not as_json and not pictures.on_standard_output:
        from pkcs12kit.display.paths import path_report
        from pkcs12kit.display.what_if import what_if_report

        print_text(path_report(report, every=every) if compared is None else what_if_report(compared, every=every))
    if not report.valid:
        _print_problem(report, sources_given=bool(search.certificates or what_if.adding), as_json=as_json)
    if as_json:
        print_json({"what_if": None} | report.to_json() if compared is None else compared.to_json())
    if not report.valid:
        sys.exit(1)


def _print_problem(report: PathReport, *, sources_given: bool, as_json: bool) -> None:
    """Print the hints; before them the error, which the text has on standard output."""
    from pkcs12kit.cli.output.anchor_hints import hints_for_cross_certificates, hints_for_unfitting_anchor
    from pkcs12kit.cli.output.console import print_error, print_hints
    from pkcs12kit.cli.output.no_path import hints_for_no_path
    from pkcs12kit.paths.hints import GATHER

    if as_json:
        print_error(f"no valid path from {report.target.subject.label} to a trust anchor")
    hints = hints_for_no_path(report, sources_given=sources_given, fetching=GATHER)
    print_hints((*hints_for_cross_certificates(report), *hints, *hints_for_unfitting_anchor(report.rejected)))


def _drawn(report: PathReport, pictures: PictureOptions, *, every: bool) -> PathReport:
    """Write the pictures that were asked for; return the report of what is shown as text."""
    if not pictures.wanted:
        return report
    from pkcs12kit.display.pictures.build import picture_of_report

    pictures.write(picture_of_report(report, trust_anchors=report.trust_anchors, time=report.time))
    return report if every else replace(report, valid=report.valid[:1], before_next=())
