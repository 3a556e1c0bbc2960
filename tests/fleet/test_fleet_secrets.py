"""Passwords of a manifest: how each kind is read, and how a later run knows that a source is as it was."""

from __future__ import annotations

import os
import shlex
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

import pkcs12kit as pk
from pkcs12kit.fleet.bundles import Secret
from pkcs12kit.fleet.secrets import SecretSource, is_as_it_was, mark_of_proved, read_secret

from ..waiting import wait_until_settled

PASSWORD = "correct horse 42 battery"
LIMITS = pk.DEFAULT_LIMITS
RUN = datetime(2026, 12, 1, tzinfo=UTC)
posix = pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")


@pytest.fixture
def source(tmp_path):
    """Return a source in the test's folder; each call of ``later`` is of another run."""

    def make(kind, value, run=RUN):
        return SecretSource(Secret(kind=kind, value=value), str(tmp_path), run)

    return make


def shell(text):
    """The words of a command that runs a text of the shell."""
    return ("sh", "-c", text)


def read(source):
    """The password."""
    return read_secret(source, limits=LIMITS).password


def old(path, text):
    """Write a file that was changed long enough ago to have a status that holds."""
    path.write_text(text)
    wait_until_settled(path)
    return str(path)


def test_a_file_is_read_as_password_file_is(source, tmp_path):
    """The first line, without a byte order mark and its line end."""
    (tmp_path / "p").write_bytes(b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\nsecond\n")
    assert read(source("file", str(tmp_path / "p"))) == PASSWORD


def test_a_variable_is_read_as_it_is(source, monkeypatch):
    """The value, with its spaces."""
    monkeypatch.setenv("FLEET_P", f" {PASSWORD} ")
    assert read(source("env", "FLEET_P")) == f" {PASSWORD} "


@posix
def test_a_command_runs_without_a_shell_in_the_folder_of_the_manifest(source, tmp_path):
    """Words are not expanded; the first line of the output is the password; a path is relative to the manifest."""
    script = tmp_path / "give"
    script.write_text('#!/bin/sh\necho "$1 $(basename "$PWD")"\necho second\n')
    script.chmod(0o700)
    assert read(source("command", ("./give", "$HOME; id"))) == f"$HOME; id {tmp_path.name}"


@posix
def test_a_command_runs_once_in_a_run(source, tmp_path):
    """Bundles that share a command ask it once; the next run asks it again. So do its failures."""
    words = shell(f"echo x >>{shlex.quote(str(tmp_path / 'log'))}; echo {shlex.quote(PASSWORD)}; exit $(wc -l <log)")
    for _ in range(3):
        with pytest.raises(pk.InputError, match="exit status 1"):
            read(source("command", words))
    with pytest.raises(pk.InputError, match="exit status 2"):
        read(source("command", words, RUN.replace(year=2027)))


@posix
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (shell(f"echo {PASSWORD}; echo {PASSWORD} >&2; exit 3"), "exit status 3"),
        (shell(f"echo {PASSWORD} >&2; kill -9 $$"), "signal 9"),
        (shell(f"printf '{PASSWORD}\\377\\n'"), "not UTF-8"),
        (shell(f"printf '{PASSWORD}\\000\\n'"), "NUL|UTF-16"),
        (shell("echo; echo second"), "is empty"),
        (("no-such-program-42", PASSWORD), "cannot be run: No such file or directory"),
    ],
)
def test_a_command_that_fails_shows_nothing_of_its_output(source, words, said):
    """The message names the program and its exit status, never its output, its errors or its arguments."""
    with pytest.raises(pk.InputError, match=said) as caught:
        read(source("command", words))
    assert words[0] in str(caught.value)
    assert PASSWORD not in repr(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__)


@posix
def test_a_command_is_ended_at_its_limit_with_its_children(source, tmp_path):
    """A command that hangs is ended; so is a child of it that would write later."""
    words = shell(f"(sleep 2; echo x >{shlex.quote(str(tmp_path / 'late'))}) & sleep 60")
    limits = replace(LIMITS, password_seconds=0.2)
    with pytest.raises(pk.InputError, match=r"no answer within 0\.2 seconds \(limits\.password_seconds\)"):
        read_secret(source("command", words), limits=limits)
    time.sleep(2.1)
    assert not (tmp_path / "late").exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\nsecond", b"\xef\xbb\xbf\n"])
def test_an_empty_password_is_refused(source, tmp_path, content):
    """With an empty password anyone could read the file: from a file as from a variable."""
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(pk.PasswordError, match="is empty"):
        read(source("file", str(tmp_path / "p")))


def test_a_file_that_cannot_be_read(source, tmp_path, monkeypatch):
    """Each message names the file or the variable."""
    with pytest.raises(pk.InputError, match="no such file"):
        read(source("file", str(tmp_path / "none")))
    with pytest.raises(pk.InputError, match="not a regular file"):
        read(source("file", str(tmp_path)))
    (tmp_path / "long").write_bytes(b"x" * (LIMITS.password_bytes + 1))
    with pytest.raises(pk.LimitExceededError, match="password_bytes"):
        read(source("file", str(tmp_path / "long")))
    monkeypatch.delenv("FLEET_P", raising=False)
    with pytest.raises(pk.InputError, match="FLEET_P is not set"):
        read(source("env", "FLEET_P"))


def proved(source, recorded=None):
    """The mark of a source whose password has just opened a file."""
    return mark_of_proved(source, read_secret(source, limits=LIMITS), recorded)


def test_a_file_is_known_by_its_status(source, tmp_path):
    """Any change of the file shows, also one of the same length with its old times."""
    given = source("file", old(tmp_path / "p", "first"))
    mark = proved(given)
    assert mark
    assert is_as_it_was(given, mark, limits=LIMITS)
    before = (tmp_path / "p").stat()
    (tmp_path / "p").write_text("other")
    os.utime(tmp_path / "p", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not is_as_it_was(given, mark, limits=LIMITS)
    (tmp_path / "p").unlink()
    assert not is_as_it_was(given, mark, limits=LIMITS)


def test_a_file_changed_just_now_has_no_mark(source, tmp_path):
    """A second change in the same tick of the clock would not show: so the next run opens the file again."""
    path = tmp_path / "p"
    path.write_text(PASSWORD)
    os.utime(path)
    assert proved(source("file", str(path))) == ""
    assert not is_as_it_was(source("file", str(path)), "", limits=LIMITS)


def test_a_variable_is_known_only_once_it_was_proved(source, monkeypatch):
    """Another process knows nothing of a generation until its value has opened one file of it."""
    monkeypatch.setenv("FLEET_Q", PASSWORD)
    given, foreign = source("env", "FLEET_Q"), "f" * 32
    assert not is_as_it_was(given, foreign, limits=LIMITS)
    kept = proved(given, foreign)
    assert is_as_it_was(given, foreign, limits=LIMITS)
    assert is_as_it_was(given, kept, limits=LIMITS)
    monkeypatch.setenv("FLEET_Q", "another")
    assert not is_as_it_was(given, foreign, limits=LIMITS)
    assert proved(given) not in {foreign, kept}
    monkeypatch.setenv("FLEET_Q", PASSWORD)
    assert is_as_it_was(given, foreign, limits=LIMITS)
    monkeypatch.delenv("FLEET_Q")
    assert not is_as_it_was(given, foreign, limits=LIMITS)


def test_equal_values_come_to_one_generation(source, monkeypatch):
    """Records of two processes get the same mark in time, so that one file proves all."""
    monkeypatch.setenv("FLEET_R", PASSWORD)
    given = source("env", "FLEET_R")
    assert proved(given, "b" * 32) == "b" * 32
    assert proved(given, "0" * 32) == proved(given, "b" * 32) == proved(given) == "0" * 32
    assert not is_as_it_was(source("env", "FLEET_S"), "0" * 32, limits=LIMITS)


def test_a_password_is_in_no_repr(source, tmp_path):
    """What is read shows nothing in a debugger or a log."""
    (tmp_path / "p").write_text(PASSWORD)
    assert PASSWORD not in repr(read_secret(source("file", str(tmp_path / "p")), limits=LIMITS))


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names")
def test_a_pipe_is_not_waited_for(source, tmp_path):
    """A pipe without a writer would stop the run."""
    os.mkfifo(tmp_path / "p")
    with pytest.raises(pk.InputError, match="not a regular file"):
        read(source("file", str(tmp_path / "p")))
