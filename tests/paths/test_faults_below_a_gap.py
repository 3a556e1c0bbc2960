"""Random faults on a chain whose issuer is removed at a random place: exactly those that can be judged are listed."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from .test_all_faults import CAS, FAULTS, attempt

OF_ONE = [
    "expired",
    "not-yet-valid",
    "weak-algorithm",
    "bad-signature",
    "unknown-critical-extension",
    "extended-key-usage",
    "server-name",
    "key-usage",
]
"""Faults of a certificate itself, or of its link: what certificates above state is known only below them."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_faults_below_a_missing_issuer(seed):
    """The faults below the gap, and the missing issuer; a damaged signature of an unknown key is no fault."""
    chance = random.Random(seed)  # noqa: S311
    gap = chance.choice(CAS)
    places = {kind: [at for at in FAULTS[kind][0] if at < gap] for kind in OF_ONE}
    kinds = chance.sample([kind for kind in OF_ONE if places[kind]], chance.randint(1, 4))
    if {"expired", "not-yet-valid"} <= set(kinds):
        kinds.remove("expired")
    below = [(kind, chance.choice(places[kind])) for kind in kinds]
    at_gap = [("expired", gap)] if chance.random() < 0.5 else []
    expected, listed = attempt([*below, *at_gap], missing=(gap,))
    judged = {(at, reason) for at, reason in expected if at < gap} - {(gap - 1, "bad-signature")}
    assert set(listed) == judged | {(gap - 1, "issuer-not-found")}, (gap, below)
    assert max(Counter(listed).values()) == 1
