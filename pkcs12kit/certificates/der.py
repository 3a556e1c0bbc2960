"""Elements of a certificate's DER, without decoding the rest of it (RFC 5280 section 4.1).

Encoded data from outside passes :func:`refuse_endless_tags` before anything parses it. :func:`read_outline` then splits
a certificate into its fields with pyca/cryptography's ASN.1 reader, and :func:`read_name` decodes a single name.

A certificate has an outline if pyca/cryptography reads it, its version is 3, and it has extensions and no unique
identifiers, as nearly all certificates do. :mod:`pkcs12kit.certificates.lenient` splits the others. An outline is made
when it is asked for and not kept: making one takes about as long as pyca/cryptography takes for the certificate, and
keeping it takes as much memory.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Final

from cryptography import x509  # noqa: TC002  # the decorators below evaluate annotations
from cryptography.hazmat import asn1

from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.strings import read_value

if TYPE_CHECKING:
    from pkcs12kit.certificates.names import Attribute

# A tag number above 30 goes on for as long as octets have their highest bit set (X.690 section 8.1.2.4). asn1crypto
# builds it in quadratic time: a megabyte takes minutes. Nothing that is read here has such a tag. Keys, signatures and
# ciphertext have such a run only by a chance of 1 in 2**1024.
_LONGEST_RUN: Final = 1024
# Of so many octets in a row, every 128th are eight in a row: looking at those first nearly always decides.
_SAMPLE_STEP: Final = 128
_SAMPLED_RUN: Final = bytes([1]) * (_LONGEST_RUN // _SAMPLE_STEP)
_IS_HIGH: Final = bytes(octet >> 7 for octet in range(256))
# The caches of names take at most a few MiB: that many encodings, none longer than these bytes.
_CACHED: Final = 1024
_SHORT_BYTES: Final = 512
_CONSTRUCTED: Final = 0x20


def refuse_endless_tags(data: bytes) -> None:
    """Raise :class:`ValueError` for encoded data in which a tag number might go on for over 1,024 octets.

    Text of that length without an ASCII octet is refused as well. Takes linear time.
    """
    if _SAMPLED_RUN not in data[::_SAMPLE_STEP].translate(_IS_HIGH):
        return
    if bytes([1]) * _LONGEST_RUN in data.translate(_IS_HIGH):
        raise ValueError(f"more than {_LONGEST_RUN} octets in a row that could be one tag number")


# SimpleNamespace's constructor takes a third of the time of the one that asn1.sequence would write.
@asn1.sequence
class Fields(SimpleNamespace):
    """The encoded fields of a tbsCertificate; ``.data`` of each is its contents without the header."""

    version: Annotated[asn1.TLV, asn1.Explicit(0)]
    serial_number: asn1.TLV
    signature: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    subject_public_key_info: asn1.TLV
    extensions: Annotated[asn1.TLV, asn1.Explicit(3)]
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class Outline(SimpleNamespace):
    """A certificate split into the fields of its tbsCertificate and the two fields after it."""

    tbs_certificate: Fields
    signature_algorithm: asn1.TLV
    signature: asn1.TLV
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _Extension(SimpleNamespace):
    """An extension (section 4.1)."""

    oid: x509.ObjectIdentifier
    critical: Annotated[bool, asn1.Default(False)]  # noqa: FBT003  # the notation of pyca/cryptography
    value: bytes
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _FieldsWithExtensions(Fields):
    """The fields of a tbsCertificate with the extensions split."""

    extensions: Annotated[list[asn1.TLV], asn1.Explicit(3)]  # type: ignore[assignment]
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _WithExtensions(SimpleNamespace):
    """A certificate with the extensions split."""

    tbs_certificate: _FieldsWithExtensions
    signature_algorithm: asn1.TLV
    signature: asn1.TLV
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _SignedData(SimpleNamespace):
    """Any certificate, split into three. Python up to 3.11.2 needs a docstring here, or it looks for a signature."""

    tbs_certificate: asn1.TLV
    signature_algorithm: asn1.TLV
    signature: asn1.TLV
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _Attribute(SimpleNamespace):
    """An AttributeTypeAndValue (section 4.1.2.4)."""

    type: x509.ObjectIdentifier
    value: asn1.TLV
    __init__ = SimpleNamespace.__init__


@asn1.sequence
class _OneRelativeName(SimpleNamespace):
    """A name of one relative distinguished name."""

    attributes: asn1.SetOf[_Attribute]
    __init__ = SimpleNamespace.__init__


def read_outline(der: bytes) -> Outline | None:
    """Split a certificate that pyca/cryptography reads into its fields; return None where it has no outline."""
    try:
        outline: Outline = asn1.decode_der(Outline, der)
    except ValueError:
        return None
    return outline


def read_encoded_extensions(der: bytes) -> tuple[lenient.EncodedExtension, ...]:
    """Return the extensions of any certificate, not decoded.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    try:
        found = asn1.decode_der(_WithExtensions, der).tbs_certificate.extensions
        return tuple(_read_extension(encoding) for encoding in map(asn1.encode_der, found))
    except ValueError:
        return lenient.certificate_extensions(lenient.read_structure(der).after_key)


def _read_extension(encoding: bytes) -> lenient.EncodedExtension:
    extension = asn1.decode_der(_Extension, encoding)
    return lenient.EncodedExtension(extension.oid.dotted_string, extension.critical, extension.value, encoding)


def read_tbs_certificate(der: bytes) -> bytes:
    """Return the tbsCertificate, which the issuer signed, of any certificate that pyca/cryptography reads."""
    return asn1.encode_der(asn1.decode_der(_SignedData, der).tbs_certificate)


def read_subject_public_key_info(der: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo (DER); None where the certificate has no outline."""
    outline = read_outline(der)
    return None if outline is None else asn1.encode_der(outline.tbs_certificate.subject_public_key_info)


def read_name(contents: bytes) -> Name:
    """Decode a name, given without its SEQUENCE header. Short encodings are cached and return the same object.

    Raises :class:`~pkcs12kit.errors.MalformedCertificateError`.
    """
    return _read_short(contents) if len(contents) <= _SHORT_BYTES else _read(contents)


@lru_cache(maxsize=_CACHED)
def _read_short(contents: bytes) -> Name:
    return _read(contents)


def _read(contents: bytes) -> Name:
    try:
        return Name(_read_relative(encoding) for encoding in lenient.split(contents))
    except lenient.UNREADABLE:
        return lenient.read_name(lenient.sequence(contents))


@lru_cache(maxsize=_CACHED)
def _read_relative(encoding: bytes) -> tuple[Attribute, ...]:
    """Decode one relative distinguished name, which may be part of many names.

    pyca/cryptography would decode the values as well, but refuses some strings, and warns of others.
    """
    decoded = asn1.decode_der(_OneRelativeName, lenient.sequence(encoding))
    return tuple(_value_of(attribute) for attribute in decoded.attributes.as_list())


def _value_of(attribute: _Attribute) -> Attribute:
    oid, value = attribute.type.dotted_string, attribute.value
    tag = value.tag_bytes[0]
    if tag & _CONSTRUCTED:
        raise ValueError("a string in parts, which DER does not allow")
    return oid, read_value(oid, tag, bytes(value.data), asn1.encode_der(value))
