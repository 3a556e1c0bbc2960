"""Names and subtree bases of each form of GeneralName, parsed for comparison (RFC 5280 section 4.2.1.10).

The parsers return None for a name or a base that is not well-formed. The caller must then reject the certificate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509

from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.subtrees import (
    DIRECTORY_NAME,
    DNS_NAME,
    IP_ADDRESS,
    OTHER_NAME,
    REGISTERED_ID,
    RFC822_NAME,
    URI,
    EncodedName,
)
from pkcs12kit.text import harmless, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator
    from ipaddress import IPv4Address, IPv6Address

HierarchyKey: TypeAlias = "tuple[Hashable, ...]"
"""A position in a hierarchy, from the top: the labels of a host from the last one, or relative distinguished names."""

SMTP_UTF8_MAILBOX: Final = "1.3.6.1.5.5.7.8.9"

_FORMS: Final[dict[type[x509.GeneralName], str]] = {
    x509.DirectoryName: DIRECTORY_NAME,
    x509.DNSName: DNS_NAME,
    x509.RFC822Name: RFC822_NAME,
    x509.UniformResourceIdentifier: URI,
    x509.IPAddress: IP_ADDRESS,
    x509.RegisteredID: REGISTERED_ID,
}
_SHOWN_AT_MOST: Final = 200
_CHARACTER_STRINGS: Final = frozenset(bytes([tag]) for tag in (12, *range(18, 23), *range(25, 31)))
"""The identifier octets of the types of character strings (X.680 section 41)."""
_ADDRESS_OCTETS: Final = (4, 16)
_NETWORK_OCTETS: Final = (8, 32)
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
class NamePosition:
    """The position of a name: ``key`` in the hierarchy, and ``whole``, the name itself where its form compares that."""

    key: HierarchyKey = ()
    whole: Hashable = None
    is_certain: bool = True
    """False if another program may find the name elsewhere, because a string in it has no text."""

    def addresses(self, *, mapped: bool) -> Iterator[IPv4Address | IPv6Address]:
        """Yield the address of an iPAddress, and with ``mapped`` the IPv4 address that it stands for.

        A client that connects to ``::ffff:192.0.2.1`` (RFC 4291 section 2.5.5.2) reaches 192.0.2.1.
        """
        from ipaddress import IPv4Address, IPv6Address

        if isinstance(self.whole, IPv4Address | IPv6Address):
            yield self.whole
        if mapped and isinstance(self.whole, IPv6Address) and self.whole.ipv4_mapped is not None:
            yield self.whole.ipv4_mapped


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of an iPAddress subtree: those that have its bits wherever the mask has a one.

    The clause asks for a mask in the style of CIDR, a prefix, but the comparison is defined for any.
    """

    octets: bytes
    """The address and the mask, 8 octets or 32 (section 4.2.1.10)."""

    def __contains__(self, address: IPv4Address | IPv6Address) -> bool:
        half = len(self.octets) // 2
        base, mask = self.octets[:half], self.octets[half:]
        packed = address.packed
        return len(packed) == half and not any((a ^ b) & m for a, b, m in zip(packed, base, mask, strict=True))


@dataclass(frozen=True, slots=True)
class SubtreeBase:
    """The base of a subtree: it holds names ``at`` its key, ``below`` it, one equal to ``whole``, or a network."""

    key: HierarchyKey = ()
    at: bool = False
    below: bool = False
    whole: Hashable = None
    network: Network | None = None


def form_of(name: x509.GeneralName | EncodedName) -> str:
    """Return the name of the form of a GeneralName; each type of otherName is a separate form."""
    if isinstance(name, EncodedName):
        return name.form
    if isinstance(name, x509.OtherName):
        return f"{OTHER_NAME} {name.type_id.dotted_string}"
    return _FORMS[type(name)]


def is_processed(form: str) -> bool:
    """Return True where subtrees of the form can be compared with names."""
    return form in _NAME_READERS or form.startswith(OTHER_NAME)


def value_of(form: str, name: object) -> object:
    """Return the value of a GeneralName as ``form``: names as :class:`Name`, otherNames as DER, a mailbox as text."""
    if isinstance(name, x509.DirectoryName):
        return Name.from_cryptography(name.value)
    if not isinstance(name, x509.GeneralName | EncodedName):
        return name
    value: object = name.value
    is_in_other_name = form == RFC822_NAME and form_of(name) != form
    return _email_of(value) if is_in_other_name and isinstance(value, bytes) else value


def reading_cost(value: object) -> int:
    """Return the cost of parsing a name or base, in comparisons: a name may be as long as a certificate may be."""
    if isinstance(value, Name):
        attributes = (attribute for rdn in value.relative_distinguished_names for attribute in rdn)
        size = sum(_ATTRIBUTE_OVERHEAD + len(text) for _, text in attributes)
    else:
        size = len(value) if isinstance(value, str | bytes) else 0
    return _READING + size // _CHARACTERS_A_COMPARISON


def shown(value: object) -> str:
    """Return a name or a base for a message: text in quotation marks, octets in hexadecimal, each safe to print."""
    if isinstance(value, str):
        return quoted(value, longest=_SHOWN_AT_MOST)
    if isinstance(value, bytes):
        return harmless(value[:_SHOWN_AT_MOST].hex(), longest=_SHOWN_AT_MOST)
    text = value.dotted_string if isinstance(value, x509.ObjectIdentifier) else value
    return harmless(text, longest=_SHOWN_AT_MOST)


def read_name(form: str, value: object) -> NamePosition | None:
    """Parse a name of a certificate."""
    return _NAME_READERS.get(form, _whole_name)(value)


def read_base(form: str, value: object, *, excluded: bool) -> SubtreeBase | None:
    """Parse the base of a subtree, of those that are excluded or of those that are permitted."""
    if form == DNS_NAME:
        return _dns_base(value, excluded=excluded)
    if form == DIRECTORY_NAME:
        return _directory_base(value, excluded=excluded)
    return _BASE_READERS.get(form, _whole_base)(value)


def host_key(host: str) -> HierarchyKey | None:
    """Parse a host name, labels from the top, in lower case (RFC 5280 section 7.2).

    Underscores are accepted, as the comparison is correct with them; U-labels, empty labels and a trailing dot are not.
    """
    if not host.isascii() or len(host) > _HOST_AT_MOST:
        return None
    labels = host.lower().split(".")
    return tuple(reversed(labels)) if all(map(_LABEL.fullmatch, labels)) else None


def _email_of(smtp_utf8_mailbox: bytes) -> str | bytes:
    """Parse a SmtpUTF8Mailbox (RFC 9598 section 3); return data that is not a UTF8String as it is."""
    from asn1crypto.core import UTF8String

    try:
        text: str = UTF8String.load(smtp_utf8_mailbox, strict=True).native
    except UNREADABLE:
        return smtp_utf8_mailbox
    return text


def _mailbox(text: str) -> tuple[HierarchyKey, str] | None:
    """Parse a mailbox into host and local part, the latter unquoted; return None for an address literal as host."""
    local_part, separator, host = text.rpartition("@")
    key = host_key(host)
    if not separator or key is None:
        return None
    if in_quotes := _QUOTED_STRING.fullmatch(local_part):
        return key, re.sub(r"\\(.)", r"\1", in_quotes[1])
    dot_string = _DOT_STRING if local_part.isascii() else _UTF8_DOT_STRING
    return (key, local_part) if dot_string.fullmatch(local_part) else None


def _directory_name(value: object) -> NamePosition | None:
    if not isinstance(value, Name):
        return None
    return NamePosition(value.comparison_key, is_certain=not _has_string_without_text(value))


def _directory_base(value: object, *, excluded: bool) -> SubtreeBase | None:
    if not isinstance(value, Name) or (excluded and _has_string_without_text(value)):
        return None
    return SubtreeBase(value.comparison_key, at=True, below=True)


def _has_string_without_text(name: Name) -> bool:
    """Return True if the octets of a character string have no text in its type, as Latin-1 in a UTF8String.

    Such a string is compared as it is encoded (section 7.1), so an equal text in another encoding does not match it.
    """
    return any(
        isinstance(value, bytes) and value[:1] in _CHARACTER_STRINGS
        for attributes in name.relative_distinguished_names
        for _, value in attributes
    )


def _dns_name(value: object) -> NamePosition | None:
    """Parse a dNSName; a wildcard, as the whole left-most label, stays the label '*'."""
    if not isinstance(value, str):
        return None
    parent = host_key(value[2:]) if value.startswith("*.") else None
    if parent is not None:
        return NamePosition((*parent, "*"))
    key = host_key(value)
    return None if key is None else NamePosition(key)


def _dns_base(value: object, *, excluded: bool) -> SubtreeBase | None:
    """Parse a dNSName subtree; two forms that the clause does not define are read so that they allow the least.

    ``.example.com`` permits only what is below example.com, as for a URI, and ``*.example.com`` permits nothing that
    can be told, since other programs compare the asterisk with a label. Excluded, both hold example.com as well.
    """
    if not isinstance(value, str):
        return None
    if value.startswith("*."):
        key = host_key(value[2:]) if excluded else None
    else:
        key = () if value == "" else host_key(value.removeprefix("."))
    return None if key is None else SubtreeBase(key, at=excluded or not value.startswith("."), below=True)


def _rfc822_name(value: object) -> NamePosition | None:
    mailbox = _mailbox(value) if isinstance(value, str) else None
    return None if mailbox is None else NamePosition(mailbox[0], whole=mailbox)


def _rfc822_base(value: object) -> SubtreeBase | None:
    if not isinstance(value, str):
        return None
    text = value
    if "@" in text:
        # RFC 9549 deprecates this kind; local parts compare exactly (RFC 5280 section 7.5).
        mailbox = _mailbox(text) if text.isascii() else None
        return None if mailbox is None else SubtreeBase(whole=mailbox)
    return SubtreeBase(at=True, below=True) if not text else _host_or_domain(text)


def _uri_name(value: object) -> NamePosition | None:
    """Parse the host of a URI (RFC 3986 section 3.2), which must be a fully qualified domain name, not an address."""
    authority = _AUTHORITY.match(value) if isinstance(value, str) else None
    host = _HOST_OF_AUTHORITY.fullmatch(authority[1]) if authority else None
    key = host_key(host[1].removesuffix(".")) if host else None
    if key is None or len(key) == 1 or _NUMBER.fullmatch(str(key[0])):
        return None
    return NamePosition(key)


def _uri_base(value: object) -> SubtreeBase | None:
    if not isinstance(value, str):
        return None
    return _host_or_domain(value) if value else SubtreeBase(at=True, below=True)


def _host_or_domain(text: str) -> SubtreeBase | None:
    """Parse 'host.example.com', that host only, or '.example.com', every host below it."""
    key = host_key(text.removeprefix("."))
    return None if key is None else SubtreeBase(key, at=not text.startswith("."), below=text.startswith("."))


def _ip_name(value: object) -> NamePosition | None:
    from ipaddress import IPv4Address, IPv6Address, ip_address

    if isinstance(value, bytes) and len(value) in _ADDRESS_OCTETS:
        value = ip_address(value)
    # pyca/cryptography reads an address with a mask as a network; a name has an address only (section 4.2.1.6).
    return NamePosition(whole=value) if isinstance(value, IPv4Address | IPv6Address) else None


def _ip_base(value: object) -> SubtreeBase | None:
    if not isinstance(value, bytes) or len(value) not in _NETWORK_OCTETS:
        return None
    return SubtreeBase(network=Network(value))


def _whole_name(value: object) -> NamePosition | None:
    return NamePosition(whole=value) if isinstance(value, bytes) else None


def _whole_base(value: object) -> SubtreeBase | None:
    return SubtreeBase(whole=value) if isinstance(value, bytes) else None


_NAME_READERS: Final[dict[str, Callable[[object], NamePosition | None]]] = {
    DIRECTORY_NAME: _directory_name,
    DNS_NAME: _dns_name,
    RFC822_NAME: _rfc822_name,
    URI: _uri_name,
    IP_ADDRESS: _ip_name,
}
_BASE_READERS: Final[dict[str, Callable[[object], SubtreeBase | None]]] = {
    RFC822_NAME: _rfc822_base,
    URI: _uri_base,
    IP_ADDRESS: _ip_base,
}
