"""The graph of all that validation says yes to: a node is a (subject, key) in one state of path validation.

Where discovery by names proposes too much that validation refuses, this graph is made: each certificate is judged, from
the trust anchors down, once for each state in which it is met, however many walks lead there (RFC 5280 section 6.1
reads nothing of the way but the state). What it holds is then valid, and what is valid it holds, walks in circles
included.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.bounds import best_ways
from pkcs12kit.paths.candidates import may_have_signed
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.graph import key_identifiers_differ

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.bounds import Merits
    from pkcs12kit.paths.budget import Budget
    from pkcs12kit.paths.graph import CertificationGraph


class State(Protocol):
    """What validation carries from one certificate to the next."""

    def copy(self) -> Self:
        """Make a state that goes its own way from here."""


class Judge(Protocol):
    """Path validation, certificate by certificate; each raises :class:`~pkcs12kit.paths.failure.InvalidPathError`."""

    def start(self, anchor: TrustAnchor, first: Certificate) -> Any:  # noqa: ANN401  # a State, which only it looks into
        """Make the state at a trust anchor."""

    def descend(self, state: Any, certificate: Certificate) -> None:  # noqa: ANN401
        """Take the state past a certificate that is not the target."""

    def finish(self, state: Any, target: Certificate) -> object:  # noqa: ANN401
        """Judge the target."""


class Vertex:
    """An issuer in one state."""

    __slots__ = ("above", "below", "issuer", "state")

    def __init__(self, issuer: Certificate | TrustAnchor, state: State) -> None:
        self.issuer = issuer
        self.state = state
        self.above: list[tuple[Certificate, Vertex]] = []
        """Its certificates that lead here, with the issuer of each."""
        self.below: list[tuple[Certificate, Vertex]] = []
        """What it issued, with the subject of each."""

    @property
    def name(self) -> Name:
        """The issuer's name."""
        return self.issuer.node[0]


class ValidationGraph:
    """All that validation says yes to, for one target.

    Raises :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`: each certificate judged in a state counts against
    ``judged_certificates``. ``key`` makes of a state what is equal for states that lead to the same verdicts.
    """

    def __init__(
        self, graph: CertificationGraph, judge: Judge, *, key: Callable[[Any], Hashable], budget: Budget
    ) -> None:
        self._graph = graph
        self._judge = judge
        self._key = key
        self._budget = budget
        self._vertices: dict[Hashable, Vertex] = {}
        self._first: list[Vertex] = []
        self._anchors: dict[Vertex, tuple[TrustAnchor, ...]] = {}
        self._refused: dict[tuple[Certificate, FailureReason, object], tuple[tuple[Certificate, ...], Failure]] = {}
        self._unsigned: dict[Certificate, tuple[Vertex, Failure]] = {}
        self._signers: dict[Certificate, set[bytes]] = {}
        """The keys, SubjectPublicKeyInfo, that signed a certificate."""
        self._waiting: deque[Vertex] = deque()
        self._doubtful: deque[tuple[Vertex, Certificate]] = deque()
        self._judge_all()

    @property
    def target(self) -> Certificate:
        """Where paths start."""
        return self._graph.target

    @property
    def first(self) -> Sequence[Vertex]:
        """Who issued the target, in states that it is valid in."""
        return self._first

    def anchors_at(self, vertex: Vertex) -> Sequence[TrustAnchor]:
        """List the trust anchor that the vertex is, where it is one."""
        return self._anchors.get(vertex, ())

    def issuers_at(self, vertex: Vertex) -> Sequence[tuple[Certificate, Vertex]]:
        """List the issuer's certificates that lead to this state, each with its own issuer."""
        return vertex.above

    def ways_to(self, vertex: Vertex) -> tuple[Merits, ...]:
        """Say the best that ways from the trust anchors to the vertex can be."""
        return self._ways.get(vertex, ())

    def ways_by(
        self, usable: Callable[[TrustAnchor], bool], may_go: Callable[[Certificate, Vertex], bool]
    ) -> dict[Vertex, tuple[Merits, ...]]:
        """Say so of every vertex, for ways from usable trust anchors by certificates that ``may_go`` below a vertex."""
        return best_ways(
            {vertex: list(filter(usable, anchors)) for vertex, anchors in self._anchors.items()},
            lambda vertex: [link for link in vertex.below if may_go(link[0], vertex)],
        )

    def refused(self) -> Iterator[tuple[tuple[Certificate, ...], Failure]]:
        """Say what was refused, each certificate once for a reason and an issuer, and the certificates above it."""
        yield from self._refused.values()
        for certificate, (vertex, failure) in self._unsigned.items():
            if certificate not in self._signers:
                yield _above(vertex), failure

    @cached_property
    def _ways(self) -> dict[Vertex, tuple[Merits, ...]]:
        return best_ways(self._anchors, lambda vertex: vertex.below)

    def _judge_all(self) -> None:
        self._start()
        while self._waiting or self._doubtful:
            if self._waiting:
                vertex = self._waiting.popleft()
                self._judge_issued_by(vertex)
                continue
            vertex, certificate = self._doubtful.popleft()
            if self._may_have_signed(vertex, certificate):
                self._judge_one(vertex, certificate)

    def _start(self) -> None:
        for anchors in self._graph.trust_anchors.values():
            for anchor in anchors:
                try:
                    vertex = Vertex(anchor, self._judge.start(anchor, self.target))
                except InvalidPathError as no:
                    self._refused[no.failure.certificate, no.failure.reason, anchor.node] = ((), no.failure)
                    continue
                self._anchors[vertex] = (anchor,)
                self._waiting.append(vertex)

    def _judge_issued_by(self, vertex: Vertex) -> None:
        """Judge what names and key identifiers give to an issuer; where the latter differ, only if nobody else signed.

        A signature verifies with one key, so that of thousands of namesakes few are asked (RFC 4158 section 3.5.12).
        That one key may have several identifiers, in as many certificates.
        """
        issued = [certificate for certificate, _ in self._graph.issued_by(vertex.name)]
        if vertex.name == self.target.issuer:
            issued.append(self.target)
        for certificate in issued:
            if key_identifiers_differ(certificate, vertex.issuer):
                self._doubtful.append((vertex, certificate))
            else:
                self._judge_one(vertex, certificate)

    def _may_have_signed(self, vertex: Vertex, certificate: Certificate) -> bool:
        signers = self._signers.get(certificate)
        if signers is not None:
            return vertex.issuer.subject_public_key_info in signers
        return may_have_signed(vertex.issuer, certificate, self._budget)

    def _signed_by(self, vertex: Vertex, certificate: Certificate) -> None:
        self._signers.setdefault(certificate, set()).add(vertex.issuer.subject_public_key_info)

    def _judge_one(self, vertex: Vertex, certificate: Certificate) -> None:
        """Judge a certificate in one state, and note what it leads to."""
        is_target = certificate is self.target
        if not is_target and certificate.node in (self.target.node, vertex.issuer.node):
            return  # no simple path goes this way
        self._budget.spend("judged_certificates")
        state = vertex.state.copy()
        try:
            if is_target:
                self._judge.finish(state, certificate)
            else:
                self._judge.descend(state, certificate)
        except InvalidPathError as no:
            self._refuse(vertex, no.failure)
            return
        self._signed_by(vertex, certificate)
        if is_target:
            self._first.append(vertex)
        else:
            self._enter(vertex, certificate, state)

    def _enter(self, vertex: Vertex, certificate: Certificate, state: State) -> None:
        key = (certificate.node, self._key(state))
        below = self._vertices.get(key)
        if below is None:
            below = self._vertices[key] = Vertex(certificate, state)
            self._waiting.append(below)
        below.above.append((certificate, vertex))
        vertex.below.append((certificate, below))

    def _refuse(self, vertex: Vertex, failure: Failure) -> None:
        if failure.reason is FailureReason.BAD_SIGNATURE:
            self._unsigned.setdefault(failure.certificate, (vertex, failure))
            return
        if failure.reason is not FailureReason.MALFORMED_CERTIFICATE:  # what is found before the signature is checked
            self._signed_by(vertex, failure.certificate)
        key = (failure.certificate, failure.reason, vertex.issuer.node)
        self._refused.setdefault(key, (_above(vertex), failure))


def _above(vertex: Vertex) -> tuple[Certificate, ...]:
    """List the certificates from an issuer up to the trust anchor, by the way that was found first."""
    certificates = []
    while vertex.above:
        certificate, vertex = vertex.above[0]
        certificates.append(certificate)
    return tuple(certificates)
