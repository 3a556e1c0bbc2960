"""``pkcs12kit build --to pem``: the command; what it writes and how is in test_pem_output.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pkcs12kit as pk

from ..thoroughness import mostly_slow

PEM = ("--to", "pem", "--no-second-opinion")


@pytest.fixture
def build_pem(call, files):
    """Call ``pkcs12kit build --to pem`` on the lab; no password is given, and none is asked for."""

    def call_build(*more, out="server.pem"):
        return call(
            *("build", "--key", files.key, "--cert", files.certificate, "--certs", files.certificates),
            *("--anchor", files.trust_anchor, "--out", out, *PEM, *more),
        )

    return call_build


def test_one_file(build_pem, folder):
    """Key and chain, without a password; said that the key is not encrypted; the second time nothing is written."""
    outcome = build_pem()
    assert outcome.status == 0
    assert "Wrote server.pem: PEM, the private key, not encrypted, and 5 certificates" in outcome.text
    assert (folder / "server.pem").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert "Did not change server.pem, which already has these contents" in build_pem("--if-changed").text
    anchored = build_pem("--if-changed", "--with-anchor", "--json").json
    assert (anchored["format"], anchored["change"], len(anchored["certificates"])) == (
        "pem",
        "it held other certificates",
        6,
    )
    assert build_pem("--if-changed", "--no-anchor", "--json").json["changed"]


def test_two_files(build_pem, folder):
    """The answer names both, and which one was different."""
    outcome = build_pem("--key-out", "server.key")
    assert "Wrote server.pem and server.key: PEM, the private key, not encrypted" in outcome.text
    identity = pk.load_identity(key=folder / "server.key", certificate=folder / "server.pem")
    assert identity.certificate.subject.common_name == "mdm.example.mil"
    (folder / "server.key").unlink()
    report = build_pem("--key-out", "server.key", "--if-changed", "--json").json
    assert (report["key_output"], report["change"]) == ("server.key", "server.key: there was no file")
    again = build_pem("--key-out", "server.key", "--if-changed")
    assert "Did not change server.pem and server.key, which already have these contents" in again.text


@pytest.mark.slow  # every installed client connects
def test_rehearsal(build_pem):
    """``--rehearse`` serves what the PEM files hold, also in a dry run."""
    report = build_pem("--key-out", "server.key", "--rehearse", "--json").json
    assert report["rehearsal"]["ok"] is True
    assert build_pem("--rehearse", "--dry-run", out="other.pem").status == 0


def test_standard_output(build_pem, call, folder):
    """``--out -`` writes the PEM there."""
    call.secrets = ()  # they are asked for
    assert build_pem(out="-").output.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("options", "error"),
    mostly_slow(
        [
            pytest.param(*case)
            for case in (
                (("--profile", "legacy"), "leave out --profile"),
                (("--for", "java-17"), "leave out --for"),
                (("--iterations", "5"), "leave out --iterations"),
                (("--mac-iterations", "5"), "leave out --mac-iterations"),
                (("--password-file", "p"), "leave out --password-file"),
                (("--password-env", "P"), "leave out --password-env"),
                (("--password-stdin",), "leave out --password-stdin"),
                (("--friendly-name", "x"), "leave out --friendly-name"),
                (("--certificate-name", "x"), "leave out --certificate-name"),
                (("--ca-name", "x"), "leave out --ca-name"),
                (("--with-anchor", "--no-anchor"), "not both"),
                (("--key-out", "-"), "standard output"),
                (("--key-out", "server.pem"), "is also the file of --"),
                (("--key-out", "./server.pem"), "is also the file of --"),
                (("--to", "pkcs12", "--key-out", "k"), "--key-out needs --to pem"),
                (("--to", "pkcs12", "--traditional"), "--traditional needs --to pem"),
            )
        ],
        every=2,
    ),
)
def test_options_without_meaning(build_pem, options, error):
    """Options that PEM does not have are refused by name, before anything is read or written."""
    outcome = build_pem(*options)
    assert outcome.status == 2
    assert error in " ".join(outcome.errors.split())


def test_certs_only(call, files, folder):
    """The chain of a CA as PEM; there is no key to put anywhere."""
    given = ("--certs-only", "--cert", files.certificate, "--certs", files.certificates, "--anchor", files.trust_anchor)
    assert call("build", *given, *PEM, "--out", "chain.pem").status == 0
    assert b"PRIVATE" not in (folder / "chain.pem").read_bytes()
    for option in (["--key-out", "k"], ["--traditional"]):
        outcome = call("build", *given, *PEM, *option, "--out", "chain.pem")
        assert (outcome.status, "--certs-only writes no key; leave out" in outcome.errors) == (2, True)


@pytest.mark.parametrize("how", [("--json",), pytest.param(("--if-changed",), marks=pytest.mark.slow)])
def test_an_answer_that_cannot_be_printed(files, folder, how, cannot_run):
    """The status is 2, and the message says that the file is there: the next call with --if-changed writes nothing."""
    if not Path("/dev/full").exists():
        cannot_run("there is no /dev/full here")
    given = ("--key", files.key, "--cert", files.certificate, "--certs", files.certificates)
    given = (*given, "--anchor", files.trust_anchor, *PEM, "--out", "s.pem", "--key-out", "s.key")
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "pkcs12kit", "build", *given, *how]
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"No space left on device; nevertheless written: s.pem and s.key" in done.stderr
    assert (folder / "s.pem").stat().st_size


@pytest.mark.parametrize("form", ["pkcs12", "pem"])
def test_from_a_folder_twice(call, files, folder, password_file, form):
    """``--from`` finds all in a folder, also with its own output in it; another file there is never replaced."""
    password = ("--password-file", password_file, "--iterations", "3") if form == "pkcs12" else ()
    given = ("build", "--from", files.folder, "--anchor", files.trust_anchor, "--to", form, "--no-second-opinion")
    out = files.folder / f"made-{form}"
    try:
        assert call(*given, *password, "--out", out, "--if-changed", "--json").json["changed"] is True
        assert call(*given, *password, "--out", out, "--if-changed", "--json").json["changed"] is False
    finally:
        out.unlink(missing_ok=True)
    before = files.key.read_bytes(), files.readme.read_bytes()
    for victim in (files.key, files.readme):
        assert call(*given, *password, "--out", victim, "--force").status == 2
    assert (files.key.read_bytes(), files.readme.read_bytes()) == before
    assert not list(folder.iterdir())


def test_from_alone(call, files):
    """``--pkcs12`` and ``--certs-only`` have no meaning beside ``--from``; without an anchor nothing is guessed."""
    for other in (("--pkcs12", "x"), ("--certs-only",)):
        outcome = call("build", "--from", files.folder, *other, "--anchor", files.trust_anchor, "--out", "new", *PEM)
        assert (outcome.status, "--from" in outcome.errors) == (2, True)
    outcome = call("build", "--from", files.folder, "--out", "x", *PEM)
    assert outcome.status == 2
    assert "--anchor" in outcome.errors
    assert "SHA-256" in outcome.errors
