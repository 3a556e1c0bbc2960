"""Revocation: what to require of a path, and the report on each certificate."""

from pkcs12kit.paths.revocation import (
    CertificateStatus,
    EvidenceAttempt,
    EvidenceFault,
    EvidenceKind,
    EvidenceLocations,
    EvidenceTime,
    OtherFault,
    Revocation,
    RevocationMode,
    RevocationReport,
    RevocationStatus,
    SignatureState,
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
    "RevocationMode",
    "RevocationReport",
    "RevocationStatus",
    "SignatureState",
]
