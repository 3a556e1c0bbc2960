"""Extensions with encoding errors: each is judged by itself (RFC 5280 section 4.2)."""

import pytest
from cryptography import x509

import pkcs12kit as pk
from pkcs12kit.certificates.extension_names import extension_label
from pkcs12kit.certificates.notes import NoteRule
from pkcs12kit.errors import MalformedCertificateError

from .. import der
from .oddities import BMP, CA_KEY, IA5, PRINTABLE, VISIBLE, attribute, certificate, extension, key_hash, name, server

BASIC, USAGE = "2.5.29.19", "2.5.29.15"
POLICIES, CRL_POINTS, AKI, SKI, AIA = "2.5.29.32", "2.5.29.31", "2.5.29.35", "2.5.29.14", "1.3.6.1.5.5.7.1.1"
NEEDED = [USAGE, BASIC, *(f"2.5.29.{arc}" for arc in (17, 30, 32, 33, 36, 37, 54)), "1.3.6.1.5.5.7.48.1.5"]
NOT_NEEDED = [
    *(f"2.5.29.{arc}" for arc in (9, 14, 16, 18, 31, 35, 46)),
    *(f"1.3.6.1.5.5.7.1.{arc}" for arc in (1, 3, 11, 12, 24)),
    *("1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.1", "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.11129.2.4.2"),
    *("2.16.840.1.113730.1.1", "2.16.840.1.113730.1.13", "1.2.840.113549.1.9.15", "1.3.36.8.3.3", "2.999.1"),
]
DAMAGE = {
    "nothing": b"",
    "no-asn1": b"\xff\xff",
    "cut": b"\x30\x10\x06\x03",
    "trailing": b"\x30\x00\x05",
    "endless": b"\x30\x80\x00",
    "longest-length": b"\x30\x84\xff\xff\xff\xff",
}
OTHER_EXTENSIONS = (extension("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1"))),)


def with_damage(oid, damage, *, critical=False):
    """Return a certificate with one damaged extension between sound ones."""
    around = [one for one in OTHER_EXTENSIONS if der.oid(oid) not in one]
    return pk.Certificate(certificate(extensions=(*around, extension(oid, damage, critical=critical))))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("oid", NEEDED)
def test_damage_where_validation_looks_refuses(oid, damage):
    """RFC 5280 section 6.1 needs these, critical or not; the refusal names the extension."""
    found = with_damage(oid, damage)
    with pytest.raises(MalformedCertificateError) as refusal:
        _ = found.extensions.policy_mappings
    assert extension_label(oid) in str(refusal.value)
    assert found.notes == ()


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("oid", NOT_NEEDED)
def test_damage_elsewhere_is_a_note(oid, damage):
    """The other extensions are read, and the note names the damaged one."""
    found = with_damage(oid, damage)
    assert found.extensions.extended_key_usage == {"1.3.6.1.5.5.7.3.1"}
    assert oid in found.extensions.oids
    (note,) = found.notes
    assert note.rule is NoteRule.UNREADABLE_EXTENSION
    assert extension_label(oid) in note.why


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("oid", NOT_NEEDED)
def test_damage_that_is_critical_refuses(oid, damage):
    """Section 4.2: a critical extension that cannot be processed rejects the certificate.

    Either the extension cannot be read, or validation refuses it, because it is critical and not processed.
    """
    found = with_damage(oid, damage, critical=True)
    try:
        assert oid in found.extensions.critical
        assert oid not in {SKI, AKI, CRL_POINTS, "2.5.29.46"}, "path validation would accept it"
    except MalformedCertificateError as refusal:
        assert extension_label(oid) in str(refusal)  # noqa: PT017


@pytest.mark.parametrize("oid", [*NEEDED, *NOT_NEEDED])
def test_an_extension_twice_refuses(oid):
    """Section 4.2: a certificate MUST NOT include more than one instance of an extension. The message names it."""
    twice = extension(oid, der.sequence())
    with pytest.raises(MalformedCertificateError, match="twice") as refusal:
        _ = pk.Certificate(certificate(extensions=(twice, twice))).extensions
    assert extension_label(oid) in str(refusal.value)


def test_key_identifiers_are_read_beside_damage():
    """A search finds the CA by its key identifier, so that the refusal can name the CA and the extension."""
    damaged = pk.Certificate(
        certificate(
            extensions=(
                extension(BASIC, der.sequence(der.TRUE), critical=True),
                extension(SKI, der.octets(key_hash(CA_KEY))),
                extension(USAGE, b"\xff\xff"),
            )
        )
    )
    assert (damaged.is_ca, damaged.key_identifier) == (True, key_hash(CA_KEY))


QUALIFIERS = [
    der.sequence(der.oid("1.3.6.1.5.5.7.2.2"), der.sequence(der.tlv(tag, octets)))
    for tag in (VISIBLE, IA5, PRINTABLE, BMP, 20, 18, 5)
    for octets in (b"Instrucci\xf3n", "Instrucción".encode(), b"odd")
] + [
    der.sequence(der.oid("1.3.6.1.5.5.7.2.1"), der.tlv(IA5, b"http://\xff/")),
    der.sequence(der.oid("1.3.6.1.5.5.7.2.1"), der.tlv(12, b"http://x/")),
    der.sequence(der.oid("2.999")),
    der.sequence(
        der.oid("1.3.6.1.5.5.7.2.2"),
        der.sequence(der.sequence(der.tlv(VISIBLE, "é".encode()), der.sequence(der.integer(1)))),
    ),
]


@pytest.mark.parametrize("qualifier", QUALIFIERS)
def test_policies_outlive_their_qualifiers(qualifier):
    """Section 4.2.1.4: qualifiers are texts for people. Python warnings are errors here."""
    policies = der.sequence(der.sequence(der.oid("2.999.7"), der.sequence(qualifier)), der.sequence(der.oid("2.999.8")))
    found = pk.Certificate(certificate(extensions=(extension(POLICIES, policies),)))
    assert found.extensions.certificate_policies == ("2.999.7", "2.999.8")
    assert all("certificatePolicies (2.5.29.32)" in note.why for note in found.notes)


def test_a_notice_with_an_accent_is_noted():
    """A VisibleString has ASCII only (X.680 section 41); pyca/cryptography would write a Python warning."""
    for text in ("Instrucción".encode(), "Instrucción".encode("latin-1")):
        notice = der.sequence(der.oid("1.3.6.1.5.5.7.2.2"), der.sequence(der.tlv(VISIBLE, text)))
        policies = der.sequence(der.sequence(der.oid("2.999.7"), der.sequence(notice)))
        (note,) = pk.Certificate(certificate(extensions=(extension(POLICIES, policies),))).notes
        assert "in full" in note.why


URL = der.implicit(6, b"http://ca.example/x")
LONG = der.explicit(4, name("x" * 70))
MISFIT = der.explicit(4, name(attribute(b"Smith & Sons", PRINTABLE)))
X400, EDI = der.explicit(3, der.sequence()), der.explicit(5, der.explicit(1, b"\x13\x01a"))


def names(*found):
    """Return the directory names as text, and the URLs."""
    return tuple(
        str(pk.Name.from_cryptography(one.value)) if isinstance(one, x509.DirectoryName) else one.value for one in found
    )


@pytest.mark.parametrize(
    ("beside", "expected"),
    [(LONG, (f"CN={'x' * 70}",)), (MISFIT, ("CN=Smith & Sons",)), (X400, ()), (EDI, ())],
    ids=["long", "misfit", "x400", "edi"],
)
def test_the_other_names_of_an_extension_are_read(beside, expected):
    """A directory name with a character too many, or a form that is not supported, does not hide a URL."""
    point = der.sequence(der.sequence(der.explicit(0, der.explicit(0, beside, URL)), der.implicit(1, b"\x01\x40")))
    access = der.sequence(*(der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), location) for location in (beside, URL)))
    aki = der.sequence(der.implicit(0, b"id"), der.explicit(1, beside), der.implicit(2, b"\x05"))
    found = pk.Certificate(server(extension(CRL_POINTS, point), extension(AIA, access), extension(AKI, aki)))
    (read,) = found.extensions.crl_distribution_points
    assert names(*read.full_name) == (*expected, "http://ca.example/x")
    assert read.reasons == {x509.ReasonFlags.key_compromise}
    locations = [one.access_location for one in found.extensions.authority_information_access]
    assert names(*locations) == (*expected, "http://ca.example/x")
    identifier = found.extensions.authority_key_identifier
    assert identifier.key_identifier == b"id"
    assert names(*(identifier.authority_cert_issuer or ())) == expected
    assert {note.why.split()[2] for note in found.notes} == (
        set() if expected else {"cRLDistributionPoints", "authorityInfoAccess", "authorityKeyIdentifier"}
    )


def test_a_crl_issuer_is_never_half_read():
    """Without a name that is not supported, another CRL could speak for the certificate (section 6.3.3 (b)(1))."""
    for issuer in (X400, EDI, X400 + MISFIT):
        point = der.sequence(der.sequence(der.explicit(0, der.explicit(0, URL)), der.explicit(2, issuer)))
        extensions = pk.Certificate(server(extension(CRL_POINTS, point))).extensions
        assert extensions.crl_distribution_points == ()
        assert extensions.lost == {CRL_POINTS}


def test_alternative_names_are_never_half_read():
    """Names that are not read cannot be checked against name constraints (section 6.1.3 (b))."""
    for beside in (X400, EDI):
        found = pk.Certificate(certificate(extensions=(extension("2.5.29.17", der.sequence(beside, URL)),)))
        with pytest.raises(MalformedCertificateError, match=r"subjectAltName \(2\.5\.29\.17\)"):
            _ = found.extensions
    for beside, expected in ((LONG, f"CN={'x' * 70}"), (MISFIT, "CN=Smith & Sons")):
        found = pk.Certificate(certificate(extensions=(extension("2.5.29.17", der.sequence(beside, URL)),)))
        assert names(*found.extensions.subject_alternative_name) == (expected, "http://ca.example/x")


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (BASIC, der.sequence(der.TRUE, der.TRUE, der.integer(0))),
        (BASIC, der.sequence(der.TRUE, der.implicit(2, b"\0"))),
        (BASIC, der.sequence(der.TRUE, der.integer(3), der.integer(0))),
        (BASIC, der.sequence(der.oid("1.2.3"))),
        ("2.5.29.36", der.sequence(der.implicit(1, b"\0"), der.implicit(0, b"\0"))),
        ("2.5.29.37", der.sequence(der.oid("1.3.6.1.5.5.7.3.1"), der.TRUE)),
    ],
    ids=["ca-twice", "tagged-length", "two-lengths", "not-a-flag", "wrong-order", "not-a-purpose"],
)
@pytest.mark.parametrize("critical", [False, True])
def test_elements_that_do_not_belong_are_not_dropped(oid, value, critical):
    """asn1crypto leaves out an element that it does not expect, and what follows: here a limit of the CA."""
    with pytest.raises(MalformedCertificateError) as refusal:
        _ = with_damage(oid, value, critical=critical).extensions
    assert extension_label(oid) in str(refusal.value)


def test_policy_mappings_are_pairs():
    """A mapping has two policies (section 4.2.1.5); with a third, nobody can tell which one the CA meant."""
    pair = (der.oid("1.2.3"), der.oid("1.2.4"))
    for mapping in (pair[:1], (*pair, der.oid("1.2.5")), (*pair, der.TRUE)):
        found = with_damage("2.5.29.33", der.sequence(der.sequence(*pair), der.sequence(*mapping))).extensions
        with pytest.raises(MalformedCertificateError, match="policyMappings"):
            _ = found.policy_mappings
    sound = with_damage("2.5.29.33", der.sequence(der.sequence(*pair))).extensions
    assert sound.policy_mappings == (("1.2.3", "1.2.4"),)


def test_no_crl_issuer_of_a_distribution_point_is_dropped():
    """With one of two cRLIssuer fields left out, a CRL would speak for the certificate (section 6.3.3 (b)(1))."""
    first, second = (der.explicit(2, der.explicit(4, name(text))) for text in ("Issuing", "Another"))
    point = der.sequence(der.sequence(der.explicit(0, der.explicit(0, URL)), first, second))
    assert pk.Certificate(server(extension(CRL_POINTS, point))).extensions.lost == {CRL_POINTS}


def test_values_of_basic_constraints_in_ber_are_read():
    """An explicit default, TRUE as another octet than 0xff, and long lengths lose nothing (X.690 section 8)."""
    for value, expected in (
        (der.sequence(b"\x01\x01\x00"), (False, None)),
        (der.sequence(b"\x01\x01\x01", b"\x02\x81\x01\x04"), (True, 4)),
        (b"\x30\x81\x03" + der.TRUE, (True, None)),
    ):
        found = with_damage(BASIC, value).extensions.basic_constraints
        assert (found.ca, found.path_length) == expected
