"""The judgement by a record: whatever a whole comparison would see, the record sees, too."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet import work as module
from pkcs12kit.fleet.jobs import Task
from pkcs12kit.fleet.outcomes import Status
from pkcs12kit.fleet.work import work

from ..thoroughness import mostly_slow
from .one_bundle import OPTIONS, OneBundle

HOLD = """
import sys
from pkcs12kit import DEFAULT_LIMITS
from pkcs12kit.fleet.locks import outputs_locked
with outputs_locked(sys.argv[1:], limits=DEFAULT_LIMITS):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def fleet(files, tmp_path, monkeypatch):
    """A folder with the inputs of one bundle, and the calls to work on it."""
    return OneBundle(files, tmp_path, monkeypatch)


def flip(path, at):
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1
    path.write_bytes(data)


def rewrite(path):
    """Write the same contents again."""
    path.write_bytes(path.read_bytes())


CHANGES = {
    "nothing": lambda _: None,
    "output gone": lambda fleet: fleet.output.unlink(),
    "output empty": lambda fleet: fleet.output.write_bytes(b""),
    "output longer": lambda fleet: fleet.output.write_bytes(fleet.output.read_bytes() + b"\0"),
    "output again": lambda fleet: rewrite(fleet.output),
    "mode 0644": lambda fleet: fleet.output.chmod(0o644),
    "mode 0640": lambda fleet: fleet.output.chmod(0o640),
    "key gone": lambda fleet: fleet.key.unlink(),
    "key again": lambda fleet: rewrite(fleet.key),
    "key with a text": lambda fleet: fleet.key.write_bytes(b"text\n" + fleet.key.read_bytes()),
    "certificate broken": lambda fleet: flip(fleet.certificate, 300),
    "certificate with a text": lambda fleet: fleet.certificate.write_bytes(b"x\n" + fleet.certificate.read_bytes()),
    "password": lambda fleet: fleet.password.write_text("another password 9"),
    "password again": lambda fleet: rewrite(fleet.password),
    "password gone": lambda fleet: fleet.password.unlink(),
    "anchor only": lambda fleet: fleet.cas.write_bytes(fleet.anchor.read_bytes()),
    "CAs twice": lambda fleet: fleet.cas.write_bytes(fleet.cas.read_bytes() * 2),
    **{f"output at {at}": lambda fleet, at=at: flip(fleet.output, at) for at in (0, 1, 30, 200, 999, -60, -20, -1)},
}
OTHER_OPTIONS = {
    "name": {"friendly_name": "new"},
    "anchor": {"no_anchor": True},
    "iterations": {"iterations": 2049},
    "profile": {"profile": "legacy-3des"},
    "reader": {"for": ["java-17"], "profile": None, "iterations": None},
    "mode": {"mode": 0o640},
    "form": {"to": "pem", "profile": None, "iterations": None, "force": True},
    "another server": {"server_name": "other.example"},
}


def both(fleet, record, **changed):
    """The statuses by the record, and by opening the file; nothing is written."""
    by_record = work(fleet.job(Task.PLAN, record, **changed))
    opened = work(fleet.job(Task.PLAN, None, **changed))
    return by_record, opened


@pytest.mark.parametrize("change", mostly_slow(CHANGES, every=6))
def test_every_change_of_a_file_is_seen(fleet, change):
    """Each input and the output, in contents and rights: the same answer as without a record."""
    record = fleet.work().record
    CHANGES[change](fleet)
    by_record, opened = both(fleet, record)
    assert (by_record.status, by_record.why, by_record.error) == (opened.status, opened.why, opened.error)
    if change == "nothing":
        assert by_record.status is Status.UNCHANGED


@pytest.mark.parametrize("option", mostly_slow(OTHER_OPTIONS, every=3))
def test_every_change_of_an_option_is_seen(fleet, option):
    """The same answer as without a record, for each option that says how the file is made."""
    record = fleet.work().record
    merged = {**OPTIONS, **OTHER_OPTIONS[option]}
    changed = {"options": {name: value for name, value in merged.items() if value is not None}}
    if option == "form":
        changed["password"] = None
    by_record, opened = both(fleet, record, **changed)
    assert (by_record.status, by_record.why, by_record.error) == (opened.status, opened.why, opened.error)
    assert option == "reader" or by_record.status is not Status.UNCHANGED


def test_the_path_is_judged_again(fleet):
    """When a certificate of the path has expired, the record does not help: there is no path any more."""
    first = fleet.work()
    later = replace(fleet.job(Task.BUILD, first.record), time=first.expires + timedelta(seconds=1))
    outcome = work(later)
    assert (outcome.status, "no valid path" in outcome.error) == (Status.FAILED, True)
    soon = replace(fleet.job(Task.BUILD, first.record, expires_within=timedelta(days=1)), time=first.expires)
    assert (work(soon).status, work(soon).ends_too_soon) == (Status.UNCHANGED, True)


def test_a_change_during_the_build_leaves_no_record(fleet, monkeypatch):
    """An input that is changed while the file is made is not recorded as it was read: the next run opens the file."""
    real = module.build

    def build(**given):
        report = real(**given)
        fleet.certificate.write_bytes(b"x\n" + fleet.certificate.read_bytes())
        return report

    monkeypatch.setattr(module, "build", build)
    outcome = fleet.work()
    assert (outcome.status, outcome.record) == (Status.CREATED, None)


def test_a_file_changed_after_the_build_fails(fleet, monkeypatch):
    """The file is read back under its lock: another program that writes it there is noticed."""
    real = module.build

    def build(**given):
        report = real(**given)
        flip(fleet.output, 50)
        return report

    monkeypatch.setattr(module, "build", build)
    outcome = fleet.work()
    assert (outcome.status, "it is not" in outcome.error) == (Status.FAILED, True)


def test_another_run_that_writes_the_file_is_waited_for(fleet):
    """A worker holds the lock of its output; where another has it, it fails by a sentence, and writes nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(fleet.output)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        job = fleet.job()
        outcome = work(replace(job, limits=replace(pk.DEFAULT_LIMITS, output_lock_seconds=0.1)))
        assert (outcome.status, "another run" in outcome.error) == (Status.FAILED, True)
        assert work(fleet.job(Task.PLAN)).status is Status.CREATE
        process.kill()
    assert work(job).status is Status.CREATED
    assert not list(fleet.folder.glob(".*"))
