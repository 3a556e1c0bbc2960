"""A PKCS#12 file without a MAC, or with one that anybody can make: opening it warns, or refuses if asked to."""

from __future__ import annotations

import json

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12
from click.testing import CliRunner

import pkcs12kit as pk
from pkcs12kit import lab, profiles
from pkcs12kit.cli import cli
from pkcs12kit.errors import PfxError

PASSWORD = "correct horse 42 battery"
NO_MAC = "the PKCS#12 file has no MAC, so changes to it cannot be detected"
ANYBODYS = "the MAC of the PKCS#12 file was made without a password, as anyone can make it"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A server's file as it was made, with its MAC taken off, and with everything under the empty password."""
    folder = tmp_path_factory.mktemp("stores")
    topology = lab.Topology.from_edges("EE<A", "A<TA")
    server = topology.servers["EE"]
    quick = profiles.MODERN.with_iterations(encryption=2, mac=2)
    bundle = pk.Bundle(private_key=server.private_key, certificates=(server.certificate, *topology.pool))
    whole = pk.encode_pfx(bundle, password=PASSWORD, profile=quick)
    stripped = asn1_pkcs12.Pfx.load(whole)
    del stripped["mac_data"]
    (folder / "whole.p12").write_bytes(whole)
    (folder / "stripped.p12").write_bytes(stripped.dump(force=True))
    (folder / "empty.p12").write_bytes(pk.encode_pfx(bundle, password="", profile=quick))
    (folder / "anchor.pem").write_text(topology.trust_anchor("TA").certificate.to_pem())
    (folder / "password.txt").write_text(PASSWORD)
    (folder / "empty.txt").write_text("\n")
    return folder


def password_of(name):
    """The password that a file opens with."""
    return "" if name == "empty" else PASSWORD


# Each way of the library to open a file: what it warns of, if anything.
WAYS = {
    "decode_pfx": lambda data, **how: pk.decode_pfx(data, **how).warnings,
    "inspect_pfx": lambda data, **how: pk.inspect_pfx(data, **how).warnings,
    "convert_pfx": lambda data, **how: told(pk.convert_pfx, data, new_password="new", **how),
    "load_identity": lambda data, **how: told(pk.load_identity, pkcs12=data, **how),
    "verify": lambda data, *, anchor, **how: pk.verify(data, trust_anchors=[anchor], **how).anatomy.warnings,
    "rehearse": lambda data, *, anchor, **how: (
        pk.rehearse(data, trust_anchors=[anchor], clients=["openssl"], **how).warnings
    ),
    "build": lambda data, *, anchor, password, **how: (
        pk.build(pkcs12=data, trust_anchors=[anchor], password="new", pkcs12_password=password, **how).warnings
    ),
}


def told(call, *arguments, **how):
    """Call, and list what ``on_warning`` is told."""
    warnings = []
    call(*arguments, on_warning=warnings.append, **how)
    return warnings


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "expected"), [("whole", None), ("stripped", NO_MAC), ("empty", ANYBODYS)])
def test_the_library_warns_or_refuses(world, way, name, expected):
    """RFC 7292 section 4: the MAC is optional, and without it the contents may be anybody's."""
    data = (world / f"{name}.p12").read_bytes()
    how = {"password": password_of(name)}
    if way in {"verify", "rehearse", "build"}:
        how["anchor"] = world / "anchor.pem"
    warnings = WAYS[way](data, **how)
    assert len(warnings) == (expected is not None)
    assert expected is None or expected in warnings[0]
    if expected is None:
        assert not WAYS[way](data, require_mac=True, **how)
        return
    with pytest.raises(PfxError, match="a MAC is required"):
        WAYS[way](data, require_mac=True, **how)


def test_certificates_are_candidates(world):
    """Nothing is said of a file among certificates; with ``require_mac`` one that is not authentic is refused."""
    assert len(pk.load_certificates(world / "stripped.p12", password=PASSWORD)) == 2
    assert len(pk.load_certificates(world / "whole.p12", password=PASSWORD, require_mac=True)) == 2
    with pytest.raises(PfxError, match=r"stripped\.p12: the PKCS#12 file has no MAC.*a MAC is required"):
        pk.load_certificates(world / "stripped.p12", password=PASSWORD, require_mac=True)


def commands(world, name):
    """Each command that opens a file: its arguments, and whether it answers in JSON with ``warnings``."""
    file, anchor, new = world / f"{name}.p12", ["--anchor", world / "anchor.pem"], world / f"new-{name}.p12"
    password = world / ("empty.txt" if name == "empty" else "password.txt")
    opened = ["--password-file", password]
    yield ["inspect", file, *opened]
    yield ["verify", file, *anchor, *opened]
    yield ["rehearse", file, *anchor, "--clients", "openssl", *opened]
    yield ["convert", file, new, *opened, "--new-password-file", world / "password.txt"]
    building = ["build", "--pkcs12", file, *anchor, "--out", new, "--pkcs12-password-file", password]
    yield [*building, "--password-file", world / "password.txt"]


@pytest.mark.parametrize(("name", "expected"), [("whole", None), ("stripped", NO_MAC), ("empty", ANYBODYS)])
def test_commands_warn_or_refuse(world, name, expected):
    """One line on standard error, ``warnings`` in JSON; ``--require-mac`` ends with status 2 and writes nothing."""
    for arguments in commands(world, name):
        as_text = CliRunner().invoke(cli, list(map(str, arguments)))
        assert as_text.exit_code == 0, as_text.stderr
        lines = [line for line in as_text.stderr.splitlines() if line.startswith("warning: ") and "MAC" in line]
        assert len(lines) == (expected is not None), arguments
        assert expected is None or expected in lines[0]
        assert not lines or f"{name}.p12: " in lines[0]
        as_json = json.loads(CliRunner().invoke(cli, [*map(str, arguments), "--json"]).stdout)
        assert any("MAC" in warning for warning in as_json["warnings"]) is (expected is not None)
        new = world / f"new-{name}.p12"
        new.unlink(missing_ok=True)
        required = CliRunner().invoke(cli, [*map(str, arguments), "--require-mac"])
        if expected is None:
            assert required.exit_code == 0, required.output
        else:
            assert isinstance(required.exception, PfxError), arguments  # main() makes it status 2
            assert "a MAC is required" in str(required.exception)
            assert not new.exists()


def test_require_mac_takes_a_file(world):
    """It says nothing about a key and a certificate."""
    call = ["build", "--key", "k", "--cert", "c", "--anchor", str(world / "anchor.pem"), "--out", "o", "--require-mac"]
    assert "--require-mac has an effect only with --pkcs12" in CliRunner().invoke(cli, call).output
