"""Why one valid path is better than another (RFC 4158 section 3 leaves the choice to the implementation).

A ranking is a function from a path to a value that compares; the smaller value is the better path. The two here are
lists of the same comparisons: what differs first decides, and at last a fingerprint, so that no two paths are equal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.paths.bounds import Merits
from pkcs12kit.text import counted
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.certificates.certificate import Certificate

Ranking: TypeAlias = Callable[[CertificationPath], Any]
"""From a path to a value that compares with that of any other path; the smaller value is the better path."""

Rank: TypeAlias = tuple[Any, ...]
"""One value for each comparison of a list, in its order."""

Order: TypeAlias = Callable[[Merits], tuple[float, ...]]
"""From merits to a value that is smaller for those that come first."""

_REMEMBERED: Final = 8_192
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

    Then by the fewest certificates, the stronger algorithms, and certificate by certificate, from the target up, by
    the newer one and its fingerprint.
    """
    return (*lasting_before_short(Merits.of(path)), _precedences(path))


def shortest(path: CertificationPath) -> Rank:
    """Rank a path by the fewest certificates.

    Then by the window of validity that lasts longest, the stronger algorithms, and certificate by certificate, from
    the target up, by the newer one and its fingerprint.
    """
    return (*short_before_lasting(Merits.of(path)), _precedences(path))


def lasting_before_short(merits: Merits) -> tuple[float, ...]:
    """Put merits into the order of :func:`longest_lasting`."""
    return (-merits.lasts_until, merits.certificates, -merits.strength)


def short_before_lasting(merits: Merits) -> tuple[float, ...]:
    """Put merits into the order of :func:`shortest`."""
    return (merits.certificates, -merits.lasts_until, -merits.strength)


@lru_cache(maxsize=_REMEMBERED)
def precedence(certificate: Certificate) -> tuple[float, str]:
    """Decide between certificates at one place in paths of the same merits: the newer, then the smaller fingerprint."""
    return (-certificate.not_before.timestamp(), certificate.sha256)


def _precedences(path: CertificationPath) -> tuple[tuple[float, str], ...]:
    return tuple(precedence(certificate) for certificate in path.with_anchor)


def why_before(better: CertificationPath, worse: CertificationPath, ranking: Ranking = longest_lasting) -> str:
    """Say in one sentence which comparison put one path before another, with both values."""
    known = _known(ranking)
    if known is not None:
        return next(
            (one.say(better, worse) for one in known.comparisons if one.key(better) != one.key(worse)),
            "is the same path",
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


def _say_expiry(better: CertificationPath, worse: CertificationPath) -> str:
    until, next_until = format_time(better.expires), format_time(worse.expires)
    if until[:10] != next_until[:10]:
        until, next_until = until[:10], next_until[:10]
    return f"lasts until {until}, the next until {next_until}"


def _say_length(better: CertificationPath, worse: CertificationPath) -> str:
    below = counted(len(better.certificates), "certificate")
    return f"has {below} below the trust anchor, the next {len(worse.certificates)}"


def _say_strength(better: CertificationPath, worse: CertificationPath) -> str:
    bits, next_bits = Merits.of(better).strength, Merits.of(worse).strength
    return f"has {bits} bits of security at its weakest, the next {next_bits}"


def _say_precedence(better: CertificationPath, worse: CertificationPath) -> str:
    for mine, other in zip(better.with_anchor, worse.with_anchor, strict=False):
        if mine.not_before != other.not_before:
            since, next_since = format_time(mine.not_before), format_time(other.not_before)
            if since[:10] != next_since[:10]:
                since, next_since = since[:10], next_since[:10]
            name = mine.subject.short_text
            return f"has the newer certificate for {name}: from {since}, the next from {next_since}"
        if mine != other:
            return f"is as good; the SHA-256 fingerprint {mine.sha256[:8]}... comes before {other.sha256[:8]}..."
    return "is as good; its trust anchor has no certificate"


_EXPIRY: Final = Comparison(lambda path: -Merits.of(path).lasts_until, _say_expiry)
_FEWEST: Final = Comparison(lambda path: Merits.of(path).certificates, _say_length)
_STRENGTH: Final = Comparison(lambda path: -Merits.of(path).strength, _say_strength)
_PRECEDENCE: Final = Comparison(_precedences, _say_precedence)


class _ReadyMade(NamedTuple):
    """What is known of a ranking beside the ranks that it gives."""

    order: Order
    comparisons: tuple[Comparison, ...]


_KNOWN: Final[dict[Ranking, _ReadyMade]] = {
    longest_lasting: _ReadyMade(lasting_before_short, (_EXPIRY, _FEWEST, _STRENGTH, _PRECEDENCE)),
    shortest: _ReadyMade(short_before_lasting, (_FEWEST, _EXPIRY, _STRENGTH, _PRECEDENCE)),
}

READY_MADE: Final[dict[str, Ranking]] = {"longest-lasting": longest_lasting, "shortest": shortest}
"""By the names that the command takes."""


def order_of(ranking: Ranking) -> Order | None:
    """Say in which order merits come first by a ready-made ranking; None for somebody else's."""
    known = _known(ranking)
    return None if known is None else known.order


def _known(ranking: Ranking) -> _ReadyMade | None:
    """Look a ranking up; by identity, as not every function can be hashed."""
    return next((known for one, known in _KNOWN.items() if one is ranking), None)
