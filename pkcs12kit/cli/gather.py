"""``pkcs12kit gather``: fetch the certificates that a path may need."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.bundles import bundle_options
from pkcs12kit.cli.options.fetch import fetching_options
from pkcs12kit.cli.options.search import gathering_options, json_option
from pkcs12kit.cli.options.values import FILE, Place

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


def _gathered_files(folder: str) -> Iterable[str]:
    from pkcs12kit.retrieval.output_folder import own_files

    return own_files(folder)


@click.command(
    "gather",
    cls=Command,
    most_used=("--anchor", "--into", "--bundle", "--certs", "--all"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit gather server.pem --anchor fcpca.pem --into gathered
  pkcs12kit gather server.pem --into gathered
  pkcs12kit gather ca.pem --anchor fcpca.pem --into fpki --all --json
  pkcs12kit gather server.pem --anchor fcpca.pem --into gathered --offline
  pkcs12kit gather --bundle dod --bundle fpki --into published
  pkcs12kit gather --bundle /media/usb/unclass-certificates_pkcs7_DoD.zip \\
      --into published
  pkcs12kit gather --list-bundles""",
)
@click.argument("certificate", type=FILE, metavar="[CERT]", required=False)
@gathering_options
@option(
    OptionGroup.PATH,
    "--all",
    "everything",
    is_flag=True,
    help="Do not stop at a valid path; fetch everything that the certificates name.",
)
@option(
    OptionGroup.OUTPUT,
    "--into",
    "folder",
    type=Place("dir", is_output=True, own_files=_gathered_files),
    metavar="FOLDER",
    help="The folder to write to: a file for each certificate, and index.json, which lists where each came from.",
)
@bundle_options
@option(
    OptionGroup.BUNDLES,
    "--list-bundles",
    is_flag=True,
    help="Print the bundles that have a name, and fetch nothing.",
)
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

    Certificates hold URLs of other certificates: those of their issuer (authorityInfoAccess) and those that a CA issued
    (subjectInfoAccess). Both are fetched, over HTTP and HTTPS, until a path is valid. Without --anchor the issuers are
    fetched, up to the roots. CERT is a file with one certificate, or - for standard input. --bundle starts with a
    published list of certificates; without CERT only that list is fetched. A fetched certificate is only a candidate:
    only --anchor is trusted. CERT can also be the SHA-256 fingerprint of one of the certificates given.

    Exit status 1: no path is valid; or, without --anchor, a URL could not be fetched; or a bundle could not be fetched,
    contradicts its signed checksums, lacks them although its publisher signs (see --unsigned), or is not verified with
    --strict-checksums. Nothing of such a bundle is written; all other certificates are written.
    """
    if list_bundles:
        _list_bundles(bundling, as_json=as_json)
        return
    if folder is None:
        raise click.UsageError("missing option '--into': the folder to write the certificates to")
    if certificate is None:
        _require_bundle(search, bundling, everything=everything)
    from pkcs12kit.cli.options.search import validation_parameters
    from pkcs12kit.cli.output.console import warn
    from pkcs12kit.cli.output.progress import fetching_progress
    from pkcs12kit.retrieval.output_folder import require_folder, write_folder

    require_folder(folder, limits=fetching.limits)
    inputs = _Inputs.load(certificate, search)
    parameters = validation_parameters(search)
    with fetching_progress() as on_event:
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
    if any(_problems(bundles, report)):
        sys.exit(1)


class _Inputs(NamedTuple):
    """The certificates that were given, before anything is fetched."""

    target: Certificate | None
    anchors: tuple[TrustAnchor, ...]
    pool: CertificatePool
    warnings: tuple[str, ...]
    """Sentences about the files of the trust anchors."""

    @classmethod
    def load(cls, certificate: str | None, search: SearchOptions) -> _Inputs:
        from pkcs12kit.certificates.pool import CertificatePool
        from pkcs12kit.cli.output.console import warn
        from pkcs12kit.sources.arguments import as_target
        from pkcs12kit.sources.loading import load_certificates, load_trust_anchors

        warnings: list[str] = []
        anchors = load_trust_anchors(*given, on_warning=warnings.append) if (given := search.trust_anchors) else ()
        pool = load_certificates(*search.certificates) if search.certificates else CertificatePool()
        target = None if certificate is None else as_target(certificate, pool)
        for reject in pool.rejects:
            warn(reject)
        return cls(target=target, anchors=anchors, pool=pool, warnings=tuple(warnings))

    def gather(
        self,
        bundles: Sequence[BundleReport],
        parameters: ValidationParameters,
        *,
        everything: bool,
        options: FetchOptions,
        limits: Limits,
    ) -> GatherReport | None:
        """Fetch what a path from CERT to the anchors needs besides the bundles; return None without CERT."""
        if self.target is None:
            return None
        from pkcs12kit.retrieval.gather import gather

        pool = self.pool
        for bundle in bundles:
            pool |= bundle.pool
        report = gather(
            self.target,
            trust_anchors=self.anchors,
            pool=pool,
            parameters=parameters,
            everything=everything,
            options=options,
            limits=limits,
        )
        return replace(report, warnings=tuple(dict.fromkeys((*self.warnings, *report.warnings))))


def _require_bundle(search: SearchOptions, bundling: BundleOptions, *, everything: bool) -> None:
    """Raise :class:`click.UsageError` for a call without CERT that names no bundle, or asks for a path."""
    if not bundling.bundles:
        raise click.UsageError("missing argument 'CERT'; it may be left out only with --bundle")
    asked = {"--anchor": search.trust_anchors, "--certs": search.certificates, "--all": everything}
    for name, value in asked.items():
        if value:
            raise click.UsageError(f"{name} is for finding a path; give CERT, the certificate to find one for")


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
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text
    from pkcs12kit.retrieval.hints import hints_for_bundles, hints_for_gathering, hints_for_retrievals, of_bundles

    if not as_json:
        from pkcs12kit.cli.output.gather import fetched_bundle, gathered, wrote

        for bundle in bundles:
            print_text(fetched_bundle(bundle))
        print_text([wrote(written)] if report is None else gathered(report, written, every=False))
    for problem in _problems(bundles, report if as_json else None):  # the text of a path says that it is not valid
        print_error(problem)
    print_hints(hints_for_bundles(bundles))
    unfetched = of_bundles(bundles)
    if report is None:
        print_hints(hints_for_retrievals(unfetched))
    elif report.path is None:
        from pkcs12kit.cli.output.next_steps import with_commands

        found = hints_for_gathering(report.report, (*unfetched, *report.retrievals), offline=offline)
        rejected = () if report.report is None else report.report.rejected
        print_hints(with_commands(found, rejected[0]) if rejected else found)
    if report is not None and report.report is not None and report.path is None:
        from pkcs12kit.cli.output.anchor_hints import hints_for_unfitting_anchor

        print_hints(hints_for_unfitting_anchor(report.report.rejected))
    if as_json:
        answer = {} if report is None else report.to_json()
        print_json(answer | {"bundles": [bundle.to_json() for bundle in bundles], "folder": written.to_json()})


def _problems(bundles: Sequence[BundleReport], report: GatherReport | None) -> Iterator[str]:
    """Yield the reasons for which the answer is no, one sentence each."""
    yield from (f"bundle {bundle.bundle.name} is not used: {bundle.why}" for bundle in bundles if bundle.why)
    if report is None or report.path is not None:
        return
    if report.report is not None and report.target is not None:
        yield f"no valid path from {report.target.subject.label} to a trust anchor"
    elif not _has_all(report):
        yield report.incomplete or "not every URL could be fetched"


def _has_all(report: GatherReport) -> bool:
    """Return True if every HTTP and HTTPS URL gave certificates."""
    from pkcs12kit.retrieval.http.permitted import scheme_of

    asked = (url for url in report.urls if scheme_of(url.url) in {"http", "https"})
    return report.incomplete is None and all(url.answered for url in asked)


def _answered(bundles: Sequence[BundleReport], report: GatherReport | None) -> AbstractSet[str]:
    """Return the URLs whose certificates were all taken; if one URL of a bundle answered, all its URLs count."""
    of_bundles = {url for bundle in bundles if not bundle.why for url in bundle.bundle.urls}
    if report is None or report.incomplete is not None:  # a certificate that a limit left out is not gone
        return of_bundles
    return of_bundles | {url.url for url in report.urls if url.answered and not url.why}


def _silent(folder: str, answered: AbstractSet[str], limits: Limits) -> Iterator[str]:
    """Yield the URLs of the last run that gave nothing this time; their certificates of that time are kept.

    An index that cannot be read is ignored: :func:`~pkcs12kit.retrieval.output_folder.write_folder` rejects it.
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
