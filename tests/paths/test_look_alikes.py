"""Certificates that look like a missing issuer are named, each with what makes it another one; the work is bounded."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkcs12kit import CertificatePool, FailureReason, TrustAnchor, ValidationParameters, find_paths, lab
from pkcs12kit.display.explanations import explanation_lines
from pkcs12kit.paths import signatures
from pkcs12kit.paths.signatures import REMEMBERED

AT = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = lab.Validity.around(AT)
ROOT = lab.Authority.create("Root", validity=SPAN)
NEW_ROOT = lab.Authority.create("Root", validity=SPAN)


def named(*attributes):
    """A name of an organization and a common name, in this order."""
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


NAME = named((NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, "Issuing CA"))
TURNED = named((NameOID.COMMON_NAME, "Issuing CA"), (NameOID.ORGANIZATION_NAME, "Example"))
DASHED = named((NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, "Issuing-CA"))
REAL = lab.Authority.create(NAME, validity=SPAN)
SERVER = REAL.issue_server("www.example.com", validity=SPAN).certificate
IDENTIFIER = lab.non_critical(lab.extensions.subject_key_identifier(REAL.private_key.public_key()))


def ca(name, *, key=None, extensions=()):
    """A certificate of the root for a CA of this name and key."""
    return ROOT.issue_ca(
        lab.Authority.create(name, private_key=key, validity=SPAN), validity=SPAN, extensions=extensions
    )


def answer(*pool, target=SERVER, anchor=ROOT):
    """Search; return the failure about the target's issuer, and its lines."""
    report = find_paths(
        target,
        pool=CertificatePool(pool),
        trust_anchors=[TrustAnchor.from_certificate(anchor.certificate)],
        parameters=ValidationParameters(time=AT),
    )
    assert not report.valid
    assert json.loads(json.dumps(report.to_json()))
    failure = next(one for one in report.rejected[0].failures if one.causes)
    return failure, "\n".join(explanation_lines(failure))


def test_a_rekeyed_ca():
    """The same name, another key: the certificate and the key identifiers of both."""
    other = ca(NAME)
    failure, shown = answer(other)
    [cause] = failure.causes
    assert (cause.certificate, cause.extension) == (other, "subjectKeyIdentifier")
    assert cause.value == other.key_identifier.hex()
    assert "another key than the one that signed" in cause.detail
    assert SERVER.issuer_key_identifier.hex() in failure.detail
    assert shown.startswith("tried: Issuing CA: subjectKeyIdentifier")
    assert failure.missing_issuer.look_alike_count == 1


def test_a_copy_of_the_name_and_the_key_identifier():
    """It looks like the issuer and did not sign: the certificate whose key was tried is named."""
    copy = ca(NAME, extensions=[IDENTIFIER])
    failure, shown = answer(copy)
    [cause] = failure.causes
    assert cause.certificate == copy
    assert failure.reason.value == "bad-signature"
    assert "looks like the issuer, and did not sign" in shown or "this key was tried" in shown
    assert copy.key_identifier.hex() in shown


def test_a_copy_that_leads_nowhere():
    """The same with a copy that no anchor issued."""
    stranger = lab.Authority.create("Stranger", validity=SPAN)
    impostor = lab.Authority.create(NAME, validity=SPAN)
    copy = stranger.issue_ca(impostor, validity=SPAN, extensions=[IDENTIFIER])
    report = find_paths(
        SERVER,
        pool=CertificatePool([copy]),
        trust_anchors=[TrustAnchor.from_certificate(ROOT.certificate)],
        parameters=ValidationParameters(time=AT),
    )
    failure = next(one for one in report.rejected[0].failures if one.certificate == SERVER)
    assert failure.reason.value == "bad-signature"
    assert [cause.certificate for cause in failure.causes] == [copy]
    assert copy.key_identifier.hex() in failure.causes[0].value


def test_the_key_under_another_name():
    """The issuer was renamed: the certificate with the key that signed is named, one with its identifier is not."""
    renamed = ca("Renamed CA", key=REAL.private_key)
    failure, _ = answer(renamed, ca("Other CA", extensions=[IDENTIFIER]))
    [cause] = failure.causes
    assert (cause.certificate, cause.extension, cause.value) == (renamed, "subject", "CN=Renamed CA")
    assert "has the key that signed this certificate, and another name" in cause.detail


@pytest.mark.parametrize("name", [TURNED, DASHED], ids=["order", "spelling"])
@pytest.mark.parametrize("signed", [True, False])
def test_a_name_that_differs_only_in_spelling_or_order(name, signed):
    """RFC 5280 section 7.1 does not take it for the same name; the answer says whether the key is the right one."""
    found = ca(name, key=REAL.private_key if signed else None)
    failure, _ = answer(found)
    [cause] = failure.causes
    assert cause.certificate == found
    assert "in another spelling or order" in cause.detail
    assert f"its key {'signed' if signed else 'did not sign'} this certificate" in cause.detail


def test_an_old_root_against_a_new_one():
    """The trust anchor has the right name and another key."""
    failure, _ = answer(ROOT.issue_ca(REAL, validity=SPAN), anchor=NEW_ROOT)
    cause = failure.causes[0]
    assert cause.certificate == NEW_ROOT.certificate
    assert "is a trust anchor with the name of the issuer and another key" in cause.detail


def test_a_damaged_signature_names_the_key_that_was_tried():
    """A certificate that was changed after it was signed: the issuer, its key and key identifier."""
    damaged = type(SERVER).from_der(SERVER.der[:-1] + bytes([SERVER.der[-1] ^ 1]))
    real = ROOT.issue_ca(REAL, validity=SPAN)
    failure, shown = answer(real, target=damaged)
    [cause] = failure.causes
    assert (failure.reason.value, cause.certificate, cause.extension) == ("bad-signature", real, "subjectPublicKeyInfo")
    assert real.key_identifier.hex() in cause.value
    assert "also names the key" in cause.detail
    assert shown.startswith("tried: Issuing CA: ")


@pytest.mark.parametrize("copies", [300, pytest.param(2_000, marks=pytest.mark.slow)])
def test_many_look_alikes_stay_within_the_budget(copies, monkeypatch):
    """A pool of look-alikes with the identifier of the issuer: few are listed, all counted, the checks bounded."""
    REMEMBERED.forget()
    checked = []
    check = signatures.check_signature
    monkeypatch.setattr(signatures, "check_signature", lambda *asked: checked.append(asked) or check(*asked))
    keys = [lab.KeyType.EC_P256.generate() for _ in range(20)]
    made = [ca(NAME, key=keys[number % 20]) for number in range(copies)]
    failure, shown = answer(*made)
    assert len(failure.causes) == 5
    assert failure.missing_issuer.look_alike_count == copies
    assert f"tried: {copies:,} certificates with the issuer's name in all" in shown
    assert len(checked) <= 1_100


def test_the_root_of_the_path_and_the_anchor_of_its_name():
    """An old root in place of a rekeyed one: the anchor is named with its own key identifier."""
    report = find_paths(
        ROOT.issue_server("www.example.com", validity=SPAN).certificate,
        pool=CertificatePool([ROOT.certificate]),
        trust_anchors=[TrustAnchor.from_certificate(NEW_ROOT.certificate)],
        parameters=ValidationParameters(time=AT),
    )
    [failure] = report.rejected[0].failures
    assert (failure.certificate, failure.reason) == (ROOT.certificate, FailureReason.NO_TRUST_ANCHOR)
    [cause] = failure.causes
    assert (cause.certificate, cause.extension) == (NEW_ROOT.certificate, "subjectKeyIdentifier")
    assert cause.value == NEW_ROOT.certificate.key_identifier.hex()
