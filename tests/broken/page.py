"""The parts of the page 'Why a path fails' that are made from the set-ups: what you see, and what leads on."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from typing import TYPE_CHECKING, Final

import pytest

from pkcs12kit.cli import main

from .catalogue import SETUPS
from .frozen import frozen_at
from .pki import AT, Folder
from .steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .setups import Broken

OTHERS: Final = "other faults"
"""The part with the set-ups that have no failed path."""
PART: Final = re.compile(r"<!-- made from tests/broken: ([^,]+), (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)
"""A made part of the page: what it is about, its kind (``screen`` or ``table``), and its text."""
_COLUMNS: Final = 80
_SHA256: Final = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{16})\b")


class _Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def shown(reason: str) -> Broken:
    """Return the set-up whose output the page shows for a reason."""
    (found,) = (one for one in SETUPS if one.shown and one.kind == reason and not is_other(one))
    return found


def screen(broken: Broken, place: Path) -> str:
    """Return what a terminal of 80 columns shows for a set-up: the call and the answer.

    Signatures differ each time, and with them the SHA-256 of certificates: dots stand for these.
    """
    with frozen_at(AT):
        broken.make(Folder(place))
        text = on_terminal(broken.call, place, NO_COLOR="1", TERM="xterm")
    lines = (line.rstrip() for line in _SHA256.sub("...", text).splitlines())
    return "\n".join(
        (f"**On the screen.** {_cell(broken.what)}", "", "```text", *typed(broken.call), *lines, "```", "")
    )


def on_terminal(call: str, place: Path, **environment: str) -> str:
    """Return what a terminal of 80 columns shows for a call in a folder, with control sequences for colours if any."""
    output = _Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(place.parent / "cache"))
        patch.chdir(place)
        patch.delenv("NO_COLOR", raising=False)
        for name, value in {"COLUMNS": str(_COLUMNS), **environment}.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["pkcs12kit", *shlex.split(call)])
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), contextlib.suppress(SystemExit):
            main()
    return output.getvalue()


def typed(call: str) -> Iterator[str]:
    """Yield a call as it is typed, in lines of 80 columns."""
    line = "$ pkcs12kit"
    for word in call.split():
        if len(line) + 1 + len(word) > _COLUMNS - 2:
            yield f"{line} \\"
            line = "     "
        line = f"{line} {word}"
    yield line


def table(about: str) -> str:
    """Return the table of the set-ups of a reason, or of all that have no failed path."""
    chosen = [one for one in SETUPS if (OTHERS if is_other(one) else one.kind) == about]
    rows = map(_row_of_other if about == OTHERS else _row, chosen)
    head = "what you see" if about == OTHERS else "named"
    return "\n".join((f"| what is wrong | {head} | what leads on |", "| --- | --- | --- |", *rows, ""))


def is_other(broken: Broken) -> bool:
    """Return True for a set-up that has no failed path, or of which a check of ``verify`` fails."""
    return not broken.faults or bool(broken.checks)


def _row(broken: Broken) -> str:
    named: dict[str, list[str]] = {}
    for file, reason in broken.faults:
        named.setdefault(file, []).append(reason)
    faults = "; ".join(f"`{file}`: {', '.join(reasons)}" for file, reasons in named.items())
    causes = [file for file in broken.causes if file not in named]
    because = f", because of {', '.join(f'`{file}`' for file in causes)}" if causes else ""
    return f"| {_cell(broken.what)} | {faults}{because} | {_leads_on(broken)} |"


def _row_of_other(broken: Broken) -> str:
    seen = ", ".join(f"`{one}`" for one in broken.checks or (broken.error,))
    return f"| {_cell(broken.what)} | {seen} | {_leads_on(broken)} |"


def _leads_on(broken: Broken) -> str:
    step = STEPS[broken.name]
    return f"{_cell(step.text)}: `{_SHA256.sub('...', step.command)}`" + (", which fixes it" if step.then else "")


def _cell(text: str) -> str:
    """Return a text as it stands in a cell, with the options as code: two hyphens would become a dash."""
    text = re.sub(r"(?<![\w`])--[a-z][a-z0-9-]*(?: [A-Z]{2,})?", r"`\g<0>`", text)
    return _SHA256.sub("...", text).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
