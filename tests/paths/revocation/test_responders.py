"""Delegates of a CA that answer by OCSP: where their certificates are found (RFC 6960 sections 4.2.2.2 and 4.2.2.3)."""

from __future__ import annotations

import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pkcs12kit import lab

from .world import GOOD, UNKNOWN, World, changed, respond


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

    def sign_with_other(basic):
        basic["signature"].set(other.sign(basic["tbs_response_data"].dump(), ec.ECDSA(hashes.SHA256())))

    genuine = respond(world.server, world.ca, key=key, responder=delegate(world.issuing, key))
    found = world.status(ocsp_responses=[changed(genuine, sign_with_other)], pool=[copied])
    assert found.status is UNKNOWN
    assert "no certificate of the responder that it names was found" in found.detail


def test_one_good_answer_is_enough_in_any_order(world):
    """A response that does not count, or is about another certificate, takes nothing from one that counts."""
    good = world.respond()
    forged = changed(good, lambda basic: basic["signature"].set(b"forged"))
    elsewhere = respond(world.ca, world.root.certificate, key=world.root.private_key)
    for responses in itertools.permutations([good, forged, elsewhere]):
        assert world.status(ocsp_responses=responses).status is GOOD
    for responses in ([forged], [elsewhere], [forged, elsewhere]):
        assert world.status(ocsp_responses=responses).status is UNKNOWN
