"""Reports on PKCS#12 files, served chains, rehearsals and live servers: findings, paths and changes to make."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from pkcs12kit.certificates.lint.certificate_notes import lint_certificates
from pkcs12kit.errors import ArgumentError
from pkcs12kit.findings import Answer, Check, not_ok
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.paths.report import path_to_json
from pkcs12kit.times import format_time
from pkcs12kit.tls.certificate_message import TLS_1_2
from pkcs12kit.tls.handshake import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.findings import Finding
    from pkcs12kit.paths.confirmation import Confirmation
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.inspection import PfxReport
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer


class Report(Shown, ABC):
    """Base of the reports on files and servers. The answer is :attr:`ok`; a report has no truth value of its own."""

    __slots__ = ()

    @property
    def ok(self) -> bool:
        """True where there is no problem."""
        return not self.problems

    @property
    @abstractmethod
    def failed(self) -> tuple[str, ...]:
        """The names of the checks, clients and devices that failed, each once."""

    @property
    @abstractmethod
    def problems(self) -> tuple[str, ...]:
        """The problems, one sentence each, which may quote text from outside. Empty where the answer is yes."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""

    def __bool__(self) -> NoReturn:
        """Raise :class:`~pkcs12kit.ArgumentError`: a report that were always true would be taken for a yes."""
        raise ArgumentError(f"a {type(self).__name__} is neither true nor false: ask for its .ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport(Report):
    """The answer on a PKCS#12 file, for clients that trust certain anchors. It holds neither key nor password."""

    findings: tuple[Finding, ...]
    """One for each check of :data:`~pkcs12kit.findings.FILE_CHECKS`, in that order."""
    parameters: ValidationParameters = field(repr=False)
    """The time, the server name and the other inputs of path validation."""
    has_private_key: bool
    """True where the file has a private key, of this certificate or another."""
    certificates: tuple[Certificate, ...] = field(repr=False)
    """All readable certificates, in the order of the file."""
    target: Certificate | None
    """The certificate that the file is for; None where it holds none."""
    path: ValidatedPath | None
    """The certificates in their own order, where that is a valid path; else the best path that they make, or None."""
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    """The paths that failed, where none is valid, the closest first."""
    confirmation: Confirmation
    """The second opinion on ``path``."""
    anatomy: PfxReport = field(repr=False)
    """The structure and the protection of the file, as :func:`~pkcs12kit.inspect_pfx` returns them."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The values of the checks that failed."""
        return _names(_failures(self.findings, self.path))

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings of the checks that failed, one sentence each."""
        return tuple(map(str, _failures(self.findings, self.path)))

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the path, or of the file where it makes none; no answer depends on them."""
        target = () if self.target is None else (self.target,)
        for_server = True if self.has_private_key else None
        return _notes(self.path, (*target, *self.certificates), for_server=for_server)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it; ``path`` is target first, without the anchor's certificate."""
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
            "notes": [note.to_json() for note in self.notes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedChainReport(Report):
    """The answer on the certificates that a TLS server sends, for clients that trust certain anchors."""

    message: CertificateMessage = field(repr=False)
    """The served chain: the certificates in the order of the wire."""
    parameters: ValidationParameters = field(repr=False)
    """The time, the server name and the other inputs of path validation."""
    findings: tuple[Finding, ...]
    """One for each check of :data:`~pkcs12kit.findings.SERVED_CHAIN_CHECKS`, in that order."""
    path: ValidatedPath | None
    """The served chain in its own order, where that is a valid path; else the best path that it makes, or None.

    Also the best path where it has fewer mismatches of authorityKeyIdentifiers than the chain in its own order.
    """
    path_with_pool: ValidatedPath | None
    """The best path with certificates of the pool; None without a pool, without such a path, or where not needed."""
    rejected: tuple[RejectedPath, ...] = field(repr=False)
    """The paths that failed, where none is valid, the closest first."""
    changes: tuple[str, ...]
    """The changes to make on the server: one sentence for each step, in the order in which to make them."""
    should_send: tuple[Certificate, ...] | None = field(repr=False)
    """The certificates that the server sends after these changes, in order; None where no path is known."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The values of the checks that failed."""
        return _names(_failures(self.findings, self.path))

    @property
    def problems(self) -> tuple[str, ...]:
        """The findings of the checks that failed, one sentence each."""
        return tuple(map(str, _failures(self.findings, self.path)))

    @property
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the path, or of the message where it makes none; no answer depends on them."""
        return _notes(self.path, self.message.certificates, for_server=True)

    def to_json(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it; certificates in the order of the wire, paths target first."""
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
            "notes": [note.to_json() for note in self.notes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalReport(Report):
    """The answers of TLS clients to a server with a PKCS#12 file. It holds neither key nor password.

    The answer is yes where the served chain passes its checks, every client in ``required`` accepts it in TLS 1.2 and
    in TLS 1.3, and no device of ``devices`` is known to refuse it. Other clients decide nothing: whether they are asked
    depends on the programs that this computer has.
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
    """Warnings that anyone may have changed the file: it has no MAC, or one made without a password."""

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks of the served chain that failed, the required clients and the devices that say no, by name."""
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
    def not_tried(self) -> tuple[str, ...]:
        """The required clients that could not be asked, and that refused in neither version of TLS."""
        verdicts: dict[str, set[Verdict]] = {}
        for one in self.handshakes:
            if one.client in self.required:
                verdicts.setdefault(one.client, set()).add(one.verdict)
        return tuple(
            client for client, found in verdicts.items() if Verdict.NOT_TRIED in found and Verdict.REFUSED not in found
        )

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
            "server_name": self.server_name,
            "server_name_given": self.server_name_given,
            "problems": list(self.problems),
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

    @property
    def failed(self) -> tuple[str, ...]:
        """The values of the checks that failed, and the names of the devices that would refuse."""
        served = (name for chain in self._served_chains for name in chain.failed)
        devices = _refusing((*self.devices, *self.devices_in_tls_1_2))
        return tuple(dict.fromkeys((*_names(self._failures), *served, *devices)))

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons of everything in ``failed``, one sentence each."""
        served = (problem for chain in self._served_chains for problem in chain.problems)
        devices = _device_problems((*self.devices, *self.devices_in_tls_1_2))
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
        return any(one.asks_for_client_certificate for one in self.answer.protocols)

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
    def notes(self) -> tuple[CertificateNote, ...]:
        """Notes on the certificates of the served chains, each note once; no answer depends on them."""
        return tuple(dict.fromkeys(note for chain in self._served_chains for note in chain.notes))

    @property
    def _served_chains(self) -> tuple[ServedChainReport, ...]:
        return tuple(chain for chain in (self.served_chain, self.served_chain_in_tls_1_2) if chain is not None)

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
            "asks_for_client_certificate": self.asks_for_client_certificate,
            "findings": [finding.to_json() for finding in self.findings],
            "sent": None if chain is None else chain.to_json(),
            "sent_in_tls_1_2": None if other is None else other.to_json(),
            "devices": [verdict.to_json() for verdict in self.devices],
            "devices_in_tls_1_2": [verdict.to_json() for verdict in self.devices_in_tls_1_2],
            "changes": list(self.changes),
        }


def _failures(findings: Iterable[Finding], path: ValidatedPath | None) -> tuple[Finding, ...]:
    """Return the findings of failed checks. Without a valid path there is always one."""
    failures = tuple(finding for finding in findings if finding.is_problem)
    return failures if failures or path is not None else (not_ok(Check.PATH, "there is no valid path"),)


def _notes(
    path: ValidatedPath | None, certificates: tuple[Certificate, ...], *, for_server: bool | None
) -> tuple[CertificateNote, ...]:
    """Return notes on the certificates of a path, or on others where there is none."""
    if path is None:
        return lint_certificates(certificates, for_server=for_server)
    anchor = path.trust_anchor.certificate
    return lint_certificates(
        path.certificates, trust_anchors=() if anchor is None else (anchor,), for_server=for_server
    )


def _names(failures: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.check.value for finding in failures))


def _refusing(verdicts: Iterable[DeviceVerdict]) -> Iterator[str]:
    return (verdict.device for verdict in verdicts if verdict.answer is Answer.NO)


def _device_problems(verdicts: Iterable[DeviceVerdict]) -> Iterator[str]:
    for verdict in verdicts:
        if verdict.answer is Answer.NO:
            yield f"{verdict.device}, {verdict.basis}: {'; '.join(remark.why for remark in verdict.refusals)}"


def _sentence(handshake: Handshake) -> str:
    why = handshake.why or "it received other certificates than were served"
    return f"{handshake.client}, {handshake.protocol}: {handshake.verdict.value}: {why}"
