"""Decoding nameConstraints from octets: every form and every oddity that a certificate can hold (RFC 5280 4.2.1.10)."""

from __future__ import annotations

import pytest
from cryptography import x509

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.subtrees import EncodedName, NameConstraints, read_name_constraints
from pkcs12kit.errors import MalformedCertificateError

from ..der import explicit, octets, sequence
from . import oddities

NAME = "2.5.29.30"


def field(number, *subtrees):
    """Encode permittedSubtrees (0) or excludedSubtrees (1) of encoded bases, each with bounds or without."""
    return explicit(number, *map(sequence, subtrees))


def certificate_with(encoded, *others, critical=True):
    """Make a certificate with these octets as its nameConstraints, after other extensions."""
    encodings = (oddities.extension(dotted, value, critical=critical) for dotted, value in (*others, (NAME, encoded)))
    return Certificate.from_der(oddities.root(*encodings))


ODD = {
    "asterisk": (b"\x82\x07*.a.org", "dNSName '*.a.org'"),
    "not ASCII": (b"\x82\x04\xe9.fr", r"dNSName '\xe9.fr'"),
    "NUL": (b"\x82\x03a\0b", r"dNSName 'a\x00b'"),
    "empty": (b"\x82\x00", "dNSName ''"),
    "host bits": (b"\x87\x08\x0a\1\2\3\xff\0\0\0", "iPAddress 10.1.2.3/255.0.0.0"),
    "prefix": (b"\x87\x08\x0a\0\0\0\xff\0\0\0", "iPAddress 10.0.0.0/8"),
    "hole in the mask": (b"\x87\x08\x0a\0\0\0\xff\0\xff\0", "iPAddress 10.0.0.0/255.0.255.0"),
    "IPv6": (b"\x87\x20" + bytes(32), "iPAddress ::/0"),
    "no mask": (b"\x87\x04\x0a\0\0\0", "iPAddress 0a000000"),
    "x400Address": (b"\xa3\x02\x30\0", "x400Address 3000"),
    "ediPartyName": (b"\xa5\x03\x81\x01a", "ediPartyName 810161"),
    "registeredID": (b"\x88\x02\x2a\x03", "registeredID 1.2.3"),
    "broken registeredID": (b"\x88\x01\x80", "registeredID 80"),
    "otherName": (b"\xa0\x09\x06\x02\x2a\x03\xa0\x03\x0c\x01x", "otherName 1.2.3 0c0178"),
    "broken otherName": (b"\xa0\x04\x06\x02\x2a\x03", "otherName of an unknown type 06022a03"),
    "URI": (b"\x86\x02.x", "uniformResourceIdentifier '.x'"),
    "not a name": (b"\xa4\x02\x31\0", "directoryName 3100"),
    "ampersand": (
        b"\xa4\x10\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x13\x03a&b",
        "directoryName O=a&b",
    ),
}


@pytest.mark.parametrize(("base", "shown"), ODD.values(), ids=ODD)
@pytest.mark.parametrize("critical", [True, False])
def test_every_subtree_is_read(base, shown, critical):
    """Section 4.2.1.10: what a subtree is, is for path validation; the certificate itself is read in any case."""
    certificate = certificate_with(sequence(field(0, base), field(1, base)), critical=critical)
    constraints = certificate.extensions.name_constraints
    (permitted,), (excluded,) = constraints.permitted_subtrees, constraints.excluded_subtrees
    assert permitted == excluded == EncodedName.from_encoding(base)
    assert (str(permitted), permitted.encoding) == (shown, base)
    assert certificate.is_ca
    assert NAME in certificate.extensions.oids
    assert (NAME in certificate.extensions.critical) == critical


@pytest.mark.parametrize(
    ("bounds", "are_bounds"),
    [(b"", 0), (b"\x80\x01\0", 0), (b"\x80\x01\1", 1), (b"\x81\x01\0", 1), (b"\x80\x01\0\x81\x01\x05", 1)],
)
def test_bounds_are_kept(bounds, are_bounds):
    """'minimum MUST be zero, and maximum MUST be absent': pyca/cryptography drops both in silence."""
    base = b"\x82\x05a.org"
    for encoded in (sequence(field(0, base + bounds)), sequence(field(1, base, base + bounds))):
        constraints = read_name_constraints(encoded)
        assert constraints.bounded == (EncodedName(0x82, b"a.org"),) * are_bounds


def test_long_lengths_are_read():
    """X.690 section 8.1.3.5: a length in the long form is BER, and no reason to lose a CA."""
    base = b"\x82\x05a.org"
    encoded = sequence(explicit(0, b"\x30\x81\x07" + base), field(1, base + b"\x80\x01\1"))
    constraints = read_name_constraints(encoded)
    assert constraints.permitted_subtrees == constraints.excluded_subtrees == constraints.bounded
    assert read_name_constraints(b"\x30\x81\x00") == NameConstraints()


@pytest.mark.parametrize(
    "encoded",
    [
        *(b"", b"\x30", b"\x31\0", b"\xff\xff", sequence(field(0, b"\x82\x01a")) + b"\0"),
        *(sequence(field(2, b"\x82\x01a")), sequence(field(1, b"\x82\x01a"), field(0, b"\x82\x01a"))),
        *(sequence(field(0, b"\x82\x01a"), field(0, b"\x82\x01b")), sequence(explicit(0, b"\x82\x01a"))),
        *(sequence(field(0, base)) for base in (b"", b"\x8a\x01a", b"\x02\x01\x01", b"\xa2\x03\x16\x01a")),
        *(sequence(field(0, b"\x82\x01a" + more)) for more in (b"\x82\x01b", b"\x81\x01\0\x80\x01\0", b"\x80")),
    ],
)
def test_other_octets_are_refused_by_name(encoded):
    """Octets that are no NameConstraints make the certificate's extensions unreadable, and the error names which."""
    certificate = certificate_with(encoded)
    with pytest.raises(MalformedCertificateError, match="nameConstraints"):
        _ = certificate.extensions
    assert certificate.is_ca


def test_lookalikes_change_nothing():
    """Octets of the identifier elsewhere in the certificate stay as they are, and only the extension counts."""
    encoded = sequence(field(0, b"\x82\x05a.org"))
    other = octets(encoded.replace(b"a.org", b"b.org"))
    decoy = sequence(b"\x06\x03\x55\x1d\x1e", b"\x01\x01\xff", other)
    names = x509.SubjectAlternativeName([x509.DNSName("\x06\x03U\x1d\x1e")]).public_bytes()
    certificate = certificate_with(encoded, ("2.999.1", decoy), ("2.5.29.17", names))
    assert certificate.extensions.name_constraints.permitted_subtrees == (EncodedName(0x82, b"a.org"),)
    assert certificate.extensions.subject_alternative_name == (x509.DNSName("\x06\x03U\x1d\x1e"),)
