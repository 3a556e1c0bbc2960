"""Private keys for the lab. They are generated each time: none is stored with the project."""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, rsa

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

SignatureHash: TypeAlias = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512


class KeyType(Enum):
    """The type of a generated key. RSA, as in the real PKI, takes tens of milliseconds; others take almost no time.

    ML-DSA needs an OpenSSL that has it inside the package cryptography: 3.5 or newer, as in its wheels.
    """

    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"
    ML_DSA_65 = "ml-dsa-65"
    ML_DSA_87 = "ml-dsa-87"

    def generate(self) -> CertificateIssuerPrivateKeyTypes:
        """Return a new private key."""
        return _GENERATORS[self]()


_GENERATORS: Final[dict[KeyType, Callable[[], CertificateIssuerPrivateKeyTypes]]] = {
    KeyType.RSA_2048: partial(rsa.generate_private_key, public_exponent=65537, key_size=2048),
    KeyType.RSA_3072: partial(rsa.generate_private_key, public_exponent=65537, key_size=3072),
    KeyType.EC_P256: partial(ec.generate_private_key, ec.SECP256R1()),
    KeyType.EC_P384: partial(ec.generate_private_key, ec.SECP384R1()),
    KeyType.ED25519: ed25519.Ed25519PrivateKey.generate,
    KeyType.ML_DSA_44: mldsa.MLDSA44PrivateKey.generate,
    KeyType.ML_DSA_65: mldsa.MLDSA65PrivateKey.generate,
    KeyType.ML_DSA_87: mldsa.MLDSA87PrivateKey.generate,
}


def signing_hash(
    private_key: CertificateIssuerPrivateKeyTypes, wanted: SignatureHash | None = None
) -> SignatureHash | None:
    """Return the hash to sign with: ``wanted``, else SHA-256; None for EdDSA and ML-DSA, which have their own."""
    if isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey):
        return wanted or hashes.SHA256()
    return None
