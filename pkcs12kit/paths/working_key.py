"""The working public key: what the next signature is checked with (RFC 5280 section 6.1.4 (d) to (f))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import dsa

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

    from pkcs12kit.certificates.trust_anchor import TrustAnchor


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """A public key with its encoding, parameters included."""

    key: CertificatePublicKeyTypes
    info: bytes
    """SubjectPublicKeyInfo, DER."""

    def __reduce__(self) -> tuple[Callable[[bytes], WorkingKey], tuple[bytes]]:
        return (_working_key, (self.info,))  # pyca's keys do not pickle

    @classmethod
    def of(cls, issuer: TrustAnchor | Certificate) -> Self:
        """Take an issuer's key as it stands (6.1.2 (g) to (i)). Raises :class:`MalformedCertificateError`."""
        certificate = issuer if isinstance(issuer, Certificate) else issuer.certificate
        key = certificate.public_key if certificate is not None else read_public_key(issuer.subject_public_key_info)
        return cls(key, issuer.subject_public_key_info)

    @classmethod
    def depends_on_path(cls, issuer: TrustAnchor | Certificate) -> bool:
        """Whether an issuer's key takes its parameters from the key above it, whichever that is (6.1.4 (e)).

        True too where the key cannot be used at all.
        """
        try:
            cls.of(issuer)
        except MalformedCertificateError:
            return True
        return False

    def next(self, certificate: Certificate) -> WorkingKey:
        """Take the certificate's key, with this key's DSA parameters where it has none of its own (6.1.4 (e), (f)).

        Raises :class:`MalformedCertificateError` where it cannot be read either way.
        """
        try:
            return WorkingKey(certificate.public_key, certificate.subject_public_key_info)
        except MalformedCertificateError:
            if not isinstance(self.key, dsa.DSAPublicKey):
                raise
            info = _with_parameters(certificate.subject_public_key_info, self.info)
            return _working_key(info)


def _working_key(info: bytes) -> WorkingKey:
    return WorkingKey(read_public_key(info), info)


def _with_parameters(info: bytes, issuer_info: bytes) -> bytes:
    from asn1crypto.keys import PublicKeyInfo

    try:
        key, issuer_key = PublicKeyInfo.load(info), PublicKeyInfo.load(issuer_info)
        if key["algorithm"]["algorithm"] != issuer_key["algorithm"]["algorithm"]:
            raise MalformedCertificateError("a key without parameters, of another algorithm than its issuer's")
        key["algorithm"]["parameters"] = issuer_key["algorithm"]["parameters"]
        encoded: bytes = key.dump(force=True)
    except UNREADABLE as error:
        raise MalformedCertificateError(f"unusable public key: {error}") from None
    return encoded
