"""What ``comparison.toml`` says of each program and job, and the page and the README's table that follow from it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

BEGIN: Final = "<!-- The rest is written by the tests: see tests/interoperability/test_interop_comparison.py. -->\n"
_FILE: Final = Path(__file__).with_name("comparison.toml")
_NOT_TRIED: Final = "-"


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


class _Notes:
    """Notes, numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, note: str) -> int:
        return self._numbers.setdefault(note, len(self._numbers) + 1)

    def lines(self) -> Iterator[str]:
        for note, number in self._numbers.items():
            yield f"{number}. {COMPARISON.notes[note]}."


def _cell(row: Row, tool: str, notes: _Notes | None) -> str:
    cell = COMPARISON.cells[row.name].get(tool)
    if cell is None:
        return _NOT_TRIED
    words = [_NOT_TRIED if cell.answer == "none" else cell.answer]
    if cell.cited:
        words.append("(cited)")
    if cell.note and notes is not None:
        words.append(f"[{notes.of(cell.note)}]")
    return " ".join(words)


def _table(rows: Iterable[Row], notes: _Notes) -> Iterator[str]:
    yield f"| | {' | '.join(tool.title for tool in COMPARISON.tools.values())} |"
    yield f"| --- |{' --- |' * len(COMPARISON.tools)}"
    for row in rows:
        yield f"| {row.title} | {' | '.join(_cell(row, tool, notes) for tool in COMPARISON.tools)} |"


def render() -> str:
    """Write the part of the page that follows from the table."""
    notes = _Notes()
    lines = [
        BEGIN,
        f"Tried on {COMPARISON.tried.isoformat()} with the programs of {COMPARISON.system}:",
        "",
        "| program | version tried | how |",
        "| --- | --- | --- |",
        *(f"| {it.title} | {it.version or 'none'} | {it.what} |" for it in COMPARISON.tools.values()),
        "",
        f"'{_NOT_TRIED}' means not tried or not applicable. 'cited' means that the makers say so and it was not tried.",
        "The numbers refer to the notes at the end.",
        "",
    ]
    for section, rows in groupby(COMPARISON.rows, key=lambda row: row.section):
        lines += [f"## {section}", "", *_table(rows, notes), ""]
    lines += ["## Notes", "", *notes.lines()]
    return "\n".join(lines) + "\n"


def short_table() -> str:
    """Write the table of the README: the rows that it has room for, without notes."""
    lines = [
        f"| | {' | '.join(tool.title for tool in COMPARISON.tools.values())} |",
        f"| --- |{' --- |' * len(COMPARISON.tools)}",
    ]
    lines += (
        f"| {row.short} | {' | '.join(_cell(row, tool, None) for tool in COMPARISON.tools)} |"
        for row in COMPARISON.rows
        if row.short
    )
    return "\n".join(lines) + "\n"
