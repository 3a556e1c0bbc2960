"""Fields of certificates that are well-formed ASN.1 and have no meaning: refused when read, and never a crash."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import pkcs12kit as pk
from pkcs12kit import lab
from pkcs12kit.certificates.public_keys import read_public_key
from pkcs12kit.certificates.reading import read_certificate
from pkcs12kit.certificates.serial_numbers import serial_number_label, serial_number_text
from pkcs12kit.errors import InputError, KeyMismatchError, MalformedCertificateError
from pkcs12kit.sources.loading import load_certificates
from pkcs12kit.tls.certificate_message import CertificateMessage

from .mutator import Element, replaced, tlv

VERSION, SERIAL, SIGNATURE, NOT_BEFORE, NOT_AFTER, KEY = "0.0", "0.1", "0.2", "0.4.0", "0.4.1", "0.6"
PSS = tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d01010a")))
YEAR_0 = tlv(24, b"00000101000000Z")
LONG = 3_000
"""Octets of a serial number whose decimal text Python refuses to write."""


@pytest.fixture(scope="module")
def der():
    """A CA's certificate."""
    return lab.Authority.create("CA").certificate.der


def without(der, path):
    """Remove one field."""
    return replaced(der, path, b"")


UNREADABLE = {
    "notBefore of the year 0": (lambda der: replaced(der, NOT_BEFORE, YEAR_0), "unreadable validity.*4.1.2.5"),
    "notAfter of the year 0": (lambda der: replaced(der, NOT_AFTER, YEAR_0), "unreadable validity.*4.1.2.5"),
    "RSASSA-PSS without parameters": (
        lambda der: replaced(replaced(der, SIGNATURE, PSS), "1", PSS),
        "unreadable signature algorithm: .*PSS.*4.1.1.2",
    ),
    "version 1 with extensions": (lambda der: without(der, VERSION), "version 1 with extensions.*4.1.2.9"),
    "version 1 written out, with extensions": (
        lambda der: replaced(der, VERSION, tlv(0xA0, tlv(2, b"\0"))),
        "version 1 with extensions.*4.1.2.9",
    ),
    "version 2": (lambda der: replaced(der, VERSION, tlv(0xA0, tlv(2, b"\1"))), "version is 2, .*4.1.2.1"),
    "version 4": (lambda der: replaced(der, VERSION, tlv(0xA0, tlv(2, b"\3"))), "version is 4, .*4.1.2.1"),
}


@pytest.mark.parametrize(("change", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_refused_when_read_and_named_as_a_reject(der, tmp_path, change, reason):
    """RFC 5280 section 4.1: the error is raised at once, not by whoever first asks for the field; others are kept."""
    hostile = change(der)
    with pytest.raises(MalformedCertificateError, match=reason):
        pk.Certificate.from_der(hostile)
    (tmp_path / "a-sound.cer").write_bytes(der)
    (tmp_path / "b-decoy.cer").write_bytes(hostile)
    pool = load_certificates(tmp_path)
    assert [certificate.der for certificate in pool] == [der]
    assert [Path(reject.source).name for reject in pool.rejects] == ["b-decoy.cer"]
    assert re.search(reason, pool.rejects[0].reason)


def test_version_1_without_extensions_is_read(der):
    """RFC 5280 section 4.1.2.1: it has its place in old files, and is the certificate of no CA."""
    old = without(without(der, "0.7"), VERSION)
    certificate = pk.Certificate.from_der(old)
    assert (certificate.version, certificate.is_ca) == (1, False)


@pytest.mark.parametrize("octets", [1, 20, 21, LONG])
@pytest.mark.parametrize("first", [b"\x11", b"\x91"], ids=["positive", "negative"])
@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # pyca's word on negative ones
def test_serial_numbers_of_any_length(der, octets, first):
    """RFC 5280 section 4.1.2.2: up to 20 octets in decimal; beyond them, which a CA may not issue, hexadecimal."""
    value = first + b"\x11" * (octets - 1)
    number = int.from_bytes(value, signed=True)
    certificate = pk.Certificate.from_der(replaced(der, SERIAL, tlv(2, value)))
    assert certificate.serial_number == number
    text = certificate.serial_number_text
    assert int(text, 10 if octets <= 20 else 16) == number
    assert certificate.to_json()["serial"] == text
    assert json.loads(json.dumps(certificate.to_json()))["serial"] == text
    label = serial_number_label(number)
    assert label in repr(certificate)
    assert len(label) <= 51
    if octets <= 20:
        assert label == f"#{number}"


def test_the_longest_decimal_serial_number():
    """The limit is in bits, at which the number still has at most 20 octets without its sign."""
    assert serial_number_text(2**160 - 1) == str(2**160 - 1)
    assert serial_number_text(2**160) == "0x1" + "0" * 40


def test_unknown_signature_algorithm_is_no_crash(der):
    """It is read, since nobody may have to check its signature; the hash is asked for with the project's own error."""
    unknown = tlv(0x30, tlv(6, bytes.fromhex("2a8648ce3dff7f")))
    certificate = pk.Certificate.from_der(replaced(replaced(der, SIGNATURE, unknown), "1", unknown))
    assert certificate.signature_algorithm == "1.2.840.10045.16383"
    with pytest.raises(MalformedCertificateError, match="unusable signature algorithm"):
        _ = certificate.signature_hash_algorithm


def test_times_are_decoded_once(der):
    """What reading has decoded is what the attributes have; a year of fewer than four digits is padded (RFC 3339)."""
    first = replaced(der, NOT_BEFORE, tlv(24, b"00010101000000Z"))
    certificate = pk.Certificate.from_der(first)
    assert certificate.not_before is certificate.not_before
    assert read_certificate(first)[1:] == (certificate.not_before, certificate.not_after, None)
    assert certificate.to_json()["not_before"] == "0001-01-01T00:00:00Z"


def explicit(info):
    """Write a key on P-256 with the parameters of the curve in place of its name (SEC 2 section 2.4.2)."""
    prime = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    base = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    base += "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    parameters = tlv(
        0x30,
        tlv(2, b"\1"),
        tlv(0x30, tlv(6, bytes.fromhex("2a8648ce3d0101")), tlv(2, b"\0", prime.to_bytes(32))),
        tlv(0x30, tlv(4, (prime - 3).to_bytes(32)), tlv(4, b.to_bytes(32))),
        tlv(4, bytes.fromhex(base)),
        tlv(2, b"\0", order.to_bytes(32)),
        tlv(2, b"\1"),
    )
    return replaced(info, "0.1", parameters)


class TestExplicitCurves:
    """RFC 5480 section 2.1.1: a curve is given by name, and implicitCurve and specifiedCurve MUST NOT be used."""

    def test_pyca_takes_them_for_the_curve_that_has_a_name(self):
        """The reason why the encoding is looked at: of a key that is loaded it cannot be told any more."""
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        info = _info(ec.generate_private_key(ec.SECP256R1()).public_key())
        assert load_der_public_key(explicit(info)) == load_der_public_key(info)

    @pytest.mark.parametrize("slip", [False, True])
    def test_of_a_key(self, slip):
        """Whichever reader cuts the encoding: asn1crypto where a length has more octets than it needs."""
        info = _info(ec.generate_private_key(ec.SECP256R1()).public_key())
        key = read_public_key(info)
        for encoding, is_sound in ((info, True), (explicit(info), False)):
            given = b"\x30\x82" + (len(encoding) - (2 if encoding[1] < 0x80 else 3)).to_bytes(2) if slip else b""
            given += encoding[2 if encoding[1] < 0x80 else 3 :] if slip else encoding
            if is_sound:
                assert read_public_key(given, lambda: key) == key
            else:
                with pytest.raises(MalformedCertificateError, match=r"RFC 5480 section 2\.1\.1"):
                    read_public_key(given, lambda: key)

    def test_of_a_ca_and_of_a_trust_anchor(self):
        """No path through it, though each signature verifies; the failure has the reason. A bare key is refused too."""
        topology = lab.Topology.from_edges("EE<CA<TA")
        target, issuer = topology.servers["EE"].certificate, topology.certificate("CA", "TA")
        anchor = topology.authorities["TA"].certificate
        parameters = pk.ValidationParameters(time=target.not_before)
        written_out = explicit(issuer.subject_public_key_info)
        forged = _signed_anew(replaced(issuer.der, KEY, written_out), topology.authorities["TA"])
        report = pk.find_paths(
            target,
            pool=pk.CertificatePool([forged]),
            trust_anchors=[pk.TrustAnchor.from_certificate(anchor)],
            parameters=parameters,
        )
        assert not report.valid
        assert "explicit parameters, not by name (RFC 5480 section 2.1.1)" in str(report.rejected[0])
        bare = pk.TrustAnchor(name=issuer.subject, subject_public_key_info=written_out)
        report = pk.find_paths(target, pool=pk.CertificatePool(), trust_anchors=[bare], parameters=parameters)
        assert not report.valid
        assert "explicit parameters" in str(report.rejected[0])


class TestTrustAnchorOfACertificate:
    """RFC 5280 section 6.1.1 (d): one name and one key. What is shown of an anchor is what is validated with."""

    def test_another_key(self):
        """Paths would be validated with one key and shown with another's certificate."""
        one, other = lab.Authority.create("A").certificate, lab.Authority.create("A").certificate
        with pytest.raises(KeyMismatchError, match="the trust anchor's key is not that of its certificate, CN=A"):
            pk.TrustAnchor(name=one.subject, subject_public_key_info=other.subject_public_key_info, certificate=one)

    def test_another_name(self):
        """Any name that matches by RFC 5280 section 7.1 is the same."""
        one = lab.Authority.create("Root CA").certificate
        key = one.subject_public_key_info
        with pytest.raises(InputError, match="is not the subject of its certificate, CN=Root CA"):
            pk.TrustAnchor(
                name=lab.Authority.create("B").certificate.subject, subject_public_key_info=key, certificate=one
            )
        alike = lab.Authority.create("root  ca").certificate.subject
        assert pk.TrustAnchor(name=alike, subject_public_key_info=key, certificate=one).certificate is one


def test_a_malformed_certificate_among_those_that_a_server_sends(der):
    """It is named with its place: clients refuse the whole list then (RFC 8446 section 4.4.2.4)."""
    with pytest.raises(MalformedCertificateError, match="certificate 2 of those sent: unreadable validity"):
        CertificateMessage.from_der([der, replaced(der, NOT_AFTER, YEAR_0)], protocol="TLSv1.3")


def test_text_that_is_not_unicode():
    """Half a surrogate pair in a text given as PEM."""
    with pytest.raises(MalformedCertificateError):
        pk.Certificate.from_pem("\ud800")


def _info(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed_anew(der, authority):
    """Sign a changed certificate with an authority's key on a curve."""
    root = Element.parse(der)
    tbs = root.at("0").encode()
    signature = authority.private_key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return pk.Certificate.from_der(root.encode(root.at("2"), tlv(3, b"\0", signature)))


def test_pyca_s_object_is_asked_in_one_place():
    """Its attributes decode late and raise what callers do not expect: only what guards them asks for them."""
    package = Path(pk.__file__).parent
    asking = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if ".as_cryptography" in path.read_text("utf-8")
    }
    guarded = {"certificates/certificate.py", "paths/signature_schemes.py"}
    assert {path for path in asking if not path.startswith("lab/")} == guarded  # the lab's certificates are its own


@pytest.mark.parametrize("identifier", ["06092a864886f70d010301", "06072a8648ce3e0201"])
def test_a_diffie_hellman_key_is_refused_before_it_is_read(identifier):
    """OpenSSL looks for factors of its modulus: 36 seconds for 8,192 bits, for a key that signs nothing."""
    parameters = tlv(0x30, tlv(2, b"\x17"), tlv(2, b"\x05"))
    info = tlv(0x30, tlv(0x30, bytes.fromhex(identifier), parameters), tlv(3, b"\x00\x02\x01\x04"))

    def load():
        pytest.fail("the key was read")

    for how in (load, None):
        with pytest.raises(MalformedCertificateError, match="Diffie-Hellman"):
            read_public_key(info, how)
