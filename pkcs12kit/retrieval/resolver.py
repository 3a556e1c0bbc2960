"""From a name to addresses that may be connected to. It loads aiohttp: import it where something is to be fetched."""

from __future__ import annotations

import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from pkcs12kit.retrieval.permitted import RefusedError, require_permitted_address


class RefusedAddressError(OSError):
    """Every address of a name was refused; an OSError, for aiohttp passes no other on. The text says which and why."""


class PermittedResolver(AbstractResolver):
    """Resolve names, and leave out each address that may not be asked.

    aiohttp connects to the addresses given here and asks for the name no second time: a name that answers differently
    the next time (DNS rebinding) gains nothing. It does not come here with addresses: those are judged in the URL, by
    :func:`~pkcs12kit.retrieval.permitted.require_permitted_url`.

    ``resolver`` does the work: by default the system's, in threads of the event loop's executor. A lookup in a thread
    cannot be broken off; it ends when the system's resolver gives up.
    """

    def __init__(self, *, allow_private: bool = False, resolver: AbstractResolver | None = None) -> None:
        self._allow_private = allow_private
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give the addresses that may be asked; raises OSError where there are none."""
        permitted, refused = [], []
        for found in await self._resolver.resolve(host, port, family):
            try:
                require_permitted_address(found["host"], allow_private=self._allow_private)
            except RefusedError as error:
                refused.append(str(error))
            else:
                permitted.append(found)
        if refused and not permitted:
            raise RefusedAddressError(f"{host}: {'; '.join(dict.fromkeys(refused))}")
        return permitted

    async def close(self) -> None:
        """Close the resolver that does the work."""
        await self._resolver.close()
