"""TLS over a socket: every wait ends, what the peer sends is bounded, and what went wrong has a type."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from OpenSSL import SSL

from pkcs12kit.errors import LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.channel import (
    Channel,
    ChannelClosedError,
    ChannelError,
    ChannelTimeoutError,
    Deadline,
    NotTLSError,
    PeerLimitError,
    TLSError,
)

SECONDS = 30
VERSIONS = {"TLSv1.2": SSL.TLS1_2_VERSION, "TLSv1.3": SSL.TLS1_3_VERSION}
both_versions = pytest.mark.parametrize("protocol", VERSIONS)


@contextmanager
def peer(script):
    """Yield one end of a connection; ``script`` has the other, in a thread, until it returns."""
    ours, theirs = socket.socketpair()

    def run():
        with theirs, suppress(OSError):
            script(theirs)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with ours:
            yield ours
    finally:
        thread.join()


def sends(data):
    """Return a peer that sends this and closes, without reading."""

    def script(over):
        over.sendall(data)
        over.shutdown(socket.SHUT_WR)
        while over.recv(4096):
            pass

    return script


def client(over, *, protocol="TLSv1.3", seconds=SECONDS, limits=DEFAULT_LIMITS, verify=None):
    """Speak TLS as a client that accepts anything, or what ``verify`` accepts."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(VERSIONS[protocol])
    context.set_max_proto_version(VERSIONS[protocol])
    if verify is not None:
        context.set_verify(SSL.VERIFY_PEER, verify)
    connection = SSL.Connection(context)
    connection.set_connect_state()
    return Channel(connection, over, deadline=Deadline.after(seconds), limits=limits)


def server(chain, *, asks=False, then=lambda _: None):
    """Make a peer that is a TLS server; ``then`` is given its channel after the handshake."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(chain.certificates[0].as_cryptography)
    for certificate in chain.certificates[1:]:
        context.add_extra_chain_cert(certificate.as_cryptography)
    context.use_privatekey(chain.servers["EE"].private_key)
    if asks:
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT)

    def script(over):
        connection = SSL.Connection(context)
        connection.set_accept_state()
        channel = Channel(connection, over, deadline=Deadline.after(SECONDS), limits=DEFAULT_LIMITS)
        with suppress(ChannelError):
            channel.handshake()
            then(channel)
        channel.close(wait=True)

    return script


def read_to_the_end(channel):
    """Read all that comes."""
    while channel.read(4096):
        pass


def expected(chain):
    """Return the DER of the certificates that the server of ``chain`` sends."""
    return tuple(certificate.der for certificate in chain.certificates)


# What works


@both_versions
def test_certificates_come_in_the_order_of_the_wire(chain, protocol):
    """Both versions give what the server sends as DER, in its order (RFC 5246 7.4.2), and the version."""

    def answer(channel):
        channel.write(b"got " + channel.read(100))

    with peer(server(chain, then=answer)) as over:
        channel = client(over, protocol=protocol)
        channel.handshake()
        assert channel.certificates == expected(chain)
        assert channel.protocol == protocol
        channel.write(b"hello")
        assert channel.read(100) == b"got hello"
        assert channel.read(100) == b""  # close_notify
        channel.close()


@both_versions
def test_certificates_are_there_where_the_client_refuses_them(chain, protocol):
    """A failed verification is OpenSSL's in its own words, and what was refused can be looked at."""
    with peer(server(chain)) as over:
        channel = client(over, protocol=protocol, verify=lambda *_: False)
        with pytest.raises(TLSError, match="certificate verify failed"):
            channel.handshake()
        assert channel.certificates == expected(chain)
        channel.close()


def test_a_server_that_wants_a_certificate_refuses_in_the_handshake_of_tls_1_2(chain):
    """The alert ends the handshake (RFC 5246 7.4.6); the server's certificates came before."""
    with peer(server(chain, asks=True)) as over:
        channel = client(over, protocol="TLSv1.2")
        with pytest.raises(TLSError, match="alert handshake failure"):
            channel.handshake()
        assert channel.certificates == expected(chain)
        channel.close()


def test_a_server_that_wants_a_certificate_refuses_after_the_handshake_of_tls_1_3(chain):
    """The client's handshake is over when the server misses a certificate (RFC 8446 4.4.2.4): the read raises it."""
    with peer(server(chain, asks=True)) as over:
        channel = client(over, protocol="TLSv1.3")
        channel.handshake()
        with pytest.raises(TLSError, match="alert certificate required"):
            channel.read(1)
        assert channel.certificates == expected(chain)
        channel.close()


def test_the_server_learns_why_it_was_refused(chain):
    """A client that refuses says so by an alert (RFC 8446 6.2) before it leaves."""
    heard = []
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate(chain.certificates[0].as_cryptography)
    context.use_privatekey(chain.servers["EE"].private_key)

    def listen(over):
        connection = SSL.Connection(context)
        connection.set_accept_state()
        channel = Channel(connection, over, deadline=Deadline.after(SECONDS), limits=DEFAULT_LIMITS)
        try:
            channel.handshake()
            channel.read(1)
        except TLSError as error:
            heard.append(str(error))
        channel.close()

    with peer(listen) as over:
        channel = client(over, verify=lambda *_: False)
        with pytest.raises(TLSError):
            channel.handshake()
        channel.close()
    assert len(heard) == 1
    assert "alert" in heard[0]


def test_a_certificate_that_is_none_leaves_none_of_them(chain):
    """OpenSSL gives up at the first that it cannot decode, and keeps no other."""

    def script(over):
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_certificate(chain.certificates[0].as_cryptography)
        context.add_extra_chain_cert(chain.certificates[1].as_cryptography)
        context.use_privatekey(chain.servers["EE"].private_key)
        connection = SSL.Connection(context)
        connection.set_accept_state()
        connection.bio_write(over.recv(4096))
        with suppress(SSL.WantReadError):
            connection.do_handshake()
        flight = bytearray(connection.bio_read(1 << 20))
        flight[flight.index(chain.certificates[1].der)] ^= 1  # the tag of the SEQUENCE; in the clear in TLS 1.2
        over.sendall(flight)
        over.recv(4096)

    with peer(script) as over:
        channel = client(over, protocol="TLSv1.2")
        with pytest.raises(TLSError, match=r"^wrong tag; nested asn1 error; ASN1 lib$"):
            channel.handshake()
        assert channel.certificates == ()
        channel.close()


# What does not


@pytest.mark.parametrize(
    "opening", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ESMTP\r\n", b"\x16\x02\x00"]
)
def test_a_peer_that_does_not_speak_tls_is_said_to(opening):
    """The first bytes are not a record of TLS (RFC 8446 5.1); they are quoted, so that they cannot steer a terminal."""
    with peer(sends(opening)) as over, pytest.raises(NotTLSError) as caught:
        client(over).handshake()
    assert repr(opening).removeprefix("b") in str(caught.value)


@pytest.mark.parametrize("opening", [b"", b"\x16", b"\x16\x03\x03\x40\x00half of it"])
def test_a_peer_that_closes_is_said_to(opening):
    """An end in the middle of the handshake is not a refusal: the peer sent no alert."""
    with peer(sends(opening)) as over, pytest.raises(ChannelClosedError, match="during the handshake"):
        client(over).handshake()


def test_a_peer_that_closes_without_close_notify_is_said_to(chain):
    """The data may be cut short, which an orderly end rules out (RFC 8446 6.1)."""
    with peer(server(chain, then=lambda channel: channel._socket.shutdown(socket.SHUT_RDWR))) as over:
        channel = client(over)
        channel.handshake()
        with pytest.raises(ChannelClosedError):
            read_to_the_end(channel)


def test_garbage_in_a_record_is_openssl_to_name():
    """Data that begins like TLS is judged by OpenSSL, in one line."""
    with peer(sends(b"\x16\x03\x03\x00\x05hello")) as over, pytest.raises(TLSError) as caught:
        client(over).handshake()
    assert str(caught.value) == "unexpected message"


def test_an_alert_is_read_though_the_peer_has_left():
    """A server may refuse and be gone before all was sent to it; its alert is the answer, not the broken pipe."""

    def refuse(over):
        over.recv(4096)
        over.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure

    with peer(refuse) as over, pytest.raises(TLSError, match="alert handshake failure"):
        client(over).handshake()


def test_writing_to_a_peer_that_has_left_is_no_error_of_the_socket(chain):
    """It is for the next read to say, as a ChannelError."""
    gone = threading.Event()

    def leave(channel):
        channel._socket.close()
        gone.set()

    with peer(server(chain, then=leave)) as over:
        channel = client(over)
        channel.handshake()
        assert gone.wait(SECONDS)
        channel.write(b"hello")
        with pytest.raises(ChannelClosedError):
            read_to_the_end(channel)
        channel.close()


# What is bounded


def test_a_peer_that_says_nothing_has_a_deadline():
    """No read waits past it."""
    done = threading.Event()
    with peer(lambda _: done.wait(SECONDS)) as over:
        with pytest.raises(ChannelTimeoutError):
            client(over, seconds=0.05).handshake()
        done.set()


def test_a_peer_that_drips_has_the_same_deadline():
    """It is for the whole and not for each read: a byte now and then gains no time."""
    done = threading.Event()

    def drip(over):
        over.sendall(b"\x16\x03\x03\x40\x00")
        while not done.wait(0.01):
            over.sendall(b"\0")

    with peer(drip) as over:
        with pytest.raises(ChannelTimeoutError):
            client(over, seconds=0.2).handshake()
        done.set()


def test_a_peer_that_does_not_read_has_the_same_deadline(chain):
    """A write waits no longer than a read."""
    done = threading.Event()
    with peer(server(chain, then=lambda _: done.wait(SECONDS))) as over:
        over.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        channel = client(over)
        channel.handshake()
        channel._deadline = Deadline.after(0.05)
        with pytest.raises(ChannelTimeoutError):
            channel.write(bytes(1 << 24))
        done.set()


def test_a_deadline_that_has_passed_is_heeded_before_anything_is_done():
    """A step that starts too late does not start."""
    with pytest.raises(ChannelTimeoutError):
        Deadline.after(0).remaining()


@pytest.mark.parametrize(("more", "error"), [(0, ChannelClosedError), (1, PeerLimitError)])
def test_the_budget_is_of_all_that_the_peer_sends(more, error):
    """So many bytes are taken, and not one more; the text has the limit's name."""
    limits = replace(DEFAULT_LIMITS, tls_bytes=10_000)
    record = b"\x16\x03\x03\x40\x00" + bytes(10_000)  # the first part of one of 16 KiB
    with peer(sends(record[: 10_000 + more])) as over, pytest.raises(error):
        client(over, limits=limits).handshake()


def test_a_peer_that_never_ends_is_left(chain):
    """Data without end after the handshake meets the budget, an error of the tree's own kind."""

    def pour(channel):
        while channel._writable:
            channel.write(bytes(16_000))

    limits = replace(DEFAULT_LIMITS, tls_bytes=100_000)
    with peer(server(chain, then=pour)) as over:
        channel = client(over, limits=limits)
        channel.handshake()
        with pytest.raises(PeerLimitError, match=r"tls_bytes allows: 100000 bytes") as caught:
            read_to_the_end(channel)
        channel.close()
    assert isinstance(caught.value, LimitExceededError)


def test_closing_does_not_wait_for_the_peer(chain):
    """Close_notify is sent; the peer's is waited for only on request, and then no longer than the deadline."""
    done = threading.Event()
    with peer(server(chain, then=lambda _: done.wait(SECONDS))) as over:
        channel = client(over)
        channel.handshake()
        channel.close()
        assert over.fileno() == -1
        done.set()
    done.clear()
    with peer(server(chain, then=lambda _: done.wait(SECONDS))) as over:
        channel = client(over)
        channel.handshake()
        channel._deadline = Deadline.after(0.05)
        channel.close(wait=True)
        assert over.fileno() == -1
        done.set()
