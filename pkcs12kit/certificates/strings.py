"""The text of ASN.1 character strings, also of those whose octets do not fit their type (X.680 section 41).

Real CAs write ``&``, ``@`` and ``*`` in a PrintableString, Latin-1 in a UTF8String, UTF-8 in a TeletexString. The text
of a string depends only on its type and its octets, so that a name matches the same names in every comparison. Where
the octets have no text, as in a BMPString of odd length, they are compared themselves.
"""

from __future__ import annotations

import re
from typing import Final

from pkcs12kit.text import harmless

UTF8_STRING: Final = 12
IA5_STRING: Final = 22
_BIT_STRING: Final = 3
_UNIQUE_IDENTIFIER: Final = "2.5.4.45"
_WIDE: Final = {28: "utf-32-be", 30: "utf-16-be"}
_NAMES: Final = {
    UTF8_STRING: "UTF8String",
    18: "NumericString",
    19: "PrintableString",
    20: "TeletexString",
    21: "VideotexString",
    IA5_STRING: "IA5String",
    25: "GraphicString",
    26: "VisibleString",
    27: "GeneralString",
    28: "UniversalString",
    30: "BMPString",
}
_NOT_LATIN_1: Final = frozenset({UTF8_STRING, IA5_STRING})
# The characters that each type cannot have; a TeletexString is taken for Latin-1, as RFC 5280 appendix B expects.
_MISFITS: Final = {
    18: re.compile(r"[^0-9 ]"),
    19: re.compile(r"[^A-Za-z0-9 '()+,./:=?-]"),
    IA5_STRING: re.compile(r"[^\x00-\x7f]"),
    26: re.compile(r"[^\x20-\x7e]"),
}


def read_text(tag: int, octets: bytes) -> str | None:
    """Return the text of a value with a universal tag; None where it is not a character string, or has no text.

    Octets that are not UTF-8 are taken for Latin-1, as OpenSSL does, except in the types that cannot be.
    """
    if tag not in _NAMES:
        return None
    try:
        return octets.decode(_WIDE.get(tag, "utf-8"))
    except UnicodeDecodeError:
        return None if tag in _WIDE or tag in _NOT_LATIN_1 else octets.decode("latin-1")


def misfit(tag: int, octets: bytes) -> str | None:
    """Return why the octets of a string do not fit its type; None where they fit, and for other values."""
    name = _NAMES.get(tag)
    text = read_text(tag, octets)
    if name is None:
        return None
    if text is None and tag not in _WIDE:
        # repr() and not ascii(): the letters are for people who look for the name
        return f"is not a {name}: its octets are not UTF-8; in Latin-1 they are {harmless(octets.decode('latin-1'))!r}"
    if text is None:
        return f"is not a {name}: its {len(octets)} octets are not characters"
    pattern = _MISFITS.get(tag)
    found = pattern.search(text) if pattern is not None else None
    return (
        None
        if found is None
        else f"is a {name} with {_character(found[0])}, a character that such a string cannot have"
    )


def _character(character: str) -> str:
    number = "" if character.isascii() else f" (U+{ord(character):04X})"
    return f"'{harmless(character)}'{number}"


def read_value(oid: str, tag: int, contents: bytes, encoding: bytes) -> str | bytes:
    """Return the value of an attribute of a name: its text, or its encoding where it has none.

    ``tag`` is the identifier octet. The value of x500UniqueIdentifier, a BIT STRING, is returned without its header.
    """
    text = read_text(tag, contents)
    if text is not None:
        return text
    return contents if tag == _BIT_STRING and oid == _UNIQUE_IDENTIFIER else encoding
