"""The state between runs: two runs at once lose nothing, and a file that others could have written is not believed."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit.errors import OutputError
from pkcs12kit.fleet.records import Record, record_from_json, record_to_json
from pkcs12kit.fleet.run_state import BundleState, FleetState, state_path
from pkcs12kit.limits import DEFAULT_LIMITS

from ..thoroughness import examples

RECORD = Record(
    digest="d",
    inputs={"/key": "k"},
    output="o",
    access="0:0:600",
    certificates=("a", "b"),
    password="p",
    expires=datetime(2030, 1, 2, tzinfo=UTC),
    target=b"\x30\x00",
)


@pytest.fixture
def manifest(tmp_path):
    """The path of a manifest; the file itself is not read here."""
    return tmp_path / "fleet.toml"


def saved(manifest, **changes):
    """Save a state in which one bundle has changed, and return its path."""
    state = FleetState.load(manifest)
    state.change("web1", record=RECORD, **changes)
    state.save()
    return state_path(manifest)


def loaded(manifest, limits=DEFAULT_LIMITS):
    """Return the state and the warnings about it."""
    warnings = []
    return FleetState.load(manifest, limits=limits, on_warning=warnings.append), warnings


def test_a_state_comes_back(manifest):
    """The file is hidden, has mode 0600 and holds what was put in."""
    path = saved(manifest, added={"pending": ["r1"], "hook": ["r2"]})
    assert path.name == ".fleet.toml.state.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    state, warnings = loaded(manifest)
    runs = {"pending": frozenset({"r1"}), "hook": frozenset({"r2"})}
    assert state.of("web1") == BundleState(record=RECORD, **runs)
    assert state.of("web2") == BundleState()
    assert warnings == []


def test_nothing_new_writes_nothing(manifest):
    """A run in which nothing has changed does not sync a file to the disk."""
    path = saved(manifest)
    before = path.stat()
    state, _ = loaded(manifest)
    state.change("web1", record=RECORD)
    state.keep_only(["web1"])
    assert not state.has_changed
    state.save()
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


records = st.builds(
    Record,
    digest=st.text(),
    inputs=st.dictionaries(st.text(), st.text(), max_size=3),
    output=st.text(),
    access=st.text(),
    certificates=st.lists(st.text(), max_size=3).map(tuple),
    password=st.text(),
    expires=st.datetimes(timezones=st.just(UTC)),
    target=st.binary(max_size=20),
    others=st.none() | st.lists(st.binary(max_size=20), max_size=2).map(tuple),
)


@given(records)
@settings(max_examples=examples(100), deadline=None)
def test_every_record_survives_the_file(record):
    """Each field comes back as it was; a field that is forgotten here fails."""
    assert record_from_json(json.loads(json.dumps(record_to_json(record)))) == record


def _tamper(text, old, new):
    assert old in text
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda _: "", "damaged"),
        (lambda text: text[:-20], "damaged"),
        (lambda _: "[" * 100_000, "damaged"),
        (lambda _: "[]", "not the state"),
        (lambda _: "{}", "not the state"),
        (lambda text: _tamper(text, '"version":1', '"version":2'), "another version"),
        (lambda text: _tamper(text, '"version":1', '"version":"1"'), "another version"),
        (lambda text: _tamper(text, '"pending":[]', '"pending":[1]'), "damaged"),
        (lambda text: _tamper(text, '"pending":[]', '"pending":null'), "damaged"),
        (lambda text: _tamper(text, '"inputs":{"/key":"k"}', '"inputs":[1]'), "damaged"),
        (lambda text: _tamper(text, '"password":"p"', '"password":7'), "damaged"),
        (lambda text: _tamper(text, "2030-01-02T00:00:00+00:00", "2030-01-02T00:00:00"), "damaged"),
        (lambda text: _tamper(text, "2030-01-02T00:00:00+00:00", "9999-12-31T23:59:59-14:00"), "damaged"),
        (lambda text: _tamper(text, "2030-01-02T00:00:00+00:00", "0001-01-01T00:00:00+14:00"), "damaged"),
        (lambda text: _tamper(text, '"target":"MAA="', '"target":"?"'), "damaged"),
        (lambda text: _tamper(text, '"bundles":{', '"bundles":["'), "damaged"),
        (lambda text: _tamper(text, '"bundles":{"web1":{', '"bundles":{"web1":null,"web2":{'), "damaged"),
    ],
)
def test_a_damaged_state_is_none(manifest, damage, reason):
    """A warning says so, nothing of the file is used, and the next save replaces it."""
    path = saved(manifest)
    path.write_text(damage(path.read_text("utf-8")), "utf-8")
    state, warnings = loaded(manifest)
    assert state.of("web1") == BundleState()
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert reason in warnings[0]
    saved(manifest)
    assert loaded(manifest)[1] == []


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o660])
def test_a_state_that_others_may_write_is_none(manifest, mode):
    """As ssh treats its files: others could have written a record that hides a wrong file. Reading is harmless."""
    path = saved(manifest)
    path.chmod(0o644)
    assert loaded(manifest)[1] == []
    path.chmod(mode)
    state, warnings = loaded(manifest)
    assert state.of("web1") == BundleState()
    assert "other users may write" in warnings[0]
    saved(manifest)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_state_of_another_user_is_none(manifest, monkeypatch):
    """Only root and the user of the run may own it."""
    saved(manifest)
    someone = os.geteuid() + 1
    monkeypatch.setattr("pkcs12kit.fleet.run_state.own_numbers", lambda: (someone, someone, ()))
    if os.geteuid() == 0:
        os.chown(state_path(manifest), 12345, -1)
    assert "another user" in loaded(manifest)[1][0]


def test_a_link_or_a_pipe_is_none(manifest, tmp_path):
    """Neither is followed or waited for; and neither is replaced."""
    path = saved(manifest)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    state, warnings = loaded(manifest)
    assert state.of("web1") == BundleState()
    assert len(warnings) == 1
    with pytest.raises(OutputError, match="symbolic link"):
        saved(manifest)
    path.unlink()
    os.mkfifo(path, 0o600)
    assert "not a regular file" in loaded(manifest)[1][0]


def test_a_long_state_is_none(manifest):
    """It is not read as a whole first."""
    path = saved(manifest)
    limits = replace(DEFAULT_LIMITS, fleet_state_bytes=path.stat().st_size)
    assert loaded(manifest, limits)[1] == []
    limits = replace(DEFAULT_LIMITS, fleet_state_bytes=path.stat().st_size - 1)
    assert "fleet_state_bytes" in loaded(manifest, limits)[1][0]


def test_two_runs_lose_nothing_of_each_other(manifest):
    """Changes are made to the file as it is when they are saved, whatever was loaded before."""
    saved(manifest, added={"hook": ["r0"]})
    first, second = FleetState.load(manifest), FleetState.load(manifest)
    first.change("web1", removed={"hook": first.of("web1").hook})
    second.change("web1", added={"hook": ["r2"]})
    second.change("web2", added={"hook": ["r2"]})
    first.keep_only(["web1"])
    second.save()
    first.save()
    state, _ = loaded(manifest)
    assert state.of("web1").hook == {"r2"}
    assert state.of("web2").hook == {"r2"}


def test_a_bundle_that_left_the_manifest_is_forgotten(manifest):
    """The state does not grow with the years."""
    saved(manifest)
    state = FleetState.load(manifest)
    state.keep_only([])
    state.save()
    assert "web1" not in state_path(manifest).read_text("utf-8")


def test_a_state_that_vanishes_half_way_is_written_whole(manifest):
    """What the run knows is all that there is then."""
    saved(manifest)
    state = FleetState.load(manifest)
    state_path(manifest).unlink()
    state.change("web2", added={"hook": ["r1"]})
    state.save()
    again, _ = loaded(manifest)
    assert again.of("web1").record == RECORD
    assert again.of("web2").hook == {"r1"}


def test_many_runs_at_once(manifest):
    """Every change of every run is in the file at the end, and the file is never torn."""
    barrier = Barrier(8)

    def run(number):
        barrier.wait()
        for step in range(5):
            state, warnings = loaded(manifest)
            assert warnings == []
            state.change(f"web{step}", added={"hook": [f"r{number}"]})
            state.save()

    threads = [Thread(target=run, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    state, _ = loaded(manifest)
    for step in range(5):
        assert state.of(f"web{step}").hook == {f"r{number}" for number in range(8)}


def test_a_run_knows_whether_another_one_goes_on(manifest):
    """The mark is gone with the process, so a killed run leaves none."""
    with FleetState.opened(manifest) as first:
        assert first.alone
        with FleetState.opened(manifest) as second:
            assert not second.alone
    with FleetState.opened(manifest) as third:
        assert third.alone


def test_a_folder_that_cannot_be_written(tmp_path):
    """The error names the file, and comes before anything is done."""
    with (
        pytest.raises(OutputError, match=r"\.fleet\.toml\.state\.json"),
        FleetState.opened(tmp_path / "no" / "fleet.toml"),
    ):
        pass
