"""``pkcs12kit expiry``: the ends of many bundles, what most hang on, and the exit status of each answer."""

from __future__ import annotations

import shlex

import pytest

import pkcs12kit as pk
from pkcs12kit.cli.options.values import Duration

from .conftest import PASSWORD


@pytest.fixture
def bundles(folder, replica, password_file):  # noqa: ARG001  # the password
    """A folder with two PKCS#12 files of the replica."""
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    quick = pk.profiles.MODERN.with_iterations(encryption=1, mac=1)
    place = folder / "bundles"
    place.mkdir()
    for name in ("a.p12", "b.p12"):
        (place / name).write_bytes(pk.encode_pfx(bundle, password=PASSWORD, profile=quick))
    return place


@pytest.fixture
def expiry(call, bundles, files, password_file, replica):  # noqa: ARG001  # the files are in the folder
    """Call ``expiry`` on the folder."""
    given = ("--anchor", files.trust_anchor, "--password-file", password_file, "--at", f"{replica.at:%Y-%m-%d}")
    return lambda *more: call("expiry", "bundles", *given, *more)


def test_yes(expiry, replica):
    """Exit status 0; the first line has the certificate, the list all of them."""
    done = expiry()
    assert done.status == 0
    assert "2 of 2 have no path without it" in done.text.splitlines()[0]
    answer = expiry("--json").json
    assert answer["ok"] is True
    assert answer["summary"] == {"bundles": 2, "expiring": 0, "without_path": 0, "unread": 0}
    assert len(answer["most_needed"]["needed_by"]) == 2
    path = replica.valid_paths[0].certificates[1:]
    assert {one["certificate"]["sha256"] for one in answer["certificates"]} == {one.sha256 for one in path}


def test_something_ends(call, expiry):
    """Exit status 1, and the hint's command says no to the first of them for the same reason, at the same time."""
    done = expiry("--expires-within", "90y")
    assert done.status == 1
    assert "2 bundles with a path that ends within the time" in done.errors
    answer = expiry("--expires-within", "90y", "--json").json
    assert answer["ok"] is False
    (hint,) = answer["hints"]
    words = shlex.split(hint["command"])
    assert words[:3] == ["pkcs12kit", "verify", "bundles/a.p12"]
    again = call(*words[1:])
    assert again.status == 1
    assert "expiry" in [
        one["check"] for one in call(*words[1:], "--json").json["findings"] if one["outcome"] == "not-ok"
    ]


def test_a_file_that_does_not_open(expiry, bundles, replica):
    """Exit status 2: nothing is known of it; the others are shown all the same."""
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    quick = pk.profiles.MODERN.with_iterations(encryption=1, mac=1)
    (bundles / "c.p12").write_bytes(pk.encode_pfx(bundle, password="another one", profile=quick))
    done = expiry()
    assert done.status == 2
    assert "1 bundle not read" in done.errors
    assert "--password-file" in done.errors
    assert "bundles/a.p12 ends on" in done.text
    answer = expiry("--json").json
    assert answer["unread"][0]["name"] == "bundles/c.p12"
    assert answer["unread"][0]["needs_password"] is True


def test_a_bundle_without_a_path(call, files, replica):
    """A server's certificate without its chain: exit status 1 without ``--certs``, and 0 with it."""
    at = f"{replica.at:%Y-%m-%d}"
    given = ("expiry", files.certificate, "--anchor", files.trust_anchor, "--at", at)
    done = call(*given)
    assert done.status == 1
    assert "Without a valid path:" in done.text
    done = call(*given, "--certs", files.certificates)
    assert done.status == 0
    assert "its own certificates make no path, only those given beside it do" in done.text


def test_the_hint_at_a_bundle_has_the_password(expiry, bundles):
    """The call of ``verify`` opens the first bundle with the password that was given."""
    done = expiry("--expires-within", "90y")
    assert done.status == 1
    assert f"verify {bundles.name}/a.p12" in done.errors
    assert "--password-file" in done.errors.split(" verify ")[1]


def test_no_bundle(call, folder, files):
    """An empty folder, and a missing file."""
    (folder / "empty").mkdir()
    done = call("expiry", "empty", "--anchor", files.trust_anchor)
    assert done.status == 2
    assert "no bundle with a server's certificate was given" in done.errors
    done = call("expiry", "nowhere.p12", "--anchor", files.trust_anchor)
    assert done.status == 2
    assert "nowhere.p12: no such file" in done.text + done.errors


@pytest.mark.parametrize("typed", ["0h", "12h", "99999h", "30d", "12y", "999y", "99999d", "99999w", "90y", "273w"])
def test_every_duration_can_be_typed_again(typed):
    """What a hint repeats of ``--expires-within`` is read as the same span of time."""
    span = Duration().convert(typed, None, None)
    assert Duration().convert(Duration.typed(span), None, None) == span
