"""Distinguished names: comparison (RFC 5280 section 7.1) and text (RFC 4514)."""

from __future__ import annotations

import unicodedata

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pkcs12kit.certificates.lenient import read_name
from pkcs12kit.certificates.names import Name, prepare
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.sources.loading import load_certificates

CN, C, ORG, OU, UID, DC = (
    "2.5.4.3",
    "2.5.4.6",
    "2.5.4.10",
    "2.5.4.11",
    "0.9.2342.19200300.100.1.1",
    "0.9.2342.19200300.100.1.25",
)
STRING_TYPES = [_ASN1Type.UTF8String, _ASN1Type.PrintableString, _ASN1Type.BMPString, _ASN1Type.T61String]


def name(*attributes):
    """Make a name of one attribute a relative distinguished name, most general first."""
    return Name([attribute] for attribute in attributes)


def encoded(text, string_type):
    """Encode a name of one commonName in a string type of ASN.1."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, _type=string_type)]).public_bytes()


# Comparison


@pytest.mark.parametrize("string_type", STRING_TYPES)
def test_the_string_type_does_not_matter(string_type):
    """RFC 5280 section 7.1: strings of every type are prepared before they are compared."""
    assert read_name(encoded("Some CA", string_type)) == name((CN, "Some CA"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DoD Root CA 3", "DOD ROOT CA 3"),
        ("Some  CA", "Some CA"),
        (" Some CA ", "Some CA"),
        ("Some\tCA", "Some CA"),
        ("Some\u00a0CA", "Some CA"),
        ("So\u00adme CA", "Some CA"),
        ("STRASSE", "straße"),
        ("\u212b", "å"),
        ("e\u0301", "É"),
        ("\uff21\uff22", "ab"),  # full width
    ],
)
def test_prepared_strings_match(one, other):
    """RFC 4518 sections 2.2 to 2.6: map, fold case, normalise (KC), compress white space."""
    assert name((CN, one)) == name((CN, other))
    assert hash(name((CN, one))) == hash(name((CN, other)))
    assert len({name((CN, one)), name((CN, other))}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (name((CN, "A")), name((CN, "B"))),
        (name((CN, "Some CA")), name((CN, "SomeCA"))),
        (name((CN, "e")), name((CN, "é"))),
        (name((CN, "A")), name((OU, "A"))),
        (name((ORG, "A"), (CN, "B")), name((CN, "B"), (ORG, "A"))),
        (name((ORG, "A"), (CN, "B")), name((ORG, "A"))),
        (name((ORG, "A"), (CN, "B")), Name([[(ORG, "A"), (CN, "B")]])),
        (name((CN, "A")), name((CN, b"A"))),
        (name((CN, b"A")), name((CN, b"a"))),
        (name(), name((CN, ""))),
        (name((CN, "a\x00b")), name((CN, "ab"))),
    ],
)
def test_other_names_do_not_match(one, other):
    """RFC 5280 section 7.1: the same number of RDNs, each matching, in the same order; bytes byte by byte."""
    assert one != other


def test_the_order_within_one_relative_distinguished_name_does_not_matter():
    """RFC 5280 section 7.1: an RDN is a set of attributes."""
    assert Name([[(ORG, "A"), (CN, "B")]]) == Name([[(CN, "b"), (ORG, "a")]])


def test_the_real_name_in_two_encodings_is_one(fpki):
    """'WidePoint SSP Intermediate CA' occurs in two DER encodings: byte comparison misses its issuer."""
    pool = load_certificates(fpki / "fpki-2024-10.p7b")
    found = {
        certificate._structure.subject
        for certificate in pool
        if certificate.subject.common_name == "WidePoint SSP Intermediate CA"
    }
    found |= {
        certificate._structure.issuer
        for certificate in pool
        if certificate.issuer.common_name == "WidePoint SSP Intermediate CA"
    }
    assert len(found) == 2
    assert len({read_name(der) for der in found}) == 1


@given(st.text())
def test_preparation_ignores_ascii_case(text):
    """RFC 5280 section 7.1: 'case insensitive exact matching', shown where case is without doubt, in ASCII."""
    upper = "".join(char.upper() if char.isascii() else char for char in text)
    lower = "".join(char.lower() if char.isascii() else char for char in text)
    assert prepare(upper) == prepare(lower)


@given(st.lists(st.text(), min_size=1, max_size=4), st.integers(1, 3))
def test_preparation_compresses_spaces(words, spaces):
    """RFC 4518 section 2.6.1: runs of spaces count as one, those at the ends as none."""
    assert prepare(" ".join(words)) == prepare(" " + (" " * spaces).join(words) + " ")


# Text


@pytest.mark.parametrize(
    ("attributes", "text"),
    [
        ([[(DC, "net")], [(DC, "example")], [(UID, "jsmith")]], "UID=jsmith,DC=example,DC=net"),
        ([[(DC, "net")], [(OU, "Sales"), (CN, "J.  Smith")]], "OU=Sales+CN=J.  Smith,DC=net"),
        ([[(CN, 'James "Jim" Smith, III')]], 'CN=James \\"Jim\\" Smith\\, III'),
        ([[(CN, "Before\rAfter")]], "CN=Before\\0DAfter"),
        ([[("1.3.6.1.4.1.1466.0", b"\x04\x02Hi")]], "1.3.6.1.4.1.1466.0=#04024869"),
        ([[(CN, "Lučić")]], "CN=Lučić"),
        ([[(CN, "#hash")]], "CN=\\#hash"),
        ([[(CN, " both ")]], "CN=\\ both\\ "),
        ([[(CN, " ")]], "CN=\\ "),
        ([[(CN, "a+b;c<d>e\\f")]], "CN=a\\+b\\;c\\<d\\>e\\\\f"),
        ([[(CN, "nul\x00")]], "CN=nul\\00"),
        ([], ""),
    ],
)
def test_text_follows_rfc_4514(attributes, text):
    """RFC 4514 section 4 has the first six as its examples; section 2.4 has the rest."""
    assert str(Name(attributes)) == text


@pytest.mark.parametrize("char", ["\x1b", "\x9b", "\x07", "\u202e", "\u2066", "\u200b", "\u2028", "\ud800", "\x7f"])
def test_no_name_steers_a_terminal(char):
    """Escape sequences and direction overrides are written as bytes in hexadecimal, never raw."""
    text = str(name((CN, f"a{char}[31mb")))
    assert char not in text
    assert text.isprintable()


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_text_is_always_one_line(values):
    """The text of a name never contains control, format or separator characters."""
    text = str(name(*((CN, value) for value in values)))
    assert not {unicodedata.category(char) for char in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_common_name_is_the_most_specific():
    """The last commonName of the encoding; bytes are none."""
    assert name((CN, "general"), (CN, "specific"), (OU, "x")).common_name == "specific"
    assert name((OU, "x")).common_name is None
    assert name((CN, b"\x04\x00")).common_name is None


def test_truth_and_repr():
    """An empty name is false: only the subjectAltName names such a subject."""
    assert not name()
    assert name((CN, "x"))
    assert repr(name((CN, "x"))) == "<Name 'CN=x'>"
    assert name((CN, "x")) != "CN=x"


@pytest.mark.parametrize("value", ["04025859", "020105", "30020500", "0c02ff59", "1602ff59", "0101ff", "1e03005841"])
def test_a_value_that_is_no_text_is_kept_as_bytes(value):
    """Not a character string, or not one in its own encoding: compared byte by byte, printed as #hex (RFC 4514 2.4)."""
    attribute = bytes.fromhex("0603550403") + bytes.fromhex(value)
    rdn = b"\x30" + bytes([len(attribute)]) + attribute
    der = b"\x31" + bytes([len(rdn)]) + rdn
    read = read_name(b"\x30" + bytes([len(der)]) + der)
    assert read == name((CN, bytes.fromhex(value)))
    assert str(read) == f"CN=#{value}"


def test_what_is_no_name_is_an_error():
    """An INTEGER, and half a name."""
    for der in (b"\x02\x01\x05", encoded("Some CA", _ASN1Type.UTF8String)[:-3]):
        with pytest.raises(MalformedCertificateError):
            read_name(der)


def test_label_of_a_name():
    """One line for people, never empty: the common name, the whole name by RFC 4514, or words for an empty name."""
    assert Name([[("2.5.4.3", "a\x1b[2J,  b\n\u202e")]]).label == r"a\x1b[2J, b \u202e"
    assert Name([[("2.5.4.10", "Org, Inc.")]]).label == r"O=Org\, Inc."
    assert Name([[("2.5.4.10", "Org")], [("2.5.4.3", " \t")]]).label == r"CN=\ \09,O=Org"
    assert Name([]).label == "(no name)"
    assert Name([[("2.5.4.3", "W" * 5_000)]]).label == "W" * 250 + "..."
