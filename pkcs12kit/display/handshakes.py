"""Results of clients and devices as text for a terminal (by rich): a table, and below it the reasons of failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pkcs12kit.display.rows import ClientTable, device_rows
from pkcs12kit.findings import Answer
from pkcs12kit.text import counted, harmless
from pkcs12kit.tls.handshake import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.devices.judge import DeviceVerdict
    from pkcs12kit.tls.handshake import Handshake

_ANSWERS: Final = {
    Answer.YES: ("would accept", "green"),
    Answer.NO: ("would refuse", "bold red"),
    Answer.UNKNOWN: ("not known", "yellow"),
}
_STYLES: Final = {Verdict.ACCEPTED: "green", Verdict.REFUSED: "bold red", Verdict.NOT_TRIED: "dim"}


def handshake_table(
    handshakes: Sequence[Handshake], *, served: Sequence[Certificate], required: Iterable[str]
) -> Iterator[RenderableType]:
    """Yield a table of clients by TLS version, and below it the reasons of the clients that did not accept.

    Clients in ``required`` are marked: if one of them does not accept, the answer is no.
    """
    required = frozenset(required)
    results = ClientTable.of(handshakes, required)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("client", "version", *results.protocols, "received"):
        table.add_column(column, overflow="fold")
    for row in results.rows:
        name = Text.assemble((harmless(row.client), "bold"), (" *" if row.is_required else ""))
        verdicts = [Text(verdict.value.replace("-", " "), style=_STYLES[verdict]) for verdict in row.verdicts]
        received = _received(row.handshakes, served)
        table.add_row(name, Text(harmless(row.version), style="dim"), *verdicts, received)
    yield table
    if required:
        yield Text("* without its yes, the answer is no", style="dim")
    yield from _reasons(handshakes)


def _received(handshakes: Sequence[Handshake], served: Sequence[Certificate]) -> Text:
    """Return a summary of the certificates received: once if they are the same in each TLS version."""
    came = [handshake.received for handshake in handshakes if handshake.received is not None]
    if not came:
        return Text("-", style="dim")
    octets = list(dict.fromkeys(f"{message.size:,}" for message in came))
    text = Text(f"{counted(len(came[0].certificates), 'certificate')}, {' or '.join(octets)} bytes, ")
    if all(message.certificates == tuple(served) for message in came):
        return text.append("as served")
    return text.append("not as served", style="bold red")


def _reasons(handshakes: Sequence[Handshake]) -> Iterator[Tree]:
    """Yield a tree of reasons for each verdict other than accepted; each reason once."""
    for verdict, title in ((Verdict.REFUSED, "Refused:"), (Verdict.NOT_TRIED, "Not tried:")):
        reasons: dict[tuple[str, str], list[str]] = {}
        for handshake in handshakes:
            if handshake.verdict is verdict:
                reasons.setdefault((handshake.client, handshake.why), []).append(handshake.protocol)
        if not reasons:
            continue
        tree = Tree(Text(title, style="bold"), guide_style="dim")
        for (client, why), protocols in reasons.items():
            line = Text.assemble((harmless(client), "bold"), (f" {', '.join(protocols)}", "dim"), ": ")
            tree.add(line.append(harmless(why), style=_STYLES[verdict]))
        yield tree


def device_tree(verdicts: Iterable[DeviceVerdict], *, title: str = "By rule, not tried") -> Tree:
    """Return a tree of devices that are judged by rules, with the answer of each and its reasons."""
    tree = Tree(Text(f"{title}:", style="bold"), guide_style="dim")
    for row in device_rows(verdicts):
        answer, style = _ANSWERS[row.answer]
        branch = tree.add(Text.assemble((row.device, "bold"), (f"  {row.title}", "dim"), "  ", (answer, style)))
        for reason in row.reasons:
            text = Text(harmless(reason.text), style=style if reason.is_refusal else "")
            if reason.source:
                text.append(f"  [{harmless(reason.source)}]", style="dim")
            branch.add(text)
    return tree
