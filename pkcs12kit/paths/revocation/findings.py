"""The findings of one lookup in CRLs or OCSP responses: what counts, and a note on each object that does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pkcs12kit.paths.revocation.crl import RevocationList
    from pkcs12kit.paths.revocation.faults import Fault
    from pkcs12kit.paths.revocation.model import RevocationEntry
    from pkcs12kit.paths.revocation.ocsp import OcspResponse, SingleAnswer


class Note(NamedTuple):
    """A CRL or an OCSP response that was considered, and why it does not count."""

    subject: RevocationList | OcspResponse | None
    """None for a note about several objects."""
    fault: Fault
    answer: SingleAnswer | None = None
    """The answer of an OCSP response that the note is about."""
    is_signed: bool = False
    """True where the signature of an authorized signer was verified before the fault was found."""

    def __str__(self) -> str:
        return self.fault.detail if self.subject is None else f"{self.subject} {self.fault.detail}"


class Counted(NamedTuple):
    """A CRL or an OCSP response that counts."""

    subject: RevocationList | OcspResponse
    answer: SingleAnswer | None = None
    """The answer of an OCSP response."""
    entry: RevocationEntry | None = None
    """The statement that revokes the certificate; None where it is good by this object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The findings of one kind of data (CRLs, or OCSP responses) about one certificate."""

    revoked: RevocationEntry | None = None
    """The statement that counts, where the certificate is revoked."""
    good: bool = False
    """True where data that counts covers the certificate, and does not revoke it."""
    notes: tuple[Note, ...] = ()
    """Each object that is about the certificate and did not count, and why."""
    counted: tuple[Counted, ...] = ()
    """The objects that count: the one that revokes the certificate, or those that do not."""
    is_complete: bool = True
    """False where a budget was exhausted before everything was checked: no certificate may be called good then."""
