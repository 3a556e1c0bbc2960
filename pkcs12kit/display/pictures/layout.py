"""Positions of all parts of a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.blocks import INDENT, CertificateBlock, ColumnBlock, NodeBlock
from pkcs12kit.display.pictures.folding import fold
from pkcs12kit.display.pictures.layers import Box, Link, arrange, layers_of
from pkcs12kit.display.pictures.picture import EdgeState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkcs12kit.display.pictures.folding import Folded
    from pkcs12kit.display.pictures.layers import Positions
    from pkcs12kit.display.pictures.picture import Picture, PictureEdge
    from pkcs12kit.limits import Limits

_GAP: Final = 16.0
_BETWEEN: Final = 24.0
_STEEP: Final = 0.06
"""Extra distance between two layers, per unit of the longest horizontal distance of a link between them."""
_FARTHEST: Final = 80.0
_WEIGHTS: Final = {EdgeState.CHOSEN: 50.0, EdgeState.VALID: 3.0}
_PORTS: Final = 14.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A block with its position: its horizontal middle and its top."""

    block: NodeBlock | CertificateBlock | ColumnBlock
    x: float
    top: float

    @property
    def bottom(self) -> float:
        """The lower edge of the block."""
        return self.top + self.block.height

    @property
    def left(self) -> float:
        """The left edge of the block."""
        return self.x - self.block.width / 2


@dataclass(frozen=True, slots=True)
class Leg:
    """A line downwards as points: straight through a layer, then across to the next, in turn."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """A drawn certificate: a line from the upper node to the label, and a line from there to the lower node."""

    edge: PictureEdge
    upper: Leg
    label: Placed
    lower: Leg
    upwards: bool
    """True if the subject stands above the issuer: the certificate closes a loop."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The positions of a drawing, from 0 to ``width`` and ``height``."""

    nodes: tuple[Placed, ...]
    edges: tuple[DrawnEdge, ...]
    columns: tuple[Placed, ...]
    trunks: tuple[Leg, ...]
    """The lines from nodes to their columns."""
    width: float
    height: float


def lay_out(picture: Picture, limits: Limits) -> Layout:
    """Return the layout of a picture."""
    own: dict[str, tuple[PictureEdge, ...]] = {}
    for edge in picture.edges:
        if edge.is_self_signed:
            own[edge.subject] = (*own.get(edge.subject, ()), edge)
    return _Drawing(fold(picture), own).layout(limits.picture_bends)


class _Drawing:
    """Blocks in layers: nodes in even layers, labels of edges in odd ones, columns in the last layer."""

    def __init__(self, folded: Folded, own: dict[str, tuple[PictureEdge, ...]]) -> None:
        self._folded = folded
        self._blocks: dict[str, NodeBlock | CertificateBlock | ColumnBlock] = {}
        self._layer: dict[str, int] = {}
        self._links: list[Link] = []
        layers = layers_of(folded.nodes, folded.edges)
        for node in folded.nodes:
            self._put(node.id, NodeBlock.of(node, own.get(node.id, ())), 2 * layers[node.id])
        for number, edge in enumerate(folded.edges):
            upper, lower = sorted((edge.issuer, edge.subject), key=layers.__getitem__)
            key, weight = f"e{number}", _WEIGHTS.get(edge.state, 1)
            self._put(key, CertificateBlock.of(edge), 2 * ((layers[upper] + layers[lower]) // 2) + 1)
            self._links += [Link(upper, key, weight), Link(key, lower, weight)]
        last = 2 * max(layers.values(), default=0) + 1
        for number, column in enumerate(folded.columns):
            self._put(f"c{number}", ColumnBlock.of(column, own), last)
            if column.parent is not None:
                self._links.append(Link(column.parent, f"c{number}"))

    def _put(self, key: str, block: NodeBlock | CertificateBlock | ColumnBlock, layer: int) -> None:
        self._blocks[key] = block
        self._layer[key] = layer

    def layout(self, bends_at_most: int) -> Layout:
        """Return the positions of all blocks and lines."""
        boxes = [Box(key, self._layer[key], block.width) for key, block in self._blocks.items()]
        positions = arrange(boxes, self._links, gap=_GAP, bends_at_most=bends_at_most)
        tops, bottoms = self._stack(positions)
        placed = {}
        for key, block in self._blocks.items():
            layer = self._layer[key]
            slack = 0 if isinstance(block, ColumnBlock) else (bottoms[layer] - tops[layer] - block.height) / 2
            placed[key] = Placed(block, positions.middles[key], tops[layer] + slack)
        legs = self._legs(placed, positions, tops, bottoms)
        count = len(self._folded.edges)
        edges = tuple(
            DrawnEdge(
                edge,
                legs[2 * number],
                placed[f"e{number}"],
                legs[2 * number + 1],
                self._layer[edge.issuer] > self._layer[edge.subject],
            )
            for number, edge in enumerate(self._folded.edges)
        )
        return Layout(
            tuple(placed[node.id] for node in self._folded.nodes),
            edges,
            tuple(placed[f"c{number}"] for number in range(len(self._folded.columns))),
            tuple(legs[2 * count :]),
            positions.width,
            max((one.bottom for one in placed.values()), default=0),
        )

    def _stack(self, positions: Positions) -> tuple[list[float], list[float]]:
        """Return the top and the bottom of each layer, with more space below it where links go far sideways."""
        count = max(self._layer.values(), default=0) + 1
        heights, farthest = [0.0] * count, [0.0] * count
        for key, block in self._blocks.items():
            heights[self._layer[key]] = max(heights[self._layer[key]], block.height)
        for link, bends in zip(self._links, positions.bends, strict=True):
            route = (positions.middles[link.upper], *bends, positions.middles[link.lower])
            for layer, (here, there) in enumerate(pairwise(route), self._layer[link.upper]):
                farthest[layer] = max(farthest[layer], abs(here - there))
        tops, bottoms = [], []
        y = 0.0
        for height, far in zip(heights, farthest, strict=True):
            tops.append(y)
            bottoms.append(y + height)
            y += height + min(_BETWEEN + _STEEP * far, _FARTHEST)
        return tops, bottoms

    def _legs(
        self,
        placed: Mapping[str, Placed],
        positions: Positions,
        tops: Sequence[float],
        bottoms: Sequence[float],
    ) -> list[Leg]:
        """Return the line of each link."""
        starts, ends = self._ports(placed, positions)
        legs = []
        for number, (link, bends) in enumerate(zip(self._links, positions.bends, strict=True)):
            layer = self._layer[link.upper]
            points = [(starts[number], placed[link.upper].bottom), (starts[number], bottoms[layer])]
            for below, x in enumerate(bends, layer + 1):
                points += [(x, tops[below]), (x, bottoms[below])]
            lower = placed[link.lower]
            points += [(ends[number], tops[self._layer[link.lower]]), (ends[number], lower.top)]
            legs.append(Leg(tuple(points)))
        return legs

    def _ports(self, placed: Mapping[str, Placed], positions: Positions) -> tuple[dict[int, float], dict[int, float]]:
        """Return where each link leaves its upper block and reaches its lower block: side by side, without crossing."""
        sides: tuple[dict[str, list[tuple[float, int]]], ...] = ({}, {})
        for number, (link, bends) in enumerate(zip(self._links, positions.bends, strict=True)):
            route = (placed[link.upper].x, *bends, placed[link.lower].x)
            sides[0].setdefault(link.upper, []).append((route[1], number))
            sides[1].setdefault(link.lower, []).append((route[-2], number))
        ports: tuple[dict[int, float], dict[int, float]] = ({}, {})
        for side, found in zip(sides, ports, strict=True):
            for key, linked in side.items():
                one = placed[key]
                if isinstance(one.block, ColumnBlock):
                    found.update((number, one.left + INDENT / 2) for _, number in linked)
                    continue
                step = min(_PORTS, (one.block.width - _PORTS) / len(linked))
                first = one.x - step * (len(linked) - 1) / 2
                found.update((number, first + step * place) for place, (_, number) in enumerate(sorted(linked)))
        return ports
