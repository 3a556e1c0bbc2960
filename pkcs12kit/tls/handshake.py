"""A TLS handshake with one client: where it goes, and what came of it."""

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
    """What a client made of the server. The value is what ``--json`` prints."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_TRIED = "not-tried"
    """It is not installed, or cannot be asked what was to be asked; never taken for either of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server on loopback, and what a client is to know: trust anchors and name, and nothing else.

    ``server_name`` goes into SNI and is what the certificate has to be for; None where no name is asked for. ``time``
    is when the client is to believe that it is, None for now. ``protocols`` are tried one by one.
    ``seconds`` is how long one handshake may take, starting the client included. Setting ``cancelled``, from any
    thread, ends the client's program at once.
    """

    host: str
    port: int
    server_name: str | None
    trust_anchors: tuple[Certificate, ...]
    protocols: tuple[str, ...]
    time: datetime | None
    seconds: float
    cancelled: Event = field(default_factory=Event, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What one client made of the server, in one version of TLS.

    ``why`` is in the client's own words, one line, text from outside; empty where it accepted. ``received`` are the
    certificates that came, in the order of the wire, where the client says; else None.
    """

    client: str
    version: str
    """Of the client's program or library, with its name; empty where it is not there."""
    protocol: str
    verdict: Verdict
    why: str
    received: CertificateMessage | None = None

    def to_json(self) -> dict[str, object]:
        """Describe it for ``--json``."""
        return {
            "client": self.client,
            "version": self.version,
            "protocol": self.protocol,
            "verdict": self.verdict.value,
            "why": self.why,
            "received": None if self.received is None else self.received.to_json(),
        }


class Client(Protocol):
    """A TLS client that can be told which trust anchors it has."""

    @property
    def name(self) -> str:
        """Give the name by which ``--clients`` knows it."""

    def missing(self) -> str | None:
        """Say what keeps it from being run here, for example ``needs gnutls-cli``; None where nothing does."""

    def shake_hands(self, endpoint: Endpoint) -> Iterator[Handshake]:
        """Connect once for each protocol and say what came of each; a client that fails to run is NOT_TRIED."""
