"""Servers of ours with ML-DSA, asked by OpenSSL 3.5 and Java 25 of the other release of Debian."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import pem

from pkcs12kit import lab
from pkcs12kit.lab import KeyType
from pkcs12kit.tls.rehearsal.server import LoopbackServer

NAME = "www.example.mil"
SECONDS = 120
OPENSSL, JAVA = (3, 5), 25
ML_DSA = (KeyType.ML_DSA_44, KeyType.ML_DSA_65, KeyType.ML_DSA_87)
# The keys of the server, of its CA and of the root.
CHAINS = {
    "only": ML_DSA,
    "44": (KeyType.ML_DSA_44,) * 3,
    "87": (KeyType.ML_DSA_87,) * 3,
    "below-rsa": (KeyType.ML_DSA_65, KeyType.RSA_2048, KeyType.RSA_2048),
    "ec": (KeyType.EC_P256,) * 3,
    "above-ec": (KeyType.EC_P256, KeyType.ML_DSA_65, KeyType.ML_DSA_87),
}

pytestmark = pytest.mark.slow


@pytest.fixture
def chain(request, other):
    """The server's identity, its CA's certificate, and the file of the root inside the other release."""
    of_server, of_authority, of_root = CHAINS[request.param]
    root = lab.Authority.create("Root", key_type=of_root)
    authority = lab.Authority.create("CA", key_type=of_authority)
    certificate = root.issue_ca(authority)
    server = replace(authority, certificate=certificate).issue_server(NAME, key_type=of_server)
    trusted = other.folder / f"root-{request.param}.pem"
    trusted.write_bytes(pem.armor("CERTIFICATE", root.certificate.der))
    return server, certificate, trusted


def run(*command):
    """Run a program without input; return its status and everything that it printed."""
    said = subprocess.run(
        [*map(str, command)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    return said.returncode, said.stdout + said.stderr


@pytest.mark.parametrize("chain", CHAINS, indirect=True)
def test_openssl_shakes_hands(chain, other, cannot_run):
    """draft-ietf-tls-mldsa: it accepts the whole chain in TLS 1.3, and refuses another name and a missing CA."""
    version = other.version("openssl")
    if tuple(map(int, version.split(".")[:2])) < OPENSSL:
        cannot_run(f"needs OpenSSL 3.5 or newer in the other release, which has {version or 'none'}")
    server, authority, trusted = chain

    def ask(served, name):
        with LoopbackServer(server.private_key, served) as serving:
            return run(
                *(other.program("openssl"), "s_client", "-brief", "-tls1_3", "-verify_return_error"),
                *("-connect", f"127.0.0.1:{serving.port}", "-CAfile", trusted, "-verify_hostname", name),
            )

    status, said = ask((server.certificate, authority), NAME)
    assert (status, "Verification: OK" in said) == (0, True), said
    if server.private_key.public_key().__class__.__name__.startswith("MLDSA"):
        assert "Signature type: mldsa" in said
    assert ask((server.certificate, authority), "other.example.mil")[0] != 0
    assert ask((server.certificate,), NAME)[0] != 0


@pytest.mark.parametrize(
    ("chain", "answer"),
    [("ec", "accepted"), ("only", "handshake_failure"), ("above-ec", "handshake_failure")],
    indirect=["chain"],
)
def test_java_has_no_ml_dsa_in_tls(chain, answer, other, cannot_run):
    """Java 25 offers no scheme of draft-ietf-tls-mldsa: neither for the server's key nor for signatures of CAs."""
    home = next((home for version, home in other.javas.items() if version.startswith(f"{JAVA}.")), None)
    if home is None:
        cannot_run(f"needs Java {JAVA} in the other release")
    server, authority, trusted = chain
    source = other.folder / "AskServer.java"
    source.write_text((Path(__file__).parent / source.name).read_text("utf-8"))
    with LoopbackServer(server.private_key, (server.certificate, authority)) as serving:
        status, said = run(other.java(home), source, serving.port, trusted, NAME)
    assert status == 0, said
    assert answer in said
