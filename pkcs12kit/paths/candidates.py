"""Candidate paths, lazily, best first (RFC 4158).

A best-first search from the target up. Each walk waits with a bound that no completion of it can beat; the bound comes
from a graph that has looked from the trust anchors down. Hence candidates come out in the order of the ranking, and
parts of the graph that reach no anchor are never entered. Nothing is validated here.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.bounds import Merits, Node, RemainingWays, SearchGraph, Vertex, merits_of
from pkcs12kit.paths.graph import key_identifiers_differ
from pkcs12kit.paths.ranking import Order, lasting_before_short, precedence
from pkcs12kit.paths.signatures import REMEMBERED, SignatureVerdict, WorkingKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import Budget


class _Walk(Generic[Vertex]):
    """A walk from the target up to ``certificate``, whose issuer ``vertex`` stands for."""

    __slots__ = ("below", "certificate", "merits", "nodes", "precedence", "vertex")

    def __init__(self, certificate: Certificate, vertex: Vertex, below: _Walk[Vertex] | None) -> None:
        self.certificate = certificate
        self.vertex = vertex
        self.below = below
        own, merits, node = precedence(certificate), merits_of(certificate), certificate.node
        self.nodes: frozenset[Node] = frozenset((node,)) if below is None else below.nodes | {node}
        self.merits: Merits = merits if below is None else below.merits.and_then(merits)
        self.precedence: tuple[Any, ...] = (own,) if below is None else (*below.precedence, own)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """The certificates, the target first."""
        walk: _Walk[Vertex] | None = self
        upside_down = []
        while walk is not None:
            upside_down.append(walk.certificate)
            walk = walk.below
        return tuple(reversed(upside_down))


class _Step(NamedTuple):
    """A way to go on from a walk to an issuer."""

    bound: tuple[Any, ...]
    issuer: Certificate
    vertex: Any
    """Who may have issued the issuer."""


class _End(NamedTuple):
    """A trust anchor that a walk may end at."""

    bound: tuple[Any, ...]
    issuer: TrustAnchor


_Waiting: TypeAlias = tuple[tuple[Any, ...], int, _Walk[Vertex], list[_Step | _End], int, int]
"""The bound, a number so that nothing else is compared, a walk, the steps from it, best first, which is next, and how
often bounds had been worked out anew by then."""


class CandidateSearch(Generic[Vertex]):
    """Simple paths from a target to any of the trust anchors, best first; iterate to get them.

    ``order`` says which merits come first. No path holds a (subject, key) twice, the anchor's among them; the one
    exception is a target that is an anchor's own certificate. Iterating raises
    :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
    """

    def __init__(
        self,
        graph: SearchGraph[Vertex],
        *,
        budget: Budget,
        order: Order = lasting_before_short,
    ) -> None:
        self._graph = graph
        self._budget = budget
        self._before = order
        self._remaining = RemainingWays(graph, budget=budget)
        self._bounds_worked_out = 0
        self._bounds_are_stale = False
        self._taken = 0
        self._next_bounds = 0
        self._order = count()
        self._waiting: list[_Waiting[Vertex]] = []
        for vertex in graph.first:
            self._extend(_Walk(graph.target, vertex, None))

    def exclude(self, certificate: Certificate) -> None:
        """Go no longer through a certificate."""
        self._remaining.exclude(certificate)
        self._bounds_are_stale = True

    def exclude_link(self, certificate: Certificate, issuer: Node) -> None:
        """Go no longer from a certificate to this issuer, whose key did not sign it."""
        self._remaining.exclude_link(certificate, issuer)
        self._bounds_are_stale = True

    def exclude_trust_anchor(self, anchor: TrustAnchor) -> None:
        """End no longer at an anchor; one with the same name and key and another certificate is another anchor."""
        self._remaining.exclude_trust_anchor(anchor)
        self._bounds_are_stale = True

    def __iter__(self) -> Iterator[CertificationPath]:
        while self._waiting:
            self._budget.spend("discovery_steps")
            self._taken += 1
            if self._bounds_are_stale and self._taken >= self._next_bounds:
                self._work_out_bounds()
            _, _, walk, steps, number, worked_out = heappop(self._waiting)
            if worked_out != self._bounds_worked_out:
                self._push(walk, self._with_bounds(walk, steps[number:]), 0)
                continue
            self._push(walk, steps, number + 1)
            step = steps[number]
            if self._remaining.is_excluded(walk.certificates, step.issuer):
                continue
            if not self._may_have_issued(step.issuer, walk.certificate):
                self._remaining.exclude_link(walk.certificate, step.issuer.node)
                continue
            if isinstance(step, _End):
                self._budget.spend("candidate_paths")
                yield CertificationPath(certificates=walk.certificates, trust_anchor=step.issuer)
            else:
                longer = _Walk(step.issuer, step.vertex, walk)
                # A walk that has used up the only way in would be continued in every order of all the others.
                if self._remaining.can_end(longer.certificate, longer.vertex, longer.nodes):
                    self._extend(longer)

    def _extend(self, walk: _Walk[Vertex]) -> None:
        """Let the ways to go on from a walk wait, of which only the best is looked at until it is its turn."""
        steps: list[_Step | _End] = [*self._ends(walk), *self._steps(walk)]
        steps.sort(key=itemgetter(0))
        self._push(walk, steps, 0)

    def _push(self, walk: _Walk[Vertex], steps: list[_Step | _End], number: int) -> None:
        if number < len(steps):
            waiting = (steps[number].bound, next(self._order), walk, steps, number, self._bounds_worked_out)
            heappush(self._waiting, waiting)

    def _work_out_bounds(self) -> None:
        """Promise no longer what an excluded way would have given: every walk would be followed for it.

        It takes as long as so many steps as there are links, and is done as often at the most.
        """
        self._next_bounds = self._taken + self._remaining.work_out()
        self._bounds_worked_out += 1
        self._bounds_are_stale = False

    def _with_bounds(self, walk: _Walk[Vertex], steps: Sequence[_Step | _End]) -> list[_Step | _End]:
        """Give steps that wait the bounds that they have by now."""
        bounded = [
            step
            if isinstance(step, _End)
            else None
            if (bound := self._bound(walk, step.issuer, step.vertex)) is None
            else step._replace(bound=bound)
            for step in steps
        ]
        return sorted(filter(None, bounded), key=itemgetter(0))

    def _ends(self, walk: _Walk[Vertex]) -> Iterator[_End]:
        for anchor in self._graph.anchors_at(walk.vertex):
            if self._may_end_at(walk, anchor):
                merits, rest = walk.merits.and_then(Merits.at(anchor)), walk.precedence
                if anchor.certificate is not None and anchor.certificate != walk.certificate:
                    rest = (*rest, precedence(anchor.certificate))
                yield _End((*self._before(merits), rest), anchor)

    def _steps(self, walk: _Walk[Vertex]) -> Iterator[_Step]:
        for issuer, vertex in self._graph.issuers_at(walk.vertex):
            if issuer.node in walk.nodes:
                continue
            bound = self._bound(walk, issuer, vertex)
            if bound is not None:
                yield _Step(bound, issuer, vertex)

    def _bound(self, walk: _Walk[Vertex], issuer: Certificate, vertex: Vertex) -> tuple[Any, ...] | None:
        """Say what no path that goes on from a walk to an issuer can beat; None where no way leads on."""
        merits = walk.merits.and_then(merits_of(issuer))
        completed = [self._before(merits.and_then(way)) for way in self._remaining.ways_to(vertex)]
        return (*min(completed), (*walk.precedence, precedence(issuer))) if completed else None

    def _may_end_at(self, walk: _Walk[Vertex], anchor: TrustAnchor) -> bool:
        if anchor.node not in walk.nodes:
            return True
        return walk.below is None and walk.certificate == anchor.certificate

    def _may_have_issued(self, issuer: Certificate | TrustAnchor, certificate: Certificate) -> bool:
        """Believe names and key identifiers until validation; where key identifiers differ, ask the signature now."""
        return not key_identifiers_differ(certificate, issuer) or may_have_signed(issuer, certificate, self._budget)


def may_have_signed(issuer: Certificate | TrustAnchor, certificate: Certificate, budget: Budget) -> bool:
    """Whether the signature verifies with the issuer's key, or cannot be checked by that key alone."""
    try:
        key = WorkingKey.of(issuer)
    except MalformedCertificateError:
        return True  # it may inherit parameters (RFC 5280 section 6.1.4 (e)); validation will tell
    return REMEMBERED.verdict(certificate, key.key, key.info, budget) is not SignatureVerdict.INVALID
