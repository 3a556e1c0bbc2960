"""What was built: the path that is in the file, how it is protected, and where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkcs12kit.notebook.chains import path_body
from pkcs12kit.notebook.markup import Element, element
from pkcs12kit.notebook.pfx import readers
from pkcs12kit.notebook.pieces import code, facts, lines, said, title
from pkcs12kit.notebook.pools import rejects_list
from pkcs12kit.notebook.retrievals import retrievals_table
from pkcs12kit.wording import counted

if TYPE_CHECKING:
    from pkcs12kit.builder import BuildReport
    from pkcs12kit.notebook.view import View


def draw_build(report: BuildReport, view: View) -> Element:
    """Draw a built file. What is in it encrypted is not shown."""
    key = "with its private key" if report.has_private_key else "without a private key"
    where = code(report.output) if report.output is not None else "nowhere: the bytes are in .data"
    return element(
        "div",
        title(said("✓ Built", "good"), f": {counted(len(report.certificates), 'certificate')} {key}"),
        lines(report.warnings, view, show=lambda text: said(f"! {text}", "warn")),
        facts(
            [
                ("written to", where),
                ("changed", report.change or ("yes" if report.changed else "no: it already held just this")),
                ("profile", f"{report.profile.name}: {report.profile.summary}"),
                ("second opinion", str(report.confirmation)),
            ]
        ),
        *path_body(report.path, view),
        readers(report.profile.readers),
        retrievals_table(report.retrievals, view),
        rejects_list(report.rejects, view),
    )
