"""``pkcs12kit probe``: live servers, right, wrong and not there at all, in text and in JSON."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from pkcs12kit.tls.rehearsal.server import LoopbackServer

from .conftest import run_environment

SECONDS = 60


@pytest.fixture(scope="module")
def chain(replica):
    """What the server should send."""
    return replica.valid_paths[0].certificates


@pytest.fixture
def serving(replica, chain):
    """Send these certificates at a port of loopback, with the server's key."""

    @contextmanager
    def serve(certificates=chain):
        with LoopbackServer(replica.server.private_key, certificates) as server:
            yield server.port

    return serve


@pytest.fixture
def probe(call, files, replica):
    """Call ``probe``; a keyword gives an option, None leaves it out."""

    def call_probe(*hosts, **changed):
        options = {"anchor": files.trust_anchor, "server_name": replica.server_name, "timeout": SECONDS} | changed
        given = [(f"--{name.replace('_', '-')}", value) for name, value in options.items() if value is not None]
        return call("probe", *hosts, *(part for pair in given for part in pair))

    return call_probe


@pytest.fixture
def closed_port():
    """A port that nothing listens at, and that nobody else can take."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def test_yes(probe, serving):
    """Exit status 0; the answer, every check, and the path, on standard output alone. No thread is left."""
    before = set(threading.enumerate())
    with serving() as port:
        outcome = probe(f"127.0.0.1:{port}")
    assert (outcome.status, outcome.errors) == (0, "")
    lines = outcome.text.splitlines()
    assert lines[0] == f"127.0.0.1:{port}  yes"
    for check in ("contact", "protocols", "handshake", "client certificate", "same certificates", "chain", "expiry"):
        assert any(f"  {check}: " in line for line in lines)
    assert any(line.endswith("trust anchor") for line in lines)
    assert "NO" not in outcome.text
    assert set(threading.enumerate()) <= before


def test_several_are_reported_one_by_one(probe, serving, chain, closed_port):
    """In the order given, each with its own answer; one that says no, or nothing, makes the whole a no."""
    with serving() as good, serving(chain[:1]) as bad:
        wanted = [f"127.0.0.1:{port}" for port in (bad, closed_port, good)]
        text, described = probe(*wanted), probe(*wanted, "--json")
    assert (text.status, described.status) == (1, 1)
    answers = [line for line in text.text.splitlines() if line.startswith("127.0.0.1:")]
    assert answers == [f"{wanted[0]}  no", f"{wanted[1]}  no", f"{wanted[2]}  yes"]
    assert "What to change" in text.text
    assert "nothing listens there" in text.text
    assert text.errors.splitlines() == [
        f"error: {wanted[0]} failed: chain",
        f"error: {wanted[1]} failed: contact",
        "hint: is the server running, and is this its port? --port N tries another",
    ]
    assert described.json["ok"] is False
    servers = described.json["servers"]
    assert [(one["host"], one["port"], one["ok"]) for one in servers] == [
        ("127.0.0.1", bad, False),
        ("127.0.0.1", closed_port, False),
        ("127.0.0.1", good, True),
    ]
    assert servers[2]["sent"]["sent"]["certificates"][0]["sha256"] == chain[0].sha256
    assert (servers[1]["contact"], servers[1]["sent"]) == ("refused", None)


def test_ports(probe, serving, closed_port):
    """``--port`` again and again, for every host; the same server is probed once."""
    with serving() as port:
        given = ("--port", str(port), "--port", str(closed_port))
        outcome = probe("127.0.0.1", "127.0.0.1", "localhost", *given, "--json")
    assert [(one["host"], one["port"], one["ok"]) for one in outcome.json["servers"]] == [
        *(("127.0.0.1", port, True), ("127.0.0.1", closed_port, False)),
        *(("localhost", port, True), ("localhost", closed_port, False)),
    ]


def test_a_mobileiron_core(probe, monkeypatch):
    """``--mdm``: three ports, each labelled and by itself; here none of them answers."""

    def refused(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refused)
    outcome = probe("mdm.example.mil", "--mdm")
    assert outcome.status == 1
    answers = [line for line in outcome.text.splitlines() if line.startswith("mdm.example.mil:")]
    assert answers == [
        "mdm.example.mil:443 (devices)  no",
        "mdm.example.mil:8443 (administrators)  no",
        "mdm.example.mil:7443 (app store)  no",
    ]
    described = probe("mdm.example.mil", "--mdm", "--json", port="8443")
    assert [(one["port"], one["label"]) for one in described.json["servers"]] == [
        *((443, "devices"), (8443, "administrators"), (7443, "app store"))
    ]
    assert {one["contact"] for one in described.json["servers"]} == {"unresolvable"}


@pytest.mark.parametrize(
    ("options", "problem", "told"),
    [
        ({"server_name": None}, "server-name", "hint: a certificate is rarely for an IP address: --server-name"),
        ({"server_name": "else.example"}, "server-name", ""),
        ({"expires_within": "9999w"}, "expiry", "hint: renew the certificate that expires"),
        ({"at": "2001-01-01"}, "path", "hint: is the time of --at right?"),
    ],
)
def test_no(probe, serving, options, problem, told):
    """Exit status 1, which checks say no on standard error, and what helps."""
    with serving() as port:
        outcome = probe(f"127.0.0.1:{port}", **options)
    assert outcome.status == 1
    assert f" failed: {problem}" in outcome.errors
    assert told in outcome.errors


def test_certs_and_devices(probe, serving, chain, files):
    """What is missing is looked for in ``--certs``; devices answer by rule."""
    with serving(chain[:1]) as port:
        outcome = probe(f"127.0.0.1:{port}", "--device", "go", certs=files.certificates)
    assert "failed: chain, go" in outcome.errors
    assert "By rule, not tried:" in outcome.text
    assert "note  pool: with the pool there is a valid path" in outcome.text


def test_a_mail_server_is_recognised_by_its_port(probe, monkeypatch):
    """What is no TLS server at the port of a protocol that begins with TLS later: the hint says how to speak it."""
    from pkcs12kit.tls.probing import server as probing
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.contact import Contact

    answer = ServerAnswer(
        contact=Contact.NOT_TLS, why="it began with \x1b[2J'220 mail'", answered_at=None, protocols=()
    )
    monkeypatch.setattr(probing, "ask_server", lambda *_, **__: answer)
    outcome = probe("mail.example.mil:25")
    assert "hint: --starttls smtp begins with smtp" in outcome.errors
    assert "\x1b" not in outcome.text + outcome.errors
    assert "hint" not in probe("mail.example.mil:25", starttls="smtp").errors
    unknown = probe("mail.example.mil:2525").errors
    assert "hint: does TLS begin later there, as with SMTP and IMAP? --starttls PROTOCOL" in unknown
    assert "PROTOCOL" not in outcome.errors
    assert "rarely for an IP address" not in unknown


def test_a_server_that_begins_with_tls_is_guessed(probe, monkeypatch):
    """A server that says nothing in the protocol of ``--starttls`` may be waiting for TLS: the hint says so."""
    from pkcs12kit.tls.probing import server as probing
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.contact import Contact

    answer = ServerAnswer(
        contact=Contact.TIMED_OUT, why="smtp: no answer in time", answered_at="192.0.2.1:465", protocols=()
    )
    monkeypatch.setattr(probing, "ask_server", lambda *_, **__: answer)
    assert "leave --starttls out" in probe("mail.example.mil:465", starttls="smtp").errors
    assert "leave --starttls out" not in probe("mail.example.mil:465").errors


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no host"],
        ["https://mdm.example.mil/"],
        ["mdm.example.mil:0"],
        ["a\x1b[2Jb"],
        ["-"],
        ["mdm.example.mil:443", "--mdm"],
        ["mdm.example.mil:443", "--port", "443"],
        ["mdm.example.mil", "--port", "65536"],
        ["mdm.example.mil", "--mdm", "--starttls", "smtp"],
        ["mdm.example.mil", "--starttls", "gopher"],
        ["mdm.example.mil", "--device", "toaster"],
        ["mdm.example.mil", "--timeout", "0"],
        ["mdm.example.mil", "--timeout", "nan"],
        ["mdm.example.mil", "--server-name", "no name"],
        ["mdm.example.mil", "--certs", "not-there"],
    ],
)
def test_nonsense(probe, arguments, monkeypatch):
    """Exit status 2, one sentence, and nothing is sent to anybody."""
    monkeypatch.setattr(socket, "getaddrinfo", None)
    outcome = probe(*arguments, server_name=None, timeout=None)
    assert (outcome.status, outcome.output) == (2, b"")
    assert "\x1b" not in outcome.errors


def test_no_anchor_is_bad_usage(probe):
    """Nothing is trusted by default."""
    assert probe("mdm.example.mil", anchor=None).status == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(files, folder, number):
    """Whatever it waits for, it ends at once and says so by its exit status; its sockets are closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "pkcs12kit", "probe", f"127.0.0.1:{listener.getsockname()[1]}"]
        with subprocess.Popen(
            [*command, "--anchor", files.trust_anchor, "--timeout", "600"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=run_environment(),
        ) as process:
            listener.settimeout(SECONDS)
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(SECONDS)
                assert connection.recv(1) == b"\x16"  # it is in the handshake
                process.send_signal(number)
                output, errors = process.communicate(timeout=SECONDS)
                while connection.recv(4096):  # up to the end of the connection
                    pass
    assert (process.returncode, output) == (128 + number, b"")
    assert b"Traceback" not in errors


def test_progress_at_a_terminal(terminal, serving, files, replica):
    """What is going on is shown where somebody looks, and the result after it."""
    with serving() as port:
        arguments = (f"127.0.0.1:{port}", "--anchor", files.trust_anchor, "--server-name", replica.server_name)
        one = terminal("probe", *arguments)
        assert one.finish() == 0
    assert "Probing" in one.shown
    assert "yes" in one.shown
