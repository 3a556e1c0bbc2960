"""Waiting without a clock: for what comes, in counted tries, and for nothing at all."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOUR = 3600.0  # seconds: a deadline that no test may come to
_TRIES = 1_200  # a minute, and more on a busy machine
_PAUSE = 0.05  # seconds
_SETTLED = 60_000_000  # nanoseconds
_GUARD = 300  # seconds


def wait_until(condition: Callable[[], object]) -> bool:
    """Return True as soon as a condition holds, or False if it did not in some hundred tries.

    The tries bound the waiting for what never comes. How long it takes otherwise does not matter.
    """
    for _ in range(_TRIES):
        if condition():
            return True
        time.sleep(_PAUSE)
    return False


def wait_until_settled(path: Path) -> None:
    """Wait until a file was changed so long ago that a later change would show in its status, by the file system."""
    probe = path.with_name(f"{path.name}.probe")

    def has_settled() -> bool:
        probe.write_bytes(b"")
        return probe.stat().st_ctime_ns - path.stat().st_ctime_ns > _SETTLED

    assert wait_until(has_settled)
    probe.unlink()


@contextmanager
def waiting_for_nothing() -> Iterator[None]:
    """Raise TimeoutError in a block that waits for one of its deadlines of an ``HOUR``.

    The block takes a moment if it does what it should, and an hour otherwise. It is interrupted after five minutes, so
    that a busy machine makes no difference. Works in the main thread only.
    """

    def interrupt(*_: object) -> None:
        message = "it waits for its deadline"
        raise TimeoutError(message)

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(_GUARD)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
