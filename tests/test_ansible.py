"""The example for Ansible: its playbook is run as a user runs it, against this computer as the managed host."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit import Bundle, decode_pfx

EXAMPLE = Path(__file__).parents[1] / "examples" / "ansible"
PASSWORD = "correct horse 42 battery"
OWNER = "nobody" if os.geteuid() == 0 else getpass.getuser()  # another one, where files can be given away
OTHER_NAME = {"pkcs12kit_bundle_build_arguments": ["--friendly-name", "another"]}

# Stands in for the command on the host: notes with what arguments and environment it is called, and is pkcs12kit.
COMMAND = """#!{python}
import os, sys
sys.path[:0] = {path!r}
with open({log!r}, "a") as log:
    print(sys.argv, dict(os.environ), file=log)
from pkcs12kit.cli import main
main()
"""
PLAY = """
- hosts: mdm
  gather_facts: false
  roles:
    - role: pkcs12kit_bundle
  handlers:
    - name: Restart the service
      listen: pkcs12kit_bundle changed
      ansible.builtin.file:
        path: "{{ mdm_folder }}/restarted"
        state: touch
        mode: "0644"
"""


class Play:
    """What a playbook did: how many tasks changed something or failed, and all that was printed."""

    def __init__(self, done):
        self.text = done.stdout + done.stderr
        recap = re.search(r"^mdm\.example\.mil +: ok=.* changed=(\d+) .* failed=(\d+)", done.stdout, re.MULTILINE)
        assert recap is not None, self.text
        self.changed, self.failed = int(recap[1]), int(recap[2])
        assert (done.returncode == 0) is (self.failed == 0), self.text


class ManagedHost:
    """A folder of this computer as the managed host, with what the inventory says of it."""

    def __init__(self, folder, files, program):
        self.folder, self._program = folder / "host", program
        self.bundle = self.folder / "server.p12"
        self.log = folder / "calls.log"
        self.folder.mkdir()
        for file in (files.key, files.certificate):
            (self.folder / file.name).write_bytes(file.read_bytes())
        self.brought = folder / "ca-certificates"
        self.brought.mkdir()
        shutil.make_archive(
            str(self.brought / "certs"), "zip", files.certificates
        )  # one file: Ansible is slow with many
        (self.brought / files.trust_anchor.name).write_bytes(files.trust_anchor.read_bytes())
        command = folder / "pkcs12kit"
        command.write_text(COMMAND.format(python=sys.executable, path=sys.path, log=str(self.log)), "utf-8")
        command.chmod(0o755)
        certificates = self.folder / "ca-certificates"
        self._variables = {
            "ansible_connection": "local",
            "ansible_pipelining": True,
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "mdm_folder": str(self.folder),
            "mdm_ca_certificates": str(self.brought),
            "pkcs12kit_bundle_command": str(command),
            "pkcs12kit_bundle_key": str(self.folder / files.key.name),
            "pkcs12kit_bundle_certificate": str(self.folder / files.certificate.name),
            "pkcs12kit_bundle_certificates": [str(certificates)],
            "pkcs12kit_bundle_trust_anchors": [str(certificates / files.trust_anchor.name)],
            "pkcs12kit_bundle_server_name": "mdm.example.mil",
            "pkcs12kit_bundle_path": str(self.bundle),
            "pkcs12kit_bundle_readers": ["java-17"],
            "pkcs12kit_bundle_owner": OWNER,
            "pkcs12kit_bundle_password": PASSWORD,
        }

    def bring(self):
        """Have the CA certificates on the host already."""
        there = self.folder / "ca-certificates"
        there.mkdir(mode=0o755)
        for file in self.brought.iterdir():
            (there / file.name).write_bytes(file.read_bytes())
            (there / file.name).chmod(0o644)

    def play(self, *options, playbook=EXAMPLE / "site.yml", **variables):
        """Run a playbook; a variable given replaces the inventory's, None leaves it out."""
        given = {name: value for name, value in (self._variables | variables).items() if value is not None}
        inventory = self.folder.parent / "inventory.json"
        inventory.write_text(json.dumps({"mdm": {"hosts": {"mdm.example.mil": given}}}), "utf-8")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment |= {
            "ANSIBLE_HOME": str(self.folder.parent / "ansible"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder.parent / "ansible"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder.parent / "ansible"),
            "ANSIBLE_ROLES_PATH": str(EXAMPLE / "roles"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        environment.pop("PYTHONPATH", None)
        command = [self._program, "--inventory", inventory, playbook, *options]
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=120)
        play = Play(done)
        assert PASSWORD not in play.text
        assert not self.log.exists() or PASSWORD not in self.log.read_text("utf-8"), "in an argument or a variable"
        return play


@pytest.fixture
def host(files, tmp_path, require_tool):
    """A managed host that has its key and its certificate, and no bundle yet."""
    return ManagedHost(tmp_path, files, require_tool("ansible-playbook"))


def test_syntax(require_tool):
    """The playbook, with its own inventory, is one."""
    command = [require_tool("ansible-playbook"), "--syntax-check", "--inventory", "inventory.yml", "site.yml"]
    done = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_first_run_writes_and_the_next_changes_nothing(host, replica):
    """The key, its certificate and the whole way, for the owner alone; then ``changed=0``, in check mode, too."""
    first = host.play()
    assert (first.changed, first.failed) == (3, 0)  # the CA certificates, the bundle, its owner
    assert "server.p12: there was no file" in first.text
    status = host.bundle.stat()
    assert (stat.S_IMODE(status.st_mode), host.bundle.owner()) == (0o600, OWNER)
    decoded = decode_pfx(host.bundle.read_bytes(), password=PASSWORD)
    assert decoded.certificates == Bundle.from_path(replica.server, replica.valid_paths[0]).certificates
    for options in ((), ("--check",)):
        again = host.play(*options)
        assert (again.changed, again.failed) == (0, 0)
    assert host.bundle.stat().st_ino == status.st_ino


@pytest.mark.slow
def test_check_mode_says_what_would_be_and_writes_nothing(host):
    """Before there is a bundle it would be written; one that is there would be replaced if another is asked for."""
    before = host.play("--check")
    assert (before.changed, before.failed) == (1, 0)  # the CA certificates: without them nothing is known of a path
    host.bring()
    there = sorted(host.folder.rglob("*"))
    new = host.play("--check")
    assert (new.changed, new.failed) == (1, 0)
    assert "server.p12: there was no file" in new.text
    assert sorted(host.folder.rglob("*")) == there
    host.play()
    status = host.bundle.stat()
    other = host.play("--check", **OTHER_NAME)
    assert (other.changed, other.failed) == (1, 0)
    assert "server.p12: it had other names" in other.text
    replaced = host.play("--check", pkcs12kit_bundle_password="another")  # the one that is there is not judged
    assert (replaced.changed, replaced.failed) == (1, 0)
    assert "server.p12: the existing file does not open with this password" in replaced.text
    (host.brought / "new.pem").write_bytes((host.folder / "server.pem").read_bytes())
    brought = host.play("--check", pkcs12kit_bundle_expires_within="9000d")
    assert (brought.changed, brought.failed) == (1, 0)
    assert (host.bundle.stat().st_ino, host.bundle.stat().st_mtime_ns) == (status.st_ino, status.st_mtime_ns)


@pytest.mark.slow
def test_fails_with_the_reason(host, files):
    """Without a path, and where it cannot be looked for: told apart, one sentence each, and nothing is written."""
    host.bring()
    alone = host.play(pkcs12kit_bundle_certificates=[str(files.certificate)])
    assert (alone.changed, alone.failed) == (0, 1)
    assert '"msg": "no valid path, nothing written: error: ' in alone.text
    assert "DOD ID SW CA-37" in alone.text
    nowhere = host.play(pkcs12kit_bundle_certificates=["/nowhere"])
    assert '"msg": "cannot build, nothing written: error: --certs /nowhere: no such file' in nowhere.text
    missing = host.play(pkcs12kit_bundle_command="/nowhere/pkcs12kit")
    assert "cannot build, nothing written: [Errno 2]" in missing.text
    no_password = host.play(pkcs12kit_bundle_password=None)
    assert "give either pkcs12kit_bundle_password or pkcs12kit_bundle_password_file" in no_password.text
    assert not host.bundle.exists()


@pytest.mark.slow
def test_verify_fails_in_good_time(host):
    """``--tags verify``: a path that ends too soon is named, a bundle that is not there, another password, too."""
    host.bring()
    missing = host.play("--tags", "verify")
    assert "server.p12: no such file" in missing.text
    host.play()
    assert host.play("--tags", "verify").failed == 0
    soon = host.play("--tags", "verify", pkcs12kit_bundle_expires_within="9000d")
    assert (soon.changed, soon.failed) == (0, 1)
    assert re.search(r"server\.p12 failed: expiry; .*: sooner than asked for; hint: ", soon.text)
    wrong = host.play("--tags", "verify", pkcs12kit_bundle_password="another")
    assert "does not verify with this password" in wrong.text


@pytest.mark.slow
@pytest.mark.parametrize("from_file", [False, True])
def test_no_secret_comes_out(host, replica, from_file, tmp_path):
    """Not with ``-vvvv``, from a vault or from a file: no password, and nothing of the private key."""
    changed = {}
    if from_file:
        (tmp_path / "password.txt").write_text(f"{PASSWORD}\n", "utf-8")
        changed = {"pkcs12kit_bundle_password": None, "pkcs12kit_bundle_password_file": str(tmp_path / "password.txt")}
    play = host.play("-vvvv", **changed)  # which looks for the password in what is printed, and in how it is called
    assert (play.changed, play.failed) == (3, 0)
    pem = replica.server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert not any(line in play.text for line in pem.splitlines()[1:-1])
    assert len(host.log.read_text("utf-8").splitlines()) == 2  # so what was looked through was how it is called
    assert decode_pfx(host.bundle.read_bytes(), password=PASSWORD).private_key is not None


@pytest.mark.slow
def test_handlers_of_the_play_hear_of_a_new_bundle_only(host, tmp_path):
    """Who listens to ``pkcs12kit_bundle changed`` runs once the bundle is a new one, and not otherwise."""
    host.bring()
    playbook = tmp_path / "play.yml"
    playbook.write_text(PLAY, "utf-8")
    restarted = host.folder / "restarted"
    host.play(playbook=playbook)
    restarted.unlink()
    host.play(playbook=playbook)
    assert not restarted.exists()
    host.play(playbook=playbook, **OTHER_NAME)
    assert restarted.exists()
