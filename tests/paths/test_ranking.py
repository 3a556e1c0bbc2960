"""The order of valid paths, comparison by comparison (RFC 4158 section 3 leaves it to the implementation)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.ranking import longest_lasting, shortest, why_before
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def validity(before: int, after: int) -> lab.Validity:
    """Span so many days before and after now."""
    return lab.Validity(NOW - timedelta(days=before), NOW + timedelta(days=after))


def serial_numbers(*parallel: lab.Edge, more: tuple[str | lab.Edge, ...] = ()) -> list[list[int]]:
    """Find the paths EE<B<A<TA with parallel certificates for B, and list their serial numbers from B up."""
    base = (
        lab.Edge(subject="EE", issuer="B", validity=validity(10, 900)),
        lab.Edge(subject="A", issuer="TA", validity=validity(10, 900), serial_number=100),
    )
    topology = lab.Topology.from_edges(*base, *parallel, *more, validity=validity(10, 900))
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=NOW),
    )
    return [[certificate.serial_number for certificate in path.certificates[1:]] for path in report.valid]


def cross(serial_number: int, before: int, after: int) -> lab.Edge:
    """Certify B by A."""
    return lab.Edge(subject="B", issuer="A", validity=validity(before, after), serial_number=serial_number)


def test_what_lasts_longest_comes_first():
    """EE<B<A<TA, three times: the earliest expiry of a path decides, before anything else."""
    assert serial_numbers(cross(1, 1, 100), cross(2, 9, 300), cross(3, 5, 200)) == [[2, 100], [3, 100], [1, 100]]


def test_then_fewest_certificates():
    """EE<B<TA before EE<B<A<TA where both end with the same certificate."""
    end = 50
    short = lab.Edge(subject="B", issuer="TA", validity=validity(1, end), serial_number=7)
    assert serial_numbers(cross(1, 1, end), more=(short,)) == [[7], [1, 100]]


@pytest.mark.parametrize("attempt", range(6))
def test_then_the_newer(attempt):
    """Both end with the certificate of A; the newer of B's comes first, whatever the fingerprints of this attempt."""
    ends_first = lab.Edge(subject="A", issuer="TA", validity=validity(9, 20), serial_number=50)
    found = serial_numbers(cross(1, 8, 500), cross(2, 3, 400), more=(ends_first,))
    through_it = [path for path in found if path[-1] == 50]
    assert through_it == [[2, 50], [1, 50]], attempt


def test_at_last_by_fingerprint():
    """Two certificates that differ in nothing that is compared still have one order, for any order of the pool."""
    assert len(serial_numbers(cross(1, 5, 100), cross(2, 5, 100))) == 2


# What put a path before the next, and other rankings


def search(topology: lab.Topology, **options: object):
    """Search from EE to TA."""
    return find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=NOW),
        **options,
    )


def short_and_lasting() -> lab.Topology:
    """TA -> B -> EE until 50 days from now, and TA -> A -> B -> EE until 400."""
    short = lab.Edge(subject="B", issuer="TA", validity=validity(1, 50))
    return lab.Topology.from_edges("EE<B", short, "B<A<TA", validity=validity(10, 400))


def test_each_path_but_the_last_says_what_put_it_before_the_next():
    """The comparison that decided, with both values; in JSON beside the path, null for the last."""
    report = search(short_and_lasting())
    assert report.before_next == ("lasts until 2027-07-06, the next until 2026-07-21",)
    assert [path["before_next"] for path in report.to_json()["paths"]] == [*report.before_next, None]
    only = search(lab.Topology.from_edges("EE<TA", validity=validity(10, 400)))
    assert only.before_next == ()


def test_the_shortest_first():
    """``shortest`` turns the first two comparisons round, and says so."""
    topology = short_and_lasting()
    report = search(topology, ranking=shortest)
    assert [topology.draw(path) for path in report.valid] == ["EE<B<TA", "EE<B<A<TA"]
    assert report.before_next == ("has 2 certificates below the trust anchor, the next 3",)
    best = find_path(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=NOW),
        ranking=shortest,
    )
    assert best == report.best


def oldest_target_issuer(path) -> float:
    """Rank by the notBefore of the first issuer."""
    return path.certificates[1].not_before.timestamp()


def test_any_function_is_a_ranking():
    """The one that expires first, if somebody wants that: it decides, and its values are quoted."""
    topology = short_and_lasting()
    report = search(topology, ranking=lambda path: path.expires.year)
    assert topology.draw(report.best) == "EE<B<TA"
    assert report.before_next == ("is better by the ranking given: 2026, the next 2027",)
    long = search(topology, ranking=lambda path: (path.expires, "x" * 100))
    assert long.before_next == ("is better by the ranking given",)
    stable = search(topology, ranking=oldest_target_issuer)
    assert topology.draw(stable.best) == "EE<B<A<TA"


def test_what_a_ranking_holds_equal_comes_in_the_default_order():
    """Every path is as good: the list of comparisons decides, and is quoted."""
    topology = short_and_lasting()
    report = search(topology, ranking=lambda _: 0)
    assert report.valid == search(topology).valid
    assert report.before_next == ("is equal by the ranking given; lasts until 2027-07-06, the next until 2026-07-21",)


def test_each_comparison_has_its_sentence():
    """Length, age and fingerprint, where what is compared before is equal; one path with itself differs in nothing."""
    ends = validity(9, 20)
    topology = lab.Topology.from_edges(
        lab.Edge(subject="EE", issuer="B", validity=ends),
        lab.Edge(subject="B", issuer="A", validity=validity(3, 400), serial_number=1),
        lab.Edge(subject="B", issuer="A", validity=validity(8, 500), serial_number=2),
        lab.Edge(subject="B", issuer="A", validity=validity(8, 600), serial_number=3),
        lab.Edge(subject="B", issuer="TA", validity=validity(8, 600), serial_number=4),
        "A<TA",
        validity=validity(10, 700),
    )
    report = search(topology)
    assert [path.certificates[1].serial_number for path in report.valid][:2] == [4, 1]
    by_length, by_age, by_fingerprint = report.before_next
    assert by_length == "has 2 certificates below the trust anchor, the next 3"
    assert by_age == "has the newer certificate for B: from 2026-05-29, the next from 2026-05-24"
    second, third = report.valid[2:]
    assert second.certificates[1].sha256[:8] in by_fingerprint
    assert third.certificates[1].sha256[:8] in by_fingerprint
    assert why_before(second, second) == "is the same path"


def test_the_same_day_is_said_to_the_second():
    """Dates alone would not tell the two apart."""
    topology = lab.Topology.from_edges(
        "EE<B",
        lab.Edge(subject="B", issuer="TA", validity=lab.Validity(NOW, NOW + timedelta(days=5))),
        lab.Edge(subject="B", issuer="TA", validity=lab.Validity(NOW, NOW + timedelta(days=5, seconds=1))),
        validity=validity(10, 700),
    )
    assert search(topology).before_next == ("lasts until 2026-06-06T00:00:01Z, the next until 2026-06-06T00:00:00Z",)


def test_strength_has_its_sentence():
    """P-384 above P-256, all else equal: bits of security (NIST SP 800-57 part 1)."""
    at = {"validity": validity(10, 400)}
    anchor, below = lab.Authority.create("TA", **at), lab.Authority.create("B", **at)
    strong, weak = (
        lab.Authority.create(name, key_type=kind, **at)
        for name, kind in (("A", lab.KeyType.EC_P256), ("C", lab.KeyType.RSA_2048))
    )
    pool = [anchor.issue_ca(strong), anchor.issue_ca(weak), strong.issue_ca(below), weak.issue_ca(below)]
    report = find_paths(
        below.issue_server("EE", **at).certificate,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=ValidationParameters(time=NOW),
    )
    assert report.before_next == ("has 128 bits of security at its weakest, the next 112",)


@pytest.mark.parametrize("ranking", [longest_lasting, shortest])
def test_the_reasons_agree_with_the_order(ranking):
    """For every pair in the order of the ranking, the sentence is about a comparison of its list."""
    topology = lab.Topology.from_edges(
        "EE<B",
        *(lab.Edge(subject="B", issuer="TA", validity=validity(1, days)) for days in (5, 50)),
        *(lab.Edge(subject="B", issuer="A", validity=validity(2, days)) for days in (5, 500)),
        "A<TA",
        validity=validity(10, 700),
    )
    report = search(topology, ranking=ranking)
    assert list(report.valid) == sorted(report.valid, key=ranking)
    assert len(report.before_next) == 3
    assert all(sentence.startswith(("lasts", "has")) for sentence in report.before_next)


# The end of the trust anchor


def lasting_differently():
    """Certify B twice by an anchor that has expired: for a week, and for 600 days. The server ends in 85 days."""
    old = lab.Authority.create("TA", validity=validity(5000, -60))
    below = lab.Authority.create("B", validity=validity(100, 600))
    pool = [
        old.issue_ca(below, serial_number=number, validity=validity(before, after))
        for number, before, after in ((2001, 10, 7), (2002, 100, 600))
    ]
    target = below.issue_server("EE", validity=validity(10, 85)).certificate
    return target, pool, TrustAnchor.from_certificate(old.certificate)


def test_an_anchor_whose_validity_is_ignored_does_not_hide_what_lasts_longer():
    """RFC 5280 section 6.1.1 (d): a trust anchor is a name and a key. Its end would be the first of every path."""
    target, pool, anchor = lasting_differently()
    where = {"pool": CertificatePool(pool), "trust_anchors": [anchor]}
    report = find_paths(target, parameters=ValidationParameters(time=NOW, check_trust_anchor_validity=False), **where)
    assert [path.certificates[1].serial_number for path in report.valid] == [2002, 2001]
    assert [path.expires for path in report.valid] == [target.not_after, pool[0].not_after]
    assert report.before_next == ("lasts until 2026-08-25, the next until 2026-06-08",)
    assert report.to_json()["paths"][0]["expires"] == "2026-08-25T00:00:00Z"
    assert not find_paths(target, parameters=ValidationParameters(time=NOW), **where).valid


def test_an_anchor_whose_validity_is_checked_counts_as_before():
    """The anchor ends first on both paths, so that the newer certificate of B decides, though it ends sooner."""
    old, below = (lab.Authority.create(name, validity=validity(100, days)) for name, days in (("TA", 5), ("B", 600)))
    pool = [
        old.issue_ca(below, serial_number=days, validity=validity(before, days)) for before, days in ((1, 7), (9, 600))
    ]
    report = find_paths(
        below.issue_server("EE", validity=validity(10, 85)).certificate,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(old.certificate)],
        parameters=ValidationParameters(time=NOW),
    )
    assert [path.certificates[1].serial_number for path in report.valid] == [7, 600]
    assert {path.expires for path in report.valid} == {old.certificate.not_after}


def named(issuer: lab.Authority, serial_number: int, *, key: bool = True):
    """Name the certificate of ``issuer``'s key that has this serial number, issued by TA."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(issuer.private_key.public_key()).digest if key else None
    names = [x509.DirectoryName(lab.authority.as_name("TA"))]
    return lab.non_critical(x509.AuthorityKeyIdentifier(identifier, names, serial_number))


@pytest.mark.parametrize("key", [True, False])
@pytest.mark.parametrize("ranking", [longest_lasting, shortest])
def test_the_certificate_that_the_authority_key_identifier_names_comes_first(key, ranking):
    """Of two certificates of B, #2010 is named and ends sooner; where it has expired, the other one is still found."""
    root, below = (lab.Authority.create(name, validity=validity(400, 3000)) for name in ("TA", "B"))
    soon, late, gone = (
        root.issue_ca(below, serial_number=number, validity=validity(50, after))
        for number, after in ((2010, 100), (2008, 900), (2010, -5))
    )
    target = below.issue_server("EE", validity=validity(10, 1500), extensions=[named(below, 2010, key=key)]).certificate

    def serial_numbers_of(*pool):
        report = find_paths(
            target,
            pool=CertificatePool(pool),
            trust_anchors=[TrustAnchor.from_certificate(root.certificate)],
            parameters=ValidationParameters(time=NOW),
            ranking=ranking,
        )
        return [path.certificates[1].serial_number for path in report.valid], report.before_next

    assert serial_numbers_of(late, soon) == (
        [2010, 2008],
        ("has the certificates that authorityKeyIdentifiers name; in the next, EE names another",),
    )
    assert serial_numbers_of(late, gone) == ([2008], ())
