"""Iteration counts of the profiles: those of the release, and few ones for tests that are about something else.

In the process of the tests the profiles derive keys with few iterations, except in tests that are marked
``released_iterations``: most of the suite's time would be spent on the released counts. Processes that tests start
always have the released counts.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pkcs12kit.pkcs12.profiles import PROFILES

RELEASED: Final = MappingProxyType({profile.name: replace(profile) for profile in PROFILES})
"""Copies of the profiles, by name, that keep the released counts in every test."""
FEW: Final = 2_048
"""The counts of the old profiles, above the fewest that any profile accepts."""


def set_iterations(most: int | None) -> None:
    """Limit the counts of every profile to ``most``, or set the released ones for None."""
    for profile in PROFILES:
        for name in ("encryption_iterations", "mac_iterations"):
            count = getattr(RELEASED[profile.name], name)
            object.__setattr__(profile, name, count if most is None else min(count, most))
