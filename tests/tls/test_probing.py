"""A live server asked what it sends: by version, through STARTTLS, and whatever it does instead of answering."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest
from OpenSSL import SSL

from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.channel import Channel, ChannelError, Deadline
from pkcs12kit.tls.probing import server as probing
from pkcs12kit.tls.probing.connect import SocketAddress
from pkcs12kit.tls.probing.contact import Contact, OpenSockets
from pkcs12kit.tls.probing.server import ask_server
from pkcs12kit.tls.probing.target import probed_server

from ..waiting import HOUR, waiting_for_nothing

SECONDS = 30
NAME = "mdm.example.mil."
QUICK = 0.6  # seconds for a server that will never answer: three versions, 0.2 each
NEW = ["TLSv1.3", "TLSv1.2"]
ONE_CERTIFICATE = 5  # connections: two versions, and one for each family of other types of keys


class Server:
    """A TLS server that takes all that it may, in memory; ``heard`` is what clients sent after their handshakes."""

    def __init__(self, topology, certificates=None, *, versions=(SSL.TLS1_VERSION, SSL.TLS1_3_VERSION), label="EE"):
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.set_cipher_list(b"ALL:@SECLEVEL=0")
        self.context.set_min_proto_version(versions[0])
        self.context.set_max_proto_version(versions[1])
        first, *others = topology.certificates if certificates is None else certificates
        self.context.use_certificate(first.as_cryptography)
        for certificate in others:
            self.context.add_extra_chain_cert(certificate.as_cryptography)
        self.context.use_privatekey(topology.servers[label].private_key)
        self.context.set_tlsext_servername_callback(lambda connection: self.names.append(connection.get_servername()))
        self.names = []
        self.heard = []

    def __call__(self, over):
        """Do one handshake, and read to the end."""
        connection = SSL.Connection(self.context)
        connection.set_accept_state()
        channel = Channel(connection, over, deadline=Deadline.after(SECONDS), limits=DEFAULT_LIMITS)
        with suppress(ChannelError):
            channel.handshake()
            self.heard.append(channel.read(100))
        channel.close(wait=True)


@pytest.fixture
def ask(listening, nothing_left):
    """Ask a server that runs this script with each connection; nothing is left of the question but the answer."""

    def ask_script(script, *, host="127.0.0.1", seconds=SECONDS, server_name=None, starttls=None, **given):
        with listening(script, host) as port:
            server = probed_server(host, port=port, server_name=server_name, starttls=starttls)
            return ask_server(server, seconds=seconds, **given)

    with nothing_left():
        yield ask_script


def versions(answer):
    """List the versions in which certificates came."""
    return [one.protocol for one in answer.protocols if one.message]


def test_takes_what_is_sent_as_it_is_sent(ask, chain):
    """RFC 8446 section 4.4.2: each version's list in the order of the wire, without trust; nothing is sent."""
    muddled = [chain.certificates[0], chain.certificates[2], chain.certificates[1], chain.certificates[2]]
    server = Server(chain, muddled)
    answer = ask(server)
    assert (answer.contact, answer.why) == (Contact.ANSWERED, "")
    assert answer.answered_at is not None
    assert answer.answered_at.startswith("127.0.0.1:")
    assert versions(answer) == NEW
    for one in answer.protocols:
        assert one.message.certificates == tuple(muddled)
        assert one.message.protocol == one.protocol
        assert (one.is_complete, one.asks_for_client_certificate) == (True, False)
    assert answer.message is answer.protocols[0].message
    assert set(server.heard) == {b""}


@pytest.mark.parametrize(
    ("most", "least", "spoken"),
    [
        (SSL.TLS1_2_VERSION, SSL.TLS1_VERSION, ["TLSv1.2"]),
        (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION, ["TLSv1.3"]),
        (SSL.TLS1_1_VERSION, SSL.TLS1_VERSION, ["TLSv1.1"]),
        (SSL.TLS1_VERSION, SSL.TLS1_VERSION, ["TLSv1"]),
    ],
)
def test_says_which_versions_are_spoken(ask, chain, most, least, spoken):
    """1.3 and 1.2 are asked for one by one; an older one where neither leads to certificates, and only then."""
    answer = ask(Server(chain, versions=(least, most)))
    assert answer.contact is Contact.ANSWERED
    assert versions(answer) == spoken
    assert [one.protocol for one in answer.protocols] == (NEW if spoken[0] in NEW else [*NEW, *spoken])
    assert {one.contact for one in answer.protocols if not one.message} == {Contact.HANDSHAKE_FAILED}


@pytest.mark.parametrize(
    ("suite", "is_old"),
    [("ECDHE-ECDSA-AES128-SHA", False), ("ECDHE-ECDSA-AES128-SHA256", True), ("ECDHE-ECDSA-AES128-CCM", True)],
)
def test_what_clients_of_today_do_not_offer_is_asked_for_last(ask, chain, suite, is_old):
    """RFC 5246 section 7.4.1.2: the certificates come all the same, and their cipher suite is reported."""
    server = Server(chain, versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))
    server.context.set_cipher_list(f"{suite}:@SECLEVEL=0".encode())
    (answer,) = [one for one in ask(server).protocols if one.message]
    assert (answer.protocol, answer.cipher_suite, answer.is_old, answer.is_complete) == (NEW[1], suite, is_old, True)
    assert answer.group


def test_chains_that_differ_by_version_are_both_told(ask, chain):
    """A server may send another chain to clients of another version, as some do that have two certificates."""
    old = Server(chain, chain.certificates[:1], versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))
    new = Server(chain, versions=(SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION))
    turns = itertools.chain([new, old], itertools.repeat(old))

    def script(over):
        next(turns)(over)

    answer = ask(script)
    assert [len(one.message.certificates) for one in answer.protocols] == [3, 1]


@pytest.mark.parametrize("names", [True, False])
def test_a_server_that_wants_a_client_certificate(ask, chain, names):
    """Its certificates come all the same, also in TLS 1.2, where it ends the handshake; its CAs are reported."""
    server = Server(chain)
    server.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)
    if names:
        for label in ("TA", "A"):
            server.context.add_client_ca(chain.authorities[label].certificate.as_cryptography)
    answer = ask(server)
    assert versions(answer) == NEW
    for one in answer.protocols:
        assert one.asks_for_client_certificate
        assert one.message.certificates == chain.certificates
        assert [name.common_name for name in one.client_authorities] == (["TA", "A"] if names else [])
    tls_1_3, tls_1_2 = answer.protocols
    assert (tls_1_3.is_complete, tls_1_3.why) == (True, "")  # RFC 8446 section 4.4.2.4: it says no only later
    assert (tls_1_2.is_complete, "handshake failure" in tls_1_2.why) == (False, True)
    assert (tls_1_3.ended_by_server, tls_1_2.ended_by_server) == (False, True)


@pytest.mark.parametrize("name", ["", "no name"])
def test_a_name_that_is_none(monkeypatch, name):
    """An empty one, an unset variable of a script perhaps, is not taken for none given; nothing is resolved."""
    monkeypatch.setattr(probing, "resolve", None)
    with pytest.raises(InputError, match=r"is not HOST\[:PORT\]"):
        probed_server(NAME, server_name=name)


@pytest.mark.parametrize(
    ("server_name", "sent"),
    [(None, None), ("mdm.example.mil", b"mdm.example.mil"), ("192.0.2.1", None), ("2001:db8::1", None)],
)
def test_sends_a_name_and_never_an_address(ask, chain, server_name, sent):
    """RFC 6066 section 3: literal addresses are not permitted in HostName."""
    server = Server(chain)
    ask(server, server_name=server_name)
    assert set(server.names) == {sent}
    assert len(server.names) == ONE_CERTIFICATE


def test_sends_the_hosts_name(listening, chain, monkeypatch):
    """Without ``server_name`` it is the host's own, without the trailing dot."""
    server = Server(chain)
    with listening(server) as port:
        look_up = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *given, **more: look_up(host.replace(NAME, "127.0.0.1"), *given, **more)
        )
        assert ask_server(probed_server(f"{NAME}:{port}"), seconds=SECONDS).contact is Contact.ANSWERED
    assert set(server.names) == {b"mdm.example.mil"}


def test_unknown_names_are_told_by_the_alert(ask):
    """RFC 6066 section 3: unrecognized_name; the server is there, and has nothing for that name."""

    def alert(over):
        over.recv(4096)
        over.sendall(b"\x15\x03\x03\x00\x02\x02\x70")

    answer = ask(alert, server_name="mdm.example.mil")
    assert answer.contact is Contact.NAME_REFUSED
    assert "unrecognized name" in answer.why
    assert answer.message is None


def test_over_ipv6(ask, chain, cannot_run):
    """The address that answered is reported, in brackets."""
    try:
        answer = ask(Server(chain), host="::1")
    except OSError:
        cannot_run("needs IPv6 on loopback")
    assert answer.contact is Contact.ANSWERED
    assert answer.answered_at.startswith("[::1]:")


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x03\x40\x00abc"], ids=["at once", "after half a record"])
def test_a_server_that_hangs(ask, said, monkeypatch):
    """It ends by the deadline, which all versions share: each has a third of it at most."""

    def hang(over):
        over.sendall(said)
        while over.recv(4096):
            pass

    shares, share = [], probing._share

    def shared_out(deadline, parts):
        shares.append((deadline.at, share(deadline, parts)))
        return shares[-1][1]

    monkeypatch.setattr(probing, "_share", shared_out)
    answer = ask(hang, seconds=QUICK)
    assert answer.contact is Contact.TIMED_OUT
    assert answer.why == "no answer in time"
    assert [one.contact for one in answer.protocols] == [Contact.TIMED_OUT] * 3
    (end,) = {end for end, _ in shares}
    assert [one.at <= end for _, one in shares] == [True] * 3


def test_a_server_that_dribbles(ask):
    """Bytes that come one by one do not put the deadline off."""

    def dribble(over):
        for byte in itertools.chain(b"\x16\x03\x03\x40\x00", itertools.repeat(0, 1000)):
            over.sendall(bytes([byte]))
            time.sleep(0.01)

    assert ask(dribble, seconds=QUICK).contact is Contact.TIMED_OUT


def test_hanging_in_one_version_leaves_time_for_the_next(ask, chain):
    """Some servers say nothing to a ClientHello of TLS 1.3 that takes two packets; their chain is read all the same."""
    server = Server(chain)
    turns = itertools.count()

    def hang_once(over):
        if next(turns):
            server(over)
        else:
            while over.recv(4096):
                pass

    answer = ask(hang_once, seconds=3)
    assert [one.contact for one in answer.protocols] == [Contact.TIMED_OUT, Contact.ANSWERED]
    assert answer.contact is Contact.ANSWERED


OTHERS = {
    "HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", Contact.NOT_TLS),
    "SSH": (b"SSH-2.0-OpenSSH_9.2p1\r\n", Contact.NOT_TLS),
    "SMTP": (b"220 mail.example.mil ESMTP\r\n", Contact.NOT_TLS),
    "nothing": (b"", Contact.CLOSED),
    "garbage in a record": (b"\x16\x03\x03\x00\x05abcde", Contact.HANDSHAKE_FAILED),
    "an alert": (b"\x15\x03\x03\x00\x02\x02\x28", Contact.HANDSHAKE_FAILED),
}


@pytest.mark.parametrize("speaks", OTHERS)
def test_what_is_no_tls_server(ask, speaks):
    """Each answer is quoted and named; another version is tried only where that may help."""
    said, contact = OTHERS[speaks]
    seen = []

    def script(over):
        seen.append(over.recv(4096))
        over.sendall(said)
        over.shutdown(socket.SHUT_WR)
        while over.recv(4096):
            pass

    answer = ask(script)
    assert answer.contact is contact
    assert answer.message is None
    assert answer.why
    assert "\n" not in answer.why
    assert len(seen) == (1 if contact is Contact.NOT_TLS else 3)


def test_nobody_there(nothing_left):
    """A port that refuses and a name that cannot be: no version is asked for."""
    with socket.socket() as bound, nothing_left():
        bound.bind(("127.0.0.1", 0))
        answer = ask_server(probed_server("127.0.0.1", port=bound.getsockname()[1]), seconds=SECONDS)
    assert (answer.contact, answer.protocols, answer.answered_at) == (Contact.REFUSED, (), None)
    assert "Connection refused" in answer.why


def test_more_than_a_chain_is_given_up(ask, chain):
    """``tls_bytes``: what a server may send before its certificates are there."""
    answer = ask(Server(chain), limits=replace(DEFAULT_LIMITS, tls_bytes=200))
    assert answer.contact is Contact.UNREADABLE
    assert "tls_bytes allows: 200 bytes" in answer.why


HANDSHAKE = 22
SERVER_HELLO_DONE = b"\x0e\x00\x00\x00"


def in_between(server, change):
    """Run a server behind someone who changes what it says first."""

    def script(over):
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=server, args=(theirs,))
        thread.start()
        with ours:
            ours.settimeout(SECONDS)
            ours.sendall(over.recv(65536))
            said = bytearray(ours.recv(65536))
            while said[0] == HANDSHAKE and not said.endswith(SERVER_HELLO_DONE):
                said += ours.recv(65536)
            over.sendall(change(bytes(said)) if said[0] == HANDSHAKE else said)
            over.shutdown(socket.SHUT_WR)
            ours.shutdown(socket.SHUT_WR)
            with suppress(OSError):
                while over.recv(4096):
                    pass
            while ours.recv(4096):
                pass
        thread.join()

    return script


def test_certificates_that_cannot_be_read(ask, chain):
    """A certificate that cannot be read is reported as such: the server speaks TLS."""
    server = Server(chain, versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))
    start = chain.certificates[0].der[:20]
    answer = ask(in_between(server, lambda said: said.replace(start, b"\x31" + start[1:])))
    assert answer.contact is Contact.UNREADABLE
    assert [one.contact for one in answer.protocols if one.protocol == "TLSv1.2"] == [Contact.UNREADABLE]
    assert "its certificates cannot be read: " in answer.why


def test_a_key_that_is_not_the_certificates(ask, chain):
    """The chain is reported, and that the server could not show that it has the key (RFC 5246 section 7.4.3)."""
    server = Server(chain, versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))

    def change(said):
        return said[:-30] + bytes([said[-30] ^ 1]) + said[-29:]  # in the signature, before ServerHelloDone

    answer = ask(in_between(server, change))
    (answered,) = [one for one in answer.protocols if one.message]
    assert (answered.protocol, answered.is_complete, answered.ended_by_server) == ("TLSv1.2", False, False)
    assert answered.why


def test_a_server_without_secure_renegotiation(ask, chain):
    """Old servers lack RFC 5746, without which OpenSSL speaks to none by default; their certificates are read, too."""
    server = Server(chain, versions=(SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION))
    renegotiation_info, unknown = b"\xff\x01\x00\x01\x00", b"\xff\x5a\x00\x01\x00"
    changed = []

    def change(said):
        changed.append(said.replace(renegotiation_info, unknown) != said)
        return said.replace(renegotiation_info, unknown)

    assert versions(ask(in_between(server, change))) == ["TLSv1.2"]
    assert changed == [True]


def test_every_version_is_asked_of_the_same_address(ask, chain, monkeypatch):
    """A name may stand for several servers, which may differ; the answer is about one of them."""
    tried = []
    connect = probing.connected

    def connected(addresses, **given):
        tried.append(tuple(map(str, addresses)))
        return connect(addresses, **given)

    look_up = probing.resolve
    nowhere = SocketAddress(socket.AF_INET, ("255.255.255.255", 9))
    monkeypatch.setattr(probing, "connected", connected)
    monkeypatch.setattr(probing, "resolve", lambda *at, **given: (nowhere, *look_up(*at, **given)))
    answer = ask(Server(chain))
    assert versions(answer) == NEW
    assert tried == [(str(nowhere), answer.answered_at), *[(answer.answered_at,)] * (ONE_CERTIFICATE - 1)]
    assert answer.not_asked == (str(nowhere),)


def test_starttls_comes_first(ask, chain):
    """The dialogue is repeated for each version, with the name of the server."""
    server = Server(chain)

    def pop3(over):
        over.sendall(b"+OK\r\n")
        assert over.recv(100) == b"STLS\r\n"
        over.sendall(b"+OK\r\n")
        server(over)

    assert versions(ask(pop3, starttls="pop3")) == NEW


def test_what_comes_before_tls_may_use_all_the_time(ask, chain, monkeypatch):
    """Mail servers keep clients waiting on purpose: a hang there ends it all, so that no version needs a share."""
    left = []
    monkeypatch.setattr(probing, "start_tls", lambda *_, deadline, **__: left.append(deadline.remaining()))
    assert versions(ask(Server(chain), starttls="smtp")) == NEW
    assert min(left) > SECONDS / 2


def test_a_starttls_that_is_refused_is_asked_for_once(ask):
    """The dialogue before TLS is the same for every version."""
    seen = []

    def pop3(over):
        seen.append(over)
        over.sendall(b"-ERR closed for today\r\n")

    answer = ask(pop3, starttls="pop3")
    assert (answer.contact, answer.protocols, len(seen)) == (Contact.STARTTLS_REFUSED, (), 1)
    assert answer.why == "pop3: TLS refused: '-ERR closed for today'"
    assert answer.answered_at is not None


@pytest.mark.parametrize("starttls", [None, "smtp"])
def test_is_interrupted_from_another_thread(ask, starttls):
    """A wait for a server ends at once, with the reason."""
    sockets = OpenSockets()
    reached = threading.Event()

    def hang(over):
        reached.set()
        while over.recv(4096):
            pass

    def interrupt():
        reached.wait(SECONDS)
        sockets.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with waiting_for_nothing():
        answer = ask(hang, sockets=sockets, seconds=HOUR, starttls=starttls)
    thread.join()
    assert answer.contact is Contact.INTERRUPTED
