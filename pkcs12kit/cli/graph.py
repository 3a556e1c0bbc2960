"""``pkcs12kit graph``: draw all certificates there are, from the trust anchors down."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli.command import Command
from pkcs12kit.cli.options.pictures import picture_options
from pkcs12kit.cli.options.search import json_option
from pkcs12kit.cli.options.values import FILE, Instant

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.cli.options.pictures import PictureOptions


@click.command(
    "graph",
    cls=Command,
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
@click.option(
    "--certs",
    "more_sources",
    type=FILE,
    metavar="SOURCE",
    multiple=True,
    help="Another SOURCE, as other commands take it. May be given again.",
)
@click.option(
    "--anchor",
    "trust_anchors",
    type=FILE,
    metavar="FILE",
    multiple=True,
    required=True,
    help="A trust anchor, from which the picture goes down. May be given again.",
)
@click.option(
    "--at",
    "time",
    type=Instant(),
    help="When the picture is of, for example 2018-06-01T00:00:00Z: what is expired then is marked. Default: now.",
)
@click.option(
    "--target",
    "target_file",
    type=FILE,
    metavar="CERT",
    help="A file with one certificate, whose paths to the trust anchors are to be shown in the picture.",
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
    """Draw all certificates of each SOURCE, from the trust anchors down.

    SOURCE is a file of any kind, a folder, a zip, or - for standard input. Each subject with its key is a box or a row,
    each certificate a line from its issuer, and what no anchor leads to stands beside. Signatures say who issued what;
    nothing else is validated without --target. Exit status 1: with --target, there is no valid path; it is drawn all
    the same.
    """
    sources += more_sources
    if not sources:
        raise click.UsageError("give certificates to draw: SOURCE, a file of any kind, a folder or a zip")
    if not pictures.wanted and not as_json:
        raise click.UsageError("say which picture is wanted: --svg FILE, --dot FILE, --mermaid FILE or --json")
    from datetime import UTC, datetime

    from pkcs12kit.cli.output.console import hint, print_json, print_lines, warn
    from pkcs12kit.display.pictures.build import picture_of_pool
    from pkcs12kit.display.pictures.wording import summary
    from pkcs12kit.paths.search import find_paths
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.sources.loading import load_certificate, load_certificates, load_trust_anchors
    from pkcs12kit.text import harmless

    anchors = load_trust_anchors(*trust_anchors)
    target = load_certificate(target_file) if target_file is not None else None
    pool = load_certificates(*sources)
    for reject in pool.rejects:
        warn(reject)
    when = time or datetime.now(UTC)
    report = None
    if target is not None:
        parameters = ValidationParameters(time=when)
        report = find_paths(target, pool=pool, trust_anchors=anchors, parameters=parameters)
    picture = picture_of_pool(pool, trust_anchors=anchors, time=when, report=report)
    if picture.left_out is not None:
        warn(picture.left_out)
    files = pictures.write(picture)
    if as_json:
        print_json(picture.to_json())
    elif files and not pictures.on_standard_output:
        print_lines(f"Wrote {harmless(', '.join(files))}: {summary(picture)}")
    if report is not None and not report.valid:
        call = f"pkcs12kit paths {shlex.quote(str(target_file))}"
        hint(f"there is no valid path; {call} with --certs and --anchor says why")
        sys.exit(1)
