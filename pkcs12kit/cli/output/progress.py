"""Progress on standard error: one line that changes, shown at a terminal only and gone at the end.

Before a rehearsal, a line that stays says how long it may take.
"""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from pkcs12kit.cli.output.console import may_colour, print_note, size_in_words
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Self

    from rich.console import Console, Group

    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.limits import Limits
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
def probing_progress(
    servers: Sequence[ProbedServer],
) -> Iterator[Callable[[ProbedServer, ServerAnswer], object] | None]:
    """Show which of the servers have answered, and which have not yet, while the block runs.

    Yields a function to call with each answer, or None where nothing is shown.
    """
    waiting = dict.fromkeys(map(str, servers))
    with _status(f"Probing {', '.join(waiting)} ...") as update:
        if update is None:
            yield None
            return

        def show(server: ProbedServer, answer: ServerAnswer) -> None:
            waiting.pop(str(server), None)
            answered = f"Probing ... {len(servers) - len(waiting)} of {len(servers)}"
            still = f"; waiting for {', '.join(waiting)}" if waiting else ""
            update(f"{answered}; {server}: {_in_words(answer.contact.value)}{still}")

        yield show


def announce_rehearsal(clients: Iterable[str], limits: Limits) -> None:
    """Print which clients will connect and how long that may take; nothing where no terminal shows it.

    ``clients`` as for :func:`~pkcs12kit.rehearse`.
    """
    if not _is_shown():
        return
    from pkcs12kit.tls.rehearsal.run import PROTOCOLS, longest_seconds

    asked = _installed(clients)
    minutes = math.ceil(longest_seconds(asked, limits) / 60)
    print_note(
        f"rehearsing with {', '.join(asked)} in {' and '.join(PROTOCOLS)}: a few seconds as a rule, at most"
        f" {counted(minutes, 'minute')} if every client hangs"
    )


@contextmanager
def rehearsal_progress(clients: Iterable[str]) -> Iterator[Callable[[Handshake], object] | None]:
    """Show the last handshake, and the clients that have not finished, while the block runs.

    Yields a function to call with each handshake, or None where nothing is shown.
    """
    with _status("Serving on loopback, and connecting clients ...") as update:
        if update is None:
            yield None
            return
        from pkcs12kit.tls.rehearsal.run import PROTOCOLS

        waiting = {name: len(PROTOCOLS) for name in _installed(clients)}
        total = sum(waiting.values())

        def show(handshake: Handshake) -> None:
            if handshake.client in waiting:
                waiting[handshake.client] -= 1
            others = ", ".join(name for name, left in waiting.items() if left > 0)
            done = f"Connecting clients ... {total - sum(waiting.values())} of {total}"
            still = f"; waiting for {others}" if others else ""
            update(f"{done}; {handshake.client}, {handshake.protocol}: {_in_words(handshake.verdict.value)}{still}")

        yield show


@contextmanager
def batch_progress(*, as_json: bool) -> Iterator[Callable[[BundleOutcome, int, int], object] | None]:
    """Show how many bundles are done, changed and failed, and the time left, while the block runs.

    Yields a function to call with each outcome, the number of bundles done and that of all. Yields None where nothing
    is shown: not at a terminal, or with ``--json``.
    """
    console = None if as_json else _console()
    if console is None:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, expand=False) as progress:
        task = progress.add_task("bundles", total=None)
        changed = failed = 0

        def show(outcome: BundleOutcome, done: int, total: int) -> None:
            nonlocal changed, failed
            changed += outcome.changed
            failed += not outcome.ok
            told = f"{changed:,} changed, {failed:,} failed"
            progress.update(task, completed=done, total=total, description=told)

        yield show


def _installed(clients: Iterable[str]) -> tuple[str, ...]:
    """Return the installed clients that a rehearsal asks, in the order of display."""
    from pkcs12kit.tls.rehearsal.clients.registry import CLIENTS
    from pkcs12kit.tls.rehearsal.run import installed_clients
    from pkcs12kit.verifier.rehearse import clients_to_ask

    asked = clients_to_ask(clients)[0] & installed_clients()
    return tuple(name for name in CLIENTS if name in asked)


def _is_shown() -> bool:
    """Return True if standard error, on which progress is shown, is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def _status(text: str) -> Iterator[Callable[[str], None] | None]:
    """Show a line while the block runs; yield a function that changes it, or None where no terminal shows it."""
    console = _console()
    if console is None:
        yield None
        return
    with console.status(_line(text)) as status:

        def update(changed: str) -> None:
            status.update(_line(changed))

        yield update


def _console() -> Console | None:
    """Return a console that can show a line that changes on standard error; None where there is none."""
    if not _is_shown():
        return None
    from rich.console import Console

    console = Console(
        stderr=True,
        highlight=False,
        markup=False,
        emoji=False,
        color_system="auto" if may_colour() else None,
    )
    return None if console.is_dumb_terminal else console


def _in_words(value: str) -> str:
    return value.replace("-", " ")


def _line(text: str) -> Group:
    from rich.console import Group
    from rich.text import Text

    from pkcs12kit.text import harmless

    # In a group, because a spinner merges a bare Text into its own and loses the setting that it must not wrap.
    return Group(Text(harmless(text), no_wrap=True, overflow="ellipsis"))
