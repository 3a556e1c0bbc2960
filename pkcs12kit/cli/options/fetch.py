"""What commands that fetch have in common: their options, and the line that shows how far they are."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from math import isnan
from typing import TYPE_CHECKING, Any, Final, NamedTuple, ParamSpec, TypeVar

import click

from pkcs12kit.cli.options.values import FOLDER
from pkcs12kit.limits import DEFAULT_LIMITS, KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

    from rich.console import Group

    from pkcs12kit.limits import Limits
    from pkcs12kit.retrieval.options import FetchOptions
    from pkcs12kit.retrieval.retrieved import Progress, Retrieval


_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


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
        from pkcs12kit.retrieval.options import FetchOptions

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

    def when(self, *, fetch: bool, on_event: Callable[[Retrieval | Progress], object] | None) -> FetchOptions | None:
        """As :meth:`with_events`, where ``--fetch`` was given; raises where others were, and it was not."""
        if fetch:
            return self.with_events(on_event)
        given = {"--cache": self.cache_folder is not None, "--no-cache": self.no_cache, "--offline": self.offline}
        given |= {"--allow-private": self.allow_private, "--timeout": self.seconds != DEFAULT_LIMITS.retrieval_seconds}
        for option, was_given in given.items():
            if was_given:
                raise click.UsageError(f"{option} says how to fetch, and takes --fetch")
        return None


class _Seconds(click.FloatRange):
    """More than none, and at most a day."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=86_400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's
        seconds: float = super().convert(value, param, ctx)
        if isnan(seconds):  # which no comparison finds outside of a range
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


_OPTIONS: Final = (
    click.option(
        "--cache",
        "cache_folder",
        type=FOLDER,
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
        type=_Seconds(),
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


class Watch:
    """What is fetched while a command does other things, too: every outcome, and the line of :func:`progress`.

    The line comes with the first event, is gone while what :meth:`aside` made is called, and comes back with the next.
    """

    def __init__(self) -> None:
        self.retrievals: list[Retrieval] = []
        self._stack = ExitStack()
        self._show: Callable[[Retrieval | Progress], object] | None = None
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pause()

    def on_event(self, event: Retrieval | Progress) -> None:
        """Keep an outcome, without its content, and show how far it is."""
        from pkcs12kit.retrieval.retrieved import Retrieval

        if isinstance(event, Retrieval):
            self.retrievals.append(replace(event, content=None))
        if not self._begun:
            self._begun = True
            self._show = self._stack.enter_context(progress())
        if self._show is not None:
            self._show(event)

    def aside(self, function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        """Have the line gone whenever ``function`` is called: it writes or asks something itself."""

        @wraps(function)
        def alone(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
            self._pause()
            return function(*arguments, **named)

        return alone

    def _pause(self) -> None:
        self._stack.close()
        self._begun = False


def advice(retrievals: Iterable[Retrieval]) -> str | None:
    """Say which option may help, after what came of URLs."""
    from pkcs12kit.retrieval.retrieved import Status

    retrievals = tuple(retrievals)
    missed = [retrieval for retrieval in retrievals if retrieval.sha256 is None]
    asked = [retrieval for retrieval in retrievals if retrieval.attempts]
    if any(one.status is Status.REFUSED and "public address" in one.why for one in missed):
        return "--allow-private asks addresses that are not public, where the network is your own"
    if any("(limits.retrieval_seconds)" in one.why for one in missed):
        return "--timeout gives it more time"
    if asked and not any(one.http_status for one in asked):
        return (
            "no server answered. Is there a network, and does it need a proxy (http_proxy, https_proxy)?"
            " --offline takes what the cache has; or gather on a computer that has a network, and give the folder with"
            " --certs"
        )
    return None


def size_in_words(size: int) -> str:
    """Write bytes as a person reads them."""
    if size < KIB:
        return f"{size} bytes"
    return f"{size / KIB:.0f} KiB" if size < MIB else f"{size / MIB:.1f} MiB"


def _line(text: str) -> Group:
    from rich.console import Group
    from rich.text import Text

    from pkcs12kit.text import harmless

    # In a group, for a spinner would make one text of itself and a bare one, and forget that it is not to wrap.
    return Group(Text(harmless(text), no_wrap=True, overflow="ellipsis"))
