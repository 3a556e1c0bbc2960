"""Notes on certificates in the commands: below the path and in ``--json``, with exit status 0 all the same."""

import json

import pytest
from asn1crypto import pem
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

import pkcs12kit as pk
from pkcs12kit.tls.rehearsal.server import LoopbackServer

from ..certificates.chains import AUTHORITY_KEY, HOST, ISSUING, ROOT, SERVER, SOUND
from ..conftest import stand_in_for_clients

TITLE = "Notes on certificates; the answer does not depend on them:"
NOTED = (SERVER.without(AUTHORITY_KEY), ISSUING, ROOT)
CALLS = {
    "paths": ("server.pem", "--certs", "issuing.pem"),
    "verify": ("server.p12",),
    "rehearse": ("server.p12", "--server-name", HOST),
    "probe": ("127.0.0.1:PORT", "--server-name", HOST),
}


@pytest.fixture
def run(call, tmp_path, monkeypatch):
    """Call a command on a chain: ``run("paths", chain)``."""
    monkeypatch.chdir(tmp_path)
    stand_in_for_clients(monkeypatch)

    def on(command, chain, *more):
        for name, part in zip(("server", "issuing", "root"), chain, strict=True):
            (tmp_path / f"{name}.pem").write_bytes(pem.armor("CERTIFICATE", part.der))
        certificates = [pk.Certificate.from_der(part.der) for part in chain]
        given = (certificates[0].as_cryptography, [certificates[1].as_cryptography], NoEncryption())
        (tmp_path / "server.p12").write_bytes(pkcs12.serialize_key_and_certificates(None, chain[0].key, *given))
        words = (command, *CALLS[command], "--anchor", "root.pem", *more)
        if command != "probe":
            return call(*words)
        with LoopbackServer(chain[0].key, certificates[:2]) as server:
            return call(*(word.replace("PORT", str(server.port)) for word in words))

    return on


@pytest.mark.parametrize("command", CALLS)
def test_notes_are_below_the_path(run, command):
    """The certificate, the sentence, the clause, and who refuses; and the answer is yes."""
    outcome = run(command, NOTED)
    assert outcome.status == 0, outcome.errors
    lines = outcome.text.splitlines()
    at = lines.index(TITLE)
    assert any(line.endswith("trust anchor") for line in lines[:at])
    assert lines[at + 1 : at + 3] == [
        f"└── {HOST}  #77",
        (
            "    └── it has no authorityKeyIdentifier  [RFC 5280 section 4.2.1.1]"
            "  refused by Python since 3.13 (below the trust anchor)"
        ),
    ]


@pytest.mark.parametrize("command", CALLS)
def test_notes_are_in_json(run, command):
    """All of them, in the report on the chain."""
    printed = json.loads(run(command, NOTED, "--json").text)
    if command == "probe":
        (printed,) = printed["servers"]
    (note,) = (printed.get("sent") or printed)["notes"]
    assert note["rule"] == "authority-key-identifier-missing"
    assert [client["client"] for client in note["clients"]] == ["Python since 3.13"]


@pytest.mark.parametrize("command", CALLS)
def test_a_sound_chain_has_none(run, command):
    """No title stands there alone."""
    outcome = run(command, SOUND)
    assert (outcome.status, TITLE in outcome.text) == (0, False)
