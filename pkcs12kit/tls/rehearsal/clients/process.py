"""Programs of other makers, run with a deadline and a clean environment, and ended with all their children."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkcs12kit.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from threading import Event

_TICK: Final = 0.1  # seconds between checks for a cancellation
_GRACE: Final = 1.0  # seconds between asking a program to end and ending it
_SETTLING: Final = 0.25  # seconds for ended processes to disappear; without a process that reaps orphans, some never do
_MOMENT: Final = 0.002  # seconds between checks whether they have ended
_INTERRUPTED: Final = "interrupted"
_PIECE: Final = 64 * 1024  # bytes, of a pipe's buffer


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessResult:
    """The output of a program up to its end. It is text from outside."""

    status: int | None
    """The exit status, negative for a signal; None where the program was ended, for the reason in ``ended``."""
    output: str
    errors: str
    ended: str
    """The reason why it was ended or did not start: ``no answer within 20 seconds``; empty where it ended by itself."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """Yield a folder for one client, mode 0700, removed at the end. No private key is ever written there."""
    with tempfile.TemporaryDirectory(prefix="pkcs12kit-") as folder:
        yield Path(folder)


def run(
    command: Sequence[str | Path],
    *,
    folder: Path,
    seconds: float,
    cancelled: Event,
    environment: Mapping[str, str] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> ProcessResult:
    """Run ``command`` in ``folder``, without input, and return its output.

    The program has ``seconds`` to end and may write ``limits.tls_client_bytes``. After that, or when another thread
    sets ``cancelled``, it is ended with every process that it started and that stayed in its session. It inherits only
    PATH from the environment; its home and temporary folder is ``folder``, and its language English.
    """
    if cancelled.is_set():
        return ProcessResult(status=None, output="", errors="", ended=_INTERRUPTED)
    home = str(folder)
    inherited = {"PATH": os.environ.get("PATH", os.defpath), "HOME": home, "TMPDIR": home, "LC_ALL": "C.UTF-8"}
    try:
        process = subprocess.Popen(  # noqa: S603 - the clients' own fixed commands, no shell
            [os.fspath(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**inherited, **(environment or {})},
            start_new_session=True,  # ended with all its children, and not by Ctrl-C half way
        )
    except OSError as error:
        return ProcessResult(status=None, output="", errors="", ended=f"cannot be run: {error.strerror}")
    said: tuple[bytearray, bytearray] = (bytearray(), bytearray())
    with process:
        try:
            ended = _listen(process, said, seconds=seconds, cancelled=cancelled, budget=limits.tls_client_bytes)
        finally:
            _end(process)
    output, errors = (part.decode("utf-8", "replace") for part in said)
    return ProcessResult(status=None if ended else process.returncode, output=output, errors=errors, ended=ended)


def _listen(
    process: subprocess.Popen[bytes],
    said: tuple[bytearray, bytearray],
    *,
    seconds: float,
    cancelled: Event,
    budget: int,
) -> str:
    """Read until the program ends, and return an empty text; or the reason why it must be ended."""
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for stream, part in zip((process.stdout, process.stderr), said, strict=True):
            if stream is not None:  # both are pipes
                selector.register(stream, selectors.EVENT_READ, part)
        while not cancelled.is_set():
            if (remaining := deadline - time.monotonic()) <= 0:
                return f"no answer within {seconds:g} seconds"
            if _has_ended(process, selector, min(remaining, _TICK)):
                return ""
            if sum(map(len, said)) > budget:
                return f"it wrote more than {budget} bytes (tls_client_bytes)"
    return _INTERRUPTED


def _has_ended(process: subprocess.Popen[bytes], selector: selectors.BaseSelector, patience: float) -> bool:
    """Read the output that has come; return True when the program has ended and all is read."""
    if not selector.get_map():  # it closed both pipes
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
        return process.returncode is not None
    over = process.poll() is not None
    ready = selector.select(patience)
    for key, _ in ready:
        piece = os.read(key.fd, _PIECE)
        key.data.extend(piece)
        if not piece:
            selector.unregister(key.fileobj)
    return over and not ready  # a child may still hold the pipes


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program with its process group, which has the program's number."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    is_left = _signal(process, signal.SIGKILL)  # the program itself, or what outlived it
    process.wait()
    patience = time.monotonic() + _SETTLING
    while is_left and time.monotonic() < patience:  # a signal takes a moment, and no process may write afterwards
        time.sleep(_MOMENT)
        is_left = _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Send a signal to the group; return False where it has no process any more."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS raises the latter for processes that have ended
        return False
    return True
