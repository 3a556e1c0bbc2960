"""GeneralNames read one by one, for extensions that pyca/cryptography refuses or would warn of (RFC 5280 4.2.1.6).

It refuses all names of an extension for one directory name with a character too many, and writes a Python warning for a
long common name. Here directory names are read as subjects are. The values are of pyca/cryptography's classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cryptography import x509

from pkcs12kit.certificates.der import read_name
from pkcs12kit.certificates.extension_decoding import decode_extension
from pkcs12kit.certificates.lenient import contents_of, encode_element, sequence, split

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cryptography.x509 import GeneralName

    from pkcs12kit.certificates.names import Attribute, Name

_DIRECTORY_NAME: Final = 0xA4
_UNSUPPORTED: Final = {0xA3: "x400Address", 0xA5: "ediPartyName"}
_SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_FULL_NAME, _RELATIVE_NAME = 0xA0, 0xA1

ANY_POINT_NAME: Final = bytes.fromhex("a006a0048602783a")
"""A DistributionPointName in its tag, the URI ``x:``, for what pyca/cryptography reads only beside such a name."""


class GeneralNames(NamedTuple):
    """Names that were read, and the forms of those that are not supported."""

    names: tuple[GeneralName, ...]
    unsupported: tuple[str, ...] = ()


def read_general_names(contents: bytes) -> GeneralNames:
    """Decode names, encoded one after another. Raises :class:`ValueError` and others of ``UNREADABLE``."""
    encodings = tuple(split(contents))
    others = iter(
        _read_others(encoding for encoding in encodings if encoding[0] not in {_DIRECTORY_NAME, *_UNSUPPORTED})
    )
    names: list[GeneralName] = []
    for encoding in encodings:
        if encoding[0] == _DIRECTORY_NAME:
            name = contents_of(contents_of(encoding, _DIRECTORY_NAME), _SEQUENCE)
            names.append(x509.DirectoryName(_as_cryptography(read_name(name))))
        elif encoding[0] not in _UNSUPPORTED:
            names.append(next(others))
    unsupported = (_UNSUPPORTED[encoding[0]] for encoding in encodings if encoding[0] in _UNSUPPORTED)
    return GeneralNames(tuple(names), tuple(dict.fromkeys(unsupported)))


class PointName(NamedTuple):
    """The name of a distribution point or of the scope of a CRL: one of two forms (RFC 5280 section 4.2.1.13)."""

    full_name: tuple[GeneralName, ...] | None = None
    relative_name: x509.RelativeDistinguishedName | None = None
    unsupported: tuple[str, ...] = ()
    """As in :class:`GeneralNames`, of the full name."""


def read_point_name(contents: bytes) -> PointName:
    """Decode a DistributionPointName. Raises the errors of :func:`read_general_names`."""
    (name,) = split(contents)
    if name[0] == _FULL_NAME:
        names, unsupported = read_general_names(contents_of(name, _FULL_NAME))
        return PointName(full_name=names, unsupported=unsupported)
    return PointName(relative_name=_read_relative_name(contents_of(name, _RELATIVE_NAME)))


def _read_relative_name(contents: bytes) -> x509.RelativeDistinguishedName:
    (attributes,) = read_name(encode_element(_SET, contents)).relative_distinguished_names
    return x509.RelativeDistinguishedName(map(_Attribute.of, attributes))


def _read_others(encodings: Iterable[bytes]) -> Iterable[GeneralName]:
    """Return names of other forms, as pyca/cryptography reads them."""
    as_der = tuple(map(_with_short_length, encodings))
    if not as_der:
        return ()
    return cast("x509.SubjectAlternativeName", decode_extension(_SUBJECT_ALTERNATIVE_NAME, sequence(*as_der)))


def _with_short_length(encoding: bytes) -> bytes:
    from asn1crypto import parser

    tag_class, method, tag, _, contents, _ = parser.parse(encoding, strict=True)
    emitted: bytes = parser.emit(tag_class, method, tag, contents)
    return emitted


def _as_cryptography(name: Name) -> x509.Name:
    return x509.Name(
        x509.RelativeDistinguishedName(map(_Attribute.of, attributes))
        for attributes in name.relative_distinguished_names
    )


class _Attribute(x509.NameAttribute[str | bytes]):
    """An attribute of any length and type, where pyca/cryptography's own constructor refuses or warns."""

    def __init__(self, oid: x509.ObjectIdentifier, value: str | bytes) -> None:
        self._given = oid, value

    @classmethod
    def of(cls, attribute: Attribute) -> _Attribute:
        """Return a decoded attribute."""
        oid, value = attribute
        return cls(x509.ObjectIdentifier(oid), value)

    @property
    def oid(self) -> x509.ObjectIdentifier:
        """The type of the attribute."""
        return self._given[0]

    @property
    def value(self) -> str | bytes:
        """The text, or the encoding of a value that is none."""
        return self._given[1]
