"""How OpenSSL and Go read name constraints that RFC 5280 section 4.2.1.10 does not define (the page of standards)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from asn1crypto import parser
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

import pkcs12kit as pk
from pkcs12kit import lab

pytestmark = pytest.mark.slow

MASKED, HOLES = b"\x0a\1\2\3\xff\0\0\0", b"\x0a\0\5\0\xff\0\xff\0"
IN_10, IN_HOLES, MAPPED = b"\x0a\x09\x09\x09", b"\x0a\x09\5\x09", bytes(10) + b"\xff\xff\x0a\x09\x09\x09"
DNS, URI, IP, X400, REGISTERED, OTHER = 0x82, 0x86, 0x87, 0xA3, 0x88, 0xA0
A_TYPE, ITS_VALUE = b"\x2a\x03", b"\x06\x02\x2a\x03\xa0\x03\x0c\x01x"
NO_CA = "unreadable ca"
PERMITTED = (
    # subtree, name, and the answers of pkcs12kit, OpenSSL and Go
    (DNS, b".b.mil", b"a.b.mil", "yes", "yes", "yes"),
    (DNS, b".b.mil", b"b.mil", "no", "no", "no"),
    (DNS, b"*.b.mil", b"a.b.mil", "no", "no", "no"),
    (DNS, b"*.b.mil", b"*.b.mil", "no", "yes", "yes"),
    (DNS, b"", b"a.b.mil", "yes", "yes", "yes"),
    (DNS, b"b.mil.", b"a.b.mil", "no", "no", NO_CA),
    (IP, MASKED, IN_10, "yes", "yes", "yes"),
    (IP, HOLES, IN_HOLES, "yes", "yes", NO_CA),
    (IP, IN_10, IN_10, "no", "no", NO_CA),
    (URI, b"b.mil", b"http://a.b.mil/", "no", "no", "yes"),
    (X400, b"\x30\0", b"\x30\0", "no", "no", "no"),
    (REGISTERED, A_TYPE, A_TYPE, "no", "no", "no"),
    (OTHER, ITS_VALUE, ITS_VALUE, "yes", "no", "no"),
)
EXCLUDED = (
    (DNS, b".b.mil", b"a.b.mil", "no", "no", "no"),
    (DNS, b".b.mil", b"b.mil", "no", "yes", "yes"),
    (DNS, b".b.mil", b"c.mil", "yes", "yes", "yes"),
    (DNS, b"*.b.mil", b"a.b.mil", "no", "yes", "yes"),
    (DNS, b"*.b.mil", b"c.mil", "yes", "yes", "yes"),
    (DNS, b"a.b.mil", b"*.b.mil", "no", "yes", "yes"),
    (DNS, b"b.mil.", b"a.b.mil", "no", "yes", NO_CA),
    (DNS, b"\xc3\xbc.mil", b"c.mil", "no", "yes", NO_CA),
    (DNS, b"b.mil\0.org", b"c.mil", "no", "yes", NO_CA),
    (IP, MASKED, IN_10, "no", "no", "no"),
    (IP, b"\x0a\0\0\0\xff\0\0\0", MAPPED, "no", "yes", "yes"),
    (IP, HOLES, IN_HOLES, "no", "no", NO_CA),
    (URI, b"b.mil", b"http://a.b.mil/", "yes", "yes", "no"),
    (OTHER, ITS_VALUE, ITS_VALUE, "no", "no", "no"),
)
ROWS = [("permitted", *row) for row in PERMITTED] + [("excluded", *row) for row in EXCLUDED]


def encode(tag, contents):
    """Encode one element."""
    return parser.emit(tag >> 6, tag >> 5 & 1, tag & 0x1F, contents)


def write_chain(folder, kind, subtree, name, *, bounds=b""):
    """Write root.pem, ca.pem with one subtree, and leaf.pem with one alternative name."""
    folder.mkdir()
    field = encode(0xA0 if kind == "permitted" else 0xA1, encode(0x30, encode(*subtree) + bounds))
    constraints = x509.UnrecognizedExtension(ExtensionOID.NAME_CONSTRAINTS, encode(0x30, field))
    names = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, encode(0x30, encode(*name)))
    root, authority = lab.Authority.create("Root"), lab.Authority.create("CA")
    ca = root.issue_ca(authority, extensions=[lab.critical(constraints)])
    usage = lab.non_critical(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]))
    key = lab.Authority.create("of no CA").private_key.public_key()
    leaf = authority.issue("A server", key, extensions=[lab.non_critical(names), usage])
    for stem, certificate in (("root", root.certificate), ("ca", ca), ("leaf", leaf)):
        (folder / f"{stem}.pem").write_text(certificate.to_pem(), "ascii")
    return folder


def ask_ourselves(folder):
    """Ask pkcs12kit, through its public functions."""
    root, ca, leaf = (pk.Certificate.from_pem((folder / f"{name}.pem").read_text()) for name in ("root", "ca", "leaf"))
    report = pk.find_paths(leaf, pool=pk.CertificatePool([ca]), trust_anchors=[pk.TrustAnchor.from_certificate(root)])
    return "yes" if report.valid else "no"


def ask_openssl(openssl, folder):
    """Ask ``openssl verify``."""
    command = [openssl, "verify", "-CAfile", "root.pem", "-untrusted", "ca.pem", "leaf.pem"]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=60)
    return "no" if done.returncode else "yes"


def ask_go(go, folders, work):
    """Ask Go's crypto/x509 about all chains in one run."""
    source = Path(__file__).with_name("verify.go")
    environment = {**os.environ, "GO111MODULE": "off", "GOCACHE": str(work), "GOFLAGS": "", "GOPROXY": "off"}
    done = subprocess.run(
        [go, "run", source],
        input="".join(f"{folder}\n" for folder in folders),
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_program_answers_as_the_page_says(require_tool, tmp_path):
    """Section 4.2.1.10: pkcs12kit never accepts what a program rejects, except otherName and what Go does not parse."""
    openssl, go = require_tool("openssl"), require_tool("go")
    folders = [
        write_chain(tmp_path / str(number), kind, (tag, subtree), (tag, name))
        for number, (kind, tag, subtree, name, *_) in enumerate(ROWS)
    ]
    of_go = ask_go(go, folders, tmp_path / "cache")
    found = [
        (*row[:4], ask_ourselves(folder), ask_openssl(openssl, folder), answer)
        for row, folder, answer in zip(ROWS, folders, of_go, strict=True)
    ]
    assert found == ROWS


def test_bounds(require_tool, tmp_path):
    """'the minimum MUST be zero, and maximum MUST be absent': OpenSSL rejects others as pkcs12kit does, Go does not."""
    openssl, go = require_tool("openssl"), require_tool("go")
    for number, bounds in enumerate((encode(0x80, b"\1"), encode(0x81, b"\1"))):
        folder = write_chain(tmp_path / str(number), "permitted", (DNS, b"b.mil"), (DNS, b"a.b.mil"), bounds=bounds)
        assert (ask_ourselves(folder), ask_openssl(openssl, folder)) == ("no", "no")
        assert ask_go(go, [folder], tmp_path / "cache") == ["yes"]
