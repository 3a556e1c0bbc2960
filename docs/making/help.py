"""The output of ``--help`` of each command."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from typing import TYPE_CHECKING
from unittest.mock import patch

import click

from pkcs12kit.cli import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 80  # as many as a terminal has, and a page shows


def help_texts() -> Iterator[tuple[str, str]]:
    """Yield the name of each command ("" for pkcs12kit itself) and the output of its ``--help`` in a terminal."""
    for name in ("", *cli.list_commands(click.Context(cli))):
        with patch.dict(os.environ, COLUMNS=str(COLUMNS)), redirect_stdout(io.StringIO()) as printed:
            cli.main([*name.split(), "--help"], prog_name="pkcs12kit", standalone_mode=False)
        yield name, printed.getvalue()
