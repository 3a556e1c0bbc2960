"""Making bags for a SafeContents, as asn1crypto structures (RFC 7292 section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkcs12kit.pkcs12.asn1 import Asn1Value


def certificate_bag(der: bytes, *, friendly_name: str | None = None, local_key_id: bytes | None = None) -> Asn1Value:
    """Put a certificate into a certBag (RFC 7292 section 4.2.3), byte for byte as it is."""
    from asn1crypto import core
    from asn1crypto import pkcs12 as asn1_pkcs12

    content = asn1_pkcs12.CertBag({"cert_id": "x509", "cert_value": core.ParsableOctetString(der)})
    return _bag("cert_bag", content, friendly_name, local_key_id)


def shrouded_key_bag(
    algorithm_identifier: Asn1Value,
    ciphertext: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
) -> Asn1Value:
    """Put an encrypted private key into a pkcs8ShroudedKeyBag (RFC 7292 section 4.2.2)."""
    from asn1crypto import keys

    content = keys.EncryptedPrivateKeyInfo({"encryption_algorithm": algorithm_identifier, "encrypted_data": ciphertext})
    return _bag("pkcs8_shrouded_key_bag", content, friendly_name, local_key_id)


def _bag(bag_id: str, value: Asn1Value, friendly_name: str | None, local_key_id: bytes | None) -> Asn1Value:
    from asn1crypto import pkcs12 as asn1_pkcs12

    attributes: list[dict[str, object]] = []
    if friendly_name is not None:
        attributes.append({"type": "friendly_name", "values": [friendly_name]})
    if local_key_id is not None:
        attributes.append({"type": "local_key_id", "values": [local_key_id]})
    bag = {"bag_id": bag_id, "bag_value": value}
    # bagAttributes is OPTIONAL: no attribute, no field
    return asn1_pkcs12.SafeBag({**bag, "bag_attributes": attributes} if attributes else bag)
