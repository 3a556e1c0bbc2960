"""The completion of failed attempts: every fault of every certificate, in the order in which they have to be corrected.

The order is from the target upwards, as a renewed certificate may have another issuer, and with it other certificates
above. Of one certificate its own faults come first, then those of the link to its issuer: a signature that does not
verify, or an issuer that is missing. The faults of the path as a whole (name constraints, path lengths, policies) come
last, as they change with the certificates above, and after them a revocation status that is unknown. A limit
that ended the work comes before everything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason, MalformedCertificateError
from pkcs12kit.paths.budget import BudgetExhaustedError
from pkcs12kit.paths.issuers import may_have_signed
from pkcs12kit.paths.validation.faults import Faults, faults, faults_of_anchor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.budget import SearchBudget
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.revocation import RevocationChecker
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_OF_THE_LINK: Final = frozenset(
    {
        FailureReason.BAD_SIGNATURE,
        FailureReason.NAME_CHAINING,
        FailureReason.ISSUER_NOT_FOUND,
        FailureReason.NO_TRUST_ANCHOR,
    }
)
_OF_THE_PATH: Final = frozenset(
    {FailureReason.NAME_CONSTRAINTS, FailureReason.PATH_LENGTH, FailureReason.EXPLICIT_POLICY}
)
_UNPROVEN: Final = _OF_THE_LINK | {
    FailureReason.UNSUPPORTED_ALGORITHM,
    FailureReason.MALFORMED_CERTIFICATE,
    FailureReason.BUDGET_EXHAUSTED,
}
"""Faults with which a trust anchor does not vouch for the keys of a path, so that no CRL of a CA on it counts."""
_OF_REVOCATION: Final = frozenset({FailureReason.REVOKED, FailureReason.REVOCATION_UNKNOWN})


def in_order_of_correction(certificates: Sequence[Certificate], failures: Iterable[Failure]) -> tuple[Failure, ...]:
    """Return failures in the order in which they have to be corrected; ``certificates`` begin with the target."""
    positions = {certificate: position for position, certificate in enumerate(certificates)}

    def key(failure: Failure) -> tuple[bool, bool, int, int]:
        reason, position = failure.reason, positions.get(failure.certificate, len(certificates))
        of_link = int(reason in _OF_THE_LINK)
        if reason is FailureReason.REVOCATION_UNKNOWN:  # in the order of the check, which begins at the trust anchor
            return True, True, len(certificates) + 1, 0
        if reason is FailureReason.NO_TRUST_ANCHOR and position > 0 and failure.missing_issuer is None:
            of_link = -1  # with another trust anchor the other faults of this one do not matter
        return reason is not FailureReason.BUDGET_EXHAUSTED, reason in _OF_THE_PATH, position, of_link

    return tuple(sorted(failures, key=key))


def with_revocation(
    attempt: RejectedPath, checker: RevocationChecker, parameters: ValidationParameters
) -> RejectedPath:
    """Return an attempt with the faults of revocation as well, where every signature of it up to an anchor verifies."""
    anchor, reasons = attempt.trust_anchor, {failure.reason for failure in attempt.failures}
    if anchor is None or not attempt.lists_all_failures or reasons & (_UNPROVEN | _OF_REVOCATION):
        return attempt
    path = CertificationPath(certificates=attempt.certificates, trust_anchor=anchor)
    found = checker.check(path, parameters).failures
    if not found:
        return attempt
    failures = in_order_of_correction(attempt.certificates, (*attempt.failures, *found))
    return replace(attempt, failures=failures, would_be_valid=None)


class Completion:
    """The completion of the attempts of one search, in ``budget``."""

    def __init__(
        self,
        target: Certificate,
        trust_anchors: Iterable[TrustAnchor],
        parameters: ValidationParameters,
        budget: SearchBudget,
    ) -> None:
        self._target = target
        self._parameters = parameters
        self._budget = budget
        self._anchors: dict[Name, list[TrustAnchor]] = {}
        for anchor in trust_anchors:
            self._anchors.setdefault(anchor.name, []).append(anchor)

    def complete(self, attempt: RejectedPath) -> RejectedPath:
        """Return an attempt with all its failures, as far as the budget allows."""
        if attempt.lists_all_failures:
            return attempt
        try:
            self._budget.spend("explained_certificates", len(attempt.certificates))
            found = self._faults(attempt)
        except BudgetExhaustedError:
            return attempt
        failures = in_order_of_correction(attempt.certificates, _merged(attempt.failures, found.failures))
        return replace(attempt, failures=failures, lists_all_failures=found.complete)

    def _faults(self, attempt: RejectedPath) -> Faults:
        certificates, last = attempt.certificates, attempt.certificates[-1]
        is_alone = certificates[0] != self._target
        if is_alone and attempt.reason is FailureReason.NO_TRUST_ANCHOR:
            anchors = [anchor for anchor in self._anchors.get(last.subject, ()) if anchor.certificate == last]
            return faults_of_anchor(anchors[0], parameters=self._parameters, budget=self._budget)
        if _ends_at_root(attempt):
            try:
                root = TrustAnchor.from_certificate(last)
            except MalformedCertificateError:
                pass  # the failure is found below
            else:
                return self._below(certificates[:-1] or certificates, root, policies_from_above=True)
        issuer = None if is_alone else attempt.trust_anchor or self._anchor_of(attempt)
        return self._below(certificates, issuer, with_target=not is_alone)

    def _below(
        self,
        certificates: Sequence[Certificate],
        issuer: TrustAnchor | None,
        *,
        with_target: bool = True,
        policies_from_above: bool = False,
    ) -> Faults:
        return faults(
            certificates,
            issuer,
            parameters=self._parameters,
            budget=self._budget,
            with_target=with_target,
            policies_from_above=policies_from_above,
        )

    def _anchor_of(self, attempt: RejectedPath) -> TrustAnchor | None:
        """Return the anchor that the last certificate names as its issuer; None where that one is missing."""
        last = attempt.certificates[-1]
        if any(failure.missing_issuer is not None and failure.certificate == last for failure in attempt.failures):
            return None
        named = self._anchors.get(last.issuer, ())
        return next((one for one in named if may_have_signed(one, last, self._budget)), next(iter(named), None))


def _ends_at_root(attempt: RejectedPath) -> bool:
    """Return True where the attempt ends at a self-signed certificate that is not a trust anchor."""
    last = attempt.certificates[-1]
    return last.is_self_issued and any(
        failure.reason is FailureReason.NO_TRUST_ANCHOR
        and failure.certificate == last
        and failure.missing_issuer is None
        for failure in attempt.failures
    )


def _merged(known: Iterable[Failure], found: Sequence[Failure]) -> list[Failure]:
    """Return both, each fault once: as ``found``, unless only ``known`` says which issuer is missing."""
    known = tuple(known)
    missing = {(one.certificate, one.reason) for one in known if one.missing_issuer is not None}
    precise = [one for one in found if (one.certificate, one.reason) not in missing]
    again = {(one.certificate, one.reason) for one in precise}
    return [*(one for one in known if (one.certificate, one.reason) not in again), *precise]
