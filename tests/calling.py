"""The command called in this process, which is quick, with what holds for each call checked."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkcs12kit.cli import main
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from pathlib import Path

YES, NO, UNUSABLE = 0, 1, 2
_REASONS = ("error", "rejected", "findings", "unopened")
"""The keys that say why the answer is no: docs/reference/json.md."""


@dataclass(frozen=True)
class Call:
    """What one call gave."""

    status: int
    output: str
    errors: str


def call(*arguments: object, stdin: bytes = b"") -> Call:
    """Call ``pkcs12kit``, and check that it came to an answer or to the project's own error."""
    words = ["pkcs12kit", "--debug", *map(str, arguments)]
    given, output, errors = _stream(stdin), _stream(), _stream()
    before, sys.argv = (sys.argv, sys.stdin), words
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            sys.stdin = given
            main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.argv, sys.stdin = before
        for number, handler in handlers.items():
            signal.signal(number, handler)
    done = Call(status, _text(output), _text(errors))
    check(done, words)
    return done


def check(done: Call, words: list[str]) -> None:
    """Assert what holds for any call: no foreign exception; and status 1 is the answer no, which says why."""
    assert done.status in {YES, NO, UNUSABLE}, (words, done)
    assert "Traceback" not in done.errors, (words, done)
    assert done.errors.strip() or done.output.strip(), (words, "nothing was said")
    if "--json" not in words:
        return
    answer = json.loads(done.output)
    assert isinstance(answer, dict)
    assert done.output.isascii(), (words, done)
    assert ("error" in answer) == (done.status != YES), (words, done)
    assert [f"hint: {harmless(_line(hint))}" for hint in answer["hints"]] == [
        line for line in done.errors.splitlines() if line.startswith("hint: ")
    ], (words, done)
    assert isinstance(answer["warnings"], list)
    if done.status == UNUSABLE:
        assert "error: " in done.errors, (words, done)
    if done.status == NO:
        assert is_verdict(answer), (words, done)


def is_verdict(answer: dict[str, object]) -> bool:
    """Return True if a JSON object says why the answer is no."""
    return any(answer.get(key) for key in _REASONS) or answer.get("ok") is False


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content)
    return path


def _line(hint: dict[str, str | None]) -> str:
    """Return a hint of a JSON object as the terminal shows it."""
    return str(hint["text"]) if hint["command"] is None else f"{hint['text']}: {hint['command']}"


def _stream(content: bytes = b"") -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode("utf-8")
