"""The pages are in plain English: no word or phrase that a hurried reader has to read twice, and a short glossary."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(PROJECT).as_posix()
    for where in ("*.md", "docs/**/*.md", "examples/**/*.md")
    for page in PROJECT.glob(where)
    if not page.is_relative_to(PROJECT / "docs" / "_generated")
)
# A pattern, a text that has it, and in the comment a better word.
HABITS = {
    r"\banew\b": "It is built anew.",  # again
    r"\bwhence\b": "the place whence it came",  # from which
    r"\b[Ww]ho(?:m|se)?ever\b": "Whoever has the file has the key.",  # anyone who
    r"(?<![Tt]here )\b(?:is|are|was|were) no (?!longer\b|more\b|farther\b)(?=[a-z])": "This is no verdict.",  # is not a
    r"\balone\b": "The anchor alone is enough.",  # only
    r"\btoo(?=[.;:!?)])": "It is built, too.",  # also
    r"\bbeside\b": "It lies beside the file.",  # next to
    r"\bfor want of\b": "It fails for want of a key.",  # because ... is missing
    r"\bby way of\b": "It comes by way of a bridge.",  # through
    r"\bof old\b": "as in files of old",  # old
    r"\bat hand\b": "There is no certificate at hand.",  # you do not have
    r"\bthat which\b": "that which it signs",
    r"\bpass(?:es|ed)? over\b": "It passes over the key.",  # ignore
    r"\bmend(?:s|ed|ing)?\b": "That mends the file.",  # fix
    r"\b(?:is|are) told(?! to\b)": "The reason is told.",  # reported
    r"\bhonest\w*": "an honest answer",
    r"\bheaps?\b": "a heap of certificates",  # pool
    r"\bslips?\b": "a slip in the encoding",  # encoding error
    r"\bascents?\b": "the ascent to the anchor",  # partial path
    r"\bmerits\b": "the merits of a path",  # bound
    r"\bremaining ways?\b": "the remaining ways",
    r"(?:^|[.:|] )(?:Skipped|Trusted|Checked|Processed|Asked|Written|Refused|Weak) (?:is|are)\b": "Skipped are two.",
    r"(?:^|[.:] )(?:What|Who) (?!to do)[^.?!:|]*[.:|]": "What it finds is shown.",  # a noun
}


def prose_of(text: str) -> str:
    """Return the sentences of a page: no code, links, headings or HTML; each paragraph, item and row is one line."""
    text = re.sub(
        r"^( *)(`{3,})(?!\{(?:important|note|tip|warning)\}).*?^\1\2$", "", text, flags=re.DOTALL | re.MULTILINE
    )
    text = re.sub(r"<!--.*?-->|<[^>]+>", "", text, flags=re.DOTALL)
    text = re.sub(r"`[^`]*`", "X", text)
    text = re.sub(r"\]\([^)]*\)", "]", text).translate(str.maketrans("", "", "[]*"))
    text = re.sub(r"^(?:#|%|\().*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^(?:- |\d+\. |: )", "\n\n", text, flags=re.MULTILINE)
    lines = re.split(r"\n\n+|\n(?=\|)", text)
    return "\n".join(" ".join(line.split()) for line in lines if line.strip())


def habits_in(text: str) -> list[str]:
    """Return what each pattern finds in the prose of a page."""
    return [
        found[0]
        for line in prose_of(text).splitlines()
        for pattern in HABITS
        for found in re.finditer(pattern, line, re.MULTILINE)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_habits(name):
    """No page has one of the words and phrases; there is no list of exceptions."""
    assert habits_in((PROJECT / name).read_text("utf-8")) == []


@pytest.mark.parametrize(("pattern", "text"), HABITS.items())
def test_a_habit_is_found(pattern, text):
    """Each pattern finds its example, over the end of a line also, and not in code."""
    assert re.search(pattern, prose_of(text))
    assert habits_in(text.replace(" ", "\n"))
    assert habits_in(f"```text\n{text}\n```\n`{text}`") == []


@pytest.fixture(scope="module")
def terms():
    """The explanation of each term of the glossary."""
    text = (PROJECT / "docs/reference/glossary.md").read_text("utf-8")
    return dict(re.findall(r"^([a-z][\w -]*)\n: ((?:.+\n)+)", text, re.MULTILINE))


class TestGlossary:
    """The terms of the documentation."""

    def test_it_is_short_and_in_order(self, terms):
        """At most twenty-four terms, by the alphabet."""
        assert 10 <= len(terms) <= 20
        assert list(terms) == sorted(terms)

    def test_explanations_are_short(self, terms):
        """One to three sentences each; the words that say how a statement is known have one each."""
        sentences = {term: len(re.findall(r"\.(?=\s|$)", text)) for term, text in terms.items()}
        assert {term: count for term, count in sentences.items() if not 1 <= count <= 4} == {}

    def test_each_term_is_used(self, terms):
        """A term that no page uses needs no explanation."""
        pages = [PROJECT / name for name in PAGES if not name.endswith("glossary.md")]
        text = " ".join(" ".join(page.read_text("utf-8").lower().split()) for page in pages)
        assert [term for term in terms if term.lower() not in text] == []
