"""What if a certificate is removed or added: the answers are those of a search in the changed pool."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit.certificates.lookup import by_fingerprint, fingerprint_digits

from ..thoroughness import examples
from .test_search_properties import EDGES, PARAMETERS, world  # noqa: F401  # the fixture

AT = datetime(2026, 3, 1, tzinfo=UTC)


def identity(report):
    """What tells best paths apart."""
    return (report.best.certificates, report.best.trust_anchor.node) if report.valid else None


@settings(max_examples=examples(120), deadline=None)
@given(edges=EDGES, more=EDGES, data=st.data())
def test_it_answers_as_the_search_in_the_changed_pool(world, edges, more, data):  # noqa: F811
    """Before and after are what ``find_paths`` finds in the pool as it is and in the changed one, whole."""
    authorities, certificates, targets = world
    chosen = [certificates[edge] for edge in edges]
    gone = data.draw(st.lists(st.sampled_from(chosen), unique_by=lambda one: one.der, max_size=3)) if chosen else []
    added = [certificates[edge] for edge in more if certificates[edge] not in gone]
    if not gone and not added:
        return
    given_ = {
        "trust_anchors": [pk.TrustAnchor.from_certificate(authorities["TA"].certificate)],
        "parameters": PARAMETERS,
    }
    anchor = authorities["TA"].certificate
    if anchor in gone:
        return
    report = pk.what_if(targets["A"], certificates=chosen, without=gone, adding=added, **given_)
    before = pk.find_paths(targets["A"], certificates=chosen, **given_)
    changed = [one for one in chosen if one not in gone] + added
    after = pk.find_paths(targets["A"], certificates=changed, **given_)
    assert report.before == before
    assert report.after.valid == after.valid
    assert sorted(map(str, report.after.rejected)) == sorted(map(str, after.rejected))
    assert report.changed == (identity(before) != identity(after))
    nothing = [text for text in report.changes if text.startswith("nothing changes")]
    assert bool(nothing) <= (not report.changed)
    no_path = [text for text in report.changes if "there is no valid path" in text]
    assert bool(no_path) == (not after.valid and set(changed) != set(chosen))
    answer = report.to_json()["what_if"]
    assert (answer["before"] is None, answer["after"] is None) == (not before.valid, not after.valid)


@pytest.fixture(scope="module")
def parallel():
    """EE<B<A<TA with A certified twice, and a longer way round: EE<B<C<D<TA."""
    span = pk.lab.Validity.around(AT)
    short = pk.lab.Validity.around(AT, days_after=30)
    topology = pk.lab.Topology.from_edges(
        "EE<B<A<TA",
        pk.lab.Edge(subject="A", issuer="TA", validity=short),
        pk.lab.Edge(subject="B", issuer="C", validity=pk.lab.Validity.around(AT, days_after=9)),
        "C<D<TA",
        validity=span,
    )
    anchor = topology.trust_anchor("TA")
    given_ = {"certificates": topology.pool, "trust_anchors": [anchor], "time": AT}
    return topology, topology.servers["EE"].certificate, given_


def test_a_twin_stands_in(parallel):
    """Only that certificate goes; a twin, of the same name and key, that stands in for it is named."""
    topology, target, given_ = parallel
    first, second = (one for one in topology.pool if one.subject == topology.authorities["A"].certificate.subject)
    report = pk.what_if(target, without=first, **given_)
    assert report.changed
    assert second in report.after.best.certificates
    assert report.changes == (
        "without A #3 (issued by TA) the best path expires on 2026-03-31T00:00:00Z instead of 2027-03-01T00:00:00Z",
        "A #4 (issued by TA), of the same name and key, takes the place of A #3 (issued by TA)",
    )


def test_a_longer_way_and_no_way(parallel):
    """The words say by how much it is longer, when it ends, and what is missing where there is none."""
    topology, target, given_ = parallel
    twins = [one for one in topology.pool if one.subject == topology.authorities["A"].certificate.subject]
    report = pk.what_if(target, without=[twins[0].sha256, twins[1]], **given_)
    assert "the best path is 1 certificate longer (5 instead of 4) and expires on 2026-03-10T" in report.changes[0]
    last = topology.certificate("D", "TA")
    report = pk.what_if(target, without=[*twins, last.sha256[:8].upper()], **given_)
    assert not report.after.valid
    assert ": CN=B (#2): its issuer CN=A" in report.changes[0]
    back = pk.what_if(target, **{**given_, "certificates": [*topology.pool][:1]}, adding=topology.pool)
    assert "there is a valid path, 4 certificates long, which expires on 2027-03-01" in back.changes[0]
    assert back.added == tuple([*topology.pool][1:])


def test_nothing_changes(parallel):
    """A certificate beside the best path changes nothing, nor does one that is there already."""
    topology, target, given_ = parallel
    beside = topology.certificate("D", "TA")
    report = pk.what_if(target, without=beside, **given_)
    assert not report.changed
    assert report.changes == ("nothing changes: without D #7 (issued by TA) the best path is the same",)
    again = pk.what_if(target, adding=beside, **given_)
    assert again.changes == ("nothing changes: every certificate to add was there before",)


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (lambda topology: topology.servers["EE"].certificate, "is the certificate whose paths are asked for"),
        (lambda topology: topology.authorities["TA"].certificate, "is a trust anchor"),
        (lambda topology: topology.authorities["A"].certificate, "of the same name and key there are A #"),
        (lambda _: pk.lab.Authority.create("A").certificate, "of the same name, with another key, there are A #"),
        (lambda _: pk.lab.Authority.create("X").certificate, "nor is any other of its name"),
        (lambda _: "0" * 64, "none of the 6 certificates given has a SHA-256 fingerprint that begins so"),
    ],
)
def test_what_cannot_be_removed(parallel, without, said):
    """The target, an anchor, and what is not there, with those that are like it."""
    topology, target, given_ = parallel
    with pytest.raises(pk.InputError, match="without") as error:
        pk.what_if(target, without=without(topology), **given_)
    assert said in str(error.value)


def test_what_is_no_question(parallel):
    """Nothing to change, or the same certificate removed and added."""
    topology, target, given_ = parallel
    with pytest.raises(pk.ArgumentError, match="at least one certificate"):
        pk.what_if(target, **given_)
    one = topology.certificate("D", "TA")
    with pytest.raises(pk.InputError, match="is to be removed and to be added"):
        pk.what_if(target, without=one, adding=one, **given_)


def test_fingerprints_are_read_as_programs_print_them(parallel):
    """With colons, in capitals, as OpenSSL prints them; too few digits and other words are none."""
    topology, *_ = parallel
    one = topology.certificate("D", "TA")
    colons = ":".join(one.sha256[at : at + 2] for at in range(0, 64, 2)).upper()
    for text in (one.sha256, colons, f"sha256 Fingerprint={colons}", f"SHA256 Fingerprint={colons}", colons[:23]):
        assert one.sha256.startswith(fingerprint_digits(text))
    for text in ("", "1234567", "server.pem", "0" * 65, "12345678x", "١٢٣٤٥٦٧٨", "0" * 10_000):
        assert fingerprint_digits(text) is None


def test_a_fingerprint_of_several_or_of_another_kind(parallel):
    """Several that begin so are listed; a slip, a SHA-1 fingerprint and a serial number name what may be meant."""
    topology, *_ = parallel
    certificates = [*topology.pool]
    first = certificates[0]
    slip = ("1" if first.sha256[0] != "1" else "2") + first.sha256[1:]
    with pytest.raises(pk.InputError, match=rf"the nearest is .* SHA-256 {first.sha256}"):
        by_fingerprint(slip, certificates, name="x")
    with pytest.raises(pk.InputError, match=r"2 certificates have .* give more digits"):
        by_fingerprint("", certificates[:2], name="x")
    sha1 = hashlib.sha1(first.der, usedforsecurity=False).hexdigest()
    with pytest.raises(pk.InputError, match=rf"SHA-1 fingerprint of .* SHA-256 {first.sha256}"):
        by_fingerprint(sha1, certificates, name="x")
    numbered = pk.lab.Authority.create("N", serial_number=0x12AB34CD).certificate
    with pytest.raises(pk.InputError, match="serial number of N"):
        by_fingerprint("12ab34cd", [numbered], name="x")


def test_times_are_the_same_in_both(parallel):
    """The time of the question is for both searches, also if it is now by default."""
    topology, target, given_ = parallel
    later = {**given_, "time": AT + timedelta(days=20)}
    report = pk.what_if(target, without=topology.certificate("D", "TA"), **later)
    assert report.before.time == report.after.time == AT + timedelta(days=20)
