"""Reports of fetched certificates, of published bundles and of built files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.key_kinds import key_kind
from pkcs12kit.notebook.chains import path_body
from pkcs12kit.notebook.html import (
    Element,
    Node,
    cell,
    code,
    element,
    facts,
    folded,
    left_out,
    lines,
    part,
    said,
    table,
    title,
)
from pkcs12kit.notebook.pfx import readers
from pkcs12kit.notebook.pools import certificates_table, rejects_list
from pkcs12kit.notebook.searches import report_body
from pkcs12kit.pkcs12.compatibility import of_profile
from pkcs12kit.pkcs12.readers import judge
from pkcs12kit.retrieval.retrieved import Status
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.builder.report import BuildReport
    from pkcs12kit.notebook.html import View
    from pkcs12kit.pkcs12.compatibility import ReaderVerdict
    from pkcs12kit.pkcs12.profiles import Profile
    from pkcs12kit.retrieval.bundles.report import BundleReport
    from pkcs12kit.retrieval.gather import GatherReport
    from pkcs12kit.retrieval.retrieved import Retrieval


_STATUSES: Final = {
    Status.FETCHED: ("✓ fetched", "good"),
    Status.UNCHANGED: ("✓ unchanged", "good"),
    Status.CACHED: ("✓ cached", "good"),
    Status.FAILED: ("✗ failed", "bad"),
    Status.REFUSED: ("✗ refused", "bad"),
    Status.SKIPPED: ("○ skipped", "muted"),
}


def draw_gathering(report: GatherReport, view: View) -> Element:
    """Return the report of a gathering: certificates, paths, and the outcome for each URL."""
    came = f"{counted(len(report.certificates), 'certificate')} from {counted(len(report.urls), 'URL')}"
    return element(
        "div",
        title(f"Gathered {came}, {len(report.new):,} of them new"),
        *_warnings((*((report.incomplete,) if report.incomplete else ()), *report.warnings), view),
        *((part("Paths"), *report_body(report.report, view)) if report.report is not None else ()),
        folded("Certificates", certificates_table([item.certificate for item in report.certificates], view)),
        retrievals_table(report.retrievals, view),
        rejects_list(report.rejects, view),
    )


def draw_bundle_report(report: BundleReport, view: View) -> Element:
    """Return the report of a published bundle: certificates, signed checksums, and changes."""
    checksum, changes = report.checksum, report.changes
    rows: list[tuple[str, Node]] = [
        ("from", code(report.url) if report.url is not None else None),
        ("checksums", checksum.status.value if checksum is not None else None),
        ("why", "; ".join(checksum.reasons) if checksum is not None and checksum.reasons else None),
    ]
    if changes is not None and changes.compared:
        kinds = ("new", "gone", "renewed", "rekeyed", "expiring", "expired")
        rows.extend((kind, f"{len(getattr(changes, kind)):,}") for kind in kinds)
    return element(
        "div",
        title(f"{report.bundle.title}: {counted(len(report.certificates), 'certificate')}"),
        element("p", said(f"✗ {report.why}", "bad")) if report.why else None,
        *_warnings(report.warnings, view),
        facts(rows),
        folded("Certificates", certificates_table([item.certificate for item in report.certificates], view)),
        retrievals_table(report.retrievals, view),
        rejects_list(report.rejects, view),
    )


def retrievals_table(retrievals: Sequence[Retrieval], view: View) -> Node:
    """Return a table of URLs with the outcome of each; None without URLs. URLs are text, not links."""
    if not retrievals:
        return None
    shown = retrievals[: view.limits.notebook_rows]
    rows = (
        (
            cell(code(one.url)),
            cell(one.purpose.value),
            cell(said(*_STATUSES[one.status]), class_="tight"),
            cell(f"{one.size:,}", key=f"{one.size:015}"),
            cell(one.why),
        )
        for one in shown
    )
    drawn = table(("URL", "for", "outcome", "bytes", "why"), rows)
    return folded(f"{counted(len(retrievals), 'URL')} requested", drawn, left_out(len(retrievals) - len(shown), "URLs"))


def _warnings(warnings: Sequence[str], view: View) -> tuple[Node, ...]:
    return (lines(warnings, view, show=lambda text: said(f"! {text}", "warn")),) if warnings else ()


def _readers_of(report: BuildReport, profile: Profile) -> dict[str, ReaderVerdict]:
    """Return the verdict of each reader on the built file, with its key and its certificates."""
    key = key_kind(report.certificates[0]) if report.has_private_key else None
    facts = of_profile(profile, with_key=report.has_private_key, key=key, certificates=report.certificates)
    return judge(facts)


def draw_build(report: BuildReport, view: View) -> Element:
    """Return the report of a built file. Its contents are not shown."""
    key = "with its private key" if report.has_private_key else "without a private key"
    where = code(report.output) if report.output is not None else "nowhere: the bytes are in .data"
    profile, in_clear = report.profile, "not encrypted" if report.has_private_key else "without a key"
    protection = ("form", f"PEM, {in_clear}") if profile is None else ("profile", f"{profile.name}: {profile.summary}")
    return element(
        "div",
        title(said("✓ Built", "good"), f": {counted(len(report.certificates), 'certificate')} {key}"),
        lines(report.warnings, view, show=lambda text: said(f"! {text}", "warn")),
        facts(
            [
                ("written to", where),
                ("changed", report.change or ("yes" if report.changed else "no: it already had these contents")),
                protection,
                ("second opinion", str(report.confirmation)),
            ]
        ),
        *path_body(report.path, view),
        *(() if profile is None else (readers(_readers_of(report, profile)),)),
        retrievals_table(report.retrievals, view),
        rejects_list(report.rejects, view),
    )
