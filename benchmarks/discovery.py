"""How long it takes to find a path, beside other path builders, and how that grows with the pool.

Three parts in one run: the two reference jobs of ../shared/data/fpki beside Java, certvalidator, OpenSSL and Go; pools
that grow, each in a process of its own; and loading 10,000 certificates beside pyca/cryptography parsing the
same bytes. Nothing here is tuned for a pool: each call is the public one, with default limits.

Each figure is the fastest of many runs, or their tenth percentile: what it costs when nothing else disturbs it. Beside
peers it is what a clock shows; growth and loading, of one thread each, count processor time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discovery_parts.growth import growth_parts, search
from discovery_parts.loading import load, loading_parts, parse
from discovery_parts.reference import reference_parts
from discovery_parts.tables import Part, page, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLE = """example:
  python benchmarks/discovery.py --quick
  python benchmarks/discovery.py --check --markdown > docs/reference/discovery-benchmark.md"""
PARTS = {"reference": reference_parts, "growth": growth_parts, "loading": loading_parts}


def main() -> int:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="where data/fpki and peers are")
    parser.add_argument("--rounds", type=int, default=20, help="runs of each program (default: 20)")
    parser.add_argument("--cap", type=float, default=60, help="seconds for each row that grows (default: 60)")
    parser.add_argument("--only", choices=list(PARTS), action="append", help="this part; may be given again")
    parser.add_argument("--quick", action="store_true", help="leave out the slow rows, and load a tenth")
    parser.add_argument("--check", action="store_true", help="exit 1 where something that has to hold does not")
    parser.add_argument("--markdown", action="store_true", help="print the page for docs/")
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--parse", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        return _print_json_lines(search(options.search))
    if options.load:
        return _print_json_lines([load(options.load)])
    if options.parse:
        return _print_json_lines([parse(options.parse)])
    measured: list[Part] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.only or PARTS:
            measured += PARTS[name](options, Path(folder))
    print(*(page(measured) if options.markdown else plain(measured)), sep="\n")
    failed = [check for part in measured for check in part.checks if not check.holds]
    return 1 if options.check and failed else 0


def _print_json_lines(values: Iterable[dict[str, Any]]) -> int:
    for value in values:
        print(json.dumps(value), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
