"""One HTTP request and its response, within limits. It loads aiohttp: import it where something has to be fetched."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
import zlib
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.resolver import ThreadedResolver

from pkcs12kit.limits import KIB
from pkcs12kit.retrieval.http.accounting import TRANSIENT_STATUSES, UnansweredError, retry_after
from pkcs12kit.retrieval.http.connections import (
    ConnectionLostError,
    PermittedResolver,
    Proxies,
    of_proxy,
    translate_error,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from aiohttp.abc import AbstractResolver
    from yarl import URL

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.http.accounting import Tally
    from pkcs12kit.retrieval.http.connections import Proxy

_OK: Final = 200
_NOT_MODIFIED: Final = 304
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})  # RFC 9110 section 15.4
_KEEP_ALIVE: Final = 2.0  # seconds that a connection is kept for the next request: long crawls meet many hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The response to a request: content (200), a redirect, or "not modified" (304).

    ``location`` is the target of a redirect; empty where the server names none. ``whole`` is True where the server said
    where its content ends; without that, content that was cut off looks complete.
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
    """A request: GET, or POST where ``body`` and its media type are given.

    ``largest`` is the limit for the content in bytes, both compressed and decompressed, and the name of that limit.
    """

    url: URL
    headers: Mapping[str, str]
    body: tuple[bytes, str] | None
    largest: tuple[int, str]
    tally: Tally


class Transport:
    """Sender of requests, many at a time, each within ``limits.retrieval_request_seconds``.

    With TLS, the server's certificate and name are verified with the system's trust anchors. A request contains only
    its own data: no cookies, no Referer, no passwords from ``~/.netrc``. Redirects are not followed here.

    Direct connections go to addresses from :class:`~pkcs12kit.retrieval.http.connections.PermittedResolver`. A proxy
    resolves names itself, so that behind a proxy only addresses in URLs are checked. The proxy may be anywhere.
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
        """Load the trust anchors and open two sessions; the one for proxies resolves the names of proxies."""
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

    async def send(self, request: Request) -> Response:
        """Send one request and return its response; raise :class:`UnansweredError` where there is none.

        The time in which a request waits for a free connection does not count.
        """
        proxy = self._proxies.find(request.url)
        seconds = self._limits.retrieval_request_seconds
        async with self._connection(request.url):
            request.tally.start()
            try:
                async with asyncio.timeout(seconds) as deadline:
                    return await self._exchange(request, proxy)
            except TimeoutError as error:
                if deadline.expired():
                    raise UnansweredError(
                        f"no complete response within {seconds:g} seconds (limits.retrieval_request_seconds)"
                    ) from None
                raise translate_error(error, limits=self._limits, proxy=proxy) from None
            except (aiohttp.ClientError, OSError, ValueError, EOFError) as error:
                raise translate_error(error, limits=self._limits, proxy=proxy) from None

    def _session(self, trust: ssl.SSLContext, resolver: AbstractResolver) -> aiohttp.ClientSession:
        idle = self._limits.retrieval_idle_seconds
        connector = aiohttp.TCPConnector(limit=0, ssl=trust, resolver=resolver, keepalive_timeout=_KEEP_ALIVE)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": _user_agent(),
                "Accept": "*/*",
                "Accept-Encoding": "gzip, deflate",
            },
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=idle, sock_read=idle),
            auto_decompress=False,
            trust_env=False,
            middlewares=(_send_once,),
        )

    @asynccontextmanager
    async def _connection(self, url: URL) -> AsyncIterator[None]:
        host = (url.raw_host or "").removesuffix(".")
        of_host = self._of_host.setdefault(host, asyncio.Semaphore(self._limits.retrieval_host_connections))
        async with of_host, self._total:  # in this order: requests that wait for a slow host do not block others
            yield

    async def _exchange(self, request: Request, proxy: Proxy | None) -> Response:
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
            proxy=None if proxy is None else proxy.url,
            allow_redirects=False,
        ) as response:
            request.tally.http_status = response.status
            if response.status in _REDIRECTS:
                return Response(status=response.status, location=response.headers.get("Location", ""))
            if response.status == _NOT_MODIFIED:
                return Response(status=response.status)
            if response.status != _OK:
                # In TLS, a proxy cannot answer instead of the server once the two are connected.
                seen = proxy if request.url.scheme == "http" else None
                raise UnansweredError(
                    of_proxy(response.status, response.headers, seen) or f"the server answers {response.status}",
                    transient=response.status in TRANSIENT_STATUSES,
                    wait=retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC)),
                )
            content, sha256 = await _read(response, request)
            return Response(
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


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself, as it does when a connection is lost."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise ConnectionLostError from error


async def _read(response: aiohttp.ClientResponse, request: Request) -> tuple[bytes, str]:
    """Return the content and its SHA-256; raise :class:`UnansweredError` as soon as it exceeds a limit."""
    largest, limit = request.largest
    too_large = UnansweredError(f"more than {largest:,} bytes (limits.{limit})", refused=True)
    if (response.content_length or 0) > largest:
        raise too_large
    decoder = ContentDecoder(", ".join(response.headers.getall("Content-Encoding", [])))
    content = bytearray()
    digest = hashlib.sha256()
    received = beyond = 0  # what was decoded beyond what was received: content is counted once, at its larger size
    async for data in response.content.iter_any():
        request.tally.add_received(len(data))
        received += len(data)
        if received > largest:
            raise too_large
        for piece in decoder.feed(data):
            content += piece
            if len(content) > received + beyond:
                request.tally.add_decoded(len(content) - received - beyond)
                beyond = len(content) - received
            digest.update(piece)
            if len(content) > largest:
                raise too_large
    decoder.finish()
    return bytes(content), digest.hexdigest()


_PIECE: Final = 64 * KIB
_GZIP: Final = 16 + zlib.MAX_WBITS
_IDENTITY: Final = frozenset({"", "identity"})
_TOKENS: Final = re.compile(r"[a-z0-9, -]{1,40}")
_ZLIB_METHOD: Final = 8  # RFC 1950 section 2.2; raw deflate, which some servers send, begins with another value


class ContentDecoder:
    """Decoder for the content codings that requests accept: gzip and deflate (RFC 9110 section 8.4.1), or none.

    The constructor raises :class:`UnansweredError` for any other coding; the methods raise it for malformed data.
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in {*_IDENTITY, "gzip", "x-gzip", "deflate"}:
            shown = name if _TOKENS.fullmatch(name) else "an invalid name"
            raise UnansweredError(f"the response has a Content-Encoding that was not asked for: {shown}")
        self.compressed = name not in _IDENTITY
        self._inflater = zlib.decompressobj(_GZIP) if self.compressed and name != "deflate" else None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the content of more bytes, in pieces of at most 64 KiB where it is compressed."""
        if not self.compressed:
            yield data
            return
        if self._inflater is None:
            raw = data[0] & 0x0F != _ZLIB_METHOD
            self._inflater = zlib.decompressobj(-zlib.MAX_WBITS if raw else zlib.MAX_WBITS)
        while data:
            if self._inflater.eof:
                raise UnansweredError("more bytes follow the end of the compressed content")
            try:
                piece = self._inflater.decompress(data, _PIECE)
            except zlib.error:
                raise UnansweredError("the content is not compressed as its header says") from None
            if piece:
                yield piece
            data = self._inflater.unconsumed_tail or self._inflater.unused_data

    def finish(self) -> None:
        """Raise unless the compressed content is complete."""
        if self.compressed and (self._inflater is None or not self._inflater.eof):
            raise UnansweredError("the compressed content is cut short", transient=True)
