"""Text forms around and inside PEM: base64, URLs, quotation marks, escapes, mail, word processors."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import html
import json
import lzma
import quopri
import re
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from asn1crypto.pem import unarmor
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import pkcs12kit as pk
from pkcs12kit.limits import DEFAULT_LIMITS

from ..calling import UNUSABLE, YES, call
from .conftest import der, issue, key_pem, pem

PASSWORD = "correct horse 42"
QUICK = replace(pk.profiles.MODERN, encryption_iterations=3, mac_iterations=3)


def armored(label, data):
    """Return PEM with any label."""
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (label, base64.encodebytes(data), label)


def each_line(before):
    """Return a function that puts a text before each line."""
    return lambda text: b"".join(before + line + b"\n" for line in text.rstrip(b"\n").split(b"\n"))


def as_json(text):
    """Return a JSON string."""
    return json.dumps(text.decode("latin-1")).encode()


def fields(text):
    """Return a Kubernetes Secret."""
    return b"apiVersion: v1\nkind: Secret\ndata:\n  other: YWJj\n  tls.crt: %b\n" % base64.b64encode(text)


AROUND = {  # of any content
    "base64": base64.b64encode,
    "base64 in lines": base64.encodebytes,
    "base64 in the alphabet for URLs": base64.urlsafe_b64encode,
    "base64 twice": lambda data: base64.b64encode(base64.encodebytes(data)),
    "base64 without padding": lambda data: base64.b64encode(data).rstrip(b"="),
    "a data URL": lambda data: b"data:application/octet-stream;base64," + base64.b64encode(data),
    "a data URL with parameters": lambda data: b"DATA:a/b;name=c.p12;base64," + quote(base64.b64encode(data)).encode(),
    "a data URL as JSON": lambda data: as_json(b"data:a/b;base64," + base64.b64encode(data)),
    "base64 as JSON": lambda data: as_json(base64.b64encode(data)),
    "base64 with newlines as two characters": lambda data: base64.encodebytes(data).replace(b"\n", b"\\n"),
    "base64 in URL encoding": lambda data: quote_plus(base64.b64encode(data)).encode(),
    "base64 in UTF-16": lambda data: base64.b64encode(data).decode().encode("utf-16"),
}
OF_PEM = {
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.decode().encode("utf-16-le"),
    "UTF-16 the other way": lambda text: text.decode().encode("utf-16-be"),
    "UTF-32": lambda text: text.decode().encode("utf-32"),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "JSON": as_json,
    "JSON in JSON": lambda text: as_json(as_json(text)),
    "JSON with escaped slashes": lambda text: as_json(text).replace(b"/", b"\\/").replace(b"+", b"\\u002b"),
    "a JSON object": lambda text: json.dumps({"b": text.decode(), "a": 1}).encode(),
    "newlines as two characters": lambda text: text.replace(b"\n", b"\\n"),
    "CR and LF as four characters": lambda text: text.replace(b"\n", b"\\r\\n"),
    "newlines escaped twice": lambda text: text.replace(b"\n", b"\\\\n"),
    "lines that go on": lambda text: text.replace(b"\n", b"\\n\\\n"),
    "a setting": lambda text: b'CERT="' + text.replace(b"\n", b"\\n") + b'"\n',
    "bytes of Python": lambda text: repr(text).encode(),
    "XML": lambda text: html.escape(text.decode()).replace("\n", "&#10;").encode(),
    "HTML": lambda text: b"<html><pre>" + text.replace(b"\n", b"<br/>\n") + b"</pre></html>",
    "quoted-printable": quopri.encodestring,
    "URL encoding": lambda text: quote(text).encode(),
    "URL encoding with plus signs": lambda text: quote_plus(text).encode(),
    "all of it in URL encoding": lambda text: "".join(f"%{octet:02x}" for octet in text).encode(),
    "a Kubernetes Secret": fields,
    "a Kubernetes Secret in JSON": lambda text: b'{"kind":"Secret","data":{"a.b":"%b"}}' % base64.b64encode(text),
    "a data URL of text": lambda text: b"data:text/plain," + quote(text).encode(),
    "a reply": each_line(b"> "),
    "a reply to a reply": each_line(b"> > "),
    "a comment": each_line(b"# "),
    "a patch": each_line(b"+"),
    "YAML": each_line(b"    "),
    "one line": lambda text: text.replace(b"\n", b""),
    "spaces for newlines": lambda text: text.replace(b"\n", b" "),
    "CR": lambda text: text.replace(b"\n", b"\r"),
    "CR and LF": lambda text: text.replace(b"\n", b"\r\n"),
    "empty lines": lambda text: text.replace(b"\n", b"\n\n"),
    "blanks at the ends": lambda text: text.replace(b"\n", b" \t\n"),
    "small letters": lambda text: text.replace(b"BEGIN", b"begin").replace(b"END", b"end"),
    "en dashes": lambda text: text.replace(b"-----", "\u2013\u2013\u2014".encode()),
    "dashes of Windows-1252": lambda text: text.replace(b"-----", b"\x96\x97"),
    "four dashes": lambda text: text.replace(b"-----", b"----"),
    "one dash": lambda text: text.replace(b"-----", b"-"),
    "no dashes": lambda text: text.replace(b"-----", b""),
    "spaces in the markers": lambda text: text.replace(b"-----BEGIN ", b"----- BEGIN  "),
    "a hard space": lambda text: text.replace(b"BEGIN ", "BEGIN\u00a0".encode()),
    "headers": lambda text: text.replace(b"-----\nM", b"-----\nComment: a\nSubject: b, c\n\nM"),
    "headers without an empty line": lambda text: text.replace(b"-----\nM", b"-----\nComment: a\nM"),
    "headings that look like markers": lambda text: b"---- Root Certificates ----\n" + text + b"---- End ----\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def made():
    """Two certificates, and of the first its key, a PKCS#12 file and a CRL."""
    (root, key), (other, _) = issue("Root"), issue("Other", serial=2)
    held = [pk.Certificate.from_der(der(certificate)) for certificate in (root, other)]
    pfx = pk.encode_pfx(pk.Bundle(private_key=key, certificates=held), password=PASSWORD, profile=QUICK)
    start = root.not_valid_before_utc
    crl = x509.CertificateRevocationListBuilder(root.subject, start, root.not_valid_after_utc).sign(
        key, hashes.SHA256()
    )
    return {
        "certificates": pem(root, other),
        "der": der(root) + der(other),
        "encodings": [der(root), der(other)],
        "key": key_pem(key),
        "public": key.public_key(),
        "pkcs12": pfx,
        "crl": crl.public_bytes(Encoding.DER),
    }


def read(data):
    """Return the certificates in data; none may be a reject."""
    pool = pk.load_certificates(data)
    assert pool.rejects == ()
    return [certificate.der for certificate in pool]


@pytest.mark.parametrize("name", [*AROUND, *OF_PEM])
def test_certificates(made, name):
    """RFC 7468 section 2: "parsers MAY be lenient"; what can be read in only one way is read."""
    change = (AROUND | OF_PEM)[name]
    assert read(change(made["certificates"])) == made["encodings"]
    if name in AROUND:
        assert read(change(made["der"])) == made["encodings"]


@pytest.mark.parametrize("name", [*AROUND, *OF_PEM])
def test_keys_crls_and_pkcs12(made, name):
    """Keys, CRLs and PKCS#12 files are read from the same forms; the two last in PEM, too, with any label."""
    change = (AROUND | OF_PEM)[name]
    labels = (b"PKCS12", b"PKCS #12", b"PFX")
    texts = [armored(label, made["pkcs12"]) for label in labels]
    for text in [*texts, made["pkcs12"]] if name in AROUND else texts[:1]:
        decoded = pk.decode_pfx(change(text), password=PASSWORD)
        assert [certificate.der for certificate in decoded.certificates] == made["encodings"]
        assert pk.inspect_pfx(change(text)).mac is not None
        assert len(pk.load_certificates(change(text), password=PASSWORD)) == 2
    identity = pk.load_identity(key=change(made["key"]), certificate=made["encodings"][0])
    assert identity.private_key.public_key() == made["public"]
    assert pk.load_crls(change(armored(b"X509 CRL", made["crl"]))) == (made["crl"],)


def test_forms_around_forms(made):
    """Up to four forms around each other are removed (limits.text_forms); one more is refused, and says why."""
    data = made["pkcs12"]
    for _ in range(DEFAULT_LIMITS.text_forms):
        data = base64.b64encode(data)
    assert len(pk.decode_pfx(data, password=PASSWORD).certificates) == 2
    for load in (pk.load_certificates, pk.inspect_pfx, lambda given: pk.load_identity(key=given, certificate=b"-")):
        with pytest.raises(pk.LimitExceededError, match=r"limits\.text_forms"):
            load(base64.b64encode(data))
    few = replace(DEFAULT_LIMITS, text_forms=0)
    with pytest.raises(pk.InputError):
        pk.load_certificates(base64.b64encode(made["certificates"]), limits=few)


def test_what_is_no_form_stays(made):
    """Text that only looks like a form is named as what it is, and nothing of it is shown."""
    word = b"c2VjcmV0IHBhc3N3b3JkIQ=="
    for text in (word, b'"secret"', b"data:,secret", b"%73ecret", b"secret: secret\n" * 50, b"\\n" * 20):
        with pytest.raises(pk.InputError, match="expected a certificate, found") as refused:
            pk.load_certificates(text)
        assert "secret" not in str(refused.value)
    secret = b"kind: Secret\ndata:\n  keystore.p12: " + base64.b64encode(made["pkcs12"])
    with pytest.raises(pk.InputError, match=r"a Kubernetes Secret.*keystore\.p12.*base64 -d"):
        pk.load_identity(pkcs12=secret, password=PASSWORD)
    label = b"SSH2 ENCRYPTED PRIVATE KEY"
    key = b"---- BEGIN %b ----\nComment: a\nP2/56w==\n---- END %b ----\n" % (label, label)
    with pytest.raises(pk.InputError, match="expected a private key, found an SSH2 private key"):
        pk.load_identity(key=key, certificate=made["encodings"][0])


HEXADECIMAL = "hexadecimal digits (xxd -r -p converts them)"
COMPRESSED = "compressed data (gunzip, bunzip2, unxz or unzstd unpacks it)"
FIELD = "text with base64 in a field (copy the value of the field to a file)"
NAMED = {
    "xxd -p": (HEXADECIMAL, lambda data: binascii.hexlify(data, "\n", 30) + b"\n"),
    "a dump with colons": (HEXADECIMAL, lambda data: data.hex(":").upper().encode()),
    "a number": (HEXADECIMAL, lambda data: b"0x" + data.hex().encode()),
    "gzip": (COMPRESSED, gzip.compress),
    "bzip2": (COMPRESSED, bz2.compress),
    "xz": (COMPRESSED, lzma.compress),
    "a JSON document": (FIELD, lambda data: json.dumps({"p12": {"value": base64.b64encode(data).decode()}}).encode()),
    "YAML": (FIELD, lambda data: b"a: b\ntls.p12: " + base64.b64encode(data) + b"\n"),
    "settings": (FIELD, lambda data: b"NAME=x\nP12='" + base64.b64encode(data) + b"'\n"),
}


@pytest.mark.parametrize("form", NAMED)
def test_what_is_not_read_is_named_with_what_turns_it_right(made, form):
    """Digits, compressed files and fields of documents: each command gets the kind in words, and the program."""
    words, change = NAMED[form]
    certificate = made["encodings"][0]
    with pytest.raises(pk.InputError, match=re.escape(f"expected a PKCS#12 file, found {words}")):
        pk.load_identity(pkcs12=change(made["pkcs12"]), password=PASSWORD)
    with pytest.raises(pk.InputError, match=re.escape(f"expected a certificate, found {words}")):
        pk.load_certificates(change(certificate))
    key = unarmor(made["key"])[2]
    with pytest.raises(pk.InputError, match=re.escape(f"expected a private key, found {words}")):
        pk.load_identity(key=change(key), certificate=certificate)


def test_several_files_in_one_text(made):
    """Two different PKCS#12 files in one text are refused; one with certificates beside it is read."""
    text = armored(b"PKCS12", made["pkcs12"])
    beside = made["certificates"] + text + made["key"]
    assert len(pk.decode_pfx(beside, password=PASSWORD).certificates) == 2
    other = pk.encode_pfx(
        pk.Bundle(certificates=[pk.load_certificate(made["encodings"][0])]), password="x", profile=QUICK
    )
    with pytest.raises(pk.InputError, match="expected one PKCS#12 file, found 2"):
        pk.decode_pfx(text + armored(b"PFX", other), password=PASSWORD)


def test_no_key_in_a_message(made):
    """Whatever is damaged, no part of a key comes out: a label is only shown if it looks like one."""
    body = made["key"].split(b"\n")[1]
    for text in (
        b"-----BEGIN " + body + b"-----\nAAAA\n-----END " + body + b"-----",
        b"-----BEGIN PRIVATE KEY " + body + b"\n" + body,
        made["key"].replace(b"BEGIN PRIVATE KEY-----\n", b"BEGIN "),
        b"-----BEGIN CERTIFICATE" + body.upper() + b"-----\nAAAA",
    ):
        for load in (pk.load_certificates, pk.load_crls, lambda given: pk.load_identity(key=given, certificate=given)):
            with pytest.raises(pk.InputError) as refused:
                load(text)
            assert body[:12].decode().upper() not in str(refused.value).upper()


def test_commands(made, tmp_path):
    """``inspect``, ``verify``, ``convert`` and ``build --pkcs12`` read PEM-armored files; another kind is named."""
    (tmp_path / "word").write_text(PASSWORD)
    (tmp_path / "root.der").write_bytes(made["encodings"][0])
    file, word = tmp_path / "a.p12", tmp_path / "word"
    for data in (armored(b"PKCS12", made["pkcs12"]), AROUND["a data URL as JSON"](made["pkcs12"])):
        file.write_bytes(data)
        anchor, opened = ["--anchor", tmp_path / "root.der"], ["--password-file", word]
        assert call("inspect", file, *opened).status == YES
        assert call("verify", file, *anchor, *opened, "--no-second-opinion").status == YES
        assert call("convert", file, tmp_path / "b.p12", *opened, "--iterations", 1000).status == YES
    file.write_bytes(made["certificates"])
    assert call("inspect", file, *opened).status == YES
    done = call("convert", file, tmp_path / "c.p12", *opened)
    assert done.status == UNUSABLE
    assert "found PEM text (a certificate)" in done.errors
