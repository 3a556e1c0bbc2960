"""An identity: a private key and the end-entity certificate for its public key."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, get_args

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import KeyMismatchError
from pkcs12kit.notebook_hook import Shown

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

PRIVATE_KEYS: Final = get_args(PrivateKeyTypes)
"""The classes of private keys of pyca/cryptography."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Shown):
    """A private key and its certificate, which the constructor checks to belong together.

    Raises :class:`~pkcs12kit.errors.KeyMismatchError`, with the SHA-256 fingerprints of both SubjectPublicKeyInfos,
    where they do not, and :class:`~pkcs12kit.errors.MalformedCertificateError` where the certificate's key cannot be
    read. The key never appears in ``repr``.
    """

    private_key: CertificateIssuerPrivateKeyTypes = field(repr=False)
    """The private key, as an object of pyca/cryptography."""
    certificate: Certificate
    """The certificate for the public key of :attr:`private_key`."""

    def __post_init__(self) -> None:
        require_kind("certificate", self.certificate, Certificate)
        require_kind("private_key", self.private_key, *PRIVATE_KEYS)
        public_key = self.private_key.public_key()
        if public_key != self.certificate.public_key:
            of_key = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            raise KeyMismatchError(
                f"the private key does not belong to the certificate of {self.certificate.subject}:"
                f" SHA-256 of the SubjectPublicKeyInfo is {hashlib.sha256(of_key).hexdigest()} for the key,"
                f" {hashlib.sha256(self.certificate.subject_public_key_info).hexdigest()} for the certificate"
            )
