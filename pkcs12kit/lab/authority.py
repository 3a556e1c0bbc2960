"""A certification authority that issues any certificate or CRL that a test needs, correct or not."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.lab import extensions as ext
from pkcs12kit.lab.keys import KeyType, SignatureHash, signing_hash
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

    from pkcs12kit.lab.extensions import Extension


class Validity(NamedTuple):
    """The first and the last instant of validity, timezone-aware, both inclusive (RFC 5280 section 4.1.2.5)."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def around(cls, at: datetime | None = None, *, days_before: float = 365, days_after: float = 365) -> Validity:
        """Return the validity from ``days_before`` to ``days_after`` around ``at``, by default now."""
        instant = require_aware(at or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
        return cls(instant - timedelta(days=days_before), instant + timedelta(days=days_after))


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlEntry:
    """One entry of a CRL (RFC 5280 section 5.3). ``date`` is timezone-aware; no reason is written for None."""

    serial_number: int
    date: datetime
    reason: x509.ReasonFlags | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A CA: a name, a private key and a self-signed certificate. Make one by :meth:`create`.

    Nothing that it issues is checked: a test may need a certificate that breaks a rule. The defaults are correct: the
    validity of the authority's own certificate, SHA-256, and a random serial number. The key never appears in ``repr``.
    """

    name: x509.Name
    private_key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    certificate: Certificate

    @classmethod
    def create(
        cls,
        name: str | x509.Name,
        *,
        private_key: CertificateIssuerPrivateKeyTypes | None = None,
        key_type: KeyType = KeyType.EC_P256,
        validity: Validity | None = None,
        serial_number: int | None = None,
        extensions: Iterable[Extension] = (),
    ) -> Authority:
        """Return a CA with a self-signed certificate; a ``name`` that is a string is its commonName.

        ``private_key`` is an existing key instead of a new one: for two CAs with one key, or for a renamed CA.
        ``extensions`` replace the defaults of the same kind: basicConstraints and keyUsage, critical, and
        subjectKeyIdentifier.
        """
        key = private_key or key_type.generate()
        distinguished_name = as_name(name)
        certificate = sign_certificate(
            issuer=distinguished_name,
            signing_key=key,
            subject=distinguished_name,
            public_key=key.public_key(),
            validity=validity or Validity.around(),
            serial_number=serial_number,
            extensions=ext.merged(_ca_extensions(key.public_key(), None), extensions),
        )
        return cls(name=distinguished_name, private_key=key, certificate=certificate)

    def issue(
        self,
        subject: str | x509.Name,
        public_key: CertificatePublicKeyTypes,
        *,
        validity: Validity | None = None,
        serial_number: int | None = None,
        extensions: Iterable[Extension] = (),
        hash_algorithm: SignatureHash | None = None,
    ) -> Certificate:
        """Issue a certificate with exactly these extensions, in this order."""
        return sign_certificate(
            issuer=self.name,
            signing_key=self.private_key,
            subject=as_name(subject),
            public_key=public_key,
            validity=validity or Validity(self.certificate.not_before, self.certificate.not_after),
            serial_number=serial_number,
            extensions=extensions,
            hash_algorithm=hash_algorithm,
        )

    def issue_ca(
        self,
        subject: Authority,
        *,
        path_length: int | None = None,
        validity: Validity | None = None,
        serial_number: int | None = None,
        extensions: Iterable[Extension] = (),
        hash_algorithm: SignatureHash | None = None,
    ) -> Certificate:
        """Issue a CA or cross-certificate for the name and key of ``subject``.

        ``extensions`` replace the defaults of the same kind: basicConstraints and keyUsage, critical,
        subjectKeyIdentifier, authorityKeyIdentifier. ``path_length`` counts certificates; None leaves it out.
        """
        public_key = subject.private_key.public_key()
        defaults = (
            *_ca_extensions(public_key, path_length),
            ext.non_critical(ext.authority_key_identifier(self.private_key.public_key())),
        )
        return self.issue(
            subject.name,
            public_key,
            validity=validity,
            serial_number=serial_number,
            extensions=ext.merged(defaults, extensions),
            hash_algorithm=hash_algorithm,
        )

    def issue_server(
        self,
        server_name: str,
        *,
        subject: x509.Name | None = None,
        private_key: CertificateIssuerPrivateKeyTypes | None = None,
        key_type: KeyType = KeyType.EC_P256,
        validity: Validity | None = None,
        serial_number: int | None = None,
        extensions: Iterable[Extension] = (),
    ) -> Identity:
        """Issue an end-entity certificate for a TLS server, with its private key, which is new unless given.

        ``server_name`` is a DNS name or an IP address for the subjectAltName, and also for the commonName unless
        ``subject`` is given. ``extensions`` replace the defaults of the same kind: keyUsage, extendedKeyUsage,
        subjectAltName and the key identifiers.
        """
        key = private_key or key_type.generate()
        certificate = self.issue(
            subject if subject is not None else server_name,
            key.public_key(),
            validity=validity,
            serial_number=serial_number,
            extensions=ext.merged(_server_extensions(server_name, key, self.private_key.public_key()), extensions),
        )
        return Identity(private_key=key, certificate=certificate)

    def make_crl(
        self,
        *,
        validity: Validity | None = None,
        revoked: Iterable[CrlEntry] = (),
        number: int = 1,
        extensions: Iterable[Extension] = (),
    ) -> bytes:
        """Return a signed CRL, DER (RFC 5280 section 5).

        ``validity`` is thisUpdate and nextUpdate: by default one day ago, and 30 days from now. ``extensions`` follow
        authorityKeyIdentifier and cRLNumber, or replace them.
        """
        this_update, next_update = validity or Validity.around(days_before=1, days_after=30)
        builder = x509.CertificateRevocationListBuilder(self.name, this_update, next_update)
        for entry in revoked:
            revoked_builder = x509.RevokedCertificateBuilder(entry.serial_number, entry.date)
            if entry.reason is not None:
                revoked_builder = revoked_builder.add_extension(x509.CRLReason(entry.reason), critical=False)
            builder = builder.add_revoked_certificate(revoked_builder.build())
        defaults = (
            ext.non_critical(ext.authority_key_identifier(self.private_key.public_key())),
            ext.non_critical(x509.CRLNumber(number)),
        )
        for extension in ext.merged(defaults, extensions):
            builder = builder.add_extension(extension.value, extension.critical)
        return builder.sign(self.private_key, signing_hash(self.private_key)).public_bytes(Encoding.DER)


def as_name(name: str | x509.Name) -> x509.Name:
    """Return a name with this string as its commonName; a name is returned as it is."""
    if isinstance(name, x509.Name):
        return name
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def sign_certificate(
    *,
    issuer: x509.Name,
    signing_key: CertificateIssuerPrivateKeyTypes,
    subject: x509.Name,
    public_key: CertificatePublicKeyTypes,
    validity: Validity,
    serial_number: int | None = None,
    extensions: Iterable[Extension] = (),
    hash_algorithm: SignatureHash | None = None,
) -> Certificate:
    """Return a certificate signed with any key; unless it is the issuer's, the signature does not verify."""
    builder = (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(public_key)
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .serial_number(x509.random_serial_number() if serial_number is None else serial_number)
    )
    for extension in extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    signed = builder.sign(signing_key, signing_hash(signing_key, hash_algorithm))
    return Certificate.from_der(signed.public_bytes(Encoding.DER))


def _ca_extensions(public_key: CertificatePublicKeyTypes, path_length: int | None) -> tuple[Extension, ...]:
    return (
        ext.critical(x509.BasicConstraints(ca=True, path_length=path_length)),
        ext.critical(ext.key_usage("key_cert_sign", "crl_sign")),
        ext.non_critical(ext.subject_key_identifier(public_key)),
    )


def _server_extensions(
    server_name: str, private_key: CertificateIssuerPrivateKeyTypes, issuer_key: CertificatePublicKeyTypes
) -> tuple[Extension, ...]:
    # keyEncipherment is for RSA key transport; other keys cannot be used for it (RFC 5480 section 3).
    rsa_only = ("key_encipherment",) if isinstance(private_key, rsa.RSAPrivateKey) else ()
    try:
        alternative_name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(server_name))
    except ValueError:
        alternative_name = x509.DNSName(server_name)
    return (
        ext.non_critical(ext.authority_key_identifier(issuer_key)),
        ext.non_critical(ext.subject_key_identifier(private_key.public_key())),
        ext.critical(ext.key_usage("digital_signature", *rsa_only)),
        ext.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
        ext.non_critical(x509.SubjectAlternativeName([alternative_name])),
    )
