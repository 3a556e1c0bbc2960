"""A conversion keeps any bag octet by octet, or one of our errors refuses the file."""

from __future__ import annotations

import itertools

import pytest
from asn1crypto import cms, parser
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.conversion import convert_pfx
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.opening import Opener
from pkcs12kit.pkcs12.structure import read_pfx

from .pfx_parts import attribute, bag_of, bags_of, der, explicit, identifier_of_pbes1, make_pfx, oid

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of pyca, about certificates that are damaged

X509 = oid("1.2.840.113549.1.9.22.1")
NAME = attribute("1.2.840.113549.1.9.20", der(0x1E, "näme".encode("utf-16-be")))
ITS_ID = attribute("1.2.840.113549.1.9.21", der(0x04, b"\1\2"))
OTHER = attribute("1.2.3.4", der(0x30, der(0x02, b"\5")))
NOT_ASN1 = {
    "text": b"not ASN.1",
    "empty": b"",
    "half a header": b"\x30",
    "longer than it is": b"\x30\x82\xff\xff\x00",
    "an endless tag": b"\x3f\xff\xff\xff\xff\x00",
}


def clear(*bags):
    """A file of bags that nothing is encrypted in."""
    return make_pfx([cms.ContentInfo({"content_type": "data", "content": bags_of(*bags)})])


def converted(data, quick):
    """Convert a file."""
    return convert_pfx(data, password=None, new_password="new", profile=quick)


def held(data, password=None):
    """Everything that is in a file, to compare by, without places: the attributes of a bag are a SET."""
    decoded = decode_pfx(data, password=password)
    keys = [(key.private_key_info, key.friendly_name, key.local_key_id, sorted(key.attributes)) for key in decoded.keys]
    attributes = map(sorted, decoded.certificate_attributes)
    names = zip(decoded.friendly_names, decoded.local_key_ids, attributes, strict=True)
    return keys, decoded.certificates, list(names), decoded.other_bags, decoded.rejects


@pytest.mark.parametrize("what", NOT_ASN1)
def test_a_certificate_that_is_not_asn1_is_kept(quick, what):
    """RFC 7292 section 4.2.3: a certBag holds octets. They were given to a parser when it was written again."""
    bag = bag_of(3, der(0x30, X509 + explicit(der(0x04, NOT_ASN1[what]))), NAME, ITS_ID, OTHER)
    data = clear(bag)
    assert held(data)[4], "it is a reject"
    again = converted(data, quick)
    assert held(again, "new") == held(data)
    pfx = read_pfx(again, budget := WorkBudget(DEFAULT_LIMITS))
    (kept,) = Opener(pfx, password="new", contents_password=None, budget=budget).open_safe(pfx.safes[0])
    assert kept.content == NOT_ASN1[what]
    assert (kept.friendly_name, kept.local_key_id, kept.attributes) == ("näme", b"\1\2", (OTHER,))


@pytest.mark.parametrize("bag_id", [3, 4, 5, 9])
@pytest.mark.parametrize("inner", [der(0x41, b"a"), der(0x81, b""), der(0x30, b"\x05\x00"), der(0x04, b"\x30")])
def test_values_of_any_class_are_kept(quick, bag_id, inner):
    """A value of another class than universal was refused, for no reason but how it was written."""
    value = der(0x30, oid("1.2.3") + explicit(inner))
    data = clear(bag_of(bag_id, value, NAME, OTHER))
    assert held(converted(data, quick), "new") == held(data)
    assert held(data)[3][0].value == value


HOSTILE = (
    b"",
    b"\x05\x00",
    b"\x04\x00",
    b"\x04\x02\x30\x80",
    b"\x30\x00",
    b"\x30\x80\x00\x00",
    b"\x02\x00",
    b"\x02\x01\x80",
    b"\x0c\x02\xc3\x28",
    b"\x1e\x01\x00",
    b"\x1e\x02\xd8\x00",
    b"\x13\x01\x80",
    b"\x06\x00",
    b"\x06\x01\x80",
    b"\x31\x00",
    b"\x24\x00",
    b"\xa0\x00",
    b"\x41\x01a",
    b"\x17\x01x",
    b"\x03\x01\x09",
    b"\x01\x02\x00\x00",
)


def elements(data, start=0, end=None):
    """List where each element is in an encoding, and those in it."""
    end = len(data) if end is None else end
    while start < end:
        _, method, tag, header, contents, trailer = parser.parse(data[start:end])
        stop = start + len(header) + len(contents) + len(trailer)
        yield start, stop
        if method == 1:
            yield from elements(data, start + len(header), stop)
        elif tag == 4 and contents[:1] == b"\x30":  # octets with an encoding in them
            yield from _if_encoded(data, start + len(header), stop)
        start = stop


def _if_encoded(data, start, end):
    try:
        yield from list(elements(data, start, end))
    except ValueError:
        return


def replaced(data, start, end, by):
    """Replace an element, the lengths around it put right."""
    if (start, end) == (0, len(data)):
        return by
    parts, position, (_, _, _, header, contents, _) = b"", 0, parser.parse(data)
    offset = len(header)
    while position < len(contents):
        length = sum(map(len, parser.parse(contents[position:])[3:]))
        inner = contents[position : position + length]
        within = offset + position <= start and end <= offset + position + length
        parts += replaced(inner, start - offset - position, end - offset - position, by) if within else inner
        position += length
    return der(data[0], parts)


@pytest.fixture(scope="module")
def bags(small_bundle):
    """One bag of each type, with attributes."""
    key = small_bundle.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    older = small_bundle.private_key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    crl = der(0x30, oid("1.2.840.113549.1.9.23.1") + explicit(der(0x04, der(0x30, b""))))
    secret = der(0x30, oid("1.2.3.4") + explicit(der(0x04, b"secret")))
    certificate = der(0x30, X509 + explicit(der(0x04, small_bundle.certificates[0].der)))
    shrouded = der(0x30, identifier_of_pbes1() + der(0x04, bytes(64)))
    return (
        bag_of(3, certificate, NAME, ITS_ID, OTHER),
        bag_of(1, key, NAME, ITS_ID),
        bag_of(1, older),
        bag_of(4, crl, OTHER),
        bag_of(5, secret, NAME),
        bag_of(2, shrouded, ITS_ID),
        bag_of(6, der(0x30, bag_of(5, secret))),
        bag_of(9, der(0x0C, b"unknown"), OTHER),
    )


def mutants(bag):
    """Replace each element of a bag by each hostile value."""
    for (start, end), by in itertools.product(list(elements(bag)), HOSTILE):
        yield replaced(bag, start, end, by)


def check(bag, quick):
    """Inspect, decode and convert: kept whole, or an error of ours."""
    data = clear(bag)
    outcomes = []
    for read in (inspect_pfx, held, lambda one: converted(one, quick)):
        try:
            outcomes.append(read(data))
        except InputError:
            outcomes.append(None)
    _, before, after = outcomes
    if after is not None:
        assert before is not None, "written, and could not be read before"
        assert held(after, "new") == before
    return after is not None


def test_the_bags_are_kept_as_they_are(bags, quick):
    """The positive control: each of them but the shrouded key, which no password opens, is converted."""
    assert [check(bag, quick) for bag in bags] == [True, True, True, True, True, False, True, True]


@pytest.mark.parametrize("which", range(8))
def test_mutated_bags(bags, quick, which):
    """Every 17th mutant: a sample of those below."""
    for bag in itertools.islice(mutants(bags[which]), which, None, 17):
        check(bag, quick)


@pytest.mark.slow
@pytest.mark.parametrize("which", range(8))
def test_many_mutants_of_every_bag(bags, quick, which):
    """Each element of each bag replaced by hostile values, a quarter of them."""
    kept = [check(bag, quick) for bag in itertools.islice(mutants(bags[which]), 0, None, 4)]
    assert True in kept or which == 5
    assert False in kept
