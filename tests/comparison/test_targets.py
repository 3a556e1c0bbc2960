"""The paths of targets before and after: outcomes, and the certificates each of which decides, found by brute force."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.lab import Edge, Topology, Validity

from ..thoroughness import examples

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EXPIRED = Validity(datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def mesh():
    """Two servers below bridges with parallel, expired and crossing certificates; A' has A's name and another key."""
    around = Validity.around(NOW)
    return Topology.from_edges(
        *(Edge(subject=each[0], issuer=each[1]) for each in ("AT", "AB", "BA", "BT", "CB", "CA", "AT", "BT")),
        Edge(subject="C", issuer="T", validity=EXPIRED),
        Edge(subject="A", issuer="C", path_length=0),
        Edge(subject="A'", issuer="T"),
        Edge(subject="EE", issuer="A"),
        Edge(subject="FF", issuer="C"),
        validity=around,
    )


def compared(mesh, before, after, **given):
    """The comparison of two sides for both servers."""
    targets = [server.certificate for server in mesh.servers.values()]
    return pk.compare_certificates(
        before, after, targets=targets, trust_anchors=mesh.trust_anchor("T"), time=NOW, **given
    )


def has_path(mesh, target, certificates):
    """True if there is a valid path."""
    report = pk.find_paths(target, certificates=certificates, trust_anchors=mesh.trust_anchor("T"), time=NOW)
    return bool(report.valid)


@settings(max_examples=examples(60))
@given(st.data())
def test_outcomes_by_brute_force(mesh, data):
    """Each outcome follows from two searches; decisive are exactly the certificates that give a path when added."""
    pool = list(mesh.pool)
    before, after = (data.draw(st.lists(st.sampled_from(pool), max_size=len(pool))) for _ in range(2))
    comparison = compared(mesh, before, after)
    opposite = compared(mesh, after, before)
    mirror = {"broke": "made", "made": "broke"}
    for one, other in zip(comparison.targets, opposite.targets, strict=True):
        earlier, later = (has_path(mesh, one.target, side) for side in (before, after))
        expected = {(True, False): {"broke"}, (False, True): {"made"}, (False, False): {"none"}}
        assert one.outcome.value in expected.get((earlier, later), {"same", "changed"})
        assert one.may_have_broken == (earlier and not later)
        if one.outcome.value == "same":
            assert one.path_before.certificates == one.path_after.certificates
        assert mirror.get(one.outcome.value, one.outcome.value) == other.outcome.value
        assert (one.missing, one.decisive) == (other.missing, other.decisive)
        if earlier == later:
            assert one.missing == one.decisive == ()
            continue
        lacking, having = (after, before) if earlier else (before, after)
        assert one.all_tried
        assert set(one.decisive) == {
            each for each in set(having) - set(lacking) if has_path(mesh, one.target, [*lacking, each])
        }
        assert one.missing
        assert set(one.missing) <= set(having) - set(lacking)
        assert has_path(mesh, one.target, [*lacking, *one.missing])
    assert comparison.ok == (not comparison.broken)


def test_the_closest_attempt_and_what_is_enough():
    """A bridge that went breaks the path; the report names it, and the issuer that is missing."""
    mesh = Topology.from_edges("EE<A<B<T", "A<C<T", validity=Validity.around(NOW))
    before = mesh.pool
    gone = {mesh.certificate("B", "T"), mesh.certificate("A", "C")}
    comparison = compared(mesh, before, [one for one in before if one not in gone])
    (one,) = comparison.broken
    assert set(one.decisive) == {mesh.certificate("B", "T"), mesh.certificate("A", "C")}
    assert one.closest_after.reason in set(pk.FailureReason)
    assert comparison.to_json()["targets"][0]["after"]["closest"]["reason"] == one.closest_after.reason.value
    assert comparison.to_json()["targets"][0]["after"]["path"] is None


def test_no_single_certificate_is_enough():
    """Two certificates of the only path went: none is decisive, and both are missing."""
    mesh = Topology.from_edges("EE<A<B<T", validity=Validity.around(NOW))
    (one,) = compared(mesh, mesh.pool, ()).targets
    assert one.outcome is pk.PathOutcome.BROKE
    assert one.decisive == ()
    assert one.missing == (mesh.certificate("A", "B"), mesh.certificate("B", "T"))


def test_a_renewal_that_is_not_valid_yet():
    """The certificate was renewed for a later time: renewed in one part of the report, and broke in the other."""
    later = Validity(datetime(2027, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))
    mesh = Topology.from_edges("EE<A<T", Edge(subject="A", issuer="T", validity=later), validity=Validity.around(NOW))
    old, new = mesh.pool
    comparison = compared(mesh, old, new)
    assert [(pair.before, pair.after) for pair in comparison.renewed] == [(old, new)]
    (one,) = comparison.broken
    assert one.decisive == (old,)
    assert one.closest_after.reason is pk.FailureReason.NOT_YET_VALID


def test_other_certificates_count_on_both_sides():
    """With ``certificates`` a path needs only the difference from the sides, and they are not compared."""
    mesh = Topology.from_edges("EE<A<B<T", validity=Validity.around(NOW))
    comparison = compared(mesh, mesh.certificate("B", "T"), (), certificates=mesh.certificate("A", "B"))
    assert comparison.count_before == 1
    assert comparison.broken[0].decisive == (mesh.certificate("B", "T"),)


def test_a_search_that_a_limit_ends_is_undecided(mesh):
    """Whether a path broke is not known then, so the comparison is not ok."""
    limits = replace(pk.DEFAULT_LIMITS, candidate_paths=0)
    comparison = compared(mesh, mesh.pool, mesh.pool, limits=limits)
    assert {one.outcome for one in comparison.targets} == {pk.PathOutcome.UNDECIDED}
    assert not comparison.ok


def test_the_searches_have_a_limit(mesh):
    """Too many targets are an error that names the limit; a search for decisive certificates only ends early."""
    with pytest.raises(pk.LimitExceededError, match=r"limits\.comparison_searches"):
        compared(mesh, mesh.pool, mesh.pool, limits=replace(pk.DEFAULT_LIMITS, comparison_searches=3))
    one = pk.compare_certificates(
        mesh.pool,
        (),
        targets=mesh.servers["EE"].certificate,
        trust_anchors=mesh.trust_anchor("T"),
        time=NOW,
        limits=replace(pk.DEFAULT_LIMITS, comparison_searches=2),
    ).targets[0]
    assert one.outcome is pk.PathOutcome.BROKE
    assert not one.all_tried


def test_targets_need_a_trust_anchor(mesh):
    """The anchor is never guessed."""
    with pytest.raises(pk.ArgumentError, match="targets need trust_anchors"):
        pk.compare_certificates(mesh.pool, (), targets=mesh.servers["EE"].certificate)


def test_a_target_that_cannot_be_read_is_an_error(mesh):
    """Nothing could be said of its path, so it is not passed over in silence."""
    pem = mesh.servers["EE"].certificate.to_pem()
    bad = "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n"
    with pytest.raises(pk.InputError, match="every target must be readable"):
        pk.compare_certificates(
            mesh.pool, (), targets=(pem + bad).encode(), trust_anchors=mesh.trust_anchor("T"), time=NOW
        )


def test_real_lists_of_the_federal_pki(fpki):
    """What the list of June 2025 broke: two CAs of Veterans Affairs, by the end of Verizon SSP CA A2 (checked by hand).

    It renewed DoD Root CA 3, whose certificate had expired, and so made the paths of fourteen DoD CAs.
    """
    before, after = (pk.load_certificates(fpki / name) for name in ("fpki-2024-10.p7b", "fpki-2025-06.p7b"))
    names = {"Veterans Affairs CA B3", "Veterans Affairs User CA B1", "DOD SW CA-67"}
    targets = [one for one in before if one.subject.common_name in names]
    comparison = pk.compare_certificates(
        before, after, targets=targets, trust_anchors=fpki / "fcpcag2.pem", time=datetime(2025, 6, 10, tzinfo=UTC)
    )
    counts = {name: comparison.summary[name] for name in ("came", "went", "renewed", "rekeyed", "unchanged")}
    assert counts == {"came": 18, "went": 25, "renewed": 11, "rekeyed": 0, "unchanged": 110}
    found = {one.target.label: (one.outcome.value, [each.label for each in one.decisive]) for one in comparison.targets}
    assert found == {
        "Veterans Affairs CA B3": ("broke", ["Verizon SSP CA A2"]),
        "Veterans Affairs User CA B1": ("broke", ["Verizon SSP CA A2"]),
        "DOD SW CA-67": ("made", ["DoD Root CA 3"]),
    }
