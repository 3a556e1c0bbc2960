"""The graph of everything that is valid: a vertex is an issuer (name and key) in one state of path validation.

This graph is made where the search by names proposes too many paths that validation rejects. Each certificate is
validated, from the trust anchors down, once for each validation state that leads to it, however many ways lead there:
the verdict of RFC 5280 section 6.1 depends on the way only through the state. Hence the graph holds all that is valid,
and nothing else; its walks may contain cycles.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.bounds import IssuerKinds, bounds_from_anchors
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.named_issuers import key_identifiers_differ

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.bounds import Bound, PathQuality
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.graph import CertificationGraph


class State(Protocol):
    """The state that validation carries from one certificate to the next."""

    def copy(self) -> Self:
        """Return a copy that changes independently."""


class StepwiseValidator(Protocol):
    """Path validation one certificate at a time.

    Each method raises :class:`~pkcs12kit.paths.failure.InvalidPathError`.
    """

    def start(self, anchor: TrustAnchor, first: Certificate) -> Any:  # noqa: ANN401  # a State, which only it looks into
        """Return the state at a trust anchor."""

    def descend(self, state: Any, certificate: Certificate) -> None:  # noqa: ANN401
        """Validate a certificate that is not the target, and change the state accordingly."""

    def finish(self, state: Any, target: Certificate) -> object:  # noqa: ANN401
        """Validate the target."""


class StateVertex:
    """An issuer in one validation state."""

    __slots__ = ("above", "below", "issuer", "state")

    def __init__(self, issuer: Certificate | TrustAnchor, state: State) -> None:
        self.issuer = issuer
        self.state = state
        self.above: list[tuple[Certificate, StateVertex]] = []
        """The issuer's certificates that lead to this state, each with its own issuer."""
        self.below: list[tuple[Certificate, StateVertex]] = []
        """The certificates that it issued, each with its subject."""

    @property
    def name(self) -> Name:
        """The issuer's name."""
        return self.issuer.node[0]


class StateGraph:
    """The graph of all that is valid, for one target.

    ``key`` returns a value that is equal for states with the same verdicts below them. Raises
    :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`: each validation of a certificate in one state counts against
    ``judged_certificates``.
    """

    def __init__(
        self,
        graph: CertificationGraph,
        validator: StepwiseValidator,
        *,
        key: Callable[[Any], Hashable],
        budget: SearchBudget,
    ) -> None:
        self._graph = graph
        self._validator = validator
        self._key = key
        self._budget = budget
        self._kinds: IssuerKinds[StateVertex] = IssuerKinds(lambda vertex: vertex.below)
        self._vertices: dict[Hashable, StateVertex] = {}
        self._first: list[StateVertex] = []
        self._anchors: dict[StateVertex, tuple[TrustAnchor, ...]] = {}
        self._rejected: dict[tuple[Certificate, FailureReason, object], tuple[tuple[Certificate, ...], Failure]] = {}
        self._unsigned: dict[Certificate, tuple[StateVertex, Failure]] = {}
        self._signers: dict[Certificate, set[bytes]] = {}
        """The keys, SubjectPublicKeyInfo, that signed a certificate."""
        self._queue: deque[StateVertex] = deque()
        self._unlikely: deque[tuple[StateVertex, Certificate]] = deque()
        """Issuers and certificates whose key identifiers differ: they are tried when nothing else is left."""
        self._validate_all()

    @property
    def target(self) -> Certificate:
        """The certificate at which paths start."""
        return self._graph.target

    @property
    def first(self) -> Sequence[StateVertex]:
        """The issuers of the target, in states in which it is valid."""
        return self._first

    def anchors_at(self, vertex: StateVertex) -> Sequence[TrustAnchor]:
        """Return the trust anchor that the vertex represents; empty where it is not an anchor's."""
        return self._anchors.get(vertex, ())

    def issuers_at(self, vertex: StateVertex) -> Sequence[tuple[Certificate, StateVertex]]:
        """Return the issuer's certificates that lead to this state, each with its own issuer."""
        return vertex.above

    def anchor_quality(self, anchor: TrustAnchor) -> PathQuality:
        """Return the quality of the part of a path that consists of a trust anchor only."""
        return self._graph.anchor_quality(anchor)

    def bounds_at(self, vertex: StateVertex) -> tuple[Bound, ...]:
        """Return the bounds of a vertex, the shortest first."""
        return self._bounds.get(vertex, ())

    def restricted_bounds(
        self, anchor_allowed: Callable[[TrustAnchor], bool], link_allowed: Callable[[Certificate, StateVertex], bool]
    ) -> dict[StateVertex, tuple[Bound, ...]]:
        """Return the bounds of every vertex with the allowed anchors and links (certificate, issuer) only."""
        return bounds_from_anchors(
            {vertex: self._with_qualities(filter(anchor_allowed, found)) for vertex, found in self._anchors.items()},
            lambda vertex: [link for link in vertex.below if link_allowed(link[0], vertex)],
            self._kinds,
        )

    def _with_qualities(self, anchors: Iterable[TrustAnchor]) -> list[tuple[TrustAnchor, PathQuality]]:
        return [(anchor, self.anchor_quality(anchor)) for anchor in anchors]

    def rejected(self) -> Iterator[tuple[tuple[Certificate, ...], Failure]]:
        """Yield the failures with the certificates above each, once for a certificate, a reason and an issuer."""
        yield from self._rejected.values()
        for certificate, (vertex, failure) in self._unsigned.items():
            if certificate not in self._signers:
                yield _above(vertex), failure

    @cached_property
    def _bounds(self) -> dict[StateVertex, tuple[Bound, ...]]:
        anchors = {vertex: self._with_qualities(found) for vertex, found in self._anchors.items()}
        return bounds_from_anchors(anchors, lambda vertex: vertex.below, self._kinds)

    def _validate_all(self) -> None:
        self._start()
        while self._queue or self._unlikely:
            if self._queue:
                vertex = self._queue.popleft()
                self._validate_issued_by(vertex)
                continue
            vertex, certificate = self._unlikely.popleft()
            if self._may_have_signed(vertex, certificate):
                self._validate_one(vertex, certificate)

    def _start(self) -> None:
        for anchors in self._graph.trust_anchors.values():
            for anchor in anchors:
                try:
                    vertex = StateVertex(anchor, self._validator.start(anchor, self.target))
                except InvalidPathError as no:
                    self._rejected[no.failure.certificate, no.failure.reason, anchor.node] = ((), no.failure)
                    continue
                self._anchors[vertex] = (anchor,)
                self._queue.append(vertex)

    def _validate_issued_by(self, vertex: StateVertex) -> None:
        """Validate the certificates that name an issuer; put off those whose key identifier is another.

        A signature verifies with one key only, so that few of thousands of certificates with the same name have their
        signatures checked (RFC 4158 section 3.5.12). Several certificates of that key may have different identifiers.
        """
        issued = [certificate for certificate, _ in self._graph.issued_by(vertex.name)]
        if vertex.name == self.target.issuer:
            issued.append(self.target)
        for certificate in issued:
            if key_identifiers_differ(certificate, vertex.issuer):
                self._unlikely.append((vertex, certificate))
            else:
                self._validate_one(vertex, certificate)

    def _may_have_signed(self, vertex: StateVertex, certificate: Certificate) -> bool:
        signers = self._signers.get(certificate)
        if signers is not None:
            return vertex.issuer.subject_public_key_info in signers
        return may_have_signed(vertex.issuer, certificate, self._budget)

    def _record_signer(self, vertex: StateVertex, certificate: Certificate) -> None:
        self._signers.setdefault(certificate, set()).add(vertex.issuer.subject_public_key_info)

    def _validate_one(self, vertex: StateVertex, certificate: Certificate) -> None:
        """Validate a certificate in one state, and record the vertex that it leads to."""
        is_target = certificate is self.target
        if not is_target and certificate.node in (self.target.node, vertex.issuer.node):
            return  # not part of a simple path
        self._budget.spend("judged_certificates")
        state = vertex.state.copy()
        try:
            if is_target:
                self._validator.finish(state, certificate)
            else:
                self._validator.descend(state, certificate)
        except InvalidPathError as no:
            self._record_failure(vertex, no.failure)
            return
        self._record_signer(vertex, certificate)
        if is_target:
            self._first.append(vertex)
        else:
            self._connect(vertex, certificate, state)

    def _connect(self, vertex: StateVertex, certificate: Certificate, state: State) -> None:
        key = (certificate.node, self._key(state))
        below = self._vertices.get(key)
        if below is None:
            below = self._vertices[key] = StateVertex(certificate, state)
            self._queue.append(below)
        below.above.append((certificate, vertex))
        vertex.below.append((certificate, below))

    def _record_failure(self, vertex: StateVertex, failure: Failure) -> None:
        if failure.reason is FailureReason.BAD_SIGNATURE:
            self._unsigned.setdefault(failure.certificate, (vertex, failure))
            return
        if failure.reason is not FailureReason.MALFORMED_CERTIFICATE:  # found before the signature is checked
            self._record_signer(vertex, failure.certificate)
        key = (failure.certificate, failure.reason, vertex.issuer.node)
        self._rejected.setdefault(key, (_above(vertex), failure))


def _above(vertex: StateVertex) -> tuple[Certificate, ...]:
    """Return the certificates from an issuer up to the trust anchor, on the way that was found first."""
    certificates = []
    while vertex.above:
        certificate, vertex = vertex.above[0]
        certificates.append(certificate)
    return tuple(certificates)
