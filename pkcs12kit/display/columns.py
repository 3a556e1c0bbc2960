"""Columns of text for terminals, with long cells shortened so that two different ones never look the same.

Rich's tables take seconds for the thousands of rows that a bundle of certificates has.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GAP: Final = "  "
_ALIGNED: Final = 60
"""The widest column, where lines may be of any length: one long cell must not push all others away."""
_DOTS: Final = "..."


class Column(NamedTuple):
    """A column: its title, its cells, and the number of characters to which they may be shortened; 0 for never."""

    title: str
    cells: Sequence[str]
    shortest: int = 0


def layout(columns: Sequence[Column], width: int | None) -> list[int] | None:
    """Return the widths of columns within ``width`` characters; None where they do not fit.

    A ``width`` of None is for lines of any length.
    """
    natural = [max(map(cell_len, (column.title, *column.cells))) for column in columns]
    if width is None:
        return [min(one, _ALIGNED) for one in natural]
    left = width - len(GAP) * (len(columns) - 1)
    widths = [
        min(one, column.shortest) if column.shortest else one for one, column in zip(natural, columns, strict=True)
    ]
    left -= sum(widths)
    if left < 0:
        return None
    flexible = [number for number, column in enumerate(columns) if column.shortest]
    while left > 0 and (flexible := [number for number in flexible if widths[number] < natural[number]]):
        share = max(1, left // len(flexible))
        for number in flexible:
            more = min(share, natural[number] - widths[number], left)
            widths[number] += more
            left -= more
    return widths


def shorten_all(texts: Sequence[str], width: int) -> list[str]:
    """Return texts of at most ``width`` characters, without the middle of a long one.

    A text whose short form would be that of another text stays as it is.
    """
    short = {text: shorten(text, width) for text in dict.fromkeys(texts)}
    uses = Counter(short.values())
    return [short[text] if uses[short[text]] == 1 else text for text in texts]


def shorten(text: str, width: int) -> str:
    """Return a text of at most ``width`` columns: its beginning and its end."""
    if cell_len(text) <= width:
        return text
    end = (width - len(_DOTS)) // 2
    begin = width - len(_DOTS) - end
    ending = text[-end:]
    while cell_len(ending) > end:
        ending = ending[1:]
    return set_cell_size(text, begin).rstrip() + _DOTS + ending.lstrip()


def rows(columns: Sequence[Column], widths: Sequence[int], *, shortened: bool) -> Iterator[tuple[list[str], ...]]:
    """Yield the lines of each row, each a list of cells that fill their columns; the last one has no blanks after it.

    Where ``shortened``, a cell that could not be shortened has several lines.
    """
    shown = [
        shorten_all(column.cells, width) if shortened and column.shortest else column.cells
        for column, width in zip(columns, widths, strict=True)
    ]
    for cells in zip(*shown, strict=True):
        if not shortened or all(cell_len(cell) <= width for cell, width in zip(cells, widths, strict=True)):
            yield (_line(cells, widths),)
            continue
        folded = [chop_cells(cell, width) or [""] for cell, width in zip(cells, widths, strict=True)]
        height = max(map(len, folded))
        yield tuple(
            _line([lines[number] if number < len(lines) else "" for lines in folded], widths)
            for number in range(height)
        )


def _line(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    *others, last = zip(cells, widths, strict=True)
    return [*(cell + " " * (width - cell_len(cell)) for cell, width in others), last[0]]
