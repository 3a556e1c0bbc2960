"""Simulate another system in each interpreter that tests start, chosen by ``PKCS12KIT_SIMULATED``."""

from __future__ import annotations

import os
from importlib import import_module

if _system := os.environ.get("PKCS12KIT_SIMULATED"):
    import_module(f"tests.simulated.{_system}_system").simulate()
