"""The extensions of one certificate, decoded once (RFC 5280 section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, SubjectInformationAccessOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from cryptography.x509 import GeneralName

POLICY_MAPPINGS: Final = "2.5.29.33"
ANY_POLICY: Final = "2.5.29.32.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """What the extensions of a certificate say, None or empty where it does not have them.

    ``oids`` holds the dotted object identifier of every extension present, ``critical`` of those marked critical.
    Key identifiers are bytes, policies dotted object identifiers, path lengths and skip counts certificates.
    """

    oids: frozenset[str] = frozenset()
    critical: frozenset[str] = frozenset()
    basic_constraints: x509.BasicConstraints | None = None
    key_usage: x509.KeyUsage | None = None
    extended_key_usage: frozenset[str] | None = None
    subject_alternative_name: tuple[GeneralName, ...] | None = None
    name_constraints: x509.NameConstraints | None = None
    certificate_policies: tuple[str, ...] | None = None
    policy_mappings: tuple[tuple[str, str], ...] | None = None
    policy_constraints: x509.PolicyConstraints | None = None
    inhibit_any_policy: int | None = None
    subject_key_identifier: bytes | None = None
    authority_key_identifier: x509.AuthorityKeyIdentifier | None = field(default=None)
    ca_issuers: tuple[str, ...] = ()
    ca_repositories: tuple[str, ...] = ()

    @classmethod
    def from_cryptography(cls, extensions: x509.Extensions) -> Extensions:
        """Take over extensions that pyca/cryptography has read.

        Raises :class:`ValueError` for malformed policy mappings, which pyca leaves undecoded.
        """
        values: dict[str, Any] = {}
        for extension in extensions:
            decode = _DECODERS.get(extension.oid.dotted_string)
            if decode:
                name, take = decode
                values[name] = take(extension.value)
        return cls(
            oids=frozenset(extension.oid.dotted_string for extension in extensions),
            critical=frozenset(extension.oid.dotted_string for extension in extensions if extension.critical),
            **values,
        )


def _locations(method: x509.ObjectIdentifier) -> Callable[[Iterable[x509.AccessDescription]], tuple[str, ...]]:
    def locations(descriptions: Iterable[x509.AccessDescription]) -> tuple[str, ...]:
        return tuple(
            description.access_location.value
            for description in descriptions
            if description.access_method == method
            and isinstance(description.access_location, x509.UniformResourceIdentifier)
        )

    return locations


def _policy_mappings(extension: x509.UnrecognizedExtension) -> tuple[tuple[str, str], ...]:
    # pyca/cryptography does not decode policy mappings.
    from asn1crypto.x509 import PolicyMappings

    mappings = PolicyMappings.load(extension.value, strict=True)
    return tuple(
        (mapping["issuer_domain_policy"].dotted, mapping["subject_domain_policy"].dotted) for mapping in mappings
    )


_DECODERS: Final[dict[str, tuple[str, Callable[[Any], object]]]] = {
    ExtensionOID.BASIC_CONSTRAINTS.dotted_string: ("basic_constraints", lambda value: value),
    ExtensionOID.KEY_USAGE.dotted_string: ("key_usage", lambda value: value),
    ExtensionOID.EXTENDED_KEY_USAGE.dotted_string: (
        "extended_key_usage",
        lambda value: frozenset(usage.dotted_string for usage in value),
    ),
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string: ("subject_alternative_name", tuple),
    ExtensionOID.NAME_CONSTRAINTS.dotted_string: ("name_constraints", lambda value: value),
    ExtensionOID.CERTIFICATE_POLICIES.dotted_string: (
        "certificate_policies",
        lambda value: tuple(policy.policy_identifier.dotted_string for policy in value),
    ),
    POLICY_MAPPINGS: ("policy_mappings", _policy_mappings),
    ExtensionOID.POLICY_CONSTRAINTS.dotted_string: ("policy_constraints", lambda value: value),
    ExtensionOID.INHIBIT_ANY_POLICY.dotted_string: ("inhibit_any_policy", lambda value: value.skip_certs),
    ExtensionOID.SUBJECT_KEY_IDENTIFIER.dotted_string: ("subject_key_identifier", lambda value: value.digest),
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER.dotted_string: ("authority_key_identifier", lambda value: value),
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS.dotted_string: (
        "ca_issuers",
        _locations(AuthorityInformationAccessOID.CA_ISSUERS),
    ),
    ExtensionOID.SUBJECT_INFORMATION_ACCESS.dotted_string: (
        "ca_repositories",
        _locations(SubjectInformationAccessOID.CA_REPOSITORY),
    ),
}
