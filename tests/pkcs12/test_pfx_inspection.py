"""The report on a PFX without its password, with it, and with a wrong one."""

from __future__ import annotations

import json

import pytest
from asn1crypto import pkcs12 as asn1_pkcs12
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509 import load_der_x509_certificate

from pkcs12kit.pkcs12.bags import certificate_bag
from pkcs12kit.pkcs12.encoder import encode_pfx
from pkcs12kit.pkcs12.inspection import inspect_pfx

from .conftest import PASSWORD
from .pfx_parts import bags_of, der, encrypted_safe, oid, safe_by, with_mac

ENCRYPTION = {
    "algorithm": "PBES2",
    "cipher": "AES-256-CBC",
    "kdf": "PBKDF2",
    "digest": "SHA-256",
    "iterations": 3,
    "salt_length": 16,
    "scrypt": None,
}
MAC = {
    "algorithm": "HMAC",
    "digest": "SHA-256",
    "kdf": "PKCS12KDF",
    "prf": "SHA-256",
    "iterations": 3,
    "salt_length": 8,
}


@pytest.fixture(scope="module")
def data(bundle, quick):
    """A file of key, end-entity and five CA certificates."""
    return encode_pfx(bundle, password=PASSWORD, profile=quick)


def test_without_the_password(data):
    """MAC, encryption and the shrouded key's bag lie open; the certificates do not."""
    key_bag = {
        "type": "pkcs8ShroudedKeyBag",
        "value_type": None,
        "friendly_name": "mdm.example.mil",
        "local_key_id": inspect_pfx(data).safe_contents[1].bags[0].local_key_id.hex(),
        "certificate": None,
        "encryption": ENCRYPTION,
    }
    described = inspect_pfx(data).to_json()
    assert set(described.pop("readers")) >= {"openssl-3", "java-17"}
    assert described == {
        "mac": MAC,
        "safe_contents": [{"encryption": ENCRYPTION, "bags": None}, {"encryption": None, "bags": [key_bag]}],
        "mac_verified": None,
        "unopened": [],
        "unread_keys": [],
        "notes": [],
        "password_uses": [],
        "arrangement": None,
        "expires": None,
        "trailing_bytes": 0,
        "warnings": [],
    }
    assert inspect_pfx(data).end_entity is None


def test_with_the_password(data, bundle):
    """Every certificate in order, as ``--json`` describes certificates, and which one is the end-entity."""
    report = inspect_pfx(data, password=PASSWORD)
    assert report.mac_verified is True
    assert report.end_entity == bundle.certificates[0]
    described = report.to_json()["safe_contents"][0]
    assert described["encryption"] == ENCRYPTION
    assert [bag["certificate"] for bag in described["bags"]] == [
        certificate.to_json() for certificate in bundle.certificates
    ]
    assert [bag["friendly_name"] for bag in described["bags"]] == list(bundle.aliases)
    assert {bag["type"] for bag in described["bags"]} == {"certBag"}
    marked = [bag.end_entity for safe in report.safe_contents for bag in safe.bags]
    assert marked == [True, False, False, False, False, False, False]


def test_wrong_password_shows_no_more_than_none(data):
    """The MAC is verified first: False, and the rest as without a password."""
    wrong, without = inspect_pfx(data, password="wrong"), inspect_pfx(data)
    assert wrong.mac_verified is False
    assert wrong.safe_contents == without.safe_contents


def test_report_has_no_key_material(data, bundle):
    """Neither the report nor its JSON holds the key, in any encoding of its secret number."""
    report = inspect_pfx(data, password=PASSWORD)
    number = bundle.private_key.private_numbers().private_value
    for text in (repr(report), json.dumps(report.to_json())):
        assert f"{number:x}" not in text
        assert str(number) not in text


def test_end_entity_without_local_key_id(bundle):
    """A writer may leave localKeyID out; with the password the key itself tells."""
    own, *issuers = (load_der_x509_certificate(certificate.der) for certificate in bundle.certificates)
    data = pkcs12.serialize_key_and_certificates(None, bundle.private_key, None, [*issuers, own], NoEncryption())
    report = inspect_pfx(data, password="")
    assert report.end_entity == bundle.certificates[0]
    assert {bag.local_key_id for safe in report.safe_contents for bag in safe.bags if bag.certificate} == {None}


def test_plain_key_is_shown_as_a_bag_and_no_more(bundle):
    """An unencrypted keyBag is named; its contents go nowhere."""
    data = pkcs12.serialize_key_and_certificates(
        None, bundle.private_key, load_der_x509_certificate(bundle.certificates[0].der), None, NoEncryption()
    )
    report = inspect_pfx(data)
    assert "keyBag" in [bag.type for safe in report.safe_contents for bag in safe.bags]
    assert report.end_entity == bundle.certificates[0]  # by localKeyID
    der = bundle.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert repr(der)[2:40] not in repr(report)


def test_file_without_a_mac(data):
    """No MAC is null, and nothing is claimed to be verified."""
    pfx = asn1_pkcs12.Pfx.load(data)
    content = {"content_type": "data", "content": pfx["auth_safe"]["content"].native}
    bare = asn1_pkcs12.Pfx({"version": "v3", "auth_safe": content}).dump()
    report = inspect_pfx(bare, password=PASSWORD)
    assert report.to_json()["mac"] is None
    assert report.mac_verified is None
    assert len(report.safe_contents[0].bags) == 6
    assert inspect_pfx(bare, password="wrong").safe_contents[0].bags is None


def test_mac_of_an_unknown_algorithm_opens_nothing(data):
    """Its name and identifier (SHAKE128's) are shown; what it vouches for stays closed, as it cannot be verified."""
    sha256, shake128 = bytes.fromhex("608648016503040201"), bytes.fromhex("60864801650304020b")
    assert data.count(sha256) == 1
    report = inspect_pfx(data.replace(sha256, shake128), password=PASSWORD)
    assert report.mac.to_json() == dict.fromkeys(MAC) | {"algorithm": "SHAKE128 (2.16.840.1.101.3.4.2.11)"}
    assert report.mac_verified is None
    assert report.safe_contents[0].bags is None


def test_why_a_part_does_not_open(small_bundle, quick):
    """Another password, damage and an unsupported cipher are three different sentences, for keys and for contents."""
    bag = certificate_bag(small_bundle.certificates[0].der)
    aes = quick.certificate_encryption
    shrouded = asn1_pkcs12.Pfx.load(encode_pfx(small_bundle, password="another", profile=quick)).authenticated_safe[1]
    unknown = encrypted_safe(der(0x30, oid("1.2.3.4") + b"\x05\x00"), bytes(16))
    data = with_mac([safe_by(aes, PASSWORD, bags_of(bag)), safe_by(aes, PASSWORD, b"no bags"), unknown, shrouded])
    report = inspect_pfx(data, password=PASSWORD)
    assert (report.mac_verified, [safe.bags is None for safe in report.safe_contents]) == (
        True,
        [False, True, True, False],
    )
    assert report.to_json()["unopened"] == list(report.unopened)
    damaged, unsupported, other_password = report.unopened
    assert "its contents cannot be read" in damaged
    assert "1.2.3.4 in the PKCS#12 file is not supported" in unsupported
    assert "its private key cannot be decrypted with the same password" in other_password
    assert inspect_pfx(data).unopened == ()
    assert "does not verify" in inspect_pfx(data, password="wrong").unopened[0]
