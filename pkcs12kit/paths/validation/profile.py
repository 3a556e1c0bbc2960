"""What RFC 5280 section 4 demands of a certificate by itself, where breaking it leaves unclear what is certified.

What is merely a CA's duty is not insisted on: real and valid certificates lack key identifiers, have extensions of
another criticality than the profile asks for, or odd serial numbers, and section 6.1 reads none of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.validation import extensions
from pkcs12kit.paths.validation.name_constraints import bounds_violation

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions


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
    own = extensions.read_extensions(certificate)
    extensions.check_critical_extensions(certificate, section)
    _check_bounds(certificate)
    if own.basic_constraints is not None:
        extensions.check_is_ca(certificate, section)
    extensions.check_may_sign_certificates(certificate, section)


def _check_bounds(certificate: Certificate) -> None:
    violation = bounds_violation(certificate)
    if violation is not None:
        _refuse(certificate, "RFC 5280 section 4.2.1.10", violation)


def _refuse(certificate: Certificate, section: str, detail: str) -> None:
    raise InvalidPathError(
        Failure(reason=FailureReason.MALFORMED_CERTIFICATE, certificate=certificate, section=section, detail=detail)
    )
