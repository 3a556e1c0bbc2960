"""The crawl: from certificate to certificate by the URLs in them, up from the target and down from the trust anchors.

Fetched certificates are untrusted. Each is a candidate for a path, which is validated like any other, and may name
further URLs.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.retrieval.contents import Contents, read_contents
from pkcs12kit.retrieval.crawl.frontier import Frontier, QueuedUrl, UrlQueue
from pkcs12kit.retrieval.retrieved import GatheredUrl, Origin, Retrieval, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.http.client import Fetcher

# The ends of the fetcher's sentences for limits on all URLs together.
_OF_ALL_URLS: Final = ("(limits.retrieval_seconds)", "(limits.retrieval_total_bytes)", "(limits.retrieval_urls)")
_NOT_NEEDED: Final = "no longer needed: a valid path was found"


class DepthReplay:
    """A replay of the crawl by depth: first the URLs in the given certificates, then those in what they had, and so on.

    The crawl itself fetches in the quickest order and has responses of greater depth while a lesser one is incomplete.
    The replay has only the certificates of the depths that are complete, in an order that follows from the
    certificates. So its result does not depend on which server answers first.

    ``found`` has the certificates of the complete depths; ``wanted`` has the URLs of the depth that is incomplete.
    """

    def __init__(self, frontier: Frontier, *, has_path: Callable[[CertificatePool], bool]) -> None:
        self.found: dict[Certificate, None] = {}
        self.wanted: frozenset[str] = frozenset()
        self._frontier = frontier
        self._has_path = has_path
        self._asked: set[str] = set()
        self._depth: list[str] | None = None

    def advance(self, certificates: Mapping[str, tuple[Certificate, ...]]) -> bool:
        """Replay the depths that are complete. Return True if the last of them made a path, or no URL is left.

        ``certificates`` has the certificates of each URL that has an outcome; none where it failed.
        """
        while True:
            if self._depth is None:
                self._depth = self._next_depth()
                if self._frontier.should_search(last=not self._depth) and self._has_path(
                    CertificatePool(self._frontier.between)
                ):
                    return True
            if not self._depth and not self._frontier.widen():
                return True
            self.wanted = frozenset(self._depth)
            if not self.wanted <= certificates.keys():
                return False
            for url in self._depth:
                for certificate in certificates[url]:
                    if certificate not in self.found:
                        self.found[certificate] = None
                        self._frontier.add(certificate)
            self._depth = None

    def _next_depth(self) -> list[str]:
        urls = {named.url for named in self._frontier.take()} - self._asked
        self._asked |= urls
        return sorted(urls)


@dataclass(slots=True)
class _Outcome:
    """The outcome of one URL."""

    retrieval: Retrieval
    contents: Contents = field(default_factory=Contents)


class Crawl:
    """One crawl. Each URL is fetched once; many are fetched at a time.

    * ``found`` has the certificates that were fetched, with their origins; ``rejects`` and ``urls()`` have the rest.
    * ``incomplete`` names the limit that ended the crawl, if any.
    * ``has_path`` None fetches everything. Otherwise the crawl ends when ``has_path`` returns True for the certificates
      between the target and the trust anchors. It is called in a thread, where names make a chain. Where the ways up
      from the target and down from the trust anchors lead to no path, the crawl goes on to everything: a repository may
      have a certificate that no caIssuers URL names.

    When there is a path, the crawl waits for URLs of the same depth, at most ``limits.retrieval_settle_seconds``: see
    :class:`DepthReplay`. Then ``near`` is the same whichever server answers first.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        target: Certificate | None,
        trust_anchors: Iterable[TrustAnchor],
        pool: CertificatePool,
        time: datetime,
        has_path: Callable[[CertificatePool], bool] | None,
        limits: Limits,
    ) -> None:
        self.found: dict[Certificate, list[Origin]] = {}
        self.rejects: list[Reject] = []
        self.incomplete: str | None = None
        self._fetcher = fetcher
        self._target = target
        self._trust_anchors = tuple(trust_anchors)
        self._given = dict.fromkeys(pool)
        self._time = time
        self._has_path = has_path
        self._limits = limits
        self._frontier = self._new_frontier()
        self._near: Iterable[Certificate] | None = None
        self._urls: dict[str, QueuedUrl] = {}
        self._outcomes: dict[str, _Outcome] = {}
        self._contents_by_digest: dict[str | None, Contents] = {}
        self._queue = UrlQueue(at_once=limits.retrieval_host_connections)
        self._running: dict[asyncio.Task[Retrieval], QueuedUrl] = {}
        self._finished: asyncio.Queue[asyncio.Task[Retrieval]] = asyncio.Queue()

    async def run(self) -> None:
        """Crawl until there is a valid path, a limit is met, or no URL is left."""
        try:
            await self._cancel(await self._run())
        finally:  # an exception came through, for example the cancellation by KeyboardInterrupt
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def near(self) -> tuple[Certificate, ...]:
        """The certificates up to the depth of the path; all that were found, where that depth is incomplete."""
        return tuple(self.found) if self._near is None else tuple(one for one in self._near if one in self.found)

    def urls(self) -> tuple[GatheredUrl, ...]:
        """Return the outcome of each URL: those of issuers first, then by URL."""
        return tuple(
            GatheredUrl(
                retrieval=replace(outcome.retrieval, purpose=queued.purpose),
                wanted=tuple(sorted(queued.mentions)),
                certificates=len(outcome.contents.certificates),
                why=outcome.retrieval.why or outcome.contents.why,
            )
            for queued in sorted(self._urls.values(), key=lambda queued: (queued.purpose.value, queued.url))
            if (outcome := self._outcomes.get(queued.url)) is not None
        )

    async def _run(self) -> str:
        """Fetch to the end, and return the reason why the remaining URLs are not fetched."""
        while True:
            self._enqueue()
            if self._has_path is not None and await self._is_there_a_path(self._has_path):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.retrieval_settle_seconds):
                        await self._complete_depth(self._has_path)
                return _NOT_NEEDED
            if self.incomplete is not None:
                return f"not asked: {self.incomplete}"
            self._start(self._queue.take())
            if self._running:
                await self._finish_one()
            elif not self._widen():
                return ""

    async def _is_there_a_path(self, has_path: Callable[[CertificatePool], bool]) -> bool:
        """Search among the certificates between target and trust anchors, if there are enough new ones."""
        if not self._frontier.should_search(last=not self._running and not self._queue):
            return False
        return await asyncio.to_thread(has_path, CertificatePool(self._frontier.between))

    async def _complete_depth(self, has_path: Callable[[CertificatePool], bool]) -> None:
        """Fetch the remaining URLs up to the depth of the path. A limit may end that earlier."""
        replay = DepthReplay(self._new_frontier(), has_path=has_path)
        deeper: dict[str, QueuedUrl] = {}
        while True:
            certificates = {url: outcome.contents.certificates for url, outcome in self._outcomes.items()}
            if await asyncio.to_thread(replay.advance, certificates):
                self._near = replay.found
                return
            for url in replay.wanted & deeper.keys():
                self._queue.put(deeper.pop(url))
            while taken := self._queue.take():
                for queued in taken:
                    if queued.url not in replay.wanted:
                        deeper[queued.url] = queued
                        self._queue.release(queued)
                self._start(queued for queued in taken if queued.url in replay.wanted)
            if self.incomplete is not None or not self._running:
                return
            await self._finish_one()
            self._enqueue()

    def _start(self, urls: Iterable[QueuedUrl]) -> None:
        for queued in urls:
            task = asyncio.create_task(self._fetcher.fetch(queued.url, queued.purpose))
            task.add_done_callback(self._finished.put_nowait)
            self._running[task] = queued

    async def _finish_one(self) -> None:
        """Await the next response and take its certificates."""
        await asyncio.sleep(0)
        task = await self._finished.get()
        queued = self._running.pop(task)
        self._queue.release(queued)
        self._record(queued, task.result())

    async def _cancel(self, why: str) -> None:
        """Cancel the running fetches, keep the responses that have arrived, and record the other URLs as skipped."""
        for task in self._running:
            task.cancel()
        results = await asyncio.gather(*self._running, return_exceptions=True)
        for queued, result in zip(self._running.values(), results, strict=True):
            if isinstance(result, Retrieval):
                self._record(queued, result)
            elif isinstance(result, Exception):
                raise result
        self._running.clear()
        for queued in self._urls.values():
            if queued.url not in self._outcomes:
                skipped = Retrieval(url=queued.url, purpose=queued.purpose, status=Status.SKIPPED, why=why)
                self._outcomes[queued.url] = _Outcome(skipped)

    def _new_frontier(self) -> Frontier:
        return Frontier(
            target=self._target,
            trust_anchors=self._trust_anchors,
            given=self._given,
            time=self._time,
            everything=self._has_path is None,
            limits=self._limits,
        )

    def _widen(self) -> bool:
        """Go on to everything, and return True if there are URLs to fetch."""
        if self._frontier.widen():
            self._enqueue()
        return bool(self._queue)

    def _enqueue(self) -> None:
        """Put the new URLs of the frontier into the queue."""
        for named in self._frontier.take():
            queued = self._urls.get(named.url)
            if queued is None:
                queued = self._urls[named.url] = QueuedUrl(named.url, len(self._urls))
                queued.mentions[named.wanted] = named
                self._queue.put(queued)
            else:
                queued.mentions.setdefault(named.wanted, named)

    def _record(self, queued: QueuedUrl, retrieval: Retrieval) -> None:
        contents = Contents()
        if retrieval.content is not None:
            contents = self._read(retrieval, retrieval.content)
            self._keep(contents, Origin(url=queued.url, fetched=retrieval.fetched or datetime.now(UTC)))
        elif retrieval.why.endswith(_OF_ALL_URLS):
            self.incomplete = self.incomplete or retrieval.why
        self._outcomes[queued.url] = _Outcome(replace(retrieval, content=None), contents)

    def _read(self, retrieval: Retrieval, content: bytes) -> Contents:
        """Parse a response; the same content from another URL is not parsed again."""
        contents = self._contents_by_digest.get(retrieval.sha256)
        if contents is None:
            most = self._limits.retrieval_certificates
            contents = read_contents(content, url=retrieval.url, at_most=most, limits=self._limits)
            self._contents_by_digest[retrieval.sha256] = contents
            if len(contents.rejects) > self._left:
                self._note_exhausted()
            self.rejects += contents.rejects[: self._left]
        return contents

    def _keep(self, contents: Contents, origin: Origin) -> None:
        """Keep the certificates that are new, and add the origin to the others."""
        new = []
        for certificate in dict.fromkeys(contents.certificates):
            if (origins := self.found.get(certificate)) is None:
                new.append(certificate)
            else:
                origins.append(origin)
        left = self._left
        if len(new) > left:
            self._note_exhausted()
            new.sort(key=lambda certificate: not self._frontier.leads(certificate))
        for certificate in new[:left]:
            self.found[certificate] = [origin]
            self._frontier.add(certificate)

    @property
    def _left(self) -> int:
        return self._limits.retrieval_certificates - len(self.found) - len(self.rejects)

    def _note_exhausted(self) -> None:
        most = self._limits.retrieval_certificates
        self.incomplete = self.incomplete or f"more than {most:,} certificates (limits.retrieval_certificates)"
