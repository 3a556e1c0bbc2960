"""How long one validation takes, beside certvalidator's and beside its bare signature checks, in one run.

python benchmarks/validation.py [../shared/data/fpki]

Columns take turns, ten runs each, and each figure is the tenth percentile of all runs: what it costs when nothing else
disturbs it.
Wanted: at most 1/10 of certvalidator's time, and at most 2.5 times the signature checks where signatures are not
remembered. Certificates are loaded; certvalidator gets a new context for each validation, because it remembers what one
has seen, and an event loop that is made once.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asn1crypto import x509
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import ValidationContext
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.validate import async_validate_path
from reference_jobs import JOBS

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.budget import SearchBudget
from pkcs12kit.paths.signatures import SignatureMemory, check_signature
from pkcs12kit.paths.validation.validator import validate

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_jobs import Job

ROUNDS = 40
RUNS = 10


class Times(NamedTuple):
    """Microseconds for one path."""

    remembered: float
    ours: float
    signatures: float
    certvalidator: float


def main(folder: Path) -> None:
    """Measure both reference jobs and print one line each."""
    print(f"{'µs':6}{'remembered':>12}{'pkcs12kit':>12}{'signatures':>12}{'certvalidator':>15}   ratios")
    for job in JOBS:
        times = measure(find(job, folder))
        print(
            f"{job.name:6}{times.remembered:12.0f}{times.ours:12.0f}{times.signatures:12.0f}{times.certvalidator:15.0f}"
            f"   {times.ours / times.signatures:.2f} of the signatures,"
            f" 1/{times.certvalidator / times.ours:.1f} of certvalidator"
            f" (1/{times.certvalidator / times.remembered:.1f} with signatures remembered)"
        )


def find(job: Job, folder: Path) -> pk.ValidatedPath:
    """Find the best path of a job."""
    return pk.find_path(
        pk.load_certificate(folder / job.target),
        pool=pk.load_certificates(*(folder / name for name in job.pool)),
        trust_anchors=pk.load_trust_anchors(folder / job.anchor),
        parameters=pk.ValidationParameters(time=job.time),
    )


def measure(path: pk.ValidatedPath) -> Times:
    """Time the columns in turn; microseconds."""
    keys = [certificate.public_key for certificate in path.with_anchor[1:]]
    memory = SignatureMemory(16)
    loop = asyncio.new_event_loop()
    columns: tuple[Callable[[], object], ...] = (
        lambda: validate(path, path.parameters, budget=SearchBudget(DEFAULT_LIMITS), memory=memory),
        lambda: validate(path, path.parameters, budget=SearchBudget(DEFAULT_LIMITS), memory=SignatureMemory(16)),
        lambda: [check_signature(*pair) for pair in zip(path.certificates, keys, strict=True)],
        certvalidator(path, loop),
    )
    times: list[list[float]] = [[] for _ in columns]
    for _ in range(ROUNDS):
        for column, found in zip(columns, times, strict=True):
            for _ in range(RUNS):
                start = time.perf_counter()
                column()
                found.append((time.perf_counter() - start) * 1e6)
    loop.close()
    return Times(*(statistics.quantiles(found, n=10)[0] for found in times))


def certvalidator(path: pk.ValidatedPath, loop: asyncio.AbstractEventLoop) -> Callable[[], object]:
    """Prepare the same validation by certvalidator, certificates parsed."""
    target, *issuers = (x509.Certificate.load(certificate.der) for certificate in path.certificates)
    anchor = CertTrustAnchor(x509.Certificate.load(path.with_anchor[-1].der))
    chain = ValidationPath(anchor, interm=issuers[::-1], leaf=target)

    def run() -> object:
        context = ValidationContext(trust_roots=[anchor], moment=path.parameters.time, allow_fetching=False)
        return loop.run_until_complete(async_validate_path(context, chain))

    return run


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data/fpki"))
