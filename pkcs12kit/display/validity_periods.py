"""Validity periods as text for a terminal: a timeline of bars, and below it each period with its paths.

The bars depend on no colour, and are made of ASCII characters where the terminal has no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.display.timelines import answer_in_words, periods_in_words, scope_in_words, timeline_of
from pkcs12kit.paths.validity_report import PeriodState
from pkcs12kit.text import harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console, ConsoleOptions, RenderableType

    from pkcs12kit.display.timelines import PeriodInWords, Timeline, TimelineRow
    from pkcs12kit.paths.validity_report import ValidityReport

_WIDEST: Final = 100
_NARROWEST: Final = 20
_MOST_PATHS: Final = 20
_TICK_WIDTH: Final = 8
_SIGNS: Final = {"valid": "█", "not-valid": "·", "unknown": "?", "mixed": "▒", "now": "▲"}
_ASCII: Final = {"valid": "#", "not-valid": ".", "unknown": "?", "mixed": "+", "now": "^"}
_STYLES: Final = {PeriodState.VALID: "bold green", PeriodState.NOT_VALID: "red", PeriodState.UNKNOWN: "yellow"}


def periods_report(report: ValidityReport) -> Iterator[RenderableType]:
    """Yield the answer for the time asked about, the timeline, and the periods in the order of time."""
    valid = report.state is PeriodState.VALID
    yield Text(harmless(f"{report.target.label}: when a path to a trust anchor is valid"), style="bold")
    yield Text(harmless(answer_in_words(report)), style="bold green" if valid else "bold red")
    drawn = timeline_of(report)
    if drawn is not None:
        yield ""
        yield TimelineBars(drawn)
        yield ""
    yield from map(_period, periods_in_words(report))
    for sentence in scope_in_words(report):
        yield Text(sentence, style="dim")
    if report.incomplete is not None:
        yield Text(harmless(f"The search was cut short: {report.incomplete}"), style="yellow")


def _period(words: PeriodInWords) -> Tree:
    title = Text(words.state, style=_STYLES[words.period.state])
    title.append(f" from {words.begin} to {words.end}", style="not bold default")
    tree = Tree(title, guide_style="dim")
    for path in words.paths[:_MOST_PATHS]:
        line = Text(f"{path.number}  from {path.begin}: ", style="bold")
        line.append(harmless(" <- ".join(path.names)), style="not bold cyan")
        tree.add(line).add(Text(harmless(path.why), style="dim"))
    if len(words.paths) > _MOST_PATHS:
        tree.add(Text(f"and {len(words.paths) - _MOST_PATHS} more; --json has them all", style="dim"))
    if words.ending is not None:
        tree.add(Text(harmless(words.ending), style="yellow"))
    for label, failure in words.failures:
        line = Text(label, style="cyan").append(f": {harmless(failure.detail)}", style="red")
        tree.add(line.append(f"  [{failure.section}]", style="dim"))
    if words.period.incomplete is not None:
        tree.add(Text(harmless(words.period.incomplete), style="yellow"))
    return tree


class TimelineBars:
    """A timeline as lines of characters: each stands for a part of the time, mixed where the answer changes in it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterable[Text]:
        signs = _ASCII if options.ascii_only else _SIGNS
        timeline, rows = self._timeline, self._timeline.rows[: _MOST_PATHS + 1]
        labels = max(len(row.label) for row in rows) + 2
        columns = max(min(options.max_width, _WIDEST) - labels, _NARROWEST)
        yield self._axis(labels, columns)
        for row in rows:
            line = Text(row.label.ljust(labels), style="bold", no_wrap=True, overflow="crop")
            for state in _cells(timeline, row, columns):
                line.append(signs[state], style=f"not bold {_STYLES[PeriodState.VALID] if state == 'valid' else ''}")
            yield line
        if len(rows) < len(timeline.rows):
            yield Text(f"and {len(timeline.rows) - len(rows)} more paths", style="dim")
        if timeline.time is not None:
            column = min(int(timeline.share(timeline.time) * columns), columns - 1)
            mark = f"{signs['now']} {format_time(timeline.time)[:10]}"
            if column + len(mark) > columns:
                mark = f"{mark[2:]} {mark[0]}"
                column = max(column - len(mark) + 1, 0)
            yield Text(" " * (labels + column) + mark, no_wrap=True, overflow="crop")
        legend = {"valid": "valid", "mixed": "in part", "not-valid": "no valid path", "unknown": "not known"}
        yield Text("  ".join(f"{signs[sign]} {words}" for sign, words in legend.items()), style="dim")

    def _axis(self, labels: int, columns: int) -> Text:
        line = " " * (labels + columns)
        for time, label in self._timeline.ticks(max(columns // _TICK_WIDTH, 1)):
            column = labels + min(int(self._timeline.share(time) * columns), columns - len(label))
            if not line[max(column - 1, 0) : column + len(label)].strip():
                line = line[:column] + label + line[column + len(label) :]
        return Text(line.rstrip(), style="dim", no_wrap=True, overflow="crop")


def _cells(timeline: Timeline, row: TimelineRow, columns: int) -> Iterator[str]:
    """Yield the state of each column; ``mixed`` where it has seconds of several states."""
    width = (timeline.end - timeline.begin) / columns
    for column in range(columns):
        begin = timeline.begin + column * width
        end = begin + width
        inside = [(one, last, state) for one, last, state in row.spans if one < end and last >= begin]
        states = {state.value for _, _, state in inside}
        if len(states) == 1 and row.label == "path":
            yield states.pop()
        elif len(states) > 1:
            yield "mixed"
        elif not states:
            yield "not-valid"
        else:
            first, last = min(one for one, _, _ in inside), max(until for _, until, _ in inside)
            yield "valid" if first <= begin and last >= end else "mixed"
