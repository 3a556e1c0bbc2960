"""Pools find certificates by name in every encoding; cached names are never confused; pools are immutable."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
from asn1crypto import parser
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pkcs12kit import lab
from pkcs12kit.certificates import der as encoded_names
from pkcs12kit.certificates import der as outline
from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate, read_sound
from pkcs12kit.certificates.indexes import _ending, _endings
from pkcs12kit.certificates.names import Name
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.sources.loading import load_certificates

from ..thoroughness import examples

# pyca/cryptography warns of attributes longer or shorter than RFC 5280 appendix A.1 allows.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")

CN, OU = bytes.fromhex("0603550403"), bytes.fromhex("060355040b")
UTF8, PRINTABLE, T61, IA5, UNIVERSAL, BMP = 12, 19, 20, 22, 28, 30
CODECS = {UNIVERSAL: "utf-32-be", BMP: "utf-16-be", T61: "latin-1"}
# Letters of both cases, spaces of all kinds, what preparation drops (soft hyphen), joins (accent), or turns into ASCII
# (Kelvin sign, ligature, full width A), and what looks like the header of a value.
CHARACTERS = "abAB 7\t\n\x0b\x0c\x13\x1e\x00\xad\xa0\xdfé\u0301\u212a\ufb01\uff21一"


def sequence(*elements):
    """Encode a SEQUENCE."""
    return parser.emit(0, 1, 16, b"".join(elements))


def value(text, tag=UTF8, constructed=0):
    """Encode a text as a string of one ASN.1 type."""
    return parser.emit(0, constructed, tag, text.encode(CODECS.get(tag, "utf-8"), "replace"))


def encoded(*relatives):
    """Encode the contents of a name: relative distinguished names, each some pairs of identifier and value."""
    return b"".join(
        parser.emit(0, 1, 17, b"".join(sorted(sequence(*attribute) for attribute in relative)))
        for relative in relatives
    )


@pytest.fixture(scope="session")
def template():
    """The fields of a certificate and what follows them; their signature is looked at nowhere here."""
    certificate = lab.Authority.create("CA").certificate
    return list(lenient._elements(certificate.tbs_certificate, 8)), lenient._elements(certificate.der, 3)[1:]


def with_subject(template, contents, serial=1):
    """Encode a certificate with any subject."""
    (version, _, algorithm, issuer, validity, _, *rest), after = template
    number = parser.emit(0, 0, 2, b"\x01" + serial.to_bytes(3))
    return sequence(sequence(version, number, algorithm, issuer, validity, sequence(contents), *rest), *after)


def readable(der):
    """Read certificates, but for those whose strings pyca/cryptography refuses in their types."""
    for data in der:
        with suppress(MalformedCertificateError):
            yield Certificate(data)


strings = st.builds(
    value,
    st.text(st.sampled_from(CHARACTERS), max_size=16),
    st.sampled_from([UTF8, PRINTABLE, T61, IA5, UNIVERSAL, BMP]),
    st.sampled_from([0, 0, 0, 1]),
)
others = st.builds(lambda tag, contents: parser.emit(0, 0, tag, contents), st.sampled_from([2, 3, 4]), st.binary())
attributes = st.tuples(st.sampled_from([CN, OU]), strings | others)
names = st.lists(st.lists(attributes, min_size=1, max_size=2), max_size=2).map(lambda name: encoded(*name))


# Finding


def test_a_name_is_found_in_whatever_encoding(template):
    """RFC 5280 section 7.1: case, string type and white space do not matter, in long names and short."""
    encodings = [
        encoded([(CN, value(text, tag))])
        for tag in (UTF8, PRINTABLE, T61, BMP, UNIVERSAL)
        for text in ("Example Issuing CA 7", "EXAMPLE issuing ca 7", " Example Issuing  CA 7 ", "Example Issuing CA  7")
    ]
    encodings += [encoded([(CN, value(text, tag))]) for tag in (UTF8, BMP) for text in ("CA 7", "ca  7", " CA\u00a07")]
    certificates = [Certificate(with_subject(template, contents)) for contents in encodings]
    pool = CertificatePool(certificates)
    assert {len(pool.by_subject(certificate.subject)) for certificate in certificates[:20]} == {20}
    assert {len(pool.by_subject(certificate.subject)) for certificate in certificates[20:]} == {6}
    assert all(certificate in pool for certificate in certificates)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contents=st.lists(names, min_size=2, max_size=8))
@example(contents=[encoded([(CN, value("\u212a" * 6, BMP))]), encoded([(CN, value("k" * 6))])])
@example(contents=[encoded([(CN, value("\u212a" * 6, BMP, 1))]), encoded([(CN, value("k" * 6))])])
@example(contents=[encoded([(CN, value("\u212a" * 99, BMP))]), encoded([(CN, value("k" * 99))])])
@example(contents=[encoded([(CN, value("a\x0c\x04abcd"))]), encoded([(CN, value("a abcd"))])])
@example(
    contents=[encoded([(CN, value("AAAA")), (OU, value("b"))]), encoded([(CN, value("aaaa")), (OU, value("B", BMP))])]
)
@example(contents=[b"", encoded([(CN, value(""))])])
@example(contents=[encoded([(CN, parser.emit(1, 0, BMP, b"abcdefghijkl"))]), encoded([(CN, value("x"))])])
def test_a_pool_finds_what_comparing_every_name_finds(template, contents):
    """RFC 5280 section 7.1, name by name, is what the index stands for; order and repetition do not matter."""
    der = [with_subject(template, subject, serial) for serial, subject in enumerate(contents)]
    pool = CertificatePool(readable(der))
    other = CertificatePool(readable([*reversed(der), *der]))
    for certificate in readable(der):
        matching = [found for found in pool if found.subject.comparison_key == certificate.subject.comparison_key]
        assert pool.by_subject(certificate.subject) == tuple(sorted(matching, key=lambda found: found.sha256))
        assert other.by_subject(certificate.subject) == pool.by_subject(certificate.subject)


@settings(max_examples=examples(400), deadline=None)
@given(contents=names)
def test_the_ending_of_an_encoding_is_one_of_its_name(contents):
    """The index relies on this: preparation (RFC 4518) changes only the case of an ending."""
    ending = _ending(contents)
    assert ending is None or ending in _endings(encoded_names.read_name(contents))


def test_names_that_end_alike_are_told_apart(template):
    """The index looks at ends of names first, and only first."""
    units = [encoded([(OU, value(f"Unit {number}"))], [(CN, value("Example Issuing CA"))]) for number in range(50)]
    pool = CertificatePool(Certificate(with_subject(template, contents)) for contents in units)
    for certificate in pool:
        assert pool.by_subject(certificate.subject) == (certificate,)
    assert pool.by_subject(Name([[("2.5.4.3", "Example Issuing CA")]])) == ()


def test_real_pools_are_found_by_every_name(fpki):
    """The Federal PKI's certificates: encoding slips, two encodings of one name, domain components."""
    pool = load_certificates(fpki / "fpki-2024-10.p7b", fpki / "dod-2019.pem")
    for name in {name for certificate in pool for name in (certificate.subject, certificate.issuer)}:
        assert set(pool.by_subject(name)) == {certificate for certificate in pool if certificate.subject == name}


@pytest.mark.parametrize("attempt", range(5))
def test_threads_that_ask_first_at_the_same_time_get_the_same(fpki, attempt):
    """A pool is shared from the start: no thread sees an index, or a certificate, half made."""
    der = [certificate.der for certificate in load_certificates(fpki / "fpki-2024-10.p7b")]
    expected = CertificatePool(map(Certificate, der))
    name_of = {certificate.der: certificate.issuer for certificate in expected}
    answers = [expected.by_subject(name_of[data]) for data in der]
    pool = CertificatePool(map(Certificate, der))
    barrier = Barrier(8)

    def ask(start):
        barrier.wait()
        order = [(number + start * len(der) // 8) % len(der) for number in range(len(der))]
        certificates = list(pool)
        found = {number: pool.by_subject(certificates[number].issuer) for number in order}
        identified = {number: pool.by_key_identifier(certificates[number].key_identifier or b"") for number in order}
        nodes = {number: certificates[number].node for number in order}
        return ([table[number] for number in range(len(der))] for table in (found, identified, nodes))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as executor:
            found = [tuple(tables) for tables in executor.map(ask, range(8))]
    finally:
        sys.setswitchinterval(interval)
    for by_subject, by_key_identifier, nodes in found:
        assert by_subject == answers
        assert by_key_identifier == found[attempt][1]
        assert nodes == [certificate.node for certificate in expected]


# Shared names


def test_certificates_share_the_name_that_they_encode_alike(template):
    """One encoding is one object; another encoding of the same name is equal to it; another name is neither."""
    plain = encoded([(OU, value("Unit"))], [(CN, value("Shared CA"))])
    printable = encoded([(OU, value("Unit"))], [(CN, value("Shared CA", PRINTABLE))])
    another = encoded([(OU, value("Unit"))], [(CN, value("Shared CB"))])
    one, two, three, four = (
        Certificate(with_subject(template, contents, serial)).subject
        for serial, contents in enumerate([plain, plain, printable, another])
    )
    assert one is two
    assert three is not one
    assert three == one
    assert four != one
    assert hash(three) == hash(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (encoded([(CN, value("ab"))]), encoded([(OU, value("ab"))])),
        (encoded([(CN, value("a")), (OU, value("b"))]), encoded([(CN, value("a"))], [(OU, value("b"))])),
        (encoded([(CN, value("a"))], [(CN, value("b"))]), encoded([(CN, value("b"))], [(CN, value("a"))])),
        (encoded([(CN, value("x" * 600))]), encoded([(CN, value("x" * 599 + "y"))])),
        (b"", encoded([(CN, value(""))])),
    ],
    ids=["type", "set", "order", "long", "empty"],
)
def test_names_that_differ_are_not_confused(template, one, other):
    """A cached name, or a cached part of it, is never returned for another name."""
    for first, second in ((one, other), (other, one)):
        subjects = [Certificate(with_subject(template, contents)).subject for contents in (first, second)]
        assert subjects[0] != subjects[1]
        assert subjects == [lenient.read_name(sequence(first)), lenient.read_name(sequence(second))]


def test_what_is_remembered_of_names_is_bounded():
    """The caches of names are bounded: they keep a fixed number of short encodings, and no long one."""
    for number in range(3000):
        encoded_names.read_name(encoded([(CN, value(f"Name {number}"))]))
    for remembering in (encoded_names._read_short, encoded_names._read_relative):
        assert remembering.cache_info().currsize <= remembering.cache_info().maxsize <= 1024
    before = encoded_names._read_short.cache_info()
    encoded_names.read_name(encoded([(CN, value("x" * 600))]))
    assert encoded_names._read_short.cache_info() == before


def test_a_name_crosses_processes_without_its_hash():
    """Hashes of text differ from process to process: one that was worked out is not sent along."""
    name = Name([[("2.5.4.3", "x")]])
    hash(name)
    copied = pickle.loads(pickle.dumps(name))  # noqa: S301  # made in this test
    assert copied._hash is None
    assert copied == name
    assert {copied: 1}[name] == 1


# Certificates


def test_both_readers_cut_alike(fpki, template):
    """pyca/cryptography's cut of a sound certificate is asn1crypto's, octet by octet."""
    issuer, (subject, serial) = template[0][3], (encoded([(CN, value("x"))]), 7)
    bare = list(lenient._elements(lenient._elements(with_subject(template, subject, serial), 3)[0], 8))
    version_1 = sequence(sequence(*bare[1:-1]), *template[1])
    pool = load_certificates(fpki / "fpki-2024-10.p7b", fpki / "dod-2019.pem")
    for certificate in [*pool, Certificate(version_1)]:
        structure = lenient.read_structure(certificate.der)
        assert certificate.tbs_certificate == structure.tbs_certificate
        assert certificate.subject_public_key_info == structure.subject_public_key_info
        assert certificate.signature_algorithms_agree
        assert certificate.subject == lenient.read_name(structure.subject)
        assert certificate.issuer == lenient.read_name(structure.issuer)
    assert outline.read_outline(version_1) is None
    assert Certificate(version_1).issuer == lenient.read_name(issuer)


def test_version_1_with_unique_identifiers_is_not_cut_askew(template):
    """As many fields as version 3 has, and others: the version is known by its tag (RFC 5280 section 4.1)."""
    (_, serial, algorithm, issuer, validity, subject, key_info, _), after = template
    unique = [parser.emit(2, 0, number, b"\x00\x01") for number in (1, 2)]
    der = sequence(sequence(serial, algorithm, issuer, validity, subject, key_info, *unique), *after)
    certificate = Certificate(der)
    assert outline.read_outline(der) is None
    assert certificate.subject == lenient.read_name(subject)
    assert certificate.subject_public_key_info == key_info


def test_hints_are_what_the_extensions_say(fpki):
    """Key identifiers and cA are had without keeping the extensions, and are the same."""
    for certificate in load_certificates(fpki / "fpki-2024-10.p7b", fpki / "dod-2019.pem"):
        hints = (certificate.key_identifier, certificate.issuer_key_identifier, certificate.is_ca)
        extensions = certificate.extensions
        authority, constraints = extensions.authority_key_identifier, extensions.basic_constraints
        assert hints == (
            extensions.subject_key_identifier,
            authority and authority.key_identifier,
            bool(constraints and constraints.ca),
        )


def test_an_attribute_is_decoded_once(template):
    """The second time it is read from where the first left it."""
    certificate = Certificate(with_subject(template, encoded([(CN, value("x"))])))
    for attribute in ("subject", "issuer", "node", "extensions", "public_key", "not_after", "sha256", "key_identifier"):
        assert getattr(certificate, attribute) is getattr(certificate, attribute)


def test_nothing_can_be_changed(template):
    """Certificates share names, pools share certificates, threads share pools."""
    certificate = Certificate(with_subject(template, encoded([(CN, value("x"))])))
    pool = CertificatePool([certificate])
    for shared, attribute in (
        (certificate, "der"),
        (certificate, "subject"),
        (certificate, "anything"),
        (certificate.subject, "relative_distinguished_names"),
        (certificate.subject, "comparison_key"),
        (certificate.subject, "anything"),
        (pool, "rejects"),
        (pool, "anything"),
    ):
        with pytest.raises(AttributeError):
            setattr(shared, attribute, ())
    with pytest.raises(AttributeError):
        del certificate.der
    with pytest.raises(AttributeError, match="anything"):
        _ = certificate.anything
    assert str(certificate.subject) == "CN=x"


def test_what_is_no_sound_certificate_is_left_to_the_other_reader(fpki, template):
    """The quick way gives nothing for what has a slip, is damaged, or is followed by anything."""
    sound = with_subject(template, encoded([(CN, value("x"))]))
    assert read_sound(sound) == Certificate(sound)
    assert read_sound(sound).encoding_error is None
    slipped = [found.der for found in load_certificates(fpki / "dod-2019.pem") if found.encoding_error is not None]
    for data in (*slipped[:1], sound[:-1], sound + b"\x00", b"", b"\x30\x84" + b"\xff" * 5000):
        assert read_sound(data) is None
