"""Every code block of the documentation does what it says; how is in conftest.py."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
# The folders with an underscore are made by the build.
PAGES = sorted(name for page in DOCS.rglob("*.md") if not (name := page.relative_to(DOCS).as_posix()).startswith("_"))


@pytest.mark.parametrize("name", PAGES)
def test_code_runs(run_page, name):
    """A reader who does what the page shows, from top to bottom, sees what it shows."""
    run_page(DOCS / name)
