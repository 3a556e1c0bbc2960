"""Jobs on executors: each has one outcome, whatever the executor does; what is no executor is refused before."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from concurrent.futures import BrokenExecutor, CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import pytest

import pkcs12kit as pk
from pkcs12kit.errors import ArgumentError, InputError
from pkcs12kit.fleet.executors import opened_executor, run_job, run_jobs
from pkcs12kit.fleet.jobs import Task
from pkcs12kit.fleet.outcomes import BundleOutcome, Status

from ..thoroughness import examples, mostly_slow


def statuses(outcomes):
    """Return the values of the statuses of outcomes."""
    return [outcome.status.value for outcome in outcomes]


class Inline:
    """An executor that does a job when it is submitted, unless ``spoil`` returns a future in its place."""

    def __init__(self, spoil=lambda *_: None):
        self.spoil = spoil
        self.submitted = []

    def submit(self, function, job, version, attempt):
        """Return a finished future."""
        self.submitted.append((job.bundle.name, attempt))
        spoilt = self.spoil(job, attempt)
        if spoilt is not None:
            return spoilt
        future = Future()
        try:
            future.set_result(function(job, version, attempt))
        except Exception as error:  # noqa: BLE001  # as executors do
            future.set_exception(error)
        return future


def failed(error):
    """Return a future that has failed."""
    future = Future()
    future.set_exception(error)
    return future


def cancelled():
    """Return a future that was cancelled elsewhere."""
    future = Future()
    future.cancel()
    future.set_running_or_notify_cancel()
    return future


def test_outcomes_come_in_the_order_of_the_jobs(act, make_jobs):
    """Each job has one outcome at its place, and each is reported once, as it comes."""
    jobs, reported = make_jobs(50), []
    with ThreadPoolExecutor(4) as threads:
        outcomes = run_jobs(threads, jobs, reported.append, function=act)
    assert [outcome.name for outcome in outcomes] == [job.bundle.name for job in jobs]
    assert Counter(outcome.name for outcome in reported) == Counter(job.bundle.name for job in jobs)


def test_a_given_executor_is_left_open(act, make_jobs):
    """It belongs to the caller: it takes jobs after the block as before."""
    with ThreadPoolExecutor(1) as threads:
        with opened_executor(threads) as executor:
            assert executor is threads
            run_jobs(executor, make_jobs(1), function=act)
        assert threads.submit(int, "1").result() == 1


@pytest.mark.parametrize("jobs", [1, 2])
def test_own_workers(act, make_jobs, calls, jobs):
    """One job at a time is done in this process, several in others; an exception or a wrong answer is a failure."""
    deeds = {1: {"deed": "raise"}, 2: {"deed": "nothing"}, 3: {"deed": "other"}, 4: {"deed": "odd"}}
    with opened_executor(jobs=jobs) as executor:
        outcomes = run_jobs(executor, make_jobs(6, deeds), function=act)
    assert statuses(outcomes) == ["created", "failed", "failed", "failed", "failed", "created"]
    assert [outcome.error for outcome in outcomes[1:4]] == [
        "the executor could not do the job: OSError: [Errno 5] no luck",
        "the executor returned no outcome, but NoneType",
        "the executor returned the outcome of another bundle",
    ]
    assert "OddError: a and b" in outcomes[4].error
    processes = {process for _, process, _, _ in calls()}
    assert (processes == {str(os.getpid())}) if jobs == 1 else (str(os.getpid()) not in processes)
    assert {version for *_, version in calls()} == {pk.__version__}


def test_a_job_that_kills_its_worker_fails_alone(act, make_jobs, calls):
    """It is tried three times, one that kills its worker once succeeds, and no other bundle fails."""
    deeds = {2: {"deed": "kill"}, 5: {"deed": "kill once"}, 7: {"deed": "exit"}}
    with opened_executor(jobs=2) as executor:
        outcomes = run_jobs(executor, make_jobs(12, deeds), function=act)
    assert [index for index, outcome in enumerate(outcomes) if outcome.status is Status.FAILED] == [2, 7]
    assert outcomes[2].error == (
        "lost by the executor 3 times: its worker process was ended by SIGKILL, as the system does when memory is short"
    )
    assert "SystemExit" in outcomes[7].error
    attempts = Counter(name for name, *_ in calls())
    assert {name for name, count in attempts.items() if count > 1} == {"bundle-2", "bundle-5"}
    assert (attempts["bundle-2"], attempts["bundle-5"]) == (3, 2)


def test_a_broken_pool_of_processes_leaves_no_bundle_without_an_outcome(act, make_jobs, calls):
    """A pool of the standard library takes no job after a worker was killed: all that are left fail, and say why."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        outcomes = run_jobs(pool, make_jobs(6, {3: {"deed": "kill"}}), function=act)
        again = run_jobs(pool, make_jobs(2), function=act)
    assert len(outcomes) == 6
    assert statuses(outcomes)[3:] == ["failed"] * 3
    assert statuses(again) == ["failed"] * 2
    (error,) = {outcome.error for outcome in (*outcomes[3:], *again)}
    assert error.startswith("the executor is broken and takes no more jobs; run it again with a new one, or without")
    assert "process pool" in error
    assert len({name for name, *_ in calls()}) == len(calls())


def test_an_executor_that_recovers_loses_no_bundle(act, make_jobs):
    """It is called broken only if it still refuses jobs after all others were tried."""

    def spoil(job, attempt):
        if job.bundle.name != "bundle-0" and attempt == 1:
            raise BrokenExecutor("for a moment")

    assert statuses(run_jobs(Inline(spoil), make_jobs(3), function=act)) == ["created"] * 3


def test_an_executor_that_is_shut_down_during_the_run(act, make_jobs):
    """A watchdog of the caller ends a run that takes too long: what is left fails, and says why."""
    with ThreadPoolExecutor(1) as threads:
        outcomes = run_jobs(
            threads,
            make_jobs(4),
            lambda _: threads.shutdown(wait=False, cancel_futures=True),
            function=act,
        )
    assert outcomes[0].status is Status.CREATED
    left = {outcome.error for outcome in outcomes if outcome.status is Status.FAILED}
    assert left <= {"the executor could not do the job: RuntimeError: cannot schedule new futures after shutdown"}


@pytest.mark.parametrize("lost", [lambda: failed(BrokenExecutor("gone")), lambda: failed(CancelledError()), cancelled])
def test_lost_futures_are_submitted_again_at_most_twice(act, make_jobs, lost):
    """The suspects run one by one after all others."""
    executor = Inline(lambda job, attempt: lost() if job.bundle.name == "bundle-1" or attempt == 1 else None)
    outcomes = run_jobs(executor, make_jobs(3), function=act)
    assert statuses(outcomes) == ["created", "failed", "created"]
    first = [(f"bundle-{index}", 1) for index in range(3)]
    assert executor.submitted == [*first, ("bundle-0", 2), ("bundle-1", 2), ("bundle-1", 3), ("bundle-2", 2)]


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), BaseException("odd")])
def test_a_job_that_ends_its_thread_fails_alone(act, make_jobs, error):
    """One bundle never stops another one, whatever its job raises."""
    executor = Inline(lambda job, _: failed(error) if job.bundle.name == "bundle-1" else None)
    outcomes = run_jobs(executor, make_jobs(3), function=act)
    assert statuses(outcomes) == ["created", "failed", "created"]
    assert type(error).__name__ in outcomes[1].error


@pytest.mark.parametrize(
    ("task", "wrong"),
    [
        (Task.BUILD, (Status.CREATE, Status.REWRITE, Status.DEFERRED, Status.VALID, "created")),
        (Task.PLAN, (Status.CREATED, Status.REWRITTEN, Status.DEFERRED, Status.VALID, None)),
        (Task.CHECK, (Status.CREATED, Status.REWRITTEN, Status.CREATE, Status.REWRITE, Status.UNCHANGED)),
    ],
)
def test_an_answer_to_another_task_is_a_failure(make_jobs, task, wrong):
    """An executor that remembers results, and answers a build with a plan, has not written the file."""
    for status in wrong:
        answer = Future()
        job = replace(make_jobs(1)[0], task=task)
        answer.set_result(BundleOutcome(name=job.bundle.name, output=job.bundle.output, status=status))
        outcomes = run_jobs(Inline(lambda *_, answer=answer: answer), [job])
        assert statuses(outcomes) == ["failed"]
        assert "another task" in outcomes[0].error


def test_any_mixture_of_faults_gives_each_job_one_outcome(act, make_jobs):
    """Whatever an executor does with each attempt, outcomes are neither lost nor doubled."""
    for seed in range(examples(10)):
        chance = random.Random(seed)  # noqa: S311  # a test chooses faults

        def spoil(job, attempt, chance=chance):
            if job.bundle.name == "bundle-0" and attempt == 1:
                return None
            deed = chance.randrange(7)
            if deed == 0:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if deed == 1:
                raise BrokenExecutor
            return {2: failed(MemoryError()), 3: cancelled(), 4: failed(BrokenExecutor("x"))}.get(deed)

        reported = []
        jobs = make_jobs(20)
        outcomes = run_jobs(Inline(spoil), jobs, reported.append, function=act)
        assert [outcome.name for outcome in outcomes] == [job.bundle.name for job in jobs]
        assert sorted(map(id, reported)) == sorted(map(id, outcomes))


def test_not_more_than_some_jobs_are_given_at_one_time(act, make_jobs, monkeypatch):
    """The number in flight is bounded, so that thousands of jobs can be cancelled."""
    monkeypatch.setattr("pkcs12kit.fleet.executors._IN_FLIGHT", 4)
    waiting, most = [], 0
    ready = threading.Event()

    class Slow:
        def submit(self, function, *arguments):
            nonlocal most
            future = Future()
            waiting.append((future, function(*arguments)))
            most = max(most, len(waiting))
            if len(waiting) == 4 or arguments[0].bundle.name == "bundle-9":
                ready.set()
            return future

    def finish():
        while ready.wait():
            ready.clear()
            for future, result in waiting[:]:
                waiting.remove((future, result))
                future.set_result(result)
                if result.name == "bundle-9":
                    return

    thread = threading.Thread(target=finish)
    thread.start()
    assert len(run_jobs(Slow(), make_jobs(10), function=act)) == 10
    thread.join()
    assert most <= 4


class _Client:
    """Like Dask's client."""

    def get_executor(self):
        """Not called."""
        raise AssertionError

    def submit(self, *_):
        """Not called."""
        raise AssertionError


@pytest.mark.parametrize(
    ("executor", "words"),
    [
        (_Client(), r"client\.get_executor\(\)"),
        (ThreadPoolExecutor, "call the class"),
        (3, "not int"),
        (map, "the class map"),
        ("processes", "not str"),
        (type("NotCallable", (), {"submit": 3})(), "with submit"),
    ],
)
def test_what_is_no_executor_is_refused(executor, words):
    """A client of Dask is refused with what to give in its place, before anything is submitted."""
    with pytest.raises(ArgumentError, match=words), opened_executor(executor):
        pytest.fail("it was accepted")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jobs": 0}, "1 or more"),
        ({"jobs": -1}, "1 or more"),
        ({"jobs": True}, "not bool"),
        ({"jobs": "2"}, "not str"),
        ({"dask": 8786}, "not int"),
        ({"jobs": 2, "dask": "tcp://127.0.0.1:8786"}, "only one"),
        ({"jobs": 2, "executor": Inline()}, "only one"),
    ],
)
def test_wrong_options_are_refused(options, words):
    """Numbers of jobs below one, wrong kinds, and two answers to one question."""
    with pytest.raises(ArgumentError, match=words), opened_executor(**options):
        pytest.fail("it was accepted")


def test_an_executor_that_takes_no_job_is_refused(act, make_jobs):
    """One that was shut down, and one whose answers are no futures of concurrent.futures."""
    threads = ThreadPoolExecutor(1)
    threads.shutdown()
    with pytest.raises(ArgumentError, match="takes no jobs: RuntimeError: cannot schedule"):
        run_jobs(threads, make_jobs(2), function=act)
    answers = Inline(lambda *_: object())
    with pytest.raises(ArgumentError, match="not object"):
        run_jobs(answers, make_jobs(2), function=act)
    assert len(answers.submitted) == 1


@pytest.mark.parametrize("interrupt", mostly_slow([KeyboardInterrupt, ZeroDivisionError], every=2))
def test_an_interrupt_reports_what_was_begun_and_cancels_the_rest(act, make_jobs, calls, interrupt):
    """Ctrl-C loses no outcome of a job that had begun. An exception of the caller's function is raised as it is."""
    reported = []

    def report(outcome: BundleOutcome):
        reported.append(outcome.name)
        if len(reported) == 1:
            raise interrupt

    with opened_executor(jobs=2) as executor, pytest.raises(interrupt):
        run_jobs(executor, make_jobs(400), report, function=act)
    done = {name for name, *_ in calls()}
    assert len(done) < 400
    if interrupt is KeyboardInterrupt:
        assert set(reported) == done
        assert len(reported) == len(done)


def test_a_worker_of_another_version_is_refused(make_jobs):
    """A worker that starts after the run does not build with other rules than the run was started with."""
    with pytest.raises(InputError, match=r"the worker has pkcs12kit .* started with 0\.0\.1"):
        run_job(make_jobs(1)[0], "0.0.1", 1)
