"""What ``expected.toml`` says of each cell."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from .matrix import Reading, Writing

_FILE: Final = Path(__file__).with_name("expected.toml")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A version of a program: the release of Debian that has it, how it begins, and the one that was tried."""

    program: str
    title: str
    system: str
    holds_for: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Cells that are a no: those of these programs, and of every profile (or form), key and password not narrowed.

    ``programs`` and ``keys`` may be patterns, as ``java-*``; ``says`` is a pattern of what the program, or pkcs12kit,
    says.
    """

    programs: tuple[str, ...]
    says: str
    why: str
    profiles: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    passwords: tuple[str, ...] = ()

    def is_for(self, program: str, cell: Reading | Writing) -> bool:
        """Tell whether a cell is one of these."""
        first = (*self.profiles, *self.forms)
        return (
            any(fnmatchcase(program, it) for it in self.programs)
            and (not first or cell[0] in first)
            and (not self.keys or any(fnmatchcase(cell.key, it) for it in self.keys))
            and (not self.passwords or cell.password in self.passwords)
        )


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The whole table."""

    tried: date
    programs: dict[str, Program]
    own_order: dict[str, str]
    """By program, whatever its version."""
    read: tuple[Refusal, ...]
    write: tuple[Refusal, ...]


def _load() -> Expected:
    table = tomllib.loads(_FILE.read_text("utf-8"))
    refusals = {
        direction: tuple(
            Refusal(**{name: tuple(it) if isinstance(it, list) else it for name, it in refusal.items()})
            for refusal in table[direction]
        )
        for direction in ("read", "write")
    }
    programs = {name: Program(**program) for name, program in table["programs"].items()}
    return Expected(**{**table, **refusals, "programs": programs})


EXPECTED: Final = _load()
