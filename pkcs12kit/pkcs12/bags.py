"""SafeBags of a SafeContents, encoded as asn1crypto values (RFC 7292 section 4.2).

In every function ``attributes`` are the bag attributes other than friendlyName and localKeyID, each the DER of one
Attribute. ``attribute_field`` is the encoding of all attributes of a bag that is copied, and stands for all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.lenient import encode_element, sequence
from pkcs12kit.pkcs12.asn1 import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.pkcs12.asn1 import Asn1Value


X509_CERTIFICATE: Final = "1.2.840.113549.1.9.22.1"
"""The type of a certificate in a certBag (RFC 7292 section 4.2.3)."""
BAG_IDS: Final = {
    "keyBag": "1.2.840.113549.1.12.10.1.1",
    "pkcs8ShroudedKeyBag": "1.2.840.113549.1.12.10.1.2",
    "certBag": "1.2.840.113549.1.12.10.1.3",
    "crlBag": "1.2.840.113549.1.12.10.1.4",
    "secretBag": "1.2.840.113549.1.12.10.1.5",
    "safeContentsBag": "1.2.840.113549.1.12.10.1.6",
}
"""The object identifiers of the types of bags (RFC 7292 section 4.2 and appendix D)."""
_SET: Final = 0x31
_EXPLICIT: Final = 0xA0


def trusted_key_usage() -> bytes:
    """Return the attribute by which Java recognizes a trusted certificate, for any purpose, as DER.

    Java's key store lists a certificate without a key only if its bag has the attribute 2.16.840.1.113894.746875.1.1
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
    attribute_field: bytes | None = None,
) -> Asn1Value:
    """Return a certBag with a certificate (RFC 7292 section 4.2.3). The bytes are neither changed nor checked."""
    from pkcs12kit.pkcs12 import asn1_types

    content = asn1_types.CertBag({"cert_id": X509_CERTIFICATE, "cert_value": der})
    return _bag(
        "certBag", content.dump(), attribute_field or encode_attributes(friendly_name, local_key_id, attributes)
    )


def key_bag(
    private_key_info: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
    attribute_field: bytes | None = None,
) -> Asn1Value:
    """Return a keyBag with a private key (PKCS#8, DER) that is not encrypted (RFC 7292 section 4.2.1)."""
    return _bag(
        "keyBag", private_key_info, attribute_field or encode_attributes(friendly_name, local_key_id, attributes)
    )


def shrouded_key_bag(
    algorithm_identifier: Asn1Value,
    ciphertext: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
    attribute_field: bytes | None = None,
) -> Asn1Value:
    """Return a pkcs8ShroudedKeyBag with an encrypted private key (RFC 7292 section 4.2.2)."""
    from asn1crypto import keys

    content = keys.EncryptedPrivateKeyInfo({"encryption_algorithm": algorithm_identifier, "encrypted_data": ciphertext})
    return _bag(
        "pkcs8ShroudedKeyBag",
        content.dump(),
        attribute_field or encode_attributes(friendly_name, local_key_id, attributes),
    )


def other_bag(
    type_name: str,
    value: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
    attribute_field: bytes | None = None,
) -> Asn1Value:
    """Return a bag of any type, by the RFC's name (``crlBag``) or its object identifier, with an encoded bag value.

    The value is not checked. Raises :class:`~pkcs12kit.errors.MalformedPfxError` for a type that cannot be encoded.
    """
    with reading(f"a bag of type {type_name}"):
        return _bag(type_name, value, attribute_field or encode_attributes(friendly_name, local_key_id, attributes))


def safe_contents(bags: Iterable[Asn1Value]) -> bytes:
    """Return the encoding of bags as one SafeContents."""
    from asn1crypto import core

    class SafeContents(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
        _child_spec = core.Any

    encoded: bytes = SafeContents([core.Any.load(bag.dump()) for bag in bags]).dump()
    return encoded


def encode_attributes(friendly_name: str | None, local_key_id: bytes | None, others: tuple[bytes, ...]) -> bytes | None:
    """Return the encoding of bagAttributes, in order (X.690 section 11.6); None without attributes, it is OPTIONAL."""
    from asn1crypto import pkcs12 as asn1_pkcs12

    attributes = list(others)
    if friendly_name is not None:
        attributes.append(asn1_pkcs12.Attribute({"type": "friendly_name", "values": [friendly_name]}).dump())
    if local_key_id is not None:
        attributes.append(asn1_pkcs12.Attribute({"type": "local_key_id", "values": [local_key_id]}).dump())
    return encode_element(_SET, *sorted(attributes)) if attributes else None


def _bag(type_name: str, value: bytes, attribute_field: bytes | None) -> Asn1Value:
    """Return a SafeBag around the encodings of its value and attributes, which asn1crypto never parses."""
    from asn1crypto import core

    bag_id = core.ObjectIdentifier(BAG_IDS.get(type_name, type_name)).dump()
    return core.Any.load(sequence(bag_id, encode_element(_EXPLICIT, value), attribute_field or b""))
