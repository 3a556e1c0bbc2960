"""The commands for PowerShell on the pages: subcommands and options that exist, quoted and continued as there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from pkcs12kit.cli import cli

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```powershell\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if BLOCK.search(page.read_text("utf-8"))]


@pytest.mark.parametrize("page", [pytest.param(one, id=one.name) for one in PAGES])
def test_calls(page):
    """A backtick ends a line that goes on, and each call has a command and options that pkcs12kit knows."""
    for block in BLOCK.findall(page.read_text("utf-8")):
        assert not re.search(r"\\$", block, re.MULTILINE)
        for line in block.replace("`\n", " ").splitlines():
            if not line.startswith("pkcs12kit "):
                continue
            _, name, *words = shlex.split(line.replace("\\", "/"))
            command = cli.get_command(click.Context(cli), name)
            assert command is not None, line
            options = {option for parameter in command.params for option in parameter.opts}
            assert {word.partition("=")[0] for word in words if word.startswith("-")} <= options, line


def test_pages():
    """The page about Windows has such blocks."""
    assert "windows.md" in [one.name for one in PAGES]
