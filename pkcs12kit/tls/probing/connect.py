"""Connections to a host by name: all its addresses, IPv6 and IPv4, within one deadline (RFC 8305)."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
from collections import deque
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, zip_longest
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.tls.address import host_and_port
from pkcs12kit.tls.channel import ChannelTimeoutError
from pkcs12kit.tls.probing.contact import Contact, ContactError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.limits import Limits
    from pkcs12kit.tls.channel import Deadline
    from pkcs12kit.tls.probing.contact import OpenSockets

_ATTEMPT_DELAY: Final = 0.25  # seconds until the next address is tried beside the last (RFC 8305 section 5)
_INTERRUPTION_CHECK: Final = 0.25  # seconds between checks for an interruption
_BEGUN: Final = frozenset({0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", 0)})
"""The answers to the request for a connection that succeeded, or that goes on: Windows has a number of its own."""
_ERRORS_OF_WINDOWS: Final[dict[int, str]] = getattr(socket, "errorTab", {})  # os.strerror does not know these there
_OF_ERRORS: Final = {errno.ECONNREFUSED: Contact.REFUSED, errno.ETIMEDOUT: Contact.TIMED_OUT}


class SocketAddress(NamedTuple):
    """One address of a server, in the form that sockets need."""

    family: int
    sockaddr: tuple[Any, ...]
    """The address, the port, and more for IPv6."""

    def __str__(self) -> str:
        return host_and_port(*self.sockaddr[:2])


def resolve(
    host: str, port: int, *, deadline: Deadline, sockets: OpenSockets, limits: Limits
) -> tuple[SocketAddress, ...]:
    """Return the addresses of a host, at most ``limits.probe_addresses``, in the order in which to try them.

    The system's resolver is asked in a thread of its own. It cannot be stopped: if it is not waited for, the thread
    lasts until the resolver gives up. Raises :class:`~pkcs12kit.tls.probing.contact.ContactError`.
    """
    with suppress(OSError):
        return _addresses(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST), limits)
    answers: SimpleQueue[Sequence[tuple[Any, ...]] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"resolver of {host}", daemon=True).start()
    while True:
        sockets.require_no_interruption()
        try:
            answer = answers.get(timeout=min(_INTERRUPTION_CHECK, deadline.remaining()))
            break
        except Empty:
            continue
        except ChannelTimeoutError:
            raise ContactError(Contact.TIMED_OUT, f"the name {host} was not resolved in time") from None
    if isinstance(answer, OSError):
        raise ContactError(Contact.UNRESOLVABLE, f"the name {host} cannot be resolved: {answer.strerror or answer}")
    return _addresses(answer, limits)


def _addresses(found: Iterable[tuple[Any, ...]], limits: Limits) -> tuple[SocketAddress, ...]:
    """Return the addresses in the resolver's order, the families in turn (RFC 8305 section 4)."""
    addresses = tuple(dict.fromkeys(SocketAddress(family, sockaddr) for family, _, _, _, sockaddr in found))
    first = [one for one in addresses if one.family == addresses[0].family]
    others = [one for one in addresses if one.family != addresses[0].family]
    in_turn = chain.from_iterable(zip_longest(first, others))
    return tuple(one for one in in_turn if one is not None)[: limits.probe_addresses]


@contextmanager
def connected(
    addresses: Sequence[SocketAddress], *, deadline: Deadline, sockets: OpenSockets
) -> Iterator[tuple[socket.socket, SocketAddress]]:
    """Connect to the address that accepts first, and close the connection at the end.

    The next address is tried beside one that does not answer at once (RFC 8305 section 5), so that an address where
    packets get lost does not use up the time. Raises :class:`~pkcs12kit.tls.probing.contact.ContactError` with the
    error of each address.
    """
    with ExitStack() as opened:
        attempts = _Attempts(opened, sockets)
        waiting = deque(addresses)
        while (won := attempts.settle()) is None:
            if waiting:
                attempts.start(waiting.popleft())
            elif not attempts.pending:
                raise attempts.failure()
            try:
                attempts.wait(min(_ATTEMPT_DELAY, deadline.remaining()))
            except ChannelTimeoutError:
                raise attempts.failure() from None
            sockets.require_no_interruption()
        yield won


class _Attempts:
    """Connection attempts: those that are pending, the first that succeeded, and the errors of the others."""

    def __init__(self, opened: ExitStack, sockets: OpenSockets) -> None:
        self._opened = opened
        self._sockets = sockets
        self._selector = opened.enter_context(selectors.DefaultSelector())
        self._failed: dict[SocketAddress, OSError] = {}
        self._won: tuple[socket.socket, SocketAddress] | None = None
        self.pending: dict[SocketAddress, tuple[socket.socket, ExitStack]] = {}
        """The socket of each attempt, with the stack that closes it."""

    def start(self, address: SocketAddress) -> None:
        """Begin to connect to one more address."""
        closing = self._opened.enter_context(ExitStack())
        try:
            one = closing.enter_context(self._sockets.keep(socket.socket(address.family, socket.SOCK_STREAM)))
            one.settimeout(0)
            number = one.connect_ex(address.sockaddr)
        except OSError as error:  # no such family here, too many open files, an invalid address
            closing.close()
            self._failed[address] = error
            return
        self.pending[address] = (one, closing)
        if number in _BEGUN:
            self._selector.register(one, selectors.EVENT_WRITE, address)
        else:
            self._fail(address, number)

    def wait(self, seconds: float) -> None:
        """Wait until an attempt succeeds or fails, if one is pending."""
        if not self.pending:
            return
        for key, _ in self._selector.select(seconds):
            address = key.data
            one = self.pending[address][0]
            self._selector.unregister(one)
            number = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._fail(address, number)
            elif self._won is None:
                self._won = one, address

    def settle(self) -> tuple[socket.socket, SocketAddress] | None:
        """Return the connection that succeeded, if one has, and close the other attempts."""
        if self._won is not None:
            for address, (_, closing) in self.pending.items():
                if address != self._won[1]:
                    closing.close()
        return self._won

    def failure(self) -> ContactError:
        """Return an error with the result of each address."""
        words = {address: error.strerror or str(error) for address, error in self._failed.items()}
        contacts = {_OF_ERRORS.get(error.errno or 0, Contact.UNREACHABLE) for error in self._failed.values()}
        if self.pending:
            contacts.add(Contact.TIMED_OUT)
            words |= dict.fromkeys(self.pending, "no answer in time")
        most_telling = (Contact.TIMED_OUT, Contact.REFUSED, Contact.UNREACHABLE)  # first those that may be temporary
        contact = next((one for one in most_telling if one in contacts), Contact.UNREACHABLE)
        return ContactError(contact, "; ".join(f"{address}: {said}" for address, said in words.items()))

    def _fail(self, address: SocketAddress, number: int) -> None:
        _, closing = self.pending.pop(address)
        closing.close()
        self._failed[address] = OSError(number, _ERRORS_OF_WINDOWS.get(number) or os.strerror(number))
