"""A plugin of pytest (``pytest -p tests.simulated.macos``) that lets the package see macOS, as far as tests can.

Tests of things that the system does not have are skipped, each with its reason.
"""

from __future__ import annotations

import os

from tests.simulated import left_out
from tests.simulated.macos_system import simulate
from tests.simulated.system import in_programs

if "PKCS12KIT_SIMULATED" not in os.environ:
    in_programs("macos")
    simulate()


def pytest_collection_modifyitems(items):
    """Skip the tests of this system's list."""
    left_out.skip(items, left_out.MACOS)
