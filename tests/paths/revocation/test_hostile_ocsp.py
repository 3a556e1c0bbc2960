"""Unsigned OCSP responses: whatever they contain, the only error is that they cannot be parsed."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pytest
from asn1crypto import algos, core, keys, parser
from asn1crypto import ocsp as asn1_ocsp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from pkcs12kit import lab
from pkcs12kit.certificates import lenient
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.public_keys import public_key_octets
from pkcs12kit.errors import InputError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation.ocsp import read_ocsp_response

from ... import der
from .world import GOOD, UNKNOWN, World, changed, respond

_NONCE = core.ObjectIdentifier("1.3.6.1.5.5.7.48.1.2").dump()


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return World()


def test_responder_with_a_key_of_an_unknown_algorithm(world):
    """The key hash of a responderID is over the octets of the key, of any algorithm (RFC 6960 section 4.2.1)."""
    elliptic = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey
    certificate = Certificate(world.server.der.replace(elliptic, elliptic[:-1] + b"\x7f"))
    octets = public_key_octets(certificate.subject_public_key_info)
    assert octets == public_key_octets(world.server.subject_public_key_info)

    def name_it(basic):
        responder = basic["tbs_response_data"]["responder_id"]
        responder.chosen.set(hashlib.sha1(octets, usedforsecurity=False).digest())

    response = changed(world.respond(certificates=[world.server]), name_it)
    response = response.replace(world.server.der, certificate.der)
    found = world.status(ocsp_responses=[response])
    assert found.status is UNKNOWN
    assert "the responder with the key" in found.detail
    assert "is not signed with the key of the responder that it names" in found.detail


@pytest.fixture(scope="module")
def rsa_ca():
    """An issuing CA with an RSA key."""
    return lab.Authority.create("Issuing", key_type=lab.KeyType.RSA_2048)


def test_key_octets_are_those_that_other_libraries_hash(world, rsa_ca):
    """As asn1crypto reads them for the algorithms that it knows."""
    for certificate in (rsa_ca.certificate, world.server):
        info = keys.PublicKeyInfo.load(certificate.subject_public_key_info)
        assert hashlib.sha1(public_key_octets(info.dump()), usedforsecurity=False).digest() == info.sha1


@pytest.mark.parametrize("bits", [31, 63, 70, 9000])
def test_salt_of_rsassa_pss_that_no_machine_holds(world, rsa_ca, bits):
    """Neither valid nor an error of pyca/cryptography: nothing is signed with it (RFC 4055 section 3.1)."""
    server = rsa_ca.issue_server("server.example").certificate
    path = world.path_of(server, world.root.issue_ca(rsa_ca))

    def sign_with_much_salt(basic):
        basic["signature_algorithm"] = algos.SignedDigestAlgorithm(
            {"algorithm": "rsassa_pss", "parameters": algos.RSASSAPSSParams({"salt_length": core.Integer(2**bits)})}
        )

    genuine = respond(server, path.certificates[1], key=rsa_ca.private_key)
    assert world.status(path=path, ocsp_responses=[genuine]).status is GOOD
    found = world.status(path=path, ocsp_responses=[changed(genuine, sign_with_much_salt)])
    assert found.status is UNKNOWN


def test_number_of_many_digits_in_place_of_a_status(world):
    """Python refuses to write numbers of more than 4,300 digits, also in the text of an error."""
    status = b"\x0a\x82\x10\x00" + b"\x7f" * 4096
    with pytest.raises(InputError, match="not an OCSP response: KeyError"):
        world.status(ocsp_responses=[b"\x30\x82\x10\x04" + status])


def test_response_of_another_type(world):
    """Only the basic type is known (RFC 6960 section 4.2.1)."""
    basic, other = (parser.emit(0, 0, 6, bytes.fromhex("2b060105050730010" + last)) for last in ("1", "7"))
    with pytest.raises(InputError, match="of an unknown type"):
        world.status(ocsp_responses=[world.respond().replace(basic, other)])


def test_messages_name_the_responder(world):
    """By the name or the key hash that the response has."""
    for by_name, named in ((True, "the response of Issuing"), (False, "the response of the responder with the key ")):
        forged = changed(world.respond(by_name=by_name), lambda basic: basic["signature"].set(b"forged"))
        assert named in world.status(ocsp_responses=[forged]).detail
    identifier = hashlib.sha1(public_key_octets(world.ca.subject_public_key_info), usedforsecurity=False).hexdigest()
    assert identifier in world.status(ocsp_responses=[forged]).detail


@pytest.mark.parametrize("length", [0x17F, 0x180, 0x181, 0x1FF, 0x200, 0x280, 0x380])
def test_signed_octets_are_those_received(world, length):
    """Whatever their length: asn1crypto encodes those again whose length ends in the octet 0x80.

    The nonce states FALSE, the default, which is not DER (X.690 section 11.5): encoded again, the response would be
    shorter, and its signature would not verify. 0x80 is the indefinite form only as the first octet (section 8.1.3.6).
    """
    outer = asn1_ocsp.OCSPResponse.load(world.respond(certificates=[world.server]))
    data, algorithm, _, certificates = lenient.split(lenient.contents_of(bytes(outer["response_bytes"]["response"])))
    signed = _of_length(lenient.contents_of(data), length)
    signature = world.issuing.private_key.sign(signed, ec.ECDSA(hashes.SHA256()))
    basic = der.sequence(signed, algorithm, der.bit_string(signature), certificates)
    outer["response_bytes"]["response"] = core.ParsableOctetString(basic)
    response = outer.dump()
    found = read_ocsp_response(response, limits=DEFAULT_LIMITS)
    assert found.signed.content == signed
    assert found.signed.algorithm == algorithm
    assert found.certificates == (world.server.der,)
    assert world.status(ocsp_responses=[response]).status is GOOD


def test_no_signed_element_is_left_out(world):
    """A structure of RFC 6960 section 4.2.1 has no further element, signed or not; asn1crypto leaves them out."""
    response = world.respond(certificates=[world.server], revoked=True)
    read = []
    for place, longer in der.with_surplus(response):
        with suppress(InputError):
            read_ocsp_response(longer, limits=DEFAULT_LIMITS)
            read.append(place)
    signature_algorithm, certificate = (1, 0, 1, 0, 1), (1, 0, 1, 0, 3, 0, 0)
    assert signature_algorithm in read  # read with the signature
    assert [place for place in read if place != signature_algorithm and place[:7] != certificate] == []


def _of_length(contents, length):
    """Return ResponseData with these contents, and a nonce that makes them this long."""
    for padding in range(length):
        nonce = der.sequence(_NONCE, b"\x01\x01\x00", der.octets(der.octets(bytes(padding))))
        longer = contents + der.tlv(0xA1, der.sequence(nonce))
        if len(longer) == length:
            return der.sequence(longer)
    raise AssertionError(f"no nonce makes it {length} octets long")
