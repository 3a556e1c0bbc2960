"""Protocols that start TLS after a dialogue in the clear: port, standard and dialogue of each.

First the protocols of text lines, then those of binary messages, then XMPP, and the table of all at the end.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Never
from xml.parsers import expat  # a document type, where the dangers of XML are, ends the dialogue
from xml.sax.saxutils import quoteattr  # for writing only

from pkcs12kit.tls.probing.starttls import Dialogue

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from pkcs12kit.limits import Limits
    from pkcs12kit.tls.channel import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTLSProtocol:
    """One protocol with its usual port."""

    name: str
    port: int
    standard: str
    """The section that defines the dialogue."""
    converse: Callable[[Dialogue], None]
    """The function that speaks the protocol until the server agrees to TLS."""


_REPLY: Final = re.compile(r"([1-5][0-9]{2})(?:([ -])(.*))?", re.ASCII | re.DOTALL)
_SIEVE_END: Final = re.compile(r"(OK|NO|BYE)\b", re.IGNORECASE)


def smtp(dialogue: Dialogue) -> None:
    """Start TLS in SMTP (RFC 3207 section 4). The client names itself by its address (RFC 5321 section 4.1.3)."""
    _expect(dialogue, {"220"})
    address = dialogue.own_address
    dialogue.send_line(f"EHLO [IPv6:{address}]" if ":" in address else f"EHLO [{address}]")
    offered = [line.upper().split(" ")[0] for line in _expect(dialogue, {"250"})]
    if "STARTTLS" not in offered:
        dialogue.refused("STARTTLS is not among its extensions")
    dialogue.send_line("STARTTLS")
    _expect(dialogue, {"220"})


def ftp(dialogue: Dialogue) -> None:
    """Start TLS in FTP (RFC 4217 section 4)."""
    _expect(dialogue, {"220"})
    dialogue.send_line("AUTH TLS")
    _expect(dialogue, {"234"})


def nntp(dialogue: Dialogue) -> None:
    """Start TLS in NNTP (RFC 4642 section 2.2), with replies of one line (RFC 3977 section 3.1)."""
    _expect(dialogue, {"200", "201"})
    dialogue.send_line("STARTTLS")
    _expect(dialogue, {"382"})


def _expect(dialogue: Dialogue, codes: set[str]) -> list[str]:
    """Return the texts of one reply, whose code must be one of ``codes``.

    More lines follow a hyphen (RFC 5321 section 4.2.1, RFC 959 section 4.2), and FTP allows any text in them.
    """
    said = dialogue.line()
    reply = _REPLY.fullmatch(said)
    if reply is None:
        dialogue.strange(said)
    code, separator, text = reply.groups()
    texts = [text or ""]
    while separator == "-":
        more = dialogue.line()
        following = _REPLY.fullmatch(more)
        if following is not None and following[1] == code:
            separator, more = following[2], following[3] or ""
        texts.append(more)
    if code not in codes:
        dialogue.refused(said)
    return texts


def imap(dialogue: Dialogue) -> None:
    """Start TLS in IMAP (RFC 9051 sections 6.2.1 and 7.1), unless the session is authenticated already."""
    greeting = dialogue.line()
    if not greeting.startswith("* "):
        dialogue.strange(greeting)
    if not re.match(r"\* OK\b", greeting, re.IGNORECASE):  # PREAUTH or BYE
        dialogue.refused(greeting)
    dialogue.send_line("a1 STARTTLS")
    while (said := dialogue.line()).startswith("* "):
        pass
    if re.match(r"a1 (NO|BAD)\b", said, re.IGNORECASE):
        dialogue.refused(said)
    if not re.match(r"a1 OK\b", said, re.IGNORECASE):
        dialogue.strange(said)


def pop3(dialogue: Dialogue) -> None:
    """Start TLS in POP3 (RFC 2595 section 4)."""
    for command in ("", "STLS"):
        if command:
            dialogue.send_line(command)
        said = dialogue.line()
        if re.match(r"-ERR\b", said, re.IGNORECASE):
            dialogue.refused(said)
        if not re.match(r"\+OK\b", said, re.IGNORECASE):
            dialogue.strange(said)


def sieve(dialogue: Dialogue) -> None:
    """Start TLS in ManageSieve (RFC 5804 sections 1.2, 1.7 and 2.2)."""
    capabilities = [line.upper() for line in _sieve_response(dialogue)]
    if not any(line.startswith('"STARTTLS"') for line in capabilities):
        dialogue.refused("STARTTLS is not among its capabilities")
    dialogue.send_line("STARTTLS")
    _sieve_response(dialogue)


def _sieve_response(dialogue: Dialogue) -> list[str]:
    lines: list[str] = []
    while (end := _SIEVE_END.match(said := dialogue.line())) is None:
        if not said.startswith('"'):
            dialogue.strange(said)
        lines.append(said)
    if end[1].upper() != "OK":
        dialogue.refused(said)
    return lines


_LDAP_MESSAGE: Final = 1
_SEQUENCE: Final = 0x30

_POSTGRES_SSL_REQUEST: Final = struct.pack("!II", 8, 80877103)  # its length, and the number that stands for it
_POSTGRES_LENGTH: Final = 4  # bytes of a length, which counts itself
_POSTGRES_ERROR_BYTES: Final = 30_000  # the longest error before the start that libpq accepts

_MYSQL_PROTOCOL: Final = 10
_MYSQL_ERROR: Final = 0xFF
_MYSQL_CLIENT_SSL: Final = 0x0800
# CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION, which every server since 4.1 has.
_MYSQL_CAPABILITIES: Final = 0x0001 | 0x0200 | _MYSQL_CLIENT_SSL | 0x8000
_MYSQL_PACKET_BYTES: Final = 1 << 24
_MYSQL_UTF8: Final = 33
_MYSQL_BEFORE_CAPABILITIES: Final = 4 + 8 + 1  # thread, first part of the scramble, filler


def ldap(dialogue: Dialogue) -> None:
    """Start TLS in LDAP (RFC 4511 section 4.14) by an ExtendedRequest, which must have resultCode success."""
    from pkcs12kit.tls.probing.ldap_messages import read_result, start_tls_request

    dialogue.send(start_tls_request(_LDAP_MESSAGE))
    encoded = _ldap_message(dialogue)
    try:
        result = read_result(encoded)
    except ValueError:
        dialogue.strange(encoded)
    if result.code != "success":  # or a Notice of Disconnection (section 4.4.1)
        dialogue.refused(f"{result.code} {result.words}")
    if result.number != _LDAP_MESSAGE:
        dialogue.strange(encoded)


def _ldap_message(dialogue: Dialogue) -> bytes:
    """Return one SEQUENCE in BER. asn1crypto finds its end, and raises ValueError where that has not come yet."""
    from asn1crypto.parser import peek

    there = dialogue.need(1)
    if there[0] != _SEQUENCE:
        dialogue.strange(there)
    while True:
        try:
            return dialogue.take(peek(there))
        except ValueError:
            there = dialogue.need(len(there) + 1)


def postgres(dialogue: Dialogue) -> None:
    """Start TLS in PostgreSQL (documentation, "Message Flow", section "SSL Session Encryption")."""
    dialogue.send(_POSTGRES_SSL_REQUEST)
    answer = dialogue.take(1)
    if answer == b"S":
        return
    if answer == b"N":
        dialogue.refused("N")
    if answer != b"E":
        dialogue.strange(answer)
    (length,) = struct.unpack("!I", dialogue.take(_POSTGRES_LENGTH))
    if not _POSTGRES_LENGTH <= length <= _POSTGRES_ERROR_BYTES:
        dialogue.strange(answer)
    fields = dialogue.take(length - _POSTGRES_LENGTH).split(
        b"\0"
    )  # "Error and Notice Message Fields": M is what people read
    dialogue.refused(next((field[1:].decode("utf-8", "replace") for field in fields if field[:1] == b"M"), "E"))


def mysql(dialogue: Dialogue) -> None:
    """Start TLS in MySQL (documentation, Protocol::HandshakeV10 and Protocol::SSLRequest)."""
    (header,) = struct.unpack("<I", dialogue.take(4))
    packet = dialogue.take(header & 0xFFFFFF)
    if packet[:1] == bytes([_MYSQL_ERROR]):
        dialogue.refused(packet[3:].decode("utf-8", "replace"))
    version, end, rest = packet[1:].partition(b"\0")
    if packet[:1] != bytes([_MYSQL_PROTOCOL]) or not end or len(rest) < _MYSQL_BEFORE_CAPABILITIES + 2:
        dialogue.strange(packet)
    (capabilities,) = struct.unpack_from("<H", rest, _MYSQL_BEFORE_CAPABILITIES)
    if not capabilities & _MYSQL_CLIENT_SSL:
        dialogue.refused(f"CLIENT_SSL is not among the capabilities of {version.decode('utf-8', 'replace')}")
    request = struct.pack("<IIB23x", _MYSQL_CAPABILITIES, _MYSQL_PACKET_BYTES, _MYSQL_UTF8)
    dialogue.send(struct.pack("<I", len(request) | 1 << 24) + request)


_TLS: Final = "urn:ietf:params:xml:ns:xmpp-tls"
_STREAMS: Final = "http://etherx.jabber.org/streams"
_STREAM: Final = f"{_STREAMS} stream"  # expat's form: namespace and local name
_FEATURES: Final = f"{_STREAMS} features"
_STARTTLS: Final = f"{_TLS} starttls"
_PROCEED: Final = f"{_TLS} proceed"


def xmpp(dialogue: Dialogue) -> None:
    """Start TLS in XMPP (RFC 6120 section 5.4), with a stream to the server's name."""
    dialogue.send(
        f"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='{_STREAMS}'"
        f" to={quoteattr(dialogue.server_name)} version='1.0'>".encode()
    )
    stream = _Stream(dialogue)
    name, inside = stream.next_element()
    if name != _FEATURES:
        dialogue.refused(_words(name, inside))
    if _STARTTLS not in inside:
        dialogue.refused("starttls is not among its features")
    dialogue.send(f"<starttls xmlns='{_TLS}'/>".encode())
    name, inside = stream.next_element()
    if name != _PROCEED:
        dialogue.refused(_words(name, inside))


def _words(name: str, inside: list[str]) -> str:
    return " ".join(one.rpartition(" ")[2] for one in (name, *inside))


class _Stream:
    """The XML stream of the server, read one child element after the other."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._open: list[str] = []
        self._inside: list[str] = []
        self._whole: list[tuple[str, list[str]]] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        if hasattr(self._parser, "SetReparseDeferralEnabled"):  # else a tag in two pieces may be read late
            self._parser.SetReparseDeferralEnabled(False)  # noqa: FBT003  # by position only
        self._parser.StartDoctypeDeclHandler = self._refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def next_element(self) -> tuple[str, list[str]]:
        """Return the next child of the stream: its name, and the names of all elements inside it.

        Nothing after its last character is read, so that the dialogue can check what follows.
        """
        while not self._whole:
            piece = self._dialogue.take_past(b">")
            try:
                self._parser.Parse(piece)
            except expat.ExpatError:
                self._dialogue.strange(piece)
        return self._whole.pop()

    def _refuse_document_type(self, *_: object) -> Never:
        self._dialogue.broken("the server sends a document type, which RFC 6120 section 11.1 forbids")

    def _start(self, name: str, _: dict[str, str]) -> None:
        if not self._open and name != _STREAM:
            self._dialogue.strange(name)
        if len(self._open) == 1:
            self._inside = []
        elif self._open:
            self._inside.append(name)
        self._open.append(name)

    def _end(self, name: str) -> None:
        self._open.pop()
        if not self._open:
            self._dialogue.refused("the server closed the stream")
        if len(self._open) == 1:
            self._whole.append((name, self._inside))


_PROTOCOLS: Final = (
    StartTLSProtocol(name="ftp", port=21, standard="RFC 4217 section 4", converse=ftp),
    StartTLSProtocol(name="imap", port=143, standard="RFC 9051 section 6.2.1", converse=imap),
    StartTLSProtocol(name="ldap", port=389, standard="RFC 4511 section 4.14", converse=ldap),
    StartTLSProtocol(name="mysql", port=3306, standard="MySQL, Protocol::SSLRequest", converse=mysql),
    StartTLSProtocol(name="nntp", port=119, standard="RFC 4642 section 2.2", converse=nntp),
    StartTLSProtocol(name="pop3", port=110, standard="RFC 2595 section 4", converse=pop3),
    StartTLSProtocol(name="postgres", port=5432, standard="PostgreSQL, SSL Session Encryption", converse=postgres),
    StartTLSProtocol(name="sieve", port=4190, standard="RFC 5804 section 2.2", converse=sieve),
    StartTLSProtocol(name="smtp", port=25, standard="RFC 3207 section 4", converse=smtp),
    StartTLSProtocol(name="xmpp", port=5222, standard="RFC 6120 section 5.4", converse=xmpp),
)
STARTTLS: Final[Mapping[str, StartTLSProtocol]] = MappingProxyType({one.name: one for one in _PROTOCOLS})
"""The protocols by the names that ``--starttls`` accepts."""


def start_tls(
    over: socket.socket, protocol: StartTLSProtocol, *, server_name: str, deadline: Deadline, limits: Limits
) -> None:
    """Speak the protocol until the server agrees to TLS, so that the next bytes on the socket are TLS.

    ``server_name`` is the name for an XMPP stream. Raises :class:`~pkcs12kit.tls.probing.contact.ContactError` with the
    server's words where it does not agree, and where it sends more in the clear afterwards.
    """
    dialogue = Dialogue(over, protocol.name, server_name=server_name, deadline=deadline, limits=limits)
    protocol.converse(dialogue)
    dialogue.end()
