"""Reports on rehearsals and live servers: the answers of clients and servers, and the report on the served chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pkcs12kit.findings import Answer, Check, not_ok
from pkcs12kit.sources.delivered_files import FileFormat
from pkcs12kit.tls.certificate_message import TLS_1_2
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.verifier.hints import hints_for_rehearsal, hints_for_server
from pkcs12kit.verifier.probed_chains import ProbedChain, served_in
from pkcs12kit.verifier.reports import Report, check_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.findings import Finding
    from pkcs12kit.hints import Hint
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer
    from pkcs12kit.verifier.expectation import FileComparison
    from pkcs12kit.verifier.reports import ServedChainReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalReport(Report):
    """The answers of TLS clients to a server with a file. It holds neither key nor password.

    The answer is yes where the served chain passes its checks, every client in ``required`` accepts it in TLS 1.2 and
    in TLS 1.3 (with a key for ML-DSA only in TLS 1.3), and no device of ``devices`` is known to refuse it. Other
    clients decide nothing: whether they are asked depends on the programs that this computer has.
    """

    served_chain: ServedChainReport
    """The report on the served chain."""
    server_name: str
    """The name that the clients asked for."""
    server_name_given: bool
    """True where the caller named ``server_name``; False where it was found in the certificate."""
    handshakes: tuple[Handshake, ...]
    """The handshakes of all clients, client by client."""
    required: frozenset[str]
    """The names of the clients that have to accept."""
    devices: tuple[DeviceVerdict, ...] = field(default=())
    """The verdicts on devices, by rule."""
    warnings: tuple[str, ...] = ()
    """Warnings about the file, for example that anyone may have changed it, then those of ``call_warnings``."""
    call_warnings: tuple[str, ...] = ()
    """Warnings about the trust anchors, and about a time other than now, that the caller gave."""
    format: FileFormat = FileFormat.PKCS12
    """The format of the file."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks of the served chain that failed, the required clients and the devices without a yes, by name.

        Of the clients, :attr:`refused` has those that refused, and :attr:`not_tried` those that could not be asked.
        """
        clients = (*self._without_handshake, *(one.client for one in self._refusals))
        return tuple(dict.fromkeys((*self.served_chain.failed, *clients, *_refusing(self.devices))))

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons of everything in ``failed``, one sentence each."""
        return (
            *self.served_chain.problems,
            *(f"{name}: it made no handshake" for name in self._without_handshake),
            *map(_sentence, self._refusals),
            *_device_problems(self.devices),
        )

    @property
    def refused(self) -> tuple[str, ...]:
        """The required clients that refused the certificates in at least one version of TLS."""
        found = (one.client for one in self.handshakes if one.verdict is Verdict.REFUSED)
        return tuple(dict.fromkeys(client for client in found if client in self.required))

    @property
    def not_tried(self) -> tuple[str, ...]:
        """The required clients that could not be asked in a version of TLS, and that refused in no other.

        Such a client is not installed, cannot be run, crashed, did not answer in time, or does not speak the version.
        """
        found = (one.client for one in self.handshakes if one.verdict is Verdict.NOT_TRIED)
        untried = dict.fromkeys((*(client for client in found if client in self.required), *self._without_handshake))
        return tuple(client for client in untried if client not in self.refused)

    @property
    def _without_handshake(self) -> list[str]:
        return sorted(self.required - {handshake.client for handshake in self.handshakes})

    @property
    def _refusals(self) -> Iterator[Handshake]:
        """Yield the handshakes of required clients that did not accept, or that received other certificates."""
        for one in self.handshakes:
            if one.client in self.required and (one.verdict is not Verdict.ACCEPTED or self.as_served(one) is False):
                yield one

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The steps that may help where the answer is no, in the order in which to try them; empty for a yes.

        They name the options of the command; in Python ``--anchor`` is ``trust_anchors=``, for example.
        """
        is_pkcs12 = self.format is FileFormat.PKCS12
        return () if self.ok else hints_for_rehearsal(self.served_chain, is_pkcs12=is_pkcs12)

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the served chain; no answer depends on them."""
        return self.served_chain.notes

    def as_served(self, handshake: Handshake) -> bool | None:
        """Return True where the client received the served chain, in order; None where it does not report that."""
        if handshake.received is None:
            return None
        return handshake.received.certificates == self.served_chain.message.certificates

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it; ``sent`` is that of :meth:`ServedChainReport.to_json`."""
        return {
            "ok": self.ok,
            "format": self.format.value,
            "server_name": self.server_name,
            "server_name_given": self.server_name_given,
            "problems": list(self.problems),
            "refused": list(self.refused),
            "not_tried": list(self.not_tried),
            "sent": self.served_chain.to_json(),
            "handshakes": [
                handshake.to_json()
                | {"required": handshake.client in self.required, "as_served": self.as_served(handshake)}
                for handshake in self.handshakes
            ],
            "devices": [verdict.to_json() for verdict in self.devices],
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport(Report):
    """The answer on a live server, for clients that trust certain anchors.

    It is yes where the server answered, no check failed, and no device is known to refuse what it sends.
    """

    server: ProbedServer
    """The server that was asked."""
    answer: ServerAnswer = field(repr=False)
    """The server's answers, version by version of TLS."""
    findings: tuple[Finding, ...]
    """One for each check of :data:`~pkcs12kit.findings.SERVER_CHECKS`, in that order."""
    served_chain: ServedChainReport | None
    """The report on the chain served in the newest version of TLS; None where no certificate came."""
    served_chain_in_tls_1_2: ServedChainReport | None = None
    """The report on the chain served in TLS 1.2, where that is another one."""
    devices: tuple[DeviceVerdict, ...] = ()
    """The verdicts on devices, by rule, for ``served_chain``."""
    devices_in_tls_1_2: tuple[DeviceVerdict, ...] = ()
    """The verdicts on devices, by rule, for ``served_chain_in_tls_1_2``."""
    other_chains: tuple[ProbedChain, ...] = ()
    """The other chains, which the server sends to clients that have only other types of keys."""
    warnings: tuple[str, ...] = ()
    """Warnings about the trust anchors, and about a time other than now, that the caller gave."""

    comparisons: tuple[FileComparison, ...] = ()
    """The comparisons with the files that the server should serve from."""

    @property
    def chains(self) -> tuple[ProbedChain, ...]:
        """All chains that the server sends, each once, with the handshakes that led to them."""
        first = ((self.served_chain, self.devices), (self.served_chain_in_tls_1_2, self.devices_in_tls_1_2))
        return (
            *(
                ProbedChain(
                    handshakes=served_in(self.answer, chain.message.certificates), report=chain, devices=devices
                )
                for chain, devices in first
                if chain is not None
            ),
            *self.other_chains,
        )

    @property
    def failed(self) -> tuple[str, ...]:
        """The values of the checks that failed, and the names of the devices that would refuse."""
        served = (name for chain in self._served_chains for name in chain.failed)
        devices = _refusing(self._verdicts)
        return tuple(dict.fromkeys((*check_names(self._failures), *served, *devices)))

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons of everything in ``failed``, one sentence each."""
        served = (problem for chain in self._served_chains for problem in chain.problems)
        devices = _device_problems(self._verdicts)
        return tuple(dict.fromkeys((*map(str, self._failures), *served, *devices)))

    @property
    def _failures(self) -> tuple[Finding, ...]:
        failures = tuple(finding for finding in self.findings if finding.is_problem)
        if self.served_chain is None and not failures:
            return (not_ok(Check.CONTACT, "no certificate came"),)
        return failures

    @property
    def asks_for_client_certificate(self) -> bool:
        """True where the server asks for a client certificate in any version of TLS."""
        return any(one.asks_for_client_certificate for one in (*self.answer.protocols, *self.answer.other_keys))

    @property
    def changes(self) -> tuple[str, ...]:
        """The changes to make on the server: one sentence for each step, in the order in which to make them."""
        is_old = any(one.check is Check.PROTOCOLS and one.is_problem for one in self.findings)
        spoken = {one.protocol for one in self.answer.answers}
        remedy = (
            "offer cipher suites of ECDHE and AES-GCM, signed with SHA-256"
            if TLS_1_2 in spoken
            else "speak TLS 1.2 or TLS 1.3"
        )
        first = (f"let the server {remedy}",) if is_old else ()
        return tuple(dict.fromkeys((*first, *(change for chain in self._served_chains for change in chain.changes))))

    @property
    def hints(self) -> tuple[Hint, ...]:
        """The steps that may help where the answer is no, in the order in which to try them; empty for a yes.

        They name the options of the command; in Python ``--anchor`` is ``trust_anchors=``, for example.
        """
        if self.ok:
            return ()
        chains = [one.report for one in self.chains]
        return tuple(dict.fromkeys(hints_for_server(self.server, self.answer, chains)))

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the served chains, each note once; no answer depends on them."""
        return tuple(dict.fromkeys(note for chain in self._served_chains for note in chain.notes))

    @property
    def _served_chains(self) -> tuple[ServedChainReport, ...]:
        chains = (self.served_chain, self.served_chain_in_tls_1_2, *(one.report for one in self.other_chains))
        return tuple(chain for chain in chains if chain is not None)

    @property
    def _verdicts(self) -> tuple[DeviceVerdict, ...]:
        others = (verdict for chain in self.other_chains for verdict in chain.devices)
        return (*self.devices, *self.devices_in_tls_1_2, *others)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it; ``sent`` is that of :meth:`ServedChainReport.to_json`."""
        server, chain, other = self.server, self.served_chain, self.served_chain_in_tls_1_2
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
            "other_keys": [one.to_json() for one in self.answer.other_keys],
            "other_keys_stopped": self.answer.other_keys_stopped,
            "asks_for_client_certificate": self.asks_for_client_certificate,
            "findings": [finding.to_json() for finding in self.findings],
            "sent": None if chain is None else chain.to_json(),
            "sent_in_tls_1_2": None if other is None else other.to_json(),
            "devices": [verdict.to_json() for verdict in self.devices],
            "devices_in_tls_1_2": [verdict.to_json() for verdict in self.devices_in_tls_1_2],
            "chains": [one.to_json() for one in self.chains],
            "comparisons": [one.to_json() for one in self.comparisons],
            "changes": list(self.changes),
            "warnings": list(self.warnings),
        }


def _refusing(verdicts: Iterable[DeviceVerdict]) -> Iterator[str]:
    return (verdict.device for verdict in verdicts if verdict.answer is Answer.NO)


def _device_problems(verdicts: Iterable[DeviceVerdict]) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.answer is Answer.NO:
            yield f"{verdict.device}, {verdict.basis}: {'; '.join(remark.why for remark in verdict.refusals)}"


def _sentence(handshake: Handshake) -> str:
    why = handshake.why or "it received other certificates than were served"
    return f"{handshake.client}, {handshake.protocol}: {handshake.verdict.value}: {why}"
