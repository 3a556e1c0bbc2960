"""Findings and changes to make, as text for a terminal (by rich)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.findings import Outcome
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkcs12kit.findings import Finding

_MARKS: Final = {
    Outcome.OK: ("ok  ", "green"),
    Outcome.NOTE: ("note", "yellow"),
    Outcome.NOT_OK: ("NO  ", "bold red"),
    Outcome.NOT_CHECKED: ("-   ", "dim"),
}


def findings_tree(findings: Iterable[Finding], *, title: str, answer: bool) -> Tree:
    """Return a tree of findings, in their order, below a title with the answer."""
    verdict = ("  yes", "bold green") if answer else ("  no", "bold red")
    tree = Tree(Text.assemble((harmless(title), "bold"), verdict), guide_style="dim")
    for finding in findings:
        mark, style = _MARKS[finding.outcome]
        line = Text.assemble((f"{mark}  ", style), (finding.check.value.replace("-", " "), "bold"))
        reason_style = style if finding.outcome in {Outcome.NOT_OK, Outcome.NOT_CHECKED} else ""
        tree.add(line.append(f": {harmless(finding.why)}", style=reason_style))
    return tree


def changes_tree(changes: Iterable[str]) -> Tree:
    """Return a numbered list of changes to make on a server, in their order."""
    tree = Tree(Text("What to change", style="bold yellow"), guide_style="dim")
    for number, change in enumerate(changes, start=1):
        tree.add(Text(f"{number}. {harmless(change)}"))
    return tree
