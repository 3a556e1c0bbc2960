"""Keys that are still to be derived, and their derivation side by side, in threads that end with it."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_WORTH_A_THREAD: Final = 5_000
"""The iterations, about a millisecond, from which a derivation is worth a thread."""
_MOST_THREADS: Final = 8
_one_at_a_time: ContextVar[bool] = ContextVar("_one_at_a_time", default=False)


class PendingKey:
    """A key that was counted in the work budget. It is derived once: at its first use, or before.

    ``side_by_side`` is the number of its iterations if other threads can run meanwhile; 0 if they cannot.
    """

    __slots__ = ("_derive", "_octets", "side_by_side")

    def __init__(self, derive: Callable[[], bytes], *, side_by_side: int = 0) -> None:
        self._derive = derive
        self._octets: bytes | None = None
        self.side_by_side = side_by_side

    @property
    def octets(self) -> bytes:
        """The derived octets. Raises as the derivation does."""
        if self._octets is None:
            self._octets = self._derive()
        return self._octets


def derive_side_by_side(keys: Iterable[PendingKey]) -> None:
    """Run derivations in parallel, in at most one thread for each processor, this one included.

    Nothing is raised for a key that cannot be derived: its use raises the error. A key with few iterations is also left
    until it is used. All threads have ended on return; on an interruption, each first finishes its present key.
    """
    waiting = deque(
        sorted((key for key in keys if key.side_by_side >= _WORTH_A_THREAD), key=lambda key: -key.side_by_side)
    )
    count = 1 if _one_at_a_time.get() else min(len(waiting), _processors(), _MOST_THREADS)
    if count < 2:  # noqa: PLR2004  # this thread does it anyway
        return

    def work() -> None:
        try:
            while True:
                waiting.popleft().octets  # noqa: B018  # it is kept
        except Exception:  # noqa: BLE001  # none is left; or it failed, and fails again where it is used
            return

    threads: list[Thread] = []
    try:
        for _ in range(count - 1):
            thread = Thread(target=work, name="pkcs12kit key derivation")
            try:
                thread.start()
            except RuntimeError:  # the system allows no more threads
                break
            threads.append(thread)
        work()
    finally:
        waiting.clear()
        for thread in threads:
            thread.join()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Return a context in which keys are derived one after the other, because other work needs the processors."""
    token = _one_at_a_time.set(True)
    try:
        yield
    finally:
        _one_at_a_time.reset(token)


def _processors() -> int:
    """Return the number of processors that this process may use."""
    if sys.platform == "linux":
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return count
