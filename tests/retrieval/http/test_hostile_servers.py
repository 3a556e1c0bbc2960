"""Servers that do everything wrong: bounded time and memory, a clear report, and nothing partial in the cache."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import tracemalloc
import zlib
from asyncio.selector_events import BaseSelectorEventLoop
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

import pytest

from pkcs12kit import lab
from pkcs12kit.limits import KIB, MIB
from pkcs12kit.retrieval.cache.cache import Cache
from pkcs12kit.retrieval.cache.entries import entry_name
from pkcs12kit.retrieval.retrieved import Purpose, Status

CONTENT = b"0 is how DER begins"
RAW = b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\nContent-Type: application/pkix-cert\r\n\r\n" + CONTENT
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0 is \r\ne\r\nhow DER begins\r\n0\r\n\r\n"


@pytest.fixture
def cache(tmp_path):
    """A cache that warns of nothing."""
    warned = []
    yield Cache(tmp_path / "cache", on_warning=warned.append)
    assert warned == []


@pytest.fixture
def fails(server, fetch, cache):
    """Let a handler answer, and check that the outcome is one failure, without a cache entry."""

    def outcome_of(handler, *, status=Status.FAILED, attempts=1, **options):
        server.route("/", handler)
        before = server.count("/")
        got = fetch(server.url("/"), cache=cache, **options)
        assert (got.status, got.content, got.sha256) == (status, None, None)
        assert (got.attempts, server.count("/") - before) == (attempts, attempts)
        assert got.why
        assert "\n" not in got.why
        assert list(cache.folder.iterdir()) == []
        return got

    return outcome_of


def raw(*parts, stalls=False):
    """A handler that sends these bytes and then ends the connection, or stays silent."""

    async def handler(exchange):
        for part in parts:
            await exchange.send(part)
        if stalls:
            await exchange.stall()
        exchange.close()

    return handler


def forever(beginning, part):
    """A handler that never ends."""

    async def handler(exchange):
        await exchange.send(beginning)
        while True:
            await exchange.send(part)

    return handler


# Time


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", RAW[:-5], CHUNKED[:-5]], ids=["nothing", "head", "body", "chunks"]
)
def test_silence(fails, sent):
    """A silent server is ended by retrieval_idle_seconds, at any point of the response, and tried again."""
    got = fails(raw(sent, stalls=True), attempts=2, retrieval_idle_seconds=0.1, retrieval_tries=2)
    assert "the server sends nothing for 0.1 seconds" in got.why


@pytest.mark.parametrize(
    "beginning",
    [b"HTTP/1.1 200 ", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"],
    ids=["status", "head", "body"],
)
def test_dribbling(fails, beginning):
    """A server that sends a byte now and then is ended by retrieval_request_seconds."""

    async def handler(exchange):
        await exchange.send(beginning)
        while True:
            await exchange.send(b"0")
            await asyncio.sleep(0.02)

    got = fails(handler, retrieval_request_seconds=0.3)
    assert "limits.retrieval_request_seconds" in got.why


@pytest.mark.parametrize(
    ("beginning", "part"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", b"a" * 65536),
    ],
    ids=["interim responses", "chunk extension"],
)
def test_what_is_read_over(fails, beginning, part):
    """Endless parts that HTTP skips (RFC 9110 section 15.2, RFC 9112 section 7.1.1) end by time, in little memory."""
    tracemalloc.start()
    try:
        got = fails(forever(beginning, part), retrieval_request_seconds=0.3)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "limits.retrieval_request_seconds" in got.why
    assert most < 16 * MIB


def test_nobody_accepts(fetch, names, monkeypatch):
    """A host that accepts no connection is ended by retrieval_idle_seconds, however many addresses it has."""
    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", lambda *_: asyncio.Event().wait())
    resolver = names({"www.example.com": ["192.0.2.1"]})
    got = fetch("http://www.example.com/", resolver=resolver, retrieval_idle_seconds=0.05, retrieval_tries=2)
    assert (got.status, got.attempts) == (Status.FAILED, 2)
    assert "no connection within 0.05 seconds" in got.why


# Size


def test_content_length_beyond_the_limit(fails):
    """A Content-Length above the limit ends the request before anything is read."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"
    got = fails(raw(head, b"0" * 1001), status=Status.REFUSED, retrieval_response_bytes=1000)
    assert "more than 1,000 bytes (limits.retrieval_response_bytes)" in got.why
    assert got.size == 0


def test_limit_of_size_is_inclusive(server, fetch):
    """Content of exactly the limit is accepted, with a length and in chunks; CRLs have another limit."""
    server.route("/length", raw(RAW))
    server.route("/chunks", raw(CHUNKED))
    for path, headers in (("/length", True), ("/chunks", False)):
        url = server.url(path)
        assert fetch(url, retrieval_response_bytes=19).content == CONTENT
        assert fetch(url, retrieval_response_bytes=18).status is Status.REFUSED, headers
        assert fetch(url, purpose=Purpose.CRL, retrieval_response_bytes=18).content == CONTENT
        crl = fetch(url, purpose=Purpose.CRL, retrieval_crl_bytes=18)
        assert "limits.retrieval_crl_bytes" in crl.why


PATIENT = {"retrieval_idle_seconds": 600, "retrieval_request_seconds": 600}  # so that a limit on size is what ends it
ENDLESS = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b"0" * 65536),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\n", b"0" * 65536),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"0" * 65536 + b"\r\n"),
    "small chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n0\r\n" * 10000),
    "gzip": (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"0" * 2**26)[:-8],
        b"0" * 65536,
    ),
    "gzip's file name": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08" + b"0" * 6, b"0" * 65536),
}


@pytest.mark.parametrize("how", ENDLESS)
def test_endless_data(fails, how):
    """However content is framed, reading ends at the limit, and so does the use of memory."""
    handler = forever(*ENDLESS[how])
    tracemalloc.start()
    try:
        got = fails(handler, status=Status.REFUSED, retrieval_response_bytes=128 * KIB, **PATIENT)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "limits.retrieval_response_bytes" in got.why
    assert got.size < 2 * MIB
    assert most < 16 * MIB


ENDLESS_HEADS = {
    "status line": (b"HTTP/1.1 200 ", b"O" * 65536),
    "one header": (b"HTTP/1.1 200 OK\r\nA: ", b"a" * 65536),
    "one name": (b"HTTP/1.1 200 OK\r\n", b"a" * 65536),
    "many headers": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 10000),
    "trailers": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 10000),
    "not HTTP": (b"220 smtp.example.com ESMTP\r\n", b"0" * 65536),
}


@pytest.mark.parametrize("what", ENDLESS_HEADS)
def test_endless_heads(fails, what):
    """Endless lines and headers are an error soon, in little memory."""
    handler = forever(*ENDLESS_HEADS[what])
    tracemalloc.start()
    try:
        got = fails(handler, retrieval_tries=1, **PATIENT)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "_seconds" not in got.why
    assert most < 16 * MIB


def test_compressed_content(server, fetch):
    """Responses in gzip and in both forms of deflate are decoded (RFC 9110 section 8.4.1)."""
    raw_deflate = zlib.compressobj(wbits=-15)
    bodies = {
        "gzip": gzip.compress(CONTENT),
        "X-GZIP": gzip.compress(CONTENT),
        "deflate": zlib.compress(CONTENT),
        "Deflate": raw_deflate.compress(CONTENT) + raw_deflate.flush(),
        "identity": CONTENT,
    }
    for encoding, body in bodies.items():
        server.answer(f"/{encoding}", body, headers={"Content-Encoding": encoding})
        got = fetch(server.url(f"/{encoding}"))
        assert (got.content, got.size) == (CONTENT, len(body)), encoding
        assert got.sha256 == hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("plain", [bytes(range(256)) * 300, Random(7).randbytes(80_000)], ids=["dense", "random"])  # noqa: S311  # not a secret
def test_compressed_content_is_counted_once(server, fetch, plain):
    """The budget of all URLs has the larger of the two sizes, compressed and decompressed, and not their sum."""
    body = gzip.compress(plain)
    counted = max(len(body), len(plain))
    server.answer("/", body, headers={"Content-Encoding": "gzip"})
    assert fetch(server.url("/"), retrieval_total_bytes=counted + 64).content == plain
    assert fetch(server.url("/"), retrieval_total_bytes=counted - 64).status is Status.REFUSED


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_gzip_bomb(fails, encoding):
    """64 MiB in 64 KiB are counted while they are decompressed, in small pieces."""
    bomb = gzip.compress(bytes(64 * MIB)) if encoding == "gzip" else zlib.compress(bytes(64 * MIB))
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    tracemalloc.start()
    try:
        got = fails(raw(head, bomb), status=Status.REFUSED, retrieval_response_bytes=MIB)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "limits.retrieval_response_bytes" in got.why
    assert most < 16 * MIB
    total = fails(raw(head, bomb), status=Status.REFUSED, retrieval_total_bytes=MIB)
    assert "limits.retrieval_total_bytes" in total.why


COMPRESSED = gzip.compress(CONTENT, mtime=0)  # the same in each process that runs tests


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", CONTENT, "Content-Encoding that was not asked for: br"),
        ("zstd", CONTENT, "Content-Encoding that was not asked for: zstd"),
        ("g\x1b[2Jzip\xff", CONTENT, "an invalid name"),
        ("gzip, gzip", gzip.compress(COMPRESSED, mtime=0), "Content-Encoding that was not asked for"),
        ("gzip", CONTENT, "not compressed as its header says"),
        ("deflate", CONTENT, "not compressed as its header says"),
        ("gzip", b"", "cut short"),
        ("gzip", COMPRESSED[:-1], "cut short"),
        ("gzip", COMPRESSED[:-5] + b"12345", "not compressed as its header says"),
        ("gzip", COMPRESSED + CONTENT, "more bytes follow"),
        ("gzip", COMPRESSED * 2, "more bytes follow"),
        ("deflate", zlib.compress(CONTENT)[:-1], "cut short"),
    ],
)
def test_compression_that_is_wrong(server, fetch, cache, encoding, body, why):
    """Other codings, several codings and damage are a failure with a reason, without partial content."""
    server.answer("/", body, headers={"Content-Encoding": encoding})
    got = fetch(server.url("/"), cache=cache)
    assert (got.status, got.content) == (Status.FAILED, None)
    assert why in got.why
    assert got.why.isprintable()
    assert list(cache.folder.iterdir()) == []


# Framing


@pytest.mark.parametrize("response", [RAW, CHUNKED], ids=["length", "chunks"])
def test_closed_at_every_byte(server, fetch, cache, response):
    """Each truncated response is a failure that is tried again and never cached (RFC 9112 section 8)."""
    for end in range(len(response)):
        server.route(f"/{end}", raw(response[:end]))
    urls = [server.url(f"/{end}") for end in range(len(response))]
    got = fetch(*urls, cache=cache, retrieval_tries=2)
    assert {(each.status, each.content) for each in got} == {(Status.FAILED, None)}
    assert {each.attempts for each in got} <= {1, 2}
    assert list(cache.folder.iterdir()) == []
    server.route("/whole", raw(response))
    assert fetch(server.url("/whole"), cache=cache).content == CONTENT
    assert len(list(cache.folder.iterdir())) == 1


@pytest.mark.parametrize("at", [0, 10, len(RAW) - 5])
def test_reset(fails, at):
    """A connection that is reset, before or within the response, is tried again."""

    async def handler(exchange):
        await exchange.send(RAW[:at])
        exchange.reset()

    fails(handler, attempts=3)


def test_a_second_try_that_is_whole(server, fetch, cache):
    """Truncated the first time, whole the second: the result has only the second content."""

    async def handler(exchange):
        await exchange.send(RAW[:-5] if exchange.number == 1 else RAW)
        exchange.close()

    server.route("/", handler)
    got = fetch(server.url("/"), cache=cache)
    assert (got.content, got.attempts, got.size) == (CONTENT, 2, 2 * len(CONTENT) - 5)
    assert cache.load(server.url("/")).content == CONTENT


@pytest.mark.parametrize(
    "response",
    [
        b"\x00" * 1000,
        b"\r\n" * 1000,
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 19, 20\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\nContent-Length: 20\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999999\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nContent-Length: nineteen\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hexadecimal\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n" + CONTENT,
        b"HTTP/1.1 999999 OK\r\nContent-Length: 19\r\n\r\n" + CONTENT,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" + CONTENT,
        b"HTTP/9.9 200 OK\r\nContent-Length: 19\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\n\xff\xfe: \x00\r\n\r\n" + CONTENT,
        b"\x15\x03\x01\x00\x02\x02\x28",  # a TLS alert: the port speaks TLS
    ],
)
def test_what_is_not_http(server, fetch, cache, response):
    """Lengths, chunks, statuses and headers that RFC 9112 does not allow are a failure without content."""
    server.route("/", raw(response))
    got = fetch(server.url("/"), cache=cache, retrieval_tries=1)
    assert (got.status, got.content) == (Status.FAILED, None)
    assert got.why
    assert list(cache.folder.iterdir()) == []


def test_bytes_after_the_answer(server, fetch, cache):
    """Bytes after the content are neither part of it nor the response to the next request (RFC 9112 section 9.2)."""

    async def handler(exchange):
        await exchange.send(RAW + b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n0 bad")

    server.otherwise(handler)
    got = fetch(*(server.url(f"/{number}") for number in range(10)), cache=cache, retrieval_host_connections=1)
    assert {each.content for each in got} == {CONTENT}


# Content


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "no content"),
        (b"<!DOCTYPE html><html><body>Please sign in", "web page"),
        (b"\xef\xbb\xbf\r\n <?xml version='1.0'?>", "web page"),
    ],
)
def test_pages_for_people(fails, body, why):
    """A captive portal or an error page with status 200 is a failure, and not cached."""

    async def handler(exchange):
        await exchange.answer(body, headers={"Content-Type": "application/pkix-cert"})

    assert why in fails(handler).why


@pytest.mark.parametrize("content_type", [None, "text/html", "application/json", "nonsense; ;;", "x" * 4000, "\xff"])
def test_content_types_say_nothing(server, fetch, content_type):
    """The Content-Type does not count: many servers do not know .p7c."""
    server.answer("/ca.p7c", CONTENT, headers={"Content-Type": content_type})
    assert fetch(server.url("/ca.p7c")).content == CONTENT


# Redirects


@pytest.mark.parametrize("length", [1, 2, 3])
def test_redirects_in_a_circle(server, fetch, length):
    """A redirect in a circle is noticed at once, and not tried again."""
    for number in range(length):
        server.answer(f"/{number}", status=302, headers={"Location": f"/{(number + 1) % length}#{number}"})
    got = fetch(server.url("/0"))
    assert (got.status, got.attempts, len(server.requests)) == (Status.FAILED, 1, length)
    assert "circle" in got.why
    assert len(got.redirects) == length


def test_redirects_to_ever_new_urls(server, fetch):
    """Endless redirects are refused after retrieval_redirects."""

    async def handler(exchange):
        await exchange.answer(status=301, headers={"Location": f"/{len(server.requests)}"})

    server.otherwise(handler)
    got = fetch(server.url("/"))
    assert got.status is Status.REFUSED
    assert len(server.requests) == 4
    assert len(got.redirects) == 4


@pytest.mark.usefixtures("public_loopback")
@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "not a public address"),
        ("http://127.0.0.1:8080/", "not a public address"),
        ("http://[::ffff:127.0.0.1]/", "not a public address"),
        ("//2130706433/", "not the usual form of an address"),
        ("http://internal.example.com/", "10.0.0.1 is not a public address"),
        ("http://metadata.google.internal/", "private network"),
        ("file:///etc/passwd", "file"),
        ("ftp://example.com/ca.cer", "ftp"),
        ("gopher://example.com:70/1", "gopher"),
        ("ldap://example.com/", "ldap"),
        ("data:,0", "data"),
        ("javascript:0", "javascript"),
        ("http://user:password@www.example.com/", "user name"),
        ("http://www.example.com:25/", "port 25"),
        ("http://www.example.com/\xff\x01", "characters"),
        ("/" + "a" * 8000, "limits.retrieval_url_characters"),
        ("http://[", "not a URL"),
    ],
)
def test_redirects_to_addresses_that_are_refused(server, fetch, names, cache, location, why):
    """Each redirect is checked like a URL in a certificate: scheme, host, port, and resolved addresses."""
    resolver = names({"www.example.com": ["127.0.0.1"], "internal.example.com": ["10.0.0.1"]})
    server.answer("/", status=302, headers={"Location": location})
    got = fetch(server.url("/", host="www.example.com"), allow_private=False, resolver=resolver, cache=cache)
    assert (got.status, got.attempts, got.http_status) == (Status.REFUSED, 1, 302)
    assert why in got.why
    assert got.why.isprintable()
    assert len(got.redirects) == 1
    assert got.redirects[0].isascii()
    assert len(server.requests) == 1
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("location", [None, ""])
def test_redirects_to_nowhere(fails, location):
    """A redirect without a target is a failure."""

    async def handler(exchange):
        await exchange.answer(status=301, headers={"Location": location})

    assert "without a target" in fails(handler).why


# Retry-After


@pytest.mark.parametrize("value", ["-5", "nonsense", "9" * 100, format_datetime(datetime(1999, 1, 1, tzinfo=UTC)), "0"])
def test_retry_after_that_does_not_hold_us_up(fails, value):
    """Negative, past and invalid values are ignored; a date too far in the future ends the tries."""

    async def handler(exchange):
        await exchange.answer(status=503, headers={"Retry-After": value})

    fails(handler, attempts=3)


@pytest.mark.parametrize(
    "value",
    ["31", "999999999999999", format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True)],
    ids=["31", "999999999999999", "tomorrow"],  # the same in each process that runs tests
)
def test_retry_after_that_is_too_long(fails, value):
    """A pause above retrieval_wait_seconds ends the tries, with a reason."""

    async def handler(exchange):
        await exchange.answer(status=429, headers={"Retry-After": value})

    assert "limits.retrieval_wait_seconds" in fails(handler).why


# TLS


def test_expired_certificate(serve, fetch, trusted_tls_authority):
    """An expired server certificate is a failure before anything is sent (RFC 5280 section 6.1.3 (a)(2))."""
    yesterday = lab.Validity.around(days_before=30, days_after=-1)
    server = serve(trusted_tls_authority.issue_server("127.0.0.1", validity=yesterday))
    got = fetch(server.url("/"))
    assert (got.status, got.attempts) == (Status.FAILED, 1)
    assert "certificate is not accepted: certificate has expired" in got.why
    assert server.requests == []


@pytest.mark.usefixtures("trusted_tls_authority")
def test_certificate_of_another(serve, fetch, tls_authority):
    """The server certificate must have the name in the URL (RFC 9110 section 4.3.4)."""
    server = serve(tls_authority.issue_server("www.example.com"))
    got = fetch(server.url("/"))
    assert "certificate is not accepted: IP address mismatch" in got.why
    assert (got.attempts, server.requests) == (1, [])


@pytest.mark.usefixtures("trusted_tls_authority")
def test_certificate_that_nobody_vouches_for(serve, fetch):
    """A server certificate of an unknown issuer, or self-signed, is a failure."""
    server = serve(lab.Authority.create("Some other CA").issue_server("127.0.0.1"))
    got = fetch(server.url("/"))
    assert "certificate is not accepted: unable to get local issuer certificate" in got.why
    assert (got.attempts, server.requests) == (1, [])


def test_https_where_there_is_none(serve, fetch):
    """An https URL of a server without TLS is a failure."""
    server = serve(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n")
    got = fetch(server.url("/").replace("http:", "https:"))
    assert (got.status, got.attempts) == (Status.FAILED, 1)
    assert "TLS" in got.why


# All of it at once


def test_the_rest_goes_on(server, fetch, cache):
    """Hostile servers do not affect the others: sound responses are fetched, and only these are cached."""
    for number, (beginning, part) in enumerate([*ENDLESS.values(), *ENDLESS_HEADS.values()]):
        server.route(f"/endless{number}", forever(beginning, part))
    server.route("/silent", raw(RAW[:-5], stalls=True))
    server.route("/cut", raw(RAW[:-5]))
    server.answer("/circle", status=302, headers={"Location": "/circle"})
    bad = [f"/endless{number}" for number in range(len(ENDLESS) + len(ENDLESS_HEADS))] + ["/silent", "/cut", "/circle"]
    good = [f"/{number}" for number in range(len(bad))]
    for path in good:
        server.route(path, CONTENT)
    paths = [path for pair in zip(bad, good, strict=True) for path in pair]
    bounds = {"retrieval_response_bytes": 64 * KIB, "retrieval_idle_seconds": 2, "retrieval_tries": 1}
    got = fetch(*(server.url(path) for path in paths), cache=cache, **bounds)
    fetched = [each.url for each in got if each.status is Status.FETCHED]
    assert fetched == [server.url(path) for path in good]
    assert {path.name for path in cache.folder.iterdir()} == {entry_name(url) for url in fetched}
