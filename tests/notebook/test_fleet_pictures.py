"""The ends of a fleet as a picture: legible in a browser, light and dark, with names of every kind; and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

import pkcs12kit as pk
from pkcs12kit.fleet.outcomes import BundleOutcome, Ending, Status
from pkcs12kit.fleet.report import FleetReport

from ..fleet.reports import NOW, outcome, report_of, reports_at_random
from ..thoroughness import examples
from .browser import is_dark
from .test_notebook_hostile import PAYLOADS
from .test_picture_pages import WIDE, assert_sound

SVG = "{http://www.w3.org/2000/svg}"


def hostile():
    """Bundles with markup and other scripts in their names, of all statuses; some have ended."""
    names = [*PAYLOADS, *WIDE]
    bundles = [
        BundleOutcome(
            name=name,
            output="/etc/server.p12",
            status=Status.UNCHANGED,
            expires=(end := NOW + timedelta(days=90 * (number % 17) - 200)),
            first_to_expire=Ending(label=names[number % 11], sha256=f"{number % 11:064x}", not_after=end),
            ends_too_soon=number % 17 < 2,
            hook_error="no" if number % 5 == 0 else None,
        )
        for number, name in enumerate(names)
    ]
    failed = [outcome(f"{name}!", Status.FAILED, error=name) for name in names[:4]]
    return report_of(*bundles, *failed, manifest=Path(" ".join(PAYLOADS[:3]).replace("\x00", "")))


def aggregated():
    """More bundles than are drawn one by one."""
    kinds = ({"days": 40, "digit": "e"}, {"days": 360}, {"days": 700, "digit": "b", "label": "Root 2"})
    good = (outcome(f"web{number}", **kinds[number % 3]) for number in range(300))
    bad = (outcome(f"mail{number}", Status.FAILED, error=f"mail{number}.key: no such file") for number in range(9))
    return report_of(*good, *bad)


@pytest.mark.parametrize("prefers", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize("made", [hostile, aggregated])
def test_the_picture_is_legible(render, made, prefers):
    """Each text is within the picture and lies on nothing else; contrast is 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    svg = made().to_svg()
    rendered = render(svg, prefers=prefers)
    assert_sound(rendered)
    assert rendered.measured["texts"] == svg.count("</text>")
    assert is_dark(rendered.measured["ground"]) is (prefers == "dark")


@pytest.mark.slow
@pytest.mark.parametrize("prefers", ["light", "dark"])
@pytest.mark.parametrize("made", [hostile, aggregated])
def test_the_picture_is_there_to_look_at(screenshot, made, prefers):
    """A screenshot of each."""
    assert screenshot(made().to_svg(), f"fleet-{made.__name__}-{prefers}", prefers=prefers).stat().st_size


def test_many_bundles_are_a_bar_for_each_cause():
    """Of 300 bundles there is one bar for each certificate and month, and one for the failure that nine share."""
    root = ET.fromstring(aggregated().to_svg())  # noqa: S314  # written here
    bars = [shape.find(f"{SVG}title").text for shape in root if shape.find(f"{SVG}title") is not None]
    assert len(bars) == 4
    described = root.find(f"{SVG}desc").text
    assert "100 bundles: DoD Root CA 3 is the first to end, 2027-11-26" in described
    assert "9 bundles: no end is known, failed" in described
    one_by_one = aggregated().to_svg(limits=pk.Limits(picture_bars=1_000))
    assert one_by_one.count("<title") == 310


@settings(max_examples=examples(60), deadline=None)
@given(report=reports_at_random())
def test_every_report_can_be_drawn(report):
    """Whatever the times: the numbers are finite, within the picture, and the text is well-formed."""
    root = ET.fromstring(report.to_svg(limits=pk.Limits(picture_bars=3)))  # noqa: S314  # written here
    width, height = float(root.get("width")), float(root.get("height"))
    for shape in root.iter():
        assert 0 <= float(shape.get("x", 0)) <= width
        assert 0 <= float(shape.get("y", 0)) <= height
    for shape in root.iter(f"{SVG}rect"):
        assert 0 <= float(shape.get("x", 0)) + float(shape.get("width")) <= width


def test_the_ends_of_time():
    """A certificate without an end, a run in the last days that a date can have, and no bundles."""
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    bundle = outcome("a", days=0)
    for time in (NOW, last, datetime(1, 1, 1, tzinfo=UTC)):
        for end in (last, NOW):
            moved = BundleOutcome(name="a", output="a", status=Status.VALID, expires=end)
            report = FleetReport(manifest=Path("m"), mode="check", bundles=(bundle, moved), time=time)
            assert report.to_svg().startswith("<svg ")
            assert report_of(time=time).to_svg(words=False).startswith("<svg ")


def test_wrong_arguments_are_named():
    """Each error is of the project's own kind."""
    report = report_of(outcome("a"))
    for wrong in ({"title": 3}, {"words": 1}, {"limits": None}):
        with pytest.raises(pk.ArgumentError):
            report.to_svg(**wrong)
