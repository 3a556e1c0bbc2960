"""The periods in which a target has a valid path: exact, and with as few searches as that takes.

Validation compares a time only with the dates of certificates, both ends included (RFC 5280 section 4.1.2.5), and to
the second. Hence the answer changes only when a certificate begins to be valid, or in the second after one expired. A
path stays the best until one of its own certificates expires or another certificate begins to be valid: the expiry of
others takes nothing from it. So a search is made only at these times, among the certificates that can be on a path.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.closest_attempts import valid_at_another_time
from pkcs12kit.paths.diagnosis import explained_attempts
from pkcs12kit.paths.graph import CertificationGraph
from pkcs12kit.paths.ranking import why_before
from pkcs12kit.paths.search import BestPath
from pkcs12kit.paths.signatures import is_self_signed
from pkcs12kit.paths.validity_report import PeriodState, ValidityPeriod, ValidityReport, ValiditySegment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.ranking import Ranking
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_SUMMED: Final = ("discovery_steps", "judged_certificates", "signature_checks", "candidate_paths")
"""The limits of one search whose use is summed over all searches."""
_LEADING_NOWHERE: Final = frozenset(
    {FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR, FailureReason.BUDGET_EXHAUSTED}
)


class Span(NamedTuple):
    """Seconds since 1970, the first and the last, in which the answer does not change."""

    begin: int
    end: int
    found: BestPath


def find_periods(request: PathRequest, *, whole_ca: bool | None = None) -> ValidityReport:
    """Return the report on all of the target's validity; the time of the request is the one that was asked about.

    With ``whole_ca``, every certificate of the pool with the subject and the key of the target counts as a target; None
    for True where the target is a self-signed certificate that is not a trust anchor. Revocation is not checked,
    whatever the request says.
    """
    target, pool = request.target, request.pool
    if whole_ca is None:
        is_anchor = any(anchor.node == target.node for anchor in request.trust_anchors)
        whole_ca = not is_anchor and is_self_signed(target, SearchBudget(request.limits)) is True
    others = pool.by_subject(target.subject) if whole_ca else ()
    targets = (target, *(one for one in others if one != target and one.node == target.node))
    return _PeriodSearch(request._replace(revocation=None), targets).report()


class _PeriodSearch:
    """The searches for the targets, and their budget."""

    def __init__(self, request: PathRequest, targets: tuple[Certificate, ...]) -> None:
        self._request = request
        self._targets = targets
        self._limits = request.limits
        self._checks_anchors = request.parameters.check_trust_anchor_validity
        self._spent: Counter[str] = Counter()
        self._searches = 0

    def report(self) -> ValidityReport:
        """Return the periods, and the closest attempt at the time that was asked about."""
        request = self._request
        spans = merged([list(self._spans(target)) for target in self._targets], request.ranking)
        report = ValidityReport(
            target=request.target,
            targets=self._targets,
            trust_anchors=request.trust_anchors,
            parameters=request.parameters,
            periods=tuple(self._periods(spans)),
        )
        closest = self._closest(report, report.time) if report.state is PeriodState.NOT_VALID else None
        gaps = [period for period in report.periods if period.state is PeriodState.NOT_VALID]
        explained = {gap.begin for gap in gaps[: self._limits.validity_explanations]}
        periods = (
            replace(period, closest=self._beside(report, period)) if period.begin in explained else period
            for period in report.periods
        )
        return replace(report, periods=tuple(periods), closest=closest, searches=self._searches)

    def _spans(self, target: Certificate) -> Iterator[Span]:
        """Yield spans without gaps from the first to the last second of a target; neighbours may be alike."""
        first, last = seconds(target.not_before), seconds(target.not_after)
        if first > last:
            return
        try:
            usable = self._usable_certificates(target)
        except BudgetExhaustedError as exhausted:
            yield Span(first, last, _not_searched(str(exhausted)))
            return
        pool = CertificatePool(usable)
        anchors = (anchor.certificate for anchor in self._request.trust_anchors) if self._checks_anchors else ()
        dates = [(seconds(one.not_before), seconds(one.not_after)) for one in (*usable, *filter(None, anchors))]
        beginnings = {begin for begin, end in dates if first < begin <= min(end, last)}
        changes = sorted({first, *beginnings, *(end + 1 for _, end in dates if first <= end < last)})
        found: BestPath | None = None
        for begin, end in zip(changes, [*(change - 1 for change in changes[1:]), last], strict=True):
            if found is None or found.incomplete or begin in beginnings or not _stays(found.path, begin):
                before, found = found, self._search(target, begin, pool)
                if found.path is None and found.incomplete and before is not None and _stays(before.path, begin):
                    found = found._replace(path=before.path)  # still valid; a better one may have begun
            yield Span(begin, end, found)

    def _usable_certificates(self, target: Certificate) -> tuple[Certificate, ...]:
        """Return the certificates that can be on a path at any time of a target's validity.

        Those are CA certificates that names connect both with the target and with a trust anchor. Raises
        :class:`~pkcs12kit.paths.budget.BudgetExhaustedError`.
        """
        anchors = self._request.trust_anchors
        graph = CertificationGraph(
            target,
            self._request.pool,
            anchors,
            usable=lambda one: one.is_ca and one.not_before <= target.not_after and one.not_after >= target.not_before,
            budget=SearchBudget(self._limits),
        )
        reached: set[Name] = {anchor.name for anchor in anchors}
        waiting = deque(reached)
        certificates = []
        while waiting:
            for certificate, name in graph.issued_by(waiting.popleft()):
                if certificate.node != target.node:
                    certificates.append(certificate)
                    if name not in reached:
                        reached.add(name)
                        waiting.append(name)
        return tuple(certificates)

    def _search(self, target: Certificate, second: int, pool: CertificatePool) -> BestPath:
        """Return the best path at a second; none, with the limit, once all searches together exhausted one."""
        limits = self._limits
        if self._searches == limits.validity_searches:
            return _not_searched(_given_up("validity_searches", limits.validity_searches))
        allowed = limits.validity_work
        for limit in _SUMMED:
            if self._spent[limit] > allowed * getattr(limits, limit):
                return _not_searched(f"{_given_up('validity_work', allowed)}: {limit.replace('_', ' ')}")
        self._searches += 1
        parameters = replace(self._request.parameters, time=instant(second))
        found = self._request._replace(target=target, pool=pool, parameters=parameters).find_best()
        self._spent.update(found.spent)
        return found

    def _beside(self, report: ValidityReport, gap: ValidityPeriod) -> RejectedPath | None:
        """Return the closest attempt in the first second of a gap.

        That is the path which ended when the gap began, or with which the first gap ends. Only without such a path is
        it the one from all certificates given: in another one, certificates of years later may fail instead.
        """
        path = next((one.segments[-1].path for one in report.valid if one.end + _SECOND == gap.begin), None)
        path = path or next((one.segments[0].path for one in report.valid if one.begin - _SECOND == gap.end), None)
        if path is None:
            return self._closest(report, gap.begin)
        parameters = replace(self._request.parameters, time=gap.begin)
        pool, anchors = CertificatePool(path.certificates), (path.trust_anchor,)
        request = self._request._replace(target=path.target, pool=pool, trust_anchors=anchors, parameters=parameters)
        rejected = request.find_paths(at_most=1).rejected
        return rejected[0] if rejected else None

    def _closest(self, report: ValidityReport, time: datetime) -> RejectedPath | None:
        """Return the closest attempt at a time, from all certificates given.

        Of several targets, it is that of the path before that time, or of the next one. That path itself is the closest
        attempt unless another one has fewer failures on the way to a trust anchor.
        """
        around = [*reversed([one for one in report.valid if one.end < time]), *report.valid]
        path: ValidatedPath | None = None
        if around:
            segments = around[0].segments
            path = (segments[-1] if around[0].end < time else segments[0]).path
        target = path.target if path is not None else min(self._targets, key=lambda one: _distance(one, seconds(time)))
        request = self._request._replace(
            target=target, parameters=replace(self._request.parameters, time=time.replace(microsecond=0))
        )
        rejected = next(iter(request.find_paths(at_most=1).rejected), None)
        if path is None:
            return rejected
        near = valid_at_another_time(path, request.parameters)
        if rejected is not None and len(rejected.failures) < len(near.failures) and not _leads_nowhere(rejected):
            return rejected
        return explained_attempts((near,), self._limits)[0]

    def _periods(self, spans: list[Span]) -> Iterator[ValidityPeriod]:
        """Yield the periods of spans: neighbours of one state together, and in these, neighbours of one path."""
        position = 0
        while position < len(spans):
            state = _state(spans[position])
            run = [spans[position]]
            while position + len(run) < len(spans) and _state(spans[position + len(run)]) is state:
                run.append(spans[position + len(run)])
            position += len(run)
            yield ValidityPeriod(
                begin=instant(run[0].begin),
                end=instant(run[-1].end),
                state=state,
                segments=tuple(self._segments(run)) if state is PeriodState.VALID else (),
                incomplete=run[0].found.incomplete if state is PeriodState.UNKNOWN else None,
            )

    def _segments(self, spans: Iterable[Span]) -> Iterator[ValiditySegment]:
        previous: ValidatedPath | None = None
        for begin, end, path, incomplete in _by_path(spans):
            because = None
            if previous is not None and incomplete is None and _stays(previous, begin):
                because = why_before(path, previous, self._request.ranking)
            counted = path.with_anchor if self._checks_anchors else path.certificates
            yield ValiditySegment(
                begin=instant(begin),
                end=instant(end),
                path=path,
                began_with=tuple(one for one in counted if seconds(one.not_before) == begin),
                ended_by=tuple(one for one in counted if seconds(one.not_after) == end),
                because=because,
                incomplete=incomplete,
            )
            previous = path


def merged(spans: list[list[Span]], ranking: Ranking) -> list[Span]:
    """Return spans of several targets as spans with the best path of any of them.

    Without a path the answer is known only where it is known for each target. Where no target has a span, no path is
    valid.
    """
    if len(spans) == 1:
        return spans[0]
    changes = sorted({date for one in spans for span in one for date in (span.begin, span.end + 1)})
    result = []
    positions = [0] * len(spans)
    for begin, after in pairwise(changes):
        answers = []
        for number, one in enumerate(spans):
            while positions[number] < len(one) and one[positions[number]].end < begin:
                positions[number] += 1
            if positions[number] < len(one) and one[positions[number]].begin <= begin:
                answers.append(one[positions[number]].found)
        paths = sorted((answer.path for answer in answers if answer.path is not None), key=ranking)
        incomplete = next((answer.incomplete for answer in answers if answer.incomplete is not None), None)
        result.append(Span(begin, after - 1, BestPath(paths[0] if paths else None, incomplete, {})))
    return result


def _distance(target: Certificate, second: int) -> tuple[bool, int, int, str]:
    """Return the key of the target that explains best why no path is valid: the one valid next to that second.

    A self-signed certificate explains nothing where there are others.
    """
    begin, end = seconds(target.not_before), seconds(target.not_after)
    return target.is_self_issued, max(begin - second, second - end, 0), -end, target.sha256


def _leads_nowhere(attempt: RejectedPath) -> bool:
    """Return True for an attempt that reaches no trust anchor."""
    return any(failure.reason in _LEADING_NOWHERE for failure in attempt.failures)


def _by_path(spans: Iterable[Span]) -> Iterator[tuple[int, int, ValidatedPath, str | None]]:
    """Yield spans with a path, merged where neighbours have the same certificates and trust anchor."""
    last: tuple[int, int, ValidatedPath, str | None] | None = None
    for begin, end, found in spans:
        path, incomplete = found.path, found.incomplete
        if path is None:
            continue
        if last is not None and _is_same(last[2], path):
            last = (last[0], end, last[2], last[3] or incomplete)
            continue
        if last is not None:
            yield last
        last = (begin, end, path, incomplete)
    if last is not None:
        yield last


def _is_same(one: ValidatedPath, other: ValidatedPath) -> bool:
    return (one.certificates, one.trust_anchor) == (other.certificates, other.trust_anchor)


def _stays(path: ValidatedPath | None, second: int) -> bool:
    """Return True unless a path is expired at a second."""
    return path is None or second <= seconds(path.expires)


def _state(span: Span) -> PeriodState:
    if span.found.path is not None:
        return PeriodState.VALID
    return PeriodState.NOT_VALID if span.found.incomplete is None else PeriodState.UNKNOWN


def _not_searched(limit: str) -> BestPath:
    return BestPath(None, limit, {})


def _given_up(limit: str, allowed: int) -> str:
    return str(BudgetExhaustedError(limit, allowed))


def seconds(time: datetime) -> int:
    """Return a time in whole seconds since 1970; dates of certificates are whole."""
    return (time - _EPOCH) // _SECOND


def instant(second: int) -> datetime:
    """Return the time, in UTC, of a number of seconds since 1970."""
    return _EPOCH + second * _SECOND
