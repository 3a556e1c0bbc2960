"""Passwords of a manifest: read where the work is done, and how a later run knows that a source is as it was.

Nothing here stores a password or anything that is computed from one. A file is known by its status. An environment
variable or a command has none: a value that was proved, because it opened or protected a file, gets a random number,
its *generation*, and the state keeps that. In a later run a value is known to be that of a generation once it has
opened one file of it; so bundles that share a variable cost one key derivation for each process, not one each.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock
from typing import TYPE_CHECKING, Final, NamedTuple

from pkcs12kit.errors import InputError, LimitExceededError, PasswordError
from pkcs12kit.sources.password_text import first_line
from pkcs12kit.sources.reading import fault_of, read_source, shown_path
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from datetime import datetime

    from pkcs12kit.fleet.bundles import Secret
    from pkcs12kit.limits import Limits

_FINE: Final = 50_000_000  # nanoseconds: five ticks of the slowest clock of Linux
_COARSE: Final = 2_500_000_000  # nanoseconds: more than FAT's two seconds
_SECOND: Final = 1_000_000_000


class SecretSource(NamedTuple):
    """A reference to a password in a run: a command runs once in a run and process, in the folder of the manifest."""

    secret: Secret
    folder: str
    run: datetime


class ReadSecret(NamedTuple):
    """A password, and the mark of its file; the mark is empty where the file has none that holds."""

    password: str
    status: str

    def __repr__(self) -> str:
        return "<ReadSecret>"


def read_secret(source: SecretSource, *, limits: Limits) -> ReadSecret:
    """Return a password: the first line of a file or of a command's output, or the value of a variable.

    Raises :class:`~pkcs12kit.PasswordError` for an empty one, and :class:`~pkcs12kit.InputError` for one that cannot be
    read. No message has anything of the password, or of the output of the command.
    """
    kind, value = source.secret.kind, source.secret.value
    if kind == "file" and isinstance(value, str):
        read = _of_file(value, limits)
    elif kind == "env" and isinstance(value, str):
        read = ReadSecret(_of_variable(value), "")
    else:
        read = ReadSecret(_COMMANDS.output(source, limits), "")
    if not read.password.strip("\r\n\ufeff"):
        raise PasswordError(f"{describe(source.secret)} is empty, and with it anyone could read the file")
    return read


def describe(secret: Secret) -> str:
    """Return in words where a password comes from."""
    if isinstance(secret.value, tuple):
        return f"the first line that the command {harmless(secret.value[0])} prints"
    if secret.kind == "env":
        return f"the environment variable {harmless(secret.value)}"
    return f"{shown_path(secret.value)}: its first line"


def is_as_it_was(source: SecretSource, mark: str, *, limits: Limits) -> bool:
    """Return True if the source of a password is known to give what it gave when it was recorded with this mark.

    Never raises: a source that cannot be read is not as it was. Reading it again gives the error.
    """
    if not mark:
        return False
    if source.secret.kind == "file":
        return status_of(source.secret.value) == mark
    try:
        return _GENERATIONS.is_known(source, mark, read_secret(source, limits=limits).password)
    except InputError:
        return False


def mark_of_proved(source: SecretSource, read: ReadSecret, recorded: str | None) -> str:
    """Return the mark of a password that has just opened or protected a file.

    ``recorded`` is the mark that the file was recorded with, if the password has opened it as it was recorded; else
    None.
    """
    if source.secret.kind == "file":
        return read.status if read.status == status_of(source.secret.value) else ""
    return _GENERATIONS.prove(source, read.password, recorded or None)


class _Generations:
    """The values of this process that are proved, with their generations. They are in memory only."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[tuple[Secret, str], dict[str, str]] = {}

    def is_known(self, source: SecretSource, generation: str, password: str) -> bool:
        with self._lock:
            return self._values.get((source.secret, source.folder), {}).get(generation) == password

    def prove(self, source: SecretSource, password: str, recorded: str | None) -> str:
        """Keep that a value is of a generation, and return the generation to record: the same for equal values."""
        with self._lock:
            values = self._values.setdefault((source.secret, source.folder), {})
            if recorded is not None:
                values[recorded] = password
            own = [generation for generation, value in values.items() if value == password]
            if own:
                return min(own)
            new = secrets.token_hex(16)
            values[new] = password
            return new


class _Commands:
    """The first lines that commands have printed in a run, or their errors: each command runs once in a process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[tuple[Secret, str], Lock] = {}
        self._answers: dict[tuple[Secret, str], tuple[datetime, str | InputError]] = {}

    def output(self, source: SecretSource, limits: Limits) -> str:
        """Return the first line. Raises :class:`~pkcs12kit.InputError`."""
        key = (source.secret, source.folder)
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            run, answer = self._answers.get(key, (None, ""))
            if run != source.run:
                try:
                    answer = _of_command(source, limits)
                except InputError as error:
                    answer = error
                self._answers[key] = (source.run, answer)
        if isinstance(answer, InputError):
            raise type(answer)(str(answer))
        return answer


_GENERATIONS: Final = _Generations()
_COMMANDS: Final = _Commands()


def _of_file(path: str, limits: Limits) -> ReadSecret:
    now = time.time_ns()
    status = status_of(path, now=now)
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise InputError(f"{shown_path(path)}: not a regular file; give a file with the password in its first line")
    except (OSError, ValueError) as error:
        why = fault_of(error) if isinstance(error, OSError) else "not a path"
        raise InputError(f"{shown_path(path)}: {why}; it is the file of a password") from None
    try:
        data = read_source(path, replace(limits, input_bytes=limits.password_bytes))
    except LimitExceededError:
        raise LimitExceededError(
            f"{shown_path(path)}: larger than {limits.password_bytes:,} bytes (limits.password_bytes); give a file with"
            " the password in its first line"
        ) from None
    return ReadSecret(first_line(data, shown_path(path), path), status)


def status_of(path: object, *, now: int | None = None) -> str:
    """Return the status of a file as text; empty without one.

    With ``now``, in nanoseconds, it is also empty for a file that was changed just before: another change in the same
    tick of the file system's clock would not show.
    """
    try:
        status = os.stat(str(path))  # noqa: PTH116  # a path is a plain string
    except (OSError, ValueError):
        return ""
    if not stat.S_ISREG(status.st_mode):
        return ""
    latest = max(status.st_mtime_ns, status.st_ctime_ns)
    coarse = status.st_mtime_ns % _SECOND == 0 and status.st_ctime_ns % _SECOND == 0
    if now is not None and now - latest <= (_COARSE if coarse else _FINE):
        return ""
    numbers = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
    return "/".join(map(str, numbers))


def _of_variable(name: str) -> str:
    password = os.environ.get(name)
    if password is None:
        raise InputError(f"the environment variable {harmless(name)} is not set where the work is done; set it there")
    if any("\ud800" <= char <= "\udfff" for char in password):  # how Python represents bytes that are not UTF-8
        raise InputError(f"the environment variable {harmless(name)} is not UTF-8 text")
    return password


def _of_command(source: SecretSource, limits: Limits) -> str:
    from pkcs12kit.tls.rehearsal.clients.process import run

    words = [str(word) for word in source.secret.value]
    name = f"the password command {harmless(words[0])}"
    result = run(
        words,
        folder=Path(source.folder),
        seconds=limits.password_seconds,
        cancelled=Event(),
        environment=os.environ,
        limits=limits,
    )
    if result.ended.startswith("no answer"):
        raise InputError(f"{name}: {result.ended} (limits.password_seconds); it was ended with its children")
    if result.status is None:
        raise InputError(f"{name}: {result.ended}")
    if result.status:
        ending = f"exit status {result.status}" if result.status > 0 else f"signal {-result.status}"
        raise InputError(
            f"{name}: {ending}; its output is not shown, because it may have the password: run the command yourself"
        )
    line = result.output.partition("\n")[0]
    if "\ufffd" in line:
        raise InputError(f"{name}: the password is not UTF-8 text")
    if len(line.encode()) > limits.password_bytes:
        raise LimitExceededError(
            f"{name}: its first line is longer than {limits.password_bytes:,} bytes (limits.password_bytes)"
        )
    return first_line(result.output.encode(), name)
