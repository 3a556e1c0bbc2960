"""The clients by name, each loaded when it is used."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkcs12kit.tls.handshake import Client

CLIENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "openssl": "OpenSSLClient",
        "java": "JavaClient",
        "go": "GoClient",
        "gnutls": "GnuTLSClient",
        "nss": "NSSClient",
        "curl": "CurlClient",
    }
)
"""Each client's module and its class in there, in the order in which they are shown."""


def make_client(name: str) -> Client:
    """Make a client by its name in :data:`CLIENTS`. Raises :class:`KeyError`."""
    return cast("type[Client]", getattr(import_module(f"{__package__}.{name}"), CLIENTS[name]))()
