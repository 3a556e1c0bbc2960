"""Jobs on a real Dask cluster: the same outcomes as elsewhere, lost workers lose no bundle, mistakes are named."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.fleet import dask_cluster as module
from pkcs12kit.fleet.executors import opened_executor, run_jobs
from pkcs12kit.fleet.outcomes import Status

from ..waiting import wait_until, waiting_for_nothing
from .clusters import dask_cluster


@pytest.fixture
def distributed(cannot_run):
    """Dask's package for clusters."""
    try:
        import distributed
    except ImportError:
        cannot_run("needs distributed: pip install 'pkcs12kit[dask]'")
    return distributed


@pytest.fixture
def _fast(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 2)
    monkeypatch.setattr(module, "_PATIENCE_FOR_WORKERS", 2)


@pytest.fixture
def _fast_with_workers(monkeypatch):
    monkeypatch.setattr(module, "_MOST_WITHOUT_WORKERS", 3)
    monkeypatch.setattr(module, "_BETWEEN_LOOKS", 1)


def refusal(address, **options):
    """Return the error for a scheduler's address."""
    with pytest.raises(InputError) as caught, opened_executor(dask=address, **options):
        pytest.fail("it was accepted")
    return caught.value


def test_without_dask(monkeypatch):
    """The extra is named with the command that installs it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    error = refusal("tcp://127.0.0.1:8786")
    assert error.hints[0].command == "pip install 'pkcs12kit[dask]'"


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("tcp://192.0.2.1:8786", True),
        ("scheduler.example.mil:8786", True),
        ("ws://scheduler.example.mil:8786", True),
        ("tcp://localhost.example.mil:8786", True),
        ("tcp://[2001:db8::1]:8786", True),
        ("tcp://127.0.0.1.example.mil:8786", True),
        ("TCP://192.0.2.1:8786", True),
        ("tcp://[::1]:8786", False),
        ("tcp://127.0.0.2:8786", False),
        ("localhost:8786", False),
        ("tls://scheduler.example.mil:8786", False),
        ("wss://scheduler.example.mil:8786", False),
    ],
)
def test_connections_that_are_open_to_others(monkeypatch, address, is_open):
    """Whoever reaches a scheduler without TLS runs programs on its workers: a warning says so, but for loopback."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    warnings = []
    refusal(address, on_warning=warnings.append)
    assert bool(warnings) == is_open
    assert all("not protected" in warning and address in warning for warning in warnings)


@pytest.mark.usefixtures("distributed", "_fast")
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("tcp://127.0.0.1:1", marks=pytest.mark.slow),
        "tcp://127.0.0.1",
        "127.0.0.1",
        "",
        " ",
        "http://127.0.0.1:8786",
        "tls://127.0.0.1:1",
        "tcp://[::1",
        "tcp://:1",
        "tcp://127.0.0.1:x",
        "\x1b[31m",
        "tcp://127.0.0.1:99999",
    ],
)
def test_addresses_without_a_scheduler(address):
    """A wrong address, and one where nothing answers, are an error in one line within the limit."""
    error = refusal(address)
    assert str(error).startswith("Dask's scheduler ")
    assert str(error).isprintable()


@pytest.mark.slow
@pytest.mark.usefixtures("distributed")
def test_a_cluster_of_programs(act, make_jobs, calls, tmp_path):
    """A scheduler and two workers as programs of their own give what threads and processes give."""
    deeds = {1: {"deed": "raise"}, 2: {"deed": "nothing"}, 3: {"deed": "other"}, 6: {"deed": "kill once"}}
    jobs = make_jobs(30, deeds)
    reports, warnings = [], []
    with dask_cluster(tmp_path) as cluster:
        for options in ({"dask": cluster.address, "on_warning": warnings.append}, {"jobs": 2}):
            (tmp_path / "mark-6").unlink(missing_ok=True)
            with opened_executor(**options) as executor:
                reports.append([outcome.to_json() for outcome in run_jobs(executor, jobs, function=act)])
        with ThreadPoolExecutor(2) as threads:
            reports.append([outcome.to_json() for outcome in run_jobs(threads, jobs, function=act)])
        refused_for_version(cluster)
    assert reports[0] == reports[1] == reports[2]
    assert [one["status"] for one in reports[0]].count("failed") == 3
    assert warnings == []
    assert len({process for _, process, *_ in calls()}) >= 4


def refused_for_version(cluster):
    """Check that workers of another version are refused, and those without pkcs12kit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "installed_version", lambda: "9.9")
        error = refusal(cluster.address)
        assert "need pkcs12kit 9.9, as it is here: tcp://127.0.0.1:" in str(error)
        patch.setattr(module, "_version", lambda _: None)
        assert "has none" in str(refusal(cluster.address))


@pytest.mark.slow
def test_a_local_cluster(distributed, act, make_jobs, calls, tmp_path):
    """Dask's LocalCluster with worker processes; a client of it is refused, its executor is not."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            host="127.0.0.1",
            local_directory=str(tmp_path / "local"),
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        with pytest.raises(ArgumentError, match=r"client\.get_executor\(\)"), opened_executor(client):
            pytest.fail("it was accepted")
        with opened_executor(client.get_executor()) as executor:
            outcomes = run_jobs(executor, make_jobs(12, {3: {"deed": "kill once"}}), function=act)
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    assert sum(name == "bundle-3" for name, *_ in calls()) >= 2


@pytest.mark.slow
@pytest.mark.usefixtures("distributed")
def test_workers_that_are_killed_lose_no_bundle(act, make_jobs, calls, tmp_path):
    """Kill -9 of the process that has a job, from outside: a bundle that kills each of its workers fails alone."""
    deeds = {0: {"deed": "sleep", "seconds": 5}, 4: {"deed": "kill"}}
    with dask_cluster(tmp_path) as cluster:

        def kill_the_sleeper():
            assert wait_until((tmp_path / "mark-0").exists)
            os.kill(int((tmp_path / "mark-0").read_text("utf-8") or calls()[0][1]), signal.SIGKILL)

        killer = Thread(target=kill_the_sleeper)
        killer.start()
        with opened_executor(dask=cluster.address) as executor:
            outcomes = run_jobs(executor, make_jobs(20, deeds), function=act)
        killer.join()
    assert [index for index, outcome in enumerate(outcomes) if outcome.status is Status.FAILED] == [4]
    assert "lost by the executor 3 times: KilledWorker" in outcomes[4].error
    assert sum(name == "bundle-0" for name, *_ in calls()) >= 2


@pytest.mark.slow
@pytest.mark.usefixtures("distributed", "_fast_with_workers")
@pytest.mark.parametrize("killed", ["scheduler", "workers"])
def test_a_cluster_that_ends_in_mid_run(act, make_jobs, tmp_path, killed):
    """Without a scheduler or without workers, what is left fails with the reason; the run does not wait for ever."""
    deeds = {index: {"deed": "sleep", "seconds": 1} for index in range(30)}
    with dask_cluster(tmp_path) as cluster:

        def kill():
            for program in [cluster.scheduler] if killed == "scheduler" else cluster.workers:
                os.killpg(program.pid, signal.SIGKILL)

        def report(_):
            if not killers:
                killers.append(Thread(target=kill))
                killers[0].start()

        killers = []
        with waiting_for_nothing(), opened_executor(dask=cluster.address) as executor:
            outcomes = run_jobs(executor, make_jobs(30, deeds), report, function=act)
        killers[0].join()
    assert len(outcomes) == 30
    failed = [outcome.error for outcome in outcomes if outcome.status is Status.FAILED]
    assert len(failed) > 10
    assert all("Dask" in error or "lost by" in error or "Client" in error for error in failed), set(failed)


@pytest.mark.slow
@pytest.mark.usefixtures("distributed", "_fast")
def test_a_scheduler_without_workers(tmp_path):
    """It would keep the jobs until a worker comes; the run ends with the command that starts one."""
    with dask_cluster(tmp_path, workers=0) as cluster:
        error = refusal(cluster.address)
    assert str(error) == f"Dask's scheduler {cluster.address} has no workers"
    assert error.hints[0].command == f"dask worker {cluster.address}"
