"""The reference leaves nothing out that the code has, and says what the code says."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

import pkcs12kit
from pkcs12kit.certificates.lint.rules import RULES
from pkcs12kit.certificates.successors import CAS
from pkcs12kit.cli import cli
from pkcs12kit.findings import FILE_CHECKS, SERVED_CHAIN_CHECKS, SERVER_CHECKS, Check

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
COMMANDS = cli.list_commands(click.Context(cli))
# Public names that are modules, and where they live.
MODULES = {
    "algorithms": "pkcs12kit.paths.validation.algorithms",
    "lab": "pkcs12kit.lab",
    "pictures": "pkcs12kit.display.pictures",
    "probing": "pkcs12kit.probing",
    "profiles": "pkcs12kit.pkcs12.profiles",
    "published": "pkcs12kit.published",
    "readers": "pkcs12kit.pkcs12.readers",
    "revocation": "pkcs12kit.revocation",
}
# Those whose names are described one by one, on pages of their subject.
NAMESPACES = ("probing", "published", "revocation")


def table_of(page):
    """Give what the rows of a page's tables begin with, where that is code."""
    return re.findall(r"^\| `([a-z-]+)` \|", (REFERENCE / page).read_text("utf-8"), re.MULTILINE)


def names_of(space):
    """List the names of a namespace that are not at the top as well."""
    return sorted(set(getattr(pkcs12kit, space).__all__) - set(pkcs12kit.__all__))


def test_every_public_name_has_a_place_in_the_api():
    """Each public name is described once. The build checks that it is on the built page (docs/conf.py)."""
    pages = "\n".join(page.read_text("utf-8") for page in sorted((REFERENCE / "api").glob("*.md")))
    described = re.findall(r"^\.\. (auto|py:)(\w+):: (?:pkcs12kit\.)?([\w.]+)$", pages, re.MULTILINE)
    names = [name for _, kind, name in described if kind not in {"currentmodule", "type"}]
    modules = [name for name, home in MODULES.items() if pages.count(f".. automodule:: {home}\n") == 1]
    assert modules == [name for name in MODULES if name not in NAMESPACES]
    assert sorted(name for name in names if "." not in name and name not in MODULES) == [
        name for name in sorted(pkcs12kit.__all__) if name not in MODULES
    ]
    spaced = [f"{space}.{name}" for space in NAMESPACES for name in names_of(space)]
    assert sorted(name for name in names if name.partition(".")[0] in NAMESPACES) == sorted(spaced)


def test_the_build_misses_a_name_without_a_place():
    """A name that no page describes is told, and so is one that a page describes which is not of the API."""
    without_a_place = runpy.run_path(str(REFERENCE.parent / "making" / "names.py"))["without_a_place"]
    spaced = [f"{space}.{name}" for space in NAMESPACES for name in names_of(space)]
    every = [*(name for name in pkcs12kit.__all__ if name not in NAMESPACES), *spaced]
    assert sorted(without_a_place({})) == sorted(every)
    described = {f"pkcs12kit.{name}": SimpleNamespace(docname="reference/api/x") for name in every}
    described |= {home: SimpleNamespace(docname="reference/api/x") for home in MODULES.values()}
    assert list(without_a_place(described)) == []
    described["pkcs12kit.build"].docname = "tutorial"
    del described["pkcs12kit.display.pictures"]
    assert list(without_a_place(described)) == ["build", "pictures"]


def test_every_page_of_the_api_is_in_its_list():
    """The list is ordered by subject, so it is written by hand."""
    listed = re.findall(r"^api/([\w-]+)$", (REFERENCE / "api.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(page.stem for page in (REFERENCE / "api").glob("*.md"))


def test_every_command_has_a_page():
    """And no page is of a command that is no more."""
    assert sorted(page.stem for page in (REFERENCE / "command").glob("*.md")) == COMMANDS


@pytest.fixture(scope="module")
def included():
    """The help texts that the pages include, and the width of the terminal that they are for."""
    making = runpy.run_path(str(REFERENCE.parent / "making" / "help.py"))
    return dict(making["help_texts"]()), str(making["COLUMNS"])


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_is_as_the_command_prints_it(included, name):
    """Byte for byte, in a terminal of that width."""
    texts, columns = included
    printed = subprocess.run(
        [sys.executable, "-m", "pkcs12kit", *name.split(), "--help"],
        env=os.environ | {"COLUMNS": columns},
        capture_output=True,
        check=True,
    )
    assert texts[name].encode() == printed.stdout
    page = REFERENCE / (f"command/{name}.md" if name else "command.md")
    block = f"```{{literalinclude}} /_generated/help/{name or 'pkcs12kit'}.txt\n:language: text\n```\n"
    assert page.read_text("utf-8").count(block) == 1


def test_every_failure_reason_is_explained():
    """The list of reasons is closed, and so is its page."""
    assert table_of("failure-reasons.md") == [reason.value for reason in pkcs12kit.FailureReason]


@pytest.mark.parametrize(
    ("page", "lists"),
    [
        ("verify", (FILE_CHECKS,)),
        ("rehearse", (SERVED_CHAIN_CHECKS,)),
        ("probe", (SERVER_CHECKS, (Check.EXPECTED,), pkcs12kit.probing.Contact)),
    ],
)
def test_every_check_is_explained(page, lists):
    """The lists of checks are closed, and so are the tables on the page of their command."""
    assert table_of(f"command/{page}.md") == [check.value for closed in lists for check in closed]


def test_the_page_on_successors_has_each_ca():
    """The table is generated from the data, with the source and the note of each entry."""
    tables = runpy.run_path(str(REFERENCE.parent / "making" / "tables.py"))
    assert "```{include} /_generated/successors.md\n```" in (REFERENCE / "successors.md").read_text("utf-8")
    _, _, *rows = tables["PARTS"]["successors.md"]()
    for row, ca in zip(rows, CAS, strict=True):
        assert row.startswith(f"| {ca.name} | ")
        assert f"| `{ca.bundle}` |" in row
        if ca.successor is not None:
            assert f" {ca.successor.name}" in row
            assert f"<{ca.successor.source}>" in row


def test_the_page_on_notes_has_each_rule():
    """The table is generated from the closed list, with the clause of each rule and all of its clients."""
    tables = runpy.run_path(str(REFERENCE.parent / "making" / "tables.py"))
    assert "```{include} /_generated/notes.md\n```" in (REFERENCE / "notes.md").read_text("utf-8")
    _, _, *rows = tables["PARTS"]["notes.md"]()
    for row, rule in zip(rows, RULES.values(), strict=True):
        assert row.startswith(f"| `{rule.name}` | {rule.meaning} | {rule.source} | ")
        assert all(f"{client}: {client.effect.value}, {client.evidence.value}" in row for client in rule.clients)
