"""The tests of things that a simulated system does not have, each with its reason.

A name that no test of a selected file has is an error.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_MODES = "files have no modes there"

_FOLDERS = "folders cannot be opened there, nor synced"
_WARNING = "there is one more warning: the new file has the permissions of its folder"
_QUOTING = "on_windows.py tests how commands are quoted there"
_PIPES = "folders have no pipes there"
_CASE = "capital letters make no difference there"
_OPEN = "a file that another thread has open cannot be replaced there: the cache warns, and is not used"
_GROUPS = "there are no groups of processes there: what a program leaves behind is not known"
WINDOWS = {
    "test_files.py::test_mode_is_0600_whatever_the_umask": _MODES,
    "test_files.py::test_never_wider_than_0600_while_it_is_written": _MODES,
    "test_files.py::test_failure_at_each_system_call[fchmod]": _MODES,
    "test_file_faults.py::test_killed_before_each_system_call": _MODES,
    "test_file_faults.py::test_new_name_only_for_what_is_on_the_disk": _FOLDERS,
    "test_file_faults.py::test_concurrent_writers": _MODES,
    "test_library_outputs.py::TestInPlace::test_is_easy": _WARNING,
    "test_pem_output.py::test_one_file_in_the_order_of_servers": _MODES,
    "test_pem_output.py::test_two_files": _MODES,
    "test_pem_output.py::test_a_key_that_others_can_read_is_written_again[420]": _MODES,
    "test_rewriting.py::test_wider_mode_is_written_again": _MODES,
    "test_rewriting.py::test_every_difference_is_in_the_report": _MODES,
    "test_cache.py::test_many_threads": _OPEN,
    "test_cache.py::test_something_else_in_the_place_of_a_file[pipe]": _PIPES,
    "test_cache.py::test_something_else_in_the_place_of_a_file[as_public_file-load]": _MODES,
    "test_cache.py::test_for_its_owner_alone": _MODES,
    "test_cache.py::test_folder_that_others_can_write_to": _MODES,
    "test_cache.py::test_folder_of_another_user": _MODES,
    "test_cache.py::test_folder_that_becomes_unsafe": _MODES,
    "test_gathered_folder.py::test_files_have_the_mode_of_the_umask": _MODES,
    "test_lab_folder.py::test_only_the_owner_may_read_the_key": _MODES,
    "test_fleet_state.py::test_a_state_that_others_may_write_is_none": _MODES,
    "test_fleet_state.py::test_a_state_of_another_user_is_none": _MODES,
    "test_fleet_state.py::test_a_link_or_a_pipe_is_none": _PIPES,
    "test_fleet_state.py::test_a_state_comes_back": _MODES,
    "test_fleet_run.py::test_a_state_that_is_not_trusted": _MODES,
    "test_fleet_locks.py::test_another_process_is_waited_for_and_named": _MODES,
    "test_fleet_report_files.py::test_metrics_are_readable_by_the_collector": _MODES,
    "test_manifest_places.py::test_capital_letters_count_only_where_the_folder_tells_them_apart": _CASE,
    "test_manifest_places.py::test_a_folder_that_ignores_case_is_known_by_its_other_spelling": _CASE,
    "test_client_process.py::test_children_that_outlive_a_program_are_ended": _GROUPS,
    "test_client_process.py::test_a_clients_folder_is_private_and_is_removed": _MODES,
    "test_cli_convert.py::test_for_a_reader": _MODES,
    "test_cli_convert.py::TestPem::test_written": _MODES,
    "test_cli_convert.py::TestPem::test_two_files": _MODES,
    "test_cli_convert.py::TestIfChanged::test_another_password_and_other_contents": _MODES,
    "test_cli_build.py::TestMainJob::test_file_holds_key_and_path_in_order": _MODES,
    "test_cli_build.py::TestMainJob::test_report_is_for_people": _WARNING,
    "test_cli_build.py::TestMainJob::test_json": _WARNING,
    "test_cli_build.py::TestOptions::test_crls": _WARNING,
    "test_cli_build.py::TestSecondOpinion::test_cannot_judge_goes_on_with_a_warning": _WARNING,
    "test_cli_lab_and_demo.py::TestDemo::test_what_is_where": _MODES,
    "test_cli_lab_and_demo.py::TestDemo::test_what_is_shown": _QUOTING,
    "test_cli_lab_and_demo.py::TestDemo::test_the_commands_to_try_work": _QUOTING,
    "test_cli_hints.py::test_of_an_error": _QUOTING,
    "test_cli_hint_lines.py::test_lines_fit": _QUOTING,
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
