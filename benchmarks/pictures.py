"""How long the picture of the whole Federal PKI takes, beside Graphviz's ``dot`` with the same graph, in one run.

python benchmarks/pictures.py [--check] [../shared/data/fpki]

Wanted: the picture of the 146 certificates in less than 2 seconds of processor time, with loading them, and less than
1 MB; drawing it at most 1.5 times what ``dot -Tsvg`` takes for the same nodes and certificates from the DOT we write.
With ``--check`` anything else is exit status 1. ``command`` is ``pkcs12kit graph`` from its start to its end, ``made``
what is drawn as a value (who issued what is known by signatures, which are remembered after the first run), ``drawn``
that as SVG. Columns take turns, and each figure is the least processor time of several runs, of children too. dot does
other work than we do: it puts every CA into a box, and has no columns.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pkcs12kit as pk

if TYPE_CHECKING:
    from collections.abc import Callable

ALLOWED_SECONDS: Final = 2.0
ALLOWED_BYTES: Final = 1_000_000
ALLOWED_RATIO: Final = 1.5
RUNS: Final = 7
AT: Final = datetime(2024, 10, 15, tzinfo=UTC)


def main(folder: Path, *, check: bool) -> int:
    """Measure, print one line for each picture; 1 where one is too slow or too large."""
    dot = shutil.which("dot")
    if dot is None:
        print("needs Graphviz: dot is not on PATH", file=sys.stderr)
        return 2
    source, anchor = folder / "fpki-2024-10.p7b", folder / "fcpcag2.pem"
    pool, anchors = pk.load_certificates(source), pk.load_trust_anchors(anchor)
    picture = pk.pictures.picture_of_pool(pool, trust_anchors=anchors, time=AT)
    svg, graph = pk.pictures.to_svg(picture), pk.pictures.to_dot(picture).encode()
    with tempfile.TemporaryDirectory() as scratch:
        call = ["graph", source, "--anchor", anchor, "--at", "2024-10-15", "--svg", Path(scratch) / "fpki.svg"]
        command, made, drawn, beside = measure(
            lambda: run([sys.executable, "-m", "pkcs12kit", *map(str, call)]),
            lambda: pk.pictures.picture_of_pool(pool, trust_anchors=anchors, time=AT),
            lambda: pk.pictures.to_svg(picture),
            lambda: run([dot, "-Tsvg"], graph),
        )
        written = (Path(scratch) / "fpki.svg").read_text("utf-8")
    theirs = run([dot, "-Tsvg"], graph)
    size = len(svg.encode())
    print(f"{'milliseconds':24}{'command':>10}{'made':>10}{'drawn':>10}{'dot':>10}   ratio, and sizes")
    print(
        f"{f'{len(picture.edges)} certificates':24}{command * 1e3:10.0f}{made * 1e3:10.0f}{drawn * 1e3:10.0f}"
        f"{beside * 1e3:10.0f}   {drawn / beside:.2f} of dot; {size:,} bytes, dot's {len(theirs):,}"
    )
    too_much = (
        len(picture.edges) != len(pool)
        or written != svg
        or command > ALLOWED_SECONDS
        or size > ALLOWED_BYTES
        or drawn > ALLOWED_RATIO * beside
    )
    if too_much:
        print("too slow, too large or not the same", file=sys.stderr)
    return int(check and too_much)


def measure(*columns: Callable[[], object]) -> list[float]:
    """Give the least processor seconds of each column, which take turns."""
    rounds = [[seconds(column) for column in columns] for _ in range(RUNS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def seconds(column: Callable[[], object]) -> float:
    """Measure one run, by the processor time of this process and of its children."""
    begin = processor_time()
    column()
    return processor_time() - begin


def processor_time() -> float:
    """Give the seconds that this process and the children that ended have had so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def run(command: list[str], given: bytes = b"") -> bytes:
    """Run a command and give what it prints."""
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("../shared/data/fpki"), help="real certificates")
    parser.add_argument("--check", action="store_true", help="exit 1 where something takes too long or is too large")
    options = parser.parse_args()
    sys.exit(main(options.folder, check=options.check))
