"""The inspection of a PFX: its structure and protection without the password, its contents with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from pkcs12kit.arguments import require_flags, require_kind, require_texts
from pkcs12kit.certificates.key_kinds import ML_DSA, KeyKind, key_kind
from pkcs12kit.errors import MalformedPfxError, PfxError, PfxPasswordError, UnsupportedPfxError
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.pkcs12.arrangement import Arrangement, KeyLink, arrange, is_readable
from pkcs12kit.pkcs12.asn1 import reading, within_tag
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.compatibility import PfxFacts, of_encryption, of_mac
from pkcs12kit.pkcs12.decoded_keys import encode_public_key
from pkcs12kit.pkcs12.decoder import CertificatesByKey, read_certificates
from pkcs12kit.pkcs12.entries import describe_entries, list_entries, unread_keys
from pkcs12kit.pkcs12.features import features_of_certificates, of_private_key
from pkcs12kit.pkcs12.java_entries import JavaEntries, java_entries, java_item
from pkcs12kit.pkcs12.opening import Opener, why_not_authentic
from pkcs12kit.pkcs12.private_keys import is_version_2
from pkcs12kit.pkcs12.sealed_secrets import read_sealed_secret
from pkcs12kit.pkcs12.structure import read_pfx
from pkcs12kit.times import format_time, time_or_now

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.pkcs12.budget import SharedWork
    from pkcs12kit.pkcs12.compatibility import ReaderVerdict
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.entries import Entry, UnreadKey
    from pkcs12kit.pkcs12.features import Ability
    from pkcs12kit.pkcs12.mac import Mac
    from pkcs12kit.pkcs12.opening import PasswordUse
    from pkcs12kit.pkcs12.structure import Bag, Pfx, Safe

_Opened: TypeAlias = "tuple[tuple[Bag, ...] | None, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class BagReport:
    """One bag: its type by RFC 7292's name (``certBag``, ``pkcs8ShroudedKeyBag``, ...) or dotted object identifier.

    ``value_type`` is the dotted identifier of the contents that a certBag, crlBag or secretBag states. ``certificate``
    is None if the bag holds none, or one that cannot be read; ``encryption`` is that of a shrouded key, or of a secret
    that is encrypted on its own. ``unread_key`` tells why a private key is not read; None if it is read, or was not
    tried. ``notes`` are sentences about attributes that are odd. ``end_entity`` is True for the certificate that
    belongs to a private key of the file: by the key itself if it can be opened, else by localKeyID. Of several
    certificates of one key it is the newest that is valid. ``public_key`` is the SubjectPublicKeyInfo of a private key
    that is read, and ``crl`` the CRL of a crlBag, both DER.
    """

    type: str
    friendly_name: str | None
    local_key_id: bytes | None
    value_type: str | None = None
    certificate: Certificate | None = None
    encryption: Encryption | None = None
    end_entity: bool = False
    unread_key: UnreadKey | None = None
    notes: tuple[str, ...] = ()
    public_key: bytes | None = field(default=None, repr=False)
    crl: bytes | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, object]:
        """Return the report for ``inspect --json``."""
        return {
            "type": self.type,
            "value_type": self.value_type,
            "friendly_name": self.friendly_name,
            "local_key_id": None if self.local_key_id is None else self.local_key_id.hex(),
            "certificate": None if self.certificate is None else self.certificate.to_json(),
            "encryption": None if self.encryption is None else self.encryption.to_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeContentsReport:
    """One SafeContents. ``encryption`` is None if it is not encrypted; ``bags`` is None if it was not decrypted."""

    encryption: Encryption | None
    bags: tuple[BagReport, ...] | None

    def to_json(self) -> dict[str, object]:
        """Return the report for ``inspect --json``."""
        return {
            "encryption": None if self.encryption is None else self.encryption.to_json(),
            "bags": None if self.bags is None else [bag.to_json() for bag in self.bags],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PfxReport(Shown):
    """The structure and contents of a PFX, in file order; never a key or a password."""

    mac: Mac | None
    """The MAC; None if there is none."""
    safe_contents: tuple[SafeContentsReport, ...]
    """Every SafeContents."""
    mac_verified: bool | None
    """True or False if a password was tried; None without a password, without a MAC, or for a MAC of an unsupported
    algorithm.
    """
    unopened: tuple[str, ...] = ()
    """A sentence for each part that could not be opened: another password, damage, or an unsupported algorithm."""
    arrangement: Arrangement | None
    """The chain and its faults; None if not every bag was decrypted."""
    password_uses: tuple[PasswordUse, ...] = ()
    """The password and its encoding, for each part that was opened."""
    trailing_bytes: int = 0
    """The number of bytes after the PFX in the file. They were not parsed."""
    unread_keys: tuple[UnreadKey, ...] = ()
    """The private keys that were tried and are not read: damaged, or of another password or an unknown algorithm."""
    notes: tuple[str, ...] = ()
    """A sentence for each entry that is odd or is not read, with the number and the friendly name of its bag."""
    java: JavaEntries | None = field(default=None, repr=False)
    """The entries of Java's key store for the file; None if not every bag was decrypted."""
    facts: PfxFacts = field(repr=False)
    """The facts that decide which readers open the file."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Every certificate that was decrypted and can be read, in file order."""
        bags = (bag for safe in self.safe_contents for bag in safe.bags or ())
        return tuple(bag.certificate for bag in bags if bag.certificate is not None)

    @property
    def expires(self) -> datetime | None:
        """The earliest expiry of :attr:`certificates`; None if there are none."""
        return min((certificate.not_after for certificate in self.certificates), default=None)

    @property
    def readers(self) -> dict[str, ReaderVerdict]:
        """The verdict of each reader, by its name, from the table of :mod:`~pkcs12kit.pkcs12.readers`."""
        from pkcs12kit.pkcs12.readers import judge

        return judge(self.facts)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence if anyone may have changed the file, because it has no MAC or one without a password."""
        why = why_not_authentic(self.mac, self.password_uses)
        return () if why is None else (why,)

    @property
    def end_entity(self) -> Certificate | None:
        """The first certificate that belongs to a private key of the file, None if none is known."""
        return next(
            (
                bag.certificate
                for safe in self.safe_contents
                for bag in safe.bags or ()
                if bag.end_entity and bag.certificate is not None
            ),
            None,
        )

    def to_json(self) -> dict[str, object]:
        """Return the report for ``inspect --json``."""
        return {
            "mac": None if self.mac is None else self.mac.to_json(),
            "safe_contents": [safe.to_json() for safe in self.safe_contents],
            "mac_verified": self.mac_verified,
            "unopened": list(self.unopened),
            "unread_keys": [key.to_json() for key in self.unread_keys],
            "notes": list(self.notes),
            "password_uses": [use.to_json() for use in self.password_uses],
            "arrangement": None if self.arrangement is None else self.arrangement.to_json(),
            "expires": None if self.expires is None else format_time(self.expires),
            "trailing_bytes": self.trailing_bytes,
            "warnings": list(self.warnings),
            "readers": {name: verdict.to_json() for name, verdict in self.readers.items()},
        }


def inspect_pfx(
    data: bytes,
    *,
    password: str | None = None,
    contents_password: str | None = None,
    require_mac: bool = False,
    time: datetime | None = None,
    limits: Limits = DEFAULT_LIMITS,
    work: SharedWork | None = None,
) -> PfxReport:
    """Return a report on the bytes of a PFX. Parameters and errors are those of :func:`pkcs12kit.inspect_pfx`.

    ``work`` is shared by files that are read together.
    """
    require_kind("data", data, bytes)
    require_kind("limits", limits, Limits)
    require_flags(require_mac=require_mac)
    require_texts(password=password, contents_password=contents_password)
    time = time_or_now(time)
    budget = WorkBudget(limits, shared=work)
    pfx = read_pfx(data, budget)
    if require_mac and pfx.mac is None:
        raise PfxError(f"{why_not_authentic(None, ())} (a MAC is required)")
    opener = Opener(pfx, password=password, contents_password=contents_password, budget=budget, require_mac=require_mac)
    unopened: dict[str, None] = {}
    mac_verified, may_open = (None, False) if password is None else _authenticate(pfx, opener, unopened)
    opened: _Opened = tuple(_open_safe(safe, opener, unopened, may_open=may_open) for safe in pfx.safes)
    entries = tuple(
        opener.read_key(entry) if entry.bag.is_key and (may_open or entry.bag.encryption is None) else entry
        for entry in list_entries(opened)
    )
    unopened.update(dict.fromkeys(str(entry.error) for entry in entries if entry.error is not None))
    found, rejects = read_certificates((entry.bag for entry in entries), limits)
    certificates = {id(bag): certificate for certificate, bag in found}
    links = _link(entries, found, time)
    own = {link.certificate for link in links.values()}
    described = iter([_describe(entry, certificates.get(id(entry.bag)), own, budget) for entry in entries])
    complete = None not in opened
    return PfxReport(
        mac=pfx.mac,
        safe_contents=tuple(
            SafeContentsReport(
                encryption=safe.encryption,
                bags=None if bags is None else tuple(islice(described, len(bags))),
            )
            for safe, bags in zip(pfx.safes, opened, strict=True)
        ),
        mac_verified=mac_verified,
        unopened=tuple(unopened),
        arrangement=_arrange(links, found) if complete else None,
        password_uses=opener.uses,
        trailing_bytes=pfx.trailing_bytes,
        java=_java(entries, certificates, links) if complete else None,
        unread_keys=unread_keys(entries),
        notes=describe_entries(entries, rejects, limits),
        facts=replace(
            _facts(pfx, opened, entries, password=password if opener.uses else None),
            **_of_contents(entries, links, found, complete=complete and not rejects),
        ),
    )


def _authenticate(pfx: Pfx, opener: Opener, unopened: dict[str, None]) -> tuple[bool | None, bool]:
    """Return if the MAC verified, and if the contents may be decrypted; add the reason against it to ``unopened``."""
    try:
        opener.authenticate()
    except PfxPasswordError as error:
        unopened[str(error)] = None
        return False, False
    except UnsupportedPfxError as error:
        unopened[str(error)] = None
        return None, False
    return (None if pfx.mac is None else True), True


def _open_safe(safe: Safe, opener: Opener, unopened: dict[str, None], *, may_open: bool) -> tuple[Bag, ...] | None:
    if safe.encryption is None:
        return opener.open_safe(safe)
    if not may_open:
        return None
    try:
        return opener.open_safe(safe)
    except PfxError as error:
        unopened[str(error)] = None
        return None


def _link(
    entries: Iterable[Entry], certificates: Sequence[tuple[Certificate, Bag]], time: datetime
) -> dict[int, KeyLink]:
    """Return the link of each key to its certificates: by the key if it was opened, else by localKeyID."""
    found = [(certificate, bag.local_key_id) for certificate, bag in certificates]
    by_key = CertificatesByKey(found)
    by_id: dict[bytes, list[Certificate]] = {}
    for certificate, local_key_id in found:
        if local_key_id is not None:
            by_id.setdefault(local_key_id, []).append(certificate)
    links = {}
    for bag, key in ((entry.bag, entry.private_key) for entry in entries if entry.bag.is_key):
        own: Iterable[Certificate] = by_id.get(bag.local_key_id, ()) if bag.local_key_id is not None else ()
        if key is not None:
            own = by_key.find(key, bag.local_key_id)
        links[id(bag)] = KeyLink.at(time, bag.local_key_id, own)
    return links


def _arrange(links: dict[int, KeyLink], certificates: Sequence[tuple[Certificate, Bag]]) -> Arrangement:
    return arrange(tuple(links.values()), [(certificate, bag.local_key_id) for certificate, bag in certificates])


def _java(entries: Iterable[Entry], certificates: dict[int, Certificate], links: dict[int, KeyLink]) -> JavaEntries:
    of_keys = {number: link.certificate for number, link in links.items()}
    bags = [entry.bag for entry in entries]
    found = ((bag, of_keys.get(id(bag)) or certificates.get(id(bag))) for bag in bags)
    return java_entries(
        java_item(bag, None if certificate is None or not is_readable(certificate) else certificate)
        for bag, certificate in found
    )


def _facts(pfx: Pfx, opened: _Opened, entries: Iterable[Entry], *, password: str | None) -> PfxFacts:
    encryptions, clear_certificates, clear_key = [], False, False
    for safe, bags in zip(pfx.safes, opened, strict=True):
        if safe.encryption is not None:
            encryptions.append(of_encryption(safe.encryption))
        encryptions.extend(of_encryption(bag.encryption) for bag in bags or () if bag.encryption is not None)
        clear_certificates |= safe.encryption is None and any(bag.is_certificate for bag in bags or ())
        clear_key |= safe.encryption is None and any(bag.type == "keyBag" for bag in bags or ())
    return PfxFacts(
        encryptions=tuple(encryptions),
        mac=None if pfx.mac is None else of_mac(pfx.mac),
        clear_certificates=clear_certificates,
        clear_key=clear_key,
        version_2_key=any(is_version_2(entry.private_key_info) for entry in entries if entry.private_key_info),
        empty_password=None if password is None else not password,
        non_ascii_password=None if password is None else not password.isascii(),
    )


def _of_contents(
    entries: Iterable[Entry],
    links: dict[int, KeyLink],
    certificates: Sequence[tuple[Certificate, Bag]],
    *,
    complete: bool,
) -> dict[str, Any]:
    """Return the facts about keys and certificates; of a key that was not opened its certificate tells the kind."""
    abilities: list[Ability] = []
    for entry in (one for one in entries if one.bag.is_key):
        own = links[id(entry.bag)].certificate
        if entry.private_key is not None and entry.private_key_info is not None:
            abilities.extend(of_private_key(entry.private_key, entry.private_key_info))
        elif entry.error is not None:
            abilities.append(KeyKind.OTHER)
        elif own is not None:
            abilities.append(key_kind(own))
            complete &= abilities[-1] not in ML_DSA  # its form is not known
        else:
            complete = False
    abilities.extend(features_of_certificates(certificate for certificate, _ in certificates))
    return {"contents": tuple(dict.fromkeys(abilities)), "complete": complete}


def _describe(
    entry: Entry, certificate: Certificate | None, own: Container[Certificate | None], budget: WorkBudget
) -> BagReport:
    bag = entry.bag
    sealed = read_sealed_secret(bag, budget)
    return BagReport(
        type=bag.type,
        value_type=bag.value_type,
        friendly_name=bag.friendly_name,
        local_key_id=bag.local_key_id,
        certificate=certificate,
        encryption=bag.encryption if sealed is None else sealed.encryption,
        end_entity=certificate is not None and certificate in own,
        unread_key=entry.unread_key,
        notes=bag.notes,
        public_key=None if entry.private_key is None else encode_public_key(entry.private_key.public_key()),
        crl=_crl(bag),
    )


def _crl(bag: Bag) -> bytes | None:
    """Return the CRL of a crlBag (RFC 7292 section 4.2.4), DER; None for another bag, or a value of another form."""
    from asn1crypto import core

    from pkcs12kit.pkcs12 import asn1_types

    if bag.type != "crlBag" or bag.fault is not None:
        return None
    try:
        with reading("the CRL"):
            typed = asn1_types.TypedValue.load(bag.content, strict=True)
            crl: bytes = core.OctetString.load(within_tag(typed["value"]), strict=True).native
    except MalformedPfxError:
        return None
    return crl
