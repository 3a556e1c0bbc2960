"""How long it takes to load and index many certificates, beside pyca/cryptography that parses the same bytes."""

from __future__ import annotations

import gc
import json
import time
from typing import TYPE_CHECKING

import cryptography.x509
from discovery_parts.pools import forest, variants
from discovery_parts.processes import in_new_process, resident_memory
from discovery_parts.tables import Check, Part, format_seconds, progress

import pkcs12kit as pk

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOADED = 10_000
AT_MOST = 3
"""Times what pyca/cryptography needs, and times the octets of the DER."""
REPEATING = 3.0
RUNS = 3
"""Something is repeated for so many seconds, and so often at the least."""


def loading_parts(options: argparse.Namespace, folder: Path) -> Iterator[Part]:
    """Load and index many certificates, beside pyca/cryptography that parses the same bytes and does no more."""
    count = LOADED // 10 if options.quick else LOADED
    real = pk.load_certificates(options.shared / "data" / "fpki" / "fpki-2024-10.p7b")
    rows: list[tuple[str, ...]] = []
    checks: list[Check] = []
    for name, certificates in (("Federal PKI", variants(list(real), count)), ("forest", forest(count).pool)):
        progress(f"loading: {name}")
        file = folder / "many.pem"
        file.write_text("".join(certificate.to_pem() for certificate in certificates), "ascii")
        said, parsed = (json.loads(in_new_process(measurement, file)) for measurement in ("load", "parse"))
        ratios = {
            "load_certificates of PEM": said["ours_pem"] / said["pyca_pem"],
            "CertificatePool of DER": said["ours_der"] / said["pyca_der"],
            "memory": said["memory"] / said["bytes"],
        }
        rows.append(
            (
                name,
                f"{count:,}",
                f"{said['bytes'] / count:,.0f}",
                format_seconds(said["pyca_pem"]),
                format_seconds(said["ours_pem"]),
                f"{ratios['load_certificates of PEM']:.2f}",
                format_seconds(said["pyca_der"]),
                format_seconds(said["ours_der"]),
                f"{ratios['CertificatePool of DER']:.2f}",
                f"{ratios['memory']:.2f}",
                f"{parsed['memory'] / said['bytes']:.2f}",
            )
        )
        if name == "Federal PKI":
            checks += [
                Check(
                    f"{what}, {count:,} certificates (at most {AT_MOST})",
                    f"{ratios[what]:.2f}",
                    ratios[what] <= AT_MOST,
                )
                for what in ("load_certificates of PEM", "memory")
            ]
    yield Part(
        "Loading and indexing",
        "Processor seconds, including both indexes of the pool, by subject and by key identifier. 'Federal PKI' are"
        " certificates of the 2024 pool, copied many times with different serial numbers and subjects; 'forest' is the"
        " pool of the table above. Memory is the growth of the resident set for the kept objects, divided by the size"
        " of the DER. pyca/cryptography parses on demand and does not have an index.",
        (
            *("certificates", "count", "octets each", "pyca, PEM", "load_certificates", "ratio"),
            *("pyca, DER", "CertificatePool", "ratio", "memory / DER", "pyca's memory / DER"),
        ),
        rows,
        checks,
    )


def load(file: Path) -> dict[str, float]:
    """Measure in this process: memory first, while nothing is left over from before."""
    pem = file.read_bytes()
    small = pem[: pem.index(b"-----END") + 26]
    (file.parent / "one.pem").write_bytes(small)
    _indexed(pk.load_certificates(file.parent / "one.pem"))  # what is imported for it is not counted
    cryptography.x509.load_pem_x509_certificates(small)
    gc.collect()
    before = resident_memory()
    pool = _indexed(pk.load_certificates(file))
    gc.collect()
    memory = resident_memory() - before
    ders = [certificate.der for certificate in pool]
    del pool
    read = cryptography.x509.load_pem_x509_certificates
    return {
        "bytes": sum(map(len, ders)),
        "memory": memory,
        "pyca_pem": _fastest(lambda: read(pem)),
        "ours_pem": _fastest(lambda: _indexed(pk.load_certificates(file))),
        "pyca_der": _fastest(lambda: [cryptography.x509.load_der_x509_certificate(der) for der in ders]),
        "ours_der": _fastest(lambda: _indexed(pk.CertificatePool(map(pk.Certificate.from_der, ders)))),
    }


def parse(file: Path) -> dict[str, int]:
    """Measure what pyca/cryptography keeps of the same file."""
    pem = file.read_bytes()
    before = resident_memory()
    kept = cryptography.x509.load_pem_x509_certificates(pem)
    gc.collect()
    memory = resident_memory() - before
    return {"memory": memory, "count": len(kept)}


def _indexed(pool: pk.CertificatePool) -> pk.CertificatePool:
    """Have both indexes made, which is done when they are first asked."""
    certificate = next(iter(pool))
    pool.by_subject(certificate.subject)
    pool.by_key_identifier(certificate.key_identifier or b"")
    return pool


def _fastest(function: Callable[[], object]) -> float:
    """Call it again and again, for some seconds, three times at the least."""
    times: list[float] = []
    until = time.process_time() + REPEATING
    while time.process_time() < until or len(times) < RUNS:
        gc.collect()
        start = time.process_time()
        kept = function()
        times.append(time.process_time() - start)
        del kept
    return min(times)
