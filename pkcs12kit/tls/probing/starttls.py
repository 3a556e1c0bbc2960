"""A dialogue in the clear, bounded in bytes, lines and time, and quoting what the server says."""

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
_QUOTED_AT_MOST: Final = 200  # bytes of what a server says


class Dialogue:
    """What is said over a connected socket before TLS. ``protocol`` is its name, as people write it.

    ``limits.starttls_bytes`` and ``limits.starttls_lines`` bound all that the server says, ``deadline`` the time.
    Every method raises :class:`~pkcs12kit.tls.probing.contact.ContactError`.
    """

    def __init__(self, over: socket.socket, protocol: str, *, deadline: Deadline, limits: Limits) -> None:
        self.protocol = protocol
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
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            try:
                self._socket.settimeout(self._deadline.remaining())
                rest = rest[self._socket.send(rest) :]
            except (TimeoutError, ChannelTimeoutError):
                self._fail(Contact.TIMED_OUT, "it takes nothing more")
            except OSError as error:
                self._fail(Contact.CLOSED, f"the connection broke: {error.strerror or error}")

    def send_line(self, text: str) -> None:
        """Send one line of ASCII."""
        self.send(f"{text}\r\n".encode("ascii"))

    def line(self) -> str:
        """Take one line, without its end; what is not UTF-8 in it is replaced."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._receive()
        self._lines += 1
        if self._lines > self._limits.starttls_lines:
            self.broken(f"it sends more than starttls_lines allows: {self._limits.starttls_lines} lines")
        return self._cut(end + 1).rstrip(b"\r\n").decode("utf-8", "replace")

    def take(self, count: int) -> bytes:
        """Take so many bytes."""
        self.need(count)
        return self._cut(count)

    def take_past(self, mark: bytes) -> bytes:
        """Take all up to a mark and the mark too."""
        while (start := self._buffer.find(mark)) < 0:
            self._receive()
        return self._cut(start + len(mark))

    def need(self, count: int) -> bytes:
        """Wait until so many bytes are there, and show all that are, without taking them."""
        while len(self._buffer) < count:
            self._receive()
        return bytes(self._buffer)

    def refused(self, words: str) -> NoReturn:
        """Say that the server said no, in its words."""
        self._fail(Contact.STARTTLS_REFUSED, f"no TLS: {_words(words)}")

    def broken(self, why: str) -> NoReturn:
        """Say that what the server says is not the protocol."""
        self._fail(Contact.STARTTLS_BROKEN, why)

    def strange(self, said: str | bytes) -> NoReturn:
        """Say that the server speaks something else."""
        self.broken(f"this is no {self.protocol}: {_words(said)}")

    def end(self) -> None:
        """Require that nothing came after the yes: a man in the middle may have put it there.

        What is taken for part of the encrypted session later is the injection of RFC 9051 section 11.1 and of
        CVE-2011-0411; a TLS server waits for the client to begin (RFC 8446 section 2).
        """
        with suppress(OSError):
            self._socket.settimeout(0)
            self._buffer += self._socket.recv(_CHUNK, socket.MSG_PEEK)
        if self._buffer:
            self.broken(f"after its yes, and before TLS, more came in the clear: {_words(bytes(self._buffer))}")

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
        return f"; the last it said was {_words(bytes(self._buffer))}" if self._buffer else ""

    def _fail(self, contact: Contact, why: str) -> NoReturn:
        raise ContactError(contact, f"{self.protocol}: {why}")


def _words(said: str | bytes) -> str:
    return quoted(said.strip(), longest=_QUOTED_AT_MOST)
