"""A certification path: what a target needs to be believed by who trusts one anchor (RFC 5280 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pkcs12kit.notebook_hook import Shown

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.trust_anchor import TrustAnchor


@dataclass(frozen=True, kw_only=True)
class CertificationPath(Shown):
    """Certificates from the target up to the one that the trust anchor issued, and that anchor.

    ``certificates`` is never empty, starts with the target and does not hold the anchor's own certificate. No (subject,
    key) occurs twice (:class:`ValueError`): a file with such a path makes Java servers send a cut chain. That the
    path is *valid* this class does not say.
    """

    certificates: tuple[Certificate, ...]
    trust_anchor: TrustAnchor

    def __post_init__(self) -> None:
        if not self.certificates:
            raise ValueError("a certification path has at least the target")
        if len({certificate.node for certificate in self.certificates}) != len(self.certificates):
            raise ValueError("a certification path holds each (subject, key) once")

    @property
    def target(self) -> Certificate:
        """The certificate that the path is for, an end-entity or a CA."""
        return self.certificates[0]

    @property
    def issuers(self) -> tuple[Certificate | TrustAnchor, ...]:
        """Who issued each of the certificates: the next one, and for the last the trust anchor."""
        return (*self.certificates[1:], self.trust_anchor)

    @cached_property
    def expires(self) -> datetime:
        """When the first of its certificates expires, the anchor's among them; timezone-aware."""
        return min(certificate.not_after for certificate in self.with_anchor)

    @cached_property
    def with_anchor(self) -> tuple[Certificate, ...]:
        """The certificates followed by the anchor's own, where the anchor has one and is not the target itself."""
        anchor = self.trust_anchor.certificate
        if anchor is None or anchor in self.certificates:
            return self.certificates
        return (*self.certificates, anchor)

    def __str__(self) -> str:
        names = [certificate.label for certificate in self.certificates]
        anchor = self.trust_anchor
        above = [] if anchor.certificate in self.certificates else [anchor.label]
        return " <- ".join([*names, *above])
