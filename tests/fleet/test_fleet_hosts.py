"""The whole of ``batch`` on hosts of a small PKI: files that open, one bad host among many, kills, two runs at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

import pkcs12kit as pk

from ..calling import call
from ..waiting import wait_until
from .hosts import PASSWORD, Hosts

HOOK = 'after = ["/bin/sh", "-c", "echo {name} >>log"]'


def batch(hosts, *options):
    """Call the command in this process, with one job at a time; return its exit status and its object."""
    done = call("batch", hosts.path, *options, *(() if "--dask" in options else ("--jobs", "1")), "--json")
    assert PASSWORD not in done.output + done.errors
    return done.status, json.loads(done.output)


def statuses(answer):
    """The status of each bundle."""
    return {one["name"]: one["status"] for one in answer["bundles"]}


def logged(hosts):
    """The names that commands wrote since the last call."""
    log = hosts.folder / "log"
    text = log.read_text("ascii") if log.exists() else ""
    log.unlink(missing_ok=True)
    return text.split()


def test_the_life_of_a_fleet(tmp_path):
    """One of four is bad: the others are written; then nothing changes; then what changes is written, and no more."""
    hosts = Hosts(tmp_path, 4, bad={2})
    hosts.write_manifest(options=HOOK)
    good = [name for name in hosts.names if name != "host002"]
    assert statuses(batch(hosts, "--plan")[1]) == {**dict.fromkeys(good, "create"), "host002": "failed"}
    assert not list((tmp_path / "out").iterdir())
    status, answer = batch(hosts)
    assert (status, answer["changed"], answer["failed"]) == (1, 3, 1)
    assert statuses(answer) == {**dict.fromkeys(good, "created"), "host002": "failed"}
    assert "Unknown CA" in answer["bundles"][2]["error"]
    assert all(hosts.is_right(name) for name in good)
    assert logged(hosts) == good
    hosts.issue("host002")
    hosts.issue("host003")
    status, answer = batch(hosts, "--plan")
    assert status == 0
    assert statuses(answer) == {
        "host000": "unchanged",
        "host001": "unchanged",
        "host002": "create",
        "host003": "rewrite",
    }
    assert logged(hosts) == []
    assert batch(hosts, "--check")[0] == 0
    status, answer = batch(hosts)
    assert (status, answer["changed"]) == (0, 2)
    assert all(map(hosts.is_right, hosts.names))
    assert logged(hosts) == ["host002", "host003"]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for options in ((), ("--full",)):
        status, answer = batch(hosts, *options)
        assert (status, set(statuses(answer).values())) == (0, {"unchanged"})
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in after if before.get(path) != after[path]} <= {tmp_path / ".fleet.toml.state.json"}
    (tmp_path / ".fleet.toml.state.json").unlink()
    status, answer = batch(hosts)
    assert (status, set(statuses(answer).values())) == (0, {"unchanged"})


def test_a_new_password_is_seen(tmp_path):
    """Whether the state remembers the old one or not; no part of it is in the state."""
    hosts = Hosts(tmp_path, 2)
    assert batch(hosts)[0] == 0
    state = (tmp_path / ".fleet.toml.state.json").read_bytes()
    assert PASSWORD.encode() not in state
    (tmp_path / "password.txt").write_text("another horse\n", "ascii")
    status, answer = batch(hosts)
    assert (status, set(statuses(answer).values())) == (0, {"rewritten"})
    for name in hosts.names:
        pk.decode_pfx((tmp_path / "out" / f"{name}.p12").read_bytes(), password="another horse")


def start(hosts, *options, stdout=subprocess.DEVNULL):
    """Start the command as a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    words = [sys.executable, "-m", "pkcs12kit", "batch", str(hosts.path), *options]
    return subprocess.Popen(words, stdout=stdout, stderr=subprocess.DEVNULL, env=environment, start_new_session=True)


def kill_at(hosts, moment):
    """Start a run, and kill it after some seconds with no time for anything."""
    process = start(hosts, "--jobs", "2")
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment)
    process.kill()
    process.wait()


def check_after_a_kill(hosts, before):
    """Run again: all is as if nothing had been killed, and each command of a changed file has run at least once."""
    status, answer = batch(hosts)
    assert status == 0
    assert all(map(hosts.is_right, hosts.names))
    assert set(before) | set(logged(hosts)) == set(hosts.names)
    status, answer = batch(hosts)
    assert set(statuses(answer).values()) == {"unchanged"}
    assert logged(hosts) == []
    assert sorted(path.name for path in (hosts.folder / "out").glob("*.p12")) == [f"{n}.p12" for n in hosts.names]


def kill_and_check(hosts, moments, *, every_host):
    """Kill a run at each of these moments, and look at what the next run makes of it."""
    for moment in moments:
        for name in hosts.names if every_host else hosts.names[:1]:
            hosts.issue(name)
        kill_at(hosts, moment)
        before = logged(hosts)
        check_after_a_kill(hosts, before if every_host else hosts.names)


def test_a_run_that_is_killed(tmp_path):
    """By SIGKILL, while its workers start or write: the next run does the rest."""
    hosts = Hosts(tmp_path, 3)
    hosts.write_manifest(options=HOOK)
    kill_and_check(hosts, [1.2], every_host=True)


@pytest.mark.slow
def test_a_run_that_is_killed_at_many_moments(tmp_path):
    """The same at moments over the whole of a run."""
    hosts = Hosts(tmp_path, 4)
    hosts.write_manifest(options=HOOK)
    begun = time.monotonic()
    start(hosts, "--jobs", "2").wait()
    whole = time.monotonic() - begun
    logged(hosts)
    kill_and_check(hosts, [whole * step / 10 for step in range(1, 12)], every_host=True)


@pytest.mark.slow
def test_one_bad_host_of_two_hundred(tmp_path):
    """The others are written, and the cause is in one line."""
    hosts = Hosts(tmp_path, 200, bad={77})
    hosts.write_manifest(options="iterations = 1000\nmac_iterations = 1000")
    done = call("batch", hosts.path)
    assert done.status == 1
    assert [line for line in done.output.splitlines() if "host077" in line and "Unknown CA" in line] != []
    assert sorted(hosts.contents()) == [name for name in hosts.names if name != "host077"]


@pytest.mark.slow
def test_two_runs_at_once(tmp_path):
    """Two processes: both say yes, each file is right, and each command has run."""
    hosts = Hosts(tmp_path, 8)
    hosts.write_manifest(options=HOOK)
    runs = [start(hosts, "--jobs", "2") for _ in range(2)]
    assert [one.wait() for one in runs] == [0, 0]
    check_after_a_kill(hosts, [])


@pytest.mark.slow
def test_threads_and_processes_say_the_same(tmp_path):
    """In each state of a fleet: new, nothing changed, one changed and one bad."""
    reports = []
    for number, name in enumerate(("threads", "processes")):
        folder = tmp_path / name
        folder.mkdir()
        hosts = Hosts(folder, 5, bad={3})
        with ThreadPoolExecutor(2) as threads:
            chosen = {"executor": threads} if number == 0 else {"jobs": 2}
            answers = []
            for step in range(3):
                if step == 2:
                    hosts.issue("host001")
                report = pk.batch(hosts.path, **chosen)
                answers.append(
                    [
                        (one.name, one.status, [why.partition(":")[0] for why in one.why], bool(one.error))
                        for one in report.bundles
                    ]
                )
        reports.append(answers)
    assert reports[0] == reports[1]


@pytest.mark.slow
def test_an_interrupted_run(tmp_path):
    """Ctrl-C: exit status 130; each file is whole or not there; the next run does the rest."""
    hosts = Hosts(tmp_path, 6)
    hosts.write_manifest(options=HOOK)
    process = start(hosts, "--jobs", "2", "--json", stdout=subprocess.PIPE)
    assert wait_until(lambda: list((tmp_path / "out").glob("*.p12")))
    process.send_signal(signal.SIGINT)
    answer = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == 130
    assert answer["error"].startswith("interrupted")
    assert 0 < answer["changed"] < 6
    check_after_a_kill(hosts, logged(hosts))
