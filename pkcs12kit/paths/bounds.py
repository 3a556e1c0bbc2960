"""Bounds of a best-first search: the best quality that a path through a vertex of the graph can have."""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.named_issuers import NamedIssuers, names_another

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping
    from typing import Self

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath
    from pkcs12kit.certificates.trust_anchor import TrustAnchor

VertexT = TypeVar("VertexT", bound="Hashable")

_WEAK_HASH_BITS: Final = 160
_UNKNOWN_STRENGTH: Final = 0
# By class name, for keys of one size: FIPS 186-5 section 7.1, and FIPS 204 section 4 (categories 2, 3 and 5).
_STRENGTHS: Final = {
    "Ed25519PublicKey": 128,
    "Ed448PublicKey": 224,
    "MLDSA44PublicKey": 128,
    "MLDSA65PublicKey": 192,
    "MLDSA87PublicKey": 256,
}
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
    mismatches: int = 0
    """The number of certificates whose authorityKeyIdentifier names another certificate than the one above it."""

    @classmethod
    def of(cls, path: CertificationPath) -> Self:
        """Return the quality of a path.

        The expiry is :attr:`CertificationPath.expires <pkcs12kit.CertificationPath.expires>`. The strength of the trust
        anchor's certificate does not count, nor is it among the certificates.
        """
        return cls(
            path.expires.timestamp(),
            len(path.certificates),
            min(quality_of(certificate).strength for certificate in path.certificates),
            sum(map(names_another, path.certificates, path.issuers)),
        )

    @classmethod
    def at(cls, anchor: TrustAnchor, *, expires: bool = True) -> Self:
        """Return the quality of the part that consists of a trust anchor only.

        Without ``expires``, the expiry of the anchor's certificate does not count.
        """
        own = anchor.certificate if expires else None
        return cls(inf if own is None else own.not_after.timestamp(), 0, inf)

    def joined_with(self, other: PathQuality, mismatch: bool) -> PathQuality:  # noqa: FBT001  # called for each link
        """Return the quality of two parts together.

        ``mismatch`` is True if the upper end of the lower part names another certificate than the one above it.
        """
        return PathQuality(
            min(self.lasts_until, other.lasts_until),
            self.certificates + other.certificates,
            min(self.strength, other.strength),
            self.mismatches + other.mismatches + mismatch,
        )


class Bound(NamedTuple):
    """The quality of a walk from a trust anchor to a vertex of the graph."""

    quality: PathQuality
    last: Certificate | TrustAnchor | None
    """The certificate or anchor at the lower end; None where the bound is for any of them."""

    def below(self, certificate: Certificate, quality: PathQuality) -> PathQuality:
        """Return the quality of the walk with a part below it, whose uppermost certificate is ``certificate``."""
        last = self.last
        return quality.joined_with(self.quality, last is not None and names_another(certificate, last))


class IssuerKinds(Generic[VertexT]):
    """The kinds of issuers at each vertex: a certificate below it names all those of one kind, or none of them.

    Most CAs are of one kind: the certificates that they issued name one key identifier and no serial number.
    """

    def __init__(self, issued_at: Callable[[VertexT], Iterable[tuple[Certificate, VertexT]]]) -> None:
        self._issued_at = issued_at
        self._named: dict[VertexT, NamedIssuers] = {}

    def dominates(self, vertex: VertexT, one: Bound, other: Bound) -> bool:
        """Return True where no path through the walk ``other`` is better than the same one through the walk ``one``.

        The lengths are not compared. The certificate below adds one mismatch at most, so that a walk with fewer
        mismatches is as good, whichever kind of issuer is at its end.
        """
        mine, others = one.quality, other.quality
        if mine.lasts_until < others.lasts_until or mine.strength < others.strength:
            return False
        if mine.mismatches != others.mismatches:
            return mine.mismatches < others.mismatches
        if one.last is None or one.last is other.last:
            return True
        return other.last is not None and self._kind(vertex, one.last) == self._kind(vertex, other.last)

    def _kind(self, vertex: VertexT, issuer: Certificate | TrustAnchor) -> Hashable:
        named = self._named.get(vertex)
        if named is None:
            named = self._named[vertex] = NamedIssuers.by(certificate for certificate, _ in self._issued_at(vertex))
        return named.kind(issuer)


@lru_cache(maxsize=_REMEMBERED)
def quality_of(certificate: Certificate) -> PathQuality:
    """Return the quality of the part that consists of one certificate only."""
    return PathQuality(certificate.not_after.timestamp(), 1, _security_bits(certificate))


def bounds_from_anchors(
    trust_anchors: Mapping[VertexT, Iterable[tuple[TrustAnchor, PathQuality]]],
    links_down: Callable[[VertexT], Iterable[tuple[Certificate, VertexT]]],
    kinds: IssuerKinds[VertexT],
) -> dict[VertexT, tuple[Bound, ...]]:
    """Return the bounds of each vertex that can be reached from a trust anchor, the shortest first.

    They are the qualities of the walks from the anchors, each with its own quality, to the vertex, without those that
    another walk dominates. Walks may contain cycles, so that a simple path can be worse than the bounds, and never
    better. A certificate is examined as often as its issuer gets a new bound: once where all certificates expire
    together, 32 times at most.
    """
    bounds: dict[VertexT, list[Bound]] = {}
    added: dict[VertexT, list[Bound]] = {}
    for vertex, anchors in trust_anchors.items():
        for anchor, quality in anchors:
            _add_unless_dominated(Bound(quality, anchor), vertex, bounds, added, kinds)
    while added:
        arrived, added = added, {}
        for vertex, walks in arrived.items():
            for certificate, below in links_down(vertex):
                own = quality_of(certificate)
                for walk in walks:
                    longer = Bound(walk.below(certificate, own), certificate)
                    _add_unless_dominated(longer, below, bounds, added, kinds)
    return {vertex: tuple(walks) for vertex, walks in bounds.items()}


def _add_unless_dominated(
    bound: Bound,
    vertex: VertexT,
    bounds: dict[VertexT, list[Bound]],
    added: dict[VertexT, list[Bound]],
    kinds: IssuerKinds[VertexT],
) -> None:
    """Add a bound to a vertex unless one that is there dominates it; drop those of the same length that it dominates.

    Bounds arrive in the order of their lengths: those that are there are never longer.
    """
    known = bounds.setdefault(vertex, [])
    if len(known) == _MOST_BOUNDS - 1:
        bound = Bound(PathQuality(inf, bound.quality.certificates, inf), None)  # dominates every longer one
    if any(kinds.dominates(vertex, other, bound) for other in known):
        return
    equally_long = added.setdefault(vertex, [])
    for other in [other for other in equally_long if kinds.dominates(vertex, bound, other)]:
        equally_long.remove(other)
        known.remove(other)
    known.append(bound)
    equally_long.append(bound)


def _security_bits(certificate: Certificate) -> int:
    """Return the bits of security of the key and of the hash of the signature, the smaller of the two.

    Estimated by NIST SP 800-57 part 1, section 5.6.1.
    """
    try:
        key, digest = certificate.public_key, certificate.signature_hash_algorithm
    except MalformedCertificateError:
        return _UNKNOWN_STRENGTH
    if isinstance(key, rsa.RSAPublicKey | dsa.DSAPublicKey):
        of_key = _bits_of_factoring(key.key_size)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        of_key = key.key_size // 2
    else:
        of_key = _STRENGTHS.get(type(key).__name__, _UNKNOWN_STRENGTH)
    if digest is None:
        return of_key
    of_hash = digest.digest_size * 4
    return min(of_key, of_hash if digest.digest_size * 8 > _WEAK_HASH_BITS else _UNKNOWN_STRENGTH)


def _bits_of_factoring(bits: int) -> int:
    for size, security in ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80)):
        if bits >= size:
            return security
    return _UNKNOWN_STRENGTH
