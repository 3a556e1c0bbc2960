"""Errors in pkcs12kit itself: exit status 70, one sentence, no traceback unless --debug asks for it."""

from __future__ import annotations

import os
import sys

import click
import pytest

from pkcs12kit.cli import cli, main

from .test_cli_command_line import run

SAID = "error: an error in pkcs12kit itself (ZeroDivisionError); it says nothing about your files. Please report it,"
HINT = "hint: pkcs12kit --debug COMMAND ... shows where."
INPUT = "CN=part of the input \x1b[2J"


@pytest.fixture
def paths(call, files):
    """Call ``paths`` on the lab."""
    given = ("paths", files.certificate, "--certs", files.bundle, "--anchor", files.trust_anchor)
    return lambda *before, more=(): call(*before, *given, *more)


class Panic(BaseException):
    """As pyca/cryptography's Rust raises: it is no Exception."""


def fail_with(monkeypatch, error):
    """Let the search raise an error that nobody foresaw."""

    def fail(*_, **__):
        raise error

    monkeypatch.setattr("pkcs12kit.cli.paths.command.callback", fail)


class TestStatus70:
    """A script takes 1 for a no, and 2 for a mistake of its own."""

    def test_one_sentence(self, paths, monkeypatch):
        """The exception's text is not shown: it may hold input."""
        fail_with(monkeypatch, ZeroDivisionError(INPUT))
        outcome = paths()
        assert (outcome.status, outcome.output) == (70, b"")
        first, second = outcome.errors.splitlines()
        assert first.startswith(SAID)
        assert second.startswith(HINT)
        assert "input" not in first

    def test_with_json(self, paths, monkeypatch):
        """One object with the same sentence."""
        fail_with(monkeypatch, ZeroDivisionError(INPUT))
        outcome = paths(more=("--json",))
        assert outcome.status == 70
        assert list(outcome.json) == ["error", "hints", "warnings"]
        assert f"error: {outcome.json['error']}" == outcome.errors.splitlines()[0]

    def test_with_debug(self, monkeypatch, capsysbinary):
        """The traceback is on standard error; what it quotes cannot steer the terminal."""
        fail_with(monkeypatch, ZeroDivisionError(INPUT))
        monkeypatch.setattr(sys, "argv", ["pkcs12kit", "--debug", "paths", "x", "--anchor", "y"])
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        output, errors = capsysbinary.readouterr()
        assert (end.value.code, output) == (70, b"")
        lines = errors.decode().splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert r"ZeroDivisionError: CN=part of the input \x1b[2J" in lines
        assert lines[-1].startswith(SAID)

    @pytest.mark.parametrize("error", [Panic("x"), RecursionError(), MemoryError(), RuntimeError(), OSError(5, "x")])
    def test_whatever_it_is(self, paths, monkeypatch, error):
        """Also what is no Exception, as the panics of pyca/cryptography's Rust are."""
        fail_with(monkeypatch, error)
        outcome = paths()
        assert outcome.status == 70
        assert type(error).__name__ in outcome.errors

    def test_a_click_exception_of_status_1(self, paths, monkeypatch):
        """Click's own base class of errors has the exit status of a no."""
        fail_with(monkeypatch, click.ClickException("something"))
        assert paths().status == 2

    def test_a_broken_pipe_is_no_no(self, paths, monkeypatch):
        """Click ends with status 1 for it, wherever it comes from."""
        fail_with(monkeypatch, BrokenPipeError(32, "Broken pipe"))
        assert paths().status == 141

    def test_an_error_while_it_is_reported(self, paths, monkeypatch):
        """The status is the same where nothing can be said any more."""
        fail_with(monkeypatch, ZeroDivisionError())
        monkeypatch.setattr("pkcs12kit.cli.output.console.print_error", lambda _: 1 // 0)
        assert paths().status == 70


def test_standard_error_that_nobody_reads(files, folder):
    """What cannot be said changes no answer: a no stays a no, and bad input bad input."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        for name, status in ((files.certificate, 1), ("nowhere.pem", 2)):
            done = run("paths", name, "--anchor", files.trust_anchor, cwd=folder, stderr=writer)
            assert done.returncode == status
    finally:
        os.close(writer)


def test_help_that_nobody_reads(folder):
    """``pkcs12kit --help | true`` is not a no either."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run("--help", cwd=folder, stdout=writer).returncode == 141
    finally:
        os.close(writer)


def test_debug_is_in_the_help():
    """It stands before the command, and the help of the program has it."""
    with click.Context(cli, info_name="pkcs12kit") as context:
        assert "--debug" in cli.get_help(context)
        assert "70 an error in pkcs12kit itself" in " ".join(cli.get_help(context).split())
