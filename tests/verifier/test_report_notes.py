"""Notes in reports: on the chain's certificates, in each kind of report, and without a part in any answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

import pkcs12kit as pk
from pkcs12kit.paths import report as path_reports
from pkcs12kit.probing import CertificateMessage, ProbeReport, RehearsalReport
from pkcs12kit.verifier import reports as verifier_reports

from ..certificates.chains import ISSUING, NOW, POLICY_CONSTRAINTS, ROOT, SERVER
from ..der import implicit, sequence
from ..x509_values import KEY_USAGE, PURPOSES

PARAMETERS = pk.ValidationParameters(time=NOW)
WANTED = [
    (SERVER.subject, "purpose-missing"),
    (ISSUING.subject, "policy-constraints-not-critical"),
    (ROOT.subject, "key-usage-missing"),
]
"""The notes on the chain below, in the order of the path."""


@pytest.fixture(scope="module")
def chain():
    """A server, its CA and the root, which make a valid path and have one note each."""
    constraints = sequence(implicit(1, b"\0"))
    parts = (SERVER.without(PURPOSES), ISSUING.having(POLICY_CONSTRAINTS, constraints), ROOT.without(KEY_USAGE))
    return [pk.Certificate.from_der(part.der) for part in parts]


@pytest.fixture(scope="module")
def given(chain):
    """What every check of the chain gets."""
    return {"trust_anchors": [pk.TrustAnchor.from_certificate(chain[2])], "parameters": PARAMETERS}


def served(certificates, given):
    """Check served certificates."""
    message = CertificateMessage(certificates=tuple(certificates), protocol="TLSv1.3")
    return pk.check_served_chain(message, **given)


def verified(certificates, given):
    """Check a PKCS#12 file of pyca/cryptography."""
    target, *others = (certificate.as_cryptography for certificate in certificates)
    data = pkcs12.serialize_key_and_certificates(None, SERVER.key, target, others, NoEncryption())
    return pk.verify(data, password=None, **given)


def rehearsed(certificates, given):
    """Make a report of a rehearsal without clients."""
    return RehearsalReport(
        served_chain=served(certificates, given),
        server_name=SERVER.subject,
        server_name_given=True,
        handshakes=(),
        required=frozenset(),
    )


def searched(certificates, given):
    """Search for the paths of the first certificate."""
    return pk.find_paths(certificates[0], pool=pk.CertificatePool(certificates[1:]), **given)


KINDS = {"paths": searched, "verify": verified, "served": served, "rehearse": rehearsed}


def named(notes):
    """Return subject and rule of each note."""
    return [(note.certificate.subject.common_name, note.rule) for note in notes]


@pytest.mark.parametrize("kind", KINDS)
def test_each_report_has_the_notes_on_its_chain(chain, given, kind):
    """The notes are on the certificates of the path, with the trust anchor's, and in JSON as they are."""
    report = KINDS[kind](chain[:2], given)
    assert named(report.notes) == WANTED
    printed = json.loads(json.dumps(report.to_json()))
    assert (printed["sent"] if kind == "rehearse" else printed)["notes"] == [note.to_json() for note in report.notes]
    assert "3 notes on certificates" in pk.to_html(report)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [1, 2])
def test_no_answer_depends_on_notes(chain, given, kind, number, monkeypatch):
    """Without any note, each report of a whole or an incomplete chain is the same."""

    def everything_else():
        report = KINDS[kind](chain[:number], given)
        printed = report.to_json()
        (printed["sent"] if kind == "rehearse" else printed).pop("notes")
        answer = () if kind == "paths" else (report.ok, report.failed, report.problems)
        return printed, answer

    with_notes = everything_else()
    for module in (path_reports, verifier_reports):
        monkeypatch.setattr(module, "lint_certificates", lambda *_, **__: ())
    assert everything_else() == with_notes


def test_certificates_are_examined_where_they_make_no_path(chain, given):
    """A file or a server has a chain without a path, too; a search has none."""
    assert named(served(chain[:1], given).notes) == WANTED[:1]
    assert named(verified(chain[:1], given).notes) == WANTED[:1]
    assert searched(chain[:1], given).notes == ()


def test_each_certificate_of_several_paths_has_its_notes_once(chain, given):
    """The best path's certificates come first; a certificate of both is examined once."""
    again = pk.Certificate.from_der(ISSUING.having(POLICY_CONSTRAINTS, sequence(implicit(1, b"\1"))).der)
    report = pk.find_paths(chain[0], pool=pk.CertificatePool([chain[1], again]), **given)
    assert len(report.valid) == 2
    assert sorted(named(report.notes)) == sorted([*WANTED, WANTED[1]])
    assert report.notes[0].certificate == chain[0]


def test_a_probe_has_the_notes_of_both_chains_once(chain, given):
    """The chain in TLS 1.2 is another one, of which most certificates are the same."""
    both = served(chain[:2], given), served(chain[:1], given)
    report = ProbeReport(server=None, answer=None, findings=(), served_chain=both[0], served_chain_in_tls_1_2=both[1])
    assert named(report.notes) == WANTED


def test_a_ca_without_a_name_of_a_server_is_no_server(chain, given):
    """The path of a CA has notes on CAs only; where a server name is asked for, it is a server's."""
    assert named(searched(chain[1:], given).notes) == WANTED[1:]
    as_server = served(chain[1:2], given)
    assert "ca-as-server" in {note.rule for note in as_server.notes}


def test_the_time_is_not_part_of_a_note(chain):
    """Notes are on what a CA wrote; an expired certificate is for validation to refuse."""
    later = pk.ValidationParameters(time=datetime(2040, 1, 1, tzinfo=UTC))
    anchors = [pk.TrustAnchor.from_certificate(chain[2])]
    assert named(served(chain[:2], {"trust_anchors": anchors, "parameters": later}).notes) == WANTED[:2]
