"""HTML as a tree, and the one place where it becomes text: whatever stands in the tree as text stays text.

Text comes from outside: names in certificates and files, what programs and servers say. :func:`write` shortens what is
long, makes control characters and marks that turn the direction of writing visible, escapes what HTML reads as markup,
and puts what could delimit a formula into elements of its own, which MathJax and KaTeX do not look across. Tags, names
of attributes and :class:`Verbatim` are our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, TypeAlias, Union

from pkcs12kit.display.harmless import as_references, formula_pieces, harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

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
