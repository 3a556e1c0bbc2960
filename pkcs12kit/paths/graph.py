"""The graph that paths are sought in: a node is a (subject, key), an edge a certificate from its issuer (RFC 4158)."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.budget import Budget

FOREVER = float("inf")


class CertificationGraph:
    """The part of a pool that names lead to from one target, and how far each of its names is from an anchor.

    Keys are not looked at here: a certificate is an edge from its issuer's *name* to its subject's name. What the graph
    promises of a name is therefore a bound: no path through it lasts longer or is shorter. Time and memory grow with
    the number of certificates in that part.
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
        self._pool = pool
        self._usable = usable
        self._budget = budget
        self._anchors: dict[Name, list[TrustAnchor]] = {}
        for anchor in trust_anchors:
            self._anchors.setdefault(anchor.name, []).append(anchor)
        self._issuers: dict[Name, tuple[Certificate, ...]] = {}
        self._passed_over: list[Certificate] = []
        self._collect(target)
        self.lasts_until = self._latest_expiry()
        """For each name that an anchor leads to: no path to it lasts longer than this, in seconds since 1970."""
        self.distance = self._fewest_certificates()
        """For each such name: no path to it has fewer certificates."""

    def anchors_named(self, name: Name) -> list[TrustAnchor]:
        """Trust anchors that may have issued a certificate whose issuer is ``name``."""
        return self._anchors.get(name, [])

    def issuers_named(self, name: Name) -> tuple[Certificate, ...]:
        """Usable certificates whose subject is ``name``."""
        return self._issuers.get(name, ())

    @property
    def passed_over(self) -> tuple[Certificate, ...]:
        """Certificates that names lead to and that are not usable."""
        return tuple(self._passed_over)

    def _collect(self, target: Certificate) -> None:
        """Walk up by names from the target, each name once."""
        waiting = deque([target.issuer])
        while waiting:
            name = waiting.popleft()
            if name in self._issuers:
                continue
            found = self._pool.by_subject(name)
            self._budget.spend("discovery_steps", 1 + len(found))
            usable: list[Certificate] = []
            for certificate in found:
                (usable if self._usable(certificate) else self._passed_over).append(certificate)
            self._issuers[name] = tuple(usable)
            waiting.extend(certificate.issuer for certificate in usable)

    def _edges_down(self) -> dict[Name, list[Certificate]]:
        edges: dict[Name, list[Certificate]] = {}
        for certificates in self._issuers.values():
            for certificate in certificates:
                edges.setdefault(certificate.issuer, []).append(certificate)
        return edges

    def _latest_expiry(self) -> dict[Name, float]:
        """Widest paths from the anchors down: Dijkstra's algorithm, the path's earliest expiry for its width."""
        edges, order = self._edges_down(), count()
        waiting: list[tuple[float, int, Name]] = []
        for name, anchors in self._anchors.items():
            until = max(
                FOREVER if anchor.certificate is None else anchor.certificate.not_after.timestamp()
                for anchor in anchors
            )
            heappush(waiting, (-until, next(order), name))
        latest: dict[Name, float] = {}
        while waiting:
            negative, _, name = heappop(waiting)
            if name in latest:
                continue
            latest[name] = -negative
            for certificate in edges.get(name, ()):
                if certificate.subject not in latest:
                    until = min(-negative, certificate.not_after.timestamp())
                    heappush(waiting, (-until, next(order), certificate.subject))
        return latest

    def _fewest_certificates(self) -> dict[Name, int]:
        edges = self._edges_down()
        distance = dict.fromkeys(self._anchors, 0)
        waiting = deque(self._anchors)
        while waiting:
            name = waiting.popleft()
            for certificate in edges.get(name, ()):
                if certificate.subject not in distance:
                    distance[certificate.subject] = distance[name] + 1
                    waiting.append(certificate.subject)
        return distance


def key_identifiers_differ(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bool:
    """Whether both key identifiers are there and differ: a hint, not a verdict (RFC 4158 section 3.5.12)."""
    wanted, found = certificate.issuer_key_identifier, issuer.key_identifier
    return wanted is not None and found is not None and wanted != found
