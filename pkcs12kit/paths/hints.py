"""Hints for a search without a valid path: values that say what to do next, for reports, errors and terminals.

They come in the order in which to try them. They name the options of the command; in Python ``--certs`` is
``certificates=``, ``--anchor`` is ``trust_anchors=``, ``--at`` is ``time=``, and the others have their own names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pkcs12kit.errors import FailureReason
from pkcs12kit.hints import Hint
from pkcs12kit.paths.calls import Call
from pkcs12kit.paths.cures import OF_REVOKED, OR_FETCH, cure, for_revoked, for_unknown_status
from pkcs12kit.paths.failure import SECTION_OF_OWN_KEY, SECTION_OF_TRUST_ANCHORS
from pkcs12kit.paths.rule_hints import hints_for_rule
from pkcs12kit.paths.validation.extensions import KEYS_THAT_SIGN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.paths.cures import Attempt
    from pkcs12kit.paths.failure import Failure


class Search(Protocol):
    """A :class:`~pkcs12kit.PathReport`, as far as hints need it; its module imports this one."""

    @property
    def target(self) -> Certificate:
        """The certificate that the paths begin with."""

    @property
    def rejected(self) -> tuple[Attempt, ...]:
        """The attempts that failed, the most useful first."""

    @property
    def time(self) -> datetime | None:
        """The time of the search."""

    @property
    def trust_anchors(self) -> tuple[TrustAnchor, ...]:
        """The trust anchors of the search."""


def in_hints(*texts: str) -> tuple[Hint, ...]:
    """Return a hint for each text, without commands."""
    return tuple(Hint(text=text) for text in texts)


FETCH: Final = Hint(text=OR_FETCH)
GATHER: Final = Hint(text="or fetch what is missing", command="pkcs12kit gather CERT --anchor FILE --into FOLDER")
_AT: Final = "--at TIME checks another time, and its answer is for that time only"
RIGHT_TIME: Final = Hint(text=f"is this time right? It comes from this computer's clock; {_AT}")
"""For an answer that a wrong clock would explain."""
RIGHT_AT: Final = Hint(text="is the time of --at right? Without --at, the answer is for now")
"""The same where the time was given."""

_RENEW_TARGET: Final = Hint(text=f"renew the certificate: ask its CA for a new one; {_AT}")
RENEW_ISSUER: Final = Hint(text=f"build the file again with renewed certificates in --certs; {_AT}")
_NO_SOURCES: Final = Hint(text="no --certs given: give the CA certificates that you have, as files, folders or zips")
_BY_REASON: Final = {
    FailureReason.ISSUER_NOT_FOUND: "give the missing certificate with --certs",
    FailureReason.BAD_SIGNATURE: "if the CA was rekeyed, give the certificate of its right key with --certs",
    FailureReason.NO_TRUST_ANCHOR: "give cross-certificates that lead to the trust anchor with --certs, or give another"
    " --anchor if the clients trust that one",
    FailureReason.EXPIRED: f"give renewed certificates with --certs; {_AT}",
    FailureReason.NOT_YET_VALID: _AT,
    FailureReason.WEAK_ALGORITHM: "--algorithms allow-all accepts it; use that only to look at old files",
    FailureReason.SERVER_NAME: "give a name that the certificate is for with --server-name, or leave it out",
    FailureReason.EXTENDED_KEY_USAGE: "ask the CA for a certificate for TLS servers, or leave --server-name out",
    FailureReason.NAME_CONSTRAINTS: "ask a CA that may issue for this name, or give certificates for another path with"
    " --certs",
    FailureReason.REVOKED: OF_REVOKED,
    FailureReason.BUDGET_EXHAUSTED: "give fewer certificates with --certs: only those between the certificate and the"
    " trust anchor are needed",
    FailureReason.REVOCATION_UNKNOWN: "give the missing CRLs or OCSP responses with --crl or --ocsp, or accept the"
    " unknown status with --revocation soft",
}


def hints_for_no_path(
    report: Search, *, sources_given: bool = True, fetching: Hint | None = None, may_fetch: bool = True
) -> tuple[Hint, ...]:
    """Return the hints for a search that found no valid path.

    ``fetching``, :data:`FETCH` or :data:`GATHER`, is what the command offers: :data:`FETCH` is added where revocation
    data can be fetched. The hints end with the cure (:mod:`~pkcs12kit.paths.cures`), unless ``may_fetch`` is False.
    """
    closest = report.rejected[0] if report.rejected else None
    cures = cures_for(report) if may_fetch else ()
    hints = () if closest is None else _for_closest(closest, report.target)
    if closest is not None and closest.reason is FailureReason.REVOCATION_UNKNOWN:
        return (*for_unknown_status(closest.failures, fetch_option=fetching is FETCH), *cures)
    failures = () if closest is None else closest.failures
    reasons = {failure.reason for failure in failures}
    if not sources_given and (closest is None or FailureReason.ISSUER_NOT_FOUND in reasons):
        others = [failure for failure in failures if failure.reason is not FailureReason.ISSUER_NOT_FOUND]
        hints = (*_for_each(others, report.target), _NO_SOURCES)
    elif not sources_given and FailureReason.NO_TRUST_ANCHOR in reasons:
        hints = (_NO_SOURCES, *hints)
    return (*hints, *cures)


def cures_for(report: Search) -> tuple[Hint, ...]:
    """Return the cure for the closest attempt of a search: where to get the certificates that are missing."""
    return hints_for_cure(report.rejected, (), report.time, trust_anchors=report.trust_anchors)


def right_time() -> Hint:
    """Return the question for a time that looks wrong: about ``--at`` where the current call has it."""
    return RIGHT_TIME if Call.current().time is None else RIGHT_AT


def _for_closest(closest: Attempt, target: Certificate) -> tuple[Hint, ...]:
    if closest.clock_looks_wrong:
        renew = () if closest.reason is FailureReason.NOT_YET_VALID else (_RENEW_TARGET,)
        return (right_time(), *renew)
    return _for_each(closest.failures, target)


def _for_each(failures: Iterable[Failure], target: Certificate) -> tuple[Hint, ...]:
    """Return the hints for failures in their order, each hint once.

    With a certificate that is renewed come the certificates of its issuers, so one hint about the expiry is enough.
    """
    hints = dict.fromkeys(hint for failure in failures for hint in _for_failure(failure, target))
    if _RENEW_TARGET in hints:
        hints.pop(Hint(text=_BY_REASON[FailureReason.EXPIRED]), None)
    return tuple(hints)


def _for_failure(failure: Failure, target: Certificate) -> tuple[Hint, ...]:
    if failure.section == SECTION_OF_TRUST_ANCHORS:
        return in_hints(f"--ignore-anchor-validity accepts it, if the clients do; {_AT}")
    if failure.reason is FailureReason.EXPIRED and failure.certificate == target:
        return (_RENEW_TARGET,)
    if failure.reason is FailureReason.UNSUPPORTED_ALGORITHM and failure.section == SECTION_OF_OWN_KEY:
        return in_hints(f"ask the CA for a certificate for a key of {KEYS_THAT_SIGN}")
    revoked = failure.reason is FailureReason.REVOKED
    specific = for_revoked(failure) if revoked else hints_for_rule(failure, target)
    if specific:
        return specific
    text = _BY_REASON.get(failure.reason, "give certificates for another path to the trust anchor with --certs")
    return in_hints(text)


def hints_about_time(rejected: Sequence[Attempt]) -> tuple[Hint, ...]:
    """Return the hints for a path that has to be corrected first for its time; none where another thing comes first."""
    if not rejected:
        return ()
    closest = rejected[0]
    if closest.clock_looks_wrong:
        return (right_time(),)
    if closest.reason is FailureReason.NOT_YET_VALID:
        return in_hints(_BY_REASON[closest.reason])
    if closest.reason is not FailureReason.EXPIRED:
        return ()
    return (_RENEW_TARGET,) if closest.certificate == closest.certificates[0] else (RENEW_ISSUER,)


def fails_only_for_time(rejected: Sequence[Attempt]) -> bool:
    """Return True where the closest attempt has no other fault, or the time itself looks wrong."""
    return rejected[0].clock_looks_wrong or all(failure.of_the_time for failure in rejected[0].failures)


def hints_for_cure(
    rejected: Sequence[Attempt],
    certificates: Iterable[Certificate],
    time: datetime | None,
    *,
    trust_anchors: Iterable[TrustAnchor] = (),
    call: Call | None = None,
) -> tuple[Hint, ...]:
    """Return the cure for the closest of the failed paths; ``certificates`` are in the file or the served chain."""
    if not rejected:
        return ()
    steps = cure(rejected[0], trust_anchors=trust_anchors, others=certificates, time=time, call=call)
    return tuple(Hint(text=step.text, command=step.command) for step in steps)
