"""What certification paths are compared by, and the best that the ways from the trust anchors have to offer."""

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

Vertex = TypeVar("Vertex", bound="Hashable")

_WEAK_HASH_BITS: Final = 160
_UNKNOWN_STRENGTH: Final = 0
_REMEMBERED: Final = 8_192
"""Certificates; with them they take about 20 MB at the most."""
_WAYS_AT_MOST: Final = 32


class Merits(NamedTuple):
    """What a path, or a part of one, is worth."""

    lasts_until: float
    """The earliest expiry, in seconds since 1970."""
    certificates: int
    """How many there are."""
    strength: float
    """Bits of security of the weakest key or hash."""

    @classmethod
    def of(cls, path: CertificationPath) -> Self:
        """Sum up a path. The trust anchor's certificate expires too; its own strength and it do not count."""
        return cls(
            path.expires.timestamp(),
            len(path.certificates),
            min(merits_of(certificate).strength for certificate in path.certificates),
        )

    @classmethod
    def at(cls, anchor: TrustAnchor) -> Self:
        """Start at a trust anchor."""
        return cls(inf if anchor.certificate is None else anchor.certificate.not_after.timestamp(), 0, inf)

    def and_then(self, other: Merits) -> Merits:
        """Put two parts together."""
        return Merits(
            min(self.lasts_until, other.lasts_until),
            self.certificates + other.certificates,
            min(self.strength, other.strength),
        )


@lru_cache(maxsize=_REMEMBERED)
def merits_of(certificate: Certificate) -> Merits:
    """Sum up one certificate."""
    return Merits(certificate.not_after.timestamp(), 1, _security_bits(certificate))


def best_ways(
    trust_anchors: Mapping[Vertex, Iterable[TrustAnchor]],
    links_down: Callable[[Vertex], Iterable[tuple[Certificate, Vertex]]],
) -> dict[Vertex, tuple[Merits, ...]]:
    """Sum up, for each vertex that trust anchors lead to, the ways there that no other beats in every respect.

    The shortest comes first. Ways may go in circles, so that a simple path can do worse, and never better. A
    certificate is looked at as often as something better arrives at its issuer: once where all last equally long, at
    most 32 times.
    """
    ways: dict[Vertex, list[Merits]] = {}
    fresh: dict[Vertex, list[Merits]] = {}
    for vertex, anchors in trust_anchors.items():
        for anchor in anchors:
            _offer(Merits.at(anchor), vertex, ways, fresh)
    while fresh:
        arrived, fresh = fresh, {}
        for vertex, merits in arrived.items():
            for certificate, below in links_down(vertex):
                own = merits_of(certificate)
                for way in merits:
                    _offer(way.and_then(own), below, ways, fresh)
    return {vertex: tuple(merits) for vertex, merits in ways.items()}


def _offer(way: Merits, vertex: Vertex, ways: dict[Vertex, list[Merits]], fresh: dict[Vertex, list[Merits]]) -> None:
    """Keep a way, as long as the longest before it or longer, unless another beats it; drop what it beats."""
    known = ways.setdefault(vertex, [])
    if len(known) == _WAYS_AT_MOST - 1:
        way = Merits(inf, way.certificates, inf)  # no longer one beats that
    if any(other.lasts_until >= way.lasts_until and other.strength >= way.strength for other in known):
        return
    equally_long = fresh.setdefault(vertex, [])
    for other in [
        other for other in equally_long if other.lasts_until <= way.lasts_until and other.strength <= way.strength
    ]:
        equally_long.remove(other)
        known.remove(other)
    known.append(way)
    equally_long.append(way)


def _security_bits(certificate: Certificate) -> int:
    """Estimate the bits of security of its key and of the hash that signed it (NIST SP 800-57 part 1, 5.6.1)."""
    try:
        key, digest = certificate.public_key, certificate.signature_hash_algorithm
    except MalformedCertificateError:
        return _UNKNOWN_STRENGTH
    size: int = getattr(key, "key_size", 256)
    of_key = _of_factoring(size) if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey) else size // 2
    if digest is None:
        return of_key
    of_hash = digest.digest_size * 4
    return min(of_key, of_hash if digest.digest_size * 8 > _WEAK_HASH_BITS else _UNKNOWN_STRENGTH)


def _of_factoring(bits: int) -> int:
    for size, security in ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80)):
        if bits >= size:
            return security
    return _UNKNOWN_STRENGTH
