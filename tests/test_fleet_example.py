"""The example for many servers: a script that a user may copy is run as one, and its files are right."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet.manifest import load_manifest

EXAMPLE = Path(__file__).parents[1] / "examples" / "fleet"
NAMES = ["web-1", "web-2", "web-3", "web-4", "mail"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its command after a change is for a POSIX shell")


def run(*command, folder):
    """Run a program of Python without input, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.slow
def test_the_script_as_a_user_runs_it(tmp_path):
    """Five files, each opened by its own password; the command ran once for each of two runs that wrote files."""
    folder = tmp_path / "fleet"
    done = run(EXAMPLE / "try_it.py", folder, "--jobs", "1", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("$ pkcs12kit batch fleet.toml") == 4
    assert done.stdout.endswith("ran 2 times: once for each run that wrote files.\n")
    roots = pk.load_trust_anchors(folder / "root.pem")
    for name in NAMES:
        written = folder / "out" / f"{name}.p12"
        password = (folder / "passwords" / f"{name}.txt").read_text()
        decoded = pk.decode_pfx(written.read_bytes(), password=password)
        assert len(decoded.certificates) == 3
        assert decoded.certificates[-1] == roots[0].certificate
        assert password not in done.stdout
        assert written.stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in (folder / "out").iterdir() if not one.name.startswith(".")) == sorted(
        f"{name}.p12" for name in NAMES
    )

    again = run("-m", "pkcs12kit", "batch", "fleet.toml", "--jobs", "1", "--json", folder=folder)
    report = json.loads(again.stdout)
    assert again.returncode == 0
    assert [one["name"] for one in report["bundles"]] == NAMES
    assert {one["status"] for one in report["bundles"]} == {"unchanged"}
    assert (folder / "reloads.txt").read_text() == "reload\n" * 2


def test_the_manifest_fits_the_files(tmp_path, monkeypatch):
    """What the script makes, without running the command: five bundles whose inputs are there."""
    folder = tmp_path / "fleet"
    monkeypatch.setattr(sys, "argv", ["try_it.py", str(folder)])
    script = runpy.run_path(str(EXAMPLE / "try_it.py"))
    calls = []
    script["main"].__globals__["batch"] = lambda where, *_: calls.append((where / "reloads.txt").touch())
    script["main"]()
    assert len(calls) == 4
    manifest = load_manifest(folder / "fleet.toml")
    assert [one.name for one in manifest.bundles] == NAMES
    assert manifest.warnings == ()
    for one in manifest.bundles:
        for path in (one.key, one.certificate, *one.certificates, *one.trust_anchors, one.password.value):
            assert Path(path).exists()


def test_says_how_it_is_called(monkeypatch, tmp_path):
    """Without a folder, and with one that exists, nothing is written."""
    for words, said in (([], "python try_it.py FOLDER"), ([str(tmp_path)], "a new folder is needed: ")):
        monkeypatch.setattr(sys, "argv", ["try_it.py", *words])
        with pytest.raises(SystemExit, match=said):
            runpy.run_path(str(EXAMPLE / "try_it.py"), run_name="__main__")
    assert list(tmp_path.iterdir()) == []


def test_the_readme_names_the_files():
    """The README lists what the folder has."""
    text = (EXAMPLE / "README.md").read_text("utf-8")
    for name in ("fleet.toml", "ca/", "root.pem", "passwords/NAME.txt", "out/NAME.p12", ".fleet.toml.state.json"):
        assert f"`{name}`" in text
