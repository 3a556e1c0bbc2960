"""Pictures as values: their nodes and edges, the state of each, and an order that depends only on them."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.display.pictures import EdgeState, picture_of_path, picture_of_pool, picture_of_report
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.failure import Failure
from pkcs12kit.paths.report import PathReport, RejectedPath
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.sources.loading import load_certificate, load_certificates, load_trust_anchors

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
PAST = lab.Validity.around(AT, days_before=90, days_after=-1)
FUTURE = lab.Validity.around(AT, days_before=-1, days_after=90)


def build(*edges):
    """Make a topology around the time of the searches."""
    return lab.Topology.from_edges(*edges, validity=SPAN)


def search(topology, *, at=AT):
    """Search from EE to TA."""
    return find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=at),
    )


def drawn(picture):
    """Write each certificate as ``subject<issuer`` with its state, self-signed ones too."""
    labels = {node.id: node.label for node in picture.nodes}
    return {(f"{labels[edge.subject]}<{labels[edge.issuer]}", edge.state.name) for edge in picture.edges}


def test_states_of_certificates_in_a_report():
    """The best path, another one, an expired and a not yet valid certificate, each by its state (RFC 5280 6.1.3)."""
    topology = build(
        "EE<B<TA",
        "EE<B<A<TA",
        lab.Edge(subject="B", issuer="C", validity=PAST),
        lab.Edge(subject="B", issuer="D", validity=FUTURE),
        "C<TA",
        "D<TA",
    )
    picture = picture_of_report(search(topology))
    found = drawn(picture)
    assert found >= {("EE<B", "CHOSEN"), ("B<TA", "CHOSEN"), ("B<A", "VALID"), ("A<TA", "VALID")}
    assert ("B<C", "EXPIRED") in found
    assert ("B<D", "NOT_YET_VALID") in found
    (expired,) = (edge for edge in picture.edges if edge.state is EdgeState.EXPIRED)
    assert "RFC 5280 section 6.1.3 (a)(2)" in expired.reasons[0]
    assert picture.time == AT


def test_a_refused_certificate_says_why():
    """A reason and its section come with the edge; on a valid path the refusal elsewhere is a remark, not its state."""
    topology = build("EE<B<TA")
    path = search(topology).best
    certificate = path.certificates[1]
    failure = Failure(
        reason=FailureReason.NAME_CONSTRAINTS,
        certificate=certificate,
        section="RFC 5280 section 6.1.3 (b)",
        detail="no",
    )
    rejected = RejectedPath(certificates=path.certificates, failures=(failure,))
    anchors = [topology.trust_anchor("TA")]
    alone = picture_of_report(PathReport(target=path.target, valid=(), rejected=(rejected,)), trust_anchors=anchors)
    assert ("B<TA", "REJECTED") in drawn(alone)
    beside = picture_of_report(PathReport(target=path.target, valid=(path,), rejected=(rejected,)))
    assert ("B<TA", "CHOSEN") in drawn(beside)
    for picture in (alone, beside):
        assert [edge.reasons for edge in picture.edges if edge.reasons] == [("no [RFC 5280 section 6.1.3 (b)]",)]


def test_what_is_refused_and_expired_is_expired():
    """Of two things that are wrong with a certificate the time is shown; the other is its reason all the same."""
    topology = build("EE<B", lab.Edge(subject="B", issuer="A", validity=PAST), "X<TA")
    report = search(topology)
    failures = [failure for one in report.rejected for failure in one.failures]
    (missing,) = (failure for failure in failures if failure.reason is FailureReason.ISSUER_NOT_FOUND)
    picture = picture_of_report(report)
    (edge,) = (edge for edge in picture.edges if edge.sha256 == missing.certificate.sha256)
    assert edge.state is EdgeState.EXPIRED
    assert any(missing.section in reason for reason in edge.reasons)


def test_an_anchor_that_no_valid_path_leads_to():
    """Where all is expired, the anchor that was asked for is still one; a bare one that issued nothing is left out."""
    topology = build("EE<B", lab.Edge(subject="B", issuer="TA", validity=PAST))
    elsewhere = TrustAnchor.from_certificate(lab.Authority.create("Elsewhere").certificate)
    bare = TrustAnchor(name=elsewhere.name, subject_public_key_info=elsewhere.subject_public_key_info)
    anchors = [topology.trust_anchor("TA"), bare]
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=anchors,
        parameters=ValidationParameters(time=AT),
    )
    assert report.valid == ()
    assert report.trust_anchors == tuple(anchors)
    nodes = {node.label: node.is_trust_anchor for node in picture_of_report(report).nodes}
    assert nodes == {"TA": True, "B": False, "EE": False}


def test_a_node_is_a_subject_with_its_key():
    """A CA with two keys is two nodes, distinguished by their keys (RFC 4158 section 1.3 has this graph)."""
    topology = build("EE<B<TA", "F<B'<TA")
    picture = picture_of_pool(topology.pool, trust_anchors=[topology.trust_anchor("TA")], time=AT)
    rekeyed = [node for node in picture.nodes if node.label == "B"]
    assert len({node.key for node in rekeyed}) == len(rekeyed) == 2
    assert all(node.key is None for node in picture.nodes if node.label != "B")


def test_issuers_are_known_by_signature():
    """An issuer's name with another key has signed nothing: the certificate hangs on the key that signed it."""
    topology = build("X<B<TA", "Y<B'<TA", "EE<X", "EE<Y")
    picture = picture_of_pool(topology.pool, trust_anchors=[topology.trust_anchor("TA")], time=AT)
    by_id = {node.id: node for node in picture.nodes}
    keys = {
        by_id[edge.subject].label: by_id[edge.issuer].key for edge in picture.edges if by_id[edge.subject].label in "XY"
    }
    for label, issuer in (("X", "B"), ("Y", "B'")):
        identifier = topology.authorities[issuer].certificate.key_identifier
        assert keys[label] == identifier.hex()[:8]


def test_loops_parallel_and_self_signed_certificates_are_edges_of_their_own():
    """Cross-certificates both ways, two for one subject by one issuer, and a node that leads to itself."""
    topology = build("A<TA", "B<A", "A<B", lab.Edge(subject="B", issuer="A", serial_number=99), "B<B", "EE<B")
    picture = picture_of_pool(topology.pool, trust_anchors=[topology.trust_anchor("TA")], time=AT)
    labels = {node.id: node.label for node in picture.nodes}
    pairs = sorted(f"{labels[edge.subject]}<{labels[edge.issuer]}" for edge in picture.edges)
    assert pairs == ["A<B", "A<TA", "B<A", "B<A", "B<B", "TA<TA"]
    assert [labels[edge.subject] for edge in picture.edges if edge.is_self_signed] == ["TA", "B"]


def test_an_issuer_that_is_not_there_is_a_node():
    """The certificates that name it hang below it; it is marked, and is not a trust anchor."""
    topology = build("EE<B<A<TA")
    pool = CertificatePool([topology.certificate("B", "A")])
    picture = picture_of_pool(pool, trust_anchors=[topology.trust_anchor("TA")], time=AT)
    assert {(node.label, node.is_missing, node.is_trust_anchor) for node in picture.nodes} == {
        ("TA", False, True),
        ("A", True, False),
        ("B", False, False),
    }


def test_a_path():
    """Target, anchor, and each certificate on it; one that is past at the time that is asked for is expired."""
    topology = build("EE<B<TA")
    path = search(topology).best
    picture = picture_of_path(path)
    assert drawn(picture) >= {("EE<B", "CHOSEN"), ("B<TA", "CHOSEN")}
    assert [node.label for node in picture.nodes if node.is_target] == ["EE"]
    assert [node.label for node in picture.nodes if node.is_trust_anchor] == ["TA"]
    later = picture_of_path(path, time=datetime(2036, 1, 1, tzinfo=UTC))
    assert {state for _, state in drawn(later)} == {"EXPIRED"}


def test_an_anchor_without_certificate():
    """A name and a key are a node, which issued the certificates that its key signed (RFC 5280 section 6.1.1 (d))."""
    topology = build("EE<B<TA")
    whole = topology.trust_anchor("TA")
    bare = TrustAnchor(name=whole.name, subject_public_key_info=whole.subject_public_key_info)
    picture = picture_of_pool(topology.pool, trust_anchors=[bare], time=AT)
    assert drawn(picture) == {("B<TA", "OTHER")}


def test_the_time_has_a_zone():
    """A naive time is refused, as everywhere."""
    with pytest.raises(ValueError, match="time zone"):
        picture_of_pool(CertificatePool(), time=datetime(2024, 1, 1))  # noqa: DTZ001 - that is what is tested


def test_the_limit_keeps_what_matters_most():
    """Of more certificates than ``picture_certificates`` the nearest to the anchors stay, and the picture says so."""
    topology = build("EE<B<A<TA", "X<B", "Y<B", "F<X", "F<Y")
    anchors = [topology.trust_anchor("TA")]
    at_limit = replace(DEFAULT_LIMITS, picture_certificates=len(topology.pool))
    assert picture_of_pool(topology.pool, trust_anchors=anchors, time=AT, limits=at_limit).left_out is None
    limits = replace(DEFAULT_LIMITS, picture_certificates=2)
    picture = picture_of_pool(topology.pool, trust_anchors=anchors, time=AT, limits=limits)
    assert {name for name, _ in drawn(picture)} == {"A<TA", "B<A", "TA<TA"}
    assert picture.left_out == "2 of 4 certificates are left out (picture_certificates)"
    report = picture_of_report(search(topology), limits=limits)
    assert {name for name, _ in drawn(report)} == {"EE<B", "B<A", "TA<TA"}


def test_signature_checks_are_limited():
    """Where no more signatures may be checked, key identifiers say who issued what."""
    topology = build("EE<B<TA", "F<B'<TA")
    certificates = [topology.certificate("B", "TA"), topology.certificate("B'", "TA")]
    limits = replace(DEFAULT_LIMITS, signature_checks=0)
    picture = picture_of_pool(
        CertificatePool(certificates), trust_anchors=[topology.trust_anchor("TA")], time=AT, limits=limits
    )
    assert drawn(picture) == {("B<TA", "OTHER"), ("TA<TA", "OTHER")}


@pytest.fixture(scope="module")
def of_2024(fpki):
    """The Federal PKI of October 2024: pool, anchors, time."""
    return (
        load_certificates(fpki / "fpki-2024-10.p7b"),
        load_trust_anchors(fpki / "fcpcag2.pem"),
        datetime(2024, 10, 15, tzinfo=UTC),
    )


def test_the_federal_pki(of_2024):
    """All 146 certificates, none with a missing issuer, the anchor first."""
    pool, anchors, time = of_2024
    picture = picture_of_pool(pool, trust_anchors=anchors, time=time)
    assert len(picture.edges) == 146
    assert not any(node.is_missing for node in picture.nodes)
    assert picture.nodes[0].is_trust_anchor
    assert len({(edge.issuer, edge.subject, edge.sha256) for edge in picture.edges}) == 146


def test_the_order_of_a_pool_does_not_matter(of_2024):
    """Any order of the same certificates gives the same picture."""
    pool, anchors, time = of_2024
    first = picture_of_pool(pool, trust_anchors=anchors, time=time)
    shuffled = list(pool)
    random.Random(7).shuffle(shuffled)  # noqa: S311 - the same order in every run
    assert picture_of_pool(CertificatePool(shuffled), trust_anchors=anchors, time=time) == first
    few = replace(DEFAULT_LIMITS, picture_certificates=40)
    assert picture_of_pool(CertificatePool(shuffled), trust_anchors=anchors, time=time, limits=few) == picture_of_pool(
        pool, trust_anchors=anchors, time=time, limits=few
    )


def test_the_reference_report_of_2018(fpki):
    """Eight certificates of it are refused as expired, and the four valid paths have seven together."""
    report = find_paths(
        load_certificate(fpki / "dod-id-sw-ca-37.pem"),
        pool=load_certificates(fpki / "fpki-historic.pem", fpki / "dod-2019.pem"),
        trust_anchors=load_trust_anchors(fpki / "fcpca.pem"),
        parameters=ValidationParameters(time=datetime(2018, 6, 1, tzinfo=UTC)),
    )
    picture = picture_of_report(report)
    states = [edge.state for edge in picture.edges]
    assert {state: states.count(state) for state in set(states)} == {
        EdgeState.CHOSEN: 4,
        EdgeState.VALID: 3,
        EdgeState.EXPIRED: 8,
        EdgeState.OTHER: 1,  # the anchor's own
    }
    assert [node.label for node in picture.nodes if node.is_missing] == ["Federal Bridge CA", "IdenTrust ACES CA 1"]
    whole = picture_of_pool(
        load_certificates(fpki / "fpki-historic.pem", fpki / "dod-2019.pem"),
        trust_anchors=load_trust_anchors(fpki / "fcpca.pem"),
        time=datetime(2018, 6, 1, tzinfo=UTC),
        report=report,
    )
    assert [edge.state for edge in whole.edges].count(EdgeState.CHOSEN) == 4
    assert len(whole.edges) > len(picture.edges)
