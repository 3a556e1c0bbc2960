"""OpenSSL, keytool, pk12util and certtool of this machine: they read ours, we read theirs."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from pkcs12kit.certificates.identity import Identity
from pkcs12kit.errors import PfxPasswordError
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import CA_NAMES, PASSWORD, make_path

pytestmark = [pytest.mark.slow, pytest.mark.released_iterations]

NAMES = ["mdm.example.mil", "Issuing CA", *CA_NAMES]


def run(*command, **arguments):
    """Run a program and give what it printed, both streams; a failure is the test's."""
    process = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=60,
        **arguments,
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


# Profiles that every one of the programs opens; what else is known of them is in test_pfx_readers_tried.py.
OPENED_BY_ALL = (
    profiles.MODERN_2023,
    profiles.LEGACY_3DES,
    profiles.LEGACY_RC2,
    profiles.UNENCRYPTED_CERTIFICATES_2023,
)


@pytest.fixture(params=OPENED_BY_ALL, ids=lambda profile: profile.name)
def profile(request):
    """Each of these profiles, with its own iteration counts."""
    return request.param


@pytest.fixture(params=["ec", "rsa"])
def ours(request, keys, profile, tmp_path):
    """A file that we wrote: key, end-entity, 5 CA certificates."""
    path = make_path(keys[request.param])
    identity = Identity(private_key=keys[request.param], certificate=path.target)
    file = tmp_path / "ours.p12"
    file.write_bytes(
        encode_pfx(
            Bundle.from_path(identity, path, friendly_name="mdm.example.mil"), password=PASSWORD, profile=profile
        )
    )
    return file


def test_openssl_reads_ours(require_tool, ours, profile, password_file):
    """OpenSSL lists the six in order, names them, and gives the key."""
    legacy = ["-legacy"] if profile is profiles.LEGACY_RC2 else []
    printed = run(require_tool("openssl"), "pkcs12", "-in", ours, "-passin", f"file:{password_file}", "-noenc", *legacy)
    assert re.findall(r"^subject=CN = (.*)$", printed, re.MULTILINE) == NAMES
    assert re.findall(r"friendlyName: (.*)$", printed, re.MULTILINE) == [*NAMES, NAMES[0]]
    assert printed.count("localKeyID") == 2
    assert printed.count("PRIVATE KEY-----") == 2


def test_keytool_reads_ours(require_tool, ours, password_file):
    """Java sees one key entry under our name with a chain of six in order."""
    printed = run(
        require_tool("keytool"),
        "-list",
        "-v",
        "-storetype",
        "PKCS12",
        "-keystore",
        ours,
        "-storepass:file",
        password_file,
    )
    assert "Your keystore contains 1 entry" in printed
    assert "Alias name: mdm.example.mil" in printed
    assert "Entry type: PrivateKeyEntry" in printed
    assert "Certificate chain length: 6" in printed
    assert re.findall(r"^Owner: CN=(.*)$", printed, re.MULTILINE) == NAMES


def test_keytool_can_use_the_key(require_tool, ours, password_file, tmp_path):
    """Java decrypts the key too: it signs a certificate request with it."""
    request = tmp_path / "request.pem"
    store = ["-storetype", "PKCS12", "-keystore", ours, "-storepass:file", password_file]
    run(require_tool("keytool"), "-certreq", "-alias", "mdm.example.mil", "-file", request, *store)
    assert "BEGIN NEW CERTIFICATE REQUEST" in request.read_text()


def test_pk12util_reads_ours(require_tool, ours, password_file):
    """NSS lists the six and the shrouded key."""
    printed = run(require_tool("pk12util"), "-l", ours, "-w", password_file)
    assert re.findall(r'Subject: "CN=(.*)"', printed) == NAMES
    assert re.findall(r"Friendly Name: (.*)", printed) == [*NAMES, NAMES[0]]
    assert printed.count("Key(shrouded)") == 1


def test_pk12util_imports_ours_and_exports_it(require_tool, ours, password_file, tmp_path):
    """NSS takes the key into its database; what it exports again (600,000 iterations on Debian 12) we read."""
    database = tmp_path / "nss"
    database.mkdir()
    options = ["-d", f"sql:{database}", "-K", "", "-w", password_file]
    run(require_tool("pk12util"), "-i", ours, *options)
    exported = tmp_path / "theirs.p12"
    run(require_tool("pk12util"), "-o", exported, "-n", "mdm.example.mil", *options)
    theirs = decode_pfx(exported.read_bytes(), password=PASSWORD)
    expected = decode_pfx(ours.read_bytes(), password=PASSWORD)
    assert theirs.identity.certificate == expected.identity.certificate
    assert set(theirs.certificates) == set(expected.certificates)


def test_certtool_reads_ours(require_tool, ours):
    """GnuTLS verifies the MAC and lists the six bags and the key. Certtool takes a password as an argument only."""
    printed = run(require_tool("certtool"), "--p12-info", "--inder", "--infile", ours, "--password", PASSWORD)
    assert printed.count("Type: Certificate") == 6
    assert printed.count("BEGIN CERTIFICATE") == 6
    assert re.findall(r"Friendly name: (.*)", printed) == [*NAMES, NAMES[0]]
    assert "BEGIN PRIVATE KEY" in printed or "BEGIN ENCRYPTED PRIVATE KEY" in printed


def test_the_others_refuse_a_wrong_password(require_tool, ours, tmp_path):
    """A check that the programs above do look at the password."""
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not the password")
    for command in (
        ["openssl", "pkcs12", "-in", ours, "-passin", f"file:{wrong}", "-noenc"],
        ["keytool", "-list", "-storetype", "PKCS12", "-keystore", ours, "-storepass:file", wrong],
        ["pk12util", "-l", ours, "-w", wrong],
    ):
        process = subprocess.run([require_tool(command[0]), *map(str, command[1:])], capture_output=True, check=False)
        assert process.returncode != 0


def test_openssl_reads_certificates_alone(require_tool, identity_and_path, profile, password_file, tmp_path):
    """A file without a key is opened, and has none."""
    _, path = identity_and_path
    file = tmp_path / "ca.p12"
    file.write_bytes(encode_pfx(Bundle.certificates_only(path), password=PASSWORD, profile=profile))
    legacy = ["-legacy"] if profile is profiles.LEGACY_RC2 else []
    printed = run(require_tool("openssl"), "pkcs12", "-in", file, "-passin", f"file:{password_file}", "-noenc", *legacy)
    assert re.findall(r"^subject=CN = (.*)$", printed, re.MULTILINE) == NAMES
    assert "PRIVATE KEY" not in printed


def test_keytool_lists_every_certificate_of_colliding_names(require_tool, keys, password_file, tmp_path):
    """CA certificates whose names only differ in case, or equal that of the key, are all in the chain."""
    path = make_path(keys["ec"], ("Bridge CA/A", "BRIDGE CA/B", "MDM.example.mil/C"))
    identity = Identity(private_key=keys["ec"], certificate=path.target)
    file = tmp_path / "colliding.p12"
    bundle = Bundle.from_path(identity, path, friendly_name="mdm.example.mil")
    file.write_bytes(encode_pfx(bundle, password=PASSWORD))
    store = ["-storetype", "PKCS12", "-keystore", file, "-storepass:file", password_file]
    printed = run(require_tool("keytool"), "-list", "-v", *store)
    assert "Certificate chain length: 5" in printed
    assert len(set(re.findall(r"SHA256: (\S+)", printed))) == 5
    # NSS too lists each under a name of its own
    printed = run(require_tool("pk12util"), "-l", file, "-w", password_file)
    assert len(set(re.findall(r"Friendly Name: (.*)", printed))) == 5


@pytest.fixture
def pem_files(bundle, tmp_path):
    """Key, certificate and CA certificates in PEM, for programs that write PKCS#12; the key for one test only."""
    files = {name: tmp_path / f"{name}.pem" for name in ("key", "certificate", "chain")}
    encoded = bundle.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files["key"].write_bytes(encoded)
    files["certificate"].write_text(bundle.certificates[0].to_pem())
    files["chain"].write_text("".join(certificate.to_pem() for certificate in bundle.certificates[1:]))
    return files


OPENSSL_CHOICES = {
    "default": [],
    "as OpenSSL 1.x did": ["-legacy"],
    "without a MAC": ["-nomac"],
    "unencrypted": ["-certpbe", "NONE", "-keypbe", "NONE"],
    "AES-128": ["-certpbe", "AES-128-CBC", "-keypbe", "AES-192-CBC", "-macalg", "sha512"],
    "triple DES by PBES2": ["-certpbe", "DES-EDE3-CBC", "-keypbe", "DES-EDE3-CBC", "-macalg", "sha384"],
    "2-key triple DES": ["-legacy", "-certpbe", "PBE-SHA1-2DES", "-keypbe", "PBE-SHA1-2DES"],
    "RC2 with 128 bits": ["-legacy", "-certpbe", "PBE-SHA1-RC2-128", "-keypbe", "PBE-SHA1-RC2-128"],
    "RC4": ["-legacy", "-certpbe", "PBE-SHA1-RC4-40", "-keypbe", "PBE-SHA1-RC4-128", "-macalg", "md5"],
    "many iterations": ["-iter", "200000"],
}


@pytest.mark.parametrize("choice", OPENSSL_CHOICES)
def test_we_read_openssls(require_tool, bundle, pem_files, password_file, tmp_path, choice):
    """Files of OpenSSL are read: of its defaults, of version 1.x, and of its other options."""
    file = tmp_path / "theirs.p12"
    run(
        require_tool("openssl"),
        *("pkcs12", "-export", "-out", file, "-passout", f"file:{password_file}", "-name", "mine"),
        *("-inkey", pem_files["key"], "-in", pem_files["certificate"], "-certfile", pem_files["chain"]),
        *OPENSSL_CHOICES[choice],
    )
    decoded = decode_pfx(file.read_bytes(), password=PASSWORD)
    assert decoded.identity.certificate == bundle.certificates[0]
    assert decoded.certificates == bundle.certificates
    assert decoded.friendly_name == "mine"
    assert inspect_pfx(file.read_bytes(), password=PASSWORD).end_entity == bundle.certificates[0]
    if choice != "unencrypted":
        with pytest.raises(PfxPasswordError):
            decode_pfx(file.read_bytes(), password="wrong")


@pytest.mark.parametrize("kind", ["as Java 17 does", "as Java 8 did"])
def test_we_read_keytools(require_tool, password_file, tmp_path, kind):
    """Files of keytool are read: of its defaults, and of its legacy switch (RC2-40 for certificates)."""
    file = tmp_path / "theirs.p12"
    legacy = ["-J-Dkeystore.pkcs12.legacy"] if kind == "as Java 8 did" else []
    run(
        require_tool("keytool"),
        *("-genkeypair", "-alias", "mine", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=host"),
        *("-storetype", "PKCS12", "-keystore", file, "-storepass:file", password_file),
        *legacy,
    )
    decoded = decode_pfx(file.read_bytes(), password=PASSWORD)
    assert decoded.identity.certificate.subject.common_name == "host"
    assert decoded.friendly_name == "mine"
    encryption = next(safe.encryption for safe in inspect_pfx(file.read_bytes()).safe_contents if safe.encryption)
    assert encryption.cipher == ("RC2-40-CBC" if legacy else "AES-256-CBC")


@pytest.mark.parametrize("cipher", ["default", "3des-pkcs12", "rc2-40", "arcfour", "aes-128"])
def test_we_read_certtools(require_tool, bundle, pem_files, tmp_path, cipher):
    """Files of GnuTLS are read: of its defaults (600,000 iterations on Debian 12), and of its other ciphers."""
    file = tmp_path / "theirs.p12"
    chosen = [] if cipher == "default" else [f"--pkcs-cipher={cipher}"]
    run(
        require_tool("certtool"),
        *("--to-p12", "--outder", "--outfile", file, "--p12-name", "mine", "--password", PASSWORD),
        *("--load-privkey", pem_files["key"], "--load-certificate", pem_files["certificate"]),
        *("--load-ca-certificate", pem_files["chain"]),
        *chosen,
        env={**os.environ, "LC_ALL": "C"},
    )
    decoded = decode_pfx(file.read_bytes(), password=PASSWORD)
    assert decoded.identity.certificate == bundle.certificates[0]
    assert decoded.friendly_name == "mine"
