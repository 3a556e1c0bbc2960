"""The documentation as it is built: with every reference resolved, and looked at in a browser."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs"
MEASURE = (Path(__file__).parent / "measure_pages.js").read_text("utf-8")
PREFERS = {"dark": 0, "light": 1}


@pytest.fixture(scope="module")
def built(tmp_path_factory, cannot_run):
    """The built documentation, of which Sphinx had nothing to complain."""
    if find_spec("furo") is None:
        cannot_run("needs pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("docs")
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", "-d", folder / "doctrees"]
    done = subprocess.run([*command, DOCS, folder / "html"], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def look_at(pages, *, chromium, width, prefers):
    """Open each page in a frame so wide, and measure it: what was found, and what the console says."""
    folder = pages[0].parents[0]
    given = json.dumps({"pages": [page.as_uri() for page in pages], "width": width})
    file = folder / "measure.html"
    file.write_text(
        f'<!DOCTYPE html><body><script type="application/json" id="given">{given}</script><script>{MEASURE}</script>',
        "utf-8",
    )
    arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--allow-file-access-from-files",  # so that the page may look into its frames
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        "--virtual-time-budget=120000",
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={max(width, 500) + 50},1200",
        f"--blink-settings=preferredColorScheme={PREFERS[prefers]}",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run([chromium, *arguments], capture_output=True, encoding="utf-8", check=True, timeout=300)
    measured = re.search(r'<pre id="measured">(.*?)</pre>', done.stdout, re.DOTALL)
    assert measured, done.stderr
    return json.loads(html.unescape(measured[1])), re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr)


@pytest.mark.parametrize(("width", "prefers"), [(390, "light"), (1280, "dark")])
def test_pages_fit(built, require_tool, width, prefers):
    """On a telephone and on a desktop no text is cut off, no page scrolls sideways, and nothing is asked of a host."""
    pages = sorted(page for page in built.rglob("*.html") if "_static" not in page.parts)
    measured, console = look_at(pages, chromium=require_tool("chromium"), width=width, prefers=prefers)
    assert [one["page"] for one in measured] == [page.as_uri() for page in pages]
    name_of = {page.as_uri(): page.relative_to(built).as_posix() for page in pages}
    assert {name_of[one["page"]]: one["beyond"][:3] for one in measured if one["wider"] or one["beyond"]} == {}
    assert [name for one in measured for name in one["loaded"] if not name.startswith("file:")] == []
    dark = {sum(map(int, re.findall(r"\d+", one["ground"])[:3])) < 3 * 64 for one in measured}
    assert dark == {prefers == "dark"}
    assert measured[pages.index(built / "index.html")]["pictures"] == 1
    assert console == []


def test_every_link_within_leads_somewhere(built):
    """Each link from a built page to another has its page, and its place there."""
    anchors = {
        page.resolve(): set(re.findall(r'\bid="([^"]+)"', page.read_text("utf-8"))) for page in built.rglob("*.html")
    }
    missing = []
    for page, there in anchors.items():
        for target in re.findall(r'<a [^>]*href="([^":]*)"', page.read_text("utf-8")):
            path, _, anchor = html.unescape(target).partition("#")
            to = (page.parent / path).resolve() if path else page
            if not to.exists() or (anchor and anchor not in (there if to == page else anchors.get(to, ()))):
                missing.append((page.relative_to(built.resolve()).as_posix(), target))
    assert missing == []
