"""Delegates of a CA that answer by OCSP: where their certificates are found (RFC 6960 sections 4.2.2.2 and 4.2.2.3)."""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pkcs12kit import lab
from pkcs12kit.certificates import lenient
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL

from .world import GOOD, NOW, REVOKED, UNKNOWN, World, changed, respond


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return World()


@pytest.fixture(scope="module")
def key():
    """The key of a responder."""
    return ec.generate_private_key(ec.SECP256R1())


def delegate(authority, key, *, identifier_of=None):
    """Issue a responder's certificate; its key identifier may be that of another key."""
    extensions = [
        lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])),
        lab.non_critical(x509.OCSPNoCheck()),
        lab.non_critical(lab.extensions.subject_key_identifier(identifier_of or key.public_key())),
    ]
    return authority.issue("Responder", key.public_key(), extensions=extensions)


@pytest.mark.parametrize("by_name", [True, False])
def test_certificate_comes_with_the_response_or_is_in_the_pool(world, key, by_name):
    """By its name or by the hash of its key; a response without any of both says nothing."""
    responder = delegate(world.issuing, key)
    named = {"key": key, "responder": responder, "by_name": by_name}
    bare = respond(world.server, world.ca, **named)
    assert world.status(ocsp_responses=[respond(world.server, world.ca, certificates=[responder], **named)]).status is (
        GOOD
    )
    assert world.status(ocsp_responses=[bare]).status is UNKNOWN
    assert world.status(ocsp_responses=[bare], pool=[responder]).status is GOOD
    forged = delegate(lab.Authority.create("Issuing"), key)
    assert world.status(ocsp_responses=[bare], pool=[forged]).status is UNKNOWN
    assert world.status(ocsp_responses=[bare], pool=[forged, responder]).status is GOOD


def test_the_key_decides_and_not_its_identifier(world, key):
    """A subjectKeyIdentifier can be copied: the hash is taken of the key."""
    other = ec.generate_private_key(ec.SECP256R1())
    copied = delegate(world.issuing, other, identifier_of=key.public_key())
    genuine = respond(world.server, world.ca, key=key, responder=delegate(world.issuing, key))
    found = world.status(ocsp_responses=[changed(genuine, lambda _: None, key=other)], pool=[copied])
    assert found.status is UNKNOWN
    assert "no certificate of the responder that it names was found" in found.detail


def test_a_forged_response_neither_counts_nor_harms(world):
    """A response that does not count, or is about another certificate, takes nothing from one that counts."""
    good = world.respond()
    forged = changed(good, lambda basic: basic["signature"].set(b"forged"))
    elsewhere = respond(world.ca, world.root.certificate, key=world.root.private_key)
    for responses in itertools.permutations([good, forged, elsewhere]):
        assert world.status(ocsp_responses=responses).status is GOOD
    for responses in ([forged], [elsewhere], [forged, elsewhere]):
        assert world.status(ocsp_responses=responses).status is UNKNOWN


def with_second_answer(world, **extension):
    """Return the CA's response with the same answer again, which has an extension."""

    def add(basic):
        answers = basic["tbs_response_data"]["responses"]
        second = answers[0].copy()
        second["single_extensions"] = [{"extn_id": "1.2.3", "extn_value": b"", **extension}]
        answers.append(second)

    return changed(world.respond(), add, key=world.issuing.private_key)


def test_each_answer_about_the_certificate_must_be_usable(world):
    """RFC 6960 section 4.4: an unknown critical extension of the second answer is as bad as one of the first."""
    assert world.status(ocsp_responses=[with_second_answer(world)]).status is GOOD
    found = world.status(ocsp_responses=[with_second_answer(world, critical=True)])
    assert found.status is UNKNOWN
    assert "critical extension 1.2.3" in found.detail


def test_revoked_from_later_on(world):
    """A revocationTime after the time asked for: not revoked yet, and from that very second on."""
    for seconds, expected in ((0, REVOKED), (1, GOOD)):

        def move(basic, moment=NOW + timedelta(seconds=seconds)):
            answer = basic["tbs_response_data"]["responses"][0]
            answer["cert_status"].chosen["revocation_time"] = moment

        response = changed(world.respond(revoked=True), move, key=world.issuing.private_key)
        assert world.status(ocsp_responses=[response]).status is expected


def test_the_delegates_key_must_have_signed(world, key):
    """The genuine certificate of a delegate beside a response that somebody else signed, or that was changed."""
    responder = delegate(world.issuing, key)
    genuine = respond(world.server, world.ca, key=key, responder=responder, certificates=[responder])
    assert world.status(ocsp_responses=[genuine]).status is GOOD
    stranger = ec.generate_private_key(ec.SECP256R1())
    for forged in (
        changed(genuine, lambda _: None, key=stranger),
        changed(genuine, lambda basic: basic["signature"].set(b"forged")),
    ):
        found = world.status(ocsp_responses=[forged])
        assert found.status is UNKNOWN
        assert "is not signed with the key of the responder" in found.detail


@pytest.mark.parametrize("by_delegate", [True, False])
def test_weak_digest(world, key, by_delegate):
    """A response signed with SHA-1 counts only where the algorithm policy accepts that."""

    def sign_with_sha1(basic):
        basic["signature_algorithm"] = {"algorithm": "sha1_ecdsa"}
        content = basic["tbs_response_data"].dump(force=True)
        digest = hashes.SHA1()  # noqa: S303  # that it is refused
        basic["signature"].set((key if by_delegate else world.issuing.private_key).sign(content, ec.ECDSA(digest)))

    if by_delegate:
        responder = delegate(world.issuing, key)
        genuine = respond(world.server, world.ca, key=key, responder=responder, certificates=[responder])
    else:
        genuine = world.respond()
    weak = changed(genuine, sign_with_sha1)
    found = world.status(ocsp_responses=[weak])
    assert found.status is UNKNOWN
    assert "SHA-1" in found.detail
    assert world.status(ocsp_responses=[weak], algorithm_policy=ALLOW_ALL).status is GOOD


def test_issuer_name_in_either_encoding(world):
    """Section 4.1.1: the hash is of the issuer's name as the certificate has it; real responders hash the CA's own."""
    printable = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing", _ASN1Type.PrintableString)])
    respelled = lab.Authority.create(printable, private_key=world.issuing.private_key)
    ca = world.root.issue_ca(respelled)
    path = world.path_of(world.server, ca)
    other = world.root.issue_ca(lab.Authority.create("Other", private_key=world.issuing.private_key))
    for issuer, expected in ((ca, GOOD), (world.ca, GOOD), (other, UNKNOWN)):
        digest = hashlib.sha256(lenient.read_structure(issuer.der).subject).digest()

        def hash_name(basic, digest=digest):
            basic["tbs_response_data"]["responses"][0]["cert_id"]["issuer_name_hash"] = digest

        response = changed(world.respond(), hash_name, key=world.issuing.private_key)
        assert world.status(path=path, ocsp_responses=[response]).status is expected


def test_a_ca_further_up_is_not_a_delegate(world):
    """A CA above the issuer does not answer for it, also with id-kp-OCSPSigning: the issuer did not certify it."""
    above, below = lab.Authority.create("Above"), lab.Authority.create("Below")
    extensions = [
        lab.critical(lab.key_usage("digital_signature", "key_cert_sign", "crl_sign")),
        lab.non_critical(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])),
    ]
    ca, issuer = world.root.issue_ca(above, extensions=extensions), above.issue_ca(below)
    server = below.issue_server("server.example").certificate
    response = respond(server, issuer, key=above.private_key, responder=ca, certificates=[ca])
    found = world.status(path=world.path_of(server, issuer, ca), ocsp_responses=[response])
    assert found.status is UNKNOWN
    assert "is a CA on the path" in found.detail
