"""The expiry report: what bundles hang on equals brute force, and nothing is left out in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.verifier.dependence import DependenceSearch
from pkcs12kit.verifier.expiry_words import parts_of, summary

from ..paths.test_search_properties import EDGES, PARAMETERS, world  # noqa: F401  # the fixture
from ..thoroughness import examples

AT = datetime(2026, 3, 1, tzinfo=UTC)
PASSWORD = "correct horse 42"


@pytest.fixture(scope="module")
def servers(world):  # noqa: F811
    """Two servers below each CA, one of them with a name that a constrained CA may not issue for."""
    authorities, *_ = world
    return [
        authorities[label].issue_server(name).certificate
        for label in ("A", "B", "B'", "TA")
        for name in ("www.example.com", "www.example.org")
    ]


def by_brute_force(target, pool, asked):
    """The certificates without which ``find_paths`` finds nothing, one search for each certificate of the pool."""
    best = pk.find_paths(target, certificates=pool, **asked)
    if not best.valid:
        return None, set()
    gone = {one for one in pool if not pk.find_paths(target, certificates=set(pool) - {one}, **asked).valid}
    return best.best, gone - {target}


@settings(max_examples=examples(80), deadline=None)
@given(edges=EDGES, data=st.data(), server_auth=st.booleans())
def test_what_a_bundle_hangs_on_is_what_brute_force_says(world, servers, edges, data, server_auth):  # noqa: F811
    """Of several bundles in one report: the best path of each, and each certificate without which there is none."""
    authorities, certificates, _ = world
    anchor = authorities["TA"].certificate
    pool = [certificates[edge] for edge in edges]
    targets = data.draw(st.lists(st.sampled_from(servers), min_size=1, max_size=4, unique_by=lambda one: one.der))
    own = {
        str(number): [target, *data.draw(st.lists(st.sampled_from(pool), max_size=6) if pool else st.just([]))]
        for number, target in enumerate(targets)
    }
    purpose = "1.3.6.1.5.5.7.3.1" if server_auth else None
    asked = {"trust_anchors": [anchor], "parameters": replace(PARAMETERS, extended_key_usage=purpose)}
    report = pk.expiry_report(own, certificates=pool, **asked)
    counts: dict[object, set[str]] = {}
    for bundle in report.bundles:
        alone = pk.find_paths(bundle.target, certificates=own[bundle.name], **asked)
        best, gone = by_brute_force(bundle.target, [*own[bundle.name], *pool], asked)
        assert bundle.is_complete == bool(alone.valid)
        assert bundle.path == (alone.best if alone.valid else best)
        assert set(bundle.needed) == gone
        assert bundle.is_certain
        assert (bundle.why is None) == (bundle.path is not None)
        for one in gone:
            counts.setdefault(one, set()).add(bundle.name)
    assert {use.certificate: set(use.needed_by) for use in report.certificates if use.needed_by} == counts
    most = report.most_needed
    assert (None if most is None else len(most.needed_by)) == max(map(len, counts.values()), default=None)


@settings(max_examples=examples(40), deadline=None)
@given(edges=EDGES, number=st.integers(0, 7))
def test_one_by_one_says_the_same(world, servers, edges, number):  # noqa: F811
    """Where there are too many paths to compare, each certificate is left out in turn: the same answer."""
    authorities, certificates, _ = world
    anchors = (pk.TrustAnchor.from_certificate(authorities["TA"].certificate),)
    pool = frozenset(certificates[edge] for edge in edges)
    search = DependenceSearch(anchors, PARAMETERS, pk.DEFAULT_LIMITS)
    quick = search.of(servers[number], pool)
    slow = search._one_by_one(servers[number], pk.CertificatePool(pool))
    assert quick == slow


@pytest.fixture(scope="module")
def crossed():
    """EE and EF below B; B below A; A certified by TA, and by C, which TA certified."""
    soon = pk.lab.Validity.around(AT, days_after=20)
    return pk.lab.Topology.from_edges(
        "EE<B<A<TA", "EF<B", "C<TA", pk.lab.Edge(subject="A", issuer="C", validity=soon),
        validity=pk.lab.Validity.around(AT),
    )  # fmt: skip


def test_another_way_in_the_pool_counts(crossed):
    """'No other way': with the cross-certificate in the pool the bundle does not hang on the certificate it uses."""
    chain = [crossed.servers["EE"].certificate, crossed.certificate("B", "A"), crossed.certificate("A", "TA")]
    asked = {"trust_anchors": [crossed.trust_anchor("TA")], "time": AT}
    alone = pk.expiry_report({"one": chain}, **asked)
    assert set(alone.bundles[0].needed) == {*chain[1:]}
    both = pk.expiry_report({"one": chain}, certificates=crossed.pool, **asked)
    assert both.bundles[0].needed == (crossed.certificate("B", "A"),)
    assert both.bundles[0].path == alone.bundles[0].path
    used = {use.certificate: (use.needed_by, use.used_by) for use in both.certificates}
    assert used[crossed.certificate("A", "TA")] == ((), ("one",))


def test_the_served_path_counts_although_the_pool_has_a_better_one(crossed):
    """What the server sends ends: that the pool has a path that lasts longer does not make the answer a yes."""
    server = crossed.servers["EE"].certificate
    chain = [server, crossed.certificate("B", "A"), crossed.certificate("A", "C"), crossed.certificate("C", "TA")]
    asked = {"trust_anchors": [crossed.trust_anchor("TA")], "time": AT, "certificates": crossed.pool}
    report = pk.expiry_report([chain], expires_within=timedelta(days=30), **asked)
    assert not report.ok
    (bundle,) = report.expiring
    assert bundle.ends_first == crossed.certificate("A", "C")
    assert pk.expiry_report([chain], expires_within=timedelta(days=10), **asked).ok


def test_many_bundles_share_the_searches_of_one(crossed):
    """Paths are searched once for each issuer and pool, not for each bundle."""
    authority = crossed.authorities["B"]
    others = (crossed.certificate("B", "A"), crossed.certificate("A", "TA"))
    first = crossed.servers["EE"]
    certificates = [
        authority.issue(f"s{number}", first.private_key.public_key(), validity=pk.lab.Validity.around(AT))
        for number in range(150)
    ]
    anchors = (crossed.trust_anchor("TA"),)
    search = DependenceSearch(anchors, pk.ValidationParameters(time=AT), pk.DEFAULT_LIMITS)
    found = {search.of(one, frozenset(others)).needed for one in certificates}
    assert found == {others}
    assert search.searches == 1


def test_files_that_cannot_be_read_are_named(tmp_path, replica, files):
    """A wrong password, a damaged file, a key, CA certificates, a file twice: each is told, and none is counted."""
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    quick = pk.profiles.MODERN.with_iterations(encryption=1, mac=1)
    good = pk.encode_pfx(bundle, password=PASSWORD, profile=quick)
    folder = tmp_path / "bundles"
    folder.mkdir()
    (folder / "good.p12").write_bytes(good)
    (folder / "link.p12").symlink_to(folder / "good.p12")
    (folder / "other.p12").write_bytes(pk.encode_pfx(bundle, password="another one", profile=quick))
    (folder / "cut.p12").write_bytes(good[:300])
    (folder / "junk.p12").write_bytes(b"nothing of the kind")
    (folder / "notes.txt").write_text("nothing", "utf-8")
    (folder / "server.key").write_bytes(files.key.read_bytes())
    (folder / "ca.pem").write_text(replica.trust_anchor.to_pem(), "utf-8")
    report = pk.expiry_report(
        folder, trust_anchors=[files.trust_anchor], time=replica.at, password=PASSWORD, certificates=[]
    )
    assert [one.name for one in report.bundles] == [str(folder / "good.p12")]
    unread = {one.name.rpartition("/")[2]: one.needs_password for one in report.unread}
    assert unread == {"cut.p12": False, "junk.p12": False, "other.p12": True}
    assert {one.rpartition("/")[2] for one in report.skipped} == {"notes.txt", "server.key", "ca.pem"}
    assert not report.ok
    titles = [title for title, _ in parts_of(report)]
    assert "Not read, so nothing is known of them:" in titles
    assert "is the single certificate that most bundles hang on: 1 of 1 have no path without it" in summary(report)


def test_many_bundles_in_words(crossed):
    """Twenty thousand bundles, as many as the limit allows: those that end within the time, and those that do not."""
    chain = [crossed.servers["EE"].certificate, crossed.certificate("B", "A"), crossed.certificate("A", "TA")]
    report = pk.expiry_report([chain], trust_anchors=[crossed.trust_anchor("TA")], time=AT)
    many = pk.DEFAULT_LIMITS.expiry_bundles
    late = replace(report, bundles=tuple(replace(report.bundles[0], name=f"s{number}") for number in range(many)))
    for one, title in ((late, "Ending later:"), (replace(late, expires_within=timedelta(days=9_999)), "Ending by ")):
        _, (shown, lines) = parts_of(one)
        assert shown.startswith(title)
        assert f"{many - len(lines) + 1:,}" in lines[-1]


def test_what_is_no_bundle(tmp_path, crossed):
    """An empty folder, no bundle, values of other kinds."""
    asked = {"trust_anchors": [crossed.trust_anchor("TA")]}
    for nothing in (tmp_path, [], {}):
        with pytest.raises(pk.InputError, match="no bundle with a server's certificate"):
            pk.expiry_report(nothing, **asked)
    for wrong in (3, [3], [[]], {"a": object()}, {3: "a"}):
        with pytest.raises(pk.ArgumentError):
            pk.expiry_report(wrong, **asked)


def test_the_limit_of_bundles(crossed):
    """More bundles than the limit are not judged in part."""
    one = crossed.servers["EE"].certificate
    limits = replace(pk.DEFAULT_LIMITS, expiry_bundles=2)
    asked = {"trust_anchors": [crossed.trust_anchor("TA")], "time": AT, "limits": limits}
    assert len(pk.expiry_report([[one], [one]], **asked).bundles) == 2
    with pytest.raises(pk.LimitExceededError, match=r"limits\.expiry_bundles"):
        pk.expiry_report([[one]] * 3, **asked)


def test_a_limit_that_ends_a_search_is_told(crossed):
    """A search that was given up makes no answer certain."""
    chain = [crossed.servers["EE"].certificate, *crossed.pool]
    limits = replace(pk.DEFAULT_LIMITS, discovery_steps=3)
    report = pk.expiry_report({"one": chain}, trust_anchors=[crossed.trust_anchor("TA")], time=AT, limits=limits)
    assert not report.bundles[0].is_certain
    assert not report.ok
    assert summary(report) == "No valid path was found in 1 bundle"


def test_the_answer_says_nothing_of_bundles_that_were_not_read(tmp_path, crossed):
    """With nothing read, nothing is said of the certificates that bundles hang on."""
    (tmp_path / "cut.p12").write_bytes(b"0\x82")
    report = pk.expiry_report(tmp_path / "cut.p12", trust_anchors=[crossed.trust_anchor("TA")], time=AT)
    assert len(report.unread) == 1
    assert summary(report) == "No bundle could be read"
