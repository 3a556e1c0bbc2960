"""Real jobs that travel: no secret is in them or in a scheduler's memory, and one that runs twice does no harm."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.fleet.processes import worker_processes

from .clusters import dask_cluster

PASSWORD = "Qm7-vexing-lynx-42-Zp"
OWN_PASSWORD = "Kt9-brisk-otter-17-Wd"


@pytest.fixture
def manifest(tmp_path):
    """Three bundles with a password in a file; the key of one is encrypted with another password."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    topology = lab.Topology.from_edges("EE<B<TA")
    server = topology.servers["EE"]
    (folder / "server.pem").write_text(server.certificate.to_pem())
    (folder / "anchor.pem").write_text(topology.trust_anchor("TA").certificate.to_pem())
    (folder / "pool.pem").write_text("".join(one.to_pem() for one in topology.pool))
    (folder / "password").write_text(PASSWORD)
    (folder / "own").write_text(OWN_PASSWORD)
    write_keys(folder, server.private_key)
    bundles = [
        f'[[bundle]]\nname = "b{index}"\nkey = "{key}"\noutput = "{index}.p12"\n{more}'
        for index, (key, more) in enumerate(
            [("plain.key", ""), ("plain.key", ""), ("own.key", 'key_password = { file = "own" }\n')]
        )
    ]
    path = folder / "fleet.toml"
    path.write_text(
        'version = 1\n[defaults]\ncertificate = "server.pem"\ncertificates = ["pool.pem"]\n'
        'trust_anchors = ["anchor.pem"]\npassword = { file = "password" }\n' + "".join(bundles)
    )
    return path


def write_keys(folder, key):
    """Write a private key as it is and encrypted, for their owner."""
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    protections = {"plain.key": NoEncryption(), "own.key": BestAvailableEncryption(OWN_PASSWORD.encode())}
    for name, protection in protections.items():
        (folder / name).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
        (folder / name).chmod(0o600)


def needles(folder):
    """Return the secrets in each form in which they could travel."""
    found = []
    for password in (PASSWORD, OWN_PASSWORD):
        forms = [password.encode(encoding) for encoding in ("utf-8", "utf-16-be", "utf-16-le", "utf-32-le")]
        found += forms
        found += [form.hex().encode() for form in forms]
        found += [base64.b64encode(form).rstrip(b"=")[:-1] for form in forms]
    for name in ("plain.key", "own.key"):
        lines = [line for line in (folder / name).read_bytes().splitlines() if not line.startswith(b"--")]
        found += lines[1:-1]
        der = base64.b64decode(b"".join(lines))
        private = der[36:68] if name == "plain.key" else der[48:]  # a P-256 key: the rest is public
        middle = [private[at : at + 16] for at in range(0, len(private) - 15, 16)]
        found += middle
        found += [piece.hex().encode() for piece in middle]
    return found


def secrets_in(data, folder):
    """Return the secrets that are somewhere in bytes."""
    return [needle for needle in needles(folder) if needle in data]


class Capturing:
    """Threads that keep all that another process would be sent, and would send back, as a module pickles it."""

    def __init__(self, threads, pickles):
        self._threads = threads
        self._pickles = pickles
        self.sent = []

    def submit(self, function, *arguments):
        """Send the job through bytes, as processes and clusters do."""
        self.sent.append(self._pickles.dumps((function, arguments)))
        return self._threads.submit(self._work, self.sent[-1])

    def _work(self, data):
        function, arguments = self._pickles.loads(data)
        outcome = function(*arguments)
        self.sent.append(self._pickles.dumps(outcome))
        return outcome


def memory(process):
    """Return the readable memory of a process that is not a file's, by Linux's /proc."""
    pieces = []
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as bytes_of_it:
        for line in Path(f"/proc/{process}/maps").read_text("utf-8").splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S* \S+ \S+ \S+\s*(.*)", line)
            if match is None or match[3].startswith(("/", "[v")):
                continue
            start, end = int(match[1], 16), int(match[2], 16)
            try:
                bytes_of_it.seek(start)
                pieces.append(bytes_of_it.read(end - start))
            except (OSError, ValueError):
                continue
    return b"".join(pieces)


@pytest.mark.parametrize("module", ["pickle", "cloudpickle"])
def test_what_is_pickled_has_no_secret(module, manifest):
    """Jobs and outcomes of all three bundles, byte by byte; the report and the files beside the manifest as well."""
    pickles = pytest.importorskip(module, reason="processes pickle, and Dask has cloudpickle")
    with ThreadPoolExecutor(2) as threads:
        capturing = Capturing(threads, pickles)
        report = pk.batch(manifest, executor=capturing)
    assert [one.status.value for one in report.bundles] == ["created"] * 3, report.to_json()
    assert len(capturing.sent) >= 6
    folder = manifest.parent
    assert secrets_in(b"".join(capturing.sent), folder) == []
    assert secrets_in(json.dumps(report.to_json()).encode() + repr(report).encode(), folder) == []
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in {"password", "own", "plain.key", "own.key"}:
            assert secrets_in(path.read_bytes(), folder) == [], path


@pytest.mark.slow
def test_a_cluster_learns_no_secret(manifest, tmp_path, cannot_run):
    """The scheduler's memory has the jobs' references and no secret, nor has what any program prints.

    The search itself is held by a name that is not secret, which the scheduler has to know.
    """
    if not Path("/proc/self/mem").exists():
        cannot_run("needs /proc")
    if find_spec("distributed") is None:
        cannot_run("needs distributed: pip install 'pkcs12kit[dask]'")
    arguments = [sys.executable, "-m", "pkcs12kit", "batch", str(manifest), "--json"]
    with dask_cluster(tmp_path) as cluster:
        done = subprocess.run(
            [*arguments, "--dask", cluster.address], capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        report = json.loads(done.stdout)
        assert (done.returncode, report["changed"]) == (0, 3), done
        known = memory(cluster.scheduler.pid)
        printed = done.stdout + done.stderr + cluster.printed().encode()
    folder = manifest.parent
    assert b"run_job" in known
    assert os.fsencode(folder.name) in known
    assert secrets_in(known, folder) == []
    assert secrets_in(printed, folder) == []
    for index in range(3):
        (folder / f"{index}.p12").unlink()
    elsewhere = subprocess.run([*arguments, "--full"], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    assert without_times(json.loads(elsewhere.stdout)) == without_times(report)


def without_times(report):
    """Return a report without the time of its run."""
    return {**report, "time": None}


class Twice:
    """Worker processes that do each job twice at one time; the outcome that comes last is the answer."""

    def __init__(self, executor):
        self._executor = executor

    def submit(self, function, *arguments):
        """Return the second of two futures for the same job."""
        self._executor.submit(function, *arguments)
        return self._executor.submit(function, *arguments)


@pytest.mark.slow
def test_a_job_that_runs_twice_at_once(manifest):
    """Schedulers run a job again when they believe its worker lost: each file is whole, and no bundle fails."""
    with worker_processes(2) as workers:
        report = pk.batch(manifest, executor=Twice(workers))
    assert {one.status.value for one in report.bundles} <= {"created", "unchanged"}, report.to_json()
    for index in range(3):
        assert pk.inspect_pfx(manifest.parent / f"{index}.p12", password=PASSWORD).mac_verified
    assert [path.name for path in manifest.parent.glob(".*p12*")] == []
