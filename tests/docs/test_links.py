"""What the pages link to is there. Addresses elsewhere are tried by ``sphinx-build -b linkcheck``, with a network."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

PROJECT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
STATED = PYPROJECT["project"]
HOOK = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
PAGES = sorted(
    page.relative_to(PROJECT).as_posix()
    for where in ("*.md", "docs/**/*.md", "examples/**/*.md", "benchmarks/**/*.md")
    for page in PROJECT.glob(where)
    if not page.is_relative_to(PROJECT / "docs" / "_generated")
)


def tokens_of(text):
    """Give all tokens of a page, those within lines too; YAML before the page, as MyST has it, is left out."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    for token in MarkdownIt("commonmark").enable(["table"]).parse(text):
        yield token
        yield from token.children or ()


def links_of(text):
    """Give what a page links to and shows, in its order."""
    for token in tokens_of(text):
        target = token.attrs.get("src" if token.type == "image" else "href")
        if target is not None:
            yield str(target)
        if token.type.startswith("html_"):
            yield from re.findall(r'\b(?:href|src|srcset)="([^"]*)"', token.content)


@cache
def anchors_of(page):
    """Give what GitHub and MyST make of a page's headings: letters, digits and hyphens."""
    text = page.read_text("utf-8")
    headings = [inline.content for it, inline in pairwise(tokens_of(text)) if it.type == "heading_open"]
    plain = [re.sub(r"[*`]|\{[\w:]+\}|\[|\]\([^)]*\)", "", heading).strip().lower() for heading in headings]
    anchors = [re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain]
    again = {f"{anchor}-{number}" for anchor, count in Counter(anchors).items() for number in range(1, count)}
    return {*anchors, *again}


@cache
def targets():
    """Give MyST's own targets, ``(name)=``, on all pages of the documentation: each of them finds any of these."""
    pages = [(PROJECT / name).read_text("utf-8") for name in PAGES if name.startswith("docs/")]
    return set(re.findall(r"^\(([\w-]+)\)=$", "\n".join(pages), re.MULTILINE))


def fault_of(target, page):
    """Say what is wrong with a link on a page, if anything is."""
    parts = urlsplit(target)
    if parts.scheme:
        good = parts.scheme == "https" and re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc)
        return None if good and not re.search(r"[\s<>\"{}|\\^`]", target) else "not an https address"
    to = page.parent / unquote(parts.path) if parts.path else page
    if not to.exists():
        return "no such file"
    if parts.fragment and to.suffix == ".md" and parts.fragment not in anchors_of(to):
        is_target = not parts.path and page.is_relative_to(PROJECT / "docs") and parts.fragment in targets()
        return None if is_target else "no such heading"
    return None


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    """Files and headings of the project exist, as GitHub shows the page; other addresses are well-formed https."""
    page = PROJECT / name
    faults = [f"{target}: {fault}" for target in links_of(page.read_text("utf-8")) if (fault := fault_of(target, page))]
    assert faults == []


def test_generated_links_are_well_formed():
    """The same holds for the sources in the tables that are made from the code."""
    tables = runpy.run_path(str(PROJECT / "docs" / "making" / "tables.py"))
    for name, lines in tables["PARTS"].items():
        if name.endswith(".md"):
            page = PROJECT / "docs" / "reference" / name
            faults = [target for target in links_of("\n".join(lines())) if fault_of(target, page)]
            assert faults == [], name


def test_faults_are_seen():
    """What is wrong with a link is found, in each way that it can be wrong."""
    text = """\
[a](docs/nothing.md) [b](docs/index.md#nowhere) ![c](no.svg) <http://example.org/> [d](#not-here)
[e](https://example) [f](https://user@example.org/) <img src="no.png">
[good](docs/index.md#where-to-go) <https://example.org/a%20b>
"""
    page = PROJECT / "README.md"
    assert [fault_of(target, page) for target in links_of(text)] == [
        "no such file",
        "no such heading",
        "no such file",
        "not an https address",
        "no such heading",
        "not an https address",
        "not an https address",
        "no such file",
        None,
        None,
    ]


def as_an_index_shows_it(readme):
    """Apply what pyproject.toml replaces in the README of the package: hatch-fancy-pypi-readme's substitutions."""
    for rule in HOOK["substitutions"]:
        replacement = rule["replacement"].replace("$HFPR_VERSION", STATED["version"])
        readme = re.sub(rule["pattern"], replacement, readme)
    return readme


def test_links_on_a_package_index():
    """An index shows the README without the repository: each link is an address, of the released version of a file."""
    [fragment] = HOOK["fragments"]
    assert fragment == {"path": "README.md"}
    readme = (PROJECT / "README.md").read_text("utf-8")
    before, after = list(links_of(readme)), list(links_of(as_an_index_shows_it(readme)))
    repository = STATED["urls"]["Repository"]
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    for own, shown in zip(before, after, strict=True):
        assert not own.startswith("#"), "an index gives headings other names"
        if own.startswith("https://"):
            assert shown == own
        else:
            version = f"v{STATED['version']}/{own}"
            assert shown in {f"{repository}/blob/{version}", f"{raw}/{version}"}
            assert shown.startswith(raw) == own.endswith((".svg", ".png")), "only a raw file is a picture"
    assert {urlsplit(link).scheme for link in after} == {"https"}


def test_index_changes_links_and_nothing_else():
    """What is no link stays: addresses, code, and a bracket before a parenthesis."""
    text = "[a](https://example.org) `x[0] (1)` [b](docs/index.md) <img src='x.svg'> [c](#here)"
    shown = as_an_index_shows_it(text)
    blob = f"{STATED['urls']['Repository']}/blob/v{STATED['version']}"
    assert shown == text.replace("(docs/index.md)", f"({blob}/docs/index.md)")


def test_addresses_of_the_project():
    """An index names where the project is: its repository, and files in it that exist."""
    urls = STATED["urls"]
    assert {"Repository", "Documentation", "Changelog", "Issues"} <= urls.keys()
    for url in urls.values():
        assert fault_of(url, PROJECT / "README.md") is None
        assert url.startswith(urls["Repository"])
        _, blob, file = url.partition("/blob/main/")
        assert not blob or (PROJECT / file).is_file(), url
