"""The commands that a manifest names in ``after``: each runs once when the files of its bundles have changed.

The rules, which hold for every command:

- It runs where the manifest is read, not where the work on a bundle is done, after all files of the run are in place.
  Equal commands of several bundles run once. The order is that of the manifest, one after the other.
- It is run directly, without a shell: each word of ``after`` is one argument. A name without a slash is looked up in
  PATH; another one is relative to the manifest's folder, in which the command runs.
- Its input is empty. It has no terminal, so that no program can ask there for a password.
- It gets the environment without the variables that hold passwords of the manifest: ``password = {env = "NAME"}``.
- At its time limit it is ended with all processes that stayed in its session; so it is when the run is interrupted. A
  command that ends by itself may leave processes behind, such as the server that it started: they are not touched. They
  should not write to the command's output, which is not read after the run.
- Its output is kept as far as the end of it fits into ``limits.hook_output_bytes``. The end is shown if it fails. So a
  command should not print secrets. Its words are not shown, since they may hold one, except for the program.
- It succeeds with exit status 0. Anything else is an error of each of its bundles, and it stays due.

On Windows, batch files (``.bat``, ``.cmd``) are refused: Windows runs them by its shell, which would read special
characters in the arguments. ``after = ["cmd.exe", "/c", ...]`` runs one all the same.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeAlias

from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.process_groups import end_process_group
from pkcs12kit.text import harmless, quoted_name

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from pkcs12kit.fleet.bundles import FleetBundle

Argv: TypeAlias = "tuple[str, ...]"
"""The words of a command."""

_IS_WINDOWS: Final = os.name == "nt"
_BATCH_FILES: Final = (".bat", ".cmd")
_NEW_GROUP: Final = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # of Windows: Ctrl-C does not reach it
_PIECE: Final = 64 * 1024  # bytes, of a pipe's buffer
_SETTLING: Final = 0.25  # seconds for the last output, where processes that were left behind keep the pipe open
_SHOWN: Final = 400  # characters of the output in a message


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """The start or the end of a command, for those who show or record the progress."""

    argv: Argv
    """The words of the command."""
    names: tuple[str, ...]
    """The names of its bundles."""
    has_ended: bool
    """False where it begins."""
    error: str | None = None
    """Why it failed, in one sentence; None where it did not, or has not ended."""


def hooks_of(bundles: Iterable[FleetBundle]) -> dict[Argv, tuple[str, ...]]:
    """Return each command that bundles name, with the names of its bundles, in the order of the bundles."""
    found: dict[Argv, list[str]] = {}
    for bundle in bundles:
        if bundle.after:
            found.setdefault(bundle.after, []).append(bundle.name)
    return {argv: tuple(names) for argv, names in found.items()}


def hook_seconds(bundles: Iterable[FleetBundle], *, limits: Limits = DEFAULT_LIMITS) -> dict[Argv, float]:
    """Return the time limit of each command in seconds: the longest of its bundles."""
    found: dict[Argv, float] = {}
    for bundle in bundles:
        if bundle.after:
            seconds = limits.hook_seconds if bundle.after_timeout is None else bundle.after_timeout
            found[bundle.after] = max(seconds, found.get(bundle.after, seconds))
    return found


def password_variables(bundles: Iterable[FleetBundle]) -> frozenset[str]:
    """Return the names of the environment variables that hold passwords of bundles."""
    return frozenset(
        str(secret.value) for bundle in bundles for secret in bundle.secrets.values() if secret.kind == "env"
    )


def run_hooks(  # each rule has its own keyword
    due: Mapping[Argv, Sequence[str]],
    *,
    folder: str | Path,
    seconds: float | Mapping[Argv, float] | None = None,
    hidden_variables: Collection[str] = (),
    on_event: Callable[[HookEvent], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> dict[Argv, str | None]:
    """Run each command once, in order, and return why it failed in one sentence, None where it did not.

    - ``due``: the commands, with the names of their bundles.
    - ``folder``: the folder of the manifest, in which they run.
    - ``seconds``: the time limit of all, or of each; ``limits.hook_seconds`` where there is none.
    - ``hidden_variables``: the environment variables that the commands do not get.
    - ``on_event``: is called when a command begins and when it has ended.
    - ``limits``: bounds on the time and on the output that is kept.

    Ctrl-C ends the command that runs and raises KeyboardInterrupt: what ``on_event`` has not seen to succeed is still
    due. No error is raised for anything that a command does.
    """
    environment = _without(os.environ, hidden_variables)
    results: dict[Argv, str | None] = {}
    for argv, names in due.items():
        allowed = seconds.get(argv) if isinstance(seconds, Mapping) else seconds
        if on_event is not None:
            on_event(HookEvent(argv=argv, names=tuple(names), has_ended=False))
        results[argv] = error = _run_one(
            argv,
            folder=Path(folder),
            seconds=limits.hook_seconds if allowed is None else allowed,
            environment=environment,
            limits=limits,
        )
        if on_event is not None:
            on_event(HookEvent(argv=argv, names=tuple(names), has_ended=True, error=error))
    return results


def _without(environment: Mapping[str, str], hidden: Collection[str]) -> dict[str, str]:
    """Return an environment without some variables; Windows does not tell apart small letters and capitals."""
    names = {name.upper() for name in hidden} if _IS_WINDOWS else set(hidden)
    return {name: value for name, value in environment.items() if name not in names}


def _run_one(argv: Argv, *, folder: Path, seconds: float, environment: Mapping[str, str], limits: Limits) -> str | None:
    """Run a command to its end or its time limit, and return why it failed."""
    if not argv or not argv[0]:
        return "the command has no program: name one in after"
    program = quoted_name(argv[0])
    if _IS_WINDOWS:
        named = _found_on_windows(argv[0], folder, environment)
        if named.rstrip(" .").lower().endswith(_BATCH_FILES):  # Windows leaves out the spaces and dots
            return f"{program} is a batch file, which only a shell can run: write it as cmd.exe /c {program}"
        argv = (named, *argv[1:])
    try:
        process = subprocess.Popen(  # noqa: S603 - the manifest's own command, no shell
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=str(folder),
            env=environment,
            start_new_session=True,  # ended with all its children, and not by Ctrl-C half way
            creationflags=_NEW_GROUP,
        )
    except (OSError, ValueError) as error:  # the latter for characters that no argument can have
        return f"{program} cannot be run: {_why_not_run(error, argv[0], folder)}"
    try:
        output = _Tail(process.stdout, limits.hook_output_bytes)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            still = "" if end_process_group(process) else " and cannot be ended by this user: it still runs"
            return f"{program} did not end within {seconds:g} seconds (after_timeout){still}{output.shown()}"
    except BaseException:  # Ctrl-C, or an error of ours
        end_process_group(process)
        raise
    if process.returncode == 0:
        output.settle()
        return None
    return f"{program} {_ending(process.returncode)}{output.shown()}"


def _found_on_windows(name: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the program's path: Windows would look for it in the folder of this process first."""
    if "/" in name or "\\" in name:
        return str(folder / name)
    return shutil.which(name, path=environment.get("PATH")) or name


def _why_not_run(error: OSError | ValueError, name: str, folder: Path) -> str:
    """Return the reason why a program did not start, with the remedy where it is known."""
    if not isinstance(error, OSError):
        return "an argument has a character that no argument can have"
    if not folder.is_dir() or error.filename == str(folder):
        return f"the folder {quoted_name(str(folder), longest=None)} is not there or cannot be entered"
    if isinstance(error, FileNotFoundError):
        return _not_found(name, folder)
    if isinstance(error, PermissionError):
        return "this user may not execute it (chmod +x?)"
    if error.errno == errno.ENOEXEC:
        return "it is neither a program nor a script with a first line like #!/bin/sh"
    return harmless(error.strerror or error)


def _not_found(name: str, folder: Path) -> str:
    if os.sep not in name and (os.altsep is None or os.altsep not in name):
        return "there is no program of that name in PATH"
    if (folder / name).exists():
        return "the program in its first line (#!) does not exist"
    return f"there is no such file, seen from {quoted_name(str(folder), longest=None)}"


def _ending(status: int) -> str:
    if status > 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by signal {-status} ({signal.Signals(-status).name})"
    except ValueError:  # a signal without a name, such as those for real time
        return f"was ended by signal {-status}"


class _Tail:
    """The end of a program's output, read in a thread, so that the program never waits for a reader.

    The thread ends with the last process that has the pipe open. It ends with this process in any case.
    """

    def __init__(self, stream: IO[bytes] | None, longest: int) -> None:
        self._kept = bytearray()
        self._longest = longest
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, args=(stream,), name="pkcs12kit-hook", daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        with stream:
            while piece := os.read(stream.fileno(), _PIECE):
                with self._lock:
                    self._kept += piece
                    del self._kept[: -self._longest or None]

    def settle(self) -> None:
        """Wait until all is read, or a moment where the pipe stays open."""
        self._thread.join(_SETTLING)

    def shown(self) -> str:
        """Return the end of the output for a message, after a colon; nothing where there was none."""
        self.settle()
        with self._lock:
            kept = bytes(self._kept)
        lines = (" ".join(line.split()) for line in kept.decode("utf-8", "backslashreplace").splitlines())
        text = "; ".join(line for line in lines if line)
        return f": {harmless(text, longest=_SHOWN, keep_end=True)}" if text else ""
