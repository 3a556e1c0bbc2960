"""The page on JSON has each key that each command prints, and no other."""

from __future__ import annotations

import json
import re
import socket
from contextlib import chdir
from pathlib import Path

import pytest

from ..calling import call
from ..conftest import stand_in_for_clients

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
GIVEN = "--certs lab/certs --anchor lab/anchor.pem"
OPENED = "--anchor lab/anchor.pem --password-file password.txt"
OF_ALL = {"error", "hints", "warnings"}
CALLS = {  # what `lab` and the calls above it made is there for those below
    "lab": "lab",
    "paths": f"lab/server.pem {GIVEN}",
    "paths --when": f"lab/server.pem {GIVEN}",
    "build": f"--key lab/server.key --cert lab/server.pem {GIVEN} --password-file password.txt --out server.p12",
    "verify": f"server.p12 {OPENED}",
    "rehearse": f"server.p12 {OPENED} --clients openssl",
    "probe": "127.0.0.1:PORT --anchor lab/anchor.pem",
    "show": "lab",
    "inspect": "server.p12 --password-file password.txt",
    "convert": "server.p12 converted.p12 --password-file password.txt",
    "expiry": f"server.p12 {OPENED}",
    "batch": "fleet.toml",
    "gather": f"lab/server.pem {GIVEN} --offline --cache cache --into gathered",
    "diff": f"lab/certs/fpki.p7b lab --target lab/server.pem {GIVEN}",
    "graph": "lab/certs --anchor lab/anchor.pem",
    "demo": "demo",
}

FLEET = """
version = 1

[[bundle]]
name = "mdm"
key = "lab/server.key"
certificate = "lab/server.pem"
certificates = ["lab/certs"]
trust_anchors = ["lab/anchor.pem"]
password = { file = "password.txt" }
output = "mdm.p12"
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What each command prints."""
    folder = tmp_path_factory.mktemp("json")
    (folder / "password.txt").write_text("correct horse\n", "utf-8")
    (folder / "fleet.toml").write_text(FLEET, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])  # nobody listens there any more when it is probed
    printed = {}
    for command, arguments in CALLS.items():
        with chdir(folder), pytest.MonkeyPatch.context() as patched:
            stand_in_for_clients(patched)
            done = call(*command.split(), *arguments.replace("PORT", port).split(), "--json")
        assert done.status == (command == "probe"), done.errors
        printed[command] = json.loads(done.output)
    return printed


@pytest.fixture(scope="module")
def sections():
    """The sections of the page, by the command that each is about."""
    _, *parts = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in parts}


@pytest.mark.parametrize("command", CALLS)
def test_the_keys_of_a_command(answers, sections, command):
    """The first column of its table has the keys of the object, once each; those of every object are on top."""
    cells = re.findall(r"^\| (`[^|]+`) \|", sections[command], re.MULTILINE)
    keys = [key for cell in cells for key in re.findall(r"`(\w+)`", cell)]
    assert sorted({*keys} - OF_ALL) == sorted({*answers[command]} - OF_ALL)
    assert len(keys) == len(set(keys))
    assert answers[command].keys() >= OF_ALL - {"error"}


def test_the_keys_of_every_object():
    """They are in the first table of the page."""
    top = PAGE.read_text("utf-8").partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", top, re.MULTILINE)) == OF_ALL


def test_every_command_has_a_section(sections):
    """Of those that take ``--json``."""
    assert sorted(sections) == sorted(CALLS)


@pytest.mark.parametrize(
    ("command", "key"),
    [
        ("paths", "paths"),
        ("paths", "rejected"),
        ("paths --when", "periods"),
        ("verify", "findings"),
        ("rehearse", "sent"),
        ("rehearse", "handshakes"),
        ("probe", "servers"),
        ("show", "certificates"),
        ("show", "keys"),
        ("show", "crls"),
        ("inspect", "mac"),
        ("inspect", "arrangement"),
        ("batch", "bundles"),
        ("batch", "causes"),
        ("gather", "urls"),
        ("gather", "folder"),
        ("diff", "summary"),
        ("diff", "targets"),
        ("graph", "nodes"),
        ("graph", "edges"),
    ],
)
def test_the_keys_within_exist(answers, sections, command, key):
    """What the page says that an object within an object holds, it holds."""
    (said,) = re.findall(rf"^\| `{key}` \| (.*) \|$", sections[command], re.MULTILINE)
    said = re.sub(r"\([^()]*\)", "", re.sub(r"\]\([^()]*\)", "]", said))
    named = set(re.findall(r"`([a-z_]+)`", said)) - {"id", "missing_issuer"}
    value = answers[command][key]
    holds = value[0] if isinstance(value, list) else value
    assert named
    assert named <= set(holds)


def test_certificates(answers):
    """The six keys that the page begins with."""
    assert list(answers["paths"]["target"]) == ["subject", "issuer", "serial", "sha256", "not_before", "not_after"]
