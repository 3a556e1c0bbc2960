"""Parts of tables and lists in a terminal: styles, titles, labels of names, and lines that wrap."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.output.console import may_colour
from pkcs12kit.display.columns import GAP, layout, rows
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.display.columns import Column

_INDENT: Final = "    "


def styled(text: str, **style: object) -> str:
    """Return a text in a style, unless the environment asks for none."""
    return click.style(text, **style) if may_colour() else text  # type: ignore[arg-type]  # click's keywords


def table(
    columns: Sequence[Column],
    narrow: Sequence[Column],
    others: Sequence[Sequence[str]],
    width: int | None,
    *,
    shown: Callable[[int, str], str] = lambda _, line: line,
) -> Iterator[str]:
    """Yield titles and rows; where the terminal is too narrow, the first columns only and the rest below each row.

    - ``columns``: all of them; those without a text in any row are left out.
    - ``narrow``, ``others``: the first columns and the rest of each row, for a narrow terminal.
    - ``shown``: styles the lines of a row, given the number of the row.
    """
    present = _with_text(columns)
    widths = layout(present, width)
    is_narrow = widths is None
    if widths is None:
        present = _with_text(narrow)
        natural = [max(map(len, (column.title, *column.cells))) for column in present]
        widths = layout(present, width) or [present[0].shortest, *natural[1:]]
    titles = GAP.join(column.title.ljust(each) for column, each in zip(present, widths, strict=True))
    yield styled(titles.rstrip(), bold=True)
    for number, lines in enumerate(rows(present, widths, shortened=width is not None)):
        yield from (shown(number, GAP.join(cells).rstrip()) for cells in lines)
        if is_narrow:
            yield from _second_line(others[number], width)


def _with_text(columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if any(column.cells)]


def unambiguous(names: Sequence[Name]) -> dict[object, str]:
    """Return the label of each name by its attributes; the whole name where the labels of two names are the same."""
    different = {name.relative_distinguished_names: name for name in names}
    labels = {attributes: name.label for attributes, name in different.items()}
    uses = Counter(labels.values())
    return {
        attributes: label if uses[label] == 1 else harmless(different[attributes])
        for attributes, label in labels.items()
    }


def _second_line(parts: Sequence[str], width: int | None) -> Iterator[str]:
    """Yield the rest of a row in a narrow terminal: in as many lines as it takes, so that nothing is cut."""
    lines = [_INDENT]
    for part in parts:
        longer = f"{lines[-1]}{'' if lines[-1] == _INDENT else GAP}{part}"
        if width is not None and len(longer) > width and lines[-1] != _INDENT:
            lines.append(_INDENT + part)
        else:
            lines[-1] = longer
    yield from (styled(text, dim=True) for line in lines for text in wrapped(line, len(_INDENT), width))


def wrapped(line: str, indent: int, width: int | None) -> list[str]:
    """Return a line in as many lines as it takes in a terminal, the others indented; words that fit stay whole."""
    if width is None or len(line) <= width:
        return [line]
    lead = line[:indent]
    lines = wrap(line[indent:], width - indent, break_on_hyphens=False)
    return [(lead if number == 0 else " " * indent) + text for number, text in enumerate(lines)]
