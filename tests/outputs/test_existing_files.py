"""Existing files at the place of an output: what needs ``--force``, and that every killed command loses nothing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest

import pkcs12kit as pk
from pkcs12kit.display import pictures

from ..calling import call

PASSWORD = "correct horse 42 battery"
QUICK = pk.profiles.MODERN.with_iterations(encryption=3, mac=5)
OTHER = pk.lab.Authority.create("Other").issue_server("other.example")


@pytest.fixture
def pfx(replica, tmp_path, monkeypatch):
    """A PKCS#12 file with its password, in the current folder."""
    monkeypatch.chdir(tmp_path)
    bundle = pk.Bundle.from_path(replica.server, replica.valid_paths[0])
    (tmp_path / "s.p12").write_bytes(pk.encode_pfx(bundle, password=PASSWORD, profile=QUICK))
    (tmp_path / "pw.txt").write_text(PASSWORD)
    return tmp_path / "s.p12"


def to_pem(output, *more):
    """Call ``convert --to pem``."""
    return call("convert", "s.p12", output, "--to", "pem", "--password-file", "pw.txt", *more)


def pem_of(*bundle):
    """Return the PEM of a key and certificates, by way of a PKCS#12 file."""
    data = pk.encode_pfx(pk.Bundle(private_key=bundle[0], certificates=bundle[1:]), password="x", profile=QUICK)
    return pk.encode_pem(pk.decode_pfx(data, password="x"))


def test_pem(pfx, replica):
    """The same key, its chain, or nothing is replaced; another key, other blocks and other text are kept."""
    assert to_pem("new.pem").status == 0
    for more in ((), ("--certs-only",), ("--key-only",)):
        assert to_pem("new.pem", *more).status == 0
    assert "new.pem: the file there has certificates, and the new one" not in to_pem("new.pem", "--key-only").errors
    assert to_pem("both.pem").status == 0
    for more, lost in (("--key-only", "certificates"), ("--certs-only", "the private key")):
        assert to_pem("both.pem", "--force").status == 0
        assert f"both.pem: the file there has {lost}, and the new one has not" in to_pem("both.pem", more).errors
    other = pem_of(OTHER.private_key, OTHER.certificate)
    own = pem_of(replica.server.private_key, replica.server.certificate)
    parameters = b"-----BEGIN DH PARAMETERS-----\nMAYCAQ8CAQI=\n-----END DH PARAMETERS-----\n"
    path = pfx.with_name("there.pem")
    for there, more, words in (
        (other, (), "an EC private key and a certificate in PEM, of another key"),
        (other, ("--certs-only",), "of another key"),
        (OTHER.certificate.to_pem().encode(), ("--key-only",), "is a certificate in PEM"),
        (own[: own.index(b"-----BEGIN CERT")], (), "is an EC private key in PEM, without certificates"),
        (own[: own.index(b"-----BEGIN CERT")], ("--certs-only",), "without certificates"),
        (own + parameters, (), "and a certificate and DH PARAMETERS block in PEM"),
        (b"password = secret\n" + own, (), "with other text"),
        (pfx.read_bytes(), (), "is a PKCS#12 file"),
        (b"secret\n", (), "is text without a PEM block"),
    ):
        path.write_bytes(there)
        done = to_pem(path, *more)
        assert (done.status, words in done.errors) == (2, True), done.errors
        assert "--force" in done.errors
        assert "another name" in done.errors
        assert path.read_bytes() == there
        assert to_pem(path, *more, "--force").status == 0
        assert path.read_bytes() != there
    for there in (b"", own, b"# mine\nBag Attributes\n    friendlyName: x\n" + own):
        path.write_bytes(there)
        assert to_pem(path).status == 0


def test_pictures(pfx, replica):
    """A picture replaces one of ours in any format, and an empty file; nothing else, and it says what is there."""
    path = pk.find_path(replica.server.certificate, pool=replica.pool, trust_anchors=[replica.trust_anchor])
    picture = pictures.picture_of_path(path)
    pfx.with_name("server.pem").write_text(replica.server.certificate.to_pem())
    pfx.with_name("anchor.pem").write_text(replica.trust_anchor.to_pem())
    pfx.with_name("pool.pem").write_text("".join(one.to_pem() for one in replica.pool))
    given = ("paths", "server.pem", "--certs", "pool.pem", "--anchor", "anchor.pem")
    there = pfx.with_name("picture")
    for text in (pictures.to_svg(picture), pictures.to_dot(picture), pictures.to_mermaid(picture), ""):
        there.write_text(text, "utf-8")
        assert call(*given, "--svg", there).status == 0
        assert there.read_text("utf-8").startswith("<svg")
    for text in ("<svg>mine</svg>", "digraph mine {}", "flowchart TD\n", "key"):
        there.write_text(text)
        for option in ("--svg", "--dot", "--mermaid"):
            done = call(*given, option, there)
            assert (done.status, "--force" in done.errors) == (2, True)
            assert there.read_text() == text
    assert call(*given, "--dot", there, "--force").status == 0


def test_folder_of_certificates_with_the_output(pfx, replica):
    """``--certs . --out server.p12`` can be repeated; a PKCS#12 file that gives certificates is not replaced."""
    anchors = pfx.with_name("anchor.pem")
    anchors.write_text(replica.trust_anchor.to_pem())
    pfx.with_name("pool.pem").write_text("".join(one.to_pem() for one in replica.pool))
    given = ("build", "--pkcs12", "s.p12", "--pkcs12-password-file", "pw.txt", "--password-file", "pw.txt")
    given = (*given, "--certs", ".", "--anchor", "anchor.pem", "--iterations", "10000", "--mac-iterations", "10000")
    for _ in range(2):
        assert call(*given, "--out", "server.p12").status == 0
    readable = pk.Bundle(certificates=(replica.trust_anchor,))
    pk.write_pfx("ca.p12", pk.encode_pfx(readable, password=None, profile="no-password"))
    done = call(*given, "--out", "ca.p12", "--force")
    assert (done.status, "a file in the folder . of --certs" in done.errors) == (2, True)


def test_standard_input(pfx):
    """A file behind standard input is an input."""
    old = pfx.read_bytes()
    command = [sys.executable, "-m", "pkcs12kit", "convert", "s.p12", "pw.txt", "--password-stdin", "--force"]
    with pfx.with_name("pw.txt").open("rb") as password:
        done = subprocess.run(command, stdin=password, capture_output=True, text=True, check=False)
    assert (done.returncode, "the file of --password-stdin" in done.stderr) == (2, True)
    assert (pfx.read_bytes(), pfx.with_name("pw.txt").read_text()) == (old, PASSWORD)


@pytest.mark.slow
def test_killed_at_random_times(pfx):
    """A file that is rewritten is the old one or a complete new one; every other input is as it was."""
    random.seed(17)
    pfx.with_name("pw.txt").chmod(0o640)
    before = pfx.with_name("pw.txt").stat()
    command = [sys.executable, "-m", "pkcs12kit", "convert", "s.p12", "s.p12", "--password-file", "pw.txt"]
    start = time.monotonic()
    subprocess.run(command, check=True)
    length = time.monotonic() - start
    for _ in range(20):
        with subprocess.Popen(command) as process:
            time.sleep(random.uniform(0.3, 1) * length)  # noqa: S311
            process.send_signal(signal.SIGKILL)
        assert pk.decode_pfx(pfx.read_bytes(), password=PASSWORD).private_key is not None
        after = pfx.with_name("pw.txt").stat()
        assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, before.st_size)
        assert pfx.with_name("pw.txt").read_text() == PASSWORD
