"""The dialogue in the clear before TLS, with limits for bytes, lines and time."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from pkcs12kit.text import quoted
from pkcs12kit.tls.channel import ChannelTimeoutError
from pkcs12kit.tls.probing.contact import Contact, ContactError

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits
    from pkcs12kit.tls.channel import Deadline

_CHUNK: Final = 4096
_QUOTED_AT_MOST: Final = 200  # bytes of a server's text


class Dialogue:
    """The dialogue over a connected socket before TLS, in the protocol of that name.

    ``limits.starttls_bytes`` and ``limits.starttls_lines`` limit everything that the server sends, and ``deadline`` the
    time. Every method raises :class:`~pkcs12kit.tls.probing.contact.ContactError` where the dialogue fails.
    """

    def __init__(
        self, over: socket.socket, protocol: str, *, server_name: str, deadline: Deadline, limits: Limits
    ) -> None:
        self.protocol = protocol
        self.server_name = server_name
        self._socket = over
        self._deadline = deadline
        self._limits = limits
        self._buffer = bytearray()
        self._taken = 0
        self._lines = 0

    @property
    def own_address(self) -> str:
        """The client's IP address, without a zone."""
        return str(self._socket.getsockname()[0]).partition("%")[0]

    def send(self, data: bytes) -> None:
        """Send all bytes."""
        rest = memoryview(data)
        while rest:
            try:
                self._socket.settimeout(self._deadline.remaining())
                rest = rest[self._socket.send(rest) :]
            except (TimeoutError, ChannelTimeoutError):
                self._fail(Contact.TIMED_OUT, "it no longer accepts data")
            except OSError as error:
                self._fail(Contact.CLOSED, f"the connection broke: {error.strerror or error}")

    def send_line(self, text: str) -> None:
        """Send one line of ASCII."""
        self.send(f"{text}\r\n".encode("ascii"))

    def line(self) -> str:
        """Return the next line without its end; bytes that are not UTF-8 are replaced."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._receive()
        self._lines += 1
        if self._lines > self._limits.starttls_lines:
            self.broken(f"it sends more than starttls_lines allows: {self._limits.starttls_lines} lines")
        return self._cut(end + 1).rstrip(b"\r\n").decode("utf-8", "replace")

    def take(self, count: int) -> bytes:
        """Return the next bytes, exactly so many."""
        self.need(count)
        return self._cut(count)

    def take_past(self, mark: bytes) -> bytes:
        """Return the next bytes up to the mark, and the mark."""
        while (start := self._buffer.find(mark)) < 0:
            self._receive()
        return self._cut(start + len(mark))

    def need(self, count: int) -> bytes:
        """Wait for so many bytes, and return all that have come; they can be read again."""
        while len(self._buffer) < count:
            self._receive()
        return bytes(self._buffer)

    def refused(self, words: str) -> NoReturn:
        """Raise that the server refused TLS, with its words."""
        self._fail(Contact.STARTTLS_REFUSED, f"TLS refused: {_words(words)}")

    def broken(self, why: str) -> NoReturn:
        """Raise that the server breaks the rules of the protocol."""
        self._fail(Contact.STARTTLS_BROKEN, why)

    def strange(self, said: str | bytes) -> NoReturn:
        """Raise that the server does not speak this protocol."""
        self.broken(f"this is not {self.protocol}: {_words(said)}")

    def end(self) -> None:
        """Raise if more came after the server agreed to TLS: a man in the middle may have sent it.

        Such data would later be taken for a part of the encrypted session: the injection of RFC 9051 section 11.1 and
        of CVE-2011-0411. A TLS server waits for the client to begin (RFC 8446 section 2).
        """
        with suppress(OSError):
            self._socket.settimeout(0)
            self._buffer += self._socket.recv(_CHUNK, socket.MSG_PEEK)
        if self._buffer:
            self.broken(f"after it agreed to TLS, it sent more in the clear: {_words(bytes(self._buffer))}")

    def _cut(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _receive(self) -> None:
        try:
            self._socket.settimeout(self._deadline.remaining())
            data = self._socket.recv(_CHUNK)
        except (TimeoutError, ChannelTimeoutError):
            self._fail(Contact.TIMED_OUT, f"no answer in time{self._rest()}")
        except OSError as error:
            self._fail(Contact.CLOSED, f"the connection broke: {error.strerror or error}")
        if not data:
            self._fail(Contact.CLOSED, f"it closed the connection{self._rest()}")
        self._taken += len(data)
        if self._taken > self._limits.starttls_bytes:
            self.broken(f"it sends more than starttls_bytes allows: {self._limits.starttls_bytes} bytes")
        self._buffer += data

    def _rest(self) -> str:
        return f"; its last words were {_words(bytes(self._buffer))}" if self._buffer else ""

    def _fail(self, contact: Contact, why: str) -> NoReturn:
        raise ContactError(contact, f"{self.protocol}: {why}")


def _words(said: str | bytes) -> str:
    return quoted(said.strip(), longest=_QUOTED_AT_MOST)
