"""``validity_periods`` against ``find_path`` asked at every date: exact to the second, and the same best path."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.validity_report import PeriodState

from ..thoroughness import examples

ZERO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
SUBJECTS = ("A", "B", "B'", "C", "TA")
# Dates in days: some meet to the second, and some touch (one ends in the second before another begins).
DATES = {
    "whole": (ZERO - 9 * DAY, ZERO + 99 * DAY),
    "early": (ZERO, ZERO + 10 * DAY),
    "next": (ZERO + 10 * DAY + SECOND, ZERO + 20 * DAY),
    "gap": (ZERO + 10 * DAY + 2 * SECOND, ZERO + 30 * DAY),
    "meets": (ZERO + 10 * DAY, ZERO + 15 * DAY),
    "instant": (ZERO + 12 * DAY, ZERO + 12 * DAY),
    "late": (ZERO + 25 * DAY, ZERO + 200 * DAY),
}
NARROW = lab.critical(x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.org")], excluded_subtrees=None))
KINDS = {"plain": {}, "last": {"path_length": 0}, "narrow": {"extensions": [NARROW]}}


@pytest.fixture(scope="module")
def world():
    """Make authorities, and make and keep certificates as graphs need them."""
    authorities = {
        label: lab.Authority.create(label.rstrip("'"), validity=lab.Validity(ZERO - 2 * DAY, ZERO + 28 * DAY))
        for label in SUBJECTS
    }
    made = {}

    def issue(subject, issuer, dates, kind="plain"):
        edge = (subject, issuer, dates, kind)
        if edge not in made:
            validity = lab.Validity(*DATES[dates])
            if subject == "www":
                made[edge] = authorities[issuer].issue_server("www.example.com", validity=validity).certificate
            else:
                made[edge] = authorities[issuer].issue_ca(authorities[subject], validity=validity, **KINDS[kind])
        return made[edge]

    return authorities, issue


def changes(certificates, rng):
    """List every date of certificates with the seconds around it, and a few times between."""
    dates = [date for one in certificates for date in (one.not_before, one.not_after)]
    between = [ZERO + rng.random() * 220 * DAY for _ in range(3)]
    return sorted({date + step * SECOND for date in dates for step in (-1, 0, 1)} | set(between))


def best_at(time, targets, **given):
    """Ask find_path about each target; the best path of all, or None."""
    found = []
    parameters = dataclasses.replace(given.pop("parameters"), time=time)
    for target in targets:
        try:
            found.append(pk.find_path(target, parameters=parameters, **given))
        except pk.NoValidPathError:
            continue
    return min(found, key=given["ranking"], default=None)


def assert_names_what_ended(report):
    """After a valid period, the gap's closest attempt is about what ended it, unless another one has fewer failures."""
    for before, gap in pairwise(report.periods):
        if gap.state is PeriodState.NOT_VALID:
            failed = {failure.certificate for failure in gap.closest.failures}
            assert failed >= set(before.ended_by) or len(failed) < len(before.ended_by)
    first = report.periods[0] if len(report.periods) > 1 else None
    if first is not None and first.state is PeriodState.NOT_VALID:
        began = report.periods[1].segments[0].path
        waiting = [one for one in began.with_anchor if one.not_before > first.begin]
        assert len(first.closest.failures) <= len(waiting)


def assert_agrees(report, certificates, rng, **given):
    """Compare a report with find_path at all dates, and check that its periods have no gaps and no equal neighbours."""
    assert report.incomplete is None
    for one, other in pairwise(report.periods):
        assert one.end + SECOND == other.begin
        assert one.state is not other.state
    for period in report.periods:
        assert (period.closest is None) is (period.state is PeriodState.VALID)
        spans = period.segments
        assert [
            (one.end + SECOND, one.path.certificates != other.path.certificates) for one, other in pairwise(spans)
        ] == [(one.begin, True) for one in spans[1:]]
        if spans:
            assert (spans[0].begin, spans[-1].end) == (period.begin, period.end)
            assert period.ended_by
            assert period.began_with or period is report.periods[0]
    assert_names_what_ended(report)
    for time in changes((*certificates, *report.targets), rng):
        segment, expected = report.segment_at(time), best_at(time, report.targets, **given)
        shown = None if segment is None else (segment.path.certificates, segment.path.trust_anchor)
        assert shown == (None if expected is None else (expected.certificates, expected.trust_anchor)), time
        period = report.at(time)
        assert (period is not None and period.state is PeriodState.VALID) is (expected is not None)


EDGES = st.lists(
    st.tuples(
        st.sampled_from(SUBJECTS),
        st.sampled_from(SUBJECTS),
        st.sampled_from(sorted(DATES)),
        st.sampled_from(sorted(KINDS)),
    ),
    max_size=10,
    unique=True,
)


@settings(max_examples=examples(40), deadline=None)
@given(
    edges=EDGES,
    target=st.tuples(
        st.sampled_from(["www", "A", "B"]), st.sampled_from(["A", "B", "B'", "TA"]), st.sampled_from(sorted(DATES))
    ),
    ranking=st.sampled_from([pk.longest_lasting, pk.shortest, lambda path: (path.certificates[-1].sha256, str(path))]),
    expires=st.booleans(),
    whole=st.booleans(),
    rng=st.randoms(use_true_random=False),
)
def test_periods_agree_with_find_path_at_every_date(world, edges, target, ranking, expires, whole, rng):
    """RFC 5280 section 4.1.2.5: 'the period of time from notBefore through notAfter, inclusive'.

    The reference asks find_path at each date of each certificate, one second before and after, and at random times.
    """
    authorities, issue = world
    # A frame that makes paths likely; everything else is drawn at random.
    frame = [("A", "TA", "early", "plain"), ("B", "A", "whole", "plain"), ("A", "TA", "gap", "plain")]
    pool = pk.CertificatePool(issue(*edge) for edge in (*frame[: rng.randrange(4)], *edges))
    anchors = [pk.TrustAnchor.from_certificate(authorities["TA"].certificate)]
    anchors += [pk.TrustAnchor.from_certificate(authorities["C"].certificate)] * rng.randrange(2)
    given_ = {
        "pool": pool,
        "trust_anchors": anchors,
        "parameters": pk.ValidationParameters(time=ZERO, check_trust_anchor_validity=expires),
        "ranking": ranking,
    }
    report = pk.validity_periods(issue(*target), whole_ca=whole, **given_)
    assert_agrees(report, (*pool, *(anchor.certificate for anchor in anchors)), rng, **given_)


def test_a_search_is_made_only_where_the_best_path_can_change(world):
    """The expiry of a certificate that is not on the best path costs no search, nor does one that leads nowhere."""
    _, issue = world
    target = issue("www", "A", "whole")
    best = [issue("A", "TA", "late")]
    others = [issue("A", "TA", "early"), issue("A", "B", "meets"), issue("C", "B", "next")]
    anchors = [pk.TrustAnchor.from_certificate(world[0]["TA"].certificate)]
    report = pk.validity_periods(target, certificates=[*best, *others], trust_anchors=anchors, time=ZERO)
    # The beginning of the target and of the anchor, of two certificates of A, and twice the second after an expiry.
    assert report.searches == 6
    assert [(one.begin, one.end) for one in report.valid] == [
        (ZERO, ZERO + 10 * DAY),
        (ZERO + 25 * DAY, ZERO + 28 * DAY),
    ]
    assert report.valid[0].ended_by == (others[0],)
    assert report.valid[1].began_with == (best[0],)
    assert report.valid[1].ended_by == (world[0]["TA"].certificate,)


def test_each_budget_leaves_the_rest_unknown_and_says_so(world):
    """Past a limit nothing is claimed but what is known: a path that was found stays valid until it expires."""
    _, issue = world
    target = issue("www", "A", "whole")
    pool = [issue("A", "TA", dates) for dates in ("early", "next", "late")]
    anchors = [pk.TrustAnchor.from_certificate(world[0]["TA"].certificate)]
    whole = pk.validity_periods(target, certificates=pool, trust_anchors=anchors, time=ZERO)
    assert whole.incomplete is None
    for limit, least in (("validity_searches", whole.searches), ("validity_work", 1), ("discovery_steps", 10)):
        for allowed in range(least):
            limits = dataclasses.replace(DEFAULT_LIMITS, **{limit: allowed})
            report = pk.validity_periods(target, certificates=pool, trust_anchors=anchors, time=ZERO, limits=limits)
            assert limit == "discovery_steps" or f"limits.{limit}" in report.incomplete
            for period in report.periods:
                for time in (period.begin, period.end):
                    if period.state is not PeriodState.UNKNOWN:
                        assert period.state is whole.at(time).state
    limits = dataclasses.replace(DEFAULT_LIMITS, validity_searches=3)
    report = pk.validity_periods(target, certificates=pool, trust_anchors=anchors, time=ZERO + 5 * DAY, limits=limits)
    assert [period.state.value for period in report.periods] == ["not-valid", "valid", "unknown"]
    assert report.at(ZERO + 10 * DAY).state is PeriodState.VALID
    assert "limits.validity_searches" in report.periods[-1].incomplete


def crowd_after(world, days):
    """Five certificates of A, and A's that expired a second before; the five begin when the target has expired."""
    authorities, issue = world
    later = lab.Validity(ZERO + days * DAY, ZERO + 900 * DAY)
    target = authorities["A"].issue_server("www.example.com", validity=lab.Validity(ZERO, ZERO + 20 * DAY)).certificate
    crowd = [authorities["TA"].issue_ca(authorities["A"], validity=later) for _ in range(6)]
    return target, [issue("A", "TA", "early"), *crowd]


def test_the_certificate_that_expired_last_is_named_in_a_crowd_of_later_ones(world):
    """Certificates that begin only when the target is expired cure nothing; the one that ended the path is named."""
    target, pool = crowd_after(world, days=21)
    anchors = [pk.TrustAnchor.from_certificate(world[0]["TA"].certificate)]
    given_ = {"certificates": pool, "trust_anchors": anchors, "time": ZERO + 10 * DAY + SECOND}
    [first, *_] = pk.find_paths(target, **given_).rejected
    assert [failure.certificate for failure in first.failures] == pool[:1]
    assert first.would_be_valid == (ZERO, ZERO + 10 * DAY)
    gap = pk.validity_periods(target, **given_).periods[1]
    assert [failure.certificate for failure in gap.closest.failures] == pool[:1]


def test_the_certificate_that_begins_next_is_named_in_a_crowd_of_later_ones(world):
    """Before the first period, the closest attempt is the path with which it begins."""
    target, pool = crowd_after(world, days=21)
    pool[0] = world[1]("A", "TA", "next")
    anchors = [pk.TrustAnchor.from_certificate(world[0]["TA"].certificate)]
    report = pk.validity_periods(target, certificates=pool, trust_anchors=anchors, time=ZERO)
    assert [failure.certificate for failure in report.periods[0].closest.failures] == pool[:1]
    assert [failure.certificate for failure in report.closest.failures] == pool[:1]


def test_closest_attempts_stop_at_their_limit(world):
    """A gap whose closest attempt was not looked for is a gap all the same."""
    _, issue = world
    anchors = [pk.TrustAnchor.from_certificate(world[0]["TA"].certificate)]
    limits = dataclasses.replace(DEFAULT_LIMITS, validity_explanations=1)
    pool = [issue("A", "TA", "early"), issue("A", "TA", "gap")]
    given_ = {"certificates": pool, "trust_anchors": anchors, "time": ZERO + 11 * DAY}
    report = pk.validity_periods(issue("www", "A", "whole"), limits=limits, **given_)
    gaps = [period for period in report.periods if period.state is PeriodState.NOT_VALID]
    assert [gap.closest is None for gap in gaps] == [False, True, True]
    assert (gaps[1].begin, gaps[1].end) == (ZERO + 10 * DAY + SECOND, ZERO + 10 * DAY + SECOND)


@pytest.mark.slow
def test_a_mesh_with_random_dates_is_bounded():
    """A full mesh of twelve authorities, each certificate with dates of its own: 264 dates, and an answer for each."""
    rng = random.Random(12)  # noqa: S311  # dates, no secrets
    names = [f"CA {number}" for number in range(12)]
    authorities = {name: lab.Authority.create(name, validity=lab.Validity(ZERO, ZERO + 900 * DAY)) for name in names}
    pool = []
    for subject in names:
        for issuer in names:
            if subject != issuer:
                begin = ZERO + rng.randrange(700) * DAY
                validity = lab.Validity(begin, begin + rng.randrange(300) * DAY)
                pool.append(authorities[issuer].issue_ca(authorities[subject], validity=validity))
    validity = lab.Validity(ZERO, ZERO + 900 * DAY)
    target = authorities["CA 11"].issue_server("www.example.com", validity=validity).certificate
    given_ = {
        "pool": pk.CertificatePool(pool),
        "trust_anchors": [pk.TrustAnchor.from_certificate(authorities["CA 0"].certificate)],
        "parameters": pk.ValidationParameters(time=ZERO),
        "ranking": pk.longest_lasting,
    }
    report = pk.validity_periods(target, **given_)
    assert report.searches <= 2 * len(pool)
    assert_agrees(report, pool, rng, **given_)


def test_a_certificate_whose_dates_are_reversed_is_never_valid(world, resign):
    """The validity is empty if notBefore is after notAfter: such a target has no periods, such an issuer no paths."""
    authorities, issue = world

    def reverse(tbs):
        validity = tbs["validity"]
        begin, end = validity["not_before"].native, validity["not_after"].native
        validity["not_before"], validity["not_after"] = {"utc_time": end}, {"utc_time": begin}

    anchors = [pk.TrustAnchor.from_certificate(authorities["TA"].certificate)]
    key = authorities["TA"].private_key
    issuer = resign(issue("A", "TA", "early"), key, edit=reverse)
    report = pk.validity_periods(issue("www", "A", "whole"), certificates=[issuer], trust_anchors=anchors, time=ZERO)
    assert [period.state.value for period in report.periods] == ["not-valid"]
    report = pk.validity_periods(issuer, trust_anchors=anchors, time=ZERO + DAY)
    assert (report.periods, report.state, report.closest.reason.value) == ((), PeriodState.NOT_VALID, "expired")
