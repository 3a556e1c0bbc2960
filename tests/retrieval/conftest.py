"""A real HTTP server on loopback that can do everything wrong, and fetchers that use it.

::

    def test_something(server, fetch):
        server.route("/ca.cer", b"content")                      # 200 with Content-Length
        server.answer("/moved", status=302, headers={"Location": "/ca.cer"})
        server.route("/odd", handler)                            # async def handler(exchange): anything
        server.otherwise(handler)                                # for paths without a route, else 404
        retrieval = fetch(server.url("/ca.cer"))                 # one Retrieval; of several URLs a tuple, side by side
        server.count("/ca.cer"), server.requests, server.most_at_once

A handler gets an :class:`Exchange`; ``exchange.number`` counts the requests to its path, from 1. When it
returns, the connection waits for the next request, unless ``exchange.close()`` was called. ``await
server.until(condition)`` waits, in a handler or in a test.

``serve(identity)`` starts further servers, by TLS where a ``lab`` identity is given; with ``greeting=`` one that speaks
before it is asked. ``https_server`` is one that the system's trust store (SSL_CERT_FILE) knows.
``names({"a.example.com": ["127.0.0.1"]})`` is a resolver, to be given as ``resolver=``. With ``public_loopback``,
127.0.0.1 counts as public where a name resolves to it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from aiohttp.abc import AbstractResolver
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit import lab
from pkcs12kit.event_loop import run
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.http import connections
from pkcs12kit.retrieval.http.client import Fetcher
from pkcs12kit.retrieval.http.permitted import require_permitted_address
from pkcs12kit.retrieval.retrieved import Purpose


@dataclass
class Exchange:
    """One request, and the connection for its response."""

    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    number: int
    reader: asyncio.StreamReader = field(repr=False)
    writer: asyncio.StreamWriter = field(repr=False)
    closed: bool = False

    async def send(self, data):
        """Write bytes, and wait until they are sent."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body=b"", *, status=200, headers=None):
        """Send a correct response. Content-Length is added unless given; a header that is None is left out."""
        fields = {"Content-Length": str(len(body)), **(headers or {})}
        lines = [f"HTTP/1.1 {status} Some Reason", *(f"{key}: {value}" for key, value in fields.items() if value)]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def stall(self):
        """Do nothing until the client goes away."""
        await self.reader.read()
        self.closed = True

    def close(self):
        """End the connection when the handler returns."""
        self.closed = True

    def reset(self):
        """End the connection by a TCP reset, now."""
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()
        self.closed = True


class Server:
    """An HTTP server in a thread of its own; see above. Use it as a context manager, or by the fixtures."""

    def __init__(self, tls=None, greeting=b""):
        self.requests: list[Exchange] = []
        self.most_at_once = 0
        self.errors: list[Exception] = []
        self._at_once = 0
        self._routes = {}
        self._fallback = None
        self._tls = tls
        self._greeting = greeting
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="test server")

    def __enter__(self):
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Stop the server and close every connection. A second call does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    @staticmethod
    async def until(condition):
        """Wait, in any event loop, until ``condition()`` is true: of what the server saw, for example."""
        while not condition():  # noqa: ASYNC110  # an Event would belong to one loop, and here are two
            await asyncio.sleep(0.001)

    @property
    def base(self):
        """The URL of the server, without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def url(self, path, *, host="127.0.0.1"):
        """A URL of the server, under another name of it if need be."""
        return self.base.replace("127.0.0.1", host) + path

    def route(self, path, handler):
        """Answer a request target by ``handler``: bytes, or an async function of an :class:`Exchange`."""
        self._routes[path] = handler

    def answer(self, path, body=b"", *, status=200, headers=None):
        """Answer a request target by status, headers and body."""

        async def handler(exchange):
            await exchange.answer(body, status=status, headers=headers)

        self.route(path, handler)

    def otherwise(self, handler):
        """Set the handler for paths without a route."""
        self._fallback = handler

    def count(self, path):
        """Return the number of requests to a target."""
        return sum(exchange.target == path for exchange in self.requests)

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._connections = set()
        listening = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        self.port = listening.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        listening.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader, writer):
        self._connections.add(task := asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
                writer.write(self._greeting)
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.transport.abort() if self._stop.is_set() else writer.close()
            with suppress(Exception):
                await writer.wait_closed()

    async def _exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        exchange = Exchange(method, target, headers, body, self.count(target) + 1, reader, writer)
        self.requests.append(exchange)
        handler = self._routes.get(target, self._fallback)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if handler is None:
                await exchange.answer(status=404)
            elif isinstance(handler, bytes):
                await exchange.answer(handler)
            else:
                await handler(exchange)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            self.errors.append(error)
            raise
        finally:
            self._at_once -= 1
        return not exchange.closed


class Names(AbstractResolver):
    """A resolver for a few names. Each has lists of addresses, one for each lookup."""

    def __init__(self, table):
        self._table = {name: list(answers) for name, answers in table.items()}
        self.asked = []

    async def resolve(self, host, port=0, _family=socket.AF_INET):
        """Return the next list of addresses; the last one again and again."""
        self.asked.append(host)
        if host not in self._table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._table[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in addresses
        ]

    async def close(self):
        """Do nothing: no connection is open."""


@pytest.fixture(autouse=True)
def _directly(_no_proxies):
    """The tests' servers are reached without a proxy."""


@pytest.fixture
def serve(tmp_path):
    """Start a server, with TLS for a ``lab`` identity: ``serve()``, ``serve(identity)``. The test's end stops it."""
    servers = []

    def start(identity=None, *, greeting=b""):
        context = None
        if identity is not None:
            pem = tmp_path / f"server{len(servers)}.pem"
            key = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            pem.write_bytes(key + identity.certificate.to_pem().encode())
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
        servers.append(Server(context, greeting).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [server.errors for server in servers if server.errors] == []


@pytest.fixture
def server(serve):
    """An HTTP server."""
    return serve()


@pytest.fixture(scope="session")
def tls_authority():
    """A CA for TLS servers."""
    return lab.Authority.create("TLS CA of the tests")


@pytest.fixture
def trusted_tls_authority(tls_authority, tmp_path, monkeypatch):
    """The same CA, in the system's trust store."""
    (tmp_path / "trust.pem").write_text(tls_authority.certificate.to_pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trust.pem"))
    return tls_authority


@pytest.fixture
def https_server(serve, trusted_tls_authority):
    """An HTTPS server with a certificate for 127.0.0.1 that fetchers accept."""
    return serve(trusted_tls_authority.issue_server("127.0.0.1"))


@pytest.fixture
def names():
    """Make a resolver: ``names({"a.example.com": ["127.0.0.1"]})``, or with lists of lists one answer a time."""

    def make(table):
        return Names({name: answers if isinstance(answers[0], list) else [answers] for name, answers in table.items()})

    return make


@pytest.fixture
def public_loopback(monkeypatch):
    """Let 127.0.0.1 pass for a public address where a name resolves to it, but not in a URL."""

    def require(address, *, allow_private=False):
        if address != "127.0.0.1":
            require_permitted_address(address, allow_private=allow_private)

    monkeypatch.setattr(connections, "require_permitted_address", require)


@pytest.fixture
def limits():
    """The default limits with others in their place; no waiting between tries unless told."""

    def make(**changes):
        return dataclasses.replace(DEFAULT_LIMITS, **{"retrieval_backoff_seconds": 0, **changes})

    return make


@pytest.fixture
def fetch(limits):
    """Fetch by a Fetcher of its own: ``fetch(url, ..., purpose=..., post=..., cache=..., retrieval_tries=1)``.

    Private addresses are allowed by default. An argument that is not one of Fetcher is a limit.
    """

    def fetch_them(*urls, purpose=Purpose.CA_ISSUERS, post=None, allow_private=True, **options):
        known = {name: options.pop(name) for name in ("cache", "offline", "on_event", "resolver") if name in options}

        async def main():
            async with Fetcher(allow_private=allow_private, limits=limits(**options), **known) as fetcher:
                return await asyncio.gather(*(fetcher.fetch(url, purpose, post=post) for url in urls))

        retrievals = run(main())
        return retrievals[0] if len(urls) == 1 else tuple(retrievals)

    return fetch_them
