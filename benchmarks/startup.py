"""How long ``pkcs12kit --help`` takes beside ``python -c "import click"``, which no command on click can go below.

python benchmarks/startup.py [--rounds N] [--at-most RATIO]

Runs both in turn in one go, with the Python that runs this script and the pkcs12kit installed beside it, and compares
the fastest run of each: what else the machine does only adds time. With --at-most, exits 1 where the ratio is above.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "python -c 'import pkcs12kit'": [sys.executable, "-c", "import pkcs12kit"],
    "pkcs12kit --help": [str(Path(sys.executable).with_name("pkcs12kit")), "--help"],
}


def seconds(command: list[str]) -> float:
    """Run a command once and measure it, from start to exit."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Measure, print a table and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, help="runs of each command (default: 20)")
    parser.add_argument("--at-most", type=float, help="the ratio to exit 1 above")
    options = parser.parse_args()
    for command in COMMANDS.values():
        seconds(command)  # once for the caches, not counted
    runs = [[seconds(command) for command in COMMANDS.values()] for _ in range(options.rounds)]
    fastest = dict(zip(COMMANDS, map(min, zip(*runs, strict=True)), strict=True))
    for name, best in fastest.items():
        print(f"{best * 1000:8.1f} ms  {name}")
    ratio = fastest["pkcs12kit --help"] / fastest["python -c 'import click'"]
    print(f"{ratio:8.2f}     pkcs12kit --help : python -c 'import click'")
    return 1 if options.at_most is not None and ratio > options.at_most else 0


if __name__ == "__main__":
    sys.exit(main())
