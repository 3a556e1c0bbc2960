"""``--at`` answers for one time only: what is not valid by this computer's clock is named, with dates, and in JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import pkcs12kit as pk
from pkcs12kit import times

LATER = datetime(2099, 1, 1, tzinfo=UTC)
EARLIER = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def at(replica):
    """The time of the replica, as ``--at`` takes it."""
    return ("--at", replica.at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def named(path, at, *, later):
    """Return the warning that names all certificates of a path, with the date after or before which each is invalid."""
    each = "; ".join(
        f"{one.label} expired on {times.format_time(one.not_after)}"
        if later
        else f"{one.label} is not valid before {times.format_time(one.not_before)}"
        for one in path.with_anchor
    )
    return f"valid at {at[1]}, the time asked for, but not now: {each}"


@pytest.mark.parametrize("clock", [LATER, EARLIER])
def test_each_command_names_them(call, build, at, files, replica, monkeypatch, password_file, clock):
    """``build``, ``verify``, ``rehearse`` and ``paths``: on standard error and in JSON; the answer stays yes."""
    monkeypatch.setattr(times, "now", lambda: clock)
    expected = named(replica.valid_paths[0], at, later=clock is LATER)
    judging = ("--anchor", files.trust_anchor, *at, "--json")
    opened = ("--password-file", password_file)
    calls = {
        "build": lambda: build(*at, "--json"),
        "verify": lambda: call("verify", "server.p12", *judging, *opened),
        "rehearse": lambda: call("rehearse", "server.p12", *judging, *opened, "--clients", "openssl"),
        "paths": lambda: call("paths", files.certificate, "--certs", files.certificates, *judging),
    }
    for command, run in calls.items():
        outcome = run()
        assert outcome.status == 0, command
        assert expected in outcome.json["warnings"], command
        assert f"warning: {expected}\n" in outcome.errors, command


def test_convert_names_them(call, build, monkeypatch, password_file):
    """A copy of a file that is not valid now, as PKCS#12 and as PEM."""
    assert build().status == 0
    assert call("convert", "server.p12", "a.p12", "--password-file", password_file, "--json").json["warnings"] == []
    monkeypatch.setattr(times, "now", lambda: LATER)
    for name, more in (("new.p12", ()), ("new.pem", ("--to", "pem"))):
        outcome = call("convert", "server.p12", name, "--password-file", password_file, "--json", *more)
        assert outcome.json["warnings"][-1].startswith("server.p12: not valid now: mdm.example.mil expired on ")


def test_nothing_is_said_of_a_path_that_is_valid_now(build, call, files, at):
    """Without ``--at``, and with a time at which and now the path is valid."""
    for more in ((), at):
        assert build(*more, "--json", out=f"{len(more)}.p12").json["warnings"] == []
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        assert call("paths", files.certificate, *given, *more, "--json").json["warnings"] == []


def test_library(replica, files, monkeypatch):
    """``pk.build(time=...)`` and ``pk.verify(time=...)``: in the warnings of the report."""
    monkeypatch.setattr(times, "now", lambda: LATER)
    given = {"trust_anchors": files.trust_anchor, "time": replica.at}
    built = pk.build(
        key=files.key, certificate=files.certificate, certificates=files.certificates, password="x", **given
    )
    assert any("but not now: mdm.example.mil expired on " in warning for warning in built.warnings)
    checked = pk.verify(built.data, password="x", **given)
    assert checked.ok
    assert any("but not now: mdm.example.mil expired on " in warning for warning in checked.warnings)


def test_the_anchor_counts_as_it_does_for_the_path(build, monkeypatch, replica):
    """With ``--ignore-anchor-validity`` its end is not a reason."""
    path = replica.valid_paths[0]
    anchor = path.trust_anchor.certificate
    latest = max(one.not_after for one in path.certificates)
    if anchor.not_after <= latest:
        monkeypatch.setattr(times, "now", lambda: min(one.not_after for one in path.certificates))
    else:
        monkeypatch.setattr(times, "now", lambda: latest)
    at = ("--at", replica.at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    warnings = build(*at, "--ignore-anchor-validity", "--json").json["warnings"]
    assert not any(f"{anchor.label} expired" in warning for warning in warnings)
