"""TLS over a socket where every wait has an end, and what the peer sends has a budget.

A pyOpenSSL connection on memory BIOs does TLS; the bytes are moved here. Without a timeout of OpenSSL's own, that is
what gives the whole, and not each read, a deadline.
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
    """A TLS connection did not come about, or broke. Its text is one line and may have text from outside in it."""


class ChannelTimeoutError(ChannelError):
    """The deadline passed."""


class ChannelClosedError(ChannelError):
    """The peer closed or reset the connection without the alert that TLS ends with (RFC 8446 section 6.1)."""


class NotTLSError(ChannelError):
    """The peer answers, but not in TLS."""


class TLSError(ChannelError):
    """OpenSSL gave up, or the peer did and said so by an alert. The text is OpenSSL's."""


class PeerLimitError(ChannelError, LimitExceededError):
    """The peer sends more than the limit allows."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the monotonic clock, in seconds, by which something has to be done."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Set it so many seconds from now."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Give the seconds that are left, more than zero. Raises :class:`ChannelTimeoutError`."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise ChannelTimeoutError("no answer in time")
        return left


class Channel:
    """TLS over a connected stream socket, which it closes in the end.

    ``connection`` is a pyOpenSSL connection without a socket of its own, client or server. ``deadline`` is for all that
    is done, and ``limits.tls_bytes`` for all that comes from the peer. What it raises where TLS does not work is a
    :class:`ChannelError`. For one thread; another may shut the socket down, which looks as if the peer had closed.
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

        A server of TLS 1.3 may still refuse the client afterwards: it says so at the first :meth:`read`, for example
        where it wants a certificate (RFC 8446 section 4.4.2.4).
        """
        self._run(self._connection.do_handshake)
        self._established = True

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The peer's certificates in the order of the wire, DER; trusted or not, handshake completed or not.

        Empty where none came, or where OpenSSL could not decode one of them.
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
        """Read up to so many bytes; none is the peer's orderly end."""
        from OpenSSL import SSL

        def receive() -> bytes:
            try:
                return self._connection.recv(at_most)
            except SSL.ZeroReturnError:
                return b""

        return self._run(receive)

    def write(self, data: bytes) -> None:
        """Write a little: TLS takes it whole before it goes out. A peer that has left may show at the next read only.

        ``data`` is not empty.
        """
        self._run(lambda: self._connection.sendall(data))

    def close(self, *, wait: bool = False) -> None:
        """Say goodbye (close_notify) and close the socket. Raises nothing.

        ``wait`` lets the peer close first, within the deadline and the budget: else what it has not read yet may be
        lost, where something of its own was not read here.
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
        """Do what OpenSSL is asked for, moving bytes for as long as it wants more of them."""
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
                    self._flush()  # the alert that tells the peer why
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
        """Send to a peer that may have left: what it said before, an alert perhaps, can still be read."""
        rest = memoryview(data)
        while rest and self._writable:
            self._socket.settimeout(self._deadline.remaining())
            try:
                rest = rest[self._socket.send(rest) :]
            except TimeoutError:
                continue  # the deadline says so itself
            except OSError:
                self._writable = False

    def _receive(self) -> bytes:
        """Take what has come, at least one byte; none where the peer has closed."""
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
    """Write what OpenSSL says as one line."""
    stack = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = dict.fromkeys(reason for _, _, reason in stack if reason)
    return "; ".join(reasons) or "OpenSSL gave no reason"


def _require_tls(opening: bytes) -> None:
    if opening[0] not in _RECORD_TYPES or (len(opening) > 1 and opening[1] != _RECORD_MAJOR_VERSION):
        raise NotTLSError(f"the peer does not speak TLS: it began with {quoted(opening, longest=_SHOWN)}")
