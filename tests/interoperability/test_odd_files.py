"""Odd files that programs of both releases of Debian write: other entries beside a key, other forms, other keys."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp

import pytest
from asn1crypto import core, pem
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.pkcs12.conversion import convert_pfx

from ..pkcs12.decrypted_parts import plaintexts_of
from .releases import BOUNCY_CASTLE as JAR

BOUNCY_CASTLE = Path("/") / JAR

PASSWORD, NEW = "secret", "another"
CURVES = ("Ed25519", "Ed448")
KEYTOOL = ("-m", "java.base/sun.security.tools.keytool.Main", "-storetype", "PKCS12", "-storepass")
JAVA_PROGRAM = """
import java.io.*; import java.nio.file.*; import java.security.*; import java.security.cert.*;
import java.security.spec.*;
public class OddFiles {
  public static void main(String[] given) throws Exception {
    Provider castle = new org.bouncycastle.jce.provider.BouncyCastleProvider();
    Path folder = Path.of(given[1]);
    for (String name : new String[] {"Ed25519", "Ed448"}) {
      if (given[0].equals("keys")) {
        KeyPair pair = KeyPairGenerator.getInstance(name, castle).generateKeyPair();
        Files.write(folder.resolve(name + ".key"), pair.getPrivate().getEncoded());
        Files.write(folder.resolve(name + ".public"), pair.getPublic().getEncoded());
        continue;
      }
      KeySpec read = new PKCS8EncodedKeySpec(Files.readAllBytes(folder.resolve(name + ".key")));
      InputStream encoded = new ByteArrayInputStream(Files.readAllBytes(folder.resolve(name + ".crt")));
      java.security.cert.Certificate own = CertificateFactory.getInstance("X.509", castle).generateCertificate(encoded);
      KeyStore store = KeyStore.getInstance("PKCS12", castle);
      store.load(null, null);
      store.setKeyEntry("srv", KeyFactory.getInstance(name, castle).generatePrivate(read), null,
          new java.security.cert.Certificate[] {own});
      try (OutputStream out = Files.newOutputStream(folder.resolve(name + ".p12"))) {
        store.store(out, "secret".toCharArray());
      }
    }
  }
}
"""

pytestmark = pytest.mark.slow


class ThisRelease:
    """The programs of this system."""

    def __init__(self, folder, require_tool):
        self.folder, self.program = folder, require_tool


@pytest.fixture(params=["this", "the other"])
def release(request, require_tool, tmp_path):
    """The programs of a release of Debian, with a folder in which they can read and write."""
    if request.param == "this":
        yield ThisRelease(tmp_path, require_tool)
        return
    other = request.getfixturevalue("other")
    before, other.folder = other.folder, Path(mkdtemp(dir=other.folder))
    yield other
    shutil.rmtree(other.folder)
    other.folder = before


@pytest.fixture
def server(release):
    """A server's key and certificate, as PEM files in the folder as well."""
    authority = lab.Authority.create("CA")
    identity = authority.issue_server("mdm.example.mil")
    encoded = identity.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (release.folder / "server.key").write_bytes(encoded)
    (release.folder / "server.pem").write_bytes(pem.armor("CERTIFICATE", identity.certificate.der))
    return identity


def run(release, name, *words, stdin="", refused=False):
    """Run a program in the folder."""
    command = [release.program(name), *map(str, words)]
    done = subprocess.run(
        command, cwd=release.folder, input=stdin, capture_output=True, text=True, check=False, timeout=120
    )
    assert bool(done.returncode) is refused, (words, done.stdout, done.stderr)
    return done.stdout


def test_a_key_store_of_keytool(release):
    """Keys, secret keys, a password and a trusted certificate: keytool lists all of them after a conversion."""
    store = release.folder / "store.p12"
    use = (*KEYTOOL, PASSWORD, "-keystore", store)
    run(release, "java", *use, "-genkeypair", "-alias", "one", "-keyalg", "EC", "-dname", "CN=one")
    run(release, "java", *use, "-genkeypair", "-alias", "two", "-keyalg", "RSA", "-dname", "CN=two")
    run(release, "java", *use, "-genseckey", "-alias", "aes", "-keyalg", "AES", "-keysize", "256")
    run(release, "java", *use, "-genseckey", "-alias", "hmac", "-keyalg", "HmacSHA256", "-keysize", "256")
    run(release, "java", *use, "-importpass", "-alias", "word", stdin="password\npassword\n")
    (release.folder / "ca.crt").write_bytes(lab.Authority.create("CA").certificate.der)
    run(release, "java", *use, "-importcert", "-noprompt", "-alias", "ca", "-file", release.folder / "ca.crt")
    before, decoded = store.read_bytes(), pk.decode_pfx(store.read_bytes(), password=PASSWORD)
    assert {key.friendly_name for key in decoded.keys} == {"one", "two"}
    assert (len(decoded.certificates), len(decoded.other_bags), decoded.unread_keys) == (3, 3, ())
    after = convert_pfx(before, password=PASSWORD, new_password=NEW)
    assert plaintexts_of(after, PASSWORD, within=NEW) == []
    store.write_bytes(after)
    listed = run(release, "java", *KEYTOOL, NEW, "-keystore", store, "-list")
    kinds = [listed.count(f"{kind}Entry") for kind in ("PrivateKey", "SecretKey", "trustedCert")]
    assert kinds == [2, 3, 1]
    run(release, "java", *use, "-list", refused=True)


@pytest.mark.parametrize("cipher", ["default", "3des", "3des-pkcs12", "aes-128", "aes-256", "rc2-40", "arcfour"])
def test_keys_of_certtool(release, server, cipher):
    """PKCS#8 as ``--key``, with each cipher of GnuTLS."""
    options = () if cipher == "default" else (f"--pkcs-cipher={cipher}",)
    key = release.folder / "encrypted.key"
    words = ("--to-p8", "--load-privkey", "server.key", "--password", PASSWORD, "--outfile", "encrypted.key")
    run(release, "certtool", *words, *options)
    found = pk.load_identity(key=key, certificate=server.certificate.der, key_password=PASSWORD)
    assert found.private_key.public_key() == server.certificate.public_key


def test_gost_of_certtool(release, server):
    """GnuTLS encrypts with GOST 28147-89 as well, which is refused by its name."""
    words = ("--to-p8", "--load-privkey", "server.key", "--password", PASSWORD, "--outfile", "encrypted.key")
    run(release, "certtool", *words, "--pkcs-cipher=gost28147-tc26z")
    with pytest.raises(pk.InputError, match="GOST"):
        pk.load_identity(
            key=release.folder / "encrypted.key", certificate=server.certificate.der, key_password=PASSWORD
        )


def test_pkcs12_of_certtool_in_pem(release, server):
    """GnuTLS writes PKCS#12 in PEM unless it is told not to."""
    words = ("--load-privkey", "server.key", "--load-certificate", "server.pem", "--p12-name", "srv")
    run(release, "certtool", "--to-p12", *words, "--password", PASSWORD, "--outfile", "server.p12")
    assert b"-----BEGIN PKCS12-----" in (release.folder / "server.p12").read_bytes()
    found = pk.load_identity(pkcs12=release.folder / "server.p12", password=PASSWORD)
    assert found.certificate == server.certificate


def test_keys_of_bouncy_castle_in_version_2(release, require_tool, cannot_run):
    """RFC 5958: with the public key, in PKCS#8 and in a PKCS#12 file; what is converted opens as well."""
    if not BOUNCY_CASTLE.exists():
        cannot_run(f"needs Bouncy Castle in {BOUNCY_CASTLE} (Debian's libbcprov-java)")
    (release.folder / "OddFiles.java").write_text(JAVA_PROGRAM)
    compiler = (require_tool("javac"), "--release", "17", "-cp", BOUNCY_CASTLE, "-d", release.folder)
    subprocess.run([*compiler, release.folder / "OddFiles.java"], check=True, capture_output=True, timeout=120)
    java = ("-cp", f"{BOUNCY_CASTLE}:{release.folder}", "OddFiles")
    run(release, "java", *java, "keys", release.folder)
    authority, certificates = lab.Authority.create("CA"), {}
    for name in CURVES:
        public_key = load_der_public_key((release.folder / f"{name}.public").read_bytes())
        certificates[name] = authority.issue(name, public_key)
        (release.folder / f"{name}.crt").write_bytes(certificates[name].der)
    run(release, "java", *java, "stores", release.folder)
    for name, certificate in certificates.items():
        key, file = ((release.folder / f"{name}.{ending}").read_bytes() for ending in ("key", "p12"))
        assert core.Sequence.load(key)[0].dump() == b"\x02\x01\x01"  # version 2
        assert key in plaintexts_of(file, PASSWORD)
        for found in (
            pk.load_identity(key=key, certificate=certificate.der),
            pk.load_identity(pkcs12=file, password=PASSWORD),
            pk.load_identity(pkcs12=convert_pfx(file, password=PASSWORD, new_password=NEW), password=NEW),
        ):
            assert found.certificate == certificate
            assert found.private_key.public_key() == certificate.public_key
