"""The name forms of a GeneralName, reduced to what name constraints compare (RFC 5280 section 4.2.1.10).

A name that cannot be read as one of its form reads as None, and so does a subtree base: the caller fails closed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509

from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.certificates.names import Name

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from ipaddress import IPv4Network, IPv6Network

Key: TypeAlias = "tuple[Hashable, ...]"
"""A place in a hierarchy, most general step first: labels of a host from the top, or relative distinguished names."""

DIRECTORY_NAME: Final = "directoryName"
DNS_NAME: Final = "dNSName"
RFC822_NAME: Final = "rfc822Name"
URI: Final = "uniformResourceIdentifier"
IP_ADDRESS: Final = "iPAddress"
REGISTERED_ID: Final = "registeredID"
OTHER_NAME: Final = "otherName"
SMTP_UTF8_MAILBOX: Final = "1.3.6.1.5.5.7.8.9"

_FORMS: Final[dict[type[x509.GeneralName], str]] = {
    x509.DirectoryName: DIRECTORY_NAME,
    x509.DNSName: DNS_NAME,
    x509.RFC822Name: RFC822_NAME,
    x509.UniformResourceIdentifier: URI,
    x509.IPAddress: IP_ADDRESS,
    x509.RegisteredID: REGISTERED_ID,
}
_QUOTED_AT_MOST: Final = 200
_READING: Final = 4
_CHARACTERS_A_COMPARISON: Final = 4
_ATTRIBUTE_OVERHEAD: Final = 80  # an attribute takes as long to read as so many characters
_HOST_AT_MOST: Final = 253
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_UTF8_ATOM: Final = r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\x00-\x7f\ufeff])+"
_DOT_STRING: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_UTF8_DOT_STRING: Final = re.compile(rf"{_UTF8_ATOM}(?:\.{_UTF8_ATOM})*")
_QUOTED_STRING: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*)"')
_AUTHORITY: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_HOST_OF_AUTHORITY: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:%-]*@)?([A-Za-z0-9._-]+)(?::[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name stands: at ``key``; ``whole`` is the name itself where its form compares that too."""

    key: Key = ()
    whole: Hashable = None


@dataclass(frozen=True, slots=True)
class Base:
    """What a subtree holds: names ``at`` its key, names ``below`` it, the one equal to ``whole``, or a network's."""

    key: Key = ()
    at: bool = False
    below: bool = False
    whole: Hashable = None
    network: IPv4Network | IPv6Network | None = None


def form_of(name: x509.GeneralName) -> str:
    """Name the form; each type of otherName is a form of its own."""
    if isinstance(name, x509.OtherName):
        return f"{OTHER_NAME} {name.type_id.dotted_string}"
    return _FORMS[type(name)]


def is_processed(form: str) -> bool:
    """Whether subtrees of the form can be held against names."""
    return form in _NAME_READERS or form.startswith(OTHER_NAME)


def value_of(form: str, name: object) -> object:
    """Take the value out of a GeneralName as ``form``: names as :class:`Name`, otherNames as DER, a mailbox as text."""
    if isinstance(name, x509.DirectoryName):
        return Name.from_cryptography(name.value)
    if isinstance(name, x509.OtherName) and form == RFC822_NAME:
        return _email_of(name.value)
    return name.value if isinstance(name, x509.GeneralName) else name


def reading_cost(value: object) -> int:
    """Weigh what reading a name or base takes, in comparisons: a name may be as long as its certificate is allowed."""
    if isinstance(value, Name):
        attributes = (attribute for rdn in value.relative_distinguished_names for attribute in rdn)
        size = sum(_ATTRIBUTE_OVERHEAD + len(text) for _, text in attributes)
    else:
        size = len(value) if isinstance(value, str | bytes) else 0
    return _READING + size // _CHARACTERS_A_COMPARISON


def quote(value: object) -> str:
    """Write a name for a message, cut to a bearable length, without anything that steers a terminal."""
    if isinstance(value, bytes):
        text = value[:_QUOTED_AT_MOST].hex()
    elif isinstance(value, x509.ObjectIdentifier):
        text = value.dotted_string
    else:
        text = repr(value[: _QUOTED_AT_MOST + 1]) if isinstance(value, str) else str(value)
    if len(text) > _QUOTED_AT_MOST:
        text = text[:_QUOTED_AT_MOST] + "..."
    return text


def read_name(form: str, value: object) -> Place | None:
    """Read a name that a certificate carries."""
    return _NAME_READERS.get(form, _whole_name)(value)


def read_base(form: str, value: object) -> Base | None:
    """Read the base of a subtree."""
    return _BASE_READERS.get(form, _whole_base)(value)


def host_key(host: str) -> Key | None:
    """Read a host name, labels from the top, in lower case (RFC 5280 section 7.2).

    Underscores are let pass, as the comparison is sound with them; U-labels, empty labels and a trailing dot are not.
    """
    if not host.isascii() or len(host) > _HOST_AT_MOST:
        return None
    labels = host.lower().split(".")
    return tuple(reversed(labels)) if all(map(_LABEL.fullmatch, labels)) else None


def _email_of(smtp_utf8_mailbox: bytes) -> str | bytes:
    """Read a SmtpUTF8Mailbox (RFC 9598 section 3); what is no UTF8String stays as it is."""
    from asn1crypto.core import UTF8String

    try:
        text: str = UTF8String.load(smtp_utf8_mailbox, strict=True).native
    except UNREADABLE:
        return smtp_utf8_mailbox
    return text


def _mailbox(text: str) -> tuple[Key, str] | None:
    """Read a mailbox as host and local part, the latter unquoted; an address literal for a host is not read."""
    local_part, separator, host = text.rpartition("@")
    key = host_key(host)
    if not separator or key is None:
        return None
    if quoted := _QUOTED_STRING.fullmatch(local_part):
        return key, re.sub(r"\\(.)", r"\1", quoted[1])
    dot_string = _DOT_STRING if local_part.isascii() else _UTF8_DOT_STRING
    return (key, local_part) if dot_string.fullmatch(local_part) else None


def _directory_name(value: object) -> Place | None:
    return Place(value.comparison_key) if isinstance(value, Name) else None


def _directory_base(value: object) -> Base | None:
    return Base(value.comparison_key, at=True, below=True) if isinstance(value, Name) else None


def _dns_name(value: object) -> Place | None:
    """Read a dNSName; a wildcard, as the whole left-most label, stays the label '*'."""
    if not isinstance(value, str):
        return None
    parent = host_key(value[2:]) if value.startswith("*.") else None
    if parent is not None:
        return Place((*parent, "*"))
    key = host_key(value)
    return None if key is None else Place(key)


def _dns_base(value: object) -> Base | None:
    # A leading dot is not defined for dNSName: whether it leaves out the domain itself, readers disagree.
    key = () if value == "" else host_key(str(value))
    return None if key is None else Base(key, at=True, below=True)


def _rfc822_name(value: object) -> Place | None:
    mailbox = _mailbox(value) if isinstance(value, str) else None
    return None if mailbox is None else Place(mailbox[0], whole=mailbox)


def _rfc822_base(value: object) -> Base | None:
    text = str(value)
    if "@" in text:
        # RFC 9549 deprecates this kind; local parts compare exactly (RFC 5280 section 7.5).
        mailbox = _mailbox(text) if text.isascii() else None
        return None if mailbox is None else Base(whole=mailbox)
    return Base(at=True, below=True) if not text else _host_or_domain(text)


def _uri_name(value: object) -> Place | None:
    """Read the host of a URI (RFC 3986 section 3.2), which must be a fully qualified domain name, not an address."""
    authority = _AUTHORITY.match(value) if isinstance(value, str) else None
    host = _HOST_OF_AUTHORITY.fullmatch(authority[1]) if authority else None
    key = host_key(host[1].removesuffix(".")) if host else None
    if key is None or len(key) == 1 or _NUMBER.fullmatch(str(key[0])):
        return None
    return Place(key)


def _uri_base(value: object) -> Base | None:
    return _host_or_domain(value) if isinstance(value, str) and value else Base(at=True, below=True)


def _host_or_domain(text: str) -> Base | None:
    """Read 'host.example.com', that host alone, or '.example.com', every host below it."""
    key = host_key(text.removeprefix("."))
    return None if key is None else Base(key, at=not text.startswith("."), below=text.startswith("."))


def _ip_name(value: object) -> Place | None:
    from ipaddress import IPv4Address, IPv6Address

    # With an address and a mask, pyca/cryptography reads a network; a name has an address alone (section 4.2.1.6).
    return Place(whole=value) if isinstance(value, IPv4Address | IPv6Address) else None


def _ip_base(value: object) -> Base | None:
    from ipaddress import IPv4Network, IPv6Network

    return Base(network=value) if isinstance(value, IPv4Network | IPv6Network) else None


def _whole_name(value: object) -> Place | None:
    return Place(whole=value) if isinstance(value, bytes) else None


def _whole_base(value: object) -> Base | None:
    return Base(whole=value) if isinstance(value, bytes) else None


_NAME_READERS: Final[dict[str, Callable[[object], Place | None]]] = {
    DIRECTORY_NAME: _directory_name,
    DNS_NAME: _dns_name,
    RFC822_NAME: _rfc822_name,
    URI: _uri_name,
    IP_ADDRESS: _ip_name,
}
_BASE_READERS: Final[dict[str, Callable[[object], Base | None]]] = {
    DIRECTORY_NAME: _directory_base,
    DNS_NAME: _dns_base,
    RFC822_NAME: _rfc822_base,
    URI: _uri_base,
    IP_ADDRESS: _ip_base,
}
