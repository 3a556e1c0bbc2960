"""Which CRL covers which distribution point by a name relative to its issuer (RFC 5280 sections 4.2.1.13, 5.2.5)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pkcs12kit import lab

from .world import GOOD, UNKNOWN, World


def relative(text):
    """Return a relative distinguished name."""
    return x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def full(*texts):
    """Return a directory name."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in texts])
    return [x509.DirectoryName(name)]


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
    limits = x509.IssuingDistributionPoint(
        **(absent | scope),
        only_contains_user_certs=False,
        only_contains_ca_certs=False,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    crl = world.issuing.make_crl(extensions=[lab.critical(limits)])
    assert world.status(path=world.path_of(server, world.ca), crls=[crl]).status is expected
