"""The rules of RFC 5280 sections 5.2.4 and 6.3.3 (c) for delta CRLs that the CA did sign.

The full CRL #5 has the server on hold and names delta CRLs; each delta CRL releases the server. Where the delta CRL
must not be combined with the full one, the server is on hold still.
"""

from __future__ import annotations

import pytest

from . import extensions as ext
from . import parties as p
from .objects import DAY, HOUR, NOW
from .worlds import GOOD, REVOKED, UNKNOWN, asked, world

FRESHEST = ext.freshest(p.DELTA_CRL)
POINTS = ext.crl_points(ext.point(p.SERVER_CRL))
OLDER, FUTURE = {"this_update": NOW - DAY}, {"this_update": NOW + HOUR, "next_update": NOW + DAY}


def full(*, number=5, reason="certificateHold", scope=(), **changes):
    """Return the full CRL, which holds the server, or lists nothing."""
    entries = [p.revoked(reason=reason)] if reason else []
    return p.crl("CA", *entries, number=number, more=(FRESHEST, *scope), **changes)


def delta(*, number=6, base=5, reason="removeFromCRL", more=(), **changes):
    """Return a delta CRL, which releases the server, or lists nothing."""
    entries = [p.revoked(reason=reason)] if reason else []
    return p.crl("CA", *entries, number=number, more=(ext.delta_indicator(base), *more), **changes)


RELEASING = {
    "next": lambda: world(full(), delta()),
    "of an older base": lambda: world(full(), delta(base=4)),
    "with a higher number": lambda: world(full(), delta(number=60)),
    "of two delta CRLs the newer": lambda: world(
        full(), delta(number=6, reason="keyCompromise", **OLDER), delta(number=7)
    ),
    "beside a stranger's": lambda: world(full(), delta(), delta(number=9, reason="keyCompromise", signer="stranger")),
    "with the same scope": lambda: world(
        full(scope=(ext.scope(p.SERVER_CRL),)), delta(more=(ext.scope(p.SERVER_CRL),)), server=p.server(POINTS)
    ),
    "of what is not on the full CRL": lambda: world(full(reason=None), delta()),
    "with an extension that is not critical": lambda: world(full(), delta(more=(ext.odd(critical=False),))),
}
HOLDING = {
    "without a delta CRL": lambda: world(full()),
    "base above the full CRL": lambda: world(full(), delta(base=6, number=7)),
    "older than the full CRL": lambda: world(full(number=8), delta(number=6)),
    "empty": lambda: world(full(), delta(reason=None)),
    "another scope": lambda: world(full(), delta(more=(ext.scope(p.SERVER_CRL),)), server=p.server(POINTS)),
    "scope of the full CRL only": lambda: world(
        full(scope=(ext.scope(p.SERVER_CRL),)), delta(), server=p.server(POINTS)
    ),
    "for CAs": lambda: world(full(), delta(more=(ext.scope(only=["authorities"]),))),
    "for some reasons": lambda: world(full(), delta(more=(ext.scope(reasons=["keyCompromise"]),))),
    "another issuer": lambda: world(full(), delta().but(issuer="Root", signer=p.key("Root"))),
    "signed by the root": lambda: world(full(), delta(signer="Root")),
    "signed by a stranger": lambda: world(full(), delta(signer="stranger")),
    "signed by the CA's other key": lambda: world(
        full(), delta(signer="CA, new key"), pool=(p.ca("CA, new key", serial=4801),)
    ),
    "signature octets of the full CRL": lambda: world(full(), delta().but(signature=full().signature_octets)),
    "signature octets of the delta CRL that holds": lambda: world(
        full(), delta(reason="certificateHold"), delta().but(signature=delta(reason="certificateHold").signature_octets)
    ),
    "expired": lambda: world(full(), delta(**OLDER, next_update=NOW - HOUR)),
    "to come": lambda: world(full(), delta(**FUTURE)),
    "critical extension": lambda: world(full(), delta(more=(ext.odd(critical=True),))),
    "critical entry extension": lambda: world(
        full(), p.crl("CA", p.revoked(reason="removeFromCRL"), p.revoked(77, ext.odd(critical=True)), number=6,
                      more=(ext.delta_indicator(5),))
    ),
    "revoked for good, not on hold": lambda: world(full(), delta(reason="keyCompromise")),
    "of two delta CRLs the older": lambda: world(full(), delta(**OLDER), delta(number=7, reason="keyCompromise")),
}  # fmt: skip


@pytest.mark.parametrize("label", RELEASING)
def test_delta_crl_releases(label):
    """A delta CRL that fits the full one by issuer, key, scope and numbers says what is so now."""
    found = RELEASING[label]().report()
    assert [each.status for each in found.statuses] == [GOOD, GOOD], found


@pytest.mark.parametrize("label", HOLDING)
def test_delta_crl_that_does_not_fit_releases_nothing(label):
    """Whatever becomes of the full CRL without it, a delta CRL that does not fit makes no held certificate good."""
    made = HOLDING[label]()
    for evidence in (made.evidence, made.evidence[::-1]):
        found = made.report(evidence=evidence)
        assert [each.status for each in found.statuses] == [REVOKED, GOOD], found


def test_delta_crl_needs_its_full_crl():
    """A delta CRL on its own says nothing of what it does not list (RFC 5280 section 5.2.4)."""
    for listed in ("removeFromCRL", None):
        assert world(delta(reason=listed)).statuses() == (UNKNOWN, GOOD)
    expired = full(reason=None, this_update=NOW - 9 * DAY, next_update=NOW - DAY)
    assert world(expired, delta(reason=None)).statuses() == (UNKNOWN, GOOD)


def test_stranger_revokes_nothing_by_a_delta_crl():
    """A forged delta CRL beside a full and a genuine one leaves the server good."""
    forged = delta(number=7, reason="keyCompromise", signer="stranger")
    genuine = delta(reason=None)
    copied = delta(number=7, reason="keyCompromise").but(signature=genuine.signature_octets)
    for evil in (forged, copied):
        assert world(full(reason=None), genuine, evil).statuses() == (GOOD, GOOD)


def test_numbers_far_beyond_64_bits_are_compared_whole():
    """CRL numbers have up to 20 octets (RFC 5280 section 5.2.3)."""
    high = 2**150
    assert world(full(number=high), delta(base=high, number=high + 1)).statuses() == (GOOD, GOOD)
    assert world(full(number=high), delta(base=high + 1, number=high + 2)).statuses() == (REVOKED, GOOD)


def test_soft_mode_refuses_the_revoked_too():
    """In mode soft only the unknown is forgiven."""
    made = world(full())
    assert made.report(mode="soft").failure is not None
    assert asked((), mode="soft").mode.value == "soft"
