"""The contents of a PFX, decoded with its password (RFC 7292)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_flags, require_kind, require_texts
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import Reject
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.pkcs12.budget import SharedWork, WorkBudget
from pkcs12kit.pkcs12.decoded_keys import DecodedKey, choose_key, different_keys, encode_public_key
from pkcs12kit.pkcs12.entries import UnreadKey, describe_entries, list_entries, unread_keys
from pkcs12kit.pkcs12.opening import Opener, why_not_authentic
from pkcs12kit.pkcs12.structure import read_pfx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from pkcs12kit.certificates.identity import Identity
    from pkcs12kit.pkcs12.entries import Entry
    from pkcs12kit.pkcs12.mac import Mac
    from pkcs12kit.pkcs12.opening import PasswordUse
    from pkcs12kit.pkcs12.structure import Bag


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBag:
    """A bag of a PFX that is neither a key nor an X.509 certificate, unchanged.

    ``type`` is ``crlBag``, ``secretBag``, ``certBag`` or an object identifier. ``value_type`` is the type that the bag
    states (``crlId``, ``secretTypeId``), dotted. ``value`` is the encoded bag value; it may be secret and is never
    shown.
    """

    type: str
    value_type: str | None
    friendly_name: str | None
    local_key_id: bytes | None
    attributes: tuple[bytes, ...] = field(default=(), repr=False)
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPfx(Shown):
    """The contents of a PFX, in file order. Nothing in it is trusted, and no signature is checked."""

    keys: tuple[DecodedKey, ...]
    """Every private key."""
    certificates: tuple[Certificate, ...]
    """Every X.509 certificate."""
    friendly_names: tuple[str | None, ...]
    """The friendlyName of each certificate; None for no name."""
    local_key_ids: tuple[bytes | None, ...]
    """The localKeyID of each certificate; None for none."""
    certificate_attributes: tuple[tuple[bytes, ...], ...] = field(repr=False)
    """The other attributes of each certificate, each the DER of one Attribute."""
    other_bags: tuple[OtherBag, ...] = ()
    """CRLs, secrets and other contents, not parsed."""
    rejects: tuple[Reject, ...] = ()
    """The certificates that cannot be read."""
    unread_keys: tuple[UnreadKey, ...] = ()
    """The private keys that are not read: damaged, of an unknown algorithm or encryption, or of another password."""
    notes: tuple[str, ...] = ()
    """A sentence for each entry that is odd or is not read, with the number and the friendly name of its bag."""
    mac: Mac | None = None
    """The MAC; None if there is none."""
    password_uses: tuple[PasswordUse, ...] = ()
    """The password and its encoding, for each part that was opened."""
    trailing_bytes: int = 0
    """The number of bytes after the PFX in the file. They were not parsed."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence if anyone may have changed the file, because it has no MAC or one without a password."""
        why = why_not_authentic(self.mac, self.password_uses)
        return () if why is None else (why,)

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for each private key that is not read, for the user of another key in the file."""
        return tuple(f"{key.place}: {key.reason}; this key is left out" for key in self.unread_keys)

    @property
    def private_keys(self) -> tuple[PrivateKeyTypes, ...]:
        """Every private key."""
        return tuple(key.private_key for key in self.keys)

    @property
    def private_key(self) -> PrivateKeyTypes | None:
        """The only private key, None if there is none. The same key in several entries is one key.

        Raises :class:`~pkcs12kit.errors.KeyChoiceError` if there are several: the caller has to choose. A key that is
        not read counts; where it is the only one, its own error is raised.
        """
        return self.key().private_key if self.keys or self.unread_keys else None

    @property
    def certificate(self) -> Certificate | None:
        """The certificate of the only private key that is used now, None if there is none."""
        key = self._only_key
        return None if key is None else key.certificate

    @property
    def friendly_name(self) -> str | None:
        """The friendly name of the only private key, or else of its certificate; None if there is none."""
        key = self._only_key
        if key is None:
            return None
        certificate = key.certificate
        named = zip(self.certificates, self.friendly_names, strict=True)
        return key.friendly_name or next((name for found, name in named if found == certificate), None)

    @property
    def identity(self) -> Identity:
        """The only private key with its certificate. Raises :class:`~pkcs12kit.errors.InputError` if one is missing."""
        return self.key().identity

    @property
    def _only_key(self) -> DecodedKey | None:
        different = different_keys(self.keys)
        return different[0] if len(different) == 1 and not self.unread_keys else None

    def key(self, *, friendly_name: str | None = None, local_key_id: bytes | None = None) -> DecodedKey:
        """Return the one private key with this friendly name and ID; None accepts any.

        An ID is a localKeyID, or, for keys without one, the SHA-256 of the key's SubjectPublicKeyInfo. The same key in
        several entries is one key.

        Raises :class:`~pkcs12kit.errors.InputError` if there is no such key, and
        :class:`~pkcs12kit.errors.KeyChoiceError` if there is more than one; the message lists the keys. A key that is
        not read counts; where it is the one, its own error is raised.
        """
        require_texts(friendly_name=friendly_name)
        require_kind("local_key_id", local_key_id, bytes, optional=True)
        return choose_key(self.keys, self.unread_keys, friendly_name=friendly_name, local_key_id=local_key_id)


def decode_pfx(
    data: bytes,
    *,
    password: str | None,
    contents_password: str | None = None,
    require_mac: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> DecodedPfx:
    """Return the contents of the bytes of a PFX. Parameters and errors are those of :func:`pkcs12kit.decode_pfx`."""
    require_kind("data", data, bytes)
    require_kind("limits", limits, Limits)
    require_flags(require_mac=require_mac)
    require_texts(password=password, contents_password=contents_password)
    budget = WorkBudget(limits)
    pfx = read_pfx(data, budget)
    opener = Opener(pfx, password=password, contents_password=contents_password, budget=budget, require_mac=require_mac)
    opener.authenticate()
    entries = opener.read_keys(list_entries(map(opener.open_safe, pfx.safes)))
    bags = tuple(entry.bag for entry in entries)
    certificates, rejects = read_certificates(bags, limits)
    by_key = CertificatesByKey((certificate, bag.local_key_id) for certificate, bag in certificates)
    return DecodedPfx(
        keys=tuple(_decoded_keys(entries, by_key)),
        unread_keys=unread_keys(entries),
        certificates=tuple(certificate for certificate, _ in certificates),
        friendly_names=tuple(bag.friendly_name for _, bag in certificates),
        local_key_ids=tuple(bag.local_key_id for _, bag in certificates),
        certificate_attributes=tuple(bag.attributes for _, bag in certificates),
        other_bags=tuple(_other(bag) for bag in bags if not bag.is_key and not bag.is_certificate),
        rejects=tuple(rejects),
        notes=describe_entries(entries, rejects, limits),
        mac=pfx.mac,
        password_uses=opener.uses,
        trailing_bytes=pfx.trailing_bytes,
    )


def decode_certificates(
    data: bytes,
    *,
    password: str | None,
    require_mac: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    work: SharedWork | None = None,
) -> tuple[tuple[Certificate, ...], tuple[Reject, ...]]:
    """Return the certificates of a PFX, and those that cannot be read, without opening its private keys.

    ``work`` is shared by files that are loaded together. Raises as :func:`decode_pfx` does, but not for a private key
    that has another password, is damaged or has an unknown algorithm.
    """
    budget = WorkBudget(limits, shared=work)
    pfx = read_pfx(data, budget)
    opener = Opener(pfx, password=password, contents_password=None, budget=budget, require_mac=require_mac)
    opener.authenticate(keys=False)
    bags = [bag for safe in pfx.safes for bag in opener.open_safe(safe)]
    certificates, rejects = read_certificates(bags, limits)
    rejects += (
        Reject(source="PKCS#12", position=position, reason=f"not X.509, but of the type {bag.value_type}")
        for position, bag in enumerate((bag for bag in bags if bag.type == "certBag"), start=1)
        if not bag.is_certificate
    )
    return tuple(certificate for certificate, _ in certificates), tuple(rejects)


class CertificatesByKey:
    """Certificates with their localKeyIDs, indexed by public key. A certificate with an unreadable key is left out."""

    def __init__(self, certificates: Iterable[tuple[Certificate, bytes | None]]) -> None:
        self._index: dict[bytes, list[tuple[Certificate, bytes | None]]] = {}
        for certificate, local_key_id in certificates:
            try:
                encoded = encode_public_key(certificate.public_key)
            except MalformedCertificateError:
                continue
            self._index.setdefault(encoded, []).append((certificate, local_key_id))

    def find(self, key: PrivateKeyTypes, local_key_id: bytes | None) -> tuple[Certificate, ...]:
        """Return the certificates of a private key, each once, those with the same localKeyID first."""
        found = self._index.get(encode_public_key(key.public_key()), [])
        alike = [certificate for certificate, its_id in found if its_id is not None and its_id == local_key_id]
        return tuple(dict.fromkeys([*alike, *(certificate for certificate, _ in found)]))


def read_certificates(bags: Iterable[Bag], limits: Limits) -> tuple[list[tuple[Certificate, Bag]], list[Reject]]:
    """Return the X.509 certificates of bags, each with its bag, and those that cannot be read."""
    certificates, rejects = [], []
    for position, bag in enumerate((bag for bag in bags if bag.is_certificate), start=1):
        try:
            certificates.append((_read_certificate(bag, limits), bag))
        except MalformedCertificateError as error:
            rejects.append(Reject(source="PKCS#12", position=position, reason=str(error)))
    return certificates, rejects


def _read_certificate(bag: Bag, limits: Limits) -> Certificate:
    if bag.fault is not None:
        raise MalformedCertificateError("the certBag around it is damaged")
    if len(bag.content) > limits.certificate_bytes:
        raise MalformedCertificateError(f"larger than {limits.certificate_bytes:,} bytes (limits.certificate_bytes)")
    return Certificate.from_der(bag.content)


def _decoded_keys(entries: Iterable[Entry], certificates: CertificatesByKey) -> Iterator[DecodedKey]:
    for entry in entries:
        if entry.private_key is not None and entry.private_key_info is not None:
            yield DecodedKey(
                private_key=entry.private_key,
                private_key_info=entry.private_key_info,
                friendly_name=entry.bag.friendly_name,
                local_key_id=entry.bag.local_key_id,
                attributes=entry.bag.attributes,
                certificates=certificates.find(entry.private_key, entry.bag.local_key_id),
            )


def _other(bag: Bag) -> OtherBag:
    return OtherBag(
        type=bag.type,
        value_type=bag.value_type,
        friendly_name=bag.friendly_name,
        local_key_id=bag.local_key_id,
        attributes=bag.attributes,
        value=bag.content,
    )
