"""Pictures of certification paths and pools, as values that can be written as SVG, Graphviz DOT or Mermaid.

::

    report = pk.find_paths(certificate, pool=pool, trust_anchors=anchors, parameters=parameters)
    Path("paths.svg").write_text(pk.pictures.to_svg(pk.pictures.picture_of_report(report)), "utf-8")
"""

from __future__ import annotations

from pkcs12kit.display.pictures.build import picture_of_path, picture_of_pool, picture_of_report
from pkcs12kit.display.pictures.picture import EdgeState, Picture, PictureEdge, PictureNode
from pkcs12kit.display.pictures.svg import to_svg
from pkcs12kit.display.pictures.text_formats import to_dot, to_mermaid
from pkcs12kit.display.pictures.timeline import timeline_to_svg

__all__ = [
    "EdgeState",
    "Picture",
    "PictureEdge",
    "PictureNode",
    "picture_of_path",
    "picture_of_pool",
    "picture_of_report",
    "timeline_to_svg",
    "to_dot",
    "to_mermaid",
    "to_svg",
]
