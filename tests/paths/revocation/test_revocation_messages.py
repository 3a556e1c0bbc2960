"""The sentence about an unknown status: what was tried, why it did not count, and no more than can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from pkcs12kit import lab
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.revocation import Revocation, check_revocation

NOW = datetime(2026, 6, 20, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def root():
    """A root that issued everything here."""
    return lab.Authority.create("Root", validity=lab.Validity.around(NOW))


@pytest.fixture(scope="module")
def server(root):
    """A certificate below the root."""
    return root.issue_server("server.example").certificate


@pytest.fixture
def detail(root, server):
    """Ask for the sentence about the server."""

    def ask(crls=(), responses=(), **others):
        path = CertificationPath(certificates=(server,), trust_anchor=TrustAnchor.from_certificate(root.certificate))
        revocation = Revocation(mode="require", crls=crls, ocsp_responses=responses, **others)
        [status] = check_revocation(path, time=NOW, revocation=revocation).statuses
        return status.detail.removeprefix("revocation status unknown: ")

    return ask


def respond(root, server, *, signer=None, name=None, this_update=NOW - DAY, next_update=None):
    """Sign an OCSP response about the server, by the root or by another, in the name of its signer."""
    signer = signer or root
    certificate = signer.certificate.as_cryptography
    if name is not None:
        signer = lab.Authority.create(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, name)]))
        certificate = signer.certificate.as_cryptography
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=server.as_cryptography,
        issuer=root.certificate.as_cryptography,
        algorithm=hashes.SHA256(),
        cert_status=ocsp.OCSPCertStatus.GOOD,
        this_update=this_update,
        next_update=next_update,
        revocation_time=None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.NAME, certificate)
    return builder.sign(signer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("max_age", "says"),
    [
        (timedelta(0), "has no nextUpdate, which a maximum age of 0 requires"),
        (timedelta(hours=12), "is older than the maximum age of 12:00:00"),
        (DAY - timedelta(seconds=1), "is older than the maximum age of 23:59:59"),
        (timedelta(days=2), "not revoked (by OCSP)"),
    ],
)
def test_age_of_data_without_next_update(root, server, detail, max_age, says):
    """The response is a day old (RFC 6960 section 4.2.2.1): the sentence has its thisUpdate and the age allowed."""
    said = detail(responses=[respond(root, server)], max_age=max_age)
    assert said.endswith(says)
    assert said.startswith("OCSP: the response of Root has no nextUpdate") or "not revoked" in said


def test_days(root, server, detail):
    """A number of days is written as days."""
    old = respond(root, server, this_update=NOW - 8 * DAY)
    assert detail(responses=[old]) == (
        "OCSP: the response of Root has no nextUpdate, and its thisUpdate 2026-06-12T00:00:00Z is older than"
        " the maximum age of 7 days"
    )


def test_maximal_age_of_nothing_refuses_what_is_made_this_very_second(root, server, detail):
    """An age of 0 asks for nextUpdate, whatever the age is."""
    now = respond(root, server, this_update=NOW)
    assert "requires" in detail(responses=[now], max_age=timedelta(0))
    assert "not revoked" in detail(responses=[now], max_age=timedelta(seconds=1))


def test_each_object_is_named_with_its_reason(root, detail):
    """Two CRLs, one out of date and one from after the time: which is which, and when it is to count."""
    old = root.make_crl(validity=lab.Validity(NOW - 9 * DAY, NOW - 2 * DAY), number=4)
    new = root.make_crl(validity=lab.Validity(NOW + DAY, NOW + 8 * DAY), number=6)
    assert detail(crls=[old, new]) == (
        "CRL: the CRL #4 of Root has been out of date since 2026-06-18T00:00:00Z (nextUpdate);"
        " CRL: the CRL #6 of Root was issued after the time asked for (thisUpdate 2026-06-21T00:00:00Z)"
    )


def test_sentence_is_bounded(root, server, detail):
    """Twenty responses in endless names, by anybody: the first five are in the sentence, each cut."""
    endless = [respond(root, server, name=f"{number} {'x' * 5_000}") for number in range(20)]
    said = detail(responses=endless)
    assert "0 xxx" in said
    assert "4 xxx" in said
    assert said.endswith("; and 15 more")
    assert len(said) < 5 * 600


def test_long_numbers(root, detail):
    """A CRL number of 3,000 octets can be written, in hexadecimal, and is cut."""
    said = detail(crls=[root.make_crl(validity=lab.Validity(NOW - 9 * DAY, NOW - DAY), number=2**24_000)])
    assert said.startswith("CRL: the CRL #0x1000")
    assert len(said) < 600
