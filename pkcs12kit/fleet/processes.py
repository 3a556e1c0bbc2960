"""Worker processes: each does one job at a time, never runs the user's script, and ends with its parent.

The workers of :mod:`multiprocessing` import the main module again, which runs a script without a guard a second time,
and a worker that is killed breaks the whole pool. These start from one line of code, and one that is lost loses the one
job that it had.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Lock, Thread, local
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

_Result = TypeVar("_Result")

_START: Final = """
import sys
from multiprocessing.connection import Connection
connection = Connection(int(sys.argv[1]))
try:
    sys.path[:], parent = connection.recv()
except (EOFError, OSError):  # the parent has gone
    sys.exit(1)
from pkcs12kit.fleet.processes import serve
serve(connection, parent)
"""
_STEP: Final = 0.25
"""Seconds between two looks at whether the other process is still there, for a pipe that a third one holds open."""
_GRACE: Final = 1.0
"""Seconds that a worker has to finish the file that it is writing after its parent has gone."""
_FAREWELL: Final = 5.0
"""Seconds that the parent waits for a worker without a job to end."""
_MOST_FAILED_STARTS: Final = 3
"""Workers in a row that may end while they start. After them nothing is started: each try takes part of a second."""


class WorkerLostError(BrokenExecutor):
    """A worker process that ended while it had a job, or that could not be started."""


class WorkerProcesses(Executor):
    """An executor with up to ``count`` worker processes, which are started when there are jobs for them."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="pkcs12kit worker")
        self._own = local()
        self._lock = Lock()
        self._workers: set[_Worker] = set()
        self._failed_starts = 0
        self._killed = False

    def submit(
        self,
        function: Callable[..., _Result],
        /,
        *arguments: Any,  # noqa: ANN401  # whatever the function takes
        **named: Any,  # noqa: ANN401  # as above
    ) -> Future[_Result]:
        """Schedule a call in a worker, and return its future; see :meth:`concurrent.futures.Executor.submit`."""
        return self._threads.submit(self._call, function, arguments, named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as the base class has it
        """End the workers after their jobs; see :meth:`concurrent.futures.Executor.shutdown`."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            with self._lock:
                workers = tuple(self._workers)
            for worker in workers:
                worker.close()
            for worker in workers:
                self._forget(worker)

    def kill(self) -> None:
        """End all workers at once, whatever they do. Their jobs are lost."""
        with self._lock:
            self._killed = True
            workers = tuple(self._workers)
        for worker in workers:
            worker.process.kill()

    def _call(self, function: Callable[..., _Result], arguments: tuple[Any, ...], named: dict[str, Any]) -> _Result:
        data = pickle.dumps((function, arguments, named))
        worker: _Worker | None = getattr(self._own, "worker", None)
        if worker is not None and worker.process.poll() is not None:  # it ended between two jobs
            self._forget(worker)
            worker = None
        if worker is None:
            worker = self._own.worker = self._start()
        try:
            answer = worker.ask(data)
        except (EOFError, OSError) as error:
            self._own.worker = None
            raise WorkerLostError(self._forget(worker)) from error
        done, result = pickle.loads(answer)  # noqa: S301  # from the worker, which this process started
        if not done:
            raise result
        return result  # type: ignore[no-any-return]

    def _start(self) -> _Worker:
        if self._failed_starts >= _MOST_FAILED_STARTS:
            raise WorkerLostError("no worker process can be started")
        worker = None
        try:
            worker = _Worker()
            with self._lock:
                self._workers.add(worker)
                killed = self._killed
            if killed:
                worker.process.kill()
            worker.greet()
        except (EOFError, OSError) as error:
            self._failed_starts += 1
            reason = str(error) if worker is None else self._forget(worker)
            raise WorkerLostError(f"a worker process could not be started: {reason}") from error
        self._failed_starts = 0
        return worker

    def _forget(self, worker: _Worker) -> str:
        with self._lock:
            self._workers.discard(worker)
        return worker.end()


@contextmanager
def worker_processes(count: int) -> Iterator[WorkerProcesses]:
    """Return up to ``count`` worker processes for a block. After it they have ended; an interrupt kills them."""
    workers = WorkerProcesses(count)
    try:
        yield workers
    finally:
        try:
            workers.shutdown(cancel_futures=True)
        except BaseException:
            workers.kill()
            raise


class _Worker:
    """The parent's side of one worker process."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        with theirs, _without_interrupts():
            self.process = subprocess.Popen(  # noqa: S603  # this interpreter, with the code above
                [
                    sys.executable,
                    *subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined]  # noqa: SLF001  # as multiprocessing does
                    "-P",  # nothing is imported from the folder in which it is started
                    "-c",
                    _START,
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def greet(self) -> None:
        """Send what a worker needs to know, and wait until it is ready. Raises OSError or EOFError if it has ended."""
        self._connection.send(([str(Path(folder).absolute()) for folder in sys.path], os.getpid()))
        self._receive()

    def ask(self, data: bytes) -> bytes:
        """Return the answer to a job. Raises OSError or EOFError if the worker has ended."""
        self._connection.send_bytes(data)
        return self._receive()

    def _receive(self) -> bytes:
        while not self._connection.poll(_STEP):
            if self.process.poll() is not None and not self._connection.poll(0):
                raise EOFError
        return self._connection.recv_bytes()

    def close(self) -> None:
        """Let the worker end, if it has no job."""
        self._connection.close()

    def end(self) -> str:
        """Wait for a worker that has ended or has no job, and return how it ended."""
        self._connection.close()
        try:
            status = self.process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        if status >= 0:
            return f"its worker process ended with status {status}"
        with suppress(ValueError):
            name = signal.Signals(-status).name
            memory = ", as the system does when memory is short" if name == "SIGKILL" else ""
            return f"its worker process was ended by {name}{memory}"
        return f"its worker process was ended by signal {-status}"


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Block SIGINT in this thread: what it starts is not interrupted before it has a handler of its own."""
    if sys.platform == "win32":  # no worker is started there
        yield
    else:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(connection: Connection, parent: int) -> None:
    """Do the jobs that arrive on a connection, one after another, as the worker of a process.

    The worker ends with its parent. Ctrl-C at a terminal reaches parent and workers at once: the parent decides, and
    the worker goes on. Its handler is a function, as programs that the worker starts would inherit an ignored signal.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    os.set_inheritable(connection.fileno(), False)  # noqa: FBT003  # its only parameter
    jobs: SimpleQueue[bytes] = SimpleQueue()
    idle = Event()
    idle.set()
    Thread(target=_receive_until_the_parent_ends, args=(connection, parent, jobs, idle), daemon=True).start()
    try:
        connection.send_bytes(b"ready")
        while True:
            job = jobs.get()
            idle.clear()
            answer = _answer(job)
            idle.set()
            connection.send_bytes(answer)
    except OSError:
        os._exit(1)  # the parent has gone


def _receive_until_the_parent_ends(connection: Connection, parent: int, jobs: SimpleQueue[bytes], idle: Event) -> None:
    with suppress(EOFError, OSError):
        while os.getppid() == parent:
            if connection.poll(_STEP):
                jobs.put(connection.recv_bytes())
    idle.wait(_GRACE)
    os._exit(0)


def _answer(job: bytes) -> bytes:
    try:
        function, arguments, named = pickle.loads(job)  # noqa: S301  # from the parent, which started this process
        return pickle.dumps((True, function(*arguments, **named)))
    except Exception as error:  # noqa: BLE001  # it is raised in the parent
        return _failure(error)
    except BaseException as error:  # noqa: BLE001  # a job cannot end the worker
        return _failure(RuntimeError(type(error).__name__))


def _failure(error: Exception) -> bytes:
    """Return an exception for the parent; in place of one that cannot cross, one that names it."""
    try:
        data = pickle.dumps((False, error))
        pickle.loads(data)  # noqa: S301  # made one line above
    except Exception:  # noqa: BLE001  # an exception may do anything when it is pickled
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return data


def can_start_workers() -> bool:
    """Return True if this interpreter can start others: a frozen program would start itself again."""
    return os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)


def usable_cpus() -> int:
    """Return the number of CPUs that this process may use: its affinity, and the limit of its control group."""
    if hasattr(os, "process_cpu_count"):
        count: int | None = os.process_cpu_count()  # with -X cpu_count, too
    elif hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count()
    return max(1, min(count or 1, _cgroup_cpus()))


def _cgroup_cpus(root: Path = Path("/sys/fs/cgroup"), groups: Path = Path("/proc/self/cgroup")) -> int:
    """Return the CPUs that version 2 of Linux's control groups allows, rounded up; a large number without a limit."""
    least = sys.maxsize
    with suppress(OSError, ValueError):
        own = next((line[3:] for line in groups.read_text().splitlines() if line.startswith("0::")), "")
        folder = root / own.strip("/")
        for one in (folder, *folder.parents):
            with suppress(OSError, ValueError):
                quota, period = (one / "cpu.max").read_text().split()
                least = min(least, -(-int(quota) // int(period)))  # "max 100000" is no number: no limit
            if one == root:
                break
    return least
