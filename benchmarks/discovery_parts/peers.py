"""Other makers' path builders on one reference job, for discovery.py. One that is not installed is a row that says so.

Java and Go run the sources in ../shared/peers. All get the same pool, as one PEM file.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    import pkcs12kit as pk

WARM_RUNS = (200, 5_000)
"""How often Java searches in one process; it reports the median of the second half. 200 is its program's default."""
CAP = 120
"""Seconds that any program may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One job as files, and as values for the peer that is a Python library."""

    name: str
    target: Path
    pool: Path
    trust_anchor: Path
    time: datetime
    loaded: tuple[pk.Certificate, tuple[pk.Certificate, ...], pk.Certificate]
    """Target, pool, trust anchor."""

    @property
    def as_arguments(self) -> list[str]:
        """What the programs in ../shared/peers take."""
        return [str(self.pool), str(self.trust_anchor), str(self.target), f"{self.time:%Y-%m-%dT%H:%M:%SZ}"]


class Figure(NamedTuple):
    """One row: seconds, None where it could not run; whether it found a path; what else there is to say."""

    name: str
    seconds: float | None
    found: bool | None
    against: str
    """Which figure of pkcs12kit is of its kind: cold, remembered, or checked (signatures not remembered)."""
    note: str = ""


class Run(NamedTuple):
    """One run of a program."""

    seconds: float
    output: str
    status: int
    errors: str


def run(command: Iterable[object]) -> Run:
    """Run a program, and time it from start to exit."""
    start = time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=CAP)
    return Run(time.perf_counter() - start, done.stdout, done.returncode, done.stderr)


def fastest(command: Iterable[object], rounds: int) -> Run:
    """Run it so often and take the fastest: what else the machine does only adds time."""
    parts = list(command)
    return min(run(parts) for _ in range(rounds))


def java(inputs: Inputs, peers: Path, folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure Java's PKIX builder: processes that search once, and the time within one that searches often."""
    source = peers / "JavaPathBuilder.java"
    if missing := _missing(source, "java", "javac"):
        yield Figure("Java", None, None, "cold", missing)
        return
    subprocess.run(["javac", "-d", str(folder), str(source)], check=True)
    precompiled = ["java", "-cp", folder, source.stem, *inputs.as_arguments]
    for name, command in (
        ("Java, cold: precompiled class", [*precompiled, 1]),
        ("Java, cold: launched from source", ["java", source, *inputs.as_arguments, 1]),
    ):
        best = fastest(command, rounds)
        yield Figure(
            name, best.seconds, json.loads(best.output)["ok"], "cold", "new process, one search, class data shared"
        )
    for runs in WARM_RUNS:
        answers = [json.loads(run([*precompiled, runs]).output) for _ in range(max(2, rounds // 3))]
        best = min(answers, key=lambda answer: answer["warm_ms"])
        note = "same certificate objects each time; they store the last key that verified them"
        yield Figure(f"Java, warm: {runs:,} runs", best["warm_ms"] / 1000, best["ok"], "remembered", note)


def go(inputs: Inputs, peers: Path, folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure Go's crypto/x509. Its program searches a hundred times; a copy that searches once is the cold one."""
    source = peers / "go_verify.go"
    if missing := _missing(source, "go"):
        yield Figure("Go", None, None, "cold", missing)
        return
    once = folder / "go_verify_once.go"
    text = source.read_text("utf-8")
    once.write_text(text.replace("const runs = 100", "const runs = 1"), "utf-8")
    if once.read_text("utf-8") == text:
        raise ValueError(f"{source} has no 'const runs = 100' any more")
    for program in (once, source):
        subprocess.run(["go", "build", "-o", str(folder / program.stem), str(program)], check=True)
    cold = fastest([folder / once.stem, *inputs.as_arguments], rounds)
    answer = json.loads(cold.output)
    yield Figure("Go, cold: compiled", cold.seconds, answer["ok"], "cold", "" if answer["ok"] else answer["error"])
    warm = [json.loads(run([folder / source.stem, *inputs.as_arguments]).output) for _ in range(max(2, rounds // 3))]
    best = min(warm, key=lambda answer: answer["warm_ms"])
    yield Figure(
        "Go, warm: 100 runs", best["warm_ms"] / 1000, best["ok"], "checked", "" if best["ok"] else best["error"]
    )


def openssl(inputs: Inputs, _peers: Path, _folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure ``openssl verify`` with the pool as untrusted, and with the policy check that both jobs ask for."""
    if missing := _missing(None, "openssl"):
        yield Figure("OpenSSL", None, None, "cold", missing)
        return
    best = fastest(
        [
            *("openssl", "verify", "-no-CApath", "-no-CAstore", "-partial_chain"),
            *("-attime", int(inputs.time.timestamp()), "-policy", "anyPolicy", "-policy_check"),
            *("-CAfile", inputs.trust_anchor, "-untrusted", inputs.pool, inputs.target),
        ],
        rounds,
    )
    refusal = [line for line in best.errors.splitlines() if "lookup:" in line]
    yield Figure("OpenSSL verify, cold", best.seconds, best.status == 0, "cold", ", ".join(["new process", *refusal]))


def certvalidator(inputs: Inputs, _peers: Path, _folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure certvalidator: its candidate paths, one after the other, until one is valid. A new context each time."""
    try:
        from asn1crypto import x509
        from pyhanko_certvalidator.context import ValidationContext
        from pyhanko_certvalidator.errors import PathError, ValidationError
        from pyhanko_certvalidator.validate import async_validate_path
    except ImportError:
        yield Figure("certvalidator", None, None, "checked", "not installed")
        return
    target, pool, anchor = inputs.loaded
    leaf, root = x509.Certificate.load(target.der), x509.Certificate.load(anchor.der)
    others = [x509.Certificate.load(certificate.der) for certificate in pool]

    async def search() -> tuple[int, bool]:
        context = ValidationContext(trust_roots=[root], other_certs=others, moment=inputs.time, allow_fetching=False)
        candidates = 0
        try:
            async for path in context.path_builder.async_build_paths_lazy(leaf):
                candidates += 1
                try:
                    await async_validate_path(context, path)
                except (PathError, ValidationError):
                    continue
                return candidates, True
        except PathError:
            pass
        return candidates, False

    loop = asyncio.new_event_loop()
    times, (candidates, found) = timed(lambda: loop.run_until_complete(search()), max(3, rounds // 2))
    loop.close()
    yield Figure(
        "certvalidator, warm",
        min(times),
        found,
        "checked",
        f"certificates parsed; {candidates:,} candidate paths to the first valid one",
    )


def timed(function: Callable[[], tuple[int, bool]], rounds: int) -> tuple[list[float], tuple[int, bool]]:
    """Call it so often: the seconds of each call, and the last answer."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        answer = function()
        times.append(time.perf_counter() - start)
    return times, answer


PEERS = (java, certvalidator, openssl, go)


def versions() -> Iterator[str]:
    """Say which peers are here, each in the first line that it says itself."""
    for command in (["java", "-version"], ["openssl", "version"], ["go", "version"]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            yield (done.stdout or done.stderr).splitlines()[0]
        else:
            yield f"{command[0]}: not installed"


def _missing(source: Path | None, *programs: str) -> str:
    """Name what is not there; nothing where all is."""
    if absent := [name for name in programs if shutil.which(name) is None]:
        return f"not installed: {', '.join(absent)}"
    return f"no {source.name} in {source.parent.name}/" if source is not None and not source.is_file() else ""
