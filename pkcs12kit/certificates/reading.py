"""Reading of a certificate's DER: what can be wrong with its fields is found here, when it is read.

pyca/cryptography checks the structure when it loads a certificate, and decodes most fields only when they are asked
for: it then raises errors of its own. So every field that a search cannot do without is decoded once, here: version,
validity and signature algorithm. (It decodes names when it loads, and serial numbers without fail.) Extensions and the
public key take longer to decode and stay lazy; ``Certificate`` guards them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import load_der_x509_certificate

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.der import refuse_endless_tags
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from datetime import datetime

REFUSALS: Final = (ValueError, TypeError, OverflowError, x509.InvalidVersion)
"""What pyca/cryptography raises when it loads what is not a certificate, or when it decodes one of its fields."""

_VERSION_1: Final = x509.Version.v1


# What reading returns; a plain tuple, because a NamedTuple would add a tenth to the time that reading takes.
Reading: TypeAlias = tuple[x509.Certificate, "datetime", "datetime", str | None]
"""A certificate that pyca/cryptography has read; its notBefore and notAfter; and the message with which
pyca/cryptography refused the encoding as it was given, None for sound DER."""


def read_certificate(der: bytes) -> Reading:
    """Read one certificate, with asn1crypto's help where its encoding is not DER to the letter.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where neither reader can make sense of it, and where a
    field has a value that it may not have: a version other than 1 and 3 (RFC 5280 section 4.1.2.1), extensions
    in version 1 (section 4.1.2.9), a time that is not one (the year 0), or parameters of the signature algorithm that
    cannot be read (RFC 4055 section 3.1 for RSASSA-PSS).
    """
    try:
        refuse_endless_tags(der)
    except ValueError as refusal:
        raise MalformedCertificateError(f"not a certificate: {refusal}") from None
    try:
        certificate = load_der_x509_certificate(der)
    except REFUSALS as refusal:
        reading = _check_fields(read_canonical(der), der, str(refusal))
        structure = lenient.read_structure(der)  # raises here if at all: asn1crypto lets more pass than DER
        for name in (structure.issuer, structure.subject):
            lenient.read_name(name)
        return reading
    return _check_fields(certificate, der, None)


def read_sound(der: bytes) -> Reading | None:
    """Read a certificate in sound DER whose fields are sound; None for anything else, which may be one with a slip."""
    try:
        refuse_endless_tags(der)
        return _check_fields(load_der_x509_certificate(der), der, None)
    except (*REFUSALS, MalformedCertificateError):
        return None


def read_canonical(der: bytes) -> x509.Certificate:
    """Read what asn1crypto makes of a certificate. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
    try:
        return load_der_x509_certificate(lenient.canonical_der(der))
    except x509.InvalidVersion as refusal:
        number = refusal.parsed_version + 1  # encoded is 0 for version 1
        raise MalformedCertificateError(
            f"not a certificate: its version is {number}, where 1 and 3 are read (RFC 5280 section 4.1.2.1)"
        ) from None
    except REFUSALS as refusal:
        raise MalformedCertificateError(f"not a certificate: {refusal}") from None


def _check_fields(certificate: x509.Certificate, der: bytes, encoding_error: str | None) -> Reading:
    if certificate.version is _VERSION_1 and _has_extensions(der):
        raise MalformedCertificateError(
            "a certificate of version 1 with extensions, which only version 3 has (RFC 5280 section 4.1.2.9)"
        )
    try:
        not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except REFUSALS as refusal:
        raise MalformedCertificateError(f"unreadable validity: {refusal} (RFC 5280 section 4.1.2.5)") from None
    try:
        _ = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        pass  # an algorithm may be unknown; only a signature that is checked needs it
    except REFUSALS as refusal:
        raise MalformedCertificateError(
            f"unreadable signature algorithm: {refusal} (RFC 5280 section 4.1.1.2)"
        ) from None
    return certificate, not_before, not_after, encoding_error


def _has_extensions(der: bytes) -> bool:
    return any(field[0] == lenient.EXTENSIONS_TAG for field in lenient.read_structure(der).after_key)
