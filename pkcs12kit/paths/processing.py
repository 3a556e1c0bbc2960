"""From a target to its valid paths: joins discovery, which proposes, and validation, which judges."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths import diagnosis
from pkcs12kit.paths.budget import Budget, BudgetExhaustedError
from pkcs12kit.paths.discovery import CandidateSearch
from pkcs12kit.paths.failure import Failure, InvalidPathError
from pkcs12kit.paths.ranking import explain_order, longest_lasting
from pkcs12kit.paths.report import PathReport, RejectedPath
from pkcs12kit.paths.revocation import check_revocation
from pkcs12kit.paths.validation.validator import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.validation.parameters import ValidationParameters
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_OF_THE_ORDER: Final = ("discovery_steps", "candidate_paths")
"""Limits that a search may hit before a valid path only because others were tried first."""


def find_path(
    target: Certificate,
    *,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    parameters: ValidationParameters,
    revocation: Revocation | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ValidatedPath:
    """Find the best valid path from ``target``, an end-entity or CA certificate, to one of the trust anchors.

    Order and repetition in the pool do not matter. Raises :class:`~pkcs12kit.NoValidPathError`, whose ``attempts``
    say what is missing or wrong, and :class:`ValueError` without a trust anchor. Revocation is checked only where
    ``revocation`` asks for it; nothing is fetched.
    """
    return find_paths(
        target,
        pool=pool,
        trust_anchors=trust_anchors,
        parameters=parameters,
        revocation=revocation,
        limits=limits,
        at_most=1,
    ).best


def find_paths(
    target: Certificate,
    *,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    parameters: ValidationParameters,
    revocation: Revocation | None = None,
    limits: Limits = DEFAULT_LIMITS,
    at_most: int | None = None,
) -> PathReport:
    """Find every valid path, ranked, and say why the others are not.

    As :func:`find_path`, but no valid path is an answer here and not an error. The report says so where a limit ended
    the search: ``limits.valid_paths`` bounds the answer, the others the work. With ``at_most`` the search ends with so
    many valid paths, without asking whether there are more.
    """
    search = _Search(target, pool, trust_anchors, parameters, revocation, limits)
    found: list[ValidatedPath] = []
    for path in islice(search.valid_paths(), at_most):
        if len(found) == limits.valid_paths:
            search.incomplete = f"more than {limits.valid_paths} valid paths; raise limits.valid_paths to see them"
            break
        found.append(path)
    return search.report(tuple(found))


class _Search:
    """One search: what was proposed, what was rejected and why."""

    def __init__(
        self,
        target: Certificate,
        pool: CertificatePool,
        trust_anchors: Iterable[TrustAnchor],
        parameters: ValidationParameters,
        revocation: Revocation | None,
        limits: Limits,
    ) -> None:
        self._target = target
        self._pool = pool
        self._trust_anchors = tuple(trust_anchors)
        if not self._trust_anchors:
            raise ValueError("at least one trust anchor is needed; pkcs12kit never guesses one")
        _require_types(target, pool, self._trust_anchors)
        self._parameters = parameters
        self._revocation = revocation
        self._limits = limits
        self._budget = Budget(limits)
        self._rejected: list[RejectedPath] = []
        self._passed_over: tuple[Certificate, ...] = ()
        self.incomplete: str | None = None

    def valid_paths(self) -> Iterator[ValidatedPath]:
        """Propose, judge, and let the search learn from each no.

        Where the budget ends among candidates that last long and none of them was valid, a second one is for the
        shortest: a valid path is not to be hidden by the number of others.
        """
        try:
            search = CandidateSearch(
                self._target, self._pool, self._trust_anchors, usable=self._may_issue_now, budget=self._budget
            )
        except BudgetExhaustedError as exhausted:
            self._give_up(exhausted)
            return
        self._passed_over = search.graph.passed_over
        none_yet = True
        try:
            for path in self._valid_among(search):
                none_yet = False
                yield path
        except BudgetExhaustedError as exhausted:
            self._give_up(exhausted)
            if none_yet and exhausted.limit in _OF_THE_ORDER:
                self._budget = Budget(self._limits)
                search.start_again_shortest_first(self._budget)
                with suppress(BudgetExhaustedError):
                    yield from self._valid_among(search)

    def _valid_among(self, search: CandidateSearch) -> Iterator[ValidatedPath]:
        judged = {path.certificates for path in self._rejected}
        for path in search:
            try:
                yield self._judge(path)
            except InvalidPathError as no:
                if path.certificates not in judged:
                    self._reject(path, no.failure)
                self._learn(search, path, no.failure)

    def report(self, valid: tuple[ValidatedPath, ...]) -> PathReport:
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
        valid = tuple(sorted(valid, key=longest_lasting))
        return PathReport(
            target=self._target,
            valid=valid,
            rejected=rejected,
            incomplete=self.incomplete,
            before_next=explain_order(valid, longest_lasting),
        )

    def _may_issue_now(self, certificate: Certificate) -> bool:
        return diagnosis.not_followed(certificate, self._parameters.time) is None

    def _judge(self, path: CertificationPath) -> ValidatedPath:
        self._budget.start_validation()
        try:
            validated = validate(path, self._parameters, budget=self._budget)
        except BudgetExhaustedError as exhausted:
            self.incomplete = str(exhausted)
            self._budget.spend("exhausted_validations")
            raise InvalidPathError(self._given_up(exhausted)) from None
        if self._revocation is None:
            return validated
        report = check_revocation(
            path,
            time=self._parameters.time,
            revocation=self._revocation,
            pool=self._pool,
            algorithm_policy=self._parameters.algorithm_policy,
            limits=self._limits,
        )
        if report.failure is not None:
            raise InvalidPathError(report.failure)
        return replace(validated, revocation=report)

    def _reject(self, path: CertificationPath, failure: Failure) -> None:
        self._rejected.append(RejectedPath(certificates=path.certificates, failures=(failure,)))

    def _learn(self, search: CandidateSearch, path: CertificationPath, failure: Failure) -> None:
        """Never propose again what no other path could mend."""
        if failure.certificate == path.trust_anchor.certificate:
            search.exclude_trust_anchor(path.trust_anchor)
        elif failure.of_the_certificate_alone:
            search.exclude(failure.certificate)
        elif failure.of_the_issuer_too:
            issuer = path.issuers[path.certificates.index(failure.certificate)]
            search.exclude_link(failure.certificate, issuer.node)

    def _give_up(self, exhausted: BudgetExhaustedError) -> None:
        self.incomplete = str(exhausted)
        self._rejected.insert(0, RejectedPath(certificates=(self._target,), failures=(self._given_up(exhausted),)))

    def _given_up(self, exhausted: BudgetExhaustedError) -> Failure:
        return Failure(
            reason=FailureReason.BUDGET_EXHAUSTED,
            certificate=self._target,
            section="pkcs12kit.limits",
            detail=f"{exhausted}; this is no verdict",
        )


def _require_types(target: object, pool: object, trust_anchors: tuple[object, ...]) -> None:
    """Say what belongs where: scripts have paths of files and other libraries' certificates at hand, too."""
    if not isinstance(target, Certificate):
        raise TypeError(f"the target is a pkcs12kit Certificate, not {type(target).__name__}")
    if not isinstance(pool, CertificatePool):
        raise TypeError(f"pool is a CertificatePool, not {type(pool).__name__}; CertificatePool([...]) makes one")
    for anchor in trust_anchors:
        if not isinstance(anchor, TrustAnchor):
            raise TypeError(
                f"trust_anchors are TrustAnchors, not {type(anchor).__name__}; TrustAnchor.from_certificate() makes one"
            )
