"""The answer on a live server: what came of contacting it, what it sends, and what to change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.findings import ProbeCheck
from pkcs12kit.pkcs12.capabilities import Answer
from pkcs12kit.shown import Shown
from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.certificate_message import TLS_1_2

if TYPE_CHECKING:
    from pkcs12kit.findings import Finding
    from pkcs12kit.tls.address import ServerAddress
    from pkcs12kit.tls.judging import DeviceVerdict
    from pkcs12kit.tls.probing import ServerAnswer
    from pkcs12kit.verifier.sent_report import SentReport


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedServer:
    """One server to probe, and how.

    ``server_name`` is what its certificate has to be for, and what SNI says where it is a DNS name; ``starttls`` is
    a name of :data:`~pkcs12kit.tls.starttls.protocols.STARTTLS`, None for TLS at once. ``label`` says what it is for.
    """

    address: ServerAddress
    port: int
    server_name: str
    starttls: str | None = None
    label: str = ""

    def __str__(self) -> str:
        where = host_and_port(self.address.host, self.port)
        return f"{where} ({self.label})" if self.label else where


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport(Shown):
    """What a live server is worth to clients that trust certain anchors; true where nothing says no.

    ``findings`` has each :class:`ProbeCheck` once, in order. ``sent`` is the strict reading of what the server sends in
    the newest version of TLS, None where it sends nothing, and ``sent_in_tls_1_2`` of what it sends in TLS 1.2 where
    that is something else. ``devices`` are by rule, and for ``sent``, ``devices_in_tls_1_2``
    for what is sent there where that is something else.
    """

    server: ProbedServer
    answer: ServerAnswer = field(repr=False)
    findings: tuple[Finding, ...]
    sent: SentReport | None
    sent_in_tls_1_2: SentReport | None = None
    devices: tuple[DeviceVerdict, ...] = ()
    devices_in_tls_1_2: tuple[DeviceVerdict, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the server answered, what it sends is as it should be, and no device is known to refuse it."""
        return self.sent is not None and all(sent.ok for sent in self._sent) and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the answer a no: values of checks, and names of devices."""
        findings = (*self.findings, *(finding for sent in self._sent for finding in sent.findings))
        verdicts = (*self.devices, *self.devices_in_tls_1_2)
        devices = (verdict.device for verdict in verdicts if verdict.answer is Answer.NO)
        said_no = (*(finding.check.value for finding in findings if finding.is_problem), *devices)
        return tuple(dict.fromkeys(said_no))

    @property
    def asks_for_client_certificate(self) -> bool:
        """Whether it asks for a client certificate in any version."""
        return any(one.asks_for_client_certificate for one in self.answer.protocols)

    @property
    def changes(self) -> tuple[str, ...]:
        """What to change on the server, one sentence a step, in the order in which to do them."""
        is_old = any(one.check is ProbeCheck.PROTOCOLS and one.is_problem for one in self.findings)
        speaks = {one.protocol for one in self.answer.answers}
        remedy = (
            "offer cipher suites of ECDHE and AES-GCM, signed with SHA-256"
            if TLS_1_2 in speaks
            else "speak TLS 1.2 or TLS 1.3"
        )
        first = (f"let the server {remedy}",) if is_old else ()
        return tuple(dict.fromkeys((*first, *(change for sent in self._sent for change in sent.changes))))

    @property
    def _sent(self) -> tuple[SentReport, ...]:
        return tuple(sent for sent in (self.sent, self.sent_in_tls_1_2) if sent is not None)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``; ``sent`` is what :meth:`SentReport.to_json` gives."""
        server, other = self.server, self.sent_in_tls_1_2
        return {
            "host": server.address.host,
            "port": server.port,
            "label": server.label,
            "server_name": server.server_name,
            "starttls": server.starttls,
            "ok": self.ok,
            "contact": self.answer.contact.value,
            "why": self.answer.why,
            "answered_at": self.answer.answered_at,
            "not_asked": list(self.answer.not_asked),
            "protocols": [one.to_json() for one in self.answer.protocols],
            "asks_for_client_certificate": self.asks_for_client_certificate,
            "findings": [finding.to_json() for finding in self.findings],
            "sent": None if self.sent is None else self.sent.to_json(),
            "sent_in_tls_1_2": None if other is None else other.to_json(),
            "devices": [verdict.to_json() for verdict in self.devices],
            "devices_in_tls_1_2": [verdict.to_json() for verdict in self.devices_in_tls_1_2],
            "changes": list(self.changes),
        }
