"""The search for valid paths: candidates are proposed, validated, and checked for revocation."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkcs12kit.arguments import require_kind
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import POOL_CURE, CertificatePool
from pkcs12kit.certificates.trust_anchor import require_trust_anchors
from pkcs12kit.errors import ArgumentError, FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths import diagnosis
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.candidates import CandidateSearch
from pkcs12kit.paths.completion import with_revocation
from pkcs12kit.paths.cross_certificates import find_cross_certificates, same_name_other_key
from pkcs12kit.paths.failure import Failure, InvalidPathError, may_issue
from pkcs12kit.paths.graph import CertificationGraph
from pkcs12kit.paths.ranking import explain_order, lasting_before_short, longest_lasting, order_of
from pkcs12kit.paths.report import PathReport, RejectedPath
from pkcs12kit.paths.revocation import RevocationChecker
from pkcs12kit.paths.signatures import WorkingKey
from pkcs12kit.paths.state_graph import StateGraph
from pkcs12kit.paths.validation.equivalence import Equivalence
from pkcs12kit.paths.validation.validator import Validator, validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.graph import Node, SearchGraph
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_MOST_REJECTED_BY_NAMES: Final = 8
"""Candidates found by names that may be rejected before the state graph is made: under a millisecond each."""


class _TooManyRejectedError(Exception):
    """Validation rejects too many of the candidates that are found by names."""


class BestPath(NamedTuple):
    """The outcome of a search for one path, without reasons where there is none."""

    path: ValidatedPath | None
    """The best valid path; None where none was found."""
    incomplete: str | None
    """The limit that ended the search early: there may be a path, or a better one. None if everything was tried."""
    spent: Mapping[str, int]
    """The work of the search, by the names of the limits."""


class PathRequest(NamedTuple):
    """The inputs of one search, all loaded."""

    target: Certificate
    pool: CertificatePool
    trust_anchors: tuple[TrustAnchor, ...]
    parameters: ValidationParameters
    ranking: Ranking
    revocation: Revocation | None
    limits: Limits

    def find_path(self) -> ValidatedPath:
        """Return the best valid path. Raises :class:`~pkcs12kit.NoValidPathError`."""
        search = _PathSearch(self)
        found = search.run(at_most=1)
        return found[0] if found else self._with_other_certificates(search.report(found)).best

    def find_best(self) -> BestPath:
        """Return the best valid path, or none, without looking for the reason."""
        search = _PathSearch(self)
        found = search.run(at_most=1)
        return BestPath(found[0] if found else None, search.incomplete, search.spent())

    def find_paths(self, at_most: int | None = None) -> PathReport:
        """Return the report on all valid paths, or on the ``at_most`` best, and on the attempts that failed."""
        return self._with_other_certificates(self._search(at_most))

    def _search(self, at_most: int | None) -> PathReport:
        search = _PathSearch(self)
        return search.report(search.run(at_most))

    def _with_other_certificates(self, report: PathReport) -> PathReport:
        """Return the report with the cross-certificates of its target, and the others with its name."""
        crossed = find_cross_certificates(
            report,
            self.pool,
            lambda other: self._replace(target=other)._search(1),  # noqa: SLF001  # the same class
            at_most=self.limits.cross_certificates,
        )
        others = same_name_other_key(self.target, self.pool)
        return replace(report, cross_certificates=crossed, same_name_other_key=others) if crossed or others else report


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
    """Return the best valid path, as :func:`pkcs12kit.find_path` does, from loaded values and without fetching."""
    anchors = require_trust_anchors(trust_anchors)
    return PathRequest(target, pool, anchors, parameters, ranking, revocation, limits).find_path()


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
    """Return the report on all paths, as :func:`pkcs12kit.find_paths` does, from loaded values and without fetching."""
    anchors = require_trust_anchors(trust_anchors)
    return PathRequest(target, pool, anchors, parameters, ranking, revocation, limits).find_paths(at_most)


class _PathSearch:
    """One search with its candidates, the rejected ones, and the reasons."""

    def __init__(self, request: PathRequest) -> None:
        target, pool, anchors, parameters, ranking, revocation, limits = request
        if not anchors:
            raise ArgumentError("at least one trust anchor is needed; pkcs12kit never guesses one")
        require_kind("target", target, Certificate, cure="load_certificate() reads one")
        require_kind("pool", pool, CertificatePool, cure=POOL_CURE)
        self._target = target
        self._pool = pool
        self._trust_anchors = tuple({(one.node, one.certificate): one for one in anchors}.values())
        self._parameters = parameters
        self._ranking = ranking
        self._revocation = None if revocation is None else RevocationChecker(revocation, pool=pool, limits=limits)
        self._limits = limits
        self._budget = SearchBudget(limits)
        self._budgets = [self._budget]
        """All budgets of the search; the first is used throughout."""
        self._validated: set[object] = set()
        self._rejected_links: dict[tuple[Certificate, Node], set[object]] = {}
        """Links that were rejected, each with the trust anchors of the paths."""
        self._reachable_anchors = 0
        self._rejected: list[RejectedPath] = []
        self._unusable: tuple[Certificate, ...] = ()
        order = order_of(ranking)
        self._comes_in_order = order is not None
        self._order = order or lasting_before_short
        self.incomplete: str | None = None
        """The limit that ended the search, or the validation of one path, early."""

    def spent(self) -> Counter[str]:
        """Return the work so far, by the names of the limits."""
        total: Counter[str] = Counter()
        for budget in self._budgets:
            total.update(budget.all_spent)
        return total

    def run(self, at_most: int | None) -> list[ValidatedPath]:
        """Return the best valid paths, ``at_most`` that many.

        All valid paths are found first where the ranking is not one of those by which candidates come in order.
        """
        found: list[ValidatedPath] = []
        for path in islice(self._valid_paths(), at_most if self._comes_in_order else None):
            if len(found) == self._limits.valid_paths:
                self.incomplete = f"more than {len(found)} valid paths; raise limits.valid_paths to see them"
                break
            found.append(path)
        return sorted(found, key=self._ranking)[:at_most]

    def _valid_paths(self) -> Iterator[ValidatedPath]:
        """Yield valid paths: found by names first; where too many candidates are rejected, by the state graph.

        Nearly always names are enough to find the path at once, with few signatures checked. But a path that fails only
        as a whole (name constraints, policies, path lengths) may fail in as many variants as there are ways through the
        graph; in the state graph each certificate is validated once for each validation state.
        """
        try:
            graph = CertificationGraph(
                self._target,
                self._pool,
                self._trust_anchors,
                usable=self._may_issue_now,
                budget=self._budget,
                anchors_expire=self._parameters.check_trust_anchor_validity,
            )
            self._unusable = graph.unusable
            self._reachable_anchors = len(graph.reachable_anchors)
            try:
                first = self._counted(SearchBudget.for_first_attempt(self._limits))
                yield from self._valid_among(graph, first, most_rejected=_MOST_REJECTED_BY_NAMES)
            except (_TooManyRejectedError, BudgetExhaustedError):
                yield from self._valid_among(self._state_graph(graph) or graph, self._budget)
        except BudgetExhaustedError as exhausted:
            self.incomplete = str(exhausted)
            self._rejected.insert(0, RejectedPath(certificates=(self._target,), failures=(self._given_up(exhausted),)))

    def _state_graph(self, graph: CertificationGraph) -> StateGraph | None:
        """Return the graph of all that is valid, and record its rejections; None where that exhausts a budget."""
        budget = self._counted(SearchBudget.for_many_validations(self._limits))
        equivalence = Equivalence(
            graph.certificates,
            target=self._target,
            trust_anchors=self._trust_anchors,
            parameters=self._parameters,
            budget=budget,
        )
        validator = Validator(self._parameters, budget=budget)
        try:
            state_graph = StateGraph(graph, validator, key=equivalence.key, budget=budget)
        except BudgetExhaustedError:
            return None
        for above, failure in state_graph.rejected():
            certificates = (*graph.shortest_way_to(failure.certificate), *above)
            self._rejected.append(RejectedPath(certificates=certificates, failures=(failure,)))
        return state_graph

    def _valid_among(
        self, graph: SearchGraph[Any], budget: SearchBudget, *, most_rejected: int | None = None
    ) -> Iterator[ValidatedPath]:
        """Yield the valid candidates of a graph, and exclude from the search what failed.

        Raises :class:`_TooManyRejectedError` once ``most_rejected`` candidates were rejected.
        """
        search = CandidateSearch(graph, budget=budget, order=self._order)
        for link, anchors in self._rejected_links.items():
            if len(anchors) == self._reachable_anchors:
                search.exclude_link(*link)
        rejected = 0
        for path in search:
            candidate = (path.certificates, path.trust_anchor.node, path.trust_anchor.certificate)
            if candidate in self._validated or self._has_rejected_link(path):
                continue
            self._validated.add(candidate)
            try:
                yield self._validate(path)
            except InvalidPathError as no:
                self._rejected.append(
                    RejectedPath(
                        certificates=path.certificates,
                        failures=(no.failure, *no.others),
                        trust_anchor=path.trust_anchor,
                    )
                )
                if no.failure.certificate == self._target and no.failure.of_the_certificate_alone:
                    return  # every other path fails as well
                self._exclude_failed(search, path, no.failure)
                rejected += 1
                if rejected == most_rejected:
                    raise _TooManyRejectedError from None

    def report(self, valid: Sequence[ValidatedPath]) -> PathReport:
        """Return the report: the valid paths in order, with what decided it, and the rejected ones with reasons."""
        rejected = diagnosis.explain(
            self._target,
            self._pool,
            self._trust_anchors,
            parameters=self._parameters,
            rejected=self._rejected,
            unusable=self._unusable,
            found=bool(valid),
            limits=self._limits,
        )
        if self._revocation is not None and rejected and not valid:
            rejected = (with_revocation(rejected[0], self._revocation, self._parameters), *rejected[1:])
        return PathReport(
            target=self._target,
            valid=tuple(valid),
            rejected=rejected,
            incomplete=self.incomplete,
            before_next=explain_order(valid, self._ranking),
            time=self._parameters.time,
            trust_anchors=self._trust_anchors,
        )

    def _counted(self, budget: SearchBudget) -> SearchBudget:
        """Return a budget of its own for a part of the search, which counts as work of the search."""
        self._budgets.append(budget)
        return budget

    def _may_issue_now(self, certificate: Certificate) -> bool:
        return may_issue(certificate, self._parameters.time)

    def _validate(self, path: CertificationPath) -> ValidatedPath:
        """Return a path that is valid and not revoked. Raises :class:`InvalidPathError`."""
        self._budget.start_validation()
        try:
            validated = validate(path, self._parameters, budget=self._budget)
        except BudgetExhaustedError as exhausted:
            self.incomplete = str(exhausted)
            self._budget.spend("exhausted_validations")
            raise InvalidPathError(self._given_up(exhausted)) from None
        if self._revocation is None:
            return validated
        self._budget.spend("revocation_paths")
        report = self._revocation.check(path, self._parameters)
        if report.failures:
            raise InvalidPathError(report.failures[0], report.failures[1:])
        return replace(validated, revocation=report)

    def _exclude_failed(self, search: CandidateSearch[Any], path: CertificationPath, failure: Failure) -> None:
        """Exclude from the search what fails in every other path for the same reason."""
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
            anchors = self._rejected_links.setdefault(link, set())
            anchors.add((anchor.node, anchor.certificate))
            if len(anchors) == self._reachable_anchors:
                search.exclude_link(*link)

    def _has_rejected_link(self, path: CertificationPath) -> bool:
        """Return True where a link of the path was rejected before, with the same trust anchor."""
        anchor = (path.trust_anchor.node, path.trust_anchor.certificate)
        links = zip(path.certificates, path.issuers, strict=True)
        return bool(self._rejected_links) and any(
            anchor in self._rejected_links.get((certificate, issuer.node), ()) for certificate, issuer in links
        )

    def _given_up(self, exhausted: BudgetExhaustedError) -> Failure:
        return Failure(
            reason=FailureReason.BUDGET_EXHAUSTED,
            certificate=self._target,
            section="pkcs12kit.limits",
            detail=f"{exhausted}; this is not a verdict",
        )
