"""Distinguished names as certificates encode them: the certificates that have one encoding share one name.

Names recur: a pool has fewer than certificates, and nearly all of them begin alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cryptography import x509

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.names import Name

if TYPE_CHECKING:
    from pkcs12kit.certificates.names import Attribute

# What is remembered takes at most a few MiB: that many encodings, none longer than these bytes.
_REMEMBERED: Final = 1024
_SHORT_BYTES: Final = 512


def read_name(contents: bytes) -> Name:
    """Read a sound encoding of a name, given without its SEQUENCE header; the same bytes give the same name.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    return _read_short(contents) if len(contents) <= _SHORT_BYTES else _read(contents)


@lru_cache(maxsize=_REMEMBERED)
def _read_short(contents: bytes) -> Name:
    try:
        return Name(_read_relative(encoding) for encoding in lenient.split(contents))
    except lenient.UNREADABLE:
        return lenient.read_name(_sequence(contents))


@lru_cache(maxsize=_REMEMBERED)
def _read_relative(encoding: bytes) -> tuple[Attribute, ...]:
    """Read one relative distinguished name, which may be part of many names."""
    (attributes,) = Name.from_cryptography(x509.Name.from_bytes(_sequence(encoding))).relative_distinguished_names
    return attributes


def _read(contents: bytes) -> Name:
    encoding = _sequence(contents)
    try:
        return Name.from_cryptography(x509.Name.from_bytes(encoding))
    except lenient.UNREADABLE:
        return lenient.read_name(encoding)


def _sequence(contents: bytes) -> bytes:
    from asn1crypto import parser

    encoding: bytes = parser.emit(0, 1, 16, contents)
    return encoding
