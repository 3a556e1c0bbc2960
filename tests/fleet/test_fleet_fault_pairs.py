"""Bundles with two faults: a plan, a run and a check name the same one, in the same words."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

import pkcs12kit as pk
from pkcs12kit.fleet.locks import lock_file

from ..thoroughness import mostly_slow
from .hosts import Hosts

HOST = {
    "key": "hosts/host000.key",
    "certificate": "hosts/host000.pem",
    "certificates": ["cas"],
    "trust_anchors": ["root.pem"],
    "password": {"file": "password.txt"},
    "profile": "modern-2023",
    "no_second_opinion": True,
}
PUBLIC = {
    "missing certificates": {"certificates": ["no-such"]},
    "damaged certificates": {"certificates": ["damaged"]},
    "missing issuer": {"certificates": ["cas/middle.pem"]},
    "missing anchor": {"trust_anchors": ["no-such.pem"]},
    "damaged anchor": {"trust_anchors": ["damaged"]},
    "missing CRL": {"crl": ["no-such.crl"], "revocation": "require"},
    "no CRL": {"revocation": "require"},
    "missing certificate": {"certificate": "no-such.pem"},
    "damaged certificate": {"certificate": "damaged"},
    "certificate is a folder": {"certificate": "cas"},
    "other name": {"server_name": "other.example"},
    "expired": {"at": "2045-01-01T00:00:00Z"},
    "policy": {"policy": ["1.2.3"]},
}
"""The faults that a check judges as well."""
PRIVATE = {
    "unknown owner": {"owner": "no-such-user"},
    "unknown group": {"group": "no-such-group"},
    "missing key": {"key": "no-such.key"},
    "damaged key": {"key": "damaged"},
    "other key": {"key": "other.key"},
    "key is a folder": {"key": "cas"},
    "key is a pipe": {"key": "pipe"},
    "encrypted key": {"key": "encrypted.key"},
    "wrong key password": {"key": "encrypted.key", "key_password_file": "password.txt"},
    "missing key password": {"key": "encrypted.key", "key_password_file": "no-such"},
    "missing password": {"password": {"file": "no-such"}},
    "empty password": {"password": {"file": "empty"}},
    "binary password": {"password": {"file": "binary"}},
    "unset variable": {"password": {"env": "PKCS12KIT_NO_SUCH"}},
    "failing command": {"password": {"command": ["false"]}},
    "no command": {"password": {"command": ["./no-such"]}},
    "missing folder": {"output": "no-such/{name}.p12"},
    "file as folder": {"output": "damaged/{name}.p12"},
    "folder as output": {"output": "folders/{name}/"},
    "link as output": {"output": "links/{name}.p12"},
    "another kind of file": {"output": "texts/{name}.p12"},
    "locked out": {"output": "odd/{name}.p12"},
    "no name for a file": {"output": "out/" + "x" * 300 + "{name}.p12"},
}
FAULTS = PUBLIC | PRIVATE
_PARTS = 12

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


def table(name, given):
    """A bundle's table in TOML."""
    fields = {"name": name, "output": "out/{name}.p12", **given}
    lines = []
    for key, value in fields.items():
        if isinstance(value, dict):
            [(kind, of)] = value.items()
            lines.append(f"{key} = {{ {kind} = {json.dumps(of)} }}")
        elif value is not None:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(["[[bundle]]", *lines])


def merged(names):
    """The fields of a bundle with these faults; None if two of them are faults of one field."""
    fields = [key for name in names for key in FAULTS[name]]
    if len(set(fields)) < len(fields):
        return None
    return {**HOST, **{key: value for name in names for key, value in FAULTS[name].items()}}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A folder with one host, and files for each fault."""
    folder = tmp_path_factory.mktemp("pairs")
    hosts = Hosts(folder, 1)
    for name, data in {"damaged": b"\x30\x82\x01\x00\xff", "empty": b"\n", "binary": b"\xff\xfe\n"}.items():
        (folder / name).write_bytes(data)
    key = ec.generate_private_key(ec.SECP256R1())
    for name, protection in (("other", NoEncryption()), ("encrypted", BestAvailableEncryption(b"another"))):
        (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    os.mkfifo(folder / "pipe")
    for name in ("links", "texts", "folders", "odd"):
        (folder / name).mkdir()
    return hosts


def write(hosts, bundles):
    """Write the manifest, and what stands at the places of the outputs."""
    for name, given in bundles.items():
        kind = str(given.get("output")).partition("/")[0]
        path = hosts.folder / kind / f"{name}.p12"
        if kind == "links":
            path.symlink_to(f"elsewhere-{name}")
        elif kind == "texts":
            path.write_text("text", "ascii")
        elif kind == "odd":
            lock_file(str(path)).mkdir()
    text = "\n".join(["version = 1", *(table(name, given) for name, given in bundles.items())])
    hosts.path.write_text(text, "utf-8")


def errors(hosts, **given):
    """The error of each bundle, with its hints."""
    with ThreadPoolExecutor(1) as executor:
        report = pk.batch(hosts.path, executor=executor, **given)
    return {one.name: (one.status.value, one.error, one.hints) for one in report.bundles}


def the_pairs(part):
    """The bundles of every so many pairs, and in the first part also each fault by itself."""
    chosen = [*([(name,) for name in FAULTS] if not part else []), *list(combinations(FAULTS, 2))[part::_PARTS]]
    named = {"+".join(names).replace(" ", "-"): names for names in chosen}
    return {name: (set(names), given) for name, names in named.items() if (given := merged(names)) is not None}


@pytest.mark.parametrize("part", mostly_slow(range(_PARTS), every=_PARTS))
def test_two_faults(fleet, part):
    """The plan says what the run will say; so does the check, of faults that it can see."""
    bundles = the_pairs(part)
    write(fleet, {name: given for name, (_, given) in bundles.items()})
    planned, done, checked = (errors(fleet, **given) for given in ({"plan": True}, {}, {"check": True}))
    assert {status for status, _, _ in done.values()} == {"failed"}
    assert planned == done
    for name, (faults, _) in bundles.items():
        assert faults - PUBLIC.keys() or checked[name] == done[name], name


def test_a_check_never_waits_for_a_pipe(fleet):
    """The key's file has to be opened to choose the certificate, and it is a pipe."""
    write(fleet, {"server": {**HOST, "key": "pipe", "certificate": "cas"}})
    assert "a pipe, a device or a socket" in errors(fleet, check=True)["server"][1]
