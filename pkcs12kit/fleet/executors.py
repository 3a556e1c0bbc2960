"""Jobs on an executor: processes, threads, MPI, Dask, or any other with futures of :mod:`concurrent.futures`.

A worker that is lost loses no bundle: its job is given to another one. An executor is outside our control, so whatever
it answers is checked, and every job has one outcome.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from pkcs12kit.arguments import require_function, require_kind
from pkcs12kit.errors import ArgumentError, InputError, Pkcs12KitError
from pkcs12kit.fleet.jobs import Task, installed_version
from pkcs12kit.fleet.outcomes import BundleOutcome, Status
from pkcs12kit.fleet.processes import WorkerProcesses, can_start_workers, usable_cpus, worker_processes
from pkcs12kit.hints import Hint
from pkcs12kit.text import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pkcs12kit.fleet.jobs import Job

_IN_FLIGHT: Final = 1_024
"""Jobs that an executor has at one time: enough to keep some hundred workers busy, and few enough to cancel."""
_ATTEMPTS: Final = 3
"""Times that a job is given to an executor, if its worker is lost each time."""
_STEP: Final = 0.25
"""Seconds between two wake-ups of the waiting thread: a Ctrl-C just before it begins to wait does not wake it."""
_LONGEST_REASON: Final = 300
"""Characters of an executor's own words that a message repeats."""
_BROKEN: Final = (
    "the executor is broken and takes no more jobs; run it again with a new one, or without executor: processes of"
    " its own are replaced. It said"
)
_LOST_IN_DASK: Final = frozenset({"KilledWorker", "CommClosedError", "FutureCancelledError", "NoValidWorkerError"})
"""The exceptions of Dask for jobs whose worker, scheduler or connection was lost."""

_ANSWERS: Final = {
    Task.CHECK: frozenset({Status.VALID, Status.FAILED}),
    Task.PLAN: frozenset({Status.CREATE, Status.REWRITE, Status.UNCHANGED, Status.FAILED}),
    Task.BUILD: frozenset({Status.CREATED, Status.REWRITTEN, Status.UNCHANGED, Status.FAILED}),
}
"""The states that a job of each task can end in: an executor that remembers results may have one of another run."""
_BUNDLES_A_PROCESS: Final = 4
"""So many new bundles take about as long as the start of a process, unless a number is asked for."""


class Submits(Protocol):
    """Anything that takes jobs as :class:`concurrent.futures.Executor` does."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:  # noqa: ANN401  # as it is there
        """Schedule a call, and return its future."""


@runtime_checkable
class _KnowsItsWorkers(Protocol):
    def stranded(self) -> str | None:
        """Return why no job will ever be done; None as long as one may be."""


@contextmanager
def opened_executor(
    executor: object = None,
    *,
    jobs: int | None = None,
    dask: str | None = None,
    bundles: int | None = None,
    on_warning: Callable[[str], object] | None = None,
) -> Iterator[Submits]:
    """Return an executor for a block: the one that is given, Dask's, or worker processes of this machine.

    - ``executor``: anything with ``submit`` that returns futures of :mod:`concurrent.futures`. It is not shut down.
    - ``jobs``: bundles that are built at one time on this machine; the CPUs that this process may use by default. One
      is built in this process, more than one in worker processes, which end with the block and with this process.
    - ``bundles``: how many there are: no more processes are started than they are worth; None if it is not known.
    - ``dask``: the address of a Dask scheduler, such as ``tls://scheduler.example.mil:8786``.
    - ``on_warning``: called with a warning about the connection to Dask.

    Raises :class:`~pkcs12kit.ArgumentError` if the executor cannot be one, or if more than one of the three is given,
    and :class:`~pkcs12kit.InputError` if the scheduler cannot be used.
    """
    if sum(one is not None for one in (executor, jobs, dask)) > 1:
        raise ArgumentError("give only one of executor, jobs and dask")
    require_kind("jobs", jobs, int, optional=True)
    require_kind("dask", dask, str, optional=True)
    if executor is not None:
        yield _checked(executor)
    elif dask is not None:
        from pkcs12kit.fleet.dask_cluster import connected

        with connected(dask, on_warning=on_warning) as cluster:
            yield cluster
    else:
        with _on_this_machine(_worthwhile(jobs, bundles)) as workers:
            yield workers


def _worthwhile(jobs: int | None, bundles: int | None) -> int:
    """Return how many processes to work with: starting one takes as long as building a few bundles."""
    if bundles is None:
        return usable_cpus() if jobs is None else jobs
    most = bundles if jobs is not None else -(-bundles // _BUNDLES_A_PROCESS)
    return min(usable_cpus() if jobs is None else jobs, max(1, most))


def _checked(executor: object) -> Submits:
    if isinstance(executor, type):
        raise ArgumentError(f"executor: expected an executor, not the class {executor.__name__}; call the class")
    if callable(getattr(executor, "get_executor", None)):
        raise ArgumentError(
            "executor: a client of Dask does not return futures of concurrent.futures; give client.get_executor()"
        ).hinting(Hint(text="give the executor of the client", command="client.get_executor()"))
    if not callable(getattr(executor, "submit", None)):
        raise ArgumentError(
            f"executor: expected an executor with submit, such as those of concurrent.futures, not"
            f" {type(executor).__name__}"
        )
    return executor  # type: ignore[return-value]  # what submit returns is checked for each job


@contextmanager
def _on_this_machine(count: int) -> Iterator[Executor]:
    if count < 1:
        raise ArgumentError("jobs: expected 1 or more")
    if count > 1 and can_start_workers():
        with worker_processes(count) as workers:
            yield workers
        return
    threads = ThreadPoolExecutor(count, thread_name_prefix="pkcs12kit worker")
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)


def run_job(job: Job, version: str, attempt: int) -> BundleOutcome:
    """Do a job, in a worker. ``attempt`` makes each call a different one, for executors that remember results.

    Raises :class:`~pkcs12kit.InputError` if this worker has another version of pkcs12kit than its caller.
    """
    del attempt
    if version != installed_version():
        raise InputError(
            f"the worker has pkcs12kit {installed_version()}, and the run was started with {version}: install the"
            " same version for both"
        )
    from pkcs12kit.fleet.work import work

    return work(job)


def run_jobs(
    executor: Submits,
    jobs: Sequence[Job],
    on_outcome: Callable[[BundleOutcome], object] | None = None,
    *,
    function: Callable[[Job, str, int], BundleOutcome] = run_job,
) -> list[BundleOutcome]:
    """Return the outcomes of all jobs, in their order; ``on_outcome`` is called with each one as it comes.

    A job whose worker is lost is given to the executor again, on its own and at most twice, after all others: one that
    ends its workers fails, and takes no other with it. If the executor is broken then, as a ``ProcessPoolExecutor`` is
    after it has lost one process, all that are left fail and say so. An exception for a job is its failure. There is no
    time limit: an executor that never answers is waited for. KeyboardInterrupt cancels what has not begun, waits for
    what has, reports it to ``on_outcome``, and is raised; a second one does not wait.

    Raises :class:`~pkcs12kit.ArgumentError` if the executor takes no job at all and does not say that it is broken, or
    does not return futures of :mod:`concurrent.futures`.
    """
    if on_outcome is not None:
        require_function("on_outcome", on_outcome)
    run = _Run(executor, jobs, on_outcome or _ignore, function)
    try:
        run.all_at_once()
        run.lost_ones()
    except KeyboardInterrupt:
        run.stop(report=True)
        raise
    except BaseException:
        run.stop(report=False)
        raise
    return run.in_order()


class _Run:
    """The jobs of one call of :func:`run_jobs`, and what has become of each."""

    def __init__(
        self,
        executor: Submits,
        jobs: Sequence[Job],
        on_outcome: Callable[[BundleOutcome], object],
        function: Callable[[Job, str, int], BundleOutcome],
    ) -> None:
        self._executor = executor
        self._jobs = tuple(jobs)
        self._on_outcome = on_outcome
        self._function = function
        self._outcomes: dict[int, BundleOutcome] = {}
        self._in_flight: dict[Future[Any], int] = {}
        self._done: SimpleQueue[Future[Any]] = SimpleQueue()
        self._lost: deque[tuple[int, str]] = deque()
        self._accepted = False
        self._ended: str | None = None

    def all_at_once(self) -> None:
        """Run every job once."""
        for index in range(len(self._jobs)):
            self._submit(index, 1)
            while len(self._in_flight) >= _IN_FLIGHT:
                self._take(self._next_done())
        while self._in_flight:
            self._take(self._next_done())

    def lost_ones(self) -> None:
        """Run the jobs that were lost one by one, so that one that ends its workers is alone with them."""
        suspects, self._lost = self._lost, deque()
        for index, reason in suspects:
            last = reason
            for attempt in range(2, _ATTEMPTS + 1):
                self._submit(index, attempt)
                while self._in_flight:
                    self._take(self._next_done())
                if not self._lost:
                    break
                _, last = self._lost.pop()
            else:
                self._fail(index, f"lost by the executor {_ATTEMPTS} times: {last}")

    def _submit(self, index: int, attempt: int) -> None:
        if self._ended is not None:
            self._fail(index, self._ended)
            return
        try:
            future = self._executor.submit(self._function, self._jobs[index], installed_version(), attempt)
        except Exception as error:
            is_broken = isinstance(error, BrokenExecutor)
            if not (self._accepted or is_broken):
                raise ArgumentError(f"executor: it takes no jobs: {_words(error)}") from error
            if is_broken and attempt > 1:  # it had time to recover: this one stays broken
                self._ended = f"{_BROKEN}: {_words(error)}"
            self._judge(index, error)
            return
        if not isinstance(future, Future):
            raise ArgumentError(
                f"executor: submit has to return a future of concurrent.futures, not {type(future).__name__}"
            )
        self._accepted = True
        self._in_flight[future] = index
        future.add_done_callback(self._done.put)

    def _next_done(self) -> Future[Any]:
        while True:
            with suppress(Empty):
                return self._done.get(timeout=_STEP)
            self._cancel_if_stranded()

    def _cancel_if_stranded(self) -> None:
        """Cancel all jobs if the executor knows that no worker will ever do them."""
        if self._ended is None and isinstance(self._executor, _KnowsItsWorkers):
            self._ended = self._executor.stranded()
        if self._ended is not None:
            for future in tuple(self._in_flight):
                future.cancel()

    def _take(self, future: Future[Any]) -> None:
        index = self._in_flight.pop(future)
        # Not result(): an exception that a signal raises here is not one of the job.
        error: BaseException | None = CancelledError() if future.cancelled() else future.exception()
        if isinstance(error, KeyboardInterrupt):
            raise error
        if error is None:
            self._keep(index, future.result())
        else:
            self._judge(index, error)

    def _judge(self, index: int, error: BaseException) -> None:
        if self._ended is not None:
            self._fail(index, self._ended)
        elif _means_lost(error):
            self._lost.append((index, _words(error)))
        else:
            self._fail(index, _sentence(error), error.hints if isinstance(error, Pkcs12KitError) else ())

    def _keep(self, index: int, outcome: object) -> None:
        bundle = self._jobs[index].bundle
        if not isinstance(outcome, BundleOutcome):
            self._fail(index, f"the executor returned no outcome, but {type(outcome).__name__}")
        elif (outcome.name, outcome.output) != (bundle.name, bundle.output):
            self._fail(index, "the executor returned the outcome of another bundle")
        elif outcome.status not in _ANSWERS[self._jobs[index].task]:
            self._fail(index, "the executor returned the outcome of another task")
        else:
            self._outcomes[index] = outcome
            self._on_outcome(outcome)

    def _fail(self, index: int, error: str, hints: tuple[Hint, ...] = ()) -> None:
        outcome = BundleOutcome.failure(self._jobs[index].bundle, error, hints)
        self._outcomes[index] = outcome
        self._on_outcome(outcome)

    def stop(self, *, report: bool) -> None:
        """Cancel the jobs that have not begun, and wait for the others. With ``report``, report their outcomes."""
        if not report:
            self._on_outcome = _ignore
        try:
            for future in tuple(self._in_flight):
                if future.cancel():
                    del self._in_flight[future]
            while self._in_flight:
                future = self._next_done()
                if future in self._in_flight:
                    self._take(future)
        except BaseException:
            if isinstance(self._executor, WorkerProcesses):
                self._executor.kill()
            raise

    def in_order(self) -> list[BundleOutcome]:
        """Return the outcome of each job, in the order of the jobs."""
        return [self._outcomes[index] for index in range(len(self._jobs))]


def _ignore(outcome: BundleOutcome) -> None:
    """Do nothing with an outcome."""


def _means_lost(error: BaseException) -> bool:
    if isinstance(error, BrokenExecutor | CancelledError):
        return True
    return any(
        one.__name__ in _LOST_IN_DASK and one.__module__.partition(".")[0] == "distributed"
        for one in type(error).__mro__
    )


def _sentence(error: BaseException) -> str:
    if isinstance(error, Pkcs12KitError):
        return str(error)
    return f"the executor could not do the job: {_words(error)}"


def _words(error: BaseException) -> str:
    said = harmless(str(error), longest=_LONGEST_REASON)
    if isinstance(error, BrokenExecutor) and said:
        return said
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
