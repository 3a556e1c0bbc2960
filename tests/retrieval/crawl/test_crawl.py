"""The crawl: each URL once, issuers first, within limits, whatever URLs the certificates name.

Most tests answer URLs from a table, so that the requests and their order are the same at each run. ``test_gather.py``
has the tests with a real server.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, SubjectInformationAccessOID

from pkcs12kit import lab
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.crawl.crawl import Crawl
from pkcs12kit.retrieval.crawl.frontier import NameChains, urls_down, urls_up
from pkcs12kit.retrieval.retrieved import Purpose, Retrieval, Status

NOW = datetime.now(UTC)
KEY = lab.KeyType.EC_P256.generate()  # one for all, where names alone matter


def url(name):
    """A URL for a name."""
    return f"http://pki.example/{name}"


def up(*urls):
    """AuthorityInfoAccess with these URLs."""
    method = AuthorityInformationAccessOID.CA_ISSUERS
    found = [x509.AccessDescription(method, x509.UniformResourceIdentifier(each)) for each in urls]
    return lab.non_critical(x509.AuthorityInformationAccess(found))


def down(*urls):
    """SubjectInfoAccess with these URLs."""
    method = SubjectInformationAccessOID.CA_REPOSITORY
    found = [x509.AccessDescription(method, x509.UniformResourceIdentifier(each)) for each in urls]
    return lab.non_critical(x509.SubjectInformationAccess(found))


def ca(name, *extensions):
    """A CA that shares the key of all."""
    return lab.Authority.create(name, private_key=KEY, extensions=extensions)


def server(issuer, *extensions):
    """A server's certificate."""
    return issuer.issue_server("www.example.com", private_key=KEY, extensions=extensions).certificate


def pem(*certificates):
    """Encode certificates in one PEM text."""
    return "".join(certificate.to_pem() for certificate in certificates).encode()


class Table:
    """A fetcher with a table of URLs; it records the requests in order. Other URLs are not found."""

    def __init__(self, **pages):
        self.pages = {url(name): content for name, content in pages.items()}
        self.asked = []
        self.stalled = {}
        self.broken_off = []

    async def fetch(self, wanted, purpose):
        """Return an outcome, at once or when its event is set."""
        self.asked.append(wanted)
        if wanted in self.stalled:
            try:
                await self.stalled[wanted].wait()
            except asyncio.CancelledError:
                self.broken_off.append(wanted)
                raise
        content = self.pages.get(wanted)
        if isinstance(content, Exception):
            raise content
        if content is None:
            return Retrieval(url=wanted, purpose=purpose, status=Status.FAILED, why="the server answers 404")
        return Retrieval(url=wanted, purpose=purpose, status=Status.FETCHED, content=content, sha256=str(hash(content)))


def crawl(table, target, *anchors, pool=(), has_path=lambda _: False, time=NOW, **limits):
    """Crawl to the end and return the crawl."""
    trust_anchors = [TrustAnchor.from_certificate(anchor) for anchor in anchors]

    async def main():
        crawling = Crawl(
            table,
            target=target,
            trust_anchors=trust_anchors,
            pool=CertificatePool(pool),
            time=time,
            has_path=has_path,
            limits=replace(DEFAULT_LIMITS, **limits),
        )
        await crawling.run()
        return crawling

    return asyncio.run(main())


def outcome(crawled, name):
    """The outcome of one URL."""
    (found,) = (each for each in crawled.urls() if each.url == url(name))
    return found


class TestNamedUrls:
    """The URLs in a certificate."""

    def test_each_url_once_in_order(self):
        """Each URL comes once, in order, without white space around it (RFC 5280 section 4.2.2.1)."""
        certificate = server(ca("A"), up(url("b"), url("a"), url("b"), f" {url('c')}\n", "ldap://directory/cn=A"))
        assert [named.url for named in urls_up(certificate)] == [
            url("b"),
            url("a"),
            url("c"),
            "ldap://directory/cn=A",
        ]
        assert urls_down(certificate) == ()

    def test_says_what_a_url_would_give(self):
        """A URL describes its certificates, for the report on URLs that fail."""
        (above,) = urls_up(server(ca("Issuer"), up(url("a"))))
        assert above.wanted == "certificates of Issuer, which issued www.example.com"
        (below,) = urls_down(ca("Issuer", down(url("a"))).certificate)
        assert below.wanted == "certificates that Issuer issued"

    def test_takes_so_many_of_one_certificate(self):
        """A certificate with many URLs makes us fetch only as many as the limit allows."""
        certificate = server(ca("A"), up(*(url(number) for number in range(40))))
        assert len(urls_up(certificate)) == DEFAULT_LIMITS.retrieval_certificate_urls == 16
        table = Table()
        crawl(table, certificate)
        assert len(table.asked) == 16

    def test_unreadable_extensions_name_nothing(self):
        """Extensions that cannot be decoded name no URL, and raise nothing."""
        odd = lab.non_critical(x509.UnrecognizedExtension(AuthorityInformationAccessOID.CA_ISSUERS, b"\x00"))
        broken = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.1"), b"\x30\x05\x00")
        authority = ca("A")
        certificate = authority.issue("B", KEY.public_key(), extensions=(odd, lab.non_critical(broken)))
        assert urls_up(certificate) == ()


def chains(topology, *, usable=lambda _: True, order=1):
    """Add the pool of a topology, from TA down and from EE up."""
    found = NameChains(topology.servers["EE"].certificate.issuer, [topology.trust_anchor("TA").name], usable=usable)
    for certificate in sorted(topology.pool, key=lambda each: each.sha256)[::order]:
        found.add(certificate)
    return found


class TestNameChains:
    """The certificates between target and trust anchors, by names."""

    @pytest.mark.parametrize("order", [1, -1])
    def test_knows_what_lies_between_in_any_order(self, order):
        """A certificate counts when names lead to it from both ends, in whatever order it is added; loops end."""
        topology = lab.Topology.from_edges("EE<B<A<TA", "B<C", "D<TA", "E<D", "A<B")
        found = chains(topology, order=order)
        assert found.complete
        between = {("B", "A"), ("A", "TA"), ("A", "B")}
        assert set(found.between) == {topology.certificate(*each) for each in between}
        assert set(found.take_upwards()) - set(found.between) == {topology.certificate("B", "C")}
        below = {topology.certificate("D", "TA"), topology.certificate("E", "D")} & set(topology.pool)
        assert set(found.take_downwards()) - set(found.between) == below
        assert (found.take_upwards(), found.take_downwards()) == ([], [])

    def test_goes_by_usable_certificates_alone(self):
        """A certificate that cannot lie on a path extends no chain."""
        topology = lab.Topology.from_edges("EE<B<A<TA")
        dead = topology.certificate("B", "A")
        found = chains(topology, usable=lambda each: each != dead)
        assert (found.complete, found.between, found.take_upwards()) == (False, [], [])


class TestCrawl:
    """The requests, their order, and the end of a crawl."""

    def test_goes_up_and_down(self):
        """The crawl goes up from the target and down from the anchor, and on from each certificate."""
        top, middle, low = ca("TA", down(url("by-ta"))), ca("A"), ca("B")
        middle_by_top = top.issue_ca(middle, extensions=[down(url("by-a"))])
        low_by_middle = middle.issue_ca(low, extensions=[up(url("to-a"))])
        table = Table(**{"by-ta": pem(middle_by_top), "to-b": pem(low_by_middle)})
        crawled = crawl(table, server(low, up(url("to-b"))), top.certificate)
        assert set(crawled.found) == {middle_by_top, low_by_middle}
        assert sorted(table.asked) == [url(name) for name in ("by-a", "by-ta", "to-a", "to-b")]
        assert outcome(crawled, "by-a").wanted == ("certificates that A issued",)
        assert outcome(crawled, "by-a").why == "the server answers 404"

    def test_certificates_that_name_each_other(self):
        """A names B and B names A (RFC 4158 section 2.4.2): each URL is asked once."""
        first, second = ca("A"), ca("B")
        one = first.issue_ca(second, extensions=[up(url("to-a")), down(url("by-b"))])
        two = second.issue_ca(first, extensions=[up(url("to-b")), down(url("by-a"))])
        pages = {"to-a": pem(two), "to-b": pem(one), "by-a": pem(one), "by-b": pem(two)}
        for has_path in (None, lambda _: False):
            table = Table(**pages)
            crawled = crawl(table, server(first, up(url("to-a"))), first.certificate, has_path=has_path)
            assert set(crawled.found) == {one, two}
            assert set(Counter(table.asked).values()) == {1}

    def test_a_self_signed_decoy_ends_nothing(self):
        """A certificate with the anchor's name and another key is a candidate like any other."""
        top, decoy, low = ca("TA"), lab.Authority.create("TA"), ca("B")
        low_by_decoy = decoy.issue_ca(low, extensions=[up(url("to-ta"))])
        table = Table(**{"to-b": pem(low_by_decoy), "to-ta": pem(decoy.certificate)})
        crawled = crawl(table, server(low, up(url("to-b"))), top.certificate)
        assert set(crawled.found) == {low_by_decoy, decoy.certificate}

    def test_one_certificate_under_fifty_urls(self):
        """A certificate at fifty URLs is found once, with all its origins."""
        low = ca("B")
        low_by_top = ca("TA").issue_ca(low)
        names = [f"copy-{number}" for number in range(50)]
        table = Table(**{name: low_by_top.to_pem().encode() for name in names})
        crawled = crawl(table, server(low, up(*map(url, names))), retrieval_certificate_urls=50)
        assert {origin.url for origin in crawled.found[low_by_top]} == {*map(url, names)} == set(table.asked)
        assert len(crawled.found) == 1
        assert [each.certificates for each in crawled.urls()] == [1] * 50

    def test_follows_nothing_that_cannot_lie_on_a_path(self):
        """URLs in expired and in end-entity certificates are not fetched; the certificates are kept for the report."""
        low = ca("B")
        past = lab.Validity.around(NOW, days_before=20, days_after=-10)
        expired = ca("Old").issue_ca(low, validity=past, extensions=[up(url("to-old"))])
        no_ca = server(low, up(url("to-nobody")))
        table = Table(**{"to-b": pem(expired, no_ca)})
        for has_path in (None, lambda _: False):
            crawled = crawl(table, server(low, up(url("to-b"))), has_path=has_path)
            assert set(crawled.found) == {expired, no_ca}
        assert set(table.asked) == {url("to-b")}
        crawled = crawl(table, server(low, up(url("to-b"))), time=NOW - timedelta(days=15))
        assert table.asked[-1] == url("to-old")

    def test_the_pool_is_a_place_to_go_on_from(self):
        """The URLs in given certificates are fetched where names lead to them, and not otherwise."""
        top, low, other = ca("TA"), ca("B"), ca("Other")
        given = [
            ca("A").issue_ca(low, extensions=[up(url("to-a"))]),
            other.issue_ca(ca("Else"), extensions=[up(url("to-other")), down(url("by-else"))]),
            top.issue_ca(ca("C"), extensions=[down(url("by-c"))]),
        ]
        table = Table()
        crawl(table, server(low), top.certificate, pool=given)
        assert sorted(table.asked) == [url("by-c"), url("to-a")]

    def test_everything_goes_both_ways_from_all(self):
        """With ``--all``, a repository below the target's issuers is fetched, and the URLs in its certificates."""
        low = ca("B")
        side = low.issue_ca(ca("Side"), extensions=[down(url("by-side"))])
        low_by_top = ca("TA").issue_ca(low, extensions=[down(url("by-b"))])
        table = Table(**{"to-b": pem(low_by_top), "by-b": pem(side)})
        crawl(table, server(low, up(url("to-b"))))
        assert table.asked == [url("to-b")]
        crawl(table, server(low, up(url("to-b"))), has_path=None)
        assert table.asked[1:] == [url("to-b"), url("by-b"), url("by-side")]

    def test_goes_both_ways_before_it_says_no(self):
        """A certificate of the issuing CA that is only in the repository of a CA beside the path is found."""
        top, low = ca("TA", up(url("to-ta"))), ca("B")
        beside = ca("Other").issue_ca(ca("TA"), extensions=[down(url("by-other"))])
        table = Table(**{"to-ta": pem(beside), "by-other": pem(low_by_top := top.issue_ca(low))})
        crawled = crawl(table, server(low, up(url("gone"))), top.certificate, has_path=lambda pool: low_by_top in pool)
        assert table.asked == [url("gone"), url("to-ta"), url("by-other")]
        assert low_by_top in crawled.found
        assert low_by_top in crawled.near

    def test_upwards_first_at_one_host(self):
        """With one request at a time, URLs of issuers come before repositories (RFC 4158 section 7.2)."""
        top, low = ca("TA", down(url("by-ta-1"), url("by-ta-2"))), ca("B")
        low_by_middle = ca("A").issue_ca(low, extensions=[up(url("to-a"))])
        table = Table(**{"to-b": pem(low_by_middle)})
        crawl(table, server(low, up(url("to-b"))), top.certificate, retrieval_host_connections=1)
        assert table.asked == [url("to-b"), url("to-a"), url("by-ta-1"), url("by-ta-2")]

    def test_stops_as_soon_as_there_is_a_path(self):
        """Running fetches are cancelled, waiting URLs are not fetched; both are reported as skipped.

        The running fetch has the depth of the path, so it is awaited as long as the limit allows.
        """
        top, low = ca("TA", down(url("by-ta"))), ca("B", up(url("never")))
        low_by_top = top.issue_ca(low, extensions=[up(url("to-ta"))])
        table = Table(**{"to-b": pem(low_by_top)})
        table.stalled[url("by-ta")] = asyncio.Event()
        asked_for = server(low, up(url("to-b")))
        limits = {"retrieval_settle_seconds": 0.01}
        crawled = crawl(table, asked_for, top.certificate, has_path=lambda pool: len(pool) == 1, **limits)
        assert table.asked == [url("to-b"), url("by-ta")]
        assert table.broken_off == [url("by-ta")]
        for name in ("by-ta", "to-ta"):
            assert outcome(crawled, name).retrieval.status is Status.SKIPPED
            assert outcome(crawled, name).why == "no longer needed: a valid path was found"

    @pytest.mark.parametrize("first", ["to-b-1", "to-b-2"])
    def test_waits_for_what_is_as_near_as_the_path(self, first):
        """Two paths of one URL each: both are found, whichever answers first; deeper URLs are not fetched."""
        top, low = ca("TA"), ca("B")
        pages = {name: top.issue_ca(low, extensions=[up(url(f"{name}-above"))]) for name in ("to-b-1", "to-b-2")}
        (second,) = pages.keys() - {first}
        loops = []

        class Watched(Table):
            async def fetch(self, wanted, purpose):
                loops.append(asyncio.get_running_loop())
                return await super().fetch(wanted, purpose)

        table = Watched(**{name: pem(certificate) for name, certificate in pages.items()})
        answers = table.stalled[url(second)] = asyncio.Event()
        crawled = crawl(
            table,
            server(low, up(url("to-b-1"), url("to-b-2"))),
            top.certificate,
            has_path=lambda _: loops[0].call_soon_threadsafe(answers.set) or True,
        )
        assert list(crawled.near) == [pages["to-b-1"], pages["to-b-2"]]
        assert sorted(table.asked) == [url("to-b-1"), url("to-b-2")]

    def test_asks_nobody_where_there_is_a_path_already(self):
        """The given pool makes a path: nothing is fetched."""
        top, low = ca("TA", down(url("by-ta"))), ca("B")
        table = Table()
        crawled = crawl(table, server(low, up(url("to-b"))), top.certificate, pool=[top.issue_ca(low)], has_path=len)
        assert table.asked == []
        assert {each.retrieval.status for each in crawled.urls()} == {Status.SKIPPED}

    def test_a_path_is_searched_for_where_names_make_a_chain(self):
        """A path is searched only where names newly make a chain from target to anchor, not after each response."""
        top, low = ca("TA"), ca("B")
        levels = [ca(f"L{number}") for number in range(6)]
        chain = [low, *levels, top]
        pages = {}
        for number, (lower, upper) in enumerate(pairwise(chain)):
            pages[f"to-{number}"] = pem(upper.issue_ca(lower, extensions=[up(url(f"to-{number + 1}"))]))
        first = server(low, up(url("to-0")))
        asked = []
        table = Table(**pages)
        crawl(table, first, top.certificate, has_path=lambda pool: asked.append(len(pool)) or len(pool) == 7)
        assert asked == [7, 7]  # once more for what does not depend on which answer is first
        assert len(table.asked) == 7

    def test_searches_do_not_grow_with_the_namesakes(self):
        """Hundreds of CAs of one name and different keys cause few searches, though each response makes a chain."""
        top, low = ca("TA"), ca("B")
        number = 300
        copies = [top.issue_ca(low, extensions=[up(url(f"to-{each + 1}"))]) for each in range(number)]
        table = Table(**{f"to-{each}": pem(copy) for each, copy in enumerate(copies)})
        asked = []
        crawled = crawl(
            table, server(low, up(url("to-0"))), top.certificate, has_path=lambda pool: asked.append(len(pool))
        )
        assert len(crawled.found) == number
        assert asked[-1] == number
        assert len(asked) < 70

    def test_a_fault_of_the_caller_comes_through(self):
        """An error of ``on_event`` ends the crawl and the running fetches."""
        low = ca("B")
        table = Table(**{"to-a": KeyError("mine")})
        table.stalled[url("to-b")] = asyncio.Event()
        with pytest.raises(KeyError, match="mine"):
            crawl(table, server(low, up(url("to-a"), url("to-b"))))
        assert table.broken_off == [url("to-b")]


class TestBudgets:
    """The limits, and their mention in the report."""

    def test_certificates(self):
        """A repository above the limit ends the crawl; certificates on chains are kept before others."""
        top, low = ca("TA"), ca("B")
        many = [top.issue_ca(ca(f"Some {number}")) for number in range(30)]
        wanted = ca("A").issue_ca(low)
        table = Table(**{"to-b": pem(*many, wanted)})
        crawled = crawl(table, server(low, up(url("to-b"))), retrieval_certificates=31)
        assert (len(crawled.found), crawled.incomplete) == (31, None)
        more = {"to-b": pem(many[0], up_page := ca("A").issue_ca(low, extensions=[up(url("to-a"), url("to-c"))]))}
        table = Table(**more, **{"to-a": pem(*many[1:], last := ca("C").issue_ca(ca("A")))})
        crawled = crawl(table, server(low, up(url("to-b"))), retrieval_certificates=31 - 1)
        assert len(crawled.found) == 30
        assert {up_page, last} <= set(crawled.found)
        assert crawled.incomplete == "more than 30 certificates (limits.retrieval_certificates)"

    def test_rejects(self):
        """Rejects count like certificates."""
        junk = b"-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
        table = Table(**{"to-a": junk * 6, "to-b": junk * 7})
        crawled = crawl(table, server(ca("B"), up(url("to-a"), url("to-b"))), retrieval_certificates=10)
        assert len(crawled.rejects) == 10
        assert "limits.retrieval_certificates" in crawled.incomplete

    @pytest.mark.parametrize("name", ["retrieval_seconds", "retrieval_total_bytes", "retrieval_urls"])
    def test_of_the_fetcher(self, name):
        """Where a limit on all URLs is met, no other URL is fetched, and the report names the limit."""
        why = f"more than there may be (limits.{name})"
        low = ca("B")
        names = [url(f"to-{number}") for number in range(4)]
        table = Table()

        async def refuse(wanted, purpose):
            table.asked.append(wanted)
            return Retrieval(url=wanted, purpose=purpose, status=Status.REFUSED, why=why)

        table.fetch = refuse
        crawled = crawl(table, server(low, up(*names)), retrieval_host_connections=1)
        assert table.asked == names[:1]
        assert crawled.incomplete == why
        assert outcome(crawled, "to-3").why == f"not asked: {why}"
        assert outcome(crawled, "to-3").retrieval.purpose is Purpose.CA_ISSUERS
