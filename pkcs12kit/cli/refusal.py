"""The answer no: why there is no path, and what to try next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.cli.fetching import advice
from pkcs12kit.cli.output import RIGHT_TIME, hint, print_error, print_json, print_text
from pkcs12kit.display.harmless import harmless
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.confirmation import ConfirmationError
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.validity import SECTION_OF_TRUST_ANCHORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.errors import PathError
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.retrieval.retrieved import Retrieval

_NEXT_STEPS: Final = {
    FailureReason.ISSUER_NOT_FOUND: "give the missing certificate with --certs",
    FailureReason.BAD_SIGNATURE: "give the certificate of the issuer's right key with --certs, if the CA was rekeyed",
    FailureReason.NO_TRUST_ANCHOR: "give cross-certificates that lead from it to the trust anchor with --certs, or"
    " another --anchor, if that is what the clients trust",
    FailureReason.EXPIRED: "give renewed certificates with --certs; --at TIME asks about another time",
    FailureReason.NOT_YET_VALID: "--at TIME asks about another time",
    FailureReason.WEAK_ALGORITHM: "--algorithms allow-all accepts it, to look at old files",
    FailureReason.EXPLICIT_POLICY: "--policy takes policies of the trust anchor's domain; leave it out to accept any",
    FailureReason.SERVER_NAME: "give the name that the certificate is for with --server-name, or leave it out",
    FailureReason.EXTENDED_KEY_USAGE: "have its CA issue a certificate for TLS servers, or leave --server-name out",
    FailureReason.NAME_CONSTRAINTS: "have a CA issue it that may issue for this name, or give another way with --certs",
    FailureReason.REVOKED: "have its CA issue a new certificate, or give another way to the trust anchor with --certs",
    FailureReason.BUDGET_EXHAUSTED: "give fewer certificates with --certs: those on the way to the anchor suffice",
    FailureReason.REVOCATION_UNKNOWN: "give what is missing with --crl or --ocsp, or accept it with --revocation soft",
}
_FOR_WANT_OF_CERTIFICATES: Final = frozenset({FailureReason.ISSUER_NOT_FOUND, FailureReason.NO_TRUST_ANCHOR})
_ANOTHER_WAY: Final = (
    "give certificates for another way to the trust anchor with --certs; pkcs12kit paths CERT --all shows each attempt"
)
FETCH: Final = "--fetch"
GATHER: Final = "pkcs12kit gather CERT --into FOLDER"
_IGNORE_ANCHOR: Final = "--ignore-anchor-validity accepts it, if the clients do; --at TIME asks about another time"
_RENEW_TARGET: Final = "renew the certificate: have its CA issue a new one; --at TIME asks about another time"

_URLS_SHOWN: Final = 3
_URL_SHOWN: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_RENEW_ISSUER: Final = "build the file anew with renewed certificates in --certs; --at TIME asks about another time"


def refuse(no: PathError, *, as_json: bool, sources_given: bool, retrievals: Sequence[Retrieval] | None) -> None:
    """Say why nothing was built: to standard error, with JSON to standard output where it was asked for.

    The object has ``error``, a sentence; ``rejected``, as ``paths --json`` has it; ``second_opinion`` where that
    is what said no; and ``retrievals`` unless these are None: nothing was to be fetched.
    """
    if as_json:
        fetched = {} if retrievals is None else {"retrievals": [retrieval.to_json() for retrieval in retrievals]}
        print_json(_to_json(no) | fetched)
        print_error(no)
        return
    if isinstance(no, NoValidPathError):
        from pkcs12kit.display.paths import rejected_paths

        target = no.report.target.subject
        print_text(rejected_paths(no.report), err=True)
        print_error(f"no valid path from {harmless(target.common_name or target)} to a trust anchor; nothing written")
        option = None if retrievals is None else advice(retrievals)
        if option is not None:
            hint(option)
        elif retrievals is not None:
            suggest(no.report, sources_given=True)
        else:
            suggest(no.report, sources_given=sources_given, fetching=FETCH)
    else:
        print_error(no)


def suggest(report: PathReport, *, sources_given: bool, fetching: str | None = None) -> None:
    """Say what to do next where a search found nothing; ``fetching``, FETCH or GATHER, is what might still fetch it."""
    closest = report.rejected[0] if report.rejected else None
    step = _next_step(closest, report.target) if closest is not None else None
    missing = "it"
    if not sources_given and (closest is None or closest.reason in _FOR_WANT_OF_CERTIFICATES):
        step = "no --certs given: give the CA certificates that you have, as files, folders or zips"
        missing = "what is missing"
    if step is not None:
        can_fetch = fetching is not None and closest is not None and _can_be_fetched(closest, fetching)
        hint(f"{step}; or fetch {missing}: {fetching}" if can_fetch else step)


def about_time(rejected: Sequence[RejectedPath]) -> str | None:
    """Say what helps with a file whose path fails for its time; None where that is not what is wrong."""
    if not rejected:
        return None
    closest = rejected[0]
    if closest.clock_looks_wrong:
        return RIGHT_TIME
    if closest.reason is FailureReason.NOT_YET_VALID:
        return _NEXT_STEPS[closest.reason]
    if closest.reason is not FailureReason.EXPIRED:
        return None
    return _RENEW_TARGET if closest.certificate == closest.certificates[0] else _RENEW_ISSUER


def _can_be_fetched(closest: RejectedPath, fetching: str) -> bool:
    """Whether what is missing may be had over HTTP, as the certificate says."""
    if closest.reason is FailureReason.REVOCATION_UNKNOWN and fetching == FETCH:
        extensions = closest.certificate.extensions
        urls = (*extensions.ocsp_responders, *extensions.crl_locations)
    else:
        missing = closest.failures[0].missing_issuer
        urls = () if missing is None else missing.locations
    return any(url.lower().startswith(("http://", "https://")) for url in urls)


def _next_step(closest: RejectedPath, target: Certificate) -> str:
    if closest.clock_looks_wrong:
        return RIGHT_TIME if closest.reason is FailureReason.NOT_YET_VALID else f"{RIGHT_TIME}. Else {_RENEW_TARGET}"
    if closest.section == SECTION_OF_TRUST_ANCHORS:
        return _IGNORE_ANCHOR
    if closest.reason is FailureReason.EXPIRED and closest.certificate == target:
        return _RENEW_TARGET
    if closest.reason is FailureReason.REVOCATION_UNKNOWN:
        return _NEXT_STEPS[closest.reason].replace("--ocsp", f"--ocsp{_where_to_ask(closest.certificate)}")
    return _NEXT_STEPS.get(closest.reason, _ANOTHER_WAY)


def _where_to_ask(certificate: Certificate) -> str:
    """Return where a certificate says that its revocation status can be had, in brackets; empty where it says nothing.

    What is too long to read, or has a character that no URL has, is left out: it might read like another hint.
    """
    extensions = certificate.extensions
    urls = (*extensions.crl_locations, *extensions.delta_crl_locations, *extensions.ocsp_responders)
    named = [url for url in dict.fromkeys(urls) if _URL_SHOWN.fullmatch(url)][:_URLS_SHOWN]
    return f" (the certificate names {', '.join(named)})" if named else ""


def _to_json(no: PathError) -> dict[str, Any]:
    answer: dict[str, Any] = {"error": str(no), "rejected": []}
    if isinstance(no, NoValidPathError):
        answer["rejected"] = [path.to_json() for path in no.attempts]
    elif isinstance(no, ConfirmationError):
        answer["second_opinion"] = no.confirmation.to_json()
    return answer
