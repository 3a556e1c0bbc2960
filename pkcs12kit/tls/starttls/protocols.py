"""Every protocol that knows a way to begin with TLS later: its port, its standard and its dialogue."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pkcs12kit.tls.starttls import binary, lines, xmpp
from pkcs12kit.tls.starttls.dialogue import Dialogue

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from pkcs12kit.limits import Limits
    from pkcs12kit.tls.channel import Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """One protocol, with the port that it has where none is given."""

    name: str
    port: int
    standard: str
    """Where the dialogue is written down."""
    converse: Callable[[Dialogue, str], None]
    """Speak up to the server's yes, to a server of that name."""


_PROTOCOLS: Final = (
    Protocol(name="ftp", port=21, standard="RFC 4217 section 4", converse=lines.ftp),
    Protocol(name="imap", port=143, standard="RFC 9051 section 6.2.1", converse=lines.imap),
    Protocol(name="ldap", port=389, standard="RFC 4511 section 4.14", converse=binary.ldap),
    Protocol(name="mysql", port=3306, standard="MySQL, Protocol::SSLRequest", converse=binary.mysql),
    Protocol(name="nntp", port=119, standard="RFC 4642 section 2.2", converse=lines.nntp),
    Protocol(name="pop3", port=110, standard="RFC 2595 section 4", converse=lines.pop3),
    Protocol(name="postgres", port=5432, standard="PostgreSQL, SSL Session Encryption", converse=binary.postgres),
    Protocol(name="sieve", port=4190, standard="RFC 5804 section 2.2", converse=lines.sieve),
    Protocol(name="smtp", port=25, standard="RFC 3207 section 4", converse=lines.smtp),
    Protocol(name="xmpp", port=5222, standard="RFC 6120 section 5.4", converse=xmpp.xmpp),
)
STARTTLS: Final[Mapping[str, Protocol]] = MappingProxyType({one.name: one for one in _PROTOCOLS})
"""By name, as ``--starttls`` has it."""


def start_tls(over: socket.socket, protocol: Protocol, *, server_name: str, deadline: Deadline, limits: Limits) -> None:
    """Speak the protocol until the server says yes; what comes over the socket after that is TLS.

    ``server_name`` is what an XMPP stream is opened to. Raises :class:`~pkcs12kit.tls.contact.ContactError` with the
    server's words where it does not come to that, and where anything else follows its yes in the clear.
    """
    dialogue = Dialogue(over, protocol.name, deadline=deadline, limits=limits)
    protocol.converse(dialogue, server_name)
    dialogue.end()
