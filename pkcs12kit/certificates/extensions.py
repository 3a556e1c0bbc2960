"""The decoded extensions of a certificate (RFC 5280 section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, SubjectInformationAccessOID

from pkcs12kit.certificates.lenient import UNREADABLE, first_line, require_whole
from pkcs12kit.certificates.subtrees import NameConstraints, read_name_constraints
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from cryptography.x509 import GeneralName

POLICY_MAPPINGS: Final = "2.5.29.33"
NAME_CONSTRAINTS: Final = "2.5.29.30"
ANY_POLICY: Final = "2.5.29.32.0"


class ExtensionFault(NamedTuple):
    """An extension that could not be decoded, or not all of it."""

    oid: str
    """The dotted object identifier."""
    why: str
    """The reason, for a message."""
    is_lost: bool
    """True where nothing of the extension was decoded."""


@dataclass(frozen=True, kw_only=True)
class Extensions:
    """The values of a certificate's extensions; None or empty for extensions that it does not have.

    ``oids`` contains the dotted object identifier of every extension, ``critical`` of those marked critical. Key
    identifiers are bytes, policies are dotted object identifiers, path lengths and skipCerts are numbers of
    certificates. Locations are URLs of any scheme; of a distribution point they are those of its fullName, without
    directory names. Policy mappings are decoded on first use, because asn1crypto takes long for them and few callers
    need them.

    ``faults`` are of extensions that validation does not need and that are not critical: each has the value of an
    absent one, or the part of its value that could be decoded. Any other extension that cannot be decoded makes the
    whole certificate unusable.
    """

    oids: frozenset[str] = frozenset()
    critical: frozenset[str] = frozenset()
    basic_constraints: x509.BasicConstraints | None = None
    key_usage: x509.KeyUsage | None = None
    extended_key_usage: frozenset[str] | None = None
    subject_alternative_name: tuple[GeneralName, ...] | None = None
    name_constraints: NameConstraints | None = None
    certificate_policies: tuple[str, ...] | None = None
    encoded_policy_mappings: bytes | None = field(default=None, repr=False)
    policy_constraints: x509.PolicyConstraints | None = None
    inhibit_any_policy: int | None = None
    subject_key_identifier: bytes | None = None
    authority_key_identifier: x509.AuthorityKeyIdentifier | None = field(default=None)
    authority_information_access: tuple[x509.AccessDescription, ...] = ()
    ca_repositories: tuple[str, ...] = ()
    crl_distribution_points: tuple[x509.DistributionPoint, ...] = ()
    delta_crl_locations: tuple[str, ...] = ()
    faults: tuple[ExtensionFault, ...] = ()

    @classmethod
    def from_cryptography(cls, extensions: x509.Extensions) -> Extensions:
        """Return the values of extensions that pyca/cryptography has read."""
        values: dict[str, Any] = {}
        for extension in extensions:
            decode = FIELDS.get(extension.oid.dotted_string)
            if decode:
                name, take = decode
                values[name] = take(extension.value)
        return cls(
            oids=frozenset(extension.oid.dotted_string for extension in extensions),
            critical=frozenset(extension.oid.dotted_string for extension in extensions if extension.critical),
            **values,
        )

    @property
    def lost(self) -> frozenset[str]:
        """The object identifiers of the extensions that could not be decoded: whatever they say is not known."""
        return frozenset(fault.oid for fault in self.faults if fault.is_lost)

    @property
    def ca_issuers(self) -> tuple[str, ...]:
        """URLs of certificates of the issuer (section 4.2.2.1)."""
        return _locations(self.authority_information_access, AuthorityInformationAccessOID.CA_ISSUERS)

    @property
    def ocsp_responders(self) -> tuple[str, ...]:
        """URLs of the issuer's OCSP responders (section 4.2.2.1)."""
        return _locations(self.authority_information_access, AuthorityInformationAccessOID.OCSP)

    @property
    def crl_locations(self) -> tuple[str, ...]:
        """URLs of CRLs in the distribution points (section 4.2.1.13)."""
        return _crl_locations(self.crl_distribution_points)

    @cached_property
    def policy_mappings(self) -> tuple[tuple[str, str], ...] | None:
        """Pairs of issuerDomainPolicy and subjectDomainPolicy (section 4.2.1.5).

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
        """
        if self.encoded_policy_mappings is None:
            return None
        from asn1crypto.x509 import PolicyMappings

        try:
            mappings = PolicyMappings.load(self.encoded_policy_mappings, strict=True)
            pairs = tuple(
                (mapping["issuer_domain_policy"].dotted, mapping["subject_domain_policy"].dotted)
                for mapping in mappings
            )
            require_whole(mappings)
        except UNREADABLE as error:
            raise MalformedCertificateError(
                f"unreadable policy mappings, policyMappings ({POLICY_MAPPINGS}): {first_line(error)}"
            ) from None
        return pairs


def _locations(descriptions: Iterable[x509.AccessDescription], method: x509.ObjectIdentifier) -> tuple[str, ...]:
    return _urls(description.access_location for description in descriptions if description.access_method == method)


def _crl_locations(points: Iterable[x509.DistributionPoint]) -> tuple[str, ...]:
    return _urls(name for point in points for name in point.full_name or ())


def _urls(names: Iterable[GeneralName]) -> tuple[str, ...]:
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


FIELDS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    ExtensionOID.BASIC_CONSTRAINTS.dotted_string: ("basic_constraints", lambda value: value),
    ExtensionOID.KEY_USAGE.dotted_string: ("key_usage", lambda value: value),
    ExtensionOID.EXTENDED_KEY_USAGE.dotted_string: (
        "extended_key_usage",
        lambda value: frozenset(usage.dotted_string for usage in value),
    ),
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string: ("subject_alternative_name", tuple),
    NAME_CONSTRAINTS: ("name_constraints", lambda value: read_name_constraints(value.value)),
    ExtensionOID.CERTIFICATE_POLICIES.dotted_string: (
        "certificate_policies",
        lambda value: tuple(policy.policy_identifier.dotted_string for policy in value),
    ),
    # pyca/cryptography leaves these undecoded.
    POLICY_MAPPINGS: ("encoded_policy_mappings", lambda value: value.value),
    ExtensionOID.POLICY_CONSTRAINTS.dotted_string: ("policy_constraints", lambda value: value),
    ExtensionOID.INHIBIT_ANY_POLICY.dotted_string: ("inhibit_any_policy", lambda value: value.skip_certs),
    ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string: ("subject_key_identifier", lambda value: value.digest),
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string: ("authority_key_identifier", lambda value: value),
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS.dotted_string: ("authority_information_access", tuple),
    ExtensionOID.SUBJECT_INFORMATION_ACCESS.dotted_string: (
        "ca_repositories",
        lambda value: _locations(value, SubjectInformationAccessOID.CA_REPOSITORY),
    ),
    ExtensionOID.CRL_DISTRIBUTION_POINTS.dotted_string: ("crl_distribution_points", tuple),
    ExtensionOID.FRESHEST_CRL.dotted_string: ("delta_crl_locations", _crl_locations),
}
