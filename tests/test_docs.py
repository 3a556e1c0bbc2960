"""The documentation leaves nothing out that the code has, and what it shows can be run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import pkcs12kit

PROJECT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("pkcs12kit")
# Public names that are modules, and where the API page describes them.
MODULES = {
    "algorithms": "pkcs12kit.paths.validation.algorithms",
    "lab": "pkcs12kit.lab",
    "profiles": "pkcs12kit.pkcs12.profiles",
}


def page(name: str) -> str:
    """Read one page of the documentation."""
    return (PROJECT / name).read_text("utf-8")


def code(name: str, language: str) -> list[str]:
    """Take the code blocks in one language out of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)


def test_every_public_name_has_a_place_in_the_api():
    """Whoever may import a name can look it up, once."""
    described = re.findall(r"^\.\. (?:auto|py:)(\w+):: (?:pkcs12kit\.)?([\w.]+)$", page("docs/api.md"), re.MULTILINE)
    names = sorted(name for kind, name in described if kind != "currentmodule" and "." not in name)
    modules = {name for name, home in MODULES.items() if f".. automodule:: {home}\n" in page("docs/api.md")}
    assert modules == set(MODULES)
    assert [name for name in names if name not in MODULES] == [
        name for name in sorted(pkcs12kit.__all__) if name not in MODULES
    ]


def test_every_failure_reason_is_explained():
    """The list of reasons is closed, and so is its page."""
    explained = re.findall(r"^\| `([a-z-]+)` \|", page("docs/failure-reasons.md"), re.MULTILINE)
    assert explained == [reason.value for reason in pkcs12kit.FailureReason]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What the examples of the README are about, under the names that they use."""
    return pkcs12kit.lab.make_replica().write(tmp_path_factory.mktemp("readme"))


def test_readme_commands_run(files):
    """Each example of the command in the README runs as it stands, in a folder with such files."""
    blocks = [block.replace("\\\n", " ") for block in code("README.md", "shell")]
    commands = [line for block in blocks for line in block.splitlines() if line.startswith("pkcs12kit ")]
    assert {shlex.split(line)[1] for line in commands} >= {"build", "paths", "inspect"}
    for line in commands:
        done = subprocess.run(
            [COMMAND, *shlex.split(line)[1:]], cwd=files.folder, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), line
    assert (files.folder / "server.p12").is_file()


def test_readme_script_runs(files, tmp_path):
    """The example of the library in the README runs as it stands."""
    (script,) = code("README.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=files.folder,
        env=os.environ | {"P12_PASSWORD": "correct horse"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    data = (files.folder / "server.p12").read_bytes()
    assert len(pkcs12kit.decode_pfx(data, password="correct horse").certificates) == 6
