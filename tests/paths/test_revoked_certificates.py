"""A revoked certificate on the closest attempt, which fails for another reason, is listed below a trust anchor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pkcs12kit import CertificatePool, Revocation, TrustAnchor, ValidationParameters, find_paths, lab
from pkcs12kit.certificates.certificate import Certificate

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
PAST = lab.Validity(AT - timedelta(days=90), AT - timedelta(days=1))
ROOT, POLICY, ISSUING, IMPOSTOR = (
    lab.Authority.create(name, validity=SPAN) for name in ("Root", "Policy CA", "Issuing CA", "Issuing CA")
)
SERVER = ISSUING.issue_server("www.example.com", validity=SPAN, serial_number=1001).certificate
CA = POLICY.issue_ca(ISSUING, validity=SPAN, serial_number=3)
ABOVE = ROOT.issue_ca(POLICY, validity=SPAN, serial_number=2)
EXPIRED_CA = POLICY.issue_ca(ISSUING, validity=PAST, serial_number=3)


def crl(issuer, *serials):
    """A CRL of an issuer, with the certificates that it revokes."""
    entries = [lab.CrlEntry(serial_number=one, date=AT - timedelta(days=2)) for one in serials]
    return issuer.make_crl(revoked=entries, validity=lab.Validity(AT - timedelta(days=1), AT + timedelta(days=1)))


def listed(*pool, crls, target=SERVER, server_name=None, mode="soft"):
    """Search; return the serial numbers and reasons of the closest attempt."""
    report = find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(ROOT.certificate)],
        parameters=ValidationParameters(time=AT, server_name=server_name),
        revocation=Revocation(mode=mode, crls=crls),
    )
    assert not report.valid
    closest = report.rejected[0]
    assert closest.lists_all_failures
    if any(one.reason.value == "revoked" for one in closest.failures):
        assert closest.would_be_valid is None
    return [(one.certificate.serial_number, one.reason.value) for one in closest.failures]


def damaged(certificate):
    """The certificate with a signature that does not verify."""
    return Certificate.from_der(certificate.der[:-1] + bytes([certificate.der[-1] ^ 1]))


def test_beside_another_fault():
    """A wrong name and a revocation, and what the policy CA revoked below it: both levels, in order of correction."""
    wrong = "mail.example.com"
    found = listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], server_name=wrong)
    assert found == [(1001, "server-name"), (1001, "revoked")]
    assert listed(CA, ABOVE, crls=[crl(POLICY, 3)], server_name=wrong) == [(1001, "server-name"), (3, "revoked")]
    assert listed(EXPIRED_CA, ABOVE, crls=[crl(ISSUING, 1001)]) == [(1001, "revoked"), (3, "expired")]


def test_only_the_issuer_is_believed():
    """Not a CRL by an impostor, nor one about a certificate that the issuer did not sign, nor without an anchor."""
    found = listed(CA, ABOVE, crls=[crl(IMPOSTOR, 1001)], server_name="mail.example.com")
    assert found == [(1001, "server-name")]
    broken = damaged(SERVER)
    assert listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], target=broken) == [(1001, "bad-signature")]
    assert listed(CA, crls=[crl(ISSUING, 1001)]) == [(3, "issuer-not-found")]


def test_nothing_is_checked_where_the_mode_is_off():
    """The other faults are listed as before."""
    found = listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], mode="off", server_name="mail.example.com")
    assert found == [(1001, "server-name")]
