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

REFUSALS: Final = (ValueError, TypeError, OverflowError, x509.InvalidVersion)
"""The exceptions of pyca/cryptography when it loads other data than a certificate, or decodes a field of one."""

NOT_POSITIVE: Final = "the serial number is not positive"
"""The encoding error of a certificate that pyca/cryptography reads only with a warning."""

_VERSION_1: Final = x509.Version.v1
# Version 3, and the tag of the serial number, which follow the headers of two SEQUENCEs. Next are the length of the
# number and its first octet.
_VERSION_3_AND_INTEGER: Final = bytes.fromhex("a00302010202")
_FIRST_FIELD: Final = 6
_LATEST_NUMBER: Final = 14
_NEGATIVE: Final = b"\x80"
_ZERO, _ONE = b"\0", b"\1"


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
    certificate, error = _load(der)
    if certificate is None:
        _check_names(der)
        return _check_fields(read_canonical(der), der, error)
    return _check_fields(certificate, der, None)


def read_sound(der: bytes) -> Reading | None:
    """Read a certificate in correct DER with correct fields; return None for other data or an encoding error."""
    try:
        refuse_endless_tags(der)
        certificate, _ = _load(der)
        return None if certificate is None else _check_fields(certificate, der, None)
    except (*REFUSALS, MalformedCertificateError):
        return None


def _load(der: bytes) -> tuple[x509.Certificate | None, str | None]:
    """Return a certificate that pyca/cryptography reads without a warning; else why it does not.

    It warns of serial numbers that are not positive, and will refuse them. Warnings cannot be turned off for one call
    in one thread, so such a certificate is not loaded as it is.
    """
    # In the usual layout the number begins within the first octets, and is found in a fortieth of the time that loading
    # takes.
    at = der.find(_VERSION_3_AND_INTEGER, _FIRST_FIELD, _LATEST_NUMBER)
    first = der[at + 7 : at + 8]
    is_usual = at >= 0 and first < _NEGATIVE and (first != _ZERO or der[at + 6 : at + 7] != _ONE)
    if not is_usual and _has_odd_serial_number(der):
        return None, NOT_POSITIVE
    try:
        return load_der_x509_certificate(der), None
    except REFUSALS as refusal:
        return None, str(refusal)


def _check_names(der: bytes) -> None:
    """Raise :class:`~pkcs12kit.errors.MalformedCertificateError` where the subject or the issuer cannot be read."""
    structure = lenient.read_structure(der)
    for field, name in (("issuer", structure.issuer), ("subject", structure.subject)):
        try:
            lenient.read_name(name)
        except MalformedCertificateError as error:
            raise MalformedCertificateError(f"its {field}: {error}") from None


def _has_odd_serial_number(der: bytes) -> bool:
    try:
        return lenient.read_serial_number(der) <= 0
    except (MalformedCertificateError, *lenient.UNREADABLE):
        return False  # pyca/cryptography gives the reason


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
