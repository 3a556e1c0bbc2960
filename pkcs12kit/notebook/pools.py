"""Pools as tables, sorted by subject. Where scripts run, a click on a heading sorts the table by that column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.display.labels import day, short_serial
from pkcs12kit.notebook.html import (
    Element,
    Verbatim,
    badge,
    cell,
    code,
    element,
    folded,
    left_out,
    lines,
    name,
    said,
    table,
    title,
)
from pkcs12kit.notebook.style import SORTING
from pkcs12kit.notebook.validity import is_valid, state
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool, Reject
    from pkcs12kit.contents.items import ListedKey
    from pkcs12kit.contents.listing import Contents
    from pkcs12kit.notebook.html import View

_HEADS = ("subject", "issuer", "kind", "valid from", "valid until", "state", "serial", "SHA-256")
_DIGITS_SHOWN = 12
_BEYOND_SERIALS = 60
"""More decimal digits than a serial number has: 20 octets (RFC 5280 section 4.1.2.2) take 49 digits."""


def draw_pool(pool: CertificatePool, view: View) -> Element:
    """Return a pool: the number of certificates of each kind, and a table."""
    return element(
        "div",
        title(f"Certificate pool: {counted(len(pool), 'certificate')}, {counted(len(pool.rejects), 'reject')}"),
        certificates_table(tuple(pool), view),
        rejects_list(pool.rejects, view),
    )


def draw_contents(contents: Contents, view: View) -> Element:
    """Return the contents of files: a table of certificates, and lists of keys, CRLs and unread parts."""
    view = view.at(contents.time)
    certificates = [one.certificate for one in contents.certificates]
    lists = (
        ("private and public keys", [_key(key) for key in contents.keys]),
        ("CRLs", [f"{crl.crl}, {', '.join(crl.sources)}" for crl in contents.crls]),
        ("other contents", [f"{one.kind} {one.text or ''}" for one in contents.others]),
        ("parts could not be read", [str(part) for part in contents.unread]),
    )
    return element(
        "div",
        title(f"Contents of files: {counted(len(certificates), 'certificate')}"),
        certificates_table(certificates, view) if certificates else None,
        *(folded(f"{len(items):,} {name}", lines(items, view, show=str)) for name, items in lists if items),
    )


def _key(key: ListedKey) -> str:
    kind = "private key" if key.is_private else "public key"
    fits = ", ".join(one.label for one in key.certificates)
    known = f"{key.algorithm or ''} {key.why or f'of {fits}' if fits else ''}"
    return f"{kind} {known.strip()}, {', '.join(key.sources)}"


def certificates_table(certificates: Sequence[Certificate], view: View) -> Element:
    """Return a summary and a table of certificates, sorted by subject. Of too many only the first are shown."""
    time = view.time_or_now
    shown = sorted(certificates[: view.limits.notebook_rows], key=_by_subject)
    return element(
        "div",
        _summary(shown, time, f"As of {view.time_in_words()}: "),
        table(_HEADS, (_row(certificate, time) for certificate in shown), sortable=True),
        left_out(len(certificates) - len(shown), "certificates"),
        element("script", Verbatim(SORTING)),
    )


def rejects_list(rejects: Sequence[Reject], view: View) -> Element | None:
    """Return a list of the certificates that could not be read; None where there are none."""
    if not rejects:
        return None
    return folded(f"{len(rejects):,} could not be read", lines(rejects, view, show=str))


def _summary(certificates: Iterable[Certificate], time: datetime, when: str) -> Element:
    counts = {"CA": 0, "self-issued": 0, "✓ current": 0, "✗ expired": 0, "✗ not yet valid": 0}
    for certificate in certificates:
        counts["CA"] += certificate.is_ca
        counts["self-issued"] += certificate.is_self_issued
        counts["✓ current"] += is_valid(certificate, time)
        counts["✗ expired"] += time > certificate.not_after
        counts["✗ not yet valid"] += time < certificate.not_before
    badges = [badge(f"{number:,} {kind}") for kind, number in counts.items() if number]
    return element("p", when, *badges)


def _by_subject(certificate: Certificate) -> tuple[str, datetime]:
    return certificate.subject.label.casefold(), certificate.not_after


def _row(certificate: Certificate, time: datetime) -> tuple[Element, ...]:
    number = certificate.serial_number_text
    kind = ", ".join(
        word for word, holds in (("CA", certificate.is_ca), ("self-issued", certificate.is_self_issued)) if holds
    )
    return (
        cell(name(certificate.subject.label), title=str(certificate.subject), class_="roomy"),
        cell(name(certificate.issuer.label), title=str(certificate.issuer), class_="roomy"),
        cell(kind or "not a CA"),
        cell(day(certificate.not_before), key=format_time(certificate.not_before), class_="tight"),
        cell(day(certificate.not_after), key=format_time(certificate.not_after), class_="tight"),
        cell(said(*state(certificate, time)), class_="tight"),
        cell(code(short_serial(number)), key=number.zfill(_BEYOND_SERIALS), title=number, class_="tight"),
        cell(code(certificate.sha256[:_DIGITS_SHOWN]), title=certificate.sha256, class_="tight"),
    )
