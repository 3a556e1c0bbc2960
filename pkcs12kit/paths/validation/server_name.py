"""The check that a certificate is for the server that a client wants to reach (RFC 9525).

The matching is done by service-identity, which is imported when it is used (about 25 ms, most of it attrs).
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from cryptography import x509

from pkcs12kit.errors import ArgumentError
from pkcs12kit.text import quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service_identity.hazmat import DNS_ID, CertificatePattern, IPAddress_ID

    from pkcs12kit.certificates.certificate import Certificate

_PREFERRED_NAME: Final = re.compile(
    r"(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.IGNORECASE | re.ASCII,
)
_LIKE_AN_ADDRESS: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.IGNORECASE | re.ASCII | re.DOTALL)
_EXAMPLE: Final = "mdm.example.mil"
_SCHEME: Final = re.compile(r"\A(?:[a-z][a-z0-9+.-]*:(?=/)|https?:)?/*", re.IGNORECASE | re.ASCII)
_END_OF_HOST: Final = re.compile(r"[/?#\\]")
_WITH_PORT: Final = re.compile(r"([^:]+|\[[^\[\]]*\]):[0-9]*", re.ASCII)
_LISTED_AT_MOST: Final = 10
_QUOTED_AT_MOST: Final = 260
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:*-]{1,260}", re.ASCII)


def mismatch(certificate: Certificate, server_name: str) -> str | None:
    """Return why ``certificate`` is not for ``server_name``; None where it is.

    ``server_name`` is a DNS name, U-labels and one trailing dot allowed, or an IP address, IPv6 in brackets or not.
    It is compared with the subjectAltName only, never with a common name (RFC 9525 section 2): DNS names with dNSName,
    addresses with iPAddress.

    A wildcard counts as the whole left-most label and stands for one label (section 6.3). A dNSName that is not in the
    preferred name syntax (RFC 5280 section 4.2.1.6: no underscores, trailing dots or U-labels) is ignored, and so is a
    wildcard directly below a top-level domain. Other public suffixes are not known here. Raises
    :class:`~pkcs12kit.errors.MalformedCertificateError` where the extensions cannot be read.
    """
    wanted = _reference_identifier(server_name)
    if wanted is None:
        return f"{_shown(server_name)} is neither a DNS name nor an IP address"
    names = certificate.extensions.subject_alternative_name
    if not names:
        return f"it has no subjectAltName that could be {_shown(server_name)}; a common name does not count"
    presented = _presented_identifiers(names)
    if _matches(list(presented.values()), wanted):
        return None
    listed = ", ".join(map(_shown, list(presented)[:_LISTED_AT_MOST])) or "no DNS name and no IP address"
    more = f" and {len(presented) - _LISTED_AT_MOST} more" if len(presented) > _LISTED_AT_MOST else ""
    ignored = [_shown(name.value) for name in names if isinstance(name, x509.DNSName) and name.value not in presented]
    but = f" ({ignored[0]} is ignored: it breaks the rules for a dNSName)" if ignored else ""
    return f"it is for {listed}{more}, not for {_shown(server_name)}{but}"


def explain_server_name(certificate: Certificate, server_name: str) -> tuple[str, str]:
    """Return the names of a certificate that count for a server, as text, and a clause about what would pass.

    The certificate is one that :func:`mismatch` finds a fault with.
    """
    names = certificate.extensions.subject_alternative_name or ()
    presented = list(_presented_identifiers(names))
    wanted = _reference_identifier(server_name)
    other = f"a certificate with {_as_name(wanted)}"
    if not presented:
        return ("absent" if not names else "no DNS name and no IP address"), other
    listed = ", ".join(shortened(presented, _LISTED_AT_MOST, _shown))
    named = next((name for name in presented if not name.startswith("*.")), None)
    asked = f"the name {_shown(named)}" if named is not None else f"a name below {_shown(presented[0][2:])}"
    return listed, f"{asked} instead of {_shown(server_name)}, or {other}"


def _as_name(wanted: DNS_ID | IPAddress_ID | None) -> str:
    """Return the kind of name that a certificate needs for a server, with the name in A-labels."""
    from service_identity.hazmat import IPAddress_ID

    if wanted is None:
        return "that name"
    if isinstance(wanted, IPAddress_ID):
        return f"the iPAddress {wanted.ip}"
    return f"the dNSName {wanted.hostname.decode('ascii')}"


def require_server_name(server_name: str) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a text that is neither a DNS name nor an IP address.

    The message has the name that was probably meant, if the text contains one. A text with ``@`` is not shown, because
    a URL may have a password before it.
    """
    if _reference_identifier(server_name) is not None:
        return
    shown = "the server name" if "@" in server_name else _shown(server_name)
    meant = _name_within(server_name) or f"a name such as {_EXAMPLE}"
    raise ArgumentError(f"{shown} {_fault(server_name)}: host name or IP address only; write {meant}")


def _fault(text: str) -> str:
    """Return what is wrong with a text that is neither a DNS name nor an IP address."""
    faults = (
        (not text.strip(), "is empty, and so neither a DNS name nor an IP address"),
        ("://" in text, "is a URL"),
        ("@" in text, "has a user or a mailbox before @"),
        ("*" in text, "has a wildcard, which stands only in certificates"),
        (text != text.strip(), "has white space around it"),
        (_WITH_PORT.fullmatch(text), "has a port"),
        ("/" in text, "has a path"),
        ("%" in text, "has a zone, which certificates do not have"),
        (text.startswith("["), "is in brackets and is not an IPv6 address"),
    )
    return next((fault for applies, fault in faults if applies), "is neither a DNS name nor an IP address")


def _name_within(text: str) -> str | None:
    """Return the DNS name or address in a URL, in ``host:port``, in brackets or between blanks; None without one."""
    from service_identity.hazmat import DNS_ID

    rest = _SCHEME.sub("", text.strip(), count=1)
    rest, *beyond = _END_OF_HOST.split(rest, maxsplit=1)
    if "@" in "".join(beyond):  # the text before could be a part of a password
        return None
    rest = rest.rpartition("@")[2]
    with_port = _WITH_PORT.fullmatch(rest)
    if with_port is not None:
        rest = with_port[1]
    if rest.startswith("[") and rest.endswith("]"):
        rest = rest[1:-1]
    if rest.startswith("*."):
        return _name_within(f"www{rest[1:]}")
    found = _reference_identifier(unicodedata.normalize("NFKC", rest).partition("%")[0].rstrip("."))
    if found is None:
        return None
    # In A-labels, which can be typed everywhere.
    return found.hostname.decode("ascii") if isinstance(found, DNS_ID) else str(found.ip)


def _reference_identifier(server_name: str) -> DNS_ID | IPAddress_ID | None:
    """Return the reference identifier of a name (RFC 9525 section 6.1); None where it is neither name nor address."""
    from service_identity.hazmat import DNS_ID, IPAddress_ID

    bracketed = server_name.startswith("[") and server_name.endswith("]")
    try:
        address = ip_address(server_name[1:-1] if bracketed else server_name)
    except ValueError:
        address = None
    if address is not None:
        scoped = isinstance(address, IPv6Address) and address.scope_id is not None
        return None if scoped or (bracketed and isinstance(address, IPv4Address)) else IPAddress_ID(str(address))
    # RFC 5895 section 2: lower case, and the full stops of other scripts, before the A-labels are computed.
    name = unicodedata.normalize("NFC", server_name.lower()).replace("\u3002", ".").removesuffix(".")
    if bracketed or name != name.strip() or _LIKE_AN_ADDRESS.fullmatch(name):
        return None
    try:
        wanted = DNS_ID(name)
    except (ValueError, ImportError):  # idna's errors are ValueErrors
        return None
    return wanted if all(wanted.hostname.split(b".")) else None


def _presented_identifiers(names: Iterable[x509.GeneralName]) -> dict[str, CertificatePattern]:
    """Return the identifiers in a subjectAltName by their text; those that break the rules of RFC 9525 are ignored."""
    from service_identity import CertificateError
    from service_identity.hazmat import DNSPattern, IPAddressPattern

    presented: dict[str, CertificatePattern] = {}
    for name in names:
        if isinstance(name, x509.DNSName) and _PREFERRED_NAME.fullmatch(name.value):
            try:
                presented[name.value] = DNSPattern.from_bytes(name.value.encode("ascii"))
            except CertificateError:
                continue
        elif isinstance(name, x509.IPAddress) and isinstance(name.value, IPv4Address | IPv6Address):
            presented[str(name.value)] = IPAddressPattern(name.value)
    return presented


def _matches(presented: list[CertificatePattern], wanted: DNS_ID | IPAddress_ID) -> bool:
    from service_identity import CertificateError, VerificationError
    from service_identity.hazmat import DNS_ID, DNSPattern, verify_service_identity

    try:
        verify_service_identity(presented, [wanted], [])
    except (CertificateError, VerificationError):
        if not isinstance(wanted, DNS_ID):
            return False
    else:
        return True
    # In service-identity a wildcard never stands for an A-label. RFC 9525 section 6.3 allows it; RFC 6125 did not.
    first, _, rest = wanted.hostname.partition(b".")
    return first.startswith(b"xn--") and any(
        isinstance(pattern, DNSPattern) and pattern.pattern == b"*." + rest for pattern in presented
    )


def _shown(name: str) -> str:
    """Return a name for a message: in quotation marks where it has characters that a host name does not have."""
    return name if _PLAIN.fullmatch(name) else quoted(name, longest=_QUOTED_AT_MOST)
