"""Revocation by CRLs and OCSP responses that the user gives (RFC 5280 section 6.3, RFC 6960). Nothing is fetched."""

from __future__ import annotations

from pkcs12kit.paths.revocation.attempts import EvidenceAttempt, EvidenceKind, EvidenceTime, OtherFault, SignatureState
from pkcs12kit.paths.revocation.check import RevocationChecker, check_revocation
from pkcs12kit.paths.revocation.faults import EvidenceFault
from pkcs12kit.paths.revocation.locations import EvidenceLocations
from pkcs12kit.paths.revocation.model import (
    CertificateStatus,
    Revocation,
    RevocationMode,
    RevocationReport,
    RevocationStatus,
)

__all__ = [
    "CertificateStatus",
    "EvidenceAttempt",
    "EvidenceFault",
    "EvidenceKind",
    "EvidenceLocations",
    "EvidenceTime",
    "OtherFault",
    "Revocation",
    "RevocationChecker",
    "RevocationMode",
    "RevocationReport",
    "RevocationStatus",
    "SignatureState",
    "check_revocation",
]
