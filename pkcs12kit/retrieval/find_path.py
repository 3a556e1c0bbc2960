"""Path search that fetches missing certificates, CRLs and OCSP responses on the way."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import FailureReason
from pkcs12kit.event_loop import run
from pkcs12kit.paths.report import NoValidPathError
from pkcs12kit.paths.revocation import RevocationMode, RevocationStatus
from pkcs12kit.retrieval.http.permitted import scheme_of
from pkcs12kit.retrieval.options import make_fetcher, open_cache
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.limits import Limits
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.paths.revocation import Revocation
    from pkcs12kit.paths.search import PathRequest
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.retrieval.cache.cache import Cache
    from pkcs12kit.retrieval.crawl.crawl import Crawl
    from pkcs12kit.retrieval.http.client import Fetcher
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.retrieval.retrieved import Retrieval
    from pkcs12kit.retrieval.revocation_fetch import RevocationCollector

_WARNINGS: Final = 20
"""Upper bound for the warnings about URLs; the retrievals have all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPath:
    """A valid path, with the outcome of every URL that was fetched to find it.

    * ``pool`` has the given certificates and the fetched ones from which the path was chosen.
    * ``retrievals`` has the outcome of each URL, without its content: those of certificates first.
    * ``warnings`` are sentences that may quote untrusted text.
    """

    path: ValidatedPath
    pool: CertificatePool = field(repr=False)
    retrievals: tuple[Retrieval, ...]
    warnings: tuple[str, ...]


def fetch_path(
    request: PathRequest, options: FetchOptions, on_warning: Callable[[str], object] | None = None
) -> FetchedPath:
    """Return the best valid path, and fetch what is missing for it.

    1. Where the pool makes no valid path, certificates are gathered as by :func:`~pkcs12kit.gather`, until there is
       one. Then the URLs of the same depth are awaited, at most ``limits.retrieval_settle_seconds``, and the best path
       is chosen, so that it does not depend on which server answers first. Certificates of greater depth are left out.
    2. Where the request asks for it, OCSP responses and CRLs are fetched for each certificate of that path whose
       status is not known from the given ones: OCSP first, a CRL where OCSP does not settle the status.
    3. Where a certificate is revoked, or its status is required and unknown, the next path is tried in the same way:
       at most ``limits.retrieval_paths`` paths.

    No other URL is fetched, and none where nothing is missing. Fetched data is validated like given data. Servers have
    only current CRLs and OCSP responses, so a time in the past finds no status. Where the time is at most
    ``limits.retrieval_seconds`` ago, the path is validated at the time when all data had arrived.

    ``on_warning`` is called with each warning before this function returns or raises
    :class:`~pkcs12kit.NoValidPathError`. Raises the errors of :func:`~pkcs12kit.find_path` and
    :func:`~pkcs12kit.gather`.
    """
    search = _FetchingSearch(request, options)
    path = search.without_fetching()
    if path is not None:
        return FetchedPath(path=path, pool=request.pool, retrievals=(), warnings=())
    warnings = search.fetch(on_warning)
    return FetchedPath(path=search.final(), pool=search.pool, retrievals=tuple(search.retrievals()), warnings=warnings)


def fetch_paths(
    request: PathRequest,
    options: FetchOptions,
    on_warning: Callable[[str], object] | None = None,
    *,
    at_most: int | None = None,
) -> PathReport:
    """Return the report on all paths, after fetching as :func:`fetch_path` does.

    Nothing is fetched where the given certificates make a valid path whose status is known. The report may have no
    valid path; other errors are those of :func:`fetch_path`.
    """
    search = _FetchingSearch(request, options)
    report = search.report(at_most)
    if search.needs_nothing(report.valid, report.rejected):
        return report
    search.fetch(on_warning)
    return search.report(at_most)


class _FetchingSearch:
    """One search: find the best path that is not known to be revoked, fetch its revocation data, and so on."""

    def __init__(self, request: PathRequest, options: FetchOptions) -> None:
        revocation = request.revocation
        self.pool = request.pool
        self._request = request
        self._is_about_now = _is_about_now(request.parameters.time, request.limits)
        self._checked_revocation = None if revocation is None or revocation.mode is RevocationMode.OFF else revocation
        self._options = options
        self._limits = request.limits
        self._warnings: list[str] = []
        self._cache: Cache | None = None
        self._stack = AsyncExitStack()
        self._certificate_fetcher: Fetcher | None = None
        self._crawl: Crawl | None = None
        self._revocation_fetcher: Fetcher | None = None
        self._collector: RevocationCollector | None = None
        self._settled: ValidatedPath | None = None
        self._unknown: set[Certificate] = set()
        """Certificates whose status is required and was not found."""

    def without_fetching(self) -> ValidatedPath | None:
        """Return the path that the given certificates make; None where missing data might be fetched.

        Raises :class:`NoValidPathError` where the target itself is at fault: no other certificate can change that.
        """
        try:
            path = self.final()
        except NoValidPathError as no:
            if self.needs_nothing((), no.attempts):
                raise
            return None
        return path if self.needs_nothing([path], ()) else None

    def needs_nothing(self, valid: Sequence[ValidatedPath], rejected: Sequence[RejectedPath]) -> bool:
        """Return True if the status of the best path is known, or if the target itself is at fault."""
        if valid:
            statuses = () if valid[0].revocation is None else valid[0].revocation.statuses
            return all(status.status is not RevocationStatus.UNKNOWN for status in statuses)
        failures = [failure for attempt in rejected for failure in attempt.failures]
        target = self._request.target
        return any(failure.certificate == target and failure.of_the_certificate_alone for failure in failures)

    def fetch(self, on_warning: Callable[[str], object] | None) -> tuple[str, ...]:
        """Fetch what is missing, and return the warnings, each passed to ``on_warning``."""
        with open_cache(self._options, on_warning=self._warnings.append, limits=self._limits) as self._cache:
            run(self._run())
        warnings = tuple(self.warnings())
        if on_warning is not None:
            for warning in warnings:
                on_warning(warning)
        return warnings

    async def _run(self) -> None:
        """Fetch until the best path is settled, or nothing is left to fetch."""
        async with self._stack:
            for _ in range(self._limits.retrieval_paths):
                path = await asyncio.to_thread(self._next, self.pool) or await self._gathered()
                if (
                    path is None
                    or self._checked_revocation is None
                    or await self._is_settled(path, self._checked_revocation)
                ):
                    return
        most = self._limits.retrieval_paths
        self._warnings.append(f"revocation data was fetched for {counted(most, 'path')} only (limits.retrieval_paths)")

    def final(self) -> ValidatedPath:
        """Return the best path with all data. Raises :class:`NoValidPathError`."""
        # A second search would have the same result, and reading large CRLs again takes long.
        return self._settled or self._find(self.pool, self._known)

    def report(self, at_most: int | None) -> PathReport:
        """Return the report on the paths in all given and fetched certificates."""
        return self._with(self.pool, self._known).find_paths(at_most)

    def retrievals(self) -> Iterator[Retrieval]:
        """Yield the outcome of each URL."""
        if self._crawl is not None:
            yield from (url.retrieval for url in self._crawl.urls())
        if self._revocation_fetcher is not None:
            yield from (replace(retrieval, content=None) for retrieval in self._revocation_fetcher.retrievals)

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each URL that failed, with the data that it would have given."""
        yield from self._warnings
        faults: list[str] = []
        skipped: list[str] = []
        if self._crawl is not None:
            urls = self._crawl.urls()
            wanted = {url.url: "" if url.answered else f"; it would have given {url.wanted[0]}" for url in urls}
            faults += [f"{url.url}: {url.why}{wanted[url.url]}" for url in urls if url.failed]
            skipped += [url.url for url in urls if scheme_of(url.url) in {"ldap", "ldaps"}]
            faults += [str(reject) for reject in self._crawl.rejects]
            if self._crawl.incomplete is not None:
                faults.append(f"the gathering is incomplete: {self._crawl.incomplete}")
        if self._collector is not None:
            faults += self._collector.faults
            skipped += self._collector.skipped
        yield from faults[:_WARNINGS]
        if faults[_WARNINGS:]:
            yield f"{len(faults) - _WARNINGS:,} more URLs failed; the retrievals have them all"
        if skipped:
            yield f"LDAP is not supported: skipped {counted(len(skipped), 'URL')}, such as {skipped[0]}"

    @property
    def _known(self) -> Revocation | None:
        return self._request.revocation if self._collector is None else self._collector.revocation

    def _find(self, pool: CertificatePool, revocation: Revocation | None) -> ValidatedPath:
        return self._with(pool, revocation).find_path()

    def _with(self, pool: CertificatePool, revocation: Revocation | None) -> PathRequest:
        """Return the request with this pool, the fetched revocation data, and the present time where it is meant."""
        return self._request._replace(
            pool=pool if self._collector is None else pool | self._collector.certificates,
            parameters=replace(self._request.parameters, time=self._time),
            revocation=revocation,
        )

    @property
    def _time(self) -> datetime:
        # A responder signs its response when it is asked, which is after the search began (RFC 6960 section 2.4).
        return (
            max(datetime.now(UTC), self._request.parameters.time)
            if self._is_about_now
            else self._request.parameters.time
        )

    def _next(self, pool: CertificatePool) -> ValidatedPath | None:
        """Return the best path without a certificate that is known to be revoked or whose status was not found."""
        known = self._known
        revocation = (
            None if known is None or self._checked_revocation is None else replace(known, mode=RevocationMode.SOFT)
        )
        if self._unknown:
            pool = CertificatePool(certificate for certificate in pool if certificate not in self._unknown)
        try:
            return self._find(pool, revocation)
        except NoValidPathError:
            return None

    async def _gathered(self) -> ValidatedPath | None:
        """Fetch certificates until there is such a path, and return it."""
        from pkcs12kit.retrieval.crawl.crawl import Crawl

        if self._certificate_fetcher is None:
            self._certificate_fetcher = await self._stack.enter_async_context(
                make_fetcher(self._options, cache=self._cache, limits=self._limits)
            )
        self._crawl = Crawl(
            self._certificate_fetcher,
            target=self._request.target,
            trust_anchors=self._request.trust_anchors,
            pool=self.pool,
            time=self._request.parameters.time,
            has_path=lambda candidates: self._next(candidates) is not None,
            limits=self._limits,
        )
        await self._crawl.run()
        self.pool |= CertificatePool(self._crawl.near)
        return await asyncio.to_thread(self._next, self.pool)

    async def _is_settled(self, path: ValidatedPath, given: Revocation) -> bool:
        """Fetch the revocation data of a path, and return True if no other path has to be tried."""
        collector = self._collector or await self._collecting(given)
        collector.pool = self.pool
        report = await collector.collect(path, time=lambda: self._time)
        if report.failure is None:
            self._settled = replace(path, revocation=report)
            return True
        if report.failure.reason is FailureReason.REVOCATION_UNKNOWN:
            self._unknown |= {one.certificate for one in report.statuses if one.status is RevocationStatus.UNKNOWN}
            return self._request.target in self._unknown  # on any other path, the status of the target is the same
        return report.failure.certificate == self._request.target

    async def _collecting(self, given: Revocation) -> RevocationCollector:
        from pkcs12kit.retrieval.revocation_fetch import RevocationCollector

        # Cached responses are requested again, conditionally: a CRL may be replaced before its nextUpdate.
        self._revocation_fetcher = await self._stack.enter_async_context(
            make_fetcher(self._options, cache=self._cache, limits=replace(self._limits, retrieval_fresh_seconds=0))
        )
        self._collector = RevocationCollector(
            self._revocation_fetcher,
            given,
            pool=self.pool,
            algorithm_policy=self._request.parameters.algorithm_policy,
            limits=self._limits,
        )
        return self._collector


def _is_about_now(time: datetime, limits: Limits) -> bool:
    return timedelta(0) <= datetime.now(UTC) - time <= timedelta(seconds=limits.retrieval_seconds)
