"""What a picture shows, before anything is drawn: a node is a (subject, key), an edge a certificate (RFC 4158)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime


class EdgeState(Enum):
    """What is known of one certificate, the most telling first: where two hold, it has the first."""

    CHOSEN = "on the best path"
    VALID = "on another valid path"
    EXPIRED = "expired at the time"
    NOT_YET_VALID = "not yet valid at the time"
    REJECTED = "refused"
    OTHER = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """One (subject, key). Texts come from certificates as they are: what draws them makes them harmless."""

    id: str
    """Unique in the picture, ASCII letters and digits."""
    label: str
    """The label of the name (:attr:`Name.label <pkcs12kit.Name.label>`)."""
    name: str
    """The whole name, RFC 4514 text."""
    key: str | None = None
    """The beginning of the key identifier, hexadecimal, where others in the picture have the same name."""
    is_trust_anchor: bool = False
    is_target: bool = False
    is_missing: bool = False
    """Whether certificates name it as their issuer and nothing shows its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureEdge:
    """One certificate, from its issuer to its subject, by their ids; a self-signed one leads from a node to itself."""

    issuer: str
    subject: str
    serial: str
    """Decimal."""
    sha256: str
    """Of the DER, hexadecimal."""
    not_before: datetime
    not_after: datetime
    state: EdgeState
    reasons: tuple[str, ...] = ()
    """Why it was refused, on this path or another: each a sentence with the section of the standard."""

    @property
    def is_self_signed(self) -> bool:
        """Whether it is signed by the key that it is for."""
        return self.issuer == self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Shown):
    """Nodes and edges, trust anchors first, each once, in an order that the same certificates always come out in."""

    title: str
    nodes: tuple[PictureNode, ...]
    edges: tuple[PictureEdge, ...]
    time: datetime | None = None
    """When the certificates are judged at; None where that is not known."""
    left_out: str | None = None
    """What a limit kept out of the picture, in one sentence."""

    def to_json(self) -> dict[str, Any]:
        """Describe it for ``--json``: title, time, nodes, edges, left_out."""
        return {
            "title": self.title,
            "time": format_time(self.time) if self.time is not None else None,
            "nodes": [asdict(node) for node in self.nodes],
            "edges": [
                asdict(edge)
                | {
                    "not_before": format_time(edge.not_before),
                    "not_after": format_time(edge.not_after),
                    "state": edge.state.name.lower().replace("_", "-"),
                }
                for edge in self.edges
            ],
            "left_out": self.left_out,
        }
