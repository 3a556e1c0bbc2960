"""Worker processes: never the user's script again, never longer than their parent, one lost job for one lost worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from multiprocessing import Pipe
from pathlib import Path

import pytest

from pkcs12kit.fleet import executors, processes
from pkcs12kit.fleet.executors import opened_executor
from pkcs12kit.fleet.processes import WorkerLostError, WorkerProcesses, usable_cpus, worker_processes

from ..thoroughness import mostly_slow
from ..waiting import wait_until

UNGUARDED = """
import os, sys
from pkcs12kit.fleet.executors import opened_executor

print("main runs")
with opened_executor(jobs=2) as executor:
    workers = {executor.submit(os.getpid).result() for _ in range(3)}
print(os.getpid() in workers, executor.submit.__module__)
"""
SLEEPING = """
import hashlib, os, sys, time
from pathlib import Path
from pkcs12kit.fleet.executors import opened_executor

with opened_executor(jobs=2) as executor:
    print(*{executor.submit(os.getpid).result() for _ in range(20)}, flush=True)
    jobs = [executor.submit(time.sleep, 600), executor.submit(hashlib.pbkdf2_hmac, "sha256", b"", b"", 2**31 - 1)]
    print("busy", flush=True)
    jobs[0].result()
"""
INTERRUPTED = """
import sys, time
from pkcs12kit.fleet.executors import opened_executor

WORK = "import pathlib, time; pathlib.Path({!r}).touch(); time.sleep(1); pathlib.Path({!r}).touch()"

def main():
    with opened_executor(jobs=2) as executor:
        jobs = [executor.submit(exec, WORK.format(*sys.argv[1:]))]
        jobs += [executor.submit(time.sleep, 1) for _ in range(1000)]
        jobs[-1].result()

main()
"""


def start(*arguments, code=None, **options):
    """Start Python in a session of its own; ``code`` is written to its standard input."""
    program = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        **options,
    )
    if code is not None:
        program.stdin.write(code)
        program.stdin.close()
        program.stdin = None
    return program


def session(leader):
    """Return the processes of a session that have not ended, by Linux's /proc."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, its_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(its_session) == leader and state not in "ZX":
                found.append(int(folder.name))
    return found


@pytest.fixture
def needs_proc(cannot_run):
    """End a test that looks for processes where there is no /proc."""
    if not Path("/proc/self/stat").exists():
        cannot_run("needs /proc")


@pytest.mark.parametrize("way", mostly_slow(["script", "-c", "standard input", "-m"], every=4))
def test_the_main_program_runs_once(tmp_path, way):
    """A script needs no guard: multiprocessing would run it again in each worker, and fail for standard input."""
    (tmp_path / "script.py").write_text(UNGUARDED)
    (tmp_path / "pickle.py").write_text("print('imported from the folder')")
    program = {
        "script": lambda: start(tmp_path / "script.py"),
        "-c": lambda: start("-P", "-c", UNGUARDED, cwd=tmp_path),
        "standard input": lambda: start("-P", "-", code=UNGUARDED, cwd=tmp_path),
        "-m": lambda: start("-m", "script", cwd=tmp_path),
    }[way]
    (tmp_path / "pickle.py").unlink() if way in {"script", "-m"} else None
    printed, errors = program().communicate()
    assert (printed, errors) == ("main runs\nFalse pkcs12kit.fleet.processes\n", "")


@pytest.mark.slow
def test_workers_work_in_a_notebook(tmp_path):
    """The kernel's main module is the launcher of IPython, which no worker runs again."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(UNGUARDED)])
    nbclient.NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    printed = "".join(output.text for output in notebook.cells[0].outputs)
    assert printed == "main runs\nFalse pkcs12kit.fleet.processes\n"


@pytest.mark.usefixtures("needs_proc")
def test_no_worker_outlives_its_parent():
    """Kill -9 of the parent ends a worker that sleeps, and one in a key derivation, which is C code."""
    program = start("-c", SLEEPING)
    workers = list(map(int, program.stdout.readline().split()))
    assert program.stdout.readline() == "busy\n"
    assert workers
    try:
        assert wait_until(lambda: len(session(program.pid)) == 3)  # the second worker starts with the second job
    finally:
        program.kill()
    assert wait_until(lambda: not session(program.pid))
    assert program.communicate()[1] == ""


@pytest.mark.skipif(os.name == "nt", reason="pipes are passed on in another way there")
def test_a_worker_whose_parent_goes_first_ends_quietly():
    """The parent ended before it sent what a worker needs to know: the worker ends, and prints no traceback."""
    ours, theirs = Pipe()
    with ours, theirs:
        program = start("-P", "-c", processes._START, theirs.fileno(), pass_fds=[theirs.fileno()])
    assert program.communicate()[1] == ""
    assert program.returncode == 1


@pytest.mark.slow
@pytest.mark.usefixtures("needs_proc")
def test_no_worker_outlives_a_parent_that_is_killed_at_any_moment():
    """Before the workers start, while they do, and while they work. None of them prints a traceback."""
    for step in range(40):
        program = start("-c", SLEEPING)
        time.sleep(step * 0.05)
        program.kill()
        assert wait_until(lambda leader=program.pid: not session(leader)), step
        assert program.communicate()[1] == "", step


@pytest.mark.usefixtures("needs_proc")
def test_ctrl_c_ends_all_once(tmp_path):
    """The parent waits for the file that is being written; no process but the parent prints a traceback."""
    program = start("-c", INTERRUPTED, tmp_path / "begun", tmp_path / "written")
    assert wait_until((tmp_path / "begun").exists)
    os.killpg(program.pid, signal.SIGINT)
    _, errors = program.communicate()
    assert errors.count("Traceback") == 1
    assert errors.endswith("KeyboardInterrupt\n")
    assert (tmp_path / "written").exists()
    assert not session(program.pid)


def test_a_worker_that_ends_between_two_jobs_is_replaced():
    """It had no job, so none is lost."""
    with worker_processes(1) as workers:
        first = workers.submit(os.getpid).result()
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: next(iter(workers._workers)).process.poll() is not None)
        assert workers.submit(os.getpid).result() != first


def test_a_lost_worker_loses_one_job():
    """Its future says how the worker ended; the others know nothing of it."""
    with worker_processes(2) as workers:
        futures = [workers.submit(os._exit, 7), *(workers.submit(abs, -one) for one in range(20))]
        with pytest.raises(WorkerLostError, match=r"^its worker process ended with status 7$"):
            futures[0].result()
        assert [future.result() for future in futures[1:]] == list(range(20))


def test_what_cannot_be_pickled_fails_alone():
    """A job, a result and an exception that cannot cross to another process end neither pool nor worker."""
    with worker_processes(1) as workers:
        process = workers.submit(os.getpid).result()
        with pytest.raises(AttributeError):
            workers.submit(lambda: None).result()
        with pytest.raises(TypeError):
            workers.submit(open, os.devnull).result()
        with pytest.raises(RuntimeError, match="SystemExit"):
            workers.submit(sys.exit, 2).result()
        assert workers.submit(os.getpid).result() == process


def test_workers_that_cannot_start_are_not_tried_for_ever(monkeypatch, require_tool):
    """After three that end at once, the others fail without a try."""
    monkeypatch.setattr(sys, "executable", require_tool("false"))
    started = []
    real = processes._Worker
    monkeypatch.setattr(processes, "_Worker", lambda: started.append(1) or real())
    with worker_processes(1) as workers:
        words = [str(workers.submit(abs, 1).exception()) for _ in range(6)]
    assert words[0] == "a worker process could not be started: its worker process ended with status 1"
    assert words[3:] == ["no worker process can be started"] * 3
    assert len(started) == 3


@pytest.mark.parametrize("change", [{"executable": ""}, {"frozen": True}])
def test_a_program_that_cannot_start_python_uses_threads(monkeypatch, change):
    """A frozen program would start itself again, and that one again."""
    for name, value in change.items():
        monkeypatch.setattr(sys, name, value, raising=False)
    with opened_executor(jobs=3) as executor:
        assert isinstance(executor, ThreadPoolExecutor)


def test_not_more_workers_than_jobs_are_started():
    """Workers start when there is a job for them: two jobs take at most two, however many are allowed."""
    with worker_processes(64) as workers:
        futures = [workers.submit(time.sleep, 0.1) for _ in range(2)]
        for future in futures:
            future.result()
        assert len(workers._workers) <= 2


def test_killed_workers_end_at_once():
    """After a second interrupt nothing waits for a job."""
    workers = WorkerProcesses(1)
    workers.submit(abs, 1).result()
    future = workers.submit(time.sleep, 3600)
    workers.kill()
    assert isinstance(future.exception(), WorkerLostError)
    workers.shutdown()


def test_the_cpus_that_a_control_group_allows(tmp_path):
    """The least of the limits from the group of the process to the root counts, rounded up; "max" is none."""
    (tmp_path / "groups").write_text("1:name=systemd:/x\n0::/a/b\n")
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    for folder, text in ((root, "max 100000"), (root / "a", "250000 100000"), (root / "a" / "b", "800000 100000")):
        (folder / "cpu.max").write_text(text)
    assert processes._cgroup_cpus(root, tmp_path / "groups") == 3
    (root / "a" / "cpu.max").write_text("nonsense")
    assert processes._cgroup_cpus(root, tmp_path / "groups") == 8
    assert processes._cgroup_cpus(tmp_path / "none", tmp_path / "none") == sys.maxsize
    assert 1 <= usable_cpus() <= os.cpu_count()


@pytest.mark.parametrize(
    ("jobs", "bundles", "expected"),
    [
        (None, 1, 1),
        (None, 4, 1),
        (None, 5, 2),
        (None, 5_000, 8),
        (None, None, 8),
        (2, 1, 1),
        (3, 5, 3),
        (6, 2, 2),
        (4, 0, 1),
    ],
)
def test_no_more_processes_than_bundles(monkeypatch, jobs, bundles, expected):
    """Few bundles are built by few processes, of which each takes longer to start than a bundle to build."""
    asked = []

    def on_this_machine(number):
        asked.append(number)
        return nullcontext()

    monkeypatch.setattr(executors, "usable_cpus", lambda: 8)
    monkeypatch.setattr(executors, "_on_this_machine", on_this_machine)
    with executors.opened_executor(jobs=jobs, bundles=bundles):
        assert asked == [expected]
