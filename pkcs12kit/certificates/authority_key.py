"""The certificate of the issuer that an authorityKeyIdentifier names (RFC 5280 section 4.2.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography import x509

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterable

AUTHORITY_KEY_IDENTIFIER: Final = "2.5.29.35"
AUTHORITY_KEY_FIELDS: Final = {0x80: "key", 0xA1: "issuer", 0x82: "serial number"}
"""The names of its fields, by their identifier octets."""
_DIRECTORY_NAME: Final = 0xA4


class AuthorityCertificate(NamedTuple):
    """The authorityCertIssuer and authorityCertSerialNumber of an authorityKeyIdentifier.

    RFC 5280 section 4.2.1.1 requires both or neither. Some CAs write only one; OpenSSL compares each that is there.
    """

    issuer: Name | None
    """The issuer of the CA's certificate: the first directoryName, the one that OpenSSL compares."""
    serial_number: int | None
    """The serial number of the CA's certificate."""

    @property
    def is_complete(self) -> bool:
        """True where both the issuer and the serial number are there."""
        return self.issuer is not None and self.serial_number is not None

    def differs_from(self, issuer: Name, serial_number: int) -> bool:
        """Return True where a certificate with this issuer and serial number is another than the one named."""
        if self.serial_number is not None and self.serial_number != serial_number:
            return True
        return self.issuer is not None and self.issuer != issuer

    def __str__(self) -> str:
        number = None if self.serial_number is None else serial_number_label(self.serial_number)
        issuer = None if self.issuer is None else f"of issuer {self.issuer.label}"
        return " ".join(filter(None, (number, issuer)))


def named_by(identifier: x509.AuthorityKeyIdentifier) -> AuthorityCertificate | None:
    """Return what an authorityKeyIdentifier names that pyca/cryptography has read; None for a key identifier only."""
    issuers, serial_number = identifier.authority_cert_issuer, identifier.authority_cert_serial_number
    if issuers is None and serial_number is None:
        return None
    names = (name.value for name in issuers or () if isinstance(name, x509.DirectoryName))
    return _authority_certificate(map(Name.from_cryptography, names), serial_number)


def read_named(extensions: Iterable[lenient.EncodedExtension]) -> AuthorityCertificate | None:
    """Return what an authorityKeyIdentifier names that pyca/cryptography may not read, with only one of the two fields.

    None where it has neither, and where it cannot be read.
    """
    value = next((extension.value for extension in extensions if extension.oid == AUTHORITY_KEY_IDENTIFIER), None)
    if value is None:
        return None
    try:
        fields = lenient.fields_of(value, AUTHORITY_KEY_FIELDS)
        names = (name for name in lenient.split(fields.get("issuer", b"")) if name[0] == _DIRECTORY_NAME)
        number = fields.get("serial number")
        return _authority_certificate(
            (lenient.read_name(lenient.contents_of(name)) for name in names),
            None if number is None else int.from_bytes(number, "big", signed=True),
        )
    except (*lenient.UNREADABLE, MalformedCertificateError):
        return None


def _authority_certificate(issuers: Iterable[Name], serial_number: int | None) -> AuthorityCertificate | None:
    issuer = next(iter(issuers), None)
    return None if issuer is None and serial_number is None else AuthorityCertificate(issuer, serial_number)
