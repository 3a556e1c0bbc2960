r"""Names with TeX in them are not typeset by the page that shows them.

The rule is that of the typesetters. MathJax 3 and 4 (``HTMLDomStrings``) put text nodes together only across ``br``,
``wbr`` and comments; the start and the end of any other element end a run, and ``FindTeX`` looks for both delimiters of
a formula within one run. MathJax 2 (``tex2jax``) and KaTeX's auto-render look within text nodes that are neighbours.
Each run of our output that has a ``$``, a backslash or a backtick is that one character, where the shortest formula
takes two: ``$$``, ``\(``, ``\[``, ``\begin``, ``\ref``, ``\$``, two backticks.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import pkcs12kit as pk
from pkcs12kit.display.pictures import elements, svg
from pkcs12kit.notebook import html as markup

from ..thoroughness import examples
from .test_notebook_hostile import AT, named, shown  # noqa: F401  # named is a fixture

SKIPPED = {"script", "noscript", "style", "textarea", "pre", "code", "annotation", "annotation-xml"}
JOINING = {"br", "wbr"}
FORMULAS = re.compile(r"\$.*\$|\\[(\[$]|\\begin|\\end|\\(eq)?ref|`.*`", re.DOTALL)
TEX = ("$x^2$", "$$y$$", r"\(z\)", r"\[w\]", r"\begin{align}q\end{align}", r"\ref{a}", r"\$5 and $6$", "`a/b`", "\\")
DELIMITERS = set("$\\`")
TEXTS = st.lists(st.sampled_from(TEX) | st.text("$\\`()[]{}ab", min_size=1, max_size=6), min_size=1, max_size=2).map(
    "".join
)


class _Runs(HTMLParser):
    """The runs of text that a typesetter looks at, one after the other."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.runs, self._open = [""], []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  # HTMLParser's
        if tag not in JOINING:
            self._open.append(tag)
            self.runs.append("")

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002  # as above
        if tag not in JOINING:
            self.runs.append("")

    def handle_endtag(self, tag):
        if tag not in JOINING:
            self._open.pop()
            self.runs.append("")

    def handle_data(self, data):
        if SKIPPED.isdisjoint(self._open):
            self.runs[-1] += data


def runs_of(page):
    """List the runs of text of a page."""
    reader = _Runs()
    reader.feed(page)
    reader.close()
    return [run for run in reader.runs if run]


def sources(key, certificate, text):
    """Make everything with this text in it as HTML, and its picture as SVG."""
    values = shown(key, certificate, text)
    pages = [pk.to_html(value, time=AT) for value in values]
    (picture,) = (value for value in values if isinstance(value, pk.pictures.Picture))
    return [*pages, pk.pictures.to_svg(picture, title=text)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_no_page_and_no_picture_has_a_formula(named, text):  # noqa: F811  # the fixture
    """A run with a character that could delimit a formula is that character, in pages and in pictures, tooltips too.

    Nor is there one in the source, where the Markdown of notebooks looks before it parses HTML: a reference stands for
    it. As Markdown a page is one block of HTML, which comes out as it went in.
    """
    *pages, picture = sources(*named(text), text)
    for page in (*pages, picture):
        for run in runs_of(page):
            assert len(run) == 1 or not DELIMITERS & set(run), run
            assert not FORMULAS.search(run)
        assert not DELIMITERS & set(re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL))
    for page in pages:
        assert MarkdownIt("commonmark").render(page).rstrip("\n") == page


@settings(max_examples=examples(100))
@given(pieces=st.lists(TEXTS, min_size=1, max_size=3), longest=st.integers(1, 12))
def test_neighbours_make_no_formula(pieces, longest):
    """Texts that follow each other in one element, and texts that are cut short, make none either."""
    page = markup.write(markup.element("p", *pieces), longest=longest)
    assert not any(FORMULAS.search(run) for run in runs_of(page))
    assert "".join(runs_of(markup.write(markup.element("p", *pieces), longest=1_000))) == "".join(pieces)


@pytest.mark.parametrize("text", TEX[:-1])
def test_without_the_pieces_there_would_be_formulas(named, monkeypatch, text):  # noqa: F811  # as above
    """The tests above can fail: where texts are not taken apart, each kind of formula is found, in pages and SVG."""
    for module in (markup, elements):
        monkeypatch.setattr(module, "formula_pieces", lambda whole: [whole])
    for module in (markup, elements, svg):
        monkeypatch.setattr(module, "as_references", lambda whole: whole)
    *pages, picture = sources(*named(text), text)
    assert any(FORMULAS.search(run) for page in pages for run in runs_of(page))
    assert any(FORMULAS.search(run) for run in runs_of(picture))
