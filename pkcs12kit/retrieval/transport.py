"""One HTTP request and its answer, within limits. It loads aiohttp: import it where something is to be fetched."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp.resolver import ThreadedResolver

from pkcs12kit.retrieval.decoding import Decoder
from pkcs12kit.retrieval.failures import ConnectionLostError, explain
from pkcs12kit.retrieval.proxies import Proxies
from pkcs12kit.retrieval.resolver import PermittedResolver
from pkcs12kit.retrieval.retrying import PASSING_STATUSES, retry_after
from pkcs12kit.retrieval.unanswered import UnansweredError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType
    from typing import Self

    from aiohttp.abc import AbstractResolver
    from yarl import URL

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.tally import Tally

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
