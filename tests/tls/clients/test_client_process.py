"""Programs of other makers are ended by their deadline, with all that they started, and leave nothing behind."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.tls.rehearsal.clients.process import private_folder, run


@pytest.fixture
def run_shell(tmp_path, monkeypatch):
    """Run a script of the shell: ``run_shell("exit 3")``."""
    monkeypatch.setenv("SSL_CERT_FILE", "of the user")

    def run_it(script, *, seconds=30.0, cancelled=None, **more):
        return run(
            ["sh", "-c", script], folder=tmp_path, seconds=seconds, cancelled=cancelled or threading.Event(), **more
        )

    return run_it


def is_running(number):
    """Return True for a process of that number that has not ended (a zombie has)."""
    try:
        os.kill(number, 0)
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_program_says_what_it_says(run_shell):
    """Both outputs are read to their end, also bytes that are not text, and the status is the program's own."""
    done = run_shell("printf 'yes\\377'; echo no >&2; exit 3")
    assert (done.status, done.output, done.errors, done.ended) == (3, "yes\ufffd", "no\n", "")


def test_nothing_is_inherited_but_the_path(run_shell, tmp_path):
    """No variable of the user's reaches a client: SSL_CERT_FILE would add trust anchors to some."""
    environment = dict(line.partition("=")[::2] for line in run_shell("env").output.splitlines())
    folders = {"HOME", "TMPDIR", "TEMP", "TMP"}  # the last two are for Windows
    assert {environment[name] for name in folders} == {str(tmp_path)}
    assert environment["PATH"] == os.environ["PATH"]
    assert environment.keys() - {"PWD", "SHLVL", "_", "OLDPWD"} == folders | {"PATH", "LC_ALL"}
    assert "GOENV=off" in run_shell("env", environment={"GOENV": "off"}).output


def test_a_program_has_no_input(run_shell):
    """A client that would ask at the terminal, for a password or to trust a key, reads that there is none."""
    assert run_shell("cat && echo over").output == "over\n"


def test_the_deadline_ends_a_program_and_its_children(run_shell, tmp_path):
    """The output until then is kept. A child that ignores SIGTERM is ended as well."""
    done = run_shell("trap '' TERM; sleep 600 & echo $! > child; echo so far; wait", seconds=0.5)
    assert (done.status, done.output, done.ended) == (None, "so far\n", "no answer within 0.5 seconds")
    assert not is_running(int((tmp_path / "child").read_text()))


def test_children_that_outlive_a_program_are_ended(run_shell, tmp_path):
    """One that holds the pipes neither delays the answer until the deadline nor stays."""
    done = run_shell("sleep 600 & echo $! > child; exit 4", seconds=300)
    assert (done.status, done.ended) == (4, "")
    assert not is_running(int((tmp_path / "child").read_text()))


def test_a_program_that_closes_its_outputs_still_has_its_deadline(run_shell):
    """Nothing to read any more is not its end."""
    assert run_shell("exec >&- 2>&-; exit 5").status == 5
    assert run_shell("exec >&- 2>&-; sleep 600", seconds=0.5).ended == "no answer within 0.5 seconds"


def test_another_thread_can_end_a_program(run_shell):
    """A rehearsal that is interrupted waits for no deadline."""
    cancelled = threading.Event()
    timer = threading.Timer(0.3, cancelled.set)
    timer.start()
    assert run_shell("sleep 600", seconds=300, cancelled=cancelled).ended == "interrupted"
    timer.join()
    assert run_shell("echo > started", cancelled=cancelled).ended == "interrupted"


def test_a_program_that_talks_without_end_is_ended(run_shell):
    """``limits.tls_client_bytes`` is a budget: all of it is read, and nothing beyond."""
    limits = replace(DEFAULT_LIMITS, tls_client_bytes=100_000)
    assert run_shell("head -c 100000 /dev/zero", limits=limits).status == 0
    assert run_shell("head -c 60000 /dev/zero; head -c 40001 /dev/zero >&2; sleep 600", limits=limits).ended == (
        "it wrote more than 100000 bytes (tls_client_bytes)"
    )


def test_a_program_that_cannot_be_run_is_no_crash(tmp_path):
    """Neither a program that is not there nor one that is none."""
    (tmp_path / "none").write_text("")
    for command in ("not-there", tmp_path / "none"):
        done = run([command], folder=tmp_path, seconds=1, cancelled=threading.Event())
        assert done.status is None
        assert done.ended.startswith("cannot be run: ")


def test_a_clients_folder_is_private_and_is_removed():
    """Mode 0700, and gone however its block ends."""
    made = []

    def be_interrupted():
        with private_folder() as folder:
            made.append(folder)
            assert folder.stat().st_mode & 0o777 == 0o700
            (folder / "cache").mkdir()
            (folder / "cache" / "file").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        be_interrupted()
    assert not made[0].exists()
