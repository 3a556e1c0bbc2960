"""One certificate: a frozen view over its DER (RFC 5280 section 4)."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.extensions import Extensions
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.tags import refuse_endless_tags
from pkcs12kit.certificates.times import format_time
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes


class Certificate:
    """An X.509 certificate, read by pyca/cryptography, or by asn1crypto where its encoding has a slip.

    Certificates are equal when their DER is. Reading checks the encoding only: no signature, no time, no name.

    Everything but :attr:`extensions` and :attr:`public_key` can be had from any certificate that exists; those two
    decode on first use and raise :class:`~pkcs12kit.errors.MalformedCertificateError` when neither reader can.
    """

    def __init__(self, der: bytes) -> None:
        self._der = bytes(der)
        self._encoding_slip: str | None = None
        try:
            refuse_endless_tags(self._der)
        except ValueError as refusal:
            raise MalformedCertificateError(f"not a certificate: {refusal}") from None
        try:
            self._reading = x509.load_der_x509_certificate(self._der)
        except (ValueError, TypeError, x509.InvalidVersion) as refusal:
            self._reading = self._canonical_reading()
            self._structure  # noqa: B018  # cut now, to raise here if at all: asn1crypto lets more pass than DER
            self._encoding_slip = str(refusal)

    @classmethod
    def from_der(cls, data: bytes) -> Certificate:
        """Read one DER certificate. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        return cls(data)

    @classmethod
    def from_pem(cls, text: str | bytes) -> Certificate:
        """Read the first certificate of a PEM text. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        from asn1crypto import pem

        data = text.encode("utf-8") if isinstance(text, str) else text
        try:
            for label, _, der in pem.unarmor(data, multiple=True):
                if label in {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}:
                    return cls(der)
        except ValueError as error:
            raise MalformedCertificateError(f"not PEM: {error}") from None
        raise MalformedCertificateError("no certificate in the PEM text")

    @property
    def der(self) -> bytes:
        """The certificate exactly as it was given, DER (or nearly, see :attr:`encoding_slip`)."""
        return self._der

    def to_pem(self) -> str:
        """Encode as PEM, with a line feed at the end."""
        from asn1crypto import pem

        armored: bytes = pem.armor("CERTIFICATE", self._der)
        return armored.decode("ascii").replace("\r\n", "\n")

    @property
    def encoding_slip(self) -> str | None:
        """What pyca/cryptography refused in the encoding, None where it is sound DER."""
        return self._encoding_slip

    @cached_property
    def subject(self) -> Name:
        """Whom the certificate is for; empty where the subjectAltName alone says it."""
        try:
            return Name.from_cryptography(self._reading.subject)
        except (ValueError, TypeError):
            return lenient.read_name(self._structure.subject)

    @cached_property
    def issuer(self) -> Name:
        """Who signed it, by name."""
        try:
            return Name.from_cryptography(self._reading.issuer)
        except (ValueError, TypeError):
            return lenient.read_name(self._structure.issuer)

    @property
    def serial_number(self) -> int:
        """The number that the issuer gave it."""
        return self._reading.serial_number

    @property
    def version(self) -> int:
        """1 or 3 (RFC 5280 section 4.1.2.1)."""
        return 3 if self._reading.version is x509.Version.v3 else 1

    @cached_property
    def sha256(self) -> str:
        """SHA-256 fingerprint of the DER, 64 lower-case hexadecimal digits."""
        return hashlib.sha256(self._der).hexdigest()

    @cached_property
    def not_before(self) -> datetime:
        """First instant of the validity, timezone-aware, inclusive."""
        return self._reading.not_valid_before_utc

    @cached_property
    def not_after(self) -> datetime:
        """Last instant of the validity, timezone-aware, inclusive."""
        return self._reading.not_valid_after_utc

    @cached_property
    def extensions(self) -> Extensions:
        """The extensions, decoded. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
        try:
            return Extensions.from_cryptography(self._reading.extensions)
        except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as refusal:
            try:
                return Extensions.from_cryptography(self._canonical_reading().extensions)
            except (
                ValueError,
                TypeError,
                x509.DuplicateExtension,
                x509.UnsupportedGeneralNameType,
                MalformedCertificateError,
            ):
                raise MalformedCertificateError(f"unreadable extensions: {refusal}") from None

    @cached_property
    def public_key(self) -> CertificatePublicKeyTypes:
        """The subject's public key.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError`, also where its algorithm is not known.
        """
        try:
            return self._reading.public_key()
        except (ValueError, TypeError, UnsupportedAlgorithm) as refusal:
            raise MalformedCertificateError(f"unusable public key: {refusal}") from None

    @property
    def subject_public_key_info(self) -> bytes:
        """The subject's key as encoded in the certificate, DER (RFC 5280 section 4.1.2.7)."""
        return self._structure.subject_public_key_info

    @cached_property
    def node(self) -> tuple[Name, bytes]:
        """Subject and key: what a certification path holds once (RFC 4158 section 2.4.2 counts this a loop)."""
        return (self.subject, self.subject_public_key_info)

    @property
    def tbs_certificate(self) -> bytes:
        """The bytes that the issuer signed."""
        return self._structure.tbs_certificate

    @property
    def signature(self) -> bytes:
        """The issuer's signature."""
        return self._reading.signature

    @property
    def signature_algorithms_agree(self) -> bool:
        """Whether signatureAlgorithm and tbsCertificate.signature are the same (RFC 5280 section 4.1.1.2)."""
        return self._structure.signature_algorithm == self._structure.tbs_signature_algorithm

    @property
    def as_cryptography(self) -> x509.Certificate:
        """The certificate for pyca/cryptography: without the slip in its encoding, where it has one.

        Where :attr:`encoding_slip` is set its ``public_bytes`` are not :attr:`der`, and its signature does not verify.
        """
        return self._reading

    @cached_property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are the same name (RFC 5280 section 3.2)."""
        return self.subject == self.issuer

    @cached_property
    def key_identifier(self) -> bytes | None:
        """The subjectKeyIdentifier; None where there is none, or where the extensions cannot be read."""
        try:
            return self.extensions.subject_key_identifier
        except MalformedCertificateError:
            return None

    @cached_property
    def issuer_key_identifier(self) -> bytes | None:
        """The key identifier of the authorityKeyIdentifier; None as for :attr:`key_identifier`."""
        try:
            authority = self.extensions.authority_key_identifier
        except MalformedCertificateError:
            return None
        return authority.key_identifier if authority is not None else None

    @cached_property
    def is_ca(self) -> bool:
        """Whether basicConstraints say cA; False too where the extensions cannot be read."""
        try:
            constraints = self.extensions.basic_constraints
        except MalformedCertificateError:
            return False
        return constraints is not None and constraints.ca

    def to_json(self) -> dict[str, str]:
        """Describe it for ``--json``: subject, issuer, serial (decimal), sha256 (hex), not_before, not_after."""
        return {
            "subject": str(self.subject),
            "issuer": str(self.issuer),
            "serial": str(self.serial_number),
            "sha256": self.sha256,
            "not_before": format_time(self.not_before),
            "not_after": format_time(self.not_after),
        }

    @cached_property
    def _structure(self) -> lenient.Structure:
        return lenient.read_structure(self._der)

    def _canonical_reading(self) -> x509.Certificate:
        try:
            return x509.load_der_x509_certificate(lenient.canonical_der(self._der))
        except (ValueError, TypeError, x509.InvalidVersion) as refusal:
            raise MalformedCertificateError(f"not a certificate: {refusal}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self._der == other._der

    def __hash__(self) -> int:
        return hash(self._der)

    def __reduce__(self) -> tuple[type[Certificate], tuple[bytes]]:
        return (Certificate, (self._der,))

    def __repr__(self) -> str:
        return f"<Certificate {str(self.subject)!r} #{self.serial_number} until {format_time(self.not_after)}>"
