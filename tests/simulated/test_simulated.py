"""Tests of written files, repeated under a simulated Windows and a simulated macOS, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the simulations are made of Linux")
TESTS = Path(__file__).parents[1]
FEW = tuple(
    f"{one}.py" for one in ("test_files", "test_file_faults", "fleet/test_fleet_state", "fleet/test_fleet_locks")
)
MORE = tuple(
    f"{one}.py"
    for one in (
        *("test_lock_files", "test_rewriting", "outputs/test_library_outputs", "retrieval/cache/test_cache"),
        *("fleet/test_fleet_run", "fleet/test_manifest_places", "tls/clients/test_client_process"),
        *("cli/test_cli_convert", "cli/test_cli_hints", "cli/test_cli_lab_and_demo"),
    )
)
WRITING = {"windows": FEW + MORE, "macos": FEW}
"""The modules about written files, the state and the locks of a fleet, started programs, and the command."""
ITSELF = {"windows": "simulated/on_windows.py", "macos": "simulated/on_macos.py"}


def passed(system, *files):
    """Run tests under a system, and return how many passed; raise an error if one did not."""
    options = ("-n", "2" if len(files) > 2 else "0", "-q", "--tb=short", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", f"tests.simulated.{system}", *options, *(TESTS / one for one in files)],
        cwd=TESTS.parent,
        env={name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PKCS12KIT_SIM"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return int(done.stdout.rstrip().rpartition("\n")[2].partition(" passed")[0].rpartition(" ")[2])


@pytest.mark.parametrize("system", ["windows", "macos"])
def test_simulation(system):
    """The simulation refuses what the system refuses, and the package does what the documentation promises there."""
    assert passed(system, ITSELF[system]) >= {"windows": 16, "macos": 3}[system]


@pytest.mark.slow
@pytest.mark.parametrize("system", ["windows", "macos"])
def test_writing(system):
    """The tests of all written files pass there, without those of things that the system does not have."""
    assert passed(system, *WRITING[system]) > {"windows": 300, "macos": 100}[system]
