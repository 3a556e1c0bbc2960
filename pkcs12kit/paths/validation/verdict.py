"""The path that validation accepts, with its outputs (RFC 5280 section 6.1.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pkcs12kit.certificates.path import CertificationPath

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.paths.revocation.model import RevocationReport
    from pkcs12kit.paths.signatures import WorkingKey
    from pkcs12kit.paths.validation.parameters import ValidationParameters


@dataclass(frozen=True, kw_only=True)
class ValidatedPath(CertificationPath):
    """A path that validation accepts, with its outputs.

    Policy sets contain dotted object identifiers in the trust anchor's domain, or only anyPolicy.
    """

    parameters: ValidationParameters = field(repr=False)
    """The inputs of the validation; at another time, or for another server, the path may not be valid."""
    authority_constrained_policy_set: frozenset[str]
    """The policies that the CAs assert for the path."""
    user_constrained_policy_set: frozenset[str]
    """The policies among these that the user accepts."""
    working_public_key: WorkingKey = field(repr=False)
    """The target's key, parameters included."""
    revocation: RevocationReport | None = field(default=None, repr=False)
    """The revocation status of each certificate; None where it was not checked."""

    @cached_property
    def expires(self) -> datetime:
        """The first notAfter of its certificates; timezone-aware.

        The trust anchor's own counts unless ``parameters`` leave its validity unchecked.
        """
        counted = self.with_anchor if self.parameters.check_trust_anchor_validity else self.certificates
        return min(certificate.not_after for certificate in counted)
