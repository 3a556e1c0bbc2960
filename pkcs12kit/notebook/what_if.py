"""The effect of removing or adding certificates on the best path: what changes, the path as it is, the report after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.notebook.chains import path_body
from pkcs12kit.notebook.html import element, folded, lines, name, part, said, title
from pkcs12kit.notebook.searches import rejected_table, report_body

if TYPE_CHECKING:
    from pkcs12kit.notebook.html import Element, Node, View
    from pkcs12kit.paths.what_if import WhatIfReport


def draw_what_if(report: WhatIfReport, view: View) -> Element:
    """Return the changes, the best path as it is, folded, and the report after the change."""
    view = view.at(report.after.time)
    answer = said("✓ A valid path", "good") if report.after.valid else said("✗ No valid path", "bad")
    return element(
        "div",
        title(answer, " from ", name(report.after.target.label), f" {report.change}"),
        part("What changes"),
        lines(report.changes, view, show=name),
        folded("As it is", *_before(report, view)),
        *report_body(report.after, view),
    )


def _before(report: WhatIfReport, view: View) -> tuple[Node, ...]:
    if report.before.valid:
        return path_body(report.before.valid[0], view)
    return (element("p", said("✗ No valid path", "bad")), rejected_table(report.before.rejected, view))
