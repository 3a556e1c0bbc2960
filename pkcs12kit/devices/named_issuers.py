"""Authority key identifiers that name another certificate than a path has, and the clients that refuse such a path.

RFC 5280 section 4.2.1.1 makes the extension a means to find the issuer's key. Some clients require that it fits.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.paths.named_issuers import key_identifiers_differ, names_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor

SECTION: Final = "RFC 5280 section 4.2.1.1"


class Field(Enum):
    """A field of an authorityKeyIdentifier. The value is its name for people."""

    KEY_IDENTIFIER = "key identifier"
    ISSUER = "issuer"
    SERIAL_NUMBER = "serial number"


class _Client(NamedTuple):
    name: str
    fields: frozenset[Field]
    """The fields that it compares."""
    fields_of_anchor: frozenset[Field]
    """The fields that it compares with the certificate of the trust anchor."""


_EVERY: Final = frozenset(Field)
_KEY: Final = frozenset({Field.KEY_IDENTIFIER})
# Tried by us: OpenSSL 3.0 and 4.0 (X509_check_akid), curl 7.88, GnuTLS 3.7, NSS 3.87, Java 17 and Go 1.19, with TLS
# servers that send such chains. tests/devices/test_named_issuers.py tries them again.
_CLIENTS: Final = (
    _Client("OpenSSL and programs that use it, such as curl", _EVERY, _EVERY),
    _Client("GnuTLS", _KEY, _KEY),
    _Client("NSS", _KEY, _KEY),
    _Client("Java", frozenset(), frozenset({Field.KEY_IDENTIFIER, Field.SERIAL_NUMBER})),
    _Client("Go", frozenset(), frozenset()),
)


class NamedIssuerMismatch(NamedTuple):
    """A certificate whose authorityKeyIdentifier names another certificate than the one above it on a path."""

    certificate: Certificate
    issuer: Certificate | TrustAnchor
    """The CA certificate or the trust anchor above it."""
    named: dict[Field, str]
    """The fields that differ, with what the certificate names and what the issuer has."""

    @property
    def refused_by(self) -> tuple[str, ...]:
        """The clients that refuse the path; at least OpenSSL."""
        return tuple(client.name for client in _CLIENTS if self._is_refused_by(client))

    @property
    def accepted_by(self) -> tuple[str, ...]:
        """The clients that do not compare the fields that differ; at least Go."""
        return tuple(client.name for client in _CLIENTS if not self._is_refused_by(client))

    def _is_refused_by(self, client: _Client) -> bool:
        is_below = isinstance(self.issuer, Certificate)
        return not self.named.keys().isdisjoint(client.fields if is_below else client.fields_of_anchor)

    def __str__(self) -> str:
        """Return one sentence: what is named, what the path has, and who refuses it."""
        own = self.issuer if isinstance(self.issuer, Certificate) else self.issuer.certificate
        number = "" if own is None else f" {serial_number_label(own.serial_number)}"
        anchor = "" if isinstance(self.issuer, Certificate) else "the trust anchor "
        fields = ", ".join(f"{field.value} {words}" for field, words in self.named.items())
        return (
            f"the authorityKeyIdentifier of {self.certificate.label} names another certificate than {anchor}"
            f"{self.issuer.label}{number}: {fields}; refused by {', '.join(self.refused_by)}; not compared by"
            f" {', '.join(self.accepted_by)} [{SECTION}]"
        )


def named_issuer_mismatches(path: CertificationPath) -> tuple[NamedIssuerMismatch, ...]:
    """Return the certificates of a path that name another certificate than the one above them, the target first."""
    links = zip(path.certificates, path.issuers, strict=True)
    return tuple(
        NamedIssuerMismatch(certificate, issuer, dict(_differences(certificate, issuer)))
        for certificate, issuer in links
        if names_another(certificate, issuer)
    )


def _differences(certificate: Certificate, issuer: Certificate | TrustAnchor) -> Iterator[tuple[Field, str]]:
    wanted, found = certificate.issuer_key_identifier, issuer.key_identifier
    if key_identifiers_differ(certificate, issuer) and wanted is not None and found is not None:
        yield Field.KEY_IDENTIFIER, f"{wanted.hex()} instead of {found.hex()}"
    own = issuer if isinstance(issuer, Certificate) else issuer.certificate
    named = certificate.authority_certificate
    if own is None or named is None:
        return
    if named.issuer is not None and named.issuer != own.issuer:
        yield Field.ISSUER, f"{named.issuer.label} instead of {own.issuer.label}"
    if named.serial_number is not None and named.serial_number != own.serial_number:
        mine, other = serial_number_label(named.serial_number), serial_number_label(own.serial_number)
        yield Field.SERIAL_NUMBER, f"{mine} instead of {other}"
