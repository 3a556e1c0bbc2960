"""``pkcs12kit gather``: fetch the certificates that a path may need."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.fetching import fetching_options, progress
from pkcs12kit.cli.options import gathering_options, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.cli.fetching import FetchingOptions
    from pkcs12kit.cli.options import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.gather_report import GatherReport


@click.command(
    "gather",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit gather server.pem --anchor fcpca.pem --into gathered
  pkcs12kit gather server.pem --into gathered
  pkcs12kit gather ca.pem --anchor fcpca.pem --into fpki --all --json
  pkcs12kit gather server.pem --anchor fcpca.pem --into gathered --offline""",
)
@click.argument("certificate", metavar="CERT")
@click.option(
    "--into",
    "folder",
    metavar="FOLDER",
    required=True,
    help="Where the certificates are written to: a file each, and index.json, which says where each came from.",
)
@gathering_options
@click.option("--all", "everything", is_flag=True, help="Go on after a valid path is found, to whatever is named.")
@fetching_options
@json_option
def command(
    certificate: str,
    folder: str,
    search: SearchOptions,
    fetching: FetchingOptions,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    """Fetch the certificates that a path from CERT to the trust anchor may need.

    Certificates say where others are: their issuer's (authorityInfoAccess) and those that a CA issued
    (subjectInfoAccess). Both are followed, over HTTP and HTTPS, until there is a valid path. Without --anchor all is
    fetched that leads up. CERT is a file with one certificate, or - for standard input. What is fetched is a candidate
    and nothing more: only --anchor is trusted.

    Exit status 1: there is no valid path; without --anchor: something named could not be fetched. What was fetched is
    written all the same.
    """
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.cli.inputs import validation_parameters
    from pkcs12kit.cli.output import print_json, print_text, warn
    from pkcs12kit.retrieval.folder import write_folder
    from pkcs12kit.retrieval.gather import gather
    from pkcs12kit.sources.loading import load_certificate, load_certificates, load_trust_anchors

    parameters = validation_parameters(search)
    target = load_certificate(certificate)
    anchors = load_trust_anchors(*search.trust_anchors) if search.trust_anchors else ()
    pool = load_certificates(*search.certificates) if search.certificates else CertificatePool()
    for reject in pool.rejects:
        warn(reject)
    with progress() as on_event:
        report = gather(
            target,
            trust_anchors=anchors,
            pool=pool,
            parameters=parameters,
            everything=everything,
            options=fetching.with_events(on_event),
            limits=fetching.limits,
        )
    for sentence in (*report.warnings, *report.rejects):
        warn(sentence)
    silent = _silent(folder, report, fetching.limits)
    written = write_folder(report.certificates, folder, unanswered=silent, limits=fetching.limits)
    if as_json:
        print_json(report.to_json() | {"folder": written.to_json()})
    else:
        from pkcs12kit.cli.gather_output import gathered

        print_text(gathered(report, written, every=False))
        _suggest(report)
    if report.path is None if anchors else not _has_all(report):
        sys.exit(1)


def _has_all(report: GatherReport) -> bool:
    """Whether each URL gave certificates, but for those whose scheme is not spoken here."""
    from pkcs12kit.retrieval.permitted import scheme_of

    asked = (url for url in report.urls if scheme_of(url.url) in {"http", "https"})
    return report.incomplete is None and all(url.answered for url in asked)


def _silent(folder: str, report: GatherReport, limits: Limits) -> Iterator[str]:
    """List the URLs of the last run that gave nothing this time, or were not asked: what they gave then may be there.

    An index that cannot be read is for :func:`~pkcs12kit.retrieval.folder.write_folder` to refuse.
    """
    from pkcs12kit.errors import InputError
    from pkcs12kit.retrieval.folder_index import INDEX_FILE, decode_index
    from pkcs12kit.sources.reading import read_source

    try:
        listed = decode_index(read_source(Path(folder, INDEX_FILE), limits))
    except InputError:
        return
    answered = {url.url for url in report.urls if url.answered}
    for item in listed:
        yield from (origin.url for origin in item.origins if origin.url not in answered)


def _suggest(report: GatherReport) -> None:
    """Say what to do next where something was not to be had."""
    from pkcs12kit.cli.output import hint
    from pkcs12kit.cli.refusal import suggest
    from pkcs12kit.retrieval.retrieved import Status

    if report.path is not None:
        return
    private = any(url.retrieval.status is Status.REFUSED and "public address" in url.why for url in report.urls)
    if private:
        hint("--allow-private asks addresses that are not public, where the network is your own")
    elif report.incomplete is not None and "retrieval_seconds" in report.incomplete:
        hint("--timeout gives it more time")
    elif report.report is not None:
        suggest(report.report, sources_given=True)
