"""The rules of RFC 5280 sections 5.2.5, 5.3.3 and 6.3.3 for indirect CRLs, signed by someone other than the CA.

The server's distribution point names ``CRL Signer`` as cRLIssuer; the root certified its key for CRLs.
"""

from __future__ import annotations

import pytest

from . import extensions as ext
from . import parties as p
from .objects import DAY, HOUR, NOW
from .worlds import GOOD, REVOKED, UNKNOWN, world

OF_CA, OF_ROOT = ext.certificate_issuer("CA"), ext.certificate_issuer("Root")
NAMED = ext.crl_points(ext.point(p.SERVER_CRL, issuer="CRL Signer"))
INDIRECT = ext.scope(p.SERVER_CRL, indirect=True)


def listing(*entries, scope=INDIRECT, **changes):
    """Return the indirect CRL."""
    return p.crl("CRL Signer", *entries, more=(scope,) if scope else (), **changes)


def by_signer(*entries, points=NAMED, signer=None, root_crl=None, **changes):
    """Return a world in which the CRL signer lists these entries."""
    return world(
        listing(*entries, **changes),
        *([root_crl] if root_crl else []),
        server=p.server(*([points] if points else [])),
        pool=(signer or p.crl_signer(),),
    )


def signed_by(label):
    """Return a world whose indirect CRL is signed with another key."""
    return by_signer().but(evidence=(p.crl("Root"), listing(signer=label)))


COUNTING = {
    "empty": by_signer,
    "lists the same serial of the root": lambda: by_signer(p.revoked(p.SERVER, OF_ROOT)),
    "lists the same serial of the signer": lambda: by_signer(p.revoked()),
    "the root's second entry has its issuer from the first": lambda: by_signer(p.revoked(1, OF_ROOT), p.revoked()),
    "after the CA's entries come the root's": lambda: by_signer(p.revoked(1, OF_CA), p.revoked(p.SERVER, OF_ROOT)),
    "indirect without a distribution point": lambda: by_signer(scope=ext.scope(indirect=True)),
    "point has no name of its own": lambda: by_signer(
        scope=ext.scope(indirect=True), points=ext.crl_points(ext.point(issuer="CRL Signer"))
    ),
    "by the CA for itself": lambda: world(p.crl("CA", p.revoked(p.SERVER, OF_ROOT), more=(ext.scope(indirect=True),))),
    "beside a look-alike": lambda: by_signer().but(
        pool=(p.crl_signer(), p.crl_signer(key=p.key("stranger"), signer=p.key("stranger")))
    ),
}
NOT_COUNTING = {
    "not marked indirect": lambda: by_signer(scope=ext.scope(p.SERVER_CRL)),
    "without a scope": lambda: by_signer(scope=None),
    "point does not name the signer": lambda: by_signer(points=ext.crl_points(ext.point(p.SERVER_CRL))),
    "point names another": lambda: by_signer(points=ext.crl_points(ext.point(p.SERVER_CRL, issuer="Nobody"))),
    "no points": lambda: by_signer(points=None),
    "another distribution point": lambda: by_signer(scope=ext.scope(p.OTHER_CRL, indirect=True)),
    "for CAs": lambda: by_signer(scope=ext.scope(p.SERVER_CRL, only=["authorities"], indirect=True)),
    "for some reasons": lambda: by_signer(scope=ext.scope(p.SERVER_CRL, reasons=["keyCompromise"], indirect=True)),
    "signer not in the pool": lambda: by_signer().but(pool=()),
    "signer without cRLSign": lambda: by_signer(signer=p.crl_signer(usages=("digitalSignature",))),
    "signer expired": lambda: by_signer(signer=p.crl_signer(not_after=NOW - DAY)),
    "signer not yet valid": lambda: by_signer(signer=p.crl_signer(not_before=NOW + HOUR)),
    "signer with a critical extension": lambda: by_signer(signer=p.crl_signer(ext.odd(critical=True))),
    "signer certified by a stranger": lambda: by_signer(signer=p.crl_signer(signer=p.key("stranger"))),
    "signer certified by a server": lambda: by_signer(
        signer=p.crl_signer(issuer="mallory.example", signer=p.key("Mallory"))
    ),
    "signer certified by itself": lambda: by_signer(
        signer=p.crl_signer(issuer="CRL Signer", signer=p.key("CRL Signer"))
    ),
    "signer's key in another name": lambda: by_signer(signer=p.crl_signer(subject="Nobody")),
    "signer revoked": lambda: by_signer().but(evidence=(p.crl("Root", p.revoked(p.SIGNER)), *by_signer().evidence[1:])),
    "signer of unknown status": lambda: by_signer(
        signer=p.crl_signer(ext.crl_points(ext.point(p.OTHER_CRL, issuer="Nobody")))
    ).but(evidence=(p.crl("Root", more=(ext.scope(only=["authorities"]),)), *by_signer().evidence[1:])),
    "signed by a stranger": lambda: signed_by("stranger"),
    "signed by another server": lambda: signed_by("Mallory").but(pool=(p.crl_signer(), p.mallory())),
    "signed by the CA": lambda: signed_by("CA"),
    "by the CA in its own name": lambda: by_signer().but(evidence=(p.crl("Root"), p.crl("CA", more=(INDIRECT,)))),
    "critical entry extension": lambda: by_signer(p.revoked(1, OF_ROOT, ext.odd(critical=True))),
}
REVOKING = {
    "listed": lambda: by_signer(p.revoked(p.SERVER, OF_CA)),
    "issuer from the entry before": lambda: by_signer(p.revoked(1, OF_CA), p.revoked()),
    "issuer from far before": lambda: by_signer(p.revoked(1, OF_ROOT), p.revoked(2, OF_CA), p.revoked(3), p.revoked()),
    "by the CA for itself": lambda: world(p.crl("CA", p.revoked(), more=(ext.scope(indirect=True),))),
    "by the CA for itself, after others": lambda: world(
        p.crl("CA", p.revoked(1, OF_ROOT), p.revoked(p.SERVER, OF_CA), more=(ext.scope(indirect=True),))
    ),
}
EXPECTED = (
    *((f"good: {label}", made, GOOD) for label, made in COUNTING.items()),
    *((f"unknown: {label}", made, UNKNOWN) for label, made in NOT_COUNTING.items()),
    *((f"revoked: {label}", made, REVOKED) for label, made in REVOKING.items()),
)


@pytest.mark.parametrize(("made", "expected"), [pytest.param(*each, id=label) for label, *each in EXPECTED])
def test_indirect_crl(made, expected):
    """RFC 5280 section 6.3.3 (b)(1), (f): the cRLIssuer that the certificate names, validated to the same anchor."""
    found = made().report()
    assert found.statuses[0].status is expected, found


def test_signer_is_not_vouched_for_by_its_own_list():
    """Only that CRL has the status of its own signer: this is circular, and the CRL does not count.

    It counts where the signer's certificate names the signer as cRLIssuer, as in test 4.14.30 of PKITS.
    """
    of_root = p.server(ext.crl_points(ext.point(issuer="CRL Signer")), issuer="Root")
    alone = world(server=of_root, pool=(p.crl_signer(),)).but(
        path=(of_root,), evidence=(p.crl("CRL Signer", more=(ext.scope(indirect=True),)),)
    )
    assert alone.statuses() == (UNKNOWN,)
    assert alone.statuses(evidence=(*alone.evidence, p.crl("Root"))) == (GOOD,)
    named = p.crl_signer(ext.crl_points(ext.point(issuer="CRL Signer")))
    assert alone.statuses(pool=(named,)) == (GOOD,)
    listed = p.crl("CRL Signer", p.revoked(p.SIGNER, OF_ROOT), more=(ext.scope(indirect=True),))
    assert alone.statuses(evidence=(listed,), pool=(named,)) == (UNKNOWN,)


def test_signer_is_not_vouched_for_by_a_second_that_it_vouches_for():
    """Two CRL signers that depend on each other's CRLs do not count."""
    at_second, at_first = (ext.crl_points(ext.point(issuer=name)) for name in ("CRL Signer 2", "CRL Signer"))
    first = p.crl_signer(at_second)
    second = p.crl_signer(at_first).but(subject="CRL Signer 2", key=p.key("CRL Signer 2"), serial=4898)
    server = p.server(at_first, issuer="Root")
    scope = (ext.scope(indirect=True),)
    made = world(pool=(first, second)).but(
        path=(server,), evidence=(p.crl("CRL Signer", more=scope), p.crl("CRL Signer 2", more=scope))
    )
    assert made.statuses() == (UNKNOWN,)
    forged = p.crl_signer(at_first, signer=p.key("stranger"), serial=1)  # the signer's own key, and other points
    for pool in ((forged, first, second), (first, second, forged)):
        assert made.statuses(pool=pool) == (UNKNOWN,)


@pytest.mark.parametrize("scope", [ext.scope(indirect=True), INDIRECT, None], ids=["indirect", "of the point", "none"])
def test_other_ca_neither_vouches_nor_revokes(scope):
    """A sound CA that the certificate does not name as cRLIssuer lists what it likes: it is not asked."""
    other = p.ca("Other CA", subject="Other CA", serial=4803)
    more = (scope,) if scope else ()
    for points in ((), (ext.crl_points(ext.point(p.SERVER_CRL)),)):
        made = world(server=p.server(*points), pool=(other,))
        for entries in ((), (p.revoked(p.SERVER, OF_CA),), (p.revoked(),), (p.revoked(p.CA, OF_ROOT),)):
            listing_of_other = p.crl("Other CA", *entries, more=more)
            assert made.statuses(evidence=(p.crl("Root"), listing_of_other)) == (UNKNOWN, GOOD)
            assert made.statuses(evidence=(p.crl("Root"), p.crl("CA"), listing_of_other)) == (GOOD, GOOD)
