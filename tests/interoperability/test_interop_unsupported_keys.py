"""Real SLH-DSA and ML-KEM keys, certificates and PKCS#12 files of OpenSSL 3.5: read, named, and refused."""

from __future__ import annotations

import subprocess

import pytest

import pkcs12kit as pk
from pkcs12kit.errors import FailureReason

NAME = "www.example.mil"
PASSWORD = "correct horse 42 battery"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def openssl(other, cannot_run):
    """Run OpenSSL of the other release; files are in the folder that is returned with it."""
    version = other.version("openssl")
    if tuple(map(int, version.split(".")[:2])) < (3, 5):
        cannot_run(f"needs OpenSSL 3.5 or newer in the other release, which has {version or 'none'}")
    folder = other.folder / "unsupported"
    folder.mkdir()
    (folder / "password").write_text(PASSWORD)
    (folder / "extensions").write_text(f"subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\n")

    def run(*words):
        command = [other.program("openssl"), *" ".join(words).split()]
        subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)

    def issue(issuer, algorithm):
        """Make a root with keys of one algorithm, and a certificate for a server with a key of another."""
        name = algorithm.lower()
        if not (folder / f"{issuer}.pem").exists():
            run(f"req -x509 -newkey {issuer} -nodes -keyout {issuer}.key -out {issuer}.pem -subj /CN=Root -days 9")
            run(f"req -newkey ED25519 -nodes -keyout own.key -out {issuer}.csr -subj /CN={NAME}")
        run(f"genpkey -algorithm {algorithm} -out {name}.key")
        run(f"pkey -in {name}.key -pubout -out {name}.pub")
        run(
            f"x509 -req -in {issuer}.csr -force_pubkey {name}.pub -CA {issuer}.pem -CAkey {issuer}.key -days 8",
            f"-extfile extensions -out {name}.pem",
        )
        run(f"pkcs12 -export -inkey {name}.key -in {name}.pem -out {name}.p12 -passout file:password")
        root = pk.Certificate.from_pem((folder / f"{issuer}.pem").read_text())
        return folder / f"{name}.pem", root

    return issue


@pytest.mark.parametrize("algorithm", ["SLH-DSA-SHA2-128s", "SLH-DSA-SHAKE-256f"])
def test_a_root_with_slh_dsa(openssl, algorithm):
    """RFC 9909: the signature cannot be checked, and the failure names the algorithm."""
    target, root = openssl(algorithm, "ED448")
    report = pk.find_paths(pk.Certificate.from_pem(target.read_text()), trust_anchors=[root], certificates=[])
    failures = [one for each in report.rejected for one in each.failures]
    assert not report.valid
    assert {one.reason for one in failures} == {FailureReason.UNSUPPORTED_ALGORITHM}
    assert f"cannot be checked: signature algorithm {algorithm} is not supported" in failures[0].detail


@pytest.mark.parametrize("algorithm", ["SLH-DSA-SHA2-192f", "ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"])
def test_a_server_with_such_a_key(openssl, algorithm):
    """RFC 9909, RFC 9935: no path for a TLS server; the private key is named, and never called damaged."""
    target, root = openssl("ML-DSA-65", algorithm)
    certificate = pk.Certificate.from_pem(target.read_text())
    report = pk.find_paths(certificate, trust_anchors=[root], certificates=[], server_name=NAME)
    assert not report.valid
    assert algorithm in report.rejected[0].failures[0].detail
    for call in (
        lambda: pk.load_identity(key=target.with_suffix(".key"), certificate=target),
        lambda: pk.load_identity(pkcs12=target.with_suffix(".p12"), password=PASSWORD),
        lambda: pk.verify(target.with_suffix(".p12"), password=PASSWORD, trust_anchors=[root]),
        lambda: pk.rehearse(target.with_suffix(".p12"), password=PASSWORD, trust_anchors=[root]),
    ):
        with pytest.raises(pk.Pkcs12KitError, match=f"private key .*{algorithm} .*not supported") as caught:
            call()
        assert "damaged" not in str(caught.value)
    decoded = pk.decode_pfx(target.with_suffix(".p12").read_bytes(), password=PASSWORD)
    assert algorithm in decoded.unread_keys[0].algorithm
