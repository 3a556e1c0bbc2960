"""The page that compares pkcs12kit with other programs, and the README's table, from what a table of cells has.

``tests/interoperability/comparison.toml`` has the cells, and ``comparison.py`` beside it reads them. A test holds each
cell against the program, and both texts against this module; ``PKCS12KIT_WRITE_PAGE=1`` lets it write the page.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BEGIN: Final = "<!-- The rest is written by docs/making/comparison.py. -->\n"
_NOT_TRIED: Final = "-"


class _Notes:
    """Notes, numbered in the order of their first use."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self._numbers: dict[str, int] = {}

    def number_of(self, note: str) -> int:
        return self._numbers.setdefault(note, len(self._numbers) + 1)

    def lines(self) -> Iterator[str]:
        for note, number in self._numbers.items():
            yield f"{number}. {self._texts[note]}."


def _cell(comparison: Any, row: Any, tool: str, notes: _Notes | None) -> str:  # noqa: ANN401  # the tests' classes
    cell = comparison.cells[row.name].get(tool)
    if cell is None:
        return _NOT_TRIED
    words = [_NOT_TRIED if cell.answer == "none" else cell.answer]
    if cell.cited:
        words.append("(cited)")
    if cell.note and notes is not None:
        words.append(f"[{notes.number_of(cell.note)}]")
    return " ".join(words)


def _head(comparison: Any) -> list[str]:  # noqa: ANN401  # as above
    titles = " | ".join(tool.title for tool in comparison.tools.values())
    return [f"| | {titles} |", f"| --- |{' --- |' * len(comparison.tools)}"]


def _table(comparison: Any, rows: Iterable[Any], notes: _Notes) -> Iterator[str]:  # noqa: ANN401  # as above
    yield from _head(comparison)
    for row in rows:
        yield f"| {row.title} | {' | '.join(_cell(comparison, row, tool, notes) for tool in comparison.tools)} |"


def render(comparison: Any) -> str:  # noqa: ANN401  # as above
    """Return the part of the page that follows from the cells."""
    notes = _Notes(comparison.notes)
    lines = [
        BEGIN,
        f"Tried on {comparison.tried.isoformat()} with the programs of {comparison.system}:",
        "",
        "| program | version tried | how |",
        "| --- | --- | --- |",
        *(f"| {it.title} | {it.version or 'none'} | {it.what} |" for it in comparison.tools.values()),
        "",
        f"'{_NOT_TRIED}' means not tried or not applicable.",
        "'cited' means that the answer comes from the program's documentation and was not tried.",
        "The numbers refer to the notes at the end.",
        "",
    ]
    for section, rows in groupby(comparison.rows, key=lambda row: row.section):
        lines += [f"## {section}", "", *_table(comparison, rows, notes), ""]
    lines += ["## Notes", "", *notes.lines()]
    return "\n".join(lines) + "\n"


def short_table(comparison: Any) -> str:  # noqa: ANN401  # as above
    """Return the README's table: the rows that it has space for, without notes."""
    lines = _head(comparison) + [
        f"| {row.short} | {' | '.join(_cell(comparison, row, tool, None) for tool in comparison.tools)} |"
        for row in comparison.rows
        if row.short
    ]
    return "\n".join(lines) + "\n"
