"""The answer no: why there is no path, and what to try next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.cli.output import hint, print_error, print_json, print_text
from pkcs12kit.display.harmless import harmless
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.confirmation import ConfirmationError
from pkcs12kit.paths.report import NoValidPathError

if TYPE_CHECKING:
    from pkcs12kit.errors import PathError
    from pkcs12kit.paths.report import PathReport

_NEXT_STEPS: Final = {
    FailureReason.ISSUER_NOT_FOUND: "give the missing certificate with --certs",
    FailureReason.NO_TRUST_ANCHOR: "give cross-certificates that lead from it to the trust anchor with --certs, or"
    " another --anchor, if that is what the clients trust",
    FailureReason.EXPIRED: "give renewed certificates with --certs; --at TIME asks about another time",
    FailureReason.NOT_YET_VALID: "--at TIME asks about another time",
    FailureReason.WEAK_ALGORITHM: "--algorithms allow-all accepts it, to look at old files",
    FailureReason.EXPLICIT_POLICY: "--policy takes policies of the trust anchor's domain; leave it out to accept any",
    FailureReason.SERVER_NAME: "give the name that the certificate is for with --server-name, or leave it out",
    FailureReason.REVOCATION_UNKNOWN: "give what is missing with --crl or --ocsp, or accept it with --revocation soft",
}
_RENEW_TARGET: Final = "have its CA issue a new one; --at TIME asks about another time"


def refuse(no: PathError, *, as_json: bool, sources_given: bool) -> None:
    """Say why nothing was built: to standard error, with JSON to standard output where it was asked for.

    The object has ``error``, a sentence; ``rejected``, as ``paths --json`` has it; and ``second_opinion`` where that
    is what said no.
    """
    if as_json:
        print_json(_to_json(no))
        print_error(no)
        return
    if isinstance(no, NoValidPathError):
        from pkcs12kit.display.text import rejected_paths

        target = no.report.target.subject
        print_text(rejected_paths(no.report), err=True)
        print_error(f"no valid path from {harmless(target.common_name or target)} to a trust anchor; nothing written")
        suggest(no.report, sources_given=sources_given)
    else:
        print_error(no)


def suggest(report: PathReport, *, sources_given: bool) -> None:
    """Say what to do next where a search found nothing."""
    if not sources_given:
        hint("no --certs given: give the CA certificates that you have, as files, folders or zips")
    elif report.rejected and report.rejected[0].reason in _NEXT_STEPS:
        closest = report.rejected[0]
        lapsed = closest.reason is FailureReason.EXPIRED and closest.certificate == report.target
        hint(_RENEW_TARGET if lapsed else _NEXT_STEPS[closest.reason])


def _to_json(no: PathError) -> dict[str, Any]:
    answer: dict[str, Any] = {"error": str(no), "rejected": []}
    if isinstance(no, NoValidPathError):
        answer["rejected"] = [path.to_json() for path in no.attempts]
    elif isinstance(no, ConfirmationError):
        answer["second_opinion"] = no.confirmation.to_json()
    return answer
