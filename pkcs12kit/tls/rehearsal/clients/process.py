"""Run a program of another maker: by a deadline, in an environment of its own, with nothing left of it afterwards."""

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

_TICK: Final = 0.1  # seconds until a cancellation is seen
_GRACE: Final = 1.0  # seconds between asking a program to end and ending it
_SETTLING: Final = 0.25  # seconds for what was ended to be gone; where nobody reaps orphans, some never are
_MOMENT: Final = 0.002  # seconds between looks at whether they ended
_INTERRUPTED: Final = "interrupted"
_PIECE: Final = 64 * 1024  # bytes, of a pipe's buffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came of a program: text from outside, up to the moment at which it was ended."""

    status: int | None
    """Its exit status, negative for a signal; None where it did not end by itself, and ``ended`` says why."""
    output: str
    errors: str
    ended: str
    """Why it was ended, or did not start, for example ``no answer within 20 seconds``; empty where it ended itself."""


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a folder for one client, mode 0700, removed with all in it. No private key ever goes there."""
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
) -> Finished:
    """Run ``command`` in ``folder`` and read what it says, without input.

    It has ``seconds`` to end and ``limits.tls_client_bytes`` to say; past either, or once ``cancelled`` is set, which
    another thread may do, it is ended with every process that it started and that stayed in its session. Of the
    environment it inherits PATH alone; its home and temporary folder is ``folder``, its language English.
    """
    if cancelled.is_set():
        return Finished(status=None, output="", errors="", ended=_INTERRUPTED)
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
            start_new_session=True,  # so that it can be ended with all its children, and no Ctrl-C ends it half way
        )
    except OSError as error:
        return Finished(status=None, output="", errors="", ended=f"cannot be run: {error.strerror}")
    said: tuple[bytearray, bytearray] = (bytearray(), bytearray())
    with process:
        try:
            ended = _listen(process, said, seconds=seconds, cancelled=cancelled, budget=limits.tls_client_bytes)
        finally:
            _end(process)
    output, errors = (part.decode("utf-8", "replace") for part in said)
    return Finished(status=None if ended else process.returncode, output=output, errors=errors, ended=ended)


def _listen(
    process: subprocess.Popen[bytes],
    said: tuple[bytearray, bytearray],
    *,
    seconds: float,
    cancelled: Event,
    budget: int,
) -> str:
    """Read until the program ends, and give an empty text, or why it has to be ended."""
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
                return f"it said more than {budget} bytes (tls_client_bytes)"
    return _INTERRUPTED


def _has_ended(process: subprocess.Popen[bytes], selector: selectors.BaseSelector, patience: float) -> bool:
    """Take what there is to read; True once the program has ended and nothing is left."""
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
    return over and not ready  # a child of it may hold the pipes still


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all of its group, whose number is the program's own."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
    is_left = _signal(process, signal.SIGKILL)  # the program itself, or what outlived it
    process.wait()
    patience = time.monotonic() + _SETTLING
    while is_left and time.monotonic() < patience:  # a signal takes a moment, and nothing may write any more
        time.sleep(_MOMENT)
        is_left = _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> bool:
    """Send a signal to the group; False where nobody is left in it."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of those who ended
        return False
    return True
