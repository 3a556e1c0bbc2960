"""Pictures as text for other programs: Graphviz DOT and Mermaid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures import wording
from pkcs12kit.display.pictures.picture import EdgeState, require_picture

if TYPE_CHECKING:
    from pkcs12kit.display.pictures.picture import Picture, PictureEdge, PictureNode


_TALL: Final = 24
"""The number of nodes above which levels stand side by side, because rows would be too wide to read."""
_STYLES: Final = {
    EdgeState.CHOSEN: {"color": "#0a50b4", "penwidth": "3", "weight": "10"},
    EdgeState.VALID: {"color": "#0a50b4"},
    EdgeState.EXPIRED: {"color": "#bd1f2a", "fontcolor": "#bd1f2a", "style": "dashed"},
    EdgeState.NOT_YET_VALID: {"color": "#6a3db8", "fontcolor": "#6a3db8", "style": "dotted"},
    EdgeState.REJECTED: {"color": "#9a4a00", "fontcolor": "#9a4a00", "style": "dashed"},
    EdgeState.OTHER: {},
}


def to_dot(picture: Picture, *, title: str | None = None) -> str:
    """Return a picture in DOT, for Graphviz 2.30 or newer. It does not name files or contain code.

    Reasons are tooltips, which Graphviz's SVG shows.
    """
    require_picture(picture, title)
    direction = "LR" if is_tall(picture) else "TB"
    heading = wording.inert(picture.title if title is None else title)
    head = _attributes(
        {
            "label": f"{heading}\n{wording.summary(picture)}",
            "labelloc": "t",
            "rankdir": direction,
            "fontname": "sans-serif",
        }
    )
    nodes = {node.id: node for node in picture.nodes}
    own: dict[str, list[PictureEdge]] = {}
    for edge in picture.edges:
        if edge.is_self_signed:
            own.setdefault(edge.subject, []).append(edge)
    anchors = [node.id for node in picture.nodes if node.is_trust_anchor]
    lines = [
        f"  graph {head}",
        '  node [shape="box", style="rounded,filled", fillcolor="white", fontname="sans-serif", fontsize="11"]',
        '  edge [fontname="sans-serif", fontsize="9"]',
        *(f"  {node.id} {_dot_node(node, own.get(node.id, []))}" for node in picture.nodes),
        *([f"  {{rank=source; {'; '.join(anchors)}}}"] if anchors else []),
        *(f"  {edge.issuer} -> {edge.subject} {_edge(edge, nodes)}" for edge in picture.edges),
    ]
    return "\n".join(["digraph pkcs12kit {", *lines, "}", ""])


def is_tall(picture: Picture) -> bool:
    """Return True if levels should stand side by side."""
    return len(picture.nodes) > _TALL


def _dot_node(node: PictureNode, own: list[PictureEdge]) -> str:
    label = "\n".join([wording.label(node), *wording.marks(node, ())])
    attributes = {"label": label, "tooltip": wording.about_node(node, own)}
    if node.is_trust_anchor:
        attributes |= {"fillcolor": "#fff1b8", "penwidth": "2"}
    elif node.is_target:
        attributes |= {"fillcolor": "#d8ecff", "penwidth": "2"}
    elif node.is_missing:
        attributes["style"] = "rounded,dotted"
    return _attributes(attributes)


def _edge(edge: PictureEdge, nodes: dict[str, PictureNode]) -> str:
    about = wording.about_edge(edge, nodes[edge.issuer], nodes[edge.subject])
    label = f"{wording.serial(edge)}\n{wording.standing(edge)}"
    return _attributes({"label": label, "tooltip": about, "labeltooltip": about} | _STYLES[edge.state])


def _attributes(attributes: dict[str, str]) -> str:
    return f"[{', '.join(f'{name}={_dot_text(text)}' for name, text in attributes.items())}]"


def _dot_text(text: str) -> str:
    r"""Return a quoted text, in which a backslash does not begin ``\N`` and ``&`` does not begin an HTML entity."""
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


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
    """Return a picture as a Mermaid flowchart. Mermaid does not show tooltips: reasons are comments at the edges."""
    require_picture(picture, title)
    heading = wording.inert(picture.title if title is None else title)
    lines = [
        f"%% {_comment(heading)}",
        f"%% {_comment(wording.summary(picture))}",
        f"flowchart {'LR' if is_tall(picture) else 'TD'}",
        *(f"  {node.id}[{_mermaid_node(node)}]" for node in picture.nodes),
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


def _mermaid_node(node: PictureNode) -> str:
    return _mermaid_text([wording.label(node), *wording.marks(node, ())])


def _label(edge: PictureEdge) -> str:
    return _mermaid_text([wording.serial(edge), wording.standing(edge)])


def _mermaid_text(lines: list[str]) -> str:
    """Return quoted lines: characters with a meaning in Mermaid, Markdown or HTML are written as numbers."""
    return '"{}"'.format("<br/>".join("".join(map(_character, line)) for line in lines))


def _character(char: str) -> str:
    return char if char in _PLAIN or not char.isascii() else f"#{ord(char)};"


def _comment(text: str) -> str:
    """Return a text for a comment, without braces, which would begin a directive."""
    return text.replace("{", "(").replace("}", ")")
