"""Certificate profiles of the replica: the policies, mappings and constraints of the real certificates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from pkcs12kit.lab import extensions as ext

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from pkcs12kit.lab.extensions import Extension

MARKER: Final = "Replica"
"""The organization in every name of the replica, in place of the government's."""


def _common(*arcs: int) -> tuple[str, ...]:
    return tuple(f"2.16.840.1.101.3.2.1.3.{arc}" for arc in arcs)


def _dod(*arcs: int) -> tuple[str, ...]:
    return tuple(f"2.16.840.1.101.2.1.11.{arc}" for arc in arcs)


COMMON_DEVICES: Final = _common(8)[0]
"""id-fpki-common-devices, in the trust anchor's domain: a path to the replica's server is valid for this policy."""

DOD_MEDIUM_NPE: Final = _dod(36)[0]
"""id-US-dod-mediumNPE-112, in the DoD's domain: the policy of the server's certificate."""


def replica_name(*organizational_units: str, common_name: str) -> x509.Name:
    """Return a name of the replica: C=US, O=Replica, then the organizational units, then the common name."""
    return x509.Name([*_organization(*organizational_units), x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _organization(*organizational_units: str) -> list[x509.NameAttribute[str]]:
    return [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, MARKER),
        *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in organizational_units),
    ]


_DOD_NAMES: Final = x509.DirectoryName(x509.Name(_organization("DoD")))
_ECA_NAMES: Final = x509.DirectoryName(x509.Name(_organization("ECA")))
_MIL_NAMES: Final = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "mil")]))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """The extensions of a CA certificate other than keys and locations. ``model`` is the real certificate.

    Absent extensions are None or empty. ``policy_constraints`` are requireExplicitPolicy and inhibitPolicyMapping.
    """

    model: str
    path_length: int | None = None
    digital_signature: bool = False
    policies: tuple[str, ...] = ()
    mappings: tuple[tuple[str, str], ...] = ()
    policy_constraints: tuple[int | None, int | None] | None = None
    policy_constraints_critical: bool = True
    inhibit_any_policy: int | None = None
    inhibit_any_policy_critical: bool = True
    permitted: tuple[x509.GeneralName, ...] = ()
    excluded: tuple[x509.GeneralName, ...] = ()


ANCHOR: Final = CertificateProfile(model="Federal Common Policy CA, self-signed, #304")
ROOT: Final = CertificateProfile(model="DoD Root CA 3, self-signed, #1", digital_signature=True)
PLAIN: Final = CertificateProfile(model="none")

BRIDGE_BY_COMMON: Final = CertificateProfile(
    model="Federal Bridge CA G4 by Federal Common Policy CA G2, 2020",
    policies=_common(1, 2, 14, 15, 18, 19, 20, 6, 7, 8, 36, 13, 16, 17, 39, 40, 41),
    mappings=tuple(zip(_common(6, 7, 16, 8, 36), _common(3, 12, 4, 37, 38), strict=True)),
    policy_constraints=(0, 2),
    inhibit_any_policy=0,
)
COMMON_BY_BRIDGE: Final = CertificateProfile(
    model="Federal Common Policy CA G2 by Federal Bridge CA G4, 2020",
    policies=_common(1, 2, 3, 12, 14, 15, 4, 18, 19, 20, 37, 38, 13, 17, 39, 40, 41),
    mappings=tuple(zip(_common(3, 12, 4, 37, 38), _common(6, 7, 16, 8, 36), strict=True)),
    policy_constraints=(0, 1),
    inhibit_any_policy=0,
)
INTEROPERABILITY_BY_BRIDGE: Final = CertificateProfile(
    model="DoD Interoperability Root CA 2 by Federal Bridge CA G4, 2023",
    policies=_common(3, 12, 18, 19, 20, 37, 13, 17, 39),
    mappings=(
        *zip(_common(3, 12, 37), _dod(39, 42, 36), strict=True),
        # The External Certification Authorities' domain: one issuer policy has several subject policies.
        *(
            (issuer, f"2.16.840.1.101.3.2.1.12.{arc}")
            for issuer, arc in zip(_common(3, 12, 37, 18, 19, 20, 12), (4, 5, 9, 6, 7, 8, 10), strict=True)
        ),
    ),
    policy_constraints=(0, 0),
    inhibit_any_policy=0,
    permitted=(_DOD_NAMES, _MIL_NAMES, _ECA_NAMES),
)
BRIDGE_BY_INTEROPERABILITY: Final = CertificateProfile(
    model="Federal Bridge CA 2016 by DoD Interoperability Root CA 2, #1061",
    policies=(*_dod(36, 42), *_common(13, 17, 18, 19, 20, 39)),
    mappings=tuple(zip(_dod(36, 42, 42), _common(38, 12, 4), strict=True)),
    policy_constraints=(0, None),
    inhibit_any_policy=0,
    inhibit_any_policy_critical=False,
    excluded=(_DOD_NAMES, _ECA_NAMES),
)
ROOT_BY_INTEROPERABILITY: Final = CertificateProfile(
    model="DoD Root CA 3 by DoD Interoperability Root CA 2, #748",
    policies=(*_dod(36, 39, 42), *_common(13, 17, 39)),
    policy_constraints=(0, None),
)
OLDER_ROOT_BY_INTEROPERABILITY: Final = CertificateProfile(
    model="DoD Root CA 3 by DoD Interoperability Root CA 2, #655",
    policies=(*_dod(36, 39, 42), *_common(13, 17)),
    policy_constraints=(0, None),
)
ROOT_BY_COALITION: Final = CertificateProfile(
    model="DoD Root CA 3 by US DoD CCEB Interoperability Root CA 2, #28",
    policies=_dod(36, 39, 42),
    policy_constraints=(0, None),
)
BRIDGE_BY_ACES: Final = CertificateProfile(
    model="Federal Bridge CA 2013 by IdenTrust ACES CA 1, #87042",
    policies=tuple(f"2.16.840.1.101.3.2.1.1.{arc}" for arc in (2, 3, 5, 6, 7)),
    mappings=tuple(
        (f"2.16.840.1.101.3.2.1.1.{issuer}", subject)
        for issuer, subject in zip((2, 3, 5, 6, 7), _common(2, 3, 3, 3, 3), strict=True)
    ),
    inhibit_any_policy=0,
)
ISSUING: Final = CertificateProfile(
    model="DOD ID SW CA-37 by DoD Root CA 3, #18",
    path_length=0,
    digital_signature=True,
    policies=(*_dod(36, 39, 42), *_common(13, 17)),
    policy_constraints=(0, None),
    policy_constraints_critical=False,  # as in the real certificate, against RFC 5280 section 4.2.1.11
)


class Locations(NamedTuple):
    """The URLs at which a CA publishes."""

    crl: str
    issued_to: str
    issued_by: str
    ocsp: str | None


def ca_extensions(
    profile: CertificateProfile,
    *,
    subject_key: CertificatePublicKeyTypes,
    subject_locations: Locations,
    issuer_key: CertificatePublicKeyTypes | None = None,
    issuer_locations: Locations | None = None,
) -> tuple[Extension, ...]:
    """Return the extensions of a CA certificate; without an issuer's key and locations it is self-signed."""
    found: list[Extension] = [
        ext.critical(x509.BasicConstraints(ca=True, path_length=profile.path_length)),
        ext.critical(
            ext.key_usage(*(("digital_signature",) if profile.digital_signature else ()), "key_cert_sign", "crl_sign")
        ),
        ext.non_critical(ext.subject_key_identifier(subject_key)),
    ]
    if issuer_key is not None:
        found.append(ext.non_critical(ext.authority_key_identifier(issuer_key)))
    found += _policy_extensions(profile)
    if profile.permitted or profile.excluded:
        found.append(ext.critical(x509.NameConstraints(profile.permitted or None, profile.excluded or None)))
    if issuer_locations is not None:
        found += location_extensions(issuer_locations)
    # The real issuing CA and the real self-signed DoD Root CA 3 name no repository.
    if profile not in {ROOT, ISSUING}:
        found.append(ext.non_critical(ext.subject_information_access(subject_locations.issued_by)))
    return tuple(found)


def location_extensions(issuer: Locations) -> tuple[Extension, ...]:
    """Return the extensions with the URLs of the issuer's CRL, certificates and OCSP responder."""
    return (
        ext.non_critical(ext.crl_distribution_points(issuer.crl)),
        ext.non_critical(ext.authority_information_access(issuer.issued_to, issuer.ocsp)),
    )


def _policy_extensions(profile: CertificateProfile) -> list[Extension]:
    found: list[Extension] = []
    if profile.policies:
        found.append(ext.non_critical(ext.certificate_policies(*profile.policies)))
    if profile.mappings:
        # Not critical on the real certificates, though RFC 5280 section 4.2.1.5 says it SHOULD be.
        found.append(ext.non_critical(ext.policy_mappings(*profile.mappings)))
    if profile.policy_constraints is not None:
        constraints = x509.PolicyConstraints(*profile.policy_constraints)
        found.append(
            ext.critical(constraints) if profile.policy_constraints_critical else ext.non_critical(constraints)
        )
    if profile.inhibit_any_policy is not None:
        inhibit = x509.InhibitAnyPolicy(profile.inhibit_any_policy)
        found.append(ext.critical(inhibit) if profile.inhibit_any_policy_critical else ext.non_critical(inhibit))
    return found
