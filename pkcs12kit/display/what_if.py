"""The effect of removing or adding certificates on the best path, as text for a terminal (by rich)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.display.paths import path_report, path_tree
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pkcs12kit.paths.what_if import WhatIfReport


def what_if_report(report: WhatIfReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield the best path as it is, the answer after the change, and what is different."""
    before = report.before.valid[:1]
    yield Text("As it is:", style="bold cyan")
    if before:
        yield path_tree(before[0])
    else:
        why = f": {report.before.rejected[0]}" if report.before.rejected else ""
        yield Text(f"No valid path{harmless(why)}", style="red")
    yield Text(f"{harmless(_capital(report.change))}:", style="bold cyan")
    yield from path_report(report.after, every=every)
    tree = Tree(Text("What changes", style="bold"), guide_style="dim")
    for change in report.changes:
        tree.add(Text(harmless(change)))
    yield tree


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
