"""``pkcs12kit probe --expect``: the file that a server should serve from, its password, and the exit status."""

from __future__ import annotations

import json

import pytest

import pkcs12kit as pk
from pkcs12kit.tls.rehearsal.server import LoopbackServer

PASSWORD = "correct horse 42 battery"


@pytest.fixture(scope="module")
def chain(replica):
    """What the server sends."""
    return replica.valid_paths[0].certificates


@pytest.fixture(scope="module")
def file(replica, chain, tmp_path_factory):
    """The PKCS#12 file that the server should serve from."""
    folder = tmp_path_factory.mktemp("expect")
    profile = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
    bundle = pk.Bundle(private_key=replica.server.private_key, certificates=chain)
    (folder / "server.p12").write_bytes(pk.encode_pfx(bundle, password=PASSWORD, profile=profile))
    (folder / "chain.pem").write_text("".join(one.to_pem() for one in chain))
    (folder / "other.pem").write_text("".join(one.to_pem() for one in chain[:2]))
    (folder / "password.txt").write_text(PASSWORD)
    (folder / "wrong.txt").write_text("wrong")
    return folder


@pytest.fixture
def probe(call, files, replica, chain):
    """Probe a server on loopback with these options."""

    def call_probe(*options, **more):
        with LoopbackServer(replica.server.private_key, chain) as server:
            given = ("--anchor", files.trust_anchor, "--server-name", replica.server_name)
            return call("probe", f"127.0.0.1:{server.port}", *given, *map(str, options), **more)

    return call_probe


@pytest.mark.parametrize("name", ["server.p12", "chain.pem"])
def test_the_certificates_of_the_file(probe, file, name):
    """Exit status 0; the JSON says the same by key."""
    options = ("--expect", file / name, "--password-file", file / "password.txt")
    outcome = probe(*options)
    assert (outcome.status, outcome.errors) == (0, "")
    assert f"is the certificate of {file / name}" in " ".join(outcome.text.split())
    described = json.loads(probe(*options, "--json").output)["servers"][0]["comparisons"]
    assert [(one["same"], one["served_as"]) for one in described] == [(True, "same")]


def test_other_certificates(probe, file):
    """Exit status 1, and which certificates differ."""
    outcome = probe("--expect", file / "other.pem")
    assert outcome.status == 1
    assert "failed: expected" in outcome.errors
    assert "which does not have" not in outcome.text


def test_passwords(probe, file, monkeypatch):
    """From a file, a variable or standard input; a wrong one is a no, and none where one is needed is bad usage."""
    expect = ("--expect", file / "server.p12")
    monkeypatch.setenv("P12", PASSWORD)
    assert probe(*expect, "--password-env", "P12").status == 0
    wrong = probe(*expect, "--password-file", file / "wrong.txt")
    assert (wrong.status, PASSWORD in wrong.errors) == (1, False)
    assert json.loads(probe(*expect, "--password-file", file / "wrong.txt", "--json").output)["ok"] is False
    assert probe(*expect).status == 2
    assert probe("--password-file", file / "password.txt").status == 2
    assert probe(*expect, *expect, "--password-stdin").status == 2
    assert probe("--expect", file / "no-such.p12").status == 2
    assert probe("--expect", file).status == 2
