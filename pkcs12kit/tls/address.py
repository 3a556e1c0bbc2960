"""Server addresses as people write them: ``HOST[:PORT]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from pkcs12kit.errors import InputError
from pkcs12kit.hints import Hint
from pkcs12kit.shell_words import quote_word
from pkcs12kit.text import quoted

HTTPS_PORT: Final = 443

_NAME_CHARACTERS: Final = 253  # RFC 1035 section 3.1: 255 octets with the length of each label and the root
_LARGEST_PORT: Final = 65535
_BRACKETED: Final = re.compile(r"\[([^\[\]]*)\](?::(.*))?", re.DOTALL)
# RFC 1123 section 2.1, with the underscores that some names on real networks have.
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9](?:_?[0-9])*|0x[0-9a-f]*", re.ASCII)  # as int() reads them, too: 1_1 is no name
_ZONE: Final = re.compile(r"[a-z0-9_.-]{1,32}", re.IGNORECASE | re.ASCII)  # how interfaces are named
_QUOTED_AT_MOST: Final = 80
_EXAMPLES: Final = "write it like mdm.example.mil, mdm.example.mil:8443, 192.0.2.1 or [2001:db8::1]:443"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """A host and a port, None where none was given.

    ``host`` is a DNS name in lower case, in A-labels (RFC 5890 section 2.3.2.1), or an IP address without brackets.
    """

    host: str
    port: int | None = None

    @property
    def is_ip_address(self) -> bool:
        """True for an IP address, which is not resolved and never sent in SNI."""
        return is_ip_address(self.host)

    @property
    def name(self) -> str:
        """The host as certificates and SNI have it: no trailing dot (RFC 6066 section 3), no zone (RFC 4007)."""
        return self.host.removesuffix(".").partition("%")[0]

    def __str__(self) -> str:
        return self.host if self.port is None else host_and_port(self.host, self.port)


def is_ip_address(host: str) -> bool:
    """Return True for an IP address without brackets."""
    return _ip_address(host) is not None


def host_and_port(host: str, port: int) -> str:
    """Return ``host:port``, with an IPv6 address in brackets (RFC 3986 section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_address(text: str) -> ServerAddress:
    """Parse ``HOST[:PORT]``: a DNS name, U-labels and a trailing dot allowed, or an IP address.

    An IPv6 address with a port has to be in brackets; without them all of ``2001:db8::1:443`` is an address. Raises
    :class:`~pkcs12kit.errors.InputError`. Nothing is resolved.
    """
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed is not None:
        address, port = bracketed.groups()
        if not isinstance(_ip_address(address), IPv6Address):
            raise _no_address(text, "the text in brackets is not an IPv6 address")
        return ServerAddress(host=str(_ip_address(address)), port=None if port is None else _port(port, text))
    if isinstance(found := _ip_address(text), IPv6Address):
        return ServerAddress(host=str(found))
    if "/" in text or "@" in text:
        raise _url(text)
    host, colon, port = text.partition(":")
    if ":" in port:
        raise _no_address(text, "it has several colons and is not an IPv6 address")
    return ServerAddress(host=parse_host(host), port=_port(port, text) if colon else None)


def parse_host(text: str) -> str:
    """Parse a host without a port, IPv6 in brackets or not. Raises the errors of :func:`parse_address`."""
    bracketed = _BRACKETED.fullmatch(text)
    address = _ip_address(text if bracketed is None else bracketed[1])
    if address is not None and (bracketed is None or (bracketed[2] is None and isinstance(address, IPv6Address))):
        return str(address)
    name = _to_ascii(text)
    labels = name.removesuffix(".").split(".")
    if not all(map(_LABEL.fullmatch, labels)) or len(name.removesuffix(".")) > _NAME_CHARACTERS:
        raise _no_address(text, "it is neither a DNS name nor an IP address")
    if _NUMBER.fullmatch(labels[-1]):  # no top-level domain is a number (RFC 3696 section 2), and resolvers guess
        raise _no_address(text, "it ends in a number and is not an IPv4 address of four parts")
    return name


def _to_ascii(text: str) -> str:
    """Return a name in lower case and in A-labels (RFC 5891 section 5, mapped by UTS #46, as browsers do)."""
    if len(text) > _NAME_CHARACTERS + 1:
        raise _no_address(text, f"a DNS name has at most {_NAME_CHARACTERS} characters")
    if text.isascii():
        return text.lower()
    import idna

    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError as error:  # idna's errors, and those of surrogates
        raise _no_address(text, f"it is not an internationalized name: {error}") from None


def _ip_address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    zone = address.scope_id if isinstance(address, IPv6Address) else None
    return address if zone is None or _ZONE.fullmatch(zone) else None


def _port(text: str, whole: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= _LARGEST_PORT:
        raise _no_address(whole, f"a port is a number from 1 to {_LARGEST_PORT}")
    return int(text)


def _url(text: str) -> InputError:
    """Return the error for a URL, with its host and port as a hint; what stands before ``@`` may be a password."""
    rest = text.rpartition("@")[2]
    error = _no_address(rest if rest == text else f"...@{rest}", "it is a URL, or has a part of one")
    try:
        parts = urlsplit(rest if "://" in rest else f"//{rest}")
        address = ServerAddress(host=parse_host(parts.hostname or ""), port=parts.port)
    except (ValueError, InputError):
        return error
    return error.hinting(
        Hint(text="probe the server of the URL", command=f"pkcs12kit probe {quote_word(str(address))}")
    )


def _no_address(text: str, why: str) -> InputError:
    return InputError(f"{quoted(text, longest=_QUOTED_AT_MOST)} is not HOST[:PORT]: {why}; {_EXAMPLES}")
