"""Whether a certificate is within its validity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.certificates.times import format_time
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.failure import Failure

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate

SECTION = "RFC 5280 section 6.1.3 (a)(2)"
SECTION_OF_TRUST_ANCHORS = "RFC 5280 section 6.1.1 (d), by choice"


def lapse(certificate: Certificate, time: datetime, section: str = SECTION) -> Failure | None:
    """Say that a certificate is expired or not yet valid at ``time``; None when it is within its validity.

    Both ends are included (RFC 5280 section 4.1.2.5).
    """
    if time > certificate.not_after:
        reason, detail = FailureReason.EXPIRED, f"expired on {format_time(certificate.not_after)}"
    elif time < certificate.not_before:
        reason, detail = FailureReason.NOT_YET_VALID, f"is not valid before {format_time(certificate.not_before)}"
    else:
        return None
    return Failure(reason=reason, certificate=certificate, section=section, detail=detail)
