"""Connections: the addresses and proxies that they go to, and the meaning of their errors. It loads aiohttp."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from pkcs12kit.retrieval.http.accounting import PROXY_FAILS, PROXY_LOGIN, TRANSIENT_STATUSES, UnansweredError
from pkcs12kit.retrieval.http.permitted import RefusedError, require_permitted_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkcs12kit.limits import Limits

_PROXY_AUTHENTICATION: Final = 407
_OF_A_PROXY: Final = ("Proxy-Status", "Proxy-Authenticate", "X-Squid-Error")
_AMBIGUOUS: Final = frozenset({403, 502, 503, 504})
_PROXY_SCHEMES: Final = frozenset({"http", "https"})
# ECONNREFUSED is not among them: no program listens there. Too many open files are ours, and there will be fewer later.
_TRANSIENT_ERRORS: Final = frozenset(
    {errno.ECONNABORTED, errno.ECONNRESET, errno.EMFILE, errno.ENFILE, errno.EPIPE, errno.ETIMEDOUT}
)


class RefusedAddressError(OSError):
    """All addresses of a name are refused. An OSError, because aiohttp passes on no other error of a resolver."""


class ConnectionLostError(aiohttp.ClientError):
    """The server closed or reset a connection before it answered."""


class PermittedResolver(AbstractResolver):
    """A resolver that leaves out each address that may not be connected to.

    aiohttp connects to the addresses returned here and does not resolve the name a second time: a name that resolves to
    something else the next time (DNS rebinding) gains nothing. An address in a URL does not come here; it is checked
    with the URL, by :func:`~pkcs12kit.retrieval.http.permitted.require_permitted_url`.

    ``resolver`` does the lookup: by default the system's, in threads of the event loop's executor. A lookup in a thread
    cannot be cancelled; it ends when the system's resolver gives up.
    """

    def __init__(self, *, allow_private: bool = False, resolver: AbstractResolver | None = None) -> None:
        self._allow_private = allow_private
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the permitted addresses; raise OSError where there are none."""
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
        """Close the resolver that does the lookups."""
        await self._resolver.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy: its URL, which may hold a password, and the name of the setting that it comes from."""

    url: URL = field(repr=False)
    setting: str

    def __str__(self) -> str:
        """Return host, port and setting, without user name and password."""
        return f"{self.url.host}:{self.url.port} ({self.setting})"


class Proxies:
    """The proxies of ``http_proxy``, ``https_proxy`` and ``all_proxy``, except for the hosts in ``no_proxy``.

    The names may be in upper case; on macOS and Windows the system's settings count as well. The user name and password
    for a proxy come from its URL only: ``~/.netrc`` is not read.
    """

    def __init__(self) -> None:
        self._proxies = getproxies()

    def find(self, url: URL) -> Proxy | None:
        """Return the proxy for a URL, None for none; raise :class:`UnansweredError` for an unsupported proxy."""
        scheme = url.scheme if self._proxies.get(url.scheme) else "all"
        named = self._proxies.get(scheme)
        if not named or proxy_bypass(f"{url.raw_host}:{url.port}"):
            return None
        try:
            proxy = URL(named if "://" in named else f"http://{named}")
        except ValueError:
            raise UnansweredError(f"{PROXY_FAILS} in {_setting_of(scheme)} is not a URL") from None
        if proxy.scheme not in _PROXY_SCHEMES or not proxy.raw_host:  # not repeated: it may hold a password
            raise UnansweredError(f"{PROXY_FAILS} in {_setting_of(scheme)} is neither an HTTP nor an HTTPS proxy")
        return Proxy(url=proxy, setting=_setting_of(scheme))


def _setting_of(scheme: str) -> str:
    """Return the environment variable that names the proxy; in lower case it comes first, as for urllib."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), "the system's settings")


def of_proxy(status: int, headers: Mapping[str, str], proxy: Proxy | None) -> str | None:
    """Return whose answer a status is, as the beginning of a sentence; None where it is the server's.

    407 is always of a proxy (RFC 9110 section 15.5.8). Proxy-Status (RFC 9209) and Proxy-Authenticate come from one,
    and X-Squid-Error from Squid. Without them, a status that refuses or that gateways send can be of either.
    """
    if status == _PROXY_AUTHENTICATION and proxy is None:
        return f"a {PROXY_LOGIN} and asks for a login, but neither http_proxy nor https_proxy names a proxy"
    if status == _PROXY_AUTHENTICATION and proxy is not None:
        asked = "refuses the login" if proxy.url.user else "asks for a login"
        return f"the {PROXY_LOGIN}: it {asked} in the URL of {proxy.setting}; it is {proxy}"
    if proxy is None:
        return None
    if any(name in headers for name in _OF_A_PROXY):
        return f"{PROXY_FAILS} answers {status}; it is {proxy}"
    return (
        f"{PROXY_FAILS}, or the server behind it, answers {status}; the proxy is {proxy}"
        if status in _AMBIGUOUS
        else None
    )


_CLOSED: Final = "the server closes the connection before it answers"
_MEANINGS: Final[tuple[tuple[type[Exception], str, bool], ...]] = (
    # class, meaning, whether the next request may succeed; a class stands before its base classes
    (TimeoutError, "the server sends nothing for {idle}", True),
    (aiohttp.ClientPayloadError, "the response is cut short or was damaged on the way", True),
    (aiohttp.ClientResponseError, "the response is not HTTP (RFC 9112), or its headers are too long", False),
    (ConnectionLostError, _CLOSED, True),
    (aiohttp.ServerDisconnectedError, _CLOSED, True),
    (ssl.SSLError, "TLS fails", False),
    (OSError, _CLOSED, True),  # after the connection was made
)


def translate_error(error: Exception, *, limits: Limits, proxy: Proxy | None = None) -> UnansweredError:
    """Return the meaning of an error of aiohttp's. Text from the server is not repeated, and no password of a proxy.

    Behind a proxy it is often not known which of the two is at fault, so each reason names the proxy.
    """
    meaning = _meaning(error, limits, proxy)
    if proxy is not None and PROXY_FAILS not in (why := str(meaning)):
        meaning.args = (f"{why}, through {PROXY_FAILS} {proxy}",)
    return meaning


def _meaning(error: Exception, limits: Limits, proxy: Proxy | None) -> UnansweredError:
    idle = f"{limits.retrieval_idle_seconds:g} seconds (limits.retrieval_idle_seconds)"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _unresolved(error.os_error, proxy)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return _unconnected(error, proxy)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        to = "" if proxy is None else f" to {PROXY_FAILS} {proxy}"
        return UnansweredError(f"no connection{to} within {idle}", transient=True, unreachable=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        asked = of_proxy(error.status, {}, proxy) if error.status == _PROXY_AUTHENTICATION else None
        refused = f"answers {error.status} to CONNECT, and makes no connection to the server"
        why = asked or f"{PROXY_FAILS} {refused}; it is {proxy}"
        return UnansweredError(why, transient=error.status in TRANSIENT_STATUSES)
    for kind, why, transient in _MEANINGS:
        if isinstance(error, kind):
            return UnansweredError(why.format(idle=idle), transient=transient)
    return UnansweredError(f"the request fails: {type(error).__name__}")


def _unresolved(error: OSError, proxy: Proxy | None) -> UnansweredError:
    if isinstance(error, RefusedAddressError):
        return UnansweredError(str(error), refused=True)
    transient = error.errno == socket.EAI_AGAIN
    named = "its host" if proxy is None else f"{PROXY_FAILS} {proxy}"
    return UnansweredError(
        f"{named} cannot be resolved: {error.strerror or 'no address'}", transient=transient, unreachable=True
    )


def _unconnected(
    error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError, proxy: Proxy | None
) -> UnansweredError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", None) or "it is not verified"
        return UnansweredError(f"the server's certificate is not accepted: {why}", unreachable=True)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        why = getattr(error.os_error, "reason", None) or "no reason is given"
        return UnansweredError(f"TLS fails: {why}", unreachable=True)
    is_of_proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
    peer = f"{PROXY_FAILS} {proxy or ''}".rstrip() if is_of_proxy else "its host"
    reset = isinstance(error.os_error, ConnectionResetError | ConnectionAbortedError)
    return UnansweredError(
        f"cannot connect to {peer}: {error.strerror or 'the connection is lost'}",
        transient=reset or error.errno in _TRANSIENT_ERRORS,
        unreachable=True,
    )
