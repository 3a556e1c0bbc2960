"""From a target to its valid paths: joins discovery, which proposes, and validation, which judges."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.arguments import require_certificate, require_pool, require_trust_anchors
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths import diagnosis
from pkcs12kit.paths.budget import Budget, BudgetExhaustedError
from pkcs12kit.paths.candidates import CandidateSearch
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.graph import CertificationGraph
from pkcs12kit.paths.ranking import explain_order, lasting_before_short, longest_lasting, order_of
from pkcs12kit.paths.report import PathReport, RejectedPath
from pkcs12kit.paths.revocation import RevocationChecker
from pkcs12kit.paths.signatures import WorkingKey
from pkcs12kit.paths.state_graph import ValidationGraph
from pkcs12kit.paths.validation.equivalence import Equivalence
from pkcs12kit.paths.validation.validator import Validator, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.bounds import Node, SearchGraph
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_REFUSALS_BY_NAMES: Final = 8
"""Proposals by names that may be refused before each certificate is judged in each state: under a millisecond each."""


class _TooManyRefusedError(Exception):
    """Names propose what validation refuses."""


def find_path(
    target: Certificate,
    *,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    parameters: ValidationParameters,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ValidatedPath:
    """Find the best valid path from ``target``, an end-entity or CA certificate, to one of the trust anchors.

    Order and repetition in the pool do not matter. ``ranking`` says what is best: :func:`~pkcs12kit.longest_lasting`,
    :func:`~pkcs12kit.shortest`, or any function from a path to a value, the smallest being the best; for such a
    function every valid path has to be found first, within ``limits.valid_paths``. Raises
    :class:`~pkcs12kit.NoValidPathError`, whose ``attempts`` say what is missing or wrong, and :class:`ValueError`
    without a trust anchor. Revocation is checked only where ``revocation`` asks for it; nothing is fetched.
    """
    search = _Search(target, pool, trust_anchors, parameters, ranking, revocation, limits)
    found = search.run(at_most=1)
    return found[0] if found else search.report(found).best


def find_paths(
    target: Certificate,
    *,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    parameters: ValidationParameters,
    ranking: Ranking = longest_lasting,
    revocation: Revocation | None = None,
    limits: Limits = DEFAULT_LIMITS,
    at_most: int | None = None,
) -> PathReport:
    """Find every valid path, ranked, and say why the others are not.

    As :func:`find_path`, but no valid path is an answer here and not an error. The report says so where a limit ended
    the search: ``limits.valid_paths`` bounds the answer, the others the work. With ``at_most`` the search ends with so
    many valid paths, the best, without asking whether there are more.
    """
    search = _Search(target, pool, trust_anchors, parameters, ranking, revocation, limits)
    return search.report(search.run(at_most))


class _Search:
    """One search: what was proposed, what was rejected and why."""

    def __init__(
        self,
        target: Certificate,
        pool: CertificatePool,
        trust_anchors: Iterable[TrustAnchor],
        parameters: ValidationParameters,
        ranking: Ranking,
        revocation: Revocation | None,
        limits: Limits,
    ) -> None:
        self._target = target
        self._pool = pool
        anchors = require_trust_anchors(trust_anchors)
        if not anchors:
            raise ValueError("at least one trust anchor is needed; pkcs12kit never guesses one")
        require_certificate(target)
        require_pool(pool)
        self._trust_anchors = tuple({(one.node, one.certificate): one for one in anchors}.values())
        self._parameters = parameters
        self._ranking = ranking
        self._revocation = None if revocation is None else RevocationChecker(revocation, pool=pool, limits=limits)
        self._limits = limits
        self._budget = Budget(limits)
        self._judged: set[object] = set()
        self._refused_under: dict[tuple[Certificate, Node], set[object]] = {}
        """Links that were refused, each with the trust anchors of the paths."""
        self._anchors_in_reach = 0
        self._rejected: list[RejectedPath] = []
        self._passed_over: tuple[Certificate, ...] = ()
        order = order_of(ranking)
        self._comes_in_order = order is not None
        self._order = order or lasting_before_short
        self._incomplete: str | None = None

    def run(self, at_most: int | None) -> list[ValidatedPath]:
        """Find the best valid paths, so many; all that there are where the ranking is not one of the search's own."""
        found: list[ValidatedPath] = []
        for path in islice(self._valid_paths(), at_most if self._comes_in_order else None):
            if len(found) == self._limits.valid_paths:
                self._incomplete = f"more than {len(found)} valid paths; raise limits.valid_paths to see them"
                break
            found.append(path)
        return sorted(found, key=self._ranking)[:at_most]

    def _valid_paths(self) -> Iterator[ValidatedPath]:
        """Propose by names and judge; where too much is refused, judge first and propose what is left.

        Names alone find the path at once nearly always, with few signatures checked. What is refused for the sake of
        the whole path may be refused in as many ways as there are walks, and is judged in states instead.
        """
        try:
            graph = CertificationGraph(
                self._target,
                self._pool,
                self._trust_anchors,
                usable=self._may_issue_now,
                budget=self._budget,
            )
            self._passed_over = graph.passed_over
            self._anchors_in_reach = len(graph.anchors_in_reach)
            try:
                yield from self._valid_among(graph, Budget.for_first_tries(self._limits), refusals=_REFUSALS_BY_NAMES)
            except (_TooManyRefusedError, BudgetExhaustedError):
                yield from self._valid_among(self._validation_graph(graph) or graph, self._budget)
        except BudgetExhaustedError as exhausted:
            self._incomplete = str(exhausted)
            self._rejected.insert(0, RejectedPath(certificates=(self._target,), failures=(self._given_up(exhausted),)))

    def _validation_graph(self, graph: CertificationGraph) -> ValidationGraph | None:
        """Judge each certificate in each state; None where that takes too much."""
        budget = Budget.for_many_validations(self._limits)
        equivalence = Equivalence(
            graph.certificates,
            target=self._target,
            trust_anchors=self._trust_anchors,
            parameters=self._parameters,
            budget=budget,
        )
        judge = Validator(self._parameters, budget=budget)
        try:
            validation_graph = ValidationGraph(graph, judge, key=equivalence.key, budget=budget)
        except BudgetExhaustedError:
            return None
        for above, failure in validation_graph.refused():
            certificates = (*graph.way_up_to(failure.certificate), *above)
            self._rejected.append(RejectedPath(certificates=certificates, failures=(failure,)))
        return validation_graph

    def _valid_among(
        self, graph: SearchGraph[Any], budget: Budget, *, refusals: int | None = None
    ) -> Iterator[ValidatedPath]:
        """Judge what a graph proposes, and let the search learn from each no; at most so many, where that is given."""
        search = CandidateSearch(graph, budget=budget, order=self._order)
        for link, under in self._refused_under.items():
            if len(under) == self._anchors_in_reach:
                search.exclude_link(*link)
        refused = 0
        for path in search:
            proposed = (path.certificates, path.trust_anchor.node, path.trust_anchor.certificate)
            if proposed in self._judged or self._is_refused(path):
                continue
            self._judged.add(proposed)
            try:
                yield self._judge(path)
            except InvalidPathError as no:
                self._rejected.append(RejectedPath(certificates=path.certificates, failures=(no.failure,)))
                if no.failure.certificate == self._target and no.failure.of_the_certificate_alone:
                    return  # whatever the path
                self._learn(search, path, no.failure)
                refused += 1
                if refused == refusals:
                    raise _TooManyRefusedError from None

    def report(self, valid: Sequence[ValidatedPath]) -> PathReport:
        """Sum up: the valid paths in order, with what decided it, and why the others are none."""
        rejected = diagnosis.explain(
            self._target,
            self._pool,
            self._trust_anchors,
            parameters=self._parameters,
            judged=self._rejected,
            not_followed=self._passed_over,
            found=bool(valid),
            limits=self._limits,
        )
        return PathReport(
            target=self._target,
            valid=tuple(valid),
            rejected=rejected,
            incomplete=self._incomplete,
            before_next=explain_order(valid, self._ranking),
            time=self._parameters.time,
            trust_anchors=self._trust_anchors,
        )

    def _may_issue_now(self, certificate: Certificate) -> bool:
        return diagnosis.not_followed(certificate, self._parameters.time) is None

    def _judge(self, path: CertificationPath) -> ValidatedPath:
        self._budget.start_validation()
        try:
            validated = validate(path, self._parameters, budget=self._budget)
        except BudgetExhaustedError as exhausted:
            self._incomplete = str(exhausted)
            self._budget.spend("exhausted_validations")
            raise InvalidPathError(self._given_up(exhausted)) from None
        if self._revocation is None:
            return validated
        self._budget.spend("revocation_paths")
        report = self._revocation.check(path, self._parameters)
        if report.failure is not None:
            raise InvalidPathError(report.failure)
        return replace(validated, revocation=report)

    def _learn(self, search: CandidateSearch[Any], path: CertificationPath, failure: Failure) -> None:
        """Never propose again what no other path could mend."""
        certificate, anchor = failure.certificate, path.trust_anchor
        if certificate == anchor.certificate:
            search.exclude_trust_anchor(anchor)
        elif failure.of_the_certificate_alone:
            search.exclude(certificate)
        elif failure.of_the_issuer_too or failure.of_the_issuer_and_the_anchor:
            issuer = path.issuers[path.certificates.index(certificate)]
            if WorkingKey.depends_on_path(issuer):
                return
            link = (certificate, issuer.node)
            if failure.of_the_issuer_too or issuer is anchor:
                search.exclude_link(*link)
                return
            under = self._refused_under.setdefault(link, set())
            under.add((anchor.node, anchor.certificate))
            if len(under) == self._anchors_in_reach:
                search.exclude_link(*link)

    def _is_refused(self, path: CertificationPath) -> bool:
        """Whether a link of the path was refused under its trust anchor before."""
        anchor = (path.trust_anchor.node, path.trust_anchor.certificate)
        links = zip(path.certificates, path.issuers, strict=True)
        return bool(self._refused_under) and any(
            anchor in self._refused_under.get((certificate, issuer.node), ()) for certificate, issuer in links
        )

    def _given_up(self, exhausted: BudgetExhaustedError) -> Failure:
        return Failure(
            reason=FailureReason.BUDGET_EXHAUSTED,
            certificate=self._target,
            section="pkcs12kit.limits",
            detail=f"{exhausted}; this is no verdict",
        )
