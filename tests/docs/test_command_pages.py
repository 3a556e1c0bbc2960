"""Every code block of the reference of the command does what it says; how is in conftest.py."""

from __future__ import annotations

FOLDER = "reference/command"


def test_code_runs(run_page, page):
    """A reader who does what the page shows, from top to bottom, sees what it shows."""
    run_page(page)
