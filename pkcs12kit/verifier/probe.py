"""``probe``: one live server, or several side by side, held against what their clients trust."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_several
from pkcs12kit.devices.judge import judge_by_rules
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors
from pkcs12kit.tls.address import HTTPS_PORT, ServerAddress, parse_address, parse_host
from pkcs12kit.tls.certificate_message import TLS_1_2
from pkcs12kit.tls.probing.contact import OpenSockets
from pkcs12kit.tls.probing.server import ask_server
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS
from pkcs12kit.verifier.probe_checks import findings_of
from pkcs12kit.verifier.reports import ProbedServer, ProbeReport
from pkcs12kit.verifier.sent import judge_sent

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.limits import Limits
    from pkcs12kit.sources.loading import CertificateSource, TrustAnchorSource
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.probing.server import ServerAnswer
    from pkcs12kit.verifier.reports import SentReport

_LOOKS_UP: Final = 0.25  # seconds: a signal that comes just before a wait is seen after it
_LONGEST: Final = 86_400  # seconds: sockets take no more than some weeks


def probe(  # noqa: PLR0913  # each question has its own keyword
    host: str,
    *,
    trust_anchors: Iterable[TrustAnchorSource],
    port: int | None = None,
    server_name: str | None = None,
    starttls: str | None = None,
    certificates: Iterable[CertificateSource] = (),
    devices: Iterable[str] = (),
    parameters: ValidationParameters | None = None,
    time: datetime | None = None,
    expires_within: timedelta = timedelta(0),
    timeout: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ProbeReport:
    """Connect to a live server, take the certificates that it sends, and hold them against trust anchors.

    ``host`` is ``HOST[:PORT]``, a DNS name or an IP address, IPv6 in brackets where a port follows; ``port`` is short
    for that, and 443, or the port of ``starttls``, where neither says. ``starttls`` is a protocol of
    :data:`~pkcs12kit.tls.probing.starttls_protocols.STARTTLS`, which is spoken before TLS. ``server_name`` goes into
    SNI and is what the certificate has to be for, the host where it is None. Every address of a name is tried. TLS 1.3
    and TLS 1.2 are asked for one by one, older versions where neither leads to certificates. Nothing is trusted and
    nothing sent after the handshake.

    What comes is judged as :func:`~pkcs12kit.judge_sent` does, with ``certificates`` to look in for what is missing,
    and by the rules of ``devices``, names of :data:`~pkcs12kit.devices.table.DEVICES`. ``time`` is short for
    ``parameters`` with just that; it is now where none is given. ``timeout`` is in seconds, a day at most, and for all
    connections together.

    Whatever the server does, or fails to do, is an answer and no error. Raises
    :class:`~pkcs12kit.errors.InputError` for a host or a name that is none and for files that cannot be read,
    :class:`KeyError` for a protocol or a device that is not known, :class:`TypeError` and :class:`ValueError` for
    arguments that make no sense. Not checked: revocation. The system's resolver has no timeout: a thread that waits for
    it is left behind where it takes longer than that.
    """
    server = probed_server(host, port=port, server_name=server_name, starttls=starttls)
    if parameters is not None and (time is not None or parameters.server_name is not None):
        raise TypeError("give time inside parameters, or no parameters; and server_name outside of them")
    (report,) = probe_servers(
        (server,),
        trust_anchors=trust_anchors,
        certificates=certificates,
        devices=devices,
        parameters=parameters or ValidationParameters(time=time or datetime.now(UTC)),
        expires_within=expires_within,
        timeout=timeout,
        limits=limits,
    )
    return report


def probed_server(
    host: str, *, port: int | None = None, server_name: str | None = None, starttls: str | None = None, label: str = ""
) -> ProbedServer:
    """Read where a server is. Raises as :func:`probe` does; nothing is resolved."""
    if starttls is not None and starttls not in STARTTLS:
        raise KeyError(f"no protocol {starttls!r}; there are {', '.join(STARTTLS)}")
    address = parse_address(host)
    if address.port is not None and port is not None:
        raise InputError(f"{host!r} says its port, and port says one too")
    default = HTTPS_PORT if starttls is None else STARTTLS[starttls].port
    name = address.name if server_name is None else ServerAddress(host=parse_host(server_name)).name
    return ProbedServer(
        address=address, port=port or address.port or default, server_name=name, starttls=starttls, label=label
    )


def probe_servers(  # noqa: PLR0913  # as above
    servers: Iterable[ProbedServer],
    *,
    trust_anchors: Iterable[TrustAnchorSource],
    parameters: ValidationParameters,
    certificates: Iterable[CertificateSource] = (),
    devices: Iterable[str] = (),
    expires_within: timedelta = timedelta(0),
    timeout: float | None = None,
    on_answer: Callable[[ProbedServer, ServerAnswer], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Generator[ProbeReport]:
    """Probe servers side by side, at most ``limits.probe_servers`` at a time, and give a report of each in their order.

    As :func:`probe`, with ``parameters`` for all of them but for the name. ``on_answer`` is called with each answer as
    it comes, from threads. Closing the iterator ends what is still on its way, sockets and threads with it.
    """
    require_several({"trust_anchors": trust_anchors, "certificates": certificates, "devices": devices})
    if timeout is not None and not 0 < timeout <= _LONGEST:
        raise ValueError(f"timeout is in seconds, more than none and {_LONGEST:,} at most")
    if expires_within < timedelta(0):
        raise ValueError("expires_within is a time to come, and not negative")
    for name in (wanted := tuple(dict.fromkeys(devices))):
        if name not in DEVICES:
            raise KeyError(f"no device {name!r}; there are {', '.join(DEVICES)}")
    sources = tuple(certificates)
    judge = _Judge(
        trust_anchors=load_trust_anchors(*trust_anchors, limits=limits),
        pool=load_certificates(*sources, limits=limits) if sources else None,
        devices=wanted,
        parameters=parameters,
        expires_within=expires_within,
        limits=limits,
    )
    return _probe_all(tuple(servers), judge, timeout, on_answer)


def _probe_all(
    servers: Sequence[ProbedServer],
    judge: _Judge,
    timeout: float | None,
    on_answer: Callable[[ProbedServer, ServerAnswer], object] | None,
) -> Generator[ProbeReport]:
    """Ask in threads, which wait for servers most of the time, and judge here, as the answers are wanted."""
    sockets = OpenSockets()

    def ask(server: ProbedServer) -> ServerAnswer:
        answer = ask_server(
            replace(server.address, port=server.port),
            server_name=server.server_name,
            starttls=None if server.starttls is None else STARTTLS[server.starttls],
            seconds=timeout,
            limits=judge.limits,
            sockets=sockets,
        )
        if on_answer is not None:
            on_answer(server, answer)
        return answer

    with ThreadPoolExecutor(judge.limits.probe_servers, thread_name_prefix="pkcs12kit-probe") as threads:
        asked = [threads.submit(ask, server) for server in servers]
        try:
            for server, question in zip(servers, asked, strict=True):
                while not wait((question,), timeout=_LOOKS_UP).done:
                    pass
                yield judge.report(server, question.result())
        finally:  # an interruption comes here too
            sockets.interrupt()
            threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What every answer is held against."""

    trust_anchors: tuple[TrustAnchor, ...]
    pool: CertificatePool | None
    devices: tuple[str, ...]
    parameters: ValidationParameters
    expires_within: timedelta
    limits: Limits

    def report(self, server: ProbedServer, answer: ServerAnswer) -> ProbeReport:
        parameters = replace(self.parameters, server_name=server.server_name)
        message = answer.message
        if message is None:
            return ProbeReport(
                server=server, answer=answer, findings=tuple(findings_of(server, answer, None)), sent=None
            )
        sent = self._judge(message, parameters)
        others = (one.message for one in answer.answers if one.message and one.protocol == TLS_1_2)
        other = next((self._judge(one, parameters) for one in others if one.certificates != message.certificates), None)
        return ProbeReport(
            server=server,
            answer=answer,
            findings=tuple(findings_of(server, answer, other)),
            sent=sent,
            sent_in_tls_1_2=other,
            devices=self._by_rule(sent),
            devices_in_tls_1_2=() if other is None else self._by_rule(other),
        )

    def _by_rule(self, sent: SentReport) -> tuple[DeviceVerdict, ...]:
        return tuple(
            judge_by_rules(
                device,
                message=sent.message,
                path=sent.path,
                trust_anchors=self.trust_anchors,
                parameters=sent.parameters,
            )
            for device in self.devices
        )

    def _judge(self, message: CertificateMessage, parameters: ValidationParameters) -> SentReport:
        return judge_sent(
            message,
            trust_anchors=self.trust_anchors,
            parameters=parameters,
            pool=self.pool,
            expires_within=self.expires_within,
            limits=self.limits,
        )
