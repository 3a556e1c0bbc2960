"""A write leaves a complete file that only its owner may read, or the old one, after any fault."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from pkcs12kit import files as writing
from pkcs12kit.errors import OutputError
from pkcs12kit.files import write_private
from pkcs12kit.outputs.output import write_pfx

NEW = b"new secret " * 100
OLD = bytes.fromhex("30050201033000")  # by its beginning, a PKCS#12 file


def mode(path):
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=["no file", "old file"])
def target(request, tmp_path):
    """Where to write: nothing there yet, or an older file that others may read."""
    path = tmp_path / "server.p12"
    if request.param == "old file":
        path.write_bytes(OLD)
        path.chmod(0o644)
    return path


def assert_untouched(target, had):
    """The old file, or none, and no temporary file beside it."""
    assert (target.read_bytes() if target.exists() else None) == had
    assert [path.name for path in target.parent.iterdir()] == ([target.name] if had is not None else [])


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_mode_is_0600_whatever_the_umask(target, umask):
    """Neither a wide umask nor the old file's mode makes it wider; a narrow one does not take the owner's rights."""
    before = os.umask(umask)
    try:
        write_pfx(target, NEW)
    finally:
        os.umask(before)
    assert mode(target) == 0o600
    assert target.read_bytes() == NEW
    assert list(target.parent.iterdir()) == [target]


def test_never_wider_than_0600_while_it_is_written(target, monkeypatch):
    """Not even the temporary file is readable by others at any moment."""
    seen = []
    write = os.write

    def watching(descriptor, data):
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return write(descriptor, data)

    before = os.umask(0)
    monkeypatch.setattr(writing.os, "write", watching)
    try:
        write_private(target, NEW)
    finally:
        os.umask(before)
    assert set(seen) == {0o600}


def test_short_writes_are_continued(target, monkeypatch):
    """write(2) may take fewer bytes than it was given."""
    write = os.write
    monkeypatch.setattr(writing.os, "write", lambda descriptor, data: write(descriptor, bytes(data[:7])))
    write_private(target, NEW)
    assert target.read_bytes() == NEW


SYSTEM_CALLS = ["open", "stat", "fchmod", "write", "fsync", "lseek", "read", "replace"]


def fail_at(monkeypatch, name, call, error):
    """Make the ``call``-th call of one function of os, counted from 1, raise instead of doing anything."""
    real = getattr(os, name)
    calls = []

    def failing(*arguments, **options):
        calls.append(name)
        if len(calls) == call:
            raise error
        return real(*arguments, **options)

    monkeypatch.setattr(writing.os, name, failing)
    return calls


@pytest.mark.parametrize("name", SYSTEM_CALLS)
@pytest.mark.parametrize("call", [1, 2])
@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()], ids=["error", "interrupt"]
)
def test_failure_at_each_system_call(target, monkeypatch, name, call, error):
    """Disk full, or the user interrupts, before any system call: the old file stands, or the complete new one."""
    had = target.read_bytes() if target.exists() else None
    with monkeypatch.context() as patched:
        calls = fail_at(patched, name, call, error)
        raised = None
        try:
            write_private(target, NEW)
        except (OutputError, KeyboardInterrupt) as caught:
            raised = caught
    if len(calls) < call:
        assert raised is None
    if raised is None:
        assert target.read_bytes() == NEW
        return
    assert isinstance(raised, OutputError if isinstance(error, OSError) else KeyboardInterrupt)
    if (name, call) == ("fsync", 2):  # the folder's: the file is complete and in its place, and the error says so
        assert target.read_bytes() == NEW
        assert not isinstance(raised, OutputError) or "wrote" in str(raised)
        return
    assert_untouched(target, had)
    if isinstance(raised, OutputError):
        assert str(target) in str(raised)
        assert "No space left" in str(raised)


def test_what_is_read_back_is_compared(target, monkeypatch):
    """A disk that gives back something else is noticed before the old file goes."""
    had = target.read_bytes() if target.exists() else None
    read = os.read
    with monkeypatch.context() as patched:
        patched.setattr(writing.os, "read", lambda descriptor, size: read(descriptor, size).replace(b"new", b"now"))
        with pytest.raises(OutputError, match="read back"):
            write_private(target, NEW)
    assert_untouched(target, had)


def test_folder_that_cannot_be_synced_is_no_failure(target, monkeypatch):
    """Some file systems refuse to sync a folder with EINVAL."""
    with monkeypatch.context() as patched:
        fail_at(patched, "fsync", 2, OSError(errno.EINVAL, "Invalid argument"))
        write_private(target, NEW)
    assert target.read_bytes() == NEW


@pytest.mark.parametrize("points_to", ["a file", "nothing", "itself"])
def test_symbolic_link_is_refused(tmp_path, points_to):
    """Neither the link nor what it points to changes."""
    link, other = tmp_path / "link.p12", tmp_path / "other"
    if points_to == "a file":
        other.write_bytes(OLD)
    link.symlink_to(link if points_to == "itself" else other)
    with pytest.raises(OutputError, match="symbolic link"):
        write_private(link, NEW)
    assert link.is_symlink()
    if points_to == "a file":
        assert other.read_bytes() == OLD


def test_link_that_appears_meanwhile_is_not_followed(tmp_path, monkeypatch):
    """A link planted after the check is replaced itself; what it points to stays."""
    link, other = tmp_path / "server.p12", tmp_path / "other"
    other.write_bytes(OLD)
    replace = os.replace

    def racing(*arguments, **options):
        link.symlink_to(other)
        replace(*arguments, **options)

    monkeypatch.setattr(writing.os, "replace", racing)
    write_private(link, NEW)
    assert other.read_bytes() == OLD
    assert not link.is_symlink()
    assert link.read_bytes() == NEW


def test_what_is_no_file_is_refused(tmp_path):
    """A device or a pipe would be replaced by a file; a folder cannot be."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, tmp_path / "..", "/dev/null", tmp_path / "absent" / "x.p12", tmp_path / "nul\0"):
        with pytest.raises(OutputError, match="cannot write"):
            write_private(path, NEW)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_longest_file_name(tmp_path):
    """The temporary name does not grow with the name that is asked for."""
    path = tmp_path / ("x" * 255)
    write_private(path, NEW)
    assert path.read_bytes() == NEW


def test_name_in_the_current_folder(tmp_path, monkeypatch):
    """A bare name, as users give it; empty contents too."""
    monkeypatch.chdir(tmp_path)
    write_private("server.p12", b"")
    assert (tmp_path / "server.p12").read_bytes() == b""


def test_hard_link_keeps_the_old_contents(tmp_path):
    """The name is replaced, not the old file's contents: who holds the old one holds the old one."""
    target, other = tmp_path / "server.p12", tmp_path / "other"
    target.write_bytes(OLD)
    other.hardlink_to(target)
    write_private(target, NEW)
    assert other.read_bytes() == OLD
