"""The one-to-one matching of certificates with those that took their place, by the nearest validity."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from pkcs12kit.certificates.certificate import Certificate

    Pair = tuple[Certificate, Certificate]


class MatchingBudget:
    """The work that is left for comparing validities, in pairs of certificates."""

    def __init__(self, pairs: int) -> None:
        self._left = pairs
        self.is_exhausted = False
        """True if certificates were matched without comparing all validities."""

    def spend(self, pairs: int) -> bool:
        """Return True and count the pairs, if that many are left."""
        if pairs > self._left:
            self.is_exhausted = True
            return False
        self._left -= pairs
        return True


def match_groups(
    before: Mapping[Hashable, list[Certificate]], after: Mapping[Hashable, list[Certificate]], budget: MatchingBudget
) -> Iterator[Pair]:
    """Yield pairs of certificates of the same group: as many as possible, each certificate in one at most."""
    for group, earlier in before.items():
        later = after.get(group)
        if later:
            yield from match(earlier, later, budget)


def match(before: Iterable[Certificate], after: Iterable[Certificate], budget: MatchingBudget) -> list[Pair]:
    """Return as many pairs as possible, in the order of validity on both sides.

    If one side has more certificates, those of it that make the sum of the distances in notBefore and notAfter the
    smallest are used. The answer does not depend on the order of the inputs, nor on which side is ``before``. Takes
    time in proportion to the number of certificates and of the pairs that ``budget`` allows; beyond that, the last
    certificates of the larger side are used.
    """
    earlier, later = sorted(before, key=_validity), sorted(after, key=_validity)
    small, large = (earlier, later) if len(earlier) <= len(later) else (later, earlier)
    spare = len(large) - len(small)
    if spare and budget.spend(len(small) * (spare + 1)):
        large = _nearest(small, large)
    pairs = zip(small, large[-len(small) :], strict=True)
    return list(pairs) if small is earlier else [(one, other) for other, one in pairs]


def _validity(certificate: Certificate) -> tuple[object, ...]:
    return certificate.not_before, certificate.not_after, certificate.sha256


def _instants(certificate: Certificate) -> tuple[int, int]:
    return int(certificate.not_before.timestamp()), int(certificate.not_after.timestamp())


def _nearest(small: list[Certificate], large: list[Certificate]) -> list[Certificate]:
    """Return the partners of ``small`` in ``large``, in order, with the smallest sum of distances."""
    spare = len(large) - len(small)
    starts, ends = ([_instants(one) for one in side] for side in (small, large))
    # best[k]: the least sum for the certificates of the small side so far, where k of the large side are passed over
    best = [0] * (spare + 1)
    passed = []
    for number, (begin, end) in enumerate(starts):
        row = bytearray(spare + 1)
        for over in range(spare + 1):
            other = ends[number + over]
            here = best[over] + abs(begin - other[0]) + abs(end - other[1])
            if over and best[over - 1] < here:
                row[over] = 1
                here = best[over - 1]
            best[over] = here
        passed.append(row)
    chosen: list[Certificate] = []
    over = spare
    for number in range(len(small) - 1, -1, -1):
        while passed[number][over]:
            over -= 1
        chosen.append(large[number + over])
    return chosen[::-1]
