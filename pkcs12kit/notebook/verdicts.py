"""Reports on files and servers: findings, paths, clients and changes to make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.rows import ClientTable, device_rows
from pkcs12kit.findings import Answer
from pkcs12kit.notebook.certificates import notes_table
from pkcs12kit.notebook.chains import chain, path_body
from pkcs12kit.notebook.html import (
    Element,
    Node,
    answer,
    cell,
    element,
    facts,
    folded,
    lines,
    outcome,
    part,
    said,
    table,
    title,
    yes_or_no,
)
from pkcs12kit.notebook.pfx import pfx_body
from pkcs12kit.notebook.searches import rejected_table
from pkcs12kit.sources.delivered_files import FileFormat
from pkcs12kit.tls.handshake import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.display.rows import DeviceReason
    from pkcs12kit.findings import Finding
    from pkcs12kit.notebook.html import View
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.verifier.reports import ServedChainReport, VerificationReport
    from pkcs12kit.verifier.server_reports import ProbeReport, RehearsalReport

_VERDICTS: Final = {
    Verdict.ACCEPTED: ("✓ accepted", "good"),
    Verdict.REFUSED: ("✗ refused", "bad"),
    Verdict.NOT_TRIED: ("○ not tried", "muted"),
}


_FORMATS: Final = {
    FileFormat.PKCS12: "PKCS#12 file",
    FileFormat.PEM: "PEM file",
    FileFormat.PKCS7: "PKCS#7 bundle",
}


def draw_verification(report: VerificationReport, view: View) -> Element:
    """Return the report of the verification of a file."""
    view = view.at(report.parameters.time)
    return element(
        "div",
        title(f"{_FORMATS[report.format]}: ", yes_or_no(report.ok, "every check passed", "failed")),
        findings_table(report.findings),
        *_path("The path", report.path, report.rejected, view),
        notes_table(report.notes, view),
        facts([("second opinion", str(report.confirmation))]),
        None if report.anatomy is None else folded("Anatomy of the file", *pfx_body(report.anatomy, view)),
    )


def draw_served_chain(report: ServedChainReport, view: View) -> Element:
    """Return the report of a served chain."""
    how = yes_or_no(report.ok, "every check passed", "failed")
    return element("div", title("Certificates that a server sends: ", how), *_sent(report, view))


def draw_rehearsal(report: RehearsalReport, view: View) -> Element:
    """Return the report of a rehearsal: results of clients and of devices, and the served chain."""
    return element(
        "div",
        title(f"Rehearsal as {report.server_name}: ", yes_or_no(report.ok, "accepted", "not accepted")),
        lines(report.problems, view, show=lambda why: said(f"✗ {why}", "bad")),
        part("Clients"),
        _handshakes(report.handshakes, report.required),
        *_devices(report.devices),
        part("What the server sends"),
        *_sent(report.served_chain, view),
    )


def draw_probe(report: ProbeReport, view: View) -> Element:
    """Return the report of a live server, with changes to make."""
    return element(
        "div",
        title(f"Server {report.server}: ", yes_or_no(report.ok, "every check passed", "failed")),
        findings_table(report.findings),
        *_changes("What to change", report.changes, view),
        *_devices(report.devices),
        *(node for one in report.other_chains for node in _devices(one.devices)),
        *(
            folded(head, *_sent(sent, view, with_changes=False))
            for head, sent in (
                ("What it sends", report.served_chain),
                ("What it sends in TLS 1.2", report.served_chain_in_tls_1_2),
                *((f"What it sends for {one}", one.report) for one in report.other_chains),
            )
            if sent is not None
        ),
    )


def findings_table(findings: Iterable[Finding]) -> Element:
    """Return a table of findings, one check a row, in their order."""
    rows = (
        (
            cell(outcome(finding.outcome), class_="tight"),
            cell(finding.check.value.replace("-", " "), class_="tight"),
            cell(finding.why),
        )
        for finding in findings
    )
    return table(("", "check", "finding"), rows)


def _path(head: str, path: ValidatedPath | None, rejected: Sequence[RejectedPath], view: View) -> tuple[Node, ...]:
    if path is None:
        return (part(f"{head}: none"), rejected_table(rejected, view))
    return (part(head), *path_body(path, view))


def _sent(report: ServedChainReport, view: View, *, with_changes: bool = True) -> tuple[Node, ...]:
    view = view.at(report.parameters.time)
    better: tuple[Node, ...] = ()
    if report.path_with_pool is not None:
        better = (folded("The path with the certificates of the pool", *path_body(report.path_with_pool, view)),)
    return (
        findings_table(report.findings),
        *(_changes("What to change", report.changes, view) if with_changes else ()),
        *_what_is_sent(report, view),
        notes_table(report.notes, view),
        *better,
    )


def _what_is_sent(report: ServedChainReport, view: View) -> tuple[Node, ...]:
    """Return the served certificates and their path; only once where both are the same."""
    sent, path = report.message.certificates, report.path
    if path is not None and sent in {path.certificates, path.with_anchor}:
        return _path("What is sent, in its order: a valid path", path, (), view)
    return (
        part("What is sent, in its order"),
        chain(sent, view, time=report.parameters.time, linked=False),
        *_path("The path that it makes", path, report.rejected, view),
    )


def _changes(head: str, changes: Sequence[str], view: View) -> tuple[Node, ...]:
    return (part(head), lines(changes, view, show=str, numbered=True)) if changes else ()


def _handshakes(handshakes: Sequence[Handshake], required: frozenset[str]) -> Element:
    """Return a table of clients by TLS version, with the reasons of those that did not accept."""
    results = ClientTable.of(handshakes, required)
    rows = (
        (
            cell(element("strong", row.client), " ", said(row.version, "muted")),
            *(cell(said(*_VERDICTS[verdict]), class_="tight") for verdict in row.verdicts),
            cell("; ".join(row.reasons)),
            cell("yes" if row.is_required else None),
        )
        for row in results.rows
    )
    return table(("client", *results.protocols, "why", "has to accept"), rows)


def _devices(verdicts: Sequence[DeviceVerdict]) -> tuple[Node, ...]:
    if not verdicts:
        return ()
    rows = (
        (
            cell(element("strong", row.device), " ", said(row.title, "muted")),
            cell(answer(row.answer), class_="tight"),
            cell(*map(_reason, row.reasons)),
        )
        for row in device_rows(verdicts)
    )
    refusing = sum(one.answer is Answer.NO for one in verdicts)
    head = f"Devices, by rule, not tried: {refusing:,} of {len(verdicts):,} would refuse"
    return (part(head), table(("device", "accepts", "reasons"), rows))


def _reason(reason: DeviceReason) -> Element:
    return element("div", reason.text, said(f" [{reason.source}]", "muted") if reason.source else None)
