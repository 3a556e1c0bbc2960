"""What `pkcs12kit batch` costs a host, beside a loop over `pkcs12kit build` and one over `pk.build`, in one run.

python benchmarks/fleet.py [--quick] [--check]
python benchmarks/fleet.py --fleet 5000 --dask

The hosts are servers of the replica of the Federal PKI, with RSA keys and files in `modern-2023`. The processor time is
that of a command with all its worker processes, from start to exit. With --check, exits 1 where a goal is missed.

--fleet simulates a large fleet with a state: nothing has changed, then one certificate of a hundred. Its files are in
`legacy-3des`, because the first run would take half an hour otherwise; a run without a change derives no keys at all.

--dask runs the same fleet on a scheduler and two workers, each a program of its own, measures what each costs for one
task, and estimates a fleet of 100,000 from that. The estimate is an upper bound for the time of a run:

    tasks x (batch + the larger of scheduler and worker / workers)

where each name is the processor time for one task. It leaves out the network and the file system that workers share.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.lab import KeyType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

UNCHANGED_MILLISECONDS: Final = 80
NEW_MILLISECONDS: Final = 350
WALL_OF_TWO: Final = 0.6
KEYS: Final = 20  # different keys; each file has its own copy, and is read and checked as any other
ESTIMATED: Final = 100_000
WORKERS: Final = (8, 32, 128)
PKCS12KIT: Final = (sys.executable, "-P", "-m", "pkcs12kit")
MANIFEST: Final = """\
version = 1

[[bundle]]
each = "hosts/*.pem"
key = "hosts/{{name}}.key"
certificate = "hosts/{{name}}.pem"
server_name = "{{name}}"
certificates = "lab/certs"
trust_anchors = "lab/anchor.pem"
password = {{ file = "password.txt" }}
profile = "{profile}"
output = "out/{{name}}.p12"
"""
LIBRARY_LOOP: Final = """\
import sys
import pkcs12kit as pk
pool, anchors = pk.load_certificates("lab/certs"), pk.load_trust_anchors("lab/anchor.pem")
for name in sys.argv[1:]:
    pk.build(key=f"hosts/{name}.key", certificate=f"hosts/{name}.pem", certificates=pool, trust_anchors=anchors,
             server_name=name, password="correct horse battery staple", profile="modern-2023",
             output=f"loop/{name}.p12")
"""


class Cost(NamedTuple):
    """What a command took: processor time with all its children, and time on the clock; both in seconds."""

    processor: float
    wall: float

    def a_host(self, hosts: int) -> Cost:
        """Return the cost for one of so many hosts."""
        return Cost(self.processor / hosts, self.wall / hosts)


class Hosts:
    """A folder with the files of many servers under one CA of the replica, and a manifest for all of them."""

    def __init__(self, folder: Path, count: int, *, profile: str, key_type: KeyType) -> None:
        self.folder = folder
        self.count = count
        self._replica = pk.lab.make_replica()
        pk.lab.write(self._replica, folder / "lab")
        for name in ("hosts", "out", "loop"):
            (folder / name).mkdir()
        password = folder / "password.txt"
        password.touch(0o600)
        password.write_text("correct horse battery staple\n", "ascii")
        self._keys = [key_type.generate() for _ in range(min(count, KEYS))]
        self.names = [f"host{number:05}.example.mil" for number in range(count)]
        tell(f"writing the keys and certificates of {count:,} hosts")
        for number, name in enumerate(self.names):
            key = self._keys[number % len(self._keys)]
            text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / "hosts" / f"{name}.key").write_bytes(text)
            self.renew(number)
        (folder / "fleet.toml").write_text(MANIFEST.format(profile=profile), "utf-8")

    def renew(self, number: int) -> None:
        """Write a new certificate for a host."""
        key = self._keys[number % len(self._keys)]
        server = self._replica.issue_server(self.names[number], private_key=key)
        (self.folder / "hosts" / f"{self.names[number]}.pem").write_text(server.certificate.to_pem(), "ascii")

    def run(self, *command: str) -> tuple[Cost, str]:
        """Run a command in the folder; return its cost and what it printed."""
        start = time.perf_counter()
        with tempfile.TemporaryFile("w+") as printed:
            process = subprocess.Popen(command, cwd=self.folder, stdout=printed)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - start
            printed.seek(0)
            output = printed.read()
        if process.returncode:
            raise SystemExit(f"exit status {process.returncode}: {' '.join(command)[:300]}\n{output[-2000:]}")
        return Cost(usage.ru_utime + usage.ru_stime, wall), output

    def batch(self, *options: str, changed: int) -> Cost:
        """Run ``batch``, which has to change so many bundles."""
        tell(f"batch {' '.join(options)}: {changed:,} of {self.count:,} hosts to change")
        cost, output = self.run(*PKCS12KIT, "batch", "fleet.toml", "--json", *options)
        report = json.loads(output)
        if (report["changed"], report["failed"], len(report["bundles"])) != (changed, 0, self.count):
            raise SystemExit(f"expected {changed} changes, not {report['changed']}; {report['failed']} failed")
        return cost

    def forget(self) -> None:
        """Remove the outputs and the state."""
        for file in (*(self.folder / "out").iterdir(), *self.folder.glob(".fleet.toml.*")):
            file.unlink()


def tell(step: str) -> None:
    """Print the step that begins, with the time, on standard error: a large fleet takes minutes."""
    print(f"{time.strftime('%H:%M:%S')}  {step}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=200, help="hosts to compare with the loops (default: 200)")
    parser.add_argument("--sample", type=int, default=20, help="hosts in a loop of commands (default: 20)")
    parser.add_argument("--fleet", type=int, default=0, help="hosts of the simulated fleet (default: none)")
    parser.add_argument("--dask", action="store_true", help="estimate a fleet on Dask; needs --fleet")
    parser.add_argument("--quick", action="store_true", help="a small run of everything, to see that it works")
    parser.add_argument("--check", action="store_true", help="exit 1 if a goal is missed")
    options = parser.parse_args()
    if options.quick:
        options.hosts, options.sample, options.fleet, options.dask = 4, 1, 6, True
    if options.dask and not options.fleet:
        parser.error("--dask needs --fleet")
    new, missed = compare(options.hosts, min(options.sample, options.hosts)) if options.hosts else (None, 0)
    if options.fleet:
        simulate(options.fleet, new, on_dask=options.dask)
    return int(options.check and missed > 0)


def compare(count: int, sample: int) -> tuple[Cost, int]:
    """Compare ``batch`` with the loops; return the cost of a new host, and how many goals are missed."""
    with tempfile.TemporaryDirectory() as folder:
        hosts = Hosts(Path(folder), count, profile="modern-2023", key_type=KeyType.RSA_2048)
        names, more_names = hosts.names[:sample], hosts.names[: 3 * sample]
        library, _ = hosts.run(sys.executable, "-P", "-c", LIBRARY_LOOP, *more_names)
        command, unchanged_command = (each(hosts, names) for _ in range(2))
        new_two = hosts.batch("--jobs", "2", changed=count)
        hosts.forget()
        new = hosts.batch("--jobs", "1", changed=count)
        same_two = hosts.batch("--jobs", "2", changed=0)
        same = hosts.batch("--jobs", "1", changed=0)
    costs = {
        "all new: pk.build in a loop": library.a_host(len(more_names)),
        "all new: pkcs12kit build in a loop": command.a_host(sample),
        "all new: batch --jobs 1": new.a_host(count),
        "all new: batch --jobs 2": new_two.a_host(count),
        "nothing changed: build --if-changed in a loop": unchanged_command.a_host(sample),
        "nothing changed: batch --jobs 1": same.a_host(count),
        "nothing changed: batch --jobs 2": same_two.a_host(count),
    }
    print(f"{'milliseconds a host, of ' + str(count) + ' hosts':48}{'processor':>12}{'clock':>12}")
    for title, cost in costs.items():
        print(f"{title:48}{cost.processor * 1e3:12.1f}{cost.wall * 1e3:12.1f}")
    most_new, most_same = (max(one, two).processor / count * 1e3 for one, two in ((new, new_two), (same, same_two)))
    missed = [
        judged("all new, of pk.build in a loop", most_new / costs["all new: pk.build in a loop"].processor / 1e3),
        judged("nothing changed, of build --if-changed", most_same / unchanged_command.processor * sample / 1e3),
        judged("all new, processor, ms", most_new, NEW_MILLISECONDS),
        judged("nothing changed, processor, ms", most_same, UNCHANGED_MILLISECONDS),
        judged("all new, clock with 2 jobs, of 1", new_two.wall / new.wall, WALL_OF_TWO),
        judged("nothing changed, clock with 2 jobs, of 1", same_two.wall / same.wall),
    ]
    return new.a_host(count), sum(missed)


def each(hosts: Hosts, names: Iterable[str]) -> Cost:
    """Call ``build --if-changed`` for each host; return the cost of all calls."""
    costs = [
        hosts.run(
            *(*PKCS12KIT, "build", "--if-changed", "--server-name", name),
            *("--key", f"hosts/{name}.key", "--cert", f"hosts/{name}.pem", "--certs", "lab/certs"),
            *("--anchor", "lab/anchor.pem", "--password-file", "password.txt", "--profile", "modern-2023"),
            *("--out", f"loop/{name}-command.p12"),
        )[0]
        for name in names
    ]
    return Cost(*map(sum, zip(*costs, strict=True)))


def judged(title: str, value: float, wanted: float | None = None) -> bool:
    """Print a ratio or a time and its goal, if it has one; return True if that is missed."""
    if wanted is None:
        print(f"{title:48}{value:12.2f}")
        return False
    print(f"{title:48}{value:12.2f}   at most {wanted}: {'no' if value > wanted else 'yes'}")
    return value > wanted


def simulate(count: int, new: Cost | None, *, on_dask: bool) -> None:
    """Run a large fleet: new, unchanged, and with one host of a hundred renewed."""
    renewed = max(1, count // 100)
    with tempfile.TemporaryDirectory() as folder:
        hosts = Hosts(Path(folder), count, profile="legacy-3des", key_type=KeyType.EC_P256)
        print(f"\n{'seconds, fleet of ' + format(count, ','):48}{'processor':>12}{'clock':>12}{'ms a host':>12}")
        row("all new, legacy-3des", hosts.batch(changed=count), count)
        row("nothing changed", hosts.batch(changed=0), count)
        for number in range(renewed):
            hosts.renew(number)
        row(f"{renewed:,} renewed", hosts.batch(changed=renewed), count)
        state = (hosts.folder / ".fleet.toml.state.json").stat().st_size
        print(f"{'state, bytes a host':48}{state / count:12.0f}")
        if on_dask:
            estimate(hosts, new)


def row(title: str, cost: Cost, count: int) -> None:
    """Print the cost of a run of the fleet."""
    print(f"{title:48}{cost.processor:12.1f}{cost.wall:12.1f}{cost.processor / count * 1e3:12.1f}")


def estimate(hosts: Hosts, new: Cost | None) -> None:
    """Measure what a task costs on Dask, and print what that means for a fleet of 100,000."""
    with dask_programs(hosts.folder, workers=2) as (address, programs):
        hosts.batch("--dask", address, changed=0)  # the workers load pkcs12kit and the pool, which is not counted
        before = [processor_of(one) for one in programs]
        batch = hosts.batch("--dask", address, changed=0)
        scheduler, *workers = (processor_of(one) - was for one, was in zip(programs, before, strict=True))
    task = {"batch": batch.processor, "scheduler": scheduler, "worker": sum(workers)}
    print(f"\n{'milliseconds a task on Dask, nothing changed':48}{'processor':>12}")
    for title, seconds in task.items():
        print(f"{title:48}{seconds / hosts.count * 1e3:12.2f}")
    print(f"{'on the clock, with 2 workers':48}{batch.wall / hosts.count * 1e3:12.2f}")
    print(
        f"\n{'estimate in minutes, ' + format(ESTIMATED, ',') + ' hosts; workers:':48}", *map("{:11}".format, WORKERS)
    )
    rows = {"nothing changed": task["worker"] / hosts.count}
    if new is not None:
        rows["all new, modern-2023"] = new.processor
    for title, worker in rows.items():
        minutes = [
            ESTIMATED * (task["batch"] / hosts.count + max(scheduler / hosts.count, worker / count)) / 60
            for count in WORKERS
        ]
        print(f"{title:48}", *map("{:11.1f}".format, minutes))


@contextmanager
def dask_programs(folder: Path, *, workers: int) -> Iterator[tuple[str, Sequence[subprocess.Popen[bytes]]]]:
    """Start a scheduler and workers of Dask, each a program; yield the address and the programs, scheduler first."""
    described = folder / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    local = ("--host", "127.0.0.1", "--no-dashboard")
    call = (sys.executable, "-m", "distributed.cli.dask_scheduler", *local, "--port", "0")
    programs = [subprocess.Popen([*call, "--scheduler-file", str(described)], cwd=folder, **quiet)]
    try:
        deadline = time.monotonic() + 60
        while not described.exists() or not described.read_text("utf-8").strip():
            if time.monotonic() > deadline or programs[0].poll() is not None:
                raise SystemExit("Dask's scheduler does not start: is pkcs12kit[dask] installed?")
            time.sleep(0.1)
        address = json.loads(described.read_text("utf-8"))["address"]
        worker = (sys.executable, "-m", "distributed.cli.dask_worker", address, *local, "--nthreads", "1", "--no-nanny")
        programs += [subprocess.Popen(worker, cwd=folder, **quiet) for _ in range(workers)]
        yield address, programs
    finally:
        for one in programs:
            one.kill()  # a worker without its scheduler looks for it for a while
        for one in programs:
            one.wait()


def processor_of(program: subprocess.Popen[bytes]) -> float:
    """Return the processor time of a running program, in seconds."""
    import psutil

    times = psutil.Process(program.pid).cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(main())
