"""The example is a script that a user may copy: it is run as one, with the installed package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pkcs12kit import Bundle, decode_pfx, lab

PROVISION_HOST = Path(__file__).parents[1] / "examples" / "provision_host.py"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def replica():
    """The Federal PKI in small: a server and the heap of certificates around it."""
    return lab.make_replica()


@pytest.fixture(scope="module")
def files(replica, tmp_path_factory):
    """The same as files, as a user has them."""
    return lab.write(replica, tmp_path_factory.mktemp("lab"))


def provision(files, output, **changed):
    """Run the script as a user does."""
    arguments = {
        "key": files.key,
        "certificate": files.certificate,
        "certs": files.certificates,
        "anchor": files.trust_anchor,
        "server_name": "mdm.example.mil",
        "output": output,
    } | changed
    return subprocess.run(
        [sys.executable, PROVISION_HOST, *arguments.values()],
        env=os.environ | {"P12_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=False,
    )


def test_provisions_a_host(replica, files, tmp_path):
    """The script writes the key, its certificate and the whole way to the anchor, readable by its owner alone."""
    output = tmp_path / "server.p12"
    done = provision(files, output)
    assert (done.returncode, done.stderr) == (0, "")
    assert "6 certificates" in done.stdout
    decoded = decode_pfx(output.read_bytes(), password=PASSWORD)
    expected = Bundle.from_path(replica.server, replica.valid_paths[0])
    assert decoded.certificates == expected.certificates
    assert decoded.private_key.public_key() == replica.server.private_key.public_key()
    assert output.stat().st_mode & 0o777 == 0o600


def test_says_why_there_is_no_path(files, tmp_path):
    """Without a path the script writes nothing, exits non-zero and gives the reason: here, the issuer not supplied."""
    output = tmp_path / "server.p12"
    done = provision(files, output, certs=files.certificate)
    assert done.returncode == 1
    assert "DOD ID SW CA-37" in done.stderr
    assert "[RFC 4158" in done.stderr
    assert not output.exists()


def test_says_what_it_cannot_read(files, tmp_path):
    """A key that belongs to no certificate given is one sentence, not a traceback."""
    output = tmp_path / "server.p12"
    done = provision(files, output, certificate=files.issuing_ca)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not output.exists()


@pytest.mark.parametrize(("arguments", "password"), [([], PASSWORD), (["file"] * 6, "")])
def test_says_how_it_is_called(arguments, password):
    """Without arguments, or without a password: how to call it, with the password in no line of the shell's history."""
    command, environment = [sys.executable, PROVISION_HOST, *arguments], os.environ | {"P12_PASSWORD": password}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "read -rs P12_PASSWORD" in done.stderr


def test_is_as_short_as_promised():
    """A provisioning script is about 25 lines of code: the contract asks for no more of its users."""
    lines = PROVISION_HOST.read_text("utf-8").partition('"""\n\n')[2].splitlines()
    assert len([line for line in lines if line.strip()]) <= 26
