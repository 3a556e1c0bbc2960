"""A stand-in for the work on a bundle, which a worker imports: it does what the options of the bundle say."""

import os
import signal
import sys
import time
from pathlib import Path

from pkcs12kit.fleet.outcomes import BundleOutcome, Status


def act(job, version, attempt):
    """Return the outcome of a job, after what its options say: an exception, the end of the worker, a wait."""
    options = job.bundle.options
    with Path(options["log"]).open("a", encoding="utf-8") as log:
        log.write(f"{job.bundle.name} {os.getpid()} {attempt} {version}\n")
    deed = options.get("deed")
    if deed == "raise":
        raise OSError(5, "no luck")
    if deed == "odd":
        raise OddError("a", "b")
    if deed == "exit":
        sys.exit(3)
    if deed == "kill" or (deed == "kill once" and first_time(options["mark"])):
        os.kill(os.getpid(), signal.SIGKILL)
    if deed == "sleep":
        Path(options["mark"]).write_text(str(os.getpid()), "utf-8")
        time.sleep(options["seconds"])
    if deed == "nothing":
        return None
    if deed == "other":
        return BundleOutcome(name="other", output=job.bundle.output, status=Status.CREATED)
    return BundleOutcome(name=job.bundle.name, output=job.bundle.output, status=Status.CREATED)


def first_time(mark):
    """Return True the first time that it is called with a file."""
    try:
        Path(mark).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


class OddError(Exception):
    """An exception that can be pickled and not read again."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")
