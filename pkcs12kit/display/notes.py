"""Notes on certificates as text for a terminal (by rich): a few for each certificate, the weightiest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.certificates.lint.rules import ClientEffect
from pkcs12kit.display.labels import labelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote

_SHOWN: Final = 3
"""Notes shown for one certificate."""


def notes_tree(notes: Iterable[CertificateNote]) -> Iterator[Tree]:
    """Yield one tree of notes, by certificate, with the clients that are known to refuse; nothing without notes."""
    grouped: dict[Certificate, list[CertificateNote]] = {}
    for note in notes:
        grouped.setdefault(note.certificate, []).append(note)
    if not grouped:
        return
    title = Text.assemble(("Notes", "bold"), " on certificates; the answer does not depend on them:")
    tree = Tree(title, guide_style="dim")
    for certificate, several in grouped.items():
        branch = tree.add(labelled(certificate))
        for note in sorted(several, key=_weight)[:_SHOWN]:
            line = Text.assemble(note.why, (f"  [{note.source}]", "dim"))
            branch.add(line.append(f"  {refusals(note)}", style="yellow") if note.clients else line)
        if len(several) > _SHOWN:
            branch.add(Text(f"and {len(several) - _SHOWN} more; --json has them all", style="dim"))
    yield tree


def refusals(note: CertificateNote) -> str:
    """Return the clients that are known to refuse the certificate of a note: ``refused by Go, Python since 3.13``."""
    by_effect: dict[ClientEffect, list[str]] = {}
    for client in note.clients:
        by_effect.setdefault(client.effect, []).append(str(client))
    words = {
        ClientEffect.REFUSED: "refused by",
        ClientEffect.REFUSED_BELOW_SHIPPED_ROOTS: "refused, below roots that come with the client, by",
    }
    return "; ".join(f"{words[effect]} {', '.join(by_effect[effect])}" for effect in words if effect in by_effect)


def _weight(note: CertificateNote) -> int:
    effects = {client.effect for client in note.clients}
    return 0 if ClientEffect.REFUSED in effects else 1 if effects else 2
