"""Distribution points of certificates, the scope of CRLs, and which covers which (RFC 5280 section 6.3.3 (b))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509

from pkcs12kit.certificates.names import Name
from pkcs12kit.paths.revocation.faults import EvidenceFault, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate

PointName: TypeAlias = "Name | x509.GeneralName"
"""A name of a distribution point: directory names compare by RFC 5280 section 7.1, other forms by their value."""

_CRL_POINTS: Final = x509.CRLDistributionPoints.oid.dotted_string
ALL_REASONS: Final = frozenset(x509.ReasonFlags) - {x509.ReasonFlags.unspecified, x509.ReasonFlags.remove_from_crl}
"""all-reasons of RFC 5280 section 6.3.2 (a)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionPoint:
    """One source of CRLs that a certificate names (RFC 5280 section 4.2.1.13)."""

    names: frozenset[PointName]
    """Names of the point: of its distributionPoint field, or, where it has none, of its cRLIssuer field."""
    crl_issuers: frozenset[Name]
    """Names of the CRL's issuer; the certificate's issuer where the point names no other."""
    is_indirect: bool
    """True where the point names a cRLIssuer: only an indirect CRL serves it then (6.3.3 (b)(1))."""
    reasons: frozenset[x509.ReasonFlags]
    """Reasons that CRLs from this point can rule out; empty where they can only revoke the certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The certificates and reasons that a CRL covers (RFC 5280 section 5.2.5)."""

    extension: x509.IssuingDistributionPoint | None
    """The extension as pyca/cryptography read it: a delta CRL has the one of its full CRL. None for no limits."""
    names: frozenset[PointName] | None
    """Names of the distribution point that the CRL is for; None where it is for all."""
    reasons: frozenset[x509.ReasonFlags]

    @classmethod
    def of(cls, extension: x509.IssuingDistributionPoint | None, issuer: Name) -> Scope:
        """Return the scope that an issuingDistributionPoint states in a CRL of ``issuer``."""
        if extension is None:
            return cls(extension=None, names=None, reasons=ALL_REASONS)
        has_names = extension.full_name is not None or extension.relative_name is not None
        some = extension.only_some_reasons
        return cls(
            extension=extension,
            names=_names(extension.full_name, extension.relative_name, (issuer,)) if has_names else None,
            reasons=ALL_REASONS if some is None else ALL_REASONS & some,
        )

    @property
    def is_indirect(self) -> bool:
        """True where entries may be about certificates of other issuers."""
        return self.extension is not None and self.extension.indirect_crl

    def kind_fault(self, certificate: Certificate) -> Fault | None:
        """Return why the CRL does not cover this kind of certificate (6.3.3 (b)(2)(ii) to (iv)); None where it does."""
        extension = self.extension
        if extension is None:
            return None
        detail = None
        if extension.only_contains_attribute_certs:
            detail = "covers attribute certificates only"
        elif extension.only_contains_user_certs and certificate.is_ca:
            detail = "covers end-entity certificates only"
        elif extension.only_contains_ca_certs and not certificate.is_ca:
            detail = "covers CA certificates only"
        return None if detail is None else Fault(EvidenceFault.OTHER_CERTIFICATES, detail)

    def covers(self, point: DistributionPoint) -> bool:
        """Return True where a CRL of this scope serves a distribution point, by their names.

        RFC 5280 section 6.3.3 (b)(1) and (b)(2)(i).
        """
        if point.is_indirect and not self.is_indirect:
            return False
        return self.names is None or not self.names.isdisjoint(point.names)


def distribution_points(certificate: Certificate) -> Iterator[DistributionPoint]:
    """Yield the distribution points of a certificate, and last the one that RFC 5280 section 6.3.3 assumes.

    That one has the name of the certificate's issuer, which signs its CRL, and covers every reason. Here it can only
    revoke in two cases, which is stricter than the standard: where all the points of the certificate name other CRL
    issuers, and where the points cannot be read, because they may name others. Names in the issuer's issuerAltName are
    not included. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    issuer = certificate.issuer
    points = certificate.extensions.crl_distribution_points
    named = [_directory_names(point.crl_issuer or ()) for point in points]
    for point, crl_issuers in zip(points, named, strict=True):
        if point.crl_issuer and not crl_issuers:
            continue  # a CRL's issuer has a directory name (section 5.1.2.3): no CRL is for this point
        has_names = point.full_name is not None or point.relative_name is not None
        yield DistributionPoint(
            names=_names(point.full_name, point.relative_name, crl_issuers or (issuer,))
            if has_names
            else frozenset(map(_point_name, point.crl_issuer or ())),
            crl_issuers=crl_issuers or frozenset((issuer,)),
            is_indirect=bool(crl_issuers),
            reasons=ALL_REASONS if point.reasons is None else ALL_REASONS & point.reasons,
        )
    is_known = _CRL_POINTS not in certificate.extensions.lost
    names_issuer = (is_known and not points) or any(
        not point.crl_issuer or issuer in crl_issuers for point, crl_issuers in zip(points, named, strict=True)
    )
    yield DistributionPoint(
        names=frozenset((issuer,)),
        crl_issuers=frozenset((issuer,)),
        is_indirect=False,
        reasons=ALL_REASONS if names_issuer else frozenset(),
    )


def _names(
    full_name: Iterable[x509.GeneralName] | None,
    relative_name: x509.RelativeDistinguishedName | None,
    relative_to: Iterable[Name],
) -> frozenset[PointName]:
    names: set[PointName] = set(map(_point_name, full_name or ()))
    if relative_name is not None:
        added = tuple((attribute.oid.dotted_string, attribute.value) for attribute in relative_name)
        names.update(Name((*name.relative_distinguished_names, added)) for name in relative_to)
    return frozenset(names)


def _directory_names(names: Iterable[x509.GeneralName]) -> frozenset[Name]:
    return frozenset(name for name in map(_point_name, names) if isinstance(name, Name))


def _point_name(name: x509.GeneralName) -> PointName:
    return Name.from_cryptography(name.value) if isinstance(name, x509.DirectoryName) else name
