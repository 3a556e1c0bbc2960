"""What a part of the benchmark found, and how it is printed: aligned for a terminal, or as a page for docs/."""

from __future__ import annotations

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from discovery_parts.peers import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Check(NamedTuple):
    """Something that has to hold, and whether it does."""

    claim: str
    measured: str
    holds: bool


class Part(NamedTuple):
    """A table of the output, and what has to hold in it."""

    title: str
    text: str
    header: tuple[str, ...]
    rows: list[tuple[str, ...]]
    checks: list[Check]


def format_seconds(seconds: float) -> str:
    """Write three digits."""
    return f"{seconds:.3g}" if seconds >= 1e-4 else f"{seconds:.6f}"  # noqa: PLR2004


def progress(text: str) -> None:
    """Say what is being measured, beside the output."""
    print(text, file=sys.stderr, flush=True)


def _machine() -> Iterator[str]:
    """Say where and when this was measured, and with what."""
    yield f"{datetime.now(UTC):%Y-%m-%d}"
    yield f"{_processor()}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}"
    names = ("pkcs12kit", "cryptography", "pyhanko-certvalidator")
    yield f"Python {platform.python_version()}, " + ", ".join(f"{name} {_version(name)}" for name in names)
    yield from versions()


def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return "from its sources"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def plain(parts: list[Part]) -> Iterator[str]:
    """Align the tables for a terminal."""
    yield from _machine()
    for part in parts:
        yield f"\n{part.title}\n"
        table = [part.header, *part.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for row in table:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield ""
        for check in part.checks:
            yield f"{'holds' if check.holds else 'FAILS':6} {check.measured:>10}  {check.claim}"


def page(parts: list[Part]) -> Iterator[str]:
    """Write the page for docs/."""
    yield "# Benchmark: how fast a path is found"
    yield "\nWritten by `python benchmarks/discovery.py --markdown`, in one run:\n"
    yield from (f"- {line}" for line in _machine())
    yield (
        "\nEach figure is the fastest of many runs, or their tenth percentile. In the column 'times pkcs12kit', each"
        " figure is divided by a figure of pkcs12kit. Cold figures are divided by its cold figure. Warm figures of Java"
        " are divided by 'signature checks stored', because Java's certificates store the key that verified them. Other"
        " warm figures are divided by 'signatures checked again'. Java compiles its code while it runs, so a Java"
        " process becomes faster; the goal is for 200 searches, the default number of the benchmark."
    )
    for part in parts:
        yield f"\n## {part.title}\n\n{part.text}\n"
        yield from _markdown_table(part.header, part.rows)
        checks = [(check.claim, check.measured, "yes" if check.holds else "**no**") for check in part.checks]
        yield "\nGoals that `--check` tests:\n"
        yield from _markdown_table(("goal", "measured", "reached"), checks)


def _markdown_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    for row in (header, ("---",) * len(header), *rows):
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
