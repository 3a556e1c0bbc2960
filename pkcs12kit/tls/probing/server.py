"""Live servers: a client that accepts any certificate asks for the served chain, version by version of TLS."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.lenient import read_name
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.address import is_ip_address
from pkcs12kit.tls.certificate_message import CertificateMessage
from pkcs12kit.tls.channel import (
    Channel,
    ChannelClosedError,
    ChannelError,
    ChannelTimeoutError,
    Deadline,
    NotTLSError,
    PeerLimitError,
    TLSError,
)
from pkcs12kit.tls.probing.answers import ProtocolAnswer, ServerAnswer
from pkcs12kit.tls.probing.connect import connected, resolve
from pkcs12kit.tls.probing.contact import Contact, ContactError, OpenSockets
from pkcs12kit.tls.probing.offers import OFFERS, OLD_TLS, choose_schemes
from pkcs12kit.tls.probing.other_keys import NO_OTHER_KEYS, ask_for_other_keys
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS, start_tls

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Generator, Iterator, Sequence

    from OpenSSL import SSL

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.limits import Limits
    from pkcs12kit.tls.probing.connect import SocketAddress
    from pkcs12kit.tls.probing.offers import Offer
    from pkcs12kit.tls.probing.starttls_protocols import StartTLSProtocol
    from pkcs12kit.tls.probing.target import ProbedServer

_PARTS: Final = 4  # of the time that is left, for one handshake that asks for other types of keys
_SIGNAL_CHECK: Final = 0.25  # seconds between checks for signals: one that comes just before a wait is seen after it
_CERTIFICATE_REQUEST: Final = b"SSLv3/TLS read server certificate request"  # as OpenSSL names the state
_BAD_CERTIFICATE: Final = 42  # RFC 8446 section 6.2, which OpenSSL sends where it cannot decode one
_UNRECOGNIZED_NAME: Final = 112  # RFC 6066 section 3
_DESCRIPTION: Final = 0xFF  # the mask for the description of an alert in OpenSSL's value

_OF_ERRORS: Final = {
    ChannelTimeoutError: Contact.TIMED_OUT,
    ChannelClosedError: Contact.CLOSED,
    NotTLSError: Contact.NOT_TLS,
    TLSError: Contact.HANDSHAKE_FAILED,
    PeerLimitError: Contact.UNREADABLE,
}


def ask_servers(
    servers: Sequence[ProbedServer],
    *,
    seconds: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    on_answer: Callable[[ProbedServer, ServerAnswer], object] | None = None,
) -> Generator[ServerAnswer]:
    """Ask servers side by side in threads, at most ``limits.probe_servers`` at once; yield their answers in order.

    ``seconds`` are for each server, as for :func:`ask_server`. ``on_answer`` is called with each answer as it comes,
    from threads. Closing the generator interrupts the servers that have not answered yet, and ends their sockets and
    threads.
    """
    sockets = OpenSockets()

    def ask(server: ProbedServer) -> ServerAnswer:
        answer = ask_server(server, seconds=seconds, limits=limits, sockets=sockets)
        if on_answer is not None:
            on_answer(server, answer)
        return answer

    with ThreadPoolExecutor(limits.probe_servers, thread_name_prefix="pkcs12kit-probe") as threads:
        pending = [threads.submit(ask, server) for server in servers]
        try:
            for one in pending:
                while not wait((one,), timeout=_SIGNAL_CHECK).done:
                    pass
                yield one.result()
        finally:  # after an interruption, too
            sockets.interrupt()
            threads.shutdown(wait=False, cancel_futures=True)


def ask_server(
    server: ProbedServer,
    *,
    seconds: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    sockets: OpenSockets | None = None,
) -> ServerAnswer:
    """Return the certificates that a server sends in TLS 1.3 and in TLS 1.2, and in older versions if in neither.

    The client offers the algorithms that iOS and Android both have, and weak versions and algorithms only where these
    lead to no certificate. In TLS 1.3 and in TLS 1.2 it then asks for certificates of other types of keys, until the
    server has none: at most ``limits.probe_connections`` connections in all. ``seconds`` are for all connections
    together (``limits.probe_seconds`` where None); each version has its share of the time that is left. ``sockets``
    lets another thread interrupt this one. Whatever a server does is an answer: no error is raised for it. The server
    is not trusted and its certificates are not checked. Nothing is sent after a handshake except its end.
    """
    starttls = None if server.starttls is None else STARTTLS[server.starttls]
    sockets = OpenSockets() if sockets is None else sockets
    deadline = Deadline.after(limits.probe_seconds if seconds is None else seconds)
    try:
        addresses = resolve(server.address.host, server.port, deadline=deadline, sockets=sockets, limits=limits)
    except ContactError as error:
        return ServerAnswer(contact=error.contact, why=str(error), answered_at=None, protocols=())
    connections = _Connections(addresses, server.server_name, starttls, limits, sockets)
    answers: list[ProtocolAnswer] = []
    for left, offer in zip(range(len(OFFERS), 0, -1), OFFERS.values(), strict=True):
        if offer.name == OLD_TLS and any(one.message for one in answers):
            break
        try:
            answers.append(connections.ask(offer, deadline, left))
        except ContactError as error:  # before TLS, where another version makes no difference
            if not answers:
                at = connections.answered_at
                return ServerAnswer(contact=error.contact, why=str(error), answered_at=at, protocols=())
            answers.append(ProtocolAnswer(protocol=offer.name, contact=error.contact, why=str(error)))
            break
        if answers[-1].contact is Contact.NOT_TLS:
            break
    contact, why = _sum_up(answers)
    others = NO_OTHER_KEYS
    if contact is Contact.ANSWERED:
        others = ask_for_other_keys(
            answers, lambda offer: connections.ask(offer, deadline, _PARTS), limits.probe_connections
        )
        if Contact.INTERRUPTED in {one.contact for one in others.answers}:
            contact, why = Contact.INTERRUPTED, others.stopped
    return ServerAnswer(
        contact=contact,
        why=why,
        answered_at=connections.answered_at,
        protocols=tuple(answers),
        other_keys=others.answers,
        other_keys_stopped=others.stopped,
        not_asked=tuple(at for at in map(str, addresses) if at != connections.answered_at),
    )


def _share(deadline: Deadline, parts: int) -> Deadline:
    """Return a deadline after one of so many parts of the time that is left, so that each version has its part."""
    now = time.monotonic()
    return Deadline(now + (deadline.at - now) / parts)


def _sum_up(answers: Sequence[ProtocolAnswer]) -> tuple[Contact, str]:
    """Return the overall result with its reasons, those of each version where they differ."""
    contacts = {one.contact for one in answers}
    if Contact.INTERRUPTED not in contacts and Contact.ANSWERED in contacts:
        return Contact.ANSWERED, ""
    contact = max(contacts, key=list(Contact).index)
    worded: dict[str, list[str]] = {}
    for one in answers:
        if one.contact is not Contact.ANSWERED:
            worded.setdefault(one.why, []).append(one.protocol)
    if len(worded) == 1:
        return contact, next(iter(worded))
    return contact, "; ".join(f"{' and '.join(protocols)}: {why}" for why, protocols in worded.items())


class _Connections:
    """Connections to one server, in one version of TLS after the other."""

    def __init__(
        self,
        addresses: Sequence[SocketAddress],
        server_name: str,
        starttls: StartTLSProtocol | None,
        limits: Limits,
        sockets: OpenSockets,
    ) -> None:
        self._addresses = addresses
        self._server_name = server_name
        self._starttls = starttls
        self._limits = limits
        self._sockets = sockets
        self.answered_at: str | None = None

    def ask(self, offer: Offer, deadline: Deadline, left: int) -> ProtocolAnswer:
        """Connect, to the same address as before if one accepted, and make one handshake in this version.

        ``left`` is the number of versions that share the remaining time, this one included. Raises
        :class:`~pkcs12kit.tls.probing.contact.ContactError` for a failure before TLS, and for an interruption.
        """
        try:
            with connected(self._addresses, deadline=deadline, sockets=self._sockets) as (over, at):
                self._addresses, self.answered_at = (at,), str(at)
                if self._starttls is not None:  # it may use all the time: many mail servers keep clients waiting
                    start_tls(
                        over, self._starttls, server_name=self._server_name, deadline=deadline, limits=self._limits
                    )
                return _shake_hands(over, offer, self._server_name, _share(deadline, left), self._limits)
        finally:  # an interruption looks as if the server had closed the connection
            self._sockets.require_no_interruption()


def _shake_hands(
    over: socket.socket, offer: Offer, server_name: str, deadline: Deadline, limits: Limits
) -> ProtocolAnswer:
    """Make one handshake and return its result, complete or not."""
    seen = _Events()
    connection = _connection(offer, server_name, seen)
    why, contact = "", Contact.ANSWERED
    with closing(Channel(connection, over, deadline=deadline, limits=limits)) as channel:
        try:
            channel.handshake()
        except ChannelError as error:
            why, contact = str(error), _OF_ERRORS[type(error)]
        certificates, protocol = channel.certificates, channel.protocol
        authorities = tuple(_authorities(connection))
        cipher_suite, group = connection.get_cipher_name() or "", connection.get_group_name() or ""
    if not certificates:
        contact = seen.explain(contact)
        words = "its certificates cannot be read: " if contact is Contact.UNREADABLE else ""
        return ProtocolAnswer(
            protocol=offer.name,
            contact=contact,
            why=f"{words}{why or 'the server sent none'}",
            asked_key_types=offer.key_types,
        )
    try:
        message = CertificateMessage.from_der(certificates, protocol=protocol)
    except MalformedCertificateError as error:
        why = f"its certificates cannot be read: {error}"
        asked = offer.key_types
        return ProtocolAnswer(protocol=protocol, contact=Contact.UNREADABLE, why=why, asked_key_types=asked)
    return ProtocolAnswer(
        protocol=protocol,
        contact=Contact.ANSWERED,
        why=why,
        message=message,
        asks_for_client_certificate=seen.certificate_request,
        client_authorities=authorities,
        is_old=offer.name == OLD_TLS,
        cipher_suite=cipher_suite,
        group=group,
        ended_by_server=contact is Contact.CLOSED or seen.server_ended,
        asked_key_types=offer.key_types,
    )


class _Events:
    """Events of a handshake that OpenSSL reports only while they happen: alerts, and a request for a certificate."""

    def __init__(self) -> None:
        self.certificate_request = False
        self._read: int | None = None
        self._written: int | None = None

    @property
    def server_ended(self) -> bool:
        """True where the server sent an alert and OpenSSL did not."""
        return self._read is not None and self._written is None

    def explain(self, contact: Contact) -> Contact:
        """Return why no certificate came, by the last alert of the server or of OpenSSL."""
        if contact is Contact.ANSWERED:
            return Contact.HANDSHAKE_FAILED
        if self._written == _BAD_CERTIFICATE:
            return Contact.UNREADABLE
        return Contact.NAME_REFUSED if self._read == _UNRECOGNIZED_NAME else contact

    def note(self, connection: SSL.Connection, where: int, what: int) -> None:
        """Record one event; this is the callback for OpenSSL."""
        from OpenSSL import SSL

        if where == SSL.SSL_CB_READ_ALERT:
            self._read = what & _DESCRIPTION
        elif where == SSL.SSL_CB_WRITE_ALERT:
            self._written = what & _DESCRIPTION
        elif connection.get_state_string() == _CERTIFICATE_REQUEST:
            self.certificate_request = True


def _connection(offer: Offer, server_name: str, seen: _Events) -> SSL.Connection:
    """Return a client that accepts any certificate, from any server that OpenSSL can still connect to."""
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(offer.ciphers)
    context.set_min_proto_version(getattr(SSL, offer.least))
    context.set_max_proto_version(getattr(SSL, offer.most))
    if offer.schemes:
        choose_schemes(context, offer.schemes)
    context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_info_callback(seen.note)
    connection = SSL.Connection(context)
    connection.set_connect_state()
    if not is_ip_address(server_name):
        connection.set_tlsext_host_name(server_name.encode("ascii"))
    return connection


def _authorities(connection: SSL.Connection) -> Iterator[Name]:
    """Yield the CAs that the server names, without names that cannot be read."""
    for name in connection.get_client_ca_list():
        with suppress(MalformedCertificateError):
            yield read_name(name.der())
