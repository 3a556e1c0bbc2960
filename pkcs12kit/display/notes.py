"""Notes on certificates as text for a terminal (by rich): a few for each certificate, the weightiest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.certificates.lint.rules import ClientEffect
from pkcs12kit.display.labels import labelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.lint.certificate_notes import CertificateNote

_SHOWN: Final = 3
"""Notes shown for one certificate."""
_CLIENTS: Final = 3
"""Clients named in one note, of each effect."""


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
            branch.add(line.append(f"  {refusals(note, at_most=_CLIENTS)}", style="yellow") if note.clients else line)
        if len(several) > _SHOWN:
            branch.add(Text(f"and {len(several) - _SHOWN} more; --json has them all", style="dim"))
    yield tree


def refusals(note: CertificateNote, *, at_most: int | None = None) -> str:
    """Return the clients that are known to refuse the certificate of a note: ``refused by Go, Python since 3.13``.

    Of more than ``at_most`` clients, the others are counted.
    """
    by_effect: dict[ClientEffect, list[str]] = {}
    for client in note.clients:
        by_effect.setdefault(client.effect, []).append(str(client))
    words = {
        ClientEffect.REFUSED: "refused by",
        ClientEffect.REFUSED_BELOW_SHIPPED_ROOTS: "refused, below roots that come with the client, by",
    }
    return "; ".join(
        f"{words[effect]} {_listed(by_effect[effect], at_most)}" for effect in words if effect in by_effect
    )


def _listed(clients: Sequence[str], at_most: int | None) -> str:
    more = 0 if at_most is None else len(clients) - at_most
    return f"{', '.join(clients[:at_most])} and {more} more" if more > 0 else ", ".join(clients)


def _weight(note: CertificateNote) -> int:
    effects = {client.effect for client in note.clients}
    return 0 if ClientEffect.REFUSED in effects else 1 if effects else 2
