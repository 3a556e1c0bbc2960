"""Trust topologies as they are drawn, and the paths that ``find_paths`` must find in them (RFC 4158)."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.lab.extensions import authority_information_access, authority_key_identifier
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.search import find_path, find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ..counting import counted_calls

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEVER_MIND = ValidationParameters(time=AT)
EXPIRED = lab.Validity.around(AT, days_before=90, days_after=-1)
TO_COME = lab.Validity.around(AT, days_before=-1, days_after=90)
SHORT = lab.Validity.around(AT, days_after=10)


def build(*edges):
    """Make a topology that is valid at the time of these tests."""
    return lab.Topology.from_edges(*edges, validity=lab.Validity.around(AT))


def target_of(topology, label):
    """Find the first certificate of a label."""
    if label in topology.servers:
        return topology.servers[label].certificate
    return next(
        certificate
        for edge, certificate in zip(topology.edges, topology.certificates, strict=True)
        if edge.subject == label
    )


def solve(topology, target="EE", anchors=("TA",), *, pool=None, parameters=NEVER_MIND):
    """Search for every path."""
    return find_paths(
        target_of(topology, target) if isinstance(target, str) else target,
        pool=topology.pool if pool is None else pool,
        trust_anchors=[topology.trust_anchor(anchor) if isinstance(anchor, str) else anchor for anchor in anchors],
        parameters=parameters,
    )


def drawn(topology, report):
    """Write the valid paths as edges are written."""
    return [topology.draw(path) for path in report.valid]


# Each entry: the drawing (issuers on the left), the edges, the paths in order.
TOPOLOGIES = {
    "TA -> EE": (["EE<TA"], ["EE<TA"]),
    "TA -> A -> B -> EE": (["EE<B<A<TA"], ["EE<B<A<TA"]),
    """
    TA -> A -> B -> EE        the detour lasts as long, and is longer
          A -> C -> B
    """: (["EE<B<A<TA", "B<C<A"], ["EE<B<A<TA", "EE<B<C<A<TA"]),
    """
    TA -> A -> EE             A and B certify each other
          A <-> B
    """: (["EE<A<TA", "A<B<A"], ["EE<A<TA"]),
    """
    TA -> A -> B -> C -> EE   and back from C to A, from B to A
          A <- B
          A <------ C
    """: (["EE<C<B<A<TA", "A<B", "A<C"], ["EE<C<B<A<TA"]),
    """
    TA -> A -> EE             the anchor is certified by the CA that it certifies
    TA <- A
    """: (["EE<A<TA", "TA<A"], ["EE<A<TA"]),
    """
    TA -> A -> EE             self-signed decoys of every CA
    TA    A
    """: (["EE<A<TA", "A<A", "TA<TA"], ["EE<A<TA"]),
    """
    TA -> B  -> EE            B was rekeyed: one name, two keys, no key signs for the other
    TA -> B'
    """: (["EE<B<TA", "B'<TA"], ["EE<B<TA"]),
    """
    TA -> B' -> B -> EE       a rekeyed CA certifies its old key (self-issued), with which EE was signed
    """: (["EE<B<B'<TA"], ["EE<B<B'<TA"]),
    """
    TA -> B  <-> B' -> EE     key rollover with certificates both ways (RFC 4210 section 4.4)
    """: (["EE<B'<B<TA", "B<B'"], ["EE<B'<B<TA"]),
    """
    TA -> A -> C -> EE        two bridges
    TA -> B -> C
    """: (["EE<C<A<TA", lab.Edge(subject="B", issuer="TA", validity=SHORT), "C<B"], ["EE<C<A<TA", "EE<C<B<TA"]),
    """
    X -> A -> EE              a second root that nobody trusts
    TA -> A
    """: (["EE<A<X", "X<X", "A<TA"], ["EE<A<TA"]),
    """
    TA -> X -> A -> EE        a root of its own, self-signed too, reached by a cross-certificate
          X
    """: (["EE<A<X<TA", "X<X", "A<A"], ["EE<A<X<TA"]),
}


@pytest.mark.parametrize(("edges", "expected"), TOPOLOGIES.values(), ids=map(str.strip, TOPOLOGIES))
def test_every_path_is_found_and_no_other(edges, expected):
    """Longest lasting first, then shortest; no (subject, key) twice in any."""
    topology = build(*edges)
    report = solve(topology)
    assert drawn(topology, report) == expected
    assert report.incomplete is None


@pytest.mark.parametrize("edges", [edges for edges, _ in TOPOLOGIES.values()])
def test_the_order_of_the_pool_does_not_matter(edges):
    """The same paths, rejected ones included, from five shuffles with repetitions."""
    topology = build(*edges)
    expected = solve(topology)
    for seed in range(5):
        certificates = [*topology.pool, *topology.pool]
        random.Random(seed).shuffle(certificates)  # noqa: S311  # an order, not a secret
        report = solve(topology, pool=CertificatePool(certificates))
        assert report.valid == expected.valid
        assert list(map(str, report.rejected)) == list(map(str, expected.rejected))


def test_parallel_cross_certificates_are_two_paths():
    """TA => B -> EE: the one that lasts longer first, the other named too."""
    topology = build(
        lab.Edge(subject="B", issuer="TA", validity=SHORT, serial_number=10),
        lab.Edge(subject="B", issuer="TA", serial_number=20),
        lab.Edge(subject="B", issuer="TA", validity=EXPIRED, serial_number=30),
        "EE<B",
    )
    report = solve(topology)
    assert [path.certificates[1].serial_number for path in report.valid] == [20, 10]
    [expired] = report.rejected
    assert (expired.certificate.serial_number, expired.reason) == (30, FailureReason.EXPIRED)


def test_the_longest_lasting_path_wins_over_the_shorter():
    """TA -> B -> EE until the day after next week; TA -> A -> B a year."""
    topology = build(lab.Edge(subject="B", issuer="TA", validity=SHORT), "EE<B<A<TA")
    assert drawn(topology, solve(topology)) == ["EE<B<A<TA", "EE<B<TA"]


def test_the_stronger_of_two_equally_lasting_paths_wins():
    """TA -> A (P-384) -> B and TA -> C (RSA 2,048) -> B: 128 bits of security before 112 (SP 800-57 part 1)."""
    at = {"validity": lab.Validity.around(AT)}
    anchor, below = lab.Authority.create("TA", **at), lab.Authority.create("B", **at)
    strong = lab.Authority.create("A", key_type=lab.KeyType.EC_P384, **at)
    weak = lab.Authority.create("C", key_type=lab.KeyType.RSA_2048, **at)
    pool = [anchor.issue_ca(strong), anchor.issue_ca(weak), strong.issue_ca(below), weak.issue_ca(below)]
    report = find_paths(
        below.issue_server("EE").certificate,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
    )
    assert [path.certificates[-1].subject.common_name for path in report.valid] == ["A", "C"]


# What is missing or wrong


def failing(report):
    """Search without success, as ``find_path`` says it."""
    with pytest.raises(NoValidPathError) as refused:
        _ = report.best
    return refused.value


def test_a_missing_issuer_is_named_with_key_identifier_and_url():
    """TA -> (A) -> B -> EE: A was not supplied; B says where to get it (AIA, RFC 5280 section 4.2.2.1)."""
    access = lab.non_critical(authority_information_access("http://ca.example/issued-to-a.p7c"))
    topology = build("EE<B", lab.Edge(subject="B", issuer="A", extensions=(access,)), "A<TA")
    pool = CertificatePool([topology.certificate("B", "A")])
    error = failing(solve(topology, pool=pool))
    first = error.attempts[0]
    assert first.reason is FailureReason.ISSUER_NOT_FOUND
    assert first.certificate == topology.certificate("B", "A")
    for text in (
        "CN=A",
        topology.authorities["A"].certificate.key_identifier.hex(),
        "http://ca.example/issued-to-a.p7c",
    ):
        assert text in str(error)


def test_a_missing_issuer_without_hints_is_named_all_the_same():
    """No key identifier and no AIA: the name alone."""
    ca = lab.Authority.create("Nobody", validity=lab.Validity.around(AT))
    target = ca.issue("EE", lab.KeyType.EC_P256.generate().public_key())
    topology = build("X<TA")
    error = failing(solve(topology, target))
    assert error.attempts[0].detail == "its issuer CN=Nobody was not supplied"


def test_an_empty_pool_names_the_targets_issuer():
    """Nothing was supplied at all."""
    topology = build("EE<B<TA")
    error = failing(solve(topology, pool=CertificatePool()))
    assert error.attempts[0].reason is FailureReason.ISSUER_NOT_FOUND
    assert "CN=B" in str(error)


def test_a_root_that_nobody_trusts_is_named():
    """X -> A -> EE, X self-signed: not an anchor, and no cross-certificate for it was supplied."""
    topology = build("EE<A<X", "X<X", "B<TA")
    first = failing(solve(topology)).attempts[0]
    assert first.reason is FailureReason.NO_TRUST_ANCHOR
    assert first.certificate == topology.certificate("X", "X")
    assert topology.draw(first.certificates) == "EE<A<X"


def test_a_root_with_the_anchors_name_and_another_key_is_said_to_be_that():
    """TA' signed, and TA is trusted: a rekeyed root, or an impostor."""
    topology = build("EE<A<TA'", "TA'<TA'", "B<TA")
    error = failing(solve(topology, anchors=["TA"]))
    assert any("another key" in attempt.detail for attempt in error.attempts)


def test_an_impostor_with_the_issuers_name_is_a_bad_signature():
    """TA -> B -> EE, and another B with another key, no key identifiers: only the signature tells them apart."""
    anchor = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    real = lab.Authority.create("B", validity=lab.Validity.around(AT))
    key = lab.KeyType.EC_P256.generate().public_key()
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    impostor = anchor.issue("B", key, extensions=[ca])
    genuine = anchor.issue("B", real.private_key.public_key(), extensions=[ca])
    target = real.issue("EE", lab.KeyType.EC_P256.generate().public_key())
    anchors = [TrustAnchor.from_certificate(anchor.certificate)]
    both = find_paths(target, pool=CertificatePool([impostor, genuine]), trust_anchors=anchors, parameters=NEVER_MIND)
    assert [path.certificates for path in both.valid] == [(target, genuine)]
    error = failing(find_paths(target, pool=CertificatePool([impostor]), trust_anchors=anchors, parameters=NEVER_MIND))
    assert error.attempts[0].reason is FailureReason.BAD_SIGNATURE
    assert error.attempts[0].certificate == target


@pytest.mark.parametrize(
    ("validity", "reason"), [(EXPIRED, FailureReason.EXPIRED), (TO_COME, FailureReason.NOT_YET_VALID)]
)
def test_a_link_outside_its_validity_is_the_reason(validity, reason):
    """Not followed, but remembered (RFC 5280 section 6.1.3 (a)(2))."""
    topology = build("EE<B", lab.Edge(subject="B", issuer="A", validity=validity), "A<TA")
    first = failing(solve(topology)).attempts[0]
    assert (first.reason, first.certificate) == (reason, topology.certificate("B", "A"))
    assert topology.draw(first.certificates) == "EE<B<A"


def test_the_failure_of_the_closest_path_comes_first():
    """A path that only one check refuses is more useful than an issuer missing elsewhere."""
    constraint = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    topology = build("EE<B", lab.Edge(subject="B", issuer="TA", extensions=(lab.critical(constraint),)), "B<Y<Z")
    first = failing(solve(topology, pool=CertificatePool(topology.certificates[1:3]))).attempts[0]
    assert first.reason is FailureReason.NAME_CONSTRAINTS


def test_what_no_other_path_can_mend_is_tried_once():
    """TA => A -> B -> EE, three certificates for A and B with an unknown critical extension: B is refused once."""
    unknown = lab.critical(x509.UnrecognizedExtension(ObjectIdentifier("2.999.99"), b"\x05\x00"))
    topology = build(
        *(lab.Edge(subject="A", issuer="TA") for _ in range(3)),
        lab.Edge(subject="B", issuer="A", extensions=(unknown,)),
        "EE<B",
    )
    reasons = [attempt.reason for attempt in solve(topology).rejected]
    assert reasons.count(FailureReason.UNKNOWN_CRITICAL_EXTENSION) == 1


def test_a_wrong_key_is_tried_once():
    """TA => B' (three certificates for one wrong key) -> EE: its signature is held against that key once."""
    anchor = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    wrong, right = (lab.Authority.create("B", validity=lab.Validity.around(AT)) for _ in range(2))
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    pool = [anchor.issue("B", wrong.private_key.public_key(), extensions=[ca]) for _ in range(3)]
    target = right.issue("EE", lab.KeyType.EC_P256.generate().public_key())
    report = find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
    )
    assert [attempt.reason for attempt in report.rejected].count(FailureReason.BAD_SIGNATURE) == 1


def test_nothing_is_missing_above_an_anchor():
    """Z -> TA -> A -> EE, A rejected by a name constraint, Z unknown: that Z was not supplied is not a reason."""
    narrow = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    topology = build("EE<A", lab.Edge(subject="A", issuer="TA", extensions=(lab.critical(narrow),)), "TA<Z")
    reasons = {attempt.reason for attempt in solve(topology).rejected}
    assert reasons == {FailureReason.NAME_CONSTRAINTS}


def test_no_trust_anchor_is_an_error_of_the_caller():
    """Nothing is guessed."""
    topology = build("EE<TA")
    with pytest.raises(ValueError, match="trust anchor"):
        find_path(topology.servers["EE"].certificate, pool=topology.pool, trust_anchors=[], parameters=NEVER_MIND)


# Trust anchors


def test_an_anchor_needs_no_certificate():
    """RFC 5280 section 6.1.1 (d): a name and a key will do."""
    topology = build("EE<A<TA")
    whole = topology.trust_anchor("TA")
    bare = TrustAnchor(name=whole.name, subject_public_key_info=whole.subject_public_key_info)
    assert drawn(topology, solve(topology, anchors=[bare])) == ["EE<A<TA"]


@pytest.mark.parametrize(
    ("validity", "reason"), [(EXPIRED, FailureReason.EXPIRED), (TO_COME, FailureReason.NOT_YET_VALID)]
)
def test_an_anchor_outside_its_validity_is_refused_unless_it_is_not_asked(validity, reason):
    """RFC 5280 does not ask for an anchor's validity; it is checked by default, and can be left out."""
    anchor = lab.Authority.create("TA", validity=validity)
    target = anchor.issue_server("EE", validity=lab.Validity.around(AT)).certificate
    anchors = [TrustAnchor.from_certificate(anchor.certificate)]
    report = find_paths(target, pool=CertificatePool(), trust_anchors=anchors, parameters=NEVER_MIND)
    first = failing(report).attempts[0]
    assert (first.reason, first.certificate) == (reason, anchor.certificate)
    relaxed = dataclasses.replace(NEVER_MIND, check_trust_anchor_validity=False)
    assert find_path(target, pool=CertificatePool(), trust_anchors=anchors, parameters=relaxed)


def test_several_anchors():
    """TA -> A -> EE <- A <- TB: each anchor that a path leads to; a CA below one anchor may be one itself."""
    topology = build("EE<A<TA", "A<TB")
    assert set(drawn(topology, solve(topology, anchors=["TA", "TB"]))) == {"EE<A<TA", "EE<A<TB"}
    assert drawn(topology, solve(topology, anchors=["TB"])) == ["EE<A<TB"]
    assert set(drawn(topology, solve(topology, anchors=["TA", "A"]))) == {"EE<A", "EE<A<TA"}


def test_an_unusable_anchor_does_not_stand_in_the_way_of_another():
    """Two anchors of one name; the key of the first is of an unknown algorithm."""
    topology = build("EE<A<TA")
    whole = topology.trust_anchor("TA")
    unusable = TrustAnchor(name=whole.name, subject_public_key_info=bytes.fromhex("300b300506032a0304030200ff"))
    bare = dataclasses.replace(whole, certificate=None, constraints=None)
    for anchors in ([unusable, bare], [bare, unusable]):
        assert drawn(topology, solve(topology, anchors=anchors)) == ["EE<A<TA"]
    first = failing(solve(topology, anchors=[unusable])).attempts[0]
    assert first.reason is FailureReason.UNSUPPORTED_ALGORITHM


def test_a_renewed_root_does_not_stand_in_the_way_of_the_old_one():
    """Two anchors of one name and key: the certificate that lasts longer is not valid yet, or is for other names."""
    old = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    elsewhere = x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None)
    target = old.issue_server("www.example.com", validity=lab.Validity.around(AT)).certificate
    to_come, longer = (lab.Validity.around(AT, days_before=before, days_after=900) for before in (-9, 9))
    for validity, extensions in ((to_come, ()), (longer, [lab.critical(elsewhere)])):
        new = lab.Authority.create("TA", private_key=old.private_key, validity=validity, extensions=extensions)
        anchors = [TrustAnchor.from_certificate(authority.certificate) for authority in (new, old)]
        path = find_path(target, pool=CertificatePool(), trust_anchors=anchors, parameters=NEVER_MIND)
        assert path.trust_anchor == anchors[1]


def test_a_target_may_be_a_ca():
    """TA -> A -> B, target B."""
    topology = build("EE<B<A<TA")
    assert drawn(topology, solve(topology, "B")) == ["B<A<TA"]


def test_a_self_signed_target_that_is_the_anchor_is_its_own_path():
    """TA alone: a path of one certificate; not the anchor, it is an untrusted root."""
    topology = build("EE<TA", "X<X")
    certificate = topology.authorities["TA"].certificate
    report = solve(topology, certificate)
    assert [path.certificates for path in report.valid] == [(certificate,)]
    assert report.best.with_anchor == (certificate,)
    root = topology.authorities["X"].certificate
    first = failing(solve(topology, root)).attempts[0]
    assert (first.reason, first.certificate) == (FailureReason.NO_TRUST_ANCHOR, root)


def test_a_target_of_any_validity_is_judged_last():
    """The target itself has expired: it says so, though it is in no pool."""
    topology = build(lab.Edge(subject="EE", issuer="A", validity=EXPIRED), "A<TA")
    first = failing(solve(topology)).attempts[0]
    assert (first.reason, first.certificate) == (FailureReason.EXPIRED, topology.servers["EE"].certificate)


# Names and key identifiers


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Some CA", _ASN1Type.UTF8String), ("Some CA", _ASN1Type.PrintableString)),
        (("Some CA", _ASN1Type.UTF8String), ("SOME ca", _ASN1Type.UTF8String)),
        (("Some CA", _ASN1Type.UTF8String), (" Some  CA ", _ASN1Type.PrintableString)),
        (("Some CA", _ASN1Type.BMPString), ("some ca", _ASN1Type.T61String)),
    ],
    ids=["string type", "case", "white space", "all"],
)
def test_one_name_in_two_encodings_is_one_name(one, other):
    """RFC 5280 section 7.1: the issuer field of EE and the subject of its issuer differ in their bytes."""

    def name(text, kind):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, _type=kind)])

    anchor = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    issuer = lab.Authority.create(name(*one), validity=lab.Validity.around(AT))
    renamed = dataclasses.replace(issuer, name=name(*other))
    target = renamed.issue_server("EE").certificate
    certificate = anchor.issue_ca(issuer)
    assert certificate._structure.subject != target._structure.issuer
    path = find_path(
        target,
        pool=CertificatePool([certificate]),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
    )
    assert path.certificates == (target, certificate)


def test_key_identifiers_are_a_hint():
    """RFC 4158 section 3.5.12: EE's authorityKeyIdentifier is of another key, and A's signature still verifies."""
    other = authority_key_identifier(lab.KeyType.EC_P256.generate().public_key())
    topology = build(lab.Edge(subject="EE", issuer="A", extensions=(lab.non_critical(other),)), "A<TA")
    assert drawn(topology, solve(topology)) == ["EE<A<TA"]


def test_key_identifiers_are_a_hint_for_the_anchor_too():
    """As before, with EE right below the anchor."""
    other = authority_key_identifier(lab.KeyType.EC_P256.generate().public_key())
    topology = build(lab.Edge(subject="EE", issuer="TA", extensions=(lab.non_critical(other),)))
    assert drawn(topology, solve(topology)) == ["EE<TA"]


def test_a_weak_key_of_the_issuers_name_does_not_spoil_the_strong_one():
    """TA -> B (RSA 1,024, retired) and TA -> B (EC), without key identifiers: EE is signed by the strong key.

    That the weak key is too weak says nothing about EE: the weak key did not sign it.
    """
    from cryptography.hazmat.primitives.asymmetric import rsa

    anchor = lab.Authority.create("TA", validity=lab.Validity.around(AT))
    strong = lab.Authority.create("B", validity=lab.Validity.around(AT))
    weak_key = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # what is refused
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    longer = lab.Validity.around(AT, days_after=364)
    weak = anchor.issue("B", weak_key.public_key(), extensions=[ca])
    good = anchor.issue("B", strong.private_key.public_key(), extensions=[ca], validity=longer)
    target = strong.issue("EE", lab.KeyType.EC_P256.generate().public_key())
    report = find_paths(
        target,
        pool=CertificatePool([weak, good]),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=NEVER_MIND,
    )
    assert [path.certificates for path in report.valid] == [(target, good)]


# Size and hostility


def mesh(size):
    """Certify every CA by every other, the first two by the anchor, the server by the last."""
    labels = [f"C{number}" for number in range(size)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    return build(f"EE<{labels[-1]}", f"{labels[0]}<TA", f"{labels[1]}<TA", *pairs)


def test_a_mesh_of_six_answers_at_once():
    """Six CAs that all certify one another, 30 cross-certificates: the shortest of the equally lasting paths."""
    topology = mesh(6)
    with counted_calls() as calls:
        path = find_path(
            topology.servers["EE"].certificate,
            pool=topology.pool,
            trust_anchors=[topology.trust_anchor("TA")],
            parameters=NEVER_MIND,
        )
    assert calls.total() < 30_000
    assert topology.draw(path) in {"EE<C5<C0<TA", "EE<C5<C1<TA"}


def test_a_mesh_has_more_paths_than_anyone_wants():
    """All the simple paths are counted: 2 (1 + 4 + 12 + 24 + 24), more than limits.valid_paths; the report says so."""
    topology = mesh(6)
    report = solve(topology)
    assert len(report.valid) == 100
    assert "valid_paths" in report.incomplete
    assert len(set(drawn(topology, report))) == 100
    small = solve(mesh(4))
    assert len(small.valid) == 2 * (1 + 2 + 2)
    assert small.incomplete is None


def test_a_mesh_that_leads_nowhere_answers_at_once():
    """Eight CAs in a mesh and no way to the anchor: nothing is entered that leads to none."""
    labels = [f"C{number}" for number in range(8)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    topology = build("EE<C0", "X<TA", *pairs)
    with counted_calls() as calls:
        assert solve(topology).valid == ()
    assert calls.total() < 50_000


HOSTILE_EXTENSIONS = [
    *(f"2.5.29.{arc}" for arc in (14, 15, 17, 19, 30, 32, 33, 35, 36, 37, 54)),
    "1.3.6.1.5.5.7.1.1",
]


def test_decoys_with_garbage_in_their_extensions_are_passed_over():
    """A hundred certificates with the issuer's name and unreadable extensions of every kind."""
    topology = build("EE<B<A<TA")
    chaos = random.Random(1)  # noqa: S311  # noise, not a secret
    decoys = []
    for number in range(100):
        garbage = x509.UnrecognizedExtension(
            ObjectIdentifier(HOSTILE_EXTENSIONS[number % len(HOSTILE_EXTENSIONS)]), chaos.randbytes(number)
        )
        impostor = lab.Authority.create("B" if number % 2 else "A")
        extensions = [lab.critical(garbage) if number % 3 else lab.non_critical(garbage)]
        if number % 4 and garbage.oid.dotted_string != "2.5.29.19":
            extensions.append(lab.critical(x509.BasicConstraints(ca=True, path_length=None)))
        decoys.append(
            topology.authorities["TA"].issue(impostor.name, impostor.private_key.public_key(), extensions=extensions)
        )
    report = solve(topology, pool=CertificatePool([*decoys, *topology.pool]))
    assert drawn(topology, report) == ["EE<B<A<TA"]


def test_hundreds_of_rekeyed_decoys_do_not_hide_the_path():
    """300 certificates with B's name, each of another key and truly issued by TA, none with a key identifier."""
    topology = build("EE<B<TA")
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    anchor, name = topology.authorities["TA"], topology.authorities["B"].name
    decoys = [anchor.issue(name, lab.KeyType.EC_P256.generate().public_key(), extensions=[ca]) for _ in range(300)]
    pool = CertificatePool([*decoys, *topology.pool])
    with counted_calls() as calls:
        report = solve(topology, pool=pool)
    assert calls.total() < 500_000
    assert drawn(topology, report) == ["EE<B<TA"]
    assert {attempt.reason for attempt in report.rejected} <= {FailureReason.BAD_SIGNATURE}


def test_layers_of_decoys_multiply_neither():
    """TA -> A (60 keys) -> B (60 keys) -> EE, every A by TA, every B by one A: 3,600 combinations, 2 sets of checks."""
    topology = build("EE<B<A<TA")
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    anchor, issuer = topology.authorities["TA"], topology.authorities["A"]

    def fresh():
        return lab.KeyType.EC_P256.generate().public_key()

    decoys = [anchor.issue(issuer.name, fresh(), extensions=[ca]) for _ in range(60)]
    decoys += [issuer.issue(topology.authorities["B"].name, fresh(), extensions=[ca]) for _ in range(60)]
    report = solve(topology, pool=CertificatePool([*decoys, *topology.pool]))
    assert drawn(topology, report) == ["EE<B<A<TA"]
    assert report.incomplete is None
