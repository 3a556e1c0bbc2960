"""Rankings of valid paths, and the reasons why one path is better than another.

RFC 4158 section 3 leaves the choice to the implementation. A ranking is a function from a path to a value; the path
with the smaller value is better. The two rankings here are lists of the same comparisons: the first that differs
decides, and fingerprints come last, so that no two paths are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pkcs12kit.arguments import require_function, require_kind
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.paths.bounds import PathQuality
from pkcs12kit.paths.named_issuers import names_another
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate

Ranking: TypeAlias = Callable[[CertificationPath], Any]
"""A function from a path to a value that can be compared; the path with the smaller value is better."""

Rank: TypeAlias = tuple[Any, ...]
"""One value for each comparison, in their order."""

Order: TypeAlias = Callable[[PathQuality], tuple[float, ...]]
"""A function from a quality to a value that is smaller for a better quality."""

_REMEMBERED: Final = 8_192
_KEY_SHOWN: Final = 60
"""Largest number of characters in a value of the user's ranking that is quoted."""


class Comparison(NamedTuple):
    """One way to compare two paths."""

    key: Callable[[CertificationPath], Any]
    """The path with the smaller value is better."""
    explain: Callable[[CertificationPath, CertificationPath], str]
    """A function that returns the sentence why the first path is better than the second."""


def longest_lasting(path: CertificationPath) -> Rank:
    """Return the rank of a path by which the path that is valid longest comes first.

    Paths with fewer authorityKeyIdentifiers that name another certificate than the one above come before all others:
    OpenSSL does not follow those. Further criteria are, in this order: the fewest certificates, the stronger
    algorithms, and for each certificate, from the target up, the newer one and its fingerprint.
    """
    require_kind("path", path, CertificationPath)
    return (*lasting_before_short(PathQuality.of(path)), _precedences(path))


def shortest(path: CertificationPath) -> Rank:
    """Return the rank of a path by which the path with the fewest certificates comes first.

    As for :func:`longest_lasting`, paths with fewer authorityKeyIdentifiers that name another certificate come before
    all others. Further criteria are, in this order: the longest validity, the stronger algorithms, and for each
    certificate, from the target up, the newer one and its fingerprint.
    """
    require_kind("path", path, CertificationPath)
    return (*short_before_lasting(PathQuality.of(path)), _precedences(path))


def lasting_before_short(quality: PathQuality) -> tuple[float, ...]:
    """Return the value of a quality in the order of :func:`longest_lasting`."""
    return (quality.mismatches, -quality.lasts_until, quality.certificates, -quality.strength)


def short_before_lasting(quality: PathQuality) -> tuple[float, ...]:
    """Return the value of a quality in the order of :func:`shortest`."""
    return (quality.mismatches, quality.certificates, -quality.lasts_until, -quality.strength)


@lru_cache(maxsize=_REMEMBERED)
def precedence(certificate: Certificate) -> tuple[float, str]:
    """Return the key that decides between certificates in paths of equal quality: the newer, then by fingerprint."""
    return (-certificate.not_before.timestamp(), certificate.sha256)


def _precedences(path: CertificationPath) -> tuple[tuple[float, str], ...]:
    return tuple(precedence(certificate) for certificate in path.with_anchor)


def why_before(better: CertificationPath, worse: CertificationPath, ranking: Ranking = longest_lasting) -> str:
    """Return one sentence: the comparison that puts one path before another, with both values."""
    require_kind("better", better, CertificationPath)
    require_kind("worse", worse, CertificationPath)
    require_function("ranking", ranking)
    known = _known(ranking)
    if known is not None:
        return next(
            (one.explain(better, worse) for one in known.comparisons if one.key(better) != one.key(worse)),
            "is the same path",
        )
    keys = ranking(better), ranking(worse)
    if keys[0] == keys[1]:
        return f"is equal by the ranking given; {why_before(better, worse)}"
    shown = [repr(key) for key in keys]
    if max(map(len, shown)) > _KEY_SHOWN:
        return "is better by the ranking given"
    return f"is better by the ranking given: {shown[0]}, the next {shown[1]}"


def explain_order(paths: Sequence[CertificationPath], ranking: Ranking = longest_lasting) -> tuple[str, ...]:
    """Return, for each of the paths in the order of the ranking, the sentence why it comes before the next."""
    return tuple(why_before(better, worse, ranking) for better, worse in pairwise(paths))


def _explain_mismatches(better: CertificationPath, worse: CertificationPath) -> str:
    mismatches, next_mismatches = PathQuality.of(better).mismatches, PathQuality.of(worse).mismatches
    if mismatches:
        return f"has {mismatches} authorityKeyIdentifiers that name another certificate, the next {next_mismatches}"
    links = zip(worse.certificates, worse.issuers, strict=True)
    label = next(certificate.label for certificate, issuer in links if names_another(certificate, issuer))
    return f"has the certificates that authorityKeyIdentifiers name; in the next, {label} names another"


def _explain_expiry(better: CertificationPath, worse: CertificationPath) -> str:
    until, next_until = format_time(better.expires), format_time(worse.expires)
    if until[:10] != next_until[:10]:
        until, next_until = until[:10], next_until[:10]
    return f"lasts until {until}, the next until {next_until}"


def _explain_length(better: CertificationPath, worse: CertificationPath) -> str:
    below = counted(len(better.certificates), "certificate")
    return f"has {below} below the trust anchor, the next {len(worse.certificates)}"


def _explain_strength(better: CertificationPath, worse: CertificationPath) -> str:
    bits, next_bits = PathQuality.of(better).strength, PathQuality.of(worse).strength
    return f"has {bits} bits of security at its weakest, the next {next_bits}"


def _explain_precedence(better: CertificationPath, worse: CertificationPath) -> str:
    for mine, other in zip(better.with_anchor, worse.with_anchor, strict=False):
        if mine.not_before != other.not_before:
            since, next_since = format_time(mine.not_before), format_time(other.not_before)
            if since[:10] != next_since[:10]:
                since, next_since = since[:10], next_since[:10]
            name = mine.label
            return f"has the newer certificate for {name}: from {since}, the next from {next_since}"
        if mine != other:
            return f"is as good; the SHA-256 fingerprint {mine.sha256[:8]}... comes before {other.sha256[:8]}..."
    return "is as good; its trust anchor has no certificate"


_MISMATCHES: Final = Comparison(lambda path: PathQuality.of(path).mismatches, _explain_mismatches)
_EXPIRY: Final = Comparison(lambda path: -PathQuality.of(path).lasts_until, _explain_expiry)
_FEWEST: Final = Comparison(lambda path: PathQuality.of(path).certificates, _explain_length)
_STRENGTH: Final = Comparison(lambda path: -PathQuality.of(path).strength, _explain_strength)
_PRECEDENCE: Final = Comparison(_precedences, _explain_precedence)


class _KnownRanking(NamedTuple):
    """A ranking of this module: the order of qualities, and its comparisons."""

    order: Order
    comparisons: tuple[Comparison, ...]


_KNOWN: Final[dict[Ranking, _KnownRanking]] = {
    longest_lasting: _KnownRanking(lasting_before_short, (_MISMATCHES, _EXPIRY, _FEWEST, _STRENGTH, _PRECEDENCE)),
    shortest: _KnownRanking(short_before_lasting, (_MISMATCHES, _FEWEST, _EXPIRY, _STRENGTH, _PRECEDENCE)),
}

READY_MADE: Final[dict[str, Ranking]] = {"longest-lasting": longest_lasting, "shortest": shortest}
"""The rankings of this module by the names that the command accepts."""


def order_of(ranking: Ranking) -> Order | None:
    """Return the order of qualities of a ranking of this module; None for any other ranking."""
    known = _known(ranking)
    return None if known is None else known.order


def _known(ranking: Ranking) -> _KnownRanking | None:
    """Return a ranking of this module, found by identity, as not every function can be hashed; None for any other."""
    return next((known for one, known in _KNOWN.items() if one is ranking), None)
