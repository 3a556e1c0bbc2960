"""Progress on standard error: one line that changes, shown at a terminal only and gone at the end."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pkcs12kit.cli.output.console import size_in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

    from rich.console import Group

    from pkcs12kit.retrieval.retrieved import Progress, Retrieval
    from pkcs12kit.tls.handshake import Handshake
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


@contextmanager
def fetching_progress() -> Iterator[Callable[[Retrieval | Progress], object] | None]:
    """Show how many URLs were fetched while the block runs.

    Yields a function to call with each event, or None where nothing is shown.
    """
    from pkcs12kit.retrieval.retrieved import Progress

    with _status("Connecting ...") as update:
        if update is None:
            yield None
            return

        def show(event: Retrieval | Progress) -> None:
            if isinstance(event, Progress):
                size = size_in_words(event.size)
                update(f"Fetched {event.finished:,} of {event.asked:,} URLs, {size}  {event.url}")

        yield show


class FetchingWatch:
    """The outcomes of fetching during a command that also prints or asks, and the line of :func:`fetching_progress`.

    The line appears with the first event. It goes away while a function made by :meth:`aside` runs, and comes back with
    the next event.
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
        """Keep an outcome, without its content, and show the progress."""
        from pkcs12kit.retrieval.retrieved import Retrieval

        if isinstance(event, Retrieval):
            self.retrievals.append(replace(event, content=None))
        if not self._begun:
            self._begun = True
            self._show = self._stack.enter_context(fetching_progress())
        if self._show is not None:
            self._show(event)

    def aside(self, function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
        """Return ``function`` so that the line is gone when it is called: it prints or asks something itself."""

        @wraps(function)
        def without_line(*arguments: _Arguments.args, **named: _Arguments.kwargs) -> _Result:
            self._pause()
            return function(*arguments, **named)

        return without_line

    def _pause(self) -> None:
        self._stack.close()
        self._begun = False


@contextmanager
def probing_progress(number: int) -> Iterator[Callable[[ProbedServer, ServerAnswer], object] | None]:
    """Show how many of ``number`` servers have answered, and the last of them, while the block runs.

    Yields a function to call with each answer, or None where nothing is shown.
    """
    with _status(f"Probing {number} servers ..." if number > 1 else "Probing ...") as update:
        if update is None:
            yield None
            return
        answered: list[ProbedServer] = []

        def show(server: ProbedServer, answer: ServerAnswer) -> None:
            answered.append(server)
            update(f"Probing ... {len(answered)} of {number}; {server}: {_in_words(answer.contact.value)}")

        yield show


@contextmanager
def rehearsal_progress() -> Iterator[Callable[[Handshake], object] | None]:
    """Show the last handshake while the block runs.

    Yields a function to call with each handshake, or None where nothing is shown.
    """
    with _status("Serving on loopback, and connecting clients ...") as update:
        if update is None:
            yield None
            return

        def show(handshake: Handshake) -> None:
            update(
                f"Connecting clients ... {handshake.client}, {handshake.protocol}: {_in_words(handshake.verdict.value)}"
            )

        yield show


@contextmanager
def _status(text: str) -> Iterator[Callable[[str], None] | None]:
    """Show a line while the block runs; yield a function that changes it, or None where no terminal shows it."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if console.is_dumb_terminal:
        yield None
        return
    with console.status(_line(text)) as status:

        def update(changed: str) -> None:
            status.update(_line(changed))

        yield update


def _in_words(value: str) -> str:
    return value.replace("-", " ")


def _line(text: str) -> Group:
    from rich.console import Group
    from rich.text import Text

    from pkcs12kit.text import harmless

    # In a group, because a spinner merges a bare Text into its own and loses the setting that it must not wrap.
    return Group(Text(harmless(text), no_wrap=True, overflow="ellipsis"))
