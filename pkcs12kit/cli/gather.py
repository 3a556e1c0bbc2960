"""``pkcs12kit gather``: fetch the certificates that a path may need."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.bundles import bundle_options
from pkcs12kit.cli.options.fetch import advice, fetching_options, progress
from pkcs12kit.cli.options.search import gathering_options, json_option
from pkcs12kit.cli.options.values import FILE, FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.cli.options.bundles import BundleOptions
    from pkcs12kit.cli.options.fetch import FetchingOptions
    from pkcs12kit.cli.options.search import SearchOptions
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.retrieval.bundles.report import BundleReport
    from pkcs12kit.retrieval.gather import GatherReport
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.retrieval.output_folder import FolderReport
    from pkcs12kit.retrieval.retrieved import Retrieval


@click.command(
    "gather",
    cls=Command,
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit gather server.pem --anchor fcpca.pem --into gathered
  pkcs12kit gather server.pem --into gathered
  pkcs12kit gather ca.pem --anchor fcpca.pem --into fpki --all --json
  pkcs12kit gather server.pem --anchor fcpca.pem --into gathered --offline
  pkcs12kit gather --bundle dod --bundle fpki --into published
  pkcs12kit gather --list-bundles""",
)
@click.argument("certificate", type=FILE, metavar="[CERT]", required=False)
@click.option(
    "--into",
    "folder",
    type=FOLDER,
    metavar="FOLDER",
    help="Where the certificates are written to: a file each, and index.json, which says where each came from.",
)
@gathering_options
@click.option("--all", "everything", is_flag=True, help="Go on after a valid path is found, to whatever is named.")
@bundle_options
@click.option("--list-bundles", is_flag=True, help="Print the bundles that are known by name, and fetch nothing.")
@fetching_options
@json_option
def command(
    certificate: str | None,
    folder: str | None,
    search: SearchOptions,
    bundling: BundleOptions,
    fetching: FetchingOptions,
    *,
    everything: bool,
    list_bundles: bool,
    as_json: bool,
) -> None:
    """Fetch the certificates that a path from CERT to the trust anchor may need.

    Certificates say where others are: their issuer's (authorityInfoAccess) and those that a CA issued
    (subjectInfoAccess). Both are followed, over HTTP and HTTPS, until there is a valid path. Without --anchor all is
    fetched that leads up. CERT is a file with one certificate, or - for standard input. --bundle begins with a list
    that is published, or, without CERT, fetches it alone. What is fetched is a candidate and nothing more: only
    --anchor is trusted.

    Exit status 1: there is no valid path; without --anchor: something named could not be fetched; a bundle could not
    be fetched, contradicts its signed checksums, or does not have them though its publisher signs (--unsigned), or with
    --strict-checksums is not verified. What was fetched is written all the same, and nothing of such a bundle.
    """
    if list_bundles:
        _list_bundles(bundling, as_json=as_json)
        return
    if folder is None:
        raise click.UsageError("missing option '--into': the folder that the certificates are to be written to")
    if certificate is None:
        _require_bundle(search, bundling, everything=everything)
    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.cli.output.console import warn
    from pkcs12kit.retrieval.output_folder import require_folder, write_folder

    require_folder(folder, limits=fetching.limits)
    inputs = _Inputs.load(certificate, search)
    parameters = validation_parameters(search)
    with progress() as on_event:
        options = fetching.with_events(on_event)
        bundles = bundling.fetch(folder, parameters=parameters, options=options, limits=fetching.limits)
        report = inputs.gather(bundles, parameters, everything=everything, options=options, limits=fetching.limits)
    reports: tuple[BundleReport | GatherReport, ...] = bundles if report is None else (*bundles, report)
    for sentence in dict.fromkeys(str(each) for one in reports for each in (*one.warnings, *one.rejects)):
        warn(sentence)
    certificates = [item for one in reports for item in one.certificates]
    silent = _silent(folder, _answered(bundles, report), fetching.limits)
    written = write_folder(certificates, folder, unanswered=silent, limits=fetching.limits)
    _show(bundles, report, written, offline=fetching.offline, as_json=as_json)
    refused = any(bundle.why for bundle in bundles)
    if refused or (report is not None and (report.path is None if inputs.anchors else not _has_all(report))):
        sys.exit(1)


class _Inputs(NamedTuple):
    """What there is before anything is fetched."""

    target: Certificate | None
    anchors: tuple[TrustAnchor, ...]
    pool: CertificatePool

    @classmethod
    def load(cls, certificate: str | None, search: SearchOptions) -> _Inputs:
        from pkcs12kit.certificates.pool import CertificatePool
        from pkcs12kit.cli.output.console import warn
        from pkcs12kit.sources.loading import load_certificate, load_certificates, load_trust_anchors

        target = None if certificate is None else load_certificate(certificate)
        anchors = load_trust_anchors(*search.trust_anchors) if search.trust_anchors else ()
        pool = load_certificates(*search.certificates) if search.certificates else CertificatePool()
        for reject in pool.rejects:
            warn(reject)
        return cls(target=target, anchors=anchors, pool=pool)

    def gather(
        self,
        bundles: Sequence[BundleReport],
        parameters: ValidationParameters,
        *,
        everything: bool,
        options: FetchOptions,
        limits: Limits,
    ) -> GatherReport | None:
        """Go on from the bundles to what CERT and the anchors name; None without CERT."""
        if self.target is None:
            return None
        from pkcs12kit.retrieval.gather import gather

        pool = self.pool
        for bundle in bundles:
            pool |= bundle.pool
        return gather(
            self.target,
            trust_anchors=self.anchors,
            pool=pool,
            parameters=parameters,
            everything=everything,
            options=options,
            limits=limits,
        )


def _require_bundle(search: SearchOptions, bundling: BundleOptions, *, everything: bool) -> None:
    """Refuse a call without CERT that names no bundle either, or asks for a path."""
    if not bundling.bundles:
        raise click.UsageError("missing argument 'CERT'; only --bundle does without")
    asked = {"--anchor": search.trust_anchors, "--certs": search.certificates, "--all": everything}
    for option, value in asked.items():
        if value:
            raise click.UsageError(f"{option} is for finding a path, and there is no CERT to find one for")


def _list_bundles(bundling: BundleOptions, *, as_json: bool) -> None:
    from pkcs12kit.cli.output.console import print_json, print_text

    known = bundling.known()
    if as_json:
        print_json({"bundles": [bundle.to_json() for bundle in known.values()]})
    else:
        from pkcs12kit.cli.output.gather import known_bundles

        print_text(known_bundles(known.values()))


def _show(
    bundles: Sequence[BundleReport],
    report: GatherReport | None,
    written: FolderReport,
    *,
    offline: bool,
    as_json: bool,
) -> None:
    from pkcs12kit.cli.output.console import hint, print_json, print_text

    if as_json:
        told = {} if report is None else report.to_json()
        print_json(told | {"bundles": [bundle.to_json() for bundle in bundles], "folder": written.to_json()})
        return
    from pkcs12kit.cli.output.gather import fetched_bundle, gathered, wrote
    from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus

    for bundle in bundles:
        print_text(fetched_bundle(bundle))
    if any(bundle.checksum and bundle.checksum.status is ChecksumStatus.NOT_ANCHORED for bundle in bundles):
        hint("--bundle-anchor FILE says which root the signer of the checksums has to lead to")
    if any(bundle.checksum and bundle.checksum.status is ChecksumStatus.WEAK and not bundle.why for bundle in bundles):
        hint("--strict-checksums uses nothing of a bundle that is weakly signed")
    print_text([wrote(written)] if report is None else gathered(report, written, every=False))
    of_bundles = [it for bundle in bundles if bundle.url is None for it in bundle.retrievals]
    if report is not None:
        _suggest(report, of_bundles, offline=offline)
    elif (option := advice(of_bundles)) is not None:
        hint(option)


def _has_all(report: GatherReport) -> bool:
    """Whether each URL gave certificates, but for those whose scheme is not spoken here."""
    from pkcs12kit.retrieval.http.permitted import scheme_of

    asked = (url for url in report.urls if scheme_of(url.url) in {"http", "https"})
    return report.incomplete is None and all(url.answered for url in asked)


def _answered(bundles: Sequence[BundleReport], report: GatherReport | None) -> AbstractSet[str]:
    """List the URLs whose certificates were all taken; those of one bundle stand for each other, whoever answered."""
    of_bundles = {url for bundle in bundles if not bundle.why for url in bundle.bundle.urls}
    if report is None or report.incomplete is not None:  # what a limit left out is not gone
        return of_bundles
    return of_bundles | {url.url for url in report.urls if url.answered and not url.why}


def _silent(folder: str, answered: AbstractSet[str], limits: Limits) -> Iterator[str]:
    """List the URLs of the last run that gave nothing this time, or were not asked: what they gave then may be there.

    An index that cannot be read is for :func:`~pkcs12kit.retrieval.output_folder.write_folder` to refuse.
    """
    from pkcs12kit.errors import InputError
    from pkcs12kit.retrieval.output_folder import INDEX_FILE, decode_index
    from pkcs12kit.sources.reading import read_source

    try:
        listed = decode_index(read_source(Path(folder, INDEX_FILE), limits))
    except InputError:
        return
    for item in listed:
        yield from (origin.url for origin in item.origins if origin.url not in answered)


def _suggest(report: GatherReport, of_bundles: Iterable[Retrieval], *, offline: bool) -> None:
    """Say what to do next where something was not to be had, of ``of_bundles`` too."""
    from pkcs12kit.cli.output.console import hint
    from pkcs12kit.cli.output.hints import suggest
    from pkcs12kit.retrieval.retrieved import Status

    if report.path is not None:
        return
    option = advice((*of_bundles, *report.retrievals))
    if option is not None:
        hint(option)
    elif offline and any(url.retrieval.status is Status.SKIPPED for url in report.urls):
        hint("without --offline it is asked for where the certificates say that it is")
    elif report.report is not None:
        suggest(report.report, sources_given=True)
