"""Each of the shared cases gets the right answer, and the page 'What is read' lists them all."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from ..calling import call
from . import of_certificates, of_hostile, of_others, of_revocation, of_stores
from .oddities import PASSWORD
from .page import BEGIN, render

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "what-is-read.md"

ODDITIES = (
    *of_stores.ODDITIES,
    *of_certificates.ODDITIES,
    *of_revocation.ODDITIES,
    *of_hostile.ODDITIES,
    *of_others.ODDITIES,
)
SLOW = {"certtool.p12"}  # certtool derives each key by 600,000 iterations
CASES = [oddity for oddity in ODDITIES if oddity.case]


def folder_of(oddity, made):
    """The folder in which the commands run: that of the case, or the whole where cases are single files."""
    base = made(oddity.script)
    return base / oddity.case if (base / oddity.case).is_dir() else base


@pytest.mark.parametrize(
    "oddity",
    [pytest.param(it, id=it.case, marks=[pytest.mark.slow] if it.case in SLOW else []) for it in CASES],
)
def test_each_step_gets_the_right_answer(oddity, made, cannot_run, monkeypatch, tmp_path):
    """Exit status, words and written files are those of the table in ../shared/cases/README.md."""
    folder = folder_of(oddity, made)
    if oddity.script == "stores" and not (folder / oddity.case).exists():
        cannot_run(f"needs the program that makes {oddity.case} (keytool, certtool or openssl)")
    (tmp_path / "pw.txt").write_text(f"{PASSWORD}\n")
    monkeypatch.chdir(folder)
    for step in oddity.steps:
        done = call(*step.words(folder, tmp_path))
        said = done.output + done.errors
        assert done.status in step.statuses, (step.line, said)
        for text in step.shows:
            assert text in said, (step.line, text, said)
        for text in step.hides:
            assert text not in said, (step.line, text, said)
        if step.check is not None:
            step.check(folder, tmp_path, done)


def test_every_shared_case_is_tried(shared):
    """Each case that ../shared/cases/README.md lists is in the tables, and each of the tables is a case there."""
    rows = re.findall(r"^\| ([^|]+) \|", (shared / "cases" / "README.md").read_text("utf-8"), re.MULTILINE)
    listed = {name for row in rows for name in re.split(r", |/$", row.strip()) if name not in {"", "case", "---"}}
    listed -= {"ocsp-bare-key-anchor", "decoys", "-2-"}  # for the library; a folder of eight; short for version 2
    tried = {oddity.case for oddity in CASES} | {oddity.case.rpartition("/")[2] for oddity in CASES}
    assert {name.rpartition("/")[2] for name in listed} <= tried
    folders = {"decoys/", "refused/version-2"}
    assert {it.case for it in CASES if it.case not in listed and it.case.rpartition("/")[2] not in listed} == {
        it.case for it in CASES if it.case.startswith(tuple(folders))
    }


@pytest.mark.parametrize("oddity", [it for it in ODDITIES if not it.case], ids=lambda oddity: oddity.oddity)
def test_tests_elsewhere_exist(oddity):
    """A row that a test elsewhere shows names a function that is there."""
    file, _, name = oddity.test.partition("::")
    functions = [
        node.name for node in ast.walk(ast.parse((ROOT / file).read_text("utf-8"))) if isinstance(node, ast.FunctionDef)
    ]
    assert name in functions


def test_the_page_is_up_to_date():
    """The page has each oddity. ``PKCS12KIT_WRITE_PAGE=1`` writes it."""
    head, begin, _ = PAGE.read_text("utf-8").partition(BEGIN)
    assert begin
    expected = head + render(ODDITIES)
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PAGE.write_text(expected, "utf-8")
    assert PAGE.read_text("utf-8") == expected
