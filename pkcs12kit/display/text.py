"""Reports as text for a terminal, by rich. Names come from outside: they are shown as text, never read as markup.

Trees keep to what a person compares: long serial numbers are shortened and validity is given to the day, in UTC. The
whole of both is in the JSON.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.certificates.times import format_time
from pkcs12kit.display.harmless import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.certificates.names import Name
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.inspection import BagReport, PfxReport, SafeContentsReport

_REJECTED_SHOWN: Final = 5
_SERIAL_SHOWN: Final = 16
_SERIAL_ENDS: Final = 5


def path_tree(path: ValidatedPath, *, number: int | None = None) -> Tree:
    """Draw one valid path from the target up, one certificate a line, the trust anchor last."""
    title = Text("Path" if number is None else f"Path {number}", style="bold")
    title.append(f", valid until {format_time(path.expires)}", style="not bold")
    tree = Tree(title, guide_style="dim")
    branch: Tree = tree
    for certificate in path.certificates:
        line = _certificate(certificate)
        if certificate.not_after == path.expires:
            line.append("  expires first", style="yellow")
        branch = branch.add(line)
    anchor = path.trust_anchor
    line = _certificate(anchor.certificate) if anchor.certificate is not None else Text(_short(anchor.name))
    branch.add(line.append("  trust anchor", style="bold green"))
    if path.authority_constrained_policy_set:
        policies = sorted(path.authority_constrained_policy_set, key=_arcs)
        tree.add(Text(f"policies: {', '.join(policies)}", style="dim"))
    return tree


def path_report(report: PathReport, *, every: bool) -> Iterator[RenderableType]:
    """Say what a search found: the valid paths and, with ``every`` or without one, why the closest others are none."""
    for number, path in enumerate(report.valid, start=1):
        yield path_tree(path, number=number if every else None)
    if not report.valid:
        yield Text(f"No valid path from {_short(report.target.subject)} to a trust anchor.", style="bold red")
    if every or not report.valid:
        yield from rejected_paths(report)
    if report.incomplete is not None:
        yield Text(f"The search was cut short: {harmless(report.incomplete)}", style="yellow")


def rejected_paths(report: PathReport) -> Iterator[Tree]:
    """Draw what was tried, the closest first, and what was not followed at all; each finding once, five of each.

    Where the target itself is at fault, whatever the path, the closest attempt says it and the others are not drawn.
    """
    tried = [path for path in report.rejected if path.certificates[0] == report.target]
    alone = [path for path in report.rejected if path.certificates[0] != report.target]
    if tried:
        hopeless = any(
            failure.certificate == report.target and failure.of_the_certificate_alone for failure in tried[0].failures
        )
        yield _tried(tried, at_most=1 if hopeless else _REJECTED_SHOWN)
        if hopeless:
            return
    if alone:
        tree = Tree(Text("What was not followed:", style="bold"), guide_style="dim")
        for path in alone[:_REJECTED_SHOWN]:
            tree.add(_failure(path.failures[0]))
        yield _and_more(tree, len(alone) - _REJECTED_SHOWN)


def pfx_tree(report: PfxReport, *, title: str) -> Tree:
    """Draw the anatomy of a PFX."""
    tree = Tree(Text(harmless(title), style="bold"), guide_style="dim")
    tree.add(_mac(report))
    for number, safe in enumerate(report.safe_contents, start=1):
        _safe_contents(tree, safe, number)
    return tree


def _short(name: Name) -> str:
    """Name it by its common name, or in whole where it has none."""
    return harmless(name.common_name or name) or "(no subject name)"


def _arcs(identifier: str) -> list[int]:
    return [int(arc) for arc in identifier.split(".")]


def _labelled(certificate: Certificate) -> Text:
    """Tell certificates of one subject apart by the serial number, the middle of a long one left out."""
    serial = str(certificate.serial_number)
    if len(serial) > _SERIAL_SHOWN:
        serial = f"{serial[:_SERIAL_ENDS]}...{serial[-_SERIAL_ENDS:]}"
    return Text.assemble((_short(certificate.subject), "cyan"), (f"  #{serial}", "dim"))


def _certificate(certificate: Certificate) -> Text:
    until = certificate.not_after.astimezone(UTC).date().isoformat()
    return _labelled(certificate).append(f"  until {until}", style="default")


def _tried(tried: list[RejectedPath], *, at_most: int) -> Tree:
    tree = Tree(Text("What was tried, the closest first:", style="bold"), guide_style="dim")
    told: set[Failure] = set()
    shown = 0
    for path in tried:
        news = [failure for failure in path.failures if failure not in told]
        if news and shown < at_most:
            _attempt(tree, path, news)
            told.update(news)
            shown += 1
    return _and_more(tree, len(tried) - shown)


def _attempt(tree: Tree, path: RejectedPath, news: list[Failure]) -> None:
    """Draw one path that was tried, with what was not said before of its certificates."""
    if path.certificates == (path.certificate,):
        branch = tree
    else:
        branch = tree.add(Text(" <- ".join(_short(certificate.subject) for certificate in path.certificates)))
    for failure in news:
        branch.add(_failure(failure))
    if len(news) < len(path.failures):
        branch.add(Text("and what is said above of its other certificates", style="dim"))


def _failure(failure: Failure) -> Text:
    line = _labelled(failure.certificate)
    line.append(f": {harmless(failure.detail)}", style="red")
    return line.append(f"  [{failure.section}]", style="dim")


def _and_more(tree: Tree, number: int) -> Tree:
    if number > 0:
        tree.add(Text(f"and {number} more; --json has them all", style="dim"))
    return tree


def _mac(report: PfxReport) -> Text:
    mac = report.mac
    if mac is None:
        return Text("MAC: none", style="yellow")
    line = Text(f"MAC: {mac.algorithm}")
    if mac.salt is not None:
        line.append(f", {mac.digest}, {mac.iterations:,} iterations, {len(mac.salt)} bytes of salt")
    verdicts = {True: ("verified", "green"), False: ("wrong password", "red"), None: ("not verified", "dim")}
    verdict, style = verdicts[report.mac_verified]
    return line.append(f"  {verdict}", style=style)


def _safe_contents(tree: Tree, safe: SafeContentsReport, number: int) -> None:
    protection = _encryption(safe.encryption) if safe.encryption is not None else "in the clear"
    branch = tree.add(Text(f"SafeContents {number}, {protection}"))
    if safe.bags is None:
        branch.add(Text("closed without the password", style="dim"))
        return
    for bag in safe.bags:
        _bag(branch, bag)


def _encryption(encryption: Encryption) -> str:
    parts = [encryption.algorithm]
    if encryption.cipher is not None:
        parts.append(encryption.cipher)
    if encryption.kdf is not None:
        parts.append(f"{encryption.kdf} with {encryption.digest}")
    if encryption.iterations is not None:
        parts.append(f"{encryption.iterations:,} iterations")
    return "encrypted: " + ", ".join(parts)


def _bag(tree: Tree, bag: BagReport) -> None:
    line = Text(bag.type, style="magenta")
    if bag.certificate is not None:
        line.append("  ").append_text(_certificate(bag.certificate))
    if bag.end_entity:
        line.append("  end-entity", style="bold green")
    branch = tree.add(line)
    if bag.encryption is not None:
        branch.add(Text(_encryption(bag.encryption)))
    attributes = []
    if bag.friendly_name is not None:
        attributes.append(f"friendlyName '{harmless(bag.friendly_name)}'")
    if bag.local_key_id is not None:
        attributes.append(f"localKeyID {bag.local_key_id.hex()}")
    if attributes:
        branch.add(Text(", ".join(attributes), style="dim"))
