"""The man pages: made from the help of the commands, well formed, complete, and where man finds them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from datetime import datetime
from importlib.metadata import distribution
from pathlib import Path

import click
import pytest

import pkcs12kit
from pkcs12kit.cli import cli

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "man" / "man1"
NAMES = tuple(cli.list_commands(click.Context(cli)))
PAGES = ("pkcs12kit.1", *(f"pkcs12kit-{name}.1" for name in NAMES))


@pytest.fixture(scope="module")
def generator():
    """``man/build.py`` as a module."""
    spec = importlib.util.spec_from_file_location("man_pages", PROJECT / "man" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rendered(require_tool):
    """Read a page as at a terminal: its text, without bold and slanted letters."""

    def read(name, width=80):
        program = require_tool("mandoc")
        done = subprocess.run(
            [program, "-T", "utf8", "-O", f"width={width}", FOLDER / name], capture_output=True, text=True, check=True
        )
        return re.sub(".\b", "", done.stdout)

    return read


def test_pages_are_what_the_commands_say(generator):
    """The pages equal the help; ``python man/build.py`` writes them."""
    made = generator.pages()
    assert sorted(made) == sorted(PAGES) == sorted(file.name for file in FOLDER.iterdir())
    for name, page in made.items():
        assert (FOLDER / name).read_text("utf-8") == page, f"{name} is stale: python man/build.py"


def test_a_page_keeps_its_date(generator, monkeypatch, tmp_path):
    """It is that of the last change of the page, and no other reason changes a page from day to day."""
    shutil.copytree(FOLDER, tmp_path / "man1")
    monkeypatch.setattr(generator, "FOLDER", tmp_path / "man1")
    page = tmp_path / "man1" / "pkcs12kit-lab.1"
    old = re.sub(r'"[0-9-]{10}"', '"2001-02-03"', page.read_text("utf-8"))
    page.write_text(old, "utf-8")
    assert generator.pages()[page.name] == old
    page.write_text(old.replace("replica", "copy"), "utf-8")
    today = re.search(r'"([0-9-]{10})"', generator.pages()[page.name])[1]
    assert abs((datetime.fromisoformat(today) - datetime.now()).days) <= 1  # noqa: DTZ005 - midnight somewhere


@pytest.mark.parametrize("name", PAGES)
class TestEachPage:
    """Well formed by two programs that show man pages."""

    def test_mandoc(self, require_tool, name):
        """``mandoc -T lint`` has neither errors nor warnings."""
        done = subprocess.run(
            [require_tool("mandoc"), "-T", "lint", "-W", "warning", FOLDER / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "")

    def test_groff(self, require_tool, name):
        """``man --warnings`` has none, at 80 columns; no line is longer."""
        done = subprocess.run(
            [require_tool("man"), "--warnings", "-E", "UTF-8", "-l", FOLDER / name],
            env=os.environ | {"MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stderr == ""
        assert max(map(len, done.stdout.splitlines())) <= 80

    def test_sections(self, rendered, name):
        """Those that a reader of man pages looks for, in their order."""
        found = re.findall(r"^[A-Z][A-Z ]+$", rendered(name), re.MULTILINE)
        sections = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"]
        assert [section for section in found if section in sections] == sections
        assert set(found) - set(sections) <= {"COMMANDS", "SECURITY"}

    def test_what_it_leads_to(self, name):
        """Each page of ours that it names is there."""
        plain = (FOLDER / name).read_text("utf-8").replace("\\-", "-").replace("\\fR", "").replace("\\fB", "")
        named = set(re.findall(r"(pkcs12kit[a-z-]*)\(1\)", plain.partition(".SH SEE ALSO")[2]))
        assert named
        assert {f"{page}.1" for page in named} <= set(PAGES)


@pytest.mark.parametrize("name", NAMES)
def test_options_and_examples(rendered, name):
    """Every option with what it takes, and every example, with minus signs that can be copied."""
    command = cli.get_command(click.Context(cli), name)
    text = rendered(f"pkcs12kit-{name}.1", width=1000)
    for parameter in command.params:
        for option in parameter.opts if isinstance(parameter, click.Option) else ():
            assert re.search(rf"^ +(-\w, )?{option}\b", text, re.MULTILINE), option
    for line in re.findall(r"^  .*$", command.epilog, re.MULTILINE):
        assert f"     {line[2:]}\n" in text
    assert "password" in text.partition("SECURITY")[2] or "--password-file" not in text


def test_exit_status(rendered):
    """What 1 means is the command's own sentence; there is none where nothing can say no."""
    meaning = re.search(r"^ +1 +(.*)$", rendered("pkcs12kit-paths.1", width=1000), re.MULTILINE)
    assert meaning[1].startswith("No path is valid")
    assert re.search(r"^ +1 ", rendered("pkcs12kit-convert.1"), re.MULTILINE) is None


def test_no_text_is_taken_for_roff(generator):
    """A line that begins like a request, a backslash, a minus and what looks like an option in words."""
    assert generator._text("'quoted' first") == "\\&'quoted' first"
    assert generator._text(".profile in \\home") == "\\&.profile in \\ehome"
    assert generator._text("write --at TIME as-is", {"TIME"}) == "write \\fB\\-\\-at\\fR \\fITIME\\fR as\\-is"


def test_man_finds_them_where_pip_installs_them(require_tool, cannot_run):
    """``man pkcs12kit`` works where the command is on PATH: the wheel has the pages in share/man/man1."""
    if Path(pkcs12kit.__file__).is_relative_to(PROJECT / "pkcs12kit"):
        cannot_run("pkcs12kit was imported from the source tree: pip install . and call pytest without PYTHONPATH")
    installed = distribution("pkcs12kit")
    pages = {file.name: Path(file.locate()).resolve() for file in installed.files if file.match("share/man/man1/*.1")}
    assert sorted(pages) == sorted(PAGES)
    folder = pages["pkcs12kit.1"].parents[3] / "bin"
    environment = {name: value for name, value in os.environ.items() if name != "MANPATH"}
    for arguments in (["pkcs12kit"], ["pkcs12kit-build"], ["pkcs12kit", "build"]):
        done = subprocess.run(
            [require_tool("man"), "-w", *arguments],
            env=environment | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert Path(done.stdout.split()[0]).resolve() == pages[f"{'-'.join(arguments)}.1"]
