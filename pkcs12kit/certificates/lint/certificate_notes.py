"""Notes on the certificates of a path, for reports: never a reason to refuse it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit.arguments import require_kind, require_several
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lint.extension_checks import check_extensions
from pkcs12kit.certificates.lint.field_checks import check_fields
from pkcs12kit.certificates.lint.linted import Broken, Linted
from pkcs12kit.certificates.lint.name_checks import check_names, check_purposes
from pkcs12kit.certificates.lint.rules import RULES
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.lint.rules import AffectedClient
    from pkcs12kit.certificates.names import Name

_SERVER_AUTH: Final = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string
_ANY_PURPOSE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string
_ORDER: Final = {name: position for position, name in enumerate(RULES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNote:
    """A rule that a certificate of a path does not keep. No answer and no exit status depends on it."""

    certificate: Certificate
    """The certificate that the note is about."""
    rule: str
    """The name of the rule, one of :data:`~pkcs12kit.certificates.lint.rules.RULES`."""
    why: str
    """One sentence, safe to print, that does not name the certificate."""
    source: str
    """The clause of a standard that asks for something else."""
    clients: tuple[AffectedClient, ...] = field(default=(), repr=False)
    """The clients that are known to refuse such a certificate; empty where none is known."""

    def to_json(self) -> dict[str, Any]:
        """Return the note as ``--json`` prints it."""
        return {
            "certificate": self.certificate.to_json(),
            "rule": self.rule,
            "why": self.why,
            "source": self.source,
            "clients": [client.to_json() for client in self.clients],
        }

    def __str__(self) -> str:
        return f"{self.certificate.label}: {self.why} [{self.source}]"


def lint_certificates(
    certificates: Iterable[Certificate],
    *,
    trust_anchors: Iterable[Certificate] = (),
    for_server: bool | None = None,
) -> tuple[CertificateNote, ...]:
    """Return notes on the certificates of a path: rules for CAs that they do not keep, and clients that care.

    - ``certificates``: the target first. A self-signed CA certificate counts as a trust anchor's.
    - ``trust_anchors``: certificates of trust anchors. Rules about the signature are not applied to them.
    - ``for_server``: whether the target is the certificate of a TLS server. By default it is, unless its
      extendedKeyUsage is for other purposes only, or it is a CA certificate without names or purpose of a server.

    The rules are :data:`~pkcs12kit.certificates.lint.rules.RULES`; most are of RFC 5280 section 4. The notes are in the
    order of the certificates, each certificate once, and of the rules. Nothing is verified. No certificate raises an
    error: one whose extensions cannot be read gets a note about that. Takes linear time.
    """
    require_several({"certificates": certificates, "trust_anchors": trust_anchors})
    given, trusted = tuple(certificates), tuple(trust_anchors)
    for name, several in (("certificates", given), ("trust_anchors", trusted)):
        for certificate in several:
            require_kind(name, certificate, Certificate)
    require_kind("for_server", for_server, bool, optional=True)
    target = given[0] if given else None
    anchors = frozenset(trusted)
    every = tuple(dict.fromkeys((*given, *trusted)))
    keys: dict[Name, set[bytes]] = {}
    for certificate in every:
        keys.setdefault(certificate.subject, set()).add(certificate.subject_public_key_info)
    notes: list[CertificateNote] = []
    for certificate in every:
        is_server = certificate == target and (_is_for_server(certificate) if for_server is None else for_server)
        # With another key of that name, it may be a CA's certificate for its next key (RFC 5280 section 3.2).
        is_self_signed = certificate.is_self_issued and len(keys[certificate.subject]) == 1
        is_root = certificate in anchors or (is_self_signed and certificate.is_ca)
        place = _Place(is_server=is_server, is_self_signed=is_self_signed, is_trusted=is_root and not is_server)
        notes.extend(_notes(certificate, place))
    return tuple(notes)


class _Place(NamedTuple):
    """The place of a certificate in a path, as :class:`Linted` has it."""

    is_server: bool
    is_self_signed: bool
    is_trusted: bool


def _is_for_server(certificate: Certificate) -> bool:
    """Return True where the extensions look like those of a server; a CA certificate needs its purpose or its names."""
    try:
        extensions = certificate.extensions
    except MalformedCertificateError:
        return False
    usages = extensions.extended_key_usage
    if not certificate.is_ca:
        return usages is None or not usages.isdisjoint((_SERVER_AUTH, _ANY_PURPOSE))
    names = extensions.subject_alternative_name or ()
    return any(isinstance(name, x509.DNSName | x509.IPAddress) for name in names) or _SERVER_AUTH in (usages or ())


def _notes(certificate: Certificate, place: _Place) -> Iterator[CertificateNote]:
    """Yield the notes on one certificate: those of its reading, and then the others in the order of the rules."""
    of_reading = [Broken(found.rule.value, found.why) for found in certificate.notes]
    for one in (*of_reading, *sorted(_broken(certificate, place), key=lambda one: _ORDER[one.rule])):
        rule = RULES[one.rule]
        yield CertificateNote(
            certificate=certificate, rule=one.rule, why=one.why, source=rule.source, clients=rule.clients
        )


def _broken(certificate: Certificate, place: _Place) -> Iterator[Broken]:
    yield from check_fields(certificate, is_server=place.is_server, is_trusted=place.is_trusted)
    try:
        extensions = certificate.extensions
    except MalformedCertificateError as error:
        yield Broken("needed-extension-unreadable", harmless(error))
        return
    linted = Linted(certificate, extensions, *place)
    yield from check_extensions(linted)
    yield from check_purposes(linted)
    yield from check_names(linted)
