"""Strings in names whose octets do not fit their type: read, compared, shown (RFC 5280 sections 4.1.2.4 and 7.1)."""

import json
import string
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.certificates.notes import NoteRule

from ..thoroughness import mostly_slow
from .oddities import (
    BMP,
    IA5,
    NUMERIC,
    PRINTABLE,
    TELETEX,
    UNIVERSAL,
    UTF8,
    VISIBLE,
    attribute,
    certificate,
    issuing,
    root,
    server,
)
from .oddities import (
    NOW as AT,
)

STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
TYPES = (UTF8, NUMERIC, PRINTABLE, TELETEX, 21, IA5, 25, VISIBLE, 27, UNIVERSAL, BMP)
OCTETS = (
    *(
        b"Smith & Sons",
        b"*.example.mil",
        b"ca@example.mil",
        b"a_b",
        b"a<b>\"c'\\;+=#!",
        b"",
        b" ",
        b"\x00",
        b"\x1b[31m",
    ),
    *(
        b"Soci\xe9t\xe9",
        "Société".encode(),
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"abc",
        b"\x00a\x00",
        b"\xd8\x00\x00a",
    ),
    *(
        b"\xd8\x3d\xde\x00",
        b"\x00\x11\x00\x00",
        b"\x00\x00\x00a",
        b"\x80" * 40,
        b"x" * 70,
        b"\xfe\xff\x00a",
        "\u202e".encode(),
    ),
)
SAME_TEXTS = ({b"Soci\xe9t\xe9", "Société".encode()}, {b"", b" "})
TYPES_OF_ATTRIBUTES = ("2.5.4.3", "2.5.4.6", "2.5.4.10", "2.5.4.5", "1.2.840.113549.1.9.1", "2.5.4.45", "2.999.1")
OUTSIDE = sorted(set(map(chr, range(32, 127))) - set(string.ascii_letters + string.digits + " '()+,-./:=?"))


def subject(tag, octets, oid="2.5.4.3"):
    """Return the certificate of a subject of one attribute."""
    return pk.Certificate(certificate(subject=attribute(octets, tag, oid)))


@pytest.mark.parametrize("tag", TYPES)
@pytest.mark.parametrize("octets", mostly_slow(OCTETS, every=3))
def test_each_string_is_read_and_shown(tag, octets):
    """No type and no octets stop the reading, and no output can steer a terminal. Python warnings are errors here."""
    for oid in TYPES_OF_ATTRIBUTES:
        found = subject(tag, octets, oid)
        shown = (
            str(found.subject),
            found.label,
            repr(found),
            json.dumps(found.to_json()),
            *(n.why for n in found.notes),
        )
        assert not any(unicodedata.category(char) in STEERING for text in shown for char in text)
        assert found.der == pk.Certificate(found.der).der
        _ = found.as_cryptography.serial_number


@pytest.mark.parametrize("tag", TYPES)
def test_a_name_matches_itself_and_no_other(tag):
    """RFC 5280 section 7.1: of one type, other octets are another name, unless they are the same text.

    Latin-1 and UTF-8 of one text are the same text, as in the types that have an encoding.
    """
    names = {octets: subject(tag, octets).subject for octets in OCTETS}
    for octets, found in names.items():
        assert found == subject(tag, octets).subject
        for other, second in names.items():
            may_be = octets == other or {octets, other} in SAME_TEXTS
            assert (octets == other) <= (found == second) <= may_be, (octets, other)


@pytest.mark.parametrize("character", OUTSIDE)
def test_each_character_outside_printable_string_is_kept(character):
    """The text is the issuer's, and matches the same text in the type that allows it."""
    text = f"a{character}b"
    found = subject(PRINTABLE, text.encode())
    assert found.subject.common_name == text
    assert found.subject == subject(UTF8, text.encode()).subject
    assert found.subject != subject(UTF8, b"ab").subject
    assert found.subject != subject(UTF8, b"a b").subject
    (note,) = found.notes
    assert note.rule is NoteRule.UNFIT_STRING
    assert "PrintableString" in note.why


@given(st.sampled_from(TYPES), st.binary(max_size=12), st.sampled_from(TYPES), st.binary(max_size=12))
def test_names_are_equal_if_their_texts_are(tag, octets, other_tag, other_octets):
    """Names of different octets match only by a text that both have."""
    one, other = subject(tag, octets).subject, subject(other_tag, other_octets).subject
    assume((tag, octets) != (other_tag, other_octets))
    if one == other:
        values = [value for name in (one, other) for ((_, value),) in name.relative_distinguished_names]
        assert all(isinstance(value, str) for value in values)


@pytest.mark.parametrize(
    ("tag", "octets"),
    [
        (PRINTABLE, b"Smith & Sons"),
        *((tag, b"Soci\xe9t\xe9") for tag in (UTF8, PRINTABLE, TELETEX, IA5, VISIBLE)),
        *((tag, "Société".encode()) for tag in (PRINTABLE, TELETEX, IA5)),
        (BMP, b"\x00a\x00"),
        (BMP, b"\xd8\x00\x00a"),
        (UNIVERSAL, b"abc"),
        (UTF8, b"x" * 70),
        (NUMERIC, b"CA"),
    ],
)
@pytest.mark.parametrize("who", ["anchor", "ca", "leaf"])
def test_a_path_with_such_a_name(tag, octets, who):
    """In the anchor, a CA or the server: the path is found; with other octets in the issuer's name it is not."""
    odd, other = attribute(octets, tag), attribute(octets + octets[:4] * 2, tag)
    top, middle = (odd if who == "anchor" else "Root"), (odd if who == "ca" else "Issuing")
    leaf = server(issuer=middle, subject=odd if who == "leaf" else "mdm.example.mil")
    anchor = pk.TrustAnchor.from_certificate(pk.Certificate(root(subject=top)))
    parameters = pk.ValidationParameters(time=AT)

    def search(ca, target):
        return pk.find_paths(
            pk.Certificate(target),
            pool=pk.CertificatePool([pk.Certificate(ca)]),
            trust_anchors=[anchor],
            parameters=parameters,
        )

    ca = issuing(subject=middle, issuer=top)
    found = search(ca, leaf)
    assert found.best.certificates == (pk.Certificate(leaf), pk.Certificate(ca))
    assert any(note.certificate.notes for note in found.notes) or tag == TELETEX  # its octets have no fixed meaning
    if who == "anchor":
        assert not search(issuing(subject=middle, issuer=other), leaf).valid
    if who == "ca":
        assert not search(ca, server(issuer=other)).valid


def test_a_character_is_shown_with_its_number():
    """A letter that only looks like an allowed one can be told apart, and a mark that turns the text is not printed."""
    for character, shown in (("ä", "'ä' (U+00E4)"), ("\u0430", "'\u0430' (U+0430)"), ("\u202e", r"'\u202e' (U+202E)")):
        (note,) = subject(PRINTABLE, f"a{character}".encode()).notes
        assert shown in note.why
        assert note.why.isprintable()
