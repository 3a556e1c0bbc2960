"""HTML as a tree of elements, and :func:`write`, the only function that turns it into text.

Text in the tree may come from outside: names in certificates and files, messages of programs and servers.
:func:`write` shortens long text, makes control characters and direction marks visible, escapes markup, and puts
characters that could delimit a formula into elements of their own, which MathJax and KaTeX do not look across. Only
tags, names of attributes and :class:`Verbatim` are written as they are, and never come from outside.
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
"""A node of the tree. None is written as nothing."""


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Markup that is written as it is: styles, a script, a picture. It never contains text from outside."""

    markup: str


@dataclass(frozen=True, slots=True)
class Element:
    """An element with its attributes and children, in order."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[Node, ...]


def element(tag: str, /, *children: Node, **attributes: str | None) -> Element:
    """Return an element. ``class_`` is the attribute class, ``data_sort`` data-sort; None is left out."""
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    return Element(tag, tuple(named), children)


def name(text: object) -> Element:
    """Return a text with its own direction of writing, such as a name."""
    return element("bdi", str(text))


def write(node: Node, *, longest: int) -> str:
    """Return a tree as HTML. Texts and tooltips are cut after ``longest`` characters, with the number of the others."""
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
    """Return a text as the value of an attribute, where only Markdown looks for formulas."""
    return as_references(escape(_cut(text, longest), quote=True))


def _text(text: str, longest: int) -> str:
    """Return a text between tags, without markup and formulas (:func:`formula_pieces`)."""
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
    """Return the title of a value."""
    return element("p", *children, class_="title")


def part(text: str) -> Element:
    """Return the heading of a part."""
    return element("p", text, class_="part")


def badge(text: str, kind: str = "") -> Element:
    """Return a mark of a word or two; ``kind`` is ``good``, ``bad``, ``warn`` or empty."""
    return element("span", text, class_=f"badge {kind}".strip())


def said(text: str, kind: str) -> Element:
    """Return a text in the colour of a kind. The text says the same as the colour."""
    return element("span", text, class_=kind)


def outcome(value: Outcome) -> Element:
    """Return the outcome of a check in a word."""
    return said(*_OUTCOMES[value])


def answer(value: Answer) -> Element:
    """Return an answer: yes, no or not known."""
    return said(*_ANSWERS[value])


def yes_or_no(value: bool, yes: str = "yes", no: str = "no") -> Element:  # noqa: FBT001  # it is the answer shown
    """Return the text for a true or a false value."""
    return said(f"✓ {yes}", "good") if value else said(f"✗ {no}", "bad")


def code(text: object) -> Element:
    """Return digits or an identifier in a monospaced font."""
    return element("span", str(text), class_="code")


def facts(pairs: Iterable[tuple[str, Node]]) -> Element:
    """Return a list of names and values; pairs whose value is None are left out."""
    cells = [
        cell for label, value in pairs if value is not None for cell in (element("dt", label), element("dd", value))
    ]
    return element("dl", *cells, class_="facts")


def folded(summary: str, *children: Node) -> Element:
    """Return nodes that are hidden below a summary until the reader opens them."""
    return element("details", element("summary", summary), *children)


def lines(items: Sequence[T], view: View, *, show: Callable[[T], Node], numbered: bool = False) -> Element:
    """Return a list of the first items, one a line, with the number of the others."""
    shown = items[: view.limits.notebook_items]
    rows = [element("li", show(item)) for item in shown]
    return element("ol" if numbered else "ul", *rows, _more(len(items) - len(shown), "li"), class_="lines")


def joined(items: Sequence[object], view: View) -> str | None:
    """Return the first items in one line, with the number of the others; None without items."""
    shown = [str(item) for item in items[: view.limits.notebook_items]]
    left = len(items) - len(shown)
    return ", ".join([*shown, *([f"and {left:,} more"] if left > 0 else [])]) or None


def table(heads: Sequence[str], rows: Iterable[Sequence[Element]], *, sortable: bool = False) -> Element:
    """Return a table. A row is a sequence of cells, see :func:`cell`."""
    head = element("thead", element("tr", *(element("th", text, scope="col") for text in heads)))
    body = element("tbody", *(element("tr", *cells) for cells in rows))
    drawn = element("table", head, body, class_="list sortable" if sortable else "list")
    return element("div", drawn, class_="wide", tabindex="0" if sortable else None)


def cell(*children: Node, key: str | None = None, class_: str | None = None, title: str | None = None) -> Element:
    """Return a cell; ``key`` is its sort key, where that is not its text."""
    return element("td", *children, data_key=key, class_=class_, title=title)


def left_out(number: int, noun: str) -> Node:
    """Return a remark on the number of items that are not shown; None where it is 0."""
    return element("p", f"{number:,} more {noun} not shown", class_="muted") if number > 0 else None


def _more(number: int, tag: str) -> Node:
    return element(tag, f"and {number:,} more", class_="muted") if number > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The limits and the time for which a value is shown.

    ``time`` is None where the caller gave none: a path is then shown as of the time that it was validated for, other
    values as of now.
    """

    limits: Limits
    time: datetime | None = None

    def __post_init__(self) -> None:
        if self.time is not None:
            require_aware(self.time)

    def at(self, own: datetime | None) -> View:
        """Return a view for a value with its own time. A time that the caller gave takes precedence."""
        return View(limits=self.limits, time=self.time or own)

    @property
    def time_or_now(self) -> datetime:
        """The time of the view, or the present time."""
        return self.time or datetime.now(UTC)

    def time_in_words(self) -> str:
        """Return the day of the view, with ``today`` where the caller gave no time."""
        instant = self.time_or_now.astimezone(UTC).date().isoformat()
        return instant if self.time is not None else f"today, {instant}"
