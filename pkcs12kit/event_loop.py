"""Run a coroutine from code that is not asynchronous, a notebook's included."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine


_Result = TypeVar("_Result")

_THREADS: Final = 64
"""For looking up names and for the cache: by default there are few, and names that nobody answers for hold them all."""

_STEP: Final = 0.25
"""Seconds after which a thread that waits looks up: a Ctrl-C just before it began to wait does not wake it."""


def run(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run ``main`` in an event loop of its own and give its result, or raise what it raises.

    Where a loop already runs in this thread, as in a notebook, it runs in a thread of its own, which this one waits
    for. KeyboardInterrupt cancels ``main``, waits until it has closed what it opened, and comes out of here: no task,
    thread or connection is left. The one thing that cannot be broken off is the lookup of a name, which ends when the
    system's resolver gives up. Interrupted again, it does not wait.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_with_threads(main))
    return _run_in_a_thread(main)


async def _with_threads(main: Coroutine[Any, Any, _Result]) -> _Result:
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="pkcs12kit")
    asyncio.get_running_loop().set_default_executor(executor)  # asyncio.run ends its threads
    return await main


def _run_in_a_thread(main: Coroutine[Any, Any, _Result]) -> _Result:
    began: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = Future()

    interrupted = Event()

    async def cancellable() -> _Result:
        began.set_result((asyncio.get_running_loop(), asyncio.current_task()))
        if interrupted.is_set():
            main.close()
            raise asyncio.CancelledError
        return await _with_threads(main)

    with ThreadPoolExecutor(1, thread_name_prefix="pkcs12kit") as thread:
        try:
            running = thread.submit(contextvars.copy_context().run, asyncio.run, cancellable())
            while not wait([running], timeout=_STEP).done:
                pass
            return running.result()
        except BaseException:  # KeyboardInterrupt, here in the thread that submits and waits; or the coroutine's own
            interrupted.set()  # before the look at what began: what has not sees this
            if began.done():
                loop, task = began.result()
                if task is not None:
                    with suppress(RuntimeError):  # it ended meanwhile
                        loop.call_soon_threadsafe(task.cancel)
            raise
