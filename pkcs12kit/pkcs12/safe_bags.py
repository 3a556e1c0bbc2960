"""Making bags for a SafeContents, as asn1crypto structures (RFC 7292 section 4.2).

``attributes`` are the bag attributes beside friendlyName and localKeyID, each the DER of one Attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.pkcs12.asn1 import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """Put a certificate into a certBag (RFC 7292 section 4.2.3), byte for byte as it is, whatever the bytes are."""
    from pkcs12kit.pkcs12 import asn1_types

    content = asn1_types.CertBag({"cert_id": _X509_CERTIFICATE, "cert_value": der})
    bag = {"bag_id": _BAG_IDS["certBag"], "bag_value": content.retag({"explicit": 0})}
    return _with_attributes(asn1_types.SafeBag, bag, friendly_name, local_key_id, attributes)


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


def other_bag(
    type_name: str,
    value: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
) -> Asn1Value:
    """Put an encoded bag value into a bag of any type, by the RFC's name (``crlBag``) or its object identifier.

    Raises :class:`~pkcs12kit.errors.MalformedPfxError` for a value that is no ASN.1 of a universal type.
    """
    from asn1crypto import core

    from pkcs12kit.pkcs12 import asn1_types

    with reading(f"a {type_name}"):
        tagged = core.load(value, strict=True).retag({"explicit": 0})
    bag = {"bag_id": _BAG_IDS.get(type_name, type_name), "bag_value": tagged}
    return _with_attributes(asn1_types.SafeBag, bag, friendly_name, local_key_id, attributes)


_X509_CERTIFICATE: Final = "1.2.840.113549.1.9.22.1"
# RFC 7292 appendix D
_BAG_IDS: Final = {
    "certBag": "1.2.840.113549.1.12.10.1.3",
    "crlBag": "1.2.840.113549.1.12.10.1.4",
    "secretBag": "1.2.840.113549.1.12.10.1.5",
}


def safe_contents(bags: Iterable[Asn1Value]) -> bytes:
    """Encode bags as one SafeContents."""
    from asn1crypto import core

    class SafeContents(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
        _child_spec = core.Any

    encoded: bytes = SafeContents([core.Any.load(bag.dump()) for bag in bags]).dump()
    return encoded


def _bag(
    bag_id: str, value: Asn1Value, friendly_name: str | None, local_key_id: bytes | None, others: tuple[bytes, ...]
) -> Asn1Value:
    from asn1crypto import pkcs12 as asn1_pkcs12

    bag = {"bag_id": bag_id, "bag_value": value}
    return _with_attributes(asn1_pkcs12.SafeBag, bag, friendly_name, local_key_id, others)


def _with_attributes(
    structure: Asn1Value,
    bag: dict[str, Asn1Value],
    friendly_name: str | None,
    local_key_id: bytes | None,
    others: tuple[bytes, ...],
) -> Asn1Value:
    from asn1crypto import pkcs12 as asn1_pkcs12

    attributes: list[Asn1Value] = [asn1_pkcs12.Attribute.load(der, strict=True) for der in others]
    if friendly_name is not None:
        attributes.append({"type": "friendly_name", "values": [friendly_name]})
    if local_key_id is not None:
        attributes.append({"type": "local_key_id", "values": [local_key_id]})
    # bagAttributes is OPTIONAL: no attribute, no field
    return structure({**bag, "bag_attributes": attributes} if attributes else bag)
