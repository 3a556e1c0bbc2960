"""Why candidates are no paths, and where none is one, what comes closest.

The order of what is said is that of :class:`Closeness`, and within each class:

* attempts that reach an anchor: the fewest failures first, then those that would be valid at the nearest time, those
  of the search before those found here; where the target itself is not valid at the time, no other issuer helps, and
  those that would be valid at the nearest time are the first of all,
* where the way up ends: the walk with the fewest unusable certificates first, then the shortest,
* whatever else: in the order of the search.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.budget import Budget, BudgetExhaustedError
from pkcs12kit.paths.candidates import CandidateSearch, may_have_signed
from pkcs12kit.paths.dead_ends import Ascent
from pkcs12kit.paths.failure import SECTION_OF_TRUST_ANCHORS, Failure, InvalidPathError, lapse
from pkcs12kit.paths.graph import CertificationGraph
from pkcs12kit.paths.report import RejectedPath
from pkcs12kit.paths.validation.validator import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.dead_ends import Link
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_CLOSEST: Final = 5
_OF_TIME: Final = frozenset({FailureReason.EXPIRED, FailureReason.NOT_YET_VALID})
Edge = tuple["Certificate", FailureReason, object]


class Closeness(IntEnum):
    """How close to success an attempt comes; the smaller the closer."""

    GIVEN_UP = 0
    """A limit ended the work: what follows may not be all."""
    REACHES_AN_ANCHOR = 1
    """Every link but the refused ones is signed, up to a trust anchor."""
    MISSING_ON_THE_WAY = 2
    """An issuer that nobody supplied, where every untrusted root that is met lies on the walk to it."""
    UNTRUSTED_ROOT = 3
    """A self-signed certificate that is no trust anchor."""
    UNUSED_ANCHOR = 4
    """A trust anchor that nothing leads to."""
    MISSING_ELSEWHERE = 5
    """An issuer that nobody supplied, on a branch beside the way to an untrusted root."""
    ANOTHER_KEY = 6
    """A namesake of the issuer did not sign it, and somebody else did."""
    ALONE = 7
    """A certificate that the search did not follow: expired, not yet valid, or no CA's."""
    STOPPED = 8
    """The explanation itself was ended by a limit: there may be closer attempts than those that were found."""


def explain(
    target: Certificate,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    *,
    parameters: ValidationParameters,
    judged: Sequence[RejectedPath],
    not_followed: Sequence[Certificate],
    found: bool,
    limits: Limits,
) -> tuple[RejectedPath, ...]:
    """Say why the candidates of a search are no paths, and where none is one, what comes closest.

    ``judged`` are the search's own rejections, ``not_followed`` the certificates that it passed over, ``found`` says
    whether it met a valid path. Each finding (certificate, reason, issuer) is there once, the closest to success first.
    What is looked for beyond the search has a budget of its own: as many steps as the search, and
    ``explanation_signature_checks``. Where that ends, the last finding says so, and every other one is still true.
    """
    findings = [(_closeness(path), path) for path in judged]
    if not found:
        finder = _Finder(target, pool, tuple(trust_anchors), parameters, limits, _refuted(judged))
        new = list(finder.findings())
        whole = {(path.certificates, failure) for _, path in new for failure in path.failures}
        findings = [
            (finder.closeness(path), path) for path in judged if (path.certificates, path.failures[0]) not in whole
        ]
        findings += new
        stopped = finder.stopped if all(place is not Closeness.GIVEN_UP for place, _ in findings) else None
        if stopped is not None:
            findings.append((Closeness.STOPPED, finder.stopped_early(stopped, alone=not findings)))
    findings += ((Closeness.ALONE, path) for path in _alone(not_followed, parameters.time))
    nearest_first = lapse(target, parameters.time) is not None
    findings.sort(  # stable: as it was found otherwise
        key=lambda finding: (finding[0], *_order(finding[1], parameters.time, nearest_first=nearest_first))
    )
    return tuple(_each_once(path for _, path in findings))


def not_followed(certificate: Certificate, time: datetime) -> Failure | None:
    """Say why discovery does not follow a certificate as an issuer; None where it does."""
    failure = lapse(certificate, time)
    if failure is None and not certificate.is_ca:
        failure = Failure(
            reason=FailureReason.NOT_A_CA,
            certificate=certificate,
            section="RFC 5280 section 6.1.4 (k)",
            detail="has no basicConstraints with cA, so it may not issue certificates",
        )
    return failure


class _Finder:
    """What comes closest where no path is valid."""

    def __init__(
        self,
        target: Certificate,
        pool: CertificatePool,
        trust_anchors: tuple[TrustAnchor, ...],
        parameters: ValidationParameters,
        limits: Limits,
        refuted: set[Link],
    ) -> None:
        self._target = target
        self._pool = pool
        self._trust_anchors = trust_anchors
        self._parameters = parameters
        self._limits = limits
        checks = min(limits.signature_checks, limits.explanation_signature_checks)
        budget = Budget(replace(limits, signature_checks=checks))
        self._ascent = Ascent(target, pool, trust_anchors, usable=self._is_usable, refuted=refuted, budget=budget)
        left = max(0, checks - budget.spent("signature_checks"))
        self._near_paths_budget = Budget(replace(limits, signature_checks=left))
        self.stopped = self._ascent.stopped
        """What ended the explanation early; None while nothing did."""

    def closeness(self, judged: RejectedPath) -> Closeness:
        """Class a rejection of the search; a wrong key matters only where no right one is there."""
        is_met = self._ascent.stopped is None
        if judged.reason is FailureReason.BAD_SIGNATURE and is_met and judged.certificate not in self._ascent.orphans:
            return Closeness.ANOTHER_KEY
        return _closeness(judged)

    def findings(self) -> Iterator[tuple[Closeness, RejectedPath]]:
        """Look for near paths, for the ends of all ways up, and for anchors that nothing leads to."""
        ascent = self._ascent
        for near in self._near_paths():
            yield Closeness.REACHES_AN_ANCHOR, near
        roots = {root.certificate.node for root in ascent.roots}
        for missing in ascent.missing:
            on_the_way = roots.issubset(certificate.node for certificate in missing.certificates)
            yield Closeness.MISSING_ON_THE_WAY if on_the_way else Closeness.MISSING_ELSEWHERE, missing
        for root in ascent.roots:
            yield Closeness.UNTRUSTED_ROOT, root
        if not (ascent.missing or ascent.roots or ascent.reached or ascent.stopped):
            yield Closeness.MISSING_ON_THE_WAY, self._circles()
        if self._target.node in ascent.reached:
            yield Closeness.REACHES_AN_ANCHOR, self._itself()
        named = {end.certificate.issuer for end in (*ascent.missing, *ascent.roots)}
        for anchor in self._trust_anchors:
            is_unused = anchor.node not in ascent.reached and anchor.name not in named
            if is_unused and (ascent.stopped is None or not self._is_named(anchor)):
                yield Closeness.UNUSED_ANCHOR, self._unused(anchor)

    def stopped_early(self, stopped: BudgetExhaustedError, *, alone: bool) -> RejectedPath:
        """Tell that a limit ended the explanation; ``alone`` where the search and it found nothing else to tell."""
        which = "explanation_signature_checks" if stopped.limit == "signature_checks" else stopped.limit
        allowed: int = getattr(self._limits, which)
        until = f"given up after {allowed:,} {stopped.limit.replace('_', ' ')} (limits.{which})"
        detail = f"the explanation is incomplete: what comes closest to a path was looked for and {until}"
        reason, section = FailureReason.BUDGET_EXHAUSTED, "pkcs12kit.limits"
        if alone:
            names = ", ".join(str(anchor.name) for anchor in self._trust_anchors)
            detail = f"no trust anchor given ({names}) was reached, and {detail}"
            reason, section = FailureReason.NO_TRUST_ANCHOR, "RFC 5280 section 6.1"
        failure = Failure(reason=reason, certificate=self._target, section=section, detail=detail)
        return RejectedPath(certificates=(self._target,), failures=(failure,))

    def _is_named(self, anchor: TrustAnchor) -> bool:
        """Return True where a certificate, the target included, names the anchor as its issuer."""
        issued = (certificate for certificate in self._pool if certificate.subject != anchor.name)
        return any(certificate.issuer == anchor.name for certificate in (self._target, *issued))

    def _is_usable(self, certificate: Certificate) -> bool:
        return not_followed(certificate, self._parameters.time) is None

    def _near_paths(self) -> Iterator[RejectedPath]:
        """Paths that reach an anchor only through certificates that discovery does not follow.

        The walk to each anchor with the fewest of them, five paths at the time when the target is valid that is nearest
        to the one asked for, and the five paths that were the latest to lapse.
        """
        budget, time = self._near_paths_budget, self._parameters.time
        nearest = min(max(time, self._target.not_before), self._target.not_after)
        try:
            then = [] if nearest == time else self._closest(lambda one: not_followed(one, nearest) is None, budget)
            paths = (*self._ascent.reached.values(), *then, *self._closest(lambda _: True, budget))
            for path in {(path.certificates, path.trust_anchor.node): path for path in paths}.values():
                if _is_signed(path, budget):
                    near = self._near_path(path, budget)
                    if near is not None:
                        yield near
        except BudgetExhaustedError as exhausted:
            self.stopped = self.stopped or exhausted

    def _closest(self, usable: Callable[[Certificate], bool], budget: Budget) -> list[CertificationPath]:
        """List the paths through usable certificates that last longest."""
        graph = CertificationGraph(self._target, self._pool, self._trust_anchors, usable=usable, budget=budget)
        return list(islice(_signed(CandidateSearch(graph, budget=budget), budget), _CLOSEST))

    def _near_path(self, path: CertificationPath, budget: Budget) -> RejectedPath | None:
        """Name what is in a path's way, where that is first of all the time or a certificate of no CA."""
        time, (target, *issuers) = self._parameters.time, path.certificates
        checked = [lapse(target, time), *(not_followed(issuer, time) for issuer in issuers)]
        if self._parameters.check_trust_anchor_validity and len(path.with_anchor) > len(path.certificates):
            checked.append(lapse(path.with_anchor[-1], time, SECTION_OF_TRUST_ANCHORS))
        failures = [failure for failure in checked if failure is not None]
        if not failures:
            return None
        window = _window(path.with_anchor[: len(checked)])
        if window is not None:
            other = self._failure_within(window, path, budget)
            if other is not None:
                window = None
                known = {(failure.certificate, failure.reason) for failure in failures}
                failures += [other] if (other.certificate, other.reason) not in known else []
        return RejectedPath(
            certificates=path.certificates,
            failures=tuple(failures),
            would_be_valid=window,
            clock_looks_wrong=_clock_looks_wrong(checked),
        )

    def _failure_within(
        self, window: tuple[datetime, datetime], path: CertificationPath, budget: Budget
    ) -> Failure | None:
        """Say what else is in the path's way when all its certificates are valid."""
        budget.start_validation()
        try:
            validate(path, replace(self._parameters, time=window[1]), budget=budget)
        except InvalidPathError as no:
            return no.failure
        return None

    def _circles(self) -> RejectedPath:
        """Say that every way up goes round in circles."""
        names = ", ".join(str(anchor.name) for anchor in self._trust_anchors)
        failure = Failure(
            reason=FailureReason.NO_TRUST_ANCHOR,
            certificate=self._target,
            section="RFC 4158 section 2.4.2",
            detail=f"its issuers certify one another, and no trust anchor given ({names}) certifies any of them",
        )
        return RejectedPath(certificates=(self._target,), failures=(failure,))

    def _itself(self) -> RejectedPath:
        """Say that the target is a trust anchor by name and key, and was given as one in another certificate."""
        failure = Failure(
            reason=FailureReason.NO_TRUST_ANCHOR,
            certificate=self._target,
            section="RFC 4158 section 2.4.2",
            detail="has the name and the key of a trust anchor that another certificate was given for; a path holds"
            " each name and key once",
        )
        return RejectedPath(certificates=(self._target,), failures=(failure,))

    def _unused(self, anchor: TrustAnchor) -> RejectedPath:
        """Say of an anchor that nothing leads to it, and what of its name the pool holds."""
        namesakes = self._pool.by_subject(anchor.name)
        keys = {certificate.subject_public_key_info for certificate in namesakes}
        issued = sum(certificate.issuer == anchor.name != certificate.subject for certificate in self._pool)
        subject = self._target if anchor.certificate is None else anchor.certificate
        detail = "is a trust anchor that nothing leads to: "
        if anchor.certificate is None:
            detail = f"leads nowhere near the trust anchor {anchor.name}: "
        if issued == 1:
            detail += "one certificate names it as the issuer, and is not on the way up from the target"
        elif issued:
            detail += f"{issued} certificates name it as the issuer, none of them on the way up from the target"
        else:
            detail += "no certificate given names it as the issuer"
        if keys - {anchor.subject_public_key_info}:
            detail += "; certificates with its name and another key are there"
        failure = Failure(
            reason=FailureReason.NO_TRUST_ANCHOR,
            certificate=subject,
            section="RFC 5280 section 6.1.1 (d)",
            detail=detail,
        )
        return RejectedPath(certificates=(subject,), failures=(failure,))


def _closeness(judged: RejectedPath) -> Closeness:
    if judged.reason is FailureReason.BUDGET_EXHAUSTED:
        return Closeness.GIVEN_UP
    return Closeness.REACHES_AN_ANCHOR


def _order(path: RejectedPath, time: datetime, *, nearest_first: bool) -> tuple[bool | int | timedelta, ...]:
    """Put attempts into order by their failures and by how far from ``time`` they would be valid."""
    failures, window = len(path.failures), path.would_be_valid
    if window is not None:
        away = max(window[0] - time, time - window[1], timedelta(0))
    else:
        away = timedelta.max if all(failure.reason in _OF_TIME for failure in path.failures) else timedelta(0)
    return (window is None, away, failures) if nearest_first else (failures, away)


def _refuted(judged: Iterable[RejectedPath]) -> set[Link]:
    """List the links of which the search knows that the signature does not verify; an anchor's are asked anew."""
    return {
        (path.certificate, issuer.subject_public_key_info)
        for path in judged
        if path.reason is FailureReason.BAD_SIGNATURE and (issuer := _issuer(path)) is not None
    }


def _issuer(path: RejectedPath, failure: Failure | None = None) -> Certificate | None:
    """Find the certificate above the one that failed; None for the last one, an anchor's, or one that stands alone."""
    certificate = (failure or path.failures[0]).certificate
    above = path.certificates[1:]
    return next((issuer for lower, issuer in zip(path.certificates, above, strict=False) if lower == certificate), None)


def _alone(certificates: Iterable[Certificate], time: datetime) -> Iterator[RejectedPath]:
    for certificate in certificates:
        failure = not_followed(certificate, time)
        if failure is not None:
            yield RejectedPath(certificates=(certificate,), failures=(failure,))


def _each_once(paths: Iterable[RejectedPath]) -> Iterator[RejectedPath]:
    """Keep what says something new, what is new in it first; count the others.

    A certificate that was not followed is new where nothing was said of it before, whatever its issuer.
    """
    kept: dict[Edge, RejectedPath] = {}
    walks: Counter[int] = Counter()
    named: set[Certificate] = set()
    for path in paths:
        edges = {_edge(path, failure): failure for failure in path.failures}
        is_alone = path.certificates == (path.certificate,)
        news = [failure for edge, failure in edges.items() if edge not in kept]
        if not news or (is_alone and path.certificate in named):
            walks.update(id(kept[edge]) for edge in edges if edge in kept and _is_one_more_walk(path, kept[edge]))
            continue
        told = [failure for failure in path.failures if failure not in news]
        reordered = replace(path, failures=(*news, *told)) if told else path
        kept.update(dict.fromkeys((edge for edge in edges if edge not in kept), reordered))
        named.update(failure.certificate for failure in path.failures)
    for path in dict.fromkeys(kept.values()):
        yield replace(path, walks=1 + walks[id(path)]) if walks[id(path)] else path


def _is_one_more_walk(path: RejectedPath, kept: RejectedPath) -> bool:
    """Whether it is another candidate of the search, refused for the one reason that was kept."""
    return len(path.failures) == len(kept.failures) == 1 and path.certificates != kept.certificates


def _edge(path: RejectedPath, failure: Failure) -> Edge:
    issuer = _issuer(path, failure)
    if failure.reason is FailureReason.BUDGET_EXHAUSTED:
        return failure.certificate, failure.reason, failure.detail
    return failure.certificate, failure.reason, issuer.node if issuer is not None else None


def _window(certificates: tuple[Certificate, ...]) -> tuple[datetime, datetime] | None:
    """When all of them are within their validity; None where that is never."""
    begin = max(certificate.not_before for certificate in certificates)
    end = min(certificate.not_after for certificate in certificates)
    return (begin, end) if begin <= end else None


def _clock_looks_wrong(checked: list[Failure | None]) -> bool:
    """Whether the target, the first, is not yet valid, or all of several are past, or all to come."""
    reasons = [failure.reason if failure is not None else None for failure in checked]
    if reasons[0] is FailureReason.NOT_YET_VALID:
        return True
    return len(reasons) > 1 and reasons == [FailureReason.EXPIRED] * len(reasons)


def _signed(search: CandidateSearch[Name], budget: Budget) -> Iterator[CertificationPath]:
    """Keep the candidates in which each certificate is signed by the next."""
    for path in search:
        for certificate, issuer in zip(path.certificates, path.issuers, strict=True):
            if not may_have_signed(issuer, certificate, budget):
                search.exclude_link(certificate, issuer.node)
                break
        else:
            yield path


def _is_signed(path: CertificationPath, budget: Budget) -> bool:
    links = zip(path.certificates, path.issuers, strict=True)
    return all(may_have_signed(issuer, certificate, budget) for certificate, issuer in links)
