"""The benchmark of fleets still runs: what it measures is for its page, and for a quiet machine."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fleet.py"


@pytest.mark.slow
def test_a_small_run_of_everything_ends(cannot_run, tmp_path):
    """Each part prints its table: the loops, the large fleet, and the estimate from a real scheduler of Dask."""
    if find_spec("distributed") is None:
        cannot_run("needs distributed: pip install 'pkcs12kit[dask]'")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick"], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for title in ("all new: batch --jobs 2", "nothing changed: batch --jobs 1", "1 renewed", "scheduler", "worker"):
        assert sum(line.startswith(f"{title} ") for line in lines) == 1, title
    assert any(line.startswith("estimate in minutes, 100,000 hosts") for line in lines)


@pytest.mark.slow
def test_a_run_that_does_not_do_what_it_should_is_not_measured(tmp_path):
    """A fleet on Dask needs a fleet; wrong calls end with 2 and one sentence."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--dask"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "--dask needs --fleet" in done.stderr
