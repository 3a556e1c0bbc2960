"""The certificate that an authorityKeyIdentifier names, in whichever form CAs write it (RFC 5280 section 4.2.1.1)."""

from __future__ import annotations

import pytest
from cryptography import x509

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate

from ..der import explicit, implicit, sequence, set_of, tlv

KEY = implicit(0, b"the key")
SERIAL_NUMBER = implicit(2, bytes([7]))


def directory(name):
    """Encode a directoryName."""
    return explicit(4, lab.authority.as_name(name).public_bytes())


def issuers(*names):
    """Encode the field authorityCertIssuer."""
    return explicit(1, *names)


URL = implicit(6, b"http://example.com/")


@pytest.fixture(scope="module")
def certificate_of():
    """Issue a certificate with an authorityKeyIdentifier of any octets."""
    ca = lab.Authority.create("CA")

    def make(*fields, value=None):
        value = sequence(*fields) if value is None else value
        identifier = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.35"), value)
        certificate = ca.issue("EE", ca.private_key.public_key(), extensions=[lab.non_critical(identifier)])
        return certificate.der

    return make


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ((KEY, issuers(directory("Root")), SERIAL_NUMBER), ("Root", 7)),
        ((issuers(directory("Root")), SERIAL_NUMBER), ("Root", 7)),
        ((issuers(directory("Root")),), ("Root", None)),
        ((KEY, issuers(directory("Root"))), ("Root", None)),
        ((SERIAL_NUMBER,), (None, 7)),
        ((KEY, SERIAL_NUMBER), (None, 7)),
        ((issuers(directory("First"), directory("Second")), SERIAL_NUMBER), ("First", 7)),
        ((issuers(URL, directory("Root")), SERIAL_NUMBER), ("Root", 7)),
        ((issuers(URL), SERIAL_NUMBER), (None, 7)),
        ((issuers(URL),), None),
        ((issuers(), SERIAL_NUMBER), (None, 7)),
        ((KEY,), None),
        ((), None),
    ],
)
def test_what_is_named(certificate_of, fields, named):
    """'authorityCertIssuer and authorityCertSerialNumber MUST both be present or both be absent': either may be."""
    der = certificate_of(*fields)
    hint, certificate = Certificate.from_der(der).authority_certificate, Certificate.from_der(der)
    assert certificate.extensions is not None
    assert certificate.authority_certificate == hint
    found = None if hint is None else (hint.issuer and hint.issuer.common_name, hint.serial_number)
    assert found == named


@pytest.mark.parametrize("value", [b"", b"\xff\xff", b"\x30\x05\xa1", b"\x04\x00", b"\x30\x03\x82\x01"])
def test_what_cannot_be_read_names_nothing(certificate_of, value):
    """It is a hint: the certificate can be used without it."""
    assert Certificate.from_der(certificate_of(value=value)).authority_certificate is None


def test_each_field_is_compared_where_it_is_there(certificate_of):
    """As OpenSSL does: an issuer or a serial number on its own counts. Names are compared by section 7.1."""
    name = Certificate.from_der(certificate_of()).issuer
    for fields, differs in (
        ((issuers(directory("ca ")), SERIAL_NUMBER), False),
        ((issuers(directory("CA")),), False),
        ((SERIAL_NUMBER,), False),
        ((issuers(directory("Root")), SERIAL_NUMBER), True),
        ((issuers(directory("Root")),), True),
        ((implicit(2, bytes([8])),), True),
    ):
        named = Certificate.from_der(certificate_of(*fields)).authority_certificate
        assert named.differs_from(name, 7) is differs, named
    assert str(named) == "#8"


def test_name_of_any_length_is_read(certificate_of):
    """A letter that its string type does not have is read as in any name; one of the lengths ends in 0x80."""
    for size in range(90, 130):
        value = tlv(0x13, b"\xe9" * size)
        attribute = sequence(b"\x06\x03\x55\x04\x0a", value)
        name = explicit(4, sequence(set_of(attribute)))
        named = Certificate.from_der(certificate_of(issuers(name))).authority_certificate
        assert "\xe9" * size in str(named.issuer)
