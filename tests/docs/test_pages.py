"""Every code block of the pages of the documentation does what it says; how is in conftest.py.

One page of each folder runs by default, the others with ``pytest -m slow``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.released_iterations

DOCS = Path(__file__).parents[2] / "docs"
BY_DEFAULT = {
    "index.md",
    "contributing/testing.md",
    "explanation/bridges-and-cross-certificates.md",
    "how-to/index.md",
    "reference/api/building.md",
    "reference/json.md",
    "reference/command/build.md",
}
GUIDES = (Path(__file__).parent / "test_guides_servers.py").read_text("utf-8")
FOLLOWED = {f"how-to/{name}" for name in re.findall(r'\bfollow\("([\w-]+\.md)"\)', GUIDES)}  # run there, and more
PAGES = {
    name: page
    for page in sorted(DOCS.rglob("*.md"))
    if not (name := page.relative_to(DOCS).as_posix()).startswith("_") and name not in FOLLOWED
}


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, id=name, marks=[] if name in BY_DEFAULT else pytest.mark.slow) for name, page in PAGES.items()],
)
def test_code_runs(run_page, page):
    """A reader who does what the page shows, from top to bottom, sees what it shows."""
    run_page(page)


def test_a_page_of_each_folder_runs_by_default():
    """The pages that are chosen exist, and each folder has one; those of the guides to servers are run elsewhere."""
    assert PAGES.keys() >= BY_DEFAULT
    assert {Path(name).parent for name in BY_DEFAULT} == {Path(name).parent for name in PAGES}
    assert len(FOLLOWED) == 5
    assert all((DOCS / name).exists() for name in FOLLOWED)
