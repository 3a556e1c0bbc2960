"""The figures of RFC 4158, and the rekeyed, cross-certified and many-anchored variations that its text speaks of."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from pkcs12kit import (
    CertificatePool,
    FailureReason,
    NoValidPathError,
    TrustAnchor,
    ValidationParameters,
    find_path,
    find_paths,
    lab,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEVER_MIND = ValidationParameters(time=AT)
EXPIRED = lab.Validity.around(AT, days_before=90, days_after=-1)
WANTED, OTHER = "2.999.1", "2.999.2"


def build(*edges):
    """Make a topology that is valid at the time of these tests."""
    return lab.Topology.from_edges(*edges, validity=lab.Validity.around(AT))


def solve(topology, target="EE", anchors=("TA",), *, parameters=NEVER_MIND, **more):
    """Search for every path from a server, a CA's certificate ``B<A``, or a CA's self-signed one ``B``."""
    if target in topology.servers:
        certificate = topology.servers[target].certificate
    elif "<" in target:
        certificate = topology.certificate(*target.split("<"))
    else:
        certificate = topology.authorities[target].certificate
    return find_paths(
        certificate,
        pool=topology.pool,
        trust_anchors=[topology.trust_anchor(anchor) for anchor in anchors],
        parameters=parameters,
        **more,
    )


def drawn(topology, report):
    """Write the valid paths as edges are written, paths of one length in alphabetical order.

    All last equally long here, so that the shorter has to come first; among those the order is by fingerprint.
    """
    assert report.incomplete is None
    lengths = [len(path.certificates) for path in report.valid]
    assert lengths == sorted(lengths)
    texts = [topology.draw(path) for path in report.valid]
    return sorted(texts, key=lambda text: (text.count("<"), text))


FOUR_BRIDGED = (
    *(f"{root}<BCA" for root in "WXYZ"),
    *(f"BCA<{root}" for root in "WXYZ"),
    *("F<W", "G<W", "G<F", "F<G", "H<F", "I<G", "I<H", "H<I"),
    *("EE<N<L<X", "M<L", "K<J<X"),
    *("A<Y", "C<Y", "A<C", "C<A", "B<A", "B<C", "D<B", "E<B"),
    *("O<Z", "P<Z", "Q<O", "T<R<O", "S<P"),
)
FULL_MESH = tuple(f"{one}<{other}" for one in "ABCDE" for other in "ABCDE" if one != other)

# Each entry: the drawing (issuers on the left), the edges, then rows of target, anchors and every path.
FIGURES = {
    """Figure 1: hierarchical
    TA -> A -> C -> EE, EF
               D -> EG
          B -> E -> EH
    """: (
        ("EE<C<A<TA", "EF<C", "EG<D<A", "EH<E<B<TA"),
        [("EE", ["TA"], ["EE<C<A<TA"]), ("EG", ["TA"], ["EG<D<A<TA"]), ("EH", ["TA"], ["EH<E<B<TA"])],
    ),
    """Figure 2: multi-rooted hierarchical
    T1 -> EE, A -> EF
    T2 -> B -> C -> EG, D -> EH
    T3 -> E -> EI
    """: (
        ("EE<T1", "EF<A<T1", "EG<C<B<T2", "EH<D<B", "EI<E<T3"),
        [
            ("EE", ["T1", "T2", "T3"], ["EE<T1"]),
            ("EF", ["T1", "T2", "T3"], ["EF<A<T1"]),
            ("EG", ["T1", "T2", "T3"], ["EG<C<B<T2"]),
            ("EH", ["T1", "T2", "T3"], ["EH<D<B<T2"]),
            ("EI", ["T1", "T2", "T3"], ["EI<E<T3"]),
            ("EI", ["T1", "T2"], []),
        ],
    ),
    """Figure 3: mesh, its 22 cross-certificates; each EE trusts its own CA, or F
    A, B, C, D, E all certify one another
    F -> E, D
    """: (
        (*FULL_MESH, "E<F", "D<F", "EB<B", "EC<C", "ED<D", "EE<E"),
        [
            (
                "ED",
                ["F"],
                # Section 1.5.2 counts 5,092,429 where only certificates are not repeated.
                [
                    "ED<D<F",
                    "ED<D<E<F",
                    *("ED<D<A<E<F", "ED<D<B<E<F", "ED<D<C<E<F"),
                    *(f"ED<D<{one}<{two}<E<F" for one in "ABC" for two in "ABC" if one != two),
                    *(f"ED<D<{order}<E<F" for order in ("A<B<C", "A<C<B", "B<A<C", "B<C<A", "C<A<B", "C<B<A")),
                ],
            ),
            ("EB", ["B"], ["EB<B"]),
        ],
    ),
    """Figure 4: a hierarchy and a mesh, bi-laterally cross-certified
    TA -> A -> EE
          B -> EF
    TA <-> X, and X, Y, Z certify one another
                         Z -> EG
    """: (
        ("EE<A<TA", "EF<B<TA", "X<TA", "TA<X", "X<Y", "Y<X", "X<Z", "Z<X", "Y<Z", "Z<Y", "EG<Z"),
        [
            ("EG", ["TA"], ["EG<Z<X<TA", "EG<Z<Y<X<TA"]),
            ("EE", ["Z"], ["EE<A<TA<X<Z", "EE<A<TA<X<Y<Z"]),
            ("EF", ["TA"], ["EF<B<TA"]),
        ],
    ),
    """Figure 5: the same two with a bridge between them
    TA <-> BCA <-> X
    """: (
        (
            *("EE<A<TA", "EF<B<TA", "BCA<TA", "TA<BCA", "X<BCA", "BCA<X"),
            *("X<Y", "Y<X", "X<Z", "Z<X", "Y<Z", "Z<Y", "EG<Z"),
        ),
        [
            ("EG", ["TA"], ["EG<Z<X<BCA<TA", "EG<Z<Y<X<BCA<TA"]),
            ("EE", ["Z"], ["EE<A<TA<BCA<X<Z", "EE<A<TA<BCA<X<Y<Z"]),
        ],
    ),
    """Figures 7, 8 and 12: a loop, and the four paths around it
    TA -> A -> B -> EE
    TA -> C -> B
          A <-> C
    """: (
        ("EE<B<A<TA", "B<C<TA", "A<C", "C<A"),
        [("EE", ["TA"], ["EE<B<A<TA", "EE<B<C<TA", "EE<B<A<C<TA", "EE<B<C<A<TA"])],
    ),
    """Figures 9 to 11: four bridged PKIs (W, X, Y and Z <-> BCA)
    """: (
        FOUR_BRIDGED,
        [
            # Section 2.4.2: only one path exists from Z to EE.
            ("EE", ["Z"], ["EE<N<L<X<BCA<Z"]),
            ("EE", ["X"], ["EE<N<L<X"]),
            # A trust list of all four: a path may lead through one anchor to another.
            ("EE", list("WXYZ"), ["EE<N<L<X", *(f"EE<N<L<X<BCA<{root}" for root in "WYZ")]),
            ("D", ["Z"], [f"D<B<{way}<Y<BCA<Z" for way in ("A", "C", "A<C", "C<A")]),
        ],
    ),
    """Section 2.4.1: Figure 9 with double arrows between Y and A, Y and C: no path the more
    """: ((*FOUR_BRIDGED, "Y<A", "Y<C"), [("EE", ["Z"], ["EE<N<L<X<BCA<Z"])]),
}


@pytest.mark.parametrize(
    ("edges", "rows"), FIGURES.values(), ids=[" ".join(drawing.split("\n")[0].split()) for drawing in FIGURES]
)
def test_figures_have_these_paths_and_no_other(edges, rows):
    """RFC 4158 section 2.2: 'able to find all possible paths, excepting repeated subject name/public key pairs'."""
    topology = build(*edges)
    for target, anchors, expected in rows:
        assert drawn(topology, solve(topology, target, anchors)) == expected


def directory(*excluded):
    """Exclude the directory names of these labels, as a topology names them."""
    names = [x509.DirectoryName(lab.authority.as_name(label)) for label in excluded]
    return lab.critical(x509.NameConstraints(permitted_subtrees=None, excluded_subtrees=names))


def states(policy):
    """State one policy."""
    return (lab.non_critical(lab.certificate_policies(policy)),)


# How each certificate of Figure 12 is made so that TA -> A -> B -> EE alone is valid, and what the user asks for.
FIGURE_12 = {
    "name constraints": ({"C<TA": {"extensions": (directory("B"),)}, "C<A": {"extensions": (directory("B"),)}}, {}),
    "validity periods": ({"C<TA": {"validity": EXPIRED}, "C<A": {"validity": EXPIRED}}, {}),
    "path length constraints": ({"A<TA": {"path_length": 1}, "C<TA": {"path_length": 0}}, {}),
    "policy processing": (
        {
            **{edge: {"extensions": states(WANTED)} for edge in ("A<TA", "B<A", "EE<B", "B<C", "A<C")},
            **{edge: {"extensions": states(OTHER)} for edge in ("C<TA", "C<A")},
        },
        {"user_initial_policy_set": {WANTED}, "initial_explicit_policy": True},
    ),
}


@pytest.mark.parametrize("reason", FIGURE_12)
@pytest.mark.parametrize("only", ["EE<B<A<TA", "EE<B<C<TA"])
def test_figure_12_with_one_valid_path(reason, only):
    """Section 2.4.2: 'This could be for any combination of reasons such as name constraints, policy processing, ...'.

    TA -> A -> B -> EE, TA -> C -> B, A <-> C: of the four paths one validates, whichever of the two it is.
    """
    special, wanted = FIGURE_12[reason]
    swap = str.maketrans("AC", "CA") if only == "EE<B<C<TA" else {}

    def edge(text):
        subject, issuer = (label if label == "TA" else label.translate(swap) for label in text.split("<"))
        return lab.Edge(subject=subject, issuer=issuer, **special.get(text, {}))

    topology = build(*map(edge, ("EE<B", "B<A", "A<TA", "B<C", "C<TA", "A<C", "C<A")))
    parameters = dataclasses.replace(NEVER_MIND, **wanted)
    report = solve(topology, parameters=parameters)
    assert drawn(topology, report) == [only]
    best = find_path(
        report.target, pool=topology.pool, trust_anchors=[topology.trust_anchor("TA")], parameters=parameters
    )
    assert topology.draw(best) == only


# Each entry: the drawing, the edges, then rows of target, anchors and every path.
ROLLOVERS = {
    """
    TA -> A -> EE             a rekeyed root, all four of its certificates: old, new, new-with-old, old-with-new
    TA' -> A' -> EF
    TA <-> TA'
    """: (
        ("EE<A<TA", "EF<A'<TA'", "TA<TA", "TA'<TA'", "TA'<TA", "TA<TA'"),
        [
            ("EE", ["TA"], ["EE<A<TA"]),
            ("EE", ["TA'"], ["EE<A<TA<TA'"]),  # old-with-new: for who trusts the new one alone
            ("EF", ["TA'"], ["EF<A'<TA'"]),
            ("EF", ["TA"], ["EF<A'<TA'<TA"]),  # new-with-old
            ("EF", ["TA", "TA'"], ["EF<A'<TA'", "EF<A'<TA'<TA"]),
        ],
    ),
    """
    TA -> TA' -> TA'' -> EE   a root rekeyed twice, new-with-old each time
    """: (
        ("EE<TA''<TA'<TA", "TA'<TA''", "TA<TA'"),
        [
            ("EE", ["TA"], ["EE<TA''<TA'<TA"]),
            ("EE", ["TA''"], ["EE<TA''"]),
            ("EE", ["TA", "TA'", "TA''"], ["EE<TA''", "EE<TA''<TA'", "EE<TA''<TA'<TA"]),
        ],
    ),
    """
    TA -> B, B', B''          a CA with three keys, each certified, none by another
          B -> EE, B' -> EF, B'' -> EG
    """: (
        ("EE<B<TA", "EF<B'<TA", "EG<B''<TA"),
        [("EE", ["TA"], ["EE<B<TA"]), ("EF", ["TA"], ["EF<B'<TA"]), ("EG", ["TA"], ["EG<B''<TA"])],
    ),
    """
    TA -> A -> B              B and its parent A both rekeyed, each certifying its own other key
    TA -> A' -> B' -> EE
          A <-> A', B <-> B'
    """: (
        ("B<A<TA", "EE<B'<A'<TA", "A<A'", "A'<A", "B<B'", "B'<B"),
        [("EE", ["TA"], ["EE<B'<A'<TA", "EE<B'<A'<A<TA", "EE<B'<B<A<TA", "EE<B'<B<A<A'<TA"])],
    ),
    """
    BCA, BCA' <-> X           a rekeyed bridge, cross-certified in both generations
    TA -> BCA, BCA'
    X -> EE
    """: (
        ("EE<X<BCA<TA", "X<BCA'<TA", "BCA<X", "BCA'<X"),
        [("EE", ["TA"], ["EE<X<BCA'<TA", "EE<X<BCA<TA"])],
    ),
    """
    TA <-> X                  the anchor is cross-certified, in the pool self-signed and by X, and X is one too
    TA -> A -> EE
    """: (
        ("EE<A<TA", "TA<TA", "X<X", "TA<X", "X<TA"),
        [
            ("EE", ["TA"], ["EE<A<TA"]),
            ("EE", ["X"], ["EE<A<TA<X"]),
            ("EE", ["TA", "X"], ["EE<A<TA", "EE<A<TA<X"]),
            ("TA<X", ["X"], ["TA<X"]),  # the anchor's cross-certificate as a target
            ("A<TA", ["X"], ["A<TA<X"]),
        ],
    ),
    """
    TA -> A -> B -> C         CAs as targets, and an anchor in the middle
    """: (
        ("EE<C<B<A<TA",),
        [
            ("C<B", ["TA"], ["C<B<A<TA"]),
            ("C<B", ["B", "TA"], ["C<B", "C<B<A<TA"]),
            ("A<TA", ["TA"], ["A<TA"]),
            ("A<TA", ["B"], []),  # no path leads down
            ("TA", ["TA"], ["TA"]),  # the target is the anchor
            ("TA", ["B"], []),
        ],
    ),
}


@pytest.mark.parametrize(("edges", "rows"), ROLLOVERS.values(), ids=map(str.strip, ROLLOVERS))
def test_rollovers_and_anchors_have_these_paths_and_no_other(edges, rows):
    """RFC 4158 section 2.4.2, RFC 4210 section 4.4: one name with two keys is two nodes, and no loop."""
    topology = build(*edges)
    for target, anchors, expected in rows:
        report = solve(topology, target, anchors)
        # The anchor's own certificate as the target is drawn with the anchor after it, as any last certificate is.
        assert drawn(topology, report) == [path if "<" in path else f"{path}<{path}" for path in expected]


def test_self_issued_certificates_do_not_count_for_path_length():
    """RFC 5280 section 6.1.4 (l): TA (pathLen 0) -> B, B -> B' (self-issued) -> EE is valid; through C it is not."""
    topology = build(lab.Edge(subject="B", issuer="TA", path_length=0), "EE<B'<B", "EF<C<B")
    assert drawn(topology, solve(topology, "EE")) == ["EE<B'<B<TA"]
    assert drawn(topology, solve(topology, "EF")) == []


def test_self_issued_certificates_may_have_names_that_are_excluded():
    """RFC 5280 section 6.1.3 (b), (c): names of a self-issued certificate are not asked, unless it is the target."""
    topology = build(lab.Edge(subject="B", issuer="TA", extensions=(directory("B"),)), "EE<B'<B")
    assert drawn(topology, solve(topology, "EE")) == ["EE<B'<B<TA"]
    assert drawn(topology, solve(topology, "B'<B")) == []


def test_parallel_certificates_on_two_hops_are_as_many_paths_as_pairs():
    """TA => A => B -> EE, three each: nine paths, by the first of their certificates to expire."""

    def parallel(subject, issuer, *days):
        return [
            lab.Edge(subject=subject, issuer=issuer, validity=lab.Validity.around(AT, days_after=after))
            for after in days
        ]

    topology = build("EE<B", *parallel("B", "A", 300, 100, 200), *parallel("A", "TA", 150, 350, 250))
    report = solve(topology)
    assert report.incomplete is None
    assert len({path.certificates for path in report.valid}) == 9
    assert [(path.expires - AT) // timedelta(days=1) for path in report.valid] == [
        *(300, 250, 200, 200, 150, 150, 100, 100, 100)
    ]


def test_an_expired_anchor_in_the_pool_is_refused_unless_its_validity_is_not_asked():
    """RFC 5280 section 6.1.1 (d) has no validity for anchors: asked by default, and switchable.

    TA (expired) -> A -> EE, TA self-signed in the pool, and X -> A a way that lasts less.
    """
    authorities = {label: lab.Authority.create(label, validity=lab.Validity.around(AT)) for label in ("A", "X")}
    anchor = lab.Authority.create("TA", validity=EXPIRED)
    target = authorities["A"].issue_server("www.example.com").certificate
    below = anchor.issue_ca(authorities["A"], validity=lab.Validity.around(AT, days_after=300))
    other = authorities["X"].issue_ca(authorities["A"], validity=lab.Validity.around(AT, days_after=9))
    pool = CertificatePool([anchor.certificate, below, other])
    expired, sound = (TrustAnchor.from_certificate(root.certificate) for root in (anchor, authorities["X"]))
    relaxed = dataclasses.replace(NEVER_MIND, check_trust_anchor_validity=False)

    def last_of(anchors, parameters):
        report = find_paths(target, pool=pool, trust_anchors=anchors, parameters=parameters)
        return [path.certificates[-1] for path in report.valid]

    assert last_of([expired, sound], NEVER_MIND) == [other]
    assert last_of([expired], NEVER_MIND) == []
    assert last_of([expired], relaxed) == [below]
    assert set(last_of([expired, sound], relaxed)) == {below, other}
    with pytest.raises(NoValidPathError) as refused:
        find_path(target, pool=pool, trust_anchors=[expired], parameters=NEVER_MIND)
    assert FailureReason.EXPIRED in {attempt.reason for attempt in refused.value.attempts}


def test_a_target_with_the_anchors_name_and_key_is_not_refused_in_silence():
    """The anchor's root certificate renewed, itself the target: valid or not, the report says something."""
    anchor = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    renewed = lab.Authority.create("TA", private_key=anchor.private_key, validity=lab.Validity.around(AT))
    report = find_paths(
        renewed.certificate,
        pool=CertificatePool(),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
    )
    assert report.valid or report.rejected


def test_a_rekeyed_ca_is_passed_by_a_second_walk_too():
    """TA -> B' -> B -> C => A -> EE, A with two certificates: that B' did not sign C is learned, and B' signed B.

    What is learned of the first path must not hide the second, whose way up is the same.
    """
    topology = build(
        "EE<A<C<B<B'<TA", lab.Edge(subject="A", issuer="C", validity=lab.Validity.around(AT, days_after=9))
    )
    report = solve(topology)
    assert list(map(topology.draw, report.valid)) == ["EE<A<C<B<B'<TA"] * 2
    assert report.incomplete is None
