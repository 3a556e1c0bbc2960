"""The strict reader of certificates, which finds faulty fields when the certificate is read.

pyca/cryptography checks the structure when it loads a certificate, but decodes most fields only when they are asked
for, and then raises its own errors. So every field that a search needs is decoded here once: version, validity and
signature algorithm. (Names are decoded when the certificate is loaded, and any serial number can be decoded.)
Extensions and the public key take longer to decode, and stay undecoded until their first use; ``Certificate`` handles
their errors.
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

REFUSALS: Final = (ValueError, TypeError, OverflowError, IndexError, x509.InvalidVersion)
"""The exceptions of pyca/cryptography when it loads other data than a certificate, or decodes a field of one."""

NOT_POSITIVE: Final = "the serial number is not positive"
"""The encoding error of a certificate that pyca/cryptography reads only with a warning."""

_VERSION_1: Final = x509.Version.v1
# Version 3, and the tag of the serial number, which is followed by its length and its first octet. They nearly always
# stand at the same place, where they are found in a hundredth of the time that loading takes.
_USUAL_START: Final = bytes.fromhex("a00302010202")
_NEGATIVE: Final = 0x80
_ZERO: Final = b"\x01\x00"


# The result of reading; a plain tuple, because a NamedTuple would add a tenth to the time that reading takes.
Reading: TypeAlias = tuple[x509.Certificate, "datetime", "datetime", str | None]
"""A certificate that pyca/cryptography has read; its notBefore and notAfter; and pyca/cryptography's message about the
encoding error, None for correct DER."""


def read_certificate(der: bytes) -> Reading:
    """Read one certificate, with asn1crypto's help where it has an encoding error.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where neither library can read it, and where a field has
    a value that is not allowed: a version other than 1 and 3 (RFC 5280 section 4.1.2.1), extensions in version 1
    (section 4.1.2.9), an impossible time (the year 0), or parameters of the signature algorithm that cannot be decoded
    (RFC 4055 section 3.1 for RSASSA-PSS).
    """
    try:
        refuse_endless_tags(der)
    except ValueError as refusal:
        raise MalformedCertificateError(f"not a certificate: {refusal}") from None
    try:
        if (der[8:14] != _USUAL_START or not 0 < der[15] < _NEGATIVE) and _warns_of_serial_number(der):
            error = NOT_POSITIVE
        else:
            return _check_fields(load_der_x509_certificate(der), der, None)
    except REFUSALS as refusal:
        error = str(refusal)
    _check_names(der)
    lenient.read_serial_number(der)  # raises here: asn1crypto would take octets of another type for a number
    return _check_fields(read_canonical(der), der, error)


def read_sound(der: bytes) -> Reading | None:
    """Read a certificate in correct DER with correct fields; return None for other data or an encoding error."""
    try:
        refuse_endless_tags(der)
        if (der[8:14] != _USUAL_START or not 0 < der[15] < _NEGATIVE) and _warns_of_serial_number(der):
            return None
        return _check_fields(load_der_x509_certificate(der), der, None)
    except (*REFUSALS, MalformedCertificateError):
        return None


def _warns_of_serial_number(der: bytes) -> bool:
    """Return True where the serial number is not positive.

    pyca/cryptography writes a Python warning of such a number when it loads the certificate, and will refuse it.
    Warnings cannot be turned off for one call in one thread, so such a certificate is not loaded as it is.
    """
    start = der.find(_USUAL_START, 6, 14)  # after the headers of two SEQUENCEs, of two to four octets each
    if start > 0:
        return der[start + 7] >= _NEGATIVE or der[start + 6 : start + 8] == _ZERO
    try:
        return lenient.read_serial_number(der) <= 0
    except (MalformedCertificateError, *lenient.UNREADABLE):
        return False  # pyca/cryptography gives the reason


def _check_names(der: bytes) -> None:
    """Raise :class:`~pkcs12kit.errors.MalformedCertificateError` where the subject or the issuer cannot be read."""
    structure = lenient.read_structure(der)
    for field, name in (("issuer", structure.issuer), ("subject", structure.subject)):
        try:
            lenient.read_name(name)
        except MalformedCertificateError as error:
            raise MalformedCertificateError(f"its {field}: {error}") from None


def read_canonical(der: bytes) -> x509.Certificate:
    """Read a certificate that asn1crypto has encoded again.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    try:
        return load_der_x509_certificate(lenient.canonical_der(der))
    except x509.InvalidVersion as refusal:
        number = refusal.parsed_version + 1  # version 1 is encoded as 0
        raise MalformedCertificateError(
            f"not a certificate: its version is {number}, not 1 or 3 (RFC 5280 section 4.1.2.1)"
        ) from None
    except REFUSALS as refusal:
        raise MalformedCertificateError(f"not a certificate: {refusal}") from None


def _check_fields(certificate: x509.Certificate, der: bytes, encoding_error: str | None) -> Reading:
    if certificate.version is _VERSION_1 and _has_extensions(der):
        raise MalformedCertificateError(
            "a certificate of version 1 with extensions, which only version 3 may have (RFC 5280 section 4.1.2.9)"
        )
    try:
        not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except REFUSALS as refusal:
        raise MalformedCertificateError(f"unreadable validity: {refusal} (RFC 5280 section 4.1.2.5)") from None
    try:
        _ = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        pass  # an unknown algorithm matters only when the signature is checked
    except REFUSALS as refusal:
        raise MalformedCertificateError(
            f"unreadable signature algorithm: {refusal} (RFC 5280 section 4.1.1.2)"
        ) from None
    return certificate, not_before, not_after, encoding_error


def _has_extensions(der: bytes) -> bool:
    return any(field[0] == lenient.EXTENSIONS_TAG for field in lenient.read_structure(der).after_key)
