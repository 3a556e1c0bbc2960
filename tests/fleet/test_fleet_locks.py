"""The lock of an output: one holder at a time, freed by any end of the process, and not left in the way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet.locks import lock_file, outputs_locked, why_not_locked

AT_ONCE = replace(pk.DEFAULT_LIMITS, output_lock_seconds=0.1)
HOLD = """
import sys
from pkcs12kit import DEFAULT_LIMITS
from pkcs12kit.fleet.locks import outputs_locked
with outputs_locked(sys.argv[1:], limits=DEFAULT_LIMITS):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Start another process that holds the locks of outputs until its standard input ends."""
    running = []

    def start(*outputs):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, *map(str, outputs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_another_process_is_waited_for_and_named(holder, tmp_path):
    """While one process holds the lock of an output, another gets an error that says so, and what to do."""
    output = tmp_path / "server.p12"
    process = holder(output)
    with (
        pytest.raises(pk.OutputError, match="another run has held its lock") as caught,
        outputs_locked([str(output)], limits=AT_ONCE),
    ):
        pytest.fail("two holders")
    assert str(output) in str(caught.value)
    assert caught.value.hints
    with outputs_locked([str(tmp_path / "other.p12")], limits=AT_ONCE):
        pass
    process.communicate()
    with outputs_locked([str(output)], limits=AT_ONCE):
        assert lock_file(str(output)).stat().st_mode & 0o777 == 0o600 or os.name == "nt"
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_frees_it(holder, tmp_path):
    """After ``kill -9`` the file of the lock stays, and holds up no one."""
    output = tmp_path / "server.p12"
    process = holder(output)
    process.kill()
    process.wait()
    assert lock_file(str(output)).exists()
    with outputs_locked([str(output)], limits=AT_ONCE):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_frees_it(tmp_path):
    """So does Ctrl-C."""
    output = str(tmp_path / "server.p12")
    with pytest.raises(KeyboardInterrupt), outputs_locked([output], limits=AT_ONCE):
        raise KeyboardInterrupt
    with outputs_locked([output], limits=AT_ONCE):
        pass


def test_every_spelling_is_the_same_lock(tmp_path):
    """Through a link to the folder, with dots, and in other capital letters."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a", target_is_directory=True)
    spellings = ["a/server.p12", "b/server.p12", "a/../b/./server.p12", "a/SERVER.p12"]
    assert len({lock_file(str(tmp_path / spelling)) for spelling in spellings}) == 1
    with outputs_locked([str(tmp_path / spelling) for spelling in spellings], limits=AT_ONCE):
        pass


def test_threads_exclude_each_other_without_a_gap(tmp_path):
    """Many threads that take and remove the same lock file: never two holders, and each gets its turn."""
    output, inside, most = str(tmp_path / "server.p12"), [], []

    def work():
        for _ in range(5):
            with outputs_locked([output], limits=pk.DEFAULT_LIMITS):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(most)) == (1, 20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of POSIX")
def test_something_planted_in_its_place_is_refused(tmp_path):
    """A link is not followed, and a pipe not waited for."""
    output = str(tmp_path / "server.p12")
    lock_file(output).symlink_to(tmp_path / "victim")
    with outputs_locked([output], limits=AT_ONCE) as why:
        assert "not a regular file" in str(why)
    lock_file(output).unlink()
    os.mkfifo(lock_file(output))
    with outputs_locked([output], limits=AT_ONCE) as why:
        assert "not a regular file" in str(why)
    assert str(why) == str(why_not_locked([output]))
    assert not (tmp_path / "victim").exists()


def test_a_folder_that_does_not_exist(tmp_path):
    """The message names the output and its folder."""
    output = str(tmp_path / "none" / "server.p12")
    with outputs_locked([output], limits=AT_ONCE) as why:
        assert f"{output}: its folder cannot be opened" in str(why)
    assert str(why) == str(why_not_locked([output]))
