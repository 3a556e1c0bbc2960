"""Probed servers on the screen: progress while they are asked, and what came of each."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pkcs12kit.cli.output.console import RIGHT_TIME, hint, print_error, print_text
from pkcs12kit.text import harmless
from pkcs12kit.tls.probing.contact import Contact
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer
    from pkcs12kit.verifier.reports import ProbeReport

_NEXT_STEPS: Final = {
    Contact.UNRESOLVABLE: "is the name spelled right, and does its DNS answer from here (VPN)?",
    Contact.REFUSED: "does the server run, and is that its port? --port N asks another",
    Contact.UNREACHABLE: "is there a way to it from here (VPN, firewall)?",
    Contact.TIMED_OUT: "is there a way to it from here (VPN, firewall)? --timeout SECONDS waits longer",
    Contact.NAME_REFUSED: "--server-name NAME asks for another name at the same address",
}


@contextmanager
def progress(number: int) -> Iterator[Callable[[ProbedServer, ServerAnswer], object] | None]:
    """Show on standard error how many servers have answered, and which was the last; at a terminal only."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.text import Text

    done: list[ProbedServer] = []
    with Console(stderr=True).status(Text(f"Probing {number} servers ..." if number > 1 else "Probing ...")) as status:

        def tell(server: ProbedServer, answer: ServerAnswer) -> None:
            done.append(server)
            came = f"{server}: {answer.contact.value.replace('-', ' ')}"
            status.update(Text(harmless(f"Probing ... {len(done)} of {number}: {came}")))

        yield tell


def print_probe(reports: Sequence[ProbeReport]) -> None:
    """Print each server by itself, in their order."""
    for number, report in enumerate(reports):
        print_text((*([""] if number else []), *_render(report)))


def _render(report: ProbeReport) -> Iterator[RenderableType]:
    from pkcs12kit.display.findings import changes_tree, findings_tree
    from pkcs12kit.display.handshakes import device_tree
    from pkcs12kit.display.paths import path_tree

    sent, other = report.served_chain, report.served_chain_in_tls_1_2
    findings = (*report.findings, *(() if sent is None else sent.findings))
    yield findings_tree(findings, title=str(report.server), answer=report.ok)
    if other is not None:
        yield findings_tree(other.findings, title=f"{report.server} in TLS 1.2", answer=other.ok)
    if sent is not None and sent.path is not None:
        yield path_tree(sent.path)
    if report.devices:
        yield device_tree(report.devices)
    if report.devices_in_tls_1_2:
        yield device_tree(report.devices_in_tls_1_2, title="By rule, not tried, in TLS 1.2")
    if report.changes:
        yield changes_tree(report.changes)


def explain_problems(reports: Sequence[ProbeReport]) -> None:
    """Print on standard error which servers failed which checks, with hints."""
    for report in reports:
        if not report.ok:
            print_error(f"{report.server} failed: {', '.join(report.failed)}")
    sent = [one for report in reports for one in (report.served_chain,) if one is not None]
    if any(rejected.clock_looks_wrong for one in sent for rejected in one.rejected[:1]):
        hint(RIGHT_TIME)
    for contact in dict.fromkeys(report.answer.contact for report in reports):
        if contact in _NEXT_STEPS:
            hint(_NEXT_STEPS[contact])
    protocols = {protocol for report in reports for protocol in _protocols_of(report)}
    if any(_perhaps_tls_at_once(report) for report in reports):
        hint("if that port begins with TLS, leave --starttls out")
    for protocol in sorted(protocols):
        hint(f"--starttls {protocol} speaks {protocol} first, which begins with TLS later")


def _perhaps_tls_at_once(report: ProbeReport) -> bool:
    """Tell servers that do not say what the protocol before TLS begins with: they may wait for TLS."""
    silent = {Contact.CLOSED, Contact.TIMED_OUT, Contact.STARTTLS_BROKEN}
    return (
        report.server.starttls is not None and report.answer.contact in silent and report.answer.answered_at is not None
    )


def _protocols_of(report: ProbeReport) -> Iterator[str]:
    """Guess from the port what else may be spoken there, where TLS is not."""
    if report.server.starttls is None and report.answer.contact in {Contact.NOT_TLS, Contact.CLOSED, Contact.TIMED_OUT}:
        yield from (one.name for one in STARTTLS.values() if one.port == report.server.port)
