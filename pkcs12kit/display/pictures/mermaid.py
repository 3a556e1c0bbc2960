"""A picture as a flowchart of Mermaid, which forges and wikis draw from the text of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures import wording
from pkcs12kit.display.pictures.dot import is_tall
from pkcs12kit.display.pictures.picture import EdgeState

if TYPE_CHECKING:
    from pkcs12kit.display.pictures.picture import Picture, PictureEdge, PictureNode

_LINES: Final = {EdgeState.CHOSEN: "==>", EdgeState.VALID: "-->", EdgeState.OTHER: "-->"}
_DASHED: Final = "-.->"
_COLOURS: Final = {
    EdgeState.CHOSEN: "#3b7ddd",
    EdgeState.VALID: "#3b7ddd",
    EdgeState.EXPIRED: "#d3303c",
    EdgeState.NOT_YET_VALID: "#8a5bd6",
    EdgeState.REJECTED: "#b86a14",
}
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,:-")


def to_mermaid(picture: Picture, *, title: str | None = None) -> str:
    """Write a picture as a Mermaid flowchart. Mermaid shows no tooltips: reasons are comments beside the edges."""
    heading = wording.inert(picture.title if title is None else title)
    lines = [
        f"%% {_comment(heading)}",
        f"%% {_comment(wording.summary(picture))}",
        f"flowchart {'LR' if is_tall(picture) else 'TD'}",
        *(f"  {node.id}[{_node(node)}]" for node in picture.nodes),
    ]
    coloured: dict[EdgeState, list[str]] = {}
    for number, edge in enumerate(picture.edges):
        lines += [f"  %% {_comment(wording.inert(reason))}" for reason in edge.reasons]
        lines.append(f"  {edge.issuer} {_LINES.get(edge.state, _DASHED)}|{_label(edge)}| {edge.subject}")
        coloured.setdefault(edge.state, []).append(str(number))
    for state, numbers in coloured.items():
        if state in _COLOURS:
            lines.append(f"  linkStyle {','.join(numbers)} stroke:{_COLOURS[state]}")
    for name, style, chosen in (
        ("anchor", "fill:#fff1b8,stroke:#1b1f24,color:#1b1f24,stroke-width:3px", "is_trust_anchor"),
        ("target", "fill:#d8ecff,stroke:#1b1f24,color:#1b1f24,stroke-width:3px", "is_target"),
        ("missing", "stroke-dasharray:3 3", "is_missing"),
    ):
        members = [node.id for node in picture.nodes if getattr(node, chosen)]
        if members:
            lines += [f"  classDef {name} {style}", f"  class {','.join(members)} {name}"]
    return "\n".join([*lines, ""])


def _node(node: PictureNode) -> str:
    return _quoted([wording.label(node), *wording.marks(node, ())])


def _label(edge: PictureEdge) -> str:
    return _quoted([wording.serial(edge), wording.standing(edge)])


def _quoted(lines: list[str]) -> str:
    """Quote lines: what Mermaid, Markdown or HTML could read as a sign is written as the number of its character."""
    return '"{}"'.format("<br/>".join("".join(map(_character, line)) for line in lines))


def _character(char: str) -> str:
    return char if char in _PLAIN or not char.isascii() else f"#{ord(char)};"


def _comment(text: str) -> str:
    """Keep a comment one: braces begin a directive in it."""
    return text.replace("{", "(").replace("}", ")")
