"""The anatomy of a PKCS#12 file as text for a terminal (by rich)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.display.labels import with_expiry
from pkcs12kit.findings import Answer
from pkcs12kit.pkcs12.readers import judge
from pkcs12kit.text import counted, harmless, quoted_name
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.pkcs12.encryption import Encryption
    from pkcs12kit.pkcs12.inspection import BagReport, PfxReport, SafeContentsReport
    from pkcs12kit.pkcs12.mac import Mac

_USUAL_ENCODINGS: Final = frozenset({"UTF-16BE with terminator", "UTF-8", "absent", "empty"})


def pfx_tree(report: PfxReport, *, title: str) -> Tree:
    """Return a tree of the anatomy of a PFX."""
    tree = Tree(Text(harmless(title), style="bold"), guide_style="dim")
    tree.add(_mac(report))
    for number, safe in enumerate(report.safe_contents, start=1):
        _safe_contents(tree, safe, number, report)
    for line in _findings(report):
        tree.add(line)
    return tree


def mac_in_words(mac: Mac | None) -> str:
    """Return the algorithm, the hash, the iterations and the length of the salt of a MAC, or ``none``."""
    if mac is None:
        return "none"
    if mac.salt is None or mac.iterations is None:
        return mac.algorithm
    iterations, salt = counted(mac.iterations, "iteration"), counted(len(mac.salt), "byte")
    return f"{mac.algorithm}, {mac.digest}, {iterations}, {salt} of salt"


def encryption_in_words(encryption: Encryption | None) -> str:
    """Return the cipher and the key derivation of an encryption; ``in the clear`` for None."""
    if encryption is None:
        return "in the clear"
    parts = [encryption.algorithm]
    if encryption.cipher is not None:
        parts.append(encryption.cipher)
    if encryption.kdf is not None:
        parts.append(f"{encryption.kdf} with {encryption.digest}" if encryption.digest is not None else encryption.kdf)
    if encryption.iterations is not None:
        parts.append(counted(encryption.iterations, "iteration"))
    return "encrypted: " + ", ".join(parts) + ("" if encryption.is_supported else ", which is not supported")


def why_closed(safe: SafeContentsReport, report: PfxReport) -> str:
    """Return why the contents of a SafeContents are not shown: a password is only asked for where one can help."""
    if safe.encryption is not None and not safe.encryption.is_supported:
        return "not opened"
    if report.mac_verified is False:
        return "not opened with this password"
    return "not opened" if report.unopened else "closed without the password"


def unusual_passwords(report: PfxReport) -> Iterator[str]:
    """Yield a sentence for each part that is opened by another password or by an encoding that few programs use."""
    for use in report.password_uses:
        if use.contents_password or use.encoding not in _USUAL_ENCODINGS:
            second = ", by the password of the contents" if use.contents_password else ""
            yield f"{use.part}: password as {use.encoding} in {use.kdf}{second}"


def _findings(report: PfxReport) -> Iterator[Text]:
    """Yield the results for the file: expiry, problems, unusual passwords, and the programs that can read it."""
    if report.expires is not None:
        yield Text(f"First expiry: {format_time(report.expires)}")
    if report.arrangement is not None:
        for problem in report.arrangement.problems:
            yield Text(harmless(problem), style="yellow")
    for note in report.notes:
        yield Text(harmless(note), style="yellow")
    if report.trailing_bytes:
        yield Text(f"Bytes after the PKCS#12 file: {report.trailing_bytes:,}", style="yellow")
    for sentence in unusual_passwords(report):
        yield Text(sentence, style="yellow")
    yield from _readers(report)


def _readers(report: PfxReport) -> Iterator[Text]:
    """Yield the readers that can open the file and those that cannot; of a closed file for its protection alone."""
    verdicts = {name: verdict for name, verdict in report.readers.items() if verdict.versions == (name,)}
    if not report.facts.complete:
        opened = judge(replace(report.facts, complete=True))
        names = [name for name in verdicts if opened[name].answer is Answer.YES]
        if names:
            yield Text(f"Its protection is supported by: {', '.join(names)}")
    for answer, label in ((Answer.YES, "Can be imported by"), (Answer.NO, "Cannot be imported by")):
        names = [name for name, verdict in verdicts.items() if verdict.answer is answer]
        if names:
            yield Text(f"{label}: {', '.join(names)}")


def _mac(report: PfxReport) -> Text:
    line = Text(f"MAC: {mac_in_words(report.mac)}", style="" if report.mac else "yellow")
    if report.mac is None:
        return line
    verdicts = {True: ("verified", "green"), False: ("wrong password", "red"), None: ("not verified", "dim")}
    verdict, style = verdicts[report.mac_verified]
    return line.append(f"  {verdict}", style=style)


def _safe_contents(tree: Tree, safe: SafeContentsReport, number: int, report: PfxReport) -> None:
    branch = tree.add(Text(f"SafeContents {number}, {encryption_in_words(safe.encryption)}"))
    if safe.bags is None:
        branch.add(Text(why_closed(safe, report), style="dim"))
        return
    for bag in safe.bags:
        _bag(branch, bag)


def _bag(tree: Tree, bag: BagReport) -> None:
    line = Text(bag.type, style="magenta")
    if bag.certificate is not None:
        line.append("  ").append_text(with_expiry(bag.certificate))
    if bag.end_entity:
        line.append("  end-entity", style="bold green")
    branch = tree.add(line)
    if bag.encryption is not None:
        branch.add(Text(encryption_in_words(bag.encryption)))
    if bag.unread_key is not None:
        algorithm = bag.unread_key.algorithm
        branch.add(Text(f"not read{'' if algorithm is None else f': {algorithm}'}", style="red"))
    attributes = []
    if bag.friendly_name is not None:
        attributes.append(f"friendlyName {quoted_name(bag.friendly_name, longest=None)}")
    if bag.local_key_id is not None:
        attributes.append(f"localKeyID {bag.local_key_id.hex()}")
    if attributes:
        branch.add(Text(", ".join(attributes), style="dim"))
