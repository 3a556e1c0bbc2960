"""Delta CRLs by their numbers (RFC 5280 section 5.2.4), whatever their order, and full CRLs that name some."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from cryptography import x509

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.revocation import Revocation, RevocationMode, RevocationStatus, check_revocation

NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = lab.Validity.around(NOW, days_before=1, days_after=1)
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN
COMPROMISED, HELD, RELEASED = (
    x509.ReasonFlags.key_compromise,
    x509.ReasonFlags.certificate_hold,
    x509.ReasonFlags.remove_from_crl,
)
FRESHEST = lab.non_critical(
    x509.FreshestCRL(
        [x509.DistributionPoint([x509.UniformResourceIdentifier("http://x.example/delta.crl")], None, None, None)]
    )
)


class Crls:
    """One server's certificate, and what its CA says of it."""

    def __init__(self):
        root, self.ca = lab.Authority.create("Root"), lab.Authority.create("CA")
        self.forger = lab.Authority.create("CA", private_key=lab.KeyType.EC_P256.generate())
        self.server = self.ca.issue_server("server.example").certificate
        self.path = CertificationPath(
            certificates=(self.server, root.issue_ca(self.ca)),
            trust_anchor=TrustAnchor.from_certificate(root.certificate),
        )
        self.of_root = root.make_crl()

    def sign(self, number, reason, *extensions, by=None, validity=TODAY, key=None):
        """Sign a CRL that lists the server's certificate for a reason, or not at all.

        ``key`` is whose key identifier it has, where not the signer's.
        """
        if key is not None:
            identifier = lab.extensions.authority_key_identifier(key.private_key.public_key())
            extensions += (lab.non_critical(identifier),)
        entry = lab.CrlEntry(serial_number=self.server.serial_number, date=TODAY.not_before, reason=reason)
        revoked = [] if reason is None else [entry]
        return (by or self.ca).make_crl(validity=validity, revoked=revoked, number=number, extensions=extensions)

    def full(self, number, reason=None, **others):
        """Sign a full CRL that names delta CRLs."""
        return self.sign(number, reason, FRESHEST, **others)

    def delta(self, number, base, reason=None, **others):
        """Sign a delta CRL."""
        return self.sign(number, reason, lab.critical(x509.DeltaCRLIndicator(base)), **others)

    def status(self, *crls, mode=RevocationMode.REQUIRE, pool=None):
        """Ask for the status, which must not depend on the order of the CRLs."""
        found = set()
        for order in itertools.permutations(crls):
            revocation = Revocation(mode=mode, crls=[*order, self.of_root])
            found.add(check_revocation(self.path, time=NOW, revocation=revocation, pool=pool).statuses[0].status)
        (status,) = found
        return status


@pytest.fixture(scope="module")
def crls():
    """One PKI for all tests."""
    return Crls()


def test_the_newest_of_several_counts(crls):
    """The newer decides: a revocation in it counts, and so does the end of a hold."""
    assert crls.status(crls.full(1), crls.delta(5, 1), crls.delta(6, 1, COMPROMISED)) is REVOKED
    assert crls.status(crls.full(1, HELD), crls.delta(5, 1), crls.delta(6, 1, RELEASED)) is GOOD
    assert crls.status(crls.full(1, HELD), crls.delta(5, 1, RELEASED), crls.delta(6, 1, HELD)) is REVOKED


def test_one_from_before_the_full_crl_releases_nothing(crls):
    """Section 5.2.4 (d): the number of the full CRL is less than that of the delta."""
    assert crls.status(crls.full(20, COMPROMISED), crls.delta(10, 9, RELEASED)) is REVOKED
    assert crls.status(crls.full(20, COMPROMISED), crls.delta(20, 9, RELEASED)) is REVOKED
    assert crls.status(crls.full(20, HELD), crls.delta(21, 20, RELEASED)) is GOOD
    assert crls.status(crls.full(20), crls.full(5, HELD), crls.delta(6, 5, RELEASED)) is REVOKED


def test_one_for_a_later_full_crl_is_none_for_this_one(crls):
    """Section 5.2.4 (c): the number of the full CRL has reached the delta's base, or there is a gap between them."""
    assert crls.status(crls.full(1), crls.delta(10, 5)) is UNKNOWN
    assert crls.status(crls.full(5), crls.delta(10, 5)) is GOOD
    assert crls.status(crls.full(1, COMPROMISED), crls.delta(10, 5, RELEASED)) is REVOKED


def test_what_a_full_crl_revokes_is_revoked_without_its_delta(crls):
    """Where none is given that it names; that the certificate is good it does not say alone."""
    assert crls.status(crls.full(1, COMPROMISED)) is REVOKED
    assert crls.status(crls.full(1, COMPROMISED), mode=RevocationMode.SOFT) is REVOKED
    assert crls.status(crls.full(1)) is UNKNOWN


def test_a_full_crl_as_new_as_a_current_delta_needs_none(crls):
    """Section 5.2.3: a full CRL and a delta CRL of one number, issued together, hold the same information."""
    assert crls.status(crls.full(7), crls.delta(7, 5)) is GOOD
    assert crls.status(crls.full(7), crls.delta(6, 5)) is GOOD
    assert crls.status(crls.full(7, HELD), crls.delta(7, 5, RELEASED)) is REVOKED
    assert crls.status(crls.full(7), crls.delta(7, 5), crls.delta(8, 7, COMPROMISED)) is REVOKED


def test_only_a_genuine_current_delta_shows_that_a_full_crl_is_new(crls):
    """One that is forged, past its nextUpdate, or beside another for a later full CRL does not (section 5.2.4)."""
    past = lab.Validity.around(NOW, days_before=3, days_after=-1)
    assert crls.status(crls.full(7), crls.delta(7, 5, by=crls.forger, key=crls.ca)) is UNKNOWN
    assert crls.status(crls.full(7), crls.delta(7, 5, validity=past)) is UNKNOWN
    assert crls.status(crls.full(7), crls.delta(7, 5), crls.delta(10, 9)) is UNKNOWN


def test_a_forged_one_decides_nothing(crls):
    """Neither which is the newest, nor what a genuine one says (section 6.3.3 (h))."""
    forged = crls.delta(99, 1, RELEASED, by=crls.forger, key=crls.ca)
    newer = crls.full(99, by=crls.forger, key=crls.ca)
    assert crls.status(crls.full(1), crls.delta(2, 1, COMPROMISED), forged) is REVOKED
    assert crls.status(crls.full(1), crls.delta(2, 1, COMPROMISED), newer) is REVOKED
    assert crls.status(crls.full(1), crls.delta(2, 1), forged) is GOOD
    assert crls.status(crls.full(1), forged) is UNKNOWN


def test_a_forged_one_decides_nothing_with_its_certificate_in_the_pool(crls):
    """A candidate with the issuer's name is not validated yet: the CRL that the CA on the path signed comes first."""
    pool = CertificatePool([crls.forger.certificate])
    forged = crls.delta(99, 1, RELEASED, by=crls.forger, key=crls.ca)
    newer = crls.full(99, by=crls.forger, key=crls.ca)
    for mode in (RevocationMode.REQUIRE, RevocationMode.SOFT):
        genuine = (crls.full(1), crls.delta(2, 1, COMPROMISED))
        for forgeries in ([forged], [newer], [forged, newer]):
            assert crls.status(*genuine, *forgeries, mode=mode, pool=pool) is REVOKED
    assert crls.status(crls.full(1), crls.delta(2, 1), forged, pool=pool) is GOOD
    assert crls.status(crls.full(1, COMPROMISED), forged, pool=pool) is REVOKED
    assert crls.status(crls.full(1), forged, pool=pool) is UNKNOWN


def test_one_of_another_time_decides_nothing(crls):
    """Not issued yet, or past its nextUpdate: the one before it counts."""
    to_come = lab.Validity.around(NOW, days_before=-1, days_after=2)
    past = lab.Validity.around(NOW, days_before=3, days_after=-1)
    for validity in (to_come, past):
        assert crls.status(crls.full(1), crls.delta(9, 1, validity=validity), crls.delta(2, 1, COMPROMISED)) is REVOKED
