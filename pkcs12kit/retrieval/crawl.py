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
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.diagnosis import not_followed
from pkcs12kit.retrieval.chains import Chains
from pkcs12kit.retrieval.contents import Contents, read_contents
from pkcs12kit.retrieval.folder_index import Origin
from pkcs12kit.retrieval.gather_report import GatheredUrl
from pkcs12kit.retrieval.pointers import pointers_down, pointers_up
from pkcs12kit.retrieval.retrieved import Retrieval, Status
from pkcs12kit.retrieval.turns import Location, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.pool import Reject
    from pkcs12kit.certificates.trust_anchor import TrustAnchor
    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.fetcher import Fetcher
    from pkcs12kit.retrieval.pointers import Pointer

# How the fetcher ends its sentence where a limit on all URLs together is met.
_OF_ALL_URLS: Final = ("(limits.retrieval_seconds)", "(limits.retrieval_total_bytes)", "(limits.retrieval_urls)")
_NOT_NEEDED: Final = "no longer needed: a valid path was found"
_SELDOM: Final = 16
"""A search for a path is repeated when there is a sixteenth more to search in, so that all cost a few of the last."""


@dataclass(slots=True)
class _Outcome:
    """What came of one URL."""

    retrieval: Retrieval
    contents: Contents = field(default_factory=Contents)


class Crawl:
    """One crawl. ``found``, ``rejects`` and ``urls()`` say what came, ``incomplete`` which limit ended it.

    Each URL is asked once, those of one certificate and of different ones side by side. Followed are the target, the
    trust anchors, and what can lie on a path at ``time``: caIssuers of each certificate that names lead up to from the
    target, caRepository of each that names lead down to from a trust anchor. With ``everything``, both of both, and of
    whatever was fetched. Without it, all ends once ``has_path`` says yes to the certificates between target and trust
    anchors; it is asked where names make a chain, and runs in a thread. Where the one way from the target and the other
    from the trust anchors bring no path, it goes on to everything: a repository may have what no caIssuers names.
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
        self._everything = has_path is None
        self._limits = limits
        self._chains = Chains(
            None if target is None else target.issuer,
            [anchor.name for anchor in self._trust_anchors],
            usable=self._usable,
        )
        self._led: list[Certificate] = []  # by names, one way or the other
        self._followed: set[Certificate] = set()  # both ways
        self._searched = -1
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
        self._begin()
        while True:
            self._follow()
            if await self._is_there_a_path(last=not running and not self._turns):
                return _NOT_NEEDED
            if self.incomplete is not None:
                return f"not asked: {self.incomplete}"
            for location in self._turns.take():
                task = asyncio.create_task(self._fetcher.fetch(location.url, location.purpose))
                task.add_done_callback(answered.put_nowait)
                running[task] = location
            if not running:
                if self._widen():
                    continue
                return ""
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

    def _begin(self) -> None:
        for certificate in self._given:
            self._chains.add(certificate)
        target = [] if self._target is None else [self._target]
        self._lead(target, [anchor.certificate for anchor in self._trust_anchors if anchor.certificate is not None])

    def _follow(self) -> None:
        """Take up the URLs of those certificates that names newly lead to."""
        self._lead(self._chains.take_upwards(), self._chains.take_downwards())

    def _widen(self) -> bool:
        """Go on to everything, where a path is looked for and the two ways brought none; say whether there is more."""
        if self._everything or self._target is None or not self._trust_anchors:
            return False
        self._everything = True
        for certificate in (*self._led, *filter(self._usable, self.found)):
            self._follow_both_ways(certificate)
        return bool(self._turns)

    def _lead(self, upwards: list[Certificate], downwards: list[Certificate]) -> None:
        if self._everything:
            for certificate in (*upwards, *downwards):
                self._follow_both_ways(certificate)
            return
        self._led += (*upwards, *downwards)
        for certificate in upwards:
            self._point(pointers_up(certificate, limits=self._limits))
        for certificate in downwards:
            self._point(pointers_down(certificate, limits=self._limits))

    def _follow_both_ways(self, certificate: Certificate) -> None:
        if certificate not in self._followed:
            self._followed.add(certificate)
            self._point(pointers_up(certificate, limits=self._limits))
            self._point(pointers_down(certificate, limits=self._limits))

    def _point(self, pointers: Iterable[Pointer]) -> None:
        for pointer in pointers:
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
            new.sort(key=lambda certificate: not self._chains.leads(certificate))
        for certificate in new[:left]:
            self.found[certificate] = [origin]
            if certificate not in self._given:
                self._chains.add(certificate)
            if self._everything and self._usable(certificate):
                self._follow_both_ways(certificate)

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

    def _usable(self, certificate: Certificate) -> bool:
        with suppress(MalformedCertificateError):
            _ = certificate.extensions  # where it is usable its URLs are next: decoded once for both
        return not_followed(certificate, self._time) is None

    async def _is_there_a_path(self, *, last: bool) -> bool:
        """Search among what lies between target and trust anchors, where there is more of it than the last time."""
        between = self._chains.between
        enough = len(between) > self._searched + (0 if last else self._searched // _SELDOM)
        if self._has_path is None or not self._chains.complete or not enough:
            return False
        self._searched = len(between)
        return await asyncio.to_thread(self._has_path, CertificatePool(between))
