"""Pictures in a browser: headless Chromium opens each SVG as a file of its own, and measures what it drew."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.display.pictures import EdgeState, Picture, PictureEdge, PictureNode

from .browser import is_dark, page_of
from .test_notebook_hostile import PAYLOADS

AT = datetime(2024, 10, 15, tzinfo=UTC)
WIDE = ("W" * 90, "中文字" * 30, "ﷺ﷽" * 8, "שלום العالم " * 8, "Z̀́̂" * 30)


def report_of_2018(fpki):
    """The four paths of the reference job, and what was refused on the way."""
    report = pk.find_paths(
        pk.load_certificate(fpki / "dod-id-sw-ca-37.pem"),
        pool=pk.load_certificates(fpki / "fpki-historic.pem", fpki / "dod-2019.pem"),
        trust_anchors=pk.load_trust_anchors(fpki / "fcpca.pem"),
        parameters=pk.ValidationParameters(time=datetime(2018, 6, 1, tzinfo=UTC)),
    )
    return pk.pictures.picture_of_report(report)


def pool_of_2024(fpki, time=AT):
    """The 146 certificates of October 2024."""
    pool, anchors = pk.load_certificates(fpki / "fpki-2024-10.p7b"), pk.load_trust_anchors(fpki / "fcpcag2.pem")
    return pk.pictures.picture_of_pool(pool, trust_anchors=anchors, time=time)


def hostile(_):
    """Names with markup, control characters and other scripts, in boxes, in rows and in the title."""
    names = [*PAYLOADS, *WIDE]
    nodes = [
        PictureNode(id=f"n{number}", label=name, name=f"CN={name}", key="12345678", is_trust_anchor=not number)
        for number, name in enumerate([*names, *names])
    ]
    states = list(EdgeState)
    edges = [
        PictureEdge(
            issuer=f"n{number % 7}",
            subject=f"n{number}",
            serial=name,
            sha256="ab" * 32,
            not_before=AT,
            not_after=AT,
            state=states[number % len(states)],
            reasons=(name,),
        )
        for number, name in enumerate([*names, *names])
    ]
    return Picture(title=" ".join(PAYLOADS[:6]), nodes=tuple(nodes), edges=tuple(edges), time=AT)


def periods_of_root_3(fpki):
    """The story of DoD Root CA 3."""
    names = ("fpki-historic.pem", "dod-2019.pem", "fpki-2024-10.p7b", "dod-roots-2026-07.pem")
    pool = pk.load_certificates(*(fpki / name for name in names))
    (root,) = (one for one in pool if one.label == "DoD Root CA 3" and one.subject == one.issuer)
    anchors = [fpki / "fcpca.pem", fpki / "fcpcag2.pem"]
    return pk.validity_periods(root, pool=pool, trust_anchors=anchors, time=AT)


def hostile_periods(_):
    """Names with markup and other scripts in the path, the reasons and the title."""
    root = lab.Authority.create("".join(WIDE)[:60], validity=lab.Validity.around(AT))
    issuer = lab.Authority.create(PAYLOADS[0][:60], validity=lab.Validity.around(AT))
    certificate = root.issue_ca(issuer, validity=lab.Validity.around(AT, days_after=20))
    target = issuer.issue_server(
        "x.example", subject=lab.authority.as_name(PAYLOADS[1][:60]), validity=lab.Validity.around(AT)
    )
    return pk.validity_periods(
        target.certificate, certificates=[certificate], trust_anchors=[root.certificate], time=AT
    )


TIMELINES = {"periods": periods_of_root_3, "hostile-periods": hostile_periods}


def drawn_as_svg(name, fpki):
    """Return a picture or a timeline as SVG."""
    if name in TIMELINES:
        return pk.pictures.timeline_to_svg(TIMELINES[name](fpki), title=" ".join(PAYLOADS[:6]))
    return pk.pictures.to_svg(DRAWN[name](fpki))


DRAWN = {
    "paths-2018": report_of_2018,
    "pool-2024": pool_of_2024,
    "pool-2026": lambda fpki: pool_of_2024(fpki, datetime(2026, 11, 23, tzinfo=UTC)),
    "hostile": hostile,
}


@pytest.fixture(
    scope="module",
    params=[
        "hostile",
        "hostile-periods",
        *(pytest.param(name, marks=pytest.mark.slow) for name in (*DRAWN, "periods") if name != "hostile"),
    ],
)
def drawn(request):
    """A picture: its name, and its SVG."""
    fpki = None if request.param.startswith("hostile") else request.getfixturevalue("fpki")
    return request.param, drawn_as_svg(request.param, fpki)


def assert_sound(rendered):
    """Nothing is asked for or said, no text leaves its box or lies on another, and all can be read."""
    measured = rendered.measured
    assert rendered.console == []
    assert measured["resources"] == []
    assert measured["cut"] == []
    assert measured["over"] == []
    assert measured["faint"] == []


@pytest.mark.parametrize("prefers", ["light", "dark"])
def test_a_picture_is_legible(render, drawn, prefers):
    """Each text is within its box or label and lies on nothing else; contrast is 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    _, svg = drawn
    rendered = render(svg, prefers=prefers)
    assert_sound(rendered)
    assert rendered.measured["texts"] == svg.count("</text>")
    assert is_dark(rendered.measured["ground"]) is (prefers == "dark")


def test_146_certificates_are_small(fpki):
    """The Federal PKI as one file is under 1 MB. How long it takes is for benchmarks/pictures.py."""
    svg = pk.pictures.to_svg(pool_of_2024(fpki))
    assert svg.startswith("<svg")
    assert len(svg.encode()) < 1_000_000


@pytest.mark.parametrize("page", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_a_page_says_which_theme_it_has(render, replica, page):
    """In a page of JupyterLab the picture has the theme of the page, not the reader's."""
    anchors = [pk.TrustAnchor.from_certificate(replica.trust_anchor)]
    picture = pk.pictures.picture_of_pool(replica.pool, trust_anchors=anchors, time=replica.at)
    rendered = render(page_of(pk.to_html(picture), page=page), prefers="light" if page == "dark" else "dark")
    assert rendered.console == []
    (paper,) = rendered.measured["papers"]
    assert is_dark(paper) is (page == "dark")


@pytest.mark.slow
def test_a_picture_takes_the_room_that_there_is(render, fpki):
    """The whole Federal PKI is shown in its own size where the window has the room, and else is moved sideways."""
    output = pk.to_html(pool_of_2024(fpki))
    widths = [render(page_of(output), width=width).measured["drawn"][0] for width in (2_600, 1_100)]
    assert widths[0] > 2_000
    assert widths[1] == pytest.approx(0.75 * widths[0], abs=2)


def test_what_is_wrong_with_a_picture_is_noticed(render):
    """The tests above can fail: they find text beyond its box, on other text or too faint, and an external image."""
    node = PictureNode(id="n0", label="CA", name="CN=CA")
    svg = pk.pictures.to_svg(Picture(title="A picture", nodes=(node,), edges=(), time=AT))
    bad = svg.replace(">CA</text>", f">{'CA ' * 60}</text>", 1).replace("0 certificates", "0 certificates " * 2)
    assert bad.count("CA CA") > 1
    rendered = render(bad)
    assert rendered.measured["cut"]
    image = "<image href='https://example.com/x.png' width='9' height='9'/>"
    rendered = render(svg.replace("</svg>", f"<text x='20' y='40'>over</text>{image}</svg>"))
    assert rendered.measured["over"]
    assert rendered.measured["resources"] == ["https://example.com/x.png"]
    faint = render(svg.replace("text{fill:#1b1f24}", "text{fill:#dddddd}"))
    assert faint.measured["faint"]


@pytest.mark.slow
@pytest.mark.parametrize("prefers", ["light", "dark"])
def test_pictures_are_there_to_look_at(screenshot, drawn, prefers):
    """A screenshot of each, as large as it is."""
    name, svg = drawn
    width, height = (round(float(svg.split(f'" {side}="')[1].partition('"')[0])) for side in ("width", "height"))
    picture = screenshot(svg, f"picture-{name}-{prefers}", prefers=prefers, width=width, height=height)
    assert picture.read_bytes().startswith(b"\x89PNG")
