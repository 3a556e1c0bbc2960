"""Real faults of writing: a killed process, a full disk, several writers at once.

In each case the name has the old file or the complete new one, and no other user can ever read written bytes.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import threading

import pytest

from pkcs12kit import files as writing
from pkcs12kit.errors import OutputError
from pkcs12kit.files import write_private
from pkcs12kit.outputs.output import write_pfx

NEW = b"new secret " * 1000
OLD = bytes.fromhex("30050201033000")  # by its beginning, a PKCS#12 file
SYSTEM_CALLS = ("open", "stat", "fchmod", "write", "fsync", "lseek", "read", "replace", "unlink", "close")
STOPPED = 77


@pytest.fixture(params=["no file", "old file"])
def target(request, tmp_path):
    """Where to write: nothing there yet, or an older file."""
    path = tmp_path / "server.p12"
    if request.param == "old file":
        write_private(path, OLD)
    return path


def assert_whole_and_private(target, had):
    """The name has the old or the complete new content; any other file left is only for the owner."""
    assert (target.read_bytes() if target.exists() else None) in {had, NEW}
    for path in target.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path == target or path.name.startswith(".pkcs12kit-")


def stop_before(monkeypatch, call):
    """End the process, as by a power cut, before the ``call``-th system call of a write, including short writes."""
    made = 0

    def counting(name, real):
        def counted(*arguments, **options):
            nonlocal made
            made += 1
            if made == call:
                os._exit(STOPPED)
            if name == "write":
                arguments = (arguments[0], arguments[1][:5000])
            return real(*arguments, **options)

        return counted

    for name in SYSTEM_CALLS:
        monkeypatch.setattr(writing.os, name, counting(name, getattr(os, name)))


def test_killed_before_each_system_call(target, monkeypatch, in_child):
    """Between any two system calls, with umask 000: no handler runs, nothing is cleaned up, and it still holds."""
    had = target.read_bytes() if target.exists() else None
    seen = set()
    for call in range(1, 100):

        def work(call=call):
            os.umask(0)
            stop_before(monkeypatch, call)
            write_private(target, NEW)

        status = in_child(work)
        assert status in {0, STOPPED}
        assert_whole_and_private(target, had)
        seen.add(target.read_bytes() if target.exists() else None)
        for path in target.parent.iterdir():
            path.unlink()
        if had is not None:
            write_private(target, had)
        if status == 0:
            break
    else:
        pytest.fail("a write takes more system calls than this test is for")
    assert call > 12
    assert seen == {had, NEW}


def test_new_name_only_for_what_is_on_the_disk(target, monkeypatch):
    """A power cut loses what was not synced: so the data before it gets its name, and the folder after that."""
    order = []
    descriptors = {}

    def recorded(name, real):
        def recording(*arguments, **options):
            result = real(*arguments, **options)
            if name == "open":
                descriptors[result] = "file" if arguments[1] & os.O_CREAT else "folder"
            order.append((name, descriptors.get(arguments[0])) if name in {"write", "fsync"} else (name, None))
            return result

        return recording

    for name in ("open", "write", "fsync", "replace"):
        monkeypatch.setattr(writing.os, name, recorded(name, getattr(os, name)))
    write_private(target, NEW)
    last_write = max(position for position, step in enumerate(order) if step[0] == "write")
    assert last_write < order.index(("fsync", "file")) < order.index(("replace", None))
    assert order[-1] == ("fsync", "folder")


@pytest.mark.parametrize("written", [0, 1, 4096, len(NEW) - 1])
def test_disk_full_in_the_middle(target, written, in_child):
    """The kernel takes some of the bytes and refuses the rest: an error, no partial file, the old one stands."""
    had = target.read_bytes() if target.exists() else None

    def work():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
        with pytest.raises(OutputError, match="File too large"):
            write_private(target, NEW)

    assert in_child(work) == 0
    assert (target.read_bytes() if target.exists() else None) == had
    assert list(target.parent.iterdir()) == ([target] if had is not None else [])


def test_disk_full_after_a_short_write(target, monkeypatch):
    """ENOSPC at the second part of the data."""
    had = target.read_bytes() if target.exists() else None
    write, parts = os.write, []

    def filling(descriptor, data):
        parts.append(len(data))
        if len(parts) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data[:100])

    with monkeypatch.context() as patched:
        patched.setattr(writing.os, "write", filling)
        with pytest.raises(OutputError, match="No space left"):
            write_pfx(target, NEW)
    assert parts == [len(NEW), len(NEW) - 100]
    assert (target.read_bytes() if target.exists() else None) == had
    assert list(target.parent.iterdir()) == ([target] if had is not None else [])


def test_read_only_folder(target, in_child):
    """No right to write in the folder: an error, and nothing changes. The superuser is somebody else for it."""
    had = target.read_bytes() if target.exists() else None
    folder = target.parent

    def work():
        os.chdir(folder)
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        with pytest.raises(OutputError, match=r"cannot write server\.p12: Permission denied"):
            write_private("server.p12", NEW)

    folder.chmod(0o555)
    try:
        assert in_child(work) == 0
    finally:
        folder.chmod(0o755)
    assert (target.read_bytes() if target.exists() else None) == had
    assert list(folder.iterdir()) == ([target] if had is not None else [])


def watch(target, known, done, failures):
    """Watch the target and every file beside it until ``done``, and note any state that must never be visible."""
    while not done.is_set():
        for path in (target, *target.parent.iterdir()):
            try:
                with path.open("rb") as file:
                    mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                    if mode != 0o600 or (path == target and file.read() not in known):
                        failures.append((path.name, oct(mode)))
            except FileNotFoundError:
                continue


def test_concurrent_writers(target):
    """With eight writers of one name and umask 000, there is always one complete file, only for its owner."""
    contents = [bytes([65 + number]) * (1000 + number) for number in range(8)]
    failures = []
    done = threading.Event()

    def writer(data):
        for _ in range(20):
            write_private(target, data)

    watching = threading.Thread(target=watch, args=(target, {OLD, *contents}, done, failures))
    writers = [threading.Thread(target=writer, args=(data,)) for data in contents]
    before = os.umask(0)
    try:
        for thread in (watching, *writers):
            thread.start()
        for thread in writers:
            thread.join()
    finally:
        done.set()
        os.umask(before)
    watching.join()
    assert failures == []
    assert target.read_bytes() in contents
    assert list(target.parent.iterdir()) == [target]


def test_symbolic_link_at_the_target_with_concurrent_writers(tmp_path):
    """A symbolic link is not changed by a write, and its target never gets the secret."""
    link, other = tmp_path / "server.p12", tmp_path / "other"
    write_private(other, OLD)
    link.symlink_to(other)
    refused = []

    def writer():
        try:
            write_private(link, NEW)
        except OutputError as error:
            refused.append(str(error))

    writers = [threading.Thread(target=writer) for _ in range(8)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert len(refused) == 8
    assert all("symbolic link" in sentence for sentence in refused)
    assert link.is_symlink()
    assert other.read_bytes() == OLD
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "server.p12"]
