"""Answers of live servers: the result of each version of TLS, and of all together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.probing.contact import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolAnswer:
    """The result of one handshake."""

    protocol: str
    """The version that was negotiated, where certificates came; else the version that was offered."""
    contact: Contact
    """The kind of result."""
    why: str = ""
    """The reason why the handshake did not end, which may quote the server; empty where it did."""
    message: CertificateMessage | None = None
    """The served chain; None unless ``contact`` is ANSWERED."""
    asks_for_client_certificate: bool = False
    """True where the server asks for a client certificate."""
    client_authorities: tuple[Name, ...] = field(default=(), repr=False)
    """The CAs whose client certificates the server accepts, as far as it names them (RFC 5246 section 7.4.4)."""
    is_old: bool = False
    """True where old versions and weak cipher suites were offered, as the offer of current clients led to nothing."""
    cipher_suite: str = ""
    """The cipher suite by OpenSSL's name; empty where none was negotiated."""
    group: str = ""
    """The group of the key exchange by OpenSSL's name; empty where there is none."""
    ended_by_server: bool = False
    """True where the server ended the handshake."""

    @property
    def is_complete(self) -> bool:
        """True where the handshake ended: then the server has the private key of its certificate."""
        return self.message is not None and not self.why

    def to_json(self) -> dict[str, object]:
        """Return the result as ``--json`` prints it; certificates by their SHA-256."""
        return {
            "protocol": self.protocol,
            "contact": self.contact.value,
            "why": self.why,
            "handshake_complete": self.is_complete,
            "cipher_suite": self.cipher_suite,
            "group": self.group,
            "asks_for_client_certificate": self.asks_for_client_certificate,
            "client_authorities": [str(name) for name in self.client_authorities],
            "bytes": None if self.message is None else self.message.size,
            "certificates": [one.sha256 for one in self.message.certificates] if self.message else [],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswer:
    """The results of one server, version by version of TLS, the newest first."""

    contact: Contact
    """The kind of the overall result."""
    why: str
    """The explanation of ``contact``, which may quote the server; empty where the server answered."""
    answered_at: str | None
    """The address that accepted the connection; None where none did."""
    protocols: tuple[ProtocolAnswer, ...]
    """The result of each version, the newest first."""
    not_asked: tuple[str, ...] = ()
    """The other addresses of the name, which may send another chain."""

    @property
    def answers(self) -> tuple[ProtocolAnswer, ...]:
        """The results in which certificates came."""
        return tuple(one for one in self.protocols if one.message is not None)

    @property
    def message(self) -> CertificateMessage | None:
        """The chain served in the newest version; None where no certificate came."""
        return next((one.message for one in self.answers), None)
