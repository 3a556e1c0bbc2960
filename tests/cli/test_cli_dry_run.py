"""``pkcs12kit build --dry-run``: the answer of a build, and nothing written."""

from __future__ import annotations

import os

import pytest

from pkcs12kit.probing import Verdict

from .conftest import snapshot

QUICK = ("--iterations", "3", "--no-second-opinion")


def test_says_what_would_be_written_and_writes_nothing(build, folder):
    """Before the file is there it would be written, with and without ``--if-changed``; the folder stays empty."""
    outcome = build(*QUICK, "--dry-run", "--if-changed")
    assert (outcome.status, outcome.errors) == (0, "")
    assert "Would write server.p12 (there was no file): the private key and 6 certificates" in outcome.text
    report = build(*QUICK, "--dry-run", "--json").json
    assert (report["changed"], report["change"], report["dry_run"]) == (True, None, True)
    assert not list(folder.iterdir())


def test_says_whether_a_file_would_be_left_alone(build, folder):
    """``changed`` is what the same call without ``--dry-run`` says then, both ways."""
    assert build(*QUICK, "--json").json["dry_run"] is False
    before = snapshot(folder)
    alone = build(*QUICK, "--dry-run", "--if-changed")
    assert "Would not change server.p12, which already has these contents" in alone.text
    other = ("--friendly-name", "another", "--if-changed", "--json")
    foretold = build(*QUICK, "--dry-run", *other).json
    assert snapshot(folder) == before
    done = build(*QUICK, *other).json
    assert (
        (foretold["changed"], foretold["change"]) == (done["changed"], done["change"]) == (True, "it had other names")
    )


def test_no_path_is_no(build, files):
    """Exit status 1 with the reason, as without it."""
    outcome = build(*QUICK, "--dry-run", certs=files.certificate)
    assert outcome.status == 1
    assert "DOD ID SW CA-37" in outcome.errors


def test_a_file_that_could_not_be_written(build, folder, monkeypatch):
    """A folder that is missing, one that is not to be written to and a symbolic link are errors as in earnest."""
    missing = build(*QUICK, "--dry-run", out="missing/server.p12")
    assert (missing.status, "its folder cannot be opened" in missing.errors) == (2, True)
    (folder / "link.p12").symlink_to("elsewhere.p12")
    link = build(*QUICK, "--dry-run", out="link.p12")
    assert (link.status, "it is a symbolic link" in link.errors) == (2, True)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    closed = build(*QUICK, "--dry-run")
    assert (closed.status, "its folder cannot be written to" in closed.errors) == (2, True)


def test_standard_output_is_no_file(build):
    """Standard output would be written to."""
    outcome = build("--dry-run", "--out", "-")
    assert (outcome.status, "--dry-run compares with an existing file" in " ".join(outcome.errors.split())) == (2, True)


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REFUSED])
def test_rehearses_what_would_be_written(build, folder, answering, verdict):
    """``--rehearse`` serves it from memory: yes or no before the file of a running server is touched."""
    answering(openssl=verdict)
    outcome = build(*QUICK, "--dry-run", "--rehearse", "--json")
    assert outcome.status == (0 if verdict is Verdict.ACCEPTED else 1)
    assert outcome.json["rehearsal"]["ok"] is (verdict is Verdict.ACCEPTED)
    assert "has the new file" not in outcome.errors
    assert not list(folder.iterdir())
