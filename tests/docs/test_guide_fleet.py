"""The task for Ansible and the units in the guide to fleets are what the guide says."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pkcs12kit.cli import cli

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "fleet.md"
MANIFEST = """\
version = 1

[[bundle]]
name = "mdm"
key = "{files.key}"
certificate = "{files.certificate}"
certificates = "{files.certificates}"
trust_anchors = "{files.trust_anchor}"
password = {{ file = "password.txt" }}
output = "mdm.p12"
"""


def blocks(language):
    """Return the code blocks of the page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_unit_calls_batch_with_options_that_exist():
    """The command line of the unit is one that pkcs12kit takes; statuses that need a person are not tried again."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(blocks("ini")[0])
    program, name, *arguments = shlex.split(unit["Service"]["ExecStart"].replace("\\\n", " ").replace("%%", "%"))
    assert (Path(program).name, name) == ("pkcs12kit", "batch")
    with cli.make_context("pkcs12kit", [name, *arguments]) as group:
        name, command, rest = cli.resolve_command(group, [name, *arguments])
        assert isinstance(command.make_context(name, rest, parent=group), click.Context)
    assert unit["Service"]["RestartPreventExitStatus"] == "1 2"
    manifest, metrics = (Path(one).parent for one in arguments if one.startswith("/"))
    writable = unit["Service"]["ReadWritePaths"].split()
    assert {str(manifest), str(metrics)} <= set(writable)


@pytest.mark.slow
@pytest.mark.released_iterations
def test_the_task_for_ansible(require_tool, files, tmp_path):
    """In check mode it plans; then it is changed, then it is not, and a bundle that fails fails the task."""
    ansible = require_tool("ansible-playbook")
    (tmp_path / "fleet.toml").write_text(MANIFEST.format(files=files), "utf-8")
    (tmp_path / "password.txt").write_text("correct horse 42 battery\n", "ascii")
    task = next(block for block in blocks("yaml") if "ansible.builtin.command" in block)
    task = task.replace("/etc/pkcs12kit/fleet.toml", str(tmp_path / "fleet.toml"))
    # One bundle of one is more than a fifth, and stopping that is what the brake is for.
    task = task.replace("--max-changes=20%", "--max-changes=1")
    task += f"  ignore_errors: true\n- copy: {{content: '{{{{ fleet | to_json }}}}', dest: {tmp_path}/fleet.json}}\n"
    task += "  check_mode: false\n"
    play = "- hosts: localhost\n  gather_facts: false\n  tasks:\n" + re.sub("^", "    ", task, flags=re.MULTILINE)
    (tmp_path / "play.yml").write_text(play, "utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pkcs12kit").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m pkcs12kit "$@"\n')
    (programs / "pkcs12kit").chmod(0o755)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }

    def run(*options):
        subprocess.run(
            [ansible, "-i", "localhost,", "-c", "local", *options, "play.yml"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            check=True,
        )
        result = json.loads((tmp_path / "fleet.json").read_text("utf-8"))
        return result["changed"], result["failed"], json.loads(result["stdout"])

    assert run("--check")[:2] == (True, False)
    assert not (tmp_path / "mdm.p12").exists()
    assert run()[:2] == (True, False)
    assert run()[:2] == (False, False)
    (tmp_path / "fleet.toml").write_text(MANIFEST.format(files=files).replace('"mdm"', '"mdm"\nat = "2001-01-01"'))
    changed, failed, answer = run()
    assert (changed, failed, answer["failed"]) == (False, True, 1)
    (tmp_path / "fleet.toml").write_text("version = 1\n")
    changed, failed, answer = run()
    assert (changed, failed) == (False, True)
    assert answer["error"]
