"""The closed list of reasons why a CRL or an OCSP response does not count, and the faults that are of several kinds."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from pkcs12kit.certificates.certificate import Certificate


class EvidenceFault(Enum):
    """The reasons why a CRL or an OCSP response does not settle the status of a certificate."""

    ISSUED_LATER = "issued-later"
    """Its thisUpdate is after the time asked for."""
    OUT_OF_DATE = "out-of-date"
    """Its nextUpdate is before the time asked for."""
    TOO_OLD = "too-old"
    """It has no nextUpdate, and is older than the greatest age allowed."""
    NO_NEXT_UPDATE = "no-next-update"
    """It has no nextUpdate, and the greatest age allowed is 0."""
    MALFORMED = "malformed"
    """A part of it cannot be read, or contradicts the standard."""
    UNKNOWN_CRITICAL_EXTENSION = "unknown-critical-extension"
    """It, or an entry of it, has a critical extension that is not processed."""
    MISPLACED_REMOVAL = "misplaced-removal"
    """A full CRL lists the certificate with removeFromCRL, which only a delta CRL may have."""
    OTHER_ISSUER = "other-issuer"
    """It is about certificates of another issuer."""
    OTHER_ISSUER_KEY = "other-issuer-key"
    """The OCSP response is about a certificate that another key of an issuer with this name issued."""
    OTHER_SERIAL_NUMBER = "other-serial-number"
    """The OCSP response is about another certificate of the same issuer."""
    UNKNOWN_HASH = "unknown-hash"
    """The OCSP response identifies the certificate by a hash that is too weak or not known."""
    OTHER_CERTIFICATES = "other-certificates"
    """The CRL covers only CA certificates, only end-entity certificates or only attribute certificates."""
    OTHER_DISTRIBUTION_POINT = "other-distribution-point"
    """The CRL is for other distribution points than those of the certificate."""
    OTHER_REASONS = "other-reasons"
    """The CRL covers no reason for which the certificate's distribution point is."""
    ONLY_SOME_REASONS = "only-some-reasons"
    """The CRLs that count do not cover all reasons of revocation."""
    NOT_INDIRECT = "not-indirect"
    """The certificate names another CRL issuer, and the CRL of that issuer is not an indirect CRL."""
    ONLY_REVOKES = "only-revokes"
    """All distribution points of the certificate name other CRL issuers: its issuer's CRL can only revoke it."""
    FULL_CRL_MISSING = "full-crl-missing"
    """A delta CRL without the full CRL that it changes."""
    DELTA_CRL_MISSING = "delta-crl-missing"
    """A full CRL that is changed by delta CRLs, and none that counts was given."""
    DELTA_DOES_NOT_FIT = "delta-does-not-fit"
    """A delta CRL that changes another full CRL: another scope, key or number."""
    BAD_SIGNATURE = "bad-signature"
    """No key that may sign it verifies its signature."""
    OTHER_KEY = "other-key"
    """The CRL names another key of its issuer than those that are known, and none of these verifies its signature."""
    UNSUPPORTED_ALGORITHM = "unsupported-algorithm"
    """Its signature algorithm cannot be checked."""
    WEAK_ALGORITHM = "weak-algorithm"
    """The signature is valid, and its algorithm or key is too weak."""
    SIGNER_LACKS_CRL_SIGN = "signer-lacks-crl-sign"
    """The keyUsage of the certificate that signed the CRL lacks cRLSign."""
    SIGNER_NOT_TRUSTED = "signer-not-trusted"
    """The certificate that signed the CRL has no valid path to the trust anchor."""
    SIGNER_NOT_GOOD = "signer-not-good"
    """The certificate that signed it, or one above that, is revoked or of unknown status."""
    SIGNER_DEPENDS_ON_IT = "signer-depends-on-it"
    """The status of the certificate that signed it depends on it."""
    RESPONDER_NOT_FOUND = "responder-not-found"
    """The issuer did not sign the response, and the certificate of the responder that did is not there."""
    RESPONDER_MISNAMED = "responder-misnamed"
    """The response names another responder than the one that signed it."""
    RESPONDER_LACKS_OCSP_SIGNING = "responder-lacks-ocsp-signing"
    """The responder's certificate lacks id-kp-OCSPSigning."""
    RESPONDER_KEY_USAGE = "responder-key-usage"
    """The keyUsage of the responder's certificate lacks digitalSignature."""
    RESPONDER_OF_ANOTHER_ISSUER = "responder-of-another-issuer"
    """The issuer of the certificate did not issue the responder's certificate with the same key."""
    RESPONDER_EXPIRED = "responder-expired"
    """The responder's certificate is expired, or not yet valid."""
    RESPONDER_NOT_VALID = "responder-not-valid"
    """The responder's certificate is not valid for another reason."""
    ANSWER_UNKNOWN = "answer-unknown"
    """The responder answers that it does not know the certificate."""
    RESPONDER_ERROR = "responder-error"
    """The responder sent an error instead of an answer."""
    BUDGET_EXHAUSTED = "budget-exhausted"
    """A limit ended the check."""


UNSIGNED = frozenset(
    {
        EvidenceFault.BAD_SIGNATURE,
        EvidenceFault.OTHER_KEY,
        EvidenceFault.UNSUPPORTED_ALGORITHM,
        EvidenceFault.RESPONDER_NOT_FOUND,
    }
)
"""The faults of a signature that no known key verifies."""
AFTER_SIGNATURE = frozenset(
    {
        EvidenceFault.WEAK_ALGORITHM,
        EvidenceFault.MISPLACED_REMOVAL,
        EvidenceFault.ONLY_SOME_REASONS,
        EvidenceFault.ONLY_REVOKES,
        EvidenceFault.DELTA_CRL_MISSING,
        EvidenceFault.SIGNER_LACKS_CRL_SIGN,
        EvidenceFault.SIGNER_NOT_TRUSTED,
        EvidenceFault.SIGNER_NOT_GOOD,
        EvidenceFault.SIGNER_DEPENDS_ON_IT,
        EvidenceFault.RESPONDER_MISNAMED,
        EvidenceFault.RESPONDER_LACKS_OCSP_SIGNING,
        EvidenceFault.RESPONDER_KEY_USAGE,
        EvidenceFault.RESPONDER_OF_ANOTHER_ISSUER,
        EvidenceFault.RESPONDER_EXPIRED,
        EvidenceFault.RESPONDER_NOT_VALID,
        EvidenceFault.ANSWER_UNKNOWN,
    }
)
"""The faults that are found only after some known key verified the signature."""


class Fault(NamedTuple):
    """A reason why an object does not count, and a clause about it; its text is the clause."""

    code: EvidenceFault
    detail: str
    signer: Certificate | None = None
    """The certificate whose key verified the signature, where the fault is the signer's."""

    def __str__(self) -> str:
        return self.detail


def malformed(detail: str) -> Fault:
    """Return the fault of an object that cannot be read, or contradicts the standard."""
    return Fault(EvidenceFault.MALFORMED, detail)


def unknown_critical_extension(oid: str, *, of_entry: bool = False) -> Fault:
    """Return the fault of an object that has a critical extension, or an entry with one, that is not processed."""
    detail = f"has the critical extension {oid}, which is not processed"
    if of_entry:
        detail = f"has an entry with the critical extension {oid}, which is not processed"
    return Fault(EvidenceFault.UNKNOWN_CRITICAL_EXTENSION, detail)


def freshness_fault(
    this_update: datetime, next_update: datetime | None, *, time: datetime, max_age: timedelta
) -> Fault | None:
    """Return why data of these times is not current at ``time``; None where it is.

    All times are timezone-aware; both ends are inclusive (RFC 5280 section 6.3.3 (a), RFC 6960 section 4.2.2.1).
    """
    if this_update > time:
        detail = f"was issued after the time asked for (thisUpdate {format_time(this_update)})"
        return Fault(EvidenceFault.ISSUED_LATER, detail)
    if next_update is not None:
        if next_update >= time:
            return None
        detail = f"has been out of date since {format_time(next_update)} (nextUpdate)"
        return Fault(EvidenceFault.OUT_OF_DATE, detail)
    if not max_age:
        return Fault(EvidenceFault.NO_NEXT_UPDATE, "has no nextUpdate, which a maximum age of 0 requires")
    if time - this_update > max_age:
        return Fault(
            EvidenceFault.TOO_OLD,
            f"has no nextUpdate, and its thisUpdate {format_time(this_update)} is older than the maximum age of"
            f" {length_of(max_age)}",
        )
    return None


def length_of(time: timedelta) -> str:
    """Return a length of time in days where it is a number of days, else in hours, minutes and seconds."""
    return counted(time.days, "day") if not (time.seconds or time.microseconds) else str(time)
