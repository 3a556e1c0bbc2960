"""Full meshes: the work is bounded by the certificates that can be on a path, never by the number of paths.

Every certificate of a mesh of 64 can be on a path, and the paths are more than 10^87. The figures below are budgets: a
search that needs more ends without an answer, and says so.
"""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from cryptography import x509

from pkcs12kit import (
    DEFAULT_LIMITS,
    CertificatePool,
    CertificationPath,
    FailureReason,
    NoValidPathError,
    ValidationParameters,
    find_path,
    find_paths,
    lab,
)
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.signatures import REMEMBERED

from ..counting import counted_calls

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEVER_MIND = ValidationParameters(time=AT)
SMALLEST = 16
SIZES = [SMALLEST, *(pytest.param(size, marks=pytest.mark.slow) for size in (32, 64))]
STEPS_PER_CERTIFICATE = 10


def budget_for(pool, **limits):
    """Allow work in proportion to the certificates, with every signature checked once at the most."""
    return dataclasses.replace(
        DEFAULT_LIMITS,
        **{
            "discovery_steps": STEPS_PER_CERTIFICATE * len(pool),
            "candidate_paths": len(pool),
            "signature_checks": len(pool) + 1,
            **limits,
        },
    )


def excluding(*names):
    """Exclude DNS names, given as text, and directory names."""
    subtrees = [x509.DNSName(name) if isinstance(name, str) else x509.DirectoryName(name) for name in names]
    return {"extensions": [lab.critical(x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=subtrees))]}


def stated(mesh):
    """State the policy that some certificates of the mesh state."""
    return [lab.non_critical(lab.certificate_policies(mesh.POLICY))]


def same_parity(one, other):
    """Return True for the half of the certificates that state the policy: between two even or two odd CAs."""
    return (one + other) % 2 == 0


def explicit(mesh):
    """Ask for the policy."""
    return ValidationParameters(time=AT, user_initial_policy_set={mesh.POLICY}, initial_explicit_policy=True)


def search_of(mesh, pool, target, *, parameters=NEVER_MIND, limits=None):
    """Put together what both searches are asked."""
    REMEMBERED.forget()
    pool = CertificatePool(pool)
    return target, {
        "pool": pool,
        "trust_anchors": [mesh.trust_anchor],
        "parameters": parameters,
        "limits": limits or budget_for(pool),
    }


# Without a valid path. Each gives certificates beside the mesh, which of the mesh state the policy, what is asked for.


def expired(mesh):
    """The anchor's certificate for C0 has expired."""
    return [mesh.link(0, validity=lab.Validity.around(AT, days_after=-1))], None, NEVER_MIND


def signed_by_another(mesh):
    """The anchor's name is on the certificate for C0, which another key signed: only the signature tells."""
    impostor = lab.Authority.create("TA", validity=mesh.validity)
    first = mesh.authorities[0]
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    return [impostor.issue(first.name, first.private_key.public_key(), extensions=[ca])], None, NEVER_MIND


def target_excluded(mesh):
    """The anchor's certificate for C0 excludes the target's name."""
    return [mesh.link(0, **excluding("example.com"))], None, NEVER_MIND


def mesh_excluded(mesh):
    """The anchor's certificate for C0 excludes the names of all CAs below it."""
    organization = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Mesh")])
    return [mesh.link(0, **excluding(organization))], None, NEVER_MIND


def path_length(mesh):
    """C0 may have no CA below it."""
    return [mesh.link(0, path_length=0)], None, NEVER_MIND


def nothing_states_the_policy(mesh):
    """An explicit policy is asked for, and no certificate has any."""
    return [mesh.link(0)], None, explicit(mesh)


def half_states_the_policy(mesh):
    """Between even CAs and between odd ones: C0 is even, the target's issuer odd."""
    return [mesh.link(0, extensions=stated(mesh))], same_parity, explicit(mesh)


INVALID = {
    expired: FailureReason.EXPIRED,
    signed_by_another: FailureReason.BAD_SIGNATURE,
    target_excluded: FailureReason.NAME_CONSTRAINTS,
    mesh_excluded: FailureReason.NAME_CONSTRAINTS,
    path_length: FailureReason.PATH_LENGTH,
    nothing_states_the_policy: FailureReason.EXPLICIT_POLICY,
    half_states_the_policy: FailureReason.EXPLICIT_POLICY,
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("variant", INVALID, ids=lambda variant: variant.__name__)
def test_a_mesh_without_a_valid_path_says_so_and_why(full_mesh, variant, size):
    """'A full mesh of 64 CAs, with or without a valid path, answers within the budgets', and it is a verdict.

    'Every rejected candidate edge once, not once a walk'.
    """
    beside, stating, parameters = variant(full_mesh)
    edges = full_mesh.edges(size, stating) if stating else full_mesh.edges(size)
    asked_policy = parameters.initial_explicit_policy and stating is not None
    target = full_mesh.target(size, extensions=stated(full_mesh) if asked_policy else ())
    target, where = search_of(full_mesh, [*edges, *beside], target, parameters=parameters)
    report = find_paths(target, **where)
    assert report.valid == ()
    assert report.incomplete is None
    assert report.rejected[0].reason is INVALID[variant]
    told = [
        (failure.certificate, failure.reason, failure.detail) for path in report.rejected for failure in path.failures
    ]
    assert len(told) == len(set(told))
    if size == SMALLEST:  # the same search
        with pytest.raises(NoValidPathError) as refused:
            find_path(target, **where)
        assert refused.value.attempts[0].reason is INVALID[variant]


@pytest.mark.parametrize("size", SIZES)
def test_a_mesh_under_an_anchor_of_another_key_is_explained_at_once(full_mesh, size):
    """The anchor's name is on the certificate for C0, which another key signed, and key identifiers tell so.

    Nothing is validated here, and the limits are as they are: what takes long is the explanation.
    """
    impostor = lab.Authority.create("TA", validity=full_mesh.validity)
    pool = CertificatePool([*full_mesh.edges(size), impostor.issue_ca(full_mesh.authorities[0])])
    with counted_calls() as calls:
        report = find_paths(
            full_mesh.target(size), pool=pool, trust_anchors=[full_mesh.trust_anchor], parameters=NEVER_MIND
        )
    assert calls.total() < 600 * len(pool)
    assert report.incomplete is None
    assert report.rejected[0].reason is FailureReason.NO_TRUST_ANCHOR


# With valid paths


@pytest.mark.parametrize("size", SIZES)
def test_a_mesh_gives_the_hundred_best_paths_and_says_that_there_are_more(full_mesh, size):
    """``limits.valid_paths`` paths: simple, and exactly the first of the ranking; all last equally long here."""
    edges = {(one, other): full_mesh.edge(one, other) for one in range(size) for other in range(size) if one != other}
    links = {first: full_mesh.link(first) for first in (0, 1)}
    target, where = search_of(full_mesh, [*edges.values(), *links.values()], full_mesh.target(size))
    report = find_paths(target, **where)
    assert len(report.valid) == DEFAULT_LIMITS.valid_paths == 100
    assert "valid_paths" in report.incomplete
    for path in report.valid:
        nodes = [certificate.node for certificate in path.certificates]
        assert len({*nodes, path.trust_anchor.node}) == len(nodes) + 1

    last = size - 1
    numbers = [[last, first] for first in links]
    numbers += [[last, between, first] for first in links for between in range(last) if between != first]
    numbers += [
        [last, one, other, first]
        for first in links
        for one in range(last)
        for other in range(last)
        if len({one, other, first}) == 3
    ]
    shortest = [
        CertificationPath(
            certificates=(target, *(edges[pair] for pair in pairwise(path)), links[path[-1]]),
            trust_anchor=full_mesh.trust_anchor,
        )
        for path in numbers
    ]
    expected = [path.certificates for path in sorted(shortest, key=longest_lasting)[:100]]
    assert [path.certificates for path in report.valid] == expected


@pytest.mark.parametrize("size", SIZES)
def test_a_path_length_constraint_leaves_few_paths_and_all_are_found(full_mesh, size):
    """C0 may have two CAs below it: the target's issuer, and any other or none."""
    pool = [*full_mesh.edges(size), full_mesh.link(0, path_length=2)]
    target, where = search_of(full_mesh, pool, full_mesh.target(size))
    report = find_paths(target, **where)
    assert report.incomplete is None
    last = size - 1
    assert {full_mesh.numbers(path) for path in report.valid} == {
        (last, 0),
        *((last, between, 0) for between in range(1, last)),
    }


@pytest.mark.parametrize("size", SIZES)
def test_excluded_names_leave_one_path_and_it_is_found(full_mesh, size):
    """The anchor's certificate for C0 excludes every CA's name but that of the target's issuer."""
    names = [authority.name for authority in full_mesh.authorities[1 : size - 1]]
    pool = [*full_mesh.edges(size), full_mesh.link(0, **excluding(*names))]
    target, where = search_of(full_mesh, pool, full_mesh.target(size))
    report = find_paths(target, **where)
    assert [full_mesh.numbers(path) for path in report.valid] == [(size - 1, 0)]
    assert report.incomplete is None


@pytest.mark.parametrize("size", SIZES)
def test_half_of_the_certificates_state_the_policy(full_mesh, size):
    """Between even CAs and between odd ones; the anchor certifies C0, and C1, which leads to the target's issuer."""
    pool = [
        *full_mesh.edges(size, same_parity),
        *(full_mesh.link(first, extensions=stated(full_mesh)) for first in (0, 1)),
    ]
    target = full_mesh.target(size, extensions=stated(full_mesh))
    target, where = search_of(full_mesh, pool, target, parameters=explicit(full_mesh))
    assert full_mesh.numbers(find_path(target, **where)) == (size - 1, 1)
    report = find_paths(target, **where)
    assert len(report.valid) == 100
    assert "valid_paths" in report.incomplete
    for path in report.valid:
        assert all(number % 2 for number in full_mesh.numbers(path))
        assert path.user_constrained_policy_set == {full_mesh.POLICY}


@pytest.mark.parametrize("size", SIZES[:2])
def test_policies_that_nobody_asked_for_do_not_multiply(full_mesh, size):
    """Each certificate states eight of sixteen policies, the target one that is not the one asked for.

    Of the 2^16 sets that can be valid at a CA, those with the policy asked for and those without are two.
    """
    draw = random.Random(size)  # noqa: S311  # the same mesh each time
    stating = [f"2.999.2.{number}" for number in range(16)]
    numbers = range(size)
    certificates = [
        full_mesh.authorities[issuer].issue_ca(
            full_mesh.authorities[subject],
            extensions=[lab.non_critical(lab.certificate_policies(*draw.sample(stating, 8)))],
        )
        for subject in numbers
        for issuer in numbers
        if subject != issuer
    ]
    every = [lab.non_critical(lab.certificate_policies(*stating))]
    target = full_mesh.target(size, extensions=[lab.non_critical(lab.certificate_policies(stating[1]))])
    parameters = ValidationParameters(time=AT, user_initial_policy_set={stating[0]}, initial_explicit_policy=True)
    pool = [*certificates, full_mesh.link(0, extensions=every)]
    target, where = search_of(full_mesh, pool, target, parameters=parameters)
    report = find_paths(target, **where)
    assert report.valid == ()
    assert report.incomplete is None
    assert report.rejected[0].reason is FailureReason.EXPLICIT_POLICY


@pytest.mark.parametrize("size", SIZES)
def test_the_only_valid_path_goes_through_every_ca(full_mesh, size):
    """Only the certificates for C1 by C0, C2 by C1 and so on state the policy: one valid path, the longest of all."""
    pool = [
        *full_mesh.edges(size, lambda subject, issuer: subject == issuer + 1),
        full_mesh.link(0, extensions=stated(full_mesh)),
    ]
    target = full_mesh.target(size, extensions=stated(full_mesh))
    target, where = search_of(full_mesh, pool, target, parameters=explicit(full_mesh))
    report = find_paths(target, **where)
    assert [full_mesh.numbers(path) for path in report.valid] == [tuple(reversed(range(size)))]
    assert report.incomplete is None
    if size == SMALLEST:  # the same search
        assert find_path(target, **where).certificates == report.best.certificates


# Parallel certificates and rekeyed CAs multiply as walks of a mesh do


def parallel_hops(hops, parallel, *, good):
    """Make so many CAs in a chain with so many certificates each, each for another policy; the server has ``good``."""
    labels = ["TA", *(f"A{number}" for number in range(hops))]
    edges = [
        lab.Edge(
            subject=subject,
            issuer=issuer,
            validity=lab.Validity.around(AT, days_after=300 - number),
            extensions=(lab.non_critical(lab.certificate_policies(f"2.999.{number}")),),
        )
        for issuer, subject in pairwise(labels)
        for number in range(parallel)
    ]
    policy = lab.non_critical(lab.certificate_policies(f"2.999.{good}"))
    return lab.Topology.from_edges(
        lab.Edge(subject="EE", issuer=labels[-1], extensions=(policy,)), *edges, validity=lab.Validity.around(AT)
    )


@pytest.mark.parametrize("parallel", [2, 4, 8, 12])
@pytest.mark.parametrize("valid", [True, False])
def test_parallel_certificates_do_not_multiply(parallel, valid):
    """Six hops with 12 certificates each are 2,985,984 combinations; one or none has the same policy throughout."""
    topology = parallel_hops(6, parallel, good=parallel - 1 if valid else parallel)
    REMEMBERED.forget()
    where = {
        "pool": topology.pool,
        "trust_anchors": [topology.trust_anchor("TA")],
        "parameters": ValidationParameters(time=AT, initial_explicit_policy=True),
        "limits": budget_for(topology.pool, discovery_steps=parallel * STEPS_PER_CERTIFICATE * len(topology.pool)),
    }
    report = find_paths(topology.servers["EE"].certificate, **where)
    assert report.incomplete is None
    policies = [
        {certificate.extensions.certificate_policies for certificate in path.certificates} for path in report.valid
    ]
    assert policies == ([{(f"2.999.{parallel - 1}",)}] if valid else [])


def ladder(height, **first):
    """Make a chain of CAs, all with two keys, each key certified by both keys of the CA above: 2^height paths."""
    edges = []
    for number in range(1, height):
        edges += [f"A{number}{one}<A{number - 1}{other}" for one in ("", "'") for other in ("", "'")]
    tops = [lab.Edge(subject=f"A0{prime}", issuer="TA", **first) for prime in ("", "'")]
    return lab.Topology.from_edges(f"www.example.com<A{height - 1}", *tops, *edges, validity=lab.Validity.around(AT))


def solve_ladder(topology, **limits):
    """Search it."""
    REMEMBERED.forget()
    return find_paths(
        topology.servers["www.example.com"].certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=NEVER_MIND,
        limits=budget_for(topology.pool, **limits),
    )


@pytest.mark.parametrize(
    "first",
    [
        pytest.param({}, id="no path length"),
        pytest.param({"path_length": 99}, id="path length that just fits", marks=pytest.mark.slow),
    ],
)
def test_a_hundred_rekeyed_cas_in_a_row_have_a_hundred_best_paths(first):
    """2^99 paths of 101 certificates, of which a hundred take a hundred times as many steps as one has links."""
    report = solve_ladder(ladder(100, **first), discovery_steps=100 * 101 * STEPS_PER_CERTIFICATE)
    assert len({path.certificates for path in report.valid}) == 100
    assert {len(path.certificates) for path in report.valid} == {101}
    assert "valid_paths" in report.incomplete
    assert list(map(longest_lasting, report.valid)) == sorted(map(longest_lasting, report.valid))


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (excluding("example.com"), FailureReason.NAME_CONSTRAINTS),
        ({"path_length": 98}, FailureReason.PATH_LENGTH),
        ({"validity": lab.Validity.around(AT, days_after=-1)}, FailureReason.EXPIRED),
    ],
    ids=["names", "path length", "expired"],
)
def test_a_hundred_rekeyed_cas_in_a_row_without_a_valid_path(first, reason):
    """The same, where what the anchor issued allows none."""
    report = solve_ladder(ladder(100, **first))
    assert report.valid == ()
    assert report.incomplete is None
    assert report.rejected[0].reason is reason


def test_an_issuer_of_the_right_name_whose_key_did_not_sign_is_named():
    """TA => B', B'' and EE signed by B, key identifiers everywhere: a rekey is told as that, once, with both keys."""
    topology = lab.Topology.from_edges("EE<B<TA", "B'<TA", "B''<TA", validity=lab.Validity.around(AT))
    rekeyed = [topology.certificate(label, "TA") for label in ("B'", "B''")]
    target = topology.servers["EE"].certificate
    report = find_paths(
        target,
        pool=CertificatePool(rekeyed),
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=NEVER_MIND,
    )
    first, *others = report.rejected
    assert first.certificate == target
    for identifier in (target.issuer_key_identifier, *(certificate.key_identifier for certificate in rekeyed)):
        assert identifier.hex() in first.detail
    assert target not in {attempt.certificate for attempt in others}
