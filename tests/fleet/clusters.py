"""A Dask scheduler and workers as programs of their own, on loopback, which end with their block."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ..waiting import wait_until

_SECONDS = 120
ACTING = Path(__file__).parent / "acting"


class Cluster:
    """The programs of a cluster: ``address``, ``scheduler``, ``workers``; what they print is in files of ``folder``."""

    def __init__(self, folder, stack, options=()):
        self.folder = folder
        self._stack = stack
        self.workers = []
        file = str(folder / "scheduler.json")
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", file, *options)
        assert wait_until(self._has_address), self.printed()
        self.address = json.loads((folder / "scheduler.json").read_text("utf-8"))["address"]

    def _has_address(self):
        assert self.scheduler.poll() is None, self.printed()
        try:
            return json.loads((self.folder / "scheduler.json").read_text("utf-8"))["address"]
        except (OSError, ValueError):
            return None

    def add_worker(self, **environment):
        """Start a worker with a nanny, which starts it again when it ends."""
        name = f"worker-{len(self.workers)}"
        local = str(self.folder / name)
        options = ("--nthreads", "1", "--nworkers", "1", "--local-directory", local, "--death-timeout", "60")
        worker = self._start("worker", self.address, *options, "--name", name, **environment)
        self.workers.append(worker)
        return worker

    def wait_for_workers(self):
        """Wait until the scheduler knows all workers: a busy machine takes more than some seconds to start them."""
        from distributed import Client

        with Client(self.address, timeout=_SECONDS, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=_SECONDS)

    def _start(self, command, *arguments, **environment):
        with (self.folder / f"{command}-{len(self.workers)}.log").open("wb") as log:
            program = subprocess.Popen(
                [sys.executable, "-m", "dask", command, *arguments, "--host", "127.0.0.1", "--no-dashboard"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ACTING), *sys.path]), **environment},
                start_new_session=True,
                cwd=self.folder,
            )
        self._stack.callback(end, program)
        return program

    def printed(self):
        """Return what all the programs have printed."""
        return "\n".join(log.read_text("utf-8", "replace") for log in sorted(self.folder.glob("*.log")))


def end(program):
    """End a program and all processes of its session, at once: there is nothing to be saved."""
    with suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


@contextmanager
def dask_cluster(folder, workers=2, options=()):
    """Start a scheduler, with further options, and workers for a block."""
    with ExitStack() as stack:
        cluster = Cluster(folder, stack, options)
        for _ in range(workers):
            cluster.add_worker()
        if workers:
            cluster.wait_for_workers()
        yield cluster
