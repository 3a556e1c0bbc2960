"""The structure of a PFX as plain values, parsed without a password (RFC 7292 section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.lenient import encoding_of, require_whole
from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12.asn1 import Asn1Value, absent, definite, load, reading, within_tag
from pkcs12kit.pkcs12.attributes import read_attributes
from pkcs12kit.pkcs12.bags import BAG_IDS, X509_CERTIFICATE
from pkcs12kit.pkcs12.encryption import Encryption, read_encryption
from pkcs12kit.pkcs12.mac import Mac, read_mac

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.budget import WorkBudget

_BAG_TYPES: Final = {dotted: name for name, dotted in BAG_IDS.items()}
# The bags that state the type of their value.
_TYPED: Final = frozenset({"certBag", "crlBag", "secretBag"})


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
    ``attributes`` are those other than friendlyName and localKeyID, in file order, each the DER of one Attribute;
    ``attribute_field`` is the encoding of all of them, None if the field is absent.

    ``content`` is the certificate's DER for a certBag with an X.509 certificate, the PKCS#8 DER for a keyBag, the
    ciphertext for a pkcs8ShroudedKeyBag (``encryption`` is then set), and the encoded bag value for any other type, and
    where ``fault`` says why the value cannot be read. ``value`` is the encoded bag value of any type. ``notes`` are
    sentences about attributes that are odd.
    """

    type: str
    friendly_name: str | None
    local_key_id: bytes | None
    attributes: tuple[bytes, ...] = field(default=(), repr=False)
    attribute_field: bytes | None = field(default=None, repr=False)
    value_type: str | None = None
    encryption: Encryption | None = None
    content: bytes = field(repr=False)
    value: bytes = field(repr=False)
    fault: str | None = None
    notes: tuple[str, ...] = ()
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
        """True for a bag with an X.509 certificate, and for a certBag that is damaged."""
        return self.type == "certBag" and (self.value_type == X509_CERTIFICATE or self.fault is not None)

    @property
    def is_known(self) -> bool:
        """True for a type of RFC 7292, and for a certBag only if it is for an X.509 certificate."""
        return self.type in _BAG_TYPES.values() and (self.type != "certBag" or self.is_certificate)


_DAMAGED: Final = "it is damaged"
NESTED_ATTRIBUTES: Final = "the SafeContents around it have attributes, which are not read"


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
    with reading("the outermost structure"):
        require_whole(pfx)
    return content, mac, end


def _read_safe(info: Asn1Value, budget: WorkBudget) -> Safe:
    budget.bag()  # safes count as bags: empty safes would be unlimited otherwise
    safe = _parse_safe(info)
    require_whole(info)
    return safe


def _parse_safe(info: Asn1Value) -> Safe:
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

    A bag whose value or attributes cannot be read is among them, with its fault or with notes. Raises
    :class:`~pkcs12kit.errors.MalformedPfxError` if this is not a sequence of bags, and
    :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    from pkcs12kit.pkcs12 import asn1_types

    budget.nest(depth)
    with reading("the bags"):
        return tuple(
            bag
            for position, asn1_bag in enumerate(load(asn1_types.SafeContents, content, budget))
            for bag in _read_bag(asn1_bag, budget, depth, position)
        )


def _read_bag(asn1_bag: Asn1Value, budget: WorkBudget, depth: int, position: int) -> Iterator[Bag]:
    budget.bag()
    dotted = asn1_bag["bag_id"].dotted
    value = within_tag(asn1_bag["bag_value"])
    field_ = asn1_bag["bag_attributes"]
    attribute_field = None if absent(field_) else encoding_of(field_)
    require_whole(asn1_bag)
    attributes = read_attributes(attribute_field)
    bag = Bag(
        type=_BAG_TYPES.get(dotted, dotted),
        friendly_name=attributes.friendly_name,
        local_key_id=attributes.local_key_id,
        attributes=attributes.others,
        attribute_field=attribute_field,
        content=value,
        value=value,
        notes=attributes.notes,
        position=position,
        depth=depth,
    )
    if bag.type != "safeContentsBag":
        yield _with_value(bag)
        return
    try:
        nested = _nested(bag, budget, depth)
    except MalformedPfxError:
        nested = (replace(bag, fault=_DAMAGED),)
    yield from nested


def _nested(outer: Bag, budget: WorkBudget, depth: int) -> tuple[Bag, ...]:
    """Return the bags of nested SafeContents. Attributes of the outer bag are only noted."""
    bags = read_bags(outer.content, budget, depth=depth + 1)
    if not bags or outer.attribute_field is None:
        return bags
    return (replace(bags[0], notes=(*bags[0].notes, NESTED_ATTRIBUTES)), *bags[1:])


def _with_value(bag: Bag) -> Bag:
    """Return the bag with the parts of its value, or with a fault."""
    try:
        with reading("the bag"):
            return _parse_value(bag)
    except MalformedPfxError:
        return replace(bag, fault=_DAMAGED)


def _parse_value(bag: Bag) -> Bag:
    """Return the bag with the parts of its value. Raises as asn1crypto does."""
    from asn1crypto import keys

    from pkcs12kit.pkcs12 import asn1_types

    if bag.type == "pkcs8ShroudedKeyBag":
        shrouded = keys.EncryptedPrivateKeyInfo.load(bag.content, strict=True)
        encryption = read_encryption(shrouded["encryption_algorithm"])
        content = shrouded["encrypted_data"].native
        require_whole(shrouded)
        return replace(bag, encryption=encryption, content=content)
    if bag.type not in _TYPED:
        return bag
    value_type = asn1_types.TypedValue.load(bag.content, strict=True)["type"].dotted
    if bag.type == "certBag" and value_type == X509_CERTIFICATE:
        content = asn1_types.CertBag.load(bag.content, strict=True)["cert_value"].native
        return replace(bag, value_type=value_type, content=content)
    return replace(bag, value_type=value_type)
