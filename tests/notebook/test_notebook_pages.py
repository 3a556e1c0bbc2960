"""Notebooks in a browser: headless Chromium renders what is shown, and a notebook that was executed and exported.

Screenshots go to a temporary folder, or to the one that the environment variable PKCS12KIT_SCREENSHOTS names.
"""

from __future__ import annotations

import html as entities
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest

import pkcs12kit as pk

MEASURE = (Path(__file__).parent / "measure.js").read_text("utf-8")
# Whatever would be loaded from elsewhere is refused, and refusals are told on the console.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; font-src data:; img-src data:\">"
)
PAGES = {"light": '<body data-jp-theme-light="true">', "dark": '<body data-jp-theme-light="false">', "any": "<body>"}
PREFERS = {"dark": 0, "light": 1}
JUNE_2018 = datetime(2018, 6, 1, tzinfo=UTC)
OCTOBER_2024 = datetime(2024, 10, 15, tzinfo=UTC)


@dataclass
class Rendered:
    """What came of a page: what the script in it measured, and what the browser's console says."""

    measured: dict
    console: list[str]


@pytest.fixture(scope="module")
def chromium(require_tool, tmp_path_factory):
    """Open a file in headless Chromium, which reaches no host: ``chromium(file, *arguments)`` gives stdout, stderr."""
    program, profile = require_tool("chromium"), tmp_path_factory.mktemp("chromium")

    def run(file, *arguments, prefers="light", width=1100, height=1500):
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
            f"--user-data-dir={profile}",
            f"--window-size={width},{height}",
            f"--blink-settings=preferredColorScheme={PREFERS[prefers]}",
            *arguments,
            file.as_uri(),
        ]
        done = subprocess.run([program, *given], capture_output=True, encoding="utf-8", check=True, timeout=120)
        return done.stdout, done.stderr

    return run


@pytest.fixture(scope="module")
def render(chromium, tmp_path_factory):
    """Render a page and measure it: ``render(page)``, with the options of ``chromium``."""

    def render_page(page, **options):
        file = tmp_path_factory.mktemp("page") / "page.html"
        file.write_text(page.replace("</body>", f"<script>{MEASURE}</script></body>"), "utf-8")
        dom, log = chromium(file, "--dump-dom", **options)
        found = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.DOTALL)
        assert found, log
        console = re.findall(r"CONSOLE[^\]]*\] (.*)", log)
        return Rendered(measured=json.loads(entities.unescape(found[1])), console=console)

    return render_page


@pytest.fixture(scope="module")
def screenshot(chromium, tmp_path_factory):
    """Take a picture of a page, for a person to look at: ``screenshot(page, name)`` gives its path."""
    named = os.environ.get("PKCS12KIT_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(page, name, **options):
        file = folder / f"{name}.html"
        file.write_text(page, "utf-8")
        picture = folder / f"{name}.png"
        chromium(file, f"--screenshot={picture}", **options)
        return picture

    return shoot


def page_of(*outputs, page="light", more=""):
    """Put outputs into a page of the least that there can be."""
    sections = "".join(f"<section>{output}</section>" for output in outputs)
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'>{POLICY}</head>{PAGES[page]}{sections}{more}</body></html>"
    )


@pytest.fixture(scope="module")
def outputs(values, replica):
    """What each value shows, some of it hostile."""
    hostile = '<script>document.title="taken"; console.error("taken")</script><img src=x onerror=console.error(1)>'
    pool = pk.CertificatePool(replica.pool, rejects=[pk.Reject(source=hostile, position=1, reason="a" * 900)])
    return [*map(pk.to_html, values.values()), pk.to_html(pool)]


@pytest.fixture(scope="module")
def federal(fpki):
    """The reference path of 2018, the 146 certificates of October 2024, and the same target when all is expired."""
    target = pk.load_certificate(fpki / "dod-id-sw-ca-37.pem")
    sources = [fpki / "fpki-historic.pem", fpki / "fpki-2024-10.p7b", fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b"]
    asked = {"pool": pk.load_certificates(*sources), "trust_anchors": pk.load_trust_anchors(fpki / "fcpca.pem")}
    then, now = (
        pk.find_paths(target, **asked, parameters=pk.ValidationParameters(time=time))
        for time in (JUNE_2018, OCTOBER_2024)
    )
    return {
        "path-2018": pk.to_html(then),
        "no-path-2024": pk.to_html(now),
        "pool-146": pk.to_html(pk.load_certificates(fpki / "fpki-2024-10.p7b"), time=OCTOBER_2024),
    }


def assert_sound(rendered, *, shown):
    """Everything is there, nothing was said on the console or asked for, no text is cut off or hard to read."""
    measured = rendered.measured
    assert measured["roots"] == shown
    assert rendered.console == []
    assert measured["resources"] == []
    assert measured["cut"] == []
    assert measured["faint"] == []
    assert measured["beyond"] <= 0


def is_dark(rendered):
    """Whether what is shown stands on a dark ground, all of it."""
    (ground,) = rendered.measured["grounds"]
    return sum(map(int, re.findall(r"\d+", ground)[:3])) < 3 * 64


@pytest.mark.parametrize(
    ("page", "prefers", "dark"),
    [("light", "dark", False), ("dark", "light", True), ("any", "dark", True), ("any", "light", False)],
)
def test_every_value_is_rendered_in_light_and_dark(render, outputs, page, prefers, dark):
    """What the page says of itself holds before what the reader prefers; contrast is 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    rendered = render(page_of(*outputs, page=page), prefers=prefers)
    assert_sound(rendered, shown=len(outputs))
    assert is_dark(rendered) is dark
    assert rendered.measured["svg"] >= 2


def test_nothing_is_cut_off_in_a_narrow_window(render, outputs):
    """A telephone, or a notebook beside another window: tables are moved sideways, the rest is broken into lines."""
    rendered = render(page_of(*outputs), width=500)
    assert_sound(rendered, shown=len(outputs))
    assert rendered.measured["moved"] >= 1


def test_the_federal_pki_is_rendered(render, federal):
    """The reference path, its graph, and 146 certificates in a table that needs no moving sideways."""
    rendered = render(page_of(*federal.values()))
    assert_sound(rendered, shown=3)
    assert rendered.measured["svg"] == 2
    assert rendered.measured["moved"] == 0


def test_a_click_on_a_head_sorts(render, replica):
    """First by subject; by the time of expiry after one click, the other way round after two."""
    measured = render(page_of(pk.to_html(replica.pool))).measured
    by_subject, up, down = measured["orders"]
    assert by_subject != up
    assert up == sorted(by_subject)
    assert down == sorted(by_subject, reverse=True)
    assert measured["aria"] == "descending"


def test_what_is_wrong_with_a_page_is_noticed(render, values):
    """The tests above can fail: a page that asks for more, says something and cuts text off is not taken for sound."""
    output = pk.to_html(values["Certificate"])
    bad = (
        '<img src="https://example.com/x.png"><script>console.error("said")</script>'
        "<style>.pkcs12kit dl.facts > dd"
        " { width: 3em; white-space: nowrap; overflow: hidden; color: #eee !important }</style>"
    )
    rendered = render(page_of(output, more=bad))
    assert len(rendered.console) == 2
    assert rendered.measured["cut"]
    assert rendered.measured["faint"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screenshots_are_there_to_look_at(screenshot, federal, values, theme):
    """A picture each of the reference path, the pool, a search without a path, a file and a verification."""
    ground = "<style>body { background: #fff } body[data-jp-theme-light=false] { background: #111 }</style>"
    shown = federal | {name: pk.to_html(values[name]) for name in ("PfxReport", "VerificationReport")}
    for name, output in shown.items():
        picture = screenshot(page_of(output, page=theme, more=ground), f"{name}-{theme}")
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size > 20_000


NOTEBOOK = """
import json, sys
import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

folder, cells = sys.argv[1], json.loads(sys.argv[2])
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
NotebookClient(notebook, timeout=120).execute()
for theme in ("light", "dark"):
    page, _ = HTMLExporter(theme=theme, template_name="lab").from_notebook_node(notebook)
    with open(f"{folder}/{theme}.html", "w", encoding="utf-8") as file:
        file.write(page)
"""
CELLS = """
import pkcs12kit as pk
replica = pk.lab.make_replica(key_type=pk.lab.KeyType.EC_P256)
anchors = [pk.TrustAnchor.from_certificate(replica.trust_anchor)]
asked = {"pool": replica.pool, "trust_anchors": anchors, "parameters": pk.ValidationParameters(time=replica.at)}

replica.pool

report = pk.find_paths(replica.server.certificate, **asked)
report

report.best

bundle = pk.Bundle.from_path(replica.server, report.best)
bundle

pk.inspect_pfx(pk.encode_pfx(bundle, password="not to be shown"), password="not to be shown")
""".strip().split("\n\n")


@pytest.fixture(scope="module")
def exported(tmp_path_factory, cannot_run):
    """A notebook that was executed, as HTML pages by theme, without what nbconvert itself loads from elsewhere."""
    for needed in ("nbclient", "nbconvert", "ipykernel"):
        if find_spec(needed) is None:
            cannot_run(f"needs the package {needed}")
    folder = tmp_path_factory.mktemp("exported")
    arguments = [sys.executable, "-c", NOTEBOOK, str(folder), json.dumps(CELLS)]
    done = subprocess.run(arguments, capture_output=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    pages = {}
    for theme in ("light", "dark"):
        page = (folder / f"{theme}.html").read_text("utf-8")
        page, mathjax_and_require = re.subn(r'<script src="https://cdnjs[^"]*">\s*</script>', "", page)
        assert mathjax_and_require == 2
        pages[theme] = page.replace("<head>", f"<head>{POLICY}", 1)
    return pages


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_exported_notebook_is_rendered(render, screenshot, exported, theme):
    """Executed, exported to HTML, opened: each value is there beside JupyterLab's own styles, in the page's theme."""
    page = exported[theme]
    rendered = render(page, prefers="light" if theme == "dark" else "dark")
    assert_sound(rendered, shown=5)
    assert rendered.measured["svg"] == 1
    assert is_dark(rendered) is (theme == "dark")
    assert len(rendered.measured["orders"]) == 3
    outputs = re.sub(r"<div class=\"jp-Cell-inputWrapper.*?</pre>", "", page, flags=re.DOTALL)
    assert "not to be shown" not in outputs
    screenshot(page, f"exported-{theme}", height=4000)
