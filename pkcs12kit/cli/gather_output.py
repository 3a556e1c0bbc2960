"""What a gathering came to, for people: the path, what was fetched, what was not and what it would have given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text
from rich.tree import Tree

from pkcs12kit.cli.fetching import size_in_words
from pkcs12kit.display.harmless import harmless
from pkcs12kit.display.paths import path_report
from pkcs12kit.retrieval.retrieved import Status
from pkcs12kit.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from pkcs12kit.retrieval.folder import FolderReport
    from pkcs12kit.retrieval.gather_report import GatheredUrl, GatherReport

_LINES: Final = 20
"""Of URLs that gave nothing; --json has them all."""


def gathered(report: GatherReport, written: FolderReport, *, every: bool) -> Iterator[RenderableType]:
    """Say it all: the path or why there is none, failures, what was skipped, what was fetched, what was written."""
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
    yield Text(
        f"Gathered {fetched} from {answered:,} of {asked}; {size_in_words(report.size)} over the network", style="dim"
    )
    yield wrote(written)


def wrote(written: FolderReport) -> Text:
    """Say what was written."""
    counts = {
        "new": written.new,
        "there already": written.unchanged,
        "gone": written.gone,
        "kept, for where they came from did not answer or was not asked": written.kept,
        "gone, but changed since and so left alone": written.left,
    }
    said = ", ".join(f"{len(names):,} {what}" for what, names in counts.items() if names) or "nothing"
    return Text(harmless(f"Wrote {written.folder}: {said}"), style="bold green")


def _failures(failed: Sequence[GatheredUrl]) -> Tree:
    tree = Tree(Text("What could not be fetched:", style="bold"), guide_style="dim")
    for url in failed[:_LINES]:
        branch = tree.add(Text.assemble(harmless(url.url), ": ", (harmless(url.why), "red")))
        if not url.answered:
            branch.add(Text(f"it would have given {_wanted(url)}", style="dim"))
    if failed[_LINES:]:
        tree.add(Text(f"and {len(failed) - _LINES:,} more; --json has them all", style="dim"))
    return tree


def _wanted(url: GatheredUrl) -> str:
    first, *others = url.wanted
    return harmless(first) + (f", and {len(others)} more" if others else "")


def _skipped(report: GatherReport) -> Iterator[Text]:
    """Count what was not asked, by reason, with one URL as an example."""
    reasons: dict[str, list[str]] = {}
    for url in report.urls:
        if url.retrieval.status is Status.SKIPPED:
            reasons.setdefault(url.why, []).append(url.url)
    for why, urls in reasons.items():
        what = urls[0] if len(urls) == 1 else f"{len(urls):,} URLs, such as {urls[0]}"
        yield Text(harmless(f"Skipped {what}: {why}"), style="dim")
