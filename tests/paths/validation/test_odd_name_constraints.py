"""Whole paths below CAs with odd nameConstraints: applied or refused, and then by name (RFC 5280 section 4.2.1.10)."""

from __future__ import annotations

import random

import pytest
from asn1crypto import parser
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from pkcs12kit import lab
from pkcs12kit.errors import FailureReason
from pkcs12kit.paths.confirmation import Opinion, confirm
from pkcs12kit.paths.failure import InvalidPathError
from pkcs12kit.paths.validation.parameters import ValidationParameters

from ...thoroughness import examples
from ..conftest import AT

DNS, IP = 0x82, 0x87
SERVER = "www.example.com"


def encode(tag, *contents):
    """Encode one element."""
    return parser.emit(tag >> 6, tag >> 5 & 1, tag & 0x1F, b"".join(contents))


def constraints(encoded, *, critical=True):
    """Make an extension of these octets."""
    extension = x509.UnrecognizedExtension(ExtensionOID.NAME_CONSTRAINTS, encoded)
    return lab.critical(extension) if critical else lab.non_critical(extension)


def permitting(*subtrees):
    """Encode permittedSubtrees."""
    return encode(0x30, encode(0xA0, *(encode(0x30, subtree) for subtree in subtrees)))


def excluding(*subtrees):
    """Encode excludedSubtrees."""
    return encode(0x30, encode(0xA1, *(encode(0x30, subtree) for subtree in subtrees)))


ODD = {
    "x400Address": encode(0xA3, b"\x30\0"),
    "ediPartyName": encode(0xA5, b"\x81\x01a"),
    "registeredID": encode(0x88, b"\x2a\x03"),
    "otherName": encode(0xA0, b"\x06\x02\x2a\x03\xa0\x03\x0c\x01x"),
    "URI": encode(0x86, b"http://\xff/"),
    "rfc822Name": encode(0x81, b"*.\xff"),
    "host bits": encode(IP, b"\x0a\1\2\3\xff\0\0\0"),
    "hole": encode(IP, b"\x0a\1\2\3\xff\0\xff\0"),
    "no mask": encode(IP, b"\x0a\1\2\3"),
    "broken directoryName": encode(0xA4, b"\x31\0"),
}


@pytest.mark.parametrize("encode_field", [permitting, excluding])
@pytest.mark.parametrize("subtree", ODD.values(), ids=ODD)
def test_a_ca_with_an_odd_subtree_is_a_ca(chain, judge, subtree, encode_field):
    """A subtree of a form that no name below has changes nothing: 'If no name of the type is in the certificate'.

    A server without a subject, because a broken directoryName is compared with each subject.
    """
    only = [lab.non_critical(x509.SubjectAlternativeName([x509.DNSName(SERVER)]))]
    path = chain({"extensions": (constraints(encode_field(subtree)),)}, {"only": only, "name": x509.Name([])})
    assert judge(path)


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        (permitting(encode(DNS, b"*.example.com")), "dNSName '*.example.com'"),
        (excluding(encode(DNS, b"evil\0.org")), r"dNSName 'evil\x00.org'"),
        (permitting(encode(DNS, b"example.com.")), "dNSName 'example.com.'"),
        (excluding(encode(DNS, b"\xe9.com")), r"dNSName '\xe9.com'"),
        (excluding(encode(0xA4, b"\x31\0")), "directoryName 3100"),
    ],
)
def test_a_subtree_that_is_not_applied_is_named(chain, refusal, encoded, words):
    """The failure has the server, the clause, the subtree and the CA."""
    failure = refusal(chain({"extensions": (constraints(encoded),)}, {}))
    assert failure.reason is FailureReason.NAME_CONSTRAINTS
    assert failure.certificate.label == SERVER
    for word in (words, "nameConstraints", "4.2.1.10", "imposed by CA 1"):
        assert word in str(failure)


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        (permitting(encode(DNS, b"example.com") + encode(0x80, b"\1")), "a minimum or maximum for the subtree dNSName"),
        (excluding(encode(DNS, b"evil.org") + encode(0x81, b"\0")), "a minimum or maximum for the subtree dNSName"),
        (encode(0x30, b""), "without a subtree"),
        (encode(0x30, encode(0xA0, b"")), "without a subtree"),
        (encode(0x31, b""), "nameConstraints"),
        (permitting(encode(0x89, b"a")), "nameConstraints"),
        (permitting(encode(0xA2, encode(0x16, b"a"))), "nameConstraints"),
        (b"\xff\xff", "nameConstraints"),
    ],
)
@pytest.mark.parametrize("critical", [True, False])
def test_an_extension_that_cannot_be_used_refuses_its_ca(chain, refusal, encoded, words, critical):
    """Name constraints are needed, critical or not: the CA is refused, as itself and not as 'no CA'."""
    failure = refusal(chain({"extensions": (constraints(encoded, critical=critical),)}, {}))
    assert failure.reason is FailureReason.MALFORMED_CERTIFICATE
    assert failure.certificate.label == "CA 1"
    assert words in str(failure)
    assert "basicConstraints" not in str(failure)


def test_constraints_of_an_anchor(chain, judge, refusal):
    """RFC 5937: the anchor's certificate is read in the same way, and named in a refusal."""
    for encoded, words in (
        (permitting(encode(DNS, b".example.com")), None),
        (permitting(encode(DNS, b".other.com")), "imposed by the trust anchor"),
        (permitting(encode(DNS, b"*.example.com")), "imposed by the trust anchor"),
        (permitting(encode(DNS, b"a") + encode(0x81, b"\1")), "minimum or maximum"),
    ):
        path = chain({}, {}, anchor_extensions=(constraints(encoded),))
        assert judge(path) if words is None else words in str(refusal(path))


def test_changed_octets_never_give_more_than_no_constraints_or_an_error(chain, judge):
    """Whatever nameConstraints are changed to, the answer is a verdict or a failure, and a second opinion is returned.

    Each of these excludes the server, in two forms; what still says 'excluded: example.com' refuses it.
    """
    source = random.Random(20)  # noqa: S311 - the same changes each time
    sound = encode(
        0x30,
        encode(0xA0, encode(0x30, encode(DNS, b"")), encode(0x30, ODD["host bits"])),
        encode(0xA1, encode(0x30, encode(DNS, b".example.com")), encode(0x30, ODD["x400Address"])),
    )
    for _ in range(examples(160)):
        octets = bytearray(sound)
        for _ in range(source.randrange(1, 3)):
            octets[source.randrange(len(octets))] = source.choice((0, 1, 0x2A, 0x80, 0x82, 0xFF, source.randrange(256)))
        path = chain({"extensions": (constraints(bytes(octets)),)}, {})
        try:
            judge(path)
        except InvalidPathError:
            continue
        assert encode(0x30, encode(DNS, b".example.com")) not in octets
        assert confirm(path, ValidationParameters(time=AT)).opinion in {Opinion.VALID, Opinion.CANNOT_JUDGE}
