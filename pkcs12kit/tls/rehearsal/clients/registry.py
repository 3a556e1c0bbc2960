"""The table of clients by name; each is imported when it is used."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkcs12kit.tls.handshake import Client

CLIENTS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "openssl": ("openssl", "OpenSSLClient"),
        "java": ("compiled", "JavaClient"),
        "go": ("compiled", "GoClient"),
        "gnutls": ("gnutls", "GnuTLSClient"),
        "nss": ("nss", "NSSClient"),
        "curl": ("curl", "CurlClient"),
    }
)
"""The module and the class of each client, in the order of display."""


def make_client(name: str) -> Client:
    """Return a new client by its name in :data:`CLIENTS`."""
    module, client = CLIENTS[name]
    return cast("type[Client]", getattr(import_module(f"{__package__}.{module}"), client))()
