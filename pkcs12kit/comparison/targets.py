"""The paths of targets before and after a change: which it made or broke, and through which certificates."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import LimitExceededError
from pkcs12kit.paths.report import path_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validation.verdict import ValidatedPath


class PathOutcome(Enum):
    """The difference between the best path of a target before and after."""

    BROKE = "broke"
    """There was a valid path before, and there is none after."""
    UNDECIDED = "undecided"
    """A limit ended a search that has found no valid path."""
    MADE = "made"
    """There was no valid path before, and there is one after."""
    CHANGED = "changed"
    """There are valid paths on both sides, and the best one is another."""
    SAME = "same"
    """The best valid path is the same."""
    NONE = "none"
    """There is no valid path on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetComparison:
    """One target, its best path before and after, and the certificates on which the difference depends."""

    target: Certificate
    """The certificate at the start of the paths."""
    outcome: PathOutcome
    """The difference between before and after."""
    before: PathReport
    """The search before: its best path, or the attempts that failed."""
    after: PathReport
    """The search after."""
    missing: tuple[Certificate, ...] = ()
    """Certificates of the valid path that the side without one does not have; empty if both sides have a path."""
    decisive: tuple[Certificate, ...] = ()
    """Certificates each of which alone, added to the side without a valid path, gives it one."""
    all_tried: bool = True
    """False if a limit ended the search for decisive certificates."""

    @property
    def may_have_broken(self) -> bool:
        """True if the change broke the path, or if a limit ended the search that would have shown whether it did."""
        if self.after.valid:
            return False
        return bool(self.before.valid) or self.before.incomplete is not None

    @property
    def path_before(self) -> ValidatedPath | None:
        """The best valid path before; None if there is none."""
        return self.before.valid[0] if self.before.valid else None

    @property
    def path_after(self) -> ValidatedPath | None:
        """The best valid path after; None if there is none."""
        return self.after.valid[0] if self.after.valid else None

    @property
    def closest_before(self) -> RejectedPath | None:
        """The closest attempt before, if no path was valid."""
        return None if self.before.valid or not self.before.rejected else self.before.rejected[0]

    @property
    def closest_after(self) -> RejectedPath | None:
        """The closest attempt after, if no path is valid."""
        return None if self.after.valid or not self.after.rejected else self.after.rejected[0]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison of one target as ``--json`` prints it."""
        return {
            "target": self.target.to_json(),
            "outcome": self.outcome.value,
            "before": _side_to_json(self.path_before, self.closest_before, self.before.incomplete),
            "after": _side_to_json(self.path_after, self.closest_after, self.after.incomplete),
            "missing": [certificate.to_json() for certificate in self.missing],
            "decisive": [certificate.to_json() for certificate in self.decisive],
            "all_tried": self.all_tried,
        }

    def __repr__(self) -> str:
        return f"<TargetComparison {self.target.label!r}: {self.outcome.value}>"


def _side_to_json(path: ValidatedPath | None, closest: RejectedPath | None, incomplete: str | None) -> dict[str, Any]:
    return {
        "path": None if path is None else path_to_json(path),
        "closest": None if closest is None else closest.to_json(),
        "incomplete": incomplete,
    }


class TargetComparer:
    """The comparison of the paths of targets, with one budget of searches for all of them.

    ``before`` and ``after`` are requests that differ only in their pools; their targets are replaced.
    """

    def __init__(self, before: PathRequest, after: PathRequest) -> None:
        self._before = before
        self._after = after
        self._allowed = self._left = before.limits.comparison_searches
        self._reachable: dict[int, frozenset[Name]] = {}

    def compare(self, target: Certificate) -> TargetComparison:
        """Return the comparison for one target.

        Raises :class:`~pkcs12kit.LimitExceededError` after ``limits.comparison_searches`` searches.
        """
        requests = self._before._replace(target=target), self._after._replace(target=target)
        before, after = map(self._search, requests)
        outcome = _outcome(before, after)
        if bool(before.valid) == bool(after.valid):
            return TargetComparison(target=target, outcome=outcome, before=before, after=after)
        lacking, having, valid = (
            (requests[1], requests[0], before.valid[0]) if before.valid else (requests[0], requests[1], after.valid[0])
        )
        present = frozenset(lacking.pool)
        missing = tuple(one for one in valid.certificates if one != target and one not in present)
        decisive, all_tried = self._decisive(lacking, having, missing)
        return TargetComparison(
            target=target,
            outcome=outcome,
            before=before,
            after=after,
            missing=missing,
            decisive=decisive,
            all_tried=all_tried,
        )

    def _search(self, request: PathRequest) -> PathReport:
        if not self._left:
            raise LimitExceededError(
                f"more than {self._allowed:,} searches for the paths of targets (limits.comparison_searches);"
                " compare fewer targets at once"
            )
        self._left -= 1
        return request.find_paths(at_most=1)

    def _decisive(
        self, lacking: PathRequest, having: PathRequest, missing: tuple[Certificate, ...]
    ) -> tuple[tuple[Certificate, ...], bool]:
        """Return the certificates of one side each of which gives the other a path, and whether all were tried."""
        present = frozenset(lacking.pool)
        others = (one for one in having.pool if one not in present and one != lacking.target)
        candidates = sorted(self._linking(lacking, others), key=lambda one: (one not in missing, one.sha256))
        found: list[Certificate] = []
        for candidate in candidates:
            if not self._left:
                return tuple(found), False
            pool = lacking.pool | CertificatePool([candidate])
            if self._search(lacking._replace(pool=pool)).valid:
                found.append(candidate)
        return tuple(found), True

    def _linking(self, request: PathRequest, candidates: Iterable[Certificate]) -> Iterator[Certificate]:
        """Yield the candidates that, by names, close the gap between the target and a trust anchor."""
        reaching = self._reachable.get(id(request.pool))
        if reaching is None:
            reaching = self._reachable[id(request.pool)] = _names_below_anchors(request)
        issuers = _names_above_target(request)
        for one in candidates:
            if one.subject in issuers and one.issuer in reaching:
                yield one


def _outcome(before: PathReport, after: PathReport) -> PathOutcome:
    if any(not side.valid and side.incomplete is not None for side in (before, after)):
        return PathOutcome.UNDECIDED
    if not before.valid or not after.valid:
        if bool(before.valid) == bool(after.valid):
            return PathOutcome.NONE
        return PathOutcome.BROKE if before.valid else PathOutcome.MADE
    earlier, later = before.valid[0], after.valid[0]
    is_same = earlier.certificates == later.certificates and earlier.trust_anchor == later.trust_anchor
    return PathOutcome.SAME if is_same else PathOutcome.CHANGED


def _names_above_target(request: PathRequest) -> set[Name]:
    """Return the names of the CAs that may be above the target, through certificates of the pool."""
    found, waiting = {request.target.issuer}, [request.target.issuer]
    while waiting:
        for one in request.pool.by_subject(waiting.pop()):
            if one.issuer not in found:
                found.add(one.issuer)
                waiting.append(one.issuer)
    return found


def _names_below_anchors(request: PathRequest) -> frozenset[Name]:
    """Return the names of the trust anchors and of the CAs that may be below them, through certificates of the pool."""
    subjects: defaultdict[Name, set[Name]] = defaultdict(set)
    for one in request.pool:
        subjects[one.issuer].add(one.subject)
    found = {anchor.name for anchor in request.trust_anchors}
    waiting = list(found)
    while waiting:
        new = subjects.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return frozenset(found)
