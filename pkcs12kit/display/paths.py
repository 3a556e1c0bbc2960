"""Results of a path search as text for a terminal (by rich): valid paths as trees, rejected paths in a few lines.

The closest attempt is shown in full. Of the rest, failures with one reason and one issuer are one line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pkcs12kit.display.cross_certificates import other_certificates
from pkcs12kit.display.evidence_lines import add_evidence, finding_above_evidence
from pkcs12kit.display.explanations import explanation_lines, policies_of, policy_lines
from pkcs12kit.display.labels import labelled, with_expiry
from pkcs12kit.display.notes import notes_tree
from pkcs12kit.display.rows import may_have_others, same_for_others, search_cut_short, would_be_valid
from pkcs12kit.errors import FailureReason
from pkcs12kit.text import harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from pkcs12kit.certificates.names import Name
    from pkcs12kit.display.explanations import PolicyLine
    from pkcs12kit.paths.failure import Failure
    from pkcs12kit.paths.report import PathReport, RejectedPath
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_LINES: Final = 5
"""Lines of failures shown besides the closest attempt."""


def path_tree(path: ValidatedPath, *, number: int | None = None, before_next: str | None = None) -> Tree:
    """Return a tree of one valid path from the target up, one certificate a line, the trust anchor last."""
    title = Text("Path" if number is None else f"Path {number}", style="bold")
    title.append(f", valid until {format_time(path.expires)}", style="not bold")
    tree = Tree(title, guide_style="dim")
    branch: Tree = tree
    for certificate in path.certificates:
        line = with_expiry(certificate)
        if certificate.not_after == path.expires:
            line.append("  expires first", style="yellow")
        branch = branch.add(line)
    anchor = path.trust_anchor
    if anchor.certificate not in path.certificates:  # the target may be the trust anchor itself
        line = with_expiry(anchor.certificate) if anchor.certificate is not None else Text(anchor.label)
        branch.add(line)
    line.append("  trust anchor", style="bold green")
    policies = policies_of(path)
    if policies:
        tree.add(Text(f"policies: {', '.join(policies)}", style="dim"))
    if before_next is not None:
        tree.add(Text(f"before the next: {harmless(before_next)}", style="dim"))
    return tree


def path_report(report: PathReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield the valid paths of a search with notes on their certificates, and the rejected paths.

    The rejected paths are left out where a path is valid, unless ``every`` is set.
    """
    reasons = dict(enumerate(report.before_next, start=1))
    for number, path in enumerate(report.valid, start=1):
        yield path_tree(path, number=number if every else None, before_next=reasons.get(number) if every else None)
    if not report.valid:
        yield Text(f"No valid path from {report.target.label} to a trust anchor.", style="bold red")
    yield from notes_tree(report.notes)
    if every or not report.valid:
        yield from rejected_paths(report)
    yield from other_certificates(report)
    cut_short = search_cut_short(report)
    if cut_short is not None:
        yield Text(harmless(cut_short), style="yellow")


def rejected_paths(report: PathReport) -> Iterator[Tree]:
    """Yield the closest attempt, where no path is valid, and a summary of the other attempts; each failure once.

    Where the target itself makes every path invalid, the closest attempt shows it and the others are only counted.
    """
    shown: set[Failure] = set()
    rest = list(report.rejected)
    title = "What was refused:"
    if not report.valid and rest:
        tree = Tree(Text("The closest attempt:", style="bold"), guide_style="dim")
        while rest:
            closest = rest.pop(0)
            _attempt(tree, closest)
            shown.update(closest.failures)
            if closest.reason is not FailureReason.BUDGET_EXHAUSTED:  # another attempt may be closer
                break
        hopeless = any(
            failure.certificate == report.target and failure.of_the_certificate_alone for failure in closest.failures
        )
        if hopeless and rest:
            tree.add(_more(rest))
            rest = []
        yield tree
        title = "Beside it:"
    if rest:
        yield _summary(title, rest, shown)


def _attempt(tree: Tree, path: RejectedPath) -> None:
    """Add one attempt to a tree: its certificates, their failures, and the time at which it would be valid."""
    branch = tree
    if path.certificates != (path.certificate,):
        branch = tree.add(Text(" <- ".join(certificate.label for certificate in path.certificates)))
    for failure in path.failures:
        shown = branch.add(_failure(failure, above_evidence=True))
        _explained(shown, failure)
        add_evidence(shown, failure)
    remarks = ((would_be_valid(path), "yellow"), (may_have_others(path), "yellow"), (same_for_others(path), "dim"))
    for remark, style in remarks:
        if remark is not None:
            branch.add(Text(remark, style=style))


def _failure(failure: Failure, *, brief: bool = False, above_evidence: bool = False) -> Text:
    line = labelled(failure.certificate)
    finding = harmless(finding_above_evidence(failure)) if above_evidence else _finding(failure, brief=brief)
    line.append(f": {finding}", style="red")
    return line.append(f"  [{failure.section}]", style="dim")


def _explained(branch: Tree, failure: Failure) -> None:
    """Add the causes of a failure to its branch, what would pass, and the table of policies."""
    for line in explanation_lines(failure):
        label, _, rest = line.partition(": ")
        branch.add(Text.assemble((f"{label}: ", "bold"), harmless(rest)))
    if failure.policies:
        branch.add(_policy_table(policy_lines(failure)))


def _policy_table(lines: Sequence[PolicyLine]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "certificate", "states", "expected", "valid", "required"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(str(line.depth), *map(harmless, line[1:]))
    return table


def _finding(failure: Failure, *, brief: bool) -> str:
    """Return the sentence of a failure; a short one about a missing issuer where ``brief`` is set."""
    if brief and failure.reason is FailureReason.ISSUER_NOT_FOUND and failure.missing_issuer is not None:
        return f"its issuer {failure.missing_issuer.name.label} was not supplied"
    return harmless(failure.detail)


def _summary(title: str, rejected: list[RejectedPath], shown: set[Failure]) -> Tree:
    """Return a tree of failures by reason and issuer, in the order of the report."""
    groups: dict[tuple[FailureReason, Name], dict[Failure, RejectedPath]] = {}
    for path in rejected:
        for failure in path.failures:
            if failure not in shown:
                groups.setdefault((failure.reason, failure.certificate.issuer), {}).setdefault(failure, path)
    tree = Tree(Text(title, style="bold"), guide_style="dim")
    for number, ((reason, issuer), failures) in enumerate(groups.items()):
        if number == _LINES:
            left = {id(path): path for group in list(groups.values())[_LINES:] for path in group.values()}
            tree.add(_more(left.values()))
            break
        tree.add(_group(reason, issuer, list(failures)))
    return tree


def _group(reason: FailureReason, issuer: Name, failures: Sequence[Failure]) -> Text:
    """Return one line about failures with one reason and certificates of one issuer."""
    certificates = {failure.certificate for failure in failures}
    if len(certificates) == 1:
        line = _failure(failures[0], brief=True)
        return line.append(f"  and {len(failures) - 1} more", style="dim") if len(failures) > 1 else line
    line = Text.assemble(f"{len(certificates)} certificates issued by ", (issuer.label, "cyan"))
    if reason is FailureReason.EXPIRED:
        last = format_time(max(certificate.not_after for certificate in certificates))
        line.append(f": expired, the last on {last}", style="red")
    elif reason is FailureReason.NOT_YET_VALID:
        first = format_time(min(certificate.not_before for certificate in certificates))
        line.append(f": not valid yet, the first from {first}", style="red")
    else:
        line.append(f": {reason.value}, for example ", style="red")
        line.append_text(labelled(failures[0].certificate)).append(f": {_finding(failures[0], brief=True)}")
    return line.append(f"  [{failures[0].section}]", style="dim")


def _more(left: Iterable[RejectedPath]) -> Text:
    return Text(f"and {len(list(left))} more; --json has them all", style="dim")
