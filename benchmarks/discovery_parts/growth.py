"""How a search grows with its pool: seconds, signature checks, peak memory."""

from __future__ import annotations

import gc
import json
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from discovery_parts.pools import Case, Scenario, cases
from discovery_parts.processes import forget_peak_memory, in_new_process, peak_memory
from discovery_parts.reference import checks_made
from discovery_parts.tables import Check, Part, format_seconds, progress

import pkcs12kit as pk
from pkcs12kit.paths.signatures import REMEMBERED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

GROWTH = 1.5
"""From one row of a series to the next, seconds may grow this many times as much as certificates: noise and logarithms.

Growth with the square would show as 4 from one mesh to the next, and as 10 from one forest to the next.
"""
REPEATING = 2.0
RUNS = 5
REPEATING_AT_MOST = 20.0
"""A search is repeated for so many seconds and so often at the least; not where that would take so long at the most."""
SEARCHES = {"find_path": 1, "find_paths": None}
"""How many valid paths each asks for; None for all."""


class Grown(NamedTuple):
    """One row: a case, its certificates, and what its process said, by search."""

    case: Case
    certificates: int
    has_path: bool
    said: dict[str, dict[str, Any]]

    def answered(self, search: str) -> bool:
        """Whether the answer came, was right, and was one: giving up is none."""
        said = self.said.get(search)
        if said is None or bool(said["valid"]) != self.has_path:
            return False
        return self.has_path or said["incomplete"] is None

    def cell(self, search: str, cap: float) -> str:
        """Say how long it took, or what went wrong."""
        said = self.said.get(search)
        if said is None:
            return f"over {cap:g}"
        if self.answered(search):
            return format_seconds(said["seconds"])
        return f"{'given up' if said['incomplete'] else 'wrong'} after {format_seconds(said['seconds'])}"


def growth_parts(options: argparse.Namespace, folder: Path) -> Iterator[Part]:
    """Measure each case in a process of its own, which may take so long and no longer."""
    grown = []
    for case in cases():
        if not (options.quick and case.slow):
            progress(f"{case.series}: {case.size}")
            grown.append(_grown(case, folder, options.cap))
    yield Part(
        "Growth",
        "The table contains the processor seconds of the first search in a loaded pool, in a process that has not"
        f" checked a signature yet. Each row may take at most {options.cap:g} seconds. `find_paths` returns at most"
        f" {pk.DEFAULT_LIMITS.valid_paths} valid paths. The signature checks are those of `find_path`; memory is the"
        " growth of the resident set at its peak, for both searches.",
        ("pool", "size", "certificates", "path", *SEARCHES, "µs a certificate", "signature checks", "MiB"),
        [_growth_row(row, options.cap) for row in sorted(grown, key=_by_series(grown))],
        list(_growth_checks(grown)),
    )


def _by_series(grown: list[Grown]) -> Callable[[Grown], int]:
    order = list(dict.fromkeys(row.case.series for row in grown))
    return lambda row: order.index(row.case.series)


def _grown(case: Case, folder: Path, cap: float) -> Grown:
    """Make the certificates here, and search among them there: what is left of the making would hide growth."""
    scenario = case.make()
    _write(scenario, folder)
    said: dict[str, dict[str, Any]] = {}
    for line in in_new_process("search", folder, cap=cap).splitlines():
        found = json.loads(line)
        said[found.pop("search")] = found
    return Grown(case, len(scenario.pool), scenario.has_path, said)


def _write(scenario: Scenario, folder: Path) -> None:
    for name, certificates in (
        ("target", [scenario.target]),
        ("anchor", [scenario.trust_anchor]),
        ("pool", scenario.pool),
    ):
        (folder / f"{name}.pem").write_text("".join(found.to_pem() for found in certificates), "ascii")


def search(folder: Path) -> Iterator[dict[str, Any]]:
    """Search as both functions do, first once each, which is what memory is measured for, then for the fastest run."""
    ders = [certificate.der for certificate in pk.load_certificates(folder / "pool.pem")]
    target, anchor = (pk.load_certificate(folder / f"{name}.pem").der for name in ("target", "anchor"))
    now = datetime.now(UTC)

    def fresh(at_most: int | None) -> tuple[float, pk.PathReport]:
        pool = pk.CertificatePool(map(pk.Certificate.from_der, ders))
        start_from = pk.Certificate.from_der(target)
        anchors = (pk.TrustAnchor.from_certificate(pk.Certificate.from_der(anchor)),)
        parameters = pk.ValidationParameters(time=now)
        REMEMBERED.forget()
        gc.collect()
        start = time.process_time()
        report = pk.find_paths(start_from, pool=pool, trust_anchors=anchors, parameters=parameters, at_most=at_most)
        return time.process_time() - start, report

    forget_peak_memory()
    before = peak_memory()
    first: dict[str, dict[str, Any]] = {}
    for name, at_most in SEARCHES.items():
        seconds, report = fresh(at_most)
        first[name] = {
            "search": name,
            "seconds": seconds,
            "valid": len(report.valid),
            "incomplete": report.incomplete,
            "checks": checks_made(),
            "memory": peak_memory() - before,
        }
        yield first[name]
    for name, at_most in SEARCHES.items():
        times = [first[name]["seconds"]]
        while sum(times) < REPEATING or len(times) < RUNS:
            if RUNS * min(times) > REPEATING_AT_MOST:
                break
            times.append(fresh(at_most)[0])
        yield {**first[name], "seconds": min(times)}


def _growth_row(row: Grown, cap: float) -> tuple[str, ...]:
    one = row.said.get("find_path")
    peaks = [said["memory"] for said in row.said.values()]
    return (
        row.case.series,
        row.case.size,
        f"{row.certificates:,}",
        "yes" if row.has_path else "no",
        *(row.cell(name, cap) for name in SEARCHES),
        f"{one['seconds'] / row.certificates * 1e6:,.1f}" if one else "",
        f"{one['checks']:,}" if one else "",
        f"{max(peaks) / 2**20:,.1f}" if peaks else "",
    )


def _growth_checks(grown: list[Grown]) -> Iterator[Check]:
    """Every row answers; from one row of a series to the next seconds grow no more than certificates, and a bit."""
    answered = sum(row.answered(name) for row in grown for name in SEARCHES)
    wanted = len(grown) * len(SEARCHES)
    yield Check("searches with the right answer", f"{answered} of {wanted}", answered == wanted)
    for series in dict.fromkeys(row.case.series for row in grown if row.case.linear):
        rows = [row for row in grown if row.case.series == series]
        for name in SEARCHES:
            steps = [_step(name, before, after) for before, after in pairwise(rows) if _comparable(name, before, after)]
            complete = all(row.answered(name) for row in rows)
            claim = f"{series}: growth of {name}'s time divided by growth of the pool (at most {GROWTH:g})"
            largest = f"{max(steps):.2f}" if steps else "unknown"
            yield Check(claim, largest, complete and max(steps, default=0.0) <= GROWTH)


def _comparable(name: str, before: Grown, after: Grown) -> bool:
    """Whether both answered, and with as many paths: to find a hundred takes longer than to find five."""
    if not (before.answered(name) and after.answered(name)):
        return False
    return bool(before.said[name]["valid"] == after.said[name]["valid"])


def _step(name: str, before: Grown, after: Grown) -> float:
    """How much more the seconds grew than the certificates."""
    seconds = after.said[name]["seconds"] / before.said[name]["seconds"]
    return float(seconds / (after.certificates / before.certificates))
