"""Pools that grow, for discovery.py: forests, meshes, parallel cross-certificates, a long chain.

Each scenario has one target, one trust anchor and the certificates between them, made anew by pkcs12kit.lab with
P-256 keys. All that makes two meshes of a size differ is the certificate that links them to the trust anchor.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise, permutations
from typing import TYPE_CHECKING

from cryptography import x509

import pkcs12kit as pk
from pkcs12kit import lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVER = "www.example.com"
NEW_ROOTS = 0.05
"""How many certificates of a forest are roots of further trees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What one search is given, and whether it has an answer."""

    target: pk.Certificate
    pool: pk.CertificatePool
    trust_anchor: pk.Certificate
    has_path: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the growth table. Rows of a ``linear`` series may grow with the certificates at the most."""

    series: str
    size: str
    make: Callable[[], Scenario]
    linear: bool = False
    slow: bool = False


def cases() -> Iterator[Case]:
    """List every row; meshes of a size stand together, because they share their cross-certificates."""
    for size, slow in ((100, False), (1_000, False), (10_000, True)):
        yield Case(series="forest", size=f"{size:,} certificates", make=partial(forest, size), linear=True, slow=slow)
    for size, slow in ((4, False), (8, False), (16, False), (32, True), (64, True)):
        for link in LINKS:
            yield Case(
                series=f"mesh, {link}", size=f"{size} CAs", make=partial(mesh, size, link), linear=True, slow=slow
            )
    for link in ("valid", "name excluded"):
        for count, slow in ((2, False), (4, False), (8, True), (12, True)):
            yield Case(series=f"4 hops, {link}", size=f"{count} a hop", make=partial(parallel, count, link), slow=slow)
    yield Case(series="chain", size="100 certificates", make=partial(chain, 100))


def forest(size: int) -> Scenario:
    """Make random trees of CAs. One path leads from the target up to the anchor, through three of them.

    ::

        www < Issuing < Policy < Intermediate < Root        and any CA below any other, or a root of its own
    """
    choose = random.Random(size)  # noqa: S311  # the same shape each time
    root, *chain_down = authorities = [lab.Authority.create(name) for name in ("Root", "Intermediate", "Policy", "Iss")]
    pool = [issuer.issue_ca(subject) for issuer, subject in pairwise(authorities)]
    for number in range(len(pool), size):
        authority = lab.Authority.create(f"CA {number}")
        is_root = choose.random() < NEW_ROOTS
        pool.append(authority.certificate if is_root else choose.choice(authorities).issue_ca(authority))
        authorities.append(authority)
    target = chain_down[-1].issue_server(SERVER).certificate
    return Scenario(target=target, pool=pk.CertificatePool(pool), trust_anchor=root.certificate, has_path=True)


def mesh(size: int, link: str) -> Scenario:
    """Let ``size`` CAs certify one another, all of them; the anchor certifies the first, the last issued the target.

    ::

        www < CA 3 = CA 1 < Root        = is in both directions
                 x X x
              CA 2 = CA 0 ...
    """
    topology = _cross_certified(size)
    root = lab.Authority.create("Root")
    linking = LINKS[link](root, topology.authorities["CA 0"])
    return Scenario(
        target=topology.servers[SERVER].certificate,
        pool=topology.pool | pk.CertificatePool([linking]),
        trust_anchor=root.certificate,
        has_path=link == "valid",
    )


@lru_cache(maxsize=1)
def _cross_certified(size: int) -> lab.Topology:
    labels = [f"CA {number}" for number in range(size)]
    both_ways = (f"{subject}<{issuer}" for subject, issuer in permutations(labels, 2))
    return lab.Topology.from_edges(*both_ways, f"{SERVER}<{labels[-1]}")


def parallel(count: int, link: str) -> Scenario:
    """Make four hops with ``count`` certificates each: count to the fourth paths.

    ::

        www < A =< B =< C =< D =< Root        =< is a certificate, count times; the link's kind is the last hop's
    """
    labels = ("A", "B", "C", "D", "Root")
    hops = [lab.Edge(subject=subject, issuer=issuer) for subject, issuer in pairwise(labels[:-1]) for _ in range(count)]
    topology = lab.Topology.from_edges(f"{SERVER}<A", *hops)
    root = lab.Authority.create("Root")
    links = [LINKS[link](root, topology.authorities["D"]) for _ in range(count)]
    return Scenario(
        target=topology.servers[SERVER].certificate,
        pool=topology.pool | pk.CertificatePool(links),
        trust_anchor=root.certificate,
        has_path=link == "valid",
    )


def chain(length: int) -> Scenario:
    """Make one path of ``length`` certificates: www < CA 98 < ... < CA 0 < Root."""
    labels = [SERVER, *(f"CA {number}" for number in reversed(range(length - 1))), "Root"]
    topology = lab.Topology.from_edges("<".join(labels))
    return Scenario(
        target=topology.servers[SERVER].certificate,
        pool=topology.pool,
        trust_anchor=topology.authorities["Root"].certificate,
        has_path=True,
    )


def _badly_signed(root: lab.Authority, subject: lab.Authority) -> pk.Certificate:
    """Sign with another key than the root's, and name the root's."""
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(root.private_key.public_key())
    other = replace(root, private_key=lab.KeyType.EC_P256.generate())
    return other.issue_ca(subject, extensions=[lab.non_critical(identifier)])


def _name_excluded(root: lab.Authority, subject: lab.Authority) -> pk.Certificate:
    constraints = x509.NameConstraints(None, [x509.DNSName("example.com")])
    return root.issue_ca(subject, extensions=[lab.critical(constraints)])


def _policy_required(root: lab.Authority, subject: lab.Authority) -> pk.Certificate:
    """State and require a policy that no other certificate has (2.999 is for examples)."""
    required = lab.critical(x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None))
    return root.issue_ca(subject, extensions=[lab.non_critical(lab.certificate_policies("2.999.1")), required])


LINKS: dict[str, Callable[[lab.Authority, lab.Authority], pk.Certificate]] = {
    "valid": lambda root, subject: root.issue_ca(subject),
    "bad signature": _badly_signed,
    "name excluded": _name_excluded,
    "path length 0": lambda root, subject: root.issue_ca(subject, path_length=0),
    "policy required": _policy_required,
}
"""What the anchor's certificate for the first CA says; only the first kind lets the target through."""


def variants(certificates: list[pk.Certificate], count: int) -> list[pk.Certificate]:
    """Make ``count`` certificates of real ones, each with a serial number and a subject of its own.

    Octets are replaced by as many others. The signatures do not verify any more, which no loading looks at.
    """
    choose = random.Random(count)  # noqa: S311  # the same ones each time
    long_enough = [certificate for certificate in certificates if certificate.serial_number >= 1 << 64]
    made = []
    for number in range(count):
        original = long_enough[number % len(long_enough)]
        serial = original.serial_number.to_bytes((original.serial_number.bit_length() + 7) // 8, "big")
        subject = original.as_cryptography.subject.public_bytes()
        der = original.der.replace(serial, serial[:1] + choose.randbytes(len(serial) - 1), 1)
        der = der.replace(subject, subject[:-4] + "".join(choose.choices("ABCDEFGHIJ", k=4)).encode())
        made.append(pk.Certificate.from_der(der))
    return made
