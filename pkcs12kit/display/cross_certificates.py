"""Other certificates of the CA whose paths were searched, as text for a terminal (by rich)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.display.labels import day, labelled
from pkcs12kit.text import counted, harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.paths.report import CrossCertificate, PathReport

_SHOWN: Final = 8
_WITHOUT_SEARCH: Final = "its paths were not searched"


def other_certificates(report: PathReport) -> Iterator[Tree | Text]:
    """Yield the cross-certificates of a self-issued target, or of a CA without a valid path, and its look-alikes."""
    target = report.target
    if not target.is_self_issued and report.valid:
        return
    if report.cross_certificates:
        yield _tree(
            f"Cross-certificates of {target.label} (same name and key) among the certificates given:",
            [_crossed(one, brief=bool(report.valid)) for one in report.cross_certificates],
        )
    elif target.is_self_issued and target.is_ca and not report.valid:
        yield Text(f"No cross-certificate of {target.label} (same name and key) is among the certificates given.")
    if report.same_name_other_key:
        yield _tree(
            f"Not cross-certificates of it: the same name, but another key than {target.label}:",
            [_issued(one) for one in report.same_name_other_key],
        )


def in_words(found: CrossCertificate) -> str:
    """Return where a cross-certificate leads, or why it leads nowhere."""
    if found.path is not None:
        path, anchor = found.path, found.path.trust_anchor.label
        size = counted(len(path.with_anchor), "certificate")
        return f"leads to {anchor}: {size}, valid until {format_time(path.expires)}"
    if found.closest is None:
        return "leads to no trust anchor" if found.searched else _WITHOUT_SEARCH
    first = found.closest.failures[0]
    about = "" if first.certificate == found.certificate else f"{first.certificate.label} "
    outcome = "leads to no trust anchor" if found.leads_to_anchor is False else "not known where it leads"
    return harmless(f"{outcome}: {about}{first.detail}  [{first.section}]")


def _crossed(found: CrossCertificate, *, brief: bool) -> Text:
    style = {True: "green", False: "red", None: "dim"}[found.leads_to_anchor]
    line = _issued(found.certificate)
    if found.state != "valid":
        line.append(f"  {found.state.replace('-', ' ')}", style="yellow")
    if brief and found.path is None:  # the target is a trust anchor itself
        return line
    return line.append(f"  {in_words(found)}", style=style)


def _issued(certificate: Certificate) -> Text:
    line = labelled(certificate).append(" issued by ", style="default").append(certificate.issuer.label, style="cyan")
    return line.append(f"  until {day(certificate.not_after)}", style="default")


def _tree(title: str, lines: list[Text]) -> Tree:
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    for line in lines[:_SHOWN]:
        tree.add(line)
    if len(lines) > _SHOWN:
        tree.add(Text(f"and {len(lines) - _SHOWN:,} more; --json has them all", style="dim"))
    return tree
