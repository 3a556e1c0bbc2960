"""Run the fuzz harnesses: ``python tests/fuzz/run.py [HARNESS...] --seconds 10``.

With atheris installed (``pip install 'pkcs12kit[fuzz]'``) inputs that reach new code are kept and changed further.
Without it, and atheris has no wheel for every Python, inputs are changed at random only; a line says so.

Every failure of a harness is a finding: the input is written to a folder, once for each place where it happens, and
the run goes on. Exit status 1 where there was one, with the command that runs it again.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

ROOT = Path(__file__).parents[2]
HARNESSES = ("certificates", "names", "name_constraints", "pfx", "revocation")
INSTRUMENTED = ("pkcs12kit", "asn1crypto", "pyhanko_certvalidator")
MOST_OCTETS = 16 * 1024
SLOW_SECONDS = 30
_FINAL = re.compile(r"#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+)")
_MOST_FINDINGS = 20


@dataclass
class Recorder:
    """Runs a harness, and writes down the first input of each kind of failure."""

    harness: ModuleType
    folder: Path
    executions: int = 0
    places: set[str] = field(default_factory=set)

    def test_one_input(self, data: bytes) -> None:
        """Check one input. Nothing is raised: what fails is recorded, and fuzzing goes on."""
        self.executions += 1
        signal.alarm(SLOW_SECONDS)
        try:
            self.harness.check(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever it is, a panic of Rust too, it is a finding
            self._record(data, error)
        finally:
            signal.alarm(0)

    def forget(self) -> list[bytes]:
        """Return the inputs that failed in an earlier run, and delete their files: what fails is recorded again."""
        files = [file for file in self.folder.glob("*") if file.is_file()]
        found = [file.read_bytes() for file in files if file.suffix != ".txt"]
        for file in files:
            file.unlink()
        return found

    def _record(self, data: bytes, error: BaseException) -> None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "pkcs12kit" in frame.filename]
        place = "".join(f" {Path(frame.filename).name}:{frame.name}" for frame in frames[-2:])
        kind = f"{type(error).__name__}{place} {error}" if isinstance(error, AssertionError) else type(error).__name__
        kind += place
        if kind in self.places or len(self.places) >= _MOST_FINDINGS:
            return
        self.places.add(kind)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / hashlib.sha256(data).hexdigest()[:16]
        file.write_bytes(data)
        file.with_suffix(".txt").write_text("".join(traceback.format_exception(error)), "utf-8", "backslashreplace")


def load(name: str) -> ModuleType:
    """Import a module of this folder. The package that is installed goes before the one in the source tree."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return import_module(f"tests.fuzz.{name}")


def has_atheris() -> bool:
    """Return True where inputs can be led by coverage."""
    return find_spec("atheris") is not None


def _ring(_number: int, _frame: object) -> None:
    raise TimeoutError(f"one input takes more than {SLOW_SECONDS} seconds")


def fuzz_randomly(recorder: Recorder, *, seconds: float, seed: int) -> None:
    """Change seeds at random until the time is over; what was found before and each seed come first as they are."""
    mutate, harness = load("mutation").mutate, recorder.harness
    chance, seeds = random.Random(seed), harness.seeds()  # noqa: S311  # nothing secret, only repeatable
    end = time.monotonic() + seconds
    for data in (*recorder.forget(), *seeds):
        recorder.test_one_input(data)
    while True:
        data = mutate(chance.choice(seeds), chance, seeds, kept=harness.KEPT, most=MOST_OCTETS)
        for _ in range(chance.randrange(3)):
            data = mutate(data, chance, seeds, kept=harness.KEPT, most=MOST_OCTETS)
        recorder.test_one_input(data)
        if time.monotonic() >= end:
            return


def fuzz_by_coverage(name: str, folder: Path, corpus: Path, *, seconds: int, seed: int) -> None:
    """Let atheris lead the mutations; it ends the process."""
    import atheris

    with atheris.instrument_imports(include=list(INSTRUMENTED)):  # also what loads when it is first used
        harness = load(f"fuzz_{name}")
        seeds, recorder = harness.seeds(), Recorder(harness, folder)
        for data in (*recorder.forget(), *seeds):
            recorder.test_one_input(data)
    mutate = load("mutation").mutate
    for data in seeds:
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def change(data: bytes, most: int, number: int) -> bytes:
        chance = random.Random(number)  # noqa: S311  # as above
        if chance.random() < 0.1:
            return atheris.Mutate(data, most)
        return mutate(data, chance, seeds, kept=harness.KEPT, most=most)

    folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-max_len={MOST_OCTETS}", f"-seed={seed}"]
    options += [f"-artifact_prefix={folder}{os.sep}", "-rss_limit_mb=2048", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], recorder.test_one_input, custom_mutator=change)
    atheris.Fuzz()


def _work(name: str, folder: Path, corpus: Path, *, seconds: int, seed: int) -> None:
    """Fuzz in this process."""
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _ring)
    if has_atheris():
        fuzz_by_coverage(name, folder, corpus, seconds=seconds, seed=seed)
    recorder = Recorder(load(f"fuzz_{name}"), folder)
    fuzz_randomly(recorder, seconds=seconds, seed=seed)
    print(f"executions: {recorder.executions}", file=sys.stderr)


def _run(name: str, folder: Path, corpus: Path, *, seconds: int, seed: int) -> bool:
    """Fuzz in a process of its own, print a line about it and what was found; True where nothing was."""
    corpus.mkdir(parents=True, exist_ok=True)
    options = {"--seconds": seconds, "--seed": seed, "--findings": folder, "--corpus": corpus}
    command = [sys.executable, __file__, name, "--work", *(str(part) for pair in options.items() for part in pair)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    progress = _FINAL.findall(done.stderr)
    executions = re.search(r"executions: (\d+)|number_of_executed_units: (\d+)", done.stderr)
    count = next(filter(None, executions.groups())) if executions else "?"
    reached = f", {progress[-1][1]} branches, {progress[-1][2]} features" if progress else ""
    print(f"{name}: {count} executions in {seconds} s{reached}", flush=True)
    found = [file for file in sorted(folder.glob("*")) if file.suffix != ".txt"] if folder.is_dir() else []
    for file in found:
        report = file.with_suffix(".txt")
        last = report.read_text("utf-8").strip().splitlines()[-1] if report.is_file() else "it ended the process"
        print(f"  found: {last}\n  again: python tests/fuzz/run.py {name} --input {file}")
    if done.returncode and not found:
        print(done.stderr[-3000:])
    return not found and executions is not None and not done.returncode


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz each harness in turn, or run one input again; return the exit status."""
    parser = argparse.ArgumentParser(description="Fuzz the readers of outside data.")
    parser.add_argument("harnesses", nargs="*", metavar="HARNESS", help=f"any of {', '.join(HARNESSES)}; all otherwise")
    parser.add_argument("--seconds", type=int, default=10, help="for each harness (10)")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (1)")
    parser.add_argument("--findings", type=Path, default=Path(".fuzz"), help="where failing inputs are written (.fuzz)")
    parser.add_argument(
        "--corpus", type=Path, help="where inputs that reach new code are kept for the next run (nowhere)"
    )
    parser.add_argument("--input", type=Path, help="a file to run one harness with once, instead")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if unknown := set(given.harnesses) - set(HARNESSES):
        parser.error(f"there is no harness {min(unknown)}; there are {', '.join(HARNESSES)}")
    if given.input is not None:
        if len(given.harnesses) != 1:
            parser.error("--input is for one harness: name it")
        load(f"fuzz_{given.harnesses[0]}").check(given.input.read_bytes())
        print("nothing found")
        return 0
    if given.work:
        _work(given.harnesses[0], given.findings, given.corpus, seconds=given.seconds, seed=given.seed)
        return 0
    if not has_atheris():
        print("atheris is not installed here: inputs are changed at random, not led by coverage")
    with tempfile.TemporaryDirectory() as scratch:
        corpus = given.corpus or Path(scratch)
        sound = [
            _run(name, given.findings / name, corpus / name, seconds=given.seconds, seed=given.seed)
            for name in given.harnesses or HARNESSES
        ]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
