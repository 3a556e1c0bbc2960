"""The yes of path validation (RFC 5280 section 6.1.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkcs12kit.certificates.path import CertificationPath

if TYPE_CHECKING:
    from pkcs12kit.paths.revocation.model import RevocationReport
    from pkcs12kit.paths.signatures import WorkingKey
    from pkcs12kit.paths.validation.parameters import ValidationParameters


@dataclass(frozen=True, kw_only=True)
class ValidatedPath(CertificationPath):
    """A path that validation said yes to, with its outputs.

    Policy sets hold dotted object identifiers in the trust anchor's domain, or anyPolicy alone.
    """

    parameters: ValidationParameters = field(repr=False)
    """What it was validated for; at another time, or for another server, the answer may differ."""
    authority_constrained_policy_set: frozenset[str]
    """The policies that the authorities let the path stand for."""
    user_constrained_policy_set: frozenset[str]
    """Those of them that the user accepts."""
    working_public_key: WorkingKey = field(repr=False)
    """The target's key, parameters included."""
    revocation: RevocationReport | None = field(default=None, repr=False)
    """The status of each certificate, where it was asked for."""
