"""Writing, gathering and rehearsing where the system has none of the calls that only POSIX has, as on Windows.

This is an emulation on POSIX: functions, flags and signals are taken away, and a folder cannot be opened.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

import pkcs12kit as pk
from pkcs12kit import folders
from pkcs12kit.errors import OutputError
from pkcs12kit.files import read_private, require_writable, write_file, write_private
from pkcs12kit.tls.rehearsal.clients import process

NEW = b"new\nsecret\x1a\r\n" * 100
WITHOUT = """
import os, pathlib, signal, stat, sys
import subprocess, tempfile, asyncio, selectors, shutil, socket  # which have what they need of the system

for name in ("fchmod fchown chown lchown geteuid getegid getuid getgid getgroups killpg getpgid setsid fork mkfifo"
             " listxattr getxattr setxattr removexattr O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_CLOEXEC").split():
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGPIPE"):
    delattr(signal, name)
os.supports_dir_fd, os.supports_fd, shutil._use_fd_functions = set(), set(), False
os.O_BINARY = 0o100000  # O_LARGEFILE, which changes nothing
real = os.open

def opening(path, flags, mode=0o777, *, dir_fd=None):
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied")
    if not flags & os.O_BINARY and "pkcs12kit" in sys._getframe(1).f_code.co_filename:
        raise AssertionError("this file would be opened as text")
    return real(path, flags, mode)

os.open = opening
from pkcs12kit.tls.rehearsal.clients import process
process._CAN_SELECT_PIPES = False
"""
RUN = f"{WITHOUT}\nfrom pkcs12kit.cli import main\nsys.exit(main())"


@pytest.fixture
def without(monkeypatch):
    """Take away, in this process, what the code asks for; stop where a folder is opened."""
    for name in ("fchown", "fchmod", "geteuid", "getegid", "getgroups", "O_DIRECTORY", "O_NOFOLLOW"):
        monkeypatch.delattr(os, name)
    monkeypatch.setattr(os, "supports_dir_fd", set())


@pytest.fixture
def command(tmp_path):
    """Run the command without POSIX's calls, in a console with an old encoding, and return its result."""

    def run(*arguments, encoding="cp1252"):
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(pk.__file__).parents[1]),
            "PYTHONIOENCODING": encoding,
            "LOCALAPPDATA": str(tmp_path),
            "HOME": str(tmp_path),
        }
        return subprocess.run(
            [sys.executable, "-c", RUN, *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            encoding=encoding,
            check=False,
            timeout=300,
        )

    return run


@pytest.mark.usefixtures("without")
def test_files(tmp_path):
    """A file is written byte for byte, in one step, and replaced; the warning names the permissions of the folder."""
    path = tmp_path / "server.p12"
    warnings = []
    for _ in range(2):
        pk.write_pfx(path, NEW, overwrite=True, on_warning=warnings.append)
        assert path.read_bytes() == NEW
        assert [one.name for one in tmp_path.iterdir()] == ["server.p12"]
    assert len(warnings) == 2
    assert f"{path} has the permissions of its folder" in warnings[0]
    path.chmod(0o666)  # the mode that Windows shows for every file
    assert read_private(path, limit=10_000) == NEW
    require_writable(path)
    for asked in ({"owner": "root"}, {"group": 0}, {"mode": 0o600}):
        with pytest.raises(pk.InputError, match="icacls"):
            pk.write_pfx(path, NEW, **asked)


@pytest.mark.usefixtures("without")
def test_what_is_refused_is_the_same(tmp_path):
    """Links, folders, missing folders."""
    (tmp_path / "link.p12").symlink_to(tmp_path / "elsewhere")
    for name, why in (("link.p12", "symbolic link"), (".", "names a folder"), ("absent/x.p12", "cannot be opened")):
        with pytest.raises(OutputError, match=why):
            write_private(tmp_path / name if name != "." else Path(), NEW)
    (tmp_path / "elsewhere").write_bytes(NEW)
    with pytest.raises(pk.InputError, match="cannot be read"):
        read_private(tmp_path / "link.p12", limit=10_000)
    with folders.opened(tmp_path) as folder:
        os.close(folder.open("new.lock", os.O_RDWR | os.O_CREAT))
        with pytest.raises(OSError, match="symbolic links"):
            folder.open("link.p12", os.O_RDWR | os.O_CREAT)
    with pytest.raises(OutputError, match="its folder cannot be opened: Not a directory"):
        write_file(tmp_path / "elsewhere" / "x.svg", NEW)


@pytest.mark.usefixtures("without")
@pytest.mark.parametrize("busy", [3, 1000])
def test_file_that_another_program_reads(tmp_path, monkeypatch, busy):
    """Windows refuses to replace a file that is open; a virus scanner closes it soon, a server does not."""
    path = tmp_path / "server.p12"
    path.write_bytes(b"old")
    replace, tries = Path.replace, []

    def replacing(old, new):
        tries.append(old)
        if len(tries) <= busy:
            raise PermissionError(13, "Access is denied")
        return replace(old, new)

    monkeypatch.setattr(Path, "replace", replacing)
    monkeypatch.setattr(folders.time, "sleep", lambda _: None)
    if busy == 3:
        write_private(path, NEW)
        assert path.read_bytes() == NEW
    else:
        with pytest.raises(OutputError, match="another program has the file open"):
            write_private(path, NEW)
        assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


class TestPrograms:
    """Programs whose output goes to files, because Windows cannot wait for pipes."""

    @pytest.fixture(autouse=True)
    def _without_pipes(self, monkeypatch):
        monkeypatch.setattr(process, "_CAN_SELECT_PIPES", False)
        monkeypatch.delattr(os, "killpg")

    def test_output(self, tmp_path):
        """Both streams and the exit status arrive."""
        code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
        done = process.run([sys.executable, "-c", code], folder=tmp_path, seconds=100, cancelled=Event())
        assert (done.status, done.output, done.errors, done.ended) == (3, "out\n", "err\n", "")

    def test_ended(self, tmp_path):
        """Without an answer, after too much output, or cancelled half-way, it is ended, and what it wrote is kept."""
        sleeping = [sys.executable, "-c", "print('so far', flush=True); import time; time.sleep(100)"]
        assert process.run(sleeping, folder=tmp_path, seconds=0.5, cancelled=Event()).ended.startswith("no answer")
        endless = [sys.executable, "-c", "while True: print('x' * 1000)"]
        limits = pk.Limits(tls_client_bytes=100_000)
        done = process.run(endless, folder=tmp_path, seconds=100, cancelled=Event(), limits=limits)
        assert "more than 100000 bytes" in done.ended
        assert 0 < len(done.output) <= 100_000
        absent = process.run(["no-such-program"], folder=tmp_path, seconds=1, cancelled=Event())
        assert absent.ended.startswith("cannot be run")


@pytest.mark.parametrize("client", ["curl", *(pytest.param(it, marks=pytest.mark.slow) for it in ("java", "go"))])
def test_rehearsal(command, files, require_tool, replica, tmp_path, client):
    """Clients are started, answered and ended."""
    require_tool(client)
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    (tmp_path / "server.p12").write_bytes(pk.encode_pfx(bundle, password=""))
    (tmp_path / "password.txt").write_bytes(b"\n")
    options = ("--anchor", files.trust_anchor, "--password-file", "password.txt", "--clients", client, "--json")
    done = command("rehearse", "server.p12", *options)
    answers = [it["verdict"] for it in json.loads(done.stdout)["handshakes"] if it["client"] == client]
    verdict = "refused" if client == "go" else "accepted"  # Go does not know an extension of the lab's CAs
    assert answers == [verdict, verdict], done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", pytest.param("cp437", marks=pytest.mark.slow)])
def test_command(command, files, tmp_path, encoding):
    """Build, build again, inspect and convert, in a console with an old encoding: with the answers of other systems."""
    (tmp_path / "password.txt").write_bytes(b"correct horse 42\r\n")
    password = ("--password-file", "password.txt")
    inputs = ("--certs", files.certificates, "--anchor", files.trust_anchor)
    build = ("build", "--key", files.key, "--cert", files.certificate, *inputs, "--out", "server.p12", *password)
    built = command(*build, "--iterations", "3", "--json", encoding=encoding)
    assert built.returncode == 0, built.stderr
    report = json.loads(built.stdout)
    assert "has the permissions of its folder" in built.stderr
    assert (built.returncode, report["changed"], "Traceback" in built.stderr) == (0, True, False)
    again = command(*build, "--iterations", "3", "--if-changed", encoding=encoding)
    assert (again.returncode, "already has these contents" in again.stdout) == (0, True)
    assert command("inspect", "server.p12", *password, encoding=encoding).returncode == 0
    refused = command(*build, "--mode", "0600", encoding=encoding)
    assert (refused.returncode, "icacls" in refused.stderr) == (2, True)
    converted = command("convert", "server.p12", "chain.pem", "--to", "pem", "--certs-only", *password)
    assert (converted.returncode, converted.stderr) == (0, "")


def test_gathered_folder_and_cache(files, tmp_path):
    """The folder of certificates and the cache are written without opening a folder."""
    code = f"""{WITHOUT}
import pathlib
import pkcs12kit as pk
from datetime import datetime, UTC
from pkcs12kit.retrieval.cache.folder import CacheFolder
from pkcs12kit.retrieval.output_folder import GatheredCertificate, write_folder

folder = pathlib.Path(sys.argv[1])
cache = CacheFolder(folder / "cache")
cache.make()
with cache.open() as opened:
    name = "a" * 64 + ".entry"
    opened.write(name, b"x\\n")
    opened.set_modified(name, 10**18)
    assert opened.read(name, limit=10) == b"x\\n" and opened.modified(name) == 10**18
    assert [one.name for one in opened.files()] == [name]
    opened.remove(name)
    assert not opened.files()
pool = pk.load_certificates(sys.argv[2])
gathered = [GatheredCertificate(certificate=one, origins=()) for one in pool]
first = write_folder(gathered, folder / "certs")
assert len(first.new) == len(pool)
second = write_folder(gathered[:1], folder / "certs")
assert len(second.unchanged) == 1 and len(second.gone) == len(pool) - 1
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path, files.certificates],
        env={"PYTHONPATH": str(Path(pk.__file__).parents[1])},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_batch(command, files, tmp_path):
    """A manifest is checked, its bundle is built, and the next run finds it unchanged; the state is kept."""
    (tmp_path / "password").write_bytes(b"correct horse 42\r\n")
    inputs = {"key": files.key, "certificate": files.certificate}
    lists = {"certificates": files.certificates, "trust_anchors": files.trust_anchor}
    lines = [f'{key} = "{path}"' for key, path in inputs.items()] + [
        f'{key} = ["{path}"]' for key, path in lists.items()
    ]
    lines += ['name = "a"', 'output = "a.p12"', 'password = { file = "password" }', "iterations = 3"]
    (tmp_path / "fleet.toml").write_text("\n".join(("version = 1", "[[bundle]]", "no_second_opinion = true", *lines)))
    for status in ("created", "unchanged"):
        done = command("batch", "fleet.toml", "--jobs", "1", "--json")
        assert "Traceback" not in done.stderr
        assert [one["status"] for one in json.loads(done.stdout)["bundles"]] == [status], done.stderr + done.stdout
        assert done.returncode == 0
