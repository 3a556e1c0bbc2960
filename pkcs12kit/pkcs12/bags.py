"""Making bags for a SafeContents, as asn1crypto structures (RFC 7292 section 4.2).

``attributes`` are the bag attributes beside friendlyName and localKeyID, each the DER of one Attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.certificates.lenient import UNREADABLE
from pkcs12kit.pkcs12.asn1 import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

    from pkcs12kit.certificates.certificate import Certificate
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
    return _bag("certBag", content.dump(), friendly_name, local_key_id, attributes)


def key_bag(
    private_key_info: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
) -> Asn1Value:
    """Put a private key (PKCS#8, DER) into a keyBag, in the clear (RFC 7292 section 4.2.1), byte for byte as it is."""
    return _bag("keyBag", private_key_info, friendly_name, local_key_id, attributes)


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
    return _bag("pkcs8ShroudedKeyBag", content.dump(), friendly_name, local_key_id, attributes)


def other_bag(
    type_name: str,
    value: bytes,
    *,
    friendly_name: str | None = None,
    local_key_id: bytes | None = None,
    attributes: tuple[bytes, ...] = (),
) -> Asn1Value:
    """Put an encoded bag value into a bag of any type, by the RFC's name (``crlBag``) or its object identifier.

    The value is not looked into. Raises :class:`~pkcs12kit.errors.MalformedPfxError` for a type that has no encoding.
    """
    with reading(f"a bag of type {type_name}"):
        return _bag(type_name, value, friendly_name, local_key_id, attributes)


_X509_CERTIFICATE: Final = "1.2.840.113549.1.9.22.1"
# RFC 7292 appendix D
_BAG_IDS: Final = {
    "keyBag": "1.2.840.113549.1.12.10.1.1",
    "pkcs8ShroudedKeyBag": "1.2.840.113549.1.12.10.1.2",
    "certBag": "1.2.840.113549.1.12.10.1.3",
    "crlBag": "1.2.840.113549.1.12.10.1.4",
    "secretBag": "1.2.840.113549.1.12.10.1.5",
}
_UNIVERSAL: Final = 0
_CONTEXT_SPECIFIC: Final = 2
_CONSTRUCTED: Final = 1
_SEQUENCE: Final = 16
_SET: Final = 17


def safe_contents(bags: Iterable[Asn1Value]) -> bytes:
    """Encode bags as one SafeContents."""
    from asn1crypto import core

    class SafeContents(core.SequenceOf):  # type: ignore[misc]  # asn1crypto has no types
        _child_spec = core.Any

    encoded: bytes = SafeContents([core.Any.load(bag.dump()) for bag in bags]).dump()
    return encoded


def _bag(
    type_name: str, value: bytes, friendly_name: str | None, local_key_id: bytes | None, others: tuple[bytes, ...]
) -> Asn1Value:
    """Make a SafeBag around the encoding of its value, which asn1crypto never takes apart."""
    from asn1crypto import core, parser
    from asn1crypto import pkcs12 as asn1_pkcs12

    attributes = list(others)
    if friendly_name is not None:
        attributes.append(asn1_pkcs12.Attribute({"type": "friendly_name", "values": [friendly_name]}).dump())
    if local_key_id is not None:
        attributes.append(asn1_pkcs12.Attribute({"type": "local_key_id", "values": [local_key_id]}).dump())
    bag: bytes = core.ObjectIdentifier(_BAG_IDS.get(type_name, type_name)).dump()
    bag += parser.emit(_CONTEXT_SPECIFIC, _CONSTRUCTED, 0, value)
    if attributes:  # bagAttributes is OPTIONAL: no attribute, no field. X.690 section 11.6: in order
        bag += parser.emit(_UNIVERSAL, _CONSTRUCTED, _SET, b"".join(sorted(attributes)))
    return core.Any.load(parser.emit(_UNIVERSAL, _CONSTRUCTED, _SEQUENCE, bag))


_ID_RSASSA_PSS: Final = "1.2.840.113549.1.1.10"


def encode_private_key(private_key: CertificateIssuerPrivateKeyTypes, certificate: Certificate) -> bytes:
    """Encode a key for RSASSA-PSS alone where the certificate, which is the key's, says so; parameters are its, too.

    Attributes and public key that a file had beside the key are not written.
    """
    from asn1crypto import keys

    encoded = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if not isinstance(private_key, RSAPrivateKey) or (for_pss := _for_pss(certificate)) is None:
        return encoded
    info = keys.PrivateKeyInfo.load(encoded)
    info["private_key_algorithm"] = keys.PrivateKeyAlgorithm.load(for_pss)
    of_pss: bytes = info.dump()
    return of_pss


def is_encoded_for(private_key_info: bytes, certificate: Certificate) -> bool:
    """Whether a key, which is the certificate's, is encoded for RSASSA-PSS alone just as the certificate has it."""
    try:
        of_key = _if_pss(private_key_info, position=1)
    except UNREADABLE:  # a form of before PKCS#8, which says nothing of RSASSA-PSS
        of_key = None
    return of_key == _for_pss(certificate)


def _for_pss(certificate: Certificate) -> bytes | None:
    return _if_pss(certificate.subject_public_key_info, position=0)


def _if_pss(structure: bytes, *, position: int) -> bytes | None:
    """Give the AlgorithmIdentifier at this position where it is RSASSA-PSS, exactly as it is encoded."""
    from asn1crypto import core

    algorithm = core.Sequence.load(structure)[position]
    encoded: bytes = algorithm.dump()
    return encoded if algorithm[0].native == _ID_RSASSA_PSS else None
