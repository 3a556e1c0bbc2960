"""Parts of tables and lists in a terminal: styles, titles, labels of names, and lines that wrap."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING, Final

import click

from pkcs12kit.cli.output.console import may_colour
from pkcs12kit.display.columns import GAP
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.display.columns import Column

_INDENT: Final = "    "


def styled(text: str, **style: object) -> str:
    """Return a text in a style, unless the environment asks for none."""
    return click.style(text, **style) if may_colour() else text  # type: ignore[arg-type]  # click's keywords


def titles(columns: Sequence[Column], widths: Sequence[int]) -> str:
    """Return the line of titles above the rows of a table."""
    return styled(
        GAP.join(column.title.ljust(width) for column, width in zip(columns, widths, strict=True)).rstrip(), bold=True
    )


def unambiguous(names: Sequence[Name]) -> dict[object, str]:
    """Return the label of each name by its attributes; the whole name where the labels of two names are the same."""
    different = {name.relative_distinguished_names: name for name in names}
    labels = {attributes: name.label for attributes, name in different.items()}
    uses = Counter(labels.values())
    return {
        attributes: label if uses[label] == 1 else harmless(different[attributes])
        for attributes, label in labels.items()
    }


def second_line(parts: Sequence[str], width: int | None) -> Iterator[str]:
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
