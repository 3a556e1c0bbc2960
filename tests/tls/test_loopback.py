"""The loopback server: exactly the certificates given, and nothing left of it."""

from __future__ import annotations

import re
import socket
import subprocess
from contextlib import ExitStack, closing, suppress
from dataclasses import replace

import pytest
from asn1crypto import core
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, mldsa, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from OpenSSL import SSL, crypto

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.certificate_message import TLS_1_2, TLS_1_3, CertificateMessage
from pkcs12kit.tls.channel import Channel, ChannelTimeoutError, Deadline, TLSError
from pkcs12kit.tls.rehearsal.server import LoopbackServer

from ..waiting import HOUR, waiting_for_nothing

SECONDS = 30
VERSIONS = {TLS_1_2: SSL.TLS1_2_VERSION, TLS_1_3: SSL.TLS1_3_VERSION}
both_versions = pytest.mark.parametrize("protocol", VERSIONS)

HANDSHAKE = 22
CERTIFICATE = 11


@pytest.fixture(scope="module")
def private_key(chain):
    """The key of ``chain``'s server."""
    return chain.servers["EE"].private_key


class Recorder:
    """A socket that keeps what came."""

    def __init__(self, over):
        self.over = over
        self.came = b""

    def recv(self, size):
        """Record the data that has come."""
        data = self.over.recv(size)
        self.came += data
        return data

    def __getattr__(self, name):
        return getattr(self.over, name)


def client_context(protocol):
    """Accept anything, in one version of TLS."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(VERSIONS[protocol])
    context.set_max_proto_version(VERSIONS[protocol])
    context.set_cipher_list(b"DEFAULT:@SECLEVEL=0")
    return context


def reach(server, *, seconds=SECONDS, protocol=TLS_1_3, recorder=None, context=None):
    """Connect as a client that accepts anything; the channel's handshake is still to be done."""
    connection = SSL.Connection(context or client_context(protocol))
    connection.set_connect_state()
    over = socket.create_connection((server.host, server.port), timeout=SECONDS)
    over = over if recorder is None else recorder(over)
    return closing(Channel(connection, over, deadline=Deadline.after(seconds), limits=DEFAULT_LIMITS))


def received(server, protocol=TLS_1_3):
    """Shake hands and give what came, DER."""
    with reach(server, protocol=protocol) as channel:
        channel.handshake()
        assert channel.protocol == protocol
        return channel.certificates


def messages(stream):
    """Return the handshake messages, type and contents, in the clear records of TLS 1.2."""
    contents = b""
    while stream and stream[0] == HANDSHAKE:
        length = int.from_bytes(stream[3:5])
        contents += stream[5 : 5 + length]
        stream = stream[5 + length :]
    while contents:
        length = int.from_bytes(contents[1:4])
        yield contents[0], contents[4 : 4 + length]
        contents = contents[4 + length :]


# What is sent


@both_versions
@pytest.mark.parametrize("order", [(0,), (0, 1, 2), (0, 2, 1), (0, 2), (0, 1, 1, 0)])
def test_exactly_these_certificates_are_sent_in_this_order(chain, private_key, protocol, order):
    """Nothing is added, dropped or sorted (RFC 5246 7.4.2), though OpenSSL could complete it from what it trusts."""
    certificates = tuple(chain.certificates[one] for one in order)
    with LoopbackServer(private_key, certificates) as server:
        for certificate in chain.certificates[1:]:
            store = server._context.get_cert_store()
            store.add_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, certificate.der))
        assert received(server, protocol) == tuple(one.der for one in certificates)


def test_the_size_of_the_message_is_that_on_the_wire_of_tls_1_2(chain, private_key):
    """RFC 5246 7.4.2: the message is in the clear, and ``CertificateMessage.size`` counts it to the byte."""
    recorders = []

    def recorder(over):
        recorders.append(Recorder(over))
        return recorders[0]

    with (
        LoopbackServer(private_key, chain.certificates) as server,
        reach(server, protocol=TLS_1_2, recorder=recorder) as channel,
    ):
        channel.handshake()
        message = CertificateMessage.from_der(channel.certificates, protocol=channel.protocol)
    sizes = [len(contents) for kind, contents in messages(recorders[0].came) if kind == CERTIFICATE]
    assert sizes == [message.size]


@pytest.mark.parametrize(("protocol", "option"), [(TLS_1_2, "-tls1_2"), (TLS_1_3, "-tls1_3")])
def test_the_size_of_the_message_is_what_openssl_prints(chain, private_key, protocol, option, require_tool):
    """RFC 8446 4.4.2: it is encrypted there, and ``s_client -msg`` prints its length, four bytes of header with it."""
    with LoopbackServer(private_key, chain.certificates) as server:
        done = subprocess.run(
            [require_tool("openssl"), "s_client", "-connect", f"{server.host}:{server.port}", "-msg", option],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    printed = re.findall(r"<<< .*Handshake \[length ([0-9a-f]+)\], Certificate$", done.stdout, re.MULTILINE)
    expected = CertificateMessage(certificates=chain.certificates, protocol=protocol).size
    assert [int(length, 16) - 4 for length in printed] == [expected]


@both_versions
def test_weak_keys_and_digests_are_served(protocol):
    """RSA with 1024 bits is below every client's minimum: they are to refuse it, not the server."""
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - weak on purpose
    authority = lab.Authority.create("CA", private_key=key)
    weak = authority.issue_server("EE", private_key=key)
    sha1 = resign(weak.certificate, key, "sha1_rsa", hashes.SHA1())  # noqa: S303 - as above
    with LoopbackServer(weak.private_key, [sha1, authority.certificate]) as server:
        assert received(server, protocol) == (sha1.der, authority.certificate.der)


@both_versions
@pytest.mark.parametrize("make", [ed25519.Ed25519PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP384R1())])
def test_other_keys_are_served(protocol, make):
    """Every key type with a signature scheme in both versions is served (RFC 8446 4.2.3, RFC 8422)."""
    server_with = lab.Authority.create("CA").issue_server("EE", private_key=make())
    with LoopbackServer(server_with.private_key, [server_with.certificate]) as server:
        assert received(server, protocol) == (server_with.certificate.der,)


@both_versions
def test_a_key_for_rsassa_pss_alone_is_served(protocol):
    """RFC 8446 4.2.3, rsa_pss_pss_sha256: by its PrivateKeyInfo, for pyca's key does not say (RFC 4055 section 1.2)."""
    key, certificate, info = pss_server()
    with LoopbackServer(key, [certificate], private_key_info=info) as server:
        assert received(server, protocol) == (certificate.der,)
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for given in ({}, {"private_key_info": plain}):
        with pytest.raises(InputError, match="its algorithm is not that of the certificate's key, as with RSA"):
            LoopbackServer(key, [certificate], **given)


def pss_server():
    """Return a key only for RSASSA-PSS: pyca's, a certificate that says so, and a PrivateKeyInfo that does."""
    authority, key = lab.Authority.create("CA"), lab.KeyType.RSA_2048.generate()
    structure = asn1_x509.Certificate.load(authority.issue_server("EE", private_key=key).certificate.der)
    structure["tbs_certificate"]["subject_public_key_info"]["algorithm"] = {"algorithm": "rsassa_pss"}
    certificate = Certificate.from_der(structure.dump(force=True))
    certificate = resign(certificate, authority.private_key, "sha256_ecdsa", hashes.SHA256())
    info = asn1_keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    info["private_key_algorithm"] = {"algorithm": "rsassa_pss"}
    return key, certificate, info.dump(force=True)


def test_certificates_that_pyca_refuses_are_served_as_they_are():
    """A slip in the encoding goes out byte for byte, first in the list or not: it is part of what clients judge."""
    authority = lab.Authority.create("CA")
    identity = authority.issue_server("EE")
    slipped = [
        resign(one, authority.private_key, "sha256_ecdsa", hashes.SHA256(), parameters=core.Null())
        for one in (identity.certificate, authority.certificate)
    ]
    assert all(one.encoding_error for one in slipped)
    with LoopbackServer(identity.private_key, slipped) as server:
        assert received(server) == tuple(one.der for one in slipped)


def resign(certificate, key, algorithm, digest, **fields):
    """Return a certificate with contents that pyca's builder refuses, signed again."""
    structure = asn1_x509.Certificate.load(certificate.der)
    tbs = structure["tbs_certificate"]
    tbs["signature"] = structure["signature_algorithm"] = {"algorithm": algorithm, **fields}
    signed = tbs.dump(force=True)
    if isinstance(key, rsa.RSAPrivateKey):
        structure["signature_value"] = key.sign(signed, padding.PKCS1v15(), digest)
    else:
        structure["signature_value"] = key.sign(signed, ec.ECDSA(digest))
    return Certificate.from_der(structure.dump(force=True))


def test_a_request_is_answered_and_the_connection_ends_in_order(chain, private_key):
    """204 and close_notify: a client of HTTP is content (RFC 9110 15.3.5), however its request is cut up."""
    with LoopbackServer(private_key, chain.certificates) as server, reach(server) as channel:
        channel.handshake()
        for part in (b"GET / HTTP/1.1\r\nHost: EE\r", b"\n\r", b"\n"):
            channel.write(part)
        answer = b""
        while more := channel.read(4096):
            answer += more
    assert answer == b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


def test_no_session_is_resumed(chain, private_key):
    """A resumed one has no Certificate message (RFC 8446 2.2), and a client would have judged nothing."""
    context = client_context(TLS_1_2)
    with LoopbackServer(private_key, chain.certificates) as server:
        with reach(server, context=context) as channel:
            channel.handshake()
            first = channel._connection
        with reach(server, context=context) as channel:
            channel._connection.set_session(first.get_session())
            channel.handshake()
            assert channel._connection.master_key() != first.master_key()


@pytest.mark.parametrize("suite", [b"AES128-GCM-SHA256", b"AES256-SHA"])
def test_the_key_decrypts_nothing(suite):
    """The server signs handshakes, and is not an oracle for ciphertexts (RFC 9325 section 4.1, RFC 8017 7.2)."""
    authority = lab.Authority.create("CA")
    server = authority.issue_server("EE", key_type=lab.KeyType.RSA_2048)
    context = client_context(TLS_1_2)
    context.set_cipher_list(suite + b":@SECLEVEL=0")
    with LoopbackServer(server.private_key, [server.certificate]) as serving:
        with reach(serving, protocol=TLS_1_2) as channel:
            channel.handshake()
        with reach(serving, context=context) as channel, pytest.raises(TLSError, match="handshake failure"):
            channel.handshake()


# What cannot be served


def test_what_cannot_be_served_is_said(chain, private_key):
    """Each is an InputError, before anything listens, and no message has a key in it."""
    leaf = chain.certificates[:1]
    exchange = x25519.X25519PrivateKey.generate()
    for key, certificates, says in (
        (private_key, (), "no certificate to serve"),
        (private_key, chain.certificates[1:], "with this private key: key values mismatch"),
        (ec.generate_private_key(ec.SECP256R1()), leaf, "with this private key: key values mismatch"),
        (dsa.generate_private_key(2048), leaf, "a DSA key cannot serve TLS"),
        (exchange, leaf, "with this private key: Unsupported key type"),
        (mldsa.MLDSA44PrivateKey.generate(), leaf, "its algorithm is not that of the certificate's key, as with RSA"),
    ):
        with pytest.raises(InputError, match=says) as caught:
            LoopbackServer(key, certificates)
        secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        assert repr(secret)[2:-1] not in str(caught.value)


def test_a_certificate_that_openssl_cannot_serve_is_said(chain):
    """A key that TLS has no signature for: the message names the certificate."""
    exchange = x25519.X25519PrivateKey.generate()
    certificate = chain.authorities["B"].issue("only to agree on keys", exchange.public_key())
    with pytest.raises(InputError, match="cannot serve the certificate of CN=only to agree on keys: unknown"):
        LoopbackServer(exchange, [certificate])


# What is bounded, and what is left


def test_a_client_that_says_nothing_is_left(chain, private_key):
    """A connection has a deadline of its own."""
    limits = replace(DEFAULT_LIMITS, client_seconds=0.05)
    with (
        LoopbackServer(private_key, chain.certificates, limits=limits) as server,
        socket.create_connection((server.host, server.port), timeout=SECONDS) as silent,
    ):
        assert silent.recv(1) == b""


def test_a_client_that_sends_without_end_is_left(chain, private_key):
    """A request has a budget, and no part of it is kept."""
    limits = replace(DEFAULT_LIMITS, tls_bytes=50_000)
    with LoopbackServer(private_key, chain.certificates, limits=limits) as server, reach(server) as channel:
        channel.handshake()
        for _ in range(1000):
            channel.write(bytes(16_000))
            if not channel._writable:
                break
        else:
            pytest.fail("the server takes 16 MB")


def test_connections_at_a_time_are_limited(chain, private_key):
    """One more waits until another has ended; it is not turned away."""
    limits = replace(DEFAULT_LIMITS, tls_connections=1)
    with LoopbackServer(private_key, chain.certificates, limits=limits) as server:
        with reach(server) as first:
            first.handshake()
            with reach(server, seconds=0.1) as second, pytest.raises(ChannelTimeoutError):
                second.handshake()
        assert received(server)


@pytest.mark.parametrize("opening", [b"", b"\x16\x03\x01\x02\x00"])
def test_who_says_nothing_makes_room(chain, private_key, nothing_left, opening):
    """Strangers on this computer that connect and wait do not keep the clients out; who has begun is not put out."""
    limits = replace(DEFAULT_LIMITS, tls_connections=3)
    with (
        nothing_left(),
        ExitStack() as clients,
        LoopbackServer(private_key, chain.certificates, limits=limits) as server,
    ):
        shaken = clients.enter_context(reach(server))
        shaken.handshake()
        strangers = [
            clients.enter_context(socket.create_connection((server.host, server.port), timeout=SECONDS))
            for _ in range(40)
        ]
        for stranger in strangers:
            with suppress(OSError):  # put out already
                stranger.sendall(opening)
        assert received(server)
        assert len(server._connections) <= limits.tls_connections
        shaken.write(b"GET / HTTP/1.1\r\n\r\n")
        assert shaken.read(4096).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize("ended_by", [None, KeyboardInterrupt, ValueError])
def test_nothing_is_left(chain, private_key, nothing_left, ended_by):
    """No port, thread, socket or file, however the block ends, with connections in every state: none is waited for."""
    server = LoopbackServer(private_key, chain.certificates, limits=replace(DEFAULT_LIMITS, client_seconds=HOUR))
    ended = suppress(KeyboardInterrupt, ValueError)
    with waiting_for_nothing(), nothing_left(), ExitStack() as clients, ended, server:
        port = server.port
        received(server)
        for opening in (b"", b"\x16\x03\x01\x02\x00"):  # the start of a ClientHello
            idle = clients.enter_context(socket.create_connection((server.host, port), timeout=SECONDS))
            idle.sendall(opening)
        shaken = clients.enter_context(reach(server))
        shaken.handshake()
        if ended_by is not None:
            raise ended_by
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LoopbackServer.host, port), timeout=SECONDS)


def test_it_can_be_reached_from_here_alone(chain, private_key):
    """It listens on loopback, not on every interface."""
    with LoopbackServer(private_key, chain.certificates) as server:
        assert server._listener.getsockname()[0] == "127.0.0.1"
