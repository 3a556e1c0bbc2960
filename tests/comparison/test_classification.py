"""The classes of certificates: a partition by exact definitions, found again by brute force; and what is hostile."""

import itertools
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.comparison.classification import classify
from pkcs12kit.comparison.matching import MatchingBudget, match
from pkcs12kit.lab import Authority, Validity, critical
from pkcs12kit.lab.authority import sign_certificate

from ..thoroughness import examples

START = datetime(2020, 1, 1, tzinfo=UTC)
KEYS = [ec.derive_private_key(number, ec.SECP256R1()) for number in (11, 12, 13)]
MOST = 1_000_000


def validity(year, years=3):
    """The validity from the beginning of a year."""
    return Validity(START.replace(year=year), START.replace(year=year + years))


def named(text):
    """A name with this common name; an empty one for an empty text."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def made(subject, issuer, key, year, serial, *extensions):
    """A certificate; what signed it does not matter here."""
    return sign_certificate(
        issuer=named(issuer),
        signing_key=KEYS[0],
        subject=named(subject),
        public_key=KEYS[key].public_key(),
        validity=validity(year),
        serial_number=serial,
        extensions=extensions,
    )


@pytest.fixture(scope="module")
def universe():
    """Certificates of two subjects, in two spellings, two issuers and three keys; with two encodings of each tenth."""
    numbers = itertools.count(1)
    found = [
        made(subject, issuer, key, year, next(numbers))
        for subject in ("A", "b  c", "B C")
        for issuer in ("I", "J")
        for key in range(3)
        for year in (2020, 2022)
    ]
    again = [made(*given, 1000 + number) for number in range(3) for given in [("A", "I", number, 2020)] * 2]
    return tuple(found + again)


def facts(certificate):
    """Subject and issuer as they are compared, and the key."""
    return (certificate.subject, certificate.issuer, certificate.subject_public_key_info)


def sides(classes):
    """The certificates of both sides in each class."""
    pairs = (*classes.renewed, *classes.rekeyed, *classes.encoded_otherwise)
    gone = [one.certificate for one in classes.went] + [pair.before for pair in pairs]
    new = [one.certificate for one in classes.came] + [pair.after for pair in pairs]
    return gone, new


def check(before, after):
    """Check every sentence of the definitions for two sides."""
    classes = classify(before, after, most_pairs=MOST)
    gone, new = sides(classes)
    assert Counter(gone) == Counter(set(before) - set(after))
    assert Counter(new) == Counter(set(after) - set(before))
    assert Counter(classes.unchanged) == Counter(set(before) & set(after))
    for pair in (*classes.renewed, *classes.encoded_otherwise):
        assert facts(pair.before) == facts(pair.after)
    for pair in classes.encoded_otherwise:
        assert pair.changes == ()
        assert pair.before.serial_number == pair.after.serial_number
    for pair in (*classes.renewed, *classes.rekeyed):
        assert pair.changes
    for pair in classes.rekeyed:
        assert facts(pair.before)[:2] == facts(pair.after)[:2]
        assert facts(pair.before)[2] != facts(pair.after)[2]
    one_sided = [[one.certificate for one in side] for side in (classes.went, classes.came)]
    rekeyed = [[pair.before for pair in classes.rekeyed], [pair.after for pair in classes.rekeyed]]
    for width, left in ((2, one_sided), (3, [one_sided[0] + rekeyed[0], one_sided[1] + rekeyed[1]])):
        groups = [{facts(one)[:width] for one in side} for side in left]
        assert groups[0].isdisjoint(groups[1]), "two certificates could be another pair"
    for listed, others in ((classes.came, before), (classes.went, after)):
        for one in listed:
            keys = {facts(other)[2] for other in others if other.subject == one.certificate.subject}
            expected = "none" if not keys else "same-subject"
            expected = "same-subject-and-key" if facts(one.certificate)[2] in keys else expected
            assert one.relation.value == expected
    return classes


def turned(change):
    """The same change in the other direction."""
    return replace(change, before=change.after, after=change.before)


def mirrored(classes):
    """The same classes with both sides exchanged."""
    pairs = {
        name: {
            (pair.after, pair.before, tuple(turned(change) for change in pair.changes))
            for pair in getattr(classes, name)
        }
        for name in ("renewed", "rekeyed", "encoded_otherwise")
    }
    return pairs | {"came": set(classes.went), "went": set(classes.came)}


def as_sets(classes):
    """The classes without an order."""
    pairs = {
        name: {(pair.before, pair.after, pair.changes) for pair in getattr(classes, name)}
        for name in ("renewed", "rekeyed", "encoded_otherwise")
    }
    return pairs | {"came": set(classes.came), "went": set(classes.went)}


@settings(max_examples=examples(200))
@given(st.data())
def test_a_partition_by_the_definitions(universe, data):
    """Each certificate is in one class, no other pair is left, and order, repetition and direction do not matter."""
    before, after = (data.draw(st.lists(st.sampled_from(universe), max_size=14)) for _ in range(2))
    classes = check(before, after)
    repeated = classify([*reversed(after), *after], before[::-1] * 2, most_pairs=MOST)
    assert as_sets(repeated) == mirrored(classes)
    assert classify(before[::-1], after * 2, most_pairs=MOST) == classes
    same = classify(before, before, most_pairs=MOST)
    assert not any(sides(same))


@settings(max_examples=examples(200))
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4), st.lists(st.integers(0, 9), max_size=7))
def test_the_nearest_validity(small, large):
    """The sum of the distances is the least of all ways to match in order; the sides may be exchanged."""
    few, many = (
        [
            SimpleNamespace(
                not_before=START + timedelta(days=begin), not_after=START + timedelta(days=end), sha256=str(number)
            )
            for number, (begin, end) in enumerate(side)
        ]
        for side in (small, [(begin, begin + 3) for begin in large])
    )

    def distance(pair):
        return abs(pair[0].not_before - pair[1].not_before) + abs(pair[0].not_after - pair[1].not_after)

    found = match(few, many, MatchingBudget(MOST))
    assert len(found) == min(len(few), len(many))
    assert [(one, other) for other, one in match(many, few, MatchingBudget(MOST))] == found

    def in_order(side):
        return sorted(side, key=lambda one: (one.not_before, one.not_after, one.sha256))

    shorter, longer = sorted((in_order(few), in_order(many)), key=len)
    every = itertools.combinations(longer, len(shorter))
    least = min(sum(map(distance, zip(shorter, chosen, strict=True)), timedelta()) for chosen in every)
    assert sum(map(distance, found), timedelta()) == least


def test_beyond_the_limit_it_is_still_a_partition(universe):
    """Without comparing validities each certificate still has one partner, and the report says so."""
    before, after = universe[:18], universe[18:] + universe[:1] + (made("A", "I", 0, 2030, 77),)
    limited = classify(before, after, most_pairs=0)
    whole = classify(before, after, most_pairs=MOST)
    assert limited.used_all_pairs
    assert not whole.used_all_pairs
    assert [len(each) for each in sides(limited)] == [len(each) for each in sides(whole)]


def test_a_cross_certificate_is_never_a_renewal():
    """The same subject and key from another issuer came; the other one went."""
    classes = check([made("A", "I", 0, 2020, 1)], [made("A", "J", 0, 2022, 2)])
    assert [one.relation.value for one in (*classes.came, *classes.went)] == ["same-subject-and-key"] * 2


def test_another_ca_with_the_same_name():
    """A root with another key is rekeyed, with a warning that nothing vouches for it; it is never renewed."""
    before, after = (Authority.create("Root", private_key=key).certificate for key in KEYS[:2])
    comparison = pk.compare_certificates(before, after)
    assert len(comparison.rekeyed) == 1
    assert comparison.renewed == ()
    assert "another key" in comparison.warnings[0]
    assert "public key" in [change.name for change in comparison.rekeyed[0].changes]


def test_the_issuers_key_decides_between_partners():
    """Two issuers share a name: a certificate is renewed by that of the same issuer's key, not by the nearest one."""
    issuers = [Authority.create("Issuer", private_key=key) for key in KEYS[:2]]
    subject = Authority.create("A", private_key=KEYS[2])
    before = [one.issue_ca(subject, validity=validity(2020 + 4 * number)) for number, one in enumerate(issuers)]
    after = [one.issue_ca(subject, validity=validity(2025 - 4 * number)) for number, one in enumerate(issuers)]
    classes = classify(before, after, most_pairs=MOST)
    for pair in classes.renewed:
        assert pair.before.issuer_key_identifier == pair.after.issuer_key_identifier
    assert len(classes.renewed) == 2


def test_servers_with_one_subject():
    """Rekeyed certificates of servers that share a subject are told apart by their alternative names."""
    ca = Authority.create("CA")
    shared = named("servers")
    before = [ca.issue_server(f"{one}.example", subject=shared, validity=validity(2020)) for one in "ab"]
    after = [ca.issue_server(f"{one}.example", subject=shared, validity=validity(2023)) for one in "ba"]
    classes = classify(*([one.certificate for one in side] for side in (before, after)), most_pairs=MOST)
    assert len(classes.rekeyed) == 2
    for pair in classes.rekeyed:
        assert "subject alternative name" not in [change.name for change in pair.changes]


def test_an_empty_subject_names_nobody():
    """With alternative names it is known by them; without them two certificates are never a pair."""
    ca = Authority.create("CA")
    names = [
        [ca.issue_server(name, subject=named("")).certificate for name in ("a.example", "b.example")] for _ in "12"
    ]
    classes = classify(*names, most_pairs=MOST)
    assert len(classes.rekeyed) == 2
    for pair in classes.rekeyed:
        assert pair.before.extensions.subject_alternative_name == pair.after.extensions.subject_alternative_name
    nameless = [[made("", "I", 0, 2020 + number, number + 1)] for number in range(2)]
    classes = classify(*nameless, most_pairs=MOST)
    assert (len(classes.went), len(classes.came)) == (1, 1)


def test_the_same_key_in_another_encoding():
    """A compressed point is the same key (RFC 5480 section 2.2): renewed, and the encoding is named as a change."""
    point = KEYS[0].public_key()
    whole, short = (
        point.public_bytes(Encoding.X962, form)
        for form in (PublicFormat.UncompressedPoint, PublicFormat.CompressedPoint)
    )
    before = made("A", "I", 0, 2020, 1)
    info = before.subject_public_key_info
    other = info.replace(b"\x03\x42\x00" + whole, b"\x03\x22\x00" + short)
    other = b"\x30" + bytes([len(other) - 2]) + other[2:]
    assert before.der.count(info) == 1
    tbs = before.tbs_certificate
    shrunk = tbs.replace(info, other)
    shrunk = shrunk[:1] + _length(len(shrunk) - _header(tbs)) + shrunk[_header(tbs) :]
    rest = before.der[_header(before.der) + len(tbs) :]
    after = pk.Certificate.from_der(b"\x30" + _length(len(shrunk) + len(rest)) + shrunk + rest)
    classes = classify([before], [after], most_pairs=MOST)
    assert [change.name for pair in classes.renewed for change in pair.changes] == ["public key"]


def _header(der):
    """The number of octets before the contents of a SEQUENCE."""
    return 2 if der[1] < 128 else 2 + (der[1] & 127)


def _length(number):
    """The octets of a length in DER."""
    return bytes([number]) if number < 128 else bytes([0x81, number]) if number < 256 else b"\x82" + number.to_bytes(2)


@pytest.mark.parametrize("is_critical", [False, True])
def test_nothing_that_changed_stays_hidden(is_critical):
    """An unknown extension, its criticality and a qualifier of a policy are changes, although their words are equal."""
    unknown = x509.ObjectIdentifier("1.2.3.4")
    policy = x509.ObjectIdentifier("1.2.3")
    values = (
        (x509.UnrecognizedExtension(unknown, b"\x05\x00"), x509.UnrecognizedExtension(unknown, b"\x04\x00")),
        (
            x509.CertificatePolicies([x509.PolicyInformation(policy, ["http://a.example"])]),
            x509.CertificatePolicies([x509.PolicyInformation(policy, ["http://b.example"])]),
        ),
    )
    for earlier, later in values:
        one = made("A", "I", 0, 2020, 1, critical(earlier))
        other = made("A", "I", 0, 2020, 1, replace_criticality(critical(later), is_critical))
        (pair,) = check([one], [other]).renewed
        assert len(pair.changes) == 1
        assert pair.changes[0].before != pair.changes[0].after


def replace_criticality(extension, is_critical):
    """The extension, critical or not."""
    return x509.Extension(extension.oid, is_critical, extension.value)


def test_many_certificates(universe):
    """Ten thousand of one subject, issuer and key on each side are compared in linear work: no pair is spent."""
    instants = [START + timedelta(days=number) for number in range(10_000)]
    side = [SimpleNamespace(not_before=one, not_after=one, sha256=str(one)) for one in instants]
    budget = MatchingBudget(0)
    assert match(side, side[::-1], budget) == list(zip(side, side, strict=True))
    assert not budget.is_exhausted
    assert replace(classify(universe, (), most_pairs=0), went=()).used_all_pairs is False
