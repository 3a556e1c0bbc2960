"""What commands that fetch have in common: their options, and the line that shows how far they are."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from pkcs12kit.limits import DEFAULT_LIMITS, KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Group

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.gather import FetchOptions
    from pkcs12kit.retrieval.retrieved import Progress, Retrieval


class FetchingOptions(NamedTuple):
    """What every command takes that fetches, as it was given."""

    cache_folder: str | None
    no_cache: bool
    offline: bool
    allow_private: bool
    seconds: float

    @property
    def limits(self) -> Limits:
        """The limits with the time that was given."""
        return replace(DEFAULT_LIMITS, retrieval_seconds=self.seconds)

    def with_events(self, on_event: Callable[[Retrieval | Progress], object] | None) -> FetchOptions:
        """Turn them into what the library takes. Raises :class:`click.UsageError` where they contradict each other."""
        from pkcs12kit.retrieval.gather import FetchOptions

        if self.no_cache and (self.offline or self.cache_folder is not None):
            other = "--offline" if self.offline else "--cache"
            raise click.UsageError(f"{other} needs a cache, and --no-cache says that there is none")
        return FetchOptions(
            cache_folder=self.cache_folder,
            cache=not self.no_cache,
            offline=self.offline,
            allow_private=self.allow_private,
            on_event=on_event,
        )


_OPTIONS: Final = (
    click.option(
        "--cache",
        "cache_folder",
        metavar="FOLDER",
        help="Where what was fetched is kept, to ask for less the next time. Default: the platform's own place for it.",
    ),
    click.option("--no-cache", is_flag=True, help="Keep nothing, and use nothing that was kept."),
    click.option("--offline", is_flag=True, help="Ask nobody: what is in the cache is all there is."),
    click.option(
        "--allow-private",
        is_flag=True,
        help="Ask private, loopback and link-local addresses, too. For networks of your own: a certificate from"
        " elsewhere could make this computer ask whatever it alone reaches.",
    ),
    click.option(
        "--timeout",
        "seconds",
        type=click.FloatRange(min=0, min_open=True, max=86_400),
        metavar="SECONDS",
        default=DEFAULT_LIMITS.retrieval_seconds,
        show_default=True,
        help="Ask nothing more after so many seconds.",
    ),
)


def fetching_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for fetching to a command, which gets them together, as ``fetching``."""

    @wraps(command)
    def fetching(**given: Any) -> Any:  # noqa: ANN401  # whatever else the command takes
        options = FetchingOptions(**{name: given.pop(name) for name in FetchingOptions._fields})
        return command(fetching=options, **given)

    command_with_options: Callable[..., Any] = fetching
    for option in reversed(_OPTIONS):
        command_with_options = option(command_with_options)
    return command_with_options


@contextmanager
def progress() -> Iterator[Callable[[Retrieval | Progress], object] | None]:
    """Show one line on standard error while the block runs, where that is a terminal; it is gone afterwards.

    Gives what to call with each event, or None where nothing is shown.
    """
    if not sys.stderr or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    from pkcs12kit.retrieval.retrieved import Progress

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if console.is_dumb_terminal:
        yield None
        return
    with console.status(_line("connecting ...")) as status:

        def show(event: Retrieval | Progress) -> None:
            if isinstance(event, Progress):
                counted = f"{event.finished:,} of {event.asked:,} URLs, {size_in_words(event.size)}"
                status.update(_line(f"{counted}  {event.url}"))

        yield show


def size_in_words(size: int) -> str:
    """Write bytes as a person reads them."""
    if size < KIB:
        return f"{size} bytes"
    return f"{size / KIB:.0f} KiB" if size < MIB else f"{size / MIB:.1f} MiB"


def _line(text: str) -> Group:
    from rich.console import Group
    from rich.text import Text

    from pkcs12kit.display.harmless import harmless

    # In a group, for a spinner would make one text of itself and a bare one, and forget that it is not to wrap.
    return Group(Text(harmless(text), no_wrap=True, overflow="ellipsis"))
