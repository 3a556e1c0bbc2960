"""Notes on certificates: the clients that the rules name as tried refuse such certificates, and accept sound ones."""

import shutil
import subprocess

import pytest
from asn1crypto import pem

from pkcs12kit.certificates.lint.rules import RULES
from pkcs12kit.findings import Evidence

from .chains import DEFECTS, NOW, SOUND, chain_with

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
def verified(tmp_path):
    """A function: the output of ``openssl verify`` on a chain, None where it accepts."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")

    def verify(chain, *options):
        server, issuing, root = chain
        files = [write_pem(tmp_path / f"{at}.pem", part) for at, part in enumerate((root, issuing, server))]
        call = ["openssl", "verify", *options, "-attime", str(int(NOW.timestamp())), "-CAfile", files[0]]
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


@pytest.mark.slow
def test_java_refuses_an_empty_subject_without_a_critical_name(tmp_path):
    """Java does not read such a certificate, in whatever place of a chain."""
    if shutil.which("keytool") is None:
        pytest.skip("keytool is not installed")
    broken = dict(DEFECTS)["alternative-name-not-critical"]
    for part, status in ((SOUND[0], 0), (broken, 1)):
        file = write_pem(tmp_path / "server.pem", part)
        ran = subprocess.run(
            ["keytool", "-printcert", "-v", "-file", file], capture_output=True, text=True, check=False
        )
        assert ran.returncode == status, ran.stdout
    assert "Failed to parse input" in ran.stdout
