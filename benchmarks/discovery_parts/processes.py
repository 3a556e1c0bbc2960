"""New processes of the script for one measurement each, and the memory of this one, in bytes."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "discovery.py"


def in_new_process(measurement: str, given: Path, *, cap: float | None = None) -> str:
    """Let the script make one measurement, its hidden option, and give what it printed within ``cap`` seconds."""
    command = [sys.executable, str(SCRIPT), f"--{measurement}", str(given)]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=cap)
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode()
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return done.stdout.decode()


def peak_memory() -> int:
    """Give the most that was resident; Linux counts into ru_maxrss what was before exec, so its status is asked."""
    if (found := _status("VmHWM")) is not None:
        return found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def resident_memory() -> int:
    """Give what is resident now, or the peak where the system does not tell."""
    found = _status("VmRSS")
    return peak_memory() if found is None else found


def forget_peak_memory() -> None:
    """Start the peak from what is resident now, where the system can do so."""
    control = Path("/proc/self/clear_refs")
    if control.exists():
        control.write_text("5", "ascii")


def _status(field: str) -> int | None:
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    return next(int(line.split()[1]) * 1024 for line in status.read_text("ascii").splitlines() if field in line)
