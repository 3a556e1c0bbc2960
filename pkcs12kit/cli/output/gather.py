"""The text of a gathering: the path, the fetched bundles and certificates, and the URLs that gave nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.padding import Padding
from rich.text import Text
from rich.tree import Tree

from pkcs12kit.cli.output.console import size_in_words
from pkcs12kit.display.labels import labelled, with_expiry
from pkcs12kit.display.paths import path_report
from pkcs12kit.retrieval.bundles.checksums import ChecksumStatus
from pkcs12kit.retrieval.retrieved import Status
from pkcs12kit.text import counted, harmless
from pkcs12kit.times import format_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from pkcs12kit.retrieval.bundles.checksums import ChecksumVerdict
    from pkcs12kit.retrieval.bundles.published import PublishedBundle
    from pkcs12kit.retrieval.bundles.report import BundleChanges, BundleReport, Replacement
    from pkcs12kit.retrieval.gather import GatherReport
    from pkcs12kit.retrieval.output_folder import FolderReport
    from pkcs12kit.retrieval.retrieved import GatheredUrl, Retrieval


_LINES: Final = 20
"""The most lines of one kind that are shown; --json has them all."""

_MINUTES: Final = 120  # from here on, an age is in hours
_HOURS: Final = 48  # and from here on in days

_TITLES: Final = {
    ChecksumStatus.WEAK: "right, but weakly signed",
    ChecksumStatus.NOT_ANCHORED: "not proven",
    ChecksumStatus.BAD: "rejected",
}


def gathered(report: GatherReport, written: FolderReport, *, every: bool) -> Iterator[RenderableType]:
    """Yield the path or why none is valid, then the failures, the skipped URLs, the totals and the folder."""
    if report.report is not None:
        yield from path_report(report.report, every=every)
    failed = [url for url in report.urls if url.failed]
    if failed:
        yield _failures(failed)
    yield from _skipped(report)
    if report.incomplete is not None:
        yield Text(f"Cut short: {harmless(report.incomplete)}", style="yellow")
    answered = sum(url.answered for url in report.urls)
    fetched, asked = counted(len(report.certificates), "certificate"), counted(len(report.urls), "URL")
    cached = [each.retrieval.fetched for each in report.urls if each.retrieval.status is Status.CACHED]
    if times := [each for each in cached if each is not None]:
        count = counted(len(times), "URL")
        yield Text(f"From the cache, without a request: {count}; the oldest was {_fetched(min(times))}", style="dim")
    yield Text(
        f"Gathered {fetched} from {answered:,} of {asked}; {size_in_words(report.size)} over the network", style="dim"
    )
    yield wrote(written)


def wrote(written: FolderReport) -> Text:
    """Return the line about the folder."""
    counts = {
        "new": written.new,
        "unchanged": written.unchanged,
        "removed": written.gone,
        "kept, because their source did not answer or was not asked": written.kept,
        "not removed, because somebody changed them": written.left,
    }
    text = ", ".join(f"{len(names):,} {how}" for how, names in counts.items() if names) or "nothing"
    return Text(harmless(f"Wrote {written.folder}: {text}"), style="bold green")


def _failures(failed: Sequence[GatheredUrl]) -> Tree:
    tree = Tree(Text("Could not be fetched:", style="bold"), guide_style="dim")
    for url in failed[:_LINES]:
        branch = tree.add(Text.assemble(harmless(url.url), ": ", (harmless(url.why), "red")))
        if not url.answered:
            branch.add(Text(f"missing from there: {_wanted(url)}", style="dim"))
    if failed[_LINES:]:
        tree.add(Text(_more(failed), style="dim"))
    return tree


def _wanted(url: GatheredUrl) -> str:
    first, *others = url.wanted
    return harmless(first) + (f", and {len(others)} more" if others else "")


def _skipped(report: GatherReport) -> Iterator[Text]:
    """Yield the number of URLs that were not asked, by reason, each with one URL as an example."""
    reasons: dict[str, list[str]] = {}
    for url in report.urls:
        if url.retrieval.status is Status.SKIPPED:
            reasons.setdefault(url.why, []).append(url.url)
    for why, urls in reasons.items():
        skipped = urls[0] if len(urls) == 1 else f"{len(urls):,} URLs, such as {urls[0]}"
        yield Text(harmless(f"Skipped {skipped}: {why}"), style="dim")


def known_bundles(bundles: Iterable[PublishedBundle]) -> Iterator[RenderableType]:
    """Yield the name, title, publisher and URLs of each bundle."""
    for bundle in bundles:
        yield Text.assemble((harmless(bundle.name), "bold"), harmless(f"  {bundle.title}"))
        lines = (bundle.publisher, *bundle.urls, bundle.source and f"source: {bundle.source}")
        yield from (Padding(Text(harmless(line), style="dim"), (0, 0, 0, 4)) for line in lines if line)


def fetched_bundle(report: BundleReport) -> Iterator[RenderableType]:
    """Yield the totals, the checksums and the changes of one bundle."""
    is_named = not report.bundle.file and report.bundle.name not in report.bundle.urls
    name = harmless(f"Bundle {report.bundle.name}" if is_named else report.bundle.name)
    if report.why:
        yield Text.assemble((name, "bold"), ": ", ("not used", "bold red"), ": ", (harmless(report.why), "red"))
    else:
        count = f"{counted(len(report.certificates), 'certificate')} from {report.url}; {_way(report.retrievals)}"
        yield Text.assemble((name, "bold"), harmless(f": {count}"))
    if report.checksum is not None:
        yield from _checksum(report.checksum)
    if report.changes is not None:
        cached = bool(report.retrievals) and report.retrievals[-1].status is Status.CACHED
        yield from _changes(report.changes, cached=cached)


def _way(retrievals: Sequence[Retrieval]) -> str:
    """Return the way on which a bundle came: from a file, from the cache, or over the network."""
    last = retrievals[-1] if retrievals else None
    if last is not None and last.status is Status.READ:
        return "a file on this computer"
    if last is not None and last.status is Status.CACHED and last.fetched is not None:
        return f"from the cache, {_fetched(last.fetched)}; the server was not asked"
    return f"{size_in_words(sum(retrieval.size for retrieval in retrievals))} over the network"


def _fetched(then: datetime) -> str:
    """Return when something was fetched, and how old it is."""
    minutes = max(0, int((datetime.now(UTC) - then).total_seconds()) // 60)
    age = counted(minutes, "minute")
    if minutes >= _MINUTES:
        age = counted(minutes // 60, "hour") if minutes < _HOURS * 60 else counted(minutes // (24 * 60), "day")
    return f"fetched at {format_time(then)}, {age} old"


def _checksum(verdict: ChecksumVerdict) -> Iterator[RenderableType]:
    if verdict.status is ChecksumStatus.VERIFIED and verdict.signer is not None and verdict.trust_anchor is not None:
        signer, anchor = verdict.signer.subject, verdict.trust_anchor.name
        files = counted(len(verdict.listed), "file")
        yield Text(harmless(f"Checksums: right for {files}, signed by {signer} under {anchor}"), style="green")
    elif verdict.status is ChecksumStatus.ABSENT:
        yield Text(harmless(f"Checksums: not signed: {'; '.join(verdict.reasons)}"), style="yellow")
    else:
        bad = verdict.status is ChecksumStatus.BAD
        tree = Tree(Text(f"Checksums: {_TITLES[verdict.status]}", style="bold"), guide_style="dim")
        for line in _shown(verdict.reasons):
            tree.add(Text(line, style="red" if bad else "yellow"))
        if verdict.signer is not None:
            under = f" under {verdict.trust_anchor.name}" if verdict.trust_anchor else ""
            tree.add(Text(harmless(f"signed by {verdict.signer.subject}{under}"), style="dim"))
        yield tree
    if verdict.left_out:
        files = ", ".join(_shown(verdict.left_out))
        yield Text(f"Left out, because the signed checksums do not list them: {files}", style="yellow")


def _changes(changes: BundleChanges, *, cached: bool) -> Iterator[RenderableType]:
    found = {
        "New": [with_expiry(each) for each in changes.new],
        "Gone": [with_expiry(each) for each in changes.gone],
        "Renewed, with the same key": [_replaced(each) for each in changes.renewed],
        "Rekeyed": [_replaced(each) for each in changes.rekeyed],
    }
    if not changes.compared:
        yield Text("Nothing to compare with: this is the first time", style="dim")
    elif cached and not any(found.values()):
        yield Text("This is the cached copy again; whether the published list has changed is not known", style="dim")
    elif not any(found.values()):
        yield Text("Nothing has changed since the last time", style="dim")
    found[f"Expire by {format_time(changes.until)}"] = [with_expiry(each) for each in changes.expiring]
    found["Expired"] = [with_expiry(each) for each in changes.expired]
    for title, lines in found.items():
        if lines:
            tree = Tree(Text(f"{title}: {len(lines):,}", style="bold"), guide_style="dim")
            for line in lines[:_LINES]:
                tree.add(line)
            if lines[_LINES:]:
                tree.add(Text(_more(lines)))
            yield tree


def _replaced(replacement: Replacement) -> Text:
    stays = ", which stays in the bundle" if replacement.stays else ""
    return with_expiry(replacement.after).append(", after ").append(labelled(replacement.before)).append(stays)


def _shown(lines: Sequence[str]) -> Iterator[str]:
    yield from (harmless(line) for line in lines[:_LINES])
    if lines[_LINES:]:
        yield _more(lines)


def _more(lines: Sequence[object]) -> str:
    return f"and {len(lines) - _LINES:,} more; --json has them all"
