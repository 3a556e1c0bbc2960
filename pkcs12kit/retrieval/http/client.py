"""Many URLs, each fetched once, side by side. It loads aiohttp: import it where something is to be fetched."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.retrieval.http.accounting import Tally, TotalBudget
from pkcs12kit.retrieval.http.permitted import RefusedError, require_permitted_url, scheme_of
from pkcs12kit.retrieval.http.request import Requester, largest_response
from pkcs12kit.retrieval.http.transport import Transport
from pkcs12kit.retrieval.retrieved import Progress, Retrieval, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from aiohttp.abc import AbstractResolver
    from yarl import URL

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.cache.cache import Cache
    from pkcs12kit.retrieval.retrieved import Purpose

_LDAP: Final = frozenset({"ldap", "ldaps"})


_Key = tuple[str, int, tuple[bytes, str] | None]


@dataclass(slots=True)
class _Fetch:
    """A URL that is being fetched or was, and how many wait for it."""

    task: asyncio.Task[Retrieval]
    waiting: int = 0


class Fetcher:
    """Fetch URLs over HTTP and HTTPS: bounded, each once, and never raising for what a network or a server does.

    An asynchronous context manager: when its block ends, every request and connection does. ``cache`` saves requests
    and makes them conditional (RFC 9110 section 13); with ``offline`` it is all that is asked. ``allow_private`` lets
    addresses be asked that are not public. ``limits`` are those whose names begin with ``retrieval_``; their time and
    bytes in all count for one fetcher. ``on_event`` is called in the event loop's thread with a :class:`Progress` as
    bytes come, and with each :class:`Retrieval`; what it raises comes out of :meth:`fetch`.

    What may be asked is in :mod:`pkcs12kit.retrieval.http.permitted`, how in :mod:`pkcs12kit.retrieval.http.transport`.
    Content is not looked into, but for being no web page: whatever comes is an untrusted candidate. A limit of one
    host's requests at a time counts by the name in the URL. ``resolver`` replaces the system's, behind the same checks.
    """

    def __init__(
        self,
        *,
        cache: Cache | None = None,
        offline: bool = False,
        allow_private: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        on_event: Callable[[Retrieval | Progress], object] | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._cache = cache
        self._offline = offline
        self._allow_private = allow_private or offline  # nobody is asked then, at any address
        self._limits = limits
        self._on_event = on_event
        self._resolver = resolver
        self._fetches: dict[_Key, _Fetch] = {}
        self._tasks: set[asyncio.Task[Retrieval]] = set()
        self._outcomes: dict[_Key, Retrieval | None] = {}  # in the order asked; None until there is one
        self._finished = 0
        self._budget = TotalBudget(limits)
        self._fault: Exception | None = None
        self._requester: Requester | None = None
        self._stack = AsyncExitStack()

    @property
    def retrievals(self) -> tuple[Retrieval, ...]:
        """Every URL that has an outcome, in the order asked; beyond ``limits.retrieval_urls`` only one more."""
        return tuple(outcome for outcome in self._outcomes.values() if outcome is not None)

    async def __aenter__(self) -> Self:
        """Get ready to connect. The time for all URLs begins."""
        transport = Transport(limits=self._limits, allow_private=self._allow_private, resolver=self._resolver)
        self._requester = Requester(
            await self._stack.enter_async_context(transport),
            cache=self._cache,
            offline=self._offline,
            allow_private=self._allow_private,
            limits=self._limits,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Break off what is still being fetched, and close every connection."""
        self._requester = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def fetch(self, url: str, purpose: Purpose, *, post: tuple[bytes, str] | None = None) -> Retrieval:
        """Fetch a URL by GET, or by POST: ``post`` is what to send, and its media type.

        What was asked before is not asked again: its outcome is given, or waited for. A URL that nobody waits for any
        more is broken off and counts as skipped; it may be asked for again. What a POST gives is not cached. Raises
        RuntimeError outside of the block.
        """
        if self._requester is None:
            raise RuntimeError("a Fetcher fetches within its 'async with' block")
        named = url[: self._limits.retrieval_url_characters + 1]  # one more shows that it is too long
        largest, _ = largest_response(purpose, self._limits)
        try:
            target = require_permitted_url(named, allow_private=self._allow_private, limits=self._limits)
        except RefusedError as error:
            key = (named, largest, post)
            outcome = self._record(key, _not_asked(named, purpose, error))
        else:
            key = (str(target), largest, post)
            outcome = await self._join(key, self._requester, named, target, purpose)
        if self._fault is not None:
            raise self._fault
        return replace(outcome, purpose=purpose)

    async def _join(self, key: _Key, requester: Requester, named: str, target: URL, purpose: Purpose) -> Retrieval:
        """Wait for a URL together with all who do; the first begins it, the last who gives up ends it."""
        fetch = self._fetches.get(key)
        if fetch is None:
            if key not in self._outcomes and len(self._outcomes) >= self._limits.retrieval_urls:
                return self._record(key, self._one_too_many(named, purpose))
            self._outcomes.setdefault(key, None)
            task = asyncio.create_task(self._fetch(key, requester, named, target, purpose))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            fetch = self._fetches[key] = _Fetch(task)
        fetch.waiting += 1
        try:
            return await asyncio.shield(fetch.task)
        finally:
            fetch.waiting -= 1
            if not fetch.waiting and not fetch.task.done():
                fetch.task.cancel()
                del self._fetches[key]

    async def _fetch(self, key: _Key, requester: Requester, named: str, target: URL, purpose: Purpose) -> Retrieval:
        tally = Tally(budget=self._budget, tell=lambda: self._tell_progress(named))
        self._tell_progress(named)
        try:
            outcome = await requester.retrieve(named, target, purpose, post=key[2], tally=tally)
        except asyncio.CancelledError:
            now = self._fetches.get(key)
            if now is None or now.task is asyncio.current_task():  # else it was asked for again, and that counts
                why = "broken off: it was not needed any more"
                self._record(key, Retrieval(url=named, purpose=purpose, status=Status.SKIPPED, why=why))
            raise
        return self._record(key, outcome)

    def _record(self, key: _Key, outcome: Retrieval) -> Retrieval:
        """Keep the outcome of a URL, and tell of it, once; of URLs that are too many, the first."""
        if key in self._outcomes or len(self._outcomes) <= self._limits.retrieval_urls:
            told = self._outcomes.get(key)
            self._outcomes[key] = outcome
            self._finished += told is None
            if told != outcome:
                self._tell(outcome)
        return outcome

    def _one_too_many(self, named: str, purpose: Purpose) -> Retrieval:
        why = f"more than {self._limits.retrieval_urls:,} URLs (limits.retrieval_urls)"
        return Retrieval(url=named, purpose=purpose, status=Status.REFUSED, why=why)

    def _tell_progress(self, url: str) -> None:
        asked, size = len(self._outcomes), self._budget.size
        self._tell(Progress(url=url, asked=asked, finished=self._finished, size=size))

    def _tell(self, event: Retrieval | Progress) -> None:
        if self._on_event is None or self._fault is not None:
            return
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001  # raised by fetch(): in here it would be taken for the network's
            self._fault = error


def _not_asked(named: str, purpose: Purpose, error: RefusedError) -> Retrieval:
    if scheme_of(named) in _LDAP:
        return Retrieval(url=named, purpose=purpose, status=Status.SKIPPED, why="LDAP is not spoken here")
    return Retrieval(url=named, purpose=purpose, status=Status.REFUSED, why=str(error))
