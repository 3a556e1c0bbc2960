"""TLS connections with one deadline for the whole, and a limit for the bytes of the peer.

A pyOpenSSL connection on memory BIOs does TLS, and this module moves the bytes. OpenSSL has no timeout of its own; in
this way the deadline is for the whole connection and not for each read.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from pkcs12kit.errors import LimitExceededError, Pkcs12KitError
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from OpenSSL import SSL, crypto

    from pkcs12kit.limits import Limits

_CHUNK: Final = 16 * 1024  # bytes moved at once; no limit: a record of TLS is about as long
_RECORD_TYPES: Final = frozenset({21, 22})  # alert, handshake: what a peer can begin with (RFC 8446 section 5.1)
_RECORD_MAJOR_VERSION: Final = 3
_SHOWN: Final = 40  # bytes of what is no TLS

_Result = TypeVar("_Result")


class ChannelError(Pkcs12KitError):
    """A TLS connection that could not be made, or that broke. Its text is one line and may quote text from outside."""


class ChannelTimeoutError(ChannelError):
    """The deadline passed."""


class ChannelClosedError(ChannelError):
    """The peer closed or reset the connection without the alert that TLS ends with (RFC 8446 section 6.1)."""


class NotTLSError(ChannelError):
    """The peer answers, but not in TLS."""


class TLSError(ChannelError):
    """OpenSSL gave up, or the peer did with an alert. The text is OpenSSL's."""


class PeerLimitError(ChannelError, LimitExceededError):
    """The peer sends more than the limit allows."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the monotonic clock, in seconds, by which something has to be done."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds that are left, more than zero. Raises :class:`ChannelTimeoutError` where none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise ChannelTimeoutError("no answer in time")
        return left


class Channel:
    """A TLS connection over a connected stream socket, which it closes at the end.

    ``connection`` is a pyOpenSSL connection without a socket of its own, client or server. ``deadline`` is for all
    steps together, and ``limits.tls_bytes`` for all bytes of the peer. Its methods raise :class:`ChannelError` where
    TLS does not work. It is for one thread; another thread may shut the socket down, which looks as if the peer had
    closed.
    """

    def __init__(self, connection: SSL.Connection, over: socket.socket, *, deadline: Deadline, limits: Limits) -> None:
        self._connection = connection
        self._socket = over
        self._deadline = deadline
        self._limits = limits
        self._taken = 0
        self._writable = True
        self._established = False

    def handshake(self) -> None:
        """Do the handshake.

        A server of TLS 1.3 may still refuse the client afterwards, for example because it requires a certificate
        (RFC 8446 section 4.4.2.4). The first :meth:`read` raises that.
        """
        self._run(self._connection.do_handshake)
        self._established = True

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The peer's certificates in DER, in the order of the wire; they are not checked.

        The handshake need not be complete. Empty where none came, or where OpenSSL could not decode one of them.
        """
        from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

        # Not as pyca's certificates: it refuses real ones.
        received = self._connection.get_peer_cert_chain() or ()
        return tuple(dump_certificate(FILETYPE_ASN1, one) for one in received)

    @property
    def protocol(self) -> str:
        """The version of TLS, for example ``TLSv1.3``; before the peer's answer the one that was offered."""
        return self._connection.get_protocol_version_name()

    def read(self, at_most: int) -> bytes:
        """Return up to so many bytes; none after the peer's orderly end."""
        from OpenSSL import SSL

        def receive() -> bytes:
            try:
                return self._connection.recv(at_most)
            except SSL.ZeroReturnError:
                return b""

        return self._run(receive)

    def write(self, data: bytes) -> None:
        """Write a few bytes, which TLS takes as a whole. If the peer has left, only the next read may show it.

        ``data`` must not be empty.
        """
        self._run(lambda: self._connection.sendall(data))

    def close(self, *, wait: bool = False) -> None:
        """Send close_notify and close the socket. No error is raised.

        With ``wait``, the peer closes first, within the deadline and the limit. Otherwise, bytes that it has not read
        yet may be lost, if bytes of its own were not read here.
        """
        from OpenSSL import SSL

        try:
            with suppress(SSL.Error, OSError, ChannelError):
                self._connection.shutdown()
                self._flush()
                if wait:
                    self._socket.shutdown(socket.SHUT_WR)
                    while self._receive():
                        pass
        finally:
            self._socket.close()

    def _run(self, step: Callable[[], _Result]) -> _Result:
        """Run a step of OpenSSL, moving bytes for as long as it needs more of them."""
        from OpenSSL import SSL

        while True:
            try:
                result = step()
            except SSL.WantReadError:
                self._flush()
                self._connection.bio_write(self._receive() or self._closed())
            except SSL.ZeroReturnError:
                self._closed()
            except SSL.Error as error:
                with suppress(ChannelError):
                    self._flush()  # the alert with the reason for the peer
                raise TLSError(openssl_words(error)) from None
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        from OpenSSL import SSL

        while True:
            try:
                data = self._connection.bio_read(_CHUNK)
            except SSL.WantReadError:
                return
            self._send(data)

    def _send(self, data: bytes) -> None:
        """Send to a peer that may have left; what it sent before, an alert perhaps, can still be read."""
        rest = memoryview(data)
        while rest and self._writable:
            self._socket.settimeout(self._deadline.remaining())
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                continue  # remaining() raises once the time is over
            except OSError:
                self._writable = False

    def _receive(self) -> bytes:
        """Return the bytes that have come, at least one; none where the peer has closed."""
        while True:
            self._socket.settimeout(self._deadline.remaining())
            try:
                data = self._socket.recv(_CHUNK)
                break
            except TimeoutError:
                continue
            except OSError as error:
                raise ChannelClosedError(f"the connection broke: {error.strerror or error}") from None
        if not self._taken and data:
            _require_tls(data)
        self._taken += len(data)
        if self._taken > self._limits.tls_bytes:
            raise PeerLimitError(f"the peer sends more than tls_bytes allows: {self._limits.tls_bytes} bytes")
        return data

    def _closed(self) -> NoReturn:
        during = "" if self._established else " during the handshake"
        raise ChannelClosedError(f"the peer closed the connection{during}")


def openssl_words(error: SSL.Error | crypto.Error) -> str:
    """Return the reasons that OpenSSL gives, as one line."""
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = dict.fromkeys(reason for _, _, reason in stack if reason)
    return "; ".join(reasons) or "OpenSSL gave no reason"


def _require_tls(opening: bytes) -> None:
    if opening[0] not in _RECORD_TYPES or (len(opening) > 1 and opening[1] != _RECORD_MAJOR_VERSION):
        raise NotTLSError(f"the peer does not speak TLS: it began with {quoted(opening, longest=_SHOWN)}")
