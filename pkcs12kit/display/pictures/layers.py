"""A layered graph layout: boxes in layers, links with few crossings, each box near the boxes that it is linked to.

:func:`layers_of` assigns layers (step 1 of Sugiyama, Tagawa and Toda, 1981). :func:`arrange` does steps 2 and 3: it
orders each layer by barycentres, then places its boxes by least squares (isotonic regression, one layer at a time). A
link that spans several layers bends between the boxes of each layer.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.display.pictures.picture import PictureEdge, PictureNode


_ORDERINGS: Final = 12
_PLACINGS: Final = 24
_STRAIGHTENINGS: Final = 3
_BEND: Final = 10.0
_STRAIGHT: Final = 8.0
"""The weight of a link between two bends, compared with a link to a box."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the graph, with its layer and width."""

    id: str
    layer: int
    width: float


@dataclass(frozen=True, slots=True)
class Link:
    """A link between two boxes; ``upper`` is in the layer with the smaller number. Heavy links run straight."""

    upper: str
    lower: str
    weight: float = 1


@dataclass(frozen=True, slots=True)
class Positions:
    """Horizontal positions: the middle of each box, and the bends of each link in the layers between its boxes."""

    middles: dict[str, float]
    bends: tuple[tuple[float, ...], ...]
    """For each link one bend in each layer between, or none."""
    width: float


def arrange(boxes: Sequence[Box], links: Sequence[Link], *, gap: float, bends_at_most: int) -> Positions:
    """Return positions for boxes and links, with ``gap`` between neighbours. The same input gives the same positions.

    Bends are counted, short links first. Once there are ``bends_at_most``, longer links get none and may cross boxes.
    """
    graph = _Graph(boxes, links, bends_at_most)
    graph.order()
    graph.place(gap)
    left = min((x - graph.widths[item] / 2 for item, x in enumerate(graph.x)), default=0)
    right = max((x + graph.widths[item] / 2 for item, x in enumerate(graph.x)), default=0)
    return Positions(
        {box.id: graph.x[item] - left for item, box in enumerate(boxes)},
        tuple(tuple(graph.x[bend] - left for bend in bends) for bends in graph.bends),
        right - left,
    )


class _Graph:
    """A graph whose items (boxes and bends) are numbers; every link is split into pieces between adjacent layers."""

    def __init__(self, boxes: Sequence[Box], links: Sequence[Link], bends_at_most: int) -> None:
        self.widths = [box.width for box in boxes]
        layer_of = [box.layer for box in boxes]
        numbers = {box.id: number for number, box in enumerate(boxes)}
        pieces: list[tuple[int, int, float]] = []
        self.bends: list[list[int]] = [[] for _ in links]
        ends = [(numbers[link.upper], numbers[link.lower]) for link in links]
        spans = [layer_of[lower] - layer_of[upper] for upper, lower in ends]
        for index in sorted(range(len(links)), key=lambda index: (spans[index], index)):
            (upper, lower), link = ends[index], links[index]
            bends_at_most -= spans[index] - 1
            if bends_at_most < 0:
                break
            bends = list(range(len(layer_of), len(layer_of) + spans[index] - 1))
            layer_of.extend(range(layer_of[upper] + 1, layer_of[lower]))
            self.widths.extend(_BEND for _ in bends)
            self.bends[index] = bends
            route = [upper, *bends, lower]
            for number, piece in enumerate(pairwise(route)):
                inner = 0 < number < len(route) - 2
                pieces.append((*piece, link.weight * (_STRAIGHT if inner else 1)))
        self._above: list[list[tuple[int, float]]] = [[] for _ in layer_of]
        self._below: list[list[tuple[int, float]]] = [[] for _ in layer_of]
        for upper, lower, weight in pieces:
            self._above[lower].append((upper, weight))
            self._below[upper].append((lower, weight))
        self._layers = self._first_order(layer_of)
        self.x = [0.0] * len(layer_of)

    def _first_order(self, layer_of: Sequence[int]) -> list[list[int]]:
        """Return the items of each layer in the order in which a depth-first search from the top finds them."""
        layers: list[list[int]] = [[] for _ in range(max(layer_of, default=-1) + 1)]
        found: set[int] = set()
        for start in sorted(range(len(layer_of)), key=lambda item: layer_of[item]):
            waiting = [start]
            while waiting:
                item = waiting.pop()
                if item not in found:
                    found.add(item)
                    layers[layer_of[item]].append(item)
                    waiting.extend(lower for lower, _ in reversed(self._below[item]))
        return layers

    def order(self) -> None:
        """Reorder the layers in sweeps down and up, and keep the order with the fewest crossings."""
        best, fewest = [list(layer) for layer in self._layers], self._crossings()
        for sweep in range(_ORDERINGS):
            if not fewest:
                break
            downwards = sweep % 2 == 0
            neighbours = self._above if downwards else self._below
            for layer in self._layers if downwards else reversed(self._layers):
                self._sort(layer, neighbours)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(layer) for layer in self._layers], crossings
        self._layers = best

    def _sort(self, layer: list[int], neighbours: Sequence[Sequence[tuple[int, float]]]) -> None:
        """Sort one layer by the mean rank of the items that each is linked to. Items without links stay."""
        places = self._places()
        centres = {
            item: sum(places[other] for other, _ in neighbours[item]) / len(neighbours[item])
            for item in layer
            if neighbours[item]
        }
        moving = iter(sorted(centres, key=lambda item: (centres[item], places[item])))
        layer[:] = [next(moving) if item in centres else item for item in layer]

    def _places(self) -> dict[int, float]:
        """Return the rank of each item in its layer, from 0 to 1."""
        return {item: (number + 0.5) / len(layer) for layer in self._layers for number, item in enumerate(layer)}

    def _crossings(self) -> int:
        """Return the number of pairs of links that cross."""
        crossings = 0
        places = {item: number for layer in self._layers for number, item in enumerate(layer)}
        for layer in self._layers:
            ends: list[int] = []
            for item in layer:
                lowers = [places[lower] for lower, _ in self._below[item]]
                crossings += sum(len(ends) - bisect_right(ends, lower) for lower in lowers)
                for lower in lowers:
                    insort(ends, lower)
        return crossings

    def place(self, gap: float) -> None:
        """Move each item near to its linked items, above and below in turn, and finally near to both."""
        for layer in self._layers:
            self._spread(layer, [0.0] * len(layer), [1.0] * len(layer), gap)
        for sweep in range(_PLACINGS):
            downwards = sweep % 2 == 0
            last = sweep >= _PLACINGS - 4
            for layer in self._layers if downwards else reversed(self._layers):
                wanted, weights = [], []
                for item in layer:
                    linked = [] if last else (self._above if downwards else self._below)[item]
                    linked = linked or [*self._above[item], *self._below[item]]
                    weight = sum(weight for _, weight in linked)
                    wanted.append(sum(self.x[other] * weight for other, weight in linked) / weight if weight else 0)
                    weights.append(weight or 0.01)
                self._spread(layer, wanted, weights, gap)
        for _ in range(_STRAIGHTENINGS):
            self._straighten(gap)

    def _straighten(self, gap: float) -> None:
        """Move bends so that each link runs straight down through as many layers as its neighbours allow."""
        beside = {item: pair for layer in self._layers for item, pair in _neighbours(layer)}
        for bends in self.bends:
            run: list[int] = []
            low, high = -inf, inf
            for bend in bends:
                before, after = beside[bend]
                at_least = -inf if before is None else self._right_of(before) + gap + _BEND / 2
                at_most = inf if after is None else self._left_of(after) - gap - _BEND / 2
                if max(low, at_least) > min(high, at_most):
                    self._align(run, low, high)
                    run, low, high = [], -inf, inf
                run.append(bend)
                low, high = max(low, at_least), min(high, at_most)
            self._align(run, low, high)

    def _align(self, run: list[int], low: float, high: float) -> None:
        if run and low <= high:
            middle = sum(self.x[bend] for bend in run) / len(run)
            for bend in run:
                self.x[bend] = min(max(middle, low), high)

    def _right_of(self, item: int) -> float:
        return self.x[item] + self.widths[item] / 2

    def _left_of(self, item: int) -> float:
        return self.x[item] - self.widths[item] / 2

    def _spread(self, layer: Sequence[int], wanted: Iterable[float], weights: Iterable[float], gap: float) -> None:
        """Place the items of a layer as near as possible to their wanted positions, in order and without overlap."""
        offsets = []
        offset = 0.0
        for number, item in enumerate(layer):
            if number:
                offset += (self.widths[layer[number - 1]] + self.widths[item]) / 2 + gap
            offsets.append(offset)
        blocks: list[tuple[float, float, int]] = []  # wanted position, weight, number of items
        for want, weight, offset in zip(wanted, weights, offsets, strict=True):
            middle, heavy, count = want - offset, weight, 1
            while blocks and blocks[-1][0] > middle:
                before, weight_before, count_before = blocks.pop()
                middle = (before * weight_before + middle * heavy) / (weight_before + heavy)
                heavy += weight_before
                count += count_before
            blocks.append((middle, heavy, count))
        middles = (middle for middle, _, count in blocks for _ in range(count))
        for item, offset, middle in zip(layer, offsets, middles, strict=True):
            self.x[item] = middle + offset


def _neighbours(layer: Sequence[int]) -> Iterable[tuple[int, tuple[int | None, int | None]]]:
    """Yield each item with the items before and after it."""
    return zip(layer, zip([None, *layer[:-1]], [*layer[1:], None], strict=True), strict=True)


def layers_of(nodes: Sequence[PictureNode], edges: Iterable[PictureEdge]) -> dict[str, int]:
    """Return the layer of each node, 0 on top. Nodes are expected in the order of a :class:`Picture`."""
    certified = {edge.subject for edge in edges}
    ordered = [
        *(node for node in nodes if node.is_trust_anchor),
        *(node for node in nodes if not node.is_trust_anchor and node.id not in certified),
        *(node for node in nodes if not node.is_trust_anchor and node.id in certified),
    ]
    place = {node.id: number for number, node in enumerate(ordered)}
    below: dict[str, set[str]] = {node.id: set() for node in ordered}
    for edge in edges:
        upper, lower = sorted((edge.issuer, edge.subject), key=place.__getitem__)
        below[upper].add(lower)
    layers = dict.fromkeys(place, 0)
    for node in ordered:
        for lower in below[node.id]:
            layers[lower] = max(layers[lower], layers[node.id] + 1)
    for node in ordered:  # a node without issuers stands just above the nodes that it certifies
        if node.id not in certified and not node.is_trust_anchor and below[node.id]:
            layers[node.id] = min(layers[lower] for lower in below[node.id]) - 1
    deepest = max(layers.values(), default=0)
    for node in ordered:
        if node.is_target and not below[node.id]:
            layers[node.id] = deepest
    return layers
