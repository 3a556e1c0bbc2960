"""Distinguished names: their text (RFC 4514) and their comparison (RFC 5280 section 7.1)."""

from __future__ import annotations

import stringprep
import unicodedata
from typing import TYPE_CHECKING, Final, TypeAlias

from pkcs12kit.arguments import require_kind
from pkcs12kit.errors import ArgumentError
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cryptography import x509

Attribute: TypeAlias = tuple[str, str | bytes]
"""A dotted object identifier and a value; bytes where the value is not a character string."""

ComparisonKey: TypeAlias = tuple[Attribute | frozenset[Attribute], ...]
"""Prepared attributes, one for each relative distinguished name; a set where it has several."""

NO_NAME: Final = "(no name)"
"""The label of an empty name."""

_LONGEST_LABEL: Final = 250
_SHORT_NAMES: Final = {
    # RFC 4514 section 3, and two more that every tool prints
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "2.5.4.5": "serialNumber",
}
_COMMON_NAME: Final = "2.5.4.3"
_PAIR: Final = 2
_NOT_A_NAME: Final = (
    "a name is made of relative distinguished names, each of pairs: an object identifier, and a str or bytes"
)


class Name:
    """A distinguished name: relative distinguished names in the order of the encoding, most general first.

    Two names are equal if they match by RFC 5280 section 7.1. Attributes are compared one by one: character strings
    after preparation by RFC 4518 (case folded, white space compressed) for any ASN.1 string type, other values byte
    by byte. ``str()`` returns RFC 4514 text, most specific first. Immutable: certificates share their names.

    Raises :class:`~pkcs12kit.ArgumentError` for anything but attributes, each a dotted object identifier and a value,
    in relative distinguished names.
    """

    __slots__ = ("_comparison_key", "_hash", "_relative_distinguished_names")

    def __init__(self, relative_distinguished_names: Iterable[Iterable[Attribute]]) -> None:
        self._relative_distinguished_names = tuple(_checked(relative_distinguished_names))
        self._comparison_key: ComparisonKey | None = None
        self._hash: int | None = None

    @classmethod
    def from_cryptography(cls, name: x509.Name) -> Name:
        """Return the name that pyca/cryptography has read."""
        from cryptography import x509

        require_kind("name", name, x509.Name)
        return cls(((attribute.oid.dotted_string, attribute.value) for attribute in rdn) for rdn in name.rdns)

    @property
    def relative_distinguished_names(self) -> tuple[tuple[Attribute, ...], ...]:
        """The attributes of each relative distinguished name, in the order of the encoding."""
        return self._relative_distinguished_names

    @property
    def comparison_key(self) -> ComparisonKey:
        """A value that is equal for exactly the names that match (RFC 5280 section 7.1); hashable."""
        if self._comparison_key is None:
            self._comparison_key = tuple(map(_comparison_key, self._relative_distinguished_names))
        return self._comparison_key

    @property
    def common_name(self) -> str | None:
        """The most specific commonName; None where there is none."""
        for attributes in reversed(self._relative_distinguished_names):
            for oid, value in attributes:
                if oid == _COMMON_NAME and isinstance(value, str):
                    return value
        return None

    @property
    def label(self) -> str:
        """The name for people: the common name, else the whole name, else ``(no name)`` where it is empty.

        One line, never empty, made safe to print and cut after 250 characters: for messages and pictures, not for
        comparison.
        """
        common_name = " ".join(harmless(self.common_name or "", longest=_LONGEST_LABEL).split())
        return common_name or harmless(self, longest=_LONGEST_LABEL) or NO_NAME

    def __bool__(self) -> bool:
        return bool(self._relative_distinguished_names)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Name) and self.comparison_key == other.comparison_key

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.comparison_key)
        return self._hash

    def __reduce__(self) -> tuple[type[Name], tuple[tuple[tuple[Attribute, ...], ...]]]:
        return (Name, (self._relative_distinguished_names,))  # hashes of text differ between processes

    def __str__(self) -> str:
        return ",".join(
            "+".join(f"{_SHORT_NAMES.get(oid, oid)}={_escape(value)}" for oid, value in attributes)
            for attributes in reversed(self._relative_distinguished_names)
        )

    def __repr__(self) -> str:
        return f"<Name {str(self)!r}>"


def attribute_label(oid: str) -> str:
    """Return the short name of a type of attribute, ``CN``; its object identifier where it has none."""
    return _SHORT_NAMES.get(oid, oid)


def _checked(relative_distinguished_names: Iterable[Iterable[Attribute]]) -> Iterator[tuple[Attribute, ...]]:
    """Yield each relative distinguished name as a tuple. Raises :class:`~pkcs12kit.ArgumentError` for other kinds.

    Each name of each certificate passes here, so the checks are cheap ones.
    """
    if not hasattr(relative_distinguished_names, "__iter__"):
        raise ArgumentError(_NOT_A_NAME)
    for given in relative_distinguished_names:
        if not hasattr(given, "__iter__"):
            raise ArgumentError(_NOT_A_NAME)
        attributes = tuple(given)
        for attribute in attributes:
            if not (
                isinstance(attribute, tuple)
                and len(attribute) == _PAIR
                and isinstance(attribute[0], str)
                and isinstance(attribute[1], (str, bytes))
            ):
                raise ArgumentError(_NOT_A_NAME)
        yield attributes


def _comparison_key(attributes: tuple[Attribute, ...]) -> Attribute | frozenset[Attribute]:
    prepared = frozenset((oid, prepare(value) if isinstance(value, str) else value) for oid, value in attributes)
    return next(iter(prepared)) if len(prepared) == 1 else prepared


def prepare(text: str) -> str:
    """Prepare a character string for comparison (RFC 4518 section 2, as RFC 5280 section 7.1 profiles it).

    Prohibited characters are kept instead of refused: they then match only themselves.
    """
    if not text.isascii():
        mapped = (
            "" if stringprep.in_table_b1(char) else " " if unicodedata.category(char).startswith("Z") else char
            for char in text
        )
        text = unicodedata.normalize("NFKC", "".join(mapped).casefold())
    return " ".join(text.casefold().split())


def _escape(value: str | bytes) -> str:
    """Return an escaped value (RFC 4514 section 2.4), control characters included: no name can steer a terminal."""
    if isinstance(value, bytes):
        return f"#{value.hex()}"
    escaped = "".join(_escape_character(char) for char in value)
    if value.startswith((" ", "#")):
        escaped = "\\" + escaped
    if value.endswith(" ") and len(value) > 1:
        escaped = escaped[:-1] + "\\ "
    return escaped


def _escape_character(char: str) -> str:
    return "\\" + char if char in '"+,;<>\\' else _escape_control(char)


def _escape_control(char: str) -> str:
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return "".join(f"\\{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
    return char
