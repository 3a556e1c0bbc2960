"""Certificates, trust anchors and identities as cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.algorithm_names import key_in_words
from pkcs12kit.certificates.lint.certificate_notes import lint_certificates
from pkcs12kit.display.certificate_facts import extension_facts, public_key_in_words
from pkcs12kit.display.labels import short_serial
from pkcs12kit.display.notes import refusals
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.notebook.html import (
    Element,
    Node,
    badge,
    cell,
    code,
    element,
    facts,
    folded,
    joined,
    left_out,
    name,
    said,
    table,
)
from pkcs12kit.notebook.validity import Axis, bar, dates, is_valid, state_badge
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.notebook.html import View


def heading(certificate: Certificate) -> tuple[Node, ...]:
    """Return the subject of a certificate and its serial number, which tells certificates of one subject apart."""
    return (name(certificate.subject.label), said(f"  #{short_serial(certificate.serial_number_text)}", "muted"))


def draw_certificate(certificate: Certificate, view: View) -> Element:
    """Return a card of one certificate: its validity, names, key and extensions."""
    time = view.time_or_now
    axis = Axis.over([certificate])
    return card(
        element("div", *heading(certificate), " ", *kinds(certificate), state_badge(certificate, time), class_="head"),
        bar(certificate, axis, time),
        dates(certificate, time),
        certificate_facts(certificate, view),
        notes_table(lint_certificates([certificate]), view),
        kind="good" if is_valid(certificate, time) else "bad",
    )


def draw_trust_anchor(anchor: TrustAnchor, view: View) -> Element:
    """Return a card of a trust anchor: its certificate, or its name where it has none."""
    if anchor.certificate is None:
        head = element("div", name(anchor.label), " ", badge("trust anchor", "good"), class_="head")
        return card(head, facts([("name", name(anchor.name)), ("certificate", "none: a name and a key are trusted")]))
    return element("div", element("p", badge("trust anchor", "good")), draw_certificate(anchor.certificate, view))


def draw_identity(identity: Identity, view: View) -> Element:
    """Return a card of an identity: its certificate, and a note on the private key, which is not shown."""
    return element(
        "div",
        element("p", badge("private key", "good"), " is present, belongs to this certificate, and is never shown."),
        draw_certificate(identity.certificate, view),
    )


def notes_table(notes: Sequence[CertificateNote], view: View) -> Node:
    """Return a folded table of notes on certificates, with the clients that are known to refuse; None without notes."""
    if not notes:
        return None
    shown = notes[: view.limits.notebook_rows]
    rows = (
        (cell(*heading(note.certificate)), cell(note.why), cell(note.source), cell(refusals(note) or None))
        for note in shown
    )
    drawn = table(("certificate", "note", "standard", "clients"), rows)
    summary = f"{counted(len(notes), 'note')} on certificates; the answer does not depend on them"
    return folded(summary, drawn, left_out(len(notes) - len(shown), "notes"))


def card(*children: Node, kind: str = "") -> Element:
    """Return a frame around nodes; ``kind`` is ``good``, ``bad``, ``warn`` or empty."""
    return element("div", *children, class_=f"card is-{kind}" if kind else "card")


def kinds(certificate: Certificate) -> Iterator[Element]:
    """Yield a badge for each special kind of certificate: CA, self-issued, with an encoding error."""
    if certificate.is_ca:
        yield badge("CA")
    if certificate.is_self_issued:
        yield badge("self-issued")
    if certificate.encoding_error is not None:
        yield badge("! encoding error", "warn")


def certificate_facts(certificate: Certificate, view: View) -> Element:
    """Return the fields of a certificate, with the extensions folded."""
    return element(
        "div",
        facts(
            [
                ("subject", name(certificate.subject) if certificate.subject else "empty"),
                ("issuer", name(certificate.issuer)),
                ("serial number", code(certificate.serial_number_text)),
                ("valid from", format_time(certificate.not_before)),
                ("valid until", format_time(certificate.not_after)),
                ("public key", _public_key(certificate)),
                ("SHA-256", code(certificate.sha256)),
                ("encoding", certificate.encoding_error),
            ]
        ),
        folded("extensions", _extensions(certificate, view)),
    )


def _public_key(certificate: Certificate) -> str:
    try:
        return key_in_words(certificate.public_key)
    except MalformedCertificateError as error:
        return public_key_in_words(certificate) or str(error)


def _extensions(certificate: Certificate, view: View) -> Element:
    try:
        extensions = certificate.extensions
    except MalformedCertificateError as error:
        return said(str(error), "bad")
    if not extensions.oids:
        return said("none", "muted")
    return facts(
        (fact.name, code(*fact.values) if fact.is_code else joined(list(fact.values), view))
        for fact in extension_facts(extensions)
    )
