"""What Java, Go, GnuTLS, NSS and curl make of a server, in their own words, when they trust one anchor alone."""

from __future__ import annotations

import os
import re
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from OpenSSL import SSL

from pkcs12kit import lab
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3
from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients.registry import make_client
from pkcs12kit.tls.rehearsal.server import LoopbackServer

from .asking import NAME, PROGRAMS, Case, ask, ask_once, endpoint

# Each handshake starts a program; that each accepts a sound chain, test_tls_rehearsal asks.
pytestmark = pytest.mark.slow

ANOTHER_NAME = "www.example.com"
VERSIONS = {
    "java": r".*(JDK|Java).* \d+\S*",
    "go": r"Go \d+\.\d+(\.\d+)?",
    "gnutls": r"GnuTLS 3\.\d+\.\d+",
    "nss": r"NSS 3\.\d+(\.\d+)?",
    "curl": r"curl \d+\.\d+\.\d+ \(\w+/\d+\.\d+\S*\)",
}
TAKE_TIME = {"java", "go"}
TELL_WHAT_CAME = {"java", "go", "gnutls", "nss"}
TELL_WHAT_THEY_REFUSED = TELL_WHAT_CAME - {"go"}


def processes_in(folder):
    """The processes that have a folder below ``folder`` as their home, as all that a client starts have."""
    mark, found = f"HOME={folder}".encode(), []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in file.read_bytes():
                found.append(file)
        except OSError:  # ended, or another user's
            continue
    return found


@contextmanager
def nothing_of_a_client_left(tmp_path):
    """Check that the block leaves no folder and no process."""
    assert processes_in(Path("/")) or not Path("/proc").is_dir()  # the look itself works
    yield
    assert list((tmp_path / "folders").iterdir()) == []
    assert processes_in(tmp_path / "folders") == []


def test_the_right_chain_is_accepted(client, world, tmp_path):
    """In TLS 1.2 and TLS 1.3; the client says which certificates it got, in the order of the wire, where it can."""
    with nothing_of_a_client_left(tmp_path):
        first, second = ask(client, world.case(), protocols=(TLS_1_2, TLS_1_3))
    assert (first.protocol, second.protocol) == (TLS_1_2, TLS_1_3)
    for handshake in (first, second):
        assert (handshake.verdict, handshake.why, handshake.client) == (Verdict.ACCEPTED, "", client.name)
        assert re.fullmatch(VERSIONS[client.name], handshake.version)
        if client.name in TELL_WHAT_CAME:
            assert handshake.received.certificates == (world.server.certificate, world.link)
            assert handshake.received.protocol == handshake.protocol
        else:
            assert handshake.received is None


REFUSALS = {
    "missing intermediate": {
        "java": "PKIX path building failed: unable to find valid certification path to requested target",
        "go": "x509: certificate signed by unknown authority",
        "gnutls": "The certificate issuer is unknown.",
        "nss": "SEC_ERROR_UNKNOWN_ISSUER: Peer's Certificate issuer is not recognized.",
        "curl": "SSL certificate problem: unable to get local issuer certificate",
    },
    "wrong name": {
        "java": f"No subject alternative DNS name matching {ANOTHER_NAME} found.",
        "go": f"x509: certificate is valid for {NAME}, not {ANOTHER_NAME}",
        "gnutls": "The name in the certificate does not match the expected.",
        "nss": "SSL_ERROR_BAD_CERT_DOMAIN: Unable to communicate securely with peer: requested domain name does not "
        "match the server's certificate.",
        "curl": f"SSL: no alternative certificate subject name matches target host name '{ANOTHER_NAME}'",
    },
    "expired": {
        "java": "PKIX path validation failed: validity check failed: NotAfter: ",
        "go": "x509: certificate has expired or is not yet valid: current time ",
        "gnutls": "The certificate chain uses expired certificate.",
        "nss": "SEC_ERROR_EXPIRED_CERTIFICATE: Peer's Certificate has expired.",
        "curl": "SSL certificate problem: certificate has expired",
    },
}
REFUSALS["wrong anchor"] = REFUSALS["missing intermediate"]


@pytest.mark.parametrize("wrong", REFUSALS)
def test_what_is_wrong_is_refused_with_the_clients_own_words(client, world, wrong):
    """RFC 5280 section 6.1 and RFC 9525: a chain that does not reach the anchor, another name, a time that is over."""
    case = {
        "missing intermediate": world.case(issuers=()),
        "wrong name": world.case(name=ANOTHER_NAME),
        "expired": world.case(
            server=world.issuing.issue_server(NAME, validity=lab.Validity.around(days_before=100, days_after=-1))
        ),
        "wrong anchor": world.case(anchor=world.other.certificate),
    }[wrong]
    handshake = ask_once(client, case)
    assert handshake.verdict is Verdict.REFUSED
    assert handshake.why.startswith(REFUSALS[wrong][client.name])
    assert "\n" not in handshake.why
    assert "Exception" not in handshake.why
    if client.name in TELL_WHAT_THEY_REFUSED:
        assert handshake.received.certificates == (case.server.certificate, *case.issuers)
    else:
        assert handshake.received is None


def test_one_that_is_refused_in_one_protocol_is_asked_in_the_other(client, world):
    """Both refuse, and each for itself."""
    handshakes = ask(client, world.case(issuers=()), protocols=(TLS_1_2, TLS_1_3))
    assert [handshake.verdict for handshake in handshakes] == [Verdict.REFUSED] * 2


def test_certificates_come_in_the_order_of_the_wire(client, world):
    """Out of order (RFC 8446 section 4.4.2 lets clients cope, and all do), with one too many and the root."""
    below = lab.Authority.create("Below")
    issuers = (world.link, world.other.certificate, world.root.certificate, world.issuing.issue_ca(below))
    case = world.case(server=below.issue_server(NAME), issuers=issuers)
    handshake = ask_once(client, case)
    assert handshake.verdict is Verdict.ACCEPTED
    if client.name in TELL_WHAT_CAME:
        assert handshake.received.certificates == (case.server.certificate, *issuers)


def test_an_anchor_need_not_be_self_signed(client, world):
    """A trust anchor is a name and a key (RFC 5280 section 6.1.1 d): the cross-certificate itself may be it."""
    assert ask_once(client, world.case(issuers=(), anchor=world.link)).verdict is Verdict.ACCEPTED


def test_an_address_can_be_the_name(client, world):
    """An iPAddress in subjectAltName (RFC 5280 section 4.2.1.6) is checked as a name is."""
    case = world.case(server=world.issuing.issue_server("192.0.2.7"), name="192.0.2.7")
    assert ask_once(client, case).verdict is Verdict.ACCEPTED
    assert ask_once(client, case._replace(name="192.0.2.8")).verdict is Verdict.REFUSED


def test_without_a_name_none_is_checked_and_all_else_is(client, world):
    """Those that always check a name are given the address: what they say of that counts for nothing, the rest does."""
    assert ask_once(client, world.case(name=None)).verdict is Verdict.ACCEPTED
    refused = ask_once(client, world.case(name=None, issuers=()))
    assert refused.verdict is Verdict.REFUSED
    assert refused.why.startswith(REFUSALS["missing intermediate"][client.name])


def test_the_name_is_in_sni_and_nothing_is_where_there_is_none(client, world):
    """Servers choose their certificate by it (RFC 6066 section 3); an address is never in it."""
    seen = []
    with LoopbackServer(world.server.private_key, (world.server.certificate, world.link)) as server:
        server._context.set_tlsext_servername_callback(lambda connection: seen.append(connection.get_servername()))
        for name in (NAME, None, "192.0.2.7"):
            tuple(client.shake_hands(endpoint(server.port, world.case(name=name))))
    assert seen == [NAME.encode(), None, None]


def test_another_time_is_believed_or_not_tried(client, world):
    """RFC 5280 section 6.1.1 b, in both directions: what was valid then is accepted, what is valid now is refused."""
    then = datetime.now(UTC) - timedelta(days=3650)
    validity = lab.Validity.around(then)
    old_root = lab.Authority.create("Old Root", validity=validity)
    old = Case(old_root.issue_server(NAME), (), old_root.certificate)
    accepted, refused = ask_once(client, old, time=then), ask_once(client, world.case(), time=then)
    if client.name in TAKE_TIME:
        assert accepted.verdict is Verdict.ACCEPTED
        assert refused.verdict is Verdict.REFUSED
        assert ("NotBefore" if client.name == "java" else f"current time {then:%Y-%m-%d}") in refused.why
    else:
        assert {accepted.verdict, refused.verdict} == {Verdict.NOT_TRIED}
        assert accepted.why.endswith("cannot verify at a given time")


def test_the_users_settings_add_no_trust(client, world, tmp_path, monkeypatch):
    """Every way that is known to make a client trust the server's root, or to verify nothing, and it still refuses."""
    root, home = tmp_path / "root.pem", tmp_path / "home"
    root.write_text(world.root.certificate.to_pem())
    home.mkdir()
    (home / ".curlrc").write_text(f'insecure\ncacert = "{root}"\n')
    for variable in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NIX_SSL_CERT_FILE"):
        monkeypatch.setenv(variable, str(root))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CURL_HOME", str(home))
    handshake = ask_once(client, world.case(anchor=world.other.certificate))
    assert handshake.verdict is Verdict.REFUSED
    assert handshake.why == REFUSALS["wrong anchor"][client.name]


def test_the_users_settings_take_nothing_away(client, world, tmp_path, monkeypatch):
    """A proxy, options of Java and Go, another policy or configuration: none of it reaches the client."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    for variable in ("SSL_CERT_FILE", "OPENSSL_CONF", "GNUTLS_SYSTEM_PRIORITY_FILE", "SSLKEYLOGFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "nowhere" / "file"))
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Djdk.tls.client.protocols=TLSv1 -Djdk.tls.maxCertificateChainLength=1")
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "--no-such-option")
    monkeypatch.setenv("GOFLAGS", "-no-such-flag")
    monkeypatch.setenv("GOCACHE", str(tmp_path / "cache"))
    assert ask_once(client, world.case()).verdict is Verdict.ACCEPTED
    assert not (tmp_path / "cache").exists()


def test_curl_has_no_folder_of_anchors_that_it_was_built_with(require_tool, world, tmp_path, monkeypatch):
    """Debian's adds /etc/ssl/certs to any --cacert: what curl -v says of it is read behind the client's back."""
    log, program = tmp_path / "log", tmp_path / "curl"
    program.write_text(f'#!/bin/sh\nexec {require_tool("curl")} "$@" --verbose --stderr {log}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert ask_once(make_client("curl"), world.case()).verdict is Verdict.ACCEPTED
    said = log.read_text()
    assert "CAfile: anchors.pem" in said
    assert "CApath: empty" in said


def test_a_server_that_hangs_is_not_tried(client, world, tmp_path):
    """It takes the connection and says nothing: neither a yes nor a no, and the client is ended by its deadline."""
    with nothing_of_a_client_left(tmp_path), socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (handshake,) = client.shake_hands(endpoint(port, world.case(), seconds=1.0))
    assert handshake.verdict is Verdict.NOT_TRIED
    assert "no answer within 1 seconds" in handshake.why


def test_a_client_is_ended_when_the_rehearsal_is(client, world, tmp_path):
    """Once it is in the middle of its handshake; the next protocol is not begun."""
    with nothing_of_a_client_left(tmp_path), socket.create_server(("127.0.0.1", 0)) as listener:
        asked = endpoint(listener.getsockname()[1], world.case(), protocols=(TLS_1_2, TLS_1_3))

        def interrupt():
            connection, _ = listener.accept()
            # Java would keep one in the system's folder, and leave it there when it is killed.
            kept.extend(
                path
                for process in processes_in(tmp_path / "folders")
                for path in Path("/tmp").glob(f"hsperfdata_*/{process.parent.name}")  # noqa: S108 - Java's own path
            )
            asked.cancelled.set()
            with connection:
                connection.recv(1)

        kept = []
        thread = threading.Thread(target=interrupt)
        thread.start()
        handshakes = list(client.shake_hands(asked))
        thread.join()
    assert [handshake.verdict for handshake in handshakes] == [Verdict.NOT_TRIED] * 2
    assert {handshake.why for handshake in handshakes} == {"interrupted"}
    assert kept == []


def test_a_handshake_that_fails_for_something_else_is_no_refusal(client, world):
    """A server with only TLS 1.2 says nothing about its certificates to a client with only TLS 1.3."""
    with LoopbackServer(world.server.private_key, (world.server.certificate, world.link)) as server:
        server._context.set_max_proto_version(SSL.TLS1_2_VERSION)
        (handshake,) = client.shake_hands(endpoint(server.port, world.case()))
    assert handshake.verdict is Verdict.NOT_TRIED
    assert handshake.why


def test_nobody_there_is_no_refusal(client, world):
    """A closed port; and a version of TLS that no client is asked for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    closed, other = client.shake_hands(endpoint(port, world.case(), protocols=(TLS_1_2, "TLSv1.1")))
    assert {closed.verdict, other.verdict} == {Verdict.NOT_TRIED}
    assert closed.why
    assert other.why == "it cannot be restricted to TLSv1.1"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_client_that_is_not_installed(name, world, tmp_path, monkeypatch):
    """It is said what it needs, and nothing is run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    client = make_client(name)
    assert client.missing().startswith("needs ")
    (handshake,) = client.shake_hands(endpoint(1, world.case()))
    assert (handshake.verdict, handshake.version, handshake.why) == (Verdict.NOT_TRIED, "", client.missing())


def test_a_java_without_its_compiler_is_not_enough(tmp_path, monkeypatch):
    """It is run from source, which a JRE cannot do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for program, missing in (("java", "needs a JDK (java with javac beside it)"), ("javac", None)):
        (tmp_path / program).write_text("#!/bin/sh\n")
        (tmp_path / program).chmod(0o755)
        assert make_client("java").missing() == missing


HALF = {
    "java": "echo accepted; exit 1",
    "go": "echo accepted; exit 1",
    "gnutls": "echo '- Status: The certificate is trusted. '; echo '- Handshake was completed'; exit 1",
    "nss": "echo 'subject DN: CN=server' >&2; exit 1",
    "curl": "echo 0.1; exit 7",
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("script", ["exit 0", "kill -SEGV $$", "half"])
def test_only_a_clear_yes_or_no_counts(name, script, world, tmp_path, monkeypatch):
    """A program that ends in silence or in a crash, or that says yes and fails, has neither accepted nor refused."""
    fake = HALF[name] if script == "half" else script
    scripts = dict.fromkeys(PROGRAMS[name], fake)
    scripts["certutil"] = "exit 0"
    made = "rehearsal_client.exe"
    scripts["go"] = f"echo '#!/bin/sh' > {made}; echo '{fake}' >> {made}; chmod +x {made}"
    for program in PROGRAMS[name]:
        (tmp_path / program).write_text(f"#!/bin/sh\n{scripts[program]}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    (handshake,) = make_client(name).shake_hands(endpoint(1, world.case()))
    assert handshake.verdict is Verdict.NOT_TRIED
    assert handshake.why
    assert "cannot be run" not in handshake.why


@pytest.mark.parametrize("reason", ["", " ", " The signature algorithm is not known."])
def test_a_refusal_of_gnutls_without_a_reason(reason, world, tmp_path, monkeypatch):
    """GnuTLS gives none for a key whose algorithm it does not have: that is a refusal all the same."""
    status = "- Status: The certificate is NOT trusted."
    failed = "*** PKI verification of server certificate failed..."
    script = f"echo '{status}{reason or ' '}'; echo '{failed}'; exit 1"
    (tmp_path / "gnutls-cli").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "gnutls-cli").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    (handshake,) = make_client("gnutls").shake_hands(endpoint(1, world.case()))
    assert handshake.verdict is Verdict.REFUSED
    assert handshake.why == (reason.strip() or "The certificate is NOT trusted.")
