"""What Java's key store makes of a file: the model of it gives what Java gives, for files made at random."""

from __future__ import annotations

import random
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.pkcs12.bags import certificate_bag, key_bag, other_bag, shrouded_key_bag, trusted_key_usage
from pkcs12kit.pkcs12.budget import WorkBudget
from pkcs12kit.pkcs12.decoder import decode_pfx
from pkcs12kit.pkcs12.encryption import algorithm_identifier, encrypt, new_encryption
from pkcs12kit.pkcs12.inspection import inspect_pfx
from pkcs12kit.pkcs12.passwords import encode_password
from pkcs12kit.pkcs12.profiles import MODERN

from .conftest import PASSWORD, issue
from .pfx_parts import bag_of, bags_of, der, explicit, oid, plain_safe, with_mac

ENTRIES = """
import java.io.*; import java.nio.charset.StandardCharsets; import java.security.*; import java.util.*;
import java.security.cert.Certificate;
public class Entries {
  static String hex(byte[] octets) { return new java.math.BigInteger("01" + String.join("", parts(octets)), 16)
    .toString(16).substring(1); }
  static List<String> parts(byte[] octets) { List<String> all = new ArrayList<>();
    for (byte one : octets) all.add(String.format("%02x", one)); return all; }
  public static void main(String[] given) throws Exception {
    File[] files = new File(given[0]).listFiles((folder, name) -> name.endsWith(".p12"));
    for (File file : files) {
      StringBuilder line = new StringBuilder(file.getName());
      try (InputStream in = new FileInputStream(file)) {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(in, given[1].toCharArray());
        for (String alias : Collections.list(store.aliases())) {
          String kind = store.isCertificateEntry(alias) ? "trusted certificate"
            : store.entryInstanceOf(alias, KeyStore.SecretKeyEntry.class) ? "secret key"
            : store.isKeyEntry(alias) ? "private key" : "?";
          Certificate[] chain = store.getCertificateChain(alias);
          if (store.isCertificateEntry(alias)) chain = new Certificate[] {store.getCertificate(alias)};
          List<String> digests = new ArrayList<>();
          if (chain != null) for (Certificate one : chain)
            digests.add(hex(MessageDigest.getInstance("SHA-256").digest(one.getEncoded())));
          line.append('|').append(hex(alias.getBytes(StandardCharsets.UTF_16BE))).append('=').append(kind)
            .append('=').append(String.join(",", digests));
        }
      } catch (Exception error) { line.append("|!").append(error.getClass().getSimpleName()); }
      System.out.println(line);
    }
  }
}
"""
NAMES = (None, None, "Tomcat", "tomcat", "1", "2", "\u0130x", "i\u0307x", "\u1e9e", "\xdf", "STRASSE", "\u0391\u03a3")
IDS = (None, b"\1", b"\1", b"\2", b"01")


@pytest.fixture(scope="module")
def parts():
    """The keys, and the certificates of them and of CAs: two of one name with other keys, two of one name and key."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "ca", "rekeyed", "one", "two")}
    certificates = [
        issue("one.example", keys["one"], "CA", keys["ca"], ca=False),
        issue("one.example", keys["one"], "CA", keys["ca"], ca=False),
        issue("two.example", keys["two"], "CA", keys["rekeyed"], ca=False),
        issue("CA", keys["ca"], "Root", keys["root"]),
        issue("CA", keys["rekeyed"], "Root", keys["root"]),
        issue("Root", keys["root"], "CA", keys["ca"]),
        issue("Root", keys["root"], "Root", keys["root"]),
    ]
    return [keys["one"], keys["two"]], certificates


def shrouded(plain):
    """Return the algorithm and ciphertext of an encrypted key."""
    chosen = new_encryption(MODERN.key_encryption, iterations=1, salt_length=8, random_bytes=random.randbytes)
    octets = encrypt(chosen, plain, encode_password(PASSWORD), WorkBudget(DEFAULT_LIMITS))
    return algorithm_identifier(chosen), octets


def a_bag(chance, parts):
    """Make a bag of any kind, with any name, localKeyID and mark."""
    keys, certificates = parts
    named = {"friendly_name": chance.choice(NAMES), "local_key_id": chance.choice(IDS)}
    kind = chance.choice(["key"] * 4 + ["certificate"] * 12 + ["secret", "clear", "crl", "nested", "empty"])
    plain = chance.choice(keys).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if kind == "key":
        return shrouded_key_bag(*shrouded(plain), **named)
    if kind == "clear":
        return key_bag(plain, **named)
    if kind == "secret":
        algorithm, octets = shrouded(der(0x30, b"\x02\x01\x00" + der(0x30, oid("2.16.840.1.101.3.4.1")) + b"\x04\x01a"))
        value = der(0x30, algorithm.dump() + der(0x04, octets))
        return other_bag("secretBag", der(0x30, oid("1.2.840.113549.1.12.10.1.2") + explicit(der(4, value))), **named)
    if kind == "crl":
        value = der(0x30, oid("1.2.840.113549.1.9.23.1") + explicit(der(4, b"0")))
        return other_bag("crlBag", value, **named)
    if kind in {"nested", "empty"}:
        return bag_of(6, bags_of(*[a_bag(chance, parts)] if kind == "nested" else []))
    mark = (trusted_key_usage(),) if chance.random() < 0.3 else ()
    return certificate_bag(chance.choice(certificates).der, attributes=mark, **named)


def a_file(chance, parts):
    """Make a file of one to three SafeContents."""
    safes = [[a_bag(chance, parts) for _ in range(chance.randrange(1, 6))] for _ in range(chance.randrange(1, 4))]
    return with_mac([plain_safe(*bags) for bags in safes])


def as_java_has_it(java, folder):
    """Return Java's entries of each file in a folder, or its exception."""
    (folder / "Entries.java").write_text(ENTRIES)
    done = subprocess.run(
        [java, "-XX:TieredStopAtLevel=1", folder / "Entries.java", folder, PASSWORD],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    found = {}
    for line in done.stdout.splitlines():
        name, *entries = line.split("|")
        found[name] = sorted(entries)
    return found


def as_we_have_it(java):
    """Return the entries that the model gives, in the same form."""
    return sorted(
        f"{entry.alias.encode('utf-16-be').hex()}={entry.kind.value}={','.join(one.sha256 for one in entry.chain)}"
        for entry in java.entries
    )


def entries_of(opened):
    """Return the number of keys, secrets and marked certificates of a file; it holds nothing else that Java lists."""
    secrets = [bag for bag in opened.other_bags if bag.type == "secretBag"]
    marked = [attributes for attributes in opened.certificate_attributes if trusted_key_usage() in attributes]
    return len(opened.keys) + len(secrets) + len(marked)


@pytest.mark.parametrize(("seed", "files"), [pytest.param(1, 40), pytest.param(2, 800, marks=pytest.mark.slow)])
def test_the_model_is_what_java_has(require_tool, tmp_path, parts, seed, files):
    """``PKCS12KeyStore.java``: marks, names, localKeyIDs, order, duplicates and secrets give Java's own entries."""
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    made = {f"{number:04}.p12": a_file(chance, parts) for number in range(files)}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    theirs = as_java_has_it(require_tool("java"), tmp_path)
    reports = {name: inspect_pfx(data, password=PASSWORD).java for name, data in made.items()}
    ours = {name: as_we_have_it(report) for name, report in reports.items()}
    assert {name: (theirs[name], ours[name]) for name in made if theirs[name] != ours[name]} == {}
    for name, data in made.items():
        if not reports[name].losses:
            opened = decode_pfx(data, password=PASSWORD)
            assert len(theirs[name]) == entries_of(opened), name
            if all(key.certificate for key in opened.keys):
                assert not [entry for entry in theirs[name] if entry.endswith("=private key=")], name
