"""Contacts with a server: their possible results, and the sockets that an interruption closes."""

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
    """The result of contacting a server. Of several results, the last one in this list is the most specific.

    The value is printed by ``probe --json``.
    """

    ANSWERED = "answered"
    """It sent its certificates. It may still refuse the client."""
    UNRESOLVABLE = "unresolvable"
    """The name has no address, or its address could not be found."""
    REFUSED = "refused"
    """Nothing listens on the port."""
    UNREACHABLE = "unreachable"
    """No address can be reached from here."""
    TIMED_OUT = "timed-out"
    """The server did not connect or did not continue within the given time."""
    CLOSED = "closed"
    """It closed the connection before its certificates came, and gave no reason."""
    NOT_TLS = "not-tls"
    """The server answers, but not in TLS."""
    STARTTLS_REFUSED = "starttls-refused"
    """The server refuses TLS, in the protocol before it."""
    STARTTLS_BROKEN = "starttls-broken"
    """The server does not speak the protocol before TLS, does not end, or sends more in the clear after it agreed."""
    HANDSHAKE_FAILED = "handshake-failed"
    """It speaks TLS, but no version and no cipher suite led to its certificates."""
    NAME_REFUSED = "name-refused"
    """It does not know that server name (the alert unrecognized_name, RFC 6066 section 3)."""
    UNREADABLE = "unreadable"
    """It sent certificates that cannot be read, or something else in their place."""
    INTERRUPTED = "interrupted"
    """The caller interrupted the contact."""


class ContactError(Pkcs12KitError):
    """A contact that failed. ``contact`` is its result; the text is one line and may quote the server."""

    def __init__(self, contact: Contact, why: str) -> None:
        super().__init__(why)
        self.contact = contact


class OpenSockets:
    """The open sockets of one or more contacts, which another thread can end."""

    def __init__(self) -> None:
        self._sockets: set[socket.socket] = set()
        self._lock = Lock()
        self._interrupted = False

    @contextmanager
    def keep(self, one: socket.socket) -> Iterator[socket.socket]:
        """Register a socket for :meth:`interrupt` while it is in use, and close it afterwards."""
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
        """End every socket, also those that are opened later; a thread that waits for one sees it closed."""
        with self._lock:
            self._interrupted = True
            for one in self._sockets:
                with suppress(OSError):  # not connected, or no longer
                    one.shutdown(socket.SHUT_RDWR)
