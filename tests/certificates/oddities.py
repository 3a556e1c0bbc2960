"""Certificates put together octet by octet: each field and each extension can be what no library writes."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .. import der

BEGIN: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOW: Final = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
END: Final = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
ROOT_KEY, CA_KEY, SERVER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
UTF8, NUMERIC, PRINTABLE, TELETEX, IA5, VISIBLE, UNIVERSAL, BMP = 12, 18, 19, 20, 22, 26, 28, 30
HOST: Final = "mdm.example.mil"
_ECDSA: Final = der.sequence(der.oid("1.2.840.10045.4.3.2"))


def attribute(value: bytes, tag: int = UTF8, oid: str = "2.5.4.3") -> bytes:
    """Return a relative distinguished name of one attribute."""
    return der.set_of(der.sequence(der.oid(oid), der.tlv(tag, value)))


def name(text: str | bytes) -> bytes:
    """Return a distinguished name: a common name, or the encoded relative names that are given."""
    return der.sequence(text if isinstance(text, bytes) else attribute(text.encode()))


def extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    """Return one extension with any octets as its value."""
    return der.sequence(der.oid(oid), der.TRUE if critical else b"", der.octets(value))


def public_info(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def of_ca(*more: bytes) -> tuple[bytes, ...]:
    """Return a CA's extensions, and more of them."""
    return (
        extension("2.5.29.19", der.sequence(der.TRUE), critical=True),
        extension("2.5.29.15", der.named_bits(5, 6), critical=True),
        *more,
    )


def of_server(*more: bytes, host: str = HOST) -> tuple[bytes, ...]:
    """Return a server's extensions, and more of them."""
    return (
        extension("2.5.29.15", der.named_bits(0), critical=True),
        extension("2.5.29.17", der.sequence(der.implicit(2, host.encode()))),
        *more,
    )


def certificate(
    subject: str | bytes = HOST,
    issuer: str | bytes = "Issuing",
    *,
    extensions: tuple[bytes, ...] = (),
    key: ec.EllipticCurvePrivateKey = SERVER_KEY,
    issuer_key: ec.EllipticCurvePrivateKey = CA_KEY,
    serial: int = 77,
) -> bytes:
    """Return a signed certificate; names are common names, or encoded relative distinguished names."""
    return signed(
        issuer_key,
        der.explicit(0, der.integer(2)),
        der.integer(serial),
        _ECDSA,
        name(issuer),
        der.sequence(der.time(BEGIN), der.time(END)),
        name(subject),
        public_info(key),
        der.explicit(3, der.sequence(*extensions)) if extensions else b"",
    )


def signed(key: ec.EllipticCurvePrivateKey, *fields: bytes) -> bytes:
    """Return a certificate or a CRL of any fields."""
    content = der.sequence(*fields)
    return der.sequence(content, _ECDSA, der.bit_string(key.sign(content, ec.ECDSA(hashes.SHA256()))))


def root(*more: bytes, subject: str | bytes = "Root") -> bytes:
    """Return a self-signed root."""
    return certificate(subject, subject, extensions=of_ca(*more), key=ROOT_KEY, issuer_key=ROOT_KEY, serial=1)


def issuing(*more: bytes, subject: str | bytes = "Issuing", issuer: str | bytes = "Root", serial: int = 2) -> bytes:
    """Return a CA that the root certifies."""
    return certificate(subject, issuer, extensions=of_ca(*more), key=CA_KEY, issuer_key=ROOT_KEY, serial=serial)


def server(*more: bytes, subject: str | bytes = HOST, issuer: str | bytes = "Issuing") -> bytes:
    """Return a server's certificate."""
    return certificate(subject, issuer, extensions=of_server(*more))


def key_hash(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key identifier (RFC 5280 section 4.2.1.2)."""
    return hashlib.sha1(public_info(key), usedforsecurity=False).digest()
