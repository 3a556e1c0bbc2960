"""Files with a report: what they replace and what never, their access, and an error at the end of a run."""

from __future__ import annotations

import os
import stat

import click
import pytest

import pkcs12kit as pk
from pkcs12kit.cli.options.reports import ReportFiles, report_options
from pkcs12kit.fleet.bundles import FleetBundle, Manifest, Secret
from pkcs12kit.fleet.outcomes import Status

from .reports import outcome, report_of

FORMS = ("junit", "prometheus", "svg")
KEPT = (
    "fleet.toml",
    ".fleet.toml.state.json",
    ".fleet.toml.state.json.lock",
    "web.key",
    "web.pem",
    "old.p12",
    "password",
    "crl.der",
    "web.p12",
    "out.key",
    "certs/ca.pem",
)


@pytest.fixture
def manifest(tmp_path, monkeypatch):
    """A manifest of one bundle with files of each kind, all of which exist."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "certs").mkdir()
    for name in KEPT:
        (tmp_path / name).write_text(f"this is {name}\n", "utf-8")

    def at(name):
        return str(tmp_path / name)

    bundle = FleetBundle(
        name="web",
        output=at("web.p12"),
        folder=str(tmp_path),
        key=at("web.key"),
        certificate=at("web.pem"),
        pkcs12=at("old.p12"),
        certificates=(at("certs"),),
        trust_anchors=(at("web.pem"),),
        password=Secret("file", at("password")),
        options={"key_out": at("out.key"), "crl": (at("crl.der"),)},
    )
    return Manifest(path=tmp_path / "fleet.toml", bundles=(bundle,))


def asked(form, file, *, force=False):
    """The options for one file."""
    return ReportFiles(**{**dict.fromkeys(FORMS), form: str(file), "force": force})


def link(tmp_path, name):
    """Another name of a file."""
    os.link(tmp_path / name, tmp_path / "another")
    return "another"


def below_a_link(tmp_path, name):
    """A file through a link to its folder."""
    (tmp_path / "linked").symlink_to(tmp_path)
    return f"linked/{name}"


def plainly(_, name):
    """The name itself."""
    return name


def in_another_spelling(_, name):
    """Through a folder and back."""
    return f"./certs/../{name}"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        (name, spelled)
        for name in KEPT
        for spelled in (plainly, in_another_spelling, link, below_a_link)
        if (name, spelled) != ("certs/ca.pem", link)  # outside of the folder: renaming leaves the file as it is
    ],
)
def test_what_a_manifest_names_is_never_replaced(manifest, tmp_path, name, spelled, force):
    """Under any name and with --force, before the run and after it."""
    before = (tmp_path / name).read_bytes()
    file = spelled(tmp_path, name)
    for form in FORMS:
        files = asked(form, file, force=force)
        with pytest.raises(pk.OutputError):
            files.require_free(manifest)
        assert not files.write(report_of(outcome("web")), manifest)
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("form", FORMS)
def test_a_report_replaces_only_its_own_kind_unasked(manifest, tmp_path, form):
    """An earlier report and an empty file are replaced; others only with --force, such as those of other programs."""
    report = report_of(outcome("web"))
    file = tmp_path / "report"
    own = {}
    for each in FORMS:
        assert asked(each, file, force=True).write(report, manifest)
        own[each] = file.read_bytes()
    others = {
        "text": b"a text",
        "pytest": b'<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite/></testsuites>',
        "metrics": b"# HELP node_x A metric.\n# TYPE node_x gauge\nnode_x 1\n",
        **{each: data for each, data in own.items() if each != form},
    }
    for data in others.values():
        file.write_bytes(data)
        with pytest.raises(pk.OutputError, match=r"already exists and is .*--force"):
            asked(form, file).require_free(manifest)
        assert not asked(form, file).write(report, manifest)
        assert file.read_bytes() == data
    for data in (own[form], b""):
        file.write_bytes(data)
        asked(form, file).require_free(manifest)
        assert asked(form, file).write(report, manifest)
        assert file.read_bytes() == own[form]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_metrics_are_readable_by_the_collector(manifest, tmp_path, umask):
    """Mode 0644 whatever the umask, also where an older file had fewer rights; nothing else is left in the folder."""
    file = tmp_path / "metrics" / "fleet.prom"
    file.parent.mkdir()
    before = os.umask(umask)
    try:
        for mode in (None, 0o600, 0o666):
            if mode is not None:
                file.chmod(mode)
            assert asked("prometheus", file).write(report_of(outcome("web")), manifest)
            assert stat.S_IMODE(file.stat().st_mode) == 0o644
    finally:
        os.umask(before)
    assert list(file.parent.iterdir()) == [file]


def test_the_time_of_the_last_success_is_read_from_the_file(manifest, tmp_path):
    """A run that fails keeps it."""
    file = tmp_path / "fleet.prom"
    for status in (Status.CREATED, Status.FAILED, Status.FAILED):
        assert asked("prometheus", file).write(report_of(outcome("web", status)), manifest)
        assert "pkcs12kit_batch_last_success_timestamp_seconds{" in file.read_text("utf-8")


def test_a_file_that_cannot_be_written_is_an_error_and_no_loss(manifest, tmp_path, capsys):
    """The others are written; two options with one file are refused before the run."""
    (tmp_path / "folder").mkdir()
    files = ReportFiles(junit="folder", prometheus="no/such.prom", svg="ends.svg", force=True)
    with pytest.raises(pk.OutputError):
        files.require_free(manifest)
    assert not files.write(report_of(outcome("web")), manifest)
    assert (tmp_path / "ends.svg").exists()
    assert capsys.readouterr().err.count("error: ") == 2
    with pytest.raises(pk.OutputError, match="give two names"):
        ReportFiles(junit="x", prometheus="./x", svg=None, force=True).require_free(manifest)


def test_standard_output_is_refused():
    """It has the answer."""

    @click.command()
    @report_options
    def command(reports):
        assert reports.files == {"--junit": "a.xml"}

    command.main(["--junit", "a.xml"], standalone_mode=False)
    with pytest.raises(click.UsageError, match="--svg needs the name of a file"):
        command.main(["--svg", "-"], standalone_mode=False)
