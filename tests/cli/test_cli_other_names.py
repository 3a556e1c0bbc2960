"""Options and values that have another name elsewhere; files that are named twice; places of faults in hints."""

from __future__ import annotations

import zipfile

import pytest

from pkcs12kit import lab
from pkcs12kit.cli.options.other_names import meant_options, meant_values
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.pkcs12.readers import READERS


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["paths", "a", "--root", "b"], "--anchor"),
        (["paths", "a", "--ca", "b"], "--anchor' or '--certs"),
        (["verify", "a", "--cacert", "b"], "--anchor"),
        (["build", "--inkey", "a"], "--key"),
        (["verify", "a", "--password", "b"], "--password-file"),
        (["convert", "a", "b", "--to", "pfx"], "pkcs12"),
        (["convert", "a", "b", "--for", "iPad"], "ios"),
        (["rehearse", "a", "--device", "iphone"], "ios"),
    ],
)
def test_the_name_here(call, given, meant):
    """The suggestion is the option or the value that is meant, not one of similar letters."""
    outcome = call(*given)
    assert outcome.status == 2
    assert outcome.errors.splitlines()[0].endswith(f"Did you mean '{meant}'?")


def test_only_names_that_exist():
    """An option that the command does not have is not suggested; similar letters stay the second choice."""
    assert meant_options("--root", {"--certs"}) == ()
    assert meant_values("adroid", [*DEVICES]) == ("android",)
    assert meant_values("ipad", ["pem"]) == ()
    assert meant_values("firefox", [*READERS]) == ("nss",)


def test_a_file_named_twice(call, files, folder):
    """A key in the file that is also given as --key is one key; another key is an error that says so."""
    together = files.certificate.read_text() + files.key.read_text()
    (folder / "both.pem").write_text(together + files.bundle.read_text())
    other = lab.Authority.create("A").issue_server("a.example")
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    (folder / "other.key").write_bytes(
        other.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    given = ("--anchor", files.trust_anchor, "--at", "2026-06-01", "--json")
    once = call("verify", "both.pem", *given)
    for key in ("both.pem", files.key):
        twice = call("verify", "both.pem", "--key", key, *given)
        assert twice.json["findings"] == once.json["findings"]
    outcome = call("verify", "both.pem", "--key", "other.key", *given)
    assert outcome.status == 2
    assert "the other key that was given does not equal it" in outcome.json["error"]


def test_the_file_in_a_zip(call, files, folder):
    """A self-signed certificate in a zip is named with the zip and its file."""
    with zipfile.ZipFile(folder / "mail.zip", "w") as archive:
        archive.write(files.trust_anchor, "in/anchor.pem")
    outcome = call("paths", files.certificate, "--certs", "mail.zip")
    assert "hint: self-signed, in mail.zip!in/anchor.pem: Federal Common Policy CA, SHA-256" in outcome.errors


def test_the_option_of_a_wrong_password(call, files, folder, password_file):
    """A wrong password for the file of --expect is a fault of that option."""
    made = ("--key", files.key, "--cert", files.certificate, "--certs", files.certificates)
    trust = ("--anchor", files.trust_anchor)
    assert call("build", *made, *trust, "--out", "server.p12", "--password-file", password_file).status == 0
    (folder / "wrong.txt").write_text("another\n")
    outcome = call("probe", "127.0.0.1:9", *trust, "--expect", "server.p12", "--password-file", "wrong.txt")
    assert outcome.status == 1
    assert outcome.errors.startswith("error: --expect server.p12: ")


def test_a_chain_without_a_key(call, files):
    """What cannot be served has a hint at the option that gives the key; no word about Python's names in the error."""
    outcome = call("rehearse", files.certificate, "--anchor", files.trust_anchor, "--json")
    assert outcome.status == 2
    assert "key=" not in outcome.json["error"]
    assert "--key FILE" in outcome.json["hints"][0]["text"]
