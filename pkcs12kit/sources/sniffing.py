"""The kind of the content of bytes. The content decides, never a file's ending."""

from __future__ import annotations

import binascii
import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from pkcs12kit.sources.armor import has_markers, tidy
from pkcs12kit.sources.elements import children, elements

if TYPE_CHECKING:
    from pkcs12kit.sources.elements import Asn1Element

_KUBERNETES_SECRET: Final = re.compile(rb"kind[\"']?[ \t]*:[ \t]*[\"']?Secret\b")
# Base64 of a SEQUENCE as the value of a field in JSON, YAML or a list of settings, and a SEQUENCE as digits
_FIELD: Final = re.compile(rb"[:=][ \t]*[\"']?M[A-Za-z0-9+/]{63}")
_HEXADECIMAL: Final = re.compile(rb"(?:0x)?30(?:[\s:]*[0-9a-f]){62,}[\s:]*")
_WHITE_SPACE: Final = b" \t\r\n\v\f"
_PADDING: Final = _WHITE_SPACE + b"\x00"
_SAMPLE_BYTES: Final = 4096
_BASE64_OF_SEQUENCE: Final = b"M"  # the first octet of all DER here is 0x30

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_TIMES: Final = frozenset({0x17, 0x18})
_TAG_0: Final = 0xA0
_TAG_1: Final = 0xA1
_SIGNED: Final = bytes((0x30, 0x30, 0x03))
_PKCS7: Final = bytes.fromhex("2a864886f70d0107")
_SIGNED_DATA: Final = _PKCS7 + b"\x02"
_PFX_VERSION: Final = b"\x03"
_RSA_INTEGERS: Final = 9  # RFC 8017 appendix A.1.2
_DSA_INTEGERS: Final = 6


class Kind(Enum):
    """The kinds of content. The value is the kind in words."""

    # Certificates and their containers
    CERTIFICATE = "a certificate"
    CERTIFICATE_PAIR = "a pair of cross-certificates"
    PKCS7 = "a PKCS#7 bundle"
    PKCS12 = "a PKCS#12 file"
    ZIP = "a zip archive"
    # Encodings, whose content has a kind of its own
    PEM = "PEM text"
    BASE64 = "base64 text"
    # Keys
    PRIVATE_KEY = "a private key"
    ENCRYPTED_PRIVATE_KEY = "an encrypted private key"
    OPENSSH_PRIVATE_KEY = "an OpenSSH private key (ssh-keygen -p -m PKCS8 converts it)"
    SSH2_PRIVATE_KEY = "an SSH2 private key (ssh-keygen -i -f converts it)"
    PUBLIC_KEY = "a public key"
    # Other structures of a PKI
    REQUEST = "a certificate request (CSR)"
    REVOCATION_LIST = "a certificate revocation list (CRL)"
    OCSP_RESPONSE = "an OCSP response"
    ATTRIBUTE_CERTIFICATE = "an attribute certificate"
    ENCRYPTED_PKCS7 = "a PKCS#7 that is not signed data and holds no certificates"
    JAVA_KEYSTORE = "a Java keystore (keytool -importkeystore converts it to PKCS#12)"
    OTHER_PEM = "a PEM block of another kind"
    OTHER_DER = "ASN.1 data that is neither a certificate nor PKCS#7 nor PKCS#12"
    KUBERNETES_SECRET = "a Kubernetes Secret, whose fields are files in base64"  # noqa: S105  # not a secret
    HEXADECIMAL = "hexadecimal digits (xxd -r -p converts them)"
    COMPRESSED = "compressed data (gunzip, bunzip2, unxz or unzstd unpacks it)"
    FIELD = "text with base64 in a field (copy the value of the field to a file)"
    # Unusable
    EMPTY = "nothing: it is empty"
    CUT_SHORT = "ASN.1 data that is cut short"
    HTML = "an HTML page"
    XML = "an XML document"
    TEXT = "text without a PEM block"
    BINARY = "binary data of an unknown kind"


HOLDS_CERTIFICATES: Final = frozenset({Kind.CERTIFICATE, Kind.CERTIFICATE_PAIR, Kind.PKCS7, Kind.PKCS12, Kind.ZIP})
UNRECOGNIZED: Final = frozenset(
    {
        Kind.HEXADECIMAL,
        Kind.COMPRESSED,
        Kind.FIELD,
        Kind.EMPTY,
        Kind.CUT_SHORT,
        Kind.HTML,
        Kind.XML,
        Kind.TEXT,
        Kind.BINARY,
    }
)

_BEGINNINGS: Final = (
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),  # an empty one
    (b"\xfe\xed\xfe\xed", Kind.JAVA_KEYSTORE),
    (b"\xce\xce\xce\xce", Kind.JAVA_KEYSTORE),  # JCEKS
    (b"\x1f\x8b\x08", Kind.COMPRESSED),  # gzip, RFC 1952 section 2.3.1
    (b"BZh", Kind.COMPRESSED),
    (b"\xfd7zXZ\x00", Kind.COMPRESSED),
    (b"\x28\xb5\x2f\xfd", Kind.COMPRESSED),  # Zstandard, RFC 8878 section 3.1.1
)


def sniff(data: bytes) -> Kind:
    """Return the kind of ``data``, in linear time. That it is correct for its kind is not checked."""
    if not data.strip(_WHITE_SPACE):
        return Kind.EMPTY
    for beginning, kind in _BEGINNINGS:
        if data.startswith(beginning):
            return kind
    kind = sniff_der(data)
    if kind not in {Kind.OTHER_DER, Kind.BINARY, Kind.CUT_SHORT}:
        return kind
    if has_markers(tidy(data)):
        return Kind.PEM
    if kind is Kind.BINARY:
        return Kind.BASE64 if decode_base64(data) is not None else _sniff_text(data)
    return kind


def sniff_der(data: bytes) -> Kind:
    """Return the kind of a DER or BER encoding by its structure: OTHER_DER, CUT_SHORT or BINARY if it is unknown."""
    try:
        outer = next(elements(data))
    except (ValueError, StopIteration):
        return Kind.CUT_SHORT if _begins_like_der(data) else Kind.BINARY
    if outer.tag != _SEQUENCE:
        return Kind.BINARY
    kind = _sniff_sequence(children(outer))
    if kind is Kind.OTHER_DER and outer.encoding is not None and data.rstrip(_PADDING) != outer.encoding:
        return Kind.BINARY  # text may begin with the digit 0, which is 0x30
    return kind


def decode_base64(data: bytes) -> bytes | None:
    """Return the ASN.1 SEQUENCE in base64 without armor lines; None for anything else."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip(_WHITE_SPACE)
    if not text.startswith(_BASE64_OF_SEQUENCE):
        return None
    try:
        return binascii.a2b_base64(text.translate(None, _WHITE_SPACE), strict_mode=True) or None
    except binascii.Error:
        return None


def as_octets(data: bytes) -> bytes:
    """Return UTF-16 text with a byte order mark, as PowerShell writes it, as UTF-8; other bytes unchanged."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode("utf-8")
        except UnicodeError:
            return data
    return data


def _sniff_sequence(inner: tuple[Asn1Element, ...]) -> Kind:
    tags = bytes(child.tag for child in inner)
    if tags == _SIGNED:
        return _sniff_signed(inner[0])
    if tags.startswith(b"\x06\xa0"):  # ContentInfo, RFC 5652 section 3
        return _sniff_content_info(inner[0].contents)
    if tags[:1] == b"\x02":
        return _sniff_after_integer(inner, tags)
    if tags[:1] in {b"\xa0", b"\xa1"}:
        return Kind.CERTIFICATE_PAIR if _is_pair(inner) else Kind.OTHER_DER
    return {
        b"\x30\x04": Kind.ENCRYPTED_PRIVATE_KEY,  # RFC 5958 section 3
        b"\x30\x03": Kind.PUBLIC_KEY,  # RFC 5280 section 4.1
        b"\x0a\xa0": Kind.OCSP_RESPONSE,  # RFC 6960 section 4.2.1
        b"\x0a": Kind.OCSP_RESPONSE,
    }.get(tags, Kind.OTHER_DER)


def _sniff_signed(to_be_signed: Asn1Element) -> Kind:
    """Return the kind of a SEQUENCE { content, algorithm, signature }: a certificate, CSR or CRL, for example."""
    tags = bytes(child.tag for child in children(to_be_signed))
    if tags == b"\x02\x30\x30" or tags.startswith(b"\x02\x30\x30\xa0"):  # RFC 2986 section 4.1
        return Kind.REQUEST
    after_version = tags.removeprefix(b"\x02")
    if after_version.startswith(b"\x30\x30") and set(after_version[2:3]) <= _TIMES:  # RFC 5280 section 5.1
        return Kind.REVOCATION_LIST
    if tags.startswith((b"\x02\x30\xa0", b"\x02\xa0")):  # RFC 5755 section 4.1
        return Kind.ATTRIBUTE_CERTIFICATE
    return Kind.CERTIFICATE


def _sniff_content_info(content_type: bytes) -> Kind:
    if content_type == _SIGNED_DATA:
        return Kind.PKCS7
    return Kind.ENCRYPTED_PKCS7 if content_type.startswith(_PKCS7) else Kind.OTHER_DER


def _sniff_after_integer(inner: tuple[Asn1Element, ...], tags: bytes) -> Kind:
    version = inner[0].contents
    if tags.startswith(b"\x02\x30\x04"):  # PKCS#8, RFC 5958 section 2
        return Kind.PRIVATE_KEY
    if tags.startswith(b"\x02\x30") and version == _PFX_VERSION:  # RFC 7292 section 4
        return Kind.PKCS12
    if tags.startswith(b"\x02\x04") and version == b"\x01":  # SEC 1, RFC 5915 section 3
        return Kind.PRIVATE_KEY
    integers = len(tags) - len(tags.lstrip(b"\x02"))
    if integers >= _RSA_INTEGERS or (integers == len(tags) == _DSA_INTEGERS):
        return Kind.PRIVATE_KEY
    return Kind.PUBLIC_KEY if tags == b"\x02\x02" else Kind.OTHER_DER


def _is_pair(inner: tuple[Asn1Element, ...]) -> bool:
    """Return True for a CertificatePair (RFC 4523 section 2.3): [0], [1] or both, each around a certificate."""
    tags = [element.tag for element in inner]
    return tags in ([_TAG_0], [_TAG_1], [_TAG_0, _TAG_1]) and all(
        sniff_der(element.contents) is Kind.CERTIFICATE for element in inner
    )


def _begins_like_der(data: bytes) -> bool:
    """Return True for the header of a long SEQUENCE before the first tag of certificates, bundles or keys."""
    if len(data) < 2 or data[0] != _SEQUENCE or not 0x81 <= data[1] <= 0x84:  # noqa: PLR2004 - X.690 section 8.1.3.5
        return False
    return data[2 + (data[1] & 0x7F) :][:1] in {b"\x30", b"\x06", b"\x02", b"\xa0", b"\xa1", b""}


def _sniff_text(data: bytes) -> Kind:
    sample = data[:_SAMPLE_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip(_WHITE_SPACE).lower()
    if sample.startswith((b"<!doctype html", b"<html")):
        return Kind.HTML
    if sample.startswith(b"<"):
        return Kind.XML
    if _KUBERNETES_SECRET.search(data):
        return Kind.KUBERNETES_SECRET
    if _HEXADECIMAL.fullmatch(sample):
        return Kind.HEXADECIMAL
    if _FIELD.search(data):
        return Kind.FIELD
    controls = sum(byte < 0x20 and byte not in _WHITE_SPACE for byte in sample)  # noqa: PLR2004 - ASCII's space
    return Kind.BINARY if controls or not _decodes(sample) else Kind.TEXT


def _decodes(sample: bytes) -> bool:
    """Return True if a sample is UTF-8; its last character may be cut off."""
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 4
    return True
