"""The terminal and JSON about CRLs that do not count: the file, its times, where the next issue is, and what to do."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import ocsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit import lab

from .conftest import PASSWORD

DAY = timedelta(days=1)
AT = datetime(2026, 6, 20, tzinfo=UTC)
URL = "http://crl.example/root.crl"
SOFT = "--revocation soft"


@pytest.fixture
def scene(call, folder, tmp_path):
    """A server below a root in files, and the function that asks a command about it with evidence in files."""
    validity = lab.Validity(AT - 30 * DAY, AT + 365 * DAY)
    root = lab.Authority.create("Root", validity=validity)
    points = lab.non_critical(lab.extensions.crl_distribution_points(URL))
    server = root.issue_server("server.example", validity=validity, extensions=[points], serial_number=7)
    (folder / "root.pem").write_text(root.certificate.to_pem())
    (folder / "server.pem").write_text(server.certificate.to_pem())
    key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(key)
    (tmp_path / "password.txt").write_text(PASSWORD)
    password = ("--password-file", tmp_path / "password.txt")
    of_command = {
        "paths": ("server.pem", "--certs", "root.pem"),
        "build": ("--key", "server.key", "--cert", "server.pem", "--certs", "root.pem", *password, "--out", "new.p12"),
        "verify": ("server.p12", *password),
    }
    ready = call("build", *of_command["build"][:-1], "server.p12", "--anchor", "root.pem", "--at", "2026-06-20")
    assert ready.status == 0

    class Scene:
        authority = root

        @staticmethod
        def ask(command, *arguments, mode="require", **files):
            for name, content in files.items():
                (folder / name.replace("_", ".")).write_bytes(content)
            given = [("--ocsp" if name.endswith("ors") else "--crl", name.replace("_", ".")) for name in files]
            options = [word for pair in given for word in pair]
            common = ("--anchor", "root.pem", "--at", "2026-06-20", "--revocation", mode)
            return call(command, *of_command[command], *common, *options, *arguments)

    return Scene


def crl(authority, begin=-1, end=1, **others):
    """Return a CRL that is current for these days around the time asked for."""
    return authority.make_crl(validity=lab.Validity(AT + begin * DAY, AT + end * DAY), **others)


def hints(outcome):
    """Return the hints that were printed."""
    return [line.removeprefix("hint: ") for line in outcome.errors.splitlines() if line.startswith("hint: ")]


@pytest.mark.parametrize("command", ["paths", "build", "verify"])
def test_the_file_to_replace(scene, command):
    """The first hint names the user's own file, since when it is too old, and the URL; to accept it comes last."""
    outcome = scene.ask(command, old_crl=crl(scene.authority, -9, -2))
    assert outcome.status == 1
    first, *_, last = hints(outcome)
    assert (
        first
        == f"old.crl is too old since 2026-06-18T00:00:00Z: get the newest issue from {URL}, and give that instead"
    )
    assert SOFT in last
    assert SOFT not in "".join(hints(outcome)[:-1])


def test_the_screen(scene):
    """Below the certificate: each file, its times with their meaning, and the URL."""
    old, other = crl(scene.authority, -9, -2), crl(lab.Authority.create("Root"))
    lines = [line.strip(" │├└─") for line in scene.ask("paths", old_crl=old, other_crl=other).text.splitlines()]
    assert "old.crl: CRL #1 of Root has been out of date since 2026-06-18T00:00:00Z (nextUpdate)" in lines
    assert "thisUpdate 2026-06-11T00:00:00Z: issued" in lines
    assert "nextUpdate 2026-06-18T00:00:00Z: the next issue was due, and this one is too old since then" in lines
    assert any(line.startswith("other.crl: CRL #1 of Root is not signed by Root: it names the key ") for line in lines)
    assert f"the certificate names {URL}" in lines


@pytest.mark.parametrize("command", ["paths", "build", "verify"])
@pytest.mark.parametrize("reason", [x509.ReasonFlags.key_compromise, x509.ReasonFlags.certificate_hold])
def test_revoked(scene, command, reason):
    """No hint accepts a revoked certificate; one that is on hold may be released."""
    entry = lab.CrlEntry(serial_number=7, date=AT - 5 * DAY, reason=reason)
    outcome = scene.ask(command, new_crl=crl(scene.authority, revoked=[entry]))
    assert outcome.status == 1
    told = hints(outcome)
    assert "soft" not in "".join(told)
    assert "--revocation off" not in "".join(told)
    assert any("ask the CA for a new certificate" in hint for hint in told)
    assert any("on hold" in hint for hint in told) == (reason is x509.ReasonFlags.certificate_hold)


def test_verify_in_json(scene):
    """The report of a file has the status of each certificate, as a valid path in mode soft has."""
    old = crl(scene.authority, -9, -2)
    for command, mode in (("verify", "require"), ("verify", "soft"), ("paths", "soft"), ("build", "soft")):
        outcome = scene.ask(command, "--json", *(["--force"] if command == "build" else []), mode=mode, old_crl=old)
        answer = outcome.json["paths"][0] if command == "paths" else outcome.json
        [status] = answer["revocation"]["statuses"]
        assert (status["status"], status["evidence"][0]["source"]) == ("unknown", "old.crl")
        assert status["evidence"][0]["fault"] == "out-of-date"
        assert status["evidence_locations"]["crls"] == [URL]


def test_errors_of_responders(scene):
    """Each error of RFC 6960 section 2.3 has its meaning, and its own next step."""
    told = set()
    for error in ("malformed_request", "internal_error", "try_later", "sign_required", "unauthorized"):
        response = ocsp.OCSPResponse({"response_status": error}).dump()
        outcome = scene.ask("paths", answer_ors=response)
        assert "answer.ors: response of a responder is the error " in outcome.text
        assert " means: " in outcome.text
        told.add(hints(outcome)[0])
    assert (
        "the error sigRequired" in scene.ask("paths", answer_ors=ocsp.OCSPResponse({"response_status": 5}).dump()).text
    )
    assert len(told) == 5
    assert all("answer.ors" in hint for hint in told)


def test_what_to_run_next(scene, call):
    """The command of the last hint is the same call in mode soft, and it finds the path."""
    last = hints(scene.ask("paths", old_crl=crl(scene.authority, -9, -2)))[-1]
    words = shlex.split(last.partition(": ")[2])
    assert words[:2] == ["pkcs12kit", "paths"]
    assert call(*words[1:]).status == 0


def test_names_of_files_are_harmless(scene, folder):
    """A name that would steer the terminal is shown as text."""
    (folder / "old\x1b[2J.crl").write_bytes(crl(scene.authority, -9, -2))
    outcome = scene.ask("paths", "--crl", "old\x1b[2J.crl")
    assert "\x1b" not in outcome.text + outcome.errors
    assert r"old\x1b[2J.crl: CRL #1 of Root" in outcome.text
