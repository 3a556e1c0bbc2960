"""Cross-certificates of the trust anchor that a server sends: named as what they are, with an expiry of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.times import format_time

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def world(days_left):
    """Return a server below the anchor R, which an older root X certifies for so many days more."""
    past = lab.Validity(NOW - 300 * DAY, NOW + days_left * DAY)
    return lab.Topology.from_edges("S<I<R", "R<R", lab.Edge(subject="R", issuer="X", validity=past), "X<X")


def judge(topology, *edges, **more):
    """Judge certificates, by their edges, for clients that trust R."""
    sent = tuple(topology.certificate(*one.split("<")) for one in edges)
    message = pk.probing.CertificateMessage(certificates=sent, protocol="TLSv1.3")
    return pk.check_served_chain(message, trust_anchors=[topology.trust_anchor("R")], time=NOW, **more)


def finding(report, check=Check.TRUST_ANCHOR):
    """Return the finding of one check."""
    return next(one for one in report.findings if one.check is check)


def test_one_that_is_valid_is_a_note():
    """RFC 5246 section 7.4.2: clients have the anchor; the note names issuer, serial number and end."""
    topology = world(200)
    report = judge(topology, "S<I", "I<R", "R<X")
    assert report.ok
    assert finding(report).outcome is Outcome.NOTE
    until = format_time(topology.certificate("R", "X").not_after)
    assert "a cross-certificate of the trust anchor R is sent, issued by X (#" in finding(report).why
    assert f"which expires on {until}: clients that trust the anchor do not need it" in finding(report).why
    assert "whose own certificate is not in the served chain" in finding(report, Check.CHAIN).why
    assert report.changes == ()


@pytest.mark.parametrize("edges", [("S<I", "I<R", "R<X"), ("S<I", "I<R", "R<X", "X<X")])
def test_one_that_has_expired_is_a_no(edges):
    """As the ISRG Root X1 that DST Root CA X3 had signed: old clients follow it; the change is to send it no more."""
    topology = world(-10)
    report = judge(topology, *edges)
    assert report.failed == ("trust-anchor",)
    assert "which expired on" in finding(report).why
    assert "OpenSSL 1.0.2, GnuTLS before 3.6.14 and LibreSSL up to 3.1.2 follow it" in finding(report).why
    assert report.changes[0].startswith("remove certificate 3, R (issued by X, ")
    assert report.should_send == tuple(topology.certificate(*one.split("<")) for one in edges[:2])
    assert judge(topology, *edges[:2]).ok


def test_one_that_expires_soon_is_a_no_where_that_is_asked_for():
    """``expires_within`` is for it, too: a monitor hears of it in time."""
    topology = world(20)
    assert judge(topology, "S<I", "I<R", "R<X", expires_within=10 * DAY).ok
    assert judge(topology, "S<I", "I<R", "R<X", expires_within=30 * DAY).failed == ("trust-anchor",)


def test_the_anchors_own_certificate_is_not_called_a_cross_certificate():
    """Nor is a cross-certificate that the user trusts as the anchor."""
    topology = world(200)
    assert "its own certificate is sent" in finding(judge(topology, "S<I", "I<R", "R<R")).why
    sent = tuple(topology.certificate(*one.split("<")) for one in ("S<I", "I<R", "R<X"))
    message = pk.probing.CertificateMessage(certificates=sent, protocol="TLSv1.3")
    report = pk.check_served_chain(message, trust_anchors=[sent[-1].der], time=NOW)
    assert "its own certificate is sent" in finding(report).why
