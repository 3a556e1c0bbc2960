"""Pools that are large: thousands of certificates of one name, chains of a hundred, a mesh. The work is a budget."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime

import pytest
from cryptography import x509

from pkcs12kit import (
    DEFAULT_LIMITS,
    CertificatePool,
    FailureReason,
    TrustAnchor,
    ValidationParameters,
    find_path,
    find_paths,
    lab,
)
from pkcs12kit.lab.extensions import authority_key_identifier, subject_key_identifier
from pkcs12kit.paths.signatures import REMEMBERED

from ..thoroughness import mostly_slow

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEVER_MIND = ValidationParameters(time=AT)
SPAN = lab.Validity.around(AT)
CA = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
CROWD = 2000


def within(pool, **limits):
    """Allow a few steps a certificate, and no signature twice."""
    figures = {"discovery_steps": 10 * len(pool), "candidate_paths": len(pool) + 10, "signature_checks": 2 * len(pool)}
    return dataclasses.replace(DEFAULT_LIMITS, **{**figures, **limits})


def search(target, pool, anchor, **limits):
    """Search for every path within a budget that grows with the pool; nothing is remembered from before."""
    REMEMBERED.forget()
    return find_paths(
        target,
        pool=pool,
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
        limits=within(pool, **limits),
    )


# Thousands of certificates of one subject name


@pytest.fixture(scope="module")
def crowd():
    """TA -> B 2,000 times, each with a key of its own: keys, then certificates with key identifiers, and without."""
    anchor, issuer = (lab.Authority.create(label, validity=SPAN) for label in ("TA", "B"))
    keys = [issuer.private_key, *(lab.KeyType.EC_P256.generate() for _ in range(CROWD - 1))]
    hint = lab.non_critical(authority_key_identifier(anchor.private_key.public_key()))
    hinted, bare = [], []
    for key in keys:
        public_key = key.public_key()
        identified = lab.non_critical(subject_key_identifier(public_key))
        hinted.append(anchor.issue(issuer.name, public_key, extensions=[CA, identified, hint]))
        bare.append(anchor.issue(issuer.name, public_key, extensions=[CA]))
    return anchor, issuer, {"with key identifiers": hinted, "without key identifiers": bare}


def below(issuer, kind):
    """Issue a target that names its issuer's key or does not."""
    if kind == "with key identifiers":
        return issuer.issue_server("www.example.com").certificate
    return issuer.issue("EE", lab.KeyType.EC_P256.generate().public_key())


@pytest.mark.parametrize(
    "kind", ["with key identifiers", pytest.param("without key identifiers", marks=pytest.mark.slow)]
)
def test_one_of_two_thousand_keys_of_one_name_is_the_issuers(crowd, kind):
    """RFC 4158 section 3.5.12: a CA rekeyed 2,000 times; only the signature decides, once a key at the most."""
    anchor, issuer, certificates = crowd
    own, *_ = certificates[kind]
    target = below(issuer, kind)
    pool = CertificatePool(random.Random(1).sample(certificates[kind], CROWD))  # noqa: S311  # an order, not a secret
    report = search(target, pool, anchor)
    assert [path.certificates for path in report.valid] == [(target, own)]
    assert report.incomplete is None
    REMEMBERED.forget()
    anchors = [TrustAnchor.from_certificate(anchor.certificate)]
    best = find_path(target, pool=pool, trust_anchors=anchors, parameters=NEVER_MIND, limits=within(pool))
    assert best.certificates == (target, own)


@pytest.mark.parametrize(
    "kind", ["with key identifiers", pytest.param("without key identifiers", marks=pytest.mark.slow)]
)
def test_none_of_two_thousand_keys_of_one_name_is_the_issuers(crowd, kind):
    """The one key that signed is not there: that is a verdict; nothing was left out."""
    anchor, issuer, certificates = crowd
    target = below(issuer, kind)
    pool = CertificatePool(certificates[kind][1:])
    report = search(target, pool, anchor)
    assert report.valid == ()
    assert report.incomplete is None


def renewed(count):
    """Certify one CA so many times by TA, a minute longer each time, and issue a server below it."""
    anchor, issuer = (lab.Authority.create(label, validity=SPAN) for label in ("TA", "B"))
    certificates = [
        anchor.issue_ca(
            issuer, validity=lab.Validity.around(AT, days_after=9 + number / 1440), serial_number=number + 1
        )
        for number in range(count)
    ]
    return anchor, issuer.issue_server("www.example.com").certificate, certificates


@pytest.mark.slow
def test_two_thousand_certificates_of_one_key_are_as_many_paths():
    """TA => B -> EE, 2,000 certificates renewed with one key: the hundred that last longest, in order; two checks."""
    anchor, target, certificates = renewed(CROWD)
    pool = CertificatePool(random.Random(1).sample(certificates, CROWD))  # noqa: S311  # an order, not a secret
    report = search(target, pool, anchor)
    assert [path.certificates[1].serial_number for path in report.valid] == [*range(CROWD, CROWD - 100, -1)]
    assert "valid_paths" in report.incomplete
    REMEMBERED.forget()
    best = find_path(
        target,
        pool=pool,
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
        limits=within(pool, signature_checks=2, candidate_paths=1),
    )
    assert best.certificates == report.best.certificates


@pytest.mark.slow
def test_the_good_one_of_two_thousand_parallel_certificates_is_found_at_the_last_rank():
    """The 1,999 that last longer exclude the target's name, each for itself."""
    anchor, issuer = (lab.Authority.create(label, validity=SPAN) for label in ("TA", "B"))
    names = x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=[x509.DNSName("example.com")])
    longer = lab.Validity.around(AT, days_after=99)
    narrow = [anchor.issue_ca(issuer, validity=longer, extensions=[lab.critical(names)]) for _ in range(CROWD - 1)]
    good = anchor.issue_ca(issuer, validity=lab.Validity.around(AT, days_after=9))
    target = issuer.issue_server("www.example.com").certificate
    report = search(target, CertificatePool([good, *narrow]), anchor)
    assert [path.certificates for path in report.valid] == [(target, good)]
    assert report.incomplete is None


# Chains of a hundred


def chain_of(length):
    """TA -> A98 -> ... -> A0 -> EE: so many certificates."""
    return [f"www.example.com<{'<'.join(f'A{number}' for number in range(length - 1))}<TA"]


@pytest.mark.parametrize("loops", [False, True], ids=["plain", "with loops back"])
def test_a_chain_of_a_hundred_is_followed_to_its_end(loops):
    """'100-long chains': one path of 100 certificates, with every CA certifying its own issuer too or not."""
    back = [f"A{number + 1}<A{number}" for number in range(98)] if loops else []
    topology = lab.Topology.from_edges(*chain_of(100), *back, validity=SPAN)
    report = search(topology.servers["www.example.com"].certificate, topology.pool, topology.authorities["TA"])
    assert [len(path.certificates) for path in report.valid] == [100]
    assert report.incomplete is None


def test_the_last_link_of_a_chain_of_a_hundred_is_the_one_that_failed():
    """The same, the anchor's certificate expired: it, and nothing else, is what is wrong."""
    *_, last = chain_of(100)[0].removesuffix("<TA").split("<")
    expired = lab.Edge(subject=last, issuer="TA", validity=lab.Validity.around(AT, days_after=-1))
    topology = lab.Topology.from_edges(chain_of(100)[0].removesuffix("<TA"), expired, validity=SPAN)
    report = search(topology.servers["www.example.com"].certificate, topology.pool, topology.authorities["TA"])
    assert report.valid == ()
    assert report.incomplete is None
    first = report.rejected[0]
    assert (first.reason, first.certificate) == (FailureReason.EXPIRED, topology.certificate(last, "TA"))
    assert len(first.certificates) == 100


def test_a_chain_longer_than_the_limit_is_no_verdict():
    """121 certificates, one more than ``limits.path_length``: the report says which limit, not that there is none."""
    topology = lab.Topology.from_edges(*chain_of(121), validity=SPAN)
    report = search(topology.servers["www.example.com"].certificate, topology.pool, topology.authorities["TA"])
    assert report.valid == ()
    assert "path_length" in report.incomplete
    assert report.rejected[0].reason is FailureReason.BUDGET_EXHAUSTED


# Full meshes; those that are hard are in test_meshes.py


@pytest.mark.parametrize("size", mostly_slow([16, 32, 64], every=3))
def test_a_mesh_with_valid_paths_gives_the_best_at_once(full_mesh, size):
    """The anchor certifies C0 and C1: no more is tried than the two shortest paths, three certificates each."""
    pool = CertificatePool([*full_mesh.edges(size), full_mesh.link(0), full_mesh.link(1)])
    REMEMBERED.forget()
    best = find_path(
        full_mesh.target(size),
        pool=pool,
        trust_anchors=[full_mesh.trust_anchor],
        parameters=NEVER_MIND,
        limits=within(pool, signature_checks=6, candidate_paths=2),
    )
    assert full_mesh.numbers(best) in {(size - 1, 0), (size - 1, 1)}


@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_mesh_that_no_anchor_certifies_is_never_entered(full_mesh, size):
    """'Parts of the graph that reach no anchor are never entered': no signature of 4,032 is checked, and it says so."""
    elsewhere = full_mesh.anchor.issue_ca(lab.Authority.create("Elsewhere", validity=SPAN))
    pool = CertificatePool([*full_mesh.edges(size), elsewhere])
    report = search(full_mesh.target(size), pool, full_mesh.anchor, signature_checks=0, candidate_paths=0)
    assert report.valid == ()
    assert report.incomplete is None
    assert report.rejected[0].reason is FailureReason.NO_TRUST_ANCHOR
