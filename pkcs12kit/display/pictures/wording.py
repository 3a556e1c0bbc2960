"""The words of pictures in every format: safe texts, marks, dates, tooltips, legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.certificates.names import NO_NAME
from pkcs12kit.display.labels import day, short_serial
from pkcs12kit.display.pictures.picture import EdgeState
from pkcs12kit.text import counted, harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkcs12kit.display.pictures.picture import Picture, PictureEdge, PictureNode

ANCHOR: Final = "★"
TARGET: Final = "◎"
SELF_SIGNED: Final = "↻"
MISSING: Final = "?"
_MARKS: Final = {EdgeState.EXPIRED: "✗ ", EdgeState.NOT_YET_VALID: "◷ ", EdgeState.REJECTED: "⊘ "}
LEGEND: Final = {
    EdgeState.CHOSEN: "certificate on the best path",
    EdgeState.VALID: "on another valid path",
    EdgeState.EXPIRED: "✗ expired at the time",
    EdgeState.NOT_YET_VALID: "◷ not yet valid at the time",
    EdgeState.REJECTED: "⊘ refused, why is in its tooltip",
    EdgeState.OTHER: "other certificate",
}
NODE_LEGEND: Final = {
    "is_trust_anchor": f"{ANCHOR} trust anchor",
    "is_target": f"{TARGET} target",
    "is_missing": f"{MISSING} named as issuer, its own certificate is not shown",
}
_CHARACTERS: Final = 1_000
"""The longest text shown: fifteen common names of the length that X.520 allows."""


def inert(text: str) -> str:
    """Return text from outside as one line that is safe to draw, cut where it is longer than any picture can show."""
    return harmless(text, longest=_CHARACTERS)


def label(node: PictureNode) -> str:
    """Return the name of a node for its box: on one line, with single blanks, never empty."""
    return " ".join(inert(node.label).split()) or NO_NAME


def serial(edge: PictureEdge) -> str:
    """Return ``#`` and the serial number without the middle of a long one."""
    return f"#{short_serial(inert(edge.serial))}"


def standing(edge: PictureEdge) -> str:
    """Return the state of a certificate in a few words: its mark, and the date of its expiry or beginning."""
    words = {
        EdgeState.EXPIRED: f"expired {day(edge.not_after)}",
        EdgeState.NOT_YET_VALID: f"from {day(edge.not_before)}",
        EdgeState.REJECTED: f"refused, until {day(edge.not_after)}",
    }
    return f"{_MARKS.get(edge.state, '')}{words.get(edge.state, f'until {day(edge.not_after)}')}"


def marks(node: PictureNode, own: Sequence[PictureEdge]) -> list[str]:
    """Return the notes of a node, one a line, with the state of its last self-signed certificate."""
    lines = []
    if node.is_trust_anchor:
        lines.append(f"{ANCHOR} trust anchor")
    if node.is_target:
        lines.append(f"{TARGET} target")
    if node.is_missing:
        lines.append(f"{MISSING} not shown itself")
    if own:
        last = max(own, key=lambda edge: edge.not_after)
        lines.append(f"{SELF_SIGNED} self-signed, {standing(last)}")
    if node.key is not None:
        lines.append(f"key {node.key}")
    return lines


def about_node(node: PictureNode, own: Sequence[PictureEdge]) -> str:
    """Return the tooltip of a node, with its self-signed certificates."""
    lines = [inert(node.name) or NO_NAME, *marks(node, ())]
    lines += [f"self-signed {about_certificate(edge)}" for edge in own]
    return "\n".join(lines)


def about_edge(edge: PictureEdge, issuer: PictureNode, subject: PictureNode) -> str:
    """Return the tooltip of a certificate."""
    return f"{label(subject)}, issued by {label(issuer)}\n{about_certificate(edge)}"


def about_certificate(edge: PictureEdge) -> str:
    """Return the tooltip of a certificate without the names."""
    lines = [
        f"#{inert(edge.serial)}",
        f"valid from {format_time(edge.not_before)} to {format_time(edge.not_after)}",
        f"SHA-256 {inert(edge.sha256)}",
        edge.state.value,
        *map(inert, edge.reasons),
    ]
    return "\n".join(lines)


def summary(picture: Picture) -> str:
    """Return the size and the time of the picture, in one line."""
    shown = f"{counted(len(picture.edges), 'certificate')}, {counted(len(picture.nodes), 'subject')}"
    parts = [format_time(picture.time)] if picture.time is not None else []
    return "; ".join([*parts, shown, *([inert(picture.left_out)] if picture.left_out is not None else [])])


def node_legend(picture: Picture) -> list[str]:
    """Return the explanations of the signs on nodes that occur."""
    return [
        *(text for field, text in NODE_LEGEND.items() if any(getattr(node, field) for node in picture.nodes)),
        *([f"{SELF_SIGNED} self-signed"] if any(edge.is_self_signed for edge in picture.edges) else []),
    ]


def states(picture: Picture) -> list[EdgeState]:
    """Return the states that occur, in the order of the legend."""
    found = {edge.state for edge in picture.edges}
    return [state for state in EdgeState if state in found]
