"""Pools find certificates by key identifier: what an encoding looks like is never the answer, only where to look."""

from __future__ import annotations

import pytest
from asn1crypto import parser

from pkcs12kit import lab
from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.key_identifier_index import _candidates
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
    """Make certificates with any extensions; their signature is looked at nowhere here."""
    original = lab.Authority.create("CA").certificate
    *fields, _ = lenient._elements(original.tbs_certificate, 8)
    after = lenient._elements(original.der, 3)[1:]

    def make(*extensions):
        return Certificate(sequence(sequence(*fields, parser.emit(2, 1, 3, sequence(*extensions))), *after))

    return make


@pytest.mark.parametrize("length", [0, 1, 20, 32, 125, 126, 127, 128, 300, 70_000])
@pytest.mark.parametrize("critical", [b"", CRITICAL, EXPLICIT_FALSE], ids=["plain", "critical", "slip"])
def test_a_key_identifier_of_any_length_is_found(certificate_with, length, critical):
    """RFC 5280 section 4.2.1.2 sets no length; the length octets of DER are of several forms (X.690 section 8.1.3)."""
    certificate = certificate_with(identified(b"\x04" * length, critical=critical))
    pool = CertificatePool([certificate, certificate_with(identified(b"other"))])
    assert certificate.key_identifier == b"\x04" * length
    assert pool.by_key_identifier(b"\x04" * length) == (certificate,)
    assert pool.by_key_identifier(b"\x04" * (length + 1)) == ()


def test_a_length_in_four_octets_is_no_short_one(certificate_with):
    """04 83 04 81 ...: the length in its long form, which looks like another OCTET STRING inside."""
    certificate = certificate_with(identified(bytes(0x048112 - 5)))
    assert KEY_IDENTIFIER + bytes.fromhex("04830481") in certificate.der
    assert CertificatePool([certificate]).by_key_identifier(bytes(0x048112 - 5)) == (certificate,)


@pytest.mark.parametrize("more", [b"\x04\x00", b"\x05\x00", b"\xff"])
def test_a_key_identifier_with_something_behind_it_is_found(certificate_with, more):
    """What the attribute says is found, also where pyca/cryptography reads what is not DER (X.690 section 10)."""
    certificate = certificate_with(sequence(KEY_IDENTIFIER, octets(octets(b"true") + more)))
    pool = CertificatePool([certificate])
    assert pool.by_key_identifier(b"true") == ((certificate,) if certificate.key_identifier == b"true" else ())


@pytest.mark.parametrize("poses", [0, 1, 3, 4, 9])
def test_what_poses_as_a_key_identifier_hides_none_and_is_none(certificate_with, poses):
    """Only extnID in its place makes an extension a subjectKeyIdentifier (RFC 5280 section 4.1.2.9)."""
    posing = sequence(OTHER, octets(b"".join(identified(b"pose") for _ in range(poses))))
    pool = CertificatePool([certificate_with(posing)])
    assert pool.by_key_identifier(b"pose") == ()
    certificate = certificate_with(posing, identified(b"true"))
    pool = CertificatePool([certificate])
    assert pool.by_key_identifier(b"true") == (certificate,)
    assert pool.by_key_identifier(b"pose") == ()


@pytest.mark.parametrize("cut", range(1, 13))
def test_half_a_pose_before_the_true_one_hides_it_not(certificate_with, cut):
    """The beginning of what poses may run into the true extension."""
    half = sequence(OTHER, octets(identified(b"pose" * 5)[2 : 2 + cut]))
    certificate = certificate_with(half, identified(b"true"))
    assert CertificatePool([certificate]).by_key_identifier(b"true") == (certificate,)


def test_extensions_that_cannot_be_read_have_no_key_identifier(certificate_with):
    """RFC 5280 section 4.2: no extension twice. The index says what :attr:`Certificate.key_identifier` says."""
    twice = certificate_with(identified(b"one"), identified(b"one"))
    damaged = certificate_with(identified(b"one"), sequence(bytes.fromhex("0603551d13"), octets(b"\xff")))
    pool = CertificatePool([twice, damaged])
    assert (twice.key_identifier, damaged.key_identifier) == (None, None)
    assert pool.by_key_identifier(b"one") == ()


def test_a_certificate_of_many_poses_takes_no_room(certificate_with):
    """What a certificate adds to the index does not grow with what an attacker writes into it."""
    poses = b"".join(identified(b"%d" % number) for number in range(1000))
    certificate = certificate_with(sequence(OTHER, octets(poses)), identified(b"true"))
    assert _candidates(certificate.der) is None
    assert CertificatePool([certificate]).by_key_identifier(b"true") == (certificate,)


def test_real_pools_are_found_by_every_key_identifier(fpki):
    """The Federal PKI's certificates, those with a slip too: the index says what decoding each of them says."""
    pool = load_certificates(fpki / "fpki-2024-10.p7b", fpki / "dod-2019.pem")
    expected = {}
    for certificate in pool:
        expected.setdefault(certificate.key_identifier, set()).add(certificate)
    assert len(expected) > 50
    for key_identifier, certificates in expected.items():
        if key_identifier is not None:
            found = pool.by_key_identifier(key_identifier)
            assert list(found) == sorted(certificates, key=lambda certificate: certificate.sha256)
