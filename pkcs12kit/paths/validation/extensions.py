"""Checks on single extensions: which are processed, what CA certificates must say, purposes (RFC 5280 section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pkcs12kit.certificates.extensions import POLICY_MAPPINGS
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.validation.name_constraints import bounds_violation

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions


ANY_EXTENDED_KEY_USAGE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string

_PROCESSED: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS.dotted_string,
        ExtensionOID.KEY_USAGE.dotted_string,
        ExtensionOID.EXTENDED_KEY_USAGE.dotted_string,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string,
        ExtensionOID.NAME_CONSTRAINTS.dotted_string,
        ExtensionOID.CERTIFICATE_POLICIES.dotted_string,
        POLICY_MAPPINGS,
        ExtensionOID.POLICY_CONSTRAINTS.dotted_string,
        ExtensionOID.INHIBIT_ANY_POLICY.dotted_string,
    }
)


def read_extensions(certificate: Certificate) -> Extensions:
    """Decode the extensions; a malformed one is a failure of the path, never passed over.

    The checks below are for certificates that have passed this.
    """
    try:
        own = certificate.extensions
        own.policy_mappings  # noqa: B018  # decoded now, to raise here if at all
    except MalformedCertificateError as error:
        raise InvalidPathError(
            Failure(
                reason=FailureReason.MALFORMED_CERTIFICATE,
                certificate=certificate,
                section="RFC 5280 section 4.2",
                detail=str(error),
            )
        ) from None
    return own


def check_critical_extensions(certificate: Certificate, section: str) -> None:
    """Refuse a critical extension that is not processed (6.1.4 (o), 6.1.5 (f))."""
    unknown = certificate.extensions.critical - _PROCESSED
    if unknown:
        raise InvalidPathError(
            Failure(
                reason=FailureReason.UNKNOWN_CRITICAL_EXTENSION,
                certificate=certificate,
                section=section,
                detail=f"has the critical extension {', '.join(sorted(unknown))}, which is not processed",
            )
        )


def check_is_ca(certificate: Certificate, section: str) -> None:
    """Refuse an issuer whose basicConstraints do not say cA, or are missing (6.1.4 (k)); versions 1 and 2 too."""
    constraints = certificate.extensions.basic_constraints
    if constraints is None or not constraints.ca:
        found = "has no basicConstraints" if constraints is None else "has basicConstraints without cA"
        raise InvalidPathError(
            Failure(
                reason=FailureReason.NOT_A_CA,
                certificate=certificate,
                section=section,
                detail=f"{found}, so it may not issue certificates",
            )
        )


def check_may_sign_certificates(certificate: Certificate, section: str) -> None:
    """Refuse an issuer whose keyUsage is there and lacks keyCertSign (6.1.4 (n))."""
    usage = certificate.extensions.key_usage
    if usage is not None and not usage.key_cert_sign:
        raise InvalidPathError(
            Failure(
                reason=FailureReason.KEY_USAGE,
                certificate=certificate,
                section=section,
                detail="has a keyUsage without keyCertSign, so it may not issue certificates",
            )
        )


def check_purpose(certificate: Certificate, purpose: str) -> None:
    """Refuse a certificate that lists purposes and neither this one nor anyExtendedKeyUsage (section 4.2.1.12).

    RFC 5280 has it for end-entities; TLS clients ask it of every CA certificate in the path too.
    """
    usages = certificate.extensions.extended_key_usage
    if usages is not None and usages.isdisjoint((purpose, ANY_EXTENDED_KEY_USAGE)):
        raise InvalidPathError(
            Failure(
                reason=FailureReason.EXTENDED_KEY_USAGE,
                certificate=certificate,
                section="RFC 5280 section 4.2.1.12",
                detail=f"has an extendedKeyUsage that does not allow {purpose}",
            )
        )


def check_certificate(certificate: Certificate, own: Extensions) -> None:
    """Refuse a certificate without names, and one that denies being a CA's while it speaks as one."""
    if not certificate.is_ca:
        if own.name_constraints is not None:
            _refuse(certificate, "RFC 5280 section 4.2.1.10", "has nameConstraints, and is no CA certificate")
        if own.key_usage is not None and own.key_usage.key_cert_sign:
            _refuse(
                certificate, "RFC 5280 section 4.2.1.9", "has a keyUsage with keyCertSign, and is no CA certificate"
            )
    if not certificate.issuer:
        _refuse(certificate, "RFC 5280 section 4.1.2.4", "has an empty issuer name")
    _check_bounds(certificate)
    if not certificate.subject:
        if certificate.is_ca:
            _refuse(certificate, "RFC 5280 section 4.1.2.6", "is a CA certificate with an empty subject name")
        if not own.subject_alternative_name:
            _refuse(certificate, "RFC 5280 section 4.1.2.6", "names its subject nowhere")
    if own.subject_alternative_name is not None and not own.subject_alternative_name:
        _refuse(certificate, "RFC 5280 section 4.2.1.6", "has a subjectAltName without any name")


def check_trust_anchor(certificate: Certificate) -> None:
    """Refuse an anchor whose certificate says that it may not be one (RFC 5937 section 3)."""
    section = "RFC 5937 section 3"
    own = read_extensions(certificate)
    check_critical_extensions(certificate, section)
    _check_bounds(certificate)
    if own.basic_constraints is not None:
        check_is_ca(certificate, section)
    check_may_sign_certificates(certificate, section)


def _check_bounds(certificate: Certificate) -> None:
    violation = bounds_violation(certificate)
    if violation is not None:
        _refuse(certificate, "RFC 5280 section 4.2.1.10", violation)


def _refuse(certificate: Certificate, section: str, detail: str) -> None:
    raise InvalidPathError(
        Failure(reason=FailureReason.MALFORMED_CERTIFICATE, certificate=certificate, section=section, detail=detail)
    )
