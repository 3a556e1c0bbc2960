"""Revocation: what to require of a path, and the report on each certificate."""

from pkcs12kit.paths.revocation import (
    CertificateStatus,
    Revocation,
    RevocationMode,
    RevocationReport,
    RevocationStatus,
)

__all__ = [
    "CertificateStatus",
    "Revocation",
    "RevocationMode",
    "RevocationReport",
    "RevocationStatus",
]
