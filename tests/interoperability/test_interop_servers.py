"""What was built serves real TLS handshakes: by Java from the file itself, by Apache httpd and nginx from its PEM.

The clients trust the anchor and nothing else, so they accept the server only if it sends the whole path.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from pkcs12kit.builder.build import build
from pkcs12kit.lab import Authority, KeyType, make_replica, write

from . import servers

PASSWORD = "correct horse 42"
SERVER_NAME = "mdm.example.mil"


@pytest.fixture(
    scope="module",
    params=[pytest.param(KeyType.RSA_2048, marks=pytest.mark.slow), KeyType.EC_P256],
    ids=lambda kind: kind.value,
)
def built(request, tmp_path_factory):
    """A PKCS#12 file that build() made from a replica of the Federal PKI, with anchor and password beside it."""
    folder = tmp_path_factory.mktemp("built")
    lab = write(make_replica(server_name=SERVER_NAME, key_type=request.param), folder / "lab")
    (folder / "password.txt").write_text(PASSWORD)
    report = build(
        key=lab.key,
        certificate=lab.certificate,
        certificates=[lab.certificates],
        trust_anchors=[lab.trust_anchor],
        server_name=SERVER_NAME,
        output=folder / "server.p12",
        password=PASSWORD,
    )
    return folder, lab.trust_anchor, report.certificates


@pytest.fixture(scope="module")
def pem(built):
    """The PEM file that ``pkcs12kit convert --to pem`` makes of it, as an administrator would."""
    folder, _, _ = built
    pem = folder / "server.pem"
    command = [sys.executable, "-m", "pkcs12kit", "convert", folder / "server.p12", pem, "--to", "pem"]
    done = subprocess.run(
        [*command, "--password-file", folder / "password.txt"], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert pem.stat().st_mode & 0o777 == 0o600
    return pem


@pytest.fixture(params=["java", "apache", "nginx"])
def port(request, serve, built, tmp_path):
    """The loopback port of a server that has what was built."""
    if request.param == "java":
        server = serve("java")([built[0] / "server.p12"], built[0] / "password.txt")
    else:
        server = serve(request.param)([request.getfixturevalue("pem")], tmp_path / "server")
    with server as (number,):
        yield number
    with pytest.raises(ConnectionRefusedError):  # nobody listens there any more
        socket.create_connection(("127.0.0.1", number), timeout=5)


def shake_hands(port, anchor, name=SERVER_NAME):
    """Ask for a page as a client that trusts one certificate alone; gives the status line."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert context.check_hostname
    context.load_verify_locations(cafile=anchor)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as connection,
        context.wrap_socket(connection, server_hostname=name) as channel,
    ):
        channel.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return channel.recv(100).partition(b"\r\n")[0]


def test_clients_that_trust_only_the_anchor_accept_the_server(require_tool, built, port, tmp_path):
    """Python's and OpenSSL's clients verify the chain that is sent: complete and in order, RFC 8446 section 4.4.2."""
    _, anchor, certificates = built
    assert shake_hands(port, anchor).startswith(b"HTTP/1.1 ")
    assert [
        it.public_bytes(Encoding.DER) for it in servers.sent_to(require_tool("openssl"), port, anchor, SERVER_NAME)
    ] == [it.der for it in certificates]

    # The clients do look: at the anchor, and at the name.
    stranger = tmp_path / "stranger.pem"
    stranger.write_text(Authority.create("Federal Common Policy CA").certificate.to_pem())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"self-signed|unable to get"):
        shake_hands(port, stranger)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(port, anchor, "www.example.mil")
