"""The graphs that paths are searched in, and the one made of names only (RFC 4158 section 2).

A vertex represents the possible issuers of a certificate; an edge is a certificate, from its issuer to its subject.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from pkcs12kit.paths.bounds import IssuerKinds, PathQuality, VertexT, bounds_from_anchors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.bounds import Bound
    from pkcs12kit.paths.budget import SearchBudget

Node: TypeAlias = tuple["Name", bytes]
"""A name and a SubjectPublicKeyInfo. A path holds each node once."""


class SearchGraph(Protocol[VertexT]):
    """A graph in which a search finds paths from a target to trust anchors."""

    @property
    def target(self) -> Certificate:
        """The certificate at which paths start."""

    @property
    def first(self) -> Sequence[VertexT]:
        """The vertices of the possible issuers of the target."""

    def anchors_at(self, vertex: VertexT) -> Sequence[TrustAnchor]:
        """Return the trust anchors that ``vertex`` represents."""

    def issuers_at(self, vertex: VertexT) -> Sequence[tuple[Certificate, VertexT]]:
        """Return the CA certificates that ``vertex`` represents, each with the vertex of its own possible issuers."""

    def anchor_quality(self, anchor: TrustAnchor) -> PathQuality:
        """Return the quality of the part of a path that consists of a trust anchor only."""

    def bounds_at(self, vertex: VertexT) -> Sequence[Bound]:
        """Return the bounds of a vertex, the shortest first; empty where no trust anchor can be reached from it."""

    def restricted_bounds(
        self, anchor_allowed: Callable[[TrustAnchor], bool], link_allowed: Callable[[Certificate, VertexT], bool]
    ) -> Mapping[VertexT, Sequence[Bound]]:
        """Return the bounds of every vertex with the allowed anchors and links only.

        A link is a certificate and the vertex of its issuer.
        """


class CertificationGraph:
    """The part of a pool that names connect with one target.

    Keys are not compared here: an edge leads from the *name* of a certificate's issuer to the name of its subject.
    Hence the bounds of a name are bounds for every key of that name. Time and memory grow with the number of
    certificates in this part of the pool. Without ``anchors_expire``, the expiry of anchors counts for no bound.
    """

    def __init__(
        self,
        target: Certificate,
        pool: CertificatePool,
        trust_anchors: Iterable[TrustAnchor],
        *,
        usable: Callable[[Certificate], bool],
        budget: SearchBudget,
        anchors_expire: bool = True,
    ) -> None:
        self.target = target
        self._pool = pool
        self._usable = usable
        self._budget = budget
        self._anchors_expire = anchors_expire
        self._kinds = IssuerKinds(self.issued_by)
        self.trust_anchors: dict[Name, list[TrustAnchor]] = {}
        """Trust anchors by name."""
        for anchor in trust_anchors:
            self.trust_anchors.setdefault(anchor.name, []).append(anchor)
        self._issuers: dict[Name, list[tuple[Certificate, Name]]] = {}
        self._unusable: list[Certificate] = []
        self._first_issued_by: dict[Name, Certificate] = {}
        """The certificate through which the name of an issuer was first reached."""
        self._collect()

    @property
    def first(self) -> tuple[Name, ...]:
        """The name of the target's issuer."""
        return (self.target.issuer,)

    def anchors_at(self, name: Name) -> Sequence[TrustAnchor]:
        """Return the trust anchors with this name."""
        return self.trust_anchors.get(name, ())

    def issuers_at(self, name: Name) -> Sequence[tuple[Certificate, Name]]:
        """Return the usable certificates whose subject is ``name``, each with the name of its issuer."""
        return self._issuers.get(name, ())

    def anchor_quality(self, anchor: TrustAnchor) -> PathQuality:
        """Return the quality of the part of a path that consists of a trust anchor only."""
        return PathQuality.at(anchor, expires=self._anchors_expire)

    def bounds_at(self, name: Name) -> tuple[Bound, ...]:
        """Return the bounds of a name, the shortest first; empty where no trust anchor can be reached from it."""
        return self._bounds.get(name, ())

    def restricted_bounds(
        self, anchor_allowed: Callable[[TrustAnchor], bool], link_allowed: Callable[[Certificate, Name], bool]
    ) -> dict[Name, tuple[Bound, ...]]:
        """Return the bounds of every name with the allowed anchors and links (certificate, issuer's name) only."""
        return bounds_from_anchors(
            {name: self._with_qualities(filter(anchor_allowed, found)) for name, found in self.trust_anchors.items()},
            lambda name: [link for link in self.issued_by(name) if link_allowed(link[0], name)],
            self._kinds,
        )

    def _with_qualities(self, anchors: Iterable[TrustAnchor]) -> list[tuple[TrustAnchor, PathQuality]]:
        return [(anchor, self.anchor_quality(anchor)) for anchor in anchors]

    def issued_by(self, name: Name) -> Sequence[tuple[Certificate, Name]]:
        """Return the usable certificates whose issuer is ``name``, each with its subject; never the target."""
        return self._issued.get(name, ())

    def shortest_way_to(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """Return the certificates on a shortest way, by names, from the target to a certificate of the graph."""
        downwards = [certificate]
        while downwards[-1] != self.target and (below := self._first_issued_by.get(downwards[-1].subject)):
            downwards.append(below)
        return tuple(reversed(downwards))

    @property
    def reachable_anchors(self) -> tuple[TrustAnchor, ...]:
        """The trust anchors whose names can be reached from the target."""
        return tuple(
            anchor for name, anchors in self.trust_anchors.items() if name in self._issuers for anchor in anchors
        )

    @property
    def certificates(self) -> Iterator[Certificate]:
        """The usable certificates of the graph, without the target."""
        for issuers in self._issuers.values():
            for certificate, _ in issuers:
                yield certificate

    @property
    def unusable(self) -> tuple[Certificate, ...]:
        """The certificates that names connect with the target, and that are not usable."""
        return tuple(self._unusable)

    def _collect(self) -> None:
        """Collect certificates breadth-first from the target upwards, each name once."""
        queue = deque([self.target])
        while queue:
            below = queue.popleft()
            name = below.issuer
            if name in self._issuers:
                continue
            self._first_issued_by[name] = below
            found = self._pool.by_subject(name)
            self._budget.spend("discovery_steps", 1 + len(found))
            issuers = self._issuers[name] = []
            for certificate in found:
                if self._usable(certificate):
                    issuers.append((certificate, certificate.issuer))
                    queue.append(certificate)
                else:
                    self._unusable.append(certificate)

    @cached_property
    def _issued(self) -> dict[Name, list[tuple[Certificate, Name]]]:
        issued: dict[Name, list[tuple[Certificate, Name]]] = {}
        for subject, certificates in self._issuers.items():
            for certificate, issuer in certificates:
                issued.setdefault(issuer, []).append((certificate, subject))
        return issued

    @cached_property
    def _bounds(self) -> dict[Name, tuple[Bound, ...]]:
        anchors = {name: self._with_qualities(found) for name, found in self.trust_anchors.items()}
        return bounds_from_anchors(anchors, self.issued_by, self._kinds)
