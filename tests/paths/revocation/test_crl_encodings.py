"""CRLs that are not DER to the letter, or odd: read as their CA meant them, or not at all (RFC 5280 section 5)."""

from __future__ import annotations

import dataclasses

import pytest
from asn1crypto import parser
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from pkcs12kit import lab
from pkcs12kit.certificates import lenient
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL

from .world import GOOD, NOW, REVOKED, UNKNOWN, World

FALSE, TRUE = bytes.fromhex("010100"), bytes.fromhex("0101ff")
ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
ECDSA, ECDSA_WITH_NULL = bytes.fromhex("300a06082a8648ce3d040302"), bytes.fromhex("300c06082a8648ce3d0403020500")
NUMBER, SCOPE, REASON, UNKNOWN_TO_ALL = (
    bytes.fromhex(oid) for oid in ("0603551d14", "0603551d1c", "0603551d15", "06022a03")
)
URL = "ldap:///CN=a%20b,DC=c?x?base"
"""As Microsoft's CAs write it, with three slashes and an escaped space: asn1crypto would encode it otherwise."""


def sequence(*items):
    """Return a SEQUENCE."""
    return parser.emit(0, 1, 16, b"".join(items))


def octets(value):
    """Return an OCTET STRING."""
    return parser.emit(0, 0, 4, value)


def integer(number):
    """Return an INTEGER."""
    return parser.emit(0, 0, 2, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


def utc_time(moment=NOW):
    """Return a UTCTime."""
    return parser.emit(0, 0, 23, f"{moment:%y%m%d%H%M%SZ}".encode())


def general_time(moment=NOW):
    """Return a GeneralizedTime."""
    return parser.emit(0, 0, 24, f"{moment:%Y%m%d%H%M%SZ}".encode())


def point(url=URL):
    """Return the field distributionPoint of issuingDistributionPoint."""
    return parser.emit(2, 1, 0, parser.emit(2, 1, 0, parser.emit(2, 0, 6, url.encode())))


REASON_IS_COMPROMISE = sequence(REASON, octets(bytes.fromhex("0a0101")))
REASON_IS_7 = sequence(REASON, octets(bytes.fromhex("0a0107")))
"""CRLReason 7 is not used (RFC 5280 section 5.3.1)."""


class Crls(World):
    """CRLs put together octet by octet."""

    def __init__(self):
        super().__init__()
        points = x509.DistributionPoint([x509.UniformResourceIdentifier(URL)], None, None, None)
        extensions = [lab.non_critical(x509.CRLDistributionPoints([points]))]
        certificate = self.issuing.issue_server("server.example", extensions=extensions).certificate
        self.path = self.path_of(certificate, self.ca)
        self.serial = integer(certificate.serial_number)

    def crl(self, *fields, version=None, algorithm=ECDSA, listed=(), extensions=(), this_update=None, entries=None):
        """Return a CRL of the issuing CA; ``fields`` come last in its tbsCertList."""
        if entries is None:
            entries = sequence(*listed) if listed else b""
        content = sequence(
            integer(1) if version is None else version,
            algorithm,
            lenient.read_structure(self.ca.der).subject,
            this_update or utc_time(),
            utc_time(self.root.certificate.not_after),
            entries,
            parser.emit(2, 1, 0, sequence(*extensions)) if extensions else b"",
            *fields,
        )
        digest = hashes.SHA1() if algorithm == ECDSA_SHA1 else hashes.SHA256()  # noqa: S303  # that it is refused
        signature = self.issuing.private_key.sign(content, ec.ECDSA(digest))
        return sequence(content, algorithm, parser.emit(0, 0, 3, b"\0" + signature))

    def entry(self, *extensions, serial=None, date=None):
        """Return an entry, about the server unless a serial number is given, encoded."""
        return sequence(serial or self.serial, date or utc_time(), sequence(*extensions) if extensions else b"")

    def answer(self, *fields, wrapped=False, **made):
        """Return the status of the server by such a CRL; ``wrapped`` spells the length of the whole in four octets."""
        crl = self.crl(*fields, **made)
        if wrapped:
            contents = parser.parse(crl)[4]
            crl = b"\x30\x84" + len(contents).to_bytes(4, "big") + contents
        return self.status(crls=[crl]).status


@pytest.fixture(scope="module")
def crls():
    """One PKI for all tests."""
    return Crls()


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    "made",
    [
        {},
        {"version": b""},
        {"algorithm": ECDSA_WITH_NULL},
        {"this_update": general_time()},
        {"extensions": [sequence(NUMBER, FALSE, octets(integer(5)))]},
        {"extensions": [sequence(NUMBER, octets(bytes.fromhex("02020005")))]},
    ],
    ids=["plain", "version 1", "NULL", "GeneralizedTime", "criticality FALSE", "integer of two octets"],
)
def test_listed_or_not_whatever_the_encoding(crls, made, wrapped):
    """The CRL says the same with such an error, also where a stranger wrapped it (the signature is over the rest)."""
    other = crls.entry(serial=integer(5))
    assert crls.answer(wrapped=wrapped, **made) is GOOD
    assert crls.answer(wrapped=wrapped, listed=[other], **made) is GOOD
    assert crls.answer(wrapped=wrapped, listed=[other, crls.entry()], **made) is REVOKED


@pytest.mark.parametrize("wrapped", [False, True])
def test_serial_numbers_of_entries(crls, wrapped):
    """Zero, negative, long and padded ones of other certificates do not matter; the server's own is found."""
    padded = parser.emit(0, 0, 2, b"\0" + parser.parse(crls.serial)[4])
    others = [crls.entry(serial=serial) for serial in (integer(0), integer(-5), integer(2**239), b"\x02\x00")]
    assert crls.answer(listed=others, wrapped=wrapped) is GOOD
    assert crls.answer(listed=[*others, crls.entry()], wrapped=wrapped) is REVOKED
    assert crls.answer(listed=[*others, crls.entry(serial=padded)], wrapped=wrapped) is REVOKED
    assert crls.answer(entries=sequence(), wrapped=wrapped) is GOOD  # section 5.1.2.6 forbids it, and it exists


@pytest.mark.parametrize("wrapped", [False, True])
def test_entries(crls, wrapped):
    """A listed certificate is revoked, whatever pyca/cryptography makes of a reason that is not critical."""
    assert crls.answer(listed=[crls.entry(REASON_IS_7)], wrapped=wrapped) is REVOKED
    assert crls.answer(listed=[crls.entry(REASON_IS_COMPROMISE, REASON_IS_COMPROMISE)], wrapped=wrapped) is REVOKED
    assert crls.answer(listed=[crls.entry(date=general_time())], wrapped=wrapped) is REVOKED
    spelled = sequence(REASON, FALSE, octets(bytes.fromhex("0a0101")))
    assert crls.answer(listed=[crls.entry(spelled)], wrapped=wrapped) is REVOKED
    # Section 5.3: a CRL with a critical entry extension that is not processed is not used. BER has 255 values for TRUE.
    for critical in (TRUE, bytes.fromhex("010101")):
        odd = crls.entry(sequence(UNKNOWN_TO_ALL, critical, octets(b"")), serial=integer(5))
        assert crls.answer(listed=[odd], wrapped=wrapped) is UNKNOWN
        assert crls.answer(listed=[odd, crls.entry(REASON_IS_7)], wrapped=wrapped) is UNKNOWN


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([point()], GOOD),
        ([point("ldap:/CN=a%20b,DC=c?x?base")], UNKNOWN),
        ([point("ldap:///CN=a b,DC=c?x?base")], UNKNOWN),
        ([point(), bytes.fromhex("810100")], GOOD),
        ([point(), bytes.fromhex("810100820100840100850100")], GOOD),
        ([point(), bytes.fromhex("8101ff")], GOOD),
        ([point(), bytes.fromhex("820101")], UNKNOWN),
        ([point(), bytes.fromhex("8201ff")], UNKNOWN),
        ([point(), bytes.fromhex("8501ff")], UNKNOWN),
        ([point(), bytes.fromhex("8302017e")], UNKNOWN),
    ],
)
def test_scope(crls, wrapped, fields, expected):
    """IssuingDistributionPoint keeps its names to the octet; flags that are FALSE are as if they were not there."""
    for critical in (TRUE, bytes.fromhex("010101"), FALSE, b""):
        extension = sequence(SCOPE, critical, octets(sequence(*fields)))
        assert crls.answer(extensions=[extension], wrapped=wrapped) is expected


@pytest.mark.parametrize(
    "made",
    [
        {"fields": [parser.emit(2, 1, 5, b"")]},
        {"fields": [sequence()], "extensions": [sequence(NUMBER, octets(integer(5)))]},
        {"this_update": integer(5)},
        {"extensions": [sequence(NUMBER, octets(integer(5)), TRUE)], "wrapped": True},
        {"extensions": [sequence(NUMBER, TRUE, TRUE, octets(integer(5)))], "wrapped": True},
        {"extensions": [sequence(NUMBER, octets(b""))], "wrapped": True},
        {"this_update": utc_time()[:1] + b"\0", "wrapped": True},
    ],
)
def test_fields_that_do_not_belong_there(crls, made):
    """They are not dropped without a word: such a CRL is refused where it is read."""
    made = dict(made)
    with pytest.raises(InputError, match="not a CRL"):
        crls.answer(*made.pop("fields", ()), **made)


def test_unreadable_extensions_of_a_crl_that_is_too_long_to_encode_again(crls):
    """Such a CRL answers nothing, and does not end the check."""
    crl = crls.crl(extensions=[sequence(NUMBER, octets(b"\x05\x00"))])
    for limit in (0, len(crl)):
        found = crls.status(crls=[crl], limits=dataclasses.replace(DEFAULT_LIMITS, crl_rewritten_bytes=limit))
        assert found.status is UNKNOWN
        assert "has extensions that cannot be read" in found.detail


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("value", [b"", b"\x02"])
def test_a_number_of_nothing(crls, value, wrapped):
    """A cRLNumber whose octets hold no INTEGER (RFC 5280 section 5.2.3): no answer, and no error of another kind."""
    try:
        found = crls.answer(extensions=[sequence(NUMBER, octets(value))], wrapped=wrapped)
    except InputError:
        return
    assert found is UNKNOWN


def test_weak_digest(crls):
    """A signature that verifies counts only where the algorithm policy accepts its hash."""
    crl = crls.crl(algorithm=ECDSA_SHA1)
    found = crls.status(crls=[crl])
    assert found.status is UNKNOWN
    assert "SHA-1" in found.detail
    assert crls.status(crls=[crl], algorithm_policy=ALLOW_ALL).status is GOOD


def test_algorithm_that_hashes_by_itself():
    """Ed25519 has no digest to be judged (RFC 8410 section 6)."""
    world = World(issuing=lab.Authority.create("Issuing", private_key=ed25519.Ed25519PrivateKey.generate()))
    assert world.status(crls=[world.issuing.make_crl()]).status is GOOD
    forger = lab.Authority.create("Issuing", private_key=ed25519.Ed25519PrivateKey.generate())
    assert world.status(crls=[forger.make_crl()]).status is UNKNOWN
