"""The command that leads on from each broken set-up, and what comes of it: the table steps.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Step:
    """A hint with a command, and what comes of the command in the folder of the set-up."""

    text: str
    """The text of the hint."""
    command: str
    """The whole command."""
    status: int = 0
    shows: str = ""
    """A part of what it prints."""
    fill: Mapping[str, str] = field(default_factory=dict)
    """Words in capitals, which only the user knows, and what the set-up has ready for them."""
    then: str | None = None
    """A call of which the answer is yes after the step: the set-up is mended."""


STEPS: Final = {
    name: Step(**of_one)
    for name, of_one in tomllib.loads((Path(__file__).parent / "steps.toml").read_text("utf-8")).items()
}
