"""No trust anchor at hand: the self-signed certificates among the given files are listed, to compare, not to trust."""

from __future__ import annotations

import pytest

from pkcs12kit import Bundle, encode_pfx, lab, profiles

QUICK = profiles.MODERN.with_iterations(encryption=3, mac=3)
COMPARE = "hint: a self-signed certificate proves nothing by itself"


@pytest.fixture(scope="module")
def made():
    """A path with its root, and seven other roots."""
    return lab.Topology.from_edges("EE<A<TA", "TA<TA", "X1<X1", "X2<X2", "X3<X3", "X4<X4", "X5<X5", "X6<X6", "X7<X7")


@pytest.fixture
def given(made, folder):
    """The files of a call: a folder with the CAs, a server's certificate, a PKCS#12 file that is not encrypted."""
    (folder / "cas").mkdir()
    for number, certificate in enumerate(made.pool):
        if certificate.subject.common_name in {"A", "TA"}:
            (folder / "cas" / f"{number}.pem").write_text(certificate.to_pem())
    server = made.servers["EE"]
    (folder / "server.pem").write_text(server.certificate.to_pem())
    own = {one.subject.common_name: one for one in made.pool}
    chain = (server.certificate, own["A"], own["TA"])
    bundle = Bundle(private_key=server.private_key, certificates=chain)
    (folder / "server.p12").write_bytes(encode_pfx(bundle, password="word", profile=QUICK))
    (folder / "password.txt").write_text("word\n")
    (folder / "server-key.p12").write_bytes(encode_pfx(bundle, password=None, profile="no-password"))
    (folder / "other.pem").write_text(own["X1"].to_pem())
    return own


CALLS = {
    "paths": ("server.pem", "--certs", "cas"),
    "build": ("--pkcs12", "server-key.p12", "--certs", "cas", "--out", "out.p12"),
    "verify": ("server.p12", "--password-file", "password.txt"),
    "rehearse": ("server.p12", "--password-file", "password.txt", "--certs", "cas"),
    "probe": ("127.0.0.1:1", "--certs", "cas"),
    "graph": ("cas", "--json"),
    "diff": ("cas", "server.pem", "--target", "server.pem"),
}


@pytest.mark.parametrize("command", CALLS)
def test_missing_option(call, given, command):
    """The usual error, the candidates by name and SHA-256, what to compare, and the help; exit status 2."""
    outcome = call(command, *CALLS[command])
    assert outcome.status == 2
    assert outcome.errors.startswith("error: missing option '--anchor'\n")
    assert f"{given['TA'].label}, SHA-256 {given['TA'].sha256}" in outcome.errors
    assert given["A"].sha256 not in outcome.errors
    assert COMPARE in outcome.errors
    assert outcome.errors.count("\n") == 4


@pytest.mark.parametrize("anchor", ["missing.pem", "password.txt", "cas"])
def test_anchor_that_is_none(call, given, anchor):
    """A file that is not there or holds no certificate, and a folder."""
    for command, words in CALLS.items():
        more = ("--password-file", "password.txt") if command == "build" else ()
        outcome = call(command, *words, "--anchor", anchor, *more)
        assert outcome.status == 2, command
        assert f"SHA-256 {given['TA'].sha256}" in outcome.errors, command
        assert COMPARE in outcome.errors


def test_anchor_that_does_not_fit(call, given):
    """The path leads to a root that is not trusted: that root is listed, the trusted one is not."""
    for command in ("paths", "build", "verify", "rehearse"):
        more = {"build": ("--password-file", "password.txt"), "rehearse": ("--clients", "openssl")}.get(command, ())
        outcome = call(command, *CALLS[command], "--anchor", "other.pem", *more)
        assert outcome.status == 1, command
        assert f"SHA-256 {given['TA'].sha256}" in outcome.errors, command
        assert f"SHA-256 {given['X1'].sha256}" not in outcome.errors, command
        assert COMPARE in outcome.errors, command


def test_not_listed_for_another_reason(call, given, folder):
    """A path that fails for its time, with the right anchor."""
    (folder / "root.pem").write_text(given["TA"].to_pem())
    outcome = call("paths", *CALLS["paths"], "--anchor", "root.pem", "--at", "2001-01-01")
    assert outcome.status == 1
    assert "self-signed" not in outcome.errors


def test_the_list_is_bounded(call, given, folder):
    """Five of them, those first that have issued another certificate, and the number of the others."""
    last = [one for name, one in given.items() if name != "TA"] + [given["TA"]]
    (folder / "many.pem").write_text("".join(one.to_pem() for one in last))
    outcome = call("paths", "server.pem", "--certs", "many.pem")
    assert outcome.errors.count("hint: self-signed, in many.pem") == 5
    assert outcome.errors.splitlines()[1].endswith(f"TA, SHA-256 {given['TA'].sha256}")
    assert "hint: and 3 other self-signed certificates" in outcome.errors


def test_none_and_nothing_to_read(call, given, folder):
    """Without a candidate the hint says where to get the root; nothing that cannot be read stops it."""
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 broken")
    for words in (
        ("server.pem",),
        ("-",),
        ("missing.pem", "--certs", "broken.zip"),
        ("server.pem", "--certs", "password.txt"),
        ("server.pem", "--certs", "https://example.mil/root.pem", "--certs", "a\0b"),
    ):
        outcome = call("paths", *words)
        assert outcome.status == 2
        assert "hint: no self-signed certificate is among the given files" in outcome.errors
    assert given["TA"].sha256 not in outcome.errors


def test_a_forged_root_is_only_a_candidate(call, given, folder):
    """A certificate that names itself as issuer, with another key's signature, is not listed."""
    forged = given["TA"].der[:-1] + bytes([given["TA"].der[-1] ^ 1])
    (folder / "forged.cer").write_bytes(forged)
    outcome = call("paths", "server.pem", "--certs", "forged.cer")
    assert "hint: no self-signed certificate is among the given files" in outcome.errors


def test_delivered_folder_whose_anchor_does_not_fit(call, given, folder):
    """``--from``: CA certificates were given, so none are asked for; a root of a path is named with its file."""
    key, password = folder / "server-key.p12", folder / "password.txt"
    (folder / "cas" / "server.p12").write_bytes(key.read_bytes())
    outcome = call("build", "--from", "cas", "--anchor", "other.pem", "--out", "x.p12", "--password-file", password)
    assert outcome.status == 1
    assert "no --certs given" not in outcome.errors
    assert "hint: give cross-certificates that lead to the trust anchor with --certs" in outcome.errors
    place = next(line for line in outcome.errors.splitlines() if given["TA"].sha256 in line)
    assert place.startswith("hint: self-signed, in cas/")


@pytest.mark.usefixtures("given")
def test_an_anchor_that_may_not_be_read(call, monkeypatch):
    """A user who may not read the root is offered no other one. Root may read every file, so the answer is replaced."""
    from pkcs12kit.cli import command

    assert COMPARE in call("paths", *CALLS["paths"], "--anchor", "password.txt").errors
    monkeypatch.setattr(command.os, "access", lambda path, _mode: "password" not in str(path))
    outcome = call("paths", *CALLS["paths"], "--anchor", "password.txt")
    assert (outcome.status, "self-signed" in outcome.errors) == (2, False)
