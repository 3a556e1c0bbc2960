"""``pkcs12kit lab`` and ``pkcs12kit demo``: the main job with nothing at hand, read by programs of other makers."""

from __future__ import annotations

import dataclasses
import re
import stat
from functools import partial

import pytest

from pkcs12kit import decode_pfx, lab

from .conftest import BEST_PATH, forms_of


@pytest.fixture(autouse=True)
def quick_keys(request, monkeypatch, answering):  # noqa: ARG001  # OpenSSL alone is quick, too
    """Make replicas with EC keys, but where a test asks for what users get."""
    if "as_users_get_it" not in request.fixturenames:
        quick = partial(lab.make_replica, key_type=lab.KeyType.EC_P256)
        monkeypatch.setattr(lab, "make_replica", quick)


@pytest.fixture
def as_users_get_it():
    """Ask for RSA keys, which take longer to make."""


@pytest.fixture
def demo(call, folder):
    """Call ``demo``, and check that neither the password nor the key that it made comes out."""

    def call_demo(*arguments, where="demo"):
        outcome = call("demo", *arguments)
        if outcome.status == 0:
            password = (folder / where / "password.txt").read_bytes().strip()
            key = (folder / where / "lab" / "server.key").read_bytes().splitlines()[1:-2]
            for secret in (*forms_of(password), *key):
                assert secret not in outcome.output + outcome.errors.encode()
        return outcome

    return call_demo


class TestDemo:
    """Lab, build, inspect: self-contained."""

    @pytest.mark.usefixtures("as_users_get_it")
    def test_four_other_programs_open_the_file(self, demo, folder, list_certificates):
        """OpenSSL, keytool, pk12util and certtool accept the password and list end-entity and 5 CAs, anchor last."""
        assert demo().status == 0
        file, password_file = folder / "demo" / "server.p12", folder / "demo" / "password.txt"
        for program in ("openssl", "keytool", "pk12util", "certtool"):
            assert list_certificates(program, file, password_file) == BEST_PATH, program

    def test_what_is_where(self, demo, folder):
        """File, password (0600), anchor, lab; the lab's own private key is its owner's alone."""
        assert demo("here/below", where="here/below").status == 0
        root = folder / "here" / "below"
        assert sorted(path.name for path in root.iterdir()) == ["anchor.pem", "lab", "password.txt", "server.p12"]
        for path in (root / "server.p12", root / "password.txt", root / "lab" / "server.key"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert (root / "anchor.pem").read_bytes() == (root / "lab" / "anchor.pem").read_bytes()
        password = (root / "password.txt").read_text().strip()
        assert len(password) >= 20
        assert decode_pfx((root / "server.p12").read_bytes(), password=password).friendly_name == "mdm.example.mil"

    def test_what_is_shown(self, demo):
        """The path, the anatomy of the file, its rehearsal, and commands to try, on standard output."""
        outcome = demo()
        names = [line.strip("│├└─ ").split("  ")[0] for line in outcome.text.splitlines()]
        assert [name for name in names if name in BEST_PATH] == BEST_PATH
        assert outcome.text.count("certBag") == 6
        assert "\nRehearsal  yes\n" in outcome.text
        assert "bytes, as served" in outcome.text
        assert not any(line.endswith(" ") for line in outcome.text.splitlines())
        assert "  pkcs12kit rehearse demo/server.p12 --anchor demo/anchor.pem \\\n" in outcome.text
        assert "pkcs12kit inspect demo/server.p12 --password-file demo/password.txt" in outcome.text
        assert outcome.errors.startswith("Making a replica of the Federal PKI")
        assert outcome.errors.count("\n") == 1

    def test_the_commands_to_try_work(self, demo, call, folder):
        """Each call that it proposes fits into 80 columns, an option beside its value, and does what it promises."""
        import shlex
        import subprocess

        shown = demo().text.split("Try:\n")[1]
        assert max(map(len, shown.splitlines())) <= 80
        assert not re.search(r"--[a-z]+ \\\n", shown.replace("--all \\\n", ""))
        for line in shown.replace("\\\n", "").splitlines():
            program, *arguments = shlex.split(line)
            if program == "pkcs12kit":
                assert call(*arguments).status == 0
            else:
                done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=True)
                assert done.stdout.count("BEGIN CERTIFICATE") == 6

    def test_json(self, demo, folder):
        """One object: where everything is, and what build, inspect and rehearse say; the password is not in it."""
        outcome = demo("--json")
        assert (outcome.status, outcome.json["ok"]) == (0, True)
        for name in ("file", "password_file", "anchor"):
            assert (folder / outcome.json[name]).is_file()
        assert (folder / outcome.json["lab"]["key"]).is_file()
        assert len(outcome.json["build"]["certificates"]) == 6
        assert outcome.json["inspect"]["mac_verified"] is True
        assert outcome.json["rehearsal"]["ok"] is True

    def test_twice(self, demo, folder):
        """A second demo takes the place of the first: new keys, a new password, a file that they open."""
        assert demo().status == 0
        first = {name: (folder / "demo" / name).read_bytes() for name in ("server.p12", "password.txt")}
        assert demo().status == 0
        for name, before in first.items():
            assert (folder / "demo" / name).read_bytes() != before
        password = (folder / "demo" / "password.txt").read_text().strip()
        assert decode_pfx((folder / "demo" / "server.p12").read_bytes(), password=password).private_key is not None

    @pytest.mark.parametrize("name", ["server.p12", "password.txt", "anchor.pem"])
    def test_files_of_others_are_kept(self, demo, folder, name):
        """What no demo wrote is not written over: exit status 2, before anything is made."""
        (folder / "demo").mkdir()
        (folder / "demo" / name).write_text("mine")
        outcome = demo()
        assert outcome.status == 2
        assert f"demo/{name} already exists, and no earlier demo wrote it" in outcome.errors
        assert not (folder / "demo" / "lab").exists()

    def test_a_lab_makes_nothing_a_demo(self, call, folder):
        """In a folder where someone made a lab and keeps an own file, the file is kept."""
        assert call("lab", "lab").status == 0
        (folder / "server.p12").write_text("mine")
        outcome = call("demo", ".")
        assert (outcome.status, "no earlier demo wrote it" in outcome.errors) == (2, True)
        assert (folder / "server.p12").read_text() == "mine"


class TestLab:
    """The replica as files."""

    def test_build_from_it_as_its_readme_says(self, call, folder, password_file, monkeypatch):
        """The two commands in README.txt, as they are written there."""
        import shlex

        outcome = call("lab", "lab")
        assert (outcome.status, outcome.errors) == (0, "")
        assert outcome.text.startswith("Wrote lab; lab/README.txt explains")
        monkeypatch.chdir(folder / "lab")
        commands = [
            shlex.split(line)[1:]
            for line in (folder / "lab" / "README.txt").read_text().splitlines()
            if line.startswith("  pkcs12kit ")
        ]
        assert [command[0] for command in commands] == ["build", "paths"]
        assert call(*commands[0], "--password-file", password_file).status == 0
        assert call(*commands[1]).text.count("trust anchor") == 4

    def test_twice_and_with_another_name(self, call, folder):
        """An earlier lab is written over; the server's name is as asked for."""
        assert call("lab", "lab").status == 0
        before = (folder / "lab" / "server.pem").read_bytes()
        assert call("lab", "lab", "--server-name", "www.example.mil").status == 0
        assert (folder / "lab" / "server.pem").read_bytes() != before
        given = ("--certs", "lab/certs", "--anchor", "lab/anchor.pem", "--server-name", "www.example.mil")
        assert call("paths", "lab/server.pem", *given).status == 0

    def test_json(self, call, folder):
        """Where each file is, and for which server."""
        outcome = call("lab", "new", "--json", "--server-name", "www.example.mil")
        assert outcome.status == 0
        told = outcome.json
        assert told.pop("server_name") == "www.example.mil"
        assert (told.pop("hints"), told.pop("warnings")) == ([], [])
        assert sorted(told) == sorted(field.name for field in dataclasses.fields(lab.LabFiles))
        assert all((folder / place).exists() for place in told.values())

    def test_a_folder_of_somebody_else(self, call, folder):
        """It is refused, and nothing in it changes."""
        (folder / "precious").mkdir()
        (folder / "precious" / "server.key").write_text("mine")
        outcome = call("lab", "precious")
        assert outcome.status == 2
        assert "precious is not empty and holds no earlier lab" in outcome.errors

    @pytest.mark.parametrize("name", ["", "a b.example", "x" * 300])
    def test_names_that_no_server_has(self, call, folder, name):
        """One sentence, exit status 2; no half of a lab."""
        outcome = call("lab", "lab", "--server-name", name)
        assert outcome.status == 2
        assert not (folder / "lab").exists()
