"""Explanations why there is no path: each rejected link once, the closest to success first, with names."""

from __future__ import annotations

import dataclasses
import json
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths import diagnosis
from pkcs12kit.paths.failure import Failure, issuer_failure
from pkcs12kit.paths.report import RejectedPath
from pkcs12kit.paths.search import find_paths
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ..counting import counted_calls

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
EXPIRED = lab.Validity.around(AT, days_before=90, days_after=-1)
TO_COME = lab.Validity.around(AT, days_before=-1, days_after=90)
NARROW = lab.critical(
    x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None),
)


def build(*edges):
    """Make a topology that is valid around the time of the searches."""
    return lab.Topology.from_edges(*edges, validity=SPAN)


def edge(subject, issuer, **special):
    """Write an edge with something special about it."""
    return lab.Edge(subject=subject, issuer=issuer, **special)


def solve(topology, *, anchors=("TA",), pool=None, at=AT, **parameters):
    """Search from EE."""
    return find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool if pool is None else pool,
        trust_anchors=[topology.trust_anchor(label) for label in anchors],
        parameters=ValidationParameters(time=at, **parameters),
    )


def without(topology, *left_out):
    """Pool all but these certificates."""
    return CertificatePool(certificate for certificate in topology.pool if certificate not in left_out)


def said(topology, report):
    """Write what was said, in order: how far the attempt got, which certificate it is about, and the reason."""
    return [
        (topology.draw(path.certificates), topology.draw([path.certificate]), path.reason.value)
        for path in report.rejected
    ]


# Each refused link once


def test_a_link_that_many_walks_share_is_said_once():
    """TA => A (4 certificates) -> B -> EE, B narrowed to other names: EE is rejected below B once, four times."""
    topology = build(*(edge("A", "TA") for _ in range(4)), edge("B", "A", extensions=(NARROW,)), "EE<B")
    report = solve(topology)
    assert said(topology, report) == [("EE<B<A", "EE", "name-constraints")]
    assert report.rejected[0].walks >= 1
    assert report.to_json()["rejected"][0]["walks"] == report.rejected[0].walks


def finding(reason, certificate, *walk):
    """Return a candidate rejected as the search does it."""
    failure = Failure(reason=reason, certificate=certificate, section="RFC 5280 section 6.1", detail="is refused")
    return RejectedPath(certificates=walk, failures=(failure,))


def explain(topology, judged, *, found):
    """Explain made-up rejections of a search from EE."""
    return diagnosis.explain(
        topology.servers["EE"].certificate,
        topology.pool,
        [topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=AT),
        rejected=judged,
        unusable=(),
        found=found,
        limits=DEFAULT_LIMITS,
    )


@pytest.mark.parametrize("found", [True, False])
def test_walks_through_one_link_are_counted(found):
    """By certificate, reason and issuer: (EE, B) in three candidates and (EE, B') in one are two findings."""
    topology = build(edge("A", "TA"), edge("A", "TA"), "B<A", "B'<A", "EE<B")
    ee, below, other = (
        topology.servers["EE"].certificate,
        topology.certificate("B", "A"),
        topology.certificate("B'", "A"),
    )
    first, second = (certificate for certificate in topology.pool if certificate.subject.common_name == "A")
    reason = FailureReason.NAME_CONSTRAINTS
    walks = [(ee, below, first), (ee, below, second), (ee, below), (ee, below, first), (ee, other, first)]
    explained = explain(topology, [finding(reason, ee, *walk) for walk in walks], found=found)
    assert [path.certificates for path in explained] == [walks[0], walks[-1]]
    assert [path.walks for path in explained] == [3, 1]


def test_reasons_and_limits_are_told_apart():
    """One link refused for two reasons is two findings; a limit that was hit comes first, each limit once."""
    topology = build("EE<B<TA")
    ee, below = topology.servers["EE"].certificate, topology.certificate("B", "TA")
    spent = finding(FailureReason.BUDGET_EXHAUSTED, ee, ee, below)
    other = dataclasses.replace(spent, failures=(dataclasses.replace(spent.failures[0], detail="another limit"),))
    reasons = (FailureReason.NAME_CONSTRAINTS, FailureReason.SERVER_NAME)
    judged = [*(finding(reason, ee, ee, below) for reason in reasons), spent, spent, other]
    explained = explain(topology, judged, found=True)
    assert [path.reason for path in explained] == [FailureReason.BUDGET_EXHAUSTED] * 2 + list(reasons)


def test_what_was_said_of_an_expired_link_is_not_said_again():
    """TA -> A => B -> EE, all of A and B expired: each of the three is first in one finding, and in one alone."""
    topology = build("EE<B", *(edge("B", "A", validity=EXPIRED) for _ in range(2)), edge("A", "TA", validity=EXPIRED))
    report = solve(topology)
    first = [path.failures[0].certificate for path in report.rejected]
    assert len(first) == len(set(first))
    assert {failure.certificate for path in report.rejected for failure in path.failures} == set(topology.pool)


# The closest first


def test_a_path_that_reaches_an_anchor_comes_before_a_missing_issuer():
    """B expired below the anchor, and another B by somebody who was not supplied: the expired link first."""
    topology = build("EE<B", edge("B", "TA", validity=EXPIRED), "B<Y<Z")
    report = solve(topology, pool=without(topology, topology.certificate("Y", "Z")))
    assert [path.reason for path in report.rejected] == [FailureReason.EXPIRED, FailureReason.ISSUER_NOT_FOUND]


def test_the_path_with_the_fewest_failures_comes_first():
    """Two ways up: one link expired, and two links expired."""
    topology = build(
        "EE<B",
        edge("B", "C", validity=lab.Validity.around(AT, days_before=9, days_after=-1)),
        edge("C", "TA", validity=lab.Validity.around(AT, days_before=9, days_after=-1)),
        edge("B", "D", validity=lab.Validity.around(AT, days_before=9, days_after=-5)),
        "D<TA",
    )
    report = solve(topology)
    assert topology.draw(report.rejected[0].certificates) == "EE<B<D"
    assert [len(path.failures) for path in report.rejected] == [1, 2]


def test_fewer_failures_come_before_a_later_lapse():
    """Beside the best way up: three links that expired a day ago come after two that did a month ago."""
    month_ago = lab.Validity.around(AT, days_before=90, days_after=-30)
    topology = build(
        "EE<B",
        edge("B", "TA", validity=lab.Validity.around(AT, days_before=90, days_after=-60)),
        *(edge(*pair, validity=EXPIRED) for pair in (("B", "C"), ("C", "D"), ("D", "TA"))),
        *(edge(*pair, validity=month_ago) for pair in (("B", "E"), ("E", "TA"))),
    )
    assert [topology.draw(path.certificates) for path in solve(topology).rejected] == ["EE<B", "EE<B<E", "EE<B<C<D"]


@pytest.mark.parametrize("sign", [1, -1], ids=["before", "after"])
def test_where_the_target_is_not_valid_the_nearest_window_comes_first(sign):
    """Not another that lasts longer or that some of its certificates are valid for at the time asked for."""

    def around(first, last):
        first, last = sorted((sign * first, sign * last))
        return lab.Validity(not_before=AT + timedelta(days=first), not_after=AT + timedelta(days=last))

    topology = build(
        edge("EE", "B", validity=around(100, 500)),
        edge("B", "TA", validity=around(-30, 50)),  # the fewest failures, and valid with EE never
        *(edge("B", "TA", validity=around(200 + number, 9000 + number)) for number in range(6)),
        edge("B", "TA", validity=around(90, 150)),
    )
    first, *others = (path.would_be_valid for path in solve(topology).rejected)
    nearest = around(100, 150)
    assert first == (nearest.not_before, nearest.not_after)
    assert None in others


def test_of_as_many_failures_the_nearest_window_comes_first():
    """Both renewed soon, or expired lately: what lasts longest is a year off."""
    topology = build(
        "EE<B",
        edge("B", "TA", validity=lab.Validity.around(AT, days_before=-20, days_after=40)),
        edge("B", "TA", validity=lab.Validity.around(AT, days_before=-25, days_after=300)),
    )
    windows = [path.would_be_valid for path in solve(topology).rejected if path.would_be_valid]
    assert [(begin - AT).days for begin, _ in windows] == [20, 25]


def test_an_issuer_missing_on_the_only_way_comes_before_the_root_on_that_way():
    """R -> EE, R self-signed and cross-certified by X, who is missing: the way goes on from R, so X is asked for."""
    topology = build("EE<R", "R<R", "R<X<TA", "Y<TA")
    report = solve(topology, pool=without(topology, topology.certificate("X", "TA")))
    assert said(topology, report) == [
        ("EE<R", "R", "issuer-not-found"),
        ("EE<R", "R", "no-trust-anchor"),
        ("TA", "TA", "no-trust-anchor"),
    ]
    assert report.rejected[0].certificate == topology.certificate("R", "X")


def test_a_wrong_anchor_comes_before_issuers_missing_on_side_branches():
    """R -> A -> EE with R whole, and A by Y, who is missing; the anchor given is another: R first, then the anchor."""
    topology = build("EE<A<R", "R<R", "A<Y<Z", "U<TA")
    report = solve(topology, pool=without(topology, topology.certificate("Y", "Z"), topology.certificate("U", "TA")))
    assert said(topology, report) == [
        ("EE<A<R", "R", "no-trust-anchor"),
        ("TA", "TA", "no-trust-anchor"),
        ("EE<A", "A", "issuer-not-found"),
    ]


def test_dead_ends_behind_fewer_unusable_certificates_come_first():
    """EE <- B (expired) <- missing, and EE <- B <- C <- missing: the way without expired ones first, though longer."""
    topology = build("EE<B", edge("B", "X", validity=EXPIRED), "B<C<Y", "X<TA", "Y<TA")
    pool = without(topology, topology.certificate("X", "TA"), topology.certificate("Y", "TA"))
    missing = FailureReason.ISSUER_NOT_FOUND
    ends = [
        path for path in solve(topology, pool=pool).rejected if missing in {failure.reason for failure in path.failures}
    ]
    assert [topology.draw(path.certificates) for path in ends] == ["EE<B<C", "EE<B"]


# What is missing


def test_a_missing_issuer_is_data_too():
    """Name, key identifier and locations (RFC 5280 sections 4.2.1.1, 4.2.2.1), as values and in JSON."""
    url = "http://ca.example/issued-to-a.p7c"
    access = lab.non_critical(lab.extensions.authority_information_access(url))
    topology = build("EE<B", edge("B", "A", extensions=(access,)), "A<TA")
    report = solve(topology, pool=without(topology, topology.certificate("A", "TA")))
    missing = report.rejected[0].failures[0].missing_issuer
    assert missing.name == topology.authorities["A"].certificate.subject
    assert missing.key_identifier == topology.authorities["A"].certificate.key_identifier
    assert missing.locations == (url,)
    assert missing.found_key_identifiers == ()
    [described] = json.loads(json.dumps(report.to_json()))["rejected"][0]["failures"]
    assert described["missing_issuer"] == {
        "name": "CN=A",
        "key_identifier": missing.key_identifier.hex(),
        "locations": [url],
        "found_key_identifiers": [],
        "look_alikes": [],
        "look_alike_count": 0,
    }


def test_two_keys_of_one_missing_name_are_two_findings():
    """B by A and B by A', neither supplied: the two are told apart by their key identifiers."""
    topology = build("EE<B<A", "B<A'", "A<TA", "A'<TA")
    report = solve(topology, pool=without(topology, topology.certificate("A", "TA"), topology.certificate("A'", "TA")))
    missing = [path for path in report.rejected if path.reason is FailureReason.ISSUER_NOT_FOUND]
    wanted = {topology.authorities[label].certificate.key_identifier.hex() for label in ("A", "A'")}
    assert {path.failures[0].missing_issuer.key_identifier.hex() for path in missing} == wanted


def test_a_rekeyed_issuer_is_said_with_the_key_identifiers_of_both():
    """EE by B, and only B' is there: found by name, another key; one finding, about EE."""
    topology = build("EE<B<A<TA", "B'<A")
    report = solve(topology, pool=without(topology, topology.certificate("B", "A")))
    first = report.rejected[0]
    assert (first.reason, first.certificate) == (FailureReason.ISSUER_NOT_FOUND, topology.servers["EE"].certificate)
    old, new = (topology.authorities[label].certificate.key_identifier for label in ("B", "B'"))
    assert first.failures[0].missing_issuer.key_identifier == old
    assert first.failures[0].missing_issuer.found_key_identifiers == (new,)
    other = topology.certificate("B'", "A")
    assert first.failures[0].missing_issuer.look_alikes == (other,)
    [named] = first.to_json()["failures"][0]["missing_issuer"]["look_alikes"]
    assert (named["sha256"], named["key_identifier"]) == (other.sha256, new.hex())
    assert old.hex() in first.detail
    assert new.hex() in first.detail
    assert "has another key" in first.detail


def test_a_rekeyed_issuer_without_key_identifiers_is_a_bad_signature():
    """As before above nothing that leads to an anchor: only the signature tells (RFC 5280 section 6.1.3 (a)(1))."""
    root, real, other = (lab.Authority.create(name, validity=SPAN) for name in ("R", "B", "B"))
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    target = real.issue("EE", lab.KeyType.EC_P256.generate().public_key(), validity=SPAN)
    namesake = root.issue("B", other.private_key.public_key(), extensions=[ca], validity=SPAN)
    anchor = TrustAnchor.from_certificate(lab.Authority.create("TA", validity=SPAN).certificate)
    report = find_paths(
        target,
        pool=CertificatePool([namesake]),
        trust_anchors=[anchor],
        parameters=ValidationParameters(time=AT),
    )
    first = report.rejected[0]
    assert (first.reason, first.certificate) == (FailureReason.BAD_SIGNATURE, target)
    assert first.section == "RFC 5280 section 6.1.3 (a)(1)"
    assert first.detail.startswith("its issuer CN=B is known by name, but the CA found by that name did not sign it")


def test_a_damaged_certificate_comes_before_issuers_missing_elsewhere():
    """EE names B's key and is not signed by it; that B's other certificate lacks an issuer is not a reason."""
    topology = build("EE<B<TA", "B<Y<Z")
    whole = topology.servers["EE"].certificate
    damaged = Certificate.from_der(whole.der[:-1] + bytes([whole.der[-1] ^ 1]))
    report = find_paths(
        damaged,
        pool=without(topology, topology.certificate("Y", "Z")),
        trust_anchors=[topology.trust_anchor("TA")],
        parameters=ValidationParameters(time=AT),
    )
    assert (report.rejected[0].reason, report.rejected[0].certificate) == (FailureReason.BAD_SIGNATURE, damaged)
    assert [path.reason for path in report.rejected].count(FailureReason.BAD_SIGNATURE) == 1


def test_a_wrong_key_does_not_hide_what_is_wrong_with_the_right_one():
    """Twenty namesakes of B that did not sign EE, and B itself, which is expired: that is the reason."""
    topology = build("EE<B", edge("B", "TA", validity=EXPIRED))
    ca = lab.critical(x509.BasicConstraints(ca=True, path_length=None))
    anchor, real = topology.authorities["TA"], topology.authorities["B"]
    key = lab.KeyType.EC_P256.generate().public_key
    namesakes = [anchor.issue(real.name, key(), extensions=[ca], validity=SPAN) for _ in range(20)]
    report = solve(topology, pool=CertificatePool([*namesakes, *topology.pool]))
    assert report.rejected[0].reason is FailureReason.EXPIRED
    assert report.rejected[0].certificate == topology.certificate("B", "TA")


# Trust anchors that nothing leads to


def test_an_anchor_that_nothing_leads_to():
    """Two anchors, the way up ends elsewhere: each is named, with what was issued in its name."""
    topology = build("EE<A<R", "R<R", "X<B<TA", "X<C<TA", "X<D<TB")
    report = solve(topology, anchors=["TA", "TB"])
    unused = report.rejected[1:3]
    assert [path.certificate for path in unused] == [topology.authorities[label].certificate for label in ("TA", "TB")]
    assert {path.reason for path in unused} == {FailureReason.NO_TRUST_ANCHOR}
    assert "2 certificates name it as the issuer" in unused[0].detail
    assert "one certificate names it as the issuer" in unused[1].detail


def test_an_anchor_that_nobody_names():
    """An anchor of another PKI: no certificate given names it; another key of its name is said to be there."""
    topology = build("EE<A<R", "R<R", "TA'<R", "B<TA")
    report = solve(topology, pool=without(topology, topology.certificate("B", "TA")))
    [unused] = [path for path in report.rejected if path.certificate == topology.authorities["TA"].certificate]
    assert "no certificate given names it as the issuer" in unused.detail
    assert "certificates with its name and another key were given" in unused.detail


def test_an_anchor_without_a_certificate_is_named_too():
    """Only a name and a key (RFC 5280 section 6.1.1 (d)): the finding is about the target."""
    topology = build("EE<A<R", "R<R", "B<TA")
    whole = topology.trust_anchor("TA")
    bare = TrustAnchor(name=whole.name, subject_public_key_info=whole.subject_public_key_info)
    report = find_paths(
        topology.servers["EE"].certificate,
        pool=topology.pool,
        trust_anchors=[bare],
        parameters=ValidationParameters(time=AT),
    )
    assert any("CN=TA" in path.detail and path.certificate == report.target for path in report.rejected)


def test_an_anchor_that_was_rekeyed_is_said_once():
    """EE <- A <- TA, and the anchor given is TA': A says both key identifiers, and nothing else repeats it."""
    topology = build("EE<A<TA", "X<TA'")
    report = solve(topology, anchors=["TA'"])
    [only] = report.rejected
    assert (only.reason, only.certificate) == (FailureReason.NO_TRUST_ANCHOR, topology.certificate("A", "TA"))
    for label in ("TA", "TA'"):
        assert topology.authorities[label].certificate.key_identifier.hex() in only.detail


def test_anchors_are_nobodys_fault_where_a_path_is_valid():
    """One of two anchors is reached: the other is not mentioned."""
    topology = build("EE<A<TA", "B<TB")
    assert solve(topology, anchors=["TA", "TB"]).rejected == ()


# Time


def test_the_window_within_which_it_would_be_valid():
    """From the latest notBefore to the earliest notAfter (RFC 5280 section 4.1.2.5), in JSON too."""
    topology = build("EE<B", edge("B", "TA", validity=EXPIRED))
    first = solve(topology).rejected[0]
    link = topology.certificate("B", "TA")
    assert first.would_be_valid == (link.not_before, link.not_after)
    assert not first.clock_looks_wrong
    assert solve(topology, at=link.not_after).valid
    described = first.to_json()["would_be_valid"]
    assert (described["from"], described["to"]) == ("2025-12-01T00:00:00Z", "2026-02-28T00:00:00Z")


@pytest.mark.parametrize("after", [TO_COME, lab.Validity.around(AT, days_before=30, days_after=-9)])
def test_no_window_where_the_certificates_were_never_valid_together(after):
    """One expired before the other began, which is to come, or past too: those two are said, and no third."""
    before = lab.Validity.around(AT, days_before=90, days_after=-60)
    topology = build("EE<B", edge("B", "A", validity=before), edge("A", "TA", validity=after))
    first = solve(topology).rejected[0]
    assert [failure.certificate for failure in first.failures] == list(first.certificates[1:])
    assert first.would_be_valid is None


def test_no_window_where_something_else_is_wrong_too():
    """Expired, and for other names: both are said, and no time would do."""
    topology = build("EE<B", edge("B", "TA", validity=EXPIRED, extensions=(NARROW,)))
    first = solve(topology).rejected[0]
    assert [failure.reason for failure in first.failures] == [FailureReason.EXPIRED, FailureReason.NAME_CONSTRAINTS]
    assert first.would_be_valid is None


@pytest.mark.parametrize("years", [-50, 50])
def test_a_clock_that_looks_wrong(years):
    """Before everything began, as after a battery change, and after everything ended."""
    topology = build("EE<B<A<TA")
    first = solve(topology, at=AT + timedelta(days=365 * years)).rejected[0]
    assert first.clock_looks_wrong
    assert len(first.failures) == 4
    assert first.would_be_valid is not None


def test_a_target_that_is_not_yet_valid_makes_the_clock_look_wrong():
    """It is enough: a certificate of tomorrow cannot exist yet."""
    topology = build(edge("EE", "A", validity=TO_COME), "A<TA")
    [first] = solve(topology).rejected
    assert first.clock_looks_wrong
    assert first.would_be_valid == (TO_COME.not_before, TO_COME.not_after)
    assert not solve(build(edge("EE", "A", validity=EXPIRED), "A<TA")).rejected[0].clock_looks_wrong


def test_one_expired_certificate_is_no_sign_of_a_wrong_clock():
    """The target right below an anchor without a certificate: it alone is all that could expire."""
    authority = lab.Authority.create("TA", validity=SPAN)
    root = authority.certificate
    bare = TrustAnchor(name=root.subject, subject_public_key_info=root.subject_public_key_info)
    report = find_paths(
        authority.issue_server("EE", validity=EXPIRED).certificate,
        pool=CertificatePool(),
        trust_anchors=[bare],
        parameters=ValidationParameters(time=AT),
    )
    assert report.rejected[0].reason is FailureReason.EXPIRED
    assert not report.rejected[0].clock_looks_wrong


def test_an_anchor_whose_validity_is_not_asked_is_not_blamed():
    """The anchor and B have expired: with ``check_trust_anchor_validity=False`` B alone is in the way."""
    anchor, ca = lab.Authority.create("TA", validity=EXPIRED), lab.Authority.create("B", validity=SPAN)
    target = ca.issue_server("EE", validity=SPAN).certificate
    for check, expected in ((True, [True, True]), (False, [True])):
        report = find_paths(
            target,
            pool=CertificatePool([anchor.issue_ca(ca, validity=EXPIRED)]),
            trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
            parameters=ValidationParameters(time=AT, check_trust_anchor_validity=check),
        )
        assert [failure.reason is FailureReason.EXPIRED for failure in report.rejected[0].failures] == expected


# The report as a value


def test_a_report_crosses_processes_with_its_explanations():
    """Pickled and back: missing issuers, windows, and what put each path before the next."""
    topology = build("EE<B<A<TA", edge("B", "TA", validity=lab.Validity.around(AT, days_after=9)))
    for report in (solve(topology), solve(topology, anchors=["B"], at=AT + timedelta(days=9999))):
        assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301  # our own
    assert len(solve(topology).before_next) == 1


# Size


@pytest.fixture(scope="module")
def mesh():
    """64 CAs that all certify one another: 4,032 certificates, and two by the anchor."""
    labels = [f"C{number}" for number in range(64)]
    pairs = [f"{one}<{other}" for one in labels for other in labels if one != other]
    return build("EE<C63", "C0<TA", "C1<TA", *pairs)


@pytest.mark.parametrize(
    "case", ["no way, expired", *(pytest.param(it, marks=pytest.mark.slow) for it in ("expired", "no way"))]
)
def test_explaining_a_mesh_of_64_costs_as_it_has_certificates(mesh, case):
    """Enter nothing twice: the calls grow with the certificates (some 300 for each) and not with the ways."""
    when = AT + timedelta(days=9999) if "expired" in case else AT
    links = [mesh.certificate(label, "TA") for label in ("C0", "C1")] if "no way" in case else []
    everybody = without(mesh, *links)
    unusable = [certificate for certificate in everybody if issuer_failure(certificate, when)]
    with counted_calls() as calls:
        explained = diagnosis.explain(
            mesh.servers["EE"].certificate,
            everybody,
            [mesh.trust_anchor("TA")],
            parameters=ValidationParameters(time=when),
            rejected=(),
            unusable=unusable,
            found=False,
            limits=DEFAULT_LIMITS,
        )
    assert calls.total() < 1_000 * len(everybody)
    first = explained[0]
    if case == "expired":
        assert mesh.draw(first.certificates) in {"EE<C63<C0", "EE<C63<C1"}
        assert {failure.reason for failure in first.failures} == {FailureReason.EXPIRED}
    else:
        assert first.failures[-1].reason is FailureReason.NO_TRUST_ANCHOR
        assert "certify one another" in first.detail
    edges = [(path.certificate, path.reason) for path in explained]
    assert len(edges) == len(set(edges))


@pytest.mark.parametrize("limit", ["discovery_steps", "signature_checks"])
def test_an_explanation_has_a_budget(mesh, limit):
    """With next to none of it the answer is what the search itself has said, and no error."""
    target = mesh.servers["EE"].certificate
    explained = diagnosis.explain(
        target,
        mesh.pool,
        [mesh.trust_anchor("TA")],
        parameters=ValidationParameters(time=AT),
        rejected=[finding(FailureReason.BUDGET_EXHAUSTED, target, target)],
        unusable=(),
        found=False,
        limits=dataclasses.replace(DEFAULT_LIMITS, **{limit: 3}),
    )
    assert explained[0].reason is FailureReason.BUDGET_EXHAUSTED
