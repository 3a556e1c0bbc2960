"""Odd attributes of bags are read with a note, and a conversion keeps their octets."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.attributes import read_attributes
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag
from pkcs12kit.pkcs12.conversion import convert_pfx
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_contents
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.private_keys import encode_private_key

from .conftest import PASSWORD
from .pfx_parts import attribute, bag_of, bags_of, der, explicit, make_pfx, oid, plain_safe, with_mac
from .test_java_entries import as_java_has_it, as_we_have_it, shrouded

NAME, ITS_ID = "1.2.840.113549.1.9.20", "1.2.840.113549.1.9.21"
TYPES = (
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x0A,
    0x0C,
    0x12,
    0x13,
    0x14,
    0x16,
    0x1A,
    0x1B,
    0x1C,
    0x1E,
    0x30,
    0x31,
    0x81,
)
OCTETS = (
    b"",
    b"\0",
    b"a",
    b"ab",
    b"\0a",
    b"\xd8\x00",
    b"\xdc\x00\0a",
    b"\0a\0\0",
    b"\0a\0\0\0b",
    b"\xff\xfe",
    b"\0\0\0a",
    b"\x05\x00",
    b"\x1b[31m",
)


def fields():
    """Every field of bagAttributes that is made of these parts: types x number of values x octets, and odd sets."""
    for dotted, tag, octets in itertools.product((NAME, ITS_ID), TYPES, OCTETS):
        if tag in {0x30, 0x31} and octets != b"\x05\x00":
            continue  # a constructed value has elements in it
        value = der(tag, octets)
        for count in range(3):
            yield der(0x31, attribute(dotted, *[value] * count))
        yield der(0x31, attribute(dotted, value) + attribute(dotted, der(0x1E, b"\0z")))
    yield from (
        der(0x31, b""),
        der(0x31, b"\x05\x00"),
        der(0x30, attribute(NAME)),
        b"\x05\x00",
        der(0x31, der(0x30, b"")),
    )
    yield der(0x31, der(0x30, oid(NAME)))
    yield der(0x31, der(0x30, oid(NAME) + der(0x30, b"")))
    yield der(0x31, attribute("1.2.3.4", b"\x05\x00") * 2)


@pytest.fixture(scope="module")
def parts(small_bundle):
    """The PKCS#8 of a key, and the value of the bag of its certificate."""
    certificate = small_bundle.certificates[0]
    value = der(0x30, oid("1.2.840.113549.1.9.22.1") + explicit(der(0x04, certificate.der)))
    return encode_private_key(small_bundle.private_key, certificate), value


def with_field(bag_id, value, field):
    """A SafeBag whose attributes are the field as it is."""
    return der(0x30, oid(f"1.2.840.113549.1.12.10.1.{bag_id}") + explicit(value) + field)


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_every_attribute_is_read_and_kept(parts, quick, step):
    """RFC 2985 section 5.5: whatever stands there instead, the key is read, and its octets survive two conversions."""
    key, certificate = parts
    number = 0
    every = list(fields())[::step]
    for start in range(0, len(every), 160):
        some = every[start : start + 160]
        bags = [with_field(99, b"\x05\x00", field) for field in some]
        bags += [with_field(3, certificate, some[0]), with_field(1, key, some[1])]
        data = make_pfx([plain_safe(*bags)])
        decoded = decode_pfx(data, password=None, limits=replace(DEFAULT_LIMITS, pfx_notes=1_000))
        assert (len(decoded.keys), len(decoded.certificates), len(decoded.other_bags)) == (1, 1, len(some))
        once = convert_pfx(data, password=None, new_password=PASSWORD, profile=quick)
        again = convert_pfx(once, password=PASSWORD, new_password="other", profile=quick)
        clear = convert_pfx(again, password="other", new_password=None, profile="no-password")
        assert all(bag in clear for bag in bags)
        number += len(decoded.notes)
        assert all(note.startswith("bag ") and note.isprintable() for note in decoded.notes)
    assert number > 2 * len(every)


@pytest.mark.parametrize(
    ("field", "expected", "note"),
    [
        (attribute(NAME, der(0x0C, "Jäger".encode())), "Jäger", "is a UTF8String, where"),
        (attribute(NAME, der(0x13, b"srv")), "srv", "is a PrintableString"),
        (attribute(NAME, der(0x16, b"srv")), "srv", "is an IA5String"),
        (attribute(NAME, der(0x14, b"J\xe4ger")), "Jäger", "is a TeletexString"),
        (attribute(NAME, der(0x1C, b"\0\0\0a")), "a", "is a UniversalString"),
        (attribute(NAME, der(0x1E, b"\0a"), der(0x1E, b"\0b")), "a", "has 2 values; the first is used"),
        (attribute(NAME), None, "has no value; it is not used"),
        (attribute(NAME, der(0x1E, b"\xd8\x00")), "\ufffd", "octets that are not characters of a BMPString"),
        (attribute(NAME, der(0x1E, b"\0a\0")), "a\ufffd", "octets that are not characters"),
        (attribute(NAME, der(0x1E, b"\0a\0\0\0b")), "a\0b", "a NUL character inside"),
        (attribute(NAME, der(0x1E, b"\0a\0\0")), "a", None),
        (attribute(NAME, der(0x1E, b"\xff\xfd")), "\ufffd", None),
        (attribute(NAME, der(0x02, b"\5")), None, "is an INTEGER, which is not text"),
        (attribute(NAME, der(0x1E, b"\0a")) + attribute(NAME, der(0x1E, b"\0b")), "a", "friendlyName 2 times"),
    ],
)
def test_names(field, expected, note):
    """A name is read from any type of string; the note names what deviates from RFC 2985 section 5.5.1."""
    read = read_attributes(der(0x31, field))
    assert read.friendly_name == expected
    assert any(note in one for one in read.notes) if note else not read.notes


@pytest.mark.parametrize(
    ("field", "expected", "note"),
    [
        (attribute(ITS_ID, der(0x04, b"\1\2")), b"\1\2", None),
        (attribute(ITS_ID, der(0x03, b"\0\1")), b"\1", "is a BIT STRING, where"),
        (attribute(ITS_ID, der(0x02, b"\1")), b"\1", "is an INTEGER, where"),
        (
            attribute(ITS_ID, der(0x30, b"")),
            None,
            "is a SEQUENCE, where RFC 2985 section 5.5.2 has an OCTET STRING; it",
        ),
        (attribute(ITS_ID, der(0x04, b"\1"), der(0x04, b"\2")), b"\1", "has 2 values"),
        (attribute(ITS_ID), None, "has no value"),
    ],
)
def test_identifiers(field, expected, note):
    """The octets of any primitive type serve as localKeyID: it only has to be equal (RFC 2985 section 5.5.2)."""
    read = read_attributes(der(0x31, field))
    assert read.local_key_id == expected
    assert any(note in one for one in read.notes) if note else not read.notes


@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.slow)])
def test_java_reads_attributes_as_predicted(require_tool, tmp_path, parts, step):
    """``PKCS12KeyStore.java``: it refuses a file for one such attribute of any bag, and the model of it does so too."""
    key, certificate = parts
    algorithm, octets = shrouded(key)
    values = {2: der(0x30, algorithm.dump() + der(0x04, octets)), 3: certificate, 1: key, 99: b"\x05\x00"}
    marks = ([], [der(0x0C, b"a")], [oid("2.5.29.37.0"), der(0x02, b"a")], [der(0x06, b"")], [der(0x06, b"\x80")])
    every = [*fields(), *(der(0x31, attribute("2.16.840.1.113894.746875.1.1", *values)) for values in marks)]
    made = {}
    for number in range(0, len(every), step):
        bag_id = (2, 3, 1, 99)[number % 4]
        safe = plain_safe(with_field(bag_id, values[bag_id], every[number]), bag_of(2, values[2]))
        made[f"{number:04}.p12"] = with_mac([safe])
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    for name, theirs in as_java_has_it(require_tool("java"), tmp_path).items():
        java = inspect_pfx(made[name], password=PASSWORD).java
        refused = any("refuses the whole file" in loss for loss in java.losses)
        assert refused is any(entry.startswith("!") for entry in theirs), (name, theirs)
        assert refused or as_we_have_it(java) == theirs


@pytest.mark.parametrize("tag", [0x04, 0x30, 0x31])
def test_no_length_is_taken_for_an_indefinite_one(parts, tag):
    """asn1crypto does so with a length that ends in the octet 0x80: each of the lengths around an attribute does once.

    X.690 section 8.1.3.6: 0x80 is the indefinite form only as the first octet of the length.
    """
    for size in (*range(80, 130), *range(330, 386)):
        attribute_ = attribute("1.2.3.4", der(tag, der(0x04, bytes(size))))
        data = make_pfx([plain_safe(bag_of(3, parts[1], attribute_), bag_of(1, parts[0], attribute_))])
        decoded = decode_pfx(data, password=None)
        assert decoded.certificate_attributes == ((attribute_,),)
        assert decoded.keys[0].attributes == (attribute_,)
        assert convert_pfx(data, password=None, new_password=None, profile="no-password").count(attribute_) == 2


def test_known_attributes_are_not_noted():
    """Those of Windows and Java are in many files; another is noted by its identifier, and both are kept."""
    usual = (
        attribute("1.3.6.1.4.1.311.17.1", der(0x1E, b"\0C")),
        attribute("2.16.840.1.113894.746875.1.1", oid("2.5.29.37.0")),
    )
    unknown = attribute("1.2.3.4", b"\x05\x00")
    assert read_attributes(der(0x31, b"".join(usual))).notes == ()
    read = read_attributes(der(0x31, b"".join((*usual, unknown))))
    assert (read.others, read.notes) == ((*usual, unknown), ("it has the attribute 1.2.3.4, which is not known",))


def test_notes_name_the_bag(small_bundle, parts):
    """A note begins with the number of the bag and of its SafeContents, as inspect shows them, and the name."""
    odd = attribute(NAME, der(0x0C, b"srv"))
    safes = [plain_safe(certificate_bag(small_bundle.certificates[0].der)), plain_safe(bag_of(1, parts[0], odd))]
    data = make_pfx(safes)
    (note,) = decode_pfx(data, password=None).notes
    assert note.startswith("bag 1 of SafeContents 2, 'srv': its friendlyName is a UTF8String")
    assert inspect_pfx(data).notes == (note,)


def test_notes_are_bounded(parts):
    """A thousand odd bags make as many notes as limits.pfx_notes, and one that counts the others."""
    bag = bag_of(3, parts[1], attribute("1.2.3.4", b"\x05\x00"))
    data = make_pfx([plain_safe(*[bag] * (DEFAULT_LIMITS.pfx_notes + 5))])
    notes = decode_pfx(data, password=None).notes
    assert len(notes) == DEFAULT_LIMITS.pfx_notes + 1
    assert notes[-1].startswith("5 more notes")


def test_names_that_are_written_stay_as_they_were(small_bundle, parts, quick):
    """The writer's own attributes have no notes."""
    bags = [certificate_bag(small_bundle.certificates[0].der, friendly_name="ä", local_key_id=b"1")]
    data = encode_contents(bags, [key_bag(parts[0], friendly_name="ä")], password=PASSWORD, profile=quick)
    assert decode_pfx(data, password=PASSWORD).notes == ()
    assert bags_of(bags[0])[2:] in convert_pfx(data, password=PASSWORD, new_password=None, profile="no-password")
