"""The entries that Java's key store makes of a PKCS#12 file, which may be fewer than the file holds.

The rules are those of ``PKCS12KeyStore.java`` (openjdk/jdk), and tests compare them with keytool's key store:

- Each private key, secret key and marked certificate becomes an entry. Its alias is the friendlyName in lower case, or
  else a number: 1, 2 and so on. A later entry replaces an earlier one with the same alias.
- A certificate is a trusted one if its bag has the attribute 2.16.840.1.113894.746875.1.1, which Java's documentation
  does not name; messages call it Java's mark of trust. Such a certificate is never a key's own.
- The certificate of a key has its localKeyID; if none has, it has its alias. Each issuer is found by its name only, and
  the first certificate of that name is taken.
- Private keys in the clear and the contents of nested SafeContents are ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.pkcs12.attributes import JAVA_MARK, read_as_java
from pkcs12kit.text import quoted_name, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.pkcs12.structure import Bag

_ID_OF_UNNAMED: Final = b"01"
"""The localKeyID that Java gives to the first private key without one, and to a first certificate after it."""
_ALIASES_LISTED: Final = 5


class JavaKind(Enum):
    """The kind of an entry. The value is its name in messages."""

    KEY = "private key"
    TRUSTED = "trusted certificate"
    SECRET = "secret key"  # noqa: S105  # not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaItem:
    """A bag, as far as Java reads it. ``kind`` is None for a certificate without the mark, and for all other bags.

    ``certificate`` is that of the bag, or, for a private key, the one that belongs to the key. ``is_first`` is True for
    the first bag of its SafeContents; ``is_ignored`` for a bag that Java passes over.
    """

    kind: JavaKind | None
    friendly_name: str | None
    local_key_id: bytes | None
    certificate: Certificate | None
    is_first: bool = False
    is_ignored: bool = False
    refusal: str | None = None
    """The reason why Java refuses the whole file because of this bag."""

    def __str__(self) -> str:
        kind = "certificate" if self.kind is None else self.kind.value
        if self.friendly_name is not None:
            return f"{kind} {quoted_name(self.friendly_name)}"
        return f"{kind} without a name" + ("" if self.certificate is None else f" ({self.certificate.label})")


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaEntry:
    """An entry of Java's key store. ``chain`` is that of a private key, or the trusted certificate only."""

    alias: str
    item: JavaItem
    chain: tuple[Certificate, ...] = ()

    @property
    def kind(self) -> JavaKind:
        """The kind of the entry."""
        return self.item.kind or JavaKind.TRUSTED


@dataclass(frozen=True, slots=True, kw_only=True)
class JavaEntries:
    """The entries of Java's key store for one file, in Java's order, and a sentence for each loss."""

    entries: tuple[JavaEntry, ...]
    losses: tuple[str, ...]
    unlisted: tuple[Certificate, ...] = field(default=(), repr=False)
    """The certificates that are neither an entry nor in the chain of one."""

    def of_key(self, certificate: Certificate) -> JavaEntry | None:
        """Return the first entry with the private key of this certificate."""
        for entry in self.entries:
            own = entry.item.certificate
            if entry.kind is JavaKind.KEY and own is not None and _has_key_of(own, certificate):
                return entry
        return None

    def __str__(self) -> str:
        return ", ".join(shortened(self.entries, _ALIASES_LISTED, _described)) or "none"


def java_alias(name: str) -> str:
    """Return what Java compares of a friendly name: names with the same value are one alias.

    Java's ``toLowerCase(Locale.ENGLISH)`` is Unicode's full mapping, as Python's. The two differ in the places where a
    capital sigma is one at the end of a word; so both small sigmas count as the same here.
    """
    return name.lower().replace("\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER SIGMA}")


def java_item(bag: Bag, certificate: Certificate | None) -> JavaItem:
    """Return a bag as Java reads it, with its certificate or that of its key."""
    attributes = read_as_java(bag.attribute_field)
    kind, refusal = None, attributes.refusal
    if bag.is_key:
        kind = JavaKind.KEY
    elif bag.type == "secretBag":
        kind = JavaKind.SECRET
    elif bag.is_certificate and is_marked(bag.attributes):
        kind = JavaKind.TRUSTED
    elif bag.type == "certBag" and not bag.is_certificate:
        refusal = "a certBag holds something else than an X.509 certificate"
    if bag.fault is not None and bag.type in {"certBag", "secretBag"}:
        refusal = f"a {bag.type} is damaged"
    return JavaItem(
        kind=kind,
        friendly_name=attributes.friendly_name,
        local_key_id=attributes.local_key_id,
        certificate=certificate,
        is_first=bag.position == 0,
        is_ignored=bag.depth > 1 or bag.type == "keyBag",
        refusal=refusal if bag.depth == 1 else None,
    )


def is_marked(attributes: Iterable[bytes]) -> bool:
    """Return True if the attributes of a bag have Java's mark of trust, with whatever values."""
    from asn1crypto import pkcs12 as asn1_pkcs12

    def type_of(attribute: bytes) -> str | None:
        try:
            return str(asn1_pkcs12.Attribute.load(attribute)["type"].dotted)
        except (ValueError, TypeError):  # a caller's own
            return None

    return any(type_of(attribute) == JAVA_MARK for attribute in attributes)


def java_entries(items: Iterable[JavaItem]) -> JavaEntries:
    """Return the entries that Java makes of bags in file order. A certificate of None is passed over."""
    store = _KeyStore()
    items = tuple(items)
    for item in items:
        store.add(item)
    entries = tuple(store.entries())
    used = {certificate for entry in entries for certificate in entry.chain}
    unlisted = (item.certificate for item in items if item.kind is None and item.certificate is not None)
    return JavaEntries(
        entries=entries,
        losses=(*store.losses, *(loss for entry in entries for loss in _faults(entry))),
        unlisted=tuple(certificate for certificate in dict.fromkeys(unlisted) if certificate not in used),
    )


class _KeyStore:
    """The state of Java's key store while it reads a file, in the order of ``loadSafeContents``."""

    def __init__(self) -> None:
        self.losses: list[str] = []
        self._items: dict[str, tuple[str, JavaItem, bytes | None]] = {}
        self._own: list[tuple[Certificate, bytes | None, str | None]] = []
        self._by_subject: dict[Name, Certificate] = {}
        self._private_keys = 0
        self._unnamed = 0

    def add(self, item: JavaItem) -> None:
        """Add one bag."""
        if item.refusal is not None:
            self.losses.append(f"Java refuses the whole file: {item.refusal}")
        elif item.is_ignored:
            self._lose(item, "Java ignores private keys in the clear and nested contents")
        elif item.kind is JavaKind.KEY:
            self._add_key(item)
        elif item.kind is JavaKind.SECRET:
            self._put(item, None)
        elif item.certificate is not None:
            self._add_certificate(item, item.certificate)

    def _add_key(self, item: JavaItem) -> None:
        self._private_keys += 1
        own_id = item.local_key_id
        if own_id is None and self._private_keys > 1:
            self._lose(item, "Java needs a localKeyID for each of several private keys")
            return
        self._put(item, _ID_OF_UNNAMED if own_id is None else own_id)

    def _add_certificate(self, item: JavaItem, certificate: Certificate) -> None:
        own_id = item.local_key_id
        if own_id is None and self._private_keys == 1 and item.is_first:
            own_id = _ID_OF_UNNAMED
        if item.kind is JavaKind.TRUSTED:
            self._put(item, own_id)
        else:
            self._own.append((certificate, own_id, item.friendly_name))
        self._by_subject.setdefault(certificate.subject, certificate)

    def _put(self, item: JavaItem, own_id: bytes | None) -> None:
        name = item.friendly_name
        if name is None:
            self._unnamed += 1
            name = str(self._unnamed)
        alias = java_alias(name)
        if alias in self._items:
            earlier = self._items[alias][1]
            self._lose(earlier, f"a later entry, the {item}, has the same alias in Java, {quoted_name(name.lower())}")
        self._items[alias] = (name, item, own_id)

    def _lose(self, item: JavaItem, why: str) -> None:
        if item.kind is not None:
            self.losses.append(f"the {item} is lost: {why}")

    def entries(self) -> Iterator[JavaEntry]:
        """Yield the entries, after the last bag."""
        for name, item, own_id in self._items.values():
            chain: tuple[Certificate, ...] = ()
            if item.kind is JavaKind.KEY:
                chain = self._chain(self._find(name, own_id))
            elif item.kind is JavaKind.TRUSTED and item.certificate is not None:
                chain = (item.certificate,)
            yield JavaEntry(alias=name.lower(), item=item, chain=chain)

    def _find(self, name: str, own_id: bytes | None) -> Certificate | None:
        """Return the certificate of a key: by localKeyID and alias, else by localKeyID, else by alias.

        The last one counts, as in ``findMatchedCertificate``.
        """
        by_id = by_alias = None
        for certificate, its_id, its_name in self._own:
            is_alike = its_name is not None and _equal_ignoring_case(name, its_name)
            if its_id == own_id:
                by_id = certificate
                if is_alike:
                    break
            elif is_alike:
                by_alias = certificate
        return by_id or by_alias

    def _chain(self, certificate: Certificate | None) -> tuple[Certificate, ...]:
        chain: list[Certificate] = []
        while certificate is not None and certificate not in chain:
            chain.append(certificate)
            if certificate.issuer == certificate.subject:
                break
            certificate = self._by_subject.get(certificate.issuer)
        return tuple(chain)


def _faults(entry: JavaEntry) -> Iterator[str]:
    """Yield what is wrong with the chain of a private key."""
    if entry.kind is not JavaKind.KEY or entry.item.certificate is None:
        return
    if not entry.chain:
        yield (
            f"the {entry.item} has no certificate in Java: none without Java's mark of trust has its localKeyID or"
            " its name"
        )
    elif not _has_key_of(entry.chain[0], entry.item.certificate):
        yield f"the {entry.item} has the certificate of another key in Java: {entry.chain[0].label}"


def _has_key_of(certificate: Certificate, other: Certificate) -> bool:
    return certificate == other or certificate.node[1] == other.node[1]


def _equal_ignoring_case(name: str, other: str) -> bool:
    """Return the result of Java's ``equalsIgnoreCase``, which compares characters by their simple case mappings."""
    return len(name) == len(other) and all(
        one == two or _folded(one) == _folded(two) for one, two in zip(name, other, strict=True)
    )


def _folded(char: str) -> str:
    upper = next((mapped for mapped in (char.upper(), char.title()) if len(mapped) == 1), char)
    return upper.lower()[0]  # only the capital I with a dot has more: its simple mapping is i


def _described(entry: JavaEntry) -> str:
    chain = f", chain of {len(entry.chain)}" if entry.kind is JavaKind.KEY else ""
    return f"{quoted_name(entry.alias)} ({entry.kind.value}{chain})"
