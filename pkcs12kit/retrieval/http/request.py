"""One URL: taken from the cache, or requested until there is a response or no hope of one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pkcs12kit.retrieval.http.accounting import UnansweredError, seconds_before
from pkcs12kit.retrieval.http.permitted import RefusedError, require_permitted_redirect
from pkcs12kit.retrieval.http.transport import Request
from pkcs12kit.retrieval.retrieved import Purpose, Retrieval, Status
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from yarl import URL

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.cache.cache import Cache
    from pkcs12kit.retrieval.cache.entries import CacheEntry
    from pkcs12kit.retrieval.http.accounting import Tally
    from pkcs12kit.retrieval.http.transport import Response, Transport

_KEEP_THE_METHOD: Final = frozenset({307, 308})  # the others may turn POST into GET (RFC 9110 section 15.4)
_LARGEST: Final = {Purpose.CRL: "retrieval_crl_bytes", Purpose.BUNDLE: "retrieval_bundle_bytes"}
_BEFORE_A_PAGE: Final = b"\xef\xbb\xbf \t\r\n"


class Requester:
    """Requester of URLs, many at a time, with one transport and one cache.

    A server that could not be connected to after all tries is not asked again.
    """

    def __init__(
        self, transport: Transport, *, cache: Cache | None, offline: bool, allow_private: bool, limits: Limits
    ) -> None:
        self._transport = transport
        self._cache = cache
        self._offline = offline
        self._allow_private = allow_private
        self._limits = limits
        self._unreachable: dict[URL, str] = {}
        self._deadline = asyncio.get_running_loop().time() + limits.retrieval_seconds

    async def retrieve(
        self, named: str, url: URL, purpose: Purpose, *, post: tuple[bytes, str] | None, tally: Tally
    ) -> Retrieval:
        """Return the outcome for ``url``; ``named`` is the URL as the caller wrote it."""
        result = Retrieval(url=named, purpose=purpose, status=Status.FAILED)
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._retrieve(result, url, post, tally)
        except UnansweredError as error:
            status, why = Status.REFUSED if error.refused else Status.FAILED, str(error)
        except TimeoutError:
            status = Status.FAILED
            why = f"the {self._limits.retrieval_seconds:g} seconds for all URLs are over (limits.retrieval_seconds)"
        return _with(result, tally, status=status, why=why)

    async def _retrieve(self, result: Retrieval, url: URL, post: tuple[bytes, str] | None, tally: Tally) -> Retrieval:
        largest = largest_response(result.purpose, self._limits)
        entry = await self._load(url) if post is None else None
        if entry is not None and (self._offline or self._is_fresh(entry)):
            return self._from_cache(result, tally, entry, Status.CACHED)
        if self._offline:
            return _with(result, tally, status=Status.SKIPPED, why="not in the cache, and offline: no request is sent")
        request = Request(url=url, headers=_conditions(entry), body=post, largest=largest, tally=tally)
        response = await self._request(request)
        if response.content is None:  # 304
            if entry is None:
                raise UnansweredError("the server answers 304 to a request without conditions")
            now = datetime.now(UTC)
            if self._cache is not None:
                await asyncio.to_thread(self._cache.confirm, str(url), fetched=now)
            return replace(self._from_cache(result, tally, entry, Status.UNCHANGED), fetched=now)
        _require_data(response.content)
        now = datetime.now(UTC)
        if post is None and response.whole:
            await self._store(url, response.content, response, now)
        return _with(
            result, tally, status=Status.FETCHED, content=response.content, sha256=response.sha256, fetched=now
        )

    async def _load(self, url: URL) -> CacheEntry | None:
        return None if self._cache is None else await asyncio.to_thread(self._cache.load, str(url))

    async def _store(self, url: URL, content: bytes, response: Response, now: datetime) -> None:
        if self._cache is not None:
            await asyncio.to_thread(
                self._cache.store,
                str(url),
                content,
                etag=response.etag,
                last_modified=response.last_modified,
                fetched=now,
            )

    def _is_fresh(self, entry: CacheEntry) -> bool:
        age = datetime.now(UTC) - entry.fetched  # negative where the clock was set back since: not fresh
        return timedelta(0) <= age < timedelta(seconds=self._limits.retrieval_fresh_seconds)

    def _from_cache(self, result: Retrieval, tally: Tally, entry: CacheEntry, status: Status) -> Retrieval:
        largest, limit = largest_response(result.purpose, self._limits)
        if len(entry.content) > largest:
            raise UnansweredError(f"more than {largest:,} bytes (limits.{limit})", refused=True)
        tally.add_decoded(len(entry.content))
        return _with(result, tally, status=status, content=entry.content, sha256=entry.sha256, fetched=entry.fetched)

    async def _request(self, request: Request) -> Response:
        """Try until there is a response, an error that is not transient, or ``limits.retrieval_tries`` tries."""
        while True:
            request.tally.attempts += 1
            try:
                return await self._follow_redirects(request)
            except UnansweredError as error:
                if not error.transient or self._is_last(request.tally):
                    raise
                seconds = self._seconds_before_next(request.tally, error)
            await asyncio.sleep(seconds)

    def _is_last(self, tally: Tally) -> bool:
        return tally.attempts >= self._limits.retrieval_tries

    def _seconds_before_next(self, tally: Tally, error: UnansweredError) -> float:
        longest = self._limits.retrieval_wait_seconds
        if error.wait is not None and error.wait > longest:
            raise UnansweredError(
                f"{error} and asks to wait {error.wait:.0f} seconds, more than {longest:g}"
                " (limits.retrieval_wait_seconds)"
            ) from None
        return seconds_before(tally.attempts + 1, asked_for=error.wait, limits=self._limits)

    async def _follow_redirects(self, request: Request) -> Response:
        """Send a request and follow at most ``limits.retrieval_redirects`` redirects."""
        redirects = request.tally.redirects
        redirects.clear()
        seen = {request.url}
        while True:
            response = await self._send(request)
            if response.location is None:
                return response
            url = self._redirect_target(request, response.status, response.location)
            if url in seen:
                raise UnansweredError("the server redirects in a circle")
            seen.add(url)
            request = replace(request, url=url)

    def _redirect_target(self, request: Request, status: int, location: str) -> URL:
        redirects = request.tally.redirects
        if request.body is not None and status not in _KEEP_THE_METHOD:
            raise UnansweredError(f"the server answers {status}: a redirect on which the request would lose its body")
        if not location:
            raise UnansweredError(f"the server answers {status}, a redirect without a target")
        try:
            url = require_permitted_redirect(
                request.url, location, allow_private=self._allow_private, limits=self._limits
            )
        except RefusedError as error:
            redirects.append(harmless(location, longest=self._limits.retrieval_url_characters))
            raise UnansweredError(f"the server redirects to a URL that is refused: {error}", refused=True) from None
        redirects.append(str(url))
        if len(redirects) > self._limits.retrieval_redirects:
            most = f"{self._limits.retrieval_redirects} (limits.retrieval_redirects)"
            raise UnansweredError(f"the server redirects more often than {most}", refused=True)
        return url

    async def _send(self, request: Request) -> Response:
        origin = request.url.origin()
        if origin in self._unreachable:
            raise UnansweredError(f"{self._unreachable[origin]}, as an earlier request has shown")
        try:
            return await self._transport.send(request)
        except UnansweredError as error:
            if error.unreachable and (not error.transient or self._is_last(request.tally)):
                self._unreachable[origin] = str(error)
            raise


def largest_response(purpose: Purpose, limits: Limits) -> tuple[int, str]:
    """Return the limit for the content of a response in bytes, and the name of that limit."""
    name = _LARGEST.get(purpose, "retrieval_response_bytes")
    return getattr(limits, name), name


def _with(result: Retrieval, tally: Tally, **outcome: Any) -> Retrieval:  # noqa: ANN401  # fields of any kind
    return replace(
        result,
        http_status=tally.http_status,
        redirects=tuple(tally.redirects),
        attempts=tally.attempts,
        size=tally.size,
        seconds=tally.seconds,
        **outcome,
    )


def _conditions(entry: CacheEntry | None) -> dict[str, str]:
    """Return the headers of a conditional request (RFC 9110 sections 13.1.2 and 13.1.3)."""
    if entry is None:
        return {}
    conditions = {"If-None-Match": entry.etag, "If-Modified-Since": entry.last_modified}
    return {name: value for name, value in conditions.items() if value is not None}


def _require_data(content: bytes) -> None:
    """Raise for a response of 200 that means "not found": no content, or a page for people."""
    if not content:
        raise UnansweredError("the server answers 200 with no content")
    if content.lstrip(_BEFORE_A_PAGE).startswith(b"<"):
        raise UnansweredError("the server answers 200 with a web page, or other markup")
