"""Candidate paths, one at a time, the best first (RFC 4158).

A best-first search from the target upwards. Each partial path has a bound that none of its completions can beat; the
bound comes from a graph whose bounds were computed from the trust anchors downwards. Hence candidates come in the order
of the ranking, and parts of the graph from which no anchor can be reached are never entered. Nothing is validated here.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.paths.bounds import VertexT, quality_of
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.named_issuers import key_identifiers_differ, names_another
from pkcs12kit.paths.ranking import lasting_before_short, precedence
from pkcs12kit.paths.restricted_graph import RestrictedGraph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.bounds import PathQuality
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.graph import Node, SearchGraph
    from pkcs12kit.paths.ranking import Order


class _PartialPath(Generic[VertexT]):
    """A partial path from the target up to ``certificate``; ``vertex`` represents its possible issuers."""

    __slots__ = ("below", "certificate", "nodes", "precedence", "quality", "vertex")

    def __init__(self, certificate: Certificate, vertex: VertexT, below: _PartialPath[VertexT] | None) -> None:
        self.certificate = certificate
        self.vertex = vertex
        self.below = below
        own, node = precedence(certificate), certificate.node
        self.nodes: frozenset[Node] = frozenset((node,)) if below is None else below.nodes | {node}
        self.quality: PathQuality = quality_of(certificate) if below is None else below.quality_with(certificate)
        self.precedence: tuple[Any, ...] = (own,) if below is None else (*below.precedence, own)

    def quality_with(self, issuer: Certificate) -> PathQuality:
        """Return the quality of the partial path with one more issuer."""
        return self.quality.joined_with(quality_of(issuer), names_another(self.certificate, issuer))

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates, the target first."""
        partial: _PartialPath[VertexT] | None = self
        downwards = []
        while partial is not None:
            downwards.append(partial.certificate)
            partial = partial.below
        return tuple(reversed(downwards))


class _Extension(NamedTuple):
    """An issuer by which a partial path can be extended."""

    bound: tuple[Any, ...]
    issuer: Certificate
    vertex: Any
    """The vertex of the possible issuers of the issuer."""


class _Completion(NamedTuple):
    """A trust anchor at which a partial path can end."""

    bound: tuple[Any, ...]
    issuer: TrustAnchor


_Step: TypeAlias = _Extension | _Completion
_FrontierEntry: TypeAlias = tuple[tuple[Any, ...], int, _PartialPath[VertexT], list[_Step], int, int]
"""The bound; a number, so that nothing after it is compared; a partial path; the steps from it, the best first; the
position of the next step; and the number of updates of the bounds before it."""


class CandidateSearch(Generic[VertexT]):
    """The simple paths from a target to any of the trust anchors, an iterable; the best come first.

    ``order`` defines which quality comes first. No path holds a node (subject and key) twice, the anchor's included;
    the one exception is a target that is an anchor's own certificate. Iterating raises
    :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
    """

    def __init__(
        self,
        graph: SearchGraph[VertexT],
        *,
        budget: SearchBudget,
        order: Order = lasting_before_short,
    ) -> None:
        self._graph = graph
        self._budget = budget
        self._order = order
        self._remaining = RestrictedGraph(graph, budget=budget)
        self._bounds_updates = 0
        self._bounds_are_stale = False
        self._steps_taken = 0
        self._next_update = 0
        """The number of steps after which bounds may be updated."""
        self._numbers = count()
        self._frontier: list[_FrontierEntry[VertexT]] = []
        for vertex in graph.first:
            self._expand(_PartialPath(graph.target, vertex, None))

    def exclude(self, certificate: Certificate) -> None:
        """Exclude a certificate from the paths that are still to come."""
        self._remaining.exclude(certificate)
        self._bounds_are_stale = True

    def exclude_link(self, certificate: Certificate, issuer: Node) -> None:
        """Exclude the step from a certificate to one of its issuers."""
        self._remaining.exclude_link(certificate, issuer)
        self._bounds_are_stale = True

    def exclude_trust_anchor(self, anchor: TrustAnchor) -> None:
        """Exclude an anchor; one with the same name and key and another certificate is another anchor."""
        self._remaining.exclude_trust_anchor(anchor)
        self._bounds_are_stale = True

    def __iter__(self) -> Iterator[CertificationPath]:
        while self._frontier:
            self._budget.spend("discovery_steps")
            self._steps_taken += 1
            if self._bounds_are_stale and self._steps_taken >= self._next_update:
                self._update_bounds()
            _, _, partial, steps, position, updates = heappop(self._frontier)
            if updates != self._bounds_updates:
                self._push(partial, self._with_new_bounds(partial, steps[position:]), 0)
                continue
            self._push(partial, steps, position + 1)
            step = steps[position]
            if self._remaining.is_excluded(partial.certificates, step.issuer):
                continue
            if not self._may_have_issued(step.issuer, partial.certificate):
                self._remaining.exclude_link(partial.certificate, step.issuer.node)
                continue
            if isinstance(step, _Completion):
                self._budget.spend("candidate_paths")
                yield CertificationPath(certificates=partial.certificates, trust_anchor=step.issuer)
            else:
                longer = _PartialPath(step.issuer, step.vertex, partial)
                # Without this check, a partial path that has used the only way to an anchor would be extended by all
                # the other certificates in every order.
                if self._remaining.reaches_anchor(longer.certificate, longer.vertex, longer.nodes):
                    self._expand(longer)

    def _expand(self, partial: _PartialPath[VertexT]) -> None:
        """Add the best step from a partial path to the frontier; the next ones follow when it has been taken."""
        steps: list[_Step] = [*self._completions(partial), *self._extensions(partial)]
        steps.sort(key=itemgetter(0))
        self._push(partial, steps, 0)

    def _push(self, partial: _PartialPath[VertexT], steps: list[_Step], position: int) -> None:
        if position < len(steps):
            entry = (steps[position].bound, next(self._numbers), partial, steps, position, self._bounds_updates)
            heappush(self._frontier, entry)

    def _update_bounds(self) -> None:
        """Compute the bounds without what is excluded: with stale bounds, partial paths that lead there come too early.

        An update takes as long as one step for each link, and there is at most one update in that many steps.
        """
        self._next_update = self._steps_taken + self._remaining.update_bounds()
        self._bounds_updates += 1
        self._bounds_are_stale = False

    def _with_new_bounds(self, partial: _PartialPath[VertexT], steps: Sequence[_Step]) -> list[_Step]:
        """Return steps with their present bounds, in order, without those that lead to no anchor any more."""
        bounded = [
            step
            if isinstance(step, _Completion)
            else None
            if (bound := self._bound(partial, step.issuer, step.vertex)) is None
            else step._replace(bound=bound)
            for step in steps
        ]
        return sorted(filter(None, bounded), key=itemgetter(0))

    def _completions(self, partial: _PartialPath[VertexT]) -> Iterator[_Completion]:
        for anchor in self._graph.anchors_at(partial.vertex):
            if self._may_end_at(partial, anchor):
                mismatch = names_another(partial.certificate, anchor)
                quality = partial.quality.joined_with(self._graph.anchor_quality(anchor), mismatch)
                tie_break = partial.precedence
                if anchor.certificate is not None and anchor.certificate != partial.certificate:
                    tie_break = (*tie_break, precedence(anchor.certificate))
                yield _Completion((*self._order(quality), tie_break), anchor)

    def _extensions(self, partial: _PartialPath[VertexT]) -> Iterator[_Extension]:
        for issuer, vertex in self._graph.issuers_at(partial.vertex):
            if issuer.node in partial.nodes:
                continue
            bound = self._bound(partial, issuer, vertex)
            if bound is not None:
                yield _Extension(bound, issuer, vertex)

    def _bound(self, partial: _PartialPath[VertexT], issuer: Certificate, vertex: VertexT) -> tuple[Any, ...] | None:
        """Return the bound of a partial path with one more issuer; None where no anchor can be reached from there."""
        bounds = self._remaining.bounds_at(vertex)
        if not bounds:
            return None
        quality = partial.quality_with(issuer)
        completed = [self._order(rest.below(issuer, quality)) for rest in bounds]
        return (*min(completed), (*partial.precedence, precedence(issuer)))

    def _may_end_at(self, partial: _PartialPath[VertexT], anchor: TrustAnchor) -> bool:
        if anchor.node not in partial.nodes:
            return True
        return partial.below is None and partial.certificate == anchor.certificate

    def _may_have_issued(self, issuer: Certificate | TrustAnchor, certificate: Certificate) -> bool:
        """Return True unless key identifiers differ and the signature does not verify; validation checks the rest."""
        return not key_identifiers_differ(certificate, issuer) or may_have_signed(issuer, certificate, self._budget)
