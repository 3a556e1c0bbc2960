"""From certificate to certificate by the URLs in them: up from the target, down from the trust anchors.

What comes is untrusted: it is a candidate for a path that is judged like any other, and a place to go on from.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.retrieval.contents import Contents, read_contents
from pkcs12kit.retrieval.crawl.frontier import Following, Location, Turns
from pkcs12kit.retrieval.output_folder import Origin
from pkcs12kit.retrieval.retrieved import GatheredUrl, Retrieval, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.http.client import Fetcher


class Rounds:
    """The URLs of a round are those that the certificates of the rounds before lead to.

    The crawl asks in whatever order is quickest, and has answers of later rounds while an earlier one is incomplete.
    ``found`` has the certificates of the rounds that are complete, in an order that follows from them alone; ``wanted``
    the URLs of the round that is not.
    """

    def __init__(self, following: Following, *, has_path: Callable[[CertificatePool], bool]) -> None:
        self.found: dict[Certificate, None] = {}
        self.wanted: frozenset[str] = frozenset()
        self._following = following
        self._has_path = has_path
        self._asked: set[str] = set()
        self._round: list[str] | None = None

    def advance(self, answers: Mapping[str, tuple[Certificate, ...]]) -> bool:
        """Go through the rounds that are complete; whether the last of them made a path, or nothing is left to ask.

        ``answers`` has the certificates that each URL gave: none, where it failed.
        """
        while True:
            if self._round is None:
                self._round = self._next_round()
                if self._following.take_turn_to_search(last=not self._round) and self._has_path(
                    CertificatePool(self._following.between)
                ):
                    return True
            if not self._round and not self._following.widen():
                return True
            self.wanted = frozenset(self._round)
            if not self.wanted <= answers.keys():
                return False
            for url in self._round:
                for certificate in answers[url]:
                    if certificate not in self.found:
                        self.found[certificate] = None
                        self._following.add(certificate)
            self._round = None

    def _next_round(self) -> list[str]:
        urls = {pointer.url for pointer in self._following.take()} - self._asked
        self._asked |= urls
        return sorted(urls)


# How the fetcher ends its sentence where a limit on all URLs together is met.
_OF_ALL_URLS: Final = ("(limits.retrieval_seconds)", "(limits.retrieval_total_bytes)", "(limits.retrieval_urls)")
_NOT_NEEDED: Final = "no longer needed: a valid path was found"


@dataclass(slots=True)
class _Outcome:
    """What came of one URL."""

    retrieval: Retrieval
    contents: Contents = field(default_factory=Contents)


class Crawl:
    """One crawl. ``found``, ``rejects`` and ``urls()`` say what came, ``incomplete`` which limit ended it.

    Each URL is asked once, those of one certificate and of different ones side by side, as
    :class:`~pkcs12kit.retrieval.crawl.frontier.Following` says. Without ``has_path``, everything. With it, all ends
    once it says yes to the certificates between target and trust anchors; it is asked where names make a chain, and
    runs in a thread. Where the one way from the target and the other from the trust anchors bring no path, it goes on
    to everything: a repository may have what no caIssuers names.

    Once there is a path, what is as near is waited for, ``limits.retrieval_settle_seconds`` at the most: see
    :class:`~pkcs12kit.retrieval.crawl.crawl.Rounds`. ``near`` is then the same whichever server answers first.
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
        self._following = self._make_following()
        self._near: Iterable[Certificate] | None = None
        self._locations: dict[str, Location] = {}
        self._outcomes: dict[str, _Outcome] = {}
        self._read: dict[str | None, Contents] = {}
        self._turns = Turns(at_once=limits.retrieval_host_connections)

    async def run(self) -> None:
        """Crawl to the end, which is a valid path, a limit, or that nothing is left to ask."""
        running: dict[asyncio.Task[Retrieval], Location] = {}
        try:
            skipped = await self._run(running)
            await self._break_off(running, skipped)
        finally:  # an exception came through, KeyboardInterrupt's cancellation for one
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @property
    def near(self) -> tuple[Certificate, ...]:
        """What came from URLs no farther than the path; all that was found, where not all of those answered in time."""
        return tuple(self.found) if self._near is None else tuple(one for one in self._near if one in self.found)

    def urls(self) -> tuple[GatheredUrl, ...]:
        """Say what came of each URL: upwards first, then by URL."""
        locations = sorted(self._locations.values(), key=lambda location: (location.purpose.value, location.url))
        return tuple(
            GatheredUrl(
                retrieval=replace(outcome.retrieval, purpose=location.purpose),
                wanted=tuple(sorted(location.pointers)),
                certificates=len(outcome.contents.certificates),
                why=outcome.retrieval.why or outcome.contents.why,
            )
            for location in locations
            if (outcome := self._outcomes.get(location.url)) is not None
        )

    async def _run(self, running: dict[asyncio.Task[Retrieval], Location]) -> str:
        """Go on until there is no reason to; say why what was not asked was not."""
        answered: asyncio.Queue[asyncio.Task[Retrieval]] = asyncio.Queue()
        while True:
            self._point()
            if self._has_path is not None and await self._is_there_a_path(
                self._has_path, last=not running and not self._turns
            ):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._limits.retrieval_settle_seconds):
                        await self._settle(self._has_path, running, answered)
                return _NOT_NEEDED
            if self.incomplete is not None:
                return f"not asked: {self.incomplete}"
            self._ask(self._turns.take(), running, answered)
            if running:
                await self._take_one(running, answered)
            elif not self._widen():
                return ""

    async def _settle(
        self,
        has_path: Callable[[CertificatePool], bool],
        running: dict[asyncio.Task[Retrieval], Location],
        answered: asyncio.Queue[asyncio.Task[Retrieval]],
    ) -> None:
        """Wait for what is as near as the path; without a word where a limit cuts that short."""
        rounds = Rounds(self._make_following(), has_path=has_path)
        farther: dict[str, Location] = {}
        while True:
            answers = {url: outcome.contents.certificates for url, outcome in self._outcomes.items()}
            if await asyncio.to_thread(rounds.advance, answers):
                self._near = rounds.found
                return
            for url in rounds.wanted & farther.keys():
                self._turns.put(farther.pop(url))
            while locations := self._turns.take():
                farther |= {each.url: each for each in locations if each.url not in rounds.wanted}
                for location in locations:
                    if location.url in farther:
                        self._turns.end(location)
                self._ask([each for each in locations if each.url in rounds.wanted], running, answered)
            if self.incomplete is not None or not running:
                return
            await self._take_one(running, answered)
            self._point()

    def _ask(
        self,
        locations: Iterable[Location],
        running: dict[asyncio.Task[Retrieval], Location],
        answered: asyncio.Queue[asyncio.Task[Retrieval]],
    ) -> None:
        for location in locations:
            task = asyncio.create_task(self._fetcher.fetch(location.url, location.purpose))
            task.add_done_callback(answered.put_nowait)
            running[task] = location

    async def _take_one(
        self, running: dict[asyncio.Task[Retrieval], Location], answered: asyncio.Queue[asyncio.Task[Retrieval]]
    ) -> None:
        await asyncio.sleep(0)
        task = await answered.get()
        location = running.pop(task)
        self._turns.end(location)
        self._take_in(location, task.result())

    async def _break_off(self, running: dict[asyncio.Task[Retrieval], Location], why: str) -> None:
        """End what is under way; what has come meanwhile is kept."""
        for task in running:
            task.cancel()
        results = await asyncio.gather(*running, return_exceptions=True)
        for location, result in zip(running.values(), results, strict=True):
            if isinstance(result, Retrieval):
                self._take_in(location, result)
            elif isinstance(result, Exception):
                raise result
        running.clear()
        for location in self._locations.values():
            if location.url not in self._outcomes:
                skipped = Retrieval(url=location.url, purpose=location.purpose, status=Status.SKIPPED, why=why)
                self._outcomes[location.url] = _Outcome(skipped)

    def _make_following(self) -> Following:
        return Following(
            target=self._target,
            trust_anchors=self._trust_anchors,
            given=self._given,
            time=self._time,
            everything=self._has_path is None,
            limits=self._limits,
        )

    def _widen(self) -> bool:
        """Go on to everything; say whether there is more."""
        if self._following.widen():
            self._point()
        return bool(self._turns)

    def _point(self) -> None:
        """Take up the URLs that the certificates newly lead to."""
        for pointer in self._following.take():
            location = self._locations.get(pointer.url)
            if location is None:
                location = self._locations[pointer.url] = Location(pointer.url, len(self._locations))
                location.pointers[pointer.wanted] = pointer
                self._turns.put(location)
            else:
                location.pointers.setdefault(pointer.wanted, pointer)

    def _take_in(self, location: Location, retrieval: Retrieval) -> None:
        contents = Contents()
        if retrieval.content is not None:
            contents = self._contents(retrieval, retrieval.content)
            self._keep(contents, Origin(url=location.url, fetched=retrieval.fetched or datetime.now(UTC)))
        elif retrieval.why.endswith(_OF_ALL_URLS):
            self.incomplete = self.incomplete or retrieval.why
        self._outcomes[location.url] = _Outcome(replace(retrieval, content=None), contents)

    def _contents(self, retrieval: Retrieval, content: bytes) -> Contents:
        """Read a response, and the same from another URL only once."""
        contents = self._read.get(retrieval.sha256)
        if contents is None:
            most = self._limits.retrieval_certificates
            contents = read_contents(content, url=retrieval.url, at_most=most, limits=self._limits)
            self._read[retrieval.sha256] = contents
            self._reject(contents.rejects)
        return contents

    def _keep(self, contents: Contents, origin: Origin) -> None:
        """Keep certificates that are new, and for all of them where they are."""
        new = []
        for certificate in dict.fromkeys(contents.certificates):
            if (origins := self.found.get(certificate)) is None:
                new.append(certificate)
            else:
                origins.append(origin)
        left = self._left
        if len(new) > left:
            self._exhausted()
            new.sort(key=lambda certificate: not self._following.leads(certificate))
        for certificate in new[:left]:
            self.found[certificate] = [origin]
            self._following.add(certificate)

    def _reject(self, rejects: tuple[Reject, ...]) -> None:
        if len(rejects) > self._left:
            self._exhausted()
        self.rejects += rejects[: self._left]

    @property
    def _left(self) -> int:
        return self._limits.retrieval_certificates - len(self.found) - len(self.rejects)

    def _exhausted(self) -> None:
        most = self._limits.retrieval_certificates
        self.incomplete = self.incomplete or f"more than {most:,} certificates (limits.retrieval_certificates)"

    async def _is_there_a_path(self, has_path: Callable[[CertificatePool], bool], *, last: bool) -> bool:
        """Search among what lies between target and trust anchors, where it is time to."""
        if not self._following.take_turn_to_search(last=last):
            return False
        return await asyncio.to_thread(has_path, CertificatePool(self._following.between))
