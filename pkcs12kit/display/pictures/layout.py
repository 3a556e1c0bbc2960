"""Where everything in a drawing stands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pkcs12kit.display.pictures.arranging import Box, Link, arrange, layers_of
from pkcs12kit.display.pictures.blocks import INDENT, CertificateBlock, ColumnBlock, NodeBlock
from pkcs12kit.display.pictures.folding import fold
from pkcs12kit.display.pictures.picture import EdgeState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkcs12kit.display.pictures.arranging import Arrangement
    from pkcs12kit.display.pictures.folding import Folded
    from pkcs12kit.display.pictures.picture import Picture, PictureEdge
    from pkcs12kit.limits import Limits

_GAP: Final = 16.0
_BETWEEN: Final = 24.0
_STEEP: Final = 0.06
"""How far layers move apart for how far the farthest link goes sideways between them."""
_FARTHEST: Final = 80.0
_WEIGHTS: Final = {EdgeState.CHOSEN: 50.0, EdgeState.VALID: 3.0}
_PORTS: Final = 14.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A block, its middle, its top, and its layer's."""

    block: NodeBlock | CertificateBlock | ColumnBlock
    x: float
    top: float

    @property
    def bottom(self) -> float:
        """Its lower end."""
        return self.top + self.block.height

    @property
    def left(self) -> float:
        """Its left end."""
        return self.x - self.block.width / 2


@dataclass(frozen=True, slots=True)
class Leg:
    """A line downwards, by points: straight down, then across to the next layer, in turn."""

    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class DrawnEdge:
    """A certificate: a line from the upper of its nodes to its label, and from there to the lower one."""

    edge: PictureEdge
    upper: Leg
    label: Placed
    lower: Leg
    upwards: bool
    """Whether the subject stands above the issuer: the certificate closes a loop."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A drawing, from 0 to ``width`` and ``height``."""

    nodes: tuple[Placed, ...]
    edges: tuple[DrawnEdge, ...]
    columns: tuple[Placed, ...]
    trunks: tuple[Leg, ...]
    """From nodes to their columns."""
    width: float
    height: float


def lay_out(picture: Picture, limits: Limits) -> Layout:
    """Fold, measure and arrange a picture."""
    own: dict[str, tuple[PictureEdge, ...]] = {}
    for edge in picture.edges:
        if edge.is_self_signed:
            own[edge.subject] = (*own.get(edge.subject, ()), edge)
    return _Drawing(fold(picture), own).layout(limits.picture_bends)


class _Drawing:
    """Blocks by their keys, in layers: nodes in even ones, the labels of edges between them, columns in the last."""

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
        """Arrange the blocks, then stack the layers."""
        boxes = [Box(key, self._layer[key], block.width) for key, block in self._blocks.items()]
        arrangement = arrange(boxes, self._links, gap=_GAP, bends_at_most=bends_at_most)
        tops, bottoms = self._stack(arrangement)
        placed = {}
        for key, block in self._blocks.items():
            layer = self._layer[key]
            slack = 0 if isinstance(block, ColumnBlock) else (bottoms[layer] - tops[layer] - block.height) / 2
            placed[key] = Placed(block, arrangement.middles[key], tops[layer] + slack)
        legs = self._legs(placed, arrangement, tops, bottoms)
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
            arrangement.width,
            max((one.bottom for one in placed.values()), default=0),
        )

    def _stack(self, arrangement: Arrangement) -> tuple[list[float], list[float]]:
        """Give each layer the height of its highest block, and room below it for links that go far sideways."""
        count = max(self._layer.values(), default=0) + 1
        heights, farthest = [0.0] * count, [0.0] * count
        for key, block in self._blocks.items():
            heights[self._layer[key]] = max(heights[self._layer[key]], block.height)
        for link, bends in zip(self._links, arrangement.bends, strict=True):
            way = (arrangement.middles[link.upper], *bends, arrangement.middles[link.lower])
            for layer, (here, there) in enumerate(pairwise(way), self._layer[link.upper]):
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
        arrangement: Arrangement,
        tops: Sequence[float],
        bottoms: Sequence[float],
    ) -> list[Leg]:
        """Draw links: down to the end of a layer, across to the next, down through it."""
        starts, ends = self._ports(placed, arrangement)
        legs = []
        for number, (link, bends) in enumerate(zip(self._links, arrangement.bends, strict=True)):
            layer = self._layer[link.upper]
            points = [(starts[number], placed[link.upper].bottom), (starts[number], bottoms[layer])]
            for below, x in enumerate(bends, layer + 1):
                points += [(x, tops[below]), (x, bottoms[below])]
            lower = placed[link.lower]
            points += [(ends[number], tops[self._layer[link.lower]]), (ends[number], lower.top)]
            legs.append(Leg(tuple(points)))
        return legs

    def _ports(
        self, placed: Mapping[str, Placed], arrangement: Arrangement
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Let links leave and reach a block side by side, in the order of where they come from."""
        sides: tuple[dict[str, list[tuple[float, int]]], ...] = ({}, {})
        for number, (link, bends) in enumerate(zip(self._links, arrangement.bends, strict=True)):
            way = (placed[link.upper].x, *bends, placed[link.lower].x)
            sides[0].setdefault(link.upper, []).append((way[1], number))
            sides[1].setdefault(link.lower, []).append((way[-2], number))
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
