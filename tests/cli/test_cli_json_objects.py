"""With ``--json`` each call prints one object, whatever is wrong; its hints are those of the terminal."""

from __future__ import annotations

import json

import click
import pytest

from pkcs12kit import lab
from pkcs12kit.cli import cli
from pkcs12kit.cli.output.messages import asks_for_json
from pkcs12kit.text import harmless

from ..thoroughness import mostly_slow
from .conftest import PASSWORD
from .hint_commands import require_parsable

CONTEXT = click.Context(cli)
COMMANDS = [name for name in cli.list_commands(CONTEXT) if name != "completion"]  # which prints no answer
TRUST = "--anchor anchor.pem"
NEW = "--out new.p12 --password-file password.txt"
BUILD = f"--key server.key --cert server.pem {TRUST} {NEW}"
WRONG_CALLS = {  # exit status 2: in the lab's folder, with server.p12 and password.txt
    "batch": [
        "",
        "nowhere.toml",
        "server.pem",
        "server.key --plan --check",
        "server.key --check --limit 1",
        "server.key --max-changes many",
        "server.key --limit 0",
        "server.key --dask tcp://127.0.0.1:1 --jobs 2",
        "server.key --junit server.key",
    ],
    "build": [
        "--key server.key --out new.p12",
        f"--key server.key {TRUST} {NEW}",
        f"--key server.pem --cert server.key {TRUST} {NEW}",
        f"--key server.key --cert sever.pem {TRUST} {NEW}",
        f"{BUILD} --certs nowhere",
        f"{BUILD} --out no/such/folder.p12",
        f"{BUILD} --out server.pem",
        f"{BUILD} --out -",
        f"{BUILD} --profile modrn",
        f"--pkcs12 server.p12 {TRUST} {NEW} --pkcs12-password-file wrong.txt",
        f"--pkcs12 server.p12 {TRUST} {NEW}",
    ],
    "convert": [
        "server.p12",
        "server.p12 new.p12",
        "server.p12 new.p12 --password-file wrong.txt",
        "server.pem new.p12",
        "server.p12 new.p12 --to pfx",
        "server.p12 - --password-file password.txt",
        "server.p12 new.p12 --password-file nowhere.txt",
    ],
    "demo": ["server.pem"],
    "diff": [
        "certs",
        "certs nowhere",
        "server.key certs",
        "certs server.p12",
        "server.p12 server.p12 --password-file wrong.txt",
        "certs certs --target server.pem",
        f"certs certs {TRUST}",
        f"certs certs {TRUST} --target server.key",
        "certs certs --at yesterday",
    ],
    "expiry": [
        "server.p12",
        f"server.p21 {TRUST}",
        f"server.p12 {TRUST}",
        f"server.key {TRUST}",
        "server.p12 --anchor nowhere --password-file password.txt",
        f"server.p12 {TRUST} --certs nowhere --password-file password.txt",
        f"server.p12 {TRUST} --expires-within soon",
        f"server.p12 {TRUST} --password-file wrong.txt",
    ],
    "gather": ["server.pem", "sever.pem --into new", "--into new", "server.pem --into server.key --offline"],
    "graph": ["", "certs", "nowhere --svg new.svg", "certs --svg - --dot -"],
    "inspect": ["server.p21", "server.p12 --password-file nowhere"],
    "lab": ["", "new --server-name https://a/"],
    "paths": [
        "server.pem",
        f"sever.pem {TRUST}",
        "server.pem --anchor server.key",
        f"server.key {TRUST}",
        f"server.pem {TRUST} --certs nowhere",
        f"server.pem {TRUST} --at yesterday",
        f"server.pem {TRUST} --crl server.pem",
        f"server.pem {TRUST} -certs certs",
    ],
    "probe": ["", "localhost", f"localhost {TRUST} --device adroid", f"localhost {TRUST} --expect nowhere"],
    "rehearse": ["server.p12", f"nowhere.p12 {TRUST}", f"server.p12 {TRUST}", f"certs {TRUST}"],
    "show": ["", "nowhere", "certs --csv", "password.txt", "certs --expires-within soon"],
    "verify": [
        "server.p12",
        f"server.p21 {TRUST}",
        f"server.p12 {TRUST}",
        f"server.p12 {TRUST} --for windos-2016",
        "server.p12 --anchor nowhere",
        f"server.p12 {TRUST} --certs-only --key-name a",
    ],
}
NO = {  # exit status 1
    "diff": [f"certs issuing-ca.pem --target server.pem {TRUST}"],
    "build": [BUILD, f"{BUILD} --certs issuing-ca.pem", f"{BUILD} --certs certs --at 2100-01-01"],
    "expiry": [
        f"server.p12 {TRUST} --password-file password.txt --at 2100-01-01",
        "server.p12 --anchor other.pem --password-file password.txt",
        f"server.p12 {TRUST} --password-file password.txt --expires-within 100y",
    ],
    "gather": [f"server.pem {TRUST} --into new --offline --cache cache"],
    "graph": ["issuing-ca.pem --anchor anchor.pem --target server.pem"],
    "inspect": ["server.p12 --password-file wrong.txt"],
    "paths": [
        f"server.pem {TRUST}",
        f"server.pem {TRUST} --certs certs --at 2100-01-01",
        f"server.pem {TRUST} --certs certs --server-name other.example",
        "server.pem --anchor server.pem --certs issuing-ca.pem",
    ],
    "probe": [f"127.0.0.1:9 {TRUST}"],
    "rehearse": [f"server.p12 {TRUST} --password-file wrong.txt"],
    "show": ["server.p12 --password-file wrong.txt"],
    "verify": [
        f"server.p12 {TRUST} --password-file wrong.txt",
        f"server.p12 {TRUST} --password-file password.txt --server-name other.example --for java-8",
        "server.p12 --anchor other.pem --password-file password.txt",
        f"server.p12 {TRUST} --password-file password.txt --at 2100-01-01",
    ],
}
ONE_OF = 13  # calls that are tried by default: each searches files for a hint
KEYS = {"error", "hints", "warnings"}
SHOW_THE_REST = {"show", "expiry"}  # also where a file could not be read: their help says so
OTHER = lab.Authority.create("Another Root")


@pytest.fixture
def place(call, files, folder, password_file):
    """The lab, a PKCS#12 file and passwords in the current folder."""
    for file in files.folder.iterdir():
        (folder / file.name).symlink_to(file)
    (folder / "password.txt").symlink_to(password_file)
    (folder / "wrong.txt").write_text("another\n", "utf-8")
    (folder / "other.pem").write_text(OTHER.certificate.to_pem(), "ascii")
    return call


@pytest.fixture
def pkcs12(place, folder, built_file):
    """The same, with server.p12."""
    (folder / "server.p12").write_bytes(built_file)
    return place


@pytest.fixture(scope="module")
def built_file(files, tmp_path_factory):
    """A PKCS#12 file of the lab."""
    from pkcs12kit import build

    report = build(
        key=files.key,
        certificate=files.certificate,
        certificates=[files.certificates],
        trust_anchors=[files.trust_anchor],
        output=tmp_path_factory.mktemp("built") / "server.p12",
        password=PASSWORD,
    )
    return report.data


def object_of(outcome):
    """Return the object of a call, after checking it against standard error."""
    assert outcome.output.isascii()
    answer = outcome.json
    lines = outcome.all_errors.splitlines()
    assert [line for line in lines if line.startswith("hint: ")] == list(map(shown, answer["hints"]))
    assert all(set(hint) == {"text", "command"} for hint in answer["hints"])
    if outcome.status:
        assert any(line.startswith("error: ") for line in lines)
        assert answer["error"]
        assert "\n" not in answer["error"]
    else:
        assert "error" not in answer
    for hint in answer["hints"]:
        require_parsable(hint["command"])
    return answer


def shown(hint):
    """Return the line of a hint in a terminal."""
    return "hint: " + harmless(hint["text"] if hint["command"] is None else f"{hint['text']}: {hint['command']}")


def cases(calls):
    """Each command with each of its calls, most of them slow."""
    every = [pytest.param(name, given, id=f"{name} {given}") for name, all_ in calls.items() for given in all_]
    return mostly_slow(every, every=ONE_OF)


@pytest.mark.parametrize(("name", "given"), cases(WRONG_CALLS))
def test_a_wrong_call(pkcs12, name, given):
    """Exit status 2 has an object with these three keys, wherever ``--json`` stands."""
    outcome = pkcs12(name, *given.split(), "--json")
    assert outcome.status == 2
    answer = object_of(outcome)
    assert set(answer) == KEYS or (name in SHOW_THE_REST and set(answer) > KEYS)
    first = pkcs12(name, "--json", *given.split())
    assert first.status == 2
    assert object_of(first) | {"time": None} == answer | {"time": None}  # two calls may be in two seconds


@pytest.mark.parametrize(("name", "given"), cases(NO))
def test_an_answer_of_no(pkcs12, name, given):
    """Exit status 1 has the report, the error and the hints; without ``--json`` the hints are the same."""
    outcome = pkcs12(name, *given.split(), "--json")
    assert outcome.status == 1
    answer = object_of(outcome)
    assert set(answer) > KEYS
    as_text = pkcs12(name, *given.split(), *(["--dot", "-"] if name == "graph" else []))
    assert as_text.status == 1
    assert [line for line in as_text.all_errors.splitlines() if line.startswith("hint: ")] == list(
        map(shown, answer["hints"])
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option(call, name):
    """Also where nothing else is given, and before or after the faulty word."""
    for given in (["--json", "--nothing"], ["--nothing", "--json"], ["--nothing=1", "--json"], ["-x", "--json"]):
        outcome = call(name, *given)
        assert outcome.status == 2
        assert set(object_of(outcome)) == KEYS
    assert call(name, "--nothing").output == b""


@pytest.mark.parametrize("given", [["nothing", "--json"], ["--json", "paths"], ["--json"], ["completion", "--json"]])
def test_no_such_command_or_option(call, given):
    """A program that asked for an object gets one."""
    outcome = call(*given)
    assert (outcome.status, set(object_of(outcome))) == (2, KEYS)


def test_a_name_is_not_an_option(call, files):
    """``--json`` as the value of another option, or after two hyphens, asks for nothing."""
    assert not asks_for_json(["--", "--json"])
    given = ("--key", "nowhere", "--cert", "nowhere", "--anchor", "a", "--out", "new.p12", "--password-env", "HOME")
    assert call("build", "--ca-name", "--json", *given).output == b""
    assert call("paths", "--anchor", files.trust_anchor, "--", "--json").output == b""


@pytest.mark.parametrize("name", ["a\nb", "a\udcffb", "ü", "\u202e", "a'b", "\x1b[2J"])
@pytest.mark.parametrize("command", ["show", "paths", "verify", "inspect"])
def test_odd_names(call, files, command, name):
    """The object is ASCII, and one line of an error is one line."""
    trust = ("--anchor", files.trust_anchor) if command in {"paths", "verify"} else ()
    outcome = call(command, name, *trust, "--json")
    assert outcome.status == 2
    assert json.loads(outcome.output)["error"]
    assert outcome.output.isascii()


def test_yes(pkcs12):
    """No error; the hints are empty."""
    answer = object_of(pkcs12("paths", "server.pem", "--certs", "certs", "--anchor", "anchor.pem", "--json"))
    assert (answer["hints"], answer["warnings"]) == ([], [])
    answer = object_of(pkcs12("inspect", "server.p12", "--json"))
    assert answer["hints"]  # how to open it
