"""Trust anchors: a name and a key that the user trusts (RFC 5280 section 6.1.1 (d), RFC 5937)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_kind, require_several
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.extensions import Extensions
from pkcs12kit.certificates.names import Name
from pkcs12kit.errors import InputError, KeyMismatchError
from pkcs12kit.notebook_hook import Shown

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor(Shown):
    """A name and a public key that the user has decided to trust.

    ``certificate`` and ``constraints`` are optional. The constraints are extensions that limit the trust in the anchor
    (RFC 5937 section 3); validation documents which of them it applies.

    Raises :class:`~pkcs12kit.errors.KeyMismatchError` where ``certificate`` has another key, and
    :class:`~pkcs12kit.errors.InputError` where it has another subject: paths are validated with the key and shown with
    the certificate, so both must belong to one CA. The encodings of the keys are compared. Raises
    :class:`~pkcs12kit.ArgumentError` for values of other kinds.
    """

    name: Name
    """The name of the trusted CA."""
    subject_public_key_info: bytes
    """The key, DER."""
    certificate: Certificate | None = None
    """A certificate of the trust anchor, for messages and pictures; None where only name and key are known."""
    constraints: Extensions | None = None
    """Extensions that limit the trust in the anchor; None for no limits."""

    def __post_init__(self) -> None:
        require_kind("name", self.name, Name)
        require_kind("subject_public_key_info", self.subject_public_key_info, bytes)
        require_kind("certificate", self.certificate, Certificate, optional=True)
        require_kind("constraints", self.constraints, Extensions, optional=True)
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
        """Return a trust anchor with the subject and key of a certificate, constrained by its extensions.

        Raises :class:`~pkcs12kit.errors.MalformedCertificateError` where the extensions cannot be decoded. The
        certificate's signature is not checked: an anchor is trusted by decision, not by signature.
        """
        require_kind("certificate", certificate, Certificate)
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
        """The name and the key, comparable to :attr:`Certificate.node <pkcs12kit.Certificate.node>`."""
        return (self.name, self.subject_public_key_info)

    @property
    def key_identifier(self) -> bytes | None:
        """The subjectKeyIdentifier of its certificate; None where there is none."""
        if self.constraints is not None:
            return self.constraints.subject_key_identifier
        return None if self.certificate is None else self.certificate.key_identifier

    def __repr__(self) -> str:
        return f"<TrustAnchor {str(self.name)!r}>"


def require_trust_anchors(given: Iterable[TrustAnchor]) -> tuple[TrustAnchor, ...]:
    """Return them as a tuple. Raises :class:`~pkcs12kit.ArgumentError` for one on its own, and for other kinds."""
    require_several({"trust_anchors": given})
    anchors = tuple(given)
    for anchor in anchors:
        require_kind(
            "trust_anchors",
            anchor,
            TrustAnchor,
            cure="TrustAnchor.from_certificate() makes one of a certificate, and load_trust_anchors() of files",
        )
    return anchors
