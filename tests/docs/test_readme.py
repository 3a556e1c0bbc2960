"""What the README shows can be run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from contextlib import chdir
from pathlib import Path

import pytest

import pkcs12kit
from pkcs12kit.cli import cli

from ..calling import call

PROJECT = Path(__file__).parents[2]


def code(name: str, language: str) -> list[str]:
    """Take the code blocks in one language out of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", (PROJECT / name).read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def after_demo(tmp_path_factory):
    """A folder in which ``demo`` ran, as the README's first command leaves it."""
    folder = tmp_path_factory.mktemp("readme")
    with chdir(folder):
        assert call("demo").status == 0
    return folder


def test_badges_say_what_is_true():
    """Each badge repeats what the package states of itself; there is none for anything else."""
    stated = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    badges = re.findall(r"\(https://img\.shields\.io/badge/(\S+?)-blue\)", (PROJECT / "README.md").read_text("utf-8"))
    true = [
        f"python-{stated['requires-python'].removeprefix('>=')}+",
        f"license-{stated['license'].replace('-', '--')}",
    ]
    assert "Typing :: Typed" in stated["classifiers"]
    assert badges == [*true, "typed-PEP_561"]


def readme_commands(language):
    """Take the calls of the command out of the README's code in a language, each as its arguments."""
    prefix = ".venv/bin/pkcs12kit "
    lines = [line for block in code("README.md", language) for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]


def test_readme_commands_that_ask_the_network_are_understood():
    """Those that cannot run here have options that exist, and all that are required."""
    commands = readme_commands("sh")
    called = " ".join(command for command, *_ in commands)
    assert called == "probe diff paths paths expiry batch batch gather"
    for name, *arguments in commands:
        with cli.make_context("pkcs12kit", [name, *arguments]) as group:
            _, command, rest = cli.resolve_command(group, [name, *arguments])
            command.make_context(name, rest, parent=group)


@pytest.mark.usefixtures("answering")  # of the clients, OpenSSL is asked
def test_readme_commands_run(after_demo):
    """Each example of the command in the README runs as it stands, after the demo, and has nothing to warn about."""
    commands = readme_commands("shell")
    called = {command for command, *_ in commands}
    assert called == {"build", "convert", "graph", "inspect", "paths", "rehearse", "show", "verify"}
    for arguments in commands:
        with chdir(after_demo):
            done = call(*arguments)
        assert done.status == 0, (arguments, done.errors)
        assert "warning:" not in done.errors
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
