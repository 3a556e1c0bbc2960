"""Checks of single extensions, and of other rules of the certificate profile (RFC 5280 sections 4.1 and 4.2).

Each check raises :class:`~pkcs12kit.paths.failure.InvalidPathError` where the certificate does not pass it. ``section``
is the section of the standard that the failure cites.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pkcs12kit.certificates.extension_names import extension_label, key_usage_bits, purpose_label
from pkcs12kit.certificates.extensions import POLICY_MAPPINGS
from pkcs12kit.certificates.key_algorithms import CANNOT_SIGN, algorithm_of_key
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.failure import Cause, refuse
from pkcs12kit.paths.validation.name_constraints import malformed_constraints
from pkcs12kit.text import harmless, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pkcs12kit.certificates.certificate import Certificate


ANY_EXTENDED_KEY_USAGE: Final = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE.dotted_string

SUBJECT_PUBLIC_KEY_INFO: Final = "subjectPublicKeyInfo"
KEYS_THAT_SIGN: Final = "RSA, an elliptic curve, Ed25519, Ed448 or ML-DSA"
_PURPOSES_OF_TLS: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH.dotted_string: "server",
    ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string: "client",
}
_LISTED: Final = 6
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


def check_readable(certificate: Certificate) -> None:
    """Check that the extensions can be decoded; the checks below are for certificates that have passed this one."""
    try:
        certificate.extensions.policy_mappings  # noqa: B018  # decoded now, to raise here if at all
    except MalformedCertificateError as error:
        refuse(FailureReason.MALFORMED_CERTIFICATE, certificate, "RFC 5280 section 4.2", str(error))


def check_critical_extensions(certificate: Certificate, section: str) -> None:
    """Check that every critical extension is processed (6.1.4 (o), 6.1.5 (f))."""
    unknown = certificate.extensions.critical - _PROCESSED
    if unknown:
        labels = [harmless(extension_label(oid)) for oid in sorted(unknown)]
        refuse(
            FailureReason.UNKNOWN_CRITICAL_EXTENSION,
            certificate,
            section,
            f"has the critical extension {', '.join(labels[:_LISTED])}, which is not processed",
            causes=tuple(
                Cause(
                    certificate=certificate,
                    extension=label,
                    value="critical",
                    detail="must be processed, and is not: RFC 5280 says to reject the certificate",
                )
                for label in labels[:_LISTED]
            ),
            would_pass="a certificate with this extension not critical, or without it",
        )


def check_is_ca(certificate: Certificate, section: str) -> None:
    """Check that an issuer has basicConstraints with cA (6.1.4 (k)); certificates of versions 1 and 2 have none."""
    constraints = certificate.extensions.basic_constraints
    if constraints is None or not constraints.ca:
        found = "has no basicConstraints" if constraints is None else "has basicConstraints without cA"
        cause = Cause(
            certificate=certificate,
            extension="basicConstraints",
            value="absent" if constraints is None else "cA FALSE",
            detail="only a CA may issue certificates",
        )
        refuse(
            FailureReason.NOT_A_CA,
            certificate,
            section,
            f"{found}, so it may not issue certificates",
            causes=(cause,),
            would_pass="a certificate for this CA with basicConstraints cA TRUE",
        )


def check_may_sign_certificates(certificate: Certificate, section: str) -> None:
    """Check that an issuer has keyCertSign in its keyUsage, or no keyUsage (6.1.4 (n))."""
    usage = certificate.extensions.key_usage
    if usage is not None and not usage.key_cert_sign:
        refuse(
            FailureReason.KEY_USAGE,
            certificate,
            section,
            "has a keyUsage without keyCertSign, so it may not issue certificates",
            causes=(
                Cause(
                    certificate=certificate,
                    extension="keyUsage",
                    value=key_usage_bits(usage),
                    detail="without keyCertSign it may not sign certificates",
                ),
            ),
            would_pass="a certificate for this CA with keyCertSign in its keyUsage, or without keyUsage",
        )


def check_purpose(certificate: Certificate, purpose: str) -> None:
    """Check that a certificate with an extendedKeyUsage allows a purpose, or anyExtendedKeyUsage (section 4.2.1.12).

    RFC 5280 defines this for end entities; TLS clients check every CA certificate in the path as well.
    """
    usages = certificate.extensions.extended_key_usage
    if usages is not None and usages.isdisjoint((purpose, ANY_EXTENDED_KEY_USAGE)):
        refuse(
            FailureReason.EXTENDED_KEY_USAGE,
            certificate,
            "RFC 5280 section 4.2.1.12",
            f"has an extendedKeyUsage that does not allow {purpose_label(purpose)}",
            causes=_causes_of_purpose(certificate, usages, purpose),
            would_pass=f"an extKeyUsage with {purpose_label(purpose)} or anyExtendedKeyUsage, or none at all",
        )


def check_can_sign(certificate: Certificate, purpose: str) -> None:
    """Check that the key of a TLS server or client can sign the handshake, as keys for ML-KEM or X25519 cannot."""
    if purpose not in _PURPOSES_OF_TLS:
        return
    try:
        if hasattr(certificate.public_key, "verify"):
            return
    except MalformedCertificateError:
        pass
    kind = CANNOT_SIGN.get(algorithm_of_key(certificate.subject_public_key_info) or "")
    if kind is not None:
        refuse(
            FailureReason.KEY_USAGE,
            certificate,
            "RFC 8446 section 4.4.2.2",
            f"has a key for {kind}, which cannot sign: a TLS {_PURPOSES_OF_TLS[purpose]} signs each handshake",
            causes=(
                Cause(
                    certificate=certificate,
                    extension=SUBJECT_PUBLIC_KEY_INFO,
                    value=kind,
                    detail="this key cannot sign",
                ),
            ),
            would_pass=f"a certificate for a key of {KEYS_THAT_SIGN}",
        )


def _causes_of_purpose(certificate: Certificate, usages: frozenset[str], purpose: str) -> tuple[Cause, ...]:
    listed = [harmless(purpose_label(usage)) for usage in sorted(usages)]
    also = "; TLS clients check CA certificates as well" if certificate.is_ca else ""
    return (
        Cause(
            certificate=certificate,
            extension="extKeyUsage",
            value=", ".join(shortened(listed, _LISTED)),
            detail=f"allows these purposes only{also}",
        ),
        Cause(
            certificate=None,
            extension="extended-key-usage",
            value=purpose_label(purpose),
            detail="the purpose for which the path has to be valid",
        ),
    )


def check_extensions_for_cas(certificate: Certificate) -> None:
    """Check that only a CA certificate has extensions that are for CAs."""
    own = certificate.extensions
    if certificate.is_ca:
        return
    if own.name_constraints is not None:
        _refuse_malformed(certificate, "RFC 5280 section 4.2.1.10", "has nameConstraints, and is not a CA certificate")
    if own.key_usage is not None and own.key_usage.key_cert_sign:
        _refuse_malformed(
            certificate, "RFC 5280 section 4.2.1.9", "has a keyUsage with keyCertSign, and is not a CA certificate"
        )


def _check_issuer(certificate: Certificate) -> None:
    if not certificate.issuer:
        _refuse_malformed(certificate, "RFC 5280 section 4.1.2.4", "has an empty issuer name")


def _check_subject(certificate: Certificate) -> None:
    own = certificate.extensions
    if not certificate.subject:
        if certificate.is_ca:
            _refuse_malformed(certificate, "RFC 5280 section 4.1.2.6", "is a CA certificate with an empty subject name")
        if not own.subject_alternative_name:
            _refuse_malformed(
                certificate, "RFC 5280 section 4.1.2.6", "has neither a subject name nor a subjectAltName"
            )
    if own.subject_alternative_name is not None and not own.subject_alternative_name:
        _refuse_malformed(certificate, "RFC 5280 section 4.2.1.6", "has a subjectAltName without any name")


def checks_of_trust_anchor(*, is_issuer: bool) -> Iterator[Callable[[Certificate], None]]:
    """Yield the checks that an anchor's certificate has to pass to be a trust anchor (RFC 5937 section 3).

    With ``is_issuer`` its extensions also have to allow it to issue certificates.
    """
    section = "RFC 5937 section 3"
    yield check_readable
    yield partial(check_critical_extensions, section=section)
    yield _check_name_constraints
    if is_issuer:
        yield partial(_check_is_not_an_end_entity, section=section)
        yield partial(check_may_sign_certificates, section=section)


def _check_is_not_an_end_entity(certificate: Certificate, section: str) -> None:
    """Check that a certificate with basicConstraints has cA in it."""
    if certificate.extensions.basic_constraints is not None:
        check_is_ca(certificate, section)


def _check_name_constraints(certificate: Certificate) -> None:
    constraints = certificate.extensions.name_constraints
    violation = None if constraints is None else malformed_constraints(constraints)
    if violation is not None:
        _refuse_malformed(certificate, "RFC 5280 section 4.2.1.10", violation)


def _refuse_malformed(certificate: Certificate, section: str, detail: str) -> NoReturn:
    refuse(FailureReason.MALFORMED_CERTIFICATE, certificate, section, detail)


CHECKS_OF_ONE: Final = (check_extensions_for_cas, _check_issuer, _check_name_constraints, _check_subject)
"""The checks of the certificate profile that each certificate of a path has to pass."""
