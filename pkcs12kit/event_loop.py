"""Coroutines run from synchronous code, in notebooks as well."""

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
"""For name lookups and the cache. The default is few threads, and lookups without an answer would block them all."""

_STEP: Final = 0.25
"""Seconds between two wake-ups of the waiting thread: a Ctrl-C just before it begins to wait does not wake it."""


def run(main: Coroutine[Any, Any, _Result]) -> _Result:
    """Run ``main`` in a new event loop and return its result, or raise its exception.

    Where a loop already runs in this thread, as in a notebook, ``main`` runs in a new thread, and this thread waits.
    KeyboardInterrupt cancels ``main``, waits until ``main`` has closed its connections, and is then raised: no task,
    thread or connection is left. Only a name lookup cannot be cancelled; it ends when the system's resolver gives up.
    After a second interrupt this function does not wait.
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
        except BaseException:  # KeyboardInterrupt in this thread, which submits and waits; or the coroutine's own
            interrupted.set()  # before `began` is read: a coroutine that begins later sees it
            if began.done():
                loop, task = began.result()
                if task is not None:
                    with suppress(RuntimeError):  # the loop has ended
                        loop.call_soon_threadsafe(task.cancel)
            raise
