"""The documentation leaves nothing out that the code has, and what it shows can be run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import pkcs12kit
from pkcs12kit.cli import cli

PROJECT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "pkcs12kit"]
# Public names that are modules, and where the API page describes them.
MODULES = {
    "algorithms": "pkcs12kit.paths.validation.algorithms",
    "lab": "pkcs12kit.lab",
    "pictures": "pkcs12kit.display.pictures",
    "profiles": "pkcs12kit.pkcs12.profiles",
    "readers": "pkcs12kit.pkcs12.readers",
}


def page(name: str) -> str:
    """Read one page of the documentation."""
    return (PROJECT / name).read_text("utf-8")


def code(name: str, language: str) -> list[str]:
    """Take the code blocks in one language out of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)


def test_every_public_name_has_a_place_in_the_api():
    """Whoever may import a name can look it up, once."""
    api = page("docs/reference/api.md")
    described = re.findall(r"^\.\. (?:auto|py:)(\w+):: (?:pkcs12kit\.)?([\w.]+)$", api, re.MULTILINE)
    names = sorted(name for kind, name in described if kind != "currentmodule" and "." not in name)
    modules = {name for name, home in MODULES.items() if f".. automodule:: {home}\n" in api}
    assert modules == set(MODULES)
    assert [name for name in names if name not in MODULES] == [
        name for name in sorted(pkcs12kit.__all__) if name not in MODULES
    ]


def test_every_failure_reason_is_explained():
    """The list of reasons is closed, and so is its page."""
    explained = re.findall(r"^\| `([a-z-]+)` \|", page("docs/reference/failure-reasons.md"), re.MULTILINE)
    assert explained == [reason.value for reason in pkcs12kit.FailureReason]


def test_every_check_is_explained():
    """The lists of checks are closed, and so are their tables."""
    explained = re.findall(r"^\| `([a-z-]+)` \|", page("docs/reference/command.md"), re.MULTILINE)
    lists = (pkcs12kit.Check, pkcs12kit.SentCheck, pkcs12kit.ProbeCheck, pkcs12kit.Contact)
    assert explained == [check.value for closed in lists for check in closed]


@pytest.fixture(scope="module")
def after_demo(tmp_path_factory):
    """A folder in which ``demo`` ran, as the README's first command leaves it."""
    folder = tmp_path_factory.mktemp("readme")
    subprocess.run([*COMMAND, "demo"], cwd=folder, capture_output=True, check=True)
    return folder


def readme_commands(language):
    """Take the calls of the command out of the README's code in a language, each as its arguments."""
    prefix = ".venv/bin/pkcs12kit "
    lines = [line for block in code("README.md", language) for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]


def test_readme_commands_that_ask_the_network_are_understood():
    """Those that cannot run here have options that exist, and all that are required."""
    commands = readme_commands("sh")
    assert [command for command, *_ in commands] == ["probe", "gather"]
    for name, *arguments in commands:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        command.make_context(name, arguments)


def test_readme_commands_run(after_demo):
    """Each example of the command in the README runs as it stands, after the demo, and has nothing to warn about."""
    commands = readme_commands("shell")
    called = {command for command, *_ in commands}
    assert called == {"build", "convert", "graph", "inspect", "paths", "rehearse", "verify"}
    for arguments in commands:
        done = subprocess.run([*COMMAND, *arguments], cwd=after_demo, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (arguments, done.stderr)
        assert "warning:" not in done.stderr
    assert (after_demo / "server.p12").is_file()


def test_readme_script_runs(after_demo):
    """The example of the library in the README runs as it stands, after the demo."""
    (script,) = code("README.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=after_demo,
        env=os.environ | {"P12_PASSWORD": "correct horse"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    data = (after_demo / "server.p12").read_bytes()
    assert len(pkcs12kit.decode_pfx(data, password="correct horse").certificates) == 6
