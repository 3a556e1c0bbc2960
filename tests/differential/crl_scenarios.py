"""Scenarios in which the CRL about one certificate is unusual, and random ones in which several are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from .crl_peculiarities import OTHERS, STATUSES, VERSIONS, Effect, Peculiarity, only_for
from .worlds import Scenario, Verdict, plain_levels, scenario_of

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from datetime import datetime


class _Named(Protocol):
    """A peculiarity of a CRL or of an OCSP response."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def group(self) -> str:
        """Its group."""

    @property
    def effect(self) -> Effect:
        """Its effect."""


LISTED: Final = next(status for status in STATUSES if status.name == "crl-listed")
_LEVELS: Final = {"server": 0, "ca": 1}


def status_of(peculiarities: Sequence[_Named]) -> Verdict:
    """Return the status of a certificate whose CRL is unusual in several ways."""
    effects = {peculiarity.effect for peculiarity in peculiarities}
    if Effect.SPOILS in effects:
        return Verdict.UNKNOWN
    return Verdict.REVOKED if Effect.REVOKES in effects else Verdict.GOOD


def worst(statuses: Sequence[Verdict]) -> Verdict:
    """Return the verdict on a path: one revoked certificate is enough, then one that is unknown."""
    return next((it for it in (Verdict.REVOKED, Verdict.UNKNOWN) if it in statuses), Verdict.GOOD)


def single_scenarios(now: datetime) -> Iterator[Scenario]:
    """Yield each peculiarity alone: of the server's CRL and of the CA's, where it is listed and where it is not."""
    for where, at in _LEVELS.items():
        level = plain_levels(1)[at]
        chosen = [(status,) for status in (*STATUSES, *VERSIONS)]
        chosen += [(it,) for it in (*OTHERS, *only_for(level))]
        chosen += [(LISTED, it) for it in (*OTHERS, *only_for(level))]
        for peculiarities in chosen:
            levels = plain_levels(1)
            for peculiarity in peculiarities:
                levels[at] = peculiarity.change(levels[at])
            [*_, kind] = kinds_of(peculiarities, where)
            yield scenario_of(
                levels,
                label=kind,
                kinds=(kind,),
                expected=status_of(peculiarities),
                now=now,
            )


def random_scenarios(now: datetime, source: random.Random, count: int) -> Iterator[Scenario]:
    """Yield paths with one or two CAs, each certificate's CRL unusual in up to three ways."""
    for number in range(count):
        levels = plain_levels(source.choice((1, 2)))
        statuses, kinds = [], []
        for at, level in enumerate(levels):
            drawn = _draw(source, [*OTHERS, *only_for(level)])
            for peculiarity in drawn:
                levels[at] = peculiarity.change(levels[at])
            statuses.append(status_of(drawn))
            kinds += kinds_of(drawn, "ca" if at else "server")
        yield scenario_of(
            levels,
            label=f"random/{number}",
            kinds=tuple(kinds),
            expected=worst(statuses),
            now=now,
            exact=False,
        )


def kinds_of(peculiarities: Sequence[_Named], *where: str) -> list[str]:
    """Return the names of peculiarities of one CRL or response: for all but a status with listed or not-listed."""
    listed = "listed" if any(it.effect is Effect.REVOKES for it in peculiarities) else "not-listed"
    return ["/".join([it.name, *([] if it.group == "status" else [listed]), *where]) for it in peculiarities]


def _draw(source: random.Random, others: Sequence[Peculiarity]) -> list[Peculiarity]:
    """Draw a status, mostly the plain one, and up to two others of different groups."""
    drawn = [source.choice(STATUSES) if source.random() < 0.4 else STATUSES[0]]
    groups = {"status"}
    for _ in range(source.choice((0, 0, 1, 2))):
        peculiarity = source.choice(others)
        # What changes the CRL comes before what copies it or takes it away.
        if peculiarity.group not in groups | {"beside"} and peculiarity.name != "crl-absent":
            groups.add(peculiarity.group)
            drawn.append(peculiarity)
    return drawn
