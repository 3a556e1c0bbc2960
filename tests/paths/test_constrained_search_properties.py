"""Random graphs whose certificates constrain each other: the search against every simple path judged by itself.

Beside what test_search_properties.py draws: policies, mappings, inhibitions, purposes, path lengths, constraints on
names of CAs, several trust anchors with constraints of their own, CAs as targets, and the parameters of validation.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit import (
    DEFAULT_LIMITS,
    CertificatePool,
    CertificationPath,
    NoValidPathError,
    TrustAnchor,
    ValidationParameters,
    find_path,
    find_paths,
    lab,
)
from pkcs12kit.paths import search
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.ranking import longest_lasting, shortest
from pkcs12kit.paths.signatures import SignatureMemory

from ..thoroughness import examples
from .constraining import excluded, inhibit_any_policy, mappings, permitted, policies, policy_constraints, purposes

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
P, Q, ANY = "2.999.1", "2.999.2", "2.5.29.32.0"
CA = lab.critical(x509.BasicConstraints(ca=True, path_length=None))


def lasting(days):
    """End so many days from now."""
    return {"validity": lab.Validity.around(AT, days_after=days)}


NAME_OF_B = x509.DirectoryName(lab.authority.as_name("B"))

# What a CA certificate can say: keyword arguments of lab.Authority.issue_ca.
VARIANTS = {
    "plain": {},
    "short": lasting(9),
    "long": lasting(900),
    "expired": lasting(-9),
    "last": {"path_length": 0},
    "last but one": {"path_length": 1, **lasting(500)},
    "names elsewhere": {"extensions": [permitted("example.org")], **lasting(600)},
    "names here": {"extensions": [permitted("example.com")]},
    "no B": {"extensions": [excluded(NAME_OF_B)], **lasting(600)},
    "P": {"extensions": [policies(P)]},
    "Q": {"extensions": [policies(Q)], **lasting(400)},
    "P, Q": {"extensions": [policies(P, Q)], **lasting(30)},
    "any": {"extensions": [policies(ANY)]},
    "P to Q": {"extensions": [policies(P), mappings((P, Q))]},
    "Q to P": {"extensions": [policies(Q), mappings((Q, P))]},
    "any, P to Q": {"extensions": [policies(ANY), mappings((P, Q))]},
    "P, explicit": {"extensions": [policies(P), policy_constraints(require=0)]},
    "explicit below": {"extensions": [policy_constraints(require=1)], **lasting(500)},
    "P, no mapping": {"extensions": [policies(P), policy_constraints(inhibit=0)], **lasting(500)},
    "any, no mapping below": {"extensions": [policies(ANY), policy_constraints(inhibit=1)]},
    "P, no any": {"extensions": [policies(P), inhibit_any_policy(0)]},
    "client": {"extensions": [purposes(ExtendedKeyUsageOID.CLIENT_AUTH)], **lasting(700)},
    "server": {"extensions": [purposes(ExtendedKeyUsageOID.SERVER_AUTH)]},
}
# What a trust anchor's own certificate can say; "bare" has none.
ANCHORS = {
    "plain": {},
    "bare": {},
    "short": lasting(20),
    "names elsewhere": {"extensions": [permitted("example.org")]},
    "P": {"extensions": [policies(P)]},
    "last": {"extensions": [lab.critical(x509.BasicConstraints(ca=True, path_length=0))]},
    "explicit": {"extensions": [policies(ANY), policy_constraints(require=0)]},
}
TARGETS = {"none": (), "P": (policies(P),), "Q": (policies(Q),), "P, Q": (policies(P, Q),), "any": (policies(ANY),)}
ISSUERS = ("A", "B", "B'", "C")  # B and B' are one CA, rekeyed: one name, two keys
ROOTS = ("TA", "TB")
LABELS = (*ISSUERS, *ROOTS)


class World:
    """Every certificate that the graphs are drawn from, made when it is first drawn."""

    def __init__(self):
        self.authorities = {label: lab.Authority.create(label.rstrip("'"), validity=SPAN) for label in LABELS}
        self.edge = cache(self._edge)
        self.target = cache(self._target)
        self.anchor = cache(self._anchor)
        self.memory = SignatureMemory(size=100_000)

    def _edge(self, subject, issuer, variant):
        issuing, issued = self.authorities[issuer], self.authorities[subject]
        if variant == "no hints":
            return issuing.issue(issued.name, issued.private_key.public_key(), extensions=[CA])
        return issuing.issue_ca(issued, **VARIANTS[variant])

    def _target(self, issuer, variant):
        return self.authorities[issuer].issue_server("www.example.com", extensions=TARGETS[variant]).certificate

    def _anchor(self, label, variant):
        authority = self.authorities[label]
        certificate = lab.Authority.create(
            authority.name, private_key=authority.private_key, **{"validity": SPAN, **ANCHORS[variant]}
        ).certificate
        anchor = TrustAnchor.from_certificate(certificate)
        return dataclasses.replace(anchor, certificate=None, constraints=None) if variant == "bare" else anchor


@pytest.fixture(scope="module")
def world():
    """One world for all examples."""
    return World()


CA_VARIANTS = st.sampled_from([*VARIANTS, "no hints"])


@st.composite
def graphs(draw):
    """Draw a target, chains from it to a root, and whatever other certificates."""
    edges = set()
    if draw(st.integers(0, 3)) == 0:
        target = draw(st.tuples(st.sampled_from(ISSUERS), st.sampled_from(LABELS), CA_VARIANTS))
        start = target[1]
    else:
        target = draw(st.tuples(st.sampled_from(ISSUERS), st.sampled_from(sorted(TARGETS))))
        start = target[0]
    for _ in range(draw(st.integers(1, 3))):
        between = draw(st.lists(st.sampled_from(ISSUERS), max_size=3, unique=True))
        chain = [start, *(label for label in between if label != start), draw(st.sampled_from(ROOTS))]
        edges.update((one, other, draw(CA_VARIANTS)) for one, other in pairwise(chain))
    edges.update(draw(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS), CA_VARIANTS), max_size=6)))
    return target, sorted(edges)


ANCHOR_SETS = st.dictionaries(
    st.sampled_from([*ROOTS, "TA", "A"]), st.sampled_from(["plain", *ANCHORS]), min_size=1, max_size=3
)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "user_initial_policy_set": st.sampled_from([frozenset({P}), frozenset({Q}), frozenset({P, Q})]),
        "initial_explicit_policy": st.booleans(),
        "initial_policy_mapping_inhibit": st.booleans(),
        "initial_any_policy_inhibit": st.booleans(),
        "initial_excluded_subtrees": st.sampled_from([(), (NAME_OF_B,)]),
        "extended_key_usage": st.sampled_from([None, ExtendedKeyUsageOID.SERVER_AUTH.dotted_string]),
        "max_path_length": st.sampled_from([None, 1, 2]),
        "use_trust_anchor_constraints": st.booleans(),
    },
)


def simple_paths(target, pool, anchor):
    """Yield every simple path by names from the target: no (subject, key) twice (RFC 4158 section 2.4.2)."""
    waiting = [(target,)]
    while waiting:
        walk = waiting.pop()
        nodes = {certificate.node for certificate in walk}
        if walk[-1].issuer == anchor.name and (anchor.node not in nodes or walk == (anchor.certificate,)):
            yield CertificationPath(certificates=walk, trust_anchor=anchor)
        waiting += [
            (*walk, issuer) for issuer in pool if issuer.subject == walk[-1].issuer and issuer.node not in nodes
        ]


def all_valid(world, judge, target, pool, anchors, asked, ranking=longest_lasting):
    """Judge each simple path by itself, and rank those that are valid."""
    valid = []
    for anchor in anchors:
        for path in simple_paths(target, pool, anchor):
            try:
                valid.append(judge(path, memory=world.memory, **asked))
            except InvalidPathError:
                continue
    return sorted(valid, key=ranking)


def told(paths):
    """Return what identifies a path: its certificates and its anchor."""
    return [(path.certificates, path.trust_anchor) for path in paths]


def drawn(world, graph, anchors):
    """Make what was drawn."""
    target, edges = graph
    make = world.target if len(target) == len(("issuer", "policies")) else world.edge
    return make(*target), [world.edge(*edge) for edge in edges], [world.anchor(*anchor) for anchor in anchors]


@settings(max_examples=examples(300), deadline=None)
@given(graph=graphs(), anchors=ANCHOR_SETS, asked=ASKED, shuffle=st.randoms(use_true_random=False))
def test_every_valid_path_is_found_in_order_and_no_other(world, judge, graph, anchors, asked, shuffle):
    """RFC 4158 section 2.2: 'able to find all possible paths', but those that repeat a subject name and public key.

    'Any permutation and any duplication of the pool gives the same paths in the same order.'
    """
    target, pool, roots = drawn(world, graph, anchors.items())
    expected = all_valid(world, judge, target, pool, roots, asked)
    parameters = ValidationParameters(time=AT, **asked)

    report = find_paths(target, pool=CertificatePool(pool), trust_anchors=roots, parameters=parameters)
    assert told(report.valid) == told(expected)
    assert report.incomplete is None
    for path, alone in zip(report.valid, expected, strict=True):
        assert path.user_constrained_policy_set == alone.user_constrained_policy_set
        assert path.authority_constrained_policy_set == alone.authority_constrained_policy_set

    again = [*pool, *shuffle.sample(pool, len(pool) // 2)]
    shuffle.shuffle(again)
    where = {"pool": CertificatePool(again), "trust_anchors": roots, "parameters": parameters}
    shuffled = find_paths(target, **where)
    assert told(shuffled.valid) == told(report.valid)
    assert list(map(str, shuffled.rejected)) == list(map(str, report.rejected))
    if expected:
        assert told([find_path(target, **where)]) == told(expected[:1])
    else:
        with pytest.raises(NoValidPathError) as refused:
            find_path(target, **where)
        assert refused.value.attempts


@settings(max_examples=examples(150), deadline=None)
@given(graph=graphs(), anchors=ANCHOR_SETS, asked=ASKED, ranking=st.sampled_from([longest_lasting, shortest]))
def test_states_find_what_names_find(world, judge, graph, anchors, asked, ranking):
    """Judging each certificate in each state, from the first refusal on, finds the same paths in the same order."""
    target, pool, roots = drawn(world, graph, anchors.items())
    expected = all_valid(world, judge, target, pool, roots, asked, ranking)
    where = {
        "pool": CertificatePool(pool),
        "trust_anchors": roots,
        "parameters": ValidationParameters(time=AT, **asked),
        "ranking": ranking,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_MOST_REJECTED_BY_NAMES", 1)
        report = find_paths(target, **where)
        best = find_paths(target, **where, at_most=1).valid
    assert told(report.valid) == told(expected)
    assert told(best) == told(expected[:1])
    assert report.incomplete is None


@settings(max_examples=examples(100), deadline=None)
@given(
    graph=graphs(),
    anchors=ANCHOR_SETS,
    asked=ASKED,
    wanted=st.integers(1, 3),
    ranking=st.sampled_from([longest_lasting, shortest]),
)
def test_a_limit_keeps_the_best_and_says_so_where_there_are_more(world, judge, graph, anchors, asked, wanted, ranking):
    """'Every valid path, up to a limit that is said when met': with ``limits.valid_paths`` the so many best."""
    target, pool, roots = drawn(world, graph, anchors.items())
    expected = all_valid(world, judge, target, pool, roots, asked, ranking)
    where = {
        "ranking": ranking,
        "pool": CertificatePool(pool),
        "trust_anchors": roots,
        "parameters": ValidationParameters(time=AT, **asked),
    }
    limits = dataclasses.replace(DEFAULT_LIMITS, valid_paths=wanted)
    report = find_paths(target, **where, limits=limits)
    assert told(report.valid) == told(expected[:wanted])
    if len(expected) > wanted:
        assert "valid_paths" in report.incomplete
    else:
        assert report.incomplete is None
    assert told(find_paths(target, **where, at_most=wanted).valid) == told(expected[:wanted])


@settings(max_examples=examples(100), deadline=None)
@given(
    graph=graphs(),
    variants=st.lists(st.sampled_from(sorted(ANCHORS)), min_size=2, max_size=3, unique=True),
    asked=ASKED,
    shuffle=st.randoms(use_true_random=False),
)
def test_certificates_of_one_anchor_do_not_hide_each_other(world, judge, graph, variants, asked, shuffle):
    """A root renewed with its key is several anchors of one name and key: what any of them allows is found."""
    target, pool, roots = drawn(world, graph, [("TA", variant) for variant in variants])
    expected = all_valid(world, judge, target, pool, roots, asked)
    shuffle.shuffle(roots)
    report = find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=roots,
        parameters=ValidationParameters(time=AT, **asked),
    )
    assert {path.certificates for path in report.valid} == {path.certificates for path in expected}
    if expected:
        assert report.best.certificates == expected[0].certificates
