"""Revoked certificates on attempts that fail for another reason, where the data that was given tells.

The search checks revocation on paths that are valid otherwise. Here the certificates of a failed attempt are judged by
the issuers on it: each part of it that is linked by signatures, below the trust anchor or its topmost certificate.
Only that a certificate is revoked is reported; an unknown status may be known once the other faults are corrected.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import FailureReason, InputError, LimitExceededError, MalformedCertificateError
from pkcs12kit.paths.completion import in_order_of_correction
from pkcs12kit.paths.revocation.model import RevocationStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import RejectedPath
    from pkcs12kit.paths.revocation import RevocationChecker
    from pkcs12kit.paths.validation.parameters import ValidationParameters

_LINK_FAULTS = frozenset(
    {
        FailureReason.BAD_SIGNATURE,
        FailureReason.NAME_CHAINING,
        FailureReason.UNSUPPORTED_ALGORITHM,
        FailureReason.ISSUER_NOT_FOUND,
        FailureReason.NO_TRUST_ANCHOR,
    }
)
"""The faults of a certificate whose issuer is not known to be the next one."""
_ISSUER_FAULTS = frozenset(
    {FailureReason.NOT_A_CA, FailureReason.MALFORMED_CERTIFICATE, FailureReason.WEAK_ALGORITHM, FailureReason.KEY_USAGE}
)
"""The faults of an issuer whose word on what it issued is not taken."""
_OF_REVOCATION = frozenset({FailureReason.REVOKED, FailureReason.REVOCATION_UNKNOWN, FailureReason.BUDGET_EXHAUSTED})


class RevokedCertificates:
    """The check of the first attempts of one search, ``limits.explained_revocations`` of them."""

    def __init__(self, checker: RevocationChecker, parameters: ValidationParameters, limits: Limits) -> None:
        self._checker = checker
        self._parameters = parameters
        self._left = limits.explained_revocations
        self._limits = replace(
            limits, signature_checks=min(limits.signature_checks, limits.explanation_signature_checks)
        )

    def add_to(self, attempt: RejectedPath) -> RejectedPath:
        """Return an attempt with its revoked certificates among the failures.

        One that was checked for revocation already, or that is not about the target, comes back as it is.
        """
        if not attempt.lists_all_failures or any(one.reason in _OF_REVOCATION for one in attempt.failures):
            return attempt
        found: list[Failure] = []
        for path in _parts(attempt):
            if self._left <= 0:
                break
            self._left -= 1
            found += self._revoked(path)
        if not found:
            return attempt
        failures = in_order_of_correction(attempt.certificates, (*attempt.failures, *found))
        return replace(attempt, failures=failures, would_be_valid=None)

    def _revoked(self, path: CertificationPath) -> Iterator[Failure]:
        try:
            report = self._checker.check(path, self._parameters, limits=self._limits)
        except (InputError, LimitExceededError):
            return
        for status in report.statuses:
            if status.status is RevocationStatus.REVOKED:
                yield status.as_failure()


def _parts(attempt: RejectedPath) -> Iterator[CertificationPath]:
    """Yield the parts of an attempt in which each certificate has the issuer above it, from the top down."""
    certificates, anchor = attempt.certificates, attempt.trust_anchor
    unlinked = {one.certificate for one in attempt.failures if one.reason in _LINK_FAULTS}
    untold = {one.certificate for one in attempt.failures if one.reason in _ISSUER_FAULTS}
    part: list[Certificate] = []
    for position in range(len(certificates) - 1, -1, -1):
        certificate = certificates[position]
        above = certificates[position + 1] if position + 1 < len(certificates) else None
        if certificate in unlinked or above in untold or (above is None and anchor is None):
            yield from _path(part, anchor)
            part = []
        else:
            part.insert(0, certificate)
            continue
        try:
            anchor = TrustAnchor.from_certificate(certificate)
        except MalformedCertificateError:
            return
    yield from _path(part, anchor)


def _path(part: list[Certificate], anchor: TrustAnchor | None) -> Iterator[CertificationPath]:
    if part and anchor is not None:
        yield CertificationPath(certificates=tuple(part), trust_anchor=anchor)
