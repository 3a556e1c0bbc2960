"""Options for fetching, and the cache and the HTTP client that they ask for."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.arguments import require_flags, require_functions, require_kind
from pkcs12kit.errors import ArgumentError
from pkcs12kit.retrieval.cache.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.http.client import Fetcher
    from pkcs12kit.retrieval.retrieved import Progress, Retrieval


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions:
    """The options for fetching.

    Raises :class:`~pkcs12kit.ArgumentError` for ``offline`` or ``cache_folder`` without a cache, and for values of
    another kind.
    """

    cache_folder: str | os.PathLike[str] | None = None
    """The folder of the cache; None for the platform's folder for caches."""
    cache: bool = True
    """False to read nothing from the cache and keep nothing."""
    offline: bool = False
    """True to send no request: the cache is the only source."""
    allow_private: bool = False
    """True to permit addresses that are not public: private, loopback, link-local, the metadata service of a cloud.

    Set it only if you know the source of all certificates.
    """
    on_event: Callable[[Retrieval | Progress], object] | None = None
    """A function that is called with a :class:`~pkcs12kit.retrieval.retrieved.Progress` as bytes arrive, and with each
    :class:`~pkcs12kit.retrieval.retrieved.Retrieval`; in another thread if a notebook's event loop runs.
    """

    def __post_init__(self) -> None:
        require_flags(cache=self.cache, offline=self.offline, allow_private=self.allow_private)
        require_kind("cache_folder", self.cache_folder, str, os.PathLike, optional=True)
        require_functions(on_event=self.on_event)
        if not self.cache and (self.offline or self.cache_folder is not None):
            raise ArgumentError("offline and cache_folder need a cache: leave out cache=False")


DEFAULT_OPTIONS: Final = FetchOptions()


def open_cache(
    options: FetchOptions, *, on_warning: Callable[[str], object], limits: Limits
) -> AbstractContextManager[Cache | None]:
    """Return a context manager for the cache; it holds None where the options ask for no cache.

    Raises :class:`~pkcs12kit.errors.OutputError` for a cache folder that others may write to.
    """
    return Cache(options.cache_folder, on_warning=on_warning, limits=limits) if options.cache else nullcontext()


def make_fetcher(options: FetchOptions, *, cache: Cache | None, limits: Limits) -> Fetcher:
    """Return a new HTTP client. This loads aiohttp, so call it only where something has to be fetched."""
    from pkcs12kit.retrieval.http.client import Fetcher

    return Fetcher(
        cache=cache,
        offline=options.offline,
        allow_private=options.allow_private,
        limits=limits,
        on_event=options.on_event,
    )
