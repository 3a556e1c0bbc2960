"""The HTTP client with correct servers: each URL once, many at a time, from the cache where possible."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pkcs12kit.event_loop import run
from pkcs12kit.retrieval.cache.cache import Cache
from pkcs12kit.retrieval.http import request as requesting
from pkcs12kit.retrieval.http.accounting import retry_after, seconds_before
from pkcs12kit.retrieval.http.client import Fetcher
from pkcs12kit.retrieval.retrieved import Progress, Purpose, Retrieval, Status

CONTENT = b"0 is how DER begins"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def cache(tmp_path):
    """A cache that warns of nothing."""
    warned = []
    yield Cache(tmp_path / "cache", on_warning=warned.append)
    assert warned == []


@pytest.fixture
def slept(monkeypatch):
    """The pauses between tries, recorded and skipped."""
    seconds = []
    real = asyncio.sleep

    async def sleep(delay, *_):
        seconds.append(delay)
        await real(0)

    monkeypatch.setattr(requesting.asyncio, "sleep", sleep)
    return seconds


def test_one_url(server, fetch):
    """A retrieval has content, hash and costs; its JSON has all but the content."""
    server.route("/ca.cer", CONTENT)
    got = fetch(server.url("/ca.cer"))
    assert got.status is Status.FETCHED
    assert (got.content, got.sha256) == (CONTENT, hashlib.sha256(CONTENT).hexdigest())
    assert (got.url, got.why, got.http_status, got.redirects) == (server.url("/ca.cer"), "", 200, ())
    assert (got.attempts, got.size, server.count("/ca.cer")) == (1, len(CONTENT), 1)
    assert got.seconds > 0
    assert json.loads(json.dumps(got.to_json()))["bytes"] == len(CONTENT)


def test_what_is_sent(server, fetch, monkeypatch, tmp_path):
    """A request has only needed headers: no cookie, no Referer, no password from ~/.netrc, also after a redirect."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\ndefault login me password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.answer("/a", status=302, headers={"Location": "/b", "Set-Cookie": "a=b; Path=/"})
    server.route("/b", CONTENT)
    assert fetch(server.url("/a")).content == CONTENT
    for request in server.requests:
        assert request.headers.pop("user-agent").startswith("pkcs12kit")
        assert request.headers == {
            "host": f"127.0.0.1:{server.port}",
            "accept": "*/*",
            "accept-encoding": "gzip, deflate",
        }


def test_each_url_is_fetched_once(server, limits):
    """Calls at the same time, later, with another spelling and for another purpose: one request, one retrieval."""
    server.route("/a", CONTENT)
    spelled = f"HTTP://127.0.0.1:{server.port}/a#fragment"

    async def main():
        async with Fetcher(allow_private=True, limits=limits()) as fetcher:
            together = await asyncio.gather(*(fetcher.fetch(server.url("/a"), Purpose.CA_ISSUERS) for _ in range(20)))
            later = await fetcher.fetch(spelled, Purpose.CA_REPOSITORY)
            return together, later, fetcher.retrievals

    together, later, retrievals = run(main())
    assert server.count("/a") == 1
    assert {each.content for each in (*together, later)} == {CONTENT}
    assert later.purpose is Purpose.CA_REPOSITORY
    assert retrievals == (together[0],)


def test_another_purpose_may_take_more(server, limits):
    """A URL above the limit for certificates is requested again as a CRL, which may be larger."""
    server.route("/a", CONTENT)

    async def main():
        small = limits(retrieval_response_bytes=5)
        async with Fetcher(allow_private=True, limits=small) as fetcher:
            return [await fetcher.fetch(server.url("/a"), purpose) for purpose in (Purpose.CA_ISSUERS, Purpose.CRL)]

    certificate, crl = run(main())
    assert (certificate.status, crl.status) == (Status.REFUSED, Status.FETCHED)


def test_events_and_order(server, limits):
    """Retrievals are in the order of the calls; each is reported once, with progress in between."""
    events = []

    async def last(exchange):
        await server.until(lambda: server.count("/2"))
        await exchange.answer(CONTENT)

    server.route("/1", last)
    server.route("/2", CONTENT)
    urls = [server.url("/1"), "ftp://example.com/", server.url("/2"), "ldap://example.com/cn=CA", server.url("/3")]

    async def main():
        async with Fetcher(allow_private=True, limits=limits(), on_event=events.append) as fetcher:
            await asyncio.gather(*(fetcher.fetch(url, Purpose.CA_ISSUERS) for url in (*urls, *urls)))
            return fetcher.retrievals

    retrievals = run(main())
    assert [each.url for each in retrievals] == urls
    assert [each.status.name for each in retrievals] == ["FETCHED", "REFUSED", "FETCHED", "SKIPPED", "FAILED"]
    told = [event for event in events if isinstance(event, Retrieval)]
    assert sorted(told, key=lambda each: urls.index(each.url)) == list(retrievals)
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].size == 2 * len(CONTENT)
    assert all(each.finished <= each.asked <= len(urls) for each in progress)


def test_what_the_callback_raises_comes_out(server, fetch):
    """An error of ``on_event`` is raised, not taken for one of the network."""
    server.route("/a", CONTENT)

    def on_event(_):
        raise BrokenPipeError("standard error is gone")

    with pytest.raises(BrokenPipeError, match="standard error is gone"):
        fetch(server.url("/a"), on_event=on_event)


def test_outside_of_its_block(limits):
    """A fetcher that is not open, or closed, raises."""
    fetcher = Fetcher(limits=limits())
    with pytest.raises(RuntimeError, match="async with"):
        run(fetcher.fetch("http://example.com/", Purpose.CRL))


def test_post(server, fetch, cache):
    """An OCSP request goes by POST with its media type (RFC 6960 appendix A.1), and its response is not cached."""
    server.route("/ocsp", CONTENT)
    post = (b"request", "application/ocsp-request")
    got = fetch(server.url("/ocsp"), purpose=Purpose.OCSP, post=post, cache=cache)
    assert got.content == CONTENT
    request = server.requests[0]
    assert (request.method, request.body) == ("POST", b"request")
    assert request.headers["content-type"] == "application/ocsp-request"
    assert list(cache.folder.iterdir()) == []
    offline = fetch(server.url("/ocsp"), purpose=Purpose.OCSP, post=post, cache=cache, offline=True)
    assert offline.status is Status.SKIPPED


# Redirects


def test_redirects_within_the_limit(server, fetch, limits):
    """retrieval_redirects redirects are followed, also relative ones; one more is refused (RFC 9110 section 15.4)."""
    for number, status in enumerate((301, 302, 303, 307, 308)):
        server.answer(f"/{number}", status=status, headers={"Location": f"{number + 1}"})
    server.route("/5", CONTENT)
    followed = fetch(server.url("/0"), retrieval_redirects=5)
    assert followed.content == CONTENT
    assert followed.redirects == tuple(server.url(f"/{number}") for number in range(1, 6))
    assert followed.attempts == 1
    refused = fetch(server.url("/0"), retrieval_redirects=4)
    assert refused.status is Status.REFUSED
    assert "limits.retrieval_redirects" in refused.why
    assert limits().retrieval_redirects == 3


def test_redirects_of_another_try(server, fetch):
    """Each try follows redirects again: the redirects of a try count, and are reported, once."""

    async def handler(exchange):
        await exchange.answer(CONTENT, status=503 if exchange.number < 3 else 200)

    server.answer("/a", status=302, headers={"Location": "/b"})
    server.route("/b", handler)
    got = fetch(server.url("/a"), retrieval_redirects=1)
    assert (got.content, got.attempts, got.redirects) == (CONTENT, 3, (server.url("/b"),))
    assert server.count("/a") == 3


def test_redirect_of_a_post(server, fetch):
    """307 and 308 keep method and body (RFC 9110 section 15.4.8); other redirects of a POST fail."""
    server.answer("/307", status=307, headers={"Location": "/end"})
    server.answer("/302", status=302, headers={"Location": "/end"})
    server.route("/end", CONTENT)
    post = (b"request", "application/ocsp-request")
    assert fetch(server.url("/307"), post=post).content == CONTENT
    assert server.requests[-1].body == b"request"
    lost = fetch(server.url("/302"), post=post)
    assert lost.status is Status.FAILED
    assert "lose its body" in lost.why


def test_no_way_from_https_to_http(server, https_server, fetch):
    """A redirect from https to http is refused; the other way is followed."""
    https_server.answer("/down", status=302, headers={"Location": server.url("/")})
    https_server.route("/", CONTENT)
    server.answer("/up", status=302, headers={"Location": https_server.url("/")})
    down, up = fetch(https_server.url("/down"), server.url("/up"))
    assert down.status is Status.REFUSED
    assert "from https to http" in down.why
    assert up.content == CONTENT
    assert server.count("/") == 0


# Addresses


def test_loopback_is_refused_unless_allowed(server, fetch, names):
    """A private server is refused, by its address and by a name that resolves to it; nothing is sent."""
    server.route("/", CONTENT)
    resolver = names({"www.example.com": ["127.0.0.1", "10.0.0.1"]})
    for url in (server.url("/"), server.url("/", host="www.example.com")):
        got = fetch(url, allow_private=False, resolver=resolver)
        assert got.status is Status.REFUSED
        assert "not a public address" in got.why
    assert server.requests == []
    assert fetch(server.url("/", host="www.example.com"), resolver=resolver).content == CONTENT


@pytest.mark.usefixtures("public_loopback")
def test_dns_rebinding(server, fetch, names):
    """The connection goes to the checked address: the name is not resolved in between (DNS rebinding)."""
    server.route("/a", CONTENT)
    server.answer("/b", status=302, headers={"Location": "/a"})
    resolver = names({"www.example.com": [["127.0.0.1"], ["127.0.0.2"]]})  # public at first, private ever after
    url = server.url("/b", host="www.example.com")
    assert fetch(url, allow_private=False, resolver=resolver).content == CONTENT
    assert resolver.asked == ["www.example.com"]
    again = fetch(url, allow_private=False, resolver=resolver)
    assert again.status is Status.REFUSED
    assert "127.0.0.2 is not a public address" in again.why
    assert len(server.requests) == 2


@pytest.mark.usefixtures("public_loopback")
def test_private_addresses_among_public_ones(server, fetch, names):
    """Private addresses of a name are left out: the connection goes to the public one."""
    server.route("/a", CONTENT)
    resolver = names({"www.example.com": ["10.0.0.1", "127.0.0.1", "::1"]})
    url = server.url("/a", host="www.example.com")
    assert fetch(url, allow_private=False, resolver=resolver).content == CONTENT


# The cache


def test_fresh_entries_are_not_asked_for(server, fetch, cache):
    """Within retrieval_fresh_seconds the cache answers without a request; after that the server is asked."""
    server.route("/a", CONTENT)
    first = fetch(server.url("/a"), cache=cache)
    second = fetch(server.url("/a"), cache=cache)
    third = fetch(server.url("/a"), cache=cache, retrieval_fresh_seconds=0)
    assert [each.status for each in (first, second, third)] == [Status.FETCHED, Status.CACHED, Status.FETCHED]
    assert first.content == second.content == third.content
    assert (second.sha256, second.size, second.attempts) == (first.sha256, 0, 0)
    assert server.count("/a") == 2


def test_conditional_requests(server, fetch, cache):
    """Validators are sent back unchanged; 304 renews the entry (RFC 9110 sections 13.1 and 15.4.5)."""
    modified = format_datetime(NOW, usegmt=True)

    async def handler(exchange):
        headers = {"ETag": '"v1"', "Last-Modified": modified}
        if exchange.headers.get("if-none-match") == '"v1"' and exchange.headers.get("if-modified-since") == modified:
            await exchange.send(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        else:
            await exchange.answer(CONTENT, headers=headers)

    server.route("/a", handler)
    first = fetch(server.url("/a"), cache=cache)
    cache.confirm(server.url("/a"), fetched=datetime.now(UTC))
    before = cache.load(server.url("/a")).fetched
    second = fetch(server.url("/a"), cache=cache, retrieval_fresh_seconds=0)
    assert (first.status, second.status) == (Status.FETCHED, Status.UNCHANGED)
    assert (second.content, second.http_status, second.why) == (CONTENT, 304, "")
    assert cache.load(server.url("/a")).fetched > before
    assert fetch(server.url("/a"), cache=cache).status is Status.CACHED


def test_304_that_nobody_asked_for(server, fetch, cache):
    """A 304 without a cache entry is a failure."""
    server.answer("/a", status=304, headers={"Content-Length": None})
    got = fetch(server.url("/a"), cache=cache)
    assert got.status is Status.FAILED
    assert "304 to a request without conditions" in got.why


def test_entries_from_the_future_are_not_relied_on(server, fetch, cache):
    """An entry from the future is not fresh: the clock may have been set back."""
    server.route("/a", CONTENT)
    cache.store(
        server.url("/a"), b"0 old", etag=None, last_modified=None, fetched=datetime.now(UTC) + timedelta(days=300)
    )
    assert fetch(server.url("/a"), cache=cache).content == CONTENT


def test_offline(server, fetch, cache):
    """Offline, only the cache answers, however old; other URLs are skipped, with or without a cache."""
    server.route("/a", CONTENT)
    cache.store(server.url("/a"), b"0 old", etag=None, last_modified=None, fetched=NOW)
    old, missing = fetch(server.url("/a"), server.url("/b"), cache=cache, offline=True)
    assert (old.status, old.content) == (Status.CACHED, b"0 old")
    assert (missing.status, missing.content) == (Status.SKIPPED, None)
    assert fetch(server.url("/a"), offline=True).status is Status.SKIPPED
    public_only = fetch(server.url("/a"), cache=cache, offline=True, allow_private=False)
    assert public_only.status is Status.CACHED  # nobody is asked, so no address has to be public
    assert server.requests == []


def test_a_cached_response_counts(server, fetch, cache):
    """The limits on bytes hold for cache entries as well: they limit memory."""
    cache.store(server.url("/a"), CONTENT, etag=None, last_modified=None, fetched=datetime.now(UTC))
    for limit in ("retrieval_response_bytes", "retrieval_total_bytes"):
        assert fetch(server.url("/a"), cache=cache, **{limit: len(CONTENT)}).status is Status.CACHED
        got = fetch(server.url("/a"), cache=cache, **{limit: len(CONTENT) - 1})
        assert got.status is Status.REFUSED
        assert f"limits.{limit}" in got.why


def test_what_ends_with_the_connection_is_not_cached(server, fetch, cache):
    """Content without a length or chunks may have been cut (RFC 9112 section 8): it is used, and not cached."""

    async def handler(exchange):
        await exchange.answer(CONTENT, headers={"Content-Length": None})
        exchange.close()

    server.route("/a", handler)
    assert fetch(server.url("/a"), cache=cache).content == CONTENT
    assert list(cache.folder.iterdir()) == []


# Trying again


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_passing_errors_are_tried_again(server, fetch, status, slept):
    """Statuses of a state that may pass (RFC 9110 section 15) are tried again after a pause."""

    async def handler(exchange):
        if exchange.number < 3:
            await exchange.answer(status=status)
        else:
            await exchange.answer(CONTENT)

    server.route("/a", handler)
    got = fetch(server.url("/a"), retrieval_backoff_seconds=1)
    assert (got.content, got.attempts, got.http_status) == (CONTENT, 3, 200)
    assert 0.5 <= slept[0] <= 1 <= slept[1] <= 2


@pytest.mark.parametrize("status", [204, 206, 300, 400, 401, 403, 404, 407, 410, 418, 451, 500, 501, 505])
def test_other_answers_are_final(server, fetch, status):
    """Other statuses are not tried again; the reason names the status."""
    server.answer("/a", b"" if status == 204 else CONTENT, status=status, headers={"Retry-After": "0"})
    got = fetch(server.url("/a"))
    assert (got.status, got.http_status, got.attempts) == (Status.FAILED, status, 1)
    assert str(status) in got.why
    assert server.count("/a") == 1


def test_tries_have_a_limit(server, fetch):
    """After retrieval_tries requests, the last response is the outcome."""
    server.answer("/a", status=503)
    for tries in (1, 4):
        before = server.count("/a")
        got = fetch(server.url("/a"), retrieval_tries=tries)
        assert (got.status, got.attempts, server.count("/a") - before) == (Status.FAILED, tries, tries)


def test_retry_after_is_honoured_within_a_limit(server, fetch, slept):
    """The server names the pause (RFC 9110 section 10.2.3); one above retrieval_wait_seconds ends the tries."""
    server.answer("/soon", status=503, headers={"Retry-After": "7"})
    server.answer("/never", status=503, headers={"Retry-After": "8"})
    fetch(server.url("/soon"), retrieval_tries=2, retrieval_wait_seconds=7)
    assert len(slept) == 1
    assert slept[0] >= 7
    given_up = fetch(server.url("/never"), retrieval_tries=2, retrieval_wait_seconds=7)
    assert given_up.attempts == 1
    assert "8 seconds" in given_up.why
    assert "limits.retrieval_wait_seconds" in given_up.why
    assert len(slept) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    {
        "0": 0,
        " 120 ": 120,
        "999999999999999": 999999999999999,
        format_datetime(NOW + timedelta(seconds=90), usegmt=True): 90,
        (NOW + timedelta(seconds=90)).strftime("%A, %d-%b-%y %H:%M:%S GMT"): 90,  # RFC 850's
        (NOW + timedelta(seconds=90)).strftime("%a %b %d %H:%M:%S %Y"): 90,  # asctime's
        format_datetime(NOW - timedelta(days=1), usegmt=True): 0,
        "-1": None,
        "1.5": None,
        "9" * 5000: None,
        "\u0661": None,
        "soon": None,
        "Sat, 99 Foo 9999 99:99:99 GMT": None,
        "": None,
        None: None,
    }.items(),
)
def test_retry_after(value, seconds):
    """Seconds or a date in each of HTTP's forms (RFC 9110 section 5.6.7); other values are ignored."""
    assert retry_after(value, now=NOW) == seconds


def test_backoff(limits):
    """The pause doubles, is random, and is never shorter than the server asked for."""
    three = limits(retrieval_backoff_seconds=3)
    second = {seconds_before(2, asked_for=None, limits=three) for _ in range(200)}
    third = {seconds_before(3, asked_for=None, limits=three) for _ in range(200)}
    assert 1.5 <= min(second) <= max(second) <= 3 <= min(third) <= max(third) <= 6
    assert len(second) > 100
    assert all(seconds_before(2, asked_for=5.0, limits=three) >= 5 for _ in range(200))


def test_nobody_listens(server, limits):
    """A dead server is not tried again, nor is any other URL of it, and the reasons say so."""
    server.stop()

    async def main():
        async with Fetcher(allow_private=True, limits=limits()) as fetcher:
            return [await fetcher.fetch(server.url(path), Purpose.CRL) for path in ("/1", "/2")]

    first, second = run(main())
    assert (first.status, first.attempts) == (Status.FAILED, 1)
    assert "cannot connect to its host" in first.why
    assert second.why == f"{first.why}, as an earlier request has shown"


def test_a_name_that_is_not_there(fetch, names):
    """A name that cannot be resolved has the resolver's reason."""
    got = fetch("http://www.example.com/", resolver=names({}))
    assert (got.status, got.attempts) == (Status.FAILED, 1)
    assert "cannot be resolved: Name or service not known" in got.why


# Side by side


def test_side_by_side_up_to_a_limit(server, fetch, names):
    """No more than the allowed number of requests run at once, to one host and in total."""
    hosts = [f"{letter}.example.com" for letter in "abcd"]
    resolver = names({host: ["127.0.0.1"] for host in hosts})

    def at_least(number):
        async def handler(exchange):
            await server.until(lambda: server.most_at_once >= number)
            await asyncio.sleep(0.02)  # for one too many to come in
            await exchange.answer(CONTENT)

        return handler

    server.otherwise(at_least(3))
    one_host = [server.url(f"/{number}") for number in range(20)]
    assert all(each.content for each in fetch(*one_host, retrieval_host_connections=3))
    assert server.most_at_once == 3
    server.otherwise(at_least(10))
    many_hosts = [server.url(f"/{number}", host=host) for host in hosts for number in range(20)]
    bounds = {"retrieval_host_connections": 3, "retrieval_connections": 10}
    assert all(each.content for each in fetch(*many_hosts, resolver=resolver, **bounds))
    assert server.most_at_once == 10


def test_one_slow_host_holds_up_no_other(server, fetch, names):
    """Requests that wait for one host do not block those to another."""
    resolver = names({"slow.example.com": ["127.0.0.1"], "quick.example.com": ["127.0.0.1"]})

    async def handler(exchange):
        if "slow" in exchange.headers["host"]:
            await server.until(lambda: server.count("/quick"))
        await exchange.answer(CONTENT)

    server.otherwise(handler)
    slow = [server.url(f"/{number}", host="slow.example.com") for number in range(10)]
    quick = server.url("/quick", host="quick.example.com")
    bounds = {"retrieval_host_connections": 1, "retrieval_connections": 2}
    assert all(each.content for each in fetch(*slow, quick, resolver=resolver, **bounds))


def test_many_urls_of_one_host(server, fetch):
    """500 URLs at the default limits: at most retrieval_host_connections at a time, and connections are reused."""
    ports = set()

    async def handler(exchange):
        ports.add(exchange.writer.get_extra_info("peername")[1])
        await asyncio.sleep(0.01)  # for one too many to come in
        await exchange.answer(CONTENT)

    server.otherwise(handler)
    assert all(each.content for each in fetch(*(server.url(f"/{number}") for number in range(500))))
    assert server.most_at_once <= 32
    assert len(ports) < 250


# The limits of all together


def test_urls_have_a_limit(server, limits):
    """URLs above the limit are refused, and only the first is recorded; earlier URLs still have their outcome."""
    server.otherwise(lambda exchange: exchange.answer(CONTENT))

    async def main():
        async with Fetcher(allow_private=True, limits=limits(retrieval_urls=3)) as fetcher:
            got = [await fetcher.fetch(server.url(f"/{number}"), Purpose.CRL) for number in (1, 2, 3, 4, 5, 1)]
            got.append(await fetcher.fetch("ftp://example.com/", Purpose.CRL))
            return got, fetcher.retrievals

    got, retrievals = run(main())
    assert [each.status.name for each in got] == ["FETCHED"] * 3 + ["REFUSED"] * 2 + ["FETCHED", "REFUSED"]
    assert "limits.retrieval_urls" in got[3].why
    assert [each.url for each in retrievals] == [server.url(f"/{number}") for number in (1, 2, 3, 4)]
    assert len(server.requests) == 3


def test_bytes_in_all_have_a_limit(server, fetch):
    """retrieval_total_bytes is inclusive, over all URLs together."""
    for number in range(4):
        server.route(f"/{number}", CONTENT)
    urls = [server.url(f"/{number}") for number in range(4)]
    enough = fetch(*urls, retrieval_total_bytes=4 * len(CONTENT))
    assert {each.status for each in enough} == {Status.FETCHED}
    short = fetch(*urls, retrieval_total_bytes=4 * len(CONTENT) - 1)
    assert sorted(each.status.name for each in short) == ["FETCHED"] * 3 + ["REFUSED"]
    assert "limits.retrieval_total_bytes" in next(each.why for each in short if each.status is Status.REFUSED)


def test_seconds_in_all_have_a_limit(server, limits):
    """After retrieval_seconds, running requests end and no other starts."""

    async def stall(exchange):
        await exchange.stall()

    server.otherwise(stall)

    async def main():
        async with Fetcher(allow_private=True, limits=limits(retrieval_seconds=0.1)) as fetcher:
            under_way = await asyncio.gather(*(fetcher.fetch(server.url(f"/{n}"), Purpose.CRL) for n in range(3)))
            return [*under_way, await fetcher.fetch(server.url("/late"), Purpose.CRL)]

    got = run(main())
    assert {each.status for each in got} == {Status.FAILED}
    assert all("limits.retrieval_seconds" in each.why for each in got)
    assert server.count("/late") == 0


# Breaking off


def test_broken_off_when_nobody_waits(server, limits):
    """A fetch goes on until its last caller is cancelled; then it is skipped, and may be started again."""
    gone = []

    async def handler(exchange):
        if exchange.number == 1:
            await exchange.stall()
            gone.append(exchange.target)
        else:
            await exchange.answer(CONTENT)

    server.route("/a", handler)
    url = server.url("/a")

    async def main():
        async with Fetcher(allow_private=True, limits=limits()) as fetcher:
            one, two = (asyncio.create_task(fetcher.fetch(url, Purpose.CRL)) for _ in range(2))
            await server.until(lambda: server.requests)
            one.cancel()
            await asyncio.wait([one])
            assert fetcher.retrievals == ()
            two.cancel()
            await asyncio.wait([two])
            await server.until(lambda: gone)
            skipped = fetcher.retrievals
            return skipped, await fetcher.fetch(url, Purpose.CRL), fetcher.retrievals

    skipped, again, retrievals = run(main())
    assert [(each.url, each.status) for each in skipped] == [(url, Status.SKIPPED)]
    assert again.content == CONTENT
    assert retrievals == (again,)


def test_leaving_the_block_ends_everything(server, limits):
    """Running requests end with the block; the server sees the connection close, and no task is left."""

    async def stall(exchange):
        await exchange.stall()

    server.otherwise(stall)

    async def main():
        async with Fetcher(allow_private=True, limits=limits()) as fetcher:
            waiting = [asyncio.create_task(fetcher.fetch(server.url(f"/{n}"), Purpose.CRL)) for n in range(5)]
            await server.until(lambda: len(server.requests) == 5)
        await asyncio.wait(waiting)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return fetcher.retrievals

    assert {each.status for each in run(main())} == {Status.SKIPPED}


# TLS


def test_https(https_server, fetch):
    """A server whose certificate the system's trust store knows."""
    https_server.route("/a", CONTENT)
    assert fetch(https_server.url("/a")).content == CONTENT


# Proxies


def test_plain_http_through_a_proxy(server, serve, fetch, names, monkeypatch):
    """The proxy gets the whole URL and resolves the name; hosts in no_proxy are reached directly."""
    proxy = serve()
    proxy.route("http://www.example.com/a", CONTENT)
    server.route("/b", b"0 direct")
    monkeypatch.setenv("http_proxy", proxy.base)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    resolver = names({})
    proxied, direct = fetch("http://www.example.com/a", server.url("/b"), allow_private=True, resolver=resolver)
    assert (proxied.content, direct.content) == (CONTENT, b"0 direct")
    assert resolver.asked == []
    assert "proxy-authorization" not in proxy.requests[0].headers


def test_the_proxy_may_be_anywhere_and_private_urls_still_not(serve, fetch, monkeypatch):
    """A proxy may have a private address; a URL of a private host is refused before it reaches the proxy."""
    proxy = serve()
    proxy.route("http://www.example.com/a", CONTENT)
    monkeypatch.setenv("all_proxy", f"localhost:{proxy.port}")
    urls = [
        "http://www.example.com/a",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://169.254.169.254/",
        "http://x/",
    ]
    allowed, *refused = fetch(*urls, allow_private=False)
    assert allowed.content == CONTENT
    assert {each.status for each in refused} == {Status.REFUSED}
    assert len(proxy.requests) == 1


def test_password_for_a_proxy(serve, fetch, monkeypatch, tmp_path):
    """The password for a proxy comes from its URL, not from ~/.netrc, and goes only to the proxy."""
    (tmp_path / ".netrc").write_text("default login netrc password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    proxy = serve()
    proxy.answer("http://www.example.com/a", status=407)
    monkeypatch.setenv("http_proxy", proxy.base.replace("//", "//me:pass%40word@"))
    got = fetch("http://www.example.com/a")
    sent = proxy.requests[0].headers
    assert base64.b64decode(sent["proxy-authorization"].removeprefix("Basic ")) == b"me:pass@word"
    assert "authorization" not in sent
    assert "word" not in f"{got} {got.to_json()}"


def test_https_through_a_proxy(serve, fetch, monkeypatch, trusted_tls_authority):
    """By CONNECT (RFC 9110 section 9.3.6): the proxy sees a name and bytes, and the certificate is still verified."""
    behind = serve(trusted_tls_authority.issue_server("www.example.com"))
    behind.route("/a", CONTENT)
    proxy = serve()

    async def copy(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def tunnel(exchange):
        assert exchange.method == "CONNECT"
        reader, writer = await asyncio.open_connection("127.0.0.1", behind.port)
        await exchange.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(copy(exchange.reader, writer), copy(reader, exchange.writer), return_exceptions=True)
        exchange.close()

    proxy.otherwise(tunnel)
    monkeypatch.setenv("https_proxy", proxy.base)
    got, wrong_name = fetch("https://www.example.com/a", "https://www.example.org/a")
    assert got.content == CONTENT
    assert "Hostname mismatch" in wrong_name.why


@pytest.mark.parametrize("named", ["socks5://user:secret@127.0.0.1:1080", "http://", "http://[::1"])
def test_proxies_of_other_kinds(server, fetch, monkeypatch, named):
    """Unusable proxies are a failure: a direct request is not what the user wanted. No password is repeated."""
    monkeypatch.setenv("http_proxy", named)
    got = fetch(server.url("/a"))
    assert got.status is Status.FAILED
    assert "proxy" in got.why
    assert "secret" not in got.why
    assert server.requests == []


def test_a_proxy_that_refuses(serve, fetch, monkeypatch):
    """The reason has the proxy's answer to CONNECT."""
    proxy = serve()
    proxy.otherwise(lambda exchange: exchange.answer(status=403))
    monkeypatch.setenv("https_proxy", proxy.base)
    got = fetch("https://www.example.com/a")
    assert (got.status, got.attempts) == (Status.FAILED, 1)
    assert "the proxy answers 403" in got.why
