"""The ends of many bundles, and the certificates that they hang on, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.lookup import identified
from pkcs12kit.display.labels import day
from pkcs12kit.notebook.html import cell, element, left_out, lines, name, part, said, table, title
from pkcs12kit.verifier.expiry_words import summary

if TYPE_CHECKING:
    from pkcs12kit.notebook.html import Element, Node, View
    from pkcs12kit.verifier.expiry import ExpiryReport, JudgedBundle


def draw_expiry(report: ExpiryReport, view: View) -> Element:
    """Return the answer, the certificates with the number of bundles that need each, the bundles, and unread files."""
    rows = view.limits.notebook_rows
    certificates, bundles = report.certificates[:rows], report.bundles[:rows]
    return element(
        "div",
        title(said("✓ nothing ends", "good") if report.ok else said("✗ not all is well", "bad")),
        element("p", name(summary(report))),
        part("Certificates"),
        table(
            ("certificate", "until", "no path without it", "used by"),
            (
                (
                    cell(name(identified(one.certificate)), class_="roomy"),
                    cell(day(one.certificate.not_after)),
                    cell(f"{len(one.needed_by):,}"),
                    cell(f"{len(one.used_by):,}"),
                )
                for one in certificates
            ),
        ),
        left_out(len(report.certificates) - len(certificates), "certificates"),
        part("Bundles"),
        table(
            ("bundle", "ends", "the first to end"),
            ((cell(name(one.name), class_="roomy"), *_end(one, report)) for one in bundles),
        ),
        left_out(len(report.bundles) - len(bundles), "bundles"),
        *_others(report, view),
    )


def _end(bundle: JudgedBundle, report: ExpiryReport) -> tuple[Element, Element]:
    expires, first = bundle.expires, bundle.ends_first
    if expires is None:
        return cell(said("✗ no valid path", "bad")), cell(name(bundle.why or ""), class_="roomy")
    kind = "bad" if expires <= report.end else "good"
    return cell(said(day(expires), kind)), cell(name("" if first is None else identified(first)), class_="roomy")


def _others(report: ExpiryReport, view: View) -> tuple[Node, ...]:
    unread = (part("Not read"), lines(report.unread, view, show=lambda one: name(str(one)))) if report.unread else ()
    skipped = (part("Skipped"), lines(report.skipped, view, show=name)) if report.skipped else ()
    return (*unread, *skipped)
