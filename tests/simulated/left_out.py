"""The tests of things that a simulated system does not have, each with its reason.

A name that no test of a selected file has is an error.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_MODES = "files have no modes there"

_FOLDERS = "folders cannot be opened there, nor synced"
_READERS = "a file that is open for reading cannot be replaced there, and the error says so"
WINDOWS = {
    "test_files.py::test_mode_is_0600_whatever_the_umask": _MODES,
    "test_files.py::test_never_wider_than_0600_while_it_is_written": _MODES,
    "test_files.py::test_failure_at_each_system_call[fchmod]": _MODES,
    "test_file_faults.py::test_killed_before_each_system_call": _MODES,
    "test_file_faults.py::test_new_name_only_for_what_is_on_the_disk": _FOLDERS,
    "test_file_faults.py::test_concurrent_writers": _MODES,
    "test_library_outputs.py::TestInPlace::test_is_easy": _MODES,
    "test_pem_output.py::test_one_file_in_the_order_of_servers": _MODES,
    "test_pem_output.py::test_two_files": _MODES,
    "test_pem_output.py::test_a_key_that_others_can_read_is_written_again[420]": _MODES,
    "test_rewriting.py::test_wider_mode_is_written_again": _MODES,
    "test_rewriting.py::test_every_difference_is_in_the_report": _MODES,
}
MACOS: dict[str, str] = {}


def skip(items, listed):
    """Mark the tests of a list; raise an error for an entry that none of the selected files has."""
    met = set()
    files = {Path(item.path).name for item in items}
    for item in items:
        name = f"{Path(item.path).name}::{item.nodeid.partition('::')[2]}"
        for entry, reason in listed.items():
            function, _, parameter = entry.rstrip("]").partition("[")
            is_meant = name == function or name.startswith((f"{function}[", f"{function}::"))
            if is_meant and parameter in name.removeprefix(function):
                met.add(entry)
                item.add_marker(pytest.mark.skip(reason=reason))
    absent = sorted(entry for entry in set(listed) - met if entry.partition("::")[0] in files)
    if absent:
        raise pytest.UsageError(f"not among the tests: {', '.join(absent)}")
