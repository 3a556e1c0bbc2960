"""HTML as a tree, and the one place where it becomes text: whatever stands in the tree as text stays text.

Text comes from outside: names in certificates and files, what programs and servers say. :func:`write` shortens what is
long, makes control characters and marks that turn the direction of writing visible, escapes what HTML reads as markup,
and puts what could delimit a formula into elements of its own, which MathJax and KaTeX do not look across. Tags, names
of attributes and :class:`Verbatim` are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, Union

from pkcs12kit.findings import Answer, Outcome
from pkcs12kit.text import as_references, formula_pieces, harmless
from pkcs12kit.times import require_aware

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pkcs12kit.limits import Limits


Node: TypeAlias = Union["Element", "Verbatim", str, None]
"""None is nothing: what is left out is not written."""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Markup that is written as it is: styles, a script, a picture; never with text from outside in it."""

    markup: str


@dataclass(frozen=True, slots=True)
class Element:
    """One element, its attributes and what is in it, in order."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Node, ...]


def element(tag: str, /, *children: Node, **attributes: str | None) -> Element:
    """Make an element. ``class_`` is the attribute class, ``data_sort`` data-sort; one that is None is left out."""
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    return Element(tag, tuple(named), children)


def name(text: object) -> Element:
    """Set a text apart whose direction of writing is its own, such as a name."""
    return element("bdi", str(text))


def write(node: Node, *, longest: int) -> str:
    """Write a tree as HTML; texts, also those for hovering, are cut at ``longest`` characters and say by how many."""
    return "".join(_written(node, longest))


def _written(node: Node, longest: int) -> Iterator[str]:
    if isinstance(node, Element):
        attributes = "".join(
            f' {key}="{_attribute(value, longest if key == "title" else len(value))}"' for key, value in node.attributes
        )
        yield f"<{node.tag}{attributes}>"
        for child in node.children:
            yield from _written(child, longest)
        yield f"</{node.tag}>"
    elif isinstance(node, Verbatim):
        yield node.markup
    elif node is not None:
        yield _text(node, longest)


def _attribute(text: str, longest: int) -> str:
    """Write a text as the value of an attribute, where no formula is looked for but in the source of Markdown."""
    return as_references(escape(_cut(text, longest), quote=True))


def _text(text: str, longest: int) -> str:
    """Write a text between tags: no markup and no formula is found in it (:func:`formula_pieces`)."""
    return "".join(
        f"<span>{reference}</span>" if (reference := as_references(piece)) != piece else escape(piece, quote=True)
        for piece in formula_pieces(_cut(text, longest))
    )


def _cut(text: str, longest: int) -> str:
    left = len(text) - longest
    return harmless(text[:longest]) + (f" … and {left:,} more characters" if left > 0 else "")


T = TypeVar("T")

_OUTCOMES: Final = {
    Outcome.OK: ("✓ ok", "good"),
    Outcome.NOTE: ("! note", "warn"),
    Outcome.NOT_OK: ("✗ no", "bad"),
    Outcome.NOT_CHECKED: ("○ not checked", "muted"),
}
_ANSWERS: Final = {Answer.YES: ("✓ yes", "good"), Answer.NO: ("✗ no", "bad"), Answer.UNKNOWN: ("? not known", "warn")}


def title(*children: Node) -> Element:
    """Head the whole."""
    return element("p", *children, class_="title")


def part(text: str) -> Element:
    """Head a part of it."""
    return element("p", text, class_="part")


def badge(text: str, kind: str = "") -> Element:
    """Mark something in a word or two; ``kind`` is ``good``, ``bad``, ``warn`` or nothing."""
    return element("span", text, class_=f"badge {kind}".strip())


def said(text: str, kind: str) -> Element:
    """Say something in a colour that means what the text says."""
    return element("span", text, class_=kind)


def outcome(value: Outcome) -> Element:
    """Show what came of a check."""
    return said(*_OUTCOMES[value])


def answer(value: Answer) -> Element:
    """Show yes, no or not known."""
    return said(*_ANSWERS[value])


def yes_or_no(value: bool, yes: str = "yes", no: str = "no") -> Element:  # noqa: FBT001  # it is the answer shown
    """Show an answer to a question."""
    return said(f"✓ {yes}", "good") if value else said(f"✗ {no}", "bad")


def code(text: object) -> Element:
    """Set digits and identifiers in letters of one width."""
    return element("span", str(text), class_="code")


def facts(pairs: Iterable[tuple[str, Node]]) -> Element:
    """List what is known, each with its name; what is None is left out."""
    cells = [
        cell for label, value in pairs if value is not None for cell in (element("dt", label), element("dd", value))
    ]
    return element("dl", *cells, class_="facts")


def folded(summary: str, *children: Node) -> Element:
    """Fold away what not everybody wants to see."""
    return element("details", element("summary", summary), *children)


def lines(items: Sequence[T], view: View, *, show: Callable[[T], Node], numbered: bool = False) -> Element:
    """List the first of many, one a line, and say how many are left out."""
    shown = items[: view.limits.notebook_items]
    rows = [element("li", show(item)) for item in shown]
    return element("ol" if numbered else "ul", *rows, _more(len(items) - len(shown), "li"), class_="lines")


def joined(items: Sequence[object], view: View) -> str | None:
    """Give the first of many in one line, and how many are left out; None where there are none."""
    shown = [str(item) for item in items[: view.limits.notebook_items]]
    left = len(items) - len(shown)
    return ", ".join([*shown, *([f"and {left:,} more"] if left > 0 else [])]) or None


def table(heads: Sequence[str], rows: Iterable[Sequence[Element]], *, sortable: bool = False) -> Element:
    """Draw a table; each row is its cells, see :func:`cell`."""
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    body = element("tbody", *(element("tr", *cells) for cells in rows))
    drawn = element("table", head, body, class_="list sortable" if sortable else "list")
    return element("div", drawn, class_="wide", tabindex="0" if sortable else None)


def cell(*children: Node, key: str | None = None, class_: str | None = None, title: str | None = None) -> Element:
    """Make one cell; ``key`` is what it is sorted by, where that is not its text."""
    return element("td", *children, data_key=key, class_=class_, title=title)


def left_out(number: int, what: str) -> Node:
    """Say how many are not shown; nothing where none is."""
    return element("p", f"{number:,} more {what} not shown", class_="muted") if number > 0 else None


def _more(number: int, tag: str) -> Node:
    return element(tag, f"and {number:,} more", class_="muted") if number > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How to look at a value.

    ``time`` is the one that the caller named; None where that is the value's own business: a path is looked at as of
    the time that it was validated for, anything that has no time of its own as of now.
    """

    limits: Limits
    time: datetime | None = None

    def __post_init__(self) -> None:
        if self.time is not None:
            require_aware(self.time)

    def at(self, own: datetime | None) -> View:
        """Look at something that has a time of its own; a time that the caller named goes first."""
        return View(limits=self.limits, time=self.time or own)

    @property
    def time_or_now(self) -> datetime:
        """The time named, or this moment."""
        return self.time or datetime.now(UTC)

    def time_in_words(self) -> str:
        """Say which time it is, to the day."""
        instant = self.time_or_now.astimezone(UTC).date().isoformat()
        return instant if self.time is not None else f"today, {instant}"
