"""``find_paths`` against all simple paths on random graphs: none is missed, none invented, order means nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.paths.validation.validator import validate

from ..thoroughness import examples

AT = datetime(2026, 3, 1, tzinfo=UTC)
PARAMETERS = ValidationParameters(time=AT)
CA = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
EXAMPLE_ORG = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
SPAN = lab.Validity.around(AT)

# One certificate for a (subject, issuer): sound, shorter, expired, with a constraint, or without key identifiers.
VARIANTS = {
    "plain": lambda issuer, subject: issuer.issue_ca(subject),
    "short": lambda issuer, subject: issuer.issue_ca(subject, validity=lab.Validity.around(AT, days_after=9)),
    "expired": lambda issuer, subject: issuer.issue_ca(subject, validity=lab.Validity.around(AT, days_after=-9)),
    "last": lambda issuer, subject: issuer.issue_ca(subject, path_length=0),
    "narrow": lambda issuer, subject: issuer.issue_ca(subject, extensions=[lab.critical(EXAMPLE_ORG)]),
    "no hints": lambda issuer, subject: issuer.issue(subject.name, subject.private_key.public_key(), extensions=[CA]),
}
# B and B' are one CA, rekeyed: one name, two keys.
SUBJECTS = ("A", "B", "B'", "C", "TA")


@pytest.fixture(scope="module")
def world():
    """Make every certificate that the graphs below are drawn from."""
    authorities = {label: lab.Authority.create(label.rstrip("'"), validity=SPAN) for label in SUBJECTS}
    certificates = {
        (subject, issuer, variant): make(authorities[issuer], authorities[subject])
        for subject in SUBJECTS
        for issuer in SUBJECTS
        for variant, make in VARIANTS.items()
    }
    targets = {label: authorities[label].issue_server("www.example.com").certificate for label in ("A", "B", "B'")}
    return authorities, certificates, targets


def simple_paths(target, pool, anchor):
    """Yield every simple path by names from the target: no (subject, key) twice."""
    waiting = [(target,)]
    while waiting:
        walk = waiting.pop()
        nodes = {certificate.node for certificate in walk}
        if walk[-1].issuer == anchor.name and anchor.node not in nodes:
            yield CertificationPath(certificates=walk, trust_anchor=anchor)
        waiting += [
            (*walk, issuer) for issuer in pool if issuer.subject == walk[-1].issuer and issuer.node not in nodes
        ]


def valid_ones(paths):
    """Validate each by itself, with nothing remembered between them."""
    for path in paths:
        try:
            yield validate(path, PARAMETERS, budget=SearchBudget(DEFAULT_LIMITS))
        except InvalidPathError:
            continue


EDGES = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(SUBJECTS), st.sampled_from(sorted(VARIANTS))),
    max_size=12,
    unique=True,
)


@settings(max_examples=examples(150), deadline=None)
@given(edges=EDGES, below=st.sampled_from(["A", "B", "B'"]), shuffle=st.randoms(use_true_random=False))
def test_find_paths_finds_all_simple_paths_that_are_valid_and_no_other(world, edges, below, shuffle):
    """RFC 4158 section 2.4: a path builder that misses a path makes the user lose it; the reference is brute force.

    'Order and repetition in the pool do not matter.'
    """
    authorities, certificates, targets = world
    anchor = TrustAnchor.from_certificate(authorities["TA"].certificate)
    chosen = [certificates[edge] for edge in edges]
    target = targets[below]
    expected = sorted(valid_ones(simple_paths(target, chosen, anchor)), key=longest_lasting)

    report = find_paths(target, pool=CertificatePool(chosen), trust_anchors=[anchor], parameters=PARAMETERS)
    assert [path.certificates for path in report.valid] == [path.certificates for path in expected]
    assert report.incomplete is None

    again = chosen * 2
    shuffle.shuffle(again)
    shuffled = find_paths(target, pool=CertificatePool(again), trust_anchors=[anchor], parameters=PARAMETERS)
    assert shuffled.valid == report.valid
    assert list(map(str, shuffled.rejected)) == list(map(str, report.rejected))

    if expected:
        best = find_path(target, pool=CertificatePool(again), trust_anchors=[anchor], parameters=PARAMETERS)
        assert best.certificates == expected[0].certificates
    else:
        with pytest.raises(NoValidPathError) as refused:
            find_path(target, pool=CertificatePool(again), trust_anchors=[anchor], parameters=PARAMETERS)
        assert refused.value.attempts


@settings(max_examples=examples(60), deadline=None)
@given(edges=EDGES, more=EDGES)
def test_more_certificates_never_lose_a_path(world, edges, more):
    """A pool is candidates: adding to it adds paths and takes none away."""
    authorities, certificates, targets = world
    anchor = TrustAnchor.from_certificate(authorities["TA"].certificate)

    def paths(chosen):
        pool = CertificatePool(certificates[edge] for edge in chosen)
        report = find_paths(targets["A"], pool=pool, trust_anchors=[anchor], parameters=PARAMETERS)
        assert report.incomplete is None
        return {path.certificates for path in report.valid}

    assert paths(edges) <= paths([*edges, *more])
