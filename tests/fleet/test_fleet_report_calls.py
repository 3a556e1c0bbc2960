"""The report of a real run over a lab: on standard output, as JSON and in files, also where one cannot be written."""

from __future__ import annotations

import json

import pytest

from pkcs12kit.cli.options.reports import ReportFiles

from ..calling import call
from .test_fleet_report_forms import parsed, total

MANIFEST = """
version = 1

[defaults]
certificates = ["lab/certs"]
trust_anchors = ["lab/anchor.pem"]
certificate = "lab/server.pem"
password = { file = "password.txt" }
profile = "modern"
iterations = 2_048
no_second_opinion = true

[[bundle]]
name = "web"
key = "lab/server.key"
output = "web.p12"

[[bundle]]
name = "mail"
key = "mail.key"
output = "mail.p12"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A manifest of two bundles, of which one has no key, after a first run."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "password.txt").write_text("correct horse\n", "utf-8")
    (folder / "fleet.toml").write_text(MANIFEST, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert call("lab", "lab").status == 0
    return folder


def test_one_run_in_every_form(folder, monkeypatch):
    """All forms agree with each other and with the exit status; one that cannot be written is an error of its own."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(ReportFiles, "require_free", lambda *_: (folder / "taken").mkdir())
    done = call("batch", "fleet.toml", "--junit", "all.xml", "--prometheus", "all.prom", "--svg", "taken")
    assert done.status == 1
    assert "  created      web: ends " in done.output
    assert "  failed       mail: " in done.output
    assert done.output.splitlines()[-1] == "fleet.toml: 2 bundles: 1 created, 1 failed"
    taken, failed = (line for line in done.errors.splitlines() if line.startswith("error: "))
    assert "taken" in taken
    assert failed == "error: 1 bundle failed"
    assert '<testsuite name="' in (folder / "all.xml").read_text("utf-8")
    assert total(parsed((folder / "all.prom").read_text("utf-8")), "bundle_failed", bundle="mail") == 1


@pytest.mark.slow
def test_the_next_run_replaces_its_files(folder, monkeypatch):
    """It says that nothing has changed, and agrees with its own JSON."""
    monkeypatch.chdir(folder)
    files = ("--junit", "next.xml", "--prometheus", "next.prom", "--svg", "next.svg")
    call("batch", "fleet.toml", *files)
    again = json.loads(call("batch", "fleet.toml", *files, "--json").output)
    assert [one["status"] for one in again["bundles"]] == ["unchanged", "failed"]
    assert again["error"] == "1 bundle failed"
    samples = parsed((folder / "next.prom").read_text("utf-8"))
    assert total(samples, "batch_bundles", status="unchanged") == 1
    assert total(samples, "bundle_changed") == 0


def test_reports_never_replace_what_the_manifest_names(folder, monkeypatch):
    """Exit status 2, and nothing is done."""
    monkeypatch.chdir(folder)
    for name in ("fleet.toml", "lab/server.key", "password.txt", "mail.p12", "lab/anchor.pem"):
        before = (folder / name).read_bytes() if (folder / name).exists() else None
        for option in ("--junit", "--prometheus", "--svg"):
            done = call("batch", "fleet.toml", option, name, "--force")
            assert done.status == 2
            assert "give another name" in done.errors
        assert ((folder / name).read_bytes() if (folder / name).exists() else None) == before


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_an_error(folder, monkeypatch):
    """The bundles are done and reported; the exit status is 1 although all of them are as they should be."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(ReportFiles, "require_free", lambda *_: (folder / "taken").mkdir(exist_ok=True))
    done = call("batch", "fleet.toml", "--only", "web", "--junit", "taken")
    assert done.status == 1
    assert "fleet.toml: 1 bundle: 1 unchanged" in done.output
    assert done.errors.startswith("error: ")
    assert "taken" in done.errors
