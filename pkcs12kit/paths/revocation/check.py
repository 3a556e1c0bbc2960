"""The entry point of the revocation check. The check itself is imported on first use: most searches do not need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation.model import RevocationMode, RevocationReport
from pkcs12kit.paths.validation.algorithms import DEFAULT, AlgorithmPolicy
from pkcs12kit.paths.validation.parameters import ValidationParameters
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.pool import CertificatePool
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.revocation.evidence import RevocationEvidence
    from pkcs12kit.paths.revocation.model import Revocation


def check_revocation(
    path: CertificationPath,
    *,
    time: datetime,
    revocation: Revocation,
    pool: CertificatePool | None = None,
    algorithm_policy: AlgorithmPolicy = DEFAULT,
    limits: Limits = DEFAULT_LIMITS,
) -> RevocationReport:
    """Return the revocation status of each certificate of a *validated* path at ``time`` (timezone-aware).

    - The path itself is assumed to be valid, and is not validated again. The trust anchor has no status.
    - An OCSP response counts where the working key of the path verifies it, or the key of a delegate that the same key
      certified for OCSP signing (RFC 6960 section 4.2.2.2). A CRL counts where the key of a certificate verifies it
      that is on the path, or that is found in ``pool`` and has a valid path to the same trust anchor, with cRLSign.
    - The certificates of CRL issuers and responders beside the path are validated, and must be known to be good.
    - Data from after ``time``, data past its nextUpdate and signatures that ``algorithm_policy`` rejects do not count.
    - Certificates below a revoked one are not checked, and so unknown.

    Raises :class:`~pkcs12kit.errors.InputError` for bytes that are not a CRL or not an OCSP response, and
    :class:`~pkcs12kit.errors.LimitExceededError` for more than ``limits`` allow.
    """
    checker = RevocationChecker(revocation, pool=pool, limits=limits)
    return checker.check(path, ValidationParameters(time=time, algorithm_policy=algorithm_policy))


class RevocationChecker:
    """A check of many paths by the same CRLs and OCSP responses, which are parsed once, when first needed."""

    def __init__(
        self, revocation: Revocation, *, pool: CertificatePool | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._revocation = revocation
        self._pool = pool
        self._limits = limits
        self._evidence: RevocationEvidence | None = None

    def check(self, path: CertificationPath, parameters: ValidationParameters) -> RevocationReport:
        """Return the report on one path, as :func:`check_revocation` does, by the time and policy of ``parameters``."""
        require_aware(parameters.time)
        if self._revocation.mode is RevocationMode.OFF:
            return RevocationReport(mode=RevocationMode.OFF)
        from pkcs12kit.paths.revocation.evidence import RevocationEvidence
        from pkcs12kit.paths.revocation.path_check import PathCheck

        if self._evidence is None:
            self._evidence = RevocationEvidence(self._revocation, pool=self._pool, limits=self._limits)
        statuses = PathCheck(path, self._evidence, parameters, self._limits).run()
        return RevocationReport(mode=self._revocation.mode, statuses=statuses)
