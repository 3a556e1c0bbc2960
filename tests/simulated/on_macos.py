"""What differs on a simulated macOS: for ``pytest -p tests.simulated.macos``."""

from __future__ import annotations

import os

import pkcs12kit as pk
from pkcs12kit import files, folders

NEW = b"new"


def test_what_is_missing():
    """The package sees macOS; tests and other packages see this system."""
    assert (files.os.name, folders.sys.platform) == ("posix", "darwin")
    assert hasattr(os, "listxattr")
    assert not hasattr(files.os, "listxattr")
    assert folders.has_descriptors()


def test_bytes_outlast_a_loss_of_power(tmp_path, monkeypatch):
    """The drive is asked to write its memory, for the file and for the folder; a network's file system has fsync(2)."""
    asked, synced = [], []
    control, sync = folders.fcntl.fcntl, os.fsync

    def asking(descriptor, command):
        asked.append(command)
        if len(asked) > 2:
            raise OSError(45, "Operation not supported")
        return control(descriptor, command)

    monkeypatch.setitem(vars(folders.fcntl), "fcntl", asking)
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(sync(descriptor)))
    pk.write_pfx(tmp_path / "a.p12", NEW)
    assert asked == [folders.fcntl.F_FULLFSYNC] * 2
    before = len(synced)
    pk.write_pfx(tmp_path / "b.p12", NEW)
    assert (len(asked), len(synced) - before) == (4, 2)


def test_other_capital_letters(tmp_path):
    """They name the same file."""
    pk.write_pfx(tmp_path / "Server.p12", b"old")
    pk.write_pfx(tmp_path / "server.P12", NEW, overwrite=True)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [NEW]
