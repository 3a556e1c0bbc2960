"""Rows and sentences of reports, derived once for terminals and notebooks.

Texts may come from outside and are not yet safe to print: the code that renders a row makes them safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from pkcs12kit.errors import FailureReason
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.findings import Answer
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.tls.handshake import Handshake, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """The results of one client: a verdict for each TLS version of the table."""

    client: str
    version: str
    """The version of the client's program, without the name of the client."""
    is_required: bool
    """True if a refusal of this client makes the whole answer negative."""
    verdicts: tuple[Verdict, ...]
    handshakes: tuple[Handshake, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of handshakes that were refused or not tried, each once."""
        return tuple(dict.fromkeys(handshake.why for handshake in self.handshakes if handshake.why))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTable:
    """The results of clients by TLS version."""

    protocols: tuple[str, ...]
    rows: tuple[ClientRow, ...]

    @classmethod
    def of(cls, handshakes: Sequence[Handshake], required: Container[str]) -> ClientTable:
        """Return a table of handshakes, which are in the order of their clients."""
        from pkcs12kit.tls.handshake import Verdict  # not loaded to show a path

        protocols = tuple(dict.fromkeys(handshake.protocol for handshake in handshakes))
        rows = []
        for client, own in groupby(handshakes, key=lambda handshake: handshake.client):
            by_protocol = {handshake.protocol: handshake for handshake in own}
            rows.append(
                ClientRow(
                    client=client,
                    version=_without_name(
                        next((one.version for one in by_protocol.values() if one.version), ""), client
                    ),
                    is_required=client in required,
                    verdicts=tuple(
                        by_protocol[protocol].verdict if protocol in by_protocol else Verdict.NOT_TRIED
                        for protocol in protocols
                    ),
                    handshakes=tuple(by_protocol.values()),
                )
            )
        return cls(protocols=protocols, rows=tuple(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReason:
    """One reason for the answer of a device, with the label of the certificate that it is about."""

    text: str
    source: str
    is_refusal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """The answer of a device, judged by rules, and its reasons."""

    device: str
    title: str
    answer: Answer
    reasons: tuple[DeviceReason, ...]


def device_rows(verdicts: Iterable[DeviceVerdict]) -> tuple[DeviceRow, ...]:
    """Return a row for each device."""
    from pkcs12kit.devices.judge import Bearing  # not loaded to show a path

    return tuple(
        DeviceRow(
            device=verdict.device,
            title=verdict.title,
            answer=verdict.answer,
            reasons=tuple(
                DeviceReason(
                    text=remark.why if remark.certificate is None else f"{remark.certificate.label}: {remark.why}",
                    source=remark.source,
                    is_refusal=remark.bearing is Bearing.REFUSED,
                )
                for remark in verdict.remarks
            ),
        )
        for verdict in verdicts
    )


def search_cut_short(report: PathReport) -> str | None:
    """Return a sentence about a search that reached a limit; None for a complete search."""
    return f"The search was cut short: {report.incomplete}" if report.incomplete is not None else None


def would_be_valid(attempt: RejectedPath) -> str | None:
    """Return a sentence about the time at which an attempt would be a valid path; None where there is no such time."""
    if attempt.would_be_valid is None:
        return None
    begin, end = map(format_time, attempt.would_be_valid)
    return f"it would be valid from {begin} to {end}"


def may_have_others(attempt: RejectedPath) -> str | None:
    """Return a remark that an attempt may have other faults; None where all are listed."""
    if attempt.lists_all_failures or attempt.reason is FailureReason.BUDGET_EXHAUSTED:
        return None
    return "there may be other faults: a limit ended the search for all of them"


def same_for_others(attempt: RejectedPath) -> str | None:
    """Return a remark on the number of candidate paths that an attempt stands for; None where it is one."""
    return f"so for {attempt.walks:,} candidate paths" if attempt.walks > 1 else None


def _without_name(version: str, client: str) -> str:
    """Return a version without the client's own name: ``3.7.9`` for ``GnuTLS 3.7.9`` of the client gnutls."""
    name, _, rest = version.partition(" ")
    return (rest if name.lower() == client.lower() else version).replace("(", "").replace(")", "")
