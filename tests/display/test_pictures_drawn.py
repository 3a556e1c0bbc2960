"""Pictures as SVG, DOT and Mermaid: well-formed, complete, legible by measurement, and safe with any names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkcs12kit.display.pictures import (
    EdgeState,
    Picture,
    PictureEdge,
    PictureNode,
    picture_of_pool,
    to_dot,
    to_mermaid,
    to_svg,
)
from pkcs12kit.display.pictures.blocks import CertificateBlock, ColumnBlock, NodeBlock
from pkcs12kit.display.pictures.layout import lay_out
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.sources.loading import load_certificates, load_trust_anchors
from pkcs12kit.text import harmless

from ..counting import counted_calls
from .hostile import HOSTILE, NAMES, assert_harmless

T = datetime(2024, 10, 15, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {"svg", "title", "desc", "style", "rect", "g", "path", "text", "tspan"}
ATTRIBUTES = {
    "role",
    "class",
    "aria-labelledby",
    "width",
    "height",
    "viewBox",
    "id",
    "transform",
    "d",
    "x",
    "y",
    "rx",
} | {
    "text-anchor",
    "textLength",
    "lengthAdjust",
}


def node(number, label="CA", **more):
    """Make a node; the whole name holds the label."""
    return PictureNode(id=f"n{number}", label=label, name=f"CN={label}", **more)


def edge(issuer, subject, state=EdgeState.OTHER, serial="1", **more):
    """Make a certificate."""
    ends = {"issuer": f"n{issuer}", "subject": f"n{subject}"}
    return PictureEdge(**ends, serial=serial, sha256="ab" * 32, not_before=T, not_after=T, state=state, **more)


def picture(nodes, edges, **more):
    """Make a picture."""
    return Picture(title=more.pop("title", "A picture"), nodes=tuple(nodes), edges=tuple(edges), time=T, **more)


def parse(svg):
    """Read an SVG of ours with a parser of another maker; nothing but what we draw may be in it."""
    root = ET.fromstring(svg)  # noqa: S314 - our own output, without a document type
    assert "<!" not in svg
    assert "<?" not in svg
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in DRAWN
        assert set(element.attrib) <= ATTRIBUTES
    return root


def texts(root):
    """Return the texts of an SVG."""
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def titles(root):
    """List the tooltips."""
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}title")]


@st.composite
def pictures(draw):
    """Draw any picture: any names, any certificates, parallel, in loops and self-signed."""
    count = draw(st.integers(1, 40))
    nodes = [
        node(number, draw(NAMES), is_trust_anchor=number == 0, is_target=number == count - 1) for number in range(count)
    ]
    ends = st.integers(0, count - 1)
    pairs = draw(st.lists(st.tuples(ends, ends, st.sampled_from(EdgeState), NAMES), max_size=60))
    edges = [edge(a, b, state, str(number), reasons=(why,)) for number, (a, b, state, why) in enumerate(pairs)]
    return picture(nodes, edges, title=draw(NAMES))


class TestNamesFromOutside:
    """Property: a subject name with HTML, SVG or control characters never reaches a picture unescaped."""

    @given(pictures())
    def test_svg(self, drawn):
        """The file parses, holds what we draw and nothing else, and every character of it is harmless."""
        svg = to_svg(drawn)
        assert_harmless(svg)
        root = parse(svg)
        told = "\n".join(titles(root))
        for one in drawn.nodes:
            if len(one.name) < 200 and not any(unicodedata.category(char) in {"Mn", "Me"} for char in one.name):
                assert harmless(one.name) in told

    @given(pictures())
    def test_dot(self, drawn):
        """Each line is one statement, of quoted attributes only: no text ends its quotes."""
        dot = to_dot(drawn)
        assert_harmless(dot)
        attributes = r'\[(\w+="(?:[^"\\]|\\.)*"(, |(?=\])))*\]'
        statement = re.compile(rf"  (graph|node|edge|n\d+|n\d+ -> n\d+) {attributes}|  {{rank=source; n0}}")
        first, *lines, last, end = dot.split("\n")
        assert (first, last, end) == ("digraph pkcs12kit {", "}", "")
        for line in lines:
            assert statement.fullmatch(line), line
            assert not re.search(r"(?<!\\)(\\\\)*\\[^\\\"n]", line), "a sequence that Graphviz replaces"

    @given(pictures())
    def test_mermaid(self, drawn):
        """Each line is one statement; within quotes there is nothing that Mermaid, Markdown or HTML reads as a sign."""
        mermaid = to_mermaid(drawn)
        assert_harmless(mermaid)
        quoted = r'"(?:[A-Za-z0-9 .,:\-]|[^\x00-\x7f]|#\d+;|<br/>)*"'
        statements = (
            r"\s*%% [^{}]*",
            r"flowchart (TD|LR)",
            rf"  n\d+\[{quoted}\]",
            rf"  n\d+ (-->|==>|-\.->)\|{quoted}\| n\d+",
            r"  (linkStyle [\d,]+|classDef \w+) [\w:;#, -]+",
            r"  class [n\d,]+ \w+",
        )
        for line in mermaid.removesuffix("\n").split("\n"):
            assert re.fullmatch("|".join(statements), line), line

    def test_graphviz_reads_it(self, require_tool):
        """Graphviz takes every hostile name as a label, and draws as many nodes and edges as there are."""
        nodes = [node(number, name, is_trust_anchor=not number) for number, name in enumerate(HOSTILE)]
        edges = [edge(0, number, serial=name) for number, name in enumerate(HOSTILE)]
        done = subprocess.run(
            [require_tool("dot"), "-Tsvg"],
            input=to_dot(picture(nodes, edges)).encode(),
            capture_output=True,
            check=True,
        )
        assert done.stderr == b""
        root = ET.fromstring(done.stdout)  # noqa: S314 - of Graphviz
        drawn = [group.get("class") for group in root.iter(f"{SVG}g")]
        assert (drawn.count("node"), drawn.count("edge")) == (len(nodes), len(edges))
        assert "\\u202e" in "".join(texts(root))

    def test_blank_names(self):
        """A name of blanks is said to be none, rather than drawn as an empty box."""
        for render in (to_svg, to_dot):
            assert "(no name)" in render(picture([node(0, " " * 300)], []))

    def test_a_name_of_no_end(self):
        """Of a name of a megabyte, the tooltip has a thousand characters, and the box a few lines."""
        svg = to_svg(picture([node(0, "n" * 1_000_000)], []))
        assert len(svg) < 30_000

    def test_stacked_marks(self):
        """Combining marks do not pile up over what stands above them."""
        svg = to_svg(picture([node(0, "Z" + "\u0301" * 50)], []))
        assert "\u0301" * 4 not in svg
        assert "\\u0301" in "".join(texts(parse(svg)))


class TestSvg:
    """The form of the SVG file."""

    def test_accessible(self):
        """It is an image with a title and a description, which ids of its own point to."""
        root = parse(to_svg(picture([node(0), node(1)], [edge(0, 1, EdgeState.CHOSEN)]), title="Two"))
        assert root.get("role") == "img"
        title, description = root[0], root[1]
        assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
        assert title.text == "Two"
        assert "CA by CA" in description.text
        other = parse(to_svg(picture([node(0), node(2)], [])))
        assert other[0].get("id") != title.get("id")

    def test_nothing_outside_is_named(self):
        """No address but the namespace's, and no way to fetch in the style sheet."""
        svg = to_svg(picture([node(0)], []))
        assert re.findall(r"\w+://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
        assert not re.search(r"url\(|@import|href|src=", svg)

    def test_light_and_dark(self):
        """Each colour has two, by what the system prefers and by what a page says; no rule reaches beyond pictures."""
        style = parse(to_svg(picture([node(0)], []))).find(f"{SVG}style").text
        light, dark = style.split("@media (prefers-color-scheme:dark)")
        assert "fill:#ffffff" in light
        assert "fill:#15191e" in dark
        for rule in re.findall(r"([^{}]+)\{[^{}]+\}", style.replace("@media (prefers-color-scheme:dark){", "")):
            for selector in rule.strip().split(","):
                assert ".p12k-picture" in selector, selector

    @pytest.mark.parametrize("state", EdgeState)
    def test_states_differ_by_more_than_colour(self, state):
        """Each state has its own line style or width, and each fault a sign and a word."""
        root = parse(to_svg(picture([node(0), node(1)], [edge(0, 1, state)])))
        style = root.find(f"{SVG}style").text
        name = next(one.get("class") for one in root.iter(f"{SVG}g") if len(one.findall(f"{SVG}path")) > 2)
        kinds = dict(re.findall(r"\.p12k-picture \.(p12k-\w+) \.p12k-line\{(stroke-\w+:[^}]+)\}", style))
        others = {kind: how for kind, how in kinds.items() if kind != name}
        assert kinds.get(name) not in others.values()
        signs = {EdgeState.EXPIRED: "✗ expired", EdgeState.NOT_YET_VALID: "◷ from", EdgeState.REJECTED: "⊘ refused"}
        if state in signs:
            assert any(text.startswith(signs[state]) for text in texts(root))

    def test_reasons_are_tooltips(self):
        """Why a certificate was refused is in the tooltip of its edge, with serial number, validity and fingerprint."""
        drawn = picture([node(0), node(1)], [edge(0, 1, EdgeState.REJECTED, "77", reasons=("no <CA> [RFC 5280]",))])
        (told,) = (title for title in titles(parse(to_svg(drawn))) if "#77" in title)
        assert "no <CA> [RFC 5280]" in told
        assert "2024-10-15T00:00:00Z" in told
        assert "ab" * 32 in told

    def test_the_legend_counts(self):
        """How many certificates stand how is said beside the sample of each line."""
        states = [EdgeState.EXPIRED, EdgeState.EXPIRED, EdgeState.OTHER]
        drawn = picture([node(0), *(node(number) for number in (1, 2, 3))], [edge(0, 1, one) for one in states])
        assert {"✗ expired at the time: 2", "other certificate: 1"} <= set(texts(parse(to_svg(drawn))))

    def test_what_is_left_out_is_said(self):
        """A picture that reaches a limit says so."""
        shown = texts(parse(to_svg(picture([node(0)], [], left_out="3 of 4 certificates are left out"))))
        assert "3 of 4 certificates are left out" in " ".join(shown)

    def test_nothing_to_draw(self):
        """No certificates: a picture that says so."""
        empty = picture([], [])
        assert any("0 certificates" in text for text in texts(parse(to_svg(empty))))
        assert to_dot(empty).startswith("digraph")
        assert "flowchart TD" in to_mermaid(empty)


def boxes_of(layout):
    """List the rectangles of all blocks: left, top, right, bottom."""
    placed = [*layout.nodes, *layout.columns, *(one.label for one in layout.edges)]
    return [(one.left, one.top, one.left + one.block.width, one.bottom) for one in placed]


class TestLayout:
    """Where things stand."""

    @given(pictures())
    def test_nothing_stands_on_another(self, drawn):
        """For any graph, boxes do not overlap and are within the picture."""
        layout = lay_out(drawn, DEFAULT_LIMITS)
        boxes = boxes_of(layout)
        slack = 0.01
        for left, top, right, bottom in boxes:
            assert left >= -slack
            assert top >= -slack
            assert right <= layout.width + slack
            assert bottom <= layout.height + slack
        for one, other in combinations(boxes, 2):
            apart_x = one[2] <= other[0] + slack or other[2] <= one[0] + slack
            apart_y = one[3] <= other[1] + slack or other[3] <= one[1] + slack
            assert apart_x or apart_y, (one, other)

    @given(pictures())
    def test_everything_is_drawn_once(self, drawn):
        """Each node has a box or a row; each certificate has a line, or a note at its node if it is self-signed."""
        layout = lay_out(drawn, DEFAULT_LIMITS)
        rows = [row.row for column in layout.columns for row in column.block.rows]
        shown = [placed.block.node for placed in layout.nodes] + [row.node for row in rows]
        assert sorted(one.id for one in shown) == sorted(one.id for one in drawn.nodes)
        lines = [one.edge for one in layout.edges] + [one for row in rows for one in row.edges]
        assert sorted(one.serial for one in lines) == sorted(
            one.serial for one in drawn.edges if not one.is_self_signed
        )
        for one in (*layout.nodes, *layout.columns, *(line.label for line in layout.edges)):
            assert isinstance(one.block, NodeBlock | CertificateBlock | ColumnBlock)

    @given(pictures())
    def test_lines_end_at_their_boxes(self, drawn):
        """A certificate's line touches issuer and subject; the anchor stands in the first layer."""
        layout = lay_out(drawn, DEFAULT_LIMITS)
        by_id = {placed.block.node.id: placed for placed in layout.nodes}
        for one in layout.edges:
            issuer, subject = by_id[one.edge.issuer], by_id[one.edge.subject]
            upper, lower = (subject, issuer) if one.upwards else (issuer, subject)
            (x, y), (to_x, to_y) = one.upper.points[0], one.lower.points[-1]
            assert (y, to_y) == (upper.bottom, lower.top)
            assert upper.left <= x <= upper.left + upper.block.width
            assert lower.left <= to_x <= lower.left + lower.block.width
        assert by_id["n0"].top <= min(placed.bottom for placed in by_id.values())

    def test_parallel_certificates_are_apart(self):
        """Three for one subject by one issuer are three labels and three lines, in a small picture and in a column."""
        small = lay_out(picture([node(0, is_trust_anchor=True), node(1)], [edge(0, 1)] * 3), DEFAULT_LIMITS)
        assert len({one.label.x for one in small.edges}) == 3
        assert len({one.lower.points[-1] for one in small.edges}) == 3
        nodes = [node(0, is_trust_anchor=True), *(node(number) for number in range(1, 40))]
        edges = [*(edge(0, number) for number in range(1, 40)), edge(0, 39, serial="2")]
        svg = to_svg(picture(nodes, edges))
        assert len([text for text in texts(parse(svg)) if text.startswith(("#1,", "#2,"))]) == 40

    def test_a_loop_points_up(self):
        """Of two CAs that certify each other one certificate leads down and one up."""
        drawn = picture([node(0, is_trust_anchor=True), node(1)], [edge(0, 1), edge(1, 0)])
        assert [one.upwards for one in lay_out(drawn, DEFAULT_LIMITS).edges] == [False, True]

    def test_the_target_is_at_the_bottom(self):
        """The target is in the lowest layer, even if other nodes are further from the trust anchor."""
        nodes = [node(0, is_trust_anchor=True), node(1, is_target=True), *(node(number) for number in range(2, 6))]
        drawn = picture(nodes, [edge(0, 1), edge(0, 2), edge(2, 3), edge(3, 4), edge(4, 5)])
        tops = {placed.block.node.id: placed.bottom for placed in lay_out(drawn, DEFAULT_LIMITS).nodes}
        assert tops["n1"] == max(tops.values())

    def test_a_path_never_stands_in_a_column(self):
        """Nodes on a valid path are in the graph of a large picture, never in a column."""
        nodes = [node(0, is_trust_anchor=True), *(node(number) for number in range(1, 40))]
        edges = [
            edge(0, 1, EdgeState.CHOSEN),
            edge(1, 2, EdgeState.VALID),
            *(edge(1, number) for number in range(3, 40)),
        ]
        layout = lay_out(picture(nodes, edges), DEFAULT_LIMITS)
        assert {placed.block.node.id for placed in layout.nodes} == {"n0", "n1", "n2"}

    def test_bends_are_limited(self):
        """Past ``picture_bends`` lines run across; the picture stays complete, and small."""
        count = 300
        nodes = [node(number, is_trust_anchor=not number) for number in range(count)]
        edges = [edge(number, number + 1) for number in range(count - 1)]
        edges += [edge(0, number, serial=str(number)) for number in range(2, count)]
        layout = lay_out(picture(nodes, edges), DEFAULT_LIMITS)
        points = sum(len(leg.points) for one in layout.edges for leg in (one.upper, one.lower))
        assert len(layout.edges) == len(edges)
        assert points <= 2 * DEFAULT_LIMITS.picture_bends + 8 * len(edges)


@pytest.fixture(scope="module")
def federal_pki(fpki):
    """The picture of the 146 certificates of October 2024."""
    pool = load_certificates(fpki / "fpki-2024-10.p7b")
    return picture_of_pool(pool, trust_anchors=load_trust_anchors(fpki / "fcpcag2.pem"), time=T)


class TestFederalPki:
    """The 146 certificates as one legible picture."""

    def test_quick_and_small(self, federal_pki):
        """Draw it in some 500,000 calls and under 1 MB."""
        with counted_calls() as calls:
            svg = to_svg(federal_pki)
        assert calls.total() < 1_500_000
        assert len(svg.encode()) < 1_000_000
        assert len(titles(parse(svg))) > 2 * 144  # of nodes, and of certificates but the anchor's own

    def test_legible(self, federal_pki):
        """No wider than a page that is scrolled sideways once or twice, boxes apart, every name in the picture."""
        layout = lay_out(federal_pki, DEFAULT_LIMITS)
        assert layout.width < 2_600
        assert layout.height < 2_600
        for one, other in combinations(boxes_of(layout), 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]

    def test_bridges_stay_in_the_graph(self, federal_pki):
        """The bridge and what certifies in two ways are boxes, DoD's issuing CAs rows below their roots."""
        layout = lay_out(federal_pki, DEFAULT_LIMITS)
        boxes = {placed.block.node.label for placed in layout.nodes}
        rows = {row.row.node.label for column in layout.columns for row in column.block.rows}
        assert boxes >= {"Federal Common Policy CA G2", "Federal Bridge CA G4", "DoD Interoperability Root CA 2"}
        assert rows >= {"DOD SW CA-60", "DOD SW CA-67", "IGC CA 1"}


_SAME = """
import sys
from datetime import UTC, datetime
import pkcs12kit as pk
pool = pk.load_certificates(sys.argv[1])
picture = pk.pictures.picture_of_pool(
    pool, trust_anchors=pk.load_trust_anchors(sys.argv[2]), time=datetime(2024, 10, 15, tzinfo=UTC)
)
for render in (pk.pictures.to_svg, pk.pictures.to_dot, pk.pictures.to_mermaid):
    sys.stdout.buffer.write(render(picture).encode())
"""


def test_same_bytes_in_every_process(fpki):
    """Nothing depends on the hashes of texts, which differ from process to process."""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _SAME, fpki / "fpki-2024-10.p7b", fpki / "fcpcag2.pem"],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
