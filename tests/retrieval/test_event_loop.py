"""Coroutines run from synchronous code: they leave nothing behind, however they end."""

from __future__ import annotations

import asyncio
import contextvars
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from pkcs12kit.event_loop import run
from pkcs12kit.retrieval.http.client import Fetcher
from pkcs12kit.retrieval.retrieved import Purpose

VARIABLE = contextvars.ContextVar("VARIABLE", default="nothing")


def here(main):
    """Run without a running event loop."""
    return run(main)


def in_a_notebook(main):
    """Run in a thread with a running event loop that does not handle signals, as in a notebook."""

    async def cell():
        return run(main)

    with closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(cell())


@pytest.fixture(params=[here, in_a_notebook])
def call(request):
    """Run in both ways; afterwards no new thread is left."""
    before = set(threading.enumerate())
    yield request.param
    assert set(threading.enumerate()) <= before


def test_result(call):
    """``run`` returns the result of the coroutine, which has the caller's context."""
    VARIABLE.set("something")

    async def main():
        return VARIABLE.get(), await asyncio.to_thread(VARIABLE.get)

    assert call(main()) == ("something", "something")


def test_error(call):
    """``run`` raises the exception of the coroutine."""

    async def main():
        await asyncio.sleep(0)
        raise LookupError("it is not there")

    with pytest.raises(LookupError, match="it is not there"):
        call(main())


def test_many_blocking_calls_at_once(call):
    """Names are resolved in threads: forty lookups that hang do not block the next one."""
    hanging = threading.Semaphore(0)

    async def main():
        tasks = [asyncio.create_task(asyncio.to_thread(hanging.acquire)) for _ in range(40)]
        await asyncio.sleep(0)
        done = await asyncio.to_thread(lambda: "done")
        hanging.release(40)
        await asyncio.gather(*tasks)
        return done

    assert call(main()) == "done"


def test_keyboard_interrupt(call, server, limits):
    """Ctrl-C during a fetch: tasks end, the connection is closed, and KeyboardInterrupt is raised."""
    assert threading.current_thread() is threading.main_thread()  # which signals come to
    gone = threading.Event()

    async def handler(exchange):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        await exchange.stall()
        gone.set()

    server.route("/", handler)
    ended = []

    async def main():
        try:
            async with Fetcher(allow_private=True, limits=limits()) as fetcher:
                await fetcher.fetch(server.url("/"), Purpose.CRL)
        finally:
            ended.append(asyncio.all_tasks() == {asyncio.current_task()})

    with pytest.raises(KeyboardInterrupt):
        call(main())
    assert ended == [True]
    assert gone.wait(10)


def test_interrupted_while_the_thread_starts(monkeypatch):
    """Ctrl-C after the coroutine has started, and before it is awaited, ends it like any other."""
    began, ended = threading.Event(), []
    submit = ThreadPoolExecutor.submit

    def interrupted(self, *call):
        monkeypatch.undo()
        submit(self, *call)
        assert began.wait(10)
        raise KeyboardInterrupt

    async def main():
        began.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_a_notebook(main())
    assert ended == ["cancelled"]
