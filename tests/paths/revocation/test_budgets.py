"""Unsigned objects and odd certificates, which anyone can make, cost bounded work, counted in steps."""

from __future__ import annotations

import dataclasses

import pytest
from asn1crypto import parser
from cryptography import x509

from pkcs12kit import lab
from pkcs12kit.errors import InputError, LimitExceededError
from pkcs12kit.limits import DEFAULT_LIMITS
from pkcs12kit.paths.revocation.crl import read_crl

from .world import GOOD, REVOKED, UNKNOWN, World, changed


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return World()


def header_bytes(crl):
    """Return the bytes of a CRL without its entries."""
    return read_crl(crl, limits=DEFAULT_LIMITS).header_bytes


def within(**figures):
    """Return limits with other figures."""
    return dataclasses.replace(DEFAULT_LIMITS, **figures)


def many(kind):
    """Return a change of a response that adds 99 answers, extensions or certificates."""

    def change(basic):
        data = basic["tbs_response_data"]
        if kind == "answers":
            for _ in range(99):
                data["responses"].append(data["responses"][0])
        elif kind == "certificates":
            for _ in range(99):
                basic["certs"].append(basic["certs"][0])
        else:
            extensions = [{"extn_id": f"1.2.3.{number}", "extn_value": b""} for number in range(99)]
            place = data if kind == "extensions" else data["responses"][0]
            name = "response_extensions" if kind == "extensions" else "single_extensions"
            place[name] = extensions

    return change


@pytest.mark.parametrize("kind", ["answers", "extensions", "extensions of an answer", "certificates"])
def test_elements_of_one_response(world, kind):
    """asn1crypto makes an object of each element: a megabyte of the shortest would take a minute."""
    response = changed(world.respond(certificates=[world.ca]), many(kind))
    limits = within(ocsp_answers=99, ocsp_elements=99)
    with pytest.raises(LimitExceededError, match=r"limits\.ocsp_(answers|elements) = 99"):
        world.status(ocsp_responses=[response], limits=limits)
    found = world.status(ocsp_responses=[response], limits=within(ocsp_answers=100, ocsp_elements=101))
    assert found.status is (GOOD if kind == "certificates" else UNKNOWN)  # certificates are not signed over
    assert world.status(ocsp_responses=[world.respond()], limits=within(ocsp_elements=1)).status is GOOD


def test_bytes_of_all_objects_that_are_decoded(world):
    """Names and extensions of many CRLs of 100 KiB would take minutes; entries are not decoded and do not count."""
    listed = [lab.CrlEntry(serial_number=number, date=world.server.not_before) for number in range(1, 100)]
    crl, response = world.issuing.make_crl(number=2, revoked=listed), world.respond()
    assert len(crl) - header_bytes(crl) > 1_800
    limit = header_bytes(world.root_crl) + header_bytes(crl) + len(response)
    given = {"crls": [crl], "ocsp_responses": [response]}
    assert world.status(**given, limits=within(revocation_header_bytes=limit)).status is GOOD
    for objects, allowed in ((given, limit - 1), ({"crls": [crl]}, header_bytes(world.root_crl))):
        with pytest.raises(LimitExceededError, match="revocation_header_bytes"):
            world.status(**objects, limits=within(revocation_header_bytes=allowed))


def test_distribution_points_compared_with_crls(world):
    """A certificate may have thousands of points, and each CRL is compared with each of them."""
    points = [
        x509.DistributionPoint([x509.UniformResourceIdentifier(f"http://x.example/{number}")], None, None, None)
        for number in range(99)
    ]
    extension = lab.non_critical(x509.CRLDistributionPoints(points))
    path = world.path_of(world.issuing.issue_server("server.example", extensions=[extension]).certificate, world.ca)
    crls = [world.issuing.make_crl(number=number) for number in range(2)]
    # 100 points are compared with two CRLs, and one point of the CA with one.
    assert world.status(path=path, crls=crls, limits=within(revocation_comparisons=201)).status is GOOD
    found = world.status(path=path, crls=crls, limits=within(revocation_comparisons=200))
    assert found.status is UNKNOWN
    assert "limits.revocation_comparisons" in found.detail


def test_certificates_of_responders_count_before_they_are_read(world):
    """A response may bring hundreds of certificates, of which none has the name that the response has."""
    others = [lab.Authority.create(f"Other {number}").certificate for number in range(3)]
    forged = changed(world.respond(certificates=others), lambda basic: basic["signature"].set(b"forged"))
    assert (
        "no certificate of the responder"
        in world.status(ocsp_responses=[forged], limits=within(revocation_issuers=3)).detail
    )
    found = world.status(ocsp_responses=[forged], limits=within(revocation_issuers=2))
    assert "limits.revocation_issuers" in found.detail


def test_paths_of_signers_are_charged_by_their_length(world):
    """Each path beside the main one is validated whole, and a pool can suggest many of them."""
    key = lab.Authority.create("Issuing")
    signer = world.root.issue(
        "Issuing", key.private_key.public_key(), extensions=[lab.critical(lab.key_usage("crl_sign"))]
    )
    given = {"crls": [key.make_crl()], "pool": [signer]}
    assert world.status(**given, limits=within(judged_certificates=1)).status is GOOD
    assert "limits.judged_certificates" in world.status(**given, limits=within(judged_certificates=0)).detail


def test_crls_that_are_encoded_again(world):
    """Anybody can spell the length of a CRL in too many octets; all such CRLs share one limit."""
    crls = []
    for number in range(2):
        contents = parser.parse(world.issuing.make_crl(number=number))[4]
        crls.append(b"\x30\x84" + len(contents).to_bytes(4, "big") + contents)
    limit = sum(map(len, crls))
    assert world.status(crls=crls, limits=within(crl_rewritten_bytes=limit)).status is GOOD
    with pytest.raises(InputError, match=r"limits\.crl_rewritten_bytes"):
        world.status(crls=crls, limits=within(crl_rewritten_bytes=limit - 1))


def test_an_unknown_status_of_a_signer_is_looked_up_once(world):
    """Many CRLs by one CRL issuer, of which nothing is known: the same question is not asked for each of them."""
    issuer = lab.Authority.create("Issuing")
    usage = [lab.critical(lab.key_usage("crl_sign"))]
    signer = world.issuing.issue("Issuing", issuer.private_key.public_key(), extensions=usage)
    crls = [issuer.make_crl(number=number) for number in range(9)]
    # The server, the CA, and the CRL issuer, about which only these CRLs speak.
    found = world.status(crls=crls, pool=[signer], limits=within(revocation_lookups=3))
    assert found.status is UNKNOWN
    assert "limits.revocation_lookups" not in found.detail
    genuine = world.issuing.make_crl()
    assert world.status(crls=[*crls, genuine], pool=[signer], limits=within(revocation_lookups=3)).status is GOOD


def responses_with_strange_certificates(world, count):
    """Return unsigned responses about the server, each with a certificate that it does not name."""
    other = lab.Authority.create("Other").certificate
    forged = changed(world.respond(certificates=[other]), lambda basic: basic["signature"].set(b"forged"))
    return [forged.replace(b"forged", f"forge{number}".encode()) for number in range(count)]


@pytest.mark.parametrize("kind", ["crls", "ocsp_responses"])
def test_worthless_responses_do_not_hide_that_a_certificate_is_revoked(world, kind):
    """A false responder can exhaust the budget: a certificate that other data revokes stays revoked, in either kind.

    In mode soft an unknown status is only a warning.
    """
    worthless = responses_with_strange_certificates(world, 3)
    limits = within(revocation_issuers=2)
    if kind == "crls":
        entry = lab.CrlEntry(serial_number=world.server.serial_number, date=world.server.not_before)
        revoking, sound = [world.issuing.make_crl(revoked=[entry])], [world.issuing.make_crl()]
    else:
        revoking, sound = [world.respond(revoked=True)], [world.respond()]

    def status(genuine):
        given = {"crls": [], "ocsp_responses": [], kind: genuine}
        given["ocsp_responses"] = [*given["ocsp_responses"], *worthless]
        return world.status(**given, limits=limits)

    assert status(revoking).status is REVOKED
    # Data that was not judged any more might have revoked it: nothing is good then.
    found = status(sound)
    assert found.status is UNKNOWN
    assert "limits.revocation_issuers" in found.detail


def test_crls_after_the_budget_ends_and_before(world):
    """A CRL that was judged before the work was given up revokes; it does not make good."""
    entry = lab.CrlEntry(serial_number=world.server.serial_number, date=world.server.not_before)
    forger = lab.Authority.create("Issuing")
    limits = within(revocation_comparisons=2)  # one for the CA's own status, one for the server's
    assert world.status(crls=[world.issuing.make_crl(revoked=[entry]), forger.make_crl()], limits=limits).status is (
        REVOKED
    )
    found = world.status(crls=[world.issuing.make_crl(), forger.make_crl()], limits=limits)
    assert found.status is UNKNOWN
    assert "limits.revocation_comparisons" in found.detail


@pytest.mark.parametrize("limit", ["ocsp_response_bytes", "crl_header_bytes"])
def test_bytes_of_one_object(world, limit):
    """The limits are inclusive."""
    response, crl = world.respond(), world.issuing.make_crl()
    given = {"ocsp_responses": [response]} if limit == "ocsp_response_bytes" else {"crls": [crl]}
    longest = len(response) if "ocsp_responses" in given else max(map(header_bytes, (crl, world.root_crl)))
    assert world.status(**given, limits=within(**{limit: longest})).status is GOOD
    with pytest.raises(LimitExceededError, match=limit):
        world.status(**given, limits=within(**{limit: longest - 1}))
