"""The answer of ``pkcs12kit paths --when``, and its hints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkcs12kit.cli.output.anchor_hints import hints_for_unfitting_anchor
from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text, warn
from pkcs12kit.cli.output.no_path import hints_for_no_path
from pkcs12kit.display.labels import named
from pkcs12kit.display.timelines import answer_in_words
from pkcs12kit.hints import Hint
from pkcs12kit.paths.hints import GATHER
from pkcs12kit.paths.report import PathReport
from pkcs12kit.paths.validity_periods import find_periods
from pkcs12kit.paths.validity_report import PeriodState
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.cli.options.pictures import PictureOptions
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validity_report import ValidityReport


def answer_when(request: PathRequest, *, warnings: list[str], pictures: PictureOptions, as_json: bool) -> None:
    """Print the periods in which a path is valid. Exit with status 1 unless one is valid at the time of the request."""
    report = find_periods(request)
    if pictures.wanted:
        from pkcs12kit.display.pictures.timeline import timeline_to_svg

        pictures.write_svg(timeline_to_svg(report))
    for warning in warnings:
        warn(warning)
    if not as_json and not pictures.on_standard_output:
        from pkcs12kit.display.validity_periods import periods_report

        print_text(periods_report(report))
    no = report.state is not PeriodState.VALID
    if no:
        if as_json:  # the text has the answer on standard output
            print_error(answer_in_words(report))
        print_hints(_hints(report, sources_given=len(request.pool) > 0))
    if as_json:
        print_json(report.to_json())
    if no:
        sys.exit(1)


def _hints(report: ValidityReport, *, sources_given: bool) -> Iterator[Hint]:
    """Yield what to do where no path is valid at the time that was asked about."""
    before, after = report.last_valid, report.next_valid
    if after is not None:
        names = ", ".join(named(one) for one in after.began_with)
        begins = f", when {names} begins to be valid" if names else ""
        yield Hint(text=f"wait: with these certificates, a path is valid from {format_time(after.begin)}{begins}")
    if before is not None and report.time <= report.periods[-1].end:  # otherwise the target itself has to be renewed
        for one in before.ended_by:
            issuer = "" if one == report.target else f" that {one.issuer.label} issued"
            yield Hint(text=f"find the certificate{issuer} in place of {named(one)}, whose expiry ended the last path")
    closest = () if report.closest is None else (report.closest,)
    found = PathReport(
        target=report.target, valid=(), rejected=closest, time=report.time, trust_anchors=report.trust_anchors
    )
    yield from hints_for_no_path(found, sources_given=sources_given, fetching=GATHER)
    yield from hints_for_unfitting_anchor(closest)
