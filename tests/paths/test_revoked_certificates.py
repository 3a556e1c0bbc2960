"""A revoked certificate on an attempt that fails for another reason is listed, where its issuer is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from pkcs12kit import DEFAULT_LIMITS, CertificatePool, Revocation, TrustAnchor, ValidationParameters, find_paths, lab
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
NO_CA = POLICY.issue_ca(
    ISSUING,
    validity=SPAN,
    serial_number=3,
    extensions=[lab.critical(x509.BasicConstraints(ca=False, path_length=None))],
)


def crl(issuer, *serials):
    """A CRL of an issuer, with the certificates that it revokes."""
    entries = [lab.CrlEntry(serial_number=one, date=AT - timedelta(days=2)) for one in serials]
    return issuer.make_crl(revoked=entries, validity=lab.Validity(AT - timedelta(days=1), AT + timedelta(days=1)))


def listed(*pool, crls, target=SERVER, server_name=None, mode="soft", limits=DEFAULT_LIMITS):
    """Search; return the serial numbers and reasons of the closest attempt."""
    report = find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(ROOT.certificate)],
        parameters=ValidationParameters(time=AT, server_name=server_name),
        revocation=Revocation(mode=mode, crls=crls),
        limits=limits,
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


@pytest.mark.parametrize("mode", ["soft", "require"])
def test_beside_another_fault(mode):
    """A wrong name and a revocation, and what the policy CA revoked below it: both levels, in order of correction."""
    both = [(1001, "server-name"), (1001, "revoked")]
    crls = [crl(ISSUING, 1001)]
    assert listed(CA, ABOVE, crls=crls, server_name="mail.example.com", mode=mode) == both
    crls = [crl(POLICY, 3)]
    found = listed(CA, ABOVE, crls=crls, server_name="mail.example.com", mode=mode)
    assert found == [(1001, "server-name"), (3, "revoked")]
    assert listed(EXPIRED_CA, ABOVE, crls=[crl(ISSUING, 1001)], mode=mode) == [(1001, "revoked"), (3, "expired")]


def test_below_a_missing_issuer():
    """What is above does not matter for the word of an issuer that is there; without one nothing is said."""
    missing = (3, "issuer-not-found")
    assert listed(CA, crls=[crl(ISSUING, 1001)]) == [(1001, "revoked"), missing]
    assert listed(CA, crls=[crl(POLICY, 3)]) == [missing]
    assert listed(ABOVE, crls=[crl(ISSUING, 1001)]) == [(1001, "issuer-not-found")]


def test_only_the_issuer_is_believed():
    """Not a CRL by an impostor, nor one about a certificate that the issuer did not sign, nor one of no CA."""
    wrong = "mail.example.com"
    assert listed(CA, ABOVE, crls=[crl(IMPOSTOR, 1001)], server_name=wrong) == [(1001, "server-name")]
    broken = damaged(SERVER)
    assert listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], target=broken) == [(1001, "bad-signature")]
    found = listed(NO_CA, ABOVE, crls=[crl(ISSUING, 1001)])
    assert (3, "not-a-ca") in found
    assert (1001, "revoked") not in found


def test_where_nothing_can_be_said():
    """The mode is off, the CRL cannot be read, or the limit is reached: the other faults are listed as before."""
    wrong = [(1001, "server-name")]
    given = {"server_name": "mail.example.com"}
    assert listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], mode="off", **given) == wrong
    assert listed(CA, ABOVE, crls=[b"no CRL"], **given) == wrong
    limits = replace(DEFAULT_LIMITS, explained_revocations=0)
    assert listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], limits=limits, **given) == wrong
    limits = replace(DEFAULT_LIMITS, explanation_signature_checks=0)
    listed(CA, ABOVE, crls=[crl(ISSUING, 1001)], limits=replace(limits, explained_certificates=400), **given)
