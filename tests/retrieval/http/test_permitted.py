"""The rules for URLs and addresses: no spelling of a private address is permitted."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import socket

import pytest
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.http.connections import PermittedResolver, RefusedAddressError
from pkcs12kit.retrieval.http.permitted import (
    RefusedError,
    require_permitted_address,
    require_permitted_redirect,
    require_permitted_url,
    scheme_of,
)

PUBLIC = ["8.8.8.8", "93.184.215.14", "192.0.1.1", "2001:4860:4860::8888", "2606:2800:21f:cb07::1", "2a00::1"]
PRIVATE = {
    "0.1.2.3": "this network (RFC 791 section 3.2)",
    "10.0.0.1": "private (RFC 1918)",
    "100.64.0.1": "shared, carrier-grade NAT (RFC 6598)",
    "100.100.100.200": "a cloud's metadata, in the same",
    "127.0.0.1": "loopback (RFC 1122 section 3.2.1.3)",
    "127.255.255.254": "loopback",
    "168.63.129.16": "a cloud's metadata, at a public number",
    "169.254.169.254": "link-local (RFC 3927), a cloud's metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "IETF protocol assignments (RFC 6890), a cloud's metadata",
    "192.0.2.1": "documentation (RFC 5737)",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarks (RFC 2544)",
    "203.0.113.7": "documentation",
    "240.0.0.1": "reserved (RFC 1112 section 4)",
    "255.255.255.255": "broadcast",
    "::1": "loopback (RFC 4291 section 2.5.3)",
    "::127.0.0.1": "IPv4-compatible (RFC 4291 section 2.5.5.1)",
    "::8.8.8.8": "IPv4-compatible, which nobody routes",
    "::ffff:127.0.0.1": "IPv4-mapped (RFC 4291 section 2.5.5.2)",
    "::ffff:169.254.169.254": "IPv4-mapped",
    "::ffff:0:127.0.0.1": "IPv4-translated (RFC 2765)",
    "64:ff9b::10.0.0.1": "NAT64 (RFC 6052)",
    "64:ff9b::169.254.169.254": "NAT64",
    "64:ff9b:1::1": "NAT64 of a local network (RFC 8215)",
    "100::1": "discarded (RFC 6666)",
    "2001:db8::1": "documentation (RFC 3849)",
    "2001:0:a9fe:a9fe::": "Teredo, by a private server (RFC 4380)",
    "2001:0:808:808:0:0:80ff:fffe": "Teredo, to 127.0.0.1, which is written inverted",
    "2002:7f00:1::": "6to4, to 127.0.0.1 (RFC 3056)",
    "2002:a9fe:a9fe::1": "6to4, to link-local",
    "3fff::1": "documentation (RFC 9637)",
    "4000::1": "given to nobody",
    "5f00::1": "segment routing (RFC 9602)",
    "fc00::1": "unique local (RFC 4193)",
    "fd00:ec2::254": "unique local, a cloud's metadata",
    "fe80::1": "link-local (RFC 4291 section 2.5.6)",
    "fe80::1%eth0": "link-local, with its zone",
    "fec0::1": "site-local (RFC 3879)",
}
NEVER = ["0.0.0.0", "::", "::ffff:0.0.0.0", "224.0.0.1", "239.255.255.255", "ff02::1", "::ffff:224.0.0.1"]  # noqa: S104  # not to bind to

# Other spellings of 127.0.0.1 and its like, that inet_aton, getaddrinfo, browsers or IDNA know.
SPELLINGS = [
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0X7F.0.0.1",
    "0x",
    "0",
    "127.0.0.1.",
    "127.000.000.001",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "127\uff0e0\uff0e0\uff0e1",
    "\uff11\uff12\uff17.0.0.1",
    "①②⑦.0.0.1",
    "127.0.0.1%00.example.com",
    "[127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    "[::1]",
    "[0000::1]",
    "[::127.0.0.1]",
    "[fe80::1%25eth0]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "metadata.google.internal",
    "printer.local",
    "router.home.arpa",
    "intranet",
]


@pytest.mark.parametrize(
    ("text", "asked"),
    {
        "http://crl.disa.mil/sign/DODROOTCA3_IT.cer": None,
        "https://repo.fpki.gov/bridge/caCertsIssuedTofbcag4.p7c": None,
        "HTTP://CRL.disa.mil:80/a": "http://crl.disa.mil/a",
        "http://crl.disa.mil./a": None,
        " http://example.com/a \r\n": "http://example.com/a",
        "http://example.com:8080/a?b=c": None,
        "http://example.com/Some CA(1).crt": "http://example.com/Some%20CA(1).crt",
        "http://example.com/a%2Fb": None,
        "http://example.com/a#part": "http://example.com/a",
        "http://8.8.8.8/a": None,
        "http://[2001:4860:4860::8888]/a": None,
        "http://xn--bcher-kva.example.com/a": None,
        "http://my_host.example.com/a": None,
    }.items(),
)
def test_urls_that_certificates_really_have(text, asked):
    """The usual URLs of CAs are permitted (RFC 5280 sections 4.2.2.1 and 4.2.1.13)."""
    assert str(require_permitted_url(text)) == (asked or text)


@pytest.mark.parametrize(
    ("text", "why"),
    {
        "": "no scheme",
        "example.com/a": "no scheme",
        "//example.com/a": "no scheme",
        "file:///etc/passwd": "file",
        "ftp://example.com/a": "ftp",
        "gopher://example.com/": "gopher",
        "data:text/plain,x": "data",
        "unix:///run/x.sock": "unix",
        "ldap://ldap.example.com/cn=CA?cACertificate;binary": "ldap",
        "http:example.com": "no host",
        "http:/example.com": "no host",
        "http:///a": "no host",
        "http://:80/a": "not a URL",
        "http://user@example.com/": "user name",
        "http://user:password@example.com/": "user name",
        "http://@example.com/": "user name",
        "http://8.8.8.8@127.0.0.1/": "user name",
        "http://example.com\\@127.0.0.1/": "characters",
        "http://example.com/\r\nHost: x": "characters",
        "http://example.com/\x00": "characters",
        "http://exämple.com/": "characters",
        "http://example.com/\udcff": "characters",
        "http://example.com:0/": "port 0",
        "http://example.com:22/": "port 22",
        "http://example.com:25/": "port 25",
        "http://example.com:1023/": "port 1023",
        "http://example.com:65536/": "not a URL",
        "http://example.com:+80/": "port is not a number",
        "http://example.com:8_0/": "not a URL|not a number",
        "http://[2001:4860:4860::8888]:x/": "not a URL|not a number",
        "http://example..com/": "neither a name nor an address",
        "http://.example.com/": "neither a name nor an address",
        "http://example.com../": "neither a name nor an address",
        "http://-a.example.com/": "neither a name nor an address",
        "http://a b.com/": "neither a name nor an address",
        "http://a%20b.com/": "neither a name nor an address",
        f"http://{'a' * 64}.com/": "neither a name nor an address",
        f"http://{'a.' * 127}com/": "neither a name nor an address",
        "http://xn--a.com/": "not a URL",
        "http://[::1": "not a URL",
        "http://example.123/": "not the usual form of an address",
        "http://1.2.3.4.5/": "not the usual form of an address",
    }.items(),
)
def test_other_urls_are_refused(text, why):
    """Other schemes, user information (RFC 9110 section 4.2.4), ports of other protocols, invalid URLs (RFC 3986)."""
    with pytest.raises(RefusedError, match=why):
        require_permitted_url(text)


def test_length_has_a_limit():
    """retrieval_url_characters is inclusive, of a URL and of a redirect."""
    limits = dataclasses.replace(DEFAULT_LIMITS, retrieval_url_characters=40)
    longest = "http://example.com/".ljust(40, "a")
    assert require_permitted_url(longest, limits=limits)
    with pytest.raises(RefusedError, match="retrieval_url_characters"):
        require_permitted_url(longest + "a", limits=limits)
    for location in (f"/{'a' * 40}", f"/{'a' * 30}"):  # too long itself; too long once it is made absolute
        with pytest.raises(RefusedError, match="retrieval_url_characters"):
            require_permitted_redirect(URL(longest), location, limits=limits)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address):
    """Public addresses are permitted, as an address and in a URL."""
    require_permitted_address(address)
    host = f"[{address}]" if ":" in address else address
    require_permitted_url(f"http://{host}/")


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address):
    """IANA's special-purpose addresses (RFC 6890) are refused, resolved or in a URL; allow_private permits them."""
    url = f"http://[{address.replace('%', '%25')}]/" if ":" in address else f"http://{address}/"
    with pytest.raises(RefusedError, match="not a public address"):
        require_permitted_address(address)
    with pytest.raises(RefusedError, match="not a public address"):
        require_permitted_url(url)
    require_permitted_address(address, allow_private=True)
    require_permitted_url(url, allow_private=True)


@pytest.mark.parametrize("address", [*NEVER, "no address"])
def test_addresses_of_no_server(address):
    """Unspecified and multicast addresses are always refused: 0.0.0.0 would be this machine."""
    for allow_private in (False, True):
        with pytest.raises(RefusedError):
            require_permitted_address(address, allow_private=allow_private)


@pytest.mark.parametrize("address", ["64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "2002:808:808::1"])
def test_public_ipv4_addresses_in_ipv6_ones(address):
    """NAT64 addresses of public IPv4 addresses are permitted: DNS64 returns them for every IPv4 host (RFC 6147)."""
    require_permitted_address(address)


@given(number=st.integers(0, 2**32 - 1))
def test_an_address_in_another_is_judged_by_it(number):
    """Refused IPv4 addresses are refused inside IPv6 as well: mapped, NAT64, 6to4."""
    inner = ipaddress.IPv4Address(number)
    try:
        require_permitted_address(str(inner))
    except RefusedError:
        for outer in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80 | 1):
            with pytest.raises(RefusedError):
                require_permitted_address(str(ipaddress.IPv6Address(outer)))


@pytest.mark.parametrize("host", SPELLINGS)
def test_spellings_of_private_hosts(host):
    """No spelling of an address is permitted: not those of inet_aton, IDNA or percent-encoding."""
    with pytest.raises(RefusedError):
        require_permitted_url(f"http://{host}/")
    with pytest.raises(RefusedError):
        require_permitted_redirect(URL("http://example.com/a"), f"//{host}/")


@given(
    parts=st.lists(st.integers(0, 2**32), min_size=1, max_size=4), bases=st.lists(st.sampled_from("xod"), min_size=4)
)
def test_what_inet_aton_takes_is_canonical_or_refused(parts, bases):
    """Each host that inet_aton accepts as an address is refused, unless it has the form of RFC 3986."""
    written = ".".join(
        {"x": hex, "o": lambda n: f"0{n:o}", "d": str}[base](n) for n, base in zip(parts, bases, strict=False)
    )
    try:
        address = socket.inet_ntoa(socket.inet_aton(written))
    except OSError:
        return
    try:
        url = require_permitted_url(f"http://{written}/", allow_private=True)
    except RefusedError:
        return
    assert url.raw_host == written == address


@given(text=st.text())
def test_any_text_is_taken_apart_or_refused(text):
    """Any URL or redirect raises RefusedError or nothing; a permitted one has a host and a known scheme."""
    for candidate in (text, f"http://{text}", f"http://example.com:{text}", f"http://[{text}]/"):
        try:
            url = require_permitted_url(candidate)
        except RefusedError:
            continue
        assert url.scheme in {"http", "https"}
        assert url.raw_host
    try:
        require_permitted_redirect(URL("https://example.com/a/b"), text)
    except RefusedError:
        return


def test_redirects():
    """Redirects are relative to their URL (RFC 9110 section 10.2.2); one from https to http is refused."""
    plain, secure = URL("http://example.com/a/b?c"), URL("https://example.com/a/b")
    assert str(require_permitted_redirect(plain, "../d")) == "http://example.com/d"
    assert str(require_permitted_redirect(plain, "//example.org/d")) == "http://example.org/d"
    assert str(require_permitted_redirect(plain, "https://example.com/")) == "https://example.com/"
    assert str(require_permitted_redirect(secure, "/e")) == "https://example.com/e"
    for location in (
        "http://example.com/a/b",
        "ftp://example.com/",
        "https://127.0.0.1/",
        "file:/etc/passwd",
        "https://[",
    ):
        with pytest.raises(RefusedError):
            require_permitted_redirect(secure, location)


def test_scheme_of_what_is_no_url_at_all():
    """The scheme is recognized, for example LDAP; other text has none."""
    assert scheme_of(" LDAP://x") == "ldap"
    assert scheme_of("1a:b") == scheme_of("") == scheme_of("\x00") == ""


class Answers(AbstractResolver):
    """A resolver with given results, one list of addresses a lookup; the last one again and again."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        """Return the next list."""
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}
            for address in addresses
        ]

    async def close(self):
        """Do nothing: nothing is open."""


def test_resolver_leaves_out_what_is_not_public():
    """One private address among several is left out; the others are permitted."""
    resolver = PermittedResolver(resolver=Answers(["10.0.0.1", "8.8.8.8", "::1", "2606:2800::1"]))
    found = asyncio.run(resolver.resolve("example.com", 80))
    assert [each["host"] for each in found] == ["8.8.8.8", "2606:2800::1"]


def test_resolver_refuses_a_name_with_private_addresses_alone():
    """The error names the refused addresses; with allow_private they are returned."""
    answers = Answers(["127.0.0.1", "fe80::1%eth0"])
    with pytest.raises(RefusedAddressError, match=r"127\.0\.0\.1 is not a public address; fe80::1%eth0"):
        asyncio.run(PermittedResolver(resolver=answers).resolve("example.com", 80))
    assert len(asyncio.run(PermittedResolver(resolver=answers, allow_private=True).resolve("example.com", 80))) == 2


def test_resolver_judges_the_systems_answers():
    """By default the system's resolver is used: localhost is refused as loopback."""

    async def resolve():
        resolver = PermittedResolver()
        try:
            await resolver.resolve("localhost", 80, socket.AF_UNSPEC)
        finally:
            await resolver.close()

    with pytest.raises(RefusedAddressError, match="not a public address"):
        asyncio.run(resolve())
