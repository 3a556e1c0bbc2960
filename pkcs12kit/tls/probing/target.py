"""The servers to probe: address, port, name for SNI, and the protocol before TLS."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pkcs12kit.arguments import require_kind, require_texts
from pkcs12kit.errors import ArgumentError, InputError, UnknownNameError
from pkcs12kit.tls.address import HTTPS_PORT, ServerAddress, host_and_port, parse_address, parse_host
from pkcs12kit.tls.probing.starttls_protocols import STARTTLS

_LAST_PORT: Final = 65_535
_WITHOUT_STARTTLS: Final = frozenset({"http", "https"})
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.ASCII | re.DOTALL)  # RFC 3986 section 3.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedServer:
    """One server to probe. Nothing is resolved yet."""

    address: ServerAddress
    """The host: a DNS name or an IP address. Its port is not used."""
    port: int
    """The port to connect to."""
    server_name: str
    """The name that the certificate has to be for. It is sent in SNI if it is a DNS name (RFC 6066 section 3)."""
    starttls: str | None = None
    """A name of :data:`~pkcs12kit.tls.probing.starttls_protocols.STARTTLS`; None where TLS comes first."""
    label: str = ""
    """A text that says what the server is for, to show with the address."""

    def __str__(self) -> str:
        where = host_and_port(self.address.host, self.port)
        return f"{where} ({self.label})" if self.label else where


def probed_server(
    host: str, *, port: int | None = None, server_name: str | None = None, starttls: str | None = None, label: str = ""
) -> ProbedServer:
    """Return the server that ``HOST[:PORT]`` names, with the port of its protocol where none is given.

    Raises :class:`~pkcs12kit.errors.InputError` for a host or a name that cannot be read and for two ports,
    :class:`~pkcs12kit.errors.UnknownNameError` for an unknown protocol.
    """
    require_kind("host", host, str)
    require_kind("port", port, int, optional=True)
    if port is not None and not 1 <= port <= _LAST_PORT:
        raise ArgumentError(f"port: expected a number from 1 to {_LAST_PORT:,}, not {port}")
    require_texts(server_name=server_name, starttls=starttls)
    if starttls is not None and starttls not in STARTTLS:
        raise UnknownNameError("STARTTLS protocol", starttls, STARTTLS)
    address = parse_address(host)
    if address.port is not None and port is not None:
        raise InputError(f"{host!r} has a port already: give one of the two")
    if port is None:
        port = address.port
    if port is None:
        port = HTTPS_PORT if starttls is None else STARTTLS[starttls].port
    name = address.name if server_name is None else ServerAddress(host=parse_host(server_name)).name
    return ProbedServer(address=address, port=port, server_name=name, starttls=starttls, label=label)


def server_of_text(text: str, *, server_name: str | None = None) -> ProbedServer:
    """Return the server that ``HOST[:PORT]`` names, or with a protocol before TLS ``PROTOCOL://HOST[:PORT]``.

    Raises :class:`~pkcs12kit.errors.InputError` for a text or a name that cannot be read, and
    :class:`~pkcs12kit.errors.UnknownNameError` for a protocol that is not one of
    :data:`~pkcs12kit.tls.probing.starttls_protocols.STARTTLS`.
    """
    found = _SCHEME.fullmatch(text)
    protocol = "https" if found is None else found[1].lower()
    if found is None or protocol in _WITHOUT_STARTTLS:
        return probed_server(text, server_name=server_name)  # which explains that a URL is not a server
    return probed_server(found[2], server_name=server_name, starttls=protocol)
