"""Say what belongs where: scripts have paths of files and other libraries' certificates at hand, too."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.certificates.trust_anchor import TrustAnchor

if TYPE_CHECKING:
    from collections.abc import Mapping


def require_certificate(target: object) -> None:
    """Raise :class:`TypeError` for a target that is no :class:`~pkcs12kit.Certificate`."""
    if not isinstance(target, Certificate):
        raise TypeError(
            f"the target is a pkcs12kit Certificate, not {type(target).__name__}; load_certificate() reads one"
        )


def require_pool(pool: object) -> None:
    """Raise :class:`TypeError` for a pool that is no :class:`~pkcs12kit.CertificatePool`."""
    if not isinstance(pool, CertificatePool):
        raise TypeError(
            f"pool is a CertificatePool, not {type(pool).__name__}; CertificatePool([...]) makes one of certificates,"
            " and load_certificates() of files"
        )


def require_trust_anchors(given: Iterable[TrustAnchor]) -> tuple[TrustAnchor, ...]:
    """Give them as a tuple. Raises :class:`TypeError` for one on its own, and for what is no trust anchor."""
    require_several({"trust_anchors": given})
    anchors = tuple(given)
    for anchor in anchors:
        if not isinstance(anchor, TrustAnchor):
            raise TypeError(
                f"trust_anchors are TrustAnchors, not {type(anchor).__name__}; TrustAnchor.from_certificate() makes"
                " one of a certificate, and load_trust_anchors() of files"
            )
    return anchors


def require_several(given: Mapping[str, object]) -> None:
    """Refuse one on its own, by name: a text would be taken for as many as it has characters."""
    for name, several in given.items():
        if isinstance(several, str | bytes | PathLike) or not isinstance(several, Iterable):
            raise TypeError(f"{name} is a collection, not one of them: put it into a list")
