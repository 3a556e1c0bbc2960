"""Why one valid path is better than another (RFC 4158 section 3 leaves the choice to the implementation)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.path import CertificationPath

_WEAK_HASH_BITS = 160
_UNKNOWN_STRENGTH = 0


class Rank(NamedTuple):
    """What paths are compared by, in this order; the smaller rank is the better path."""

    lasts_until: float
    """The window of validity that lasts longest first: minus the earliest expiry, seconds since 1970."""
    length: int
    """Then the fewest certificates."""
    weakness: int
    """Then the stronger algorithms: minus the bits of security of the weakest key or hash."""
    age: tuple[float, ...]
    """Then the newer: minus notBefore, seconds since 1970, of each certificate, the target first."""
    fingerprints: tuple[str, ...]
    """Then by SHA-256 fingerprint, so that no two paths are equal."""


def longest_lasting(path: CertificationPath) -> Rank:
    """Rank a path by the default list of comparisons."""
    return Rank(
        lasts_until=-path.expires.timestamp(),
        length=len(path.certificates),
        weakness=-min(_security_bits(certificate) for certificate in path.certificates),
        age=tuple(-certificate.not_before.timestamp() for certificate in path.certificates),
        fingerprints=tuple(certificate.sha256 for certificate in path.with_anchor),
    )


def _security_bits(certificate: Certificate) -> int:
    """Estimate the bits of security of its key and of the hash that signed it (NIST SP 800-57 part 1, 5.6.1)."""
    try:
        key, digest = certificate.public_key, certificate.as_cryptography.signature_hash_algorithm
    except (MalformedCertificateError, UnsupportedAlgorithm):
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
