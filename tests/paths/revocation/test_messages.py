"""Messages about CRLs: each names the CRL and the reason why it did not count, and no other reason."""

from __future__ import annotations

import pytest
from cryptography import x509

from pkcs12kit import lab

from .world import A_WEEK_AGO, INDIRECT, UNKNOWN, World, crl_issuers

SOME_REASONS = lab.critical(
    x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=frozenset([x509.ReasonFlags.key_compromise]),
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
)
DELTA = lab.critical(x509.DeltaCRLIndicator(1))
ONLY_DELTAS = "the delta CRL #2 of Issuing changes a full CRL, and no full CRL of this issuer was given"
ONLY_REVOKES = "the CRL #1 of Issuing can only revoke the certificate"
SOME_ARE_MISSING = "no CRL that counts covers the reasons"


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return World()


def test_only_a_delta_crl(world):
    """Section 5.2.4: a delta CRL needs the full CRL. Where a full one was given, the reason is another."""
    delta = world.issuing.make_crl(number=2, extensions=[DELTA])
    found = world.status(crls=[delta])
    assert found.status is UNKNOWN
    assert ONLY_DELTAS in found.detail
    forged = lab.Authority.create("Issuing").make_crl()
    assert ONLY_DELTAS not in world.status(crls=[delta, forged]).detail
    assert ONLY_DELTAS not in world.status(crls=[forged]).detail


def test_some_reasons(world):
    """6.3.3 (d): the reasons that no CRL covers are named."""
    found = world.status(crls=[world.issuing.make_crl(extensions=[SOME_REASONS])])
    assert found.status is UNKNOWN
    assert SOME_ARE_MISSING in found.detail
    assert "cACompromise" in found.detail
    assert "keyCompromise" not in found.detail
    assert ONLY_REVOKES not in found.detail
    assert SOME_ARE_MISSING not in world.status().detail


def test_another_crl_issuer_is_named(world):
    """The CA's own CRL was judged and could not answer; one of the other issuer did not count for its own reason."""
    server = world.issuing.issue_server("server.example", extensions=[crl_issuers("Another")]).certificate
    other = lab.Authority.create("Another")
    crls = [world.issuing.make_crl(), other.make_crl(number=3), other.make_crl(number=4, extensions=[INDIRECT])]
    found = world.status(path=world.path_of(server, world.ca), crls=crls)
    assert found.status is UNKNOWN
    assert ONLY_REVOKES in found.detail
    assert "the CRL #3 of Another is not an indirect CRL" in found.detail
    assert "the CRL #4 of Another is not signed by Another" in found.detail
    assert SOME_ARE_MISSING not in found.detail


def test_other_distribution_point(world):
    """6.3.3 (b)(2)(i): the CRL is for other points; one that is out of date as well is out of date first of all."""
    scope = x509.IssuingDistributionPoint(
        full_name=[x509.UniformResourceIdentifier("http://x.example/other.crl")],
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    extensions = [lab.critical(scope)]
    found = world.status(crls=[world.issuing.make_crl(extensions=extensions)])
    assert "the CRL #1 of Issuing covers other distribution points" in found.detail
    past = lab.Validity.around(A_WEEK_AGO, days_before=1, days_after=1)
    found = world.status(crls=[world.issuing.make_crl(extensions=extensions, validity=past)])
    assert "out of date" in found.detail
    assert "other distribution points" not in found.detail
