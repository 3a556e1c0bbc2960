"""Why a certification path fails, as data; the sentence is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.certificates.serial_numbers import serial_number_label
from pkcs12kit.errors import FailureReason, PathError
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name


# A verdict for one of these reasons is about the certificate itself: no other path would change it.
_OF_THE_CERTIFICATE_ALONE: Final = frozenset(
    {
        FailureReason.NOT_YET_VALID,
        FailureReason.EXPIRED,
        FailureReason.NOT_A_CA,
        FailureReason.KEY_USAGE,
        FailureReason.UNKNOWN_CRITICAL_EXTENSION,
        FailureReason.MALFORMED_CERTIFICATE,
        FailureReason.EXTENDED_KEY_USAGE,
        FailureReason.SERVER_NAME,
        FailureReason.POLICY_MAPPING,
    }
)

# A verdict for one of these is about the certificate and the issuer above it: another key of that name may mend it.
_OF_THE_ISSUER_TOO: Final = frozenset(
    {FailureReason.BAD_SIGNATURE, FailureReason.UNSUPPORTED_ALGORITHM, FailureReason.WEAK_ALGORITHM}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingIssuer:
    """Who issued a certificate and was not supplied, as far as the certificate tells. Nothing of it is verified."""

    name: Name
    key_identifier: bytes | None
    """Of the key that it says it was signed with (RFC 5280 section 4.2.1.1)."""
    locations: tuple[str, ...]
    """Where it says that the issuer's certificate may be had (caIssuers, RFC 5280 section 4.2.2.1)."""
    found_key_identifiers: tuple[bytes, ...] = ()
    """Of others with that name, who did not sign it: the issuer was rekeyed, or one of them is an impostor."""

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``."""
        return {
            "name": str(self.name),
            "key_identifier": self.key_identifier.hex() if self.key_identifier is not None else None,
            "locations": list(self.locations),
            "found_key_identifiers": [identifier.hex() for identifier in self.found_key_identifiers],
        }


# A verdict for one of these is about the certificate, the issuer above it and the anchor that a CRL's signer leads to.
_OF_THE_ISSUER_AND_THE_ANCHOR: Final = frozenset({FailureReason.REVOKED, FailureReason.REVOCATION_UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One reason why a path is not valid: which certificate, which check, where the standard asks for it."""

    reason: FailureReason
    certificate: Certificate
    section: str
    """For example ``RFC 5280 section 6.1.3 (a)(2)``."""
    detail: str
    """What was found, without the certificate's name."""
    missing_issuer: MissingIssuer | None = None
    """Where nobody supplied the issuer: who that is."""

    @property
    def of_the_certificate_alone(self) -> bool:
        """Whether the verdict would be the same in every other path through this certificate."""
        return self.reason in _OF_THE_CERTIFICATE_ALONE

    @property
    def of_the_issuer_too(self) -> bool:
        """Whether the verdict would be the same in every other path through this certificate and the same issuer."""
        return self.reason in _OF_THE_ISSUER_TOO

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``."""
        return {
            "certificate": self.certificate.to_json(),
            "reason": self.reason.value,
            "section": self.section,
            "detail": self.detail,
            "missing_issuer": self.missing_issuer.to_json() if self.missing_issuer is not None else None,
        }

    @property
    def of_the_issuer_and_the_anchor(self) -> bool:
        """Whether the verdict would be the same in every other path with this certificate, issuer and trust anchor."""
        return self.reason in _OF_THE_ISSUER_AND_THE_ANCHOR

    def __str__(self) -> str:
        number = serial_number_label(self.certificate.serial_number)
        return f"{self.certificate.subject} ({number}): {self.detail} [{self.section}]"


class InvalidPathError(PathError):
    """Validation said no to one path; :attr:`failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


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
