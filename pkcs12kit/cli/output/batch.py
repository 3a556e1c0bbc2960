"""The answer of ``batch``: a line for each bundle that changed or is not as it should be; the others are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.hints import Hint
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from pkcs12kit.fleet.report import FleetReport
    from pkcs12kit.fleet.wording import Line

_AT_TERMINAL: Final = 40
"""Lines of a part at a terminal; the rest is counted."""
_ELSEWHERE: Final = 1_000
"""Lines of a part in a pipe or a file."""
_NAMED_ELSEWHERE: Final = 5_000
_HINTS: Final = 5
_COLOURS: Final = {"created": "green", "create": "green", "rewritten": "cyan", "rewrite": "cyan", "deferred": "yellow"}
_WIDEST: Final = 11


def print_batch(report: FleetReport, *, as_json: bool) -> None:
    """Print the report: warnings, bundles, causes and numbers; the error and the hints if something is wrong."""
    from pkcs12kit.cli.output.console import print_error, print_hints, print_json, print_text, warn
    from pkcs12kit.fleet.wording import problem

    for warning in report.warnings:
        warn(warning)
    for warning in warnings_of(report):
        warn(warning)
    if not as_json:
        print_text(_lines(report))
    wrong = problem(report)
    if wrong is not None:
        print_error(wrong)
    print_hints(hints_of(report))
    if as_json:
        print_json(report.to_json())


def warnings_of(report: FleetReport) -> list[str]:
    """Return the warnings of bundles, each once, with the first bundle that has it and the number of the others."""
    names: dict[str, list[str]] = {}
    for bundle in report.bundles:
        for warning in dict.fromkeys(bundle.warnings):
            names.setdefault(warning, []).append(bundle.name)
    shown = []
    for warning, (first, *others) in names.items():
        more = f" and {counted(len(others), 'more bundle')}" if others else ""
        shown.append(f"{first}{more}: {warning}")
    left = len(shown) - _AT_TERMINAL
    return [*shown[:_AT_TERMINAL], f"{counted(left, 'more warning')}, in --json"] if left > 0 else shown


def hints_of(report: FleetReport) -> list[Hint]:
    """Return the next steps: those of the first bundles that failed, and one for each other thing that is wrong."""
    own: dict[str, Hint] = {}
    for hint in (hint for one in report.bundles for hint in one.hints if not one.ok):
        own.setdefault(hint.text, hint)  # with the command for the first of its bundles
    hints = list(own.values())[:_HINTS]
    if report.hooks_failed:
        hints.append(Hint(text="the next run runs the failed commands again, also if no file has changed until then"))
    if report.not_served:
        hints.append(Hint(text="let the server load its new file: reload it by the command in after = [...]"))
    deferred = report.statuses.get(Status.DEFERRED, 0)
    if deferred and report.stopped is None:
        hints.append(Hint(text="the next run does the deferred bundles, those that end first before the others"))
    return hints


def _lines(report: FleetReport) -> Iterator[Text]:
    from rich.text import Text

    from pkcs12kit.cli.output.console import terminal_width
    from pkcs12kit.cli.output.tables import wrapped
    from pkcs12kit.fleet.wording import endings_of, lines_of, summary
    from pkcs12kit.text import counted, harmless

    width = terminal_width()
    parts = lines_of(report, at_most=_AT_TERMINAL) if width is not None else _all(report)
    for title, lines, more in parts:
        yield Text(f"{title}:", style="bold")
        for line in lines:
            yield _text(line, width)
        if more:
            yield Text(f"  and {counted(more, 'more bundle')}; --json lists all", style="dim")
    endings = endings_of(report)
    if endings:
        yield Text("First to end:", style="bold")
        for ending in endings:
            yield Text("\n".join(wrapped(f"  {harmless(ending)}", 2, width)))
    yield Text(harmless(f"{report.manifest.name}: {summary(report)}"), style="bold")


def _all(report: FleetReport) -> Iterator[tuple[str, list[Line], int]]:
    from pkcs12kit.fleet.wording import lines_of

    return lines_of(report, at_most=_ELSEWHERE, names=_NAMED_ELSEWHERE)


def _text(line: Line, width: int | None) -> Text:
    """Return a line with its first word in colour; a terminal gets as many lines as it takes, the others indented."""
    from rich.text import Text

    from pkcs12kit.cli.output.tables import wrapped
    from pkcs12kit.text import harmless

    begin = f"  {line.word.ljust(_WIDEST)}  "
    text = Text("\n".join(wrapped(f"{begin}{harmless(line.text)}", len(begin), width)))
    colour = "red" if line.is_wrong else _COLOURS.get(line.word, "default")
    text.stylize(f"bold {colour}", 2, 2 + len(line.word))
    return text
