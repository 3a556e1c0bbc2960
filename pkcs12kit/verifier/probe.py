"""The library functions behind ``probe``: live servers are asked side by side, and their answers checked."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_duration, require_functions, require_kind, require_texts
from pkcs12kit.devices.judge import judge_by_rules
from pkcs12kit.devices.versions import require_devices
from pkcs12kit.errors import ArgumentError
from pkcs12kit.findings import Check, not_checked
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.paths.validation.parameters import choose_parameters
from pkcs12kit.paths.validity_now import not_valid_now
from pkcs12kit.sources.arguments import as_certificates, as_trust_anchors
from pkcs12kit.tls.certificate_message import TLS_1_2
from pkcs12kit.tls.probing.server import ask_servers
from pkcs12kit.tls.probing.target import probed_server
from pkcs12kit.verifier.expectation import as_expected, check_expected, compare
from pkcs12kit.verifier.probe_checks import check_server
from pkcs12kit.verifier.probed_chains import ProbedChain, served_in
from pkcs12kit.verifier.served_chain import check_served_chain
from pkcs12kit.verifier.server_reports import ProbeReport

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.sources.arguments import CertificatesArgument, TrustAnchorsArgument
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer
    from pkcs12kit.verifier.expectation import ExpectArgument, ExpectedFile
    from pkcs12kit.verifier.reports import ServedChainReport

_LONGEST: Final = 86_400  # seconds: sockets accept timeouts of some weeks at most


def probe(  # noqa: PLR0913  # each question has its own keyword
    host: str,
    *,
    trust_anchors: TrustAnchorsArgument,
    port: int | None = None,
    server_name: str | None = None,
    starttls: str | None = None,
    certificates: CertificatesArgument = (),
    devices: Iterable[str] = (),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    expires_within: timedelta = timedelta(0),
    timeout: float | None = None,
    expect: ExpectArgument = (),
    expect_password: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ProbeReport:
    """Connect to a live server, and check the certificates that it sends against trust anchors.

    - ``host``: ``HOST[:PORT]``, a DNS name or an IP address, IPv6 in brackets where a port follows.
    - ``trust_anchors``: files or values, as for :func:`~pkcs12kit.load_trust_anchors`.
    - ``port``: the port, where ``host`` has none; by default 443, or the port of ``starttls``.
    - ``server_name``: the name for SNI, and that the certificate has to be for; by default the host.
    - ``starttls``: a name of :data:`~pkcs12kit.tls.probing.starttls_protocols.STARTTLS`, the protocol before TLS.
    - ``certificates``: files or values to search for certificates that the server leaves out.
    - ``devices``: names of :data:`~pkcs12kit.devices.table.DEVICES`. They are judged by documented rules, not run.
    - ``parameters``: the inputs of path validation; or only ``time``, by default now.
    - ``expires_within``: the check of expiry fails if a certificate of the path expires within this time.
    - ``timeout``: seconds for all connections together, a day at most; by default ``limits.probe_seconds``.
    - ``expect``: the file that the server should serve from, or several for several types of keys: PKCS#12, PEM or
      PKCS#7. Its certificates are compared with those that are sent. ``expect_password`` opens a PKCS#12 file.
    - ``limits``: bounds on the work.

    Every address of a name is tried. The server is asked for TLS 1.3 and for TLS 1.2 one by one, and for older versions
    where neither leads to certificates; in TLS 1.3 and in TLS 1.2 also for certificates of other types of keys, such as
    RSA beside ECDSA. It is not trusted, and nothing is sent after the handshake. The served chain is
    checked as by :func:`~pkcs12kit.check_served_chain`, and so is each other chain that it sends.

    Whatever the server does, or fails to do, is part of the report, not an error. Raises
    :class:`~pkcs12kit.errors.InputError` for a host or a name that cannot be read and for files that cannot be read,
    :class:`~pkcs12kit.errors.UnknownNameError` for an unknown protocol or device, and
    :class:`~pkcs12kit.errors.ArgumentError` for other arguments that cannot be used. Not checked: revocation. The
    system's resolver has no timeout: where it takes too long, the thread that waits for it is left behind.
    """
    server = probed_server(host, port=port, server_name=server_name, starttls=starttls)
    parameters = choose_parameters(parameters, time=time)
    if parameters.server_name is not None:
        raise ArgumentError("give server_name to probe, not inside parameters: it is also the name for SNI")
    (report,) = probe_servers(
        (server,),
        trust_anchors=trust_anchors,
        certificates=certificates,
        devices=devices,
        parameters=parameters,
        expires_within=expires_within,
        timeout=timeout,
        expect=expect,
        expect_password=expect_password,
        limits=limits,
    )
    return report


def probe_servers(  # noqa: PLR0913  # as above
    servers: Iterable[ProbedServer],
    *,
    trust_anchors: TrustAnchorsArgument,
    parameters: ValidationParameters,
    certificates: CertificatesArgument = (),
    devices: Iterable[str] = (),
    expires_within: timedelta = timedelta(0),
    timeout: float | None = None,
    expect: ExpectArgument = (),
    expect_password: str | None = None,
    on_answer: Callable[[ProbedServer, ServerAnswer], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Generator[ProbeReport]:
    """Probe servers side by side, at most ``limits.probe_servers`` at once, and yield their reports in order.

    The arguments are those of :func:`probe`, with ``parameters`` for all servers except for the server name.
    ``on_answer`` is called with each answer as it comes, from threads. Closing the generator interrupts the servers
    that have not answered yet, and ends their sockets and threads.
    """
    require_functions(on_answer=on_answer)
    require_kind("limits", limits, Limits)
    require_kind("timeout", timeout, int, float, optional=True)
    if timeout is not None and not 0 < timeout <= _LONGEST:
        raise ArgumentError(f"timeout is in seconds, more than 0 and at most {_LONGEST:,}")
    require_duration("expires_within", expires_within)
    warnings: list[str] = []
    require_texts(expect_password=expect_password)
    judge = _Judge(
        devices=require_devices(devices),
        trust_anchors=as_trust_anchors(trust_anchors, on_warning=warnings.append, limits=limits),
        warnings=warnings,
        pool=as_certificates(certificates, limits=limits) or None,
        parameters=parameters,
        expires_within=expires_within,
        expected=as_expected(expect, password=expect_password, time=parameters.time, limits=limits),
        limits=limits,
    )
    asked = tuple(servers)
    return _report_all(asked, ask_servers(asked, seconds=timeout, limits=limits, on_answer=on_answer), judge)


def _report_all(
    servers: Sequence[ProbedServer], answers: Generator[ServerAnswer], judge: _Judge
) -> Generator[ProbeReport]:
    """Check the answers in this thread, when their reports are asked for."""
    with closing(answers):
        for server, answer in zip(servers, answers, strict=True):
            yield judge.report(server, answer)


def _about_time(*chains: ServedChainReport | None) -> Iterator[str]:
    for chain in chains:
        if chain is not None and chain.path is not None:
            yield from not_valid_now(chain.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """The inputs with which every answer is checked."""

    trust_anchors: tuple[TrustAnchor, ...]
    pool: CertificatePool | None
    devices: tuple[str, ...]
    parameters: ValidationParameters
    expires_within: timedelta
    expected: tuple[ExpectedFile, ...]
    limits: Limits
    warnings: Sequence[str]
    """Sentences about the trust anchors, for each report."""

    def report(self, server: ProbedServer, answer: ServerAnswer) -> ProbeReport:
        report = self._report(server, answer)
        if not self.expected:
            return report
        if answer.message is None:
            expected = not_checked(Check.EXPECTED, "no certificate came")
            return replace(report, findings=(*report.findings, expected))
        comparisons = compare(self.expected, report.chains)
        expected = check_expected(comparisons, report.chains)
        return replace(report, findings=(*report.findings, expected), comparisons=comparisons)

    def _report(self, server: ProbedServer, answer: ServerAnswer) -> ProbeReport:
        """Return the report without the comparison with files."""
        message = answer.message
        if message is None:
            return ProbeReport(
                server=server,
                answer=answer,
                findings=tuple(check_server(server, answer, None)),
                served_chain=None,
                warnings=tuple(self.warnings),
            )
        chain = self._check(message, server.server_name)
        older = (one.message for one in answer.answers if one.message and one.protocol == TLS_1_2)
        others = (one for one in older if one.certificates != message.certificates)
        other = next((self._check(one, server.server_name) for one in others), None)
        judged = {one.message.certificates for one in (chain, other) if one is not None}
        more = tuple(self._other_chains(server, answer, judged))
        return ProbeReport(
            server=server,
            answer=answer,
            findings=tuple(check_server(server, answer, other, more)),
            served_chain=chain,
            served_chain_in_tls_1_2=other,
            devices=self._judge_devices(chain),
            devices_in_tls_1_2=() if other is None else self._judge_devices(other),
            other_chains=more,
            warnings=tuple(dict.fromkeys((*self.warnings, *_about_time(chain, other, *(one.report for one in more))))),
        )

    def _other_chains(
        self, server: ProbedServer, answer: ServerAnswer, judged: set[tuple[Certificate, ...]]
    ) -> Iterator[ProbedChain]:
        """Yield the chains that only handshakes for other types of keys led to, each once."""
        for one in answer.all_answers:
            if one.message is not None and one.message.certificates not in judged:
                judged.add(one.message.certificates)
                chain = self._check(one.message, server.server_name)
                yield ProbedChain(
                    handshakes=served_in(answer, one.message.certificates),
                    report=chain,
                    devices=self._judge_devices(chain),
                )

    def _check(self, message: CertificateMessage, server_name: str) -> ServedChainReport:
        return check_served_chain(
            message,
            trust_anchors=self.trust_anchors,
            parameters=replace(self.parameters, server_name=server_name),
            pool=self.pool,
            expires_within=self.expires_within,
            limits=self.limits,
        )

    def _judge_devices(self, chain: ServedChainReport) -> tuple[DeviceVerdict, ...]:
        return tuple(
            judge_by_rules(
                device,
                message=chain.message,
                path=chain.path,
                trust_anchors=self.trust_anchors,
                parameters=chain.parameters,
            )
            for device in self.devices
        )
