"""RC2 with a 40-bit key, which OpenSSL 1.x and Java 8 put over certificates.

pyca/cryptography's RC2 has 128-bit keys only, but its loaders of keys and of PKCS#12 files open RC2-40 through OpenSSL.
So what is encrypted is handed to them. Of SafeContents the certificates come out and are put into bags again: only
certificates and their friendly names come through, no other attribute, no other bag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    pkcs12,
)

from pkcs12kit.errors import UnsupportedPfxError
from pkcs12kit.pkcs12.encryption import DecryptionError, algorithm_identifier
from pkcs12kit.pkcs12.safe_bags import certificate_bag

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.pkcs12.budget import Budget
    from pkcs12kit.pkcs12.derivation import Password
    from pkcs12kit.pkcs12.encryption import Encryption


def decrypt_certificates(encryption: Encryption, ciphertext: bytes, password: Password, budget: Budget) -> bytes:
    """Decrypt SafeContents, into SafeContents (DER) with the certificates that were in them.

    Raises :class:`~pkcs12kit.pkcs12.encryption.DecryptionError`, :class:`~pkcs12kit.errors.UnsupportedPfxError` where
    OpenSSL was built without RC2, and :class:`~pkcs12kit.errors.LimitExceededError` before any work.
    """
    from asn1crypto import pkcs12 as asn1_pkcs12

    _count(encryption, budget)
    try:
        loaded = pkcs12.load_pkcs12(_file(encryption, ciphertext), password.utf8 if password.bmp else None)
    except ValueError:
        raise DecryptionError from None
    except UnsupportedAlgorithm:
        raise _without_rc2() from None
    bags = [
        certificate_bag(
            entry.certificate.public_bytes(Encoding.DER),
            friendly_name=entry.friendly_name.decode() if entry.friendly_name is not None else None,
        )
        for entry in loaded.additional_certs
    ]
    contents: bytes = asn1_pkcs12.SafeContents(bags).dump()
    return contents


def load_key(encryption: Encryption, ciphertext: bytes, password: Password, budget: Budget) -> PrivateKeyTypes:
    """Decrypt and load a private key. Raises as :func:`decrypt_certificates` does."""
    from asn1crypto import keys

    _count(encryption, budget)
    info = {"encryption_algorithm": algorithm_identifier(encryption), "encrypted_data": ciphertext}
    try:
        return load_der_private_key(keys.EncryptedPrivateKeyInfo(info).dump(), password.utf8)
    except (ValueError, TypeError):
        raise DecryptionError from None
    except UnsupportedAlgorithm:
        raise _without_rc2() from None


def _file(encryption: Encryption, ciphertext: bytes) -> bytes:
    """Make a file of the ciphertext alone, behind a passing key.

    OpenSSL looks for one key and takes the first. With one in front it derives nothing for bags that show only after
    decryption, whose iteration counts nobody has checked.
    """
    from asn1crypto import cms, keys
    from asn1crypto import pkcs12 as asn1_pkcs12

    passing = Ed25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    bag = asn1_pkcs12.SafeBag({"bag_id": "key_bag", "bag_value": keys.PrivateKeyInfo.load(passing)})
    plain = cms.ContentInfo({"content_type": "data", "content": asn1_pkcs12.SafeContents([bag]).dump()})
    encrypted_content_info = {
        "content_type": "data",
        "content_encryption_algorithm": algorithm_identifier(encryption),
        "encrypted_content": ciphertext,
    }
    encrypted = cms.ContentInfo(
        {
            "content_type": "encrypted_data",
            "content": {"version": "v0", "encrypted_content_info": encrypted_content_info},
        }
    )
    content = asn1_pkcs12.AuthenticatedSafe([plain, encrypted]).dump()
    file: bytes = asn1_pkcs12.Pfx({"version": "v3", "auth_safe": {"content_type": "data", "content": content}}).dump()
    return file


def _count(encryption: Encryption, budget: Budget) -> None:
    budget.derive(encryption.iterations or 0, blocks=2)  # key and IV


def _without_rc2() -> UnsupportedPfxError:
    return UnsupportedPfxError("this build of OpenSSL has no RC2, which the PKCS#12 file is encrypted with")
