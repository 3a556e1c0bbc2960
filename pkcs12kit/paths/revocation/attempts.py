"""The CRLs and OCSP responses that were considered for a certificate, as data: what each is, and whether it counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.revocation.faults import EvidenceFault


class EvidenceKind(Enum):
    """The kinds of evidence about the status of a certificate."""

    CRL = "crl"
    """A full CRL."""
    DELTA_CRL = "delta-crl"
    """A CRL with the changes since a full one."""
    OCSP = "ocsp"
    """An OCSP response, or the error that a responder sent instead."""


class SignatureState(Enum):
    """The outcome of the check of a signature."""

    VALID = "valid"
    """A known key verifies it. That the key may sign is another question."""
    INVALID = "invalid"
    """No known key verifies it."""
    UNCHECKED = "unchecked"
    """It was not checked, because the object does not count whatever its signature."""


class EvidenceTime(NamedTuple):
    """One of the times in a CRL or an OCSP response, with its meaning at the time asked for."""

    field: str
    """The field as the standard spells it: ``thisUpdate``."""
    time: datetime | None
    """Timezone-aware; None where the field is absent."""
    meaning: str
    """A clause about it, which follows the time: ``issued``."""

    def to_json(self) -> dict[str, str | None]:
        """Return the time as ``--json`` prints it."""
        return {
            "field": self.field,
            "time": None if self.time is None else format_time(self.time),
            "meaning": self.meaning,
        }


class OtherFault(NamedTuple):
    """A further reason why an object does not count: with the first one mended, it would still not count."""

    fault: EvidenceFault
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAttempt:
    """One CRL or OCSP response that was considered for a certificate. What it says itself is not verified.

    All text from outside is bounded in length and safe to print.
    """

    kind: EvidenceKind
    """The kind."""
    label: str
    """Its name in messages: ``CRL #4 of Root``."""
    detail: str
    """A clause about why it does not count, or what it says where it counts."""
    fault: EvidenceFault | None = None
    """The reason why it does not count, from the closed list; None where it counts."""
    other_faults: tuple[OtherFault, ...] = ()
    """Further reasons why it does not count."""
    source: str | None = None
    """The name of the file or the URL that it is from; None where it is not known, as for bytes."""
    issuer: str | None = None
    """The name of the CRL's issuer, or of the responder where the response has it."""
    key_identifier: bytes | None = None
    """The CRL's authorityKeyIdentifier, or the hash of the responder's key; None where there is none."""
    number: str | None = None
    """The number of a CRL."""
    times: tuple[EvidenceTime, ...] = ()
    """The times in it, with their meaning."""
    scope: tuple[str, ...] = ()
    """The limits of a CRL's scope in words (issuingDistributionPoint); empty where it covers everything."""
    signature: SignatureState = SignatureState.UNCHECKED
    """The check of its signature."""
    signer: Certificate | None = None
    """The certificate whose key verified the signature, where the fault is the signer's."""
    answer: str | None = None
    """Of an OCSP response: ``good``, ``revoked``, ``unknown``, or the error. Of a CRL that revokes: ``revoked``."""
    answer_meaning: str | None = None
    """The meaning of the answer, or of the reason of a revocation that counts, in words."""
    reason: str | None = None
    """CRLReason of a revocation that counts, as RFC 5280 section 5.3.1 spells it; None without one."""

    @property
    def counts(self) -> bool:
        """True where it settled the status."""
        return self.fault is None

    def time_of(self, field: str) -> datetime | None:
        """Return the time of a field, ``nextUpdate`` for example; None where it is absent."""
        return next((each.time for each in self.times if each.field == field), None)

    def to_json(self) -> dict[str, Any]:
        """Return the attempt as ``--json`` prints it."""
        return {
            "kind": self.kind.value,
            "label": self.label,
            "source": self.source,
            "counts": self.counts,
            "fault": None if self.fault is None else self.fault.value,
            "detail": self.detail,
            "other_faults": [{"fault": other.fault.value, "detail": other.detail} for other in self.other_faults],
            "issuer": self.issuer,
            "key_identifier": None if self.key_identifier is None else self.key_identifier.hex(),
            "number": self.number,
            "times": [each.to_json() for each in self.times],
            "scope": list(self.scope),
            "signature": self.signature.value,
            "signer": None if self.signer is None else self.signer.to_json(),
            "answer": self.answer,
            "reason": self.reason,
            "answer_meaning": self.answer_meaning,
        }

    def __str__(self) -> str:
        named = self.label if self.source is None else f"{self.source}: {self.label}"
        return f"{named} {self.detail}"
