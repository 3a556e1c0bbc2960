"""Commands after a change: once each, without a shell or a terminal, with a time limit, whatever they do."""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkcs12kit.fleet import hooks
from pkcs12kit.fleet.bundles import FleetBundle, Secret
from pkcs12kit.fleet.hooks import hook_seconds, hooks_of, password_variables, run_hooks
from pkcs12kit.limits import DEFAULT_LIMITS

from ..waiting import HOUR, wait_until, waiting_for_nothing

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the commands are written for a POSIX shell")


def shell(script, *words):
    """The words of a command that runs a script, which a manifest may ask for."""
    return ("/bin/sh", "-c", script, "sh", *words)


@pytest.fixture
def run(tmp_path):
    """Run one command, and return why it failed."""

    def run_one(*argv, seconds=HOUR, **given):
        with waiting_for_nothing():
            return run_hooks({argv: ["web"]}, folder=tmp_path, seconds=seconds, **given)[argv]

    return run_one


def is_alive(process):
    """Return True for a process that runs; not for one that has ended and waits for its parent."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_runs_in_the_folder_without_a_shell_or_input(run, tmp_path):
    """The words arrive as they are, the folder is the manifest's, and nothing can be read from standard input."""
    words = ["$HOME", "a b", "*", ";", "é", "--"]
    script = 'pwd >here; printf "%s|" "$@" >words; cat >input; [ ! -t 0 ]; (: </dev/tty) 2>/dev/null && exit 9; exit 0'
    assert run(*shell(script, *words)) is None
    assert Path((tmp_path / "here").read_text().strip()).samefile(tmp_path)
    assert (tmp_path / "words").read_text("utf-8") == "".join(f"{word}|" for word in words)
    assert (tmp_path / "input").read_bytes() == b""


def test_the_environment_without_passwords(run, monkeypatch, tmp_path):
    """A command gets the environment as it is, without the variables that hold passwords of the manifest."""
    monkeypatch.setenv("KEPT", "yes")
    monkeypatch.setenv("P12_PASSWORD", "correct horse")
    monkeypatch.setenv("KEY_PASSWORD", "battery staple")
    bundle = FleetBundle(
        name="web",
        output="/o",
        folder=str(tmp_path),
        password=Secret("env", "P12_PASSWORD"),
        key_password=Secret("env", "KEY_PASSWORD"),
        pkcs12_password=Secret("file", "KEPT"),
    )
    hidden = password_variables([bundle])
    assert hidden == {"P12_PASSWORD", "KEY_PASSWORD"}
    assert run("/bin/sh", "-c", "env >all", hidden_variables=hidden) is None
    lines = (tmp_path / "all").read_text().splitlines()
    assert "KEPT=yes" in lines
    assert not [line for line in lines if "PASSWORD" in line]


@pytest.mark.parametrize("field", [name for name in FleetBundle.__slots__ if name.endswith("password")])
def test_every_password_of_a_bundle_is_hidden(field):
    """Whatever a variable opens, the commands do not get it."""
    bundle = FleetBundle(name="web", output="/o", folder="/", **{field: Secret("env", "SECRET")})
    assert password_variables([bundle]) == {"SECRET"}


def failing(tmp_path):
    """Files that cannot be run, each for another reason."""
    for name, content, mode in (
        ("plain", "exit 0\n", 0o755),
        ("locked", "#!/bin/sh\n", 0o644),
        ("orphan", "#!/no/such/interpreter\n", 0o755),
    ):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("no-such-program-1",), "'no-such-program-1' cannot be run: there is no program of that name in PATH"),
        (("./no-such",), "'./no-such' cannot be run: there is no such file, seen from "),
        (("./plain",), "'./plain' cannot be run: it is neither a program nor a script with a first line like #!"),
        (("./locked",), "'./locked' cannot be run: this user may not execute it"),
        (("./orphan",), "'./orphan' cannot be run: the program in its first line (#!) does not exist"),
        (("./",), "'./' cannot be run: this user may not execute it"),
        (("true", "a\0b"), "'true' cannot be run: an argument has a character that no argument can have"),
        (("true", "a\ud800b"), "'true' cannot be run: an argument has a character that no argument can have"),
        (("true", "a" * 4_000_000), "'true' cannot be run: Argument list too long"),
        ((), "the command has no program"),
        (("",), "the command has no program"),
        (("\x1b[2Jx",), r"'\x1b[2Jx' cannot be run: there is no program"),
        (("/bin/sh", "-c", "exit 5"), "'/bin/sh' ended with exit status 5"),
        (("/bin/sh", "-c", "echo no such unit >&2; exit 5"), "'/bin/sh' ended with exit status 5: no such unit"),
        (("/bin/sh", "-c", "kill -9 $$"), "'/bin/sh' was ended by signal 9 (SIGKILL)"),
        (("/bin/sh", "-c", "kill -40 $$"), "'/bin/sh' was ended by signal 40"),
    ],
)
def test_says_why_it_failed(run, tmp_path, argv, why):
    """A program that is missing or cannot be run, an exit status, a signal: one sentence, without the arguments."""
    failing(tmp_path)
    error = run(*argv)
    assert error.startswith(why)
    assert error.isprintable()


def test_a_folder_that_is_gone(tmp_path):
    """It is not mistaken for a program that is missing."""
    (error,) = run_hooks({("true",): ["web"]}, folder=tmp_path / "gone", seconds=HOUR).values()
    assert "gone' is not there or cannot be entered" in error


def test_arguments_are_not_repeated(run):
    """They may hold a token: only the program is named."""
    assert "s3cret" not in run("/bin/sh", "-c", "exit 1", "Authorization: s3cret")
    assert "s3cret" not in run("no-such-program", "s3cret")


def test_ends_all_processes_at_the_time_limit(run, tmp_path):
    """A command that hangs, with a child that ignores every polite signal, is gone at the limit; the output is told."""
    script = (
        "echo reloading; sh -c 'trap \"\" TERM HUP INT; echo $$ >child; while :; do sleep 0.1; done' &"
        " echo $$ >own; wait; sleep 1000"
    )
    error = run(*shell(script), seconds=0.5)
    assert error == "'/bin/sh' did not end within 0.5 seconds (after_timeout): reloading"
    processes = [int((tmp_path / name).read_text()) for name in ("own", "child")]
    assert wait_until(lambda: not any(map(is_alive, processes)))


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_does_not_wait_for_what_it_cannot_end(run, tmp_path, monkeypatch):
    """A command of another user, such as sudo, cannot be ended: the run goes on, and the message says so."""
    kill = os.killpg

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refuse)
    monkeypatch.setattr("pkcs12kit.process_groups._GRACE", 0.1)
    error = run(*shell("echo $$ >own; echo starting; exec sleep 1000"), seconds=0.3)
    kill(int((tmp_path / "own").read_text()), signal.SIGKILL)
    assert error == (
        "'/bin/sh' did not end within 0.3 seconds (after_timeout) and cannot be ended by this user: it still runs:"
        " starting"
    )


def test_a_server_that_it_starts_is_left(run, tmp_path):
    """A command that ends well may leave a process behind, also one that has its output open: no wait, no signal."""
    assert run(*shell("sleep 1000 & echo $! >server")) is None
    server = int((tmp_path / "server").read_text())
    try:
        assert is_alive(server)
    finally:
        os.kill(server, signal.SIGKILL)


def test_reads_any_amount_and_keeps_the_end(run, monkeypatch):
    """Output without end does not fill the memory, and a command never waits for a reader (here: 64 MiB)."""
    kept = []
    monkeypatch.setattr("pkcs12kit.fleet.hooks.harmless", lambda text, **_: kept.append(text) or text[-9:])
    limits = replace(DEFAULT_LIMITS, hook_output_bytes=1000)
    error = run(*shell("head -c 67108864 /dev/zero; printf 'the\\nend'; exit 3"), limits=limits)
    assert error == "'/bin/sh' ended with exit status 3: \0the; end"
    assert [len(one) for one in kept] == [1001]


@pytest.mark.slow
def test_reads_a_gibibyte(run):
    """The same with 1 GiB."""
    assert run(*shell("head -c 1073741824 /dev/zero; exit 3")).startswith("'/bin/sh' ended with exit status 3: ")


@pytest.mark.parametrize("kept", [0, 1, 7, 8, 100])
def test_output_is_bounded_in_octets(run, kept):
    """The limit is inclusive, and 0 keeps nothing."""
    error = run(*shell("printf 12345678; exit 1"), limits=replace(DEFAULT_LIMITS, hook_output_bytes=kept))
    shown = "12345678"[max(0, 8 - kept) :]
    assert error == "'/bin/sh' ended with exit status 1" + (f": {shown}" if shown else "")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(output=st.binary(max_size=2000))
def test_output_cannot_steer_a_terminal(run, tmp_path, output):
    """Whatever a command prints, the message is one printable line of a bounded length."""
    (tmp_path / "output").write_bytes(output)
    error = run(*shell("cat output; exit 1"))
    assert error.isprintable()
    assert len(error) < 10 * 400 + 100


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bundles=st.lists(
        st.tuples(st.sampled_from(["", "a", "b", "c d", "$x"]), st.sampled_from(["0", "1", "7"])), max_size=8
    )
)
def test_every_due_command_runs_exactly_once(tmp_path, bundles):
    """In the order of the manifest, equal ones once for all their bundles, and a failure stops none of the others."""
    log = tmp_path / "log"
    log.write_text("")
    fleet = [
        FleetBundle(
            name=str(number),
            output="/o",
            folder=str(tmp_path),
            after=shell('printf "%s\\n" "$1$2" >>log; exit $2', word, status) if word else (),
        )
        for number, (word, status) in enumerate(bundles)
    ]
    due = hooks_of(fleet)
    results = run_hooks(due, folder=tmp_path, seconds=HOUR)
    expected = list(dict.fromkeys(word + status for word, status in bundles if word))
    assert log.read_text().splitlines() == expected
    assert list(results) == list(due)
    assert [error is None for error in results.values()] == [one.endswith("0") for one in expected]
    named = [name for names in due.values() for name in names]
    assert sorted(named) == sorted(one.name for one in fleet if one.after)


def test_the_longest_time_limit_of_equal_commands():
    """A bundle without one has the default."""
    common = {"output": "/o", "folder": "/", "after": ("reload",)}
    fleet = [FleetBundle(name=str(one), after_timeout=one, **common) for one in (3, 90.5, 7)]
    assert hook_seconds(fleet) == {("reload",): 90.5}
    default = FleetBundle(name="default", **common)
    assert hook_seconds([*fleet, default]) == {("reload",): DEFAULT_LIMITS.hook_seconds}


def test_each_has_its_time_limit_and_tells_its_events(tmp_path):
    """Those who record the progress see each begin and end, with its bundles."""
    hanging, good = shell("sleep 1000"), shell("exit 0")
    seen = []
    due = {hanging: ["a", "b"], good: ["c"]}
    results = run_hooks(due, folder=tmp_path, seconds={hanging: 0.1}, on_event=seen.append)
    assert [(one.argv, one.names, one.has_ended, one.error) for one in seen] == [
        (hanging, ("a", "b"), False, None),
        (hanging, ("a", "b"), True, results[hanging]),
        (good, ("c",), False, None),
        (good, ("c",), True, None),
    ]
    assert "did not end within 0.1 seconds" in results[hanging]


def test_an_interruption_ends_the_command_and_the_rest_stays_due(tmp_path):
    """Ctrl-C while the second runs: it ends with its children, the first is known to have succeeded, no third runs."""
    first, second, third = shell("exit 0"), shell("echo $$ >own; sleep 1000"), shell("touch third")
    done = []

    def on_event(event):
        done.extend([event.argv] if event.has_ended else [])
        if event.argv == second:
            threading.Thread(target=interrupt, daemon=True).start()

    def interrupt():
        if wait_until(lambda: (tmp_path / "own").exists() and (tmp_path / "own").read_text()):
            signal.raise_signal(signal.SIGINT) if sys.platform == "win32" else os.kill(os.getpid(), signal.SIGINT)

    with waiting_for_nothing(), pytest.raises(KeyboardInterrupt):
        run_hooks({first: ["a"], second: ["b"], third: ["c"]}, folder=tmp_path, seconds=HOUR, on_event=on_event)
    assert done == [first]
    assert wait_until(lambda: not is_alive(int((tmp_path / "own").read_text())))
    assert not (tmp_path / "third").exists()


@pytest.mark.parametrize("name", ["./reload.cmd", "./reload.BAT", "./reload.bat. .", "./reload.cmd "])
def test_windows_runs_no_batch_file(run, monkeypatch, name):
    """Windows runs it by its shell, which would read special characters in the arguments (CVE-2024-24576)."""
    monkeypatch.setattr(hooks, "_IS_WINDOWS", True)
    assert run(name, "&calc").startswith(f"'{name}' is a batch file, which only a shell can run: write it as cmd.exe")


def test_windows_names_variables_in_any_letters(run, monkeypatch, tmp_path):
    """There P12_password is the variable P12_PASSWORD, as which Python lists it."""
    monkeypatch.setenv("P12_PASSWORD", "correct horse")
    monkeypatch.setattr(hooks, "_IS_WINDOWS", True)
    assert run("/bin/sh", "-c", "env >all", hidden_variables={"P12_password"}) is None
    assert "correct horse" not in (tmp_path / "all").read_text()
