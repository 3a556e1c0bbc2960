"""Scenarios in which the OCSP response about the server is unusual in one way, and random ones in several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .crl_peculiarities import Effect
from .crl_scenarios import kinds_of, status_of
from .ocsp_peculiarities import OTHERS, STATUSES, Peculiarity, ask
from .worlds import Scenario, path_of, plain_levels

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence
    from datetime import datetime

_REVOKED: Final = next(status for status in STATUSES if status.name == "ocsp-revoked")


def _scenario(label: str | None, peculiarities: Sequence[Peculiarity], now: datetime) -> Scenario:
    levels = plain_levels(1)
    path, anchor = path_of(levels, now)
    question = ask(levels[0], path[1], now)
    for peculiarity in peculiarities:
        question = peculiarity.change(question)
    kinds = kinds_of(peculiarities)
    return Scenario(
        name=label or kinds[-1],
        kinds=tuple(kinds) if label else (kinds[-1],),
        expected=status_of(peculiarities),
        path=path,
        anchor=anchor,
        crls=tuple(crl.encode(now) for crl in (levels[1].crl, *question.crls)),
        response=question.response.encode(now),
        exact=label is None,
    )


def single_scenarios(now: datetime) -> Iterator[Scenario]:
    """Yield each peculiarity alone, in a response that says good and in one that says revoked."""
    for status in STATUSES:
        yield _scenario(None, (status,), now)
    for other in OTHERS:
        yield _scenario(None, (other,), now)
        if other.effect is not Effect.REVOKES:
            yield _scenario(None, (_REVOKED, other), now)


def random_scenarios(now: datetime, source: random.Random, count: int) -> Iterator[Scenario]:
    """Yield responses that are unusual in up to four ways."""
    for number in range(count):
        drawn = [source.choice(STATUSES) if source.random() < 0.5 else STATUSES[0]]
        groups = {"status"}
        for peculiarity in source.sample(OTHERS, source.choice((2, 3, 4))):
            if peculiarity.group not in groups | {"beside"}:  # those copy an answer, which may be unusual itself
                groups.add(peculiarity.group)
                drawn.append(peculiarity)
        yield _scenario(f"random-ocsp/{number}", drawn, now)
