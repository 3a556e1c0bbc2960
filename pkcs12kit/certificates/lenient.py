"""The lenient reader of certificates, by asn1crypto: for real certificates that pyca/cryptography refuses.

pyca/cryptography requires strict DER. Real CAs make encoding errors: DoD's ECDSA certificates have a NULL parameter in
the signature algorithm (RFC 5758 section 3.2 forbids it), others encode DEFAULT values explicitly (X.690 section 11.5).
asn1crypto reads those, and :func:`canonical_der` writes the same values in strict DER for pyca/cryptography. Signatures
are still checked over the original bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.strings import UTF8_STRING, misfit, read_text, read_value
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asn1crypto import x509 as asn1_x509
    from asn1crypto.keys import PublicKeyInfo

    from pkcs12kit.certificates.names import Attribute

_VERSION_TAG: Final = 0xA0
EXTENSIONS_TAG: Final = 0xA3
_CLASS_BITS: Final = 0xC0
_NUMBER_BITS: Final = 0x1F
_CONSTRUCTED: Final = 0x20
_BOOLEAN: Final = 1
_OCTET_STRING: Final = 4
_INTEGER: Final = (0, 0, 2)
_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_NULL: Final = b"\x05\x00"
# RFC 5758 sections 3.1 and 3.2, RFC 8410 section 3, RFC 9881 section 2: parameters MUST be absent.
_WITHOUT_PARAMETERS: Final = ("1.2.840.10045.4.", "1.2.840.10040.4.", "2.16.840.1.101.3.4.3.", "1.3.101.11")
_DSA: Final = "1.2.840.10040.4.1"
_NO_KEY_ALGORITHM: Final = "1.2.840.10040.4"  # the arc that DSA's identifier is in
_PKCS1_RSA_WITH_SHA3: Final = frozenset(f"2.16.840.1.101.3.4.3.{arc}" for arc in (13, 14, 15, 16))


UNREADABLE: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""The exceptions of asn1crypto for octets that it cannot read."""


class Structure(NamedTuple):
    """The encoded parts of a certificate that pyca/cryptography does not return (RFC 5280 section 4.1)."""

    tbs_certificate: bytes
    serial_number: bytes
    tbs_signature_algorithm: bytes
    signature_algorithm: bytes
    issuer: bytes
    validity: bytes
    subject: bytes
    subject_public_key_info: bytes
    after_key: tuple[bytes, ...]
    """The fields after the key that are present: unique identifiers and extensions."""


def read_structure(der: bytes) -> Structure:
    """Split a certificate into its encoded parts. Raises :class:`MalformedCertificateError`."""
    try:
        tbs_certificate, signature_algorithm, _ = _elements(der, 3)
        fields = iter(_elements(tbs_certificate, 6))
        serial_number = next(fields)
        if serial_number[0] == _VERSION_TAG:
            serial_number = next(fields)
        tbs_signature_algorithm, issuer, validity, subject, subject_public_key_info = (next(fields) for _ in range(5))
        after_key = tuple(fields)
    except (ValueError, StopIteration, RuntimeError) as error:
        raise MalformedCertificateError(f"not the structure of a certificate: {error}") from None
    return Structure(
        tbs_certificate,
        serial_number,
        tbs_signature_algorithm,
        signature_algorithm,
        issuer,
        validity,
        subject,
        subject_public_key_info,
        after_key,
    )


def read_serial_number(der: bytes) -> int:
    """Return the serial number of a certificate. Raises :class:`MalformedCertificateError`."""
    from asn1crypto import parser

    tag_class, method, tag, _, contents, _ = parser.parse(read_structure(der).serial_number)
    if (tag_class, method, tag) != _INTEGER or not contents:
        raise MalformedCertificateError("not a certificate: its serial number is not an INTEGER")
    return int.from_bytes(contents, "big", signed=True)


class EncodedExtension(NamedTuple):
    """One extension whose value is not decoded (RFC 5280 section 4.2)."""

    oid: str
    critical: bool
    value: bytes
    encoding: bytes
    """All of it, in DER as far as the value is."""

    @classmethod
    def of(cls, oid: str, value: bytes, *, critical: bool = False) -> EncodedExtension:
        """Return an extension with this value."""
        flag = b"\x01\x01\xff" if critical else b""
        octets = encode_element(_OCTET_STRING, value)
        return cls(oid, critical, value, sequence(asn1.encode_der(ObjectIdentifier(oid)), flag, octets))


def certificate_extensions(fields: tuple[bytes, ...]) -> tuple[EncodedExtension, ...]:
    """Return the extensions in the last fields of a certificate, :attr:`Structure.after_key`.

    Raises :class:`MalformedCertificateError`.
    """
    found: list[EncodedExtension] = []
    for field in fields:
        if field[0] == EXTENSIONS_TAG:
            try:
                found += split_extensions(contents_of(field))
            except ValueError as error:
                raise MalformedCertificateError(f"unreadable extensions: {error}") from None
    return tuple(found)


def split_extensions(encoded: bytes) -> tuple[EncodedExtension, ...]:
    """Return encoded Extensions, not decoded. Raises :class:`MalformedCertificateError`."""
    try:
        return tuple(map(_split_extension, _elements(encoded, 0)))
    except UNREADABLE as error:
        raise MalformedCertificateError(f"unreadable extensions: {first_line(error)}") from None


def _split_extension(encoding: bytes) -> EncodedExtension:
    from asn1crypto import core

    identifier, *criticality, value = _elements(encoding, 2)
    oid = _dotted(identifier)
    if core.ObjectIdentifier(oid).dump() != identifier:
        raise ValueError(f"an object identifier that is not encoded as {oid} is")
    if len(criticality) > 1 or (criticality and criticality[0][0] != _BOOLEAN) or value[0] != _OCTET_STRING:
        raise ValueError(f"the fields of {extension_label(oid)} are not those of an extension")
    is_critical = bool(criticality) and any(contents_of(criticality[0]))
    return EncodedExtension.of(oid, contents_of(value), critical=is_critical)


def canonical_der(der: bytes) -> bytes:
    """Return a certificate in strict DER that pyca/cryptography reads. Raises :class:`MalformedCertificateError`.

    Values are the same, with these exceptions: a serial number that is not positive becomes 1, strings of names that do
    not fit their type become UTF8Strings. The values of extensions keep their octets. The result is only for decoding:
    signatures, comparisons and files use the original bytes.
    """
    from asn1crypto import x509 as asn1_x509

    structure = read_structure(der)
    extensions = certificate_extensions(structure.after_key)
    try:
        issuer, subject = canonical_name(structure.issuer), canonical_name(structure.subject)
        certificate = asn1_x509.Certificate.load(_without_names(der), strict=True)
        _drop_null_parameters(certificate["signature_algorithm"])
        _drop_null_parameters(certificate["tbs_certificate"]["signature"])
        _mask_key_without_parameters(certificate["tbs_certificate"]["subject_public_key_info"])
        if certificate["tbs_certificate"]["serial_number"].native <= 0:
            certificate["tbs_certificate"]["serial_number"] = 1
        tbs_certificate, *rest = _elements(certificate.dump(force=True), 3)
        fields = list(_elements(tbs_certificate, 6))
    except UNREADABLE as error:
        raise MalformedCertificateError(f"not a certificate: {first_line(error)}") from None
    first = 3 if fields[0][0] == _VERSION_TAG else 2
    fields[first], fields[first + 2] = issuer, subject
    if extensions:
        encoded = sequence(*(extension.encoding for extension in extensions))
        fields.append(encode_element(EXTENSIONS_TAG, encoded))
    return sequence(sequence(*fields), *rest)


def _without_names(der: bytes) -> bytes:
    """Return a certificate with empty names and without extensions."""
    tbs_certificate, *rest = _elements(der, 3)
    fields = list(_elements(tbs_certificate, 6))
    first = 3 if fields[0][0] == _VERSION_TAG else 2
    fields[first] = fields[first + 2] = sequence()
    return sequence(sequence(*(field for field in fields if field[0] != EXTENSIONS_TAG)), *rest)


def canonical_name(der: bytes) -> bytes:
    """Return a distinguished name that pyca/cryptography reads, with the same text. Raises :class:`ValueError`."""
    names = (map(_canonical_attribute, _elements(rdn, 0, _SET)) for rdn in _elements(der, 0))
    return sequence(*(encode_element(_SET, *attributes) for attributes in names))


def _canonical_attribute(der: bytes) -> bytes:
    identifier, value = _elements(der, 2)
    tag, contents = value[0], contents_of(value)
    if misfit(tag, contents) is not None:
        text = read_text(tag, contents)
        value = encode_element(UTF8_STRING, (contents.decode("latin-1") if text is None else text).encode())
    return sequence(identifier, value)


def canonical_algorithm(der: bytes) -> bytes:
    """Return the AlgorithmIdentifier of a signature without the NULL parameter that its algorithm does not have.

    Raises :class:`ValueError`.
    """
    from asn1crypto.algos import SignedDigestAlgorithm

    try:
        algorithm = SignedDigestAlgorithm.load(der, strict=True)
        _drop_null_parameters(algorithm)
        encoded: bytes = algorithm.dump()
    except (TypeError, LookupError, AttributeError) as error:
        raise ValueError(first_line(error)) from None
    return encoded


def read_name(der: bytes) -> Name:
    """Decode a distinguished name; values that cannot be decoded as text stay bytes."""
    try:
        return Name((_attribute(attribute) for attribute in _elements(rdn, 0, _SET)) for rdn in _elements(der, 0))
    except UNREADABLE as error:
        raise MalformedCertificateError(f"unreadable distinguished name: {first_line(error)}") from None


def split_name(der: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield type, identifier octet and contents of each attribute of a distinguished name that can be read."""
    for rdn in _elements(der, 0):
        for attribute in _elements(rdn, 0, _SET):
            identifier, value = _elements(attribute, 2)
            oid = _dotted(identifier)
            yield oid, value[0], contents_of(value)


def split(contents: bytes) -> Iterator[bytes]:
    """Yield the encodings of elements, one after another. Raises :class:`ValueError` at the first truncated one."""
    from asn1crypto import parser

    position = 0
    while position < len(contents):
        end = position + parser.peek(contents[position:])
        yield contents[position:end]
        position = end


def contents_of(encoding: bytes, tag: int | None = None) -> bytes:
    """Return the contents of one element, without its header.

    Raises :class:`ValueError` for octets that are not one element, and for another identifier octet than ``tag``.
    """
    from asn1crypto import parser

    if tag is not None and encoding[:1] != bytes([tag]):
        raise ValueError(f"an element with the tag 0x{encoding[:1].hex()} instead of 0x{tag:02x}")
    contents: bytes = parser.parse(encoding, strict=True)[4]
    return contents


def encoding_of(value: Any) -> bytes:  # noqa: ANN401  # asn1crypto is untyped
    """Return the octets of a value that asn1crypto has parsed, as they are in the input. Not for its Choice.

    Its ``dump`` encodes an element again whose length ends in the octet 0x80, which it takes for an indefinite length:
    that changes everything in it that is not DER, or fails. By chance, a signature over it would not verify.
    """
    octets: bytes = value._header + value.contents + value._trailer  # noqa: SLF001  # no public access to the header
    return octets


def require_whole(value: Any) -> None:  # noqa: ANN401  # asn1crypto is untyped
    """Raise :class:`ValueError` where asn1crypto has left out elements that follow those that a type has.

    Only values that were read are checked: call this after reading. asn1crypto leaves out the elements after the last
    field of a SEQUENCE, those after the one within an explicit tag, and those after a structure in an OCTET STRING.
    """
    from asn1crypto import core

    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, core.Choice):
            left.append(one.chosen)
            continue
        children = getattr(one, "children", None) or ()
        if isinstance(one, core.Sequence) and one._fields and len(children) > len(one._fields):
            raise ValueError(f"an element after the last field of {type(one).__name__}")
        if one.explicit is not None and one._header is not None:  # noqa: SLF001
            contents_of(encoding_of(one))
        if isinstance(one, core.ParsableOctetString) and one._parsed is not None:  # noqa: SLF001
            parsed = one._parsed[0]  # noqa: SLF001
            if len(encoding_of(parsed)) != len(bytes(one)):
                raise ValueError(f"octets after {type(parsed).__name__}")
            left.append(parsed)
        left += (child for child in children if isinstance(child, core.Asn1Value))


def fields_of(encoding: bytes, tags: dict[int, str]) -> dict[str, bytes]:
    """Return the contents of the fields of a SEQUENCE by name, given the names of their identifier octets.

    Raises :class:`ValueError` for any other field, and for one that occurs twice.
    """
    fields: dict[str, bytes] = {}
    for field in split(contents_of(encoding, _SEQUENCE)):
        name = tags.get(field[0])
        if name is None or name in fields:
            raise ValueError(f"a field with the tag 0x{field[0]:02x}, which does not belong there")
        fields[name] = contents_of(field)
    return fields


def encode_element(tag: int, *contents: bytes) -> bytes:
    """Return one element in DER, with this identifier octet; its contents may be given in parts."""
    from asn1crypto import parser

    encoding: bytes = parser.emit(tag >> 6, tag >> 5 & 1, tag & _NUMBER_BITS, b"".join(contents))
    return encoding


def sequence(*encodings: bytes) -> bytes:
    """Return the SEQUENCE of these encodings, as :func:`encode_element` does, but faster: names take many of them."""
    from asn1crypto import parser

    encoding: bytes = parser.emit(0, 1, 16, b"".join(encodings))
    return encoding


def _elements(der: bytes, at_least: int, tag: int = _SEQUENCE) -> tuple[bytes, ...]:
    """Return the encodings of the elements of a SEQUENCE, or of a SET where that is the tag."""
    elements = tuple(split(contents_of(der, tag)))
    if len(elements) < at_least:
        raise ValueError(f"{len(elements)} elements instead of at least {at_least}")
    return elements


def _drop_null_parameters(algorithm: asn1_x509.SignedDigestAlgorithm) -> None:
    from asn1crypto.core import Void

    identifier = algorithm["algorithm"].dotted
    if (
        identifier.startswith(_WITHOUT_PARAMETERS)
        and identifier not in _PKCS1_RSA_WITH_SHA3
        and algorithm["parameters"].dump() == _NULL
    ):
        algorithm["parameters"] = Void()


def _mask_key_without_parameters(key: PublicKeyInfo) -> None:
    """Replace the algorithm of a DSA key that inherits its parameters (RFC 3279 section 2.3.2).

    pyca/cryptography then reads the certificate, but not its key: only code that has the issuer's key can add the
    parameters.
    """
    algorithm = key["algorithm"]
    if algorithm["algorithm"].dotted == _DSA and algorithm["parameters"].dump() in {b"", _NULL}:
        algorithm["algorithm"] = _NO_KEY_ALGORITHM


def _attribute(der: bytes) -> Attribute:
    identifier, value = _elements(der, 2)
    oid = _dotted(identifier)
    tag = value[0]
    if not tag & _CLASS_BITS and tag & _CONSTRUCTED:
        return oid, _text_in_parts(value)
    return oid, read_value(oid, tag, contents_of(value), value)


def _dotted(identifier: bytes) -> str:
    from asn1crypto import core

    dotted: str = core.ObjectIdentifier.load(identifier, strict=True).dotted
    return dotted


def _text_in_parts(value: bytes) -> str | bytes:
    """Return the text of a string in parts (X.690 section 8.21); the value itself where it is none."""
    from asn1crypto import core

    try:
        string = core.load(value, strict=True)
        text: str = string.native if isinstance(string, core.AbstractString) else ""
    except UNREADABLE:
        return value
    return text or value


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, or the name of its type where it has no text that Python can write.

    For a number without a name asn1crypto raises KeyError with the number itself, and Python does not convert a number
    of more than 4,300 digits to text.
    """
    try:
        text = str(error)
    except ValueError:
        text = ""
    return text.strip().partition("\n")[0] or type(error).__name__
