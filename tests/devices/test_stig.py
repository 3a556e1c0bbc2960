"""Certificates that the STIGs put into Disallowed: those of the shared data are found, no other is."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

import pkcs12kit
from pkcs12kit.devices import stig as disallowed
from pkcs12kit.devices.stig import DISALLOWED, disallowed_by_stig
from pkcs12kit.lab import Authority

# Serial number, issuer's common name: the certificates of the shared data that a STIG lists.
LISTED = {
    (2171, "DoD Interoperability Root CA 2"),
    (655, "DoD Interoperability Root CA 2"),
    (748, "DoD Interoperability Root CA 2"),
    (28, "US DoD CCEB Interoperability Root CA 2"),
}


@pytest.fixture(scope="module")
def pool(fpki):
    """Every real certificate there is."""
    return pkcs12kit.load_certificates(fpki)


def common_name(text):
    """The common name, which is the first attribute of these names."""
    return text.partition(",")[0].removeprefix("CN=")


def test_real_ones_are_found(pool):
    """Four of the shared certificates are listed, and what the table says of them is so."""
    found = {certificate: it for certificate in pool if (it := disallowed_by_stig(certificate)) is not None}
    assert {(certificate.serial_number, common_name(str(certificate.issuer))) for certificate in found} == LISTED
    for certificate, it in found.items():
        assert it.sha1 == hashlib.sha1(certificate.der, usedforsecurity=False).hexdigest()
        assert it.sha256 == certificate.sha256
        assert (it.subject, it.issuer) == (str(certificate.subject), str(certificate.issuer))
        assert it.not_after == certificate.not_after.date()


def test_names_are_not_enough(pool):
    """DoD Root CA 6 by the same Interoperability Root CA 2 is not listed, so nothing is said of it."""
    others = [
        certificate
        for certificate in pool
        if "Interoperability Root CA 2" in str(certificate.issuer) and disallowed_by_stig(certificate) is None
    ]
    assert {"DoD Root CA 6", "ECA Root CA 4"} <= {common_name(str(certificate.subject)) for certificate in others}
    attributes = [(NameOID.COUNTRY_NAME, "US"), (NameOID.ORGANIZATION_NAME, "U.S. Government")]
    units = [(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in ("DoD", "PKI")]
    name = x509.Name(
        [
            x509.NameAttribute(oid, value)
            for oid, value in (*attributes, *units, (NameOID.COMMON_NAME, "DoD Interoperability Root CA 2"))
        ]
    )
    same_name = Authority.create(name).certificate
    assert str(same_name.issuer) in {it.issuer for it in DISALLOWED}
    assert disallowed_by_stig(same_name) is None


def test_sha1_is_not_enough_where_more_is_known(pool, monkeypatch):
    """A certificate with a listed SHA-1 and another SHA-256 is another certificate."""
    (listed,) = (certificate for certificate in pool if certificate.serial_number == 2171)
    entry = disallowed_by_stig(listed)
    for sha256, expected in (("0" * 64, False), (None, True)):
        monkeypatch.setattr(disallowed, "_BY_SHA1", {entry.sha1: replace(entry, sha256=sha256)})
        assert (disallowed_by_stig(listed) is not None) is expected


def test_every_entry_is_whole():
    """Thumbprints are 40 hexadecimal digits and occur once; each has a rule with its number and source."""
    assert len({it.sha1 for it in DISALLOWED}) == len(DISALLOWED)
    for it in DISALLOWED:
        assert len(bytes.fromhex(it.sha1)) == 20
        assert it.sha1 == it.sha1.lower()
        assert it.rules
        assert len({rule.product for rule in it.rules}) == len(it.rules)
        for rule in it.rules:
            assert rule.source.startswith("https://")
            assert rule.number.startswith("V-")
            assert rule.identifier.startswith("WN")
            assert rule.identifier[2:4] == rule.product[-2:]
            assert str(rule) in str(it)
        assert it.to_json()["rules"] == [rule.to_json() for rule in it.rules]


def test_every_product_is_covered():
    """Windows 10 and 11 and the servers from 2016 on each have a rule."""
    assert {rule.product for it in DISALLOWED for rule in it.rules} == {
        "Windows 10",
        "Windows 11",
        "Windows Server 2016",
        "Windows Server 2019",
        "Windows Server 2022",
        "Windows Server 2025",
    }
