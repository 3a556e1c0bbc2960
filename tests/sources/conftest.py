"""Certificates, keys and containers to read, made when the tests run."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest
from asn1crypto import cms, core
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


def issue(common_name, *, issuer=None, issuer_key=None, key=None, ca=True, serial=1):
    """Make a certificate; self-signed without an issuer. Returns it with its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    signing_key = issuer_key or key
    algorithm = hashes.SHA256() if isinstance(signing_key, ec.EllipticCurvePrivateKey) else None
    builder = x509.CertificateBuilder(
        issuer.subject if issuer else name,
        name,
        key.public_key(),
        serial,
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(2040, 1, 1, tzinfo=UTC),
    ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(signing_key, algorithm), key


def pem(*certificates):
    """Encode certificates as PEM, one after another."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def der(certificate):
    """Encode a certificate as DER."""
    return certificate.public_bytes(Encoding.DER)


def key_pem(key):
    """Encode a key as PKCS#8 PEM, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_zip(members, compression=zipfile.ZIP_DEFLATED):
    """Pack members, name to content, into a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_pkcs7(certificates):
    """Bundle certificates as a certs-only SignedData in DER (RFC 5652 section 5.1)."""
    signed_data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [],
            "encap_content_info": {"content_type": "data"},
            "certificates": [cms.CertificateChoices.load(certificate) for certificate in certificates],
            "signer_infos": [],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": signed_data}).dump()


def make_ber_pkcs7(certificates):
    """Bundle the same with every length indefinite down to the set of certificates (X.690 section 8.1.3.6)."""
    end = b"\x00\x00"

    def indefinite(tag, *contents):
        return bytes((tag, 0x80)) + b"".join(contents) + end

    signed_data = indefinite(
        0x30,
        core.Integer(1).dump(),
        indefinite(0x31),
        indefinite(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()),
        indefinite(0xA0, *certificates),
        indefinite(0x31),
    )
    return indefinite(0x30, core.ObjectIdentifier("1.2.840.113549.1.7.2").dump(), indefinite(0xA0, signed_data))


@pytest.fixture(scope="session")
def root():
    """A self-signed CA and its key."""
    return issue("Root")


@pytest.fixture(scope="session")
def intermediate(root):
    """A CA below the root, and its key."""
    return issue("Intermediate", issuer=root[0], issuer_key=root[1], serial=2)


@pytest.fixture(scope="session")
def leaf(intermediate):
    """An end-entity below the intermediate, and its key."""
    return issue("mdm.example", issuer=intermediate[0], issuer_key=intermediate[1], ca=False, serial=3)


@pytest.fixture(scope="session")
def stranger():
    """An end-entity that has nothing to do with the others, and its key."""
    return issue("Stranger", key=ed25519.Ed25519PrivateKey.generate(), ca=False, serial=4)


@pytest.fixture(scope="session")
def chain(leaf, intermediate, root):
    """The leaf's certificate and those above it."""
    return (leaf[0], intermediate[0], root[0])


@pytest.fixture(scope="session")
def request_pem(leaf):
    """A certificate request (RFC 2986)."""
    builder = x509.CertificateSigningRequestBuilder(leaf[0].subject)
    return builder.sign(leaf[1], hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="session")
def crl_pem(root):
    """A CRL without entries."""
    at = datetime(2024, 1, 1, tzinfo=UTC)
    builder = x509.CertificateRevocationListBuilder(root[0].subject, at, at.replace(year=2025))
    return builder.sign(root[1], hashes.SHA256()).public_bytes(Encoding.PEM)
