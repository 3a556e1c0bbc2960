"""How Sphinx builds the documentation: ``sphinx-build -W docs docs/_build``, with pkcs12kit installed.

What the code knows best, the code says: the help of each command and the table of limits are written to
``docs/_generated`` before the pages are read.
"""

from __future__ import annotations

from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pkcs12kit.cli import cli
from pkcs12kit.limits import describe_limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

project = "pkcs12kit"
author = "The pkcs12kit maintainers"
copyright = author
version = release = installed_version(project)

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build", "_generated"]
html_theme = "furo"
html_title = f"{project} {release}"

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # DEFAULT_LIMITS, not all its figures
autodoc_default_options = {"members": True}
python_maximum_signature_line_length = 88  # one parameter a line where all do not fit in one
python_use_unqualified_type_names = True

_WIDTH = 100


def _commands() -> Iterator[str]:
    """Give the help of each command as the terminal shows it."""
    group = click.Context(cli, info_name=project, terminal_width=_WIDTH, max_content_width=_WIDTH)
    for name in cli.list_commands(group):
        command = cli.get_command(group, name)
        if command is not None:
            context = click.Context(
                command, info_name=name, parent=group, terminal_width=_WIDTH, max_content_width=_WIDTH
            )
            yield f"## {name}\n\n```text\n{command.get_help(context)}\n```\n"


def _limits() -> Iterator[str]:
    """Give the table of limits from the code that holds them."""
    yield "| limit | default | unit | where the figure comes from |"
    yield "| --- | ---: | --- | --- |"
    for limit in describe_limits():
        yield f"| `{limit.name}` | {limit.default:,} | {limit.unit} | {limit.origin} |"


def _generate(app: Sphinx) -> None:
    folder = Path(app.srcdir) / "_generated"
    folder.mkdir(exist_ok=True)
    for name, lines in (("commands.md", _commands()), ("limits.md", _limits())):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Have the generated parts written before any page is read."""
    app.connect("builder-inited", _generate)
