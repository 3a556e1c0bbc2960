"""The table of CAs and their successors: true of the published certificates, with sources, and only about real keys."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.certificates.successors import CAS, known_ca, known_cas, named_ca, successors_of
from pkcs12kit.retrieval.bundles.published import PUBLISHED

FILES = (
    "fpki-historic.pem",
    "dod-2019.pem",
    "dod-roots-2026-07.pem",
    "fpki-2024-10.p7b",
    "fpki-2025-06.p7b",
    "fcpca.pem",
    "fcpcag2.pem",
)
BY_NAME = {ca.name: ca for ca in CAS}


@pytest.fixture(scope="module")
def published(shared):
    """The published certificates of the Federal and the DoD PKI."""
    return tuple(pk.load_certificates(*(shared / "data" / "fpki" / name for name in FILES)))


def test_every_entry_is_of_a_published_certificate(published):
    """Subject, key identifier and key of each entry are those of certificates that the agencies published."""
    found = {
        (str(one.subject), one.key_identifier.hex(), hashlib.sha256(one.subject_public_key_info).hexdigest())
        for one in published
        if one.key_identifier is not None
    }
    for ca in CAS:
        assert (ca.subject, ca.key_identifier, ca.spki_sha256) in found, ca.name
    assert len({ca.spki_sha256 for ca in CAS}) == len(BY_NAME) == len(CAS)


def test_every_successor_has_a_source_and_a_day(published):
    """Each has a URL and a note, is later than its predecessor, and was there on that day, where its certificate is."""
    for ca in CAS:
        assert ca.bundle in PUBLISHED
        if ca.successor is None:
            continue
        assert ca.successor.source.startswith("https://"), ca.name
        assert ca.successor.note.endswith((".", ").")), ca.name
        assert ca.successor.name != ca.name
        assert date(2012, 1, 1) <= ca.successor.since <= date(2026, 12, 1)
        of_it = [one.not_before.date() for one in published if one.subject.common_name == ca.successor.name]
        if of_it:  # of some, only later certificates are here
            assert min(of_it) >= ca.successor.since, ca.name


@pytest.mark.parametrize(
    ("name", "day", "expected"),
    [
        ("Federal Bridge CA 2016", date(2018, 6, 1), []),
        ("Federal Bridge CA 2016", date(2024, 10, 15), ["Federal Bridge CA G4"]),
        ("Federal Bridge CA", date(2026, 12, 1), [f"Federal Bridge CA {one}" for one in ("2013", "2016", "G4", "G5")]),
        ("DoD Interoperability Root CA 2", date(2026, 9, 13), []),
        ("DoD Interoperability Root CA 2", date(2026, 9, 14), ["DoD Interoperability Root CA 3"]),
        ("Federal Common Policy CA", date(2026, 12, 1), ["Federal Common Policy CA G2"]),
        ("DoD Root CA 3", date(2026, 12, 1), []),  # DoD Root CA 6 stands beside it
        ("DoD Root CA 2", date(2026, 12, 1), ["DoD Root CA 3"]),
    ],
)
def test_successors_by_day(name, day, expected):
    """A successor counts from its first day on, and one that only stands beside another does not replace it."""
    assert [one.name for one in successors_of(BY_NAME[name], day)] == expected


def test_no_circle():
    """Following the successors comes to an end from everywhere."""
    for ca in CAS:
        assert len(successors_of(ca, date.max)) < len(CAS)


def test_a_look_alike_is_not_known(published):
    """A CA with the name, and even with the key identifier, of a real one has another key: nothing is said of it."""
    real = next(one for one in published if one.subject.common_name == "Federal Bridge CA G4")
    lookalike = lab.Authority.create("Federal Bridge CA G4").certificate
    assert list(known_cas([lookalike])) == []
    assert known_ca(lookalike.subject_public_key_info) is None
    assert [ca.name for ca in known_cas([real, lookalike])] == ["Federal Bridge CA G4"]
    assert named_ca(real.subject, real.key_identifier).name == "Federal Bridge CA G4"
    assert named_ca(real.subject, None) is None
    assert named_ca(lookalike.subject, real.key_identifier) is None  # the lab's name has no organization
    assert named_ca(real.subject, bytes(20)) is None
