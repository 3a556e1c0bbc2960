"""The output of ``diff``: lists of the certificates in each class, and the paths of targets by outcome."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pkcs12kit.cli.output.console import print_lines, terminal_width
from pkcs12kit.cli.output.tables import styled, table, unambiguous, wrapped
from pkcs12kit.comparison.classification import Relation
from pkcs12kit.comparison.targets import PathOutcome
from pkcs12kit.display.columns import Column
from pkcs12kit.display.labels import day, named, short_serial
from pkcs12kit.text import counted, harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from pkcs12kit.certificates.certificate import Certificate
    from pkcs12kit.comparison.changes import Change
    from pkcs12kit.comparison.classification import CertificatePair, OneSided
    from pkcs12kit.comparison.report import Comparison
    from pkcs12kit.comparison.targets import TargetComparison
    from pkcs12kit.paths.validation.verdict import ValidatedPath

_NAME: Final = 20
"""The fewest characters of a name in a row; with less room a certificate has two lines."""
_NARROW_NAME: Final = 12
_NAMED: Final = 10
"""Targets without a difference that are named one by one; more are only counted."""
_RELATIONS: Final = {Relation.SAME_KEY: "same key", Relation.SAME_SUBJECT: "other key", Relation.NONE: ""}
_OUTCOMES: Final = {
    PathOutcome.BROKE: "Broke: {} had a valid path before, and {} none after",
    PathOutcome.UNDECIDED: "Undecided: a limit ended the search for {}",
    PathOutcome.MADE: "Made: {} had no valid path before, and {} one after",
    PathOutcome.CHANGED: "Changed: the best path of {} is another",
    PathOutcome.SAME: "Same: the best path of {} did not change",
    PathOutcome.NONE: "None: no path of {} is valid, before or after",
}


def print_comparison(comparison: Comparison, before: str, after: str) -> None:
    """Print a comparison for people; ``before`` and ``after`` are the names of the two sides."""
    width = terminal_width()
    for line in _lines(comparison, before, after, width):
        print_lines(line)


def _lines(comparison: Comparison, before: str, after: str, width: int | None) -> Iterator[str]:
    sides = (("before", before, comparison.count_before), ("after", after, comparison.count_after))
    for side, name, number in sides:
        yield from wrapped(f"{side + ':':<8}{harmless(name)}, {counted(number, 'certificate')}", 8, width)
    for title, listed in (("Came", comparison.came), ("Went", comparison.went)):
        if listed:
            yield ""
            yield styled(f"{title}: {counted(len(listed), 'certificate')}", bold=True)
            yield from _table(listed, comparison.time, width)
    pairs = (
        ("Renewed, with the same key", comparison.renewed),
        ("Rekeyed, with another key", comparison.rekeyed),
        ("Encoded or signed otherwise, with the same contents", comparison.encoded_otherwise),
    )
    for title, changed in pairs:
        if changed:
            yield ""
            yield from wrapped(styled(f"{title}: {counted(len(changed), 'certificate')}", bold=True), 2, width)
            for pair in changed:
                yield from _pair(pair, width)
    yield from _paths(comparison, width)
    yield ""
    yield from wrapped(_summary(comparison), 2, width)


def _summary(comparison: Comparison) -> str:
    number = comparison.summary
    classes = ("came", "went", "renewed", "rekeyed", "encoded_otherwise", "unchanged")
    words = [f"{number[one]:,} {one.replace('_', ' ')}" for one in classes if number[one] or one == "unchanged"]
    unread = number["not_read_before"] + number["not_read_after"]
    words += [f"{unread:,} not read"] if unread else []
    paths = [f"{number[f'paths_{one.value}']:,} {one.value}" for one in PathOutcome if number[f"paths_{one.value}"]]
    end = f"; paths: {', '.join(paths)}" if paths else ""
    return f"{', '.join(words)}{end}; as of {format_time(comparison.time)}"


def _table(listed: Sequence[OneSided], time: datetime, width: int | None) -> Iterator[str]:
    """Yield a line for each certificate, or two where the terminal is too narrow; then what the last column means."""
    certificates = [one.certificate for one in listed]
    labels = unambiguous([name for one in certificates for name in (one.subject, one.issuer)])
    subjects = [labels[one.subject.relative_distinguished_names] for one in certificates]
    issuers = [labels[one.issuer.relative_distinguished_names] for one in certificates]
    serials = [one.serial_number_text for one in certificates]
    serials = serials if width is None else list(map(short_serial, serials))
    states = [_state(one, time) for one in certificates]
    relations = [_RELATIONS[one.relation] for one in listed]
    ends = [day(one.not_after) for one in certificates]
    columns = [
        Column("subject", subjects, _NAME),
        Column("issuer", issuers, _NAME),
        Column("serial", serials),
        Column("until", ends),
        Column("state", states),
        Column("other side", relations),
    ]
    narrow = [Column("subject", subjects, _NARROW_NAME), Column("until", ends), Column("state", states)]
    others = [
        [f"by {issuer}", f"#{serial}", *([f"other side: {relation}"] if relation else [])]
        for issuer, serial, relation in zip(issuers, serials, relations, strict=True)
    ]
    yield from table(columns, narrow, others, width)
    yield from (line for text in _meanings(relations) for line in wrapped(f"  {text}", 4, width))


def _meanings(relations: Sequence[str]) -> Iterator[str]:
    if "same key" in relations:
        yield "same key: the other side has a certificate with this subject and key, such as a cross-certificate"
    if "other key" in relations:
        yield "other key: the other side has this subject only with other keys"


def _state(certificate: Certificate, time: datetime) -> str:
    if time > certificate.not_after:
        return "expired"
    return "not yet" if time < certificate.not_before else ""


def _pair(pair: CertificatePair, width: int | None) -> Iterator[str]:
    yield from wrapped(f"  {harmless(pair.before.label)}, issued by {pair.before.issuer.label}", 4, width)
    if not pair.changes:
        yield from wrapped(f"    SHA-256: {pair.before.sha256} -> {pair.after.sha256}", 6, width)
    for change in pair.changes:
        yield from (line for text in _change(change) for line in wrapped(harmless(text), 6, width))


def _change(change: Change) -> Iterator[str]:
    if len(change.before) == len(change.after) == 1:
        yield f"    {change.name}: {change.before[0]} -> {change.after[0]}"
        return
    gone, new = Counter(change.before) - Counter(change.after), Counter(change.after) - Counter(change.before)
    if not gone and not new:
        yield f"    {change.name}: the same values in another order"
        return
    yield f"    {change.name}:"
    yield from (f"      - {value}" for value in gone.elements())
    yield from (f"      + {value}" for value in new.elements())


def _paths(comparison: Comparison, width: int | None) -> Iterator[str]:
    """Yield the targets by outcome, those together that depend on the same certificates."""
    became = {pair.before: "renewed" for pair in comparison.renewed}
    became |= {pair.before: "rekeyed" for pair in comparison.rekeyed}
    became |= {pair.before: "encoded otherwise" for pair in comparison.encoded_otherwise}
    groups: dict[tuple[object, ...], list[TargetComparison]] = {}
    order = list(PathOutcome)
    for one in sorted(comparison.targets, key=lambda target: order.index(target.outcome)):
        groups.setdefault((one.outcome, one.missing, one.decisive), []).append(one)
    for targets in groups.values():
        yield ""
        outcome, several = targets[0].outcome, len(targets) > 1
        head = _OUTCOMES[outcome].format(counted(len(targets), "target"), "have" if several else "has")
        yield from (styled(line, bold=True) for line in wrapped(head, 2, width))
        differs = outcome not in {PathOutcome.SAME, PathOutcome.NONE}
        if differs or len(targets) <= _NAMED:
            for one in targets:
                yield from wrapped(f"  {named(one.target)}", 4, width)
        else:
            yield "  --json names them"
        if differs:
            yield from _reasons(targets, became, width)


def _reasons(targets: Sequence[TargetComparison], became: dict[Certificate, str], width: int | None) -> Iterator[str]:
    """Yield the paths of the first of several targets, and the certificates on which they depend."""
    first = targets[0]
    whose = " for the first of them" if len(targets) > 1 else ""
    lines = []
    for side, path in (("before", first.path_before), ("after", first.path_after)):
        if path is not None:
            lines.append(f"{side}{whose}: {_chain(path)}")
    is_broken = bool(first.path_before) and not first.path_after
    lines += [
        f"missing after: {named(one)}, {became.get(one, 'went')}" if is_broken else f"missing before: {named(one)}"
        for one in first.missing
    ]
    if first.decisive:
        names = " or ".join(map(named, first.decisive))
        what = "each is enough on its own" if len(first.decisive) > 1 else "it is enough on its own"
        lines.append(f"{'put back' if is_broken else 'new'}, {what}: {names}")
    elif first.missing and first.all_tried:
        lines.append("no single certificate is enough; those that are missing are, together")
    if not first.all_tried:
        lines.append("not all certificates were tried: limits.comparison_searches ended the search")
    for side, closest, report in (
        ("before", first.closest_before, first.before),
        ("after", first.closest_after, first.after),
    ):
        if closest is not None and (side == "after" or first.outcome is PathOutcome.UNDECIDED):
            lines.append(f"{side}{whose}, the closest attempt: {closest}")
        if report.incomplete is not None:
            lines.append(f"{side}, the search was cut short: {report.incomplete}")
    yield from (line for text in lines for line in wrapped(harmless(f"    {text}"), 6, width))


def _chain(path: ValidatedPath) -> str:
    names = [one.label for one in path.certificates]
    return f"{' <- '.join([*names, path.trust_anchor.label])}, until {day(path.expires)}"
