"""``pkcs12kit graph``: draw certificates as a graph, from the trust anchors down."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command, OptionGroup, option
from pkcs12kit.cli.options.pictures import picture_options
from pkcs12kit.cli.options.search import json_option
from pkcs12kit.cli.options.values import FILE, Instant

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.cli.options.pictures import PictureOptions
    from pkcs12kit.paths.report import PathReport


@click.command(
    "graph",
    cls=Command,
    most_used=("--anchor", "--certs", "--target", "--svg"),
    no_args_is_help=True,
    epilog="""\b
Examples:
  pkcs12kit graph fpki.p7b --anchor fcpcag2.pem --svg fpki.svg
  pkcs12kit graph ca-certificates/ more.zip --anchor fcpca.pem \\
      --at 2018-06-01 --svg pki.svg --dot pki.dot
  pkcs12kit graph fpki.p7b --anchor fcpcag2.pem --target ca.pem \\
      --svg way.svg""",
)
@click.argument("sources", type=FILE, metavar="SOURCE...", nargs=-1)
@option(
    OptionGroup.INPUT,
    "--certs",
    "more_sources",
    type=FILE,
    metavar="SOURCE",
    multiple=True,
    like_arguments=True,
    help="Another SOURCE, given as in other commands. May be given again.",
)
@option(
    OptionGroup.PATH,
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    several=False,
    required=True,
    help="A trust anchor, at the top of the picture. May be given again.",
)
@option(
    OptionGroup.PATH,
    "--at",
    "time",
    type=Instant(),
    help="The time of the picture, for example 2018-06-01T00:00:00Z. Certificates that are expired at that time are"
    " marked. Default: now.",
)
@option(
    OptionGroup.PATH,
    "--target",
    "target_file",
    type=FILE,
    metavar="CERT",
    help="A file with one certificate, whose paths to the trust anchors are shown in the picture.",
)
@picture_options
@json_option
def command(
    sources: tuple[str, ...],
    more_sources: tuple[str, ...],
    trust_anchors: tuple[str, ...],
    time: datetime | None,
    target_file: str | None,
    pictures: PictureOptions,
    *,
    as_json: bool,
) -> None:
    """Draw all certificates of each SOURCE as a graph, from the trust anchors down.

    SOURCE is a file of any kind, a folder, a zip, or - for standard input. Each subject with its key is a box or a row,
    and each certificate is a line from its issuer. Certificates that no anchor leads to are drawn separately. The
    signatures decide which CA issued a certificate; without --target nothing else is validated.

    Exit status 1: no path of --target is valid. The picture is drawn.
    """
    sources += more_sources
    if not sources:
        raise click.UsageError("missing argument 'SOURCE': a file, a folder or a zip with the certificates to draw")
    if not pictures.wanted and not as_json:
        raise click.UsageError("missing output: give --svg FILE, --dot FILE, --mermaid FILE or --json")
    from datetime import UTC, datetime

    from pkcs12kit.cli.output.console import print_json, print_lines, warn
    from pkcs12kit.display.pictures.build import picture_of_pool
    from pkcs12kit.display.pictures.wording import summary
    from pkcs12kit.paths.search import find_paths
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.sources.loading import load_certificate, load_certificates, load_trust_anchors
    from pkcs12kit.text import harmless

    warnings: list[str] = []
    anchors = load_trust_anchors(*trust_anchors, on_warning=warnings.append)
    target = load_certificate(target_file) if target_file is not None else None
    pool = load_certificates(*sources)
    for sentence in (*warnings, *pool.rejects):
        warn(sentence)
    when = time or datetime.now(UTC)
    report = None
    if target is not None:
        parameters = ValidationParameters(time=when)
        report = find_paths(target, pool=pool, trust_anchors=anchors, parameters=parameters)
    picture = picture_of_pool(pool, trust_anchors=anchors, time=when, report=report)
    if picture.left_out is not None:
        warn(picture.left_out)
    files = pictures.write(picture)
    if files and not pictures.on_standard_output and not as_json:
        print_lines(f"Wrote {harmless(', '.join(files))}: {summary(picture)}")
    has_path = report is None or bool(report.valid)
    if report is not None:
        _print_problem(report, str(target_file))
    if as_json:
        print_json(picture.to_json())
    if not has_path:
        sys.exit(1)


def _print_problem(report: PathReport, target_file: str) -> None:
    """Print that no path is valid, where that is so, and the hint."""
    from pkcs12kit.cli.output.console import print_error, print_hints
    from pkcs12kit.cli.output.no_path import hints_for_graph

    if report.valid:
        return
    print_error(f"no valid path from {report.target.subject.label} to a trust anchor")
    print_hints(hints_for_graph(target_file))
