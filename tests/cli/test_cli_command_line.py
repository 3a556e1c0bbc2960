"""What holds for every command: help, usage, exit status, streams, colours, hostile names, interruptions."""

from __future__ import annotations

import grp
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkcs12kit import lab
from pkcs12kit.cli import cli, main
from pkcs12kit.cli.command import OptionGroup
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.encoder import encode_pfx

from .conftest import OLD, PASSWORD, run_environment, snapshot

COMMANDS = tuple(cli.list_commands(click.Context(cli)))
HELP_WIDTH = 80
ESCAPE = "\x1b"


def run(
    *arguments,
    cwd,
    program=(sys.executable, "-m", "pkcs12kit"),
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    **environment,
):
    """Run it in a process of its own."""
    return subprocess.run(
        [*program, *map(str, arguments)],
        cwd=cwd,
        env=run_environment(**environment),
        stdout=stdout,
        stderr=stderr,
        check=False,
    )


class TestHelp:
    """Every command explains itself."""

    def test_list_of_commands(self, call):
        """All of them, with a sentence each, and where to start."""
        outcome = call("--help")
        assert (outcome.status, outcome.errors) == (0, "")
        for name in COMMANDS:
            assert re.search(rf"^  {name}  +[A-Z]", outcome.text, re.MULTILINE)
        assert "Exit status: 0 yes, 1 the answer is no" in " ".join(outcome.text.split())

    @pytest.mark.parametrize("name", COMMANDS)
    def test_examples_stand_as_written(self, call, monkeypatch, name):
        """Each has examples, a line each, that the command's own parser takes: options, values, arguments."""
        monkeypatch.setattr(grp, "getgrnam", lambda _: grp.getgrgid(0))  # of a server that may not be installed here
        text = call(name, "-h").text
        assert "\\b" not in text
        examples = text.partition("\n  Examples:\n")[2].replace("\\\n", " ")
        lines = examples.strip().splitlines()
        assert lines
        for line in lines:
            program, called, *arguments = shlex.split(re.split(" [<>] ", line)[0])
            assert (program, called) == ("pkcs12kit", name)
            command = cli.get_command(click.Context(cli), name)
            command.make_context(name, arguments)

    def test_fits_a_terminal_of_80_columns(self, call, monkeypatch):
        """No line of any command's help is longer: a terminal would break it anywhere, examples after a backslash."""
        monkeypatch.setenv("COLUMNS", str(HELP_WIDTH))
        for name in cli.list_commands(click.Context(cli)):
            too_long = [line for line in call(name, "--help").text.splitlines() if len(line) > HELP_WIDTH]
            assert not too_long, name

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_option_is_explained(self, name):
        """No option without a sentence."""
        command = cli.get_command(click.Context(cli), name)
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help
                assert parameter.help.endswith(".")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_options_stand_in_sections(self, call, name):
        """Each option stands once, in the section of its group; the sections come in one order in every command."""
        command = cli.get_command(click.Context(cli), name)
        groups = command.option_groups(click.Context(command, info_name=name, parent=click.Context(cli)))
        titles = [group.value for group in OptionGroup]
        assert list(groups) == ["Options"] or list(groups) == [title for title in titles if title in groups]
        assert len(groups) > 1 or sum(map(len, groups.values())) <= 4
        sections = dict(re.findall(r"^([A-Z][a-z ]+):\n((?:  .*\n)+)", call(name, "--help").text, re.MULTILINE))
        for title, options in groups.items():
            shown = re.findall(r"^  (?:-h, )?(--[a-z0-9-]+)", sections[title], re.MULTILINE)
            assert shown == [option.opts[-1] for option in options]

    @pytest.mark.parametrize("name", COMMANDS)
    def test_the_most_used_options_come_first(self, call, monkeypatch, name):
        """At most five, without a second place; also in a narrow terminal, where only examples may be wider."""
        command = cli.get_command(click.Context(cli), name)
        monkeypatch.setenv("COLUMNS", "60")
        text = call(name, "--help").text.partition("\n  Examples:\n")[0]
        assert all(len(line) <= 60 for line in text.splitlines())
        shown = re.findall(r"^  (--[a-z0-9-]+)", text, re.MULTILINE)
        assert tuple(shown[: len(command.most_used)]) == tuple(command.most_used)
        assert len(shown) == len(set(shown))
        assert len(command.most_used) <= 5
        assert ("Most used:" in text) == bool(command.most_used) == ("Options:" not in text)

    def test_names_are_not_broken_at_hyphens(self, call, monkeypatch):
        """The name of a profile or a reader stays in one piece, to be copied."""
        monkeypatch.setenv("COLUMNS", str(HELP_WIDTH))
        assert not re.search(r"\w-\n", call("build", "--help").text)

    def test_the_contracts_options(self, call):
        """ARCHITECTURE's options of the commands that are there."""
        text = call("build", "--help").text
        for option in (
            *("--key", "--cert", "--certs", "--anchor", "--out", "--at", "--server-name", "--policy", "--profile"),
            *("--password-file", "--password-env", "--password-stdin", "--key-password-file", "--no-anchor"),
            *("--friendly-name", "--crl", "--json", "--certs-only"),
        ):
            assert f"  {option} " in text
        assert "--password " not in text

    def test_version(self, call, monkeypatch):
        """The name and the version, which only an installed package has; run from a clone it says so."""
        from importlib import metadata

        monkeypatch.setattr(metadata, "version", lambda name: f"1.2.3 of {name}")
        assert call("--version").text == "pkcs12kit, version 1.2.3 of pkcs12kit\n"

        def fail(name):
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(metadata, "version", fail)
        outcome = call("--version")
        assert (outcome.status, outcome.errors) == (0, "")
        assert outcome.text == "pkcs12kit, version unknown: it runs from its source, and is not installed\n"


class TestUsage:
    """Exit status 2, an error like any other, and a hint."""

    @pytest.mark.parametrize(
        ("arguments", "sentence", "explained"),
        [
            (["nothing"], "no such command 'nothing'", ""),
            (["biuld"], "no such command 'biuld'. Did you mean 'build'?", ""),
            (["--nothing"], "no such option '--nothing'", ""),
            (["paths", "--nothing"], "no such option '--nothing'", "paths"),
            (
                ["build", "--anchro", "a"],
                "'--anchro'. Did you mean '--anchor', '--no-anchor' or '--with-anchor'?",
                "build",
            ),
            (["paths", "a.pem"], "missing option '--anchor'", "paths"),
            (["inspect", "a.p12", "b.p12"], "got unexpected extra argument (b.p12)", "inspect"),
            (["probe", "a", "--anchor", "b", "--device", "adroid"], "Did you mean 'android'?", "probe"),
            (
                ["build", "--at", "now", "--anchor", "a", "--out", "o"],
                "invalid value for '--at': 'now' is not",
                "build",
            ),
            (["gather", "a.pem"], "missing option '--into': the folder", "gather"),
            (["probe", "a", "--timeout", "1.5"], "'1.5' is not a valid whole number (1 to 3,600)", "probe"),
            (["probe", "a", "--port", "https"], "'https' is not a valid whole number (1 to 65,535)", "probe"),
            (["gather", "--timeout", "5m"], "'5m' is not a valid number (more than 0, at most 86,400)", "gather"),
            (["verify", "a", "--max-iterations", "1e6"], "is not a valid whole number (at least 1)", "verify"),
        ],
    )
    def test_refused(self, call, arguments, sentence, explained):
        """The sentence says what is wrong and what may have been meant; the hint, where help is."""
        outcome = call(*arguments)
        assert (outcome.status, outcome.output) == (2, b"")
        error, *others, hint = outcome.errors.splitlines()
        assert len(others) == ("missing option '--anchor'" in sentence)  # test_cli_no_anchor.py looks at these
        assert error.startswith("error: ")
        assert sentence in error
        assert not error.endswith(".")
        called = f"pkcs12kit {explained} --help" if explained else "pkcs12kit --help"
        listed = "list the options, with examples" if explained else "list the commands"
        assert hint == f"hint: {listed}: {called}"

    def test_no_arguments(self, call):
        """A command alone shows its help."""
        outcome = call("verify")
        assert (outcome.status, outcome.output) == (2, b"")
        assert outcome.errors == call("verify", "--help").text


class TestProcess:
    """As a process of its own."""

    def test_python_m(self, files, folder):
        """``python -m pkcs12kit``: results on standard output, nothing else there."""
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        done = run("paths", files.certificate, *given, "--json", cwd=folder)
        assert (done.returncode, done.stderr) == (0, b"")
        assert len(json.loads(done.stdout)["paths"]) == 1

    def test_exit_statuses(self, files, folder, password_file):
        """0, 1 and 2, each with its stream."""
        given = ("--key", files.key, "--cert", files.certificate, "--anchor", files.trust_anchor)
        given = ("build", *given, "--password-file", password_file, "--out", "s.p12")
        no = run(*given, cwd=folder)
        assert (no.returncode, no.stdout) == (1, b"")
        assert b"\nhint: no --certs given: " in no.stderr
        bad = run(*given, "--certs", "nowhere", cwd=folder)
        assert (bad.returncode, bad.stdout) == (2, b"")
        error, hint = bad.stderr.splitlines()
        assert error == b"error: --certs nowhere: no such file or directory"
        assert hint.startswith(b"hint: with the right file: pkcs12kit build ")
        assert list(folder.iterdir()) == []
        yes = run(*given, "--certs", files.bundle, cwd=folder)
        assert (yes.returncode, yes.stderr) == (0, b"")

    def test_reader_that_goes_away(self, files, folder):
        """``pkcs12kit paths ... | head -1`` ends without a traceback."""
        given = f"paths {files.certificate} --certs {files.certificates} --anchor {files.trust_anchor} --all --json"
        script = f"'{sys.executable}' -m pkcs12kit {given} | head -1"
        done = run("-c", script, cwd=folder, program=("sh",))
        assert done.stdout == b"{\n"
        assert b"Traceback" not in done.stderr

    @pytest.mark.parametrize("more", [(), pytest.param(("--json",), marks=pytest.mark.slow)])
    def test_a_reader_that_never_reads(self, files, folder, more):
        """That is no answer: neither a traceback, nor the exit status of a no."""
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor, *more)
        reader, writer = os.pipe()
        os.close(reader)
        try:
            done = run("paths", files.certificate, *given, cwd=folder, stdout=writer)
        finally:
            os.close(writer)
        assert (done.returncode, done.stderr) == (141, b"")

    def test_hints_come_after_the_answer(self, files, folder):
        """Also where both go to one file, which standard output is buffered for: the hint is on the last line."""
        together = folder / "together.txt"
        with together.open("wb") as file:
            subprocess.run(
                [sys.executable, "-m", "pkcs12kit", "paths", files.certificate, "--anchor", files.trust_anchor],
                env=run_environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            )
        lines = together.read_text("utf-8").splitlines()
        assert lines[0].startswith("No valid path")
        assert [line for line in lines if line.startswith("hint: ")] == lines[-2:]

    @pytest.mark.parametrize(
        "command",
        ["json", *(pytest.param(name, marks=pytest.mark.slow) for name in ("paths", "build", "inspect", "lab"))],
    )
    def test_standard_output_that_is_full(self, files, folder, replica, password_file, command, cannot_run):
        """One sentence and exit status 2: a file cut short, or an answer half told, is never a yes or a no."""
        if not Path("/dev/full").exists():
            cannot_run("there is no /dev/full here")
        bundle = Bundle.certificates_only(replica.valid_paths[0])
        (folder / "old.p12").write_bytes(encode_pfx(bundle, password=PASSWORD))
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        password = ("--password-file", password_file)
        arguments = {
            "paths": ("paths", files.certificate, *given),
            "json": ("paths", files.certificate, *given, "--json"),
            "build": ("build", "--key", files.key, "--cert", files.certificate, *given, *password, "--out", "-"),
            "inspect": ("inspect", "old.p12", *password),
            "lab": ("lab", "new"),
        }[command]
        with Path("/dev/full").open("wb") as full:
            done = run(*arguments, cwd=folder, stdout=full)
        assert done.returncode == 2
        assert done.stderr == b"error: cannot write to standard output: No space left on device\n"

    @pytest.mark.parametrize("name", [pytest.param("LANG", marks=pytest.mark.slow), "PYTHONIOENCODING"])
    def test_a_terminal_that_knows_ascii_alone(self, files, folder, name):
        """Trees are drawn with what it has."""
        value = {"LANG": "C", "PYTHONIOENCODING": "ascii"}[name]
        given = ("--certs", files.certificates, "--anchor", files.trust_anchor)
        done = run("paths", files.certificate, *given, cwd=folder, **{name: value})
        assert done.returncode == 0
        assert b"trust anchor" in done.stdout
        if name == "PYTHONIOENCODING":
            assert done.stdout.isascii()


class TestColours:
    """Only at a terminal, and never with NO_COLOR."""

    @pytest.fixture
    def no_path(self, files):
        """A call that uses both streams: a report and a hint."""
        return ("paths", files.certificate, "--anchor", files.trust_anchor)

    def test_at_a_terminal(self, terminal, no_path):
        """Colours, and lines that fit its 100 columns."""
        screen = terminal(*no_path)
        assert screen.finish() == 1
        assert ESCAPE in screen.shown
        plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.shown)
        assert ESCAPE not in plain
        assert max(map(len, plain.splitlines())) <= 100

    @pytest.mark.parametrize("columns", [60, pytest.param(80, marks=pytest.mark.slow)])
    @pytest.mark.parametrize(
        "arguments",
        [
            (
                "build",
                "--key",
                "a",
                "--cert",
                "b",
                "--anchor",
                "c",
                "--out",
                "d",
                "--for",
                "ios",
                "--for",
                "fips-140-3",
            ),
            ("probe", "a", "--anchor", "b", "--starttls", "telnet", "--port", "25"),
        ],
    )
    def test_errors_at_a_terminal(self, terminal, arguments, columns):
        """Words are not broken, and what goes on in the next line stands a little to the right."""
        screen = terminal(*arguments, COLUMNS=str(columns))
        assert screen.finish() == 2
        lines = re.sub(r"\x1b\[[0-9;]*m", "", screen.shown).splitlines()
        assert max(map(len, lines)) <= columns
        for line in lines:
            assert re.match(r"(error|hint): |  \S", line)
        assert any(line.startswith("  ") for line in lines)
        everything = " ".join(line.strip() for line in lines)
        assert "Write one file for each" in everything or "is not one of ftp, imap" in everything

    def test_a_name_wider_than_the_terminal(self, terminal):
        """It stays in one piece, to be copied."""
        name = "a-folder-with-a-long-name/" * 4 + "file.p12"
        screen = terminal("inspect", name, COLUMNS="60")
        assert screen.finish() == 2
        assert name in screen.shown

    @pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
    def test_plain_where_asked_for(self, terminal, no_path, environment):
        """https://no-color.org, and terminals that have none."""
        screen = terminal(*no_path, **environment)
        assert screen.finish() == 1
        assert ESCAPE not in screen.shown
        assert "No valid path" in screen.shown

    def test_plain_and_unwrapped_in_a_pipe(self, call, no_path):
        """Each finding is one line, for grep."""
        outcome = call(*no_path)
        assert ESCAPE not in outcome.text + outcome.errors
        (finding,) = (line for line in outcome.text.splitlines() if "its issuer" in line)
        assert finding.endswith("[RFC 4158 section 3]")
        assert len(finding) > 200
        assert not any(line.endswith(" ") for line in outcome.text.splitlines())

    def test_help_names_nothing_of_this_machine(self, call):
        """Help is the same everywhere."""
        assert os.sep + "home" not in call("build", "--help").text


class TestHostileNames:
    """Names in certificates are shown as text, whatever is in them."""

    NAMES = (
        "[red]Red[/red] CA",
        "[link=http://evil.example]here[/link]",
        f"{ESCAPE}[2J{ESCAPE}]0;owned\x07",
        "\u202ecod.CA\u2066",
        ":smile: \\[bold]",
        "line\r\nerror: faked",
        "\x9b31m C1",
        "[/]",
    )

    @pytest.fixture(
        params=[
            number if number in {2, 5} else pytest.param(number, marks=pytest.mark.slow) for number in range(len(NAMES))
        ]
    )
    def hostile(self, request, folder):
        """A root, a CA and a server of that name, as files."""
        name = self.NAMES[request.param]
        root, ca = lab.Authority.create(f"{name} root"), lab.Authority.create(name)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} server")])
        server = ca.issue_server("s.example", subject=subject)
        (folder / "root.pem").write_text(root.certificate.to_pem())
        (folder / "ca.pem").write_text(root.issue_ca(ca).to_pem())
        (folder / "server.pem").write_text(server.certificate.to_pem())
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = server.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "server.key").write_bytes(key)
        return name

    def test_shown_harmlessly(self, call, build, hostile, password_file):
        """In the path, in what was tried, in errors and in the anatomy: every printable character, and no other."""
        given = ("--anchor", "root.pem", "--certs", "ca.pem")
        outcomes = [
            call("paths", "server.pem", *given, "--all"),
            call("paths", "server.pem", "--anchor", "root.pem"),
            call("paths", "server.pem", *given, "--json"),
            build(key="server.key", cert="server.pem", certs="ca.pem", anchor="root.pem"),
            build(key="server.key", cert="server.pem", certs=None, anchor="root.pem", out="o.p12"),
            build("--json", key="server.key", cert="server.pem", certs=None, anchor="root.pem", out="o.p12"),
            build(key="server.key", cert="ca.pem", certs=None, anchor="root.pem", out="o.p12"),
            call("inspect", "server.p12", "--password-file", password_file),
        ]
        assert [outcome.status for outcome in outcomes] == [0, 1, 0, 0, 1, 1, 2, 0]
        for outcome in outcomes:
            for line in (outcome.text + outcome.errors).split("\n"):
                assert line.isprintable(), line
                assert not line.startswith("error: faked")
        if hostile.isprintable():
            assert hostile in outcomes[0].text
            assert f"{hostile} server" in outcomes[7].text

    def test_at_a_terminal(self, terminal, hostile):
        """There colours are the only escape sequences."""
        screen = terminal("paths", "server.pem", "--anchor", "root.pem", "--certs", "ca.pem")
        assert screen.finish() == 0
        plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.shown)
        assert all(line.isprintable() for line in plain.replace("\r\n", "\n").split("\n"))
        assert "owned" in plain or "owned" not in hostile


class TestInterruptions:
    """Interrupted anywhere, either the old file or the new one is there, and no other."""

    CALLS = (
        "write",
        "replace",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("fsync", "read", "open", "fchmod")),
    )

    @pytest.mark.parametrize("function", CALLS)
    @pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
    def test_in_each_system_call_of_writing(self, build, folder, monkeypatch, function, error):
        """Ctrl-C and a full disk: no traceback, no temporary file, the old file whole."""
        from pkcs12kit import file_owners, files, folders

        class Interrupted:
            def __getattr__(self, name):
                return interrupt if name == function else getattr(os, name)

        def interrupt(*_, **__):
            raise error

        (folder / "server.p12").write_bytes(OLD)
        for module in (files, folders, file_owners):
            monkeypatch.setattr(module, "os", Interrupted())
        outcome = build()
        assert outcome.status == (130 if error is KeyboardInterrupt else 2)
        assert outcome.errors.splitlines()[-1].startswith("interrupted" if outcome.status == 130 else "error: ")
        assert (folder / "server.p12").read_bytes() == OLD

    def test_terminated(self, files, folder):
        """SIGTERM while the command waits for a password: status 143, no traceback, no file."""
        given = ("--key", files.key, "--cert", files.certificate, "--certs", files.bundle)
        given = ("build", *given, "--anchor", files.trust_anchor, "--password-stdin", "--out", folder / "server.p12")
        command = [sys.executable, "-X", "importtime", "-m", "pkcs12kit", *map(str, given)]
        with subprocess.Popen(
            command, env=run_environment(), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            for line in process.stderr:
                if "pyhanko_certvalidator.validate" in line:  # the last to load before the password is read
                    break
            time.sleep(0.2)
            process.send_signal(signal.SIGTERM)
            errors = process.stderr.read()
            assert process.wait() == 128 + signal.SIGTERM
        assert "Traceback" not in errors
        assert not list(folder.iterdir())

    @pytest.mark.parametrize("every", [6, pytest.param(1, marks=pytest.mark.slow)])
    def test_killed_at_any_time(self, files, folder, password_file, every):
        """SIGKILL before the system calls of the writing: the old file or a complete new one, never half."""
        from pkcs12kit import decode_pfx

        output = folder / "server.p12"
        given = ("--key", files.key, "--cert", files.certificate, "--certs", files.bundle)
        given = ("build", *given, "--anchor", files.trust_anchor, "--no-second-opinion", "--profile", "legacy")
        given = (*given, "--password-file", password_file, "--out", output)
        statuses = []
        while not statuses or statuses[-1] == -signal.SIGKILL:
            output.write_bytes(OLD)
            done = run(every * len(statuses), *given, cwd=folder, program=(sys.executable, "-c", KILLED))
            statuses.append(done.returncode)
            data = output.read_bytes()
            assert data == OLD or decode_pfx(data, password=PASSWORD).private_key is not None
        assert statuses[-1] == 0
        assert len(statuses) > 12 / every


KILLED = """
import os, signal, sys
left = int(sys.argv.pop(1))

def count(frame, event, function):
    global left
    if event == "c_call" and frame.f_code.co_filename.endswith("pkcs12kit/files.py") and function.__module__ == "posix":
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

from pkcs12kit.cli import main
sys.setprofile(count)
main()
"""


class TestSecrets:
    """Not even where something is broken inside."""

    PLACES = (
        "pkcs12kit.paths.search._PathSearch",
        "pkcs12kit.builder.build.confirm",
        "pkcs12kit.builder.output.encode_pfx",
        "pkcs12kit.outputs.output.write_private",
        "pkcs12kit.pkcs12.algorithms.Cipher",
        "pkcs12kit.sources.key_sources.read_private_key",
        "pkcs12kit.cli.output.build.print_build_report",
    )

    @pytest.mark.parametrize("place", PLACES)
    def test_tracebacks_of_bugs(self, monkeypatch, capsysbinary, files, folder, call, password_file, place):
        """A bug's traceback shows lines of code, not what was in them; and nothing is written half."""
        module, _, name = place.rpartition(".")
        monkeypatch.setattr(sys.modules.get(module) or __import__(module, fromlist=[name]), name, _broken)
        given = ("--key", files.key, "--cert", files.certificate, "--certs", files.bundle)
        given = ("build", *given, "--anchor", files.trust_anchor, "--password-file", password_file, "--out", "s.p12")
        monkeypatch.setattr(sys, "argv", ["pkcs12kit", "--debug", *map(str, given)])
        before = snapshot(folder)
        capsysbinary.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        _, errors = capsysbinary.readouterr()
        assert end.value.code == 70
        assert b"ZeroDivisionError" in errors.partition(b"Traceback (most recent call last):")[2]
        for secret in call.secrets:
            assert secret not in errors
        assert snapshot(folder) == before or place.endswith("print_build_report")

    def test_representations(self, replica, files):
        """``repr`` of what passes through a build has neither key nor password."""
        from pkcs12kit import build, load_identity

        from .conftest import secrets_of

        report = build(
            key=files.key,
            certificate=files.certificate,
            certificates=[files.bundle],
            trust_anchors=[files.trust_anchor],
            password=PASSWORD,
        )
        identity = load_identity(key=files.key, certificate=files.certificate)
        shown = repr([report, report.path, identity, files, replica]) + json.dumps(report.to_json())
        for secret in secrets_of(replica.server.private_key, PASSWORD):
            assert secret not in shown.encode()


def _broken(*_, **__):
    raise ZeroDivisionError
