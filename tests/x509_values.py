"""Identifiers, numbers and values of extensions, for certificates, CRLs and OCSP responses that are made by hand."""

from __future__ import annotations

from typing import Final

from . import der

(
    SUBJECT_KEY,
    KEY_USAGE,
    BASIC,
    CRL_NUMBER,
    REASON,
    DELTA,
    SCOPE,
    CERTIFICATE_ISSUER,
    CRL_POINTS,
    AUTHORITY_KEY,
    PURPOSES,
    FRESHEST,
) = (f"2.5.29.{number}" for number in (14, 15, 19, 20, 21, 27, 28, 29, 31, 35, 37, 46))
NO_CHECK, NONCE, ARCHIVE_CUTOFF, BASIC_RESPONSE = (f"1.3.6.1.5.5.7.48.1.{number}" for number in (5, 2, 6, 1))
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
ANY_PURPOSE: Final = "2.5.29.37.0"
ECDSA_WITH_SHA256: Final = der.sequence(der.oid("1.2.840.10045.4.3.2"))
HASHES: Final = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
    "sha3_256": "2.16.840.1.101.3.4.2.8",
    "shake_128": "2.16.840.1.101.3.4.2.11",
    "shake_256": "2.16.840.1.101.3.4.2.12",
}
KEY_USAGES: Final = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
)
"""The first bits of KeyUsage (RFC 5280 section 4.2.1.3)."""
REASONS: Final = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
"""The numbers of CRLReason (RFC 5280 section 5.3.1)."""
REASON_FLAGS: Final = ("unused", *(each for each in REASONS if each not in {"unspecified", "removeFromCRL"}))
"""The bits of ReasonFlags (RFC 5280 section 4.2.1.13)."""


def key_usage(*names: str) -> bytes:
    """Return the value of keyUsage."""
    return der.named_bits(*map(KEY_USAGES.index, names))


def basic_constraints(*, ca: bool = True) -> bytes:
    """Return the value of basicConstraints."""
    return der.sequence(der.TRUE if ca else b"")


def purposes(*dotted: str) -> bytes:
    """Return the value of extKeyUsage."""
    return der.sequence(*map(der.oid, dotted))


def authority_key(identifier: bytes) -> bytes:
    """Return the value of authorityKeyIdentifier with a key identifier."""
    return der.sequence(der.implicit(0, identifier))


def reason(name: str) -> bytes:
    """Return the value of reasonCode, an extension of a CRL entry."""
    return der.enumerated(REASONS[name])
