"""The cross-certificates of a CA whose paths are asked for: all of them, and where each leads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk

from ..thoroughness import examples
from .test_search_properties import EDGES, PARAMETERS, world  # noqa: F401  # the fixture

AT = datetime(2026, 3, 1, tzinfo=UTC)


@settings(max_examples=examples(120), deadline=None)
@given(edges=EDGES, label=st.sampled_from(["A", "B", "B'", "C"]), data=st.data())
def test_all_of_the_pool_each_with_its_own_answer(world, edges, label, data):  # noqa: F811
    """Those with the same subject (RFC 5280 section 7.1) and key and another issuer; each leads where its search says.

    The target is the self-signed certificate of a CA, or one of its cross-certificates.
    """
    authorities, certificates, _ = world
    pool = [certificates[edge] for edge in edges]
    own = authorities[label].certificate
    target = data.draw(st.sampled_from([own, *(one for one in pool if one.node == own.node)]))
    asked = {"trust_anchors": [authorities["TA"].certificate], "parameters": PARAMETERS, "certificates": pool}
    report = pk.find_paths(target, **asked)
    same = {one for one in pool if one.subject == target.subject and one != target}
    crossed = {one for one in same if one.node == target.node and one.issuer != one.subject}
    assert {one.certificate for one in report.cross_certificates} == (crossed if target.is_ca else set())
    assert set(report.same_name_other_key) == ({one for one in same if one.node != target.node})
    searched = target.is_self_issued or not report.valid
    for one in report.cross_certificates:
        alone = pk.find_paths(one.certificate, **asked, at_most=1)
        assert one.searched == searched
        assert one.leads_to_anchor == (bool(alone.valid) if searched else None)
        if searched:
            assert one.path == (alone.best if alone.valid else None)
            assert one.closest == (None if alone.valid else alone.rejected[0])
    leads = [one.leads_to_anchor for one in report.cross_certificates]
    assert leads == sorted(leads, key=lambda one: not one)


@pytest.fixture(scope="module")
def crossed():
    """A root X, signed by itself and by A, twice; another X with another key; EE below X."""
    ended = pk.lab.Validity.around(AT, days_after=-1)
    return pk.lab.Topology.from_edges(
        "EE<X<X",
        "X<A<TA",
        pk.lab.Edge(subject="X", issuer="A", validity=ended),
        "X<Y",
        "X'<A",
        validity=pk.lab.Validity.around(AT),
    )


def asked(topology, **more):
    """The keywords of a search in a topology."""
    return {"certificates": topology.pool, "trust_anchors": [topology.trust_anchor("TA")], "time": AT, **more}


def test_a_self_signed_root_names_them(crossed):
    """The one that leads first, then why the others do not; the look-alike is not among them."""
    report = pk.find_paths(crossed.certificate("X", "X"), **asked(crossed))
    assert not report.valid
    first, *others = report.cross_certificates
    assert first.certificate == crossed.certificate("X", "A")
    assert (first.state, first.leads_to_anchor, len(first.path.certificates)) == ("valid", True, 2)
    assert {(one.certificate.issuer.label, one.state, one.closest.reason.value) for one in others} == {
        ("A", "expired", "expired"),
        ("Y", "valid", "issuer-not-found"),
    }
    assert report.same_name_other_key == (crossed.certificate("X'", "A"),)
    assert "can begin only with a cross-certificate" in report.rejected[0].detail
    with pytest.raises(pk.NoValidPathError) as error:
        pk.find_path(crossed.certificate("X", "X"), **asked(crossed))
    assert error.value.report.cross_certificates == report.cross_certificates


def test_the_anchor_and_its_twin(crossed):
    """Of the anchor's own certificate they are named as well, and of another one with its name and key."""
    anchor = crossed.certificate("X", "X")
    given_ = asked(crossed, trust_anchors=[anchor])
    report = pk.find_paths(anchor, **given_)
    assert report.valid
    assert len(report.cross_certificates) == 3
    assert not any(one.leads_to_anchor for one in report.cross_certificates)
    twin = crossed.authorities["X"].issue_ca(crossed.authorities["X"], validity=pk.lab.Validity.around(AT))
    assert twin.node == anchor.node
    other = pk.find_paths(twin, **given_)
    assert not other.valid
    assert len(other.cross_certificates) == 3


def test_a_cross_certificate_names_the_others(crossed):
    """With a valid path nothing more is searched; without one the others are."""
    report = pk.find_paths(crossed.certificate("X", "A"), **asked(crossed))
    assert report.valid
    assert [one.leads_to_anchor for one in report.cross_certificates] == [None, None]
    report = pk.find_paths(crossed.certificate("X", "Y"), **asked(crossed))
    assert not report.valid
    assert [one.leads_to_anchor for one in report.cross_certificates] == [True, False]


def test_a_server_has_none(crossed):
    """A renewed server certificate with the same key is not a cross-certificate."""
    server = crossed.servers["EE"]
    again = crossed.authorities["X"].issue_server("EE", private_key=server.private_key).certificate
    report = pk.find_paths(server.certificate, **asked(crossed, certificates=[*crossed.pool, again]))
    assert report.cross_certificates == report.same_name_other_key == ()


def test_the_limit(crossed):
    """Those beyond the limit are named, and their answer is not known: never a no that was not found."""
    limits = replace(pk.DEFAULT_LIMITS, cross_certificates=1)
    report = pk.find_paths(crossed.certificate("X", "X"), **asked(crossed), limits=limits)
    assert [one.leads_to_anchor for one in report.cross_certificates].count(None) == 2
    assert len(report.cross_certificates) == 3


def test_an_exhausted_search_is_no_answer(crossed):
    """A search that was given up says neither yes nor no."""
    limits = replace(pk.DEFAULT_LIMITS, discovery_steps=2)
    report = pk.find_paths(crossed.certificate("X", "X"), **asked(crossed), limits=limits)
    found = [one.leads_to_anchor for one in report.cross_certificates if one.state == "valid"]
    assert found == [None, False]  # above the other one there is nothing: that search is complete


def test_a_target_by_its_fingerprint(crossed):
    """In Python too, the target may be named by the fingerprint of one in the pool."""
    one = crossed.certificate("X", "A")
    assert pk.find_paths(one.sha256[:12], **asked(crossed)).target == one
    with pytest.raises(pk.InputError, match="begins so"):
        pk.find_path("0" * 20, **asked(crossed))
