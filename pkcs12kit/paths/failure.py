"""Why a certification path fails, as data; the sentence is made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.errors import FailureReason, PathError

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate

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
class Failure:
    """One reason why a path is not valid: which certificate, which check, where the standard asks for it."""

    reason: FailureReason
    certificate: Certificate
    section: str
    """For example ``RFC 5280 section 6.1.3 (a)(2)``."""
    detail: str
    """What was found, without the certificate's name."""

    @property
    def of_the_certificate_alone(self) -> bool:
        """Whether the verdict would be the same in every other path through this certificate."""
        return self.reason in _OF_THE_CERTIFICATE_ALONE

    @property
    def of_the_issuer_too(self) -> bool:
        """Whether the verdict would be the same in every other path through this certificate and the same issuer."""
        return self.reason in _OF_THE_ISSUER_TOO

    def __str__(self) -> str:
        return f"{self.certificate.subject} (#{self.certificate.serial_number}): {self.detail} [{self.section}]"


class InvalidPathError(PathError):
    """Validation said no to one path; :attr:`failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure
