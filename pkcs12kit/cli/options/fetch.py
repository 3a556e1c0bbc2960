"""The options of commands that fetch over the network."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from math import isnan
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.cli.command import OptionGroup, option
from pkcs12kit.cli.options.values import Place
from pkcs12kit.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.retrieval.retrieved import Progress, Retrieval

_DAY: Final = 86_400  # seconds


class FetchingOptions(NamedTuple):
    """The options for fetching, as they were given."""

    cache_folder: str | None
    no_cache: bool
    offline: bool
    allow_private: bool
    seconds: float

    @property
    def limits(self) -> Limits:
        """The default limits, with the time of ``--timeout``."""
        return replace(DEFAULT_LIMITS, retrieval_seconds=self.seconds)

    def with_events(self, on_event: Callable[[Retrieval | Progress], object] | None) -> FetchOptions:
        """Return the options as the library takes them.

        Raises :class:`click.UsageError` where two of them contradict each other.
        """
        from pkcs12kit.retrieval.options import FetchOptions

        if self.no_cache and (self.offline or self.cache_folder is not None):
            other = "--offline" if self.offline else "--cache"
            raise click.UsageError(f"{other} needs a cache, and --no-cache turns it off; give one of the two")
        return FetchOptions(
            cache_folder=self.cache_folder,
            cache=not self.no_cache,
            offline=self.offline,
            allow_private=self.allow_private,
            on_event=on_event,
        )

    def when(self, *, fetch: bool, on_event: Callable[[Retrieval | Progress], object] | None) -> FetchOptions | None:
        """Return :meth:`with_events` where ``--fetch`` was given, else None.

        Raises :class:`click.UsageError` where another option for fetching was given without ``--fetch``.
        """
        if fetch:
            return self.with_events(on_event)
        given = {"--cache": self.cache_folder is not None, "--no-cache": self.no_cache, "--offline": self.offline}
        given |= {"--allow-private": self.allow_private, "--timeout": self.seconds != DEFAULT_LIMITS.retrieval_seconds}
        for name, was_given in given.items():
            if was_given:
                raise click.UsageError(f"{name} has an effect only with --fetch; add --fetch or leave {name} out")
        return None


class _Seconds(click.FloatRange):
    """A number of seconds: more than 0, and at most a day."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=_DAY)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's
        seconds: float = super().convert(value, param, ctx)
        if isnan(seconds):  # every comparison with it is False, so the range does not reject it
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


def _cached_files(folder: str) -> Iterable[str]:
    from pkcs12kit.retrieval.cache.folder import own_files

    return own_files(folder)


_OPTIONS: Final = (
    option(
        OptionGroup.NETWORK,
        "--cache",
        "cache_folder",
        type=Place("dir", is_output=True, own_files=_cached_files),
        metavar="FOLDER",
        help="Keep what was fetched here, and fetch less the next time. Default: the platform's cache folder.",
    ),
    option(OptionGroup.NETWORK, "--no-cache", is_flag=True, help="Do not read or write a cache."),
    option(
        OptionGroup.NETWORK, "--offline", is_flag=True, help="Do not use the network; use only what is in the cache."
    ),
    option(
        OptionGroup.NETWORK,
        "--allow-private",
        is_flag=True,
        help="Also connect to private, loopback and link-local addresses. Only for networks of your own: the URLs come"
        " from certificates, and a certificate from elsewhere could name a machine that only this computer reaches.",
    ),
    option(
        OptionGroup.NETWORK,
        "--timeout",
        "seconds",
        type=_Seconds(),
        metavar="SECONDS",
        default=DEFAULT_LIMITS.retrieval_seconds,
        show_default=True,
        help="Start no further request after this many seconds.",
    ),
)


def fetching_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for fetching; the command gets them together, as ``fetching``."""

    @wraps(command)
    def with_fetching(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        options = FetchingOptions(**{name: given.pop(name) for name in FetchingOptions._fields})
        return command(fetching=options, **given)

    decorated: Callable[..., Any] = with_fetching
    for add in reversed(_OPTIONS):
        decorated = add(decorated)
    return decorated
