"""Each broken set-up gets an answer that names every certificate at fault, the rule, and a command that leads on."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from pkcs12kit.errors import FailureReason

from ..calling import NO, UNUSABLE, YES, call
from ..running import run_program
from ..thoroughness import mostly_slow
from .catalogue import SETUPS
from .frozen import frozen_at
from .page import OTHERS, PART, screen, shown, table
from .pki import AT, Folder
from .steps import STEPS

PLACEHOLDER = re.compile(r"(?<![\w./-])(?!NEW\.)[A-Z]{2,}[A-Z-]*(?:\.[a-z0-9]+)?(?![\w./-])")
"""A word in capitals that stands for what only the user knows; NEW.p12 and NEW.pem are names of new files."""
NOT_BY_SEARCH = {FailureReason.NAME_CHAINING.value}
MANY = 60
CASES = [pytest.param(one, id=one.name) for one in SETUPS]


def words(text):
    """Undo the line breaks of a terminal."""
    return " ".join(text.split())


def run(command, cannot_run):
    """Run the command of a hint in the current folder; what it would fetch is in the cache."""
    program, *arguments = shlex.split(command)
    if program != "pkcs12kit":
        if shutil.which(program) is None:
            cannot_run(f"needs {program}")
        done = run_program(program, *arguments)
        return done.returncode, done.stdout + done.stderr
    if "gather" in arguments or "--fetch" in arguments:
        arguments.append("--offline")
    done = call(*arguments)
    return done.status, done.output + done.errors


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Make the files of a set-up in a folder of its own, which becomes the current one."""

    def make(setup):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        place = tmp_path / setup.name
        place.mkdir()
        folder = Folder(place)
        setup.make(folder)
        monkeypatch.chdir(place)
        return folder

    with frozen_at(AT):
        yield make


def names_of(folder):
    """The file that begins with each certificate, by SHA-256: the name that was written first."""
    return {certificate.sha256: name for name, certificate in reversed(folder.certificates.items())}


def assert_faults(setup, folder, answer):
    """Every certificate at fault is named with its reason and the rule, and no other one is."""
    names = names_of(folder)
    failures = answer["rejected"][0]["failures"]
    assert [(names[one["certificate"]["sha256"]], one["reason"]) for one in failures] == list(setup.faults)
    assert all(one["section"] and one["detail"] for one in failures)
    if setup.rule:
        assert failures[0]["section"] == setup.rule
    stated = {
        names[cause["certificate"]["sha256"]] for one in failures for cause in one["causes"] if cause["certificate"]
    }
    assert stated >= set(setup.causes)


@pytest.mark.parametrize("setup", mostly_slow(CASES, every=8))
def test_the_answer_names_the_fault_and_leads_on(setup, made, cannot_run):
    """The JSON has the certificates, reasons, rule and hints; a command of a hint mends it or shows the next step."""
    folder = made(setup)
    done = call(*shlex.split(setup.call), "--json")
    assert done.status == setup.status, done
    answer = json.loads(done.output)
    assert answer["error"]
    assert answer["error"].startswith(setup.error)
    if setup.faults:
        assert_faults(setup, folder, answer)
    if setup.checks:
        findings = [one["check"] for one in answer["findings"] if one["outcome"] == "not-ok"]
        assert findings == list(setup.checks)
    shown = call(*shlex.split(setup.call))
    assert shown.status == setup.status
    for hint in answer["hints"]:
        assert words(hint["text"]) in words(shown.errors + shown.output)
    assert_leads_on(STEPS[setup.name], answer, cannot_run)


def assert_leads_on(step, answer, cannot_run):
    """The command of a hint does what the set-up says; only words in capitals have to be replaced."""
    assert {"text": step.text, "command": step.command} in answer["hints"]
    command = step.command
    for word, file in step.fill.items():
        assert word in command, command
        command = command.replace(word, file)
    assert not PLACEHOLDER.findall(command), command
    status, said = run(command, cannot_run)
    assert status == step.status, (command, said)
    assert words(step.shows) in words(said), (command, said)
    if step.then is not None:
        assert call(*shlex.split(step.then)).status == YES


def test_the_catalogue_is_broad():
    """Each reason that a search can give has a set-up, names are unique, and one of each kind is shown on the page."""
    assert len({one.name for one in SETUPS}) == len(SETUPS) > MANY
    assert {one.name for one in SETUPS} == STEPS.keys()
    reasons = {reason for one in SETUPS for _, reason in one.faults}
    assert reasons == {one.value for one in FailureReason} - NOT_BY_SEARCH
    assert {one.status for one in SETUPS} == {NO, UNUSABLE}


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "failure-reasons.md"
PARTS = [part.groups()[:2] for part in PART.finditer(PAGE.read_text("utf-8"))]
KINDS = ("screen", "table")
PART_CASES = [pytest.param(*part, id="-".join(part)) for part in PARTS]


@pytest.mark.parametrize(("about", "kind"), mostly_slow(PART_CASES, every=8))
def test_the_page_shows_what_stands(about, kind, tmp_path):
    """Each made part of the page is what the set-ups give. ``PKCS12KIT_WRITE_PAGE=1`` writes it."""
    (tmp_path / "work").mkdir()
    expected = table(about) if kind == "table" else screen(shown(about), tmp_path / "work")
    text = PAGE.read_text("utf-8")
    (part,) = (part for part in PART.finditer(text) if part.groups()[:2] == (about, kind))
    if os.environ.get("PKCS12KIT_WRITE_PAGE"):
        PAGE.write_text(text[: part.start(3)] + expected + text[part.end(3) :], "utf-8")
        return
    assert part[3] == expected


def test_the_page_has_each_part():
    """Each reason that a search can give has what you see and a table, and the other faults have a table."""
    reasons = [one.value for one in FailureReason if one.value not in NOT_BY_SEARCH]
    assert sorted(PARTS) == sorted([(OTHERS, "table"), *((one, kind) for one in reasons for kind in KINDS)])
