"""Options and values that have another name elsewhere; files that are named twice; places of faults in hints."""

from __future__ import annotations

import zipfile

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from pkcs12kit import lab
from pkcs12kit.devices.table import DEVICES
from pkcs12kit.other_names import meant_options, meant_values
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


@pytest.mark.parametrize(
    ("options", "text", "command"),
    [
        (("--server-name", "x.example"), "check it for the name that it has", "--server-name mdm.example.mil"),
        (("--at", "2050-01-01"), "check the file for now", "pkcs12kit"),
        (("--certs-only",), "check the private key too", "pkcs12kit"),
    ],
)
def test_a_call_that_asks_for_another_thing_than_the_file_is_for(call, files, options, text, command):
    """The hint has the call that asks for what the file is for: as it was, but for the option at fault."""
    made = ("--key", files.key, "--cert", files.certificate, "--certs", files.certificates)
    assert call("build", *made, "--anchor", files.trust_anchor, "--to", "pem", "--out", "server.pem").status == 0
    outcome = call("verify", "server.pem", "--anchor", files.trust_anchor, *options, "--json")
    assert outcome.status == 1
    (hint,) = (one for one in outcome.json["hints"] if one["text"] == text)
    assert command in hint["command"]
    assert all(word not in hint["command"] for word in (*options[1:], "--certs-only"))


def test_a_key_of_another_certificate(call, files, folder):
    """No command builds a file with the same wrong key; the listing of keys and certificates is the next step."""
    other = lab.Authority.create("A").issue_server("a.example").private_key
    text = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    (folder / "wrong.pem").write_text(files.certificate.read_text() + text)
    hints = call("verify", "wrong.pem", "--anchor", files.trust_anchor, "--json").json["hints"]
    assert hints[0]["text"].startswith("the private key is of another certificate")
    assert [one["command"] for one in hints if one["command"]] == ["pkcs12kit show wrong.pem"]


def test_a_locked_key_in_a_delivery(call, files, folder, password_file):
    """The hint has the call with a file for the password of the key that was found."""
    delivery = folder / "delivery"
    delivery.mkdir()
    key = lab.Authority.create("A").issue_server("a.example").private_key
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"another word"))
    (delivery / "server.key").write_bytes(locked)
    (delivery / "server.pem").write_bytes(files.certificate.read_bytes())
    given = ("--anchor", files.trust_anchor, "--password-file", password_file, "--out", "new.p12", "--json")
    for options in ((), ("--key-password-file", password_file)):
        outcome = call("build", "--from", "delivery", *options, *given)
        assert outcome.status == 2
        assert any("--key-password-file FILE" in (one["command"] or "") for one in outcome.json["hints"])
