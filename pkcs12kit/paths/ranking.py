"""Why one valid path is better than another (RFC 4158 section 3 leaves the choice to the implementation).

A ranking is a function from a path to a value that compares; the smaller value is the better path. The two here are
lists of the same five comparisons: what differs first decides, and at last the fingerprints, so that no two paths are
equal.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.times import format_time
from pkcs12kit.errors import MalformedCertificateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate

Ranking: TypeAlias = Callable[[CertificationPath], Any]
"""From a path to a value that compares with that of any other path; the smaller value is the better path."""

Rank: TypeAlias = tuple[Any, ...]
"""One value for each comparison of a list, in its order."""

_WEAK_HASH_BITS: Final = 160
_UNKNOWN_STRENGTH: Final = 0
_KEY_SHOWN: Final = 60
"""Characters of a value of somebody else's ranking that are quoted."""


class Comparison(NamedTuple):
    """One way to compare two paths."""

    key: Callable[[CertificationPath], Any]
    """The smaller is the better."""
    say: Callable[[CertificationPath, CertificationPath], str]
    """Put what makes the first better than the second into words."""


def longest_lasting(path: CertificationPath) -> Rank:
    """Rank a path by the window of validity that lasts longest.

    Then by the fewest certificates, the stronger algorithms, the newer certificates and the fingerprints.
    """
    return tuple(comparison.key(path) for comparison in LONGEST_LASTING)


def shortest(path: CertificationPath) -> Rank:
    """Rank a path by the fewest certificates.

    Then by the window of validity that lasts longest, the stronger algorithms, the newer certificates and the
    fingerprints.
    """
    return tuple(comparison.key(path) for comparison in SHORTEST)


def why_before(better: CertificationPath, worse: CertificationPath, ranking: Ranking = longest_lasting) -> str:
    """Say in one sentence which comparison put one path before another, with both values."""
    comparisons = next((comparisons for known, comparisons in _LISTS if known is ranking), None)
    if comparisons is not None:
        return next(
            (one.say(better, worse) for one in comparisons if one.key(better) != one.key(worse)), "is the same path"
        )
    keys = ranking(better), ranking(worse)
    if keys[0] == keys[1]:
        return f"is as good by the ranking given; {why_before(better, worse)}"
    shown = [repr(key) for key in keys]
    if max(map(len, shown)) > _KEY_SHOWN:
        return "is better by the ranking given"
    return f"is better by the ranking given: {shown[0]}, the next {shown[1]}"


def explain_order(paths: Sequence[CertificationPath], ranking: Ranking = longest_lasting) -> tuple[str, ...]:
    """Say of each of the paths, which are in the order of the ranking, what put it before the next."""
    return tuple(why_before(better, worse, ranking) for better, worse in pairwise(paths))


def _expiry(path: CertificationPath) -> float:
    """Minus the earliest expiry, the anchor's among them, in seconds since 1970."""
    return -path.expires.timestamp()


def _say_expiry(better: CertificationPath, worse: CertificationPath) -> str:
    until, next_until = format_time(better.expires), format_time(worse.expires)
    if until[:10] != next_until[:10]:
        until, next_until = until[:10], next_until[:10]
    return f"lasts until {until}, the next until {next_until}"


def _length(path: CertificationPath) -> int:
    return len(path.certificates)


def _say_length(better: CertificationPath, worse: CertificationPath) -> str:
    return f"has {_certificates(_length(better))} below the trust anchor, the next {_length(worse)}"


def _certificates(number: int) -> str:
    return "1 certificate" if number == 1 else f"{number} certificates"


def _weakness(path: CertificationPath) -> int:
    """Minus the bits of security of its weakest key or hash."""
    return -min(_security_bits(certificate) for certificate in path.certificates)


def _say_strength(better: CertificationPath, worse: CertificationPath) -> str:
    return f"has {-_weakness(better)} bits of security at its weakest, the next {-_weakness(worse)}"


def _age(path: CertificationPath) -> tuple[float, ...]:
    """Minus notBefore, in seconds since 1970, of each certificate, the target first."""
    return tuple(-certificate.not_before.timestamp() for certificate in path.certificates)


def _say_newer(better: CertificationPath, worse: CertificationPath) -> str:
    for newer, older in zip(better.certificates, worse.certificates, strict=False):
        if newer.not_before != older.not_before:
            since, next_since = format_time(newer.not_before), format_time(older.not_before)
            if since[:10] != next_since[:10]:
                since, next_since = since[:10], next_since[:10]
            name = newer.subject.common_name or newer.subject
            return f"has the newer certificate for {name}: from {since}, the next from {next_since}"
    return "has as many certificates"  # of paths of one length, which is compared before


def _fingerprints(path: CertificationPath) -> tuple[str, ...]:
    return tuple(certificate.sha256 for certificate in path.with_anchor)


def _say_fingerprint(better: CertificationPath, worse: CertificationPath) -> str:
    for mine, other in zip(_fingerprints(better), _fingerprints(worse), strict=False):
        if mine != other:
            return f"is as good; its SHA-256 fingerprint {mine[:8]}... comes before {other[:8]}..."
    return "is as good; its trust anchor has no certificate"


_EXPIRY: Final = Comparison(_expiry, _say_expiry)
_FEWEST: Final = Comparison(_length, _say_length)
_STRENGTH: Final = Comparison(_weakness, _say_strength)
_NEWER: Final = Comparison(_age, _say_newer)
_FINGERPRINT: Final = Comparison(_fingerprints, _say_fingerprint)

LONGEST_LASTING: Final = (_EXPIRY, _FEWEST, _STRENGTH, _NEWER, _FINGERPRINT)
SHORTEST: Final = (_FEWEST, _EXPIRY, _STRENGTH, _NEWER, _FINGERPRINT)
_LISTS: Final[tuple[tuple[Ranking, tuple[Comparison, ...]], ...]] = (
    (longest_lasting, LONGEST_LASTING),
    (shortest, SHORTEST),
)

READY_MADE: Final[dict[str, Ranking]] = {"longest-lasting": longest_lasting, "shortest": shortest}
"""By the names that the command takes."""


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
