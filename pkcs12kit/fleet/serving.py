"""The servers that a manifest names in ``serves``: asked until they send the certificates of the bundles' files.

The rules:

- A server is ``HOST[:PORT]``, by default port 443, or ``smtp://HOST[:PORT]`` and so on where another protocol comes
  before TLS. It is asked for the bundle's ``server_name``, by default for the host. It may have a private address.
- All servers of a run are asked after its commands have ended, each once for all bundles that name it, at most
  ``limits.served_servers`` at a time. If its name has several addresses, each of them is asked that can be reached:
  clients may come to any of them.
- A server that does not send what it has to send is asked again after 0.5 seconds, then after twice that time and so on
  up to ``limits.served_backoff_seconds``, until its time is up. The last try is not earlier than that.
- The time is ``serves_timeout`` for a bundle whose file has changed in this run, or whose command has run. Any other
  bundle has at most ``limits.served_unchanged_seconds``: its file is not loaded now, but an earlier change may not have
  been loaded at all.
- Only bundles whose file is right are asked about. A plan and a check ask nothing.
"""

from __future__ import annotations

import time
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.errors import InputError, MalformedCertificateError
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.served_certificates import ExpectedChain, why_not_served
from pkcs12kit.limits import DEFAULT_LIMITS, Limits
from pkcs12kit.text import quoted
from pkcs12kit.tls.address import parse_address
from pkcs12kit.tls.probing.server import ask_servers
from pkcs12kit.tls.probing.target import server_of_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence

    from pkcs12kit.fleet.bundles import FleetBundle
    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.tls.probing.answers import ServerAnswer
    from pkcs12kit.tls.probing.target import ProbedServer

_FIRST_PAUSE: Final = 0.5  # seconds before the second try
_IN_PLACE: Final = frozenset({Status.CREATED, Status.REWRITTEN, Status.UNCHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedEvent:
    """A try of a server, for those who show the progress."""

    server: str
    """The server, as in the manifest but with its port."""
    names: tuple[str, ...]
    """The names of the bundles that it has to send."""
    error: str | None
    """Why it does not send them all; None where it does."""
    has_ended: bool
    """False where it will be asked again."""


class _Ask(Protocol):
    """The way to ask servers: :func:`~pkcs12kit.tls.probing.server.ask_servers`."""

    def __call__(
        self, servers: Sequence[ProbedServer], *, seconds: float | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> Generator[ServerAnswer]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    """One server, and what it has to send."""

    server: ProbedServer
    expected: Mapping[str, ExpectedChain]
    """The certificates, by the name of the bundle."""
    seconds: float
    """The longest time that one of the bundles may take."""

    def __str__(self) -> str:
        protocol = self.server.starttls
        return f"{self.server}" if protocol is None else f"{protocol}://{self.server}"

    def judge(self, answers: Sequence[tuple[ProbedServer, ServerAnswer]]) -> dict[str, str | None]:
        """Return for each bundle why an answer is not right, by the bundle's name."""
        of_bundles = {one.sha256[0] for one in self.expected.values()}
        return {name: self._why(answers, expected, of_bundles) for name, expected in self.expected.items()}

    def _why(
        self, answers: Sequence[tuple[ProbedServer, ServerAnswer]], expected: ExpectedChain, of_bundles: set[str]
    ) -> str | None:
        for server, answer in answers:
            why = why_not_served(server, answer, expected, of_bundles)
            if why is not None:
                at = "" if len(answers) == 1 or answer.answered_at is None else f" at {answer.answered_at}"
                return f"{self}{at}: {why}"
        return None


def await_served(  # each rule has its own keyword
    fleet: Iterable[tuple[FleetBundle, BundleOutcome]],
    *,
    reloaded: Collection[str] = (),
    on_event: Callable[[ServedEvent], object] | None = None,
    limits: Limits = DEFAULT_LIMITS,
    ask: _Ask = ask_servers,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> dict[str, str | None]:
    """Ask the servers of bundles until they send the certificates of their files, or their time is up.

    - ``fleet``: the bundles with what became of them. Those without ``serves``, and those whose file is not in place,
      are left out.
    - ``reloaded``: the names of unchanged bundles for which a command ran in this run, so that they have all the time.
    - ``on_event``: is called after each try of a server.
    - ``limits``: bounds on the time and on the servers that are asked at a time.
    - ``ask``, ``clock``, ``sleep``: for tests.

    Return for each bundle, by its name, why a server does not send its certificates, in one sentence that names the
    server; None where all do. Whatever a server does is an answer: no error is raised for it, nor for a server or a
    name that cannot be read.
    """
    watched, unreadable = _watch(fleet, reloaded, limits)
    found: dict[_Key, dict[str, str | None]] = {}
    started, pause = clock(), _FIRST_PAUSE
    pending = dict.fromkeys(watched)
    while pending:
        began = clock()
        left = max(watched[key].seconds for key in pending) - (began - started)
        seconds = min(limits.probe_seconds, max(left, limits.served_unchanged_seconds))
        answers = _ask_all([watched[key].server for key in pending], seconds, limits, ask)
        for key, answer in zip(tuple(pending), answers, strict=True):
            one = watched[key]
            found[key] = one.judge(answer)
            errors = tuple(dict.fromkeys(why for why in found[key].values() if why is not None))
            has_ended = not errors or began - started >= one.seconds
            if has_ended:
                del pending[key]
            if on_event is not None:
                error = "; ".join(errors) or None
                on_event(ServedEvent(server=str(one), names=tuple(one.expected), error=error, has_ended=has_ended))
        if pending:
            next_end = min(watched[key].seconds for key in pending) - (clock() - started)
            sleep(min(pause, max(next_end, 0)))
            pause = min(2 * pause, limits.served_backoff_seconds)
    return _by_bundle((*unreadable, *found.values()))


_Key = tuple[str, int, str, str | None]


def _watch(
    fleet: Iterable[tuple[FleetBundle, BundleOutcome]], reloaded: Collection[str], limits: Limits
) -> tuple[dict[_Key, _Watched], list[dict[str, str | None]]]:
    """Return the servers to ask, each once, in the order in which bundles name them, and errors by bundle."""
    watched: dict[_Key, _Watched] = {}
    unreadable: list[dict[str, str | None]] = []
    for bundle, outcome in fleet:
        if not outcome.certificates or outcome.status not in _IN_PLACE:
            continue
        expected = _expected(bundle, outcome)
        seconds = limits.served_seconds if bundle.serves_timeout is None else bundle.serves_timeout
        if not outcome.changed and bundle.name not in reloaded:
            seconds = min(seconds, limits.served_unchanged_seconds)
        for text in bundle.serves:
            try:
                server = server_of_text(text, server_name=bundle.options.get("server_name"))
            except InputError as error:
                unreadable.append({bundle.name: f"{quoted(text)} cannot be asked: {error}"})
                continue
            key = (server.address.host, server.port, server.server_name, server.starttls)
            before = watched.get(key)
            watched[key] = _Watched(
                server=server,
                expected={**({} if before is None else before.expected), bundle.name: expected},
                seconds=seconds if before is None else max(seconds, before.seconds),
            )
    return watched, unreadable


def _expected(bundle: FleetBundle, outcome: BundleOutcome) -> ExpectedChain:
    """Return the certificates of a bundle's file; its own is known from the record, if that is about the same file."""
    target = None
    if outcome.record is not None:
        with suppress(MalformedCertificateError):
            target = Certificate.from_der(outcome.record.target)
    options = bundle.options
    has_anchor = options.get("with_anchor") or (options.get("to") != "pem" and not options.get("no_anchor"))
    return ExpectedChain(
        sha256=outcome.certificates,
        target=target if target is not None and target.sha256 == outcome.certificates[0] else None,
        has_anchor=bool(has_anchor),
    )


def _ask_all(
    servers: Sequence[ProbedServer], seconds: float, limits: Limits, ask: _Ask
) -> list[list[tuple[ProbedServer, ServerAnswer]]]:
    """Return the answers of each server: the first, and those of its other addresses where certificates came."""
    at_a_time = replace(limits, probe_servers=max(limits.served_servers, 1))
    with closing(ask(servers, seconds=seconds, limits=at_a_time)) as asked:
        answers = [[(server, answer)] for server, answer in zip(servers, asked, strict=True)]
    others = [
        (number, replace(server, address=replace(parse_address(at), port=None)))
        for number, ((server, answer),) in enumerate(answers)
        for at in answer.not_asked
        if answer.message is not None
    ]
    if others:
        with closing(ask([server for _, server in others], seconds=seconds, limits=at_a_time)) as asked:
            for (number, server), answer in zip(others, asked, strict=True):
                if answer.message is not None:
                    answers[number].append((server, answer))
    return answers


def _by_bundle(found: Iterable[Mapping[str, str | None]]) -> dict[str, str | None]:
    """Return the sentences of all servers by the names of the bundles."""
    sentences: dict[str, list[str]] = {}
    for one in found:
        for name, why in one.items():
            sentences.setdefault(name, []).extend([] if why is None else [why])
    return {name: "; ".join(whys) or None for name, whys in sentences.items()}
