"""The two reference jobs of ../shared/data/fpki, by this project and by its peers."""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from discovery_parts.peers import PEERS, Figure, Inputs, fastest
from discovery_parts.tables import Check, Part, format_seconds, progress
from reference_jobs import JOBS

import pkcs12kit as pk
from pkcs12kit.paths.signatures import REMEMBERED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reference_jobs import Job


NAMES = {
    "cold": "pkcs12kit, cold",
    "remembered": "pkcs12kit, warm: signature checks stored",
    "checked": "pkcs12kit, warm: signatures checked again",
}


def reference_parts(options: argparse.Namespace, folder: Path) -> Iterator[Part]:
    """Measure both reference jobs: this project before its peers and after, since the machine may be busy at times."""
    data = options.shared / "data" / "fpki"
    for job in JOBS:
        progress(f"reference job of {job.name}")
        inputs = _inputs(job, data, folder)
        before = _ours(job, inputs, data, options.rounds)
        peers: list[Figure] = []
        for peer in PEERS:
            progress(f"  {peer.__name__}")
            peers += peer(inputs, options.shared / "peers", folder, options.rounds)
        after = _ours(job, inputs, data, options.rounds)
        ours = {kind: min(before[kind], after[kind]) for kind in before}
        checks, tried = _signature_checks(inputs)
        notes = {
            "cold": "new process, including loading the published files",
            "remembered": "pool loaded, signature checks stored",
            "checked": f"pool loaded; {checks} signature checks, {tried} certificates on the paths tried",
        }
        rows = [
            *(
                Figure(NAMES[kind], seconds, found=True, against=kind, note=notes[kind])
                for kind, seconds in ours.items()
            ),
            *peers,
        ]
        yield Part(
            f"Reference job of {job.name}",
            f"A pool of {len(inputs.loaded[1])} certificates, at {job.time:%Y-%m-%d}. The other programs get it as one"
            " PEM file.",
            ("", "seconds", "path found", "times pkcs12kit", "how"),
            [_reference_row(figure, ours) for figure in rows],
            list(_reference_checks(job, rows, ours, checks, tried)),
        )


def _ours(job: Job, inputs: Inputs, data: Path, rounds: int) -> dict[str, float]:
    return {"cold": _cold(job, data, max(1, rounds // 2)), **_warm(inputs, 10 * rounds)}


def _inputs(job: Job, data: Path, folder: Path) -> Inputs:
    pool = pk.load_certificates(*(data / name for name in job.pool))
    file = folder / f"{job.name}.pem"
    file.write_text("".join(certificate.to_pem() for certificate in pool), "ascii")
    return Inputs(
        name=job.name,
        target=data / job.target,
        pool=file,
        trust_anchor=data / job.anchor,
        time=job.time,
        loaded=(pk.load_certificate(data / job.target), tuple(pool), pk.load_certificate(data / job.anchor)),
    )


def _cold(job: Job, data: Path, rounds: int) -> float:
    """Time the whole command, from the files as they are published."""
    sources = [part for name in job.pool for part in ("--certs", data / name)]
    command = [
        *(sys.executable, "-m", "pkcs12kit", "paths", data / job.target, *sources),
        *("--anchor", data / job.anchor, "--at", f"{job.time:%Y-%m-%dT%H:%M:%SZ}", "--json"),
    ]
    fastest(command, 1)  # once for the caches, not counted
    best = fastest(command, rounds)
    if best.status:
        raise RuntimeError(f"pkcs12kit paths found no path for the reference job of {job.name}")
    return best.seconds


def _warm(inputs: Inputs, runs: int) -> dict[str, float]:
    """Time a search in a pool that was searched before, with signatures remembered and not, in turn."""
    find = _finder(inputs)
    times: dict[str, list[float]] = {"remembered": [], "checked": []}
    find()
    for _ in range(runs):
        for kind, found in times.items():
            if kind == "checked":
                REMEMBERED.forget()
            start = time.perf_counter()
            find()
            found.append(time.perf_counter() - start)
    return {kind: statistics.quantiles(found, n=10)[0] for kind, found in times.items()}


def _finder(inputs: Inputs) -> Callable[[], pk.ValidatedPath]:
    target, certificates, anchor = inputs.loaded
    pool, anchors = pk.CertificatePool(certificates), (pk.TrustAnchor.from_certificate(anchor),)
    parameters = pk.ValidationParameters(time=inputs.time)
    return lambda: pk.find_path(target, pool=pool, trust_anchors=anchors, parameters=parameters)


def _signature_checks(inputs: Inputs) -> tuple[int, int]:
    """Count the signature checks of one search, and the certificates on the paths that it tried."""
    target, certificates, anchor = inputs.loaded
    REMEMBERED.forget()
    report = pk.find_paths(
        target,
        pool=pk.CertificatePool(certificates),
        trust_anchors=(pk.TrustAnchor.from_certificate(anchor),),
        parameters=pk.ValidationParameters(time=inputs.time),
        at_most=1,
    )
    return checks_made(), _tried(report)


def checks_made() -> int:
    """How many signatures were checked since all were forgotten: each verdict is remembered, and reached once."""
    return len(REMEMBERED._verdicts)  # noqa: SLF001  # nobody else wants to know


def _tried(report: pk.PathReport) -> int:
    """Count the certificates on the paths tried; one that stands alone was not followed."""
    paths = [*(path.certificates for path in report.valid), *(path.certificates for path in report.rejected)]
    return len({certificate for path in paths if len(path) > 1 for certificate in path})


def _reference_row(figure: Figure, ours: dict[str, float]) -> tuple[str, ...]:
    if figure.seconds is None:
        return (figure.name, "", "", "", figure.note)
    ratio = figure.seconds / ours[figure.against]
    return (figure.name, format_seconds(figure.seconds), "yes" if figure.found else "no", f"{ratio:,.2f}", figure.note)


def _reference_checks(job: Job, rows: list[Figure], ours: dict[str, float], checks: int, tried: int) -> Iterator[Check]:
    """Compare with what is wanted; where a peer is not installed there is nothing to compare with."""
    seconds = {figure.name: figure.seconds for figure in rows if figure.seconds is not None}
    for kind, peer, factor, claim in (
        ("remembered", "Java, warm: 200 runs", 1.0, "Java warm divided by pkcs12kit warm, signature checks stored"),
        (
            "checked",
            "certvalidator, warm",
            500.0 if job.name == "2018" else 1.0,
            "certvalidator divided by pkcs12kit warm, signatures checked again",
        ),
        ("cold", "Java, cold: precompiled class", 2.0, "Java cold divided by pkcs12kit cold"),
    ):
        if peer in seconds:
            ratio = seconds[peer] / ours[kind]
            yield Check(f"{job.name}: {claim} (at least {factor:g})", f"{ratio:,.2f}", ratio >= factor)
    claim = f"{job.name}: signature checks, compared with certificates on the paths tried (at most {tried})"
    yield Check(claim, str(checks), checks <= tried)
