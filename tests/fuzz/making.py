"""Keys, names, certificates and signatures that are the same in every run: what was found can be run again.

The keys are computed from labels when they are needed; ECDSA signs as RFC 6979 has it, so that nothing is drawn.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pkcs12kit import Certificate, lab
from pkcs12kit.lab import extensions as ext

from .elements import contents_of, der, split

AT = datetime(2026, 3, 1, tzinfo=UTC)
"""The time of every judgement."""
ECDSA_SHA256 = der(0x30, der(0x06, bytes.fromhex("2a8648ce3d040302")))


@cache
def key(label: str) -> ec.EllipticCurvePrivateKey:
    """Compute the key of this label, on P-256."""
    number = int.from_bytes(hashlib.sha256(label.encode()).digest(), "big")
    return ec.derive_private_key(number >> 1, ec.SECP256R1())


def name(common_name: str) -> x509.Name:
    """Make a name like those of the Federal PKI."""
    units = [x509.NameAttribute(NameOID.COUNTRY_NAME, "US"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example")]
    return x509.Name([*units, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def certify(subject: str, issuer: str, serial: int, *extensions: ext.Extension) -> Certificate:
    """Issue a certificate by the key of one label for that of another."""
    builder = (
        x509.CertificateBuilder()
        .issuer_name(name(issuer))
        .subject_name(name(subject))
        .public_key(key(subject).public_key())
        .serial_number(serial)
        .not_valid_before(AT - timedelta(days=400))
        .not_valid_after(AT + timedelta(days=400))
    )
    for extension in extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    signed = builder.sign(key(issuer), hashes.SHA256(), ecdsa_deterministic=True)
    return Certificate.from_der(signed.public_bytes(Encoding.DER))


def ca_extensions(subject: str, issuer: str) -> tuple[ext.Extension, ...]:
    """List the extensions of a CA's certificate."""
    return (
        lab.critical(x509.BasicConstraints(ca=True, path_length=None)),
        lab.critical(lab.key_usage("key_cert_sign", "crl_sign")),
        lab.non_critical(ext.subject_key_identifier(key(subject).public_key())),
        lab.non_critical(ext.authority_key_identifier(key(issuer).public_key())),
    )


def server_extensions(subject: str, issuer: str) -> tuple[ext.Extension, ...]:
    """List the extensions of a server's certificate, with every kind of pointer."""
    return (
        lab.critical(lab.key_usage("digital_signature")),
        lab.non_critical(x509.SubjectAlternativeName([x509.DNSName("mdm.example.mil")])),
        lab.non_critical(ext.subject_key_identifier(key(subject).public_key())),
        lab.non_critical(ext.authority_key_identifier(key(issuer).public_key())),
    )


def sign(to_be_signed: bytes, label: str) -> bytes:
    """Return the signature by the key of this label."""
    return key(label).sign(to_be_signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def signed_by(label: str, to_be_signed: bytes, *more: bytes) -> bytes:
    """Put what is to be signed, the algorithm and the signature together, as in a certificate, a CRL and an answer."""
    signature = der(0x03, b"\0", sign(to_be_signed, label))
    return der(0x30, to_be_signed, ECDSA_SHA256, signature, *more)


def signed_again(encoding: bytes, label: str) -> bytes:
    """Sign what is first in an encoding, in place of its algorithm and signature; others are left as they are."""
    outer, _ = split(encoding)
    if not outer or outer[0][0] != 0x30:  # SEQUENCE
        return encoding
    parts, rest = split(contents_of(outer[0]))
    return signed_by(label, parts[0], *parts[3:], rest) if parts else encoding
