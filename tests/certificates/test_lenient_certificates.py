"""Certificates that pyca/cryptography refuses and that are in use; and what stays refused."""

from __future__ import annotations

import pickle

import pytest
from asn1crypto import parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.lenient import _elements, canonical_der
from pkcs12kit.certificates.pool import CertificatePool
from pkcs12kit.errors import MalformedCertificateError
from pkcs12kit.paths.signatures import SignatureVerdict, check_signature
from pkcs12kit.sources.loading import load_certificates

from ..thoroughness import examples

ECDSA_WITH_SHA256 = bytes.fromhex("06082a8648ce3d040302")
NULL = bytes.fromhex("0500")
FALSE = bytes.fromhex("010100")
BASIC_CONSTRAINTS = bytes.fromhex("0603551d13")


def sequence(*elements):
    """Encode a SEQUENCE."""
    return parser.emit(0, 1, 16, b"".join(elements))


def octets(contents):
    """Encode an OCTET STRING."""
    return parser.emit(0, 0, 4, contents)


def tagged(number, contents):
    """Encode an EXPLICIT context-specific tag."""
    return parser.emit(2, 1, number, contents)


def signed(authority, fields, algorithm):
    """Return a signed certificate of any fields."""
    tbs = sequence(*fields)
    signature = authority.private_key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return sequence(tbs, algorithm, parser.emit(0, 0, 3, b"\x00" + signature))


@pytest.fixture(scope="module")
def authority():
    """A CA with an EC key."""
    return lab.Authority.create("CA")


@pytest.fixture(scope="module")
def sound(authority):
    """A sound certificate that says cA in basicConstraints."""
    return authority.issue_ca(lab.Authority.create("Sub"))


def altered(authority, sound, *, algorithm=None, extensions=None, version=None):
    """Return the correct certificate with other encodings of some fields, signed again."""
    fields = list(_elements(sound.tbs_certificate, 6))
    algorithm = algorithm or sequence(ECDSA_WITH_SHA256)
    fields[2] = algorithm
    if version is not None:
        fields[0] = version
    if extensions is not None:
        fields[-1] = tagged(3, sequence(*extensions))
    return signed(authority, fields, algorithm)


def basic_constraints(*contents, critical=b""):
    """Encode a basicConstraints extension."""
    return sequence(BASIC_CONSTRAINTS, critical, octets(sequence(*contents)))


def everything_but_extensions_and_key(certificate):
    """Use each attribute that any certificate that exists has."""
    return (
        certificate.subject,
        certificate.issuer,
        certificate.serial_number,
        certificate.version,
        certificate.sha256,
        certificate.not_before,
        certificate.not_after,
        certificate.subject_public_key_info,
        certificate.node,
        certificate.tbs_certificate,
        certificate.signature,
        certificate.signature_algorithms_agree,
        certificate.is_self_issued,
        certificate.key_identifier,
        certificate.issuer_key_identifier,
        certificate.is_ca,
        certificate.to_json(),
        repr(certificate),
        hash(certificate),
    )


# What is read


@pytest.mark.parametrize(("name", "slips"), [("dod-2019.pem", 5), ("Certificates_PKCS7_v5_14_DoD.pem.p7b", None)])
def test_real_certificates_with_a_slip_are_whole(fpki, name, slips):
    """DoD's ECDSA certificates with a NULL parameter (RFC 5758 section 3.2 forbids it) say all that others say."""
    pool = load_certificates(fpki / name)
    slipped = [certificate for certificate in pool if certificate.encoding_error is not None]
    assert len(slipped) == slips or (slips is None and slipped)
    for certificate in slipped:
        assert everything_but_extensions_and_key(certificate)
        assert certificate.extensions.basic_constraints.ca
        assert isinstance(certificate.public_key, ec.EllipticCurvePublicKey)
        assert certificate.signature_algorithms_agree
        assert pickle.loads(pickle.dumps(certificate)) == certificate  # noqa: S301  # made here


def test_pyca_refuses_what_is_read_here(fpki):
    """The reason for a second reader still stands: pyca/cryptography refuses the same bytes."""
    pool = load_certificates(fpki / "dod-2019.pem")
    for certificate in pool:
        if certificate.encoding_error is not None:
            with pytest.raises(ValueError, match=r".+"):
                x509.load_der_x509_certificate(certificate.der).signature_hash_algorithm  # noqa: B018  # raises or not


def test_signatures_of_slipped_certificates_are_checked_over_the_original(fpki):
    """Signatures cover the original bytes, encoding errors included: real ones verify, with the issuer's key only."""
    pool = load_certificates(fpki / "dod-2019.pem", fpki / "Certificates_PKCS7_v5_14_DoD.pem.p7b")
    checked = 0
    for certificate in pool:
        if certificate.encoding_error is None:
            continue
        for issuer in pool.by_subject(certificate.issuer):
            if issuer.key_identifier == certificate.issuer_key_identifier or issuer == certificate:
                assert check_signature(certificate, issuer.public_key) is SignatureVerdict.VALID
                checked += 1
    assert checked >= 5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"algorithm": sequence(ECDSA_WITH_SHA256, NULL)}, "ca"),
        ({"extensions": [basic_constraints(FALSE)]}, "no ca"),
        ({"extensions": [basic_constraints(critical=FALSE)]}, "no ca"),
        ({"extensions": [basic_constraints(bytes.fromhex("0101ff"), critical=FALSE)]}, "ca"),
        ({"extensions": [basic_constraints(bytes.fromhex("010101"))]}, "ca"),  # BER's other TRUE
    ],
    ids=["null-parameter", "cA-false", "critical-false", "critical-false-and-ca", "ber-true"],
)
def test_slips_that_real_cas_make_are_read(authority, sound, changes, says):
    """X.690 section 11.5 leaves DEFAULT values out, section 11.1 has one TRUE, RFC 5758 no parameter: all are read."""
    certificate = Certificate.from_der(altered(authority, sound, **changes))
    assert certificate.is_ca is (says == "ca")
    assert certificate.subject == sound.subject
    assert certificate.public_key == sound.public_key
    assert "2.5.29.19" not in certificate.extensions.critical or "extensions" not in changes
    assert check_signature(certificate, authority.private_key.public_key()) is SignatureVerdict.VALID


def test_explicit_version_1_is_read(authority, sound):
    """Version 1 written though it is the DEFAULT (X.690 section 11.5): a version 1 certificate."""
    fields = list(_elements(sound.tbs_certificate, 6))[:-1]
    fields[0] = tagged(0, bytes.fromhex("020100"))
    certificate = Certificate.from_der(signed(authority, fields, fields[2]))
    assert certificate.version == 1
    assert certificate.subject == sound.subject
    assert check_signature(certificate, authority.private_key.public_key()) is SignatureVerdict.VALID


def test_implicit_version_1_is_read(authority, sound):
    """RFC 5280 section 4.1.2.1: without extensions the version may be 1, and then is not written."""
    fields = list(_elements(sound.tbs_certificate, 6))[1:-1]
    certificate = Certificate.from_der(signed(authority, fields, fields[1]))
    assert certificate.version == 1
    assert everything_but_extensions_and_key(certificate)
    assert certificate.subject_public_key_info == sound.subject_public_key_info


@pytest.mark.parametrize("value", ["020105", "30020500", "0101ff"], ids=["integer", "sequence", "boolean"])
def test_a_name_of_no_text_is_still_a_name(authority, sound, value):
    """A certificate whose commonName is not a string does not spoil its pool."""
    fields = list(_elements(sound.tbs_certificate, 6))
    attribute = sequence(bytes.fromhex("0603550403"), bytes.fromhex(value))
    fields[5] = sequence(parser.emit(0, 1, 17, attribute))
    certificate = Certificate.from_der(signed(authority, fields, fields[2]))
    assert everything_but_extensions_and_key(certificate)
    assert str(certificate.subject) == f"CN=#{value}"
    pool = CertificatePool([certificate, sound])
    assert pool.by_subject(sound.subject) == (sound,)
    assert pool.by_subject(certificate.subject) == (certificate,)


def test_the_slip_is_said(authority, sound):
    """``encoding_error`` says what pyca/cryptography refused; equality still goes by the bytes given."""
    der = altered(authority, sound, algorithm=sequence(ECDSA_WITH_SHA256, NULL))
    certificate = Certificate.from_der(der)
    canonical = Certificate.from_der(canonical_der(der))
    assert certificate.encoding_error
    assert canonical.encoding_error is None
    assert certificate.der == der
    assert certificate != canonical
    assert check_signature(canonical, authority.private_key.public_key()) is SignatureVerdict.INVALID


def test_a_slip_in_one_algorithm_field_alone_is_no_agreement(authority, sound):
    """RFC 5280 section 4.1.1.2: both algorithm fields MUST be the same; compared as encoded, else INVALID."""
    fields = list(_elements(sound.tbs_certificate, 6))
    certificate = Certificate.from_der(signed(authority, fields, sequence(ECDSA_WITH_SHA256, NULL)))
    assert not certificate.signature_algorithms_agree
    assert check_signature(certificate, authority.private_key.public_key()) is SignatureVerdict.INVALID


# What stays refused


@pytest.mark.parametrize("field", [3, 5], ids=["issuer", "subject"])
def test_a_name_that_no_reader_reads_is_found_when_the_certificate_is_read(authority, sound, field):
    """An attribute of three elements (RFC 5280 section 4.1.2.4 has two) is refused before the name is asked for."""
    common_name = bytes.fromhex("0603550403")
    fields = list(_elements(sound.tbs_certificate, 6))
    attribute = sequence(common_name, b"\x0c\x01a", b"\x0c\x01b")
    fields[field] = sequence(parser.emit(0, 1, 17, attribute))
    with pytest.raises(MalformedCertificateError, match="distinguished name"):
        Certificate.from_der(signed(authority, fields, sequence(ECDSA_WITH_SHA256)))


def _cut_in_half(der):
    return der[: len(der) // 2]


def _with_trailing_byte(der):
    return der + b"\x00"


def _nothing(_):
    return b""


def _an_integer(_):
    return b"\x02\x01\x05"


def _with_another_outer_tag(der):
    return b"\x31" + der[1:]


def _twice(der):
    return der + der


@pytest.mark.parametrize(
    "damage", [_cut_in_half, _with_trailing_byte, _nothing, _an_integer, _with_another_outer_tag, _twice]
)
def test_what_neither_reader_reads_is_an_error(sound, damage):
    """Damage is MalformedCertificateError, never a certificate and never another exception."""
    with pytest.raises(MalformedCertificateError):
        Certificate.from_der(damage(sound.der))


def test_a_certificate_signing_request_is_no_certificate(authority):
    """A PKCS#10 request looks alike from outside."""
    request = x509.CertificateSigningRequestBuilder().subject_name(authority.name)
    signed_request = request.sign(authority.private_key, hashes.SHA256())
    with pytest.raises(MalformedCertificateError):
        Certificate.from_der(signed_request.public_bytes(Encoding.DER))


def test_a_bare_public_key_is_no_certificate(authority):
    """SubjectPublicKeyInfo is not X.509."""
    info = authority.private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(MalformedCertificateError):
        Certificate.from_der(info)


@pytest.mark.parametrize(
    "extensions",
    [
        [basic_constraints(), basic_constraints()],
        [sequence(BASIC_CONSTRAINTS, octets(b"\xff\xff"))],
        [sequence(bytes.fromhex("0603551d0f"), octets(b"\x04\x00"))],
        [sequence(bytes.fromhex("0603551d1e"), octets(b"\x31\x00"))],
        [sequence(bytes.fromhex("0603551d11"), octets(sequence(parser.emit(2, 0, 7, b"\x01\x02\x03"))))],
    ],
    ids=["twice", "basic-constraints", "key-usage", "name-constraints", "ip-of-3-bytes"],
)
def test_unreadable_extensions_are_an_error_when_asked_for(authority, sound, extensions):
    """RFC 5280 section 4.2: no extension twice, none malformed. All the rest of the certificate can still be had."""
    certificate = Certificate.from_der(altered(authority, sound, extensions=extensions))
    assert everything_but_extensions_and_key(certificate)
    assert (certificate.is_ca, certificate.key_identifier, certificate.issuer_key_identifier) == (False, None, None)
    with pytest.raises(MalformedCertificateError, match="unreadable extensions"):
        _ = certificate.extensions


def test_more_than_a_certificate_is_none(sound):
    """RFC 5280 section 4.1: three elements. asn1crypto passes over a fourth, and a reader of the parts would not."""
    contents = parser.parse(sound.der)[4] + b"\x05\x00"
    with pytest.raises(MalformedCertificateError):
        Certificate.from_der(parser.emit(0, 1, 16, contents))


def test_unreadable_policy_mappings_are_an_error_when_asked_for(authority, sound):
    """RFC 5280 section 4.2.1.5: decoded later than the rest, which can be had; they are never taken for none."""
    mappings = sequence(bytes.fromhex("0603551d21"), octets(b"\x30\x03\x02\x01"))
    certificate = Certificate.from_der(altered(authority, sound, extensions=[mappings]))
    assert certificate.extensions.oids == {"2.5.29.33"}
    with pytest.raises(MalformedCertificateError, match="unreadable policy mappings"):
        _ = certificate.extensions.policy_mappings


def test_an_unknown_key_algorithm_is_an_error_when_asked_for(authority, sound):
    """The certificate exists; its key cannot be used."""
    fields = list(_elements(sound.tbs_certificate, 6))
    fields[6] = sequence(sequence(bytes.fromhex("06032a0304")), bytes.fromhex("030200ff"))
    certificate = Certificate.from_der(signed(authority, fields, fields[2]))
    assert everything_but_extensions_and_key(certificate)
    with pytest.raises(MalformedCertificateError, match="unusable public key"):
        _ = certificate.public_key


@pytest.mark.filterwarnings("ignore")  # pyca/cryptography warns of odd values, as of a negative serial number
@settings(max_examples=examples(400), deadline=None)
@given(position=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 1))
def test_any_damaged_byte_is_a_certificate_or_an_error(sound, position, value, cut):
    """'Everything but extensions and public_key can be had from any certificate that exists'."""
    damaged = bytearray(sound.der)
    damaged[position % len(damaged)] = value
    if cut:
        del damaged[position % len(damaged)]
    try:
        certificate = Certificate.from_der(bytes(damaged))
    except MalformedCertificateError:
        return
    assert everything_but_extensions_and_key(certificate)
    for attribute in ("extensions", "public_key"):
        try:
            getattr(certificate, attribute)
        except MalformedCertificateError:
            continue
