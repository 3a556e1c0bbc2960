"""Hints about evidence that does not settle the status of a certificate: which file to replace, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import FailureReason
from pkcs12kit.hints import Hint
from pkcs12kit.paths.revocation.faults import EvidenceFault
from pkcs12kit.text import harmless, shortened
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.revocation.attempts import EvidenceAttempt

ACCEPT_UNKNOWN: Final = "or accept the unknown status with --revocation soft"
"""The last resort for an unknown status; it never helps a revoked certificate."""
_HOLD: Final = "certificateHold"
_HINTS: Final = 4
_NAMED: Final = 3
_AGAIN: Final = "get it again, where it is published"
_ASK_CA: Final = "ask the CA"
_RESPONDER: Final = "it does not count; ask the responder that the certificate names, or give a CRL"
_OF_DELTA: Final = "give the newest delta CRL and the newest full CRL together"
_BY_FAULT: Final = {
    EvidenceFault.OUT_OF_DATE: "{what} {is_} too old since {since}: get the newest issue{where}, and give that instead",
    EvidenceFault.TOO_OLD: "{what} {has} no nextUpdate and {is_} older than allowed: get the newest issue{where}, or"
    " allow its age with --revocation-max-age",
    EvidenceFault.NO_NEXT_UPDATE: "{what} {has} no nextUpdate, and --revocation-max-age 0d allows no such data: allow"
    " an age",
    EvidenceFault.ISSUED_LATER: "{what} {was} issued at {issued}, after the time asked for: is that time right? If so,"
    " give an earlier issue",
    EvidenceFault.MALFORMED: f"{{what}} cannot be used as {{it_is}}: {_AGAIN}, or use other evidence",
    EvidenceFault.UNKNOWN_CRITICAL_EXTENSION: "{what} may mean something else than it says: ask the CA for one without"
    " that extension, or use other evidence",
    EvidenceFault.MISPLACED_REMOVAL: f"{{what}} contradicts itself: {_ASK_CA}, or use an OCSP response",
    EvidenceFault.OTHER_ISSUER_KEY: "{what} {is_} about another certificate: ask the responder about this one",
    EvidenceFault.OTHER_SERIAL_NUMBER: "{what} {is_} about another certificate: ask the responder about this one",
    EvidenceFault.UNKNOWN_HASH: "{what} cannot be matched with the certificate: ask the responder with SHA-1 or"
    " SHA-256 in the request",
    EvidenceFault.OTHER_CERTIFICATES: "{what} {covers} other certificates of this CA: give the CRL for this one{where}",
    EvidenceFault.OTHER_DISTRIBUTION_POINT: "{what} {is_} another part of this CA's CRLs: give the one from the"
    " distribution point of the certificate{where}",
    EvidenceFault.OTHER_REASONS: "{what} {covers} other reasons: give the CRLs of all distribution points{where}",
    EvidenceFault.ONLY_SOME_REASONS: "{what} {covers} some reasons only: give the CRLs of all distribution"
    " points{where}",
    EvidenceFault.NOT_INDIRECT: "give an indirect CRL of the CRL issuer that the certificate names{where}",
    EvidenceFault.ONLY_REVOKES: "{what} can only revoke it: give the CRL of the CRL issuer that the certificate names,"
    " and the certificate of that issuer with --certs",
    EvidenceFault.FULL_CRL_MISSING: "{what} lists changes only: give the full CRL as well{where}",
    EvidenceFault.DELTA_CRL_MISSING: f"{{what}} may be changed by a delta CRL: {_OF_DELTA}{{where_delta}}",
    EvidenceFault.DELTA_DOES_NOT_FIT: f"{{what}} changes another CRL: {_OF_DELTA}{{where_delta}}",
    EvidenceFault.BAD_SIGNATURE: "{what} {is_} damaged or forged, or signed with a key that is not at hand: get it"
    " again{where}, or give the certificate of that key with --certs",
    EvidenceFault.OTHER_KEY: "{what} {is_} signed with another key of the CA, or of a namesake: give the CRL that the"
    " key of today signed{where}, or the certificate of the other key with --certs",
    EvidenceFault.UNSUPPORTED_ALGORITHM: f"{{what}} {{is_}} signed with an algorithm that is not supported: {_ASK_CA}"
    " for other evidence",
    EvidenceFault.WEAK_ALGORITHM: f"{{what}} {{is_}} signed with an algorithm or key that is too weak: {_ASK_CA} for"
    " other evidence; --algorithms allow-all accepts it, for old files only",
    EvidenceFault.SIGNER_LACKS_CRL_SIGN: f"{{what}} {{is_}} signed by a certificate that may not sign CRLs: {_ASK_CA},"
    " or use an OCSP response",
    EvidenceFault.SIGNER_NOT_TRUSTED: "give the certificates from the signer of {what} up to the trust anchor with"
    " --certs",
    EvidenceFault.SIGNER_NOT_GOOD: "give a CRL or OCSP response about the signer of {what} as well",
    EvidenceFault.SIGNER_DEPENDS_ON_IT: "give a CRL or OCSP response about the signer of {what} by somebody else",
    EvidenceFault.RESPONDER_NOT_FOUND: "give the certificate of the responder that signed {what} with --certs",
    EvidenceFault.RESPONDER_MISNAMED: f"{{what}} contradicts itself: {_AGAIN}, or give a CRL",
    EvidenceFault.RESPONDER_LACKS_OCSP_SIGNING: "the CA did not authorise the responder that signed {what}:"
    f" {_RESPONDER}",
    EvidenceFault.RESPONDER_KEY_USAGE: f"the certificate of the responder of {{what}} may not sign: {_RESPONDER}",
    EvidenceFault.RESPONDER_OF_ANOTHER_ISSUER: f"the responder of {{what}} is not one of this issuer: {_RESPONDER}",
    EvidenceFault.RESPONDER_EXPIRED: "the certificate of the responder of {what} was not valid: get a new response"
    "{where_ocsp}",
    EvidenceFault.RESPONDER_NOT_VALID: f"the certificate of the responder of {{what}} is not valid: {_RESPONDER}",
    EvidenceFault.ANSWER_UNKNOWN: "the responder of {what} does not know the certificate: give a CRL{where_crl}, or ask"
    f" another responder{{where_ocsp}}; if that does not know it either, {_ASK_CA} whether it issued it",
    EvidenceFault.BUDGET_EXHAUSTED: "give fewer CRLs, OCSP responses and certificates",
}
_BY_ERROR: Final = {
    "tryLater": "the responder of {what} cannot answer for the moment: ask it again later, or give a CRL{where_crl}",
    "internalError": "the responder of {what} has a fault: ask it again later, or give a CRL{where_crl}",
    "unauthorized": "the responder of {what} does not answer for this certificate: ask the one that it names"
    "{where_ocsp}, or give a CRL{where_crl}",
    "malformedRequest": "the responder of {what} did not understand the request: give a CRL{where_crl}, or ask again",
    "sigRequired": "the responder of {what} answers only signed requests: give a CRL{where_crl}",
}


def advice_on(failures: Sequence[Failure]) -> tuple[Hint, ...]:
    """Return what to do about each object that did not count, and last where new evidence is published.

    Only for certificates of unknown status; empty where there is none. The objects with one fault that are about the
    same certificate share a hint; the hints are few. The last one is left out where the others name each of its URLs.
    """
    unknown = [failure for failure in failures if failure.reason is FailureReason.REVOCATION_UNKNOWN]
    found = [hint for failure in unknown for hint in _advice_on(failure)][:_HINTS]
    urls = _urls(unknown)
    if unknown and not (urls and all(any(url in hint.text for hint in found) for url in urls)):
        found.append(_general(unknown, urls))
    return tuple(found)


def _advice_on(failure: Failure) -> Iterator[Hint]:
    by_text: dict[str, list[EvidenceAttempt]] = {}
    for attempt in failure.evidence:
        text = _BY_ERROR.get(attempt.answer or "") if attempt.fault is EvidenceFault.RESPONDER_ERROR else None
        text = text or (_BY_FAULT.get(attempt.fault) if attempt.fault is not None else None)
        if text is not None:
            by_text.setdefault(text, []).append(attempt)
    for text, attempts in by_text.items():
        yield Hint(text=_filled(text, attempts, failure))


def on_hold(failure: Failure) -> tuple[Hint, ...]:
    """Return the hint for a certificate that is on hold, which its CA may lift; none for another failure."""
    if failure.reason is not FailureReason.REVOKED or not any(attempt.reason == _HOLD for attempt in failure.evidence):
        return ()
    where = _from(() if failure.evidence_locations is None else failure.evidence_locations.crls)
    text = f"the certificate is on hold: ask its CA to lift the hold, and give the CRL of that day with --crl{where}"
    return (Hint(text=text),)


def _urls(failures: Iterable[Failure]) -> list[str]:
    """Return the URLs that the certificates name for their status."""
    locations = [failure.evidence_locations for failure in failures if failure.evidence_locations is not None]
    return list(dict.fromkeys(url for each in locations for url in each.all))


def _general(failures: Sequence[Failure], urls: Sequence[str]) -> Hint:
    """Return the hint to give what is missing, with the URLs that the certificates name."""
    names = "the certificate names" if len(failures) == 1 else "the certificates name"
    where = f" ({names} {', '.join(urls[:_NAMED])})" if urls else ""
    return Hint(text=f"give the missing CRLs or OCSP responses with --crl or --ocsp{where}")


def _filled(text: str, attempts: Sequence[EvidenceAttempt], failure: Failure) -> str:
    """Return a hint about some objects, by the names of their files where they have any."""
    first, locations = attempts[0], failure.evidence_locations
    names = list(dict.fromkeys(attempt.source or f"the {attempt.label}" for attempt in attempts))
    is_one = len(names) == 1
    crls, deltas, responders = (
        ((), (), ())
        if locations is None
        else (
            locations.crls,
            locations.delta_crls,
            locations.ocsp_responders,
        )
    )
    next_update, this_update = first.time_of("nextUpdate"), first.time_of("thisUpdate")
    return text.format(
        what=harmless(" and ".join(shortened(names, _NAMED))),
        is_="is" if is_one else "are",
        was="was" if is_one else "were",
        covers="covers" if is_one else "cover",
        has="has" if is_one else "have",
        it_is="it is" if is_one else "they are",
        since="" if next_update is None else format_time(next_update),
        issued="" if this_update is None else format_time(this_update),
        where=_from(responders if first.kind.value == "ocsp" else crls),
        where_crl=_from(crls),
        where_delta=_from(deltas),
        where_ocsp=_from(responders),
    )


def _from(urls: Sequence[str]) -> str:
    return f" from {' or '.join(urls[:_NAMED])}" if urls else ""
