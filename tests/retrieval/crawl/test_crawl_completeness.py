"""A crawl finds a path exactly where the reachable certificates have one: random PKIs, compared with fetching all."""

from __future__ import annotations

import asyncio
import hashlib
import random
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, SubjectInformationAccessOID

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.contents import read_contents
from pkcs12kit.retrieval.crawl.crawl import Crawl
from pkcs12kit.retrieval.retrieved import Retrieval, Status

from ...thoroughness import mostly_slow

PARAMETERS = pk.ValidationParameters(time=datetime.now(UTC))
KEYS = [lab.KeyType.EC_P256.generate() for _ in range(7)]
UP = (x509.AuthorityInformationAccess, AuthorityInformationAccessOID.CA_ISSUERS)
DOWN = (x509.SubjectInformationAccess, SubjectInformationAccessOID.CA_REPOSITORY)
PAST = lab.Validity.around(PARAMETERS.time, days_before=20, days_after=-10)


@dataclass
class World:
    """A target, an anchor, and the responses of URLs."""

    target: pk.Certificate
    anchor: pk.TrustAnchor
    pages: dict[str, bytes]

    def finds(self, certificates):
        """The valid paths with these certificates."""
        pool = pk.CertificatePool(certificates)
        report = pk.find_paths(self.target, pool=pool, trust_anchors=[self.anchor], parameters=PARAMETERS)
        return {path.certificates for path in report.valid}


def make_world(dice):
    """Make a few CAs that certify one another at random, and URLs that name and give certificates at random."""
    urls = [f"http://pki.example/{number}" for number in range(dice.randint(1, 10))]

    def access(kind, most):
        extension, method = kind
        named = dice.sample(urls, min(len(urls), dice.randint(0, most)))
        found = [x509.AccessDescription(method, x509.UniformResourceIdentifier(each)) for each in named]
        return [lab.non_critical(extension(found))] if found else []

    def both():
        return [*access(UP, 2), *access(DOWN, 2)]

    cas = [
        lab.Authority.create(f"CA {number}", private_key=key, extensions=both())
        for number, key in enumerate(KEYS[: dice.randint(2, len(KEYS))])
    ]
    issued = [
        dice.choice(cas).issue_ca(
            dice.choice(cas),
            extensions=both(),
            path_length=dice.choice([None, None, None, None, 0, 1]),
            validity=PAST if dice.random() < 0.1 else None,
        )
        for _ in range(dice.randint(1, 14))
    ]
    target = dice.choice(cas).issue_server("www.example.com", private_key=KEYS[0], extensions=access(UP, 2)).certificate
    if dice.random() < 0.1:
        target = dice.choice(cas).certificate
    there = [*issued, *(ca.certificate for ca in cas)]
    pages = {}
    for url in urls:
        given = dice.sample(there, min(len(there), dice.randint(0, 4)))
        pages[url] = "".join(each.to_pem() for each in given).encode() or b"nothing"
    return World(target, pk.TrustAnchor.from_certificate(dice.choice(cas).certificate), pages)


def fetch_all(world):
    """Fetch everything that can be reached, one URL after the other."""
    waiting, asked, found = [world.target, world.anchor.certificate], set(), {}
    while waiting:
        extensions = waiting.pop().extensions
        for url in {*extensions.ca_issuers, *extensions.ca_repositories} - asked:
            asked.add(url)
            given = read_contents(world.pages[url], url=url, at_most=100).certificates
            waiting += [each for each in given if each not in found]
            found |= dict.fromkeys(given)
    return found


def crawl(world, dice, *, everything):
    """Crawl, with responses in any order, and return the crawl."""

    class Pages:
        async def fetch(self, url, purpose):
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)
            content = world.pages[url]
            digest = hashlib.sha256(content).hexdigest()
            return Retrieval(url=url, purpose=purpose, status=Status.FETCHED, content=content, sha256=digest)

    async def main():
        crawling = Crawl(
            Pages(),
            target=world.target,
            trust_anchors=[world.anchor],
            pool=pk.CertificatePool(),
            time=PARAMETERS.time,
            has_path=None if everything else lambda pool: bool(world.finds(pool)),
            limits=DEFAULT_LIMITS,
        )
        await crawling.run()
        return crawling

    return asyncio.run(main())


@pytest.mark.parametrize("seed", mostly_slow(range(0, 80, 10), every=4))
def test_random_pkis(seed):
    """With ``--all`` every named certificate is found, without it a path if there is one (RFC 5280 section 4.2.2)."""
    for number in range(seed, seed + 10):
        world = make_world(random.Random(number))  # noqa: S311  # the same at each run
        wanted = world.finds(fetch_all(world))
        everything = crawl(world, random.Random(1), everything=True)  # noqa: S311
        early = crawl(world, random.Random(1), everything=False)  # noqa: S311
        assert world.finds(everything.found) == wanted, number
        assert bool(world.finds(early.found)) == bool(wanted), number
        assert bool(world.finds(early.near)) == bool(wanted), number  # what is left out as too far is not needed
        assert world.finds(early.found) <= wanted, number
        assert crawl(world, random.Random(2), everything=True).urls() == everything.urls(), number  # noqa: S311


@pytest.mark.parametrize("seed", mostly_slow(range(0, 80, 10), every=4))
def test_the_order_of_answers_does_not_matter(seed):
    """The certificates up to the depth of the path do not depend on the order of responses."""
    for number in range(seed, seed + 10):
        world = make_world(random.Random(number))  # noqa: S311  # the same at each run
        one, *others = (crawl(world, random.Random(order), everything=False).near for order in range(5))  # noqa: S311
        if world.finds(one):
            assert all(other == one for other in others), number
