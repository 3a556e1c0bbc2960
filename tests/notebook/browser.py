"""Headless Chromium, which reaches no host: it opens a page, gives what its script measured, and takes pictures."""

from __future__ import annotations

import html as entities
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Whatever would be loaded from elsewhere is refused, and refusals are told on the console.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; font-src data:; img-src data:\">"
)
PAGES = {"light": '<body data-jp-theme-light="true">', "dark": '<body data-jp-theme-light="false">', "any": "<body>"}
PREFERS = {"dark": 0, "light": 1}
_SCRIPTS = {kind: (Path(__file__).parent / f"measure_{kind}.js").read_text("utf-8") for kind in ("page", "svg")}
_NARROWEST = 500
"""Pixels: no window of Chromium is narrower, so a page for a telephone stands in a frame."""
_FRAME = (
    "<!DOCTYPE html><html><body style='margin:0'>"
    '<iframe srcdoc="{page}" style="border:0;display:block;width:{width}px;height:{height}px"></iframe></body></html>'
)
_FOUND = re.compile(r'<(pre|desc) id="measured">(.*?)</', re.DOTALL)


@dataclass(frozen=True)
class Rendered:
    """The result of a page: the measurements of its script, and the browser's console."""

    measured: dict
    console: list[str]


@dataclass(frozen=True)
class Chromium:
    """A browser with a profile of its own in ``folder``."""

    program: str
    folder: Path

    def run(self, page, *arguments, prefers="light", width=1100, height=1500, file=None):
        """Open a page, or an SVG as a file of its own: standard output, and the log."""
        is_svg = page.startswith("<svg")
        if width < _NARROWEST:
            page = _FRAME.format(page=entities.escape(page), width=width, height=height)
        file = file or self.folder / ("page.svg" if is_svg else "page.html")
        file.write_text(page, "utf-8")
        given = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=10000",
            f"--user-data-dir={self.folder}",
            f"--window-size={max(width, _NARROWEST)},{height}",
            f"--blink-settings=preferredColorScheme={PREFERS[prefers]}",
            *arguments,
            file.as_uri(),
        ]
        done = subprocess.run([self.program, *given], capture_output=True, encoding="utf-8", check=True, timeout=120)
        return done.stdout, done.stderr

    def render(self, page, **options):
        """Open and measure it, with the options of :meth:`run`."""
        kind, end = ("svg", "</svg>") if page.startswith("<svg") else ("page", "</body>")
        script = _SCRIPTS[kind] if kind == "page" else f"<![CDATA[{_SCRIPTS[kind]}]]>"
        dom, log = self.run(page.replace(end, f"<script>{script}</script>{end}"), "--dump-dom", **options)
        found = _FOUND.search(dom)
        assert found, log
        console = re.findall(r"CONSOLE[^\]]*\] (.*)", log)
        return Rendered(measured=json.loads(entities.unescape(found[2])), console=console)


def page_of(*outputs, page="light", more=""):
    """Put outputs into a page of the least that there can be."""
    sections = "".join(f"<section>{output}</section>" for output in outputs)
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'>{POLICY}</head>{PAGES[page]}{sections}{more}</body></html>"
    )


def assert_sound(rendered, *, shown):
    """Everything is there, nothing was said on the console or asked for, no text is cut off or hard to read."""
    measured = rendered.measured
    assert measured["roots"] == shown
    assert rendered.console == []
    assert measured["resources"] == []
    assert measured["cut"] == []
    assert measured["faint"] == []
    assert measured["beyond"] <= 0


def is_dark(*grounds):
    """Return True if all colours, in a browser's notation, are dark."""
    return all(sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 64 for ground in grounds)
