"""A search graph without the certificates, links and trust anchors that a search has excluded.

It has its own bounds, and knows from which vertices a trust anchor can still be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeAlias

from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.paths.bounds import VertexT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.bounds import Bound
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.graph import Node, SearchGraph

_Issuers: TypeAlias = tuple[VertexT, "Certificate | None"]


class RestrictedGraph(Generic[VertexT]):
    """A graph from which certificates, links and trust anchors can be excluded."""

    def __init__(self, graph: SearchGraph[VertexT], *, budget: SearchBudget) -> None:
        self._graph = graph
        self._budget = budget
        self._excluded: set[Certificate] = set()
        self._excluded_anchors: set[Certificate | None] = set()
        self._excluded_links: set[tuple[Certificate, Node]] = set()
        self._with_excluded_links: set[Certificate] = set()
        self._dead_ends: set[_Issuers[VertexT]] = set()
        """Issuers from which no trust anchor can be reached any more, whatever the partial path."""
        self._nearest: dict[VertexT, tuple[Certificate, VertexT] | None] = {}
        self._bounds: Mapping[VertexT, Sequence[Bound]] | None = None
        """None until :meth:`update_bounds` is called: the bounds of the whole graph are used until then."""

    def exclude(self, certificate: Certificate) -> None:
        """Exclude a certificate."""
        self._excluded.add(certificate)

    def exclude_link(self, certificate: Certificate, issuer: Node) -> None:
        """Exclude one issuer of a certificate."""
        self._excluded_links.add((certificate, issuer))
        self._with_excluded_links.add(certificate)

    def exclude_trust_anchor(self, anchor: TrustAnchor) -> None:
        """Exclude an anchor; one with the same name and key and another certificate is another anchor."""
        self._excluded_anchors.add(anchor.certificate)

    def bounds_at(self, vertex: VertexT) -> Sequence[Bound]:
        """Return the bounds of a vertex, as of the last update."""
        return self._graph.bounds_at(vertex) if self._bounds is None else self._bounds.get(vertex, ())

    def update_bounds(self) -> int:
        """Compute the bounds again, without what is excluded. Return the number of links that were examined."""
        links = 0

        def link_allowed(certificate: Certificate, vertex: VertexT) -> bool:
            nonlocal links
            links += 1
            return certificate not in self._excluded and self._has_issuer(certificate, vertex)

        self._bounds = self._graph.restricted_bounds(
            lambda anchor: anchor.certificate not in self._excluded_anchors, link_allowed
        )
        return links

    def is_excluded(self, certificates: Sequence[Certificate], issuer: Certificate | TrustAnchor) -> bool:
        """Return True where a partial path, extended by an issuer of its last certificate, holds something excluded."""
        if isinstance(issuer, TrustAnchor) and issuer.certificate in self._excluded_anchors:
            return True
        if not self._excluded and not self._excluded_links:
            return False
        issuers = (*certificates[1:], issuer)
        return not self._excluded.isdisjoint((*certificates, issuer)) or any(
            (lower, upper.node) in self._excluded_links for lower, upper in zip(certificates, issuers, strict=True)
        )

    def reaches_anchor(self, certificate: Certificate, vertex: VertexT, nodes: frozenset[Node]) -> bool:
        """Return True where a way that avoids ``nodes`` leads from a certificate to a trust anchor.

        Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
        """
        if self._issuers_of(certificate, vertex) in self._dead_ends:
            return False
        if self._nearest_way_is_free(certificate, vertex, nodes) or self._all_above(certificate, vertex, nodes) is None:
            return True
        if self._excluded or self._excluded_links or self._excluded_anchors:
            self._dead_ends.update(self._all_above(certificate, vertex, frozenset()) or ())
        return False

    def _nearest_way_is_free(self, certificate: Certificate, vertex: VertexT, nodes: frozenset[Node]) -> bool:
        """Return True where the shortest way to a trust anchor avoids ``nodes``; nearly always it does."""
        while not self._ends_at(vertex, certificate, nodes):
            nearest = self._nearest_issuer(vertex)
            if nearest is None or not self._is_free(nearest[0], certificate, nodes):
                return False
            certificate, vertex = nearest
        return True

    def _nearest_issuer(self, vertex: VertexT) -> tuple[Certificate, VertexT] | None:
        """Return an issuer that is one certificate nearer to a trust anchor; None where ``vertex`` is an anchor's."""
        if vertex not in self._nearest:
            distance = self._graph.bounds_at(vertex)[0].quality.certificates
            self._nearest[vertex] = next(
                (
                    (issuer, above)
                    for issuer, above in self._graph.issuers_at(vertex)
                    if (bounds := self._graph.bounds_at(above)) and bounds[0].quality.certificates < distance
                ),
                None,
            )
        return self._nearest[vertex]

    def _all_above(
        self, certificate: Certificate, vertex: VertexT, nodes: frozenset[Node]
    ) -> set[_Issuers[VertexT]] | None:
        """Return all issuers that can be reached while avoiding ``nodes``; None where a trust anchor is among them."""
        seen = {self._issuers_of(certificate, vertex)}
        stack = [(certificate, vertex)]
        while stack:
            certificate, vertex = stack.pop()
            if self._ends_at(vertex, certificate, nodes):
                return None
            self._budget.spend("discovery_steps")
            for issuer, above in self._graph.issuers_at(vertex):
                of_issuer = self._issuers_of(issuer, above)
                if (
                    of_issuer not in seen
                    and of_issuer not in self._dead_ends
                    and self._graph.bounds_at(above)
                    and self._is_free(issuer, certificate, nodes)
                    and self._has_issuer(issuer, above)
                ):
                    seen.add(of_issuer)
                    stack.append((issuer, above))
        return seen

    def _issuers_of(self, certificate: Certificate, vertex: VertexT) -> _Issuers[VertexT]:
        """Return a key that is equal for certificates with the same issuers; excluded links are of one certificate."""
        return vertex, certificate if certificate in self._with_excluded_links else None

    def _ends_at(self, vertex: VertexT, certificate: Certificate, nodes: frozenset[Node]) -> bool:
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

    def _has_issuer(self, certificate: Certificate, vertex: VertexT) -> bool:
        if certificate not in self._with_excluded_links:
            return True
        nodes = {anchor.node for anchor in self._graph.anchors_at(vertex)}
        nodes.update(issuer.node for issuer, _ in self._graph.issuers_at(vertex))
        return any((certificate, node) not in self._excluded_links for node in nodes)
