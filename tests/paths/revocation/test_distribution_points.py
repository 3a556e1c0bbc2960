"""Which CRL covers which certificate, by relative names and by kind (RFC 5280 sections 4.2.1.13, 5.2.5)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkcs12kit import lab
from pkcs12kit.paths.revocation import Revocation, check_revocation

from .world import GOOD, NOW, UNKNOWN, World


def relative(text):
    """Return a relative distinguished name."""
    return x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def full(*texts):
    """Return a directory name."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in texts])
    return [x509.DirectoryName(name)]


def scope_of(**fields):
    """Return issuingDistributionPoint with some fields."""
    absent = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return lab.critical(x509.IssuingDistributionPoint(**(absent | fields)))


@pytest.fixture(scope="module")
def world():
    """One PKI for all tests."""
    return World()


@pytest.mark.parametrize(
    ("point", "scope", "expected"),
    [
        ({"relative_name": relative("A")}, {"relative_name": relative("A")}, GOOD),
        ({"relative_name": relative("A")}, {"full_name": full("Issuing", "A")}, GOOD),
        ({"full_name": full("Issuing", "A")}, {"relative_name": relative("A")}, GOOD),
        ({"relative_name": relative("A")}, {"relative_name": relative("B")}, UNKNOWN),
        ({"relative_name": relative("A")}, {"full_name": full("A")}, UNKNOWN),
        ({"full_name": full("A")}, {"relative_name": relative("A")}, UNKNOWN),
    ],
)
def test_names_relative_to_the_issuer(world, point, scope, expected):
    """NameRelativeToCRLIssuer is appended to the issuer's name; a CRL for one point does not serve another."""
    absent = {"full_name": None, "relative_name": None}
    points = x509.CRLDistributionPoints([x509.DistributionPoint(**(absent | point), reasons=None, crl_issuer=None)])
    server = world.issuing.issue_server("server.example", extensions=[lab.non_critical(points)]).certificate
    crl = world.issuing.make_crl(extensions=[scope_of(**scope)])
    assert world.status(path=world.path_of(server, world.ca), crls=[crl]).status is expected


@pytest.mark.parametrize(
    "kind", ["only_contains_user_certs", "only_contains_ca_certs", "only_contains_attribute_certs"]
)
def test_kinds_of_certificates(world, kind):
    """6.3.3 (b)(2)(ii) to (iv): a CRL for one kind of certificate says nothing about the others."""
    scope = scope_of(**{kind: True})
    of_server = world.status(crls=[world.issuing.make_crl(extensions=[scope])]).status
    assert of_server is (GOOD if kind == "only_contains_user_certs" else UNKNOWN)
    # The CA is the target here, and the root's CRL for all certificates is not given.
    crls = [world.root.make_crl(extensions=[scope])]
    revocation = Revocation(mode="require", crls=crls)
    of_ca = check_revocation(world.path_of(world.ca), time=NOW, revocation=revocation).statuses[0].status
    assert of_ca is (GOOD if kind == "only_contains_ca_certs" else UNKNOWN)


def test_a_crl_issuer_without_a_directory_name(world):
    """Section 5.1.2.3: a CRL's issuer has a directory name, so that no CRL serves such a point."""
    url = [x509.UniformResourceIdentifier("http://x.example/a.crl")]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(url, None, None, url)])
    server = world.issuing.issue_server("server.example", extensions=[lab.non_critical(points)]).certificate
    for scope in ([], [scope_of(full_name=url)], [scope_of(full_name=url, indirect_crl=True)]):
        crl = world.issuing.make_crl(extensions=scope)
        assert world.status(path=world.path_of(server, world.ca), crls=[crl]).status is UNKNOWN
