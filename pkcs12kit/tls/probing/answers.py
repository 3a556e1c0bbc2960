"""Answers of live servers: the result of each version of TLS, and of all together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkcs12kit.tls.probing.key_types import server_key_type

if TYPE_CHECKING:
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.tls.certificate_message import CertificateMessage
    from pkcs12kit.tls.probing.contact import Contact
    from pkcs12kit.tls.probing.key_types import ServerKeyType


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
    asked_key_types: tuple[ServerKeyType, ...] = ()
    """The types of keys that this handshake asked for; empty where it asked for all."""

    @property
    def key_type(self) -> ServerKeyType | None:
        """The type of the key in the first certificate; None where none came."""
        return None if self.message is None else server_key_type(self.message.certificates[0])

    @property
    def was_asked_for(self) -> bool:
        """True where the certificate's key is of a type that this handshake asked for."""
        return not self.asked_key_types or self.key_type in self.asked_key_types

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
            "asked_key_types": [one.value for one in self.asked_key_types],
            "key_type": None if self.key_type is None else self.key_type.value,
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
    other_keys: tuple[ProtocolAnswer, ...] = ()
    """The results of the handshakes that asked for types of keys that the server had not shown in that version.

    A server without such a key refuses, or sends the same certificate once more: that is not a fault.
    """
    other_keys_stopped: str = ""
    """The reason why not all types of keys were asked for; empty where all were."""

    @property
    def answers(self) -> tuple[ProtocolAnswer, ...]:
        """The results in which certificates came."""
        return tuple(one for one in self.protocols if one.message is not None)

    @property
    def all_answers(self) -> tuple[ProtocolAnswer, ...]:
        """The results in which certificates came, those for other types of keys last."""
        return (*self.answers, *(one for one in self.other_keys if one.message is not None))

    @property
    def message(self) -> CertificateMessage | None:
        """The chain served in the newest version; None where no certificate came."""
        return next((one.message for one in self.answers), None)
