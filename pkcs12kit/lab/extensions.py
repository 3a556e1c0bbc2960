"""Short forms of extensions (RFC 5280 section 4.2), and those that pyca/cryptography has no class for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ObjectIdentifier, SubjectInformationAccessOID

from pkcs12kit.certificates.extensions import POLICY_MAPPINGS
from pkcs12kit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

Extension: TypeAlias = "x509.Extension[Any]"


def critical(value: x509.ExtensionType) -> Extension:
    """Return a critical extension with this value."""
    return x509.Extension(value.oid, critical=True, value=value)


def non_critical(value: x509.ExtensionType) -> Extension:
    """Return a non-critical extension with this value."""
    return x509.Extension(value.oid, critical=False, value=value)


def merged(defaults: Iterable[Extension], instead: Iterable[Extension]) -> tuple[Extension, ...]:
    """Return the defaults, replaced by those of ``instead`` with the same object identifier; append the others."""
    chosen = {extension.oid: extension for extension in defaults}
    chosen.update((extension.oid, extension) for extension in instead)
    return tuple(chosen.values())


def certificate_policies(*policies: str) -> x509.CertificatePolicies:
    """Return certificatePolicies with these dotted object identifiers, without qualifiers (section 4.2.1.4)."""
    return x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(policy), None) for policy in policies])


def policy_mappings(*mappings: tuple[str, str]) -> x509.UnrecognizedExtension:
    """Return policyMappings from the issuer's policies to the subject's, as dotted identifiers (section 4.2.1.5)."""
    # pyca/cryptography has no class for policy mappings.
    from asn1crypto.x509 import PolicyMappings

    structure = PolicyMappings(
        [{"issuer_domain_policy": issuer, "subject_domain_policy": subject} for issuer, subject in mappings]
    )
    return x509.UnrecognizedExtension(ObjectIdentifier(POLICY_MAPPINGS), structure.dump())


def key_usage(*usages: str) -> x509.KeyUsage:
    """Return keyUsage with these usages, by pyca's names such as ``"key_cert_sign"`` (section 4.2.1.3).

    Raises :class:`~pkcs12kit.ArgumentError` for an unknown name.
    """
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    if unknown := set(usages) - set(names):
        raise ArgumentError(f"unknown key usage: {', '.join(sorted(unknown))}. Known: {', '.join(names)}")
    return x509.KeyUsage(**{name: name in usages for name in names})


def subject_key_identifier(public_key: CertificatePublicKeyTypes) -> x509.SubjectKeyIdentifier:
    """Return subjectKeyIdentifier with the SHA-1 of the key, which protects nothing (section 4.2.1.2, method 1)."""
    return x509.SubjectKeyIdentifier.from_public_key(public_key)


def authority_key_identifier(public_key: CertificatePublicKeyTypes) -> x509.AuthorityKeyIdentifier:
    """Return authorityKeyIdentifier with only the identifier of the issuer's key (section 4.2.1.1)."""
    return x509.AuthorityKeyIdentifier(subject_key_identifier(public_key).digest, None, None)


def crl_distribution_points(url: str) -> x509.CRLDistributionPoints:
    """Return cRLDistributionPoints with the URL of the issuer's CRL (section 4.2.1.13)."""
    return x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)])


def authority_information_access(ca_issuers: str, ocsp: str | None = None) -> x509.AuthorityInformationAccess:
    """Return authorityInfoAccess with the URLs of the issuer's certificates and OCSP responder (section 4.2.2.1)."""
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(ca_issuers))
    ]
    if ocsp is not None:
        access.append(x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp)))
    return x509.AuthorityInformationAccess(access)


def subject_information_access(ca_repository: str) -> x509.SubjectInformationAccess:
    """Return subjectInfoAccess with the URL of certificates that the subject issued (section 4.2.2.2)."""
    location = x509.UniformResourceIdentifier(ca_repository)
    return x509.SubjectInformationAccess([x509.AccessDescription(SubjectInformationAccessOID.CA_REPOSITORY, location)])
