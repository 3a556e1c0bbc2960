"""Reports as text for a terminal, by rich. Names come from outside: they are shown as text, never read as markup."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.certificates.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import RenderableType

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.paths.validation.verdict import ValidatedPath
    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.inspection import BagReport, PfxReport, SafeContentsReport

_REJECTED_SHOWN: Final = 5


def path_tree(path: ValidatedPath, *, number: int = 1) -> Tree:
    """Draw one valid path from the target up, one certificate a line, the trust anchor last."""
    title = Text(f"Path {number}: {len(path.certificates)} certificates", style="bold")
    title.append(f", valid until {format_time(path.expires)}", style="not bold")
    tree = Tree(title, guide_style="dim")
    branch: Tree = tree
    for certificate in path.certificates:
        branch = branch.add(_certificate(certificate))
    anchor = path.trust_anchor
    line = _certificate(anchor.certificate) if anchor.certificate is not None else Text(str(anchor.name))
    branch.add(line.append("  trust anchor", style="bold green"))
    if path.authority_constrained_policy_set:
        tree.add(Text(f"policies: {', '.join(sorted(path.authority_constrained_policy_set))}", style="dim"))
    return tree


def path_report(report: PathReport, *, every: bool) -> Iterator[RenderableType]:
    """Say what a search found: the valid paths and, with ``every`` or without one, why the closest others are none."""
    for number, path in enumerate(report.valid, start=1):
        yield path_tree(path, number=number)
    if not report.valid:
        yield Text(f"No valid path from {report.target.subject} to a trust anchor.", style="bold red")
    if report.rejected and (every or not report.valid):
        yield _rejected(report.rejected)
    if report.incomplete is not None:
        yield Text(f"The search was cut short: {report.incomplete}", style="yellow")


def pfx_tree(report: PfxReport, *, title: str) -> Tree:
    """Draw the anatomy of a PFX."""
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    tree.add(_mac(report))
    for number, safe in enumerate(report.safe_contents, start=1):
        _safe_contents(tree, safe, number)
    return tree


def _certificate(certificate: Certificate) -> Text:
    line = Text(certificate.subject.common_name or str(certificate.subject) or "(no subject name)", style="cyan")
    line.append(f"  #{certificate.serial_number}", style="dim")
    line.append(f"  until {format_time(certificate.not_after)}", style="default")
    return line


def _rejected(rejected: Iterable[RejectedPath]) -> Tree:
    tree = Tree(Text("What was tried, the closest first:", style="bold"), guide_style="dim")
    rejected = tuple(rejected)
    for attempt in islice(rejected, _REJECTED_SHOWN):
        names = [certificate.subject.common_name or str(certificate.subject) for certificate in attempt.certificates]
        branch = tree.add(Text(" <- ".join(names)))
        for failure in attempt.failures:
            branch.add(_failure(failure))
    if len(rejected) > _REJECTED_SHOWN:
        tree.add(Text(f"and {len(rejected) - _REJECTED_SHOWN} more; --json has them all", style="dim"))
    return tree


def _failure(failure: Failure) -> Text:
    certificate = failure.certificate
    line = Text(failure.reason.value, style="red")
    line.append(
        f"  {certificate.subject.common_name or certificate.subject} #{certificate.serial_number}", style="cyan"
    )
    line.append(f" {failure.detail}", style="default")
    return line.append(f"  [{failure.section}]", style="dim")


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
        branch.add(_bag(bag))


def _encryption(encryption: Encryption) -> str:
    parts = [encryption.algorithm]
    if encryption.cipher is not None:
        parts.append(encryption.cipher)
    if encryption.kdf is not None:
        parts.append(f"{encryption.kdf} with {encryption.digest}")
    if encryption.iterations is not None:
        parts.append(f"{encryption.iterations:,} iterations")
    return "encrypted: " + ", ".join(parts)


def _bag(bag: BagReport) -> Text:
    line = Text(bag.type, style="magenta")
    if bag.certificate is not None:
        line.append("  ").append_text(_certificate(bag.certificate))
    if bag.encryption is not None:
        line.append(f"  {_encryption(bag.encryption)}", style="default")
    if bag.friendly_name is not None:
        line.append(f"  friendlyName {bag.friendly_name!r}", style="default")
    if bag.local_key_id is not None:
        line.append(f"  localKeyID {bag.local_key_id.hex()}", style="dim")
    if bag.end_entity:
        line.append("  end-entity", style="bold green")
    return line
