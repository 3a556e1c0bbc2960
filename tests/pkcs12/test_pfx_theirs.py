"""Files of OpenSSL, Java and GnuTLS as installed, by all their schemes, and test vectors of other projects."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.errors import PfxPasswordError, UnsupportedPfxError
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import PASSWORD

VECTORS = Path(cryptography_vectors.__file__).parent


@pytest.fixture(scope="module")
def pem(small_bundle, tmp_path_factory):
    """A folder with the key and the certificate in PEM, for the programs to export."""
    folder = tmp_path_factory.mktemp("pem")
    key = small_bundle.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(key)
    (folder / "certificate.pem").write_text(small_bundle.certificates[0].to_pem())
    (folder / "password.txt").write_text(PASSWORD)
    return folder


@pytest.fixture(scope="module")
def export(require_tool, pem):
    """Let openssl write a file with these options: its bytes."""

    def run(*options):
        command = [require_tool("openssl"), "pkcs12", "-export", "-legacy", "-inkey", pem / "key.pem"]
        command += ["-in", pem / "certificate.pem", "-passout", f"file:{pem / 'password.txt'}", *options]
        return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout

    return run


PBES1 = {
    "PBE-MD5-DES": ("PBKDF1", "DES-CBC"),
    "PBE-MD5-RC2-64": ("PBKDF1", "RC2-64-CBC"),
    "PBE-SHA1-DES": ("PBKDF1", "DES-CBC"),
    "PBE-SHA1-RC2-64": ("PBKDF1", "RC2-64-CBC"),
    "PBE-SHA1-RC4-128": ("PKCS12KDF", "RC4-128"),
    "PBE-SHA1-RC4-40": ("PKCS12KDF", "RC4-40"),
    "PBE-SHA1-3DES": ("PKCS12KDF", "DES-EDE3-CBC"),
    "PBE-SHA1-2DES": ("PKCS12KDF", "DES-EDE2-CBC"),
    "PBE-SHA1-RC2-128": ("PKCS12KDF", "RC2-128-CBC"),
    "PBE-SHA1-RC2-40": ("PKCS12KDF", "RC2-40-CBC"),
}
PBES2 = {
    "aes-128-cbc": "AES-128-CBC",
    "aes-192-cbc": "AES-192-CBC",
    "aes-256-cbc": "AES-256-CBC",
    "des-ede3-cbc": "DES-EDE3-CBC",
    "des-cbc": "DES-CBC",
    "rc2-cbc": "RC2-128-CBC",
    "rc2-64-cbc": "RC2-64-CBC",
    "rc2-40-cbc": "RC2-40-CBC",
    "camellia-128-cbc": "Camellia-128-CBC",
    "camellia-192-cbc": "Camellia-192-CBC",
    "camellia-256-cbc": "Camellia-256-CBC",
    "seed-cbc": "SEED-CBC",
}
ENCRYPTIONS = PBES1 | {name: ("PBKDF2", cipher) for name, cipher in PBES2.items()}


@pytest.mark.parametrize("name", ENCRYPTIONS)
def test_every_encryption_of_openssl(export, small_bundle, name):
    """RFC 7292 appendix C, RFC 8018 sections 6.1 and 6.2: OpenSSL's ciphertext, opened and named."""
    data = export("-certpbe", name, "-keypbe", name)
    decoded = decode_pfx(data, password=PASSWORD)
    assert decoded.identity.certificate == small_bundle.certificates[0]
    assert decoded.private_key.private_numbers() == small_bundle.private_key.private_numbers()
    report = inspect_pfx(data, password=PASSWORD)
    shrouded = report.safe_contents[1].bags[0].encryption
    for encryption in (report.safe_contents[0].encryption, shrouded):
        assert (encryption.kdf, encryption.cipher) == ENCRYPTIONS[name]
    with pytest.raises(PfxPasswordError):
        decode_pfx(data, password="wrong")


MACS = {
    "md5": "MD5",
    "sha1": "SHA-1",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
    "sha512-224": "SHA-512/224",
    "sha512-256": "SHA-512/256",
    "sha3-224": "SHA3-224",
    "sha3-256": "SHA3-256",
    "sha3-384": "SHA3-384",
    "sha3-512": "SHA3-512",
}


@pytest.mark.parametrize("name", MACS)
def test_every_mac_of_openssl(export, name):
    """RFC 7292 appendix B.4 with every digest that OpenSSL has and pkcs12kit reads."""
    decoded = decode_pfx(export("-macalg", name), password=PASSWORD)
    assert (decoded.mac.algorithm, decoded.mac.digest) == ("HMAC", MACS[name])


def test_what_openssl_has_beyond(export):
    """A cipher or a digest that is not read is an error of its own, with its identifier, and no wrong password."""
    with pytest.raises(UnsupportedPfxError, match=r"1\.2\.410\.200046\.1\.1\.2"):  # ARIA-128-CBC
        decode_pfx(export("-certpbe", "aria-128-cbc", "-keypbe", "aria-128-cbc"), password=PASSWORD)
    with pytest.raises(UnsupportedPfxError, match=r"1\.3\.36\.3\.2\.1"):  # RIPEMD-160
        decode_pfx(export("-macalg", "ripemd160"), password=PASSWORD)


def test_openssl_without_mac_or_encryption(export):
    """-nomac, and NONE for both encryptions."""
    for options in (("-nomac",), ("-keypbe", "NONE", "-certpbe", "NONE"), ("-nomaciter", "-iter", "1")):
        assert decode_pfx(export(*options), password=PASSWORD).certificate is not None


def test_attributes_of_openssl(export):
    """-CSP and -LMK put attributes on the key that come out with it."""
    decoded = decode_pfx(export("-CSP", "Some CSP", "-LMK", "-name", "server"), password=PASSWORD)
    assert decoded.friendly_name == "server"
    assert len(decoded.keys[0].attributes) == 2
    assert any("Some CSP".encode("utf-16-be") in attribute for attribute in decoded.keys[0].attributes)


def test_openssl_with_a_password_in_utf_8(require_tool, pem, tmp_path):
    """OpenSSL takes a password beyond ASCII for UTF-8: a BMPString of its characters comes of it."""
    password_file = tmp_path / "password.txt"
    password_file.write_text("пароль-🔑", "utf-8")
    command = [require_tool("openssl"), "pkcs12", "-export", "-inkey", pem / "key.pem", "-in", pem / "certificate.pem"]
    data = subprocess.run(
        [*command, "-passout", f"file:{password_file}"], capture_output=True, check=True, timeout=60
    ).stdout
    assert decode_pfx(data, password="пароль-🔑").password_uses[0].encoding == "UTF-16BE with terminator"


JAVA = """
import java.io.*;
import java.nio.file.*;
import java.security.*;

public class KeyPassword {
    public static void main(String[] arguments) throws Exception {
        char[] password = Files.readString(Path.of(arguments[2])).toCharArray();
        KeyStore from = KeyStore.getInstance("PKCS12");
        try (InputStream stream = new FileInputStream(arguments[0])) { from.load(stream, password); }
        KeyStore to = KeyStore.getInstance("PKCS12");
        to.load(null, null);
        Key key = from.getKey("one", password);
        to.setKeyEntry("one", key, "another".toCharArray(), from.getCertificateChain("one"));
        try (OutputStream stream = new FileOutputStream(arguments[1])) { to.store(stream, password); }
    }
}
"""


@pytest.fixture(scope="module")
def keystore(require_tool, pem, tmp_path_factory):
    """A key store by keytool with two keys and a secret key: its path."""
    path = tmp_path_factory.mktemp("java") / "store.p12"
    store = ["-storetype", "PKCS12", "-keystore", path, "-storepass:file", pem / "password.txt"]
    run = partial(subprocess.run, check=True, capture_output=True, timeout=60)
    for name in ("one", "two"):
        run([require_tool("keytool"), "-genkeypair", "-alias", name, "-keyalg", "EC", "-dname", f"CN={name}", *store])
    run([require_tool("keytool"), "-genseckey", "-alias", "secret", "-keyalg", "AES", "-keysize", "128", *store])
    return path


@pytest.mark.slow
def test_keytool_with_several_keys(keystore):
    """Each key is found by its alias, with its certificate; the secret key is listed and not opened."""
    decoded = decode_pfx(keystore.read_bytes(), password=PASSWORD)
    assert [key.friendly_name for key in decoded.keys] == ["one", "two"]
    assert decoded.key(friendly_name="two").certificate.subject.common_name == "two"
    assert [(bag.type, bag.friendly_name) for bag in decoded.other_bags] == [("secretBag", "secret")]


@pytest.mark.slow
def test_java_with_a_password_for_the_key(require_tool, keystore, pem, tmp_path):
    """Java's keys may have a password of their own, which keytool no longer makes, but programs do."""
    (tmp_path / "KeyPassword.java").write_text(JAVA)
    written = tmp_path / "two-passwords.p12"
    command = [require_tool("java"), tmp_path / "KeyPassword.java", keystore, written, pem / "password.txt"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with pytest.raises(PfxPasswordError, match="private key cannot be decrypted with the same password"):
        decode_pfx(written.read_bytes(), password=PASSWORD)
    decoded = decode_pfx(written.read_bytes(), password=PASSWORD, contents_password="another")
    assert decoded.identity.certificate.subject.common_name == "one"
    assert [use.contents_password for use in decoded.password_uses] == [False, False, True]


@pytest.mark.parametrize(
    "cipher",
    [
        "aes-256",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("3des", "3des-pkcs12", "aes-128", "aes-192", "rc2-40", "arcfour")
        ),
    ],
)
def test_every_encryption_of_certtool(require_tool, pem, small_bundle, tmp_path, cipher):
    """GnuTLS's writer. It takes a password as an argument only."""
    written = tmp_path / "theirs.p12"
    command = [require_tool("certtool"), "--to-p12", "--outder", "--load-privkey", pem / "key.pem"]
    command += ["--load-certificate", pem / "certificate.pem", "--pkcs-cipher", cipher, "--p12-name", "s"]
    subprocess.run(
        [*command, "--password", PASSWORD, "--outfile", written], check=True, capture_output=True, timeout=60
    )
    assert decode_pfx(written.read_bytes(), password=PASSWORD).identity.certificate == small_bundle.certificates[0]


@pytest.mark.parametrize("path", sorted(VECTORS.glob("pkcs12/*.p12")), ids=lambda path: path.stem)
def test_vectors_of_pyca(path):
    """Every PKCS#12 file of cryptography-vectors opens, with the names that its file name states."""
    password = None if path.stem.endswith(("no-pwd", "no-password")) else "password"
    if "aes256cbc" in path.stem or path.stem in {"cert-none-key-none", "cert-rc2-key-3des"}:
        password = "cryptography"
    if path.stem == "java-truststore":
        password = ""
    decoded = decode_pfx(path.read_bytes(), password=password)
    assert decoded.rejects == ()
    has_key = not path.stem.startswith("no-cert-n") and path.stem not in {"java-truststore", "cert-aes256cbc-no-key"}
    assert len(decoded.keys) == has_key
    if path.stem == "java-truststore":
        assert all(len(attributes) == 1 for attributes in decoded.certificate_attributes)
    if "name-all" in path.stem:
        assert decoded.friendly_names == ("name", "name2", "name3")[-len(decoded.friendly_names) :]
    if password:
        with pytest.raises(PfxPasswordError):
            decode_pfx(path.read_bytes(), password="wrong")


PKITS = sorted((VECTORS / "x509" / "PKITS_data" / "pkcs12").glob("*.p12"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # one of PKITS' certificates has such
def test_files_of_pkits():
    """NIST's PKITS: each file opens, its key belongs to a certificate, but for two that inherit DSA parameters.

    Every tenth, and all in CI: pyca checks each RSA key for a tenth of a second.
    """
    assert len(PKITS) == 405
    for path in PKITS[:: 1 if os.environ.get("CI") else 10]:
        decoded = decode_pfx(path.read_bytes(), password="password")
        inherits = path.stem in {"DSAParametersInheritedCACert", "ValidDSAParameterInheritanceTest5EE"}
        assert len(decoded.keys) == 1
        assert (decoded.certificate is None) == inherits, path
