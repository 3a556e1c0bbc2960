"""OpenSSL as a client: what it accepts and refuses, in its own words, and what it was sent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.handshake import Endpoint, Verdict
from pkcs12kit.tls.rehearsal.clients.openssl import OpenSSLClient
from pkcs12kit.tls.rehearsal.server import LoopbackServer

PROTOCOLS = (TLS_1_2, TLS_1_3)
SECONDS = 30


def endpoint(port, anchors, *, server_name="EE", time=None, seconds=SECONDS, host="127.0.0.1"):
    """Return the endpoint to connect to, with its trust anchors."""
    return Endpoint(
        host=host,
        port=port,
        server_name=server_name,
        trust_anchors=tuple(anchors),
        protocols=PROTOCOLS,
        time=time,
        seconds=seconds,
    )


def ask(private_key, certificates, anchors, **about):
    """Serve and ask, and give the one answer of both versions: verdict and why."""
    with LoopbackServer(private_key, certificates) as server:
        handshakes = tuple(OpenSSLClient().shake_hands(endpoint(server.port, anchors, **about)))
    assert [handshake.protocol for handshake in handshakes] == [*PROTOCOLS]
    for handshake in handshakes:
        assert handshake.client == "openssl"
        assert handshake.version.startswith("OpenSSL ")
        assert handshake.received == CertificateMessage(
            certificates=tuple(certificates), protocol=handshake.protocol
        ), "what came is told, accepted or not"
    answers = {(handshake.verdict, handshake.why) for handshake in handshakes}
    assert len(answers) == 1, answers
    return answers.pop()


@pytest.fixture(scope="module")
def private_key(chain):
    """The key of ``chain``'s server."""
    return chain.servers["EE"].private_key


@pytest.fixture(scope="module")
def anchor(chain):
    """The anchor of ``chain``."""
    return chain.authorities["TA"].certificate


# Accepted


def test_a_whole_chain_is_accepted(chain, private_key, anchor):
    """The path from the server to the anchor (RFC 5246 7.4.2), and a ``why`` with nothing in it."""
    assert ask(private_key, chain.certificates, [anchor]) == (Verdict.ACCEPTED, "")


def test_the_anchor_may_be_sent_too(chain, private_key, anchor):
    """It may be left out, says RFC 5246 7.4.2, or not."""
    assert ask(private_key, (*chain.certificates, anchor), [anchor]) == (Verdict.ACCEPTED, "")


def test_an_anchor_need_not_be_self_signed(chain, private_key):
    """Trust is a decision (RFC 5280 6.1.1 (d)): any certificate of the path may be the anchor."""
    assert ask(private_key, chain.certificates, [chain.certificate("A", "TA")]) == (Verdict.ACCEPTED, "")


def test_the_reference_path_is_accepted():
    """The Federal PKI's shape, bridge, critical policy constraints and mappings: OpenSSL has no quarrel with them."""
    replica = lab.make_replica(key_type=lab.KeyType.EC_P256)
    path = replica.valid_paths[0].certificates
    constraints = [
        extension.critical
        for certificate in path
        for extension in certificate.as_cryptography.extensions
        if isinstance(extension.value, x509.PolicyConstraints)
    ]
    assert True in constraints, "the path has to have what is asked about"
    about = {"server_name": replica.server_name, "time": replica.at}
    assert ask(replica.server.private_key, path, [replica.trust_anchor], **about) == (Verdict.ACCEPTED, "")
    verdict, why = ask(replica.server.private_key, path[:-1], [replica.trust_anchor], **about)
    assert verdict is Verdict.REFUSED
    assert why.startswith("unable to get local issuer certificate (depth 3: CN=DoD Interoperability Root CA 2,")


def test_no_configuration_is_heeded(tmp_path):
    """The configuration file of OpenSSL on this computer does not change the rules."""
    settings = tmp_path / "openssl.cnf"
    settings.write_text(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT:@SECLEVEL=0\n"
    )
    topology = lab.Topology.from_edges("EE<TA")
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the weakness is the case
    weak = topology.authorities["TA"].issue_server("EE", private_key=key)
    (tmp_path / "ta.der").write_bytes(topology.authorities["TA"].certificate.der)
    asking = (
        "import sys; from pathlib import Path; from pkcs12kit import Certificate\n"
        "from pkcs12kit.tls.rehearsal.clients.openssl import OpenSSLClient\n"
        "from pkcs12kit.tls.handshake import Endpoint\n"
        "anchor = Certificate.from_der(Path(sys.argv[1]).read_bytes())\n"
        "there = dict(host='127.0.0.1', port=int(sys.argv[2]), server_name='EE', time=None, seconds=30.0)\n"
        "there |= dict(trust_anchors=(anchor,), protocols=('TLSv1.2', 'TLSv1.3'))\n"
        "print(*(one.why for one in OpenSSLClient().shake_hands(Endpoint(**there))), sep='; ')\n"
    )
    with LoopbackServer(weak.private_key, [weak.certificate]) as server:
        said = subprocess.run(
            [sys.executable, "-c", asking, str(tmp_path / "ta.der"), str(server.port)],
            env={**os.environ, "OPENSSL_CONF": str(settings)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    assert said.count("EE certificate key too weak (depth 0: CN=EE)") == len(PROTOCOLS)


def test_the_time_is_that_of_the_endpoint():
    """An expired certificate was right when it was, in any time zone, and a fresh one is wrong later."""
    then = datetime(2018, 6, 1, tzinfo=UTC)
    old = lab.Topology.from_edges("EE<A<TA", validity=lab.Validity.around(then, days_before=1, days_after=0.5))
    anchors = [old.authorities["TA"].certificate]
    key = old.servers["EE"].private_key
    assert ask(key, old.certificates, anchors, time=then) == (Verdict.ACCEPTED, "")
    elsewhere = (then + timedelta(hours=11)).astimezone(timezone(timedelta(hours=5)))
    assert ask(key, old.certificates, anchors, time=elsewhere) == (Verdict.ACCEPTED, "")
    for time, why in (
        (None, "certificate has expired"),
        (then + timedelta(hours=13), "certificate has expired"),
        (then - timedelta(days=2), "certificate is not yet valid or the system clock is incorrect"),
    ):
        verdict, said = ask(key, old.certificates, anchors, time=time)
        assert (verdict, said.split(" (")[0]) == (Verdict.REFUSED, why)


# Refused


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ((0,), "unable to get local issuer certificate (depth 0: CN=EE)"),
        ((0, 2), "unable to get local issuer certificate (depth 0: CN=EE)"),
        ((0, 1), "unable to get local issuer certificate (depth 1: CN=B)"),
    ],
)
def test_what_is_missing_is_not_fetched(chain, private_key, anchor, sent, why):
    """Without an issuer the path ends where it does, in OpenSSL's words with the depth and whom it is about."""
    assert ask(private_key, [chain.certificates[one] for one in sent], [anchor]) == (Verdict.REFUSED, why)


def test_another_anchor_is_no_anchor(chain, private_key):
    """Same name, another key; and the anchor itself in what is sent is not trusted for being there."""
    other = lab.Authority.create("TA").certificate
    assert ask(private_key, chain.certificates, [other]) == (
        Verdict.REFUSED,
        "unable to get local issuer certificate (depth 2: CN=A)",
    )
    sent = (*chain.certificates, chain.authorities["TA"].certificate)
    unrelated = lab.Authority.create("Another").certificate
    assert ask(private_key, sent, [unrelated]) == (
        Verdict.REFUSED,
        "self-signed certificate in certificate chain (depth 3: CN=TA)",
    )


@pytest.mark.parametrize(
    ("server_name", "why"),
    [
        ("other.example", "it is for EE, not for other.example"),
        ("192.0.2.1", "it is for EE, not for 192.0.2.1"),
    ],
)
def test_a_wrong_name_is_refused_and_by_whom_is_said(chain, private_key, anchor, server_name, why):
    """RFC 9525: pyOpenSSL checks no name, so that it is not OpenSSL that says no."""
    assert ask(private_key, chain.certificates, [anchor], server_name=server_name) == (
        Verdict.REFUSED,
        f"OpenSSL accepted the certificates, but service-identity refused the name: {why}",
    )


def test_no_name_is_checked_where_none_is_asked_for(chain, private_key, anchor):
    """Without a name every certificate is the right one."""
    assert ask(private_key, chain.certificates, [anchor], server_name=None) == (Verdict.ACCEPTED, "")


def test_an_address_is_a_name():
    """IPAddress in the subjectAltName (RFC 9525 6.4), and no SNI for it (RFC 6066 3)."""
    authority = lab.Authority.create("CA")
    server = authority.issue_server("192.0.2.1")
    asked = ask(server.private_key, [server.certificate], [authority.certificate], server_name="192.0.2.1")
    assert asked == (Verdict.ACCEPTED, "")


def test_a_certificate_for_clients_is_no_servers():
    """RFC 5280 4.2.1.12: OpenSSL's clients want id-kp-serverAuth where there is an extended key usage."""
    authority = lab.Authority.create("CA")
    usage = lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))
    server = authority.issue_server("EE", extensions=[usage])
    verdict, why = ask(server.private_key, [server.certificate], [authority.certificate])
    assert (verdict, why) == (Verdict.REFUSED, "unsuitable certificate purpose (depth 0: CN=EE)")


def test_weak_keys_are_refused():
    """At its own security level OpenSSL wants 112 bits of security, which RSA has from 2048 on (NIST SP 800-57)."""
    authority = lab.Authority.create("CA")
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak on purpose
    server = authority.issue_server("EE", private_key=key)
    verdict, why = ask(server.private_key, [server.certificate], [authority.certificate])
    assert (verdict, why) == (Verdict.REFUSED, "EE certificate key too weak (depth 0: CN=EE)")


def test_sha_1_is_refused():
    """A collision is cheap (RFC 9155 1); signed with it by hand, since pyca's builder does not."""
    authority = lab.Authority.create("CA")
    server = authority.issue_server("EE")
    structure = asn1_x509.Certificate.load(server.certificate.der)
    tbs = structure["tbs_certificate"]
    tbs["signature"] = structure["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
    signed = tbs.dump(force=True)
    structure["signature_value"] = authority.private_key.sign(signed, ec.ECDSA(hashes.SHA1()))  # noqa: S303
    certificate = Certificate.from_der(structure.dump(force=True))
    verdict, why = ask(server.private_key, [certificate], [authority.certificate])
    assert (verdict, why) == (Verdict.REFUSED, "CA signature digest algorithm too weak (depth 0: CN=EE)")


# Neither


@contextmanager
def speaking(opening):
    """Listen on loopback and answer each connection with this and its end; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            for _ in PROTOCOLS:
                connection, _ = listener.accept()
                with connection, suppress(OSError):  # it may be left with something unread
                    connection.sendall(opening)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("opening", "why"),
    [
        (b"", "the peer closed the connection during the handshake"),
        (b"HTTP/1.1 200 OK\r\n\r\n", r"the peer does not speak TLS: it began with 'HTTP/1.1 200 OK\r\n\r\n'"),
        (b"\x16\x03\x03\x40\x00" + bytes(20_000), "the peer sends more than tls_bytes allows: 10000 bytes"),
    ],
)
def test_what_is_no_answer_is_not_taken_for_one(anchor, opening, why):
    """A server that hangs up or talks nonsense was not refused: it was not tried."""
    limits = replace(DEFAULT_LIMITS, tls_bytes=10_000)
    with speaking(opening) as port:
        handshakes = tuple(OpenSSLClient(limits=limits).shake_hands(endpoint(port, [anchor])))
    assert [(one.verdict, one.why, one.received) for one in handshakes] == [(Verdict.NOT_TRIED, why, None)] * 2


def test_a_server_that_is_silent_or_gone_is_not_tried(anchor):
    """Each handshake has its seconds, and a closed port is said to be one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        handshakes = tuple(OpenSSLClient().shake_hands(endpoint(port, [anchor], seconds=0.05)))
    assert [(one.verdict, one.why) for one in handshakes] == [(Verdict.NOT_TRIED, "no answer in time")] * 2
    handshakes = tuple(OpenSSLClient().shake_hands(endpoint(port, [anchor])))
    assert [one.verdict for one in handshakes] == [Verdict.NOT_TRIED] * 2
    assert {one.why for one in handshakes} == {"cannot connect: Connection refused"}


def test_an_alert_of_the_server_is_a_refusal(anchor):
    """No handshake came about, and the two spoke about it: with this server a device has no connection."""
    with speaking(b"\x15\x03\x03\x00\x02\x02\x28") as port:  # fatal, handshake_failure (RFC 8446 6.2)
        handshakes = tuple(OpenSSLClient().shake_hands(endpoint(port, [anchor])))
    assert [one.verdict for one in handshakes] == [Verdict.REFUSED] * 2
    assert all("alert handshake failure" in one.why for one in handshakes)


def test_nothing_is_left_of_it(chain, private_key, anchor, nothing_left):
    """No socket stays open, with any result of the handshake."""
    with nothing_left(), LoopbackServer(private_key, chain.certificates) as server:
        for anchors in ([anchor], [chain.authorities["A"].certificate], []):
            tuple(OpenSSLClient().shake_hands(endpoint(server.port, anchors)))
