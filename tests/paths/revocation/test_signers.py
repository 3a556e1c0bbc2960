"""Signers of CRLs, attacked by a look-alike in the pool and by CAs that certify themselves (RFC 5280 6.3.3 (f))."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pkcs12kit import lab
from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.paths.validation.algorithms import ALLOW_ALL

from .world import A_WEEK_AGO, GOOD, INDIRECT, REVOKED, UNKNOWN, World, crl_issuers, crl_signer


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return World()


def test_a_forged_certificate_does_not_let_a_crl_issuer_vouch_for_itself(world):
    """The genuine certificate of the CRL issuer does not name it as its own CRL issuer; a forged one in the pool does.

    Names and keys are public: the forger has no key but its own.
    """
    genuine, signer = crl_signer(world.issuing, "Issuing")
    forger = lab.Authority.create("Issuing")
    forged, _ = crl_signer(forger, "Issuing", key=signer.private_key, points=["Issuing"])
    for pool in itertools.permutations([genuine, forged]):
        assert world.status(crls=[signer.make_crl()], pool=pool).status is UNKNOWN
    # Known to be good by the CA's own CRL, the same issuer counts, whatever stands beside it.
    assert world.status(crls=[signer.make_crl(), world.issuing.make_crl()], pool=[genuine, forged]).status is GOOD


def test_a_crl_issuer_that_is_named_by_its_ca_vouches_for_itself(world):
    """Test 4.14.30 of PKITS: where its CA refers to it for its status, a CRL issuer vouches for itself."""
    signer_certificate, signer = crl_signer(world.issuing, "CRL Signer", points=["CRL Signer"])
    server = world.issuing.issue_server("server.example", extensions=[crl_issuers("CRL Signer")]).certificate
    path = world.path_of(server, world.ca)
    assert world.status(path=path, crls=[signer.make_crl(extensions=[INDIRECT])], pool=[signer_certificate]).status is (
        GOOD
    )
    other_issuer = crl_signer(world.issuing, "CRL Signer", key=signer.private_key, points=["Another"])[0]
    assert world.status(path=path, crls=[signer.make_crl(extensions=[INDIRECT])], pool=[other_issuer]).status is UNKNOWN


def test_a_ca_is_not_vouched_for_by_a_crl_issuer_below_it_that_names_itself(world):
    """The word of a CRL issuer that waits for its status counts for itself only, not for the CA that certified it.

    The root refers to "CRL Signer" for the status of a CA. That CA, which may be revoked, certifies one of that name.
    """
    below = lab.Authority.create("Below")
    ca = world.root.issue_ca(below, extensions=[crl_issuers("CRL Signer")])
    path = world.path_of(below.issue_server("server.example").certificate, ca)
    impostor_certificate, impostor = crl_signer(below, "CRL Signer", points=["CRL Signer"])
    crls = [impostor.make_crl(extensions=[INDIRECT]), below.make_crl()]
    statuses = world.statuses(path=path, crls=crls, pool=[impostor_certificate, ca])
    assert [status.status for status in statuses] == [GOOD, UNKNOWN]
    genuine_certificate, genuine = crl_signer(world.root, "CRL Signer")
    crls.append(genuine.make_crl(extensions=[INDIRECT]))
    statuses = world.statuses(path=path, crls=crls, pool=[impostor_certificate, ca, genuine_certificate])
    assert [status.status for status in statuses] == [GOOD, GOOD]


def test_a_crl_issuer_is_not_believed_about_its_own_certificate_as_the_target(world):
    """A path that ends at the CRL issuer's certificate itself: its CA did not refer to it for its status."""
    target, signer = crl_signer(world.issuing, "Issuing")
    assert world.status(path=world.path_of(target, world.ca), crls=[signer.make_crl()], pool=[target]).status is UNKNOWN


@pytest.mark.parametrize(
    ("is_ca", "usages", "expected"),
    [
        (False, None, UNKNOWN),
        (False, ("crl_sign",), GOOD),
        (False, ("digital_signature",), UNKNOWN),
        (True, None, GOOD),
        (True, ("key_cert_sign",), UNKNOWN),
    ],
)
def test_an_end_entity_signs_crls_only_with_a_key_usage_that_says_so(world, is_ca, usages, expected):
    """RFC 5280 section 4.2.1.3 requires a keyUsage of CRL issuers: an end entity of a CA's name is not one without."""
    basic = lab.critical(lab.extensions.x509.BasicConstraints(ca=is_ca, path_length=None))
    certificate, signer = crl_signer(world.root, "Issuing", usages=usages, extensions=[basic])
    found = world.status(crls=[signer.make_crl()], pool=[certificate])
    assert found.status is expected
    assert (expected is GOOD) == ("lacks cRLSign" not in found.detail)


def test_another_certificate_of_the_ca_on_the_path_allows_it_to_sign_crls(world):
    """The certificate on the path lacks cRLSign: one of the same name and key counts where it has a valid path."""
    extensions = [lab.critical(lab.key_usage("key_cert_sign"))]
    ca = world.root.issue_ca(world.issuing, extensions=extensions)
    path = world.path_of(world.server, ca)
    crls = [world.issuing.make_crl()]
    refused = world.status(path=path, crls=crls)
    assert refused.status is UNKNOWN
    assert "lacks cRLSign" in refused.detail
    assert world.status(path=path, crls=crls, pool=[world.ca]).status is GOOD
    forged = lab.Authority.create("Root").issue_ca(world.issuing)
    assert world.status(path=path, crls=crls, pool=[forged]).status is UNKNOWN


def test_constraints_of_a_trust_anchor_without_a_certificate_count(world):
    """RFC 5937: a name and a key with a keyUsage that lacks cRLSign signs no CRLs."""
    without = lab.Authority.create("Root", extensions=[lab.critical(lab.key_usage("key_cert_sign"))])
    ca = without.issue_ca(world.issuing)
    anchor = dataclasses.replace(
        world.anchor,
        name=Certificate(without.certificate.der).subject,
        subject_public_key_info=without.certificate.subject_public_key_info,
        certificate=None,
        constraints=without.certificate.extensions,
    )
    path = CertificationPath(certificates=(ca,), trust_anchor=anchor)
    found = world.status(path=path, crls=[without.make_crl()])
    assert found.status is UNKNOWN
    assert "lacks cRLSign" in found.detail
    anchor = dataclasses.replace(anchor, constraints=None)
    assert world.status(path=dataclasses.replace(path, trust_anchor=anchor), crls=[without.make_crl()]).status is GOOD


def test_a_revoked_crl_issuer_says_nothing(world):
    """The CRL issuer's certificate is on the CRL of its CA: neither its yes nor its no counts."""
    certificate, signer = crl_signer(world.root, "Issuing", key=ec.generate_private_key(ec.SECP256R1()))
    entry = lab.CrlEntry(serial_number=certificate.serial_number, date=A_WEEK_AGO)
    of_server = lab.CrlEntry(serial_number=world.server.serial_number, date=A_WEEK_AGO)
    for revoked in ([], [of_server]):
        crl = signer.make_crl(revoked=revoked)
        assert world.status(crls=[crl], pool=[certificate]).status is (REVOKED if revoked else GOOD)
        crls = [crl, world.root.make_crl(revoked=[entry], number=2)]
        assert world.status(crls=crls, pool=[certificate]).status is UNKNOWN


def test_a_crl_issuer_beside_the_path_may_not_sign_weakly(world):
    """The algorithm policy is for CRL issuers in the pool as for those on the path."""
    weak = ec.generate_private_key(ec.SECP192R1())
    allowed = {"algorithm_policy": ALLOW_ALL}
    certificate, signer = crl_signer(world.root, "Issuing", key=weak)
    found = world.status(crls=[signer.make_crl()], pool=[certificate])
    assert found.status is UNKNOWN
    assert "is signed with a weak key" in found.detail
    assert world.status(crls=[signer.make_crl()], pool=[certificate], **allowed).status is GOOD


def test_a_certificate_with_an_unusable_key_is_passed_over(world):
    """One of the CRL issuer's name whose key is of no known algorithm: the next is tried."""
    certificate, signer = crl_signer(world.root, "Issuing")
    elliptic = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey
    odd = Certificate(certificate.der.replace(elliptic, elliptic[:-1] + b"\x7f"))
    crls = [signer.make_crl()]
    assert "is not signed by Issuing" in world.status(crls=crls, pool=[odd]).detail
    assert world.status(crls=crls, pool=[odd, certificate]).status is GOOD
