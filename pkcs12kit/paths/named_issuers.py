"""The issuers that authorityKeyIdentifiers name (RFC 5280 section 4.2.1.1): a hint, which some clients require."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.certificates.certificate import Certificate

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from typing import Self

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor


def key_identifiers_differ(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bool:
    """Return True where both key identifiers are present and differ: a hint only (RFC 4158 section 3.5.12)."""
    wanted = certificate.issuer_key_identifier
    return wanted is not None and wanted != issuer.key_identifier and issuer.key_identifier is not None


def names_another(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bool:
    """Return True where the authorityKeyIdentifier of a certificate names another certificate than its issuer's.

    The key identifier, the issuer and the serial number each have to be equal where both sides have them, as in OpenSSL
    (X509_check_akid). RFC 5280 section 4.2.1.1 calls them a means to identify the key; several clients require them.
    """
    if key_identifiers_differ(certificate, issuer):
        return True
    named = certificate.authority_certificate
    if named is None:
        return False
    own = issuer if isinstance(issuer, Certificate) else issuer.certificate
    return own is not None and named.differs_from(own.issuer, own.serial_number)


class NamedIssuers(NamedTuple):
    """The key identifiers, issuers and serial numbers that certificates name."""

    key_identifiers: frozenset[bytes]
    issuers: frozenset[Name]
    serial_numbers: frozenset[int]

    @classmethod
    def by(cls, certificates: Iterable[Certificate]) -> Self:
        """Return the values that any of the certificates names."""
        key_identifiers: set[bytes] = set()
        issuers: set[Name] = set()
        serial_numbers: set[int] = set()
        for certificate in certificates:
            if certificate.issuer_key_identifier is not None:
                key_identifiers.add(certificate.issuer_key_identifier)
            named = certificate.authority_certificate
            if named is not None and named.issuer is not None:
                issuers.add(named.issuer)
            if named is not None and named.serial_number is not None:
                serial_numbers.add(named.serial_number)
        return cls(frozenset(key_identifiers), frozenset(issuers), frozenset(serial_numbers))

    def kind(self, issuer: Certificate | TrustAnchor) -> Hashable:
        """Return the values of an issuer that are named, and otherwise None; True for a key identifier that is not."""
        identifier = issuer.key_identifier if self.key_identifiers else None
        key = identifier if identifier is None or identifier in self.key_identifiers else True
        own = issuer if isinstance(issuer, Certificate) else issuer.certificate
        if own is None or not (self.issuers or self.serial_numbers):
            return key
        return (
            key,
            own.issuer if own.issuer in self.issuers else None,
            own.serial_number if own.serial_number in self.serial_numbers else None,
        )
