"""Protocols of bytes: LDAP in BER, PostgreSQL and MySQL with their packets."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pkcs12kit.tls.starttls.dialogue import Dialogue

_LDAP_MESSAGE: Final = 1
_SEQUENCE: Final = 0x30

_POSTGRES_SSL_REQUEST: Final = struct.pack("!II", 8, 80877103)  # its length, and the number that stands for it
_POSTGRES_LENGTH: Final = 4  # bytes of a length, which counts itself
_POSTGRES_ERROR_BYTES: Final = 30_000  # what libpq takes for the most that an error before the start can have

_MYSQL_PROTOCOL: Final = 10
_MYSQL_ERROR: Final = 0xFF
_MYSQL_CLIENT_SSL: Final = 0x0800
# CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION: what every server since 4.1 has.
_MYSQL_CAPABILITIES: Final = 0x0001 | 0x0200 | _MYSQL_CLIENT_SSL | 0x8000
_MYSQL_PACKET_BYTES: Final = 1 << 24
_MYSQL_UTF8: Final = 33
_MYSQL_BEFORE_CAPABILITIES: Final = 4 + 8 + 1  # thread, first part of the scramble, filler


def ldap(dialogue: Dialogue, _: str) -> None:
    """RFC 4511 section 4.14: an ExtendedRequest, and resultCode success."""
    from pkcs12kit.tls.starttls.ldap_messages import read_result, start_tls_request

    dialogue.send(start_tls_request(_LDAP_MESSAGE))
    encoded = _ldap_message(dialogue)
    try:
        result = read_result(encoded)
    except ValueError:
        dialogue.strange(encoded)
    if result.code != "success":  # a Notice of Disconnection too (section 4.4.1)
        dialogue.refused(f"{result.code} {result.words}")
    if result.number != _LDAP_MESSAGE:
        dialogue.strange(encoded)


def _ldap_message(dialogue: Dialogue) -> bytes:
    """Take one SEQUENCE of BER, by asn1crypto, which raises ValueError for one that is not all there."""
    from asn1crypto.parser import peek

    there = dialogue.need(1)
    if there[0] != _SEQUENCE:
        dialogue.strange(there)
    while True:
        try:
            return dialogue.take(peek(there))
        except ValueError:
            there = dialogue.need(len(there) + 1)


def postgres(dialogue: Dialogue, _: str) -> None:
    """PostgreSQL's documentation, "Message Flow", section "SSL Session Encryption": one byte is the answer."""
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


def mysql(dialogue: Dialogue, _: str) -> None:
    """MySQL's documentation of the client/server protocol: Protocol::HandshakeV10 and Protocol::SSLRequest."""
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
