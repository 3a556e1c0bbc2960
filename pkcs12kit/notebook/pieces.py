"""What everything shown is put together from: signs with words, facts, tables, lists with an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pkcs12kit.findings import Outcome
from pkcs12kit.notebook.markup import Element, Node, element
from pkcs12kit.pkcs12.capabilities import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pkcs12kit.notebook.view import View

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
