"""The command called in this process, with what holds for every call checked at every call; a lab to call it on."""

from __future__ import annotations

import base64
import io
import json
import os
import pty
import select
import subprocess
import sys
import termios
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.cli import main

from .hint_commands import without_repeated_calls

OLD = bytes.fromhex("30050201033000")  # by its beginning, a PKCS#12 file
PASSWORD = "correct horse 42 battery"
AT_TIME = "--at TIME checks another time, and its answer is for that time only"
BEST_PATH = [  # of the lab: through the bridge of 2013 there is another, which ends earlier
    "mdm.example.mil",
    "DOD ID SW CA-37",
    "DoD Root CA 3",
    "DoD Interoperability Root CA 2",
    "Federal Bridge CA 2016",
    "Federal Common Policy CA",
]


@dataclass(frozen=True)
class Outcome:
    """What one call gave: exit status, standard output, standard error."""

    status: int
    output: bytes
    errors: str
    """Without the hints that repeat the call with another input: most tests are about the others."""
    all_errors: str

    @property
    def text(self):
        """Standard output as text."""
        return self.output.decode("utf-8")

    @property
    def json(self):
        """Standard output as the one JSON object that it has to be."""
        value = json.loads(self.output)
        assert isinstance(value, dict)
        return value


class Caller:
    """Calls the command in this process. Whatever is called, no secret comes out and a failure writes nothing."""

    def __init__(self, monkeypatch, capture, folder, secrets):
        self.folder = folder
        self.secrets = secrets
        self._monkeypatch = monkeypatch
        self._capture = capture

    def __call__(self, *arguments, stdin=b""):
        """Call ``pkcs12kit`` with these arguments."""
        self._monkeypatch.setattr(sys, "argv", ["pkcs12kit", *map(str, arguments)])
        if stdin is not None:
            self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        before = snapshot(self.folder)
        self._capture.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        output, errors = self._capture.readouterr()
        status = end.value.code
        for secret in self.secrets:
            assert secret not in output + errors
        if status != 0:
            assert snapshot(self.folder) == before, "a call that failed wrote something"
        assert b"Traceback" not in errors
        text = errors.decode("utf-8")
        return Outcome(status, output, without_repeated_calls(text, arguments), text)


def snapshot(folder):
    """List what is in a folder, with what tells a file from another."""
    return {
        path: (path.lstat().st_ino, path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


def forms_of(secret):
    """Give the forms in which bytes could come out: themselves, hexadecimal, decimal, and base64 at each alignment."""
    yield secret
    yield secret.hex().encode()
    yield str(int.from_bytes(secret)).encode()
    for shift in range(3):
        yield base64.b64encode(secret[shift : shift + (len(secret) - shift) // 3 * 3])


def secrets_of(private_key, *passwords):
    """Give what must never come out: the private value of an EC key, its encodings, and passwords."""
    yield from forms_of(private_key.private_numbers().private_value.to_bytes(32))
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    yield from pem.splitlines()[1:3]
    for password in passwords:
        yield from forms_of(password.encode("utf-8"))
        yield from forms_of(password.encode("utf-16-be"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder: an empty one."""
    path = tmp_path / "current"
    path.mkdir()
    monkeypatch.chdir(path)
    return path


@pytest.fixture
def call(monkeypatch, capsysbinary, folder, replica):
    """Call the command in the current folder: ``call("paths", certificate, ...)``."""
    for variable in ("NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    return Caller(monkeypatch, capsysbinary, folder, tuple(secrets_of(replica.server.private_key, PASSWORD)))


@pytest.fixture
def password_file(tmp_path):
    """A file with the password in it."""
    path = tmp_path / "password.txt"
    path.write_text(f"{PASSWORD}\n", "utf-8")
    return path


@pytest.fixture
def build(call, files, password_file):
    """Call ``pkcs12kit build`` on the lab; ``key=None`` leaves an option out, any other value replaces it."""

    def call_build(*more, stdin=b"", **changed):
        options = {
            "key": files.key,
            "cert": files.certificate,
            "certs": files.certificates,
            "anchor": files.trust_anchor,
            "out": "server.p12",
            "password_file": password_file,
        } | changed
        given = [(f"--{name.replace('_', '-')}", value) for name, value in options.items() if value is not None]
        return call("build", *(part for pair in given for part in pair), *more, stdin=stdin)

    return call_build


def run_environment(**more):
    """Give the environment for a process of its own that finds the same pkcs12kit as this one."""
    import pkcs12kit

    source = str(Path(pkcs12kit.__file__).parents[1])
    return os.environ | {"PYTHONPATH": source} | more


class Terminal:
    """``pkcs12kit`` in a process of its own, at a terminal of 100 columns that this end types at and reads."""

    _LAUNCH = (
        "import fcntl, sys, termios\n"
        "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"  # so that what is typed can interrupt
        "from pkcs12kit.cli import main\n"
        "main()"
    )

    def __init__(self, *arguments, **environment):
        self._end, child = pty.openpty()
        termios.tcsetwinsize(child, (40, 100))
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._LAUNCH, *map(str, arguments)],
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
            env=run_environment(**{"TERM": "xterm-256color"} | environment),
        )
        os.close(child)
        self.shown = ""
        self._read_to = 0

    def expect(self, text):
        """Wait until ``text`` is shown after what was expected before."""
        while text not in self.shown[self._read_to :]:
            assert self._read(), f"{text!r} never came: {self.shown!r}"
        self._read_to = self.shown.index(text, self._read_to) + len(text)

    def type(self, keys):
        """Type ``keys``; the character 3 is Ctrl-C."""
        os.write(self._end, keys.encode())

    def finish(self):
        """Wait for the end and give the exit status."""
        while self._read():
            pass
        return self._process.wait(30)

    def close(self):
        """End the process where it has not ended."""
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def _read(self):
        ready, _, _ = select.select([self._end], [], [], 30)
        assert ready, f"nothing more came: {self.shown!r}"
        try:
            data = os.read(self._end, 65536)
        except OSError:  # Linux says so when the other end is closed
            return False
        self.shown += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture
def terminal(folder):  # noqa: ARG001 - the process starts in it
    """Start the command at a terminal: ``terminal("build", ...)``."""
    started = []

    def start(*arguments, **environment):
        started.append(Terminal(*arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        one.close()
