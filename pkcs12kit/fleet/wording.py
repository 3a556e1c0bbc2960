"""A report in words: its lines for a terminal and for notebooks, of 5 bundles as of 5,000."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.labels import day
from pkcs12kit.fleet.causes import CauseKind, ending_causes, reason_of, said_causes
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.text import counted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.fleet.causes import Cause
    from pkcs12kit.fleet.outcomes import BundleOutcome
    from pkcs12kit.fleet.results import FleetResults

_MANY: Final = 3
"""Bundles from which on the cause that they share is said once."""
_NAMED: Final = 5
"""Names of bundles that are shown with the cause that they share, and in a short list."""
_CAUSES: Final = 10
"""Certificates that end first that are shown."""
_COUNTED: Final = {
    Status.CREATED: "created",
    Status.REWRITTEN: "rewritten",
    Status.CREATE: "to create",
    Status.REWRITE: "to rewrite",
    Status.DEFERRED: "deferred",
    Status.VALID: "valid",
    Status.UNCHANGED: "unchanged",
    Status.FAILED: "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line about one bundle, or about several with one cause."""

    word: str
    """The status, or what is wrong."""
    text: str
    is_wrong: bool
    bundles: int = 1
    """The number of bundles that it is about."""


def lines_of(report: FleetResults, *, at_most: int, names: int = _NAMED) -> Iterator[tuple[str, list[Line], int]]:
    """Yield the parts that have something to say: a title, at most ``at_most`` lines, and the bundles of the others.

    ``names`` is the number of bundles that are named with a cause that they share.
    """
    parts = {
        "Changed": _changed(report.bundles, names),
        "Deferred": _deferred(report.bundles),
        "Failed": _said(CauseKind.FAILED, "failed", report.bundles, names),
        "Ends too soon": _too_soon(report.bundles, names),
        "Command after the change failed": _said(CauseKind.HOOK_FAILED, "hook failed", report.bundles, names),
        "Not served": _said(CauseKind.NOT_SERVED, "not served", report.bundles, names),
    }
    titles = {"Changed": "Would change", "Deferred": "Deferred by the limit"} if report.mode == "plan" else {}
    for title, lines in parts.items():
        found = list(lines)
        if found:
            yield titles.get(title, title), found[:at_most], sum(line.bundles for line in found[at_most:])


def endings_of(report: FleetResults) -> list[str]:
    """Return which certificates end first, and of how many bundles, soonest first."""
    return shortened(ending_causes(report.bundles), _CAUSES)


def summary(report: FleetResults) -> str:
    """Return the numbers of bundles by status, and of those that are not as they should be, in one line."""
    parts = [f"{number:,} {_COUNTED[status]}" for status in _COUNTED if (number := report.statuses.get(status))]
    wrong = {
        "ends too soon": (report.ending_too_soon, "end too soon"),
        "with a failed command": (report.hooks_failed, "with a failed command"),
        "not served": (report.not_served, "not served"),
    }
    parts += [f"{number:,} {one if number == 1 else more}" for one, (number, more) in wrong.items() if number]
    begin = {"plan": "plan for ", "check": "check of "}.get(report.mode, "")
    end = "; nothing was written" if report.mode == "plan" or report.stopped is not None else ""
    return f"{begin}{counted(len(report.bundles), 'bundle')}{': ' if parts else ''}{', '.join(parts)}{end}"


def problem(report: FleetResults) -> str | None:
    """Return what is wrong, in one clause; None if every bundle is as it should be."""
    if report.ok:
        return None
    wrong = {
        "failed": report.failed,
        "with a path that ends too soon": report.ending_too_soon,
        "with a command after the change that failed": report.hooks_failed,
        "not served": report.not_served,
    }
    parts = [] if report.stopped is None else [report.stopped]
    return "; ".join((*parts, *(f"{counted(number, 'bundle')} {what}" for what, number in wrong.items() if number)))


def about(outcome: BundleOutcome) -> str:
    """Return why a file is made again and when its path ends, in one clause."""
    return "; ".join(filter(None, (reason_of(outcome), _end(outcome))))


def _changed(outcomes: Iterable[BundleOutcome], names: int) -> Iterator[Line]:
    changed = [one for one in outcomes if one.changed]
    shared = [cause for cause in said_causes(CauseKind.REWRITE, changed) if len(cause.bundles) >= _MANY]
    by_name = {one.name: one for one in changed}
    for cause in shared:
        word = by_name[cause.bundles[0]].status.value
        yield _of_cause(word, cause, names, is_wrong=False)
    told = {name for cause in shared for name in cause.bundles}
    for one in changed:
        if one.name not in told:
            yield Line(word=one.status.value, text=_joined(one.name, about(one)), is_wrong=False)


def _deferred(outcomes: Iterable[BundleOutcome]) -> Iterator[Line]:
    for one in outcomes:
        if one.status is Status.DEFERRED:
            yield Line(word="deferred", text=_joined(one.name, about(one)), is_wrong=False)


def _said(kind: CauseKind, word: str, outcomes: Sequence[BundleOutcome], names: int) -> Iterator[Line]:
    """Yield a line for each cause of many bundles, those of most first, and then one for each other bundle."""
    by_name = {one.name: one for one in outcomes}
    causes = said_causes(kind, outcomes)
    yield from (_of_cause(word, cause, names, is_wrong=True) for cause in causes if len(cause.bundles) >= _MANY)
    for cause in causes:
        for name in cause.bundles if len(cause.bundles) < _MANY else ():
            (own,) = said_causes(kind, (by_name[name],))
            yield Line(word=word, text=_joined(name, _without_name(own.text, name)), is_wrong=True)


def _too_soon(outcomes: Iterable[BundleOutcome], names: int) -> Iterator[Line]:
    causes = ending_causes(one for one in outcomes if one.ends_too_soon)
    for cause in causes:
        if len(cause.bundles) >= _MANY:
            yield _of_cause("ends soon", cause, names, is_wrong=True)
        else:
            for name in cause.bundles:
                yield Line(word="ends soon", text=_joined(name, cause.text), is_wrong=True)
    told = {name for cause in causes for name in cause.bundles}
    for one in outcomes:
        if one.ends_too_soon and one.name not in told:
            yield Line(word="ends soon", text=_joined(one.name, _end(one)), is_wrong=True)


def _of_cause(word: str, cause: Cause, names: int, *, is_wrong: bool) -> Line:
    listed = ", ".join(shortened(cause.bundles, names))
    return Line(word=word, text=f"{cause}: {listed}", is_wrong=is_wrong, bundles=len(cause.bundles))


def _end(outcome: BundleOutcome) -> str:
    if outcome.expires is None:
        return ""
    first = outcome.first_to_expire
    which = "" if first is None else ", its own certificate" if outcome.own_ends_first else f", {first.label} first"
    return f"ends {day(outcome.expires)}{which}"


def _joined(name: str, text: str) -> str:
    return f"{name}: {text}" if text else name


def _without_name(text: str, name: str) -> str:
    return text.removeprefix(f"{name}: ")
