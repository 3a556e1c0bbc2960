"""``pkcs12kit rehearse``: yes, no and what cannot be served, in text and in JSON; and nothing is left of it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from pkcs12kit import Bundle, InputError, decode_pfx, encode_pfx, profiles
from pkcs12kit.findings import SERVED_CHAIN_CHECKS
from pkcs12kit.probing import Verdict

from ..waiting import wait_until
from .conftest import PASSWORD, Terminal, run_environment

QUICK = replace(profiles.MODERN, encryption_iterations=3, mac_iterations=3)
ERROR = "error: server.p12 failed: "
# A shell starts what runs in the background with SIGINT ignored.
INTERRUPTIBLE = (
    "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nfrom pkcs12kit.cli import main\nmain()"
)
HANGING = """#!/bin/sh
[ "$1" = --version ] && echo "gnutls-cli 3.7.9" && exit
for given; do case $given in --port=*) port=${given#--port=};; esac; done
echo "$$ $port" > "{note}.part" && /bin/mv "{note}.part" "{note}"
exec /bin/sleep 600
"""


@pytest.fixture(scope="module")
def chain(replica):
    """The certificates of the main job, the anchor last."""
    return replica.valid_paths[0].with_anchor


@pytest.fixture(scope="module")
def pfx(replica):
    """Encode a file of these certificates with the server's key."""

    def encode(certificates):
        names = tuple(None for _ in certificates)
        bundle = Bundle(
            private_key=replica.server.private_key, certificates=tuple(certificates), certificate_names=names
        )
        return encode_pfx(bundle, password=PASSWORD, profile=QUICK)

    return encode


@pytest.fixture
def rehearse(call, folder, files, password_file, pfx, answering):  # noqa: ARG001  # which leaves OpenSSL alone
    """Call ``rehearse`` on a file of these certificates; a keyword gives an option."""

    def call_rehearse(certificates, *more, data=None, stdin=b"", **changed):
        (folder / "server.p12").write_bytes(pfx(certificates) if data is None else data)
        options = {"anchor": files.trust_anchor, "password_file": password_file} | changed
        given = [(f"--{name.replace('_', '-')}", value) for name, value in options.items() if value is not None]
        return call("rehearse", "server.p12", *(part for pair in given for part in pair), *more, stdin=stdin)

    return call_rehearse


def test_yes(rehearse, chain, replica):
    """Exit status 0: the strict reading, the path, who was asked for what, and each client, on standard output."""
    outcome = rehearse(chain)
    assert (outcome.status, outcome.errors) == (0, "")
    lines = outcome.text.splitlines()
    assert lines[0] == "server.p12  yes"
    for line, check in zip(lines[1:], SERVED_CHAIN_CHECKS, strict=False):
        assert f"  {check.value.replace('-', ' ')}: " in line
    asked = f"asked for {replica.server_name}, the name in the certificate, because no --server-name was given."
    assert f"The clients trusted only the anchor, and {asked}" in lines
    (row,) = [line for line in lines if line.startswith("openssl *")]
    assert row.count("accepted") == 2
    assert row.rstrip().endswith("bytes, as served")
    assert "├── java TLSv1.2, TLSv1.3: needs java" in lines


def test_json(rehearse, chain, replica, answering):
    """One object: the strict reading, each handshake with what was received, each device by rule."""
    answering(java=Verdict.ACCEPTED)
    outcome = rehearse(chain, "--json", server_name=replica.server_name, clients="java", device="ios")
    assert (outcome.status, outcome.errors) == (0, "")
    answer = outcome.json
    assert (answer["file"], answer["ok"], answer["problems"]) == ("server.p12", True, [])
    assert (answer["server_name"], answer["server_name_given"]) == (replica.server_name, True)
    assert [finding["check"] for finding in answer["sent"]["findings"]] == [
        check.value for check in SERVED_CHAIN_CHECKS
    ]
    assert [one["sha256"] for one in answer["sent"]["sent"]["certificates"]] == [one.sha256 for one in chain]
    assert [one["client"] for one in answer["handshakes"]] == ["openssl", "openssl", "java", "java"]
    first = answer["handshakes"][0]
    assert (first["verdict"], first["required"], first["as_served"]) == ("accepted", True, True)
    assert [one["sha256"] for one in first["received"]["certificates"]] == [one.sha256 for one in chain]
    assert [one["device"] for one in answer["devices"]] == ["ios"]
    assert answer["devices"][0]["basis"] == "by rule"


@pytest.mark.parametrize(
    ("verdicts", "says"),
    [
        ({"go": Verdict.NOT_TRIED}, "failed: not tried, but required: go"),
        (
            {"go": Verdict.NOT_TRIED, "curl": Verdict.REFUSED},
            "failed: curl; not tried, but required: go",
        ),
    ],
)
def test_who_was_not_tried_did_not_refuse(rehearse, chain, answering, verdicts, says):
    """A client that has to accept and could not be asked is a no, and no refusal."""
    answering(**verdicts)
    options = [part for name in verdicts for part in ("--clients", name)]
    outcome = rehearse(chain, *options)
    assert outcome.status == 1
    assert outcome.errors.splitlines()[0] == f"error: server.p12 {says}"


@pytest.mark.parametrize(
    ("arrange", "options", "said_no", "told"),
    [
        (lambda c: [c[0], *c[2:]], {}, "order, chain, openssl", "What to change\n└── 1. add the certificate of"),
        (lambda c: [c[0], c[2], c[1], *c[3:]], {}, "order", "What to change\n└── 1. move DOD ID SW CA-37"),
        (lambda c: c, {"server_name": "else.example"}, "server-name, openssl", "by a certificate for else.example"),
        (lambda c: c, {"expires_within": "9999w"}, "expiry", "sooner than asked for"),
        (lambda c: c, {"at": "2001-01-01"}, "path, openssl", "is not valid before"),
        (lambda c: c, {"clients": "curl"}, "curl", "└── curl TLSv1.2, TLSv1.3: because\\x1b[2J"),
        (lambda c: c, {"device": "go"}, "go", "By rule, not tried:\n└── go "),
    ],
    ids=["missing", "order", "name", "expires soon", "time", "client", "device"],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_no(rehearse, chain, answering, arrange, options, said_no, told, as_json):
    """Exit status 1: the answer on standard output, who says no on standard error, and what to change."""
    answering(java=Verdict.REFUSED, curl=Verdict.REFUSED)
    outcome = rehearse(arrange(chain), *(["--json"] if as_json else []), **options)
    assert outcome.status == 1
    assert outcome.errors.splitlines()[0] == ERROR + said_no
    if as_json:
        assert outcome.json["ok"] is False
        assert len(outcome.json["problems"]) >= len(said_no.split(", "))
    else:
        assert outcome.text.startswith("server.p12  no\n")
        assert told in outcome.text
    assert "\x1b" not in outcome.text + outcome.errors, "what clients say steers no terminal"


def test_what_the_pool_has(rehearse, chain, files):
    """With --certs the certificate itself is named."""
    outcome = rehearse([chain[0], *chain[2:]], certs=files.certificates)
    assert outcome.status == 1
    assert f"1. add DOD ID SW CA-37 (issued by DoD Root CA 3, serial number {chain[1].serial_number})" in outcome.text


def test_bad_input(rehearse, chain, call, password_file, files, answering):
    """A wrong password is a no; what cannot be served, and a client that is not there, are errors. Nothing is told."""
    wrong = password_file.with_name("wrong.txt")
    wrong.write_text("not it")
    for as_json in (False, True):
        outcome = rehearse(chain, *(["--json"] if as_json else []), password_file=wrong)
        assert outcome.status == 1
        assert outcome.errors.startswith("error: server.p12: the MAC of the PKCS#12 file does not verify")
        assert outcome.json["ok"] is False if as_json else outcome.text == ""
    assert rehearse(chain, password_file=None).status == 2
    answering(java=Verdict.ACCEPTED)
    for given, told in (
        ({"data": b"nonsense"}, "server.p12: expected a PKCS#12 file, found"),
        ({"clients": "go"}, "required clients are not installed: go (needs go)"),
        ({"clients": "lynx"}, "'lynx' is not one of"),
        ({"device": "toaster"}, "'toaster' is not one of"),
        ({"server_name": "two words"}, "two words"),
        ({"anchor": "missing.pem"}, "--anchor missing.pem: no such file"),
    ):
        outcome = rehearse(chain, **given)
        assert (outcome.status, outcome.output) == (2, b""), told
        assert told in outcome.errors
    given = ("--anchor", files.trust_anchor, "--password-file", password_file)
    assert (
        call(
            "build",
            "--certs-only",
            "--cert",
            files.issuing_ca,
            "--certs",
            files.certificates,
            "--out",
            "ca.p12",
            *given,
        ).status
        == 0
    )
    outcome = call("rehearse", "ca.p12", *given)
    assert (outcome.status, outcome.output) == (2, b"")
    assert "ca.p12: the PKCS#12 file has no private key: there is nothing to serve" in outcome.errors


def test_standard_input(call, chain, pfx, files, password_file, answering):  # noqa: ARG001  # as above
    """The file may come through a pipe."""
    given = ("--anchor", files.trust_anchor, "--password-file", password_file)
    assert call("rehearse", "-", *given, stdin=pfx(chain)).status == 0


@pytest.fixture
def hanging(tmp_path, folder, pfx, chain, files, password_file):
    """Arguments, environment and traces of a rehearsal with one client, which never answers."""
    programs, temporary, note = tmp_path / "programs", tmp_path / "temporary", tmp_path / "note"
    for made in (programs, temporary):
        made.mkdir()
    program = programs / "gnutls-cli"
    program.write_text(HANGING.replace("{note}", str(note)))
    program.chmod(0o755)
    (folder / "server.p12").write_bytes(pfx(chain))
    given = ("rehearse", "server.p12", "--anchor", files.trust_anchor, "--password-file", password_file)
    return tuple(map(str, given)), {"PATH": str(programs), "TMPDIR": str(temporary)}, temporary, note


def nothing_is_left(note, temporary):
    """No process, no port, no file."""
    pid, port = map(int, note.read_text().split())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with socket.socket() as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", port))
    assert list(temporary.iterdir()) == []
    return True


@pytest.mark.parametrize(
    ("number", "status", "again"),
    [
        pytest.param(signal.SIGINT, 130, True, id="SIGINT-again"),
        pytest.param(signal.SIGTERM, 143, False, id="SIGTERM-once"),
        *(
            pytest.param(number, status, again, id=f"{number.name}-{name}", marks=pytest.mark.slow)
            for number, status, again, name in [
                (signal.SIGINT, 130, False, "once"),
                (signal.SIGTERM, 143, True, "again"),
                (signal.SIGHUP, 129, False, "once"),
                (signal.SIGHUP, 129, True, "again"),
            ]
        ),
    ],
)
def test_interrupted(hanging, number, status, again):
    """While a client hangs: its process is ended, the port closed, its folder gone, and no traceback told.

    Also where the user does not wait for that and interrupts it again.
    """
    arguments, environment, temporary, note = hanging
    command = [sys.executable, "-c", INTERRUPTIBLE, *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=run_environment(**environment)
    ) as process:
        assert wait_until(note.exists)
        assert list(temporary.iterdir()), "the client's folder is there while it runs"
        process.send_signal(number)
        while again and process.poll() is None:
            process.send_signal(number)
            time.sleep(0.01)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert output == b""
    assert b"Traceback" not in errors
    assert nothing_is_left(note, temporary)


def test_progress_at_a_terminal(hanging):
    """The first line says how long it may take; what came last is shown while others are waited for; Ctrl-C ends it."""
    arguments, environment, temporary, note = hanging
    screen = Terminal(*arguments, **environment)
    try:
        screen.expect(" rehearsing with openssl, ")
        screen.expect("every client hangs")
        screen.expect("openssl, TLSv1.3: accepted; waiting for ")
        assert wait_until(note.exists)
        screen.type("\x03")
        screen.expect("interrupted")
        assert screen.finish() == 130
    finally:
        screen.close()
    assert nothing_is_left(note, temporary)


class TestBuild:
    """``build --rehearse``: what was written is served, with the same anchors, name and time."""

    @pytest.fixture(autouse=True)
    def alone(self, answering):
        """Leave OpenSSL alone."""
        answering()

    def test_yes(self, build, folder, replica):
        """The file, then its rehearsal; the path is drawn once."""
        outcome = build("--rehearse", server_name=replica.server_name)
        assert (outcome.status, outcome.errors) == (0, "")
        assert outcome.text.index("Wrote server.p12") < outcome.text.index("\nRehearsal  yes\n")
        assert outcome.text.count("Path, valid until") == 1
        assert (folder / "server.p12").is_file()
        said = build("--rehearse", "--json").json
        assert (said["changed"], said["rehearsal"]["ok"], said["rehearsal"]["server_name_given"]) == (True, True, False)
        assert [one["sha256"] for one in said["rehearsal"]["sent"]["sent"]["certificates"]] == [
            one["sha256"] for one in said["certificates"]
        ]

    @pytest.mark.parametrize("as_json", [False, True])
    def test_no(self, build, tmp_path, answering, as_json):
        """Exit status 1, and the file stays: it holds a valid path all the same."""
        answering(openssl=Verdict.REFUSED)
        file = tmp_path / "elsewhere.p12"
        outcome = build("--rehearse", *(["--json"] if as_json else []), out=file)
        assert outcome.status == 1
        error, told = outcome.errors.splitlines()
        assert error == f"error: {file} failed: openssl"
        assert told.startswith(f"hint: {file} has the new file")
        assert file.is_file()
        if as_json:
            assert outcome.json["rehearsal"]["ok"] is False
        else:
            assert "\nRehearsal  no\n" in outcome.text

    def test_another_time(self, build, replica, monkeypatch):
        """The clients are told the time of the path."""
        from pkcs12kit.verifier import rehearse as rehearsing

        told = []
        honest = rehearsing.shake_hands
        monkeypatch.setattr(
            rehearsing, "shake_hands", lambda *given, **more: told.append(more["time"]) or honest(*given, **more)
        )
        then = replica.valid_paths[0].expires - timedelta(days=1)
        assert build("--rehearse", at=then.isoformat()).status == 0
        assert told == [then]

    def test_to_standard_output(self, build, chain):
        """The file alone goes there, and the rehearsal where the rest goes."""
        outcome = build("--rehearse", out="-")
        assert outcome.status == 0
        assert decode_pfx(outcome.output, password=PASSWORD).certificates == chain
        assert "\nRehearsal  yes\n" in outcome.errors

    def test_wrong_use(self, build, files):
        """Certificates alone serve no TLS."""
        outcome = build("--rehearse", "--certs-only", key=None, cert=files.issuing_ca)
        assert (outcome.status, outcome.output) == (2, b"")
        assert "--rehearse needs a private key" in outcome.errors

    def test_what_cannot_be_served(self, build, tmp_path, monkeypatch):
        """It is an error, after the file was written: that is said."""
        from pkcs12kit.verifier import rehearse as rehearsing

        def fail(*_, **__):
            raise InputError("OpenSSL cannot serve TLS with this private key")

        monkeypatch.setattr(rehearsing, "shake_hands", fail)
        outcome = build("--rehearse", out=tmp_path / "elsewhere.p12")
        assert outcome.status == 2
        assert "has the new file" in outcome.errors
        assert "error: OpenSSL cannot serve TLS with this private key" in outcome.errors
        assert (tmp_path / "elsewhere.p12").is_file()
