"""Which nodes of a big picture stand in columns below their issuer, as in an outline, and which in the graph itself.

Most CAs of a PKI have one issuer and lead nowhere else. Drawn side by side they make a picture too wide to read; in
columns they leave the graph to what is one: cross-certificates, bridges, loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.picture import EdgeState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.display.pictures.picture import Picture, PictureEdge, PictureNode

_UNFOLDED: Final = 24
"""Nodes that a picture shows without columns."""
_ROWS: Final = 16
_SHAPE: Final = 5
"""Rows of a column to columns, so that a picture is about as wide as a screen."""
_ON_A_PATH: Final = frozenset({EdgeState.CHOSEN, EdgeState.VALID})


@dataclass(frozen=True, slots=True)
class Row:
    """A node in a column, how far it is indented, and the certificates that lead to it from the row's parent."""

    node: PictureNode
    depth: int
    edges: tuple[PictureEdge, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Rows that hang below one node of the graph; below none where no trust anchor leads to them."""

    parent: str | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A picture, cut into graph and columns. ``edges`` are those of the graph, without self-signed ones."""

    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    columns: tuple[Column, ...]


def fold(picture: Picture) -> Folded:
    """Cut a picture into graph and columns; a small one is all graph."""
    crossing = tuple(edge for edge in picture.edges if not edge.is_self_signed)
    if len(picture.nodes) <= _UNFOLDED:
        return Folded(picture.nodes, crossing, ())
    trees = _Trees(picture, crossing)
    columns = tuple(trees.columns())
    hanging = {row.node.id for column in columns for row in column.rows}
    return Folded(
        tuple(node for node in picture.nodes if node.id not in hanging),
        tuple(edge for edge in crossing if edge.subject not in hanging),
        columns,
    )


class _Trees:
    """The parts of a picture in which each node has one issuer and leads down only."""

    def __init__(self, picture: Picture, crossing: tuple[PictureEdge, ...]) -> None:
        self._nodes = {node.id: node for node in picture.nodes}
        self._issuers: dict[str, dict[str, None]] = {node: {} for node in self._nodes}
        self._subjects: dict[str, dict[str, None]] = {node: {} for node in self._nodes}
        self._edges: dict[str, list[PictureEdge]] = {node: [] for node in self._nodes}
        for edge in crossing:
            self._issuers[edge.subject][edge.issuer] = None
            self._subjects[edge.issuer][edge.subject] = None
            self._edges[edge.subject].append(edge)
        self._rows_at_most = max(_ROWS, round(sqrt(_SHAPE * len(self._nodes))))
        self._sizes = self._measure()

    def _measure(self) -> dict[str, int]:
        """Count the rows of each node that may hang with all that is below it; leaves first, so that none recurs."""
        open_below = {node: len(subjects) for node, subjects in self._subjects.items()}
        ready = [node for node, count in open_below.items() if not count]
        sizes: dict[str, int] = {}
        for node in ready:  # grows while it is read
            subjects = self._subjects[node]
            if self._may_hang(node) and all(subject in sizes for subject in subjects):
                size = 1 + sum(sizes[subject] for subject in subjects)
                if size <= self._rows_at_most:
                    sizes[node] = size
            for issuer in self._issuers[node]:
                open_below[issuer] -= 1
                if not open_below[issuer]:
                    ready.append(issuer)
        return sizes

    def _may_hang(self, identifier: str) -> bool:
        node = self._nodes[identifier]
        return (
            len(self._issuers[identifier]) <= 1
            and not node.is_trust_anchor
            and not node.is_target
            and _ON_A_PATH.isdisjoint(edge.state for edge in self._edges[identifier])
        )

    def columns(self) -> Iterator[Column]:
        """Fill columns below each node of the graph, whole trees to a column."""
        roots: dict[str | None, list[str]] = {}
        for node in self._nodes:
            if node in self._sizes:
                parent = next(iter(self._issuers[node]), None)
                if parent is None or parent not in self._sizes:
                    roots.setdefault(parent, []).append(node)
        for parent, trees in roots.items():
            rows: list[Row] = []
            for tree in trees:
                if rows and len(rows) + self._sizes[tree] > self._rows_at_most:
                    yield Column(parent, tuple(rows))
                    rows = []
                rows.extend(self._rows(tree))
            yield Column(parent, tuple(rows))

    def _rows(self, tree: str) -> Iterator[Row]:
        waiting = [(tree, 0)]
        while waiting:
            node, depth = waiting.pop()
            yield Row(self._nodes[node], depth, tuple(self._edges[node]))
            waiting.extend((subject, depth + 1) for subject in reversed(self._subjects[node]))
