"""Programs that are compiled once: what is kept, and that nothing is run that someone else could have written."""

from __future__ import annotations

import os
import shutil

import pytest

from pkcs12kit.tls.handshake import Verdict
from pkcs12kit.tls.rehearsal.clients import kept_programs
from pkcs12kit.tls.rehearsal.clients.kept_programs import keep_program, kept_program, key_of
from pkcs12kit.tls.rehearsal.clients.registry import make_client

from ...thoroughness import mostly_slow
from .asking import ask_once

KEY = "a" * 64
PROGRAM = b"#!/bin/sh\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder of programs, in a place for caches of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pkcs12kit" / "clients"


@pytest.fixture
def kept(place):
    """The file of a program that was kept."""
    keep_program("go", KEY, PROGRAM)
    assert kept_program("go", KEY) == PROGRAM
    (file,) = place.iterdir()
    return file


class TestWhoCanHaveWrittenIt:
    """Everything that lets another user put a program there makes it unused."""

    def test_modes(self, place, kept):
        """Only the user may enter the folders, and read and write the file."""
        for path, mode in ((place.parent, 0o700), (place, 0o700), (kept, 0o600)):
            assert path.stat().st_mode & 0o777 == mode
            for wider in (0o020, 0o002):
                path.chmod(mode | wider)
                assert kept_program("go", KEY) is None
                path.chmod(mode)
        assert kept_program("go", KEY) == PROGRAM

    @pytest.mark.usefixtures("as_root")
    def test_owners(self, place, kept):
        """Another owner of the file or of one of the folders, also for root."""
        for path in (place.parent, place, kept):
            os.chown(path, 12345, -1)
            assert kept_program("go", KEY) is None
            os.chown(path, 0, -1)
        assert kept_program("go", KEY) == PROGRAM

    @pytest.mark.usefixtures("as_root")
    def test_nothing_is_made_in_a_folder_of_another_user(self, tmp_path, monkeypatch):
        """As under sudo with the user's HOME: a folder of root's would lock the user out."""
        home = tmp_path / "home"
        home.mkdir()
        os.chown(home, 12345, -1)
        for place in (home / ".cache", home):
            monkeypatch.setenv("XDG_CACHE_HOME", str(place))
            keep_program("go", KEY, PROGRAM)
            assert list(home.iterdir()) == []

    def test_links(self, place, kept, tmp_path):
        """A symbolic link in the place of the file or of a folder."""
        for path in (kept, place, place.parent):
            path.rename(tmp_path / "aside")
            path.symlink_to(tmp_path / "aside")
            assert kept_program("go", KEY) is None
            path.unlink()
            (tmp_path / "aside").rename(path)
        assert kept_program("go", KEY) == PROGRAM

    def test_other_contents(self, place, kept):
        """Damage in each byte, a part of it, another program's file under this name, a pipe."""
        content = kept.read_bytes()
        for at in range(len(content)):
            kept.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
            assert kept_program("go", KEY) is None
            kept.write_bytes(content[:at])
            assert kept_program("go", KEY) is None
        kept.write_bytes(content)
        kept.rename(place / f"go-{'b' * 64}.program")
        assert kept_program("go", "b" * 64) is None
        os.mkfifo(kept, 0o600)
        assert kept_program("go", KEY) is None

    def test_places_that_cannot_be_used(self, tmp_path, monkeypatch):
        """A relative XDG_CACHE_HOME is ignored; a file in its place or a missing folder above it changes nothing."""
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path / "no" / "home"))
        (tmp_path / "file").touch()
        for where in ("relative", str(tmp_path / "file"), str(tmp_path / "no" / "no")):
            monkeypatch.setenv("XDG_CACHE_HOME", where)
            keep_program("go", KEY, PROGRAM)
            assert kept_program("go", KEY) is None
        assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_the_last_programs_are_kept(place):
    """An old compiler's go away; those of other clients stay."""
    keep_program("java", KEY, PROGRAM)
    for number in range(6):
        keep_program("go", str(number) * 64, PROGRAM)
        os.utime(place / f"go-{str(number) * 64}.program", (number, number))
    assert kept_program("java", KEY) == PROGRAM
    assert sorted(one.name[:4] for one in place.iterdir()) == ["go-3", "go-4", "go-5", "java"]


def test_the_key_is_of_source_and_compiler(tmp_path):
    """Another source, version, or file of the compiler is another key."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    shutil.copy2(one, two)
    keys = [key_of(b"a", str(one), "1"), key_of(b"b", str(one), "1"), key_of(b"a", str(one), "2")]
    keys.append(key_of(b"a", str(two), "1"))
    one.write_bytes(b"12")
    keys.append(key_of(b"a", str(one), "1"))
    assert len(set(keys)) == 5
    assert key_of(b"a", str(tmp_path / "none"), "1") is None


@pytest.mark.parametrize("name", mostly_slow(["go", "java"], every=2))
def test_compiled_once(name, world, require_tool, place, monkeypatch):
    """The second time the same program runs, and accepts and refuses the same; a damaged one is compiled again."""
    require_tool("javac" if name == "java" else "go")
    client = make_client(name)
    compiled = []
    original = type(client)._compile
    monkeypatch.setattr(type(client), "_compile", lambda self, *given: compiled.append(name) or original(self, *given))
    assert ask_once(client, world.case()).verdict is Verdict.ACCEPTED
    assert ask_once(make_client(name), world.case()).verdict is Verdict.ACCEPTED
    assert ask_once(make_client(name), world.case(anchor=world.other.certificate)).verdict is Verdict.REFUSED
    assert len(compiled) == 1
    (file,) = place.iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    assert ask_once(make_client(name), world.case()).verdict is Verdict.ACCEPTED
    assert len(compiled) == 2


def test_a_compiler_that_writes_nothing(world, tmp_path, monkeypatch, place):
    """A wrapper named go that ends with status 0 in silence: not tried, with a reason, and nothing is kept."""
    (tmp_path / "go").write_text("#!/bin/sh\n")
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    handshake = ask_once(make_client("go"), world.case())
    assert handshake.verdict is Verdict.NOT_TRIED
    assert "go build failed: it wrote no program" in handshake.why
    assert not place.exists()


def test_without_owners(monkeypatch, place):
    """A platform without owners of files keeps nothing."""
    monkeypatch.delattr(kept_programs.os, "geteuid")
    keep_program("go", KEY, PROGRAM)
    assert kept_program("go", KEY) is None
    assert not place.exists()
