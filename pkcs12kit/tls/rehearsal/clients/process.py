"""Programs of other makers, run with a deadline and a clean environment, and ended with all their children."""

from __future__ import annotations

import errno
import os
import selectors
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.process_groups import end_process_group

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from threading import Event
    from typing import IO

_TICK: Final = 0.1  # seconds between checks for a cancellation
_GRACE: Final = 1.0  # seconds for a program that was just written to be no longer busy
_MOMENT: Final = 0.002  # seconds between tries to start it
_INTERRUPTED: Final = "interrupted"
_OF_WINDOWS: Final = ("SYSTEMROOT", "PATHEXT", "COMSPEC")  # without the first, no program there has a network
_CAN_SELECT_PIPES: Final = os.name != "nt"
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
    with tempfile.TemporaryDirectory(prefix="pkcs12kit-", ignore_cleanup_errors=os.name == "nt") as folder:
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
    inherited |= {name: os.environ[name] for name in _OF_WINDOWS if name in os.environ}
    words = [os.fspath(part) for part in command]
    if not _CAN_SELECT_PIPES:  # Windows would look for it in the folder of this process first
        named = str(folder / words[0]) if "/" in words[0] else shutil.which(words[0])
        words[0] = named or words[0]
    said: tuple[bytearray, bytearray] = (bytearray(), bytearray())
    with ExitStack() as stack:
        files = () if _CAN_SELECT_PIPES else tuple(stack.enter_context(tempfile.TemporaryFile()) for _ in said)
        try:
            process = stack.enter_context(
                _start(
                    words,
                    files or (subprocess.PIPE, subprocess.PIPE),
                    folder,
                    {**inherited, "TEMP": home, "TMP": home, **(environment or {})},
                    cancelled,
                )
            )
        except OSError as error:
            return ProcessResult(status=None, output="", errors="", ended=f"cannot be run: {error.strerror}")
        listen = partial(_watch, files=files) if files else partial(_listen, said=said)
        try:
            ended = listen(process, seconds=seconds, cancelled=cancelled, budget=limits.tls_client_bytes)
        finally:
            end_process_group(process)
        for file, part in zip(files, said, strict=False):
            file.seek(0)
            part.extend(file.read(limits.tls_client_bytes))
    output, errors = (part.decode("utf-8", "replace") for part in said)
    return ProcessResult(status=None if ended else process.returncode, output=output, errors=errors, ended=ended)


def _start(
    words: Sequence[str],
    streams: Sequence[int | IO[bytes]],
    folder: Path,
    environment: Mapping[str, str],
    cancelled: Event,
) -> subprocess.Popen[bytes]:
    """Start a program, also one that this process has just written; ``streams`` are those of its output and errors.

    Such a file is busy for a moment where another thread starts a program: its child has the open file until then.
    """
    patience = time.monotonic() + _GRACE
    while True:
        try:
            return subprocess.Popen(  # noqa: S603 - the clients' own fixed commands, no shell
                words,
                stdin=subprocess.DEVNULL,
                stdout=streams[0],
                stderr=streams[1],
                cwd=folder,
                env=environment,
                start_new_session=True,  # ended with all its children, and not by Ctrl-C half way
            )
        except OSError as error:
            if error.errno != errno.ETXTBSY or time.monotonic() > patience or cancelled.wait(_MOMENT):
                raise


def _listen(
    process: subprocess.Popen[bytes],
    *,
    said: tuple[bytearray, bytearray],
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


def _watch(
    process: subprocess.Popen[bytes],
    *,
    files: Sequence[IO[bytes]],
    seconds: float,
    cancelled: Event,
    budget: int,
) -> str:
    """Wait as :func:`_listen` does, for a program that writes to files: Windows can wait for sockets, not for pipes."""
    deadline = time.monotonic() + seconds
    while not cancelled.is_set():
        if (remaining := deadline - time.monotonic()) <= 0:
            return f"no answer within {seconds:g} seconds"
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(remaining, _TICK))
        if sum(os.fstat(file.fileno()).st_size for file in files) > budget:
            return f"it wrote more than {budget} bytes (tls_client_bytes)"
        if process.returncode is not None:
            return ""
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
