"""A plugin of pytest (``pytest -p tests.simulated.windows``) that lets the package see Windows, as far as tests can.

Tests of things that the system does not have are skipped, each with its reason.
"""

from __future__ import annotations

import os

from tests.simulated import left_out
from tests.simulated.system import in_programs
from tests.simulated.windows_system import simulate

if "PKCS12KIT_SIMULATED" not in os.environ:
    in_programs("windows")
    simulate()


def pytest_collection_modifyitems(items):
    """Skip the tests of this system's list."""
    left_out.skip(items, left_out.WINDOWS)
