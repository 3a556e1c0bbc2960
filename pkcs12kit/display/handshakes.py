"""What clients made of a server as text for a terminal, by rich: a table, and below it why some did not accept."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pkcs12kit.devices.judge import Bearing
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
    """Draw clients by versions of TLS, and what they received; then the reasons of those that did not accept.

    Clients in ``required`` are marked: their refusal is a no.
    """
    protocols = list(dict.fromkeys(handshake.protocol for handshake in handshakes))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("client", "version", *protocols, "received"):
        table.add_column(column, overflow="fold")
    wanted = frozenset(required)
    for client, own in groupby(handshakes, key=lambda handshake: handshake.client):
        by_protocol = {handshake.protocol: handshake for handshake in own}
        name = Text.assemble((harmless(client), "bold"), (" *" if client in wanted else ""))
        version = next((one.version for one in by_protocol.values() if one.version), "")
        verdicts = [_verdict(by_protocol.get(protocol)) for protocol in protocols]
        received = _received(list(by_protocol.values()), served)
        table.add_row(name, Text(harmless(_without_name(version, client)), style="dim"), *verdicts, received)
    yield table
    if wanted:
        yield Text("* its refusal makes the answer a no", style="dim")
    yield from _reasons(handshakes)


def _without_name(version: str, client: str) -> str:
    """Shorten ``GnuTLS 3.7.9`` in the row of gnutls to what is new in it."""
    name, _, rest = version.partition(" ")
    return (rest if name.lower() == client.lower() else version).replace("(", "").replace(")", "")


def _verdict(handshake: Handshake | None) -> Text:
    verdict = Verdict.NOT_TRIED if handshake is None else handshake.verdict
    return Text(verdict.value.replace("-", " "), style=_STYLES[verdict])


def _received(handshakes: Sequence[Handshake], served: Sequence[Certificate]) -> Text:
    """Sum up what came: once where it is the same by each version of TLS."""
    came = [handshake.received for handshake in handshakes if handshake.received is not None]
    if not came:
        return Text("-", style="dim")
    octets = list(dict.fromkeys(f"{message.size:,}" for message in came))
    text = Text(f"{counted(len(came[0].certificates), 'certificate')}, {' or '.join(octets)} bytes, ")
    if all(message.certificates == tuple(served) for message in came):
        return text.append("as served")
    return text.append("not as served", style="bold red")


def _reasons(handshakes: Sequence[Handshake]) -> Iterator[Tree]:
    """Say why clients did not accept, each reason once."""
    for verdict, title in ((Verdict.REFUSED, "Refused:"), (Verdict.NOT_TRIED, "Not tried:")):
        told: dict[tuple[str, str], list[str]] = {}
        for handshake in handshakes:
            if handshake.verdict is verdict:
                told.setdefault((handshake.client, handshake.why), []).append(handshake.protocol)
        if not told:
            continue
        tree = Tree(Text(title, style="bold"), guide_style="dim")
        for (client, why), protocols in told.items():
            line = Text.assemble((harmless(client), "bold"), (f" {', '.join(protocols)}", "dim"), ": ")
            tree.add(line.append(harmless(why), style=_STYLES[verdict]))
        yield tree


def device_tree(verdicts: Iterable[DeviceVerdict], *, title: str = "By rule, and not tried") -> Tree:
    """List what is known of devices that were not tried: the answer of each, and what it rests on."""
    tree = Tree(Text(f"{title}:", style="bold"), guide_style="dim")
    for verdict in verdicts:
        answer, style = _ANSWERS[verdict.answer]
        line = Text.assemble((verdict.device, "bold"), (f"  {verdict.title}", "dim"), "  ", (answer, style))
        branch = tree.add(line)
        for remark in verdict.remarks:
            about = "" if remark.certificate is None else f"{remark.certificate.label}: "
            text = Text(harmless(f"{about}{remark.why}"), style=style if remark.bearing is Bearing.REFUSED else "")
            if remark.source:
                text.append(f"  [{harmless(remark.source)}]", style="dim")
            branch.add(text)
    return tree
