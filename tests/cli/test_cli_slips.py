"""Slips in a call: dashes of a letter, a delivered folder where it is not taken, a word too many; each has its cure."""

from __future__ import annotations

import zipfile

import pytest


@pytest.mark.parametrize("dashes", ["-", "\u2013", "\u2014", "\u2212", "\u2013\u2013"])
@pytest.mark.parametrize(
    ("command", "name"), [("build", "anchor"), ("verify", "password-file"), ("paths", "certs"), ("show", "json")]
)
def test_dashes_of_a_letter(call, files, dashes, command, name):
    """One hyphen, or the dash that a program for letters makes of two, is named; nothing is read or written."""
    words = {"build": ("--out", "new.p12"), "verify": ("x.p12", "--anchor", files.trust_anchor)}.get(command, ())
    outcome = call(command, *words, f"{dashes}{name}", files.trust_anchor)
    if command == "show" and dashes != "-":  # a file with an odd name
        assert outcome.status == 2
        return
    assert outcome.status == 2
    assert f"hint: write two hyphens before the name of an option: --{name}\n" in outcome.errors


def test_words_that_only_look_alike(call, files):
    """No option of that name: no hint, with the value of an option or without."""
    for word in ("-unknown", "\u2013unknown", "-", "--", "\u2014"):
        assert "two hyphens" not in call("paths", files.certificate, "--anchor", files.trust_anchor, word).errors


@pytest.fixture
def deliveries(files, folder):
    """A folder and a zip with the key of the server."""
    (folder / "a mail").mkdir()
    (folder / "a mail" / "ü.key").write_bytes(files.key.read_bytes())
    with zipfile.ZipFile(folder / "mail.zip", "w") as archive:
        archive.write(files.key, "server.key")
    return "a mail", "mail.zip"


def test_delivery_in_the_wrong_place(call, build, files, deliveries):
    """A delivered folder or zip as argument, ``--key`` or ``--pkcs12`` of ``build``: the hint names ``--from``."""
    for delivery in deliveries:
        given = ("--anchor", files.trust_anchor, "--out", "new.p12")
        argument = call("build", delivery, *given)
        assert argument.status == 2
        assert "hint: write --from before a delivered folder or zip" in argument.errors
        as_key = build(key=delivery)
        assert as_key.status == 2
        assert as_key.errors.startswith(f"error: --key {delivery}: ")
        assert "hint: --from takes a delivered folder or zip" in as_key.errors
        as_pkcs12 = call("build", "--pkcs12", delivery, *given, "--password-env", "P12_PASSWORD")
        assert as_pkcs12.status == 2


def test_folder_where_a_file_is_needed(build, files, folder, deliveries):
    """The option is named, also where another option takes the same folder."""
    (folder / deliveries[0] / "server.pem").write_bytes(files.certificate.read_bytes())
    as_key = build("--certs", deliveries[0], key=deliveries[0])
    assert as_key.errors.startswith(f"error: --key {deliveries[0]}: a folder; expected a file\nhint: --from takes")
    outcome = build("--certs", deliveries[0], password_file=deliveries[0])
    assert outcome.status == 2
    assert outcome.errors.startswith(f"error: --password-file {deliveries[0]}: a folder; expected a file\n")


def test_zip_where_a_pkcs12_file_is_needed(call, files, deliveries):
    """``inspect`` and ``verify`` say how to see what is in the archive."""
    for words in (("inspect",), ("verify", "--anchor", files.trust_anchor)):
        outcome = call(*words, deliveries[1])
        assert outcome.status == 2
        assert "hint: take the file out of the archive; pkcs12kit show lists what the archive holds\n" in outcome.errors


def test_password_in_the_place_of_its_file(build):
    """The option takes the name of a file; the password is not printed a second time."""
    outcome = build(password_file="Geheim-1234567")
    assert outcome.status == 2
    assert outcome.errors.endswith("hint: give the name of a file that holds the password, not the password itself\n")
    assert outcome.errors.count("Geheim") == 1


@pytest.mark.parametrize("text", ["", "\n", "\nword\n", "\ufeff\r\n"])
def test_empty_first_line(call, build, files, folder, text):
    """A wrong password from a file whose first line is empty, in any encoding: said so, in each command."""
    assert build(out="made.p12").status == 0
    (folder / "empty.txt").write_text(text, encoding="utf-16-le" if "\ufeff" in text else "utf-8")
    for words in (("inspect", "made.p12"), ("verify", "made.p12", "--anchor", files.trust_anchor)):
        outcome = call(*words, "--password-file", "empty.txt")
        assert outcome.status == 1
        assert "hint: the first line of empty.txt is empty, so the empty password was tried\n" in outcome.errors
    assert call("convert", "made.p12", "new.p12", "--password-file", "empty.txt").status == 2
