"""Calls of ``batch`` with nonsense: one sentence and the right exit status, never a traceback, and nothing is lost."""

from __future__ import annotations

import json
import os
import sys

import pytest

from pkcs12kit import cli
from pkcs12kit.fleet.run_state import state_path

from .hosts import Hosts

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")]
HEADER = b'{"format":"pkcs12kit fleet state","version":1,"bundles":'
STATES = (
    b"",
    b"\xff" * 99,
    b"[" * 200_000,
    b"[]",
    HEADER,
    HEADER.replace(b":1,", b":2,") + b"{}}",
    HEADER.replace(b":1,", b":NaN,") + b"{}}",
    HEADER.replace(b":1,", b":" + b"9" * 9_000 + b",") + b"{}}",
    HEADER + b"[]}",
    HEADER + b'{"host000":1}}',
    HEADER + b'{"\\ud800":{"record":null,"pending":[],"hook":[]}}}',
)
REPLACED = (
    ('key = "hosts/{name}.key"', ('key = "pipe"', 'key = "cas"', 'key = "/dev/zero"', 'key = "self"', 'key = "-"')),
    ('certificate = "hosts/{name}.pem"', ('certificate = "pipe"', 'certificate = "cas"', 'certificate = "-"')),
    ('certificates = "cas"', ('certificates = "pipe"', 'certificates = ["loop"]', 'certificates = ["cas", "self"]')),
    ('"root.pem"', ('"pipe"', '"/dev/zero"', '"cas"')),
    (
        'file = "password.txt"',
        ('file = "pipe"', 'file = "/dev/zero"', 'file = "cas"', 'command = ["yes"]', 'env = "A"'),
    ),
    ("out/{name}.p12", ("/dev/null", "{name}/", "self/{name}", "pipe", "root.pem/{name}", "x/" * 1_500 + "{name}")),
    ('each = "hosts/*.pem"', ("each = 3", 'each = "loop/**"', 'each = "hos*"', 'each = "[["', 'each = "none*"')),
)
OPTIONS = (
    ("--only", "none"),
    ("--only", "\0"),
    ("--limit", "0"),
    ("--max-changes", "101%"),
    ("--max-changes", "9" * 5_000),
    ("--jobs", "-3"),
    ("--dask", "file:///x"),
    ("--plan", "--check"),
)
TARGETS = ("fleet.toml", ".fleet.toml.state.json", "hosts/host000.key", "root.pem", "cas", "pipe", "no/x", "/dev/null")


@pytest.fixture
def hosts(tmp_path, monkeypatch):
    """One host, and a pipe and loops of links beside it."""
    monkeypatch.chdir(tmp_path)
    made = Hosts(tmp_path, 1)
    os.mkfifo("pipe")
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "self").symlink_to("self")
    return made


@pytest.fixture
def batch(monkeypatch, capsys):
    """Run the command, and return its exit status; it prints an object in any case, with a reason where it says no."""
    monkeypatch.setattr(cli, "_end_by_signals", lambda: None)

    def run(*arguments):
        options = arguments if "--jobs" in arguments else (*arguments, "--jobs", "1")
        monkeypatch.setattr(sys, "argv", ["pkcs12kit", "batch", *options, "--json"])
        status = 0
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code or 0
        printed = capsys.readouterr()
        assert status in {0, 1, 2}, (arguments, printed)
        assert "Traceback" not in printed.out + printed.err
        answer = json.loads(printed.out)
        assert status == 0 or answer.get("error") or any(one["error"] for one in answer["bundles"])
        return status

    return run


def contents(folder):
    """The contents of all files but those of the state and outputs."""
    files = (path for path in folder.rglob("*") if path.is_file() and "state.json" not in path.name)
    return {path: path.read_bytes() for path in files if path.suffix != ".p12"}


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, several in REPLACED for new in several])
def test_inputs_and_outputs(hosts, batch, old, new):
    """Pipes, devices, folders and loops in the place of each file: a plan, a run and a check end with 1 or 2."""
    text = hosts.path.read_text("utf-8")
    assert old in text
    hosts.path.write_text(text.replace(old, new), "utf-8")
    before = contents(hosts.folder)
    planned = batch("fleet.toml", "--plan")
    assert planned == batch("fleet.toml")
    assert batch("fleet.toml", "--check") in {0, planned}
    assert contents(hosts.folder) == before


def test_states(hosts, batch):
    """A state that is damaged, newer, or something else costs time; it never changes the answer."""
    assert batch("fleet.toml") == 0
    state = state_path(hosts.path)
    for data in STATES:
        for options in ((), ("--plan",), ("--check",)):
            state.write_bytes(data)
            state.chmod(0o600)
            assert batch("fleet.toml", *options) == 0, data[:99]
    for make, remove in ((state.mkdir, state.rmdir), (lambda: state.symlink_to("root.pem"), state.unlink)):
        state.unlink(missing_ok=True)
        before = contents(hosts.folder)
        make()
        assert batch("fleet.toml") == 0
        assert {path: data for path, data in contents(hosts.folder).items() if path != state} == before
        remove()


def test_options_and_reports(hosts, batch):
    """Options without a sense, and reports in the place of other files: 2, and nothing is done."""
    before = contents(hosts.folder)
    reports = [(option, target) for option in ("--junit", "--prometheus", "--svg") for target in TARGETS]
    for arguments in (*OPTIONS, *reports):
        assert batch("fleet.toml", *arguments) == 2, arguments
    for manifest in ("none", "hosts", "pipe", "/dev/zero", "-", "", "self", "\0", "a" * 300):
        assert batch(manifest) == 2
    assert contents(hosts.folder) == before
    assert list((hosts.folder / "out").iterdir()) == []
