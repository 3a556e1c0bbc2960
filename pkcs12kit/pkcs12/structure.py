"""The structure of a PFX as plain values, parsed without a password (RFC 7292 section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12.asn1 import Asn1Value, absent, definite, load, reading, within_tag
from pkcs12kit.pkcs12.encryption import Encryption, read_encryption
from pkcs12kit.pkcs12.mac import Mac, read_mac

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.budget import WorkBudget

# RFC 7292 section 4.2 and appendix D
_BAG_TYPES: Final = {
    "key_bag": "keyBag",
    "pkcs8_shrouded_key_bag": "pkcs8ShroudedKeyBag",
    "cert_bag": "certBag",
    "crl_bag": "crlBag",
    "secret_bag": "secretBag",
    "safe_contents": "safeContentsBag",
}
# The field that states the type of the value, in the bags that have one.
_VALUE_TYPES: Final = {"cert_bag": "cert_id", "crl_bag": "crl_id", "secret_bag": "secret_type_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """One ContentInfo of the AuthenticatedSafe: SafeContents (``encryption`` None), or their ciphertext."""

    encryption: Encryption | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pfx:
    """The outer structure of a file. The MAC is over ``content``; ``trailing_bytes`` follow the structure."""

    mac: Mac | None
    content: bytes = field(repr=False)
    safes: tuple[Safe, ...]
    trailing_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """One SafeBag. ``type`` is the RFC's name (``certBag``), or a dotted object identifier.

    ``value_type`` is the dotted object identifier of the contents that a certBag, crlBag or secretBag states.
    ``attributes`` are those other than friendlyName and localKeyID, in file order, each the DER of one Attribute.

    ``content`` is the certificate's DER for a certBag with an X.509 certificate, the PKCS#8 DER for a keyBag, the
    ciphertext for a pkcs8ShroudedKeyBag (``encryption`` is then set), and the encoded bag value for any other type.
    """

    type: str
    friendly_name: str | None
    local_key_id: bytes | None
    attributes: tuple[bytes, ...] = field(default=(), repr=False)
    value_type: str | None = None
    encryption: Encryption | None = None
    content: bytes = field(repr=False)
    position: int = 0
    """The position in its SafeContents, from 0 on."""
    depth: int = 1
    """1 for a bag of a SafeContents itself, and more in SafeContents that are nested in it."""

    @property
    def is_key(self) -> bool:
        """True for a bag with a private key."""
        return self.type in {"keyBag", "pkcs8ShroudedKeyBag"}

    @property
    def is_certificate(self) -> bool:
        """True for a bag with an X.509 certificate."""
        return self.type == "certBag" and self.value_type == _X509_CERTIFICATE


_X509_CERTIFICATE: Final = "1.2.840.113549.1.9.22.1"


def read_pfx(data: bytes, budget: WorkBudget) -> Pfx:
    """Return the outer structure of a PFX, in DER or BER.

    Bytes after it are counted and not parsed, as OpenSSL and Java do. Padding at the end of a file hides nothing,
    because nothing there is used.

    Raises :class:`~pkcs12kit.errors.MalformedPfxError`, :class:`~pkcs12kit.errors.UnsupportedPfxError` for public-key
    integrity and privacy modes, and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    from asn1crypto import pkcs12 as asn1_pkcs12

    budget.size(len(data))
    content, mac, end = _read_outside(data, budget)
    with reading("the authenticated safe"):
        safes = tuple(_read_safe(info, budget) for info in load(asn1_pkcs12.AuthenticatedSafe, content, budget))
    return Pfx(mac=mac, content=content, safes=safes, trailing_bytes=len(data) - end)


def _read_outside(data: bytes, budget: WorkBudget) -> tuple[bytes, Mac | None, int]:
    """Return the content under the MAC, the MAC, and the end of the structure. asn1crypto's copies are freed here."""
    from pkcs12kit.pkcs12 import asn1_types

    with reading("the outermost structure"):
        encoding, end = definite(data, budget)
        pfx = asn1_types.Asn1Pfx.load(encoding, strict=True)
        version = pfx["version"].native
        mac_data = pfx["mac_data"]
        content_type = pfx["auth_safe"]["content_type"].native
    if version != "v3":
        raise UnsupportedPfxError(f"the PKCS#12 file has version {version}; only version 3 is supported (RFC 7292)")
    if content_type != "data":
        raise UnsupportedPfxError(
            f"the contents of the PKCS#12 file are {content_type}: public-key integrity mode is not supported"
        )
    with reading("the MAC"):
        mac = None if absent(mac_data) else read_mac(mac_data)
    with reading("the authenticated safe"):
        content: bytes = pfx["auth_safe"]["content"].native
    return content, mac, end


def _read_safe(info: Asn1Value, budget: WorkBudget) -> Safe:
    budget.bag()  # safes count as bags: empty safes would be unlimited otherwise
    content_type = info["content_type"].native
    if content_type == "data":
        return Safe(encryption=None, content=info["content"].native)
    if content_type != "encrypted_data":
        # enveloped_data is public-key privacy mode (RFC 7292 section 3.1); other types are unknown
        return Safe(encryption=Encryption(algorithm=str(content_type)), content=b"")
    encrypted = info["content"]["encrypted_content_info"]
    return Safe(
        encryption=read_encryption(encrypted["content_encryption_algorithm"]),
        content=encrypted["encrypted_content"].native or b"",
    )


def read_bags(content: bytes, budget: WorkBudget, *, depth: int = 1) -> tuple[Bag, ...]:
    """Return the bags of SafeContents. Those of nested SafeContents are in their place (RFC 7292 section 4.2.6).

    Raises :class:`~pkcs12kit.errors.MalformedPfxError` and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    from asn1crypto import pkcs12 as asn1_pkcs12

    budget.nest(depth)
    with reading("the bags"):
        return tuple(
            bag
            for position, asn1_bag in enumerate(load(asn1_pkcs12.SafeContents, content, budget))
            for bag in _read_bag(asn1_bag, budget, depth, position)
        )


def _read_bag(asn1_bag: Asn1Value, budget: WorkBudget, depth: int, position: int) -> Iterator[Bag]:
    from pkcs12kit.pkcs12 import asn1_types

    budget.bag()
    native = asn1_bag["bag_id"].native
    value = asn1_bag["bag_value"]
    if native == "safe_contents":
        yield from read_bags(within_tag(value), budget, depth=depth + 1)
        return
    friendly_name, local_key_id, attributes = _read_attributes(asn1_bag["bag_attributes"])
    value_type = value[_VALUE_TYPES[native]].dotted if native in _VALUE_TYPES else None
    encryption = None
    if native == "cert_bag" and value_type == _X509_CERTIFICATE:
        content = asn1_types.CertBag.load(within_tag(value), strict=True)["cert_value"].native
    elif native == "pkcs8_shrouded_key_bag":
        encryption = read_encryption(value["encryption_algorithm"])
        content = value["encrypted_data"].native
    else:
        content = within_tag(value)
    yield Bag(
        type=_BAG_TYPES.get(native, native),
        friendly_name=friendly_name,
        local_key_id=local_key_id,
        attributes=attributes,
        value_type=value_type,
        encryption=encryption,
        content=content,
        position=position,
        depth=depth,
    )


def _read_attributes(attributes: Asn1Value) -> tuple[str | None, bytes | None, tuple[bytes, ...]]:
    """Return friendlyName, localKeyID, and the encodings of the other attributes."""
    found: dict[str, Asn1Value] = {}
    others = []
    for attribute in () if absent(attributes) else attributes:
        name = attribute["type"].native
        if name not in {"friendly_name", "local_key_id"}:
            others.append(attribute.dump())
            continue
        if len(attribute["values"]) != 1:
            # RFC 2985 section 5.5: SINGLE VALUE TRUE
            raise MalformedPfxError(f"a bag of the PKCS#12 file has a {name} with no value or several")
        found[name] = attribute["values"][0].native
    friendly_name = found.get("friendly_name")
    # some writers include the terminator of a C string
    return friendly_name and friendly_name.rstrip("\0"), found.get("local_key_id"), tuple(others)
