"""What a simulated Windows has to refuse, and what the package does then: for ``pytest -p tests.simulated.windows``.

The name does not begin with ``test_``, so that no other run collects this file.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import pkcs12kit as pk
from pkcs12kit import files, folders
from pkcs12kit.cli.output import console
from pkcs12kit.fleet import locks, matches
from pkcs12kit.retrieval.cache.folder import CacheFolder

from ..calling import call

STOPPED = 77
NEW = b"new\r\n\x1a\n" * 1000


def test_what_is_missing():
    """The package sees Windows; tests and other packages see this system."""
    assert (files.os.name, os.name) == ("nt", "posix")
    for name in ("fchmod", "fchown", "killpg", "getuid", "fork", "O_DIRECTORY", "O_NOFOLLOW", "listxattr"):
        assert hasattr(os, name)
        assert not hasattr(files.os, name)
    assert not hasattr(locks, "fcntl")
    assert not folders.has_descriptors()
    with pytest.raises(ModuleNotFoundError):
        exec("import pwd", {"__name__": "pkcs12kit.asking"})  # noqa: S102
    import pwd  # noqa: F401


def test_programs_see_it_too():
    """An interpreter that a test starts simulates it as well."""
    code = "from pkcs12kit import files; print(files.os.name, files.os.supports_dir_fd)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "nt frozenset()\n"


def test_open_file_is_not_replaced(tmp_path, monkeypatch):
    """The old file stays, nothing else does, and the error says what to do."""
    monkeypatch.setattr(folders, "_PAUSE", 0)
    path = tmp_path / "server.p12"
    pk.write_pfx(path, b"old")
    with path.open("rb"), pytest.raises(pk.OutputError, match="another program has the file open"):
        pk.write_pfx(path, NEW, overwrite=True)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"old"]
    path.chmod(0o444)
    with pytest.raises(pk.OutputError, match="read-only"):
        pk.write_pfx(path, NEW, overwrite=True)
    path.chmod(0o644)
    pk.write_pfx(path, NEW, overwrite=True)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [NEW]


@pytest.mark.parametrize("old", [None, b"old"])
def test_killed_before_each_system_call(tmp_path, monkeypatch, in_child, old):
    """Between any two system calls nothing but the old file or the complete new one has the name."""
    target = tmp_path / "server.p12"
    statuses = set()
    for call_number in range(1, 100):
        for one in tmp_path.iterdir():
            one.unlink()
        if old is not None:
            target.write_bytes(old)

        def work(number=call_number):
            made = []
            for name in ("open", "write", "fsync", "lseek", "read", "close", "replace"):
                real = getattr(os, name)

                def counted(*arguments, real=real, **named):
                    made.append(real)
                    if len(made) == number:
                        os._exit(STOPPED)
                    return real(*arguments, **named)

                monkeypatch.setattr(files.os, name, counted)
            files.write_private(target, NEW)

        status = in_child(work)
        statuses.add((status, target.read_bytes() if target.exists() else None))
        if status == 0:
            break
    assert {(0, NEW), (STOPPED, old)} <= statuses <= {(0, NEW), (STOPPED, old), (STOPPED, NEW)}
    assert call_number > 6


@pytest.mark.parametrize("name", ["NUL", "con.p12", "a:b.p12", "server.p12."])
def test_names_of_devices(tmp_path, name):
    """Through the command as through the library: exit status 2, and nothing is written."""
    with pytest.raises(pk.OutputError, match="Windows"):
        pk.write_pfx(tmp_path / name, NEW)
    (tmp_path / "in.p12").write_bytes(b"0")
    done = call("convert", tmp_path / "in.p12", tmp_path / name)
    assert done.status == 2
    assert "Windows" in done.errors
    assert [one.name for one in tmp_path.iterdir()] == ["in.p12"]


def test_other_capital_letters(tmp_path):
    """They name the same file, which is replaced as one, and never an input."""
    pk.write_pfx(tmp_path / "Server.p12", b"old")
    pk.write_pfx(tmp_path / "server.P12", NEW, overwrite=True)
    assert {one.read_bytes() for one in tmp_path.iterdir()} == {NEW}
    assert len(list(tmp_path.iterdir())) == 1


def test_locks(tmp_path):
    """A lock is held once, and its file is removed."""
    limits = pk.Limits(output_lock_seconds=0.1)
    output = str(tmp_path / "a.p12")
    with locks.outputs_locked([output], limits=limits):
        with pytest.raises(pk.OutputError, match="another run"), locks.outputs_locked([output], limits=limits):
            pass
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def test_junction_is_no_cache(tmp_path, monkeypatch):
    """Windows shows a junction as a folder, with a tag; a folder of OneDrive has a tag that leads nowhere."""
    cache = CacheFolder(tmp_path / "cache")
    cache.make()
    tags = {}
    real = Path.stat

    class Tagged:
        def __init__(self, status):
            self.st_mode, self.st_reparse_tag = status.st_mode, tags["tag"]

    monkeypatch.setattr(Path, "stat", lambda path, **named: Tagged(real(path, **named)))
    tags["tag"] = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT
    with pytest.raises(pk.OutputError, match="cannot be the cache"), cache.open():
        pass
    tags["tag"] = 0x9000001A  # IO_REPARSE_TAG_CLOUD
    with cache.open():
        pass


def test_junction_below_two_asterisks(tmp_path, monkeypatch):
    """A junction to a folder above it would be followed without end."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "server.key").touch()
    matcher = matches.Matcher(str(tmp_path), pk.Limits())
    assert [one.folder for one in matcher.matches("**/*.key")] == ["a/b"]
    monkeypatch.setattr(matches, "leads_elsewhere", lambda _: True)
    with pytest.raises(pk.InputError, match="matches no file"):
        matcher.matches("**/*.key")


@pytest.mark.parametrize(("number", "status"), [(errno.EINVAL, 141), (errno.EPIPE, 141), (errno.ENOSPC, 2)])
def test_reader_of_a_pipe_that_has_gone(monkeypatch, number, status):
    """Windows has EINVAL for it; a full disk stays an error."""

    class Gone:
        encoding, errors = "utf-8", "strict"
        text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            if self.text:
                raise OSError(number, os.strerror(number))

        def isatty(self):
            return False

        def fileno(self):
            raise OSError

    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises((SystemExit, pk.OutputError)) as raised:
        console.print_lines("answer")
    assert raised.value.code == status if isinstance(raised.value, SystemExit) else status == 2


def test_other_error_of_an_argument(capsys):
    """The same number from another file is not a closed pipe: it is not silent."""
    with capsys.disabled():
        assert not console.is_without_reader(OSError(errno.EINVAL, "Invalid argument"))


def test_commands_of_hints(tmp_path):
    """They are quoted for PowerShell and cmd."""
    done = call("convert", "in.p12", tmp_path / "my certs" / "out.p12")
    assert done.status == 2
    with pytest.raises(pk.OutputError) as raised:
        pk.write_pfx(tmp_path / "my certs" / "out.p12", NEW)
    assert raised.value.hints[0].command == f'mkdir "{tmp_path / "my certs"}"'


def test_modes(tmp_path):
    """A mode says whether a file is read-only, and nothing else."""
    pk.write_pfx(tmp_path / "a.p12", NEW)
    with folders.opened(tmp_path) as folder:
        assert stat.S_IMODE(folder.status("a.p12").st_mode) == 0o666
    with pytest.raises(pk.InputError, match="icacls"):
        pk.write_pfx(tmp_path / "a.p12", NEW, mode=0o600)
