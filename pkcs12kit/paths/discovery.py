"""Candidate paths, lazily, best first (RFC 4158).

A best-first search from the target up. Each partial path waits with a bound that no completion of it can beat; the
bound comes from :class:`~pkcs12kit.paths.graph.CertificationGraph`, which has looked from the anchors down. Hence
candidates come out in the order of :func:`~pkcs12kit.paths.ranking.longest_lasting`, and parts of the pool that reach
no anchor are never entered. Nothing is validated here.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.graph import FOREVER, CertificationGraph, key_identifiers_differ
from pkcs12kit.paths.ranking import longest_lasting
from pkcs12kit.paths.signatures import REMEMBERED, SignatureVerdict
from pkcs12kit.paths.working_key import WorkingKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import Budget

Node = tuple["Name", bytes]


class _Partial(NamedTuple):
    """A walk from the target up to ``certificates[-1]``."""

    certificates: tuple[Certificate, ...]
    nodes: frozenset[Node]
    lasts_until: float

    def with_issuer(self, issuer: Certificate) -> _Partial:
        return _Partial(
            (*self.certificates, issuer),
            self.nodes | {issuer.node},
            min(self.lasts_until, issuer.not_after.timestamp()),
        )


class CandidateSearch:
    """Simple paths from a target to any of the trust anchors, best first; iterate to get them.

    ``usable`` says which certificates of the pool may be issuers. No path holds a (subject, key) twice, the anchor's
    among them; the one exception is a target that is an anchor's own certificate. Iterating raises
    :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
    """

    def __init__(
        self,
        target: Certificate,
        pool: CertificatePool,
        trust_anchors: Iterable[TrustAnchor],
        *,
        usable: Callable[[Certificate], bool],
        budget: Budget,
    ) -> None:
        self.graph = CertificationGraph(target, pool, trust_anchors, usable=usable, budget=budget)
        self._budget = budget
        self._excluded: set[Certificate] = set()
        self._excluded_anchors: set[Certificate | None] = set()
        self._excluded_links: set[tuple[Certificate, Node]] = set()
        self._order = count()
        self._shortest_first = False
        self._start = _Partial((target,), frozenset({target.node}), target.not_after.timestamp())
        self._waiting: list[tuple[tuple[object, ...], int, _Partial | CertificationPath]] = []
        self._push_partial(self._start)

    def start_again_shortest_first(self, budget: Budget) -> None:
        """Propose from the start, the fewest certificates first; what was excluded stays so."""
        self._budget = budget
        self._shortest_first = True
        self._waiting.clear()
        self._push_partial(self._start)

    def exclude(self, certificate: Certificate) -> None:
        """Go no longer through a certificate."""
        self._excluded.add(certificate)

    def exclude_link(self, certificate: Certificate, issuer: Node) -> None:
        """Go no longer from a certificate to this issuer, whose key did not sign it."""
        self._excluded_links.add((certificate, issuer))

    def exclude_trust_anchor(self, anchor: TrustAnchor) -> None:
        """End no longer at an anchor; one with the same name and key and another certificate is another anchor."""
        self._excluded_anchors.add(anchor.certificate)

    def __iter__(self) -> Iterator[CertificationPath]:
        while self._waiting:
            _, _, best = heappop(self._waiting)
            if self._is_excluded(best):
                continue
            self._budget.spend("discovery_steps")
            if isinstance(best, CertificationPath):
                self._budget.spend("candidate_paths")
                yield best
            else:
                self._extend(best)

    def _extend(self, partial: _Partial) -> None:
        last = partial.certificates[-1]
        for anchor in self.graph.anchors_named(last.issuer):
            if self._may_end_at(partial, anchor) and self._may_have_issued(anchor, last):
                path = CertificationPath(certificates=partial.certificates, trust_anchor=anchor)
                self._push(longest_lasting(path), path)
        for issuer in self.graph.issuers_named(last.issuer):
            self._budget.spend("discovery_steps")
            if issuer.node not in partial.nodes and self._may_have_issued(issuer, last):
                self._push_partial(partial.with_issuer(issuer))

    def _push_partial(self, partial: _Partial) -> None:
        """Let a partial path wait with its bound; drop it where its last issuer's name leads to no anchor."""
        name = partial.certificates[-1].issuer
        if name not in self.graph.distance:
            return
        lasts_until = min(partial.lasts_until, self.graph.lasts_until.get(name, FOREVER))
        self._push((-lasts_until, len(partial.certificates) + self.graph.distance[name]), partial)

    def _push(self, bound: tuple[object, ...], waiting: _Partial | CertificationPath) -> None:
        if self._shortest_first:
            bound = (bound[1], bound[0], *bound[2:])
        heappush(self._waiting, (bound, next(self._order), waiting))

    def _may_end_at(self, partial: _Partial, anchor: TrustAnchor) -> bool:
        if anchor.node not in partial.nodes:
            return True
        return len(partial.certificates) == 1 and partial.certificates[0] == anchor.certificate

    def _may_have_issued(self, issuer: Certificate | TrustAnchor, certificate: Certificate) -> bool:
        """Believe names and key identifiers until validation; where key identifiers differ, ask the signature now."""
        if (certificate, issuer.node) in self._excluded_links:
            return False
        if not key_identifiers_differ(certificate, issuer):
            return True
        return may_have_signed(issuer, certificate, self._budget)

    def _is_excluded(self, found: _Partial | CertificationPath) -> bool:
        certificates = found.certificates
        if not self._excluded.isdisjoint(certificates):
            return True
        if isinstance(found, CertificationPath) and found.trust_anchor.certificate in self._excluded_anchors:
            return True
        if not self._excluded_links:
            return False
        issuers = found.issuers if isinstance(found, CertificationPath) else certificates[1:]
        links = ((lower, issuer.node) for lower, issuer in zip(certificates, issuers, strict=False))
        return any(link in self._excluded_links for link in links)


def may_have_signed(issuer: Certificate | TrustAnchor, certificate: Certificate, budget: Budget) -> bool:
    """Whether the signature verifies with the issuer's key, or cannot be checked by that key alone."""
    try:
        key = WorkingKey.of(issuer)
    except MalformedCertificateError:
        return True  # it may inherit parameters (RFC 5280 section 6.1.4 (e)); validation will tell
    return REMEMBERED.verdict(certificate, key.key, key.info, budget) is not SignatureVerdict.INVALID
