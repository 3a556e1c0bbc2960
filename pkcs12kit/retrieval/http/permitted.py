"""The URLs and addresses that may be asked.

The author of a certificate chooses the URLs in it. A request from this machine could reach services that only this
machine reaches: its own, those of its network, the metadata service of a cloud.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from yarl import URL  # aiohttp splits URLs with it: the URL judged is the URL requested

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from pkcs12kit.limits import Limits

NOT_PUBLIC: Final = "is not a public address"
PRIVATE_NAME: Final = "is a name of a private network"
"""The ends of the reasons that ``allow_private`` makes void."""

_SCHEMES: Final = frozenset({"http", "https"})
_SYSTEM_PORTS: Final = frozenset({80, 443})
_FIRST_USER_PORT: Final = 1024  # RFC 6335 section 6
_ENDS: Final = " \t\r\n"  # some certificates have them around the URL
_NOT_IN_A_URL: Final = re.compile(r"[^\x20-\x7e]|\\")
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)  # RFC 3986 section 3.1
_PORT: Final = re.compile(r"[0-9]{0,5}")
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_NAME_LENGTH: Final = 253  # RFC 1035 section 3.1, written with dots
# RFC 6761 section 6.3, RFC 6762 section 3, RFC 8375, and 'internal', which ICANN keeps for private use.
_PRIVATE_DOMAINS: Final = ("localhost", "local", "home.arpa", "internal")

# The part of IPv6 that IANA assigns to be routed. The module ipaddress knows the exceptions in it and those of IPv4,
# except for the newest ones and for parts of 192.0.0.0/24 (RFC 6890).
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION: Final = ipaddress.IPv6Network("3fff::/20")  # RFC 9637
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
_PROTOCOL_ASSIGNMENTS: Final = ipaddress.IPv4Network("192.0.0.0/24")
_AZURE_PLATFORM: Final = ipaddress.IPv4Address("168.63.129.16")  # public by its number; a metadata service by its use

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class RefusedError(InputError):
    """A URL or an address that may not be asked. The text is the reason in one line; it may quote untrusted text."""


def scheme_of(text: str) -> str:
    """Return the scheme of a URL in lower case; empty where it has none. The rest of the URL is not checked."""
    found = _SCHEME.match(text.strip(_ENDS))
    return found[1].lower() if found else ""


def require_permitted_url(text: str, *, allow_private: bool = False, limits: Limits = DEFAULT_LIMITS) -> URL:
    """Parse a URL that may be asked, and raise :class:`RefusedError` for any other.

    The scheme must be ``http`` or ``https``, all characters printable ASCII (RFC 3986 section 2; spaces in the path are
    encoded), and the length at most ``limits.retrieval_url_characters``. User names and passwords are refused. The port
    must be 80, 443 or at least 1024: the other system ports belong to other protocols (RFC 6335 section 6), whose
    servers an HTTP request could confuse. A fragment is dropped.

    The host must be a name or a canonical address (RFC 3986 section 3.2.2). Other spellings of an address (``127.1``,
    ``2130706433``, ``0x7f.1``, percent-encoded) are refused whatever address they mean. An address is checked by
    :func:`require_permitted_address`; the resolver does so later for each address of a name. Names that have a meaning
    only in a private network are refused here, because a proxy would resolve them without our check.
    ``allow_private`` permits private addresses and names.
    """
    text = text.strip(_ENDS)
    if len(text) > limits.retrieval_url_characters:
        raise RefusedError(
            f"longer than {limits.retrieval_url_characters:,} characters (limits.retrieval_url_characters)"
        )
    if _NOT_IN_A_URL.search(text):
        raise RefusedError("has characters that are not allowed in a URL (RFC 3986 section 2)")
    if (scheme := scheme_of(text)) not in _SCHEMES:
        raise RefusedError(f"its scheme is {scheme}, not http or https" if scheme else "not a URL: it has no scheme")
    if not text[len(scheme) + 1 :].startswith("//"):
        raise RefusedError("has no host")
    try:
        url = URL(text).with_fragment(None)
        host = url.host and url.raw_host  # reading the former decodes IDNA, as aiohttp will
    except ValueError as error:  # UnicodeError, which IDNA raises, is one
        raise RefusedError(f"not a URL: {error}") from None
    authority = re.split(r"[/?#]", text[len(scheme) + 3 :], maxsplit=1)[0]
    if "@" in authority:
        raise RefusedError("has a user name or a password in it")
    _require_port(url, authority)
    _require_host(host or "", allow_private=allow_private)
    return url


def require_permitted_redirect(
    url: URL, location: str, *, allow_private: bool = False, limits: Limits = DEFAULT_LIMITS
) -> URL:
    """Parse the target of a redirect (RFC 9110 section 10.2.2), and raise :class:`RefusedError` unless it may be asked.

    The rules are those of :func:`require_permitted_url`. A redirect from ``https`` to ``http`` is refused: a request by
    https asks for a response that cannot have been changed on the way.
    """
    if len(location) > limits.retrieval_url_characters:
        raise RefusedError(
            f"longer than {limits.retrieval_url_characters:,} characters (limits.retrieval_url_characters)"
        )
    location = location.strip(_ENDS)
    if _NOT_IN_A_URL.search(location):
        raise RefusedError("has characters that are not allowed in a URL (RFC 3986 section 2)")
    try:
        target = urljoin(str(url), location)
    except ValueError as error:
        raise RefusedError(f"not a URL: {error}") from None
    permitted = require_permitted_url(target, allow_private=allow_private, limits=limits)
    if url.scheme == "https" and permitted.scheme != "https":
        raise RefusedError("redirected from https to http")
    return permitted


def require_permitted_address(address: str, *, allow_private: bool = False) -> None:
    """Raise :class:`RefusedError` unless this address may be connected to.

    It must be routed on the public internet by IANA's registries of special-purpose addresses (RFC 6890): not private,
    shared (RFC 6598), loopback, link-local or reserved. For an IPv6 address that contains an IPv4 address (mapped,
    NAT64, 6to4, Teredo), the latter is checked as well. ``allow_private`` permits all of these. Multicast and
    unspecified addresses are always refused.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise RefusedError(f"{address} is not an address") from None
    embedded = _embedded(parsed)
    if any(each.is_multicast or each.is_unspecified for each in (parsed, *embedded)):
        raise RefusedError(f"{address} is not the address of a server")
    if not allow_private and not _is_public(parsed, embedded):
        raise RefusedError(f"{address} {NOT_PUBLIC}")


def _require_port(url: URL, authority: str) -> None:
    written = authority.rpartition("]")[2].rpartition(":")[2] if ":" in authority.rpartition("]")[2] else ""
    if not _PORT.fullmatch(written):  # int() takes a sign, and digits of any script
        raise RefusedError("its port is not a number")
    if url.port not in _SYSTEM_PORTS and (url.port or 0) < _FIRST_USER_PORT:
        raise RefusedError(f"port {url.port} is refused: only 80, 443 and ports from 1024 are allowed")


def _require_host(host: str, *, allow_private: bool) -> None:
    if not host:
        raise RefusedError("has no host")
    if ":" in host:
        if "%" in host and not allow_private:  # a zone (RFC 6874): link-local
            raise RefusedError(f"{host} {NOT_PUBLIC}")
        require_permitted_address(host.replace("%25", "%"), allow_private=allow_private)
        return
    name = host.removesuffix(".")
    labels = name.split(".")
    if len(name) > _NAME_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise RefusedError("its host is neither a name nor an address (RFC 3986 section 3.2.2)")
    if _NUMBER.fullmatch(labels[-1]):  # no top-level domain is a number (RFC 3696 section 2)
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise RefusedError(f"{host} is not the usual form of an address (RFC 3986 section 3.2.2)") from None
        require_permitted_address(host, allow_private=allow_private)
    elif not allow_private and (len(labels) == 1 or name.endswith(tuple(f".{each}" for each in _PRIVATE_DOMAINS))):
        raise RefusedError(f"{host} {PRIVATE_NAME}")


def _embedded(address: IPAddress) -> tuple[ipaddress.IPv4Address, ...]:
    """Return the IPv4 addresses to which packets for an IPv6 address go."""
    if not isinstance(address, ipaddress.IPv6Address):
        return ()
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


def _is_public(address: IPAddress, embedded: tuple[ipaddress.IPv4Address, ...]) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and address not in _PROTOCOL_ASSIGNMENTS and address != _AZURE_PLATFORM
    if embedded:  # Python versions disagree about the IPv6 prefixes around them
        return all(_is_public(each, ()) for each in embedded)
    return address in _GLOBAL_UNICAST and address not in _DOCUMENTATION and address.is_global
