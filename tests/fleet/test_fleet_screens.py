"""Reports on a terminal and in a pipe: 5 bundles and 5,000; and the progress while a run lasts."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
from datetime import timedelta

import pytest
from hypothesis import given, settings

from pkcs12kit.cli.output import messages
from pkcs12kit.cli.output.batch import hints_of, print_batch, warnings_of
from pkcs12kit.cli.output.progress import batch_progress
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.wording import lines_of, summary
from pkcs12kit.hints import Hint

from ..thoroughness import examples
from .reports import NOW, outcome, report_of, reports_at_random

CSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LONG = "certificates: + DoD Interoperability Root CA 2, - DoD Interoperability Root CA 1"


class Screen(io.TextIOWrapper):
    """A terminal that keeps what is written to it."""

    def __init__(self, *, is_terminal):
        super().__init__(io.BytesIO(), "utf-8", errors="strict", write_through=True)
        self._is_terminal = is_terminal

    def isatty(self):
        """Return True for a terminal."""
        return self._is_terminal

    @property
    def shown(self):
        """All text without colours."""
        return CSI.sub("", self.buffer.getvalue().decode())


@pytest.fixture
def shown(monkeypatch):
    """Print a report: ``shown(report, terminal=True)`` returns standard output and standard error."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")

    def show(report, *, terminal, as_json=False):
        messages.begin(["--json"] if as_json else [])
        output, errors = Screen(is_terminal=terminal), Screen(is_terminal=terminal)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            print_batch(report, as_json=as_json)
        return output.shown, errors.shown

    yield show
    messages.begin([])


def large(number):
    """Many bundles: most unchanged, and some of each kind, with long names."""
    chance = random.Random(19)  # noqa: S311  # the same fleet each time
    bundles = []
    for one in range(number):
        name = f"web{one:04}.{'department.' * chance.choice((1, 6))}example"
        kind = chance.randrange(100)
        if kind < 5:
            bundles.append(outcome(name, Status.FAILED, error=f"/etc/{name}/server.key: no such file"))
        elif kind < 7:
            bundles.append(outcome(name, Status.FAILED, error=f"{name}: fault number {one}"))
        elif kind < 12:
            bundles.append(outcome(name, Status.REWRITTEN, why=(LONG,)))
        elif kind < 20:
            bundles.append(outcome(name, Status.CREATED, hook_error="exit status 1" if kind < 14 else None))
        else:
            bundles.append(outcome(name, days=40 if kind < 50 else 360, digit="e" if kind < 50 else "a", label="R"))
    return report_of(*bundles)


def test_a_large_fleet_stays_readable_at_a_terminal(shown):
    """At most 80 columns and some screens; what is left out is counted; unchanged bundles have no line."""
    report = large(5_000)
    output, errors = shown(report, terminal=True)
    lines = [line.rstrip("\r") for line in (output + errors).splitlines()]
    assert max(map(len, lines)) <= 81  # a blank at the end of a full line shows nothing
    assert len(lines) < 350
    assert any("more bundles; --json lists all" in line for line in lines)
    text = " ".join(output.split())
    assert f"{sum('no such file' in (one.error or '') for one in report.bundles)} bundles: /etc/NAME/server.key" in text
    assert summary(report) in text
    for one in report.bundles:
        if one.status is Status.UNCHANGED:
            assert one.name not in text


def test_a_pipe_gets_each_bundle_that_changed_or_is_wrong(shown):
    """For grep: one line for each finding, and none wraps."""
    report = large(1_000)
    output, errors = shown(report, terminal=False)
    for one in report.bundles:
        assert (one.name in output) == (one.status is not Status.UNCHANGED)
    assert len(output.splitlines()) < 400
    assert errors.splitlines()[0].startswith("error: ")


def test_one_bad_bundle_of_200_is_one_line(shown):
    """The cause stands beside the name; the error counts it."""
    good = (outcome(f"web{number}", Status.CREATED) for number in range(199))
    bad = outcome("mdm", Status.FAILED, error="mdm: no valid path", hints=(Hint(text="do this", command="ls"),))
    output, errors = shown(report_of(*good, bad), terminal=False)
    (line,) = (line for line in output.splitlines() if "mdm" in line)
    assert line.split(maxsplit=1) == ["failed", "mdm: no valid path"]
    assert output.splitlines()[-1] == "fleet.toml: 200 bundles: 199 created, 1 failed"
    assert errors.splitlines() == ["error: 1 bundle failed", "hint: do this: ls"]


def test_the_words_of_a_plan_and_of_a_stopped_run(shown):
    """A plan says what would happen; a stopped run says why nothing did."""
    bundles = (outcome("a", Status.CREATE), outcome("b", Status.REWRITE, why=("owner",)), outcome("c", Status.DEFERRED))
    output, errors = shown(report_of(*bundles, mode="plan"), terminal=False)
    assert output.splitlines()[:3] == [
        "Would change:",
        "  create       a: ends 2027-11-26, DoD Root CA 3 first",
        "  rewrite      b: owner; ends 2027-11-26, DoD Root CA 3 first",
    ]
    assert "fleet.toml: plan for 3 bundles: 1 to create, 1 to rewrite, 1 deferred; nothing was written" in output
    assert "error" not in errors
    output, errors = shown(report_of(*bundles, stopped="3 would change"), terminal=False)
    assert "nothing was written" in output
    assert "error: 3 would change" in errors


@settings(max_examples=examples(60), deadline=None)
@given(report=reports_at_random())
def test_every_report_has_its_lines(report):
    """Each bundle that is not as it should be has a line, or is counted in one; nothing else is called wrong."""
    parts = list(lines_of(report, at_most=10_000, names=10_000))
    wrong = [line for _, lines, _ in parts for line in lines if line.is_wrong]
    numbers = (report.failed, report.ending_too_soon, report.hooks_failed, report.not_served)
    assert sum(line.bundles for line in wrong) == sum(numbers)
    for at_most in (0, 1, 3):
        cut = list(lines_of(report, at_most=at_most))
        for (title, lines, more), (same, all_lines, none) in zip(cut, parts, strict=True):
            assert (title, none) == (same, 0)
            assert more == sum(line.bundles for line in all_lines) - sum(line.bundles for line in lines)
    assert len(hints_of(report)) <= 8


@settings(max_examples=examples(60), deadline=None)
@given(report=reports_at_random())
def test_nothing_from_outside_steers_a_terminal(report):
    """What is printed is printable, in a pipe and with ``--json``."""
    for as_json in (False, True):
        messages.begin(["--json"] if as_json else [])
        output, errors = Screen(is_terminal=False), Screen(is_terminal=False)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            print_batch(report, as_json=as_json)
        text = (output.buffer.getvalue() + errors.buffer.getvalue()).decode()
        assert all(char.isprintable() or char == "\n" for char in text)
        if as_json:
            said = json.loads(output.shown)
            assert ("error" in said) == (not report.ok)
    messages.begin([])


def test_progress_is_shown_at_a_terminal_only(monkeypatch):
    """Done, changed and failed bundles; and it is gone at the end, with nothing on standard output."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    for terminal, as_json in ((True, False), (True, True), (False, False)):
        output, errors = Screen(is_terminal=terminal), Screen(is_terminal=terminal)
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
            batch_progress(as_json=as_json) as on,
        ):
            assert (on is None) == (not terminal or as_json)
            if on is not None:
                on(outcome("a", Status.CREATED), 1, 2)
                on(outcome("b", Status.FAILED), 2, 2)
        assert output.shown == ""
        assert ("1 changed, 1 failed" in errors.shown) == (terminal and not as_json)


def test_ends_too_soon_is_grouped_by_the_certificate():
    """Many bundles of one root are one line, and an own certificate is one of its own."""
    soon = {"ends_too_soon": True, "days": 9}
    report = report_of(*(outcome(f"w{one}", **soon) for one in range(4)), outcome("x", digit="e", **soon))
    ((title, lines, _),) = lines_of(report, at_most=10)
    assert title == "Ends too soon"
    day = (NOW + timedelta(days=9)).date().isoformat()
    assert [line.text for line in lines] == [
        f"4 bundles: DoD Root CA 3 is the first to end, {day}: w0, w1, w2, w3",
        f"x: its own certificate ends first, {day}",
    ]


def test_a_warning_of_many_bundles_is_shown_once():
    """Each warning is shown with its first bundle and the number of the others, in a large fleet as well."""
    names = [f"web-{number}" for number in range(1, 201)]
    bundles = [
        outcome(name, warnings=("java means java-26", f"of {name}") if number < 3 else ("java means java-26",))
        for number, name in enumerate(names)
    ]
    assert warnings_of(report_of(*bundles)) == [
        "web-1 and 199 more bundles: java means java-26",
        *(f"{name}: of {name}" for name in names[:3]),
    ]
    different = [outcome(name, warnings=(f"of {name}",)) for name in names]
    shown = warnings_of(report_of(*different))
    assert shown[:40] == [f"{name}: of {name}" for name in names[:40]]
    assert shown[40:] == ["160 more warnings, in --json"]
