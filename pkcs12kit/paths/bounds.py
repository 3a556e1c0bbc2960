"""Bounds of a best-first search: the best quality that a path through a vertex of the graph can have."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor

VertexT = TypeVar("VertexT", bound="Hashable")

_WEAK_HASH_BITS: Final = 160
_UNKNOWN_STRENGTH: Final = 0
_REMEMBERED: Final = 8_192
"""Certificates; with them they take about 20 MB at the most."""
_MOST_BOUNDS: Final = 32


class PathQuality(NamedTuple):
    """The criteria by which paths are ranked: of a whole path, or of a part of one."""

    lasts_until: float
    """The earliest expiry, in seconds since 1970."""
    certificates: int
    """The number of certificates, without the trust anchor."""
    strength: float
    """Bits of security of the weakest key or hash."""

    @classmethod
    def of(cls, path: CertificationPath) -> Self:
        """Return the quality of a path.

        The expiry of the trust anchor's certificate counts; its strength does not, nor is it among the certificates.
        """
        return cls(
            path.expires.timestamp(),
            len(path.certificates),
            min(quality_of(certificate).strength for certificate in path.certificates),
        )

    @classmethod
    def at(cls, anchor: TrustAnchor) -> Self:
        """Return the quality of the part that consists of a trust anchor only."""
        return cls(inf if anchor.certificate is None else anchor.certificate.not_after.timestamp(), 0, inf)

    def joined_with(self, other: PathQuality) -> PathQuality:
        """Return the quality of two parts together."""
        return PathQuality(
            min(self.lasts_until, other.lasts_until),
            self.certificates + other.certificates,
            min(self.strength, other.strength),
        )


@lru_cache(maxsize=_REMEMBERED)
def quality_of(certificate: Certificate) -> PathQuality:
    """Return the quality of the part that consists of one certificate only."""
    return PathQuality(certificate.not_after.timestamp(), 1, _security_bits(certificate))


def bounds_from_anchors(
    trust_anchors: Mapping[VertexT, Iterable[TrustAnchor]],
    links_down: Callable[[VertexT], Iterable[tuple[Certificate, VertexT]]],
) -> dict[VertexT, tuple[PathQuality, ...]]:
    """Return the bounds of each vertex that can be reached from a trust anchor, the shortest first.

    They are the qualities of the walks from the anchors to the vertex, without those that another walk dominates. Walks
    may contain cycles, so that a simple path can be worse than the bounds, and never better. A certificate is examined
    as often as its issuer gets a new bound: once where all certificates expire together, 32 times at most.
    """
    bounds: dict[VertexT, list[PathQuality]] = {}
    added: dict[VertexT, list[PathQuality]] = {}
    for vertex, anchors in trust_anchors.items():
        for anchor in anchors:
            _add_unless_dominated(PathQuality.at(anchor), vertex, bounds, added)
    while added:
        arrived, added = added, {}
        for vertex, qualities in arrived.items():
            for certificate, below in links_down(vertex):
                own = quality_of(certificate)
                for quality in qualities:
                    _add_unless_dominated(quality.joined_with(own), below, bounds, added)
    return {vertex: tuple(qualities) for vertex, qualities in bounds.items()}


def _add_unless_dominated(
    quality: PathQuality,
    vertex: VertexT,
    bounds: dict[VertexT, list[PathQuality]],
    added: dict[VertexT, list[PathQuality]],
) -> None:
    """Add a bound to a vertex unless one that is there dominates it; drop those of the same length that it dominates.

    Bounds arrive in the order of their lengths: those that are there are never longer.
    """
    known = bounds.setdefault(vertex, [])
    if len(known) == _MOST_BOUNDS - 1:
        quality = PathQuality(inf, quality.certificates, inf)  # dominates every longer one
    if any(other.lasts_until >= quality.lasts_until and other.strength >= quality.strength for other in known):
        return
    equally_long = added.setdefault(vertex, [])
    for other in [
        other
        for other in equally_long
        if other.lasts_until <= quality.lasts_until and other.strength <= quality.strength
    ]:
        equally_long.remove(other)
        known.remove(other)
    known.append(quality)
    equally_long.append(quality)


def _security_bits(certificate: Certificate) -> int:
    """Return the bits of security of the key and of the hash of the signature, the smaller of the two.

    Estimated by NIST SP 800-57 part 1, section 5.6.1.
    """
    try:
        key, digest = certificate.public_key, certificate.signature_hash_algorithm
    except MalformedCertificateError:
        return _UNKNOWN_STRENGTH
    size: int = getattr(key, "key_size", 256)
    of_key = _bits_of_factoring(size) if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) else size // 2
    if digest is None:
        return of_key
    of_hash = digest.digest_size * 4
    return min(of_key, of_hash if digest.digest_size * 8 > _WEAK_HASH_BITS else _UNKNOWN_STRENGTH)


def _bits_of_factoring(bits: int) -> int:
    for size, security in ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80)):
        if bits >= size:
            return security
    return _UNKNOWN_STRENGTH
