"""Fixtures: a chain of six certificates with keys of its own, and profiles with few iterations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkcs12kit.certificates.certificate import Certificate
from pkcs12kit.certificates.identity import Identity
from pkcs12kit.certificates.path import CertificationPath
from pkcs12kit.certificates.trust_anchor import TrustAnchor
from pkcs12kit.pkcs12 import profiles
from pkcs12kit.pkcs12.bundle import Bundle

PASSWORD = "correct horse 42"
CA_NAMES = ("Root CA 3", "Interoperability Root CA 2", "Bridge CA", "Common Policy CA")
DAY = datetime(2026, 1, 1, tzinfo=UTC)


def issue(name, key, issuer_name, issuer_key, *, ca=True):
    """Issue one certificate; ``key`` is the subject's private key."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(distinguished(name))
        .issuer_name(distinguished(issuer_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(DAY)
        .not_valid_after(DAY + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    signed = builder.sign(issuer_key, hashes.SHA256())
    return Certificate.from_der(signed.public_bytes(Encoding.DER))


def distinguished(name):
    """Return a name from ``"common name/organization"``; either part may be missing."""
    common_name, _, organization = name.partition("/")
    attributes = []
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    if common_name:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, common_name))
    return x509.Name(attributes)


def make_path(key, ca_names=CA_NAMES, *, name="mdm.example.mil"):
    """Make a path: ``name`` <- Issuing CA <- the rest of ``ca_names``, the last being the anchor."""
    ca_keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(len(ca_names) + 1)]
    names = ["Issuing CA", *ca_names]
    certificates = [issue(name, key, names[0], ca_keys[0], ca=False)]
    for position in range(len(names)):
        above = min(position + 1, len(names) - 1)
        certificates.append(issue(names[position], ca_keys[position], names[above], ca_keys[above]))
    return CertificationPath(
        certificates=tuple(certificates[:-1]), trust_anchor=TrustAnchor.from_certificate(certificates[-1])
    )


@pytest.fixture(scope="session")
def keys():
    """One private key of each kind, by name."""
    return {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }


@pytest.fixture(scope="session")
def identity_and_path(keys):
    """An EC identity and its path: end-entity, four CAs, the anchor."""
    path = make_path(keys["ec"])
    return Identity(private_key=keys["ec"], certificate=path.target), path


@pytest.fixture(scope="session")
def bundle(identity_and_path):
    """The bundle of that path."""
    return Bundle.from_path(*identity_and_path, friendly_name="mdm.example.mil")


@pytest.fixture(scope="session")
def small_bundle(keys):
    """A key and one certificate."""
    return Bundle(private_key=keys["ec"], certificates=(issue("s", keys["ec"], "s", keys["ec"]),), friendly_name="s")


@pytest.fixture(scope="session")
def quick():
    """Make the profile MODERN with few iterations, for tests that derive often."""
    return replace(profiles.MODERN, encryption_iterations=3, mac_iterations=3)


@pytest.fixture
def password_file(tmp_path):
    """A file with only the password, for other programs."""
    path = tmp_path / "password.txt"
    path.write_text(PASSWORD)
    return path
