"""Every code block of the pages for contributors does what it says; how is in conftest.py."""

from __future__ import annotations

FOLDER = "contributing"


def test_code_runs(run_page, page):
    """A reader who does what the page shows, from top to bottom, sees what it shows."""
    run_page(page)
