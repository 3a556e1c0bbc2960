"""How long ``pkcs12kit --help`` takes beside ``python -c "import click"``, which no command on click can go below.

python benchmarks/startup.py [--rounds N] [--instructions] [--at-most RATIO]

Runs both in turn in one go, with the Python that runs this script and the pkcs12kit installed beside it, and compares
the fastest run of each: what else the machine does only adds time. With --instructions, valgrind counts the
instructions of one run of each instead of its time: the same on a busy machine as on an idle one, so a gate
can rely on it. With --at-most, exits 1 where the ratio is above; exits 2 where valgrind is wanted and missing.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "python -c 'import pkcs12kit'": [sys.executable, "-c", "import pkcs12kit"],
    "pkcs12kit --help": [sys.executable, str(Path(sys.executable).with_name("pkcs12kit")), "--help"],
}


def seconds(command: list[str]) -> float:
    """Run a command once and measure it, from start to exit."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def instructions(command: list[str]) -> int:
    """Run a command once under valgrind's callgrind and return how many instructions it executed."""
    counted = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}", *command]
    fixed = os.environ | {"PYTHONHASHSEED": "0"}  # else hashes of strings, and with them the count, differ by run
    run = subprocess.run(counted, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=fixed)
    (count,) = re.findall(r"Collected : (\d+)", run.stderr)
    return int(count)


def best_of(measure: Callable[[list[str]], float], rounds: int) -> list[float]:
    """Measure each command in turn, `rounds` times, and return the least figure of each."""
    for command in COMMANDS.values():
        seconds(command)  # once for the caches, not counted
    runs = [[measure(command) for command in COMMANDS.values()] for _ in range(rounds)]
    return [min(figures) for figures in zip(*runs, strict=True)]


def main() -> int:
    """Measure, print a table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="timed runs of each command (default: 20)")
    parser.add_argument("--instructions", action="store_true", help="count instructions with valgrind, not time")
    parser.add_argument("--at-most", type=float, help="the ratio to exit 1 above")
    options = parser.parse_args()
    if options.instructions and shutil.which("valgrind") is None:
        parser.error("--instructions needs valgrind")
    if options.instructions:
        best, unit = [count / 1e6 for count in best_of(instructions, 1)], "million instructions"
    else:
        best, unit = [duration * 1000 for duration in best_of(seconds, options.rounds)], "ms"
    figures = dict(zip(COMMANDS, best, strict=True))
    for name, figure in figures.items():
        print(f"{figure:8.1f} {unit}  {name}")
    ratio = figures["pkcs12kit --help"] / figures["python -c 'import click'"]
    print(f"{ratio:8.2f} {' ' * len(unit)}  pkcs12kit --help : python -c 'import click'")
    return 1 if options.at_most is not None and ratio > options.at_most else 0


if __name__ == "__main__":
    sys.exit(main())
