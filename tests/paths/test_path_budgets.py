"""Every budget of the search and of validation: exhausted, it ends the work, and is named; that is not a verdict."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import FailureReason, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS, describe_limits
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.signatures import SignatureMemory
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.paths.validation.validator import validate

from ..counting import counted_calls

AT = datetime(2026, 3, 1, tzinfo=UTC)
PARAMETERS = ValidationParameters(time=AT)
SPAN = lab.Validity.around(AT)
OF_ONE_VALIDATION = [
    "path_length",
    "path_bytes",
    "name_constraint_comparisons",
    "policy_nodes",
    "policy_edges",
    "signature_checks",
]
OF_A_SEARCH = [
    "candidate_paths",
    "valid_paths",
    "exhausted_validations",
    "discovery_steps",
    "judged_certificates",
    "signature_checks",
]
ELSEWHERE = (
    "explanation_signature_checks",
    "explained_failures",
    "explained_certificates",
    "cross_certificates",
    "validity_searches",
    "validity_work",
    "validity_explanations",
)
ARCS = [f"2.999.{arc}" for arc in range(8000)]


def constraint(count):
    """Exclude so many DNS subtrees."""
    names = [x509.DNSName(f"x{number}.example.org") for number in range(count)]
    return lab.critical(x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=names))


def alternative_names(count):
    """State so many DNS names."""
    return lab.non_critical(x509.SubjectAlternativeName([x509.DNSName(f"n{n}.example.com") for n in range(count)]))


def policies(count):
    """State so many policies."""
    return lab.non_critical(lab.certificate_policies(*ARCS[:count]))


def ordinary(chain):
    """A path that spends a little of every budget of one validation."""
    both = (policies(2), lab.critical(lab.policy_mappings((ARCS[0], ARCS[0]), (ARCS[1], ARCS[0]))), constraint(3))
    return chain({"extensions": both}, {"extensions": (policies(2),)}, {"extensions": (policies(2),)})


def searched(path, **limits):
    """Search in what a path is made of."""
    return find_paths(
        path.target,
        pool=CertificatePool(path.certificates[1:]),
        trust_anchors=[path.trust_anchor],
        parameters=PARAMETERS,
        limits=dataclasses.replace(DEFAULT_LIMITS, **limits),
    )


def test_every_limit_of_paths_is_tested_here():
    """No budget of paths is left out: those of limits.py from path_length to policy_edges.

    ``explanation_signature_checks`` has a module of its own, test_explanation_budget; those of validity periods are
    tested in test_validity_periods, ``explained_failures`` in test_causes, ``explained_certificates`` in
    test_all_faults, and ``cross_certificates`` in test_cross_certificates.
    """
    names = [limit.name for limit in describe_limits()]
    ours = names[names.index("path_length") : names.index("revocation_paths")]
    assert set(ours) == {*OF_ONE_VALIDATION, *OF_A_SEARCH, *ELSEWHERE}


@pytest.mark.parametrize("limit", OF_ONE_VALIDATION)
def test_one_validation_within_its_limits_and_beyond(chain, judge, limit):
    """Inclusive: with exactly what it needs it is valid, with one less it is given up."""
    generous = SearchBudget(DEFAULT_LIMITS)
    validate(ordinary(chain), PARAMETERS, budget=generous, memory=SignatureMemory(size=10))
    needed = generous.spent(limit) + (20 if limit == "path_bytes" else 0)  # ECDSA signatures differ in length
    less = 40 if limit == "path_bytes" else 1
    assert needed > 0
    assert judge(ordinary(chain), limits=dataclasses.replace(DEFAULT_LIMITS, **{limit: needed}))
    with pytest.raises(BudgetExhaustedError) as exhausted:
        judge(ordinary(chain), limits=dataclasses.replace(DEFAULT_LIMITS, **{limit: needed - less}))
    assert exhausted.value.limit == limit
    assert exhausted.value.allowed == needed - less
    assert f"limits.{limit}" in str(exhausted.value)
    assert isinstance(exhausted.value, LimitExceededError)


@pytest.mark.parametrize("limit", OF_ONE_VALIDATION)
def test_a_search_says_that_a_validation_was_given_up(chain, limit):
    """BUDGET_EXHAUSTED is its own reason, about no certificate but the target, and the report is incomplete."""
    report = searched(ordinary(chain), **{limit: 0})
    assert report.valid == ()
    first = report.rejected[0]
    assert first.reason is FailureReason.BUDGET_EXHAUSTED
    assert first.certificate == report.target
    assert f"limits.{limit}" in first.detail
    assert "not a verdict" in first.detail
    assert limit in report.incomplete
    with pytest.raises(NoValidPathError, match=f"limits.{limit}"):
        _ = report.best


def parallel(count):
    """So many certificates for B side by side: as many paths."""
    return lab.Topology.from_edges("EE<B", *(lab.Edge(subject="B", issuer="TA") for _ in range(count)), validity=SPAN)


def search_parallel(count, **limits):
    """Search among them."""
    topology = parallel(count)
    return find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=PARAMETERS,
        limits=dataclasses.replace(DEFAULT_LIMITS, **limits),
    )


def test_candidate_paths():
    """The paths found before the limit are kept."""
    assert search_parallel(5, candidate_paths=5).incomplete is None
    report = search_parallel(5, candidate_paths=3)
    assert len(report.valid) == 3
    assert "candidate_paths" in report.incomplete
    assert report.rejected[0].reason is FailureReason.BUDGET_EXHAUSTED


def test_valid_paths():
    """The answer is bounded, and says so; nothing is called exhausted."""
    assert search_parallel(5, valid_paths=5).incomplete is None
    report = search_parallel(5, valid_paths=4)
    assert len(report.valid) == 4
    assert "valid_paths" in report.incomplete
    assert all(attempt.reason is not FailureReason.BUDGET_EXHAUSTED for attempt in report.rejected)


def test_exhausted_validations():
    """After so many validations that were given up the search is."""
    report = search_parallel(5, path_bytes=10, exhausted_validations=3)
    assert "exhausted_validations" in report.incomplete
    given_up = [attempt for attempt in report.rejected if attempt.reason is FailureReason.BUDGET_EXHAUSTED]
    assert [attempt.walks for attempt in given_up] == [1, 3]
    whole = search_parallel(5, path_bytes=10, exhausted_validations=5)
    assert "path_bytes" in whole.incomplete


def test_discovery_steps():
    """A search that may not look finds nothing, and does not say that there is nothing."""
    report = search_parallel(5, discovery_steps=2)
    assert report.valid == ()
    assert report.rejected[0].reason is FailureReason.BUDGET_EXHAUSTED
    assert "discovery_steps" in report.incomplete


def test_one_hostile_path_does_not_hide_the_others():
    """TA -> B -> EE twice, one of the two with more constraints than the limit: the other is found."""
    topology = lab.Topology.from_edges(
        "EE<B<TA",
        lab.Edge(
            subject="B", issuer="TA", extensions=(constraint(500),), validity=lab.Validity.around(AT, days_after=9999)
        ),
        validity=SPAN,
    )
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=PARAMETERS,
        limits=dataclasses.replace(DEFAULT_LIMITS, name_constraint_comparisons=300),
    )
    assert [path.certificates[1].extensions.name_constraints for path in report.valid] == [None]
    assert "name_constraint_comparisons" in report.incomplete


def test_what_is_counted_for_one_validation_starts_from_nothing_for_the_next(chain):
    """A search may validate any number of paths, each of which needs most of a budget."""
    path = ordinary(chain)
    alone = SearchBudget(DEFAULT_LIMITS)
    validate(path, PARAMETERS, budget=alone)
    just_enough = {name: alone.spent(name) for name in OF_ONE_VALIDATION if name != "signature_checks"}
    budget = SearchBudget(dataclasses.replace(DEFAULT_LIMITS, **just_enough))
    for _ in range(3):
        budget.start_validation()
        assert validate(path, PARAMETERS, budget=budget)
    with pytest.raises(BudgetExhaustedError):
        validate(path, PARAMETERS, budget=budget)


def test_what_is_counted_for_a_search_is_not_given_back():
    """Signature checks, candidates and steps add up over the whole search."""
    budget = SearchBudget(DEFAULT_LIMITS)
    for name in OF_A_SEARCH:
        budget.spend(name, 3)
    budget.start_validation()
    assert [budget.spent(name) for name in OF_A_SEARCH] == [3] * len(OF_A_SEARCH)
    budget.spend("policy_nodes", 2)
    budget.start_validation()
    assert budget.spent("policy_nodes") == 0


# Hostile inputs, at the limits as they are. 'No input makes one validation run past a second on one core.'


def long_chain(chain, links):
    """Return a chain of new objects, so that nothing of it is decoded yet."""
    path = chain(*links)
    certificates = tuple(Certificate.from_der(certificate.der) for certificate in path.certificates)
    return CertificationPath(certificates=certificates, trust_anchor=path.trust_anchor)


def same(count, *extensions):
    """So many certificates with these extensions."""
    return [{"extensions": extensions} for _ in range(count)]


def constrained_directories(count, word="x"):
    """Exclude so many directoryName subtrees."""
    names = [
        x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, f"{word}{number}")]))
        for number in range(count)
    ]
    return lab.critical(x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=names))


def unknown(count):
    """Return that many unknown extensions."""
    return [lab.non_critical(x509.UnrecognizedExtension(ObjectIdentifier(arc), b"")) for arc in ARCS[:count]]


def identity_mappings(count):
    """Map so many policies to themselves."""
    return lab.critical(lab.policy_mappings(*((arc, arc) for arc in ARCS[:count])))


HOSTILE = {
    "100 certificates": (lambda: same(100), None),
    "121 certificates": (lambda: same(121), "path_length"),
    "4,000 constraints, 4,000 names": (
        lambda: [*same(1, constraint(4000)), *same(1, alternative_names(4000))],
        "name_constraint_comparisons",
    ),
    "60 constraints, 4,000 names": (
        lambda: [*same(1, constraint(60)), *same(1, alternative_names(4000))],
        "name_constraint_comparisons",
    ),
    "3,000 other directory constraints in each of 7": (
        lambda: [*({"extensions": [constrained_directories(3000, word)]} for word in "abcdefg"), {}],
        "name_constraint_comparisons",
    ),
    "1,000 other directory constraints in each of 7": (
        lambda: [*({"extensions": [constrained_directories(1000, word)]} for word in "abcdefg"), {}],
        None,
    ),
    "60 constraints in each of 100": (lambda: [*same(99, constraint(60)), {}], None),
    "7,000 policies in each of 8": (lambda: same(8, policies(7000)), "policy_nodes"),
    "100 policies in each of 100": (lambda: same(100, policies(100)), None),
    "3,000 mappings in each of 6": (lambda: same(6, policies(3000), identity_mappings(3000)), "policy_nodes"),
    "1,500 mappings in each of 6": (lambda: same(6, policies(1500), identity_mappings(1500)), None),
    "3,500 mappings in each of 50": (lambda: same(50, identity_mappings(3500)), "path_bytes"),
    "4,000 names in each of 6": (lambda: same(6, alternative_names(4000)), None),
    "200 unknown extensions in each of 40": (lambda: same(40, *unknown(200)), None),
}


WITHIN = [case for case, (_, limit) in HOSTILE.items() if limit is None]  # all of the work is done


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in WITHIN[1:] else []) for case in HOSTILE]
)
def test_no_input_makes_one_validation_long(chain, judge, case):
    """Each either gets its verdict, valid as the chains are, or is given up for the budget named.

    A million calls take about half a second of an idle core.
    """
    links, limit = HOSTILE[case]
    path = long_chain(chain, links())
    with counted_calls() as calls:
        if limit is None:
            assert judge(path)
        else:
            with pytest.raises(BudgetExhaustedError) as exhausted:
                judge(path)
            assert exhausted.value.limit == limit
    assert calls.total() < 3_000_000


def test_policies_squared_do_not_explode(chain, judge):
    """Each of 20 CAs maps both its policies to both: 2^20 nodes of a tree, 40 of a graph (RFC 9618 section 3)."""
    pairs = [(one, other) for one in ARCS[:2] for other in ARCS[:2]]
    path = chain(*same(20, policies(2), lab.critical(lab.policy_mappings(*pairs))), *same(1, policies(2)))
    budget = SearchBudget(DEFAULT_LIMITS)
    valid = validate(path, PARAMETERS, budget=budget, memory=SignatureMemory(size=100))
    assert valid.authority_constrained_policy_set == set(ARCS[:2])
    assert budget.spent("policy_nodes") <= 2 * 21
    assert budget.spent("policy_edges") <= 4 * 21
    assert judge(path)


def test_five_hundred_rekeyed_decoys_cost_one_check_each():
    """The signature of EE is held against each key of that name once at the most; the work is a number, not a time."""
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    topology = lab.Topology.from_edges("EE<B<TA", validity=SPAN)
    anchor, name = topology.authorities["TA"], topology.authorities["B"].name
    decoys = [anchor.issue(name, lab.KeyType.EC_P256.generate().public_key(), extensions=[ca]) for _ in range(500)]
    where = {"pool": CertificatePool([*decoys, *topology.pool]), "trust_anchors": [topology.trust_anchor("TA")]}
    limits = dataclasses.replace(DEFAULT_LIMITS, signature_checks=2 * 501, candidate_paths=501, discovery_steps=4 * 501)
    found = find_path(topology.servers["EE"].certificate, **where, parameters=PARAMETERS, limits=limits)
    assert topology.draw(found) == "EE<B<TA"


def search_web(**limits):
    """Search a mesh of 7 above which every path is refused by a name constraint."""
    labels = [f"C{number}" for number in range(7)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    narrow = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    topology = lab.Topology.from_edges(
        "EE<C0", lab.Edge(subject="C6", issuer="TA", extensions=(lab.critical(narrow),)), *pairs, validity=SPAN
    )
    return find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=PARAMETERS,
        limits=dataclasses.replace(DEFAULT_LIMITS, **limits),
    )


def test_a_web_of_rejected_names_is_judged_to_the_end():
    """A mesh of 7 has 326 simple paths; 43 certificates are validated in two states each; the result is a verdict."""
    report = search_web(candidate_paths=20, judged_certificates=2 * 43)
    assert (report.valid, report.incomplete) == ((), None)
    assert {attempt.reason for attempt in report.rejected} == {FailureReason.NAME_CONSTRAINTS}


def test_judged_certificates():
    """Where that exceeds a limit, path after path is validated instead, until another limit ends the search."""
    report = search_web(candidate_paths=200, judged_certificates=10)
    assert report.valid == ()
    assert "candidate_paths" in report.incomplete
    assert {attempt.reason for attempt in report.rejected} == {
        FailureReason.BUDGET_EXHAUSTED,
        FailureReason.NAME_CONSTRAINTS,
    }
    assert search_web(candidate_paths=400, judged_certificates=10).incomplete is None


@pytest.mark.parametrize("limit", [{"discovery_steps": 500}, {"candidate_paths": 20}])
def test_a_web_that_lasts_longer_does_not_hide_a_short_path(limit):
    """A mesh of 6, refused wherever the anchor certifies it, and beside it EE <- C0 <- G <- TA that lasts 9 days."""
    labels = [f"C{number}" for number in range(6)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    narrow = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    topology = lab.Topology.from_edges(
        "EE<C0",
        "G<TA",
        lab.Edge(subject="C0", issuer="G", validity=lab.Validity.around(AT, days_after=9)),
        lab.Edge(subject="C4", issuer="TA", extensions=(lab.critical(narrow),)),
        lab.Edge(subject="C5", issuer="TA", extensions=(lab.critical(narrow),)),
        *pairs,
        validity=SPAN,
    )
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=PARAMETERS,
        limits=dataclasses.replace(DEFAULT_LIMITS, **limit),
    )
    assert "EE<C0<G<TA" in {topology.draw(path) for path in report.valid}
    assert report.incomplete is None
    told = [path.certificates for path in report.rejected if path.reason is FailureReason.NAME_CONSTRAINTS]
    assert len(told) == len(set(told))
