"""Every code block of the start page and the tutorial does what it says; how is in conftest.py."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = ""


def test_code_runs(run_page, page):
    """A reader who does what the page shows, from top to bottom, sees what it shows."""
    run_page(page)


def test_no_folder_is_left_out():
    """Each folder with pages is of one module of tests; those with an underscore are made by the build."""
    folders = {page.parent.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    of_modules = [
        folder or "."
        for module in Path(__file__).parent.glob("test_*pages.py")
        for folder in re.findall(r'^FOLDER = "(.*)"$', module.read_text("utf-8"), re.MULTILINE)
    ]
    assert sorted(of_modules) == sorted(it for it in folders if not it.startswith("_"))
