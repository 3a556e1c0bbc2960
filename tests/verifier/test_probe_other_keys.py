"""``probe`` judges every certificate of a server: an expired one for RSA beside a sound one for ECDSA is a no."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.lab import KeyType
from pkcs12kit.probing import Contact, ProtocolAnswer, ServerAnswer
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.probing import server as probing
from pkcs12kit.tls.probing.key_types import ServerKeyType

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def ca():
    """The trust anchor, which issues both certificates."""
    return lab.Authority.create("CA", validity=lab.Validity(NOW - timedelta(days=900), NOW + timedelta(days=900)))


@pytest.fixture(scope="module")
def issue(ca):
    """Issue a certificate for the server with a key of a type, which ends so many days from now."""

    def call(key_type, days):
        span = lab.Validity(NOW - timedelta(days=800), NOW + timedelta(days=days))
        return ca.issue_server("mdm.example.mil", key_type=key_type, validity=span).certificate

    return call


@pytest.fixture
def judge(monkeypatch, ca):
    """Judge an answer: in each version the first certificates, then those for other types of keys."""

    def call(first, others=(), *, stopped="", versions=(TLS_1_3, TLS_1_2), is_old=False, **more):
        def answer_in(version, certificate, **given):
            message = CertificateMessage(certificates=(certificate,), protocol=version)
            return ProtocolAnswer(protocol=version, contact=Contact.ANSWERED, message=message, is_old=is_old, **given)

        asked = {"asked_key_types": (ServerKeyType.RSA, ServerKeyType.EC_P256)}
        answer = ServerAnswer(
            contact=Contact.ANSWERED,
            why="",
            answered_at="192.0.2.1:443",
            protocols=tuple(answer_in(version, first) for version in versions),
            other_keys=tuple(answer_in(version, one, **asked, **more) for version in versions for one in others),
            other_keys_stopped=stopped,
        )
        monkeypatch.setattr(probing, "ask_server", lambda *_, **__: answer)
        return pk.probe("mdm.example.mil", trust_anchors=[ca.certificate.der], time=NOW, devices=["go"])

    return call


def finding(report, check):
    """Return the finding of one check of the server."""
    return next(one for one in report.findings if one.check is check)


def test_an_expired_certificate_for_another_type_of_key_is_a_no(judge, issue):
    """RFC 5280 section 6.1.3: clients that have only RSA get it; the report says in which handshakes."""
    sound, expired = issue(KeyType.EC_P256, 300), issue(KeyType.RSA_2048, -3)
    for first, other, name in ((sound, expired, "RSA"), (expired, sound, "EC P-256")):
        report = judge(first, [other])
        assert not report.ok
        assert {"path", "expiry"} <= set(report.failed)
        assert [str(chain) for chain in report.chains][1] == f"{name} in TLSv1.3 and TLSv1.2"
    report = judge(sound, [expired])
    why = finding(report, Check.KEY_TYPES).why
    assert finding(report, Check.KEY_TYPES).outcome is Outcome.NOT_OK
    assert "EC P-256 in TLSv1.3 and TLSv1.2: " in why
    assert "RSA in TLSv1.3 and TLSv1.2: " in why
    assert why.count("until ") == 2
    assert any("expired" in change for change in report.changes)
    described = json.loads(json.dumps(report.to_json()))
    assert [one["handshakes"][0] for one in described["chains"]] == [
        {"protocol": "TLSv1.3", "key_type": "EC P-256"},
        {"protocol": "TLSv1.3", "key_type": "RSA"},
    ]
    assert [one["sent"]["ok"] for one in described["chains"]] == [True, False]
    assert [one["device"] for one in described["chains"][1]["devices"]] == ["go"]
    assert "What it sends for RSA in TLSv1.3 and TLSv1.2" in report._repr_mimebundle_()["text/html"]


def test_two_sound_certificates_are_a_yes(judge, issue):
    """Each equal chain is judged once; all are named."""
    sound = issue(KeyType.EC_P256, 300), issue(KeyType.RSA_2048, 300)
    report = judge(sound[0], [sound[1], sound[0]])
    assert report.ok
    assert [chain.report.message.certificates for chain in report.chains] == [(one,) for one in sound]
    assert finding(report, Check.KEY_TYPES).outcome is Outcome.OK


def test_handshakes_that_break_off(judge, issue):
    """One that was asked for shows no key, which is a no; what was not asked for may break (RFC 8446 section 4.4.3)."""
    sound, other = issue(KeyType.EC_P256, 300), issue(KeyType.RSA_2048, 300)
    report = judge(sound, [other], why="bad signature")
    assert report.failed == ("handshake",)
    assert "TLSv1.3 with RSA: bad signature" in finding(report, Check.HANDSHAKE).why
    assert judge(sound, [issue(KeyType.ED25519, 300)], why="wrong signature type").ok


def test_types_that_were_not_asked_for_are_told(judge, issue):
    """A server that closes its door to a prober is not at fault."""
    report = judge(issue(KeyType.EC_P256, 300), stopped="Connection refused")
    assert report.ok
    assert finding(report, Check.KEY_TYPES).outcome is Outcome.NOTE
    assert "Connection refused" in finding(report, Check.KEY_TYPES).why


def test_old_versions_have_no_types(judge, issue):
    """RFC 8996 versions are a no for themselves."""
    report = judge(issue(KeyType.RSA_2048, 300), versions=("TLSv1.1",), is_old=True)
    assert finding(report, Check.KEY_TYPES).outcome is Outcome.NOT_CHECKED
    assert report.failed == ("protocols",)


@pytest.mark.parametrize("is_first", [True, False])
def test_hints_are_for_every_certificate(judge, issue, ca, is_first):
    """One that expires soon, or whose CA expired: the same hint, whichever type of key it is for."""
    sound, soon = issue(KeyType.EC_P256, 300), issue(KeyType.RSA_2048, 9)
    judge(soon if is_first else sound, [sound if is_first else soon])
    asked = {"trust_anchors": [ca.certificate.der], "time": NOW, "expires_within": timedelta(days=30)}
    report = pk.probe("mdm.example.mil", **asked)
    assert "expiry" in report.failed
    assert [hint.text.partition(";")[0] for hint in report.hints] == ["renew the certificate that expires"]
    assert not pk.probe("mdm.example.mil", **asked | {"expires_within": timedelta(days=1)}).hints
