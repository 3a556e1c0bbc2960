"""The answer: every finding, and the path that the file is for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.findings import Answer, Outcome, ProbeCheck
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.times import format_time
from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.certificate_message import TLS_1_2
from pkcs12kit.tls.handshake import Verdict

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.tls.address import ServerAddress
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.tls.probing.server import ServerAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(Shown):
    """What a PKCS#12 file is worth to clients that trust certain anchors; true where no check says no.

    ``findings`` has each :class:`Check` once, in order. ``certificates`` are in file order, and ``target`` is the one
    that the file is for, None where it holds none. ``path`` is the path in the order of the file where that is a valid
    one, else the best that its certificates make, else None; ``rejected`` says why there is none. ``anatomy`` is what
    :func:`~pkcs12kit.inspect_pfx` says of the file. Neither key nor password is in it.
    """

    findings: tuple[Finding, ...]
    parameters: ValidationParameters = field(repr=False)
    has_private_key: bool
    certificates: tuple[Certificate, ...] = field(repr=False)
    target: Certificate | None
    path: ValidatedPath | None
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    confirmation: Confirmation
    anatomy: PfxReport = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is a valid path and no check says no."""
        return self.path is not None and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that make the answer a no."""
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.NOT_OK)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``; ``path`` is target first, without the trust anchor's own certificate."""
        path = self.path
        anchor = None if path is None else path.trust_anchor
        return {
            "ok": self.ok,
            "time": format_time(self.parameters.time),
            "findings": [finding.to_json() for finding in self.findings],
            "private_key": self.has_private_key,
            "target": None if self.target is None else self.target.to_json(),
            "certificates": [certificate.to_json() for certificate in self.certificates],
            "path": None if path is None else [certificate.to_json() for certificate in path.certificates],
            "trust_anchor": anchor
            and (anchor.certificate.to_json() if anchor.certificate else {"subject": str(anchor.name)}),
            "expires": None if path is None else format_time(path.expires),
            "policies": [] if path is None else sorted(path.authority_constrained_policy_set),
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "second_opinion": self.confirmation.to_json(),
            "warnings": list(self.anatomy.warnings),
            "readers": {name: verdict.to_json() for name, verdict in self.anatomy.readers.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReport(Shown):
    """What a server's Certificate message is worth to clients that trust certain anchors; true where no check says no.

    ``findings`` has each :class:`SentCheck` once, in order. ``path`` is what exactly the certificates sent make, in
    their order where that is a valid one, else in any; ``rejected`` says why there is none. ``path_with_pool`` is what
    they make together with the pool, None where none was given, and where it is not needed or does not help.
    ``changes`` are sentences: what to change on the server, one step each, in the order in which to do them.
    ``should_send`` are the certificates that are sent then, in order; None where no path is known.
    """

    message: CertificateMessage = field(repr=False)
    parameters: ValidationParameters = field(repr=False)
    findings: tuple[Finding, ...]
    path: ValidatedPath | None
    path_with_pool: ValidatedPath | None
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    changes: tuple[str, ...]
    should_send: tuple[Certificate, ...] | None = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether there is a valid path and no check says no."""
        return self.path is not None and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that make the answer a no."""
        return tuple(finding for finding in self.findings if finding.is_problem)

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``; certificates in the order of the wire, paths target first."""
        return {
            "ok": self.ok,
            "time": format_time(self.parameters.time),
            "server_name": self.parameters.server_name,
            "sent": self.message.to_json(),
            "findings": [finding.to_json() for finding in self.findings],
            "path": None if self.path is None else path_to_json(self.path),
            "path_with_pool": None if self.path_with_pool is None else path_to_json(self.path_with_pool),
            "rejected": [rejected.to_json() for rejected in self.rejected],
            "changes": list(self.changes),
            "should_send": None if self.should_send is None else [one.to_json() for one in self.should_send],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedServer:
    """One server to probe, and how.

    ``server_name`` is what its certificate has to be for, and what SNI says where it is a DNS name; ``starttls`` is
    a name of :data:`~pkcs12kit.tls.probing.starttls_protocols.STARTTLS`, None for TLS at once. ``label`` says what it
    is for.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalReport(Shown):
    """What clients that trust certain anchors make of a server with a PKCS#12 file; true where nothing says no.

    That is where the strict reading says yes, every client in ``required`` accepts in TLS 1.2 and in TLS 1.3, and no
    device that was named says no. Where no client was named, ``handshakes`` has those of all others too, whose refusal
    is told and is no reason to say no: which of them are there depends on the computer. ``server_name`` is what the
    clients asked for; ``server_name_given`` says whether the caller named it, or the certificate did. Neither key nor
    password is in it.
    """

    sent: SentReport
    server_name: str
    server_name_given: bool
    handshakes: tuple[Handshake, ...]
    required: frozenset[str]
    devices: tuple[DeviceVerdict, ...] = field(default=())
    warnings: tuple[str, ...] = ()
    """That the file may have been changed by anybody, where it has no MAC, or one made without a password."""

    @property
    def ok(self) -> bool:
        """Whether the answer is yes."""
        return self.sent.ok and not self.problems

    def __bool__(self) -> bool:
        return self.ok

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the answer a no, one sentence each, quoting names and clients."""
        asked = {handshake.client for handshake in self.handshakes}
        return (
            *map(str, self.sent.problems),
            *(f"{name}: no handshake came of it" for name in sorted(self.required - asked)),
            *(_sentence(one) for one in self.handshakes if one.client in self.required and self._is_problem(one)),
            *(
                f"{one.device}, {one.basis}: {'; '.join(remark.why for remark in one.refusals)}"
                for one in self.devices
                if one.answer is Answer.NO
            ),
        )

    @property
    def refused_by(self) -> tuple[str, ...]:
        """The clients and devices that make the answer a no, by name."""
        clients = (one.client for one in self.handshakes if one.client in self.required and self._is_problem(one))
        devices = (one.device for one in self.devices if one.answer is Answer.NO)
        return tuple(dict.fromkeys((*clients, *devices)))

    @property
    def not_tried(self) -> tuple[str, ...]:
        """Those of them that could not be asked, and that refused in neither version of TLS."""
        verdicts: dict[str, set[Verdict]] = {}
        for one in self.handshakes:
            if one.client in self.required:
                verdicts.setdefault(one.client, set()).add(one.verdict)
        return tuple(
            client for client, found in verdicts.items() if Verdict.NOT_TRIED in found and Verdict.REFUSED not in found
        )

    def _is_problem(self, handshake: Handshake) -> bool:
        return handshake.verdict is not Verdict.ACCEPTED or self.as_served(handshake) is False

    def as_served(self, handshake: Handshake) -> bool | None:
        """Whether a client received just what was served, in that order; None where it does not say."""
        if handshake.received is None:
            return None
        return handshake.received.certificates == self.sent.message.certificates

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``: ``sent`` is what :meth:`SentReport.to_json` gives."""
        return {
            "ok": self.ok,
            "server_name": self.server_name,
            "server_name_given": self.server_name_given,
            "problems": list(self.problems),
            "sent": self.sent.to_json(),
            "handshakes": [
                handshake.to_json()
                | {"required": handshake.client in self.required, "as_served": self.as_served(handshake)}
                for handshake in self.handshakes
            ],
            "devices": [verdict.to_json() for verdict in self.devices],
            "warnings": list(self.warnings),
        }


def _sentence(handshake: Handshake) -> str:
    why = handshake.why or "it received other certificates than were served"
    return f"{handshake.client}, {handshake.protocol}: {handshake.verdict.value}: {why}"
