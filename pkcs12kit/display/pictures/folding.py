"""The split of a large picture into a graph and columns, which list nodes below their issuer as an outline does.

Most CAs of a PKI have one issuer and certify only nodes of their own. Drawn side by side they would make a picture that
is too wide to read. In columns they leave the graph to cross-certificates, bridges and loops.
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
"""The largest number of nodes that are drawn without columns."""
_ROWS: Final = 16
_SHAPE: Final = 5
"""The ratio of rows to columns, so that a picture is about as wide as a screen."""
_ON_A_PATH: Final = frozenset({EdgeState.CHOSEN, EdgeState.VALID})


@dataclass(frozen=True, slots=True)
class Row:
    """A node in a column, its indentation, and the certificates that its parent issued to it."""

    node: PictureNode
    depth: int
    edges: tuple[PictureEdge, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """Rows below one node of the graph; ``parent`` is None where no trust anchor leads to them."""

    parent: str | None
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """A picture split into graph and columns. ``edges`` are those of the graph, without self-signed ones."""

    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    columns: tuple[Column, ...]


def fold(picture: Picture) -> Folded:
    """Split a picture into graph and columns. A small picture has no columns."""
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
    """The subtrees of a picture: parts in which each node has one issuer."""

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
        """Return the number of rows of each subtree that fits into a column, leaves first and without recursion."""
        open_below = {node: len(subjects) for node, subjects in self._subjects.items()}
        ready = [node for node, count in open_below.items() if not count]
        sizes: dict[str, int] = {}
        for node in ready:  # grows during the loop
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
        """Yield the columns below each node of the graph. A subtree is not split between columns."""
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
