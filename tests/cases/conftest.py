"""The folders that the scripts of ../shared/cases make, once for each process that runs tests."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def made(shared, tmp_path_factory):
    """Run a script of the cases: ``made("stores")`` is the folder of what it made."""
    folders = {}

    def make(script):
        if script not in folders:
            folder = tmp_path_factory.mktemp(script)
            subprocess.run(
                [sys.executable, str(shared / "cases" / f"{script}.py"), str(folder)], check=True, timeout=300
            )
            folders[script] = folder
        return folders[script]

    return make
