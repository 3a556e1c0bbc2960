"""What is left of the graph of a search once some of it is known to lead nowhere."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.paths.budget import Budget


Vertex = TypeVar("Vertex", bound="Hashable")

_WEAK_HASH_BITS: Final = 160
_UNKNOWN_STRENGTH: Final = 0
_REMEMBERED: Final = 8_192
"""Certificates; with them they take about 20 MB at the most."""
_WAYS_AT_MOST: Final = 32


class Merits(NamedTuple):
    """What a path, or a part of one, is worth."""

    lasts_until: float
    """The earliest expiry, in seconds since 1970."""
    certificates: int
    """How many there are."""
    strength: float
    """Bits of security of the weakest key or hash."""

    @classmethod
    def of(cls, path: CertificationPath) -> Self:
        """Sum up a path. The trust anchor's certificate expires too; its own strength and it do not count."""
        return cls(
            path.expires.timestamp(),
            len(path.certificates),
            min(merits_of(certificate).strength for certificate in path.certificates),
        )

    @classmethod
    def at(cls, anchor: TrustAnchor) -> Self:
        """Start at a trust anchor."""
        return cls(inf if anchor.certificate is None else anchor.certificate.not_after.timestamp(), 0, inf)

    def and_then(self, other: Merits) -> Merits:
        """Put two parts together."""
        return Merits(
            min(self.lasts_until, other.lasts_until),
            self.certificates + other.certificates,
            min(self.strength, other.strength),
        )


@lru_cache(maxsize=_REMEMBERED)
def merits_of(certificate: Certificate) -> Merits:
    """Sum up one certificate."""
    return Merits(certificate.not_after.timestamp(), 1, _security_bits(certificate))


def best_ways(
    trust_anchors: Mapping[Vertex, Iterable[TrustAnchor]],
    links_down: Callable[[Vertex], Iterable[tuple[Certificate, Vertex]]],
) -> dict[Vertex, tuple[Merits, ...]]:
    """Sum up, for each vertex that trust anchors lead to, the ways there that no other beats in every respect.

    The shortest comes first. Ways may go in circles, so that a simple path can do worse, and never better. A
    certificate is looked at as often as something better arrives at its issuer: once where all last equally long, at
    most 32 times.
    """
    ways: dict[Vertex, list[Merits]] = {}
    fresh: dict[Vertex, list[Merits]] = {}
    for vertex, anchors in trust_anchors.items():
        for anchor in anchors:
            _offer(Merits.at(anchor), vertex, ways, fresh)
    while fresh:
        arrived, fresh = fresh, {}
        for vertex, merits in arrived.items():
            for certificate, below in links_down(vertex):
                own = merits_of(certificate)
                for way in merits:
                    _offer(way.and_then(own), below, ways, fresh)
    return {vertex: tuple(merits) for vertex, merits in ways.items()}


def _offer(way: Merits, vertex: Vertex, ways: dict[Vertex, list[Merits]], fresh: dict[Vertex, list[Merits]]) -> None:
    """Keep a way, as long as the longest before it or longer, unless another beats it; drop what it beats."""
    known = ways.setdefault(vertex, [])
    if len(known) == _WAYS_AT_MOST - 1:
        way = Merits(inf, way.certificates, inf)  # no longer one beats that
    if any(other.lasts_until >= way.lasts_until and other.strength >= way.strength for other in known):
        return
    equally_long = fresh.setdefault(vertex, [])
    for other in [
        other for other in equally_long if other.lasts_until <= way.lasts_until and other.strength <= way.strength
    ]:
        equally_long.remove(other)
        known.remove(other)
    known.append(way)
    equally_long.append(way)


def _security_bits(certificate: Certificate) -> int:
    """Estimate the bits of security of its key and of the hash that signed it (NIST SP 800-57 part 1, 5.6.1)."""
    try:
        key, digest = certificate.public_key, certificate.signature_hash_algorithm
    except MalformedCertificateError:
        return _UNKNOWN_STRENGTH
    size: int = getattr(key, "key_size", 256)
    of_key = _of_factoring(size) if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) else size // 2
    if digest is None:
        return of_key
    of_hash = digest.digest_size * 4
    return min(of_key, of_hash if digest.digest_size * 8 > _WEAK_HASH_BITS else _UNKNOWN_STRENGTH)


def _of_factoring(bits: int) -> int:
    for size, security in ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80)):
        if bits >= size:
            return security
    return _UNKNOWN_STRENGTH


Node: TypeAlias = tuple["Name", bytes]
_Issuers: TypeAlias = tuple[Vertex, "Certificate | None"]


class SearchGraph(Protocol[Vertex]):
    """What a search needs to know. A vertex stands for whoever may have issued a certificate."""

    @property
    def target(self) -> Certificate:
        """Where paths start."""

    @property
    def first(self) -> Sequence[Vertex]:
        """Who may have issued the target."""

    def anchors_at(self, vertex: Vertex) -> Sequence[TrustAnchor]:
        """List the trust anchors that ``vertex`` stands for."""

    def issuers_at(self, vertex: Vertex) -> Sequence[tuple[Certificate, Vertex]]:
        """List the CA certificates that it stands for, each with who may have issued it in turn."""

    def ways_to(self, vertex: Vertex) -> Sequence[Merits]:
        """Say the best that ways from a trust anchor to it can be, the shortest first; nothing where there is none."""

    def ways_by(
        self, usable: Callable[[TrustAnchor], bool], may_go: Callable[[Certificate, Vertex], bool]
    ) -> Mapping[Vertex, Sequence[Merits]]:
        """Say so of every vertex, for ways from usable trust anchors by certificates that ``may_go`` below a vertex."""


class RemainingWays(Generic[Vertex]):
    """The ways of a graph without the certificates, links and trust anchors that a search has excluded."""

    def __init__(self, graph: SearchGraph[Vertex], *, budget: Budget) -> None:
        self._graph = graph
        self._budget = budget
        self._excluded: set[Certificate] = set()
        self._excluded_anchors: set[Certificate | None] = set()
        self._excluded_links: set[tuple[Certificate, Node]] = set()
        self._with_excluded_links: set[Certificate] = set()
        self._dead: set[_Issuers[Vertex]] = set()
        """Whence no way leads to a trust anchor any more, whatever the walk."""
        self._nearest: dict[Vertex, tuple[Certificate, Vertex] | None] = {}
        self._ways: Mapping[Vertex, Sequence[Merits]] | None = None
        """None until they are worked out anew: then they are the graph's."""

    def exclude(self, certificate: Certificate) -> None:
        """Leave out a certificate."""
        self._excluded.add(certificate)

    def exclude_link(self, certificate: Certificate, issuer: Node) -> None:
        """Leave out an issuer of a certificate."""
        self._excluded_links.add((certificate, issuer))
        self._with_excluded_links.add(certificate)

    def exclude_trust_anchor(self, anchor: TrustAnchor) -> None:
        """Leave out an anchor; one with the same name and key and another certificate is another anchor."""
        self._excluded_anchors.add(anchor.certificate)

    def ways_to(self, vertex: Vertex) -> Sequence[Merits]:
        """Say the best that ways to a vertex can be, as they were when last worked out."""
        return self._graph.ways_to(vertex) if self._ways is None else self._ways.get(vertex, ())

    def work_out(self) -> int:
        """Work out the ways anew, and say how many links were looked at for that."""
        links = 0

        def may_go(certificate: Certificate, vertex: Vertex) -> bool:
            nonlocal links
            links += 1
            return certificate not in self._excluded and self._has_issuer(certificate, vertex)

        self._ways = self._graph.ways_by(lambda anchor: anchor.certificate not in self._excluded_anchors, may_go)
        return links

    def is_excluded(self, certificates: Sequence[Certificate], issuer: Certificate | TrustAnchor) -> bool:
        """Whether a walk over these certificates to their last one's issuer holds something that is left out."""
        if isinstance(issuer, TrustAnchor) and issuer.certificate in self._excluded_anchors:
            return True
        if not self._excluded and not self._excluded_links:
            return False
        issuers = (*certificates[1:], issuer)
        return not self._excluded.isdisjoint((*certificates, issuer)) or any(
            (lower, upper.node) in self._excluded_links for lower, upper in zip(certificates, issuers, strict=True)
        )

    def can_end(self, certificate: Certificate, vertex: Vertex, nodes: frozenset[Node]) -> bool:
        """Whether some way leads from a certificate, whose issuer ``vertex`` stands for, to an anchor past ``nodes``.

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
        """
        if self._issuers_of(certificate, vertex) in self._dead:
            return False
        if self._ends_by_the_nearest(certificate, vertex, nodes) or self._all_above(certificate, vertex, nodes) is None:
            return True
        if self._excluded or self._excluded_links or self._excluded_anchors:
            self._dead.update(self._all_above(certificate, vertex, frozenset()) or ())
        return False

    def _ends_by_the_nearest(self, certificate: Certificate, vertex: Vertex, nodes: frozenset[Node]) -> bool:
        """Follow the shortest way, from issuer to issuer: nearly always it is free."""
        while not self._ends_at(vertex, certificate, nodes):
            nearest = self._nearest_issuer(vertex)
            if nearest is None or not self._is_free(nearest[0], certificate, nodes):
                return False
            certificate, vertex = nearest
        return True

    def _nearest_issuer(self, vertex: Vertex) -> tuple[Certificate, Vertex] | None:
        """Name the issuer that is one certificate nearer to a trust anchor; None where ``vertex`` is one."""
        if vertex not in self._nearest:
            distance = self._graph.ways_to(vertex)[0].certificates
            self._nearest[vertex] = next(
                (
                    (issuer, above)
                    for issuer, above in self._graph.issuers_at(vertex)
                    if (ways := self._graph.ways_to(above)) and ways[0].certificates < distance
                ),
                None,
            )
        return self._nearest[vertex]

    def _all_above(
        self, certificate: Certificate, vertex: Vertex, nodes: frozenset[Node]
    ) -> set[_Issuers[Vertex]] | None:
        """Go every way up that avoids ``nodes``; None where one ends at a trust anchor."""
        seen = {self._issuers_of(certificate, vertex)}
        waiting = [(certificate, vertex)]
        while waiting:
            certificate, vertex = waiting.pop()
            if self._ends_at(vertex, certificate, nodes):
                return None
            self._budget.spend("discovery_steps")
            for issuer, above in self._graph.issuers_at(vertex):
                of_issuer = self._issuers_of(issuer, above)
                if (
                    of_issuer not in seen
                    and of_issuer not in self._dead
                    and self._graph.ways_to(above)
                    and self._is_free(issuer, certificate, nodes)
                    and self._has_issuer(issuer, above)
                ):
                    seen.add(of_issuer)
                    waiting.append((issuer, above))
        return seen

    def _issuers_of(self, certificate: Certificate, vertex: Vertex) -> _Issuers[Vertex]:
        """Name what is the same for certificates whose issuers are; excluded links are of one certificate alone."""
        return vertex, certificate if certificate in self._with_excluded_links else None

    def _ends_at(self, vertex: Vertex, certificate: Certificate, nodes: frozenset[Node]) -> bool:
        return any(
            anchor.certificate not in self._excluded_anchors
            and anchor.node not in nodes
            and (certificate, anchor.node) not in self._excluded_links
            for anchor in self._graph.anchors_at(vertex)
        )

    def _is_free(self, issuer: Certificate, certificate: Certificate, nodes: frozenset[Node]) -> bool:
        return (
            issuer.node not in nodes
            and issuer not in self._excluded
            and (certificate, issuer.node) not in self._excluded_links
        )

    def _has_issuer(self, certificate: Certificate, vertex: Vertex) -> bool:
        if certificate not in self._with_excluded_links:
            return True
        nodes = {anchor.node for anchor in self._graph.anchors_at(vertex)}
        nodes.update(issuer.node for issuer, _ in self._graph.issuers_at(vertex))
        return any((certificate, node) not in self._excluded_links for node in nodes)
