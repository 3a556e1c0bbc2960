"""Comparisons of two sets of certificates: tables of those that came and went, lists of changes, paths of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkcs12kit.comparison.targets import PathOutcome
from pkcs12kit.notebook.chains import path_body
from pkcs12kit.notebook.html import (
    Element,
    badge,
    element,
    facts,
    folded,
    joined,
    left_out,
    lines,
    part,
    said,
    title,
)
from pkcs12kit.notebook.pools import certificates_table, rejects_list
from pkcs12kit.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkcs12kit.comparison.classification import CertificatePair
    from pkcs12kit.comparison.report import Comparison
    from pkcs12kit.comparison.targets import TargetComparison
    from pkcs12kit.notebook.html import Node, View
    from pkcs12kit.paths.report import PathReport

_KINDS: Final = {
    PathOutcome.BROKE: "bad",
    PathOutcome.UNDECIDED: "bad",
    PathOutcome.MADE: "good",
    PathOutcome.SAME: "good",
}
_CLASSES: Final = ("came", "went", "renewed", "rekeyed", "encoded_otherwise", "unchanged")


def draw_comparison(comparison: Comparison, view: View) -> Element:
    """Return the differences of two sets of certificates, and the outcome for each target."""
    view = view.at(comparison.time)
    counts = comparison.summary
    return element(
        "div",
        title(
            f"Comparison of {counted(comparison.count_before, 'certificate')} before with"
            f" {comparison.count_after:,} after"
        ),
        element("p", *(badge(f"{counts[one]:,} {one.replace('_', ' ')}") for one in _CLASSES if counts[one])),
        *(said(warning, "bad") for warning in comparison.warnings[: view.limits.notebook_items]),
        left_out(len(comparison.warnings) - view.limits.notebook_items, "warnings"),
        *_targets(comparison, view),
        *(
            folded(f"{counted(len(listed), 'certificate')} {name}", certificates_table(listed, view))
            for name, listed in (
                ("came", [one.certificate for one in comparison.came]),
                ("went", [one.certificate for one in comparison.went]),
            )
            if listed
        ),
        *(
            folded(f"{counted(len(pairs), 'certificate')} {name}", *_pairs(pairs, view))
            for name, pairs in (
                ("renewed", comparison.renewed),
                ("rekeyed", comparison.rekeyed),
                ("encoded otherwise", comparison.encoded_otherwise),
            )
            if pairs
        ),
        rejects_list((*comparison.rejects_before, *comparison.rejects_after), view),
    )


def _target(one: TargetComparison, view: View) -> Element:
    """Return the outcome for one target, and its best path before and after."""
    rows = [
        ("missing", joined([certificate.label for certificate in one.missing], view)),
        ("enough on its own", joined([certificate.label for certificate in one.decisive], view)),
    ]
    return element(
        "div",
        title(said(one.outcome.value, _KINDS.get(one.outcome, "muted")), f" {one.target.label}"),
        facts([(name, value) for name, value in rows if value]),
        *_side("before", one.before, view),
        *_side("after", one.after, view),
    )


def _targets(comparison: Comparison, view: View) -> Iterator[Node]:
    for outcome in PathOutcome:
        targets = [one for one in comparison.targets if one.outcome is outcome]
        if targets:
            shown = targets[: view.limits.notebook_paths]
            yield folded(
                f"{counted(len(targets), 'path')}: {outcome.value}",
                *(_target(one, view) for one in shown),
                left_out(len(targets) - len(shown), "targets"),
            )


def _side(name: str, report: PathReport, view: View) -> Iterator[Node]:
    yield part(name)
    if report.valid:
        yield from path_body(report.valid[0], view)
    else:
        yield said(f"no valid path: {report.rejected[0]}" if report.rejected else "no valid path", "bad")


def _pairs(pairs: tuple[CertificatePair, ...], view: View) -> Iterator[Node]:
    shown = pairs[: view.limits.notebook_items]
    for pair in shown:
        yield part(f"{pair.before.label}, issued by {pair.before.issuer.label}")
        yield lines(
            [
                f"{change.name}: {', '.join(change.before) or 'none'} → {', '.join(change.after) or 'none'}"
                for change in pair.changes
            ],
            view,
            show=str,
        )
    yield left_out(len(pairs) - len(shown), "certificates")
