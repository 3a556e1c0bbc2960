"""Where only path-dependent checks differ, the other certificates of the same issuer are tried, whatever their rank."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import (
    DEFAULT_LIMITS,
    CertificatePool,
    FailureReason,
    NoValidPathError,
    TrustAnchor,
    ValidationParameters,
    find_path,
    find_paths,
    lab,
)

from .constraining import excluded, inhibit_any_policy, mappings, permitted, policies, policy_constraints, purposes

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
P, Q, R, ANY = "2.999.1", "2.999.2", "2.999.3", "2.5.29.32.0"
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH.dotted_string


class Case(NamedTuple):
    """Contents of a good and of bad certificates for one CA, and of the others on the path."""

    good: dict[str, object]
    bad: dict[str, object]
    below: tuple[object, ...] = ()
    target: tuple[object, ...] = ()
    asked: dict[str, object] = {}  # noqa: RUF012  # a tuple's default, never changed


def says(*extensions):
    """Make an edge of extensions alone."""
    return {"extensions": extensions}


EXPLICIT = {"user_initial_policy_set": {P}, "initial_explicit_policy": True}

CASES = {
    "name constraints, permitted (RFC 5280 6.1.3 (b))": Case(
        good=says(permitted("example.com")), bad=says(permitted("example.org"))
    ),
    "name constraints, excluded (RFC 5280 6.1.3 (c))": Case(good={}, bad=says(excluded("example.com"))),
    "path length (RFC 5280 6.1.4 (l))": Case(good={"path_length": 1}, bad={"path_length": 0}),
    "policies (RFC 5280 6.1.3 (d))": Case(
        good=says(policies(P)), bad=says(policies(Q)), below=(policies(P, Q),), target=(policies(P, Q),), asked=EXPLICIT
    ),
    "no policies (RFC 5280 6.1.3 (e))": Case(
        good=says(policies(P)), bad={}, below=(policies(P),), target=(policies(P),), asked=EXPLICIT
    ),
    "policy mapping (RFC 5280 6.1.4 (b))": Case(
        good=says(policies(P), mappings((P, Q))),
        bad=says(policies(P), mappings((P, R))),
        below=(policies(Q),),
        target=(policies(Q),),
        asked=EXPLICIT,
    ),
    "policy mapping inhibited (RFC 5280 6.1.4 (j))": Case(
        good=says(policies(P)),
        bad=says(policies(P), policy_constraints(inhibit=0)),
        below=(policies(P), mappings((P, Q))),
        target=(policies(Q),),
        asked=EXPLICIT,
    ),
    "explicit policy required (RFC 5280 6.1.4 (i))": Case(good={}, bad=says(policy_constraints(require=0))),
    "any policy inhibited (RFC 5280 6.1.4 (m))": Case(
        good=says(policies(P)),
        bad=says(policies(P), inhibit_any_policy(0)),
        below=(policies(ANY),),
        target=(policies(P),),
        asked=EXPLICIT,
    ),
    "extended key usage": Case(
        good=says(purposes(ExtendedKeyUsageOID.SERVER_AUTH)),
        bad=says(purposes(ExtendedKeyUsageOID.CLIENT_AUTH)),
        asked={"extended_key_usage": SERVER_AUTH},
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("rank", [0, 2, 4])
def test_the_good_parallel_certificate_is_chosen_whatever_its_rank(case, rank):
    """TA => A -> B -> EE: five certificates for A, of which one will do; the bad ones last longer or less.

    Issue: 'Where only path-dependent checks differ, it backtracks to the other certificates of the same issuer.'
    """
    parallel = [
        lab.Edge(
            subject="A",
            issuer="TA",
            serial_number=100 + number,
            validity=lab.Validity.around(AT, days_after=300 - number),
            **(case.good if number == rank else case.bad),
        )
        for number in range(5)
    ]
    topology = lab.Topology.from_edges(
        lab.Edge(subject="www.example.com", issuer="B", extensions=case.target),
        lab.Edge(subject="B", issuer="A", extensions=case.below),
        *parallel,
        validity=SPAN,
    )
    parameters = ValidationParameters(time=AT, **case.asked)
    target = topology.servers["www.example.com"].certificate
    anchors = [topology.trust_anchor("TA")]
    best = find_path(target, pool=topology.pool, trust_anchors=anchors, parameters=parameters)
    assert [certificate.serial_number for certificate in best.certificates[2:]] == [100 + rank]
    report = find_paths(target, pool=topology.pool, trust_anchors=anchors, parameters=parameters)
    assert [path.certificates for path in report.valid] == [best.certificates]
    assert report.incomplete is None
    without = CertificatePool(found for found in topology.pool if found.serial_number != 100 + rank)
    with pytest.raises(NoValidPathError):
        find_path(target, pool=without, trust_anchors=anchors, parameters=parameters)


# Each certificate of a hop states another policy, or permits another subtree.
ONE_OF_MANY = {
    "policies": (lambda number: policies(f"2.999.{number}"), {"initial_explicit_policy": True}),
    "name constraints": (lambda number: permitted(f"n{number}.example.com"), {}),
}


@pytest.mark.parametrize("kind", ONE_OF_MANY)
@pytest.mark.parametrize("good", [0, 3])
def test_the_one_valid_combination_of_many_is_found(kind, good):
    """TA => A => B => C -> EE, four certificates a hop, each for something else: 64 combinations, one is valid."""
    extension, asked = ONE_OF_MANY[kind]
    order = random.Random(good)  # noqa: S311  # an order, not a secret
    edges = [
        lab.Edge(
            subject=subject,
            issuer=issuer,
            serial_number=10 * hop + number,
            validity=lab.Validity.around(AT, days_after=100 - number),
            extensions=(extension(number),),
        )
        for hop, (subject, issuer) in enumerate((("A", "TA"), ("B", "A"), ("C", "B")), start=1)
        for number in order.sample(range(4), 4)
    ]
    name = f"n{good}.example.com"
    target = lab.Edge(subject=name, issuer="C", extensions=(policies(f"2.999.{good}"),))
    topology = lab.Topology.from_edges(target, *edges, validity=SPAN)
    report = find_paths(
        topology.servers[name].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=AT, **asked),
    )
    assert [[certificate.serial_number for certificate in path.certificates[1:]] for path in report.valid] == [
        [30 + good, 20 + good, 10 + good]
    ]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_backtracking_goes_back_as_far_as_the_difference_is(depth):
    """TA -> A -> B -> C -> EE with a second certificate on one hop, the one that lasts longer too narrow."""
    hops = [("C", "B"), ("B", "A"), ("A", "TA")]
    longer = lab.Validity.around(AT, days_after=900)
    subject, issuer = hops[depth]
    narrow = lab.Edge(subject=subject, issuer=issuer, validity=longer, extensions=(excluded("www.example.com"),))
    edges = ["www.example.com<C", *(f"{one}<{other}" for one, other in hops), narrow]
    topology = lab.Topology.from_edges(*edges, validity=SPAN)
    best = find_path(
        topology.servers["www.example.com"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=AT),
    )
    assert best.certificates[1:] == tuple(topology.certificate(one, other) for one, other in hops)


def test_the_same_certificate_is_bad_below_one_issuer_and_good_below_another():
    """TA -> X -> B, TA -> Y -> B, X too narrow and lasting longer: that B fails below X says nothing about Y."""
    longer = lab.Validity.around(AT, days_after=900)
    topology = lab.Topology.from_edges(
        "www.example.com<B<Y<TA",
        lab.Edge(subject="B", issuer="X", validity=longer),
        lab.Edge(subject="X", issuer="TA", validity=longer, extensions=(excluded("example.com"),)),
        validity=SPAN,
    )
    report = find_paths(
        topology.servers["www.example.com"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=AT),
    )
    assert list(map(topology.draw, report.valid)) == ["www.example.com<B<Y<TA"]


def test_an_anchor_too_narrow_does_not_hide_another_of_the_same_certificates():
    """T1 -> A -> EE <- A <- T2: T1's own certificate excludes the name (RFC 5937), T2's does not."""
    narrow = lab.Authority.create("T1", validity=SPAN, extensions=[excluded("example.com")])
    wide = lab.Authority.create("T2", validity=SPAN)
    issuer = lab.Authority.create("A", validity=SPAN)
    pool = CertificatePool([narrow.issue_ca(issuer, validity=lab.Validity.around(AT)), wide.issue_ca(issuer)])
    path = find_path(
        issuer.issue_server("www.example.com").certificate,
        pool=pool,
        trust_anchors=[TrustAnchor.from_certificate(root.certificate) for root in (narrow, wide)],
        parameters=ValidationParameters(time=AT),
    )
    assert path.trust_anchor.certificate == wide.certificate


def test_what_was_learned_of_one_target_is_not_held_against_another():
    """TA => A -> EE, EF; one certificate of A's is for example.com, one for example.org: each target gets its own."""
    topology = lab.Topology.from_edges(
        "www.example.com<A",
        "www.example.org<A",
        lab.Edge(subject="A", issuer="TA", serial_number=50, extensions=(permitted("example.com"),)),
        lab.Edge(subject="A", issuer="TA", serial_number=51, extensions=(permitted("example.org"),)),
        validity=SPAN,
    )
    for name, serial_number in (("www.example.com", 50), ("www.example.org", 51)) * 2:
        path = find_path(
            topology.servers[name].certificate,
            pool=topology.pool,
            trust_anchors=[topology.trust_anchor("TA")],
            parameters=ValidationParameters(time=AT),
            limits=dataclasses.replace(DEFAULT_LIMITS, candidate_paths=2),
        )
        assert path.certificates[1].serial_number == serial_number


@pytest.mark.parametrize("certificates", [3, 12])
def test_a_key_may_have_several_identifiers(certificates):
    """TA => B -> EE: the good certificate for B calls its one key otherwise (RFC 5280 section 4.2.1.2 lets it).

    RFC 4158 section 3.5.12: key identifiers order candidates, and 'a mismatch' does not refuse one.
    """
    root, issuer = (lab.Authority.create(name, validity=SPAN) for name in ("TA", "B"))
    another = lab.non_critical(x509.SubjectKeyIdentifier(b"another"))
    good = root.issue_ca(issuer, extensions=[another], validity=lab.Validity.around(AT, days_after=30))
    bad = [root.issue_ca(issuer, extensions=[permitted(f"{number}.example.org")]) for number in range(certificates)]
    report = find_paths(
        issuer.issue_server("www.example.com").certificate,
        pool=CertificatePool([*bad, good]),
        trust_anchors=[TrustAnchor.from_certificate(root.certificate)],
        parameters=ValidationParameters(time=AT),
    )
    assert [path.certificates[1] for path in report.valid] == [good]
    assert report.incomplete is None


def test_names_that_match_may_hold_mailboxes_that_do_not():
    """TA => X -> M -> EE: X may certify Foo@ or foo@, and M, whose name has a mailbox, is one of them.

    RFC 5280 section 4.2.1.10: 'the local-part [...] is case sensitive'; section 7.1: in names case does not matter.
    """

    def named(mailbox):
        return x509.Name([x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, mailbox)])

    def for_mailbox(mailbox):
        return {"extensions": [permitted(x509.RFC822Name(mailbox))]}

    root, between = (lab.Authority.create(name, validity=SPAN) for name in ("TA", "X"))
    upper, lower = (lab.Authority.create(named(f"{letter}oo@example.com"), validity=SPAN) for letter in "Ff")
    narrow = [
        root.issue_ca(between, validity=lab.Validity.around(AT, days_after=300 - number), **for_mailbox(mailbox))
        for number, mailbox in enumerate([f"{number}@example.com" for number in range(9)] + ["Foo@example.com"])
    ]
    good = root.issue_ca(between, validity=lab.Validity.around(AT, days_after=9), **for_mailbox("foo@example.com"))
    report = find_paths(
        lower.issue_server("www.example.com").certificate,
        pool=CertificatePool([*narrow, good, between.issue_ca(upper), between.issue_ca(lower)]),
        trust_anchors=[TrustAnchor.from_certificate(root.certificate)],
        parameters=ValidationParameters(time=AT),
    )
    assert [path.certificates[-1] for path in report.valid] == [good]


def test_the_key_that_did_not_sign_is_no_reason_where_another_of_its_name_did():
    """TA => A, A' => B -> EE without key identifiers: A signed each certificate for B, none for this target's name.

    'Every rejected candidate edge once', with what is wrong with it.
    """
    root, signer, other, issuer = (lab.Authority.create(name, validity=SPAN) for name in ("TA", "A", "A", "B"))
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    narrow = [
        signer.issue(issuer.name, issuer.private_key.public_key(), extensions=[ca, permitted(f"{number}.example.org")])
        for number in range(12)
    ]
    report = find_paths(
        issuer.issue_server("www.example.com").certificate,
        pool=CertificatePool([*narrow, root.issue_ca(signer), root.issue_ca(other)]),
        trust_anchors=[TrustAnchor.from_certificate(root.certificate)],
        parameters=ValidationParameters(time=AT),
    )
    assert report.valid == ()
    assert report.rejected[0].reason is FailureReason.NAME_CONSTRAINTS
    told = [failure.reason for path in report.rejected for failure in path.failures]
    assert told.count(FailureReason.BAD_SIGNATURE) <= 8  # which names proposed; states add none
