"""What can come of contacting a server, and the sockets that an interruption has to close."""

from __future__ import annotations

import socket
from contextlib import contextmanager, suppress
from enum import Enum
from threading import Lock
from typing import TYPE_CHECKING

from pkcs12kit.errors import Pkcs12KitError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Contact(Enum):
    """What came of contacting a server: the closed list, and of several answers the last says the most.

    The value is what ``probe --json`` prints.
    """

    ANSWERED = "answered"
    """It sent its certificates. Whether it would take the client is another thing."""
    UNRESOLVABLE = "unresolvable"
    """The name has no address, or none could be found out."""
    REFUSED = "refused"
    """Nothing listens on the port."""
    UNREACHABLE = "unreachable"
    """No address can be reached from here."""
    TIMED_OUT = "timed-out"
    """The server did not connect, or not go on, within the time given."""
    CLOSED = "closed"
    """It closed the connection before its certificates came, without saying why."""
    NOT_TLS = "not-tls"
    """Something answers, but not in TLS."""
    STARTTLS_REFUSED = "starttls-refused"
    """The server says no to TLS, in the protocol that comes before it."""
    STARTTLS_BROKEN = "starttls-broken"
    """What comes before TLS is not the protocol, has no end, or goes on in the clear after the yes."""
    HANDSHAKE_FAILED = "handshake-failed"
    """It speaks TLS, and no version and no cipher suite led to its certificates."""
    NAME_REFUSED = "name-refused"
    """It knows no server of that name (the alert unrecognized_name, RFC 6066 section 3)."""
    UNREADABLE = "unreadable"
    """It sent certificates, or something in their place, that cannot be read."""
    INTERRUPTED = "interrupted"
    """The caller did not wait for the end."""


class ContactError(Pkcs12KitError):
    """A server was not heard out. ``contact`` is what came of it; the text is one line, and may quote the server."""

    def __init__(self, contact: Contact, why: str) -> None:
        super().__init__(why)
        self.contact = contact


class OpenSockets:
    """The sockets of one or more contacts, for another thread to end them all."""

    def __init__(self) -> None:
        self._sockets: set[socket.socket] = set()
        self._lock = Lock()
        self._interrupted = False

    @contextmanager
    def keep(self, one: socket.socket) -> Iterator[socket.socket]:
        """Have a socket ended by :meth:`interrupt`, for as long as it is in use; it is closed then."""
        with one:
            with self._lock:
                self._sockets.add(one)
            try:
                self.require_no_interruption()
                yield one
            finally:
                with self._lock:
                    self._sockets.discard(one)

    def require_no_interruption(self) -> None:
        """Raise :class:`ContactError` if :meth:`interrupt` was called."""
        if self._interrupted:
            raise ContactError(Contact.INTERRUPTED, "interrupted before the end")

    def interrupt(self) -> None:
        """End every socket, and what is opened from now on; who waits for one is told that it was closed."""
        with self._lock:
            self._interrupted = True
            for one in self._sockets:
                with suppress(OSError):  # not connected, or no longer
                    one.shutdown(socket.SHUT_RDWR)
