"""The divergences that are expected: ``divergences.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .worlds import Verdict

if TYPE_CHECKING:
    from .worlds import Scenario

_LISTED: Final = re.compile(r"(?<!not)[/-]listed\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """A kind of scenario in which programs do not give the expected verdict."""

    about: str
    title: str
    kinds: tuple[str, ...]
    exceptions: tuple[str, ...]
    programs: tuple[str, ...]
    says: str
    varies: bool
    clause: str
    right: str
    reason: str

    def is_about(self, kind: str, program: str) -> bool:
        """Return True where a program may diverge for this reason in scenarios of a kind."""
        return (
            program in self.programs
            and any(fnmatchcase(kind, pattern) for pattern in self.kinds)
            and not any(fnmatchcase(kind, pattern) for pattern in self.exceptions)
        )

    def verdict(self, scenario: Scenario) -> Verdict:
        """Return the program's verdict about a scenario of one kind."""
        if self.says == "unused":
            return Verdict.UNKNOWN
        if self.says == "used":
            return Verdict.REVOKED if _LISTED.search(scenario.name) else Verdict.GOOD
        return Verdict(self.says)


def _read() -> tuple[Divergence, ...]:
    tables = tomllib.loads(Path(__file__).with_name("divergences.toml").read_text("utf-8"))["divergence"]
    return tuple(
        Divergence(
            kinds=tuple(table.pop("kinds")),
            exceptions=tuple(table.pop("except", ())),
            programs=tuple(table.pop("programs")),
            varies=table.pop("varies", False),
            **table,
        )
        for table in tables
    )


DIVERGENCES: Final = _read()


def divergence_of(scenario: Scenario, program: str) -> Divergence | None:
    """Return the divergence of a program in a scenario of one kind; None where it should not diverge."""
    [kind] = scenario.kinds
    first = next((it for it in DIVERGENCES if it.is_about(kind, program)), None)
    return None if first is None or first.verdict(scenario) is scenario.expected else first


def explain(scenario: Scenario, program: str) -> Divergence | None:
    """Return a divergence that a scenario of several kinds may show; None where there is none."""
    return next((it for it in DIVERGENCES if any(it.is_about(kind, program) for kind in scenario.kinds)), None)
