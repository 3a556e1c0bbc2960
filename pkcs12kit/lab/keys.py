"""Private keys for the lab. They are generated each time: none is stored with the project."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

SignatureHash: TypeAlias = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512


class KeyType(Enum):
    """The type of a generated key. RSA, as in the real PKI, takes tens of milliseconds; EC takes almost no time."""

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    ED25519 = "ed25519"

    def generate(self) -> CertificateIssuerPrivateKeyTypes:
        """Return a new private key."""
        match self:
            case KeyType.RSA_2048:
                return rsa.generate_private_key(public_exponent=65537, key_size=2048)
            case KeyType.RSA_3072:
                return rsa.generate_private_key(public_exponent=65537, key_size=3072)
            case KeyType.EC_P256:
                return ec.generate_private_key(ec.SECP256R1())
            case KeyType.EC_P384:
                return ec.generate_private_key(ec.SECP384R1())
            case KeyType.ED25519:
                return ed25519.Ed25519PrivateKey.generate()


def signing_hash(
    private_key: CertificateIssuerPrivateKeyTypes, wanted: SignatureHash | None = None
) -> SignatureHash | None:
    """Return the hash to sign with: ``wanted``, else SHA-256; None for EdDSA and ML-DSA, which have their own."""
    if isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey):
        return wanted or hashes.SHA256()
    return None
