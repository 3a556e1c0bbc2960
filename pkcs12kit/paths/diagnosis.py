"""The explanation of a search: its rejected candidates and the closest attempts, merged, the most useful first.

Attempts come in the order of :class:`~pkcs12kit.paths.closest_attempts.Closeness`, and within each class:

* attempts that reach an anchor: the fewest failures first, then those that would be valid at the nearest time, those
  of the search before those found here; where the target itself is not valid at the time, another issuer does not help,
  and those that would be valid at the nearest time come before all others,
* the ends of ways up: the way with the fewest unusable certificates first, then the shortest,
* everything else: in the order of the search.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.closest_attempts import Closeness, ClosestAttempts
from pkcs12kit.paths.failure import issuer_failure, validity_failure
from pkcs12kit.paths.report import RejectedPath
from pkcs12kit.paths.validation.explanation import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.dead_ends import Link
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_Attempt = tuple[Closeness, RejectedPath]
_Finding = tuple["Certificate", FailureReason, object]
"""A certificate, the reason why it fails, and its issuer."""


def explain(
    target: Certificate,
    pool: CertificatePool,
    trust_anchors: Iterable[TrustAnchor],
    *,
    parameters: ValidationParameters,
    rejected: Sequence[RejectedPath],
    unusable: Sequence[Certificate],
    found: bool,
    limits: Limits,
) -> tuple[RejectedPath, ...]:
    """Return the reasons why the candidates of a search are not valid, and where no path is, the closest attempts.

    - ``rejected`` are the search's own rejections, ``unusable`` the certificates that it did not use as issuers.
    - ``found`` is True where the search found a valid path.

    Each finding (certificate, reason, issuer) occurs once, the closest to success first. The search for the closest
    attempts has its own budget: as many steps as the search, and ``limits.explanation_signature_checks``. Where that is
    exhausted, the last attempt says so; the others are correct all the same.
    """
    attempts = [(_closeness(path), path) for path in rejected]
    closest = None
    if not found:
        closest = ClosestAttempts(target, pool, tuple(trust_anchors), parameters, limits, _refuted(rejected))
        new = list(closest.find())
        whole = {(path.certificates, failure) for _, path in new for failure in path.failures}
        attempts = [
            (Closeness.ANOTHER_KEY if _has_another_key(path, closest) else _closeness(path), path)
            for path in rejected
            if (path.certificates, path.failures[0]) not in whole
        ]
        attempts += new
        stopped = closest.stopped if all(place is not Closeness.GIVEN_UP for place, _ in attempts) else None
        if stopped is not None:
            attempts.append((Closeness.STOPPED, closest.stopped_early(stopped, alone=not attempts)))
    attempts += ((Closeness.ALONE, path) for path in _alone(unusable, parameters.time))
    distinct = _each_once(_sorted(attempts, target, parameters.time))
    if closest is not None:  # it changes which is the closest, and which have new findings
        completed = [
            (place, path if place is Closeness.STOPPED else closest.completion.complete(path))
            for place, path in distinct
        ]
        distinct = _each_once(_sorted(completed, target, parameters.time))
        distinct = [(place, closest.look_alikes.add_to(path)) for place, path in distinct]
    return explained_attempts((path for _, path in distinct), limits)


def _sorted(attempts: Iterable[_Attempt], target: Certificate, time: datetime) -> list[_Attempt]:
    """Return attempts, the closest first, and otherwise in the order in which they come."""
    nearest_first = validity_failure(target, time) is not None
    return sorted(attempts, key=lambda attempt: (attempt[0], *_order(attempt[1], time, nearest_first=nearest_first)))


def explained_attempts(attempts: Iterable[RejectedPath], limits: Limits) -> tuple[RejectedPath, ...]:
    """Return attempts with the failures of the first ones explained, ``limits.explained_failures`` of them."""
    found, left = [], limits.explained_failures
    for path in attempts:
        failures = tuple(
            explained(failure, limits=limits, path=path.certificates)
            if number < left
            else replace(failure, descent=None)
            for number, failure in enumerate(path.failures)
        )
        left -= len(failures)
        found.append(replace(path, failures=failures))
    return tuple(found)


def _closeness(rejected: RejectedPath) -> Closeness:
    if rejected.reason is FailureReason.BUDGET_EXHAUSTED:
        return Closeness.GIVEN_UP
    return Closeness.REACHES_AN_ANCHOR


def _has_another_key(rejected: RejectedPath, closest: ClosestAttempts) -> bool:
    """Return True for a wrong key that does not matter, because the certificate's real issuer was found."""
    return rejected.reason is FailureReason.BAD_SIGNATURE and closest.is_signed_by_another(rejected.certificate)


def _order(path: RejectedPath, time: datetime, *, nearest_first: bool) -> tuple[bool | int | timedelta, ...]:
    """Return the sort key of an attempt: its failures, and how far from ``time`` it would be valid."""
    failures, window = _count(path), path.would_be_valid
    if window is not None:
        away = max(window[0] - time, time - window[1], timedelta(0))
    else:
        away = timedelta.max if all(failure.of_the_time for failure in path.failures) else timedelta(0)
    return (window is None, away, failures) if nearest_first else (failures, away)


def _count(path: RejectedPath) -> int:
    """Return the number of failures, those about revocation as one: what the user gave may be about none of them."""
    others = [failure for failure in path.failures if not failure.of_the_issuer_and_the_anchor]
    return len(others) + (len(others) < len(path.failures))


def _refuted(rejected: Iterable[RejectedPath]) -> set[Link]:
    """Return the links whose signatures the search found not to verify; those of anchors are checked again."""
    return {
        (path.certificate, issuer.subject_public_key_info)
        for path in rejected
        if path.reason is FailureReason.BAD_SIGNATURE and (issuer := _issuer(path, path.failures[0])) is not None
    }


def _issuer(path: RejectedPath, failure: Failure) -> Certificate | None:
    """Return the certificate above the one that failed; None for the last one, below an anchor or without a path."""
    above = path.certificates[1:]
    return next(
        (issuer for lower, issuer in zip(path.certificates, above, strict=False) if lower == failure.certificate), None
    )


def _alone(certificates: Iterable[Certificate], time: datetime) -> Iterator[RejectedPath]:
    for certificate in certificates:
        failure = issuer_failure(certificate, time)
        if failure is not None:
            yield RejectedPath(certificates=(certificate,), failures=(failure,))


def _each_once(attempts: Iterable[_Attempt]) -> list[_Attempt]:
    """Return the attempts with a new finding, the new ones first in each; count the other attempts.

    A certificate that was not used as an issuer is new where no finding was about it before, whatever its issuer.
    """
    kept: dict[_Finding, _Attempt] = {}
    alike: Counter[int] = Counter()
    named: set[Certificate] = set()
    for place, path in attempts:
        findings = dict.fromkeys(_finding(path, failure) for failure in path.failures)
        is_alone = path.certificates == (path.certificate,)
        new = [failure for failure in path.failures if _finding(path, failure) not in kept]
        if not new or (is_alone and place is not Closeness.STOPPED and path.certificate in named):
            for finding in findings:
                if finding in kept and _is_alike(path, kept[finding][1]):
                    alike[id(kept[finding])] += path.walks
            continue
        known = [failure for failure in path.failures if failure not in new]
        attempt = (place, replace(path, failures=(*new, *known)) if known else path)
        kept.update(dict.fromkeys((finding for finding in findings if finding not in kept), attempt))
        named.update(failure.certificate for failure in path.failures)
    distinct = {id(attempt): attempt for attempt in kept.values()}
    return [(place, replace(path, walks=path.walks + alike[at])) for at, (place, path) in distinct.items()]


def _is_alike(path: RejectedPath, kept: RejectedPath) -> bool:
    """Return True where a path is another candidate of the search, rejected for the one reason that was kept."""
    one_each = _count(path) == _count(kept) == 1
    return one_each and len(path.certificates) > 1 and path.certificates != kept.certificates


def _finding(path: RejectedPath, failure: Failure) -> _Finding:
    if failure.of_the_certificate_alone:
        return failure.certificate, failure.reason, None
    issuer = _issuer(path, failure)
    if failure.reason is FailureReason.BUDGET_EXHAUSTED:
        return failure.certificate, failure.reason, failure.detail
    return failure.certificate, failure.reason, issuer.node if issuer is not None else None
