"""One HTTP request and its answer, within limits. It loads aiohttp: import it where something is to be fetched."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import re
import socket
import ssl
import zlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from pkcs12kit.limits import KIB
from pkcs12kit.retrieval.http.accounting import PASSING_STATUSES, UnansweredError, retry_after
from pkcs12kit.retrieval.http.permitted import PermittedResolver, RefusedAddressError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from aiohttp.abc import AbstractResolver

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.http.accounting import Tally

_PIECE: Final = 64 * KIB
_GZIP: Final = 16 + zlib.MAX_WBITS
_IDENTITY: Final = frozenset({"", "identity"})
_TOKENS: Final = re.compile(r"[a-z0-9, -]{1,40}")
_ZLIB_METHOD: Final = 8  # RFC 1950 section 2.2; raw deflate, which some servers send, begins otherwise


class Decoder:
    """Undo a Content-Encoding: gzip or deflate (RFC 9110 section 8.4.1), or none.

    Raises :class:`UnansweredError` for any other, here, and for data that is not what its header says, in the methods.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in {*_IDENTITY, "gzip", "x-gzip", "deflate"}:
            shown = name if _TOKENS.fullmatch(name) else "a name that is none"
            raise UnansweredError(f"in an encoding that was not asked for: {shown}")
        self.compressed = name not in _IDENTITY
        self._deflate = name == "deflate"
        self._inflater = zlib.decompressobj(_GZIP) if self.compressed and not self._deflate else None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Give the content of some more bytes, in pieces of at most 64 KiB."""
        if not self.compressed:
            yield data
            return
        if self._inflater is None:
            raw = data[0] & 0x0F != _ZLIB_METHOD
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
        while data:
            if self._inflater.eof:
                raise UnansweredError("more follows the end of its compressed content")
            try:
                piece = self._inflater.decompress(data, _PIECE)
            except zlib.error:
                raise UnansweredError("not compressed as its header says") from None
            if piece:
                yield piece
            data = self._inflater.unconsumed_tail or self._inflater.unused_data

    def finish(self) -> None:
        """Raise unless the compressed content came to its end."""
        if self.compressed and (self._inflater is None or not self._inflater.eof):
            raise UnansweredError("its compressed content is cut short", passing=True)


_OK: Final = 200
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})  # RFC 9110 section 15.4
_IDLE: Final = 2.0  # seconds that a connection is kept for the next request: long crawls meet many hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said: its content (200), a redirect, or that nothing has changed (304).

    ``location`` is where a redirect goes; empty where it does not say. ``whole`` is whether the server said where its
    content ends: without that, content that was cut looks the same.
    """

    status: int
    content: bytes | None = None
    sha256: str | None = None
    location: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to ask: by GET, or by POST where ``body`` and its media type are given.

    ``largest`` are the bytes of content, compressed and unpacked, that are taken, and the name of that limit.
    """

    url: URL
    headers: Mapping[str, str]
    body: tuple[bytes, str] | None
    largest: tuple[int, str]
    tally: Tally


class Transport:
    """Send requests, side by side, each within ``limits.retrieval_request_seconds``; never raises what aiohttp raises.

    By TLS, the server's certificate and name are verified with the system's trust anchors. Nothing is sent but what a
    request says: no cookies, no Referer, no passwords from ``~/.netrc``. Redirects are not followed here.

    Direct connections go to addresses that :class:`PermittedResolver` gave. Through a proxy it is the proxy that
    resolves names, and no address is checked, but for one that stands in the URL. The proxy itself may be anywhere.
    """

    def __init__(self, *, limits: Limits, allow_private: bool, resolver: AbstractResolver | None = None) -> None:
        self._limits = limits
        self._allow_private = allow_private
        self._resolver = resolver
        self._total = asyncio.Semaphore(limits.retrieval_connections)
        self._of_host: dict[str, asyncio.Semaphore] = {}
        self._stack = AsyncExitStack()
        self._proxies = Proxies()

    async def __aenter__(self) -> Self:
        """Load the trust anchors, and open two sessions: connections through proxies resolve names of their own."""
        trust = await asyncio.to_thread(ssl.create_default_context)
        permitted = PermittedResolver(allow_private=self._allow_private, resolver=self._resolver)
        self._direct = await self._stack.enter_async_context(self._session(trust, permitted))
        self._proxied = await self._stack.enter_async_context(self._session(trust, ThreadedResolver()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._stack.aclose()

    async def ask(self, request: Request) -> Answer:
        """Send one request; raises :class:`UnansweredError`. Waiting for its turn is not counted as its time."""
        proxy = self._proxies.of(request.url)
        seconds = self._limits.retrieval_request_seconds
        async with self._turn(request.url):
            request.tally.begins()
            try:
                async with asyncio.timeout(seconds) as deadline:
                    return await self._exchange(request, proxy)
            except TimeoutError as error:
                if deadline.expired():
                    raise UnansweredError(
                        f"not answered in full within {seconds:g} seconds (limits.retrieval_request_seconds)"
                    ) from None
                raise explain(error, limits=self._limits) from None
            except (aiohttp.ClientError, OSError, ValueError, EOFError) as error:
                raise explain(error, limits=self._limits) from None

    def _session(self, trust: ssl.SSLContext, resolver: AbstractResolver) -> aiohttp.ClientSession:
        idle = self._limits.retrieval_idle_seconds
        connector = aiohttp.TCPConnector(limit=0, ssl=trust, resolver=resolver, keepalive_timeout=_IDLE)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": _user_agent(),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=idle, sock_read=idle),
            auto_decompress=False,
            trust_env=False,
            middlewares=(_once,),
        )

    @asynccontextmanager
    async def _turn(self, url: URL) -> AsyncIterator[None]:
        host = (url.raw_host or "").removesuffix(".")
        of_host = self._of_host.setdefault(host, asyncio.Semaphore(self._limits.retrieval_host_connections))
        async with of_host, self._total:  # in this order: one slow host takes no turns from the others
            yield

    async def _exchange(self, request: Request, proxy: URL | None) -> Answer:
        session = self._direct if proxy is None else self._proxied
        headers = dict(request.headers)
        data = None
        if request.body is not None:
            data, headers["Content-Type"] = request.body
        async with session.request(
            "GET" if data is None else "POST",
            request.url,
            headers=headers,
            data=data,
            proxy=proxy,
            allow_redirects=False,
        ) as response:
            request.tally.heard(response.status)
            if response.status in _REDIRECTS:
                return Answer(status=response.status, location=response.headers.get("Location", ""))
            if response.status == _NOT_MODIFIED:
                return Answer(status=response.status)
            if response.status != _OK:
                raise _unwanted(response)
            content, sha256 = await _read(response, request)
            return Answer(
                status=response.status,
                content=content,
                sha256=sha256,
                etag=response.headers.get("ETag"),
                last_modified=response.headers.get("Last-Modified"),
                whole="Content-Length" in response.headers or "Transfer-Encoding" in response.headers,
            )


def _user_agent() -> str:
    try:
        return f"pkcs12kit/{version('pkcs12kit')}"
    except PackageNotFoundError:  # run from the source tree
        return "pkcs12kit"


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request a second time unasked, which it does when a connection is lost."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise ConnectionLostError from error


def _unwanted(response: aiohttp.ClientResponse) -> UnansweredError:
    status = response.status
    return UnansweredError(
        f"the server answers {status}",
        passing=status in PASSING_STATUSES,
        wait=retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC)),
    )


async def _read(response: aiohttp.ClientResponse, request: Request) -> tuple[bytes, str]:
    """Read the content to its end, or as far as a limit goes."""
    largest, limit = request.largest
    too_large = UnansweredError(f"more than {largest:,} bytes (limits.{limit})", refused=True)
    if (response.content_length or 0) > largest:
        raise too_large
    decoder = Decoder(", ".join(response.headers.getall("Content-Encoding", [])))
    content = bytearray()
    digest = hashlib.sha256()
    received = 0
    async for data in response.content.iter_any():
        request.tally.received(len(data))
        received += len(data)
        if received > largest:
            raise too_large
        for piece in decoder.feed(data):
            if decoder.compressed:
                request.tally.unpacked(len(piece))
            content += piece
            digest.update(piece)
            if len(content) > largest:
                raise too_large
    decoder.finish()
    return bytes(content), digest.hexdigest()


# Not ECONNREFUSED: nobody listens there. Too many open files are ours, and fewer later.
_PASSING_ERRORS: Final = frozenset(
    {errno.ECONNABORTED, errno.ECONNRESET, errno.EMFILE, errno.ENFILE, errno.EPIPE, errno.ETIMEDOUT}
)


class ConnectionLostError(aiohttp.ClientError):
    """The server closed or reset a connection before it answered."""


_CLOSED: Final = "the server closes the connection before it has answered"
_OTHERS: Final[tuple[tuple[type[Exception], str, bool], ...]] = (
    # kind, what it means, whether it may pass; a kind stands before those that it is one of
    (TimeoutError, "nothing is heard from the server for {idle}", True),
    (aiohttp.ClientPayloadError, "the answer is cut short or damaged on the way", True),
    (aiohttp.ClientResponseError, "the answer is not HTTP (RFC 9112), or its headers are too long", False),
    (ConnectionLostError, _CLOSED, True),
    (aiohttp.ServerDisconnectedError, _CLOSED, True),
    (ssl.SSLError, "TLS fails", False),
    (OSError, _CLOSED, True),  # after it was connected to
)


def explain(error: Exception, *, limits: Limits) -> UnansweredError:
    """Say what an error of aiohttp's means, and whether it may pass. Nothing that the server sent is repeated."""
    idle = f"{limits.retrieval_idle_seconds:g} seconds (limits.retrieval_idle_seconds)"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return _unresolved(error.os_error)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return _unconnected(error)
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return UnansweredError(f"cannot be connected to within {idle}", passing=True, unreachable=True)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return UnansweredError(f"the proxy answers {error.status}", passing=error.status in PASSING_STATUSES)
    for kind, why, passing in _OTHERS:
        if isinstance(error, kind):
            return UnansweredError(why.format(idle=idle), passing=passing)
    return UnansweredError(f"the request fails: {type(error).__name__}")


def _unresolved(error: OSError) -> UnansweredError:
    if isinstance(error, RefusedAddressError):
        return UnansweredError(str(error), refused=True)
    passing = error.errno == socket.EAI_AGAIN
    return UnansweredError(
        f"its host cannot be resolved: {error.strerror or 'no address'}", passing=passing, unreachable=True
    )


def _unconnected(error: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError) -> UnansweredError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", None) or "it is not verified"
        return UnansweredError(f"the server's certificate is not accepted: {why}", unreachable=True)
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        why = getattr(error.os_error, "reason", None) or "no reason is given"
        return UnansweredError(f"TLS fails: {why}", unreachable=True)
    what = "the proxy" if isinstance(error, aiohttp.ClientProxyConnectionError) else "its host"
    reset = isinstance(error.os_error, ConnectionResetError | ConnectionAbortedError)
    return UnansweredError(
        f"{what} cannot be connected to: {error.strerror or 'the connection is lost'}",
        passing=reset or error.errno in _PASSING_ERRORS,
        unreachable=True,
    )


_KINDS: Final = frozenset({"http", "https"})


class Proxies:
    """The proxies of ``http_proxy``, ``https_proxy`` and ``all_proxy``, but for the hosts in ``no_proxy``.

    Upper case will do as well, and on macOS and Windows the system's settings. A name and a password for the proxy
    come from its URL alone: ``~/.netrc``, which aiohttp would read, is not looked at.
    """

    def __init__(self) -> None:
        self._proxies = getproxies()

    def of(self, url: URL) -> URL | None:
        """Give the proxy for a URL, None for none; raises :class:`UnansweredError` for one of another kind."""
        named = self._proxies.get(url.scheme) or self._proxies.get("all")
        if not named or proxy_bypass(f"{url.raw_host}:{url.port}"):
            return None
        try:
            proxy = URL(named if "://" in named else f"http://{named}")
        except ValueError:
            raise UnansweredError("the proxy that the environment names has no URL") from None
        if proxy.scheme not in _KINDS or not proxy.raw_host:  # the URL is not repeated: it may hold a password
            raise UnansweredError("the proxy that the environment names is neither one of HTTP nor of HTTPS")
        return proxy
