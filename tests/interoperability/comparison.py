"""The contents of ``comparison.toml``: the answer of each program to each job."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

_FILE: Final = Path(__file__).with_name("comparison.toml")


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program, the versions that the cells are of, and the one that was tried; none where it is only cited."""

    title: str
    what: str
    version: str = ""
    holds_for: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A job of this project. ``jobs`` and ``must`` are methods of :class:`~.rival_jobs.Jobs`."""

    name: str
    section: str
    title: str
    short: str = ""
    jobs: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What a program makes of it, and why not."""

    answer: str
    says: str = ""
    lacks: str = ""
    note: str = ""
    cited: bool = False

    @property
    def tried(self) -> bool:
        """Whether a program is asked."""
        return self.answer != "none" and not self.cited


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The whole table."""

    tried: date
    system: str
    tools: dict[str, Tool]
    rows: tuple[Row, ...]
    cells: dict[str, dict[str, Cell]]
    notes: dict[str, str]


def _load() -> Comparison:
    table = tomllib.loads(_FILE.read_text("utf-8"))
    rows = [{name: tuple(it) if isinstance(it, list) else it for name, it in row.items()} for row in table["rows"]]
    return Comparison(
        tried=table["tried"],
        system=table["system"],
        tools={name: Tool(**tool) for name, tool in table["tools"].items()},
        rows=tuple(Row(**row) for row in rows),
        cells={row: {tool: Cell(**cell) for tool, cell in cells.items()} for row, cells in table["cells"].items()},
        notes=table["notes"],
    )


COMPARISON: Final = _load()
