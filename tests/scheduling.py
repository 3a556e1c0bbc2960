"""The order of the test modules: the longest first, so that no worker ends long before the others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

TESTS: Final = Path(__file__).parent
LONGEST: Final = (
    "interoperability/test_interop_matrix.py",
    "paths/forger/test_forgeries.py",
    "fleet/test_fleet_hosts.py",
    "docs/test_built_pages.py",
    "notebook/test_example_notebooks.py",
    "paths/forger/test_changed_octets.py",
    "test_ansible.py",
    "fleet/test_fleet_events.py",
    "pkcs12/test_pfx_other_programs.py",
    "docs/test_guides_servers.py",
    "differential/test_differential.py",
    "mutation/test_command_mutations.py",
    "fleet/test_fleet_benchmark.py",
    "docs/test_pages.py",
    "cli/test_cli_command_line.py",
    "cli/test_cli_passwords.py",
    "pkcs12/test_pfx_readers_tried.py",
    "test_windows.py",
    "sources/test_bad_input.py",
    "paths/test_causes_properties.py",
)
"""The modules that take longest by default or in ``pytest -m slow``; the longest first."""
_RANK: Final = {TESTS / name: rank for rank, name in enumerate(LONGEST)}


def in_order(items: Iterable[pytest.Item]) -> Callable[[pytest.Item], tuple[int, int, Path]]:
    """Return the key by which to sort tests: the longest modules, then those with the most tests, then by name."""
    tests = Counter(item.path for item in items)
    return lambda item: (_RANK.get(item.path, len(LONGEST)), -tests[item.path], item.path)
