"""What every test may ask for: the shared data, and programs of other makers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def _cannot_run(reason: str) -> None:
    """Skip with a reason; in CI a check that cannot run is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"cannot run in CI: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared data beside the project."""
    if not (SHARED / "data").is_dir():
        _cannot_run("needs the folder ../shared beside the project")
    return SHARED


@pytest.fixture(scope="session")
def fpki(shared: Path) -> Path:
    """Real certificates of the Federal PKI and the DoD PKI."""
    return shared / "data" / "fpki"


@pytest.fixture(scope="session")
def require_tool():
    """Find a program of another maker on PATH: ``require_tool("openssl")`` is its path."""

    def require(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            _cannot_run(f"needs the program {name}")
        return str(found)

    return require
