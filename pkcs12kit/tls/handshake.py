"""TLS handshakes of rehearsals: the endpoint, the client, and the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from threading import Event
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.tls.certificate_message import CertificateMessage


class Verdict(Enum):
    """The answer of a client to the server. The value is printed by ``--json``."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_TRIED = "not-tried"
    """The client is not installed, or cannot be asked this. It is never taken for one of the other answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server on loopback, with everything that a client gets: trust anchors, server name and time."""

    host: str
    port: int
    server_name: str | None
    """The name that is sent in SNI, and that the certificate has to be for; None for no name."""
    trust_anchors: tuple[Certificate, ...]
    """The only trust anchors of the client."""
    protocols: tuple[str, ...]
    """The versions of TLS, which are tried one by one."""
    time: datetime | None
    """The time at which the client verifies; None for now."""
    seconds: float
    """The time for one handshake, starting the client included."""
    cancelled: Event = field(default_factory=Event, repr=False, compare=False)
    """Setting it, from any thread, ends the client's program at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """The result of one client in one version of TLS."""

    client: str
    """The name of the client."""
    version: str
    """The name and the version of the client's program or library; empty where it is not installed."""
    protocol: str
    """The version of TLS, for example ``TLSv1.3``."""
    verdict: Verdict
    """The client's answer."""
    why: str
    """The client's own text, one line from outside; empty where it accepted."""
    received: CertificateMessage | None = None
    """The certificates that the client received, in the order of the wire; None where it does not report them."""

    def to_json(self) -> dict[str, object]:
        """Return the result as ``--json`` prints it."""
        return {
            "client": self.client,
            "version": self.version,
            "protocol": self.protocol,
            "verdict": self.verdict.value,
            "why": self.why,
            "received": None if self.received is None else self.received.to_json(),
        }


class Client(Protocol):
    """A TLS client whose trust anchors can be chosen."""

    @property
    def name(self) -> str:
        """Return the name of the client for ``--clients``."""

    def missing(self) -> str | None:
        """Return why it cannot be run here, for example ``needs gnutls-cli``; None where it can."""

    def shake_hands(self, endpoint: Endpoint) -> Iterator[Handshake]:
        """Connect once for each protocol and yield the results; a client that cannot be run is NOT_TRIED."""
