"""Pipes among the inputs of a fleet: one that no one writes to would stop the whole run."""

from __future__ import annotations

import os
from concurrent.futures import Future

import pytest

import pkcs12kit as pk

from .hosts import Hosts

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


class Inline:
    """An executor that does each job when it is submitted."""

    def submit(self, function, *arguments):
        """Return a finished future."""
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.mark.parametrize("options", [{}, {"plan": True}, {"check": True}])
@pytest.mark.parametrize("place", ["hosts/host000.pem", "hosts/host000.key"])
def test_a_pipe_fails_its_own_bundle(tmp_path, place, options):
    """The other bundle is done; a check reads no key."""
    hosts = Hosts(tmp_path, 2)
    hosts.write_manifest(options="iterations = 1000")
    (tmp_path / place).unlink()
    os.mkfifo(tmp_path / place)
    first, second = pk.batch(hosts.path, executor=Inline(), **options).bundles
    assert second.ok
    if place.endswith(".pem") or "check" not in options:
        assert place in first.error
        assert "a pipe" in first.error


@pytest.mark.parametrize("key", ["certificates", "trust_anchors", "crl", "ocsp"])
def test_a_pipe_for_all_fails_each_bundle(tmp_path, key):
    """The files that the bundles share are read before the work is given away."""
    hosts = Hosts(tmp_path, 2)
    os.mkfifo(tmp_path / "pipe")
    text = hosts.path.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
    hosts.path.write_text("\n".join(lines).replace("[defaults]", f'[defaults]\n{key} = "pipe"'), "utf-8")
    outcomes = pk.batch(hosts.path, executor=Inline()).bundles
    assert ["pipe" in one.error for one in outcomes] == [True, True]
    assert not list((tmp_path / "out").iterdir())


def test_a_manifest_is_not_a_pipe(tmp_path):
    """Its paths are relative to its folder and its state is beside it; ``<(...)`` has neither."""
    os.mkfifo(tmp_path / "fleet.toml")
    with pytest.raises(pk.InputError, match="a pipe, a device or a socket"):
        pk.batch(tmp_path / "fleet.toml")
