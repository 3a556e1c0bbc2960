"""Statements that constrain a path: of the trust anchor, and of each certificate above the one that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.extensions import Extensions
    from pkcs12kit.paths.failure import Descent


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The extensions of a trust anchor, or of a certificate on the path, as constraints on what is below it."""

    certificate: Certificate | None
    """The certificate; None for a trust anchor that was given without one."""
    label: str
    """The certificate or the trust anchor for people, safe to print."""
    extensions: Extensions
    below: tuple[Certificate, ...]
    """The certificates below it, down to the one that failed."""

    @property
    def counted_below(self) -> tuple[Certificate, ...]:
        """The certificates below it that are not self-issued; counters of certificates count these."""
        return tuple(certificate for certificate in self.below if not certificate.is_self_issued)


def statements_above(descent: Descent, failed: Certificate) -> Iterator[Statement]:
    """Yield the statements of the trust anchor, where they apply, and of each certificate above the one that failed."""
    above, anchor = descent.certificates, descent.anchor
    if descent.parameters.use_trust_anchor_constraints and anchor.constraints is not None:
        yield Statement(
            certificate=anchor.certificate,
            label=anchor.label,
            extensions=anchor.constraints,
            below=(*above, failed),
        )
    for number, certificate in enumerate(above, start=1):
        yield Statement(
            certificate=certificate,
            label=certificate.label,
            extensions=certificate.extensions,
            below=(*above[number:], failed),
        )


def path_lengths(
    failed: Certificate, descent: Descent
) -> Iterator[tuple[Certificate | None, str | None, int, tuple[Certificate, ...]]]:
    """Yield each path length constraint above a certificate, or above the whole path for the one of the caller.

    Each comes with its certificate, that one's label (None for the caller), the length, and what counts below it, down
    to the certificate that failed.
    """
    longest = descent.parameters.max_path_length
    if longest is not None:
        every = (*descent.certificates, failed)
        yield None, None, longest, tuple(certificate for certificate in every if not certificate.is_self_issued)
    for one in statements_above(descent, failed):
        basic = one.extensions.basic_constraints
        if basic is not None and basic.path_length is not None:
            yield one.certificate, one.label, basic.path_length, one.counted_below
