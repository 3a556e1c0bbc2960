"""Certificates in pools by key identifier: only the decoded extension counts, not octets that look like one."""

from __future__ import annotations

import pytest
from asn1crypto import parser

from pkcs12kit import lab
from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.sources.loading import load_certificates

KEY_IDENTIFIER = bytes.fromhex("0603551d0e")
OTHER = bytes.fromhex("06032a0304")
CRITICAL, EXPLICIT_FALSE = bytes.fromhex("0101ff"), bytes.fromhex("010100")


def sequence(*elements):
    """Encode a SEQUENCE."""
    return parser.emit(0, 1, 16, b"".join(elements))


def octets(contents):
    """Encode an OCTET STRING."""
    return parser.emit(0, 0, 4, contents)


def identified(octets_of_it, *, critical=b""):
    """Encode a subjectKeyIdentifier (RFC 5280 section 4.2.1.2)."""
    return sequence(KEY_IDENTIFIER, critical, octets(octets(octets_of_it)))


@pytest.fixture(scope="module")
def certificate_with():
    """Make certificates with any extensions; their signatures are not checked here."""
    original = lab.Authority.create("CA").certificate
    *fields, _ = lenient._elements(original.tbs_certificate, 8)
    after = lenient._elements(original.der, 3)[1:]

    def make(*extensions):
        return Certificate(sequence(sequence(*fields, parser.emit(2, 1, 3, sequence(*extensions))), *after))

    return make


@pytest.mark.parametrize("length", [0, 1, 20, 32, 125, 126, 127, 128, 300, 70_000])
@pytest.mark.parametrize("critical", [b"", CRITICAL, EXPLICIT_FALSE], ids=["plain", "critical", "encoding-error"])
def test_a_key_identifier_of_any_length_is_found(certificate_with, length, critical):
    """RFC 5280 section 4.2.1.2 sets no length; DER has several forms of length octets (X.690 section 8.1.3)."""
    certificate = certificate_with(identified(b"\x04" * length, critical=critical))
    pool = CertificatePool([certificate, certificate_with(identified(b"other"))])
    assert certificate.key_identifier == b"\x04" * length
    assert pool.by_key_identifier(b"\x04" * length) == (certificate,)
    assert pool.by_key_identifier(b"\x04" * (length + 1)) == ()


def test_a_length_in_four_octets(certificate_with):
    """In 04 83 04 81 ... the length in its long form looks like another OCTET STRING (X.690 section 8.1.3)."""
    certificate = certificate_with(identified(bytes(0x048112 - 5)))
    assert KEY_IDENTIFIER + bytes.fromhex("04830481") in certificate.der
    assert CertificatePool([certificate]).by_key_identifier(bytes(0x048112 - 5)) == (certificate,)


@pytest.mark.parametrize("more", [b"\x04\x00", b"\x05\x00", b"\xff"])
def test_a_key_identifier_with_trailing_octets(certificate_with, more):
    """The pool agrees with the attribute, also where pyca/cryptography accepts what is not DER (X.690 section 10)."""
    certificate = certificate_with(sequence(KEY_IDENTIFIER, octets(octets(b"real") + more)))
    pool = CertificatePool([certificate])
    assert pool.by_key_identifier(b"real") == ((certificate,) if certificate.key_identifier == b"real" else ())


@pytest.mark.parametrize("fakes", [0, 1, 3, 4, 9])
def test_octets_that_look_like_a_key_identifier(certificate_with, fakes):
    """Only extnID in its place makes an extension a subjectKeyIdentifier (RFC 5280 section 4.1.2.9)."""
    faked = sequence(OTHER, octets(b"".join(identified(b"fake") for _ in range(fakes))))
    pool = CertificatePool([certificate_with(faked)])
    assert pool.by_key_identifier(b"fake") == ()
    certificate = certificate_with(faked, identified(b"real"))
    pool = CertificatePool([certificate])
    assert pool.by_key_identifier(b"real") == (certificate,)
    assert pool.by_key_identifier(b"fake") == ()


@pytest.mark.parametrize("cut", range(1, 13))
def test_half_an_extension_before_the_real_one(certificate_with, cut):
    """Octets that look like the beginning of the extension may run into the real one, which is still found."""
    half = sequence(OTHER, octets(identified(b"fake" * 5)[2 : 2 + cut]))
    certificate = certificate_with(half, identified(b"real"))
    assert CertificatePool([certificate]).by_key_identifier(b"real") == (certificate,)


def test_extensions_that_cannot_be_read_have_no_key_identifier(certificate_with):
    """RFC 5280 section 4.2: no extension twice. The pool agrees with :attr:`Certificate.key_identifier`."""
    twice = certificate_with(identified(b"one"), identified(b"one"))
    damaged = certificate_with(identified(b"one"), sequence(bytes.fromhex("0603551d13"), octets(b"\xff")))
    pool = CertificatePool([twice, damaged])
    assert (twice.key_identifier, damaged.key_identifier) == (None, None)
    assert pool.by_key_identifier(b"one") == ()


def test_real_pools_are_found_by_every_key_identifier(fpki):
    """Of the Federal PKI's certificates, encoding errors included, the pool finds the same as decoding each of them."""
    pool = load_certificates(fpki / "fpki-2024-10.p7b", fpki / "dod-2019.pem")
    expected = {}
    for certificate in pool:
        expected.setdefault(certificate.key_identifier, set()).add(certificate)
    assert len(expected) > 50
    for key_identifier, certificates in expected.items():
        if key_identifier is not None:
            found = pool.by_key_identifier(key_identifier)
            assert list(found) == sorted(certificates, key=lambda certificate: certificate.sha256)
