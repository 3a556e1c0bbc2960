"""Trust anchors: a name and a key that the user trusts (RFC 5280 section 6.1.1 (d), RFC 5937)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.errors import InputError, KeyMismatchError
from pkcs12kit.notebook_hook import Shown

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.certificates.names import Name


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor(Shown):
    """A name and a public key, trusted because the user said so.

    ``certificate`` and ``constraints`` are optional. The constraints (RFC 5937 section 3) are the extensions that
    narrow what the anchor is trusted for; which of them validation heeds is said there.

    Raises :class:`~pkcs12kit.errors.KeyMismatchError` where ``certificate`` has another key, and
    :class:`~pkcs12kit.errors.InputError` where it has another subject: paths are validated with the key and shown with
    the certificate, so that the two must be of one CA. The keys are compared as they are encoded.
    """

    name: Name
    subject_public_key_info: bytes
    """DER."""
    certificate: Certificate | None = None
    constraints: Extensions | None = None

    def __post_init__(self) -> None:
        certificate = self.certificate
        if certificate is None:
            return
        if certificate.subject_public_key_info != self.subject_public_key_info:
            raise KeyMismatchError(
                f"the trust anchor's key is not that of its certificate, {certificate.subject}:"
                f" SHA-256 of the SubjectPublicKeyInfo is {hashlib.sha256(self.subject_public_key_info).hexdigest()}"
                f" for the trust anchor, {hashlib.sha256(certificate.subject_public_key_info).hexdigest()} for the"
                " certificate; TrustAnchor.from_certificate takes both from the certificate"
            )
        if certificate.subject != self.name:
            raise InputError(
                f"the trust anchor's name, {self.name}, is not the subject of its certificate, {certificate.subject}"
            )

    @classmethod
    def from_certificate(cls, certificate: Certificate) -> TrustAnchor:
        """Trust the subject and key of a certificate, within the constraints that its extensions state.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where its extensions cannot be read. Its
        signature is not checked: an anchor is trusted by decision, not by signature.
        """
        return cls(
            name=certificate.subject,
            subject_public_key_info=certificate.subject_public_key_info,
            certificate=certificate,
            constraints=certificate.extensions,
        )

    @property
    def label(self) -> str:
        """The trust anchor for people, in one line that is safe to print: its certificate's label, or its name's."""
        return self.name.label if self.certificate is None else self.certificate.label

    @property
    def node(self) -> tuple[Name, bytes]:
        """Name and key, comparable to :attr:`Certificate.node <pkcs12kit.Certificate.node>`."""
        return (self.name, self.subject_public_key_info)

    @property
    def key_identifier(self) -> bytes | None:
        """The subjectKeyIdentifier of its certificate; None where there is none."""
        return self.constraints.subject_key_identifier if self.constraints is not None else None

    def __repr__(self) -> str:
        return f"<TrustAnchor {str(self.name)!r}>"
