"""The layers of a picture: each certificate from a higher layer to a lower one, the trust anchors on top.

Loops are cut at the certificates that lead back up (Sugiyama, Tagawa and Toda 1981, step 1); these are drawn upwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkcs12kit.display.pictures.picture import PictureEdge, PictureNode


def layers_of(nodes: Sequence[PictureNode], edges: Iterable[PictureEdge]) -> dict[str, int]:
    """Give each node a layer, 0 on top. Nodes come in the order that an anchor reaches them in (Picture's own)."""
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
    for node in ordered:  # who is certified by nobody here stands just above whom it certifies
        if node.id not in certified and not node.is_trust_anchor and below[node.id]:
            layers[node.id] = min(layers[lower] for lower in below[node.id]) - 1
    deepest = max(layers.values(), default=0)
    for node in ordered:
        if node.is_target and not below[node.id]:
            layers[node.id] = deepest
    return layers
