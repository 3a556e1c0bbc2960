"""The attempts that come closest to a valid path, where no path is valid.

They are paths that fail because of the time or because an issuer is not a CA, the ends of all ways up, and trust
anchors that nothing leads to.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from itertools import islice
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.budget import BudgetExhaustedError, SearchBudget
from pkcs12kit.paths.candidates import CandidateSearch
from pkcs12kit.paths.completion import Completion, in_order_of_correction
from pkcs12kit.paths.dead_ends import DeadEndSearch
from pkcs12kit.paths.failure import (
    SECTION_OF_TRUST_ANCHORS,
    Failure,
    issuer_failure,
    may_issue,
    validity_failure,
)
from pkcs12kit.paths.graph import CertificationGraph
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.look_alikes import LookAlikes
from pkcs12kit.paths.named_issuers import key_identifiers_differ
from pkcs12kit.paths.report import RejectedPath
from pkcs12kit.paths.validation.faults import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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


class Closeness(IntEnum):
    """The classes of attempts by how close they come to success, the closest first."""

    GIVEN_UP = 0
    """A limit ended the work: other attempts may be missing."""
    REACHES_AN_ANCHOR = 1
    """Every link except the rejected ones is signed, up to a trust anchor."""
    MISSING_ON_THE_WAY = 2
    """An issuer that was not supplied, where the way to it passes every untrusted root that was found."""
    UNTRUSTED_ROOT = 3
    """A self-signed certificate that is not a trust anchor."""
    UNUSED_ANCHOR = 4
    """A trust anchor that nothing leads to."""
    MISSING_ELSEWHERE = 5
    """An issuer that was not supplied, on a branch beside the way to an untrusted root."""
    ANOTHER_KEY = 6
    """A CA with the issuer's name did not sign the certificate, and another one with that name did."""
    ALONE = 7
    """A certificate that the search did not use as an issuer: expired, not yet valid, or not a CA's."""
    STOPPED = 8
    """A limit ended the explanation itself: there may be closer attempts than those that were found."""


class ClosestAttempts:
    """The attempts that come closest to a path from one target.

    ``refuted`` are links whose signature is known not to verify. Signature checks beyond those of the search itself are
    bounded by ``limits.explanation_signature_checks``.
    """

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
        budget = SearchBudget(replace(limits, signature_checks=checks))
        self._dead_ends = DeadEndSearch(
            target, pool, trust_anchors, usable=self._is_usable, refuted=refuted, budget=budget
        )
        left = max(0, checks - budget.spent("signature_checks"))
        self._near_paths_budget = SearchBudget(replace(limits, signature_checks=left))
        self.completion = Completion(target, trust_anchors, parameters, self._near_paths_budget)
        """The completion of attempts with what is left of the budget."""
        self.look_alikes = LookAlikes(pool, trust_anchors, self._near_paths_budget)
        """The explanation of missing issuers, with what is left after that."""
        self.stopped = self._dead_ends.stopped
        """The error that ended the explanation early; None where there is none so far."""

    def is_signed_by_another(self, certificate: Certificate) -> bool:
        """Return True where everything above the target was examined, and an issuer of the certificate was found."""
        return self._dead_ends.stopped is None and certificate not in self._dead_ends.orphans

    def find(self) -> Iterator[tuple[Closeness, RejectedPath]]:
        """Yield near paths, the ends of all ways up, and trust anchors that nothing leads to."""
        ends = self._dead_ends
        for near in self._near_paths():
            yield Closeness.REACHES_AN_ANCHOR, near
        roots = {root.certificate.node for root in ends.roots}
        for missing in ends.missing:
            on_the_way = roots.issubset(certificate.node for certificate in missing.certificates)
            yield Closeness.MISSING_ON_THE_WAY if on_the_way else Closeness.MISSING_ELSEWHERE, missing
        for root in ends.roots:
            yield Closeness.UNTRUSTED_ROOT, root
        if not (ends.missing or ends.roots or ends.reached or ends.stopped):
            yield Closeness.MISSING_ON_THE_WAY, self._cycles_only()
        if self._target.node in ends.reached:
            yield Closeness.REACHES_AN_ANCHOR, self._target_is_anchor()
        named = {end.certificate.issuer for end in (*ends.missing, *ends.roots)}
        for anchor in self._trust_anchors:
            is_unused = anchor.node not in ends.reached and anchor.name not in named
            if is_unused and (ends.stopped is None or not self._is_named(anchor)):
                yield Closeness.UNUSED_ANCHOR, self._unused(anchor)

    def stopped_early(self, stopped: BudgetExhaustedError, *, alone: bool) -> RejectedPath:
        """Return the attempt that reports the end of the explanation at a limit.

        ``alone`` is True where nothing else was found, by the search or the explanation.
        """
        which = "explanation_signature_checks" if stopped.limit == "signature_checks" else stopped.limit
        allowed: int = getattr(self._limits, which)
        until = f"given up after {allowed:,} {stopped.limit.replace('_', ' ')} (limits.{which})"
        detail = f"the explanation is incomplete: the search for the closest attempts was {until}"
        reason, section = FailureReason.BUDGET_EXHAUSTED, "pkcs12kit.limits"
        if alone:
            names = ", ".join(str(anchor.name) for anchor in self._trust_anchors)
            detail = f"no trust anchor given ({names}) was reached, and {detail}"
            reason, section = FailureReason.NO_TRUST_ANCHOR, "RFC 5280 section 6.1"
        return self._about_target(reason, section, detail)

    def _about_target(self, reason: FailureReason, section: str, detail: str) -> RejectedPath:
        failure = Failure(reason=reason, certificate=self._target, section=section, detail=detail)
        return RejectedPath(certificates=(self._target,), failures=(failure,))

    def _is_named(self, anchor: TrustAnchor) -> bool:
        """Return True where a certificate, the target included, names the anchor as its issuer."""
        issued = (certificate for certificate in self._pool if certificate.subject != anchor.name)
        return any(certificate.issuer == anchor.name for certificate in (self._target, *issued))

    def _is_usable(self, certificate: Certificate) -> bool:
        return may_issue(certificate, self._parameters.time)

    def _near_paths(self) -> Iterator[RejectedPath]:
        """Yield paths that reach an anchor only through certificates that the search does not use.

        These are the path to each anchor with the fewest of such certificates, five paths at the time nearest to the
        one asked for at which the target is valid, or where it is valid, of certificates that had begun to be valid,
        and the five paths that last longest of all.
        """
        budget, time = self._near_paths_budget, self._parameters.time
        nearest = min(max(time, self._target.not_before), self._target.not_after)
        try:
            then = self._closest(
                lambda one: one.not_before <= time if nearest == time else may_issue(one, nearest), budget
            )
            paths = (*self._dead_ends.reached.values(), *then, *self._closest(lambda _: True, budget))
            signed = [path for path in paths if _is_signed(path, budget)]
            for path in _distinct(signed or self._named(budget)):
                near = self._near_path(path, budget)
                if near is not None:
                    yield near
        except BudgetExhaustedError as exhausted:
            self.stopped = self.stopped or exhausted

    def _closest(self, usable: Callable[[Certificate], bool], budget: SearchBudget) -> list[CertificationPath]:
        """Return the paths through usable certificates that last longest."""
        search = CandidateSearch(self._graph(usable, budget), budget=budget)
        return list(islice(_signed(search, budget), _CLOSEST))

    def _graph(self, usable: Callable[[Certificate], bool], budget: SearchBudget) -> CertificationGraph:
        return CertificationGraph(
            self._target,
            self._pool,
            self._trust_anchors,
            usable=usable,
            budget=budget,
            anchors_expire=self._parameters.check_trust_anchor_validity,
        )

    def _named(self, budget: SearchBudget) -> list[CertificationPath]:
        """Return the paths by names and key identifiers in which some certificates are not signed by the next.

        Left out are links of a certificate that another issuer with the name did sign.
        """
        search = CandidateSearch(self._graph(lambda _: True, budget), budget=budget)
        found: list[CertificationPath] = []
        for path in search:
            for certificate, issuer in zip(path.certificates, path.issuers, strict=True):
                is_signed = may_have_signed(issuer, certificate, budget)
                if not is_signed and (
                    key_identifiers_differ(certificate, issuer) or self._has_signer(certificate, budget)
                ):
                    search.exclude_link(certificate, issuer.node)
                    break
            else:
                found.append(path)
            if len(found) == _CLOSEST:
                break
        return found

    def _has_signer(self, certificate: Certificate, budget: SearchBudget) -> bool:
        """Return True where a certificate or an anchor that was given has the key that signed this one."""
        name = certificate.issuer
        issuers = {issuer.node: issuer for issuer in self._pool.by_subject(name)}
        anchors = (anchor for anchor in self._trust_anchors if anchor.name == name)
        return any(may_have_signed(issuer, certificate, budget) for issuer in issuers.values()) or any(
            may_have_signed(anchor, certificate, budget) for anchor in anchors
        )

    def _near_path(self, path: CertificationPath, budget: SearchBudget) -> RejectedPath | None:
        """Return a path with its failures; None where neither a time nor a missing cA is among them."""
        checked = _checked(path, self._parameters)
        if not any(checked):
            return None
        budget.start_validation()
        found = faults(path.certificates, path.trust_anchor, parameters=self._parameters, budget=budget)
        only_time = found.complete and all(failure.of_the_time for failure in found.failures)
        return RejectedPath(
            certificates=path.certificates,
            failures=in_order_of_correction(path.certificates, found.failures),
            would_be_valid=_window(path.with_anchor[: len(checked)]) if only_time else None,
            clock_looks_wrong=_clock_looks_wrong(checked),
            trust_anchor=path.trust_anchor,
            lists_all_failures=found.complete,
        )

    def _cycles_only(self) -> RejectedPath:
        """Return the attempt for a target whose issuers only certify one another."""
        names = ", ".join(str(anchor.name) for anchor in self._trust_anchors)
        detail = f"its issuers certify one another, and no trust anchor given ({names}) certifies any of them"
        return self._about_target(FailureReason.NO_TRUST_ANCHOR, "RFC 4158 section 2.4.2", detail)

    def _target_is_anchor(self) -> RejectedPath:
        """Return the attempt for a target with the name and key of an anchor that was given as another certificate."""
        detail = (
            "has the name and the key of a trust anchor that was given as another certificate; a path holds each name"
            " and key once"
        )
        return self._about_target(FailureReason.NO_TRUST_ANCHOR, "RFC 4158 section 2.4.2", detail)

    def _unused(self, anchor: TrustAnchor) -> RejectedPath:
        """Return the attempt for an anchor that nothing leads to, with the certificates of its name in the pool."""
        namesakes = self._pool.by_subject(anchor.name)
        keys = {certificate.subject_public_key_info for certificate in namesakes}
        issued = sum(certificate.issuer == anchor.name != certificate.subject for certificate in self._pool)
        subject = self._target if anchor.certificate is None else anchor.certificate
        detail = "is a trust anchor that nothing leads to: "
        if anchor.certificate is None:
            detail = f"does not lead to the trust anchor {anchor.name}: "
        if issued == 1:
            detail += "one certificate names it as the issuer, and is not on the way up from the target"
        elif issued:
            detail += f"{issued} certificates name it as the issuer, none of them on the way up from the target"
        else:
            detail += "no certificate given names it as the issuer"
        if keys - {anchor.subject_public_key_info}:
            detail += "; certificates with its name and another key were given"
        failure = Failure(
            reason=FailureReason.NO_TRUST_ANCHOR,
            certificate=subject,
            section="RFC 5280 section 6.1.1 (d)",
            detail=detail,
        )
        return RejectedPath(certificates=(subject,), failures=(failure,))


def _distinct(paths: Iterable[CertificationPath]) -> Iterable[CertificationPath]:
    return {(path.certificates, path.trust_anchor.node): path for path in paths}.values()


def valid_at_another_time(path: CertificationPath, parameters: ValidationParameters) -> RejectedPath:
    """Return a path that is valid at another time than that of the parameters as an attempt that fails for the time."""
    checked = _checked(path, parameters)
    failures = [failure for failure in checked if failure is not None]
    return RejectedPath(
        certificates=path.certificates,
        failures=in_order_of_correction(path.certificates, failures),
        would_be_valid=_window(path.with_anchor[: len(checked)]),
        clock_looks_wrong=_clock_looks_wrong(checked),
        trust_anchor=path.trust_anchor,
        lists_all_failures=True,
    )


def _checked(path: CertificationPath, parameters: ValidationParameters) -> list[Failure | None]:
    """Return for each certificate whose validity counts why it cannot be used at the time; None where it can."""
    time, (target, *issuers) = parameters.time, path.certificates
    checked = [validity_failure(target, time), *(issuer_failure(issuer, time) for issuer in issuers)]
    if parameters.check_trust_anchor_validity and len(path.with_anchor) > len(path.certificates):
        checked.append(validity_failure(path.with_anchor[-1], time, SECTION_OF_TRUST_ANCHORS))
    return checked


def _window(certificates: tuple[Certificate, ...]) -> tuple[datetime, datetime] | None:
    """Return the first and the last time at which all certificates are valid; None where there is none."""
    begin = max(certificate.not_before for certificate in certificates)
    end = min(certificate.not_after for certificate in certificates)
    return (begin, end) if begin <= end else None


def _clock_looks_wrong(checked: list[Failure | None]) -> bool:
    """Return True where the target, the first, is not yet valid, or where all of several certificates are expired."""
    reasons = [failure.reason if failure is not None else None for failure in checked]
    if reasons[0] is FailureReason.NOT_YET_VALID:
        return True
    return len(reasons) > 1 and reasons == [FailureReason.EXPIRED] * len(reasons)


def _signed(search: CandidateSearch[Name], budget: SearchBudget) -> Iterator[CertificationPath]:
    """Yield the candidates in which each certificate is signed by the next."""
    for path in search:
        for certificate, issuer in zip(path.certificates, path.issuers, strict=True):
            if not may_have_signed(issuer, certificate, budget):
                search.exclude_link(certificate, issuer.node)
                break
        else:
            yield path


def _is_signed(path: CertificationPath, budget: SearchBudget) -> bool:
    links = zip(path.certificates, path.issuers, strict=True)
    return all(may_have_signed(issuer, certificate, budget) for certificate, issuer in links)
