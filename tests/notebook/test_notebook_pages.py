"""Notebooks in a browser: headless Chromium renders each value, and an executed and exported notebook.

Screenshots go to a temporary folder, or to the one that the environment variable PKCS12KIT_SCREENSHOTS names.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import pkcs12kit as pk

from .browser import assert_sound, is_dark, page_of

JUNE_2018 = datetime(2018, 6, 1, tzinfo=UTC)
OCTOBER_2024 = datetime(2024, 10, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def outputs(values, replica):
    """The HTML of each value, some of it hostile."""
    hostile = '<script>document.title="taken"; console.error("taken")</script><img src=x onerror=console.error(1)>'
    pool = pk.CertificatePool(replica.pool, rejects=[pk.Reject(source=hostile, position=1, reason="a" * 900)])
    return [*map(pk.to_html, values.values()), pk.to_html(pool)]


@pytest.fixture(scope="module")
def federal(fpki):
    """The reference path of 2018, the 146 certificates of October 2024, and the same target when all is expired."""
    target = pk.load_certificate(fpki / "dod-id-sw-ca-37.pem")
    sources = [fpki / "fpki-historic.pem", fpki / "fpki-2024-10.p7b", fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b"]
    asked = {"pool": pk.load_certificates(*sources), "trust_anchors": pk.load_trust_anchors(fpki / "fcpca.pem")}
    then, now = (
        pk.find_paths(target, **asked, parameters=pk.ValidationParameters(time=time))
        for time in (JUNE_2018, OCTOBER_2024)
    )
    return {
        "path-2018": pk.to_html(then),
        "no-path-2024": pk.to_html(now),
        "pool-146": pk.to_html(pk.load_certificates(fpki / "fpki-2024-10.p7b"), time=OCTOBER_2024),
    }


@pytest.mark.parametrize(
    ("page", "prefers", "dark"),
    [
        ("dark", "light", True),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [("light", "dark", False), ("any", "dark", True), ("any", "light", False)]
        ),
    ],
)
def test_every_value_is_rendered_in_light_and_dark(render, outputs, page, prefers, dark):
    """The theme of the page takes precedence over the reader's; contrast is 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    rendered = render(page_of(*outputs, page=page), prefers=prefers)
    assert_sound(rendered, shown=len(outputs))
    assert is_dark(*rendered.measured["grounds"]) is dark
    assert rendered.measured["svg"] >= 2


@pytest.mark.parametrize("shown", [1, pytest.param(None, marks=pytest.mark.slow)], ids=["pool", "all"])
def test_nothing_is_cut_off_in_a_narrow_window(render, outputs, shown):
    """A telephone, or a notebook beside another window: tables are moved sideways, the rest is broken into lines."""
    chosen = outputs[-(shown or len(outputs)) :]
    rendered = render(page_of(*chosen), width=390)
    assert_sound(rendered, shown=len(chosen))
    assert rendered.measured["moved"] >= 1


@pytest.mark.slow
def test_the_federal_pki_is_rendered(render, federal):
    """The reference path, its graph, and 146 certificates in a table that needs no moving sideways."""
    rendered = render(page_of(*federal.values()))
    assert_sound(rendered, shown=3)
    assert rendered.measured["svg"] == 2
    assert rendered.measured["moved"] == 0


def test_a_click_on_a_head_sorts(render, replica):
    """First by subject; by the time of expiry after one click, the other way round after two."""
    measured = render(page_of(pk.to_html(replica.pool))).measured
    by_subject, up, down = measured["orders"]
    assert by_subject != up
    assert up == sorted(by_subject)
    assert down == sorted(by_subject, reverse=True)
    assert measured["aria"] == "descending"


def test_what_is_wrong_with_a_page_is_noticed(render, values):
    """The tests above can fail: a page that asks for more, says something and cuts text off is not taken for sound."""
    output = pk.to_html(values["Certificate"])
    bad = (
        '<img src="https://example.com/x.png"><script>console.error("said")</script>'
        "<style>.pkcs12kit dl.facts > dd"
        " { width: 3em; white-space: nowrap; overflow: hidden; color: #eee !important }</style>"
    )
    rendered = render(page_of(output, more=bad))
    assert len(rendered.console) == 2
    assert rendered.measured["cut"]
    assert rendered.measured["faint"]


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_screenshots_are_there_to_look_at(screenshot, federal, values, theme):
    """A picture each of the reference path, the pool, a search without a path, a file and a verification."""
    ground = "<style>body { background: #fff } body[data-jp-theme-light=false] { background: #111 }</style>"
    shown = federal | {name: pk.to_html(values[name]) for name in ("PfxReport", "VerificationReport")}
    for name, output in shown.items():
        picture = screenshot(page_of(output, page=theme, more=ground), f"{name}-{theme}")
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size > 20_000
