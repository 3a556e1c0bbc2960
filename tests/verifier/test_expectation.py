"""``probe`` with ``expect``: what is sent is the file's, older, newer or something else; and the chain above it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

import pkcs12kit as pk
from pkcs12kit import Check, Outcome, lab
from pkcs12kit.errors import ArgumentError, InputError, PfxPasswordError
from pkcs12kit.lab import KeyType
from pkcs12kit.probing import Contact, ProtocolAnswer, ServedAs, ServerAnswer
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.probing import server as probing

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PASSWORD = "correct horse 42 battery"
NAME = "mdm.example.mil"
DAY = timedelta(days=1)


class World:
    """A root, a CA and a CA that replaces it under the same name; certificates of one server."""

    def __init__(self):
        span = lab.Validity(NOW - 900 * DAY, NOW + 900 * DAY)
        self.root = lab.Authority.create("Root", validity=span)
        ca = lab.Authority.create("CA", validity=span)
        self.ca = ca
        self.above, self.renewed = (self.root.issue_ca(ca, serial_number=number) for number in (11, 12))
        self.old = self.issue(NAME, -200)
        self.new = self.issue(NAME, -20)
        self.rsa = self.issue(NAME, -20, key_type=KeyType.RSA_2048)
        self.stranger = self.issue("www.example.com", -20)

    def issue(self, name, start, **more):
        """Issue a certificate that is valid from so many days from now."""
        return self.ca.issue_server(name, validity=lab.Validity(NOW + start * DAY, NOW + 300 * DAY), **more)


@pytest.fixture(scope="module")
def world():
    """The certificates of these tests."""
    return World()


def pkcs12(identity, *above):
    """Return a PKCS#12 file of an identity with the certificates above it."""
    return serialize_key_and_certificates(
        None,
        identity.private_key,
        identity.certificate.as_cryptography,
        [one.as_cryptography for one in above],
        BestAvailableEncryption(PASSWORD.encode()),
    )


@pytest.fixture
def expect(monkeypatch, world):
    """Compare files with the chains that a server sends, the others for other types of keys."""

    def call(sent, files, *others, **more):
        def message(chain, version):
            return CertificateMessage(certificates=tuple(chain), protocol=version)

        found = [
            ProtocolAnswer(protocol=version, contact=Contact.ANSWERED, message=message(sent, version))
            for version in (TLS_1_3, TLS_1_2)
        ]
        other_keys = [
            ProtocolAnswer(protocol=TLS_1_3, contact=Contact.ANSWERED, message=message(one, TLS_1_3)) for one in others
        ]
        answer = ServerAnswer(
            contact=Contact.ANSWERED,
            why="",
            answered_at="192.0.2.1:443",
            protocols=tuple(found),
            other_keys=tuple(other_keys),
        )
        monkeypatch.setattr(probing, "ask_server", lambda *_, **__: answer)
        anchors = [world.root.certificate.der]
        return pk.probe(NAME, trust_anchors=anchors, time=NOW, expect=files, expect_password=PASSWORD, **more)

    return call


def finding(report):
    """Return the finding of the comparison."""
    return next(one for one in report.findings if one.check is Check.EXPECTED)


def files_of(world, identity):
    """Return a file of each kind with a certificate and the CA above it."""
    certificates = (identity.certificate, world.above)
    pem = "".join(one.to_pem() for one in certificates).encode()
    key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "PKCS#12": pkcs12(identity, world.above),
        "PKCS#12 with the anchor": pkcs12(identity, world.above, world.root.certificate),
        "PEM": pem,
        "PEM with the key": key + pem,
        "PEM in another order": "".join(one.to_pem() for one in reversed(certificates)).encode(),
        "PKCS#7": serialize_certificates([one.as_cryptography for one in certificates], Encoding.DER),
    }


def test_the_same_certificates_are_a_yes(expect, world):
    """In every kind of file; whether the anchor's own certificate is in it changes nothing (RFC 5246 section 7.4.2)."""
    sent = (world.new.certificate, world.above)
    for kind, file in files_of(world, world.new).items():
        report = expect(sent, file)
        assert report.ok, kind
        assert [one.served_as for one in report.comparisons] == [ServedAs.SAME]
        assert "EC P-256 in TLSv1.3 and TLSv1.2" in finding(report).why
        assert world.new.certificate.sha256 in finding(report).why
    assert expect(sent, ()).comparisons == ()


@pytest.mark.parametrize(
    ("sent", "has", "served_as"),
    [("old", "new", ServedAs.OLDER), ("new", "old", ServedAs.NEWER), ("stranger", "new", ServedAs.OTHER)],
)
def test_another_certificate_is_a_no(expect, world, sent, has, served_as):
    """The forgotten reload, the forgotten file, another server: both certificates are named."""
    served, expected = getattr(world, sent).certificate, getattr(world, has)
    for kind, file in files_of(world, expected).items():
        report = expect((served, world.above), file)
        assert "expected" in report.failed, kind
        assert [one.served_as for one in report.comparisons] == [served_as]
        for text in (served.sha256, expected.certificate.sha256):
            assert text in finding(report).why
        assert ("loaded the file" in finding(report).why) is (served_as is ServedAs.OLDER)
    described = json.loads(json.dumps(report.to_json()))["comparisons"]
    assert [(one["served_as"], one["same"]) for one in described] == [(served_as.value, False)]


def test_the_chain_above_it_is_compared(expect, world):
    """A CA certificate that was renewed, is missing or is too many is named; a root is a remark."""
    own = world.new.certificate
    file = pkcs12(world.new, world.above)
    renewed = expect((own, world.renewed), file)
    assert renewed.failed == ("expected",)
    assert finding(renewed).why.count("CA (issued by Root, #") == 2
    assert "does not send CA (issued by Root, #11)" in finding(renewed).why
    assert "it sends CA (issued by Root, #12), which" in finding(renewed).why
    assert "expected" in expect((own,), file).failed
    with_root = expect((own, world.above, world.root.certificate), file)
    assert with_root.ok
    assert "it sends Root (issued by Root" in finding(with_root).why


def test_each_type_of_key_has_a_file_of_its_own(expect, world):
    """A server with two certificates: a file for one leaves the other uncompared; for both, each is compared."""
    of_ec, of_rsa = (world.new.certificate, world.above), (world.rsa.certificate, world.above)
    files = {"new": pkcs12(world.new, world.above), "rsa": pkcs12(world.rsa, world.above)}
    one = expect(of_ec, files["rsa"], of_rsa)
    assert one.ok
    assert finding(one).outcome is Outcome.NOTE
    assert "no file was given for it: EC P-256 in TLSv1.3 and TLSv1.2" in finding(one).why
    both = expect(of_ec, [files["new"], files["rsa"]], of_rsa)
    assert finding(both).outcome is Outcome.OK
    assert len(both.comparisons) == 2
    stale = expect(of_ec, [pkcs12(world.old, world.above), files["rsa"]], of_rsa)
    assert [comparison.served_as for comparison in stale.comparisons] == [ServedAs.NEWER, ServedAs.SAME]
    missing = expect(of_ec, files["rsa"])
    assert not missing.ok
    assert finding(missing).outcome is Outcome.NOT_OK


def test_of_several_certificates_of_a_key_the_one_in_use_counts(expect, world):
    """A renewal beside the certificate that it replaces: servers use the newest that is valid."""
    renewal = world.issue(NAME, -1, private_key=world.old.private_key)
    file = pkcs12(renewal, world.old.certificate, world.above)
    assert expect((renewal.certificate, world.above), file).ok
    report = expect((world.old.certificate, world.above), file)
    assert [one.served_as for one in report.comparisons] == [ServedAs.OLDER]


def test_files_that_cannot_be_used(expect, world):
    """They are errors before anything is asked."""
    sent = (world.new.certificate, world.above)
    for error, files in (
        (InputError, b"nothing"),
        (InputError, "no-such-file.p12"),
        (ArgumentError, 3),
        (ArgumentError, [3]),
        (ArgumentError, None),
    ):
        with pytest.raises(error):
            expect(sent, files)
    damaged = world.new.certificate.to_pem() + "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(InputError, match="not every certificate can be read"):
        expect(sent, damaged.encode())
    with pytest.raises(PfxPasswordError):
        pk.probe(NAME, trust_anchors=[world.root.certificate.der], expect=pkcs12(world.new), expect_password="wrong")
    with pytest.raises(PfxPasswordError):
        pk.probe(NAME, trust_anchors=[world.root.certificate.der], expect=pkcs12(world.new))
    with pytest.raises(ArgumentError):
        pk.probe(NAME, trust_anchors=[world.root.certificate.der], expect_password=3)
