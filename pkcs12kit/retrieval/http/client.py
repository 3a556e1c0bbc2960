"""The HTTP client: many URLs at a time, each fetched once. It loads aiohttp: import it only where it is needed."""

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
    """A URL that is being fetched or was fetched, and the number of callers that wait for it."""

    task: asyncio.Task[Retrieval]
    waiting: int = 0


class Fetcher:
    """A client that fetches URLs over HTTP and HTTPS, within limits, each once. It does not raise for network errors.

    An asynchronous context manager: every request and connection ends with its block.

    * ``cache`` saves requests and makes them conditional (RFC 9110 section 13).
    * ``offline`` sends no request: the cache is the only source.
    * ``allow_private`` permits addresses that are not public.
    * ``limits``: those whose names begin with ``retrieval_``. The total time and the total bytes count for one fetcher.
    * ``on_event`` is called in the event loop's thread with a :class:`Progress` as bytes arrive, and with each
      :class:`Retrieval`. :meth:`fetch` raises what it raises.
    * ``resolver`` replaces the system's resolver, behind the same checks of addresses.

    :mod:`pkcs12kit.retrieval.http.permitted` has the rules for URLs and addresses. Only web pages are recognized among
    contents: all content is untrusted. The limit on simultaneous requests to a host counts by the name in the URL.
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
        self._allow_private = allow_private or offline  # no address is connected to then
        self._limits = limits
        self._on_event = on_event
        self._resolver = resolver
        self._fetches: dict[_Key, _Fetch] = {}
        self._tasks: set[asyncio.Task[Retrieval]] = set()
        self._outcomes: dict[_Key, Retrieval | None] = {}  # in the order of the calls; None until there is one
        self._finished = 0
        self._budget = TotalBudget(limits)
        self._fault: Exception | None = None
        self._requester: Requester | None = None
        self._stack = AsyncExitStack()

    @property
    def retrievals(self) -> tuple[Retrieval, ...]:
        """Every URL that has an outcome, in the order of the calls; at most one more than ``limits.retrieval_urls``."""
        return tuple(outcome for outcome in self._outcomes.values() if outcome is not None)

    async def __aenter__(self) -> Self:
        """Open the transport and start the time for all URLs."""
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
        """Cancel the fetches that are still running, and close every connection."""
        self._requester = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def fetch(self, url: str, purpose: Purpose, *, post: tuple[bytes, str] | None = None) -> Retrieval:
        """Fetch a URL by GET, or by POST where ``post`` has the body and its media type.

        A second call for the same URL returns or awaits the outcome of the first. A fetch is cancelled, and counts as
        skipped, when its last caller is cancelled; a later call starts it again. Responses to POST are not cached.
        Raises :class:`RuntimeError` outside of the block.
        """
        if self._requester is None:
            raise RuntimeError("a Fetcher fetches within its 'async with' block")
        named = url[: self._limits.retrieval_url_characters + 1]  # one more shows that it is too long
        largest, _ = largest_response(purpose, self._limits)
        try:
            target = require_permitted_url(named, allow_private=self._allow_private, limits=self._limits)
        except RefusedError as error:
            key = (named, largest, post)
            outcome = self._record(key, _refused(named, purpose, error))
        else:
            key = (str(target), largest, post)
            outcome = await self._join(key, self._requester, named, target, purpose)
        if self._fault is not None:
            raise self._fault
        return replace(outcome, purpose=purpose)

    async def _join(self, key: _Key, requester: Requester, named: str, target: URL, purpose: Purpose) -> Retrieval:
        """Await the fetch of a URL: the first caller starts it, and it is cancelled with its last caller."""
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
        tally = Tally(budget=self._budget, on_bytes=lambda: self._report_progress(named))
        self._report_progress(named)
        try:
            outcome = await requester.retrieve(named, target, purpose, post=key[2], tally=tally)
        except asyncio.CancelledError:
            now = self._fetches.get(key)
            if now is None or now.task is asyncio.current_task():  # otherwise a later call has started it again
                why = "cancelled: it was no longer needed"
                self._record(key, Retrieval(url=named, purpose=purpose, status=Status.SKIPPED, why=why))
            raise
        return self._record(key, outcome)

    def _record(self, key: _Key, outcome: Retrieval) -> Retrieval:
        """Keep the outcome of a URL and report it once; of the URLs above the limit, keep only the first."""
        if key in self._outcomes or len(self._outcomes) <= self._limits.retrieval_urls:
            earlier = self._outcomes.get(key)
            self._outcomes[key] = outcome
            self._finished += earlier is None
            if earlier != outcome:
                self._report(outcome)
        return outcome

    def _one_too_many(self, named: str, purpose: Purpose) -> Retrieval:
        why = f"more than {self._limits.retrieval_urls:,} URLs (limits.retrieval_urls)"
        return Retrieval(url=named, purpose=purpose, status=Status.REFUSED, why=why)

    def _report_progress(self, url: str) -> None:
        asked, size = len(self._outcomes), self._budget.size
        self._report(Progress(url=url, asked=asked, finished=self._finished, size=size))

    def _report(self, event: Retrieval | Progress) -> None:
        if self._on_event is None or self._fault is not None:
            return
        try:
            self._on_event(event)
        except Exception as error:  # noqa: BLE001  # fetch() raises it: here it would pass for an error of the network
            self._fault = error


def _refused(named: str, purpose: Purpose, error: RefusedError) -> Retrieval:
    if scheme_of(named) in _LDAP:
        return Retrieval(url=named, purpose=purpose, status=Status.SKIPPED, why="LDAP is not supported")
    return Retrieval(url=named, purpose=purpose, status=Status.REFUSED, why=str(error))
