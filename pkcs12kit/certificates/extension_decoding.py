"""Some extensions decoded by pyca/cryptography, which otherwise decodes all of a certificate or none."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509 import load_der_x509_certificate

from pkcs12kit.certificates.lenient import (
    EXTENSIONS_TAG,
    UNREADABLE,
    EncodedExtension,
    contents_of,
    encode_element,
    first_line,
    sequence,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REFUSALS: Final = (
    ValueError,
    TypeError,
    OverflowError,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""The errors of pyca/cryptography for extensions that it cannot decode."""
_BOOLEAN: Final = 1
_CONSTRUCTED: Final = 0x20
_ED25519: Final = bytes.fromhex("300506032b6570")
_VALIDITY: Final = bytes.fromhex("301e170d3236303130313030303030305a170d3237303130313030303030305a")
_KEY: Final = bytes.fromhex("302a300506032b6570032100") + bytes(32)
_SIGNATURE: Final = bytes.fromhex("030100")

# pyca/cryptography writes a Python warning of a common name that is empty or longer than 64 octets, of a country that
# has not two, of UTF-8 in a VisibleString of a policy's user notice, and of a serial number that is not positive in an
# authorityKeyIdentifier. Each begins with an object identifier. One pattern finds them all: it searches nearly every
# certificate, and passes over an authorityKeyIdentifier that only has a key identifier of 20 octets.
_LENGTH: Final = rb"(?P<length>\x82..|\x81.|[\x00-\x7f])"
_COMMON_NAME: Final = rb"\x03\x55\x04\x03(?:[^\x0c\x13\x14\x16]|.[\x00\x41-\xff])"
_COUNTRY: Final = (
    rb"(?:\x03\x55\x04\x06|\x0b\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03)(?:[^\x0c\x13\x14\x16]|.[^\x02])"
)
_NOTICE: Final = rb"\x08\x2b\x06\x01\x05\x05\x07\x02\x02\x30"
_AUTHORITY_KEY: Final = rb"\x03\x55\x1d\x23(?:\x01\x01.)?\x04(?!\x18\x30\x16\x80\x14)"
_PERHAPS_ODD: Final = re.compile(
    rb"\x06(?=(?P<name>%b|%b)|(?:(?P<notice>%b)|%b)%b)" % (_COMMON_NAME, _COUNTRY, _NOTICE, _AUTHORITY_KEY, _LENGTH),
    re.DOTALL,
)
_VISIBLE_STRING: Final = re.compile(rb"\x1a" + _LENGTH, re.DOTALL)
_ODD_SERIAL_NUMBER: Final = re.compile(rb"\x82(?:\x01\x00|[\x01-\x82][\x80-\xff])")


def may_warn(der: bytes) -> bool:
    """Return True where pyca/cryptography may write a Python warning when it decodes names or extensions in ``der``.

    Its warnings would reach the user's standard error, or become exceptions of a script that runs under ``-W error``.
    They cannot be turned off for one call in one thread, so what causes them is not given to it. The result may be True
    for other octets as well, and then only takes time.
    """
    return any(map(_is_odd, _PERHAPS_ODD.finditer(der)))


def _is_odd(match: re.Match[bytes]) -> bool:
    if match["name"] is not None:
        return True
    contents = _contents_after(match)
    return _ODD_SERIAL_NUMBER.search(contents) is not None if match["notice"] is None else _is_odd_notice(contents)


def _contents_after(header: re.Match[bytes]) -> bytes:
    end, length = header.end("length"), header["length"]
    contents: bytes = header.string[end : end + int.from_bytes(length[1:] or length)]
    return contents


def _is_odd_notice(notice: bytes) -> bool:
    return not notice.isascii() and not all(
        _contents_after(header).isascii() for header in _VISIBLE_STRING.finditer(notice)
    )


def decode_extension(oid: str, value: bytes) -> x509.ExtensionType:
    """Return the value of one extension, with asn1crypto's help where it has an encoding error.

    Raises :class:`ValueError`.
    """
    try:
        return _decode(oid, value)
    except REFUSALS as refusal:
        try:
            return _decode(oid, _canonical_value(oid, value))
        except (*UNREADABLE, *REFUSALS):
            raise ValueError(first_line(refusal)) from None


def _decode(oid: str, value: bytes) -> x509.ExtensionType:
    (extension,) = decode_together((EncodedExtension.of(oid, value),))
    decoded: x509.ExtensionType = extension.value
    return decoded


def decode_together(extensions: Iterable[EncodedExtension]) -> x509.Extensions:
    """Return extensions as those of a certificate that is made for them. Raises pyca/cryptography's errors."""
    encodings = [extension.encoding for extension in extensions]
    field = encode_element(EXTENSIONS_TAG, sequence(*encodings)) if encodings else b""
    tbs_certificate = sequence(_first_fields(), field)
    return load_der_x509_certificate(sequence(tbs_certificate, _ED25519, _SIGNATURE)).extensions


@cache
def _first_fields() -> bytes:
    empty_name = bytes.fromhex("3000")
    version_and_serial_number = bytes.fromhex("a003020102020101")
    return version_and_serial_number + _ED25519 + empty_name + _VALIDITY + empty_name + _KEY


def _canonical_value(oid: str, value: bytes) -> bytes:
    """Return the value of an extension in strict DER. Raises the errors of ``UNREADABLE``.

    asn1crypto leaves out elements that it does not expect, such as a second path length, and all that follow them: a
    limit of a CA would be lost. So the result has to have the same elements.
    """
    from asn1crypto import parser
    from asn1crypto import x509 as asn1_x509

    parser.parse(value, strict=True)  # asn1crypto would leave out what follows
    extension = asn1_x509.Extension.load(EncodedExtension.of(oid, value).encoding, strict=True)
    parsed = extension["extn_value"].parsed
    encoded: bytes = parsed.dump(force=True)
    if sorted(_elements(value)) != sorted(_elements(encoded)):
        raise ValueError("an element that does not belong there")
    return encoded


def _elements(encoded: bytes) -> Iterator[int]:
    """Yield the identifier octets of elements and of those in them, except of FALSE, which may be a default."""
    for element in split(encoded):
        contents = contents_of(element)
        if element[0] & _CONSTRUCTED:
            yield from _elements(contents)
        if element[0] != _BOOLEAN or any(contents):
            yield element[0]
