"""The graph that paths are sought in: a node is a (subject, key), an edge a certificate from its issuer (RFC 4158)."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

from pkcs12kit.paths.bounds import best_ways

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.bounds import Merits
    from pkcs12kit.paths.budget import Budget


class CertificationGraph:
    """The part of a pool that names lead to from one target.

    Keys are not looked at here: a certificate is an edge from its issuer's *name* to its subject's name. What the graph
    promises of a name is therefore a bound: no path through it is better. Time and memory grow with the number of
    certificates in that part.
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
        self.target = target
        self._pool = pool
        self._usable = usable
        self._budget = budget
        self.trust_anchors: dict[Name, list[TrustAnchor]] = {}
        """Trust anchors by name."""
        for anchor in trust_anchors:
            self.trust_anchors.setdefault(anchor.name, []).append(anchor)
        self._issuers: dict[Name, list[tuple[Certificate, Name]]] = {}
        self._passed_over: list[Certificate] = []
        self._met_through: dict[Name, Certificate] = {}
        self._collect()

    @property
    def first(self) -> tuple[Name, ...]:
        """Where ways up start: the name of the target's issuer."""
        return (self.target.issuer,)

    def anchors_at(self, name: Name) -> Sequence[TrustAnchor]:
        """Trust anchors that may have issued a certificate whose issuer is ``name``."""
        return self.trust_anchors.get(name, ())

    def issuers_at(self, name: Name) -> Sequence[tuple[Certificate, Name]]:
        """Usable certificates whose subject is ``name``, each with the name of its own issuer."""
        return self._issuers.get(name, ())

    def ways_to(self, name: Name) -> tuple[Merits, ...]:
        """Say the best that ways from the trust anchors to ``name`` can be; empty where there is none."""
        return self._ways.get(name, ())

    def ways_by(
        self, usable: Callable[[TrustAnchor], bool], may_go: Callable[[Certificate, Name], bool]
    ) -> dict[Name, tuple[Merits, ...]]:
        """Say so of every name, for ways from usable trust anchors by certificates that ``may_go`` below a name."""
        return best_ways(
            {name: list(filter(usable, anchors)) for name, anchors in self.trust_anchors.items()},
            lambda name: [link for link in self.issued_by(name) if may_go(link[0], name)],
        )

    def issued_by(self, name: Name) -> Sequence[tuple[Certificate, Name]]:
        """Usable certificates whose issuer is ``name``, each with its subject; the target is not among them."""
        return self._issued.get(name, ())

    def way_up_to(self, certificate: Certificate) -> tuple[Certificate, ...]:
        """List the certificates on a shortest way, by names, from the target to a certificate of the graph."""
        upside_down = [certificate]
        while upside_down[-1] != self.target and (below := self._met_through.get(upside_down[-1].subject)):
            upside_down.append(below)
        return tuple(reversed(upside_down))

    @property
    def anchors_in_reach(self) -> tuple[TrustAnchor, ...]:
        """Trust anchors that names lead to."""
        return tuple(
            anchor for name, anchors in self.trust_anchors.items() if name in self._issuers for anchor in anchors
        )

    @property
    def certificates(self) -> Iterator[Certificate]:
        """The usable certificates that names lead to, the target not among them."""
        for issuers in self._issuers.values():
            for certificate, _ in issuers:
                yield certificate

    @property
    def passed_over(self) -> tuple[Certificate, ...]:
        """Certificates that names lead to and that are not usable."""
        return tuple(self._passed_over)

    def _collect(self) -> None:
        """Walk up by names from the target, each name once."""
        waiting = deque([self.target])
        while waiting:
            below = waiting.popleft()
            name = below.issuer
            if name in self._issuers:
                continue
            self._met_through[name] = below
            found = self._pool.by_subject(name)
            self._budget.spend("discovery_steps", 1 + len(found))
            issuers = self._issuers[name] = []
            for certificate in found:
                if self._usable(certificate):
                    issuers.append((certificate, certificate.issuer))
                    waiting.append(certificate)
                else:
                    self._passed_over.append(certificate)

    @cached_property
    def _issued(self) -> dict[Name, list[tuple[Certificate, Name]]]:
        issued: dict[Name, list[tuple[Certificate, Name]]] = {}
        for subject, certificates in self._issuers.items():
            for certificate, issuer in certificates:
                issued.setdefault(issuer, []).append((certificate, subject))
        return issued

    @cached_property
    def _ways(self) -> dict[Name, tuple[Merits, ...]]:
        return best_ways(self.trust_anchors, self.issued_by)


def key_identifiers_differ(certificate: Certificate, issuer: Certificate | TrustAnchor) -> bool:
    """Whether both key identifiers are there and differ: a hint, not a verdict (RFC 4158 section 3.5.12)."""
    wanted, found = certificate.issuer_key_identifier, issuer.key_identifier
    return wanted is not None and found is not None and wanted != found
