"""The run over a manifest: its steps, what is due after a kill or a failure, and two runs at once.

The work on a bundle is a stand-in that writes one word into the output, so that each case takes milliseconds.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import pkcs12kit as pk
from pkcs12kit.errors import ArgumentError, OutputError
from pkcs12kit.fleet import course
from pkcs12kit.fleet.bundles import FleetBundle, Manifest
from pkcs12kit.fleet.jobs import Task
from pkcs12kit.fleet.outcomes import BundleOutcome, Status
from pkcs12kit.fleet.records import Record
from pkcs12kit.fleet.run import BatchInterrupted
from pkcs12kit.fleet.run_state import FleetState, state_path

END = datetime(2030, 1, 1, tzinfo=UTC)


class Fleet:
    """A manifest with a stand-in for the work: a bundle is right if its output holds the wanted word."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.path = folder / "fleet.toml"
        self.wanted = {}
        self.jobs = []
        self.bad = set()
        self.on_job = lambda _: None
        self.log = folder / "log"
        self.bundles = {}
        monkeypatch.setitem(sys.modules, "pkcs12kit.fleet.work", SimpleNamespace(work=self.work))

    def add(self, name, *, after=True):
        """Add a bundle, whose command writes a line into the log."""
        argv = ("/bin/sh", "-c", f"echo {name} >>log") if after else ()
        self.bundles[name] = FleetBundle(
            name=name, output=str(self.folder / f"{name}.p12"), folder=str(self.folder), after=argv
        )
        self.wanted[name] = "first"

    @property
    def manifest(self):
        """The manifest as it is now."""
        return Manifest(path=self.path, bundles=tuple(self.bundles.values()))

    def record(self, name, word):
        """The record of a file that is right."""
        return Record(
            digest=name,
            inputs={},
            output=word,
            access="",
            certificates=("aa",),
            password="",
            expires=END,
            target=b"",
        )

    def work(self, job):
        """Do a job; see the class."""
        self.jobs.append((job.task, job.bundle.name, job.record is not None))
        self.on_job(job)
        name, output = job.bundle.name, Path(job.bundle.output)
        word = self.wanted[name]
        before = output.read_text("ascii") if output.exists() else None
        base = BundleOutcome(name=name, output=str(output), status=Status.UNCHANGED, expires=END, certificates=("aa",))
        if name in self.bad:
            return replace(base, status=Status.FAILED, error="no valid path", expires=None, certificates=())
        if job.task is Task.CHECK:
            return replace(base, status=Status.VALID)
        if before == word:
            return replace(base, record=self.record(name, word))
        if job.task is Task.PLAN:
            return replace(base, status=Status.CREATE if before is None else Status.REWRITE)
        output.write_text(word, "ascii")
        status = Status.CREATED if before is None else Status.REWRITTEN
        return replace(base, status=status, record=self.record(name, word))

    def run(self, **options):
        """Run the manifest in a thread, and return the report."""
        self.jobs.clear()
        with ThreadPoolExecutor(1) as executor:
            return pk.batch(self.manifest, executor=executor, **options)

    def statuses(self, **options):
        """Run the manifest, and return the status of each bundle."""
        return {one.name: one.status.value for one in self.run(**options).bundles}

    def logged(self):
        """Return the commands that ran since the last call."""
        text = self.log.read_text("ascii") if self.log.exists() else ""
        self.log.unlink(missing_ok=True)
        return text.split()

    def files(self):
        """Return what is in the folder: names and contents."""
        return {file.name: file.read_bytes() for file in self.folder.iterdir() if file.is_file()}


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    """Three bundles, each with a command of its own."""
    made = Fleet(tmp_path, monkeypatch)
    for name in ("web1", "web2", "mail"):
        made.add(name)
    return made


def test_a_first_run_and_a_second_one(fleet):
    """New files are not judged twice; commands run once; the second run gets records and changes nothing."""
    seen = []
    report = fleet.run(on_outcome=lambda outcome, done, total: seen.append((outcome.name, done, total)))
    assert [one.status for one in report.bundles] == [Status.CREATED] * 3
    assert (report.mode, report.changed, report.failed, report.ok, report.stopped) == ("run", 3, 0, True, None)
    assert fleet.jobs == [(Task.BUILD, name, False) for name in fleet.bundles]
    assert seen == [("web1", 1, 3), ("web2", 2, 3), ("mail", 3, 3)]
    assert fleet.logged() == ["web1", "web2", "mail"]
    before = state_path(fleet.path).stat()
    assert set(fleet.statuses().values()) == {"unchanged"}
    assert fleet.jobs == [(Task.PLAN, name, True) for name in fleet.bundles]
    assert fleet.logged() == []
    assert state_path(fleet.path).stat().st_ino == before.st_ino
    assert set(fleet.statuses(full=True).values()) == {"unchanged"}
    assert fleet.jobs == [(Task.PLAN, name, False) for name in fleet.bundles]


def test_only_what_has_changed_is_written(fleet):
    """And only its command runs."""
    fleet.run()
    fleet.logged()
    fleet.wanted["web2"] = "second"
    assert fleet.statuses() == {"web1": "unchanged", "web2": "rewritten", "mail": "unchanged"}
    assert [name for task, name, _ in fleet.jobs if task is Task.BUILD] == ["web2"]
    assert fleet.logged() == ["web2"]


def test_a_bad_bundle_stops_no_other(fleet):
    """Neither when it is new nor when its file is there."""
    fleet.bad = {"web1"}
    assert fleet.statuses() == {"web1": "failed", "web2": "created", "mail": "created"}
    assert fleet.logged() == ["web2", "mail"]
    fleet.bad = {"web2"}
    report = fleet.run()
    assert [one.status.value for one in report.bundles] == ["created", "failed", "unchanged"]
    assert not report.ok
    assert fleet.logged() == ["web1"]


@pytest.mark.parametrize("options", [{"plan": True}, {"check": True}])
@pytest.mark.parametrize("begun", [False, True])
def test_a_plan_and_a_check_write_nothing(fleet, options, begun):
    """Not even the state or a lock, and no command runs, also none that is due."""
    if begun:
        fleet.bundles["web1"] = replace(fleet.bundles["web1"], after=("/nowhere",))
        fleet.run()
        fleet.logged()
        fleet.wanted["mail"] = "second"
    before = fleet.files()
    statuses = fleet.statuses(**options)
    assert fleet.files() == before
    if "check" in options:
        assert set(statuses.values()) == {"valid"}
    elif begun:
        assert statuses == {"web1": "unchanged", "web2": "unchanged", "mail": "rewrite"}
    else:
        assert set(statuses.values()) == {"create"}


def test_a_limit_leaves_the_rest_to_later_runs(fleet):
    """Each run goes on, until all is done."""
    assert fleet.statuses(limit=2) == {"web1": "created", "web2": "created", "mail": "deferred"}
    assert fleet.logged() == ["web1", "web2"]
    assert fleet.statuses(limit=2) == {"web1": "unchanged", "web2": "unchanged", "mail": "created"}
    assert fleet.logged() == ["mail"]
    fleet.wanted = dict.fromkeys(fleet.wanted, "second")
    assert fleet.statuses(plan=True, limit=1) == {"web1": "rewrite", "web2": "deferred", "mail": "deferred"}


def test_too_many_changes_stop_the_run(fleet):
    """Nothing is written, and the report says so; a plan says it as well."""
    for options in ({}, {"plan": True}):
        report = fleet.run(max_changes="50%", **options)
        assert not report.ok
        assert report.changed == 0
        assert "3 bundles of 3 would change" in report.stopped
        assert [one.status for one in report.bundles] == [Status.DEFERRED] * 3
        assert not any(fleet.folder.glob("*.p12"))
    assert fleet.logged() == []
    assert fleet.run(max_changes=3).ok
    assert fleet.run(max_changes=0).ok


def test_only_some_bundles(fleet):
    """The state of the others stays, with the commands that are due for them."""
    fleet.bundles["mail"] = replace(fleet.bundles["mail"], after=("/nowhere",))
    assert not fleet.run().ok
    fleet.logged()
    fleet.add("mail")
    assert list(fleet.statuses(only="web*")) == ["web1", "web2"]
    assert fleet.logged() == []
    assert set(fleet.statuses().values()) == {"unchanged"}
    assert fleet.logged() == ["mail"]


def test_a_command_stays_due_until_it_succeeds(fleet):
    """Although no file changes any more; what runs is what the manifest says then."""
    fleet.bundles["web1"] = replace(fleet.bundles["web1"], after=("/bin/sh", "-c", "exit 3"))
    for status in ("created", "unchanged", "unchanged"):
        report = fleet.run()
        first = report.bundles[0]
        assert (first.status.value, report.ok) == (status, False)
        assert "exit status 3" in first.hook_error
    fleet.logged()
    fleet.add("web1")
    assert fleet.run().ok
    assert fleet.logged() == ["web1"]
    assert fleet.run().ok
    assert fleet.logged() == []


def test_equal_commands_run_once(fleet):
    """For all bundles that have them; if it fails, it fails for each."""
    same = ("/bin/sh", "-c", "echo all >>log")
    for name, bundle in fleet.bundles.items():
        fleet.bundles[name] = replace(bundle, after=same)
    assert fleet.run().ok
    assert fleet.logged() == ["all"]
    for name, bundle in fleet.bundles.items():
        fleet.bundles[name] = replace(bundle, after=("/nowhere",))
    fleet.wanted = dict.fromkeys(fleet.wanted, "second")
    assert all(one.hook_error for one in fleet.run().bundles)


class Killed(BaseException):
    """The end of a process, as far as it can be played in one."""


@pytest.mark.parametrize("moment", range(6))
def test_a_run_that_is_killed(fleet, moment, monkeypatch):
    """Its commands are due in the next run, also for files that were written and not yet in the state."""
    fleet.run()
    fleet.logged()
    fleet.wanted = dict.fromkeys(fleet.wanted, "second")
    steps = iter(range(100))

    def count(*_):
        if next(steps) == moment:
            raise Killed

    class Dead(course.Course):
        def save(self):
            """Nothing is saved by a process that is gone."""

    with monkeypatch.context() as patched:
        patched.setattr("pkcs12kit.fleet.run.Course", Dead)
        fleet.on_job = count
        with pytest.raises((Killed, BaseException)):
            raise_if_failed(fleet.run())
    fleet.on_job = lambda _: None
    already = set(fleet.logged())
    report = fleet.run()
    assert report.ok
    assert already | set(fleet.logged()) == {"web1", "web2", "mail"}
    assert {path.read_text("ascii") for path in fleet.folder.glob("*.p12")} == {"second"}
    assert set(fleet.statuses().values()) == {"unchanged"}
    assert fleet.logged() == []


def raise_if_failed(report):
    """A job that raises is a failed bundle; take it for a killed run."""
    if report.failed:
        raise Killed


def test_a_file_that_a_killed_run_wrote(fleet):
    """The state says that it was about to be written, and it is right: its command has not run."""
    fleet.run()
    fleet.logged()
    state = FleetState.load(fleet.path)
    state.change("web2", added={"pending": ["0123"]})
    state.save()
    assert set(fleet.statuses().values()) == {"unchanged"}
    assert fleet.logged() == ["web2"]
    fleet.run()
    assert fleet.logged() == []


def test_a_mark_of_a_run_that_still_goes_on(fleet):
    """Its own command is left to it, and so is its mark."""
    fleet.run()
    fleet.logged()
    with FleetState.opened(fleet.path) as other:
        other.change("web2", added={"pending": ["0123"]})
        other.save()
        assert set(fleet.statuses().values()) == {"unchanged"}
        assert fleet.logged() == []
    fleet.run()
    assert fleet.logged() == ["web2"]


def test_an_interrupted_run(fleet):
    """What was done is in the report of the exception, and its command is due."""

    def interrupt(outcome, done, total):
        del outcome, total
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(BatchInterrupted) as caught:
        fleet.run(on_outcome=interrupt)
    done = caught.value.report.bundles
    assert [one.name for one in done][:2] == ["web1", "web2"]
    assert fleet.logged() == []
    report = fleet.run()
    assert report.ok
    assert set(fleet.logged()) == {"web1", "web2", "mail"}


def test_the_state_costs_only_time(fleet):
    """Without it the next run opens every file, and changes none."""
    fleet.run()
    fleet.logged()
    state_path(fleet.path).unlink()
    assert set(fleet.statuses().values()) == {"unchanged"}
    assert fleet.jobs == [(Task.PLAN, name, False) for name in fleet.bundles]
    assert fleet.logged() == []


def test_a_state_that_is_not_trusted(fleet):
    """A warning, in the report and to the caller."""
    fleet.run()
    state_path(fleet.path).chmod(0o666)
    warnings = []
    report = fleet.run(on_warning=warnings.append)
    assert report.ok
    assert list(report.warnings) == warnings
    assert "other users may write" in warnings[0]
    assert fleet.jobs == [(Task.PLAN, name, False) for name in fleet.bundles]


def test_a_state_that_cannot_be_written(fleet):
    """Nothing is done if a command would be forgotten; without commands the run goes on with a warning."""
    state_path(fleet.path).mkdir()
    with pytest.raises(OutputError, match=r"\.state\.json"):
        fleet.run()
    assert not any(fleet.folder.glob("*.p12"))
    for name in fleet.bundles:
        fleet.add(name, after=False)
    report = fleet.run()
    assert report.ok
    assert report.changed == 3
    assert any("cannot write" in one for one in report.warnings)


def test_two_runs_at_once(fleet):
    """Both end well, and every command that is due has run at least once."""
    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: fleet.run(), range(2)))
    assert all(report.ok for report in reports)
    assert set(fleet.logged()) == {"web1", "web2", "mail"}
    assert set(fleet.statuses().values()) == {"unchanged"}
    assert fleet.logged() == []


@pytest.mark.parametrize(
    "options",
    [
        {"plan": True, "check": True},
        {"check": True, "limit": 1},
        {"check": True, "max_changes": 1},
        {"limit": 0},
        {"limit": True},
        {"limit": "1"},
        {"max_changes": "many"},
        {"only": 3},
        {"executor": 3},
        {"jobs": 0},
        {"dask": 3},
    ],
)
def test_wrong_calls(fleet, options):
    """Refused before anything is done."""
    with pytest.raises(ArgumentError):
        pk.batch(fleet.manifest, **options)
    assert fleet.jobs == []
    assert fleet.files() == {}
