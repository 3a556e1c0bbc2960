"""Pictures as values: a node is a (subject, key), an edge is a certificate (RFC 4158 section 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pkcs12kit.arguments import require_kind, require_texts
from pkcs12kit.notebook_hook import Shown
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from datetime import datetime


class EdgeState(Enum):
    """The state of a certificate, the most important first: where two apply, it has the first."""

    CHOSEN = "on the best path"
    VALID = "on another valid path"
    EXPIRED = "expired at the time"
    NOT_YET_VALID = "not yet valid at the time"
    REJECTED = "refused"
    OTHER = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """A (subject, key). ``name`` comes from certificates as it is: the functions that draw it make it safe."""

    id: str
    """An identifier that is unique in the picture, of ASCII letters and digits."""
    label: str
    """The label of the name (:attr:`Name.label <pkcs12kit.Name.label>`)."""
    name: str
    """The whole name, as RFC 4514 text."""
    key: str | None = None
    """The first digits of the key identifier (hexadecimal), where other nodes have the same name."""
    is_trust_anchor: bool = False
    """True if the node is a trust anchor."""
    is_target: bool = False
    """True if the node is the subject of the target."""
    is_missing: bool = False
    """True if certificates name it as their issuer, but its own certificate and key are not in the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureEdge:
    """A certificate, from its issuer to its subject (by id). A self-signed one leads from a node to itself."""

    issuer: str
    """The id of the issuer's node."""
    subject: str
    """The id of the subject's node."""
    serial: str
    """The serial number as text."""
    sha256: str
    """The SHA-256 fingerprint of the DER, hexadecimal."""
    not_before: datetime
    """The first instant of the validity, timezone-aware."""
    not_after: datetime
    """The last instant of the validity, timezone-aware."""
    state: EdgeState
    """The state of the certificate, as far as the search or the time decides it."""
    reasons: tuple[str, ...] = ()
    """The reasons why it was refused, on any path: each a sentence with the section of the standard."""

    @property
    def is_self_signed(self) -> bool:
        """True if issuer and subject are the same node."""
        return self.issuer == self.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Shown):
    """Nodes and edges, each once, trust anchors first. The same certificates always give the same order."""

    title: str
    """The heading of the picture."""
    nodes: tuple[PictureNode, ...]
    """The nodes, trust anchors first."""
    edges: tuple[PictureEdge, ...]
    """The certificates, in the order of their issuers and subjects."""
    time: datetime | None = None
    """The time for which the certificates are judged; None where it is not known."""
    left_out: str | None = None
    """A sentence about the certificates that a limit kept out of the picture."""

    def to_json(self) -> dict[str, Any]:
        """Return the values for ``--json``: title, time, nodes, edges, left_out."""
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


def require_picture(picture: object, title: object) -> None:
    """Raise :class:`~pkcs12kit.ArgumentError` unless these are a picture, and a title or None."""
    require_kind("picture", picture, Picture)
    require_texts(title=title)
