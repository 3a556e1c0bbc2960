"""Let a client of another maker connect to a server that sends exactly what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.tls.certificate_message import TLS_1_3
from pkcs12kit.tls.handshake import Endpoint
from pkcs12kit.tls.rehearsal.server import LoopbackServer

if TYPE_CHECKING:
    from pkcs12kit import lab
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.identity import Identity

NAME = "mdm.example.mil"
SECONDS = 120.0  # a busy machine takes ten for a virtual machine
PROGRAMS = {
    "java": ("java", "javac"),
    "go": ("go",),
    "gnutls": ("gnutls-cli",),
    "nss": ("tstclnt", "certutil", "modutil"),
    "curl": ("curl",),
}


class Case(NamedTuple):
    """A server's identity, what it sends after its certificate, and what the client is to know."""

    server: Identity
    issuers: tuple[Certificate, ...]
    anchor: Certificate
    name: str | None = NAME


class World(NamedTuple):
    """A root, a CA below it and a server below that, and other CAs that are as good."""

    root: lab.Authority
    link: Certificate
    issuing: lab.Authority
    server: Identity
    other: lab.Authority

    def case(self, **changes):
        """The right one: everything is sent, and the root is the anchor."""
        return Case(self.server, (self.link,), self.root.certificate)._replace(**changes)


def endpoint(port, case, *, protocols=(TLS_1_3,), time=None, seconds=SECONDS):
    """Where the client goes, and what it is to know."""
    return Endpoint(
        host="127.0.0.1",
        port=port,
        server_name=case.name,
        trust_anchors=(case.anchor,),
        protocols=protocols,
        time=time,
        seconds=seconds,
    )


def ask(client, case, **more):
    """Serve a case and let the client connect; gives one handshake for each protocol."""
    with LoopbackServer(case.server.private_key, (case.server.certificate, *case.issuers)) as server:
        return tuple(client.shake_hands(endpoint(server.port, case, **more)))


def ask_once(client, case, **more):
    """Let the client connect in one protocol, TLS 1.3."""
    (handshake,) = ask(client, case, **more)
    return handshake
