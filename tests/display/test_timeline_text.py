"""The text of validity periods: a timeline within the width of the terminal, in characters that it has."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.display.timelines import timeline_of
from pkcs12kit.display.validity_periods import TimelineBars, periods_report

ZERO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def made():
    """A server whose issuer has two certificates, with a gap of a day between them, and a later third."""
    root = lab.Authority.create("Root", validity=lab.Validity(ZERO - DAY, ZERO + 9_000 * DAY))
    issuer = lab.Authority.create("Issuer", validity=lab.Validity(ZERO, ZERO + DAY))
    spans = ((0, 1_000), (1_001, 1_500), (2_500, 2_600))
    pool = [
        root.issue_ca(issuer, validity=lab.Validity(ZERO + begin * DAY, ZERO + end * DAY), serial_number=begin + 1)
        for begin, end in spans
    ]
    server = issuer.issue_server("www.example.com", validity=lab.Validity(ZERO - DAY, ZERO + 3_000 * DAY))
    return server.certificate, pool, root.certificate


def report_at(made, days, **given):
    """Report on the server, asked about a time."""
    target, pool, anchor = made
    return pk.validity_periods(target, certificates=pool, trust_anchors=[anchor], time=ZERO + days * DAY, **given)


def shown(renderables, *, width, encoding="utf-8"):
    """Print as the command does at a terminal of so many columns."""
    output = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(file=output, width=width, color_system=None, highlight=False, markup=False)
    for renderable in renderables:
        console.print(renderable)
    output.seek(0)
    return output.read().splitlines()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_timeline_fits_the_terminal(made, width, encoding):
    """Each bar is one line of at most the width; a terminal without other characters gets ASCII."""
    report = report_at(made, 1_000.5)
    lines = shown(periods_report(report), width=width, encoding=encoding)
    assert max(map(len, lines)) <= width
    full, none, mixed = ("#", ".", "+") if encoding == "ascii" else ("█", "·", "▒")
    (bar,) = (line for line in lines if line.startswith("path  "))
    assert bar.count(full) > bar.count(mixed)
    assert none in bar
    first = bar.index(full)
    gap = bar.index(mixed, first)  # a gap of one day is shown, however many days a column stands for
    assert bar[gap + 1] in {full, mixed}
    assert [line[0] for line in lines if line[1:5] == "    " and line[0].isdigit()] == ["1", "2", "3"]


def test_the_sentences_for_each_time(made):
    """The answer names the time asked about, the end, and the next beginning; the end of a period says what expires."""
    cases = {
        5: "A path is valid at 2020-01-06T00:00:00Z, until 2022-09-27T00:00:00Z.",
        1_000.5: "No path is valid at 2022-09-27T12:00:00Z; the last one ended on 2022-09-27T00:00:00Z; the next one"
        " begins on 2022-09-28T00:00:00Z.",
        -0.5: "No path is valid at 2019-12-31T12:00:00Z; the next one begins on 2020-01-01T00:00:00Z.",
        2_700: "No path is valid at 2027-05-24T00:00:00Z; the last one ended on 2027-02-13T00:00:00Z.",
        8_000: "No path is valid at 2041-11-26T00:00:00Z; the last one ended on 2027-02-13T00:00:00Z.",
    }
    for days, sentence in cases.items():
        lines = shown(periods_report(report_at(made, days)), width=500)
        assert lines[1] == sentence
        ends = [line.strip("└─ ") for line in lines if " expire" in line and line.startswith("└")]
        assert ends[0] == ("ends: Issuer #1 expires" if days <= 1_000 else "ended: Issuer #1 expired")
    target, _, anchor = made
    report = pk.validity_periods(target, trust_anchors=[anchor], time=ZERO)
    assert "No path is valid at 2020-01-01T00:00:00Z, nor at any other time." in shown(
        periods_report(report), width=500
    )


def test_short_and_endless_times_are_drawn():
    """A period of a second, and a certificate without an end (99991231235959Z, RFC 5280 section 4.1.2.5)."""
    root = lab.Authority.create("Root", validity=lab.Validity(ZERO, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)))
    for end in (ZERO, ZERO + timedelta(seconds=9), root.certificate.not_after):
        target = root.issue_server("www.example.com", validity=lab.Validity(ZERO, end)).certificate
        report = pk.validity_periods(target, trust_anchors=[root.certificate], time=ZERO)
        assert [(one.begin, one.end) for one in report.valid] == [(ZERO, end)]
        drawn = timeline_of(report)
        assert max(map(len, shown([TimelineBars(drawn)], width=80))) <= 80
        assert drawn.ticks(8)
        drawn_as_svg = pk.pictures.timeline_to_svg(report)
        assert "<svg" in drawn_as_svg
        assert ".. " not in drawn_as_svg  # each sentence ends once


def test_a_gap_shows_the_attempt_of_the_time_asked_for(made):
    """Where that is in the gap, and otherwise that of its first second, when other certificates may be the reason."""
    at = "at 2026-01-15T00:00:00Z: Issuer #"
    assert any(at in line for line in shown(periods_report(report_at(made, 2_206)), width=500))
    assert not any(" at 20" in line for line in shown(periods_report(report_at(made, 5)), width=500)[3:])
