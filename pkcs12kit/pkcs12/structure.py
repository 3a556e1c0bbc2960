"""The structure of a PFX as plain values, read without any password (RFC 7292 section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.tags import refuse_endless_tags
from pkcs12kit.errors import MalformedPfxError, UnsupportedPfxError
from pkcs12kit.pkcs12.asn1 import Asn1Value, absent, reading
from pkcs12kit.pkcs12.encryption import Encryption, read_encryption
from pkcs12kit.pkcs12.mac import Mac, read_mac

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.budget import Budget

# RFC 7292 section 4.2 and appendix D
_BAG_TYPES: Final = {
    "key_bag": "keyBag",
    "pkcs8_shrouded_key_bag": "pkcs8ShroudedKeyBag",
    "cert_bag": "certBag",
    "crl_bag": "crlBag",
    "secret_bag": "secretBag",
    "safe_contents": "safeContentsBag",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """One ContentInfo of the AuthenticatedSafe: SafeContents (``encryption`` None), or their ciphertext."""

    encryption: Encryption | None
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pfx:
    """The outside of a file. ``content`` is what the MAC is computed over."""

    mac: Mac | None
    content: bytes = field(repr=False)
    safes: tuple[Safe, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """One SafeBag. ``type`` is the RFC's name (``certBag``), or a dotted object identifier.

    ``content`` is the certificate's DER for a certBag with an X.509 certificate, the PKCS#8 DER for a keyBag, the
    ciphertext for a pkcs8ShroudedKeyBag (and then ``encryption`` is set), None for anything else.
    """

    type: str
    friendly_name: str | None
    local_key_id: bytes | None
    encryption: Encryption | None = None
    content: bytes | None = field(default=None, repr=False)


def read_pfx(data: bytes, budget: Budget) -> Pfx:
    """Read the outside of a PFX, in DER or BER.

    Raises :class:`~pkcs12kit.errors.MalformedPfxError`, :class:`~pkcs12kit.errors.UnsupportedPfxError` for public-key
    integrity and privacy modes, and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    from asn1crypto import pkcs12 as asn1_pkcs12

    budget.size(len(data))
    with reading("the outermost structure"):
        refuse_endless_tags(data)
        pfx = asn1_pkcs12.Pfx.load(data, strict=True)
        version = pfx["version"].native
        mac_data = pfx["mac_data"]
        content_type = pfx["auth_safe"]["content_type"].native
    if version != "v3":
        raise UnsupportedPfxError(f"the PKCS#12 file has version {version}; version 3 alone is known (RFC 7292)")
    if content_type != "data":
        raise UnsupportedPfxError(
            f"the contents of the PKCS#12 file are {content_type}: integrity by public key is not supported"
        )
    with reading("the authenticated safe"):
        content = pfx["auth_safe"]["content"].native
        safes = tuple(_read_safe(info, budget) for info in asn1_pkcs12.AuthenticatedSafe.load(content, strict=True))
    with reading("the MAC"):
        mac = None if absent(mac_data) else read_mac(mac_data)
    return Pfx(mac=mac, content=content, safes=safes)


def _read_safe(info: Asn1Value, budget: Budget) -> Safe:
    budget.bag()  # a safe may be empty, so bags alone would not bound safes
    content_type = info["content_type"].native
    if content_type == "data":
        return Safe(encryption=None, content=info["content"].native)
    if content_type != "encrypted_data":
        # enveloped_data is privacy by public key (RFC 7292 section 3.1); nothing can be said of others
        return Safe(encryption=Encryption(algorithm=str(content_type)), content=b"")
    encrypted = info["content"]["encrypted_content_info"]
    return Safe(
        encryption=read_encryption(encrypted["content_encryption_algorithm"]),
        content=encrypted["encrypted_content"].native or b"",
    )


def read_bags(content: bytes, budget: Budget, *, depth: int = 1) -> tuple[Bag, ...]:
    """Read SafeContents. SafeContents within are read in their place (RFC 7292 section 4.2.6).

    Raises :class:`~pkcs12kit.errors.MalformedPfxError` and :class:`~pkcs12kit.errors.LimitExceededError`.
    """
    from asn1crypto import pkcs12 as asn1_pkcs12

    budget.nest(depth)
    with reading("the bags"):
        refuse_endless_tags(content)
        return tuple(
            bag
            for asn1_bag in asn1_pkcs12.SafeContents.load(content, strict=True)
            for bag in _read_bag(asn1_bag, budget, depth)
        )


def _read_bag(asn1_bag: Asn1Value, budget: Budget, depth: int) -> Iterator[Bag]:
    budget.bag()
    native = asn1_bag["bag_id"].native
    value = asn1_bag["bag_value"]
    if native == "safe_contents":
        yield from read_bags(value.untag().dump(), budget, depth=depth + 1)
        return
    friendly_name, local_key_id = _read_attributes(asn1_bag["bag_attributes"])
    encryption = None
    content = None
    if native == "cert_bag" and value["cert_id"].native == "x509":
        content = bytes(value["cert_value"])
    elif native == "key_bag":
        content = value.untag().dump()
    elif native == "pkcs8_shrouded_key_bag":
        encryption = read_encryption(value["encryption_algorithm"])
        content = value["encrypted_data"].native
    yield Bag(
        type=_BAG_TYPES.get(native, native),
        friendly_name=friendly_name,
        local_key_id=local_key_id,
        encryption=encryption,
        content=content,
    )


def _read_attributes(attributes: Asn1Value) -> tuple[str | None, bytes | None]:
    """Take friendlyName and localKeyID; other attributes are left unread."""
    found: dict[str, Asn1Value] = {}
    if not absent(attributes):
        for attribute in attributes:
            name = attribute["type"].native
            if name in {"friendly_name", "local_key_id"}:
                if len(attribute["values"]) != 1:
                    # RFC 2985 section 5.5: SINGLE VALUE TRUE
                    raise MalformedPfxError(f"a bag of the PKCS#12 file has a {name} of several values, or none")
                found[name] = attribute["values"][0].native
    friendly_name = found.get("friendly_name")
    # some writers count the terminator of a C string among the characters
    return friendly_name and friendly_name.rstrip("\0"), found.get("local_key_id")
