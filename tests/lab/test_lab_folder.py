"""The replica as files: the files, their modes, and the files that are never overwritten."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs7

from pkcs12kit import lab
from pkcs12kit.errors import OutputError


def mode(path):
    """Read the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_files_hold_the_replica(replica, tmp_path):
    """Key, certificate, anchor, issuing CA, and all CA certificates twice, in certs/ and in bundle.pem, are written."""
    files = lab.write(replica, tmp_path / "new" / "lab")
    key = load_pem_private_key(files.key.read_bytes(), None)
    assert key.public_key() == replica.server.certificate.public_key
    assert files.key.read_text().splitlines()[0].strip("-") == "BEGIN PRIVATE KEY"
    for path, certificate in (
        (files.certificate, replica.server.certificate),
        (files.trust_anchor, replica.trust_anchor),
        (files.issuing_ca, replica.issuing_ca),
    ):
        assert path.read_text() == certificate.to_pem()
    heap = {certificate.as_cryptography for certificate in replica.pool}
    assert set(x509.load_pem_x509_certificates(files.bundle.read_bytes())) == heap
    scattered = [
        *pkcs7.load_der_pkcs7_certificates((files.certificates / "fpki.p7b").read_bytes()),
        *pkcs7.load_pem_pkcs7_certificates((files.certificates / "dod.pem.p7b").read_bytes()),
        *(x509.load_der_x509_certificate(path.read_bytes()) for path in files.certificates.glob("*.cer")),
    ]
    assert len(scattered) == len(heap)
    assert set(scattered) == heap
    assert {path.name: path.read_bytes() for path in files.crls.iterdir()} == dict(replica.crls)


def test_readme_explains_each_file(replica, tmp_path):
    """The README explains every file in the folder, and the commands to run."""
    files = lab.write(replica, tmp_path)
    text = files.readme.read_text()
    for entry in tmp_path.iterdir():
        assert entry.name in text or entry.name in {".pkcs12kit-lab", "README.txt"}
    assert "pkcs12kit build --key server.key --cert server.pem --certs certs --anchor anchor.pem" in text
    assert "DoD Root CA 3 #748" in text


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_only_the_owner_may_read_the_key(replica, tmp_path, umask):
    """The key has mode 0600 under any umask, and again after a second run if the mode was changed in between."""
    before = os.umask(umask)
    try:
        files = lab.write(replica, tmp_path)
        files.key.chmod(0o644)
        lab.write(replica, tmp_path)
    finally:
        os.umask(before)
    assert mode(files.key) == 0o600
    keys = [path for path in tmp_path.rglob("*") if path.is_file() and b"PRIVATE" in path.read_bytes()]
    assert keys == [files.key]


def test_key_has_its_mode_from_the_start(replica, tmp_path, monkeypatch):
    """The key can never be read by others: it is created with O_EXCL and 0600."""
    calls = {}
    real_open = os.open

    def watch(path, flags, mode=0o777, **rest):
        calls[Path(path).name] = (flags, mode)
        return real_open(path, flags, mode, **rest)

    monkeypatch.setattr(os, "open", watch)
    lab.write(replica, tmp_path)
    flags, mode = calls["server.key"]
    assert flags & os.O_EXCL
    assert mode == 0o600


def test_earlier_lab_is_written_over(replica, tmp_path):
    """A second run leaves a complete second lab, no file of the first, and the user's own files."""
    first = lab.write(replica, tmp_path)
    names = {path.relative_to(tmp_path) for path in tmp_path.rglob("*")}
    (tmp_path / "notes.txt").write_text("mine")
    again = lab.make_replica(key_type=lab.KeyType.EC_P256)
    lab.write(again, tmp_path)
    assert first.trust_anchor.read_text() == again.trust_anchor.to_pem()
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} - names == {
        (tmp_path / "notes.txt").relative_to(tmp_path)
    }
    heap = {certificate.as_cryptography for certificate in again.pool}
    for path in (tmp_path / "certs").glob("*.cer"):
        assert x509.load_der_x509_certificate(path.read_bytes()) in heap


def test_other_folder_is_refused(replica, tmp_path):
    """A folder with other contents than a lab is not changed."""
    (tmp_path / "server.key").write_text("a real key")
    with pytest.raises(OutputError, match="not empty"):
        lab.write(replica, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["server.key"]
    assert (tmp_path / "server.key").read_text() == "a real key"


def test_file_in_place_of_the_folder_is_refused(replica, tmp_path):
    """The error is in our tree and names the place, without a traceback of the system."""
    (tmp_path / "lab").write_text("a file")
    with pytest.raises(OutputError, match="cannot write the lab to"):
        lab.write(replica, tmp_path / "lab")
    assert (tmp_path / "lab").read_text() == "a file"


def test_symbolic_links_are_not_followed(replica, tmp_path):
    """A symbolic link in an earlier lab is not followed: that of a file is replaced, that of a folder is refused."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = elsewhere / "precious"
    target.write_text("mine")
    files = lab.write(replica, tmp_path / "lab")
    files.key.unlink()
    files.key.symlink_to(target)
    lab.write(replica, tmp_path / "lab")
    assert not files.key.is_symlink()
    assert target.read_text() == "mine"
    for path in files.crls.iterdir():
        path.unlink()
    files.crls.rmdir()
    files.crls.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="symbolic link"):
        lab.write(replica, tmp_path / "lab")
    assert [path.name for path in elsewhere.iterdir()] == ["precious"]


def test_openssl_verifies_the_files(replica, tmp_path, require_tool):
    """The files verify with OpenSSL, CRLs included, with the certificates of one path."""
    files = lab.write(replica, tmp_path)
    needed = tmp_path / "needed.pem"
    needed.write_text("".join(certificate.to_pem() for certificate in replica.valid_paths[0].certificates[1:]))
    crls = [argument for path in files.crls.iterdir() for argument in ("-CRLfile", path)]
    command = [require_tool("openssl"), "verify", "-policy", lab.COMMON_DEVICES, "-policy_check", "-crl_check_all"]
    answer = subprocess.run(
        [*command, *crls, "-trusted", files.trust_anchor, "-untrusted", needed, files.certificate],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
