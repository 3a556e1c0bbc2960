"""Each form of subtree against each form of name, beside an independent reading of RFC 5280 section 4.2.1.10."""

from __future__ import annotations

import pytest

from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.subtrees import EncodedName, NameConstraints
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.validation.name_constraints import ConstrainedSubtrees, malformed_constraints

from ..name_constraints_oracle import DNS, INSIDE, IP, MAIL, URI, octets, pairs

KINDS = ("permitted", "excluded")


def judge(kind, subtrees, *names, bounded=()):
    """Hold encoded names against encoded subtrees, imposed by a certificate that is called CA."""
    constraints = NameConstraints(**{f"{kind}_subtrees": tuple(subtrees)}, bounded=bounded)
    constrained = ConstrainedSubtrees.unconstrained().constrain(constraints, imposed_by="CA")
    return constrained.violation(Name(()), names, budget=SearchBudget(DEFAULT_LIMITS))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", INSIDE, ids=["dNSName", "rfc822Name", "URI", "iPAddress"])
def test_every_pair_is_judged_as_the_section_says(form, kind):
    """What is not permitted or is excluded is refused, and so is what the section does not define."""
    asked = set()
    for (subtree, name), encoded in pairs(form):
        inside = INSIDE[form](subtree, name, excluded=kind == "excluded")
        found = judge(kind, [EncodedName(form, encoded[0])], EncodedName(form, encoded[1]))
        asked.add(inside)
        if inside is None:
            assert found, (subtree, name)
            assert "cannot be checked" in found, (subtree, name, found)
        else:
            assert (found is None) == (inside == (kind == "permitted")), (subtree, name, found)
            assert found is None or "cannot be checked" not in found, (subtree, name, found)
    assert asked == {True, False, None}


def test_a_leading_dot():
    """Permitted: only below. Excluded: the base as well, because programs disagree about it."""
    dotted = EncodedName(DNS, b".example.mil")
    for host, permitted, excluded in (
        (b"mdm.example.mil", True, False),
        (b"a.b.Example.MIL", True, False),
        (b"*.example.mil", True, False),
        (b"example.mil", False, False),
        (b"badexample.mil", False, True),
        (b"*.mil", False, False),
        (b"mil", False, True),
    ):
        assert (judge("permitted", [dotted], EncodedName(DNS, host)) is None) == permitted
        assert (judge("excluded", [dotted], EncodedName(DNS, host)) is None) == excluded


def test_bits_outside_the_mask_do_not_count():
    """10.1.2.3 with 255.0.0.0 is 10.0.0.0/8; a mask with holes is applied bit by bit; IPv4 in IPv6 is excluded."""
    subtree = EncodedName(IP, octets("10.1.2.3", "255.0.0.0"))
    for kind, address, allowed in (
        ("permitted", "10.9.9.9", True),
        ("permitted", "11.9.9.9", False),
        ("permitted", "::ffff:10.9.9.9", False),
        ("excluded", "10.9.9.9", False),
        ("excluded", "::ffff:10.9.9.9", False),
        ("excluded", "::ffff:11.9.9.9", True),
    ):
        assert (judge(kind, [subtree], EncodedName(IP, octets(address))) is None) == allowed, (kind, address)
    everything_in_ipv6 = EncodedName(IP, octets("::", "::"))
    assert judge("excluded", [everything_in_ipv6], EncodedName(IP, octets("10.9.9.9"))) is None


REFUSED = {
    "asterisk": ("permitted", EncodedName(DNS, b"*.example.mil"), EncodedName(DNS, b"a.example.mil")),
    "asterisk inside": ("excluded", EncodedName(DNS, b"a.*.mil"), EncodedName(DNS, b"b.example")),
    "dot at the end": ("excluded", EncodedName(DNS, b"example.mil."), EncodedName(DNS, b"b.example")),
    "U-label": ("excluded", EncodedName(DNS, "bücher.example".encode()), EncodedName(DNS, b"b.example")),
    "Latin-1": ("permitted", EncodedName(MAIL, b"\xfc.example"), EncodedName(MAIL, b"a@b.example")),
    "NUL": ("excluded", EncodedName(DNS, b"evil.mil\0.example"), EncodedName(DNS, b"b.example")),
    "no mask": ("permitted", EncodedName(IP, bytes(4)), EncodedName(IP, bytes(4))),
    "host of a URI": ("excluded", EncodedName(URI, b"http://b.com/"), EncodedName(URI, b"http://b.com/")),
    "broken name": ("excluded", EncodedName(0xA4, b"\x31\0"), EncodedName(0xA4, b"\x30\0")),
    "x400Address": ("permitted", EncodedName(0xA3, b"\x30\0"), EncodedName(0xA3, b"\x30\0")),
    "ediPartyName": ("excluded", EncodedName(0xA5, b"\x81\x01a"), EncodedName(0xA5, b"\x81\x01b")),
    "registeredID": ("permitted", EncodedName(0x88, b"\x2a\x03"), EncodedName(0x88, b"\x2a\x03")),
    "otherName": (
        "excluded",
        EncodedName(0xA0, b"\x06\x02\x2a\x03\xa0\x03\x0c\x01x"),
        EncodedName(0xA0, b"\x06\x02\x2a\x03\xa0\x03\x0c\x01y"),
    ),
}


@pytest.mark.parametrize(("kind", "subtree", "name"), REFUSED.values(), ids=REFUSED)
def test_a_subtree_that_is_not_applied_is_named(kind, subtree, name):
    """'MUST either process the constraint or reject the certificate': the message says which subtree and whose it is.

    A certificate without a name of the form is acceptable.
    """
    found = judge(kind, [EncodedName(0x86, b"other.example"), subtree, EncodedName(DNS, b"x.example")], name)
    assert f"the {kind} subtree {subtree} of the nameConstraints" in found
    assert found.endswith(", imposed by CA")
    assert found.isprintable()
    assert judge(kind, [subtree], EncodedName(IP if name.tag != IP else DNS, b"\1\2\3\4")) is None


def organization(tag, octets):
    """Encode a directoryName of one organization, in a string of any type and octets."""
    value = bytes([tag, len(octets)]) + octets
    attribute = b"\x06\x03\x55\x04\x0a" + value
    for outer in (0x30, 0x31, 0x30):
        attribute = bytes([outer, len(attribute)]) + attribute
    return EncodedName(0xA4, attribute)


def test_a_string_without_text_does_not_slip_past_an_excluded_subtree():
    """Section 7.1 compares text; octets that are none may be an excluded name in the eyes of another program.

    Permitted, a string without text is inside only where its octets are equal.
    """
    for excluded, name in (
        ((12, "Müller".encode()), (12, "Müller".encode("latin-1"))),
        ((12, "Müller".encode("latin-1")), (12, "Müller".encode())),
        ((12, b"Evil"), (30, b"\0E\0v\0i\0l\0")),
    ):
        found = judge("excluded", [organization(*excluded)], organization(*name))
        assert found
        assert "cannot be checked" in found
        assert judge("permitted", [organization(*excluded)], organization(*name))
        assert judge("permitted", [organization(*name)], organization(*name)) is None
    assert judge("excluded", [organization(12, b"Evil")], organization(19, b"R&D")) is None
    assert judge("excluded", [organization(19, b"R&D")], organization(12, b"r&d"))


def test_a_bound_is_refused_wherever_it_comes_from():
    """An anchor of a name, a key and constraints has no certificate that could be refused for them."""
    subtree = EncodedName(DNS, b"example.mil")
    assert "cannot be checked" in judge("permitted", [subtree], EncodedName(DNS, b"example.mil"), bounded=(subtree,))


def test_a_field_without_subtrees_is_malformed():
    """GeneralSubtrees has at least one; neither 'nothing is permitted' nor 'everything is' may be guessed."""
    one = (EncodedName(DNS, b"example.mil"),)
    for permitted, excluded, sound in (
        (one, None, True),
        (None, one, True),
        (one, one, True),
        (None, None, False),
        ((), None, False),
        ((), one, False),
        (one, (), False),
    ):
        constraints = NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded)
        assert (malformed_constraints(constraints) is None) == sound
