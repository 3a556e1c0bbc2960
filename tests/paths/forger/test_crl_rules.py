"""The rules of RFC 5280 sections 5 and 6.3 for full CRLs that a CA did sign: which count, and which do not.

Each case is a world of root, CA and server with one CRL of the CA; the root's CRL says that the CA is good.
"""

from __future__ import annotations

import dataclasses

import pytest

from pkcs12kit.errors import InputError

from ... import der
from ... import x509_values as values
from . import extensions as ext
from . import parties as p
from .objects import DAY, HOUR, NOW, Entry
from .worlds import GOOD, REVOKED, UNKNOWN, World, world

SECOND = HOUR / 3600
PAST, FUTURE = NOW - DAY, NOW + HOUR
ATTRIBUTES = ("attributes",)
AT_SERVER_CRL, AT_OTHER_CRL = (ext.crl_points(ext.point(url)) for url in (p.SERVER_CRL, p.OTHER_CRL))
SOME = ("keyCompromise", "cACompromise")
REST = tuple(each for each in values.REASON_FLAGS if each not in ("unused", *SOME))


def by_ca(*entries, server=None, pool=(), **changes):
    """Return a world with a CRL by the CA."""
    return world(p.crl("CA", *entries, **changes), server=server, pool=pool)


def scoped(*entries, points=(), **fields):
    """Return a world with a CRL that has issuingDistributionPoint; ``points`` are the server's."""
    server = p.server(*([ext.crl_points(*points)] if points else []))
    return by_ca(*entries, server=server, more=(ext.scope(**fields),))


def with_usage(*usages):
    """Return a world whose CA has another keyUsage, or none."""
    made = p.ca()
    more = [ext.key_usage(*usages)] if usages else []
    issuer = made.but(extensions=(*made.without(values.KEY_USAGE), *more))
    return by_ca().but(path=(p.server(), issuer))


def rekeyed(*pool, root_crl=None):
    """Return a world whose CRL the CA's new key signed."""
    return World(
        path=(p.server(), p.ca()),
        evidence=(root_crl or p.crl("Root"), p.crl("CA", signer="CA, new key")),
        pool=pool,
    )


def renewed(**changes):
    """Return the certificate of the CA's new key."""
    return p.ca("CA, new key", serial=4801, **changes)


def partitioned(first, second):
    """Return a world whose server has two distribution points, for some reasons and the rest, and these CRLs."""
    points = (ext.point(p.SERVER_CRL, reasons=SOME), ext.point(p.OTHER_CRL, reasons=REST))
    evidence = [p.crl("CA", more=(ext.scope(url, reasons=reasons),)) for url, reasons in (first, second) if reasons]
    return world(*evidence, server=p.server(ext.crl_points(*points)))


COUNTING = {
    "empty": by_ca,
    "lists another": lambda: by_ca(p.revoked(77)),
    "no number": lambda: by_ca(number=None),
    "thisUpdate now": lambda: by_ca(this_update=NOW),
    "nextUpdate now": lambda: by_ca(next_update=NOW),
    "no nextUpdate, 6 days old": lambda: by_ca(next_update=None, this_update=NOW - 6 * DAY),
    "extension that is not critical": lambda: by_ca(more=(ext.odd(critical=False),)),
    "entry extension that is not critical": lambda: by_ca(p.revoked(77, ext.odd(critical=False))),
    "CA without keyUsage": with_usage,
    "negative serial": lambda: by_ca(p.revoked(-p.SERVER)),
    "serial congruent in 16 bits": lambda: by_ca(p.revoked(p.SERVER + 2**16), p.revoked(p.SERVER - 2**16)),
    "for users": lambda: scoped(only=["users"]),
    "of the server's distribution point": lambda: scoped(url=p.SERVER_CRL, points=[ext.point(p.SERVER_CRL)]),
    "of one of two distribution points": lambda: scoped(
        url=p.SERVER_CRL, points=[ext.point(p.OTHER_CRL), ext.point(p.SERVER_CRL)]
    ),
    "full, for a server with distribution points": lambda: by_ca(server=p.server(AT_SERVER_CRL)),
    "for all reasons in two parts": lambda: partitioned((p.SERVER_CRL, SOME), (p.OTHER_CRL, REST)),
    "by the CA's new key": lambda: rekeyed(renewed()),
    "beside an expired one that revokes": lambda: world(p.crl("CA"), p.expired(p.crl("CA", p.revoked()))),
}
NOT_COUNTING = {
    "signed by the root": lambda: by_ca(signer="Root"),
    "of the root": lambda: world(p.crl("Root", number=8)),
    "in nobody's name": lambda: world(p.crl("CA").but(issuer="Nobody")),
    "signed by the server": lambda: by_ca(signer="server"),
    "signed by another server, in the pool": lambda: by_ca(signer="Mallory", pool=(p.mallory(),)),
    "CA without cRLSign": lambda: with_usage("keyCertSign"),
    "thisUpdate to come": lambda: by_ca(this_update=FUTURE),
    "thisUpdate in a second": lambda: by_ca(this_update=NOW + SECOND),
    "nextUpdate a second ago": lambda: by_ca(next_update=NOW - SECOND),
    "no nextUpdate, 8 days old": lambda: by_ca(next_update=None, this_update=NOW - 8 * DAY),
    "critical extension": lambda: by_ca(more=(ext.odd(critical=True),)),
    "critical entry extension of another": lambda: by_ca(p.revoked(77, ext.odd(critical=True))),
    "critical entry extension, first of many": lambda: by_ca(
        p.revoked(76, ext.odd(critical=True)), *(p.revoked(serial) for serial in range(100, 200))
    ),
    "critical entry extension, last of many": lambda: by_ca(
        *(p.revoked(serial) for serial in range(100, 200)), p.revoked(76, ext.odd(critical=True))
    ),
    "critical entry extension beside a reason": lambda: by_ca(
        p.revoked(77, ext.odd(critical=True), reason="superseded")
    ),
    "for CAs": lambda: scoped(only=["authorities"]),
    "for users and CAs": lambda: scoped(only=["users", "authorities"]),
    "for attribute certificates": lambda: scoped(only=ATTRIBUTES),
    "for users and attribute certificates": lambda: scoped(only=["users", *ATTRIBUTES]),
    "scope with an unknown field": lambda: scoped(more=der.implicit(6, b"\xff")),
    "scope of junk": lambda: by_ca(more=(ext.Extension(values.SCOPE, b"junk", critical=True),)),
    "of another distribution point": lambda: scoped(url=p.OTHER_CRL, points=[ext.point(p.SERVER_CRL)]),
    "of another distribution point, not critical": lambda: scoped(
        url=p.OTHER_CRL, points=[ext.point(p.SERVER_CRL)], critical=False
    ),
    "of a distribution point, the server has none": lambda: scoped(url=p.SERVER_CRL),
    "of a distribution point that a CRL issuer serves": lambda: scoped(
        url=p.SERVER_CRL, points=[ext.point(p.SERVER_CRL, issuer="CRL Signer")]
    ),
    "for some reasons": lambda: scoped(reasons=SOME),
    "for one part of the reasons": lambda: partitioned((p.SERVER_CRL, SOME), (p.OTHER_CRL, ())),
    "for one part of the reasons, at two points": lambda: partitioned((p.SERVER_CRL, SOME), (p.OTHER_CRL, SOME)),
    "for all reasons but one": lambda: partitioned((p.SERVER_CRL, SOME), (p.OTHER_CRL, REST[:-1])),
    "for all reasons, at a point for some": lambda: scoped(
        url=p.SERVER_CRL, points=[ext.point(p.SERVER_CRL, reasons=SOME)]
    ),
    "by the CA's new key, whose certificate is not there": rekeyed,
    "by the CA's new key, expired": lambda: rekeyed(renewed(not_after=PAST)),
    "by the CA's new key, not yet valid": lambda: rekeyed(renewed(not_before=FUTURE)),
    "by the CA's new key, revoked": lambda: rekeyed(renewed(), root_crl=p.crl("Root", p.revoked(4801))),
    "by the CA's new key, certified by a stranger": lambda: rekeyed(renewed(signer=p.key("stranger"))),
    "by the CA's new key, with a critical extension": lambda: rekeyed(
        renewed(extensions=(*renewed().extensions, ext.odd(critical=True)))
    ),
    "by the CA's new key, without cRLSign": lambda: rekeyed(
        renewed(extensions=(*renewed().without(values.KEY_USAGE), ext.key_usage("keyCertSign")))
    ),
    "a delta CRL without a full one": lambda: by_ca(more=(ext.delta_indicator(5),)),
}
REVOKING = {
    "keyCompromise": lambda: by_ca(p.revoked(reason="keyCompromise")),
    "no reason": lambda: by_ca(p.revoked()),
    "on hold": lambda: by_ca(p.revoked(reason="certificateHold")),
    "now": lambda: by_ca(p.revoked(date=NOW)),
    "first of many": lambda: by_ca(p.revoked(), *(p.revoked(serial) for serial in range(100, 200))),
    "last of many": lambda: by_ca(*(p.revoked(serial) for serial in range(100, 200)), p.revoked()),
    "by one of two reasons": lambda: scoped(p.revoked(reason="keyCompromise"), reasons=SOME),
    "by the older of two lists": lambda: world(
        p.crl("CA", p.revoked(), this_update=NOW - DAY, number=6), p.crl("Root", number=8)
    ),
    "CRL without a number": lambda: by_ca(p.revoked(), number=None),
    "invalidityDate": lambda: by_ca(p.revoked(p.SERVER, ext.Extension("2.5.29.24", der.generalized_time(PAST)))),
}
EXPECTED = (
    *((f"good: {label}", made, GOOD) for label, made in COUNTING.items()),
    *((f"unknown: {label}", made, UNKNOWN) for label, made in NOT_COUNTING.items()),
    *((f"revoked: {label}", made, REVOKED) for label, made in REVOKING.items()),
)


@pytest.mark.parametrize(("made", "expected"), [pytest.param(*each, id=label) for label, *each in EXPECTED])
def test_crl(made, expected):
    """RFC 5280 section 6.3.3: who may sign, for which certificates and reasons, at which time, with what in it."""
    found = made().report()
    assert [each.status for each in found.statuses] == [expected, GOOD], found


@pytest.mark.parametrize("label", [*NOT_COUNTING])
def test_crl_that_does_not_count_revokes_nothing(label):
    """A CRL that cannot make a certificate good cannot revoke it: each of these lists the server, which stays good.

    The exception is a CRL by the CA's own key that does not cover enough: a revocation in it counts.
    """
    made = NOT_COUNTING[label]()
    listed = tuple(
        each.but(entries=(*each.entries, Entry(serial=p.SERVER))) if each is not made.evidence[0] else each
        for each in made.evidence
    )
    found = made.report(evidence=(*listed, p.response(p.single())))
    if "reasons" in label:
        assert found.statuses[0].status is REVOKED, found
    elif "entry" in label:
        assert found.statuses[0].status is not UNKNOWN, found
    else:
        assert found.statuses[0].status is GOOD, found


@pytest.mark.parametrize(
    "reasons", [["removeFromCRL"], ["removeFromCRL", "keyCompromise"], ["keyCompromise", "removeFromCRL"]]
)
def test_release_in_a_full_crl_does_not_make_good(reasons):
    """RemoveFromCRL belongs in delta CRLs only (RFC 5280 section 5.3.1): in a full one it vouches for nothing."""
    found = by_ca(*(p.revoked(reason=each) for each in reasons)).report()
    assert found.statuses[0].status is not GOOD, found


@pytest.mark.parametrize("reason", [None, "keyCompromise"])
def test_critical_extension_in_the_entry_itself_does_not_make_good(reason):
    """A CRL with an unknown critical entry extension is not used to determine a status (RFC 5280 section 5.3)."""
    found = by_ca(p.revoked(p.SERVER, ext.odd(critical=True), reason=reason)).report()
    assert found.statuses[0].status is not GOOD, found


def test_crl_of_version_1_has_no_extensions():
    """Extensions stand in version 2 (RFC 5280 section 5.1.2.1)."""
    assert by_ca(version=None).statuses() == (UNKNOWN, GOOD)


@pytest.mark.parametrize(
    "changes",
    [{"version": 1}, {"version": 3}, {"version": 4}, {"algorithm": der.sequence(der.oid("1.2.840.10045.4.3.3"))}],
    ids=["version 1 encoded", "version 3", "version 4", "another algorithm outside"],
)
def test_crl_that_cannot_be_read_is_refused(changes):
    """A version that does not exist and two different algorithms are refused where the CRL is read (section 5.1)."""
    try:
        found = by_ca(**changes).statuses()[0]
    except InputError:
        return
    assert found is UNKNOWN


def test_full_crl_of_the_ca_only_revokes_where_each_point_names_another_issuer():
    """Stricter than RFC 5280 section 6.3.3, which lets such a CRL vouch as well: that is for the CRL issuer to say."""
    server = p.server(ext.crl_points(ext.point(p.SERVER_CRL, issuer="CRL Signer")))
    assert by_ca(server=server).statuses() == (UNKNOWN, GOOD)
    assert by_ca(p.revoked(), server=server).statuses() == (REVOKED, GOOD)


@pytest.mark.parametrize(
    ("age", "max_age", "expected"),
    [(8 * DAY, 9 * DAY, GOOD), (2 * HOUR, HOUR, UNKNOWN), (HOUR, HOUR, GOOD), (HOUR + SECOND, HOUR, UNKNOWN)],
)
def test_age_of_a_crl_without_next_update(age, max_age, expected):
    """``max_age`` is counted from thisUpdate only where there is no nextUpdate (RFC 5280 section 5.1.2.5)."""
    old = by_ca(next_update=None, this_update=NOW - age)
    assert old.statuses(max_age=max_age) == (expected, GOOD)
    assert by_ca(this_update=NOW - 8 * DAY).statuses(max_age=max_age) == (GOOD, GOOD)


def test_ca_does_not_vouch_for_itself():
    """The CA's own status is in its issuer's CRL; one by the CA itself in its issuer's name or its own is nothing."""
    lists = (p.crl("CA"), p.crl("Root", signer="CA"))
    assert by_ca().but(evidence=lists).statuses() == (GOOD, UNKNOWN)


def test_new_key_of_the_ca_does_not_vouch_for_its_own_certificate():
    """A self-issued certificate is good by the key that signed it, not by the key in it, wherever that is found."""
    new = p.ca("CA, new key", serial=4801, issuer="CA", signer="CA")
    path = (p.server(signer="CA, new key"), new, p.ca())
    made = world(p.crl("CA", signer="CA, new key")).but(path=path, pool=(new, p.ca()))
    assert made.statuses() == (GOOD, UNKNOWN, GOOD)
    assert made.statuses(evidence=(*made.evidence, p.crl("CA"))) == (GOOD, GOOD, GOOD)


def test_new_key_of_the_ca_does_not_vouch_for_its_own_certificate_through_another():
    """Nor does a key that it certified in turn: what depends on the certificate in question does not vouch for it."""
    new = p.ca("CA, new key", serial=4801, issuer="CA", signer="CA", more=(AT_SERVER_CRL,))
    third = p.ca("CA, third key", serial=4802, issuer="CA", signer="CA, new key", more=(AT_OTHER_CRL,))
    path = (p.server(signer="CA, new key"), new, p.ca())
    lists = (
        p.crl("CA", signer="CA, third key", more=(ext.scope(p.SERVER_CRL),)),
        p.crl("CA", signer="CA, new key", more=(ext.scope(p.OTHER_CRL),)),
    )
    made = world(*lists).but(path=path, pool=(new, third, p.ca()))
    assert made.statuses()[1] is UNKNOWN
    assert made.statuses(evidence=(*made.evidence, p.crl("CA", more=(ext.scope(p.SERVER_CRL),))))[1] is GOOD


def test_below_a_revoked_ca_nothing_is_good():
    """A revoked CA's own evidence about the server does not count."""
    made = by_ca()
    for evidence in ((p.crl("CA"),), (p.response(p.single()),)):
        found = made.statuses(evidence=(p.crl("Root", p.revoked(p.CA)), *evidence))
        assert found[1] is REVOKED
        assert found[0] is not GOOD


def test_same_name_and_key_under_another_anchor_does_not_sign():
    """The path of the CRL issuer's certificate ends at the anchor of the server's path (RFC 5280 section 6.3.3 (f))."""
    other = p.root(subject="Other Root", issuer="Other Root", key=p.key("Other Root"), signer=p.key("Other Root"))
    new = renewed(issuer="Other Root", signer=p.key("Other Root"))
    lists = (p.crl("Root"), p.crl("Other Root"), p.crl("CA", signer="CA, new key"))
    assert rekeyed().statuses(evidence=lists, pool=(other, new))[0] is UNKNOWN


def test_time_is_the_one_asked_for():
    """The same CRL counts from its thisUpdate to its nextUpdate, whatever the clock says."""
    made = by_ca(this_update=NOW, next_update=NOW + HOUR).but()
    evidence = (p.crl("Root", this_update=NOW - DAY), *made.evidence[1:])
    for offset, expected in ((-SECOND, UNKNOWN), (0 * HOUR, GOOD), (HOUR, GOOD), (HOUR + SECOND, UNKNOWN)):
        assert made.statuses(evidence=evidence, time=NOW + offset)[0] is expected


def test_scope_is_read_although_not_critical():
    """IssuingDistributionPoint narrows a CRL also where it was not marked critical (RFC 5280 section 5.2.5)."""
    for only in (["authorities"], ATTRIBUTES):
        marked = dataclasses.replace(ext.scope(only=only), critical=False)
        assert by_ca(more=(marked,)).statuses() == (UNKNOWN, GOOD)
