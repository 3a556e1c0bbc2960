"""At a terminal the command of a hint can be copied: its lines are one command to a shell."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkcs12kit.cli.output import console, messages
from pkcs12kit.hints import Hint

from ..thoroughness import examples
from .conftest import AT_TIME

WORD = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
LONG = "pkcs12kit build --key server.key --cert server.pem --certs certs --anchor anchor.pem --out server-new.p12"


def printed(hint, width):
    """Return the lines of a hint at a terminal of this width, or in a pipe for None."""
    with pytest.MonkeyPatch.context() as patch:
        shown = []
        patch.setattr(console, "_columns_of_terminal", lambda: width)
        patch.setattr(console, "may_colour", lambda: False)
        patch.setattr(console.click, "echo", lambda text, **_: shown.append(text))
        messages.begin([])
        console.print_hints([hint])
    return "".join(shown).splitlines()


def test_every_command_is_read_as_it_was():
    """A shell gets the same words from the printed lines, whatever the words and the width are."""
    calls, scripts = [], []

    @given(st.lists(WORD, max_size=12), st.integers(20, 120))
    def collect(words, width):
        # A first word without quotes, so that the lines of the command can be told from those of the text.
        command = shlex.join(["printf", "%s\\0", *words, "."])
        lines = printed(Hint(text="do this " * 12, command=command), width)
        first = next(index for index, line in enumerate(lines) if line.startswith("  printf"))
        assert all(line.startswith(("hint: do", "  do", "  this", "  :")) for line in lines[:first])
        calls.append(words)
        scripts.append("\n".join(lines[first:]))

    collect()
    shell = subprocess.run(["/bin/sh"], input="\n".join(scripts).encode(), capture_output=True, check=True)
    expected = [word for words in calls for word in (*words, ".")]
    assert shell.stdout.decode().split("\0")[:-1] == expected
    assert len(calls) >= examples(10)


@pytest.mark.parametrize("width", [20, 60, 80, 200])
def test_lines_fit(width):
    """No line is wider than the terminal but for a word that is; the text and the command stand apart."""
    lines = printed(Hint(text="build it", command=LONG), width)
    if width == 200:
        assert lines == [f"hint: build it: {LONG}"]
        return
    assert lines[0] == "hint: build it:"
    assert all(len(line) <= max(width, 33) for line in lines)
    assert [line.endswith("\\") for line in lines[1:]] == [True] * (len(lines) - 2) + [False]


@pytest.mark.parametrize("command", ["a | b", "echo 'a", "mkdir -p x && cd x"])
def test_what_is_no_single_call_is_not_broken(command):
    """A command with an operator of the shell stands on a line as it is."""
    assert printed(Hint(text="x" * 80, command=command), 80)[-1] == f"  {command}"


def test_a_pipe_gets_one_line():
    """Outside a terminal a hint is one line, for grep."""
    assert printed(Hint(text="build it", command=LONG), None) == [f"hint: build it: {LONG}"]


def test_text_alone_wraps():
    """A hint without a command is a sentence, which goes on indented."""
    lines = printed(Hint(text=AT_TIME), 40)
    assert len(lines) > 1
    assert all(line.startswith("  ") for line in lines[1:])
