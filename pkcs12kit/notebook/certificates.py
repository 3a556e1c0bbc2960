"""Certificates, trust anchors and identities as cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pkcs12kit.certificates.lint.certificate_notes import lint_certificates
from pkcs12kit.certificates.subtrees import DIRECTORY_NAME, DNS_NAME, IP_ADDRESS, RFC822_NAME
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
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote
    from pkcs12kit.certificates.subtrees import EncodedName
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.notebook.html import View

_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_KINDS: Final = {x509.DNSName: "DNS", x509.IPAddress: "IP", x509.RFC822Name: "email", x509.DirectoryName: "name"}
_KINDS_OF_FORMS: Final = {DNS_NAME: "DNS", IP_ADDRESS: "IP", RFC822_NAME: "email", DIRECTORY_NAME: "name"}


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
        key = certificate.public_key
    except MalformedCertificateError as error:
        return str(error)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC, {key.curve.name}"
    algorithm = type(key).__name__.removeprefix("_").removesuffix("PublicKey")
    size = getattr(key, "key_size", None)
    return f"{algorithm}, {size:,} bits" if size is not None else algorithm


def _extensions(certificate: Certificate, view: View) -> Element:
    try:
        extensions = certificate.extensions
    except MalformedCertificateError as error:
        return said(str(error), "bad")
    if not extensions.oids:
        return said("none", "muted")
    return facts(_extension_facts(extensions, view))


def _extension_facts(extensions: Extensions, view: View) -> Iterator[tuple[str, Node]]:
    """Yield the names and values of extensions, in the words of RFC 5280 section 4.2."""
    if extensions.subject_alternative_name is not None:
        names = [_general_name(one) for one in extensions.subject_alternative_name]
        yield "subject alternative name", joined(names, view)
    if extensions.basic_constraints is not None:
        constraints = extensions.basic_constraints
        length = f", path length {constraints.path_length}" if constraints.path_length is not None else ""
        yield "basic constraints", f"{'CA' if constraints.ca else 'not a CA'}{length}"
    if extensions.key_usage is not None:
        usages = [usage.replace("_", " ") for usage in _USAGES if getattr(extensions.key_usage, usage)]
        yield "key usage", ", ".join(usages) or "none"
    if extensions.extended_key_usage is not None:
        yield "extended key usage", joined(list(map(_purpose, sorted(extensions.extended_key_usage))), view)
    yield "certificate policies", joined(extensions.certificate_policies or (), view)
    if extensions.encoded_policy_mappings is not None:
        yield "policy mappings", _policy_mappings(extensions, view)
    if extensions.name_constraints is not None:
        for kind in ("permitted", "excluded"):
            subtrees = getattr(extensions.name_constraints, f"{kind}_subtrees") or ()
            yield f"{kind} names", joined(list(map(_subtree, subtrees)), view)
    if extensions.subject_key_identifier is not None:
        yield "subject key identifier", code(extensions.subject_key_identifier.hex())
    authority = extensions.authority_key_identifier
    if authority is not None and authority.key_identifier is not None:
        yield "authority key identifier", code(authority.key_identifier.hex())
    yield "issuer's certificate", joined(extensions.ca_issuers, view)
    yield "OCSP", joined(extensions.ocsp_responders, view)
    yield "CRL", joined(extensions.crl_locations, view)
    yield "critical", joined(list(map(_extension_name, sorted(extensions.critical))), view)


def _policy_mappings(extensions: Extensions, view: View) -> str | None:
    try:
        mappings = extensions.policy_mappings or ()
    except MalformedCertificateError as error:
        return str(error)
    return joined([f"{issuer} is {subject}" for issuer, subject in mappings], view)


def _general_name(one: x509.GeneralName) -> str:
    kind = _KINDS.get(type(one), type(one).__name__)
    if isinstance(one, x509.DirectoryName):
        return f"{kind} {one.value.rfc4514_string()}"
    if isinstance(one, x509.OtherName):
        return f"other name {one.type_id.dotted_string}"
    return f"{kind} {one.value.dotted_string if isinstance(one, x509.RegisteredID) else one.value}"


def _subtree(one: EncodedName) -> str:
    value = one.value if isinstance(one.value, str) else one.shown_value
    return f"{_KINDS_OF_FORMS.get(one.form, one.form)} {value}"


def _purpose(identifier: str) -> str:
    return _known(identifier, ExtendedKeyUsageOID)


def _extension_name(identifier: str) -> str:
    return _known(identifier, ExtensionOID)


def _known(identifier: str, names: type) -> str:
    """Return the name of an object identifier in pyca/cryptography's constants, or the identifier itself."""
    for constant, value in vars(names).items():
        if getattr(value, "dotted_string", None) == identifier:
            return constant.lower().replace("_", " ")
    return identifier
