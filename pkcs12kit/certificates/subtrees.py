"""The nameConstraints extension, decoded from its octets (RFC 5280 section 4.2.1.10).

pyca/cryptography refuses to decode forms that real CAs use: iPAddress subtrees with host bits, dNSName subtrees with an
asterisk, x400Address and ediPartyName. It also drops the minimum and the maximum of a subtree. The classes here keep
the octets of each subtree, so that each certificate can be read. Path validation decides which subtrees it can apply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from cryptography.hazmat import asn1

from pkcs12kit.certificates.der import read_name
from pkcs12kit.certificates.lenient import UNREADABLE, contents_of, encode_element, first_line, split
from pkcs12kit.certificates.names import Name
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.text import harmless, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography import x509

OTHER_NAME: Final = "otherName"
RFC822_NAME: Final = "rfc822Name"
DNS_NAME: Final = "dNSName"
X400_ADDRESS: Final = "x400Address"
DIRECTORY_NAME: Final = "directoryName"
EDI_PARTY_NAME: Final = "ediPartyName"
URI: Final = "uniformResourceIdentifier"
IP_ADDRESS: Final = "iPAddress"
REGISTERED_ID: Final = "registeredID"

_FORMS: Final = {
    0xA0: OTHER_NAME,
    0x81: RFC822_NAME,
    0x82: DNS_NAME,
    0xA3: X400_ADDRESS,
    0xA4: DIRECTORY_NAME,
    0xA5: EDI_PARTY_NAME,
    0x86: URI,
    0x87: IP_ADDRESS,
    0x88: REGISTERED_ID,
}
"""The forms of a GeneralName by the identifier octet of their encoding (section 4.2.1.6)."""
_TEXTS: Final = frozenset({RFC822_NAME, DNS_NAME, URI})
_IP_SUBTREE_OCTETS: Final = (8, 32)
_SEQUENCE: Final = 0x30
_FIELDS: Final = (0xA0, 0xA1)
"""The identifier octets of permittedSubtrees and excludedSubtrees."""
_MAXIMUM: Final = 0x81
_BOUNDS: Final = [0x80, _MAXIMUM]
"""The identifier octets of minimum and maximum."""
_OBJECT_IDENTIFIER: Final = (0, 0, 6)
_VALUE_OF_OTHER_NAME: Final = 0xA0
_SHOWN_AT_MOST: Final = 200

NameValue: TypeAlias = "str | bytes | Name"
"""Text; a distinguished name; octets where there is neither, or where they are not what the form requires."""


@asn1.sequence
class _EncodedSubtree:
    """A GeneralSubtree."""

    base: asn1.TLV
    minimum: Annotated[int | None, asn1.Implicit(0)]
    maximum: Annotated[int | None, asn1.Implicit(1)]


@asn1.sequence
class _EncodedConstraints:
    """A NameConstraints value."""

    permitted: Annotated[list[_EncodedSubtree] | None, asn1.Implicit(0)]
    excluded: Annotated[list[_EncodedSubtree] | None, asn1.Implicit(1)]


_Field: TypeAlias = "list[tuple[EncodedName, bool]]"
"""The bases of the subtrees in one field, each with True if it has a minimum or a maximum."""


@dataclass(frozen=True, slots=True)
class EncodedName:
    """A GeneralName as it is encoded (section 4.2.1.6), of any form and with any contents."""

    tag: int
    """The identifier octet: class, constructed or primitive, and the number of the form."""
    contents: bytes
    """The octets after the header."""

    @classmethod
    def from_encoding(cls, encoding: bytes) -> EncodedName:
        """Return the name of one encoded GeneralName. Raises :class:`ValueError`."""
        return cls(encoding[0], contents_of(encoding))

    @property
    def encoding(self) -> bytes:
        """The whole encoding, with a header in DER."""
        return encode_element(self.tag, self.contents)

    @property
    def form(self) -> str:
        """The name of the form; each type of otherName is a separate form, ``otherName 1.2.3``."""
        form = _FORMS[self.tag]
        return f"{form} {self._other_name[0]}" if form == OTHER_NAME else form

    @property
    def value(self) -> NameValue:
        """The value: text, a distinguished name, a dotted registeredID, the DER of an otherName's value.

        Octets are returned for iPAddress, for x400Address and ediPartyName, and for whatever the form does not allow,
        such as text that is not ASCII.
        """
        form = _FORMS[self.tag]
        try:
            if form in _TEXTS:
                return self.contents.decode("ascii")
            if form == DIRECTORY_NAME:
                return self._directory_name()
            if form == OTHER_NAME:
                return self._other_name[1]
            if form == REGISTERED_ID:
                return _dotted(self.contents)
        except (*UNREADABLE, MalformedCertificateError):
            pass
        return self.contents

    def _directory_name(self) -> Name:
        return read_name(contents_of(self.contents, _SEQUENCE))

    @property
    def _other_name(self) -> tuple[str, bytes]:
        """The type of an otherName, and the encoding of its value; all octets where they cannot be split."""
        from asn1crypto import parser

        try:
            identifier, explicit = split(self.contents)
            if parser.parse(identifier)[:3] != _OBJECT_IDENTIFIER:
                raise ValueError("not the type of an otherName")
            return _dotted(contents_of(identifier)), contents_of(explicit, _VALUE_OF_OTHER_NAME)
        except UNREADABLE:
            return "of an unknown type", self.contents

    def __str__(self) -> str:
        """Return the form and the value for a message, safe to print."""
        return f"{self.form} {self.shown_value}"

    @property
    def shown_value(self) -> str:
        """The value for a message: text in quotation marks, an address with its mask, other octets in hexadecimal."""
        value = self.value
        if not isinstance(value, Name) and _FORMS[self.tag] in _TEXTS:
            return quoted(value, longest=_SHOWN_AT_MOST)
        if isinstance(value, bytes):
            is_network = _FORMS[self.tag] == IP_ADDRESS and len(value) in _IP_SUBTREE_OCTETS
            return _network_text(value) if is_network else value[:_SHOWN_AT_MOST].hex()
        return harmless(value, longest=_SHOWN_AT_MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameConstraints:
    """A value of the nameConstraints extension. Each field is None where it is absent, and a tuple where it is not."""

    permitted_subtrees: tuple[EncodedName, ...] | None = None
    """The bases of permittedSubtrees."""
    excluded_subtrees: tuple[EncodedName, ...] | None = None
    """The bases of excludedSubtrees."""
    bounded: tuple[EncodedName, ...] = ()
    """Those that have a minimum other than 0, or a maximum."""

    @classmethod
    def from_general_names(
        cls, *, permitted: Iterable[x509.GeneralName] = (), excluded: Iterable[x509.GeneralName] = ()
    ) -> NameConstraints:
        """Return constraints with these subtrees, of pyca/cryptography's classes; none is an absent field."""
        return cls(permitted_subtrees=encode_names(permitted) or None, excluded_subtrees=encode_names(excluded) or None)

    @property
    def subtrees(self) -> tuple[EncodedName, ...]:
        """The bases of both fields."""
        return (*(self.permitted_subtrees or ()), *(self.excluded_subtrees or ()))


def read_name_constraints(encoded: bytes) -> NameConstraints:
    """Decode the octets of the extension. Raises :class:`~pkcs12kit.errors.MalformedCertificateError`."""
    fields: list[_Field | None]
    try:
        decoded = asn1.decode_der(_EncodedConstraints, encoded)
        fields = [_subtrees(field) for field in (decoded.permitted, decoded.excluded)]
    except ValueError:
        fields = _read_leniently(encoded)
    for field in fields:
        for base, _ in field or ():
            if base.tag not in _FORMS:
                raise MalformedCertificateError(f"no form of GeneralName has the tag 0x{base.tag:02x}")
    permitted, excluded = (None if field is None else tuple(base for base, _ in field) for field in fields)
    return NameConstraints(
        permitted_subtrees=permitted,
        excluded_subtrees=excluded,
        bounded=tuple(base for field in fields for base, has_bounds in field or () if has_bounds),
    )


def _subtrees(field: list[_EncodedSubtree] | None) -> _Field | None:
    if field is None:
        return None
    return [
        (
            EncodedName(subtree.base.tag_bytes[0], bytes(subtree.base.data)),
            bool(subtree.minimum) or subtree.maximum is not None,
        )
        for subtree in field
    ]


def _read_leniently(encoded: bytes) -> list[_Field | None]:
    """Decode octets that are not DER, for example with a length in a long form (X.690 section 8.1.3.5)."""
    fields: dict[int, _Field] = {}
    try:
        for field in split(contents_of(encoded, _SEQUENCE)):
            if field[0] not in _FIELDS or any(tag >= field[0] for tag in fields):
                raise ValueError("a field that NameConstraints does not have")
            fields[field[0]] = [
                _read_subtree(contents_of(subtree, _SEQUENCE)) for subtree in split(contents_of(field, field[0]))
            ]
    except UNREADABLE as error:
        raise MalformedCertificateError(first_line(error)) from None
    return [fields.get(tag) for tag in _FIELDS]


def _read_subtree(contents: bytes) -> tuple[EncodedName, bool]:
    base, *bounds = split(contents)
    tags = [bound[0] for bound in bounds]
    if tags not in ([], _BOUNDS, *([tag] for tag in _BOUNDS)):
        raise ValueError("a field that GeneralSubtree does not have")
    has_bounds = any(tag == _MAXIMUM or any(contents_of(bound)) for tag, bound in zip(tags, bounds, strict=True))
    return EncodedName.from_encoding(base), has_bounds


def encode_names(names: Iterable[x509.GeneralName]) -> tuple[EncodedName, ...]:
    """Return names of pyca/cryptography's classes as they are encoded."""
    from cryptography import x509

    names = list(names)
    if not names:
        return ()
    encoded = x509.SubjectAlternativeName(names).public_bytes()  # for it any GeneralName will do, a network as well
    return read_encoded_names(encoded)


def read_encoded_names(encoded: bytes) -> tuple[EncodedName, ...]:
    """Return the names of encoded GeneralNames. Raises :class:`ValueError`."""
    return tuple(map(EncodedName.from_encoding, split(contents_of(encoded, _SEQUENCE))))


def _dotted(contents: bytes) -> str:
    from asn1crypto import core, parser

    dotted: str = core.ObjectIdentifier.load(parser.emit(*_OBJECT_IDENTIFIER, contents), strict=True).dotted
    if not dotted:
        raise ValueError("not an object identifier")
    return dotted


def _network_text(value: bytes) -> str:
    """Return an address and its mask: ``10.0.0.0/8``, or ``10.1.2.3/255.0.0.0`` where bits outside the mask are set."""
    from ipaddress import ip_address, ip_network

    half = len(value) // 2
    address, mask = ip_address(value[:half]), ip_address(value[half:])
    length = int(mask).bit_count()
    is_prefix = int(mask) == ((1 << length) - 1) << (half * 8 - length)
    try:
        return str(ip_network((str(address), length))) if is_prefix else f"{address}/{mask}"
    except ValueError:
        return f"{address}/{mask}"
