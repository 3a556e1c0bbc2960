"""A Dask cluster by TLS, set up in Dask's own configuration, as docs/how-to/fleet.md says."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from .clusters import dask_cluster
from .hosts import Hosts

pytestmark = pytest.mark.slow
ROLES = ("scheduler", "worker", "client")


def settings(security, folder):
    """Write a certificate that trusts itself, and return Dask's settings for every role, as variables."""
    folder.mkdir()
    for name, text in (("ca.pem", security.tls_ca_file), ("key.pem", security.tls_client_key)):
        (folder / name).write_text(text, "ascii")
    start = "DASK_DISTRIBUTED__COMM__TLS__"
    files = {f"{start}CA_FILE": "ca.pem"}
    files |= {f"{start}{role.upper()}__CERT": "ca.pem" for role in ROLES}
    files |= {f"{start}{role.upper()}__KEY": "key.pem" for role in ROLES}
    return {name: str(folder / file) for name, file in files.items()}


def run(hosts, address, environment):
    """Run the command, and return its exit status, its answer and what it prints besides."""
    ended = subprocess.run(
        [sys.executable, "-m", "pkcs12kit", "batch", str(hosts.path), "--dask", address, "--json"],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, json.loads(ended.stdout), ended.stderr.decode()


def test_a_cluster_by_tls(tmp_path, monkeypatch):
    """Bundles are built over tls://, without a warning; a client without its certificate is refused in one line."""
    distributed, config = pytest.importorskip("distributed"), pytest.importorskip("dask.config")
    own, other = (settings(distributed.Security.temporary(), tmp_path / name) for name in ("own", "other"))
    hosts = Hosts(tmp_path, 3, bad=(1,))
    for name, value in own.items():  # the scheduler and the workers inherit them
        monkeypatch.setenv(name, value)
    in_process = {name.removeprefix("DASK_").replace("__", ".").lower(): value for name, value in own.items()}
    with config.set(in_process), dask_cluster(tmp_path, options=("--protocol", "tls")) as cluster:
        assert cluster.address.startswith("tls://127.0.0.1:")
        status, answer, printed = run(hosts, cluster.address, {})
        assert (status, answer["warnings"], "not protected" in printed) == (1, [], False)
        assert [one["status"] for one in answer["bundles"]] == ["created", "failed", "created"]
        assert set(hosts.contents()) == {"host000", "host002"}
        for environment in (other, dict.fromkeys(own, "none.pem")):
            status, answer, printed = run(hosts, cluster.address, environment)
            assert status == 2
            assert answer["error"].startswith("Dask's scheduler tls://127.0.0.1:")
            assert "Traceback" not in printed
