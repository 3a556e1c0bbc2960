"""Notes on certificates: the clients that the rules name as tried refuse such certificates, and accept sound ones."""

import subprocess

import pytest
from asn1crypto import pem
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

import pkcs12kit as pk
from pkcs12kit.certificates.lint.rules import RULES
from pkcs12kit.findings import Evidence
from pkcs12kit.tls.handshake import Verdict

from .chains import DEFECTS, HOST, NOW, SOUND, chain_with

TRIED_WITH_PYTHON = [
    (rule, part)
    for rule, part in DEFECTS
    if any(client.client.startswith("Python") and client.evidence is Evidence.TRIED for client in RULES[rule].clients)
]


def write_pem(path, *parts):
    """Write certificates as PEM, and return the path."""
    path.write_bytes(b"".join(pem.armor("CERTIFICATE", part.der) for part in parts))
    return path


@pytest.fixture
def verified(require_tool, tmp_path):
    """A function: the output of ``openssl verify`` on a chain, None where it accepts."""
    openssl = require_tool("openssl")

    def verify(chain, *options):
        server, issuing, root = chain
        files = [write_pem(tmp_path / f"{at}.pem", part) for at, part in enumerate((root, issuing, server))]
        call = [openssl, "verify", *options, "-attime", str(int(NOW.timestamp())), "-CAfile", files[0]]
        ran = subprocess.run([*call, "-untrusted", files[1], files[2]], capture_output=True, text=True, check=False)
        return None if ran.returncode == 0 else ran.stdout + ran.stderr

    return verify


@pytest.mark.parametrize(("rule", "part"), TRIED_WITH_PYTHON)
def test_strict_openssl_refuses(verified, rule, part):
    """Python since 3.13 sets X509_V_FLAG_X509_STRICT in its default context; OpenSSL then refuses, else it accepts."""
    assert verified(chain_with(part)) is None, rule
    assert verified(chain_with(part), "-x509_strict") is not None, rule


def test_strict_openssl_accepts_the_sound_chain(verified):
    """The refusals above are for the defect only."""
    assert verified(SOUND, "-x509_strict") is None


PROGRAMS = {
    "Java": "java",
    "Go": "go",
    "GnuTLS of Debian 12": "gnutls",
    "OpenSSL and curl of Debian 12": "curl",
}
"""The clients of the rehearsal that stand for clients of the rules."""
TRIED_WITH_A_SERVER = [
    (rule, PROGRAMS[client.client])
    for rule, found in RULES.items()
    for client in found.clients
    if client.evidence is Evidence.TRIED and not client.client.startswith("Python")
]


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "program"), TRIED_WITH_A_SERVER)
def test_clients_refuse_a_server(require_tool, rule, program):
    """The client refuses the server with the defect, in TLS 1.2 and in TLS 1.3, and accepts the sound chain."""
    require_tool({"gnutls": "gnutls-cli"}.get(program, program))
    broken = next(part for one, part in DEFECTS if one == rule)
    assert verdicts(SOUND, program) == {Verdict.ACCEPTED}
    assert verdicts(chain_with(broken), program) == {Verdict.REFUSED}


def verdicts(chain, program):
    """Return the answers of a client to a server with the certificates and the key of a chain."""
    server, *others = (pk.Certificate.from_der(part.der) for part in chain)
    data = pkcs12.serialize_key_and_certificates(
        None, chain[0].key, server.as_cryptography, [others[0].as_cryptography], NoEncryption()
    )
    report = pk.rehearse(
        data,
        password=None,
        trust_anchors=[pk.TrustAnchor.from_certificate(others[1])],
        clients=[program],
        server_name=HOST,
    )
    return {handshake.verdict for handshake in report.handshakes if handshake.client == program}
