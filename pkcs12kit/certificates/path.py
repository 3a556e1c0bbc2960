"""Certification paths: the certificates between a target and a trust anchor (RFC 5280 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_kind, require_several
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError
from pkcs12kit.notebook_hook import Shown

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class CertificationPath(Shown):
    """The certificates from the target up to the one that the trust anchor issued, and the trust anchor.

    ``certificates`` is not empty, starts with the target and does not contain the trust anchor's own certificate. Each
    (subject, key) occurs once: a file with a repetition makes Java servers send a truncated chain. Raises
    :class:`~pkcs12kit.ArgumentError` otherwise. Not checked: whether the path is *valid*.
    """

    certificates: tuple[Certificate, ...]
    """The target, and above it the certificates of its issuers up to the one that the trust anchor issued."""
    trust_anchor: TrustAnchor
    """The trust anchor, which issued the last certificate."""

    def __post_init__(self) -> None:
        require_kind("trust_anchor", self.trust_anchor, TrustAnchor)
        require_several({"certificates": self.certificates})
        object.__setattr__(self, "certificates", tuple(self.certificates))
        for certificate in self.certificates:
            require_kind("certificates", certificate, Certificate)
        if not self.certificates:
            raise ArgumentError("a certification path has at least the target")
        if len({certificate.node for certificate in self.certificates}) != len(self.certificates):
            raise ArgumentError("a certification path contains each (subject, key) once")

    @property
    def target(self) -> Certificate:
        """The certificate that the path is for, an end-entity or a CA."""
        return self.certificates[0]

    @property
    def issuers(self) -> tuple[Certificate | TrustAnchor, ...]:
        """The issuer of each certificate: the next certificate, and for the last one the trust anchor."""
        return (*self.certificates[1:], self.trust_anchor)

    @cached_property
    def expires(self) -> datetime:
        """The first notAfter of its certificates, the trust anchor's own included; timezone-aware."""
        return min(certificate.not_after for certificate in self.with_anchor)

    @cached_property
    def with_anchor(self) -> tuple[Certificate, ...]:
        """The certificates, followed by the trust anchor's own where it has one that is not the target."""
        anchor = self.trust_anchor.certificate
        if anchor is None or anchor in self.certificates:
            return self.certificates
        return (*self.certificates, anchor)

    def __str__(self) -> str:
        names = [certificate.label for certificate in self.certificates]
        anchor = self.trust_anchor
        above = [] if anchor.certificate in self.certificates else [anchor.label]
        return " <- ".join([*names, *above])
