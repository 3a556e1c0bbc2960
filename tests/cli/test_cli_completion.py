"""``pkcs12kit completion``: what shells offer, by click's protocol and in bash, zsh and fish themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import termios

import click
import pytest

from pkcs12kit.cli import cli
from pkcs12kit.cli.options.values import OneOf, Place, Variable
from pkcs12kit.devices.versions import DEVICE_NAMES
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.readers import READERS

from .conftest import run_environment

# What only the user knows: nothing to offer.
FREE = {"NAME", "OID", "N", "SECONDS", "HEX", "HOST[:PORT]...", "TIME", "DURATION", "TEXT", "OCTAL"} | {
    "PATTERN",
    "N|P%",
    "ADDRESS",
}


def commands():
    """Give every command by its name."""
    context = click.Context(cli)
    return {name: cli.get_command(context, name) for name in cli.list_commands(context)}


@pytest.fixture
def offered(call, monkeypatch):
    """Ask as a shell does: ``offered("pkcs12kit bu")`` is what may stand for the last word, with its kind."""

    def ask(line, shell="fish"):
        *before, last = shlex.split(line + ("''" if line.endswith((" ", "=")) else ""))
        monkeypatch.setenv("_PKCS12KIT_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", shlex.join([*before, *([last] if last else [])]))
        monkeypatch.setenv("COMP_CWORD", last if shell == "fish" else str(len(before)))
        outcome = call()
        assert (outcome.status, outcome.errors) == (0, "")
        items = [line.partition(",") for line in outcome.text.splitlines() if line]
        return {value.partition("\t")[0]: (kind, value.partition("\t")[2]) for kind, _, value in items}

    return ask


class TestWhatIsOffered:
    """By click's protocol."""

    def test_commands(self, offered):
        """All of them with the sentence that help has; those that begin so."""
        sentences = {name: sentence for name, (kind, sentence) in offered("pkcs12kit ").items() if kind == "plain"}
        assert list(sentences) == list(commands())
        assert sentences["completion"] == "Print the script that completes commands in bash, zsh or fish."
        assert list(offered("pkcs12kit re")) == ["rehearse"]
        assert set(offered("pkcs12kit -")) == {"-h", "--help", "--version", "--debug"}

    @pytest.mark.parametrize("name", commands())
    def test_options(self, offered, name):
        """Every option of every command, also before its first letter where no argument is to come."""
        command = commands()[name]
        known = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
        assert set(offered(f"pkcs12kit {name} -")) == known | {"-h", "--help"}
        if not any(isinstance(parameter, click.Argument) for parameter in command.params):
            assert set(offered(f"pkcs12kit {name} ")) == known | {"-h", "--help"}

    def test_an_option_that_is_given(self, offered):
        """It is offered again only where it may be given again."""
        again = offered("pkcs12kit build --key a --certs b --")
        assert "--certs" in again
        assert "--key" not in again

    @pytest.mark.parametrize("name", commands())
    def test_values(self, offered, name):
        """Each value is a file, a folder, one of a list or a variable's name; or one that nobody can offer."""
        for parameter in commands()[name].params:
            if isinstance(parameter, click.Option) and parameter.is_flag:
                continue
            is_option = isinstance(parameter, click.Option)
            given = offered(f"pkcs12kit {name} {parameter.opts[0] + ' ' if is_option else ''}")
            what = (parameter.metavar or parameter.type.name).upper()
            if isinstance(parameter.type, Place):
                assert given == {"": (parameter.type.name, "")}
            elif isinstance(parameter.type, OneOf):
                assert list(given) == list(parameter.type.choices)
            elif isinstance(parameter.type, Variable):
                assert "_PKCS12KIT_COMPLETE" in given
            elif what == "NAME|URL|FILE":
                assert list(given) == ["dod", "eca", "fpki"]
            else:
                assert what in FREE
                assert not is_option or given == {}

    @pytest.mark.parametrize(
        ("line", "names"),
        [
            ("pkcs12kit convert a b --profile ", profiles.names()),
            ("pkcs12kit build --for ", READERS),
            ("pkcs12kit probe a --device ", DEVICE_NAMES),
            ("pkcs12kit paths a --ranking ", ["longest-lasting", "shortest"]),
            ("pkcs12kit completion ", ["bash", "zsh", "fish"]),
        ],
    )
    def test_names_that_the_code_knows(self, offered, line, names):
        """Profiles, readers, devices, rankings, shells: those there are, no other."""
        assert list(offered(line)) == list(names)

    def test_bundles_of_the_user(self, offered, monkeypatch, tmp_path):
        """A name in the user's bundles.toml is offered too, with its title."""
        monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)
        (tmp_path / "bundles.toml").write_text('[bundles.ours]\ntitle = "Our own"\nurls = ["https://pki.example/a"]\n')
        assert offered("pkcs12kit gather --bundle o") == {"ours": ("plain", "Our own")}

    def test_names_of_variables_alone(self, offered, monkeypatch):
        """A password in the environment is not shown to complete its variable's name."""
        monkeypatch.setenv("P12_PASSWORD_OF_A_TEST", "hidden")
        assert offered("pkcs12kit inspect a --password-env P12_PASSWORD_OF") == {
            "P12_PASSWORD_OF_A_TEST": ("plain", "")
        }

    @pytest.mark.parametrize("name", ["EVIL$(id)", "EVIL`id`", "EVIL;id", "EVIL\nfile,", "EVIL ", "BASH_FUNC_EVIL%%"])
    def test_variables_that_no_shell_sets(self, offered, monkeypatch, name):
        """Bash puts what is offered on the line as it is, where it would be a command or a second line of an answer."""
        monkeypatch.setenv(name, "")
        assert name.partition("\n")[0] not in offered("pkcs12kit inspect a --password-env ")

    def test_bash_takes_words_apart_at_equals_signs(self, monkeypatch, call):
        """``--profile=mod`` comes as three words, ``--key=a`` before it as three more."""
        monkeypatch.setenv("_PKCS12KIT_COMPLETE", "bash_complete")
        monkeypatch.setenv("COMP_WORDS", "pkcs12kit\nbuild\n--key\n=\na\n--profile\n=\nmod")
        for number, names in (("6", profiles.names()), ("7", ("modern", "modern-2023"))):
            monkeypatch.setenv("COMP_CWORD", number)
            expected = [name for name in profiles.names() if name in names]
            assert call().text.splitlines() == [f"plain,{name}" for name in expected]


class TestTheCommand:
    """The script and how to install it."""

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_script_is_understood(self, call, folder, require_tool, shell):
        """Each shell parses its script without a word."""
        outcome = call("completion", shell)
        assert (outcome.status, outcome.errors) == (0, "")
        (folder / "script").write_bytes(outcome.output)
        done = subprocess.run([require_tool(shell), "-n", "script"], cwd=folder, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")

    def test_another_shell(self, call):
        """The sentence names those that there are."""
        outcome = call("completion", "tcsh")
        assert outcome.status == 2
        assert "'tcsh' is not one of bash, zsh, fish" in outcome.errors

    def test_help_says_where_it_goes(self, call):
        """One place for each shell."""
        text = call("completion", "--help").text
        for place in ("bash-completion/completions/pkcs12kit", "_pkcs12kit", "completions/pkcs12kit.fish"):
            assert place in text


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A folder for PATH that has the command, and this Python's packages with it."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "pkcs12kit").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m pkcs12kit "$@"\n')
    (folder / "pkcs12kit").chmod(0o755)
    return folder


@pytest.fixture
def environment(program, folder, call):
    """What a shell of its own finds: the command, and files and folders with names that shells have to quote."""
    for name in ("my file.pem", "it's.pem", "other.p12"):
        (folder / name).touch()
    (folder / "a folder" / "b c").mkdir(parents=True)
    (folder / "a folder" / "in side.pem").touch()
    for shell, name in (("bash", "script.bash"), ("zsh", "_pkcs12kit"), ("fish", "script.fish")):
        (folder.parent / name).write_bytes(call("completion", shell).output)
    path = f"{program}{os.pathsep}{os.environ['PATH']}"
    return run_environment(PATH=path, HOME=str(folder.parent), TERM="xterm", EDITOR="ed", VISUAL="ed")


class Shell:
    """A shell at a terminal: what stands on its line after the tabulator key, as the words that it makes of it."""

    _PROMPT = "ready> "

    def __init__(self, arguments, setup, environment):
        self._end, child = pty.openpty()
        termios.tcsetwinsize(child, (40, 200))
        self._process = subprocess.Popen(
            arguments, stdin=child, stdout=child, stderr=child, start_new_session=True, env=environment
        )
        os.close(child)
        self._shown = ""
        os.write(self._end, f"{setup}; PS1='rea''dy> '\n".encode())

    def words(self, typed):
        """Type it and the tabulator key; then the shell prints the words of the line instead of running it."""
        self._wait_for(self._PROMPT)
        os.write(self._end, f"{typed}\t\x01printf '<%s>' \r".encode())
        found = self._wait_for(r"<pkcs12kit>((?:<[^<>]*>)*)")
        return [word.removesuffix("/") for word in re.findall(r"<([^<>]*)>", found[1])]  # zsh takes it away at a space

    def close(self):
        """End it."""
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def _wait_for(self, pattern):
        while (found := re.search(pattern + (r"[^<]" if "<" in pattern else ""), self._shown)) is None:
            ready, _, _ = select.select([self._end], [], [], 30)
            assert ready, f"{pattern} never came: {self._shown!r}"
            self._shown += os.read(self._end, 65536).decode("utf-8", "replace")
        self._shown = self._shown[found.end() - ("<" in pattern) :]
        return found


LINES = [
    ("pkcs12kit insp", ["inspect"]),
    ("pkcs12kit build --truststo", ["build", "--truststore"]),
    ("pkcs12kit build --profile legacy-3", ["build", "--profile", "legacy-3des"]),
    ("pkcs12kit build --profile=legacy-3", ["build", "--profile=legacy-3des"]),
    ("pkcs12kit verify --for java-1", ["verify", "--for", "java-17"]),
    ("pkcs12kit rehearse a.p12 --device andr", ["rehearse", "a.p12", "--device", "android"]),
    (r"pkcs12kit build --key my\ f", ["build", "--key", "my file.pem"]),
    ("pkcs12kit build --key=oth", ["build", "--key=other.p12"]),
    ("pkcs12kit inspect oth", ["inspect", "other.p12"]),
    (r"pkcs12kit verify it", ["verify", "it's.pem"]),
    (r"pkcs12kit paths my\ file.pem --certs a\ folder/i", ["paths", "my file.pem", "--certs", "a folder/in side.pem"]),
    (r"pkcs12kit lab a\ folder/", ["lab", "a folder/b c"]),
]


FEW_LINES = [LINES[number] for number in (2, 6, 10)]  # an option's value, and names with spaces in two places
STARTS = {
    # shell: (its arguments, what tells it of the script)
    "bash": (("--norc", "--noprofile", "-i"), "source ../script.bash"),
    "zsh": (("-f", "-i"), "fpath=(.. $fpath); autoload -U compinit; compinit -u -D"),
}


class TestInShells:
    """In the shells themselves, with file names that have spaces and quotes."""

    @pytest.mark.parametrize(
        ("name", "lines"),
        [
            pytest.param("bash", LINES, id="bash"),
            pytest.param("zsh", FEW_LINES, id="zsh-few"),
            pytest.param("zsh", LINES, id="zsh", marks=pytest.mark.slow),
        ],
    )
    def test_at_a_terminal(self, require_tool, environment, name, lines):
        """What the tabulator key makes of a line."""
        arguments, setup = STARTS[name]
        shell = Shell([require_tool(name), *arguments], setup, environment)
        try:
            for typed, words in lines:
                assert shell.words(typed) == words, typed
        finally:
            shell.close()

    @pytest.mark.parametrize(
        "lines", [pytest.param(FEW_LINES, id="few"), pytest.param(LINES, id="all", marks=pytest.mark.slow)]
    )
    def test_fish(self, require_tool, environment, lines):
        """Fish tells what it would offer; its descriptions keep their commas."""

        def offered(line):
            script = "source ../script.fish; complete -C $argv[1]"
            done = subprocess.run(
                [require_tool("fish"), "--no-config", "-c", script, line],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stderr == ""
            return dict(line.partition("\t")[::2] for line in done.stdout.splitlines())

        for typed, words in lines:
            assert [word.removesuffix("/") for word in offered(typed)] == words[-1:], typed
        assert offered("pkcs12kit conv") == {
            "convert": "Copy a PKCS#12 file with another protection or password, or as PEM."
        }
