"""The bundles of a fleet: the answer, a picture of their ends with the causes that they share, and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.labels import day
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.wording import about, problem, summary
from pkcs12kit.notebook.html import Verbatim, cell, element, left_out, lines, name, part, said, table, title
from pkcs12kit.notebook.searches import scrolling
from pkcs12kit.notebook.style import SORTING
from pkcs12kit.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.fleet.report import FleetReport
    from pkcs12kit.notebook.html import Element, View

_SIGNS: Final = {Status.FAILED: "✗", Status.DEFERRED: "○", Status.UNCHANGED: "✓", Status.VALID: "✓"}
_WRONG: Final = 20
"""Sentences of one table cell that are shown."""


def draw_fleet(report: FleetReport, view: View) -> Element:
    """Return the answer, the ends as a picture with their causes, and the bundles, bad ones first."""
    ordered = sorted(report.bundles, key=_order)
    rows = ordered[: view.limits.notebook_rows]
    wrong = problem(report)
    return element(
        "div",
        title(said("✓ all is well", "good") if report.ok else said("✗ not all is well", "bad")),
        element("p", name(f"{report.manifest.name}: {summary(report)}")),
        None if wrong is None else element("p", name(wrong), class_="bad"),
        scrolling(report.to_svg(words=False, limits=view.limits)) if report.bundles else None,
        part("Bundles"),
        table(("bundle", "status", "ends", "first to end", "about"), map(_row, rows), sortable=True),
        left_out(len(ordered) - len(rows), "bundles"),
        *((part("Warnings"), lines(report.warnings, view, show=name)) if report.warnings else ()),
        element("script", Verbatim(SORTING)),
    )


def _order(outcome: BundleOutcome) -> tuple[bool, bool, float]:
    """Return the key by which bundles that are not as they should be come first, then changed ones, then by end."""
    expires = outcome.expires
    return outcome.ok, not outcome.changed, float("inf") if expires is None else expires.timestamp()


def _row(outcome: BundleOutcome) -> tuple[Element, ...]:
    first, expires = outcome.first_to_expire, outcome.expires
    kind = "bad" if not outcome.ok else "muted" if outcome.status is Status.DEFERRED else "good"
    status = f"{_SIGNS.get(outcome.status, '✎')} {outcome.status.value}"
    ends = "" if expires is None else day(expires)
    return (
        cell(name(outcome.name), class_="roomy"),
        cell(said(status, kind), class_="tight"),
        cell(said(ends, "bad") if outcome.ends_too_soon else ends, class_="tight", key=ends or "9999"),
        cell(name("" if first is None else first.label), class_="roomy"),
        cell(name("; ".join(shortened(list(_about(outcome)), _WRONG))), class_="roomy"),
    )


def _about(outcome: BundleOutcome) -> Iterator[str]:
    from pkcs12kit.fleet.junit import wrong_with

    wrong = [sentence for _, sentence in wrong_with(outcome)]
    yield from wrong or filter(None, (about(outcome) if outcome.changed else "",))
    yield from outcome.warnings
