"""Each kind of issuingDistributionPoint against each kind of cRLDistributionPoints (RFC 5280 section 6.3.3 (b))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .. import der
from .objects import extension, relative_name
from .worlds import Scenario, Verdict, plain_levels, scenario_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .worlds import Level

ALL_REASONS: Final = frozenset(range(1, 9))
KEY_COMPROMISE: Final = frozenset({1})
OWN: Final = "own"
"""The name of the certificate's issuer, who is the CRL's issuer."""
_RELATIVE: Final = "relative"
_URIS: Final = {it: f"http://crl.invalid/{it}.crl".encode("ascii") for it in ("a", "b")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A distribution point of the certificate."""

    names: tuple[str, ...] = ()
    crl_issuer: str | None = None
    reasons: frozenset[int] | None = None

    def encode(self, issuer: bytes, other: bytes) -> bytes:
        """Return the DistributionPoint, DER."""
        return der.sequence(
            _distribution_point_name(self.names, issuer),
            der.named_bits(*self.reasons, tag=0x81) if self.reasons else b"",
            der.explicit(2, der.explicit(4, issuer if self.crl_issuer == OWN else other)) if self.crl_issuer else b"",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The issuingDistributionPoint of the CRL."""

    names: tuple[str, ...] = ()
    users: bool = False
    cas: bool = False
    indirect: bool = False
    reasons: frozenset[int] | None = None
    critical: bool = True

    def encode(self, issuer: bytes) -> bytes:
        """Return the extension, DER."""
        flags = {1: self.users, 2: self.cas, 4: self.indirect}
        parts = {number: der.implicit(number, b"\xff") for number, it in flags.items() if it}
        if self.reasons:
            parts[3] = der.named_bits(*self.reasons, tag=0x83)
        return extension(
            "2.5.29.28",
            der.sequence(_distribution_point_name(self.names, issuer), *(parts[number] for number in sorted(parts))),
            critical=self.critical,
        )


def _distribution_point_name(names: tuple[str, ...], issuer: bytes) -> bytes:
    """Return the field distributionPoint; absent without names."""
    if not names:
        return b""
    if _RELATIVE in names:
        return der.explicit(0, der.explicit(1, relative_name("Part")[2:]))
    general = (der.explicit(4, issuer) if it == OWN else der.implicit(6, _URIS[it]) for it in names)
    return der.explicit(0, der.explicit(0, *general))


POINTS: Final = {
    "no-points": (),
    "a": (Point(names=("a",)),),
    "a-or-b": (Point(names=("a", "b")),),
    "a-and-b": (Point(names=("a",)), Point(names=("b",))),
    "relative": (Point(names=(_RELATIVE,)),),
    "own-name": (Point(names=(OWN,)),),
    "own-issuer": (Point(crl_issuer=OWN),),
    "own-issuer-a": (Point(names=("a",), crl_issuer=OWN),),
    "other-issuer-a": (Point(names=("a",), crl_issuer="other"),),
    "a-for-key-compromise": (Point(names=("a",), reasons=KEY_COMPROMISE),),
}
SCOPES: Final = {
    "no-scope": None,
    "a": Scope(names=("a",)),
    "b": Scope(names=("b",)),
    "b-not-critical": Scope(names=("b",), critical=False),
    "b-or-a": Scope(names=("b", "a")),
    "relative": Scope(names=(_RELATIVE,)),
    "own-name": Scope(names=(OWN,)),
    "users": Scope(users=True),
    "indirect": Scope(indirect=True),
    "indirect-a": Scope(names=("a",), indirect=True),
    "key-compromise": Scope(reasons=KEY_COMPROMISE),
}


def covered_reasons(point: Point, scope: Scope | None) -> frozenset[int]:
    """Return the reasons that a CRL of the certificate's issuer covers through one point (6.3.3 (b) and (d))."""
    scope = scope or Scope()
    if point.crl_issuer is not None and (point.crl_issuer != OWN or not scope.indirect):
        return frozenset()
    names = point.names or ((point.crl_issuer,) if point.crl_issuer else ())
    if scope.cas or (scope.names and not set(scope.names) & set(names)):
        return frozenset()
    return (scope.reasons or ALL_REASONS) & (point.reasons or ALL_REASONS)


def expected_status(points: tuple[Point, ...], scope: Scope | None, *, listed: bool) -> Verdict:
    """Return the status by 6.3.3, whose last paragraph adds a point with the issuer's own name."""
    every = (*points, Point(names=(OWN,)))
    covered = frozenset().union(*(covered_reasons(point, scope) for point in every))
    if listed and covered & KEY_COMPROMISE:
        return Verdict.REVOKED
    return Verdict.GOOD if covered == ALL_REASONS else Verdict.UNKNOWN


def scope_scenarios(now: datetime) -> Iterator[Scenario]:
    """Yield each pair, with the server listed and not listed."""
    for scope_name, scope in SCOPES.items():
        for points_name, points in POINTS.items():
            for listed in (False, True):
                levels = plain_levels(1)
                levels[0] = _scoped(levels[0], points, scope)
                if listed:
                    levels[0] = levels[0].listed()
                kind = f"scope-{scope_name}/points-{points_name}/{'listed' if listed else 'not-listed'}"
                expected = expected_status(points, scope, listed=listed)
                yield scenario_of(levels, label=kind, kinds=(kind,), expected=expected, now=now)


def _scoped(level: Level, points: tuple[Point, ...], scope: Scope | None) -> Level:
    """Return the level with both extensions."""
    if scope is not None:
        level = level.with_crl(extensions=(scope.encode(level.issuer),))
    if points:
        other = plain_levels(1)[1].issuer
        encoded = (point.encode(level.issuer, other) for point in points)
        level = level.with_extensions(extension("2.5.29.31", der.sequence(*encoded)))
    return level
