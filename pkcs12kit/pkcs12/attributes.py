"""Bag attributes (RFC 7292 section 4.2): friendlyName and localKeyID, as programs write them, with notes of oddities.

RFC 2985 section 5.5 makes friendlyName one BMPString and localKeyID one OCTET STRING. Other programs wrote other string
types, several values or none. Nothing that is trusted depends on either, so an odd attribute is a note and no error.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.lenient import contents_of, encoding_of
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.asn1 import Asn1Value

_FRIENDLY_NAME: Final = "1.2.840.113549.1.9.20"
_LOCAL_KEY_ID: Final = "1.2.840.113549.1.9.21"
_NAMES: Final = {_FRIENDLY_NAME: "friendlyName", _LOCAL_KEY_ID: "localKeyID"}
JAVA_MARK: Final = "2.16.840.1.113894.746875.1.1"
"""The attribute by which Java recognizes a trusted certificate."""
# Attributes that common programs write: those of PKCS#9, of Windows (1.3.6.1.4.1.311.17), and Java's mark of trust.
_KNOWN: Final = ("1.2.840.113549.1.9.", "1.3.6.1.4.1.311.17.", JAVA_MARK)
_SET: Final = 0x31
_OBJECT_IDENTIFIER: Final = 0x06
_BMP_STRING: Final = 0x1E
_OCTET_STRING: Final = 0x04
_BIT_STRING: Final = 0x03
_TYPES: Final = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    _BIT_STRING: "BIT STRING",
    _OCTET_STRING: "OCTET STRING",
    0x05: "NULL",
    _OBJECT_IDENTIFIER: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x12: "NumericString",
    0x13: "PrintableString",
    0x14: "TeletexString",
    0x16: "IA5String",
    0x1A: "VisibleString",
    0x1B: "GeneralString",
    0x1C: "UniversalString",
    _BMP_STRING: "BMPString",
    0x30: "SEQUENCE",
    _SET: "SET",
}
_ENCODINGS: Final = {
    _BMP_STRING: "utf-16-be",
    0x0C: "utf-8",
    0x12: "latin-1",
    0x13: "latin-1",
    0x14: "latin-1",
    0x16: "latin-1",
    0x1A: "latin-1",
    0x1B: "latin-1",
    0x1C: "utf-32-be",
}


class BagAttributes(NamedTuple):
    """The attributes of one bag. ``others`` are those other than friendlyName and localKeyID, each DER, in file order.

    ``notes`` are sentences about what is odd, without the name of the bag.
    """

    friendly_name: str | None
    local_key_id: bytes | None
    others: tuple[bytes, ...]
    notes: tuple[str, ...]


def read_attributes(field: bytes | None) -> BagAttributes:
    """Return the attributes of a bag. ``field`` is the encoding of bagAttributes, of definite length; None if absent.

    A name is read from any type of string, with U+FFFD for what is not text; an identifier from any primitive type. Of
    several the first counts. Raises nothing.
    """
    if field is None:
        return BagAttributes(None, None, (), ())
    encodings = _encoded_attributes(field)
    if encodings is None:
        return BagAttributes(None, None, (), ("its attributes are not a SET OF Attribute and are not read",))
    notes = [] if encodings else ["its attributes are an empty SET; without attributes the field is left out"]
    values: dict[str, list[bytes]] = {}
    others, types = [], []
    for number, encoding in enumerate(encodings, start=1):
        attribute = _split(encoding)
        if attribute is None:
            notes.append(f"its attribute {number} is not a type with values and is not read")
            others.append(encoding)
            continue
        dotted, contents = attribute
        types.append(dotted)
        if dotted in _NAMES:
            values.setdefault(dotted, contents)
        else:
            others.append(encoding)
    friendly_name = _friendly_name(values.get(_FRIENDLY_NAME), notes)
    local_key_id = _local_key_id(values.get(_LOCAL_KEY_ID), notes)
    notes.extend(_about_types(types))
    return BagAttributes(friendly_name, local_key_id, tuple(others), tuple(notes))


class JavaAttributes(NamedTuple):
    """The attributes of one bag as Java reads them; ``refusal`` is the reason why it refuses the whole file."""

    friendly_name: str | None = None
    local_key_id: bytes | None = None
    refusal: str | None = None


def read_as_java(field: bytes | None) -> JavaAttributes:
    """Return the attributes of a bag as Java reads them (openjdk/jdk, ``PKCS12KeyStore.java``, loadSafeContents).

    Of several attributes of a type the last counts, and of several values the first. A field that is not a SET is
    passed over. Every attribute must be a type with values, a friendlyName a BMPString, a localKeyID an OCTET STRING.
    """
    found = JavaAttributes()
    for encoding in _encoded_attributes(field or b"") or ():
        dotted, values = _split(encoding) or ("", [])
        octet = values[0][0] if values else None
        if not dotted:
            return JavaAttributes(refusal="an attribute of a bag is not a type with values")
        if dotted == _FRIENDLY_NAME:
            if octet != _BMP_STRING:
                return JavaAttributes(refusal=f"a friendlyName is {_type(octet)}, not a BMPString")
            found = found._replace(friendly_name=contents_of(values[0]).decode("utf-16-be", errors="replace"))
        elif dotted == _LOCAL_KEY_ID:
            if octet != _OCTET_STRING:
                return JavaAttributes(refusal=f"a localKeyID is {_type(octet)}, not an OCTET STRING")
            found = found._replace(local_key_id=contents_of(values[0]))
        elif dotted == JAVA_MARK and not all(map(_is_object_identifier, values)):
            return JavaAttributes(refusal="Java's mark of trust has a value that is not an OBJECT IDENTIFIER")
    return found


def _encoded_attributes(field: bytes) -> tuple[bytes, ...] | None:
    """Return the encoding of each attribute of a field of bagAttributes; None if the field is not a SET."""
    from pkcs12kit.pkcs12 import asn1_types

    try:
        return tuple(map(encoding_of, asn1_types.AnySet.load(field, strict=True)))
    except (ValueError, TypeError):
        return None


def _split(encoding: bytes) -> tuple[str, list[bytes]] | None:
    """Return the type of an Attribute, dotted, and the encodings of its values; None if it is not an Attribute."""
    from pkcs12kit.pkcs12 import asn1_types

    try:
        attribute: Asn1Value = asn1_types.Attribute.load(encoding, strict=True)
        return attribute["type"].dotted, list(map(encoding_of, attribute["values"]))
    except (ValueError, TypeError):
        return None


def _about_types(types: list[str]) -> Iterator[str]:
    for dotted, times in Counter(types).items():
        name = _NAMES.get(dotted)
        if times > 1:
            used = "; the first is used" if name else ""
            yield f"it has the attribute {name or dotted} {times:,} times{used}"
        if name is None and not dotted.startswith(_KNOWN):
            yield f"it has the attribute {dotted}, which is not known"


def _first(name: str, values: list[bytes], notes: list[str]) -> tuple[int, bytes] | None:
    """Return the identifier octet and the contents of the first value; None if there is none."""
    if len(values) != 1:
        # RFC 2985 section 5.5: SINGLE VALUE TRUE
        which = "the first is used" if values else "it is not used"
        notes.append(f"its {name} has {counted(len(values), 'value') if values else 'no value'}; {which}")
    if not values:
        return None
    return values[0][0], contents_of(values[0])


def _is_object_identifier(encoding: bytes) -> bool:
    return encoding[0] == _OBJECT_IDENTIFIER and contents_of(encoding)[-1:] < b"\x80" and len(contents_of(encoding)) > 0


def _friendly_name(values: list[bytes] | None, notes: list[str]) -> str | None:
    first = None if values is None else _first("friendlyName", values, notes)
    if first is None:
        return None
    octet, contents = first
    encoding = _ENCODINGS.get(octet)
    if encoding is None:
        notes.append(f"its friendlyName is {_type(octet)}, which is not text; it is not used")
        return None
    if octet != _BMP_STRING:
        notes.append(f"its friendlyName is {_type(octet)}, where RFC 2985 section 5.5.1 has a BMPString")
    try:
        text = contents.decode(encoding)
    except UnicodeDecodeError:
        text = contents.decode(encoding, errors="replace")
        notes.append(f"its friendlyName has octets that are not characters of {_type(octet)}")
    # some writers include the terminator of a C string
    text = text.rstrip("\0")
    if "\0" in text:
        notes.append("its friendlyName has a NUL character inside")
    return text


def _local_key_id(values: list[bytes] | None, notes: list[str]) -> bytes | None:
    first = None if values is None else _first("localKeyID", values, notes)
    if first is None:
        return None
    octet, contents = first
    if octet == _OCTET_STRING:
        return contents
    is_primitive = octet in _TYPES and octet not in {0x30, _SET}
    used = "" if is_primitive else "; it is not used"
    notes.append(f"its localKeyID is {_type(octet)}, where RFC 2985 section 5.5.2 has an OCTET STRING{used}")
    if not is_primitive:
        return None
    return contents[1:] if octet == _BIT_STRING else contents


def _type(octet: int | None) -> str:
    if octet is None:
        return "without a value"
    name = _TYPES.get(octet)
    if name is None:
        return f"of a type with the identifier octet {octet:#04x}"
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"
