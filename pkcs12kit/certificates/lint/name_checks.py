"""The rules about the names and purposes of server certificates, and about dNSNames in any certificate."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pkcs12kit.certificates.lint.linted import Broken
from pkcs12kit.text import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from pkcs12kit.certificates.lint.linted import Linted

_SERVER_AUTH: Final = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
_ANY_PURPOSE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string
_PURPOSES: Final = ExtensionOID.EXTENDED_KEY_USAGE.dotted_string
_ALTERNATIVE_NAME: Final = ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string
_LONGEST_NAME: Final = 253  # characters (RFC 1035 section 2.3.4, without the root's dot)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)


def check_names(linted: Linted) -> Iterator[Broken]:
    """Yield the rules about dNSNames that the certificate does not keep, and those for the names of a server."""
    names = linted.extensions.subject_alternative_name
    dns_names = [name.value for name in names or () if isinstance(name, x509.DNSName)]
    yield from _dns_names(dns_names)
    if not linted.is_server:
        return
    addresses = [name.value for name in names or () if isinstance(name, x509.IPAddress)]
    if not dns_names and not addresses:
        if names is not None or _ALTERNATIVE_NAME not in linted.extensions.oids:
            yield Broken("server-name-missing", "it has neither a dNSName nor an iPAddress")
    else:
        yield from _common_name(linted, dns_names, addresses)


def check_purposes(linted: Linted) -> Iterator[Broken]:
    """Yield the rules about the purposes of a server certificate that it does not keep."""
    if not linted.is_server:
        return
    if linted.certificate.is_ca:
        yield Broken("ca-as-server", "it is a CA certificate, and used as a server's")
    usages = linted.extensions.extended_key_usage
    if _PURPOSES not in linted.extensions.oids:
        yield Broken("purpose-missing", "it has no extendedKeyUsage")
    elif usages is not None and _ANY_PURPOSE in usages and _SERVER_AUTH not in usages:
        yield Broken("purpose-any", "its extendedKeyUsage has anyExtendedKeyUsage and not serverAuth")


def _dns_names(names: Sequence[str]) -> Iterator[Broken]:
    """Yield one finding for each rule, which shows the first name and counts the others."""
    found: dict[str, list[str]] = {}
    for name in names:
        rule = _rule_of(name)
        if rule is not None:
            found.setdefault(rule, []).append(name)
    sentences = {
        "dns-name-is-address": "is an IP address, not a host name",
        "dns-name-underscore": "has an underscore",
        "dns-name-syntax": "is not a host name",
    }
    for rule, sentence in sentences.items():
        if rule in found:
            first, *others = found[rule]
            more = f" (and {len(others):,} more)" if others else ""
            yield Broken(rule, f"its dNSName {quoted(first)} {sentence}{more}")


def _rule_of(name: str) -> str | None:
    """Return the rule that a dNSName does not keep; None for a host name, which may begin with a wildcard label."""
    if _as_address(name) is not None:
        return "dns-name-is-address"
    if _is_host_name(name):
        return None
    return "dns-name-underscore" if _is_host_name(name.replace("_", "x")) else "dns-name-syntax"


def _is_host_name(name: str) -> bool:
    if len(name) > _LONGEST_NAME:
        return False
    return all(_LABEL.fullmatch(label) for label in name.removeprefix("*.").split("."))


def _as_address(text: str) -> IPv4Address | IPv6Address | None:
    if len(text) > _LONGEST_NAME:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def _common_name(linted: Linted, dns_names: Sequence[str], addresses: Sequence[object]) -> Iterator[Broken]:
    common_name = linted.certificate.subject.common_name
    if common_name is None:
        return
    address = _as_address(common_name)
    if address is not None:
        missing = address not in addresses
    else:
        missing = _looks_like_host(common_name) and not any(_covers(name, common_name) for name in dns_names)
    if missing:
        yield Broken("common-name-not-in-names", f"its common name {quoted(common_name)} is not in its subjectAltName")


def _looks_like_host(text: str) -> bool:
    """Return True for a host name of several labels, whose last one is not a number as in names of people."""
    last = text.rpartition(".")[2]
    return "." in text and not last.isdigit() and _is_host_name(text.replace("_", "x"))


def _covers(dns_name: str, host: str) -> bool:
    """Return True if the dNSName is the host, or a wildcard for its first label."""
    dns_name, host = dns_name.lower(), host.lower()
    return dns_name == host or (dns_name.startswith("*.") and dns_name[1:] == f".{host.partition('.')[2]}")
