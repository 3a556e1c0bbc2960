"""Faults of a proxy are called the proxy's, with its host and its setting; its password is never shown."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest
from yarl import URL

from pkcs12kit.retrieval.hints import hints_for_retrievals
from pkcs12kit.retrieval.http.connections import Proxies, of_proxy
from pkcs12kit.retrieval.retrieved import Status

from ..conftest import Server

PLAIN, TLS = "http://www.example.com/a", "https://www.example.com/a"
LOGIN = "me:s%65cret%40word@"
SECRETS = ("s%65cret", "secret@word", "secret%40word", "me:", "me@")


@pytest.fixture
def proxied(fetch, monkeypatch):
    """Fetch a URL behind a proxy that does this; the setting is the variable of that name."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def ask(url, handler, *, setting=None, login=""):
        with Server() as proxy:
            proxy.otherwise(handler)
            monkeypatch.setenv(setting or f"{url.partition(':')[0]}_proxy", proxy.base.replace("//", f"//{login}"))
            got = fetch(url)
            assert got.status is Status.FAILED
            for secret in SECRETS:
                assert secret not in str(got.to_json())
                assert secret not in repr(got)
            return SimpleNamespace(why=got.why, got=got, host=f"127.0.0.1:{proxy.port}")

    return ask


def answering(status, **headers):
    """A handler that answers with this status, to CONNECT as well."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(exchange):
        await exchange.answer(status=status, headers=fields)

    return handler


@pytest.mark.parametrize("url", [PLAIN, TLS])
@pytest.mark.parametrize("login", ["", LOGIN])
def test_a_login(proxied, url, login):
    """407 (RFC 9110 section 15.5.8) is the proxy's: it asks for a login, or refuses the one that it got."""
    said = proxied(url, answering(407, Proxy_Authenticate="Basic realm=x"), login=login)
    setting = f"{url.partition(':')[0]}_proxy"
    what = "refuses the" if login else "asks for a"
    assert said.why == (
        f"the proxy answers 407: it {what} login in the URL of {setting}; it is {said.host} ({setting})"
    )
    (hint,) = hints_for_retrievals([said.got])
    assert "no_proxy" in hint.text
    assert "percent-encoded" in hint.text


@pytest.mark.parametrize("setting", ["all_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_the_setting_is_named(proxied, setting):
    """The variable as it is set, in upper or in lower case."""
    assert f"({setting})" in proxied(PLAIN, answering(407), setting=setting).why


@pytest.mark.parametrize("status", [403, 502, 504])
def test_a_connection_that_the_proxy_does_not_make(proxied, status):
    """The answer to CONNECT (RFC 9110 section 9.3.6) is always the proxy's."""
    said = proxied(TLS, answering(status, Retry_After="0"), login=LOGIN)
    assert said.why.startswith(f"the proxy answers {status} to CONNECT")
    assert said.why.endswith(f"; it is {said.host} (https_proxy)")
    (hint,) = hints_for_retrievals([said.got])
    assert "no_proxy" in hint.text


@pytest.mark.parametrize("status", [403, 502, 504])
@pytest.mark.parametrize("header", ["Proxy_Status", "X_Squid_Error", None])
def test_an_answer_to_plain_http(proxied, status, header):
    """It is the proxy's if it says so (RFC 9209); otherwise both are named, because nobody can know."""
    more = {} if header is None else {header: "example; error=dns_error"}
    said = proxied(PLAIN, answering(status, Retry_After="0", **more))
    named = f"{said.host} (http_proxy)"
    if header:
        assert said.why == f"the proxy answers {status}; it is {named}"
    else:
        assert said.why == f"the proxy, or the server behind it, answers {status}; the proxy is {named}"


def test_what_is_the_servers(proxied):
    """404 through a proxy is an answer about the URL: it is the server's."""
    assert proxied(PLAIN, answering(404)).why == "the server answers 404"


def test_a_proxy_that_hangs_up(proxied):
    """Where it is not known which of the two ended the connection, the proxy is named."""

    async def hang_up(exchange):
        exchange.reset()

    said = proxied(TLS, hang_up)
    assert said.why.endswith(f", through the proxy {said.host} (https_proxy)")


@pytest.mark.parametrize("url", [PLAIN, TLS])
def test_a_proxy_that_is_not_there(fetch, monkeypatch, url):
    """A port on which nothing listens, and a name that cannot be resolved."""
    setting = f"{url.partition(':')[0]}_proxy"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv(setting, f"http://{LOGIN}127.0.0.1:{port}")
    assert fetch(url).why.startswith(f"cannot connect to the proxy 127.0.0.1:{port} ({setting}): ")
    monkeypatch.setenv(setting, f"http://{LOGIN}proxy.invalid:3128")
    assert fetch(url).why.startswith(f"the proxy proxy.invalid:3128 ({setting}) cannot be resolved: ")


def test_a_proxy_on_the_way_that_nobody_set(server, fetch):
    """407 from what should be the server: a proxy on the way, and there is no setting for it."""
    server.answer("/a", status=407)
    assert "a proxy answers 407 and asks for a login" in fetch(server.url("/a")).why


def test_no_password_in_a_proxy_as_text(monkeypatch):
    """Neither its text nor its representation has user name or password."""
    monkeypatch.setenv("http_proxy", f"http://{LOGIN}proxy.example.com:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    proxy = Proxies().find(URL(PLAIN))
    assert str(proxy) == "proxy.example.com:3128 (http_proxy)"
    for text in (str(proxy), repr(proxy), of_proxy(407, {}, proxy), of_proxy(403, {}, proxy)):
        assert not any(secret in text for secret in SECRETS)
