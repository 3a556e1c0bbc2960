"""Making bags for a SafeContents, as asn1crypto structures (RFC 7292 section 4.2).

``attributes`` are the bag attributes beside friendlyName and localKeyID, each the DER of one Attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.asn1 import Asn1Value


def trusted_key_usage() -> bytes:
    """Make the attribute by which Java tells a trusted certificate, for any purpose.

    Java's key store lists a certificate without a key only where its bag has the attribute 2.16.840.1.113894.746875.1.1
    (openjdk/jdk, ``PKCS12KeyStore.java``); its values are extended key usages.
    """
    from asn1crypto import pkcs12 as asn1_pkcs12

    attribute = asn1_pkcs12.Attribute({"type": "trusted_key_usage", "values": ["any_extended_key_usage"]})
    encoded: bytes = attribute.dump()
    return encoded


def certificate_bag(
    der: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
) -> Asn1Value:
    """Put a certificate into a certBag (RFC 7292 section 4.2.3), byte for byte as it is."""
    from asn1crypto import core
    from asn1crypto import pkcs12 as asn1_pkcs12

    content = asn1_pkcs12.CertBag({"cert_id": "x509", "cert_value": core.ParsableOctetString(der)})
    return _bag("cert_bag", content, friendly_name, local_key_id, attributes)


def key_bag(
    private_key_info: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
) -> Asn1Value:
    """Put a private key (PKCS#8, DER) into a keyBag, in the clear (RFC 7292 section 4.2.1)."""
    from asn1crypto import keys

    return _bag("key_bag", keys.PrivateKeyInfo.load(private_key_info), friendly_name, local_key_id, attributes)


def shrouded_key_bag(
    algorithm_identifier: Asn1Value,
    ciphertext: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
) -> Asn1Value:
    """Put an encrypted private key into a pkcs8ShroudedKeyBag (RFC 7292 section 4.2.2)."""
    from asn1crypto import keys

    content = keys.EncryptedPrivateKeyInfo({"encryption_algorithm": algorithm_identifier, "encrypted_data": ciphertext})
    return _bag("pkcs8_shrouded_key_bag", content, friendly_name, local_key_id, attributes)


def _bag(
    bag_id: str, value: Asn1Value, friendly_name: str | None, local_key_id: bytes | None, others: tuple[bytes, ...]
) -> Asn1Value:
    from asn1crypto import pkcs12 as asn1_pkcs12

    attributes: list[Asn1Value] = [asn1_pkcs12.Attribute.load(der, strict=True) for der in others]
    if friendly_name is not None:
        attributes.append({"type": "friendly_name", "values": [friendly_name]})
    if local_key_id is not None:
        attributes.append({"type": "local_key_id", "values": [local_key_id]})
    bag = {"bag_id": bag_id, "bag_value": value}
    # bagAttributes is OPTIONAL: no attribute, no field
    return asn1_pkcs12.SafeBag({**bag, "bag_attributes": attributes} if attributes else bag)
