"""Checks that an argument is a certificate, a pool or a trust anchor of this library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.arguments import require_several
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable


def require_certificate(target: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a target that is not a :class:`~pkcs12kit.Certificate`."""
    if not isinstance(target, Certificate):
        raise ArgumentError(
            f"the target is a pkcs12kit Certificate, not {type(target).__name__}; load_certificate() reads one"
        )


def require_pool(pool: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` for a pool that is not a :class:`~pkcs12kit.CertificatePool`."""
    if not isinstance(pool, CertificatePool):
        raise ArgumentError(
            f"pool is a CertificatePool, not {type(pool).__name__}; CertificatePool([...]) makes one of certificates,"
            " and load_certificates() of files"
        )


def require_trust_anchors(given: Iterable[TrustAnchor]) -> tuple[TrustAnchor, ...]:
    """Return them as a tuple. Raises :class:`~pkcs12kit.ArgumentError` for one on its own, and for other kinds."""
    require_several({"trust_anchors": given})
    anchors = tuple(given)
    for anchor in anchors:
        if not isinstance(anchor, TrustAnchor):
            raise ArgumentError(
                f"trust_anchors are TrustAnchors, not {type(anchor).__name__}; TrustAnchor.from_certificate() makes"
                " one of a certificate, and load_trust_anchors() of files"
            )
    return anchors
