"""RC2 with a 40-bit key, which OpenSSL 1.x and Java 8 put over certificates.

pyca/cryptography's RC2 has 128-bit keys only, but its PKCS#12 loader opens RC2-40 through OpenSSL. So the ciphertext is
handed to that loader in a file of its own, and the certificates that come out are put into bags again. Only
certificates and their friendly names come through: no other attribute, no other bag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from pkcs12kit.errors import UnsupportedPfxError

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.asn1 import Asn1Value
    from pkcs12kit.pkcs12.derivation import Password


def decrypt(algorithm_identifier: Asn1Value, ciphertext: bytes, password: Password) -> bytes:
    """Decrypt SafeContents that hold certificates, into SafeContents with those certificates (DER).

    Raises :class:`ValueError` where it does not decrypt, and :class:`~pkcs12kit.errors.UnsupportedPfxError` where
    OpenSSL was built without RC2.
    """
    from asn1crypto import cms, keys
    from asn1crypto import pkcs12 as asn1_pkcs12

    from pkcs12kit.pkcs12.safe_bags import certificate_bag

    encrypted = cms.ContentInfo(
        {
            "content_type": "encrypted_data",
            "content": {
                "version": "v0",
                "encrypted_content_info": {
                    "content_type": "data",
                    "content_encryption_algorithm": algorithm_identifier,
                    "encrypted_content": ciphertext,
                },
            },
        }
    )
    # OpenSSL looks for one key and takes the first. A passing one in front keeps it from deriving anything for bags
    # that only show after decryption, whose iteration counts nobody has checked.
    decoy = Ed25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    key_bag = asn1_pkcs12.SafeBag({"bag_id": "key_bag", "bag_value": keys.PrivateKeyInfo.load(decoy)})
    plain = cms.ContentInfo(
        {"content_type": "data", "content": asn1_pkcs12.SafeContents([key_bag]).dump()},
    )
    safes = asn1_pkcs12.AuthenticatedSafe([plain, encrypted]).dump()
    file = asn1_pkcs12.Pfx({"version": "v3", "auth_safe": {"content_type": "data", "content": safes}}).dump()
    try:
        loaded = pkcs12.load_pkcs12(file, password.utf8 if password.bmp else None)
    except UnsupportedAlgorithm:
        raise UnsupportedPfxError(
            "this build of OpenSSL has no RC2, which the PKCS#12 file is encrypted with"
        ) from None
    bags = [
        certificate_bag(
            entry.certificate.public_bytes(Encoding.DER),
            friendly_name=entry.friendly_name.decode() if entry.friendly_name is not None else None,
        )
        for entry in loaded.additional_certs
    ]
    contents: bytes = asn1_pkcs12.SafeContents(bags).dump()
    return contents
